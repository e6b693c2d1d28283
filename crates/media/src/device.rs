//! What there is to choose from.

/// A camera, a microphone or a speaker.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DeviceInfo {
    /// What it is opened by; stays the same when it is plugged in again, as far as the system knows.
    pub id: String,
    /// What a person calls it.
    pub name: String,
}

/// The device of this id or name; case does not matter, and a part of the name that only one has will do.
#[cfg(feature = "devices")]
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

#[cfg(all(test, feature = "devices"))]
mod tests {
    use super::*;

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
