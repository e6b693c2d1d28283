//! What is new about devices, from one look to the next. No clock, no threads.

use crate::{DeviceInfo, DeviceKind, DeviceList};

/// What is there.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct DeviceLists {
    /// Those that give pictures; the first one is taken by default.
    pub cameras: DeviceList,
    /// Those that hear.
    pub microphones: DeviceList,
    /// Those that play.
    pub speakers: DeviceList,
}

impl DeviceLists {
    /// Those of this kind.
    #[must_use]
    pub const fn of(&self, kind: DeviceKind) -> &DeviceList {
        match kind {
            DeviceKind::Camera => &self.cameras,
            DeviceKind::Microphone => &self.microphones,
            DeviceKind::Speaker => &self.speakers,
        }
    }
}

/// What a person may want to know of their devices.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum DeviceNews {
    /// There are other devices than before, or the system's default is another one.
    Listed(DeviceLists),
    /// A device was plugged in, and is not used.
    Appeared {
        /// What it is for.
        kind: DeviceKind,
        /// Which one.
        device: DeviceInfo,
    },
    /// Another device is used from now on.
    Changed {
        /// What it is for.
        kind: DeviceKind,
        /// The name of the one before, where the reason is that it has gone.
        gone: Option<String>,
        /// The one that is used. None: there is none.
        using: Option<DeviceInfo>,
    },
    /// What was chosen last cannot be opened; what was used before is used on.
    Refused {
        /// What it is for.
        kind: DeviceKind,
        /// A whole sentence with a next step.
        message: String,
    },
}

/// What is used for one purpose, by choice and by what there is.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Use {
    /// Id or name; None: whatever the system takes by default.
    pub(super) chosen: Option<String>,
    pub(super) device: Option<DeviceInfo>,
}

impl Use {
    /// The chosen one where it is there, and the system's default until it is.
    pub(super) fn of<'a>(&self, list: &'a DeviceList) -> Option<&'a DeviceInfo> {
        let chosen = self.chosen.as_deref();
        list.find(chosen).or_else(|| list.find(None))
    }

    /// Takes what is there now. Says what has changed since the list before.
    pub(super) fn follow(
        &mut self,
        kind: DeviceKind,
        before: &DeviceList,
        now: &DeviceList,
    ) -> Vec<DeviceNews> {
        let using = self.of(now).cloned();
        let mut news = Vec::new();
        let id = |device: &Option<DeviceInfo>| device.as_ref().map(|device| device.id.clone());
        let is_another = id(&using) != id(&self.device);
        let last = std::mem::replace(&mut self.device, using.clone());
        if is_another {
            let gone = last.filter(|last| !has(now, last)).map(|last| last.name);
            news.push(DeviceNews::Changed {
                kind,
                gone,
                using: using.clone(),
            });
        }
        let new = now.devices.iter().filter(|device| !has(before, device));
        let unused = new.filter(|device| Some(&device.id) != using.as_ref().map(|used| &used.id));
        news.extend(unused.map(|device| DeviceNews::Appeared {
            kind,
            device: device.clone(),
        }));
        news
    }
}

fn has(list: &DeviceList, device: &DeviceInfo) -> bool {
    list.devices.iter().any(|other| other.id == device.id)
}

#[cfg(test)]
mod tests {
    use super::*;

    const KIND: DeviceKind = DeviceKind::Microphone;

    fn device(id: &str) -> DeviceInfo {
        DeviceInfo {
            id: id.into(),
            name: id.to_uppercase(),
        }
    }

    fn list(default: &str, ids: &[&str]) -> DeviceList {
        DeviceList {
            default: Some(default.into()),
            devices: ids.iter().map(|id| device(id)).collect(),
        }
    }

    fn changed(gone: Option<&str>, using: &str) -> DeviceNews {
        DeviceNews::Changed {
            kind: KIND,
            gone: gone.map(Into::into),
            using: Some(device(using)),
        }
    }

    /// What is told of each list after the first one.
    fn told(chosen: Option<&str>, lists: &[DeviceList]) -> Vec<Vec<DeviceNews>> {
        let mut used = Use {
            chosen: chosen.map(Into::into),
            device: None,
        };
        used.device = used.of(&lists[0]).cloned();
        let pairs = lists.windows(2);
        pairs
            .map(|pair| used.follow(KIND, &pair[0], &pair[1]))
            .collect()
    }

    #[test]
    fn the_systems_default_is_followed() {
        let both = ["built-in", "headset"];
        let lists = [list("built-in", &both), list("headset", &both)];
        assert_eq!(told(None, &lists), [[changed(None, "headset")]]);
        let chosen = told(Some("built-in"), &lists);
        assert!(chosen[0].is_empty(), "who has chosen one keeps it");
    }

    #[test]
    fn a_new_device_is_offered_unless_the_system_takes_it_already() {
        let before = list("built-in", &["built-in"]);
        let offered = [before.clone(), list("built-in", &["built-in", "headset"])];
        let appeared = DeviceNews::Appeared {
            kind: KIND,
            device: device("headset"),
        };
        assert_eq!(told(None, &offered), [[appeared]]);
        let taken = [before, list("headset", &["built-in", "headset"])];
        assert_eq!(told(None, &taken), [[changed(None, "headset")]]);
    }

    #[test]
    fn a_chosen_device_that_goes_is_replaced_and_taken_again_when_it_is_back() {
        let both = list("built-in", &["built-in", "headset"]);
        let lists = [both.clone(), list("built-in", &["built-in"]), both];
        let news = told(Some("headset"), &lists);
        assert_eq!(news[0], [changed(Some("HEADSET"), "built-in")]);
        assert_eq!(news[1], [changed(None, "headset")]);
    }

    #[test]
    fn the_last_device_leaves_nothing() {
        let lists = [list("headset", &["headset"]), DeviceList::default()];
        let nothing = DeviceNews::Changed {
            kind: KIND,
            gone: Some("HEADSET".into()),
            using: None,
        };
        assert_eq!(told(None, &lists), [[nothing]]);
    }
}
