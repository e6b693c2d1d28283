//! What there is to choose from.

/// A camera, a microphone or a speaker.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DeviceInfo {
    /// What it is opened by; stays the same when it is plugged in again, as far as the system knows.
    pub id: String,
    /// What a person calls it.
    pub name: String,
}

/// What a device is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum DeviceKind {
    /// Pictures.
    Camera,
    /// Sound out.
    Microphone,
    /// Sound in.
    Speaker,
}

impl DeviceKind {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::Camera, Self::Microphone, Self::Speaker];
}

/// The id of whatever the system plays to or records from.
pub(crate) const DEFAULT_ID: &str = "default";

/// The devices of one kind that there are.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct DeviceList {
    /// Id of the one that the system takes by default, where it says so.
    pub default: Option<String>,
    /// All of them.
    pub devices: Vec<DeviceInfo>,
}

impl DeviceList {
    /// What is opened by this id or name; None: the system's default one, or the first.
    #[must_use]
    pub fn find(&self, wanted: Option<&str>) -> Option<&DeviceInfo> {
        match wanted.filter(|name| !is_default(name)) {
            Some(wanted) => self.devices.get(choose(&self.devices, wanted)?),
            None => {
                let is_it = |device: &&DeviceInfo| Some(&device.id) == self.default.as_ref();
                self.devices.iter().find(is_it).or(self.devices.first())
            }
        }
    }

    /// For a person to choose from: headed by “System default (name)”. Empty when there is none.
    #[must_use]
    pub fn headed(&self) -> Vec<DeviceInfo> {
        let default = self.find(None).map(|device| DeviceInfo {
            id: DEFAULT_ID.into(),
            name: format!("System default ({})", device.name),
        });
        default.into_iter().chain(self.devices.clone()).collect()
    }
}

/// Whether this names what the system takes by default.
pub(crate) fn is_default(name: &str) -> bool {
    name.is_empty() || name == DEFAULT_ID || name.starts_with("System default")
}

/// The device of this id or name; case does not matter, and a part of the name that only one has will do.
pub(crate) fn choose(devices: &[DeviceInfo], wanted: &str) -> Option<usize> {
    let lower = wanted.to_lowercase();
    let exact = devices
        .iter()
        .position(|device| device.id == wanted)
        .or_else(|| {
            devices
                .iter()
                .position(|device| device.name.to_lowercase() == lower)
        });
    exact.or_else(|| {
        let mut parts = devices
            .iter()
            .enumerate()
            .filter(|(_, device)| device.name.to_lowercase().contains(&lower));
        match (parts.next(), parts.next()) {
            (Some((index, _)), None) => Some(index),
            _ => None,
        }
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_list_is_headed_by_the_systems_default() {
        let device = |id: &str| DeviceInfo {
            id: id.into(),
            name: id.to_uppercase(),
        };
        let mut list = DeviceList {
            default: Some("b".into()),
            devices: vec![device("a"), device("b")],
        };
        assert_eq!(list.headed()[0].name, "System default (B)");
        assert_eq!(list.find(Some("default")), Some(&device("b")));
        assert_eq!(list.find(Some("System default (A)")), Some(&device("b")));
        assert_eq!(list.find(Some("a")), Some(&device("a")));
        list.default = Some("gone".into());
        assert_eq!(list.find(None), Some(&device("a")));
        assert!(DeviceList::default().headed().is_empty());
    }

    #[test]
    fn a_device_is_found_by_id_name_or_an_unmistakable_part() {
        let device = |id: &str, name: &str| DeviceInfo {
            id: id.into(),
            name: name.into(),
        };
        let devices = [
            device("hw:0", "Built-in Audio"),
            device("hw:1", "USB Headset"),
            device("hw:2", "USB Camera"),
        ];
        assert_eq!(choose(&devices, "hw:1"), Some(1));
        assert_eq!(choose(&devices, "usb camera"), Some(2));
        assert_eq!(choose(&devices, "built"), Some(0));
        assert_eq!(choose(&devices, "USB"), None);
        assert_eq!(choose(&devices, "AirPods"), None);
    }
}
