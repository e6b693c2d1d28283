//! Finding devices by name, and listing them with names that mean something.

use std::{sync::mpsc::sync_channel, thread};

use cpal::{
    Device, Host,
    traits::{DeviceTrait, HostTrait},
};

use super::{Direction, OPEN_WITHIN, failure};
use crate::{
    DeviceInfo, DeviceList, MediaError,
    device::{choose, is_default},
};

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

/// The speakers there are, and which of them the system takes by default.
#[must_use]
pub fn speaker_list() -> DeviceList {
    on_a_thread(|host| list(host, &all_devices(host), Direction::Output))
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
    on_a_thread(move |host| list(host, &all_devices(host), direction).headed())
}

/// Looks again and again, over one connection to the system's sound as long as that lasts.
#[derive(Default)]
pub(crate) struct SoundLister {
    host: Option<Host>,
}

impl SoundLister {
    /// The microphones and speakers of this moment. May take long.
    pub(crate) fn look(&mut self) -> (DeviceList, DeviceList) {
        let mut host = self.host.take().unwrap_or_else(cpal::default_host);
        let mut all = all_devices(&host);
        if all.is_empty() {
            // The sound server has gone, maybe, and another one is there.
            host = cpal::default_host();
            all = all_devices(&host);
        }
        let of = |direction| list(&host, &all, direction);
        let both = (of(Direction::Input), of(Direction::Output));
        self.host = Some(host).filter(|_| !all.is_empty());
        both
    }
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

/// Those of one direction, among all. ALSA calls something its default even on a computer without a sound card.
fn list(host: &Host, all: &[Device], direction: Direction) -> DeviceList {
    let devices = real_devices(host, all, direction);
    let default = default_device(host, direction).filter(|_| !devices.is_empty());
    DeviceList {
        default: default.map(|device| info(&device).id),
        devices,
    }
}

/// Without PulseAudio's monitors, which record what is played, and ALSA's dozen of plugins for every card.
fn real_devices(host: &Host, all: &[Device], direction: Direction) -> Vec<DeviceInfo> {
    let is_alsa = host.id().name() == "ALSA";
    let mut devices: Vec<DeviceInfo> = all
        .iter()
        .filter(|device| goes(device, direction))
        .map(info)
        .filter(|device| !device.id.ends_with(".monitor"))
        .filter(|device| !is_alsa || device.id.starts_with("sysdefault:"))
        .collect();
    devices.dedup_by(|a, b| a.id == b.id);
    devices
}

fn all_devices(host: &Host) -> Vec<Device> {
    host.devices().map(Iterator::collect).unwrap_or_default()
}

fn goes(device: &Device, direction: Direction) -> bool {
    match direction {
        Direction::Input => device.supports_input(),
        Direction::Output => device.supports_output(),
    }
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
    let all = all_devices(host);
    let mut devices: Vec<(Device, DeviceInfo)> = all
        .iter()
        .filter(|device| goes(device, direction))
        .cloned()
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
            let known: Vec<String> = real_devices(host, &all, direction)
                .into_iter()
                .map(|device| device.name)
                .collect();
            Err(failure::unknown(direction, wanted, &known))
        }
    }
}
