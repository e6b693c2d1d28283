//! What the window shows of devices: what there is to choose from, and what has just become of them.

use std::time::{Duration, Instant};

use serde::Serialize;
use ts_rs::TS;
use vireo_call::NoticeKind;
use vireo_media::{DeviceKind, DeviceList, DeviceLists, DeviceNews, video::Rotation};

/// So many toasts are kept; the window shows each for a while.
const MAX_TOASTS: usize = 4;

/// A headset is two devices that come one soon after the other.
const TOGETHER: Duration = Duration::from_secs(3);

/// The devices as they stand now. Filled when the first call begins, or somebody tries one out.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, TS)]
#[serde(rename_all = "camelCase")]
pub struct DevicesView {
    /// Those that give pictures.
    pub camera: DeviceMenu,
    /// Those that hear.
    pub microphone: DeviceMenu,
    /// Those that play.
    pub speaker: DeviceMenu,
    /// How the camera's pictures are turned; null where there is no camera.
    pub rotation: Option<CameraRotation>,
    /// What has become of devices in this call, the newest last.
    pub toasts: Vec<DeviceToast>,
}

/// What there is to choose from for one purpose.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, TS)]
#[serde(rename_all = "camelCase")]
pub struct DeviceMenu {
    /// The name of what the system takes by default; null where there is none.
    pub default: Option<String>,
    /// All of them.
    pub devices: Vec<DeviceEntry>,
    /// The id of the chosen one; null for the system's default.
    pub chosen: Option<String>,
}

/// A device.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, TS)]
pub struct DeviceEntry {
    /// What it is chosen by.
    pub id: String,
    /// What a person calls it.
    pub name: String,
}

/// How far the pictures of the camera that is to be used are turned.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, TS)]
pub struct CameraRotation {
    /// The camera's id.
    pub camera: String,
    /// How far, clockwise.
    pub rotation: Rotation,
}

/// Something that has become of devices.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, TS)]
pub struct DeviceToast {
    /// Its number; none is used twice.
    #[ts(type = "number")]
    pub id: u64,
    /// What it is.
    pub what: DeviceChange,
}

/// What has become of devices.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, TS)]
#[serde(
    tag = "kind",
    rename_all = "camelCase",
    rename_all_fields = "camelCase"
)]
pub enum DeviceChange {
    /// A device was plugged in and is not used. A headset is several.
    Appeared {
        /// What a person calls it.
        name: String,
        /// What it can be used as.
        uses: Vec<DeviceUse>,
    },
    /// A device has gone.
    Gone {
        /// What it was used as.
        device: NoticeKind,
        /// What a person calls it.
        name: String,
        /// The one that is used instead; null where there is none.
        using: Option<String>,
    },
    /// What was chosen cannot be used; the one before is used on.
    Refused {
        /// What it should have been used as.
        device: NoticeKind,
        /// A sentence in English.
        message: String,
    },
}

/// A device and what it can be used as.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, TS)]
pub struct DeviceUse {
    /// As what.
    pub device: NoticeKind,
    /// What it is chosen by.
    pub id: String,
}

/// What the window shows, and when it last offered something.
#[derive(Debug, Default)]
pub(super) struct Board {
    last: u64,
    offered: Option<(u64, Instant)>,
}

impl Board {
    /// Shows the news.
    pub(super) fn show(&mut self, view: &mut DevicesView, news: &DeviceNews, now: Instant) {
        match news {
            DeviceNews::Listed(lists) => view.list(lists),
            DeviceNews::Appeared { kind, device } => {
                let device_use = DeviceUse {
                    device: notice_kind(*kind),
                    id: device.id.clone(),
                };
                self.offer(view, &device.name, device_use, now);
            }
            DeviceNews::Changed {
                kind,
                gone: Some(name),
                using,
            } => {
                let what = DeviceChange::Gone {
                    device: notice_kind(*kind),
                    name: name.clone(),
                    using: using.as_ref().map(|device| device.name.clone()),
                };
                self.add(view, what);
            }
            DeviceNews::Changed { gone: None, .. } => {}
            DeviceNews::Refused { kind, message } => {
                let what = DeviceChange::Refused {
                    device: notice_kind(*kind),
                    message: message.clone(),
                };
                self.add(view, what);
            }
        }
    }

    fn offer(&mut self, view: &mut DevicesView, name: &str, device_use: DeviceUse, now: Instant) {
        let offered = self
            .offered
            .filter(|(_, at)| now.saturating_duration_since(*at) < TOGETHER);
        let toast = offered.and_then(|(id, _)| view.toasts.iter_mut().find(|t| t.id == id));
        if let Some(DeviceToast {
            what: DeviceChange::Appeared { uses, .. },
            ..
        }) = toast
            && uses.iter().all(|other| other.device != device_use.device)
        {
            uses.push(device_use);
            return;
        }
        let what = DeviceChange::Appeared {
            name: name.to_owned(),
            uses: vec![device_use],
        };
        self.offered = Some((self.add(view, what), now));
    }

    fn add(&mut self, view: &mut DevicesView, what: DeviceChange) -> u64 {
        self.last += 1;
        let id = self.last;
        view.toasts.push(DeviceToast { id, what });
        if view.toasts.len() > MAX_TOASTS {
            view.toasts.remove(0);
        }
        id
    }
}

impl DevicesView {
    pub(super) const fn menu(&mut self, kind: NoticeKind) -> &mut DeviceMenu {
        match kind {
            NoticeKind::Camera => &mut self.camera,
            NoticeKind::Microphone => &mut self.microphone,
            NoticeKind::Speaker => &mut self.speaker,
        }
    }

    fn list(&mut self, lists: &DeviceLists) {
        for kind in DeviceKind::ALL {
            let list: &DeviceList = lists.of(kind);
            let entries = list.devices.iter().map(|device| DeviceEntry {
                id: device.id.clone(),
                name: device.name.clone(),
            });
            let menu = self.menu(notice_kind(kind));
            menu.devices = entries.collect();
            menu.default = list.find(None).map(|device| device.name.clone());
        }
    }
}

/// What a device of this kind is in notices.
#[must_use]
pub const fn notice_kind(kind: DeviceKind) -> NoticeKind {
    match kind {
        DeviceKind::Camera => NoticeKind::Camera,
        DeviceKind::Microphone => NoticeKind::Microphone,
        DeviceKind::Speaker => NoticeKind::Speaker,
    }
}

/// What a notice of this kind is about.
#[must_use]
pub const fn device_kind(kind: NoticeKind) -> DeviceKind {
    match kind {
        NoticeKind::Camera => DeviceKind::Camera,
        NoticeKind::Microphone => DeviceKind::Microphone,
        NoticeKind::Speaker => DeviceKind::Speaker,
    }
}

#[cfg(test)]
mod tests {
    use vireo_media::DeviceInfo;

    use super::*;

    fn appeared(kind: DeviceKind) -> DeviceNews {
        DeviceNews::Appeared {
            kind,
            device: DeviceInfo {
                id: "usb".into(),
                name: "USB Headset".into(),
            },
        }
    }

    #[test]
    fn a_headset_is_offered_once() {
        let (mut board, mut view) = (Board::default(), DevicesView::default());
        let now = Instant::now();
        board.show(&mut view, &appeared(DeviceKind::Microphone), now);
        board.show(&mut view, &appeared(DeviceKind::Speaker), now);
        assert_eq!(view.toasts.len(), 1);
        let DeviceChange::Appeared { uses, .. } = &view.toasts[0].what else {
            panic!("{view:?}");
        };
        assert_eq!(uses.len(), 2);
        board.show(&mut view, &appeared(DeviceKind::Speaker), now + TOGETHER);
        assert_eq!(view.toasts.len(), 2, "that is another one");
    }

    #[test]
    fn old_toasts_are_forgotten() {
        let (mut board, mut view) = (Board::default(), DevicesView::default());
        for _ in 0..10 {
            let gone = DeviceNews::Changed {
                kind: DeviceKind::Speaker,
                gone: Some("AirPods".into()),
                using: None,
            };
            board.show(&mut view, &gone, Instant::now());
        }
        assert_eq!(view.toasts.len(), MAX_TOASTS);
        assert_eq!(view.toasts[0].id, 7);
    }
}
