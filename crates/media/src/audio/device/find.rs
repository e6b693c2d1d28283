//! Finding devices by name, and listing them with names that mean something.

use std::{sync::mpsc::sync_channel, thread};

use cpal::{
    Device, Host,
    traits::{DeviceTrait, HostTrait},
};

use super::{Direction, OPEN_WITHIN, failure};
use crate::{DeviceInfo, MediaError, device::choose};

/// The id of whatever the system plays to or records from.
const DEFAULT_ID: &str = "default";

/// The microphones there are, the system's default one first. Empty when there is none.
#[must_use]
pub fn microphones() -> Vec<DeviceInfo> {
    list_on_a_thread(Direction::Input)
}

/// The speakers there are, the system's default one first. Empty when there is none.
#[must_use]
pub fn speakers() -> Vec<DeviceInfo> {
    list_on_a_thread(Direction::Output)
}

/// Whether there is the microphone that [`Microphone::open`](super::Microphone::open) would open by this name.
#[must_use]
pub fn has_microphone(name: Option<&str>) -> bool {
    has(Direction::Input, name)
}

/// Whether there is the speaker that [`Speaker::open`](super::Speaker::open) would open by this name.
#[must_use]
pub fn has_speaker(name: Option<&str>) -> bool {
    has(Direction::Output, name)
}

fn has(direction: Direction, name: Option<&str>) -> bool {
    match name.filter(|name| !is_default(name)).map(str::to_owned) {
        None => !list_on_a_thread(direction).is_empty(),
        Some(name) => on_a_thread(move |host| find(host, direction, Some(&name)).is_ok()),
    }
}

fn list_on_a_thread(direction: Direction) -> Vec<DeviceInfo> {
    on_a_thread(move |host| list(host, direction))
}

/// A sound server that hangs must not take its caller along.
fn on_a_thread<T: Default + Send + 'static>(look: impl FnOnce(&Host) -> T + Send + 'static) -> T {
    let (sender, receiver) = sync_channel(1);
    let spawned = thread::Builder::new()
        .name("list-audio".into())
        .spawn(move || {
            let _ = sender.send(look(&cpal::default_host()));
        });
    match spawned {
        Ok(_) => receiver.recv_timeout(OPEN_WITHIN).unwrap_or_default(),
        Err(_) => T::default(),
    }
}

fn list(host: &Host, direction: Direction) -> Vec<DeviceInfo> {
    let mut devices = real_devices(host, direction);
    // ALSA calls something its default even on a computer without a sound card.
    if devices.is_empty() {
        return devices;
    }
    let default = default_device(host, direction).map(|device| info(&device).name);
    let name = default.map_or("System default".into(), |name| {
        format!("System default ({name})")
    });
    devices.insert(
        0,
        DeviceInfo {
            id: DEFAULT_ID.into(),
            name,
        },
    );
    devices
}

/// Without PulseAudio's monitors, which record what is played, and ALSA's dozen of plugins for every card.
fn real_devices(host: &Host, direction: Direction) -> Vec<DeviceInfo> {
    let is_alsa = host.id().name() == "ALSA";
    let mut devices: Vec<DeviceInfo> = all_devices(host, direction)
        .iter()
        .map(info)
        .filter(|device| !device.id.ends_with(".monitor"))
        .filter(|device| !is_alsa || device.id.starts_with("sysdefault:"))
        .collect();
    devices.dedup_by(|a, b| a.id == b.id);
    devices
}

fn all_devices(host: &Host, direction: Direction) -> Vec<Device> {
    let Ok(devices) = host.devices() else {
        return Vec::new();
    };
    devices
        .filter(|device| match direction {
            Direction::Input => device.supports_input(),
            Direction::Output => device.supports_output(),
        })
        .collect()
}

fn default_device(host: &Host, direction: Direction) -> Option<Device> {
    match direction {
        Direction::Input => host.default_input_device(),
        Direction::Output => host.default_output_device(),
    }
}

fn info(device: &Device) -> DeviceInfo {
    let id = device
        .id()
        .map_or_else(|_| String::new(), |id| id.id().to_owned());
    let name = device
        .description()
        .map_or_else(|_| id.clone(), |description| description.name().to_owned());
    DeviceInfo { id, name }
}

/// The device of this id or name (case does not matter, a part that only one has will do); None means the default.
pub(super) fn find(
    host: &Host,
    direction: Direction,
    wanted: Option<&str>,
) -> Result<(Device, String), MediaError> {
    let Some(wanted) = wanted.filter(|name| !is_default(name)) else {
        let device = default_device(host, direction).ok_or_else(|| failure::none(direction))?;
        let name = info(&device).name;
        return Ok((device, name));
    };
    let mut devices: Vec<(Device, DeviceInfo)> = all_devices(host, direction)
        .into_iter()
        .map(|device| {
            let info = info(&device);
            (device, info)
        })
        .collect();
    let infos: Vec<DeviceInfo> = devices.iter().map(|(_, info)| info.clone()).collect();
    match choose(&infos, wanted) {
        Some(index) => {
            let (device, info) = devices.swap_remove(index);
            Ok((device, info.name))
        }
        None => {
            let known: Vec<String> = real_devices(host, direction)
                .into_iter()
                .map(|device| device.name)
                .collect();
            Err(failure::unknown(direction, wanted, &known))
        }
    }
}

fn is_default(name: &str) -> bool {
    name.is_empty() || name == DEFAULT_ID || name.starts_with("System default")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_default_has_several_names() {
        assert!(is_default("default") && is_default("System default (USB Headset)"));
        assert!(!is_default("hw:0"));
    }
}
