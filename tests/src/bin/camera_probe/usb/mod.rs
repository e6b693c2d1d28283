//! USB cameras of our own: the kernel's driver for USB over a connection (`vhci_hcd`) asks this program what it would ask a
//! device on a cable, and the kernel's driver for cameras (`uvcvideo`) finds a camera there that can be plugged in, pulled
//! out, and become slow in the dark.

mod descriptors;
mod device;
mod wire;

use std::fs;
use std::io::Write;
use std::os::fd::AsRawFd;
use std::os::unix::net::UnixStream;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::Duration;

use anyhow::Context;

use crate::scene::Encoding;
use device::Device;

const ATTACH: &str = "/sys/devices/platform/vhci_hcd.0/attach";

/// USB 2.0's high speed, as the kernel numbers it.
const HIGH_SPEED: u32 = 3;

/// How a camera can deliver.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Mode {
    pub encoding: Encoding,
    pub width: u16,
    pub height: u16,
    /// Pictures a second.
    pub rate: u32,
}

impl Mode {
    /// Bytes of a picture; of JPEG at most.
    const fn size(&self) -> usize {
        let pixels = self.width as usize * self.height as usize;
        match self.encoding {
            Encoding::Yuyv | Encoding::Mjpeg => pixels * 2,
            Encoding::Nv12 => pixels * 3 / 2,
        }
    }

    /// From one picture to the next, in units of 100 ns.
    const fn interval(&self) -> u32 {
        10_000_000 / self.rate
    }
}

/// A camera that is plugged in until it is dropped.
pub struct UsbCamera {
    device: Arc<Mutex<Device>>,
    connection: UnixStream,
}

impl UsbCamera {
    /// Plugs a camera into a port.
    ///
    /// # Errors
    /// When the kernel does not take it.
    pub fn plug(port: u32, name: &str, modes: &[Mode]) -> anyhow::Result<Self> {
        let (ours, kernels) = UnixStream::pair()?;
        let device = Device::new(name, modes, ours.try_clone()?);
        let device = Arc::new(Mutex::new(device));
        let (asked, reader) = (Arc::clone(&device), ours.try_clone()?);
        thread::spawn(move || answer(&asked, reader));
        let clock = Arc::clone(&device);
        thread::spawn(move || show(&clock));
        let line = format!("{port} {} {} {HIGH_SPEED}", kernels.as_raw_fd(), port + 1);
        let attached = fs::OpenOptions::new()
            .write(true)
            .open(ATTACH)
            .and_then(|mut attach| attach.write_all(line.as_bytes()));
        attached.with_context(|| format!("{ATTACH} takes no “{line}”"))?;
        Ok(Self {
            device,
            connection: ours,
        })
    }

    /// So many times as long as usual passes between two pictures from now on: it has become dark.
    pub fn expose(&self, times: u32) {
        lock(&self.device).exposure = times;
    }

    /// How its pictures are coded at the moment, where somebody has asked for any.
    pub fn mode(&self) -> Option<Mode> {
        lock(&self.device).chosen()
    }
}

impl Drop for UsbCamera {
    fn drop(&mut self) {
        lock(&self.device).unplugged = true;
        let _ = self.connection.shutdown(std::net::Shutdown::Both);
    }
}

/// Answers the kernel until the camera is pulled out.
fn answer(device: &Mutex<Device>, mut connection: UnixStream) {
    while let Ok(asked) = wire::read(&mut connection) {
        if lock(device).asked(asked).is_err() {
            return;
        }
    }
}

/// Shows a new picture whenever its time has come.
fn show(device: &Mutex<Device>) {
    loop {
        let mut device = lock(device);
        if device.unplugged {
            return;
        }
        let pause = device.next_picture();
        drop(device);
        thread::sleep(pause.unwrap_or(Duration::from_millis(2)));
    }
}

fn lock(device: &Mutex<Device>) -> MutexGuard<'_, Device> {
    device.lock().unwrap_or_else(PoisonError::into_inner)
}
