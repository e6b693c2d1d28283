//! The camera at the end of the cable: what it answers, and how its pictures leave it.

use std::collections::VecDeque;
use std::io;
use std::os::unix::net::UnixStream;
use std::time::{Duration, Instant};

use super::Mode;
use super::descriptors::{self, PICTURES};
use super::wire::{self, Asked, Transfer};
use crate::scene::{self, PHASES};

/// A picture is one payload (USB Video Class 1.0, 2.4.3): none is larger.
const LARGEST_PAYLOAD: u32 = 8 << 20;
/// Length of the settings that are tried and agreed on.
const SETTINGS: usize = 26;

/// The end of a picture, in the header before it; its lowest bit changes with each.
const END_OF_PICTURE: u8 = 0x82;

pub struct Device {
    name: String,
    modes: Vec<Mode>,
    formats: Vec<Vec<Mode>>,
    connection: UnixStream,
    /// Numbers of the format that was asked for last and of the size in it, from 0.
    asked: (usize, usize),
    streaming: bool,
    pictures: Vec<Vec<u8>>,
    shown: usize,
    next_at: Instant,
    /// How much longer than usual a picture takes.
    pub exposure: u32,
    pub unplugged: bool,
    /// Transfers that wait for pictures: number and room.
    waiting: VecDeque<(u32, usize)>,
    /// What is left of the picture on its way.
    on_its_way: VecDeque<u8>,
    /// The picture before has not been ended by a short transfer yet.
    unended: bool,
}

impl Device {
    pub fn new(name: &str, modes: &[Mode], connection: UnixStream) -> Self {
        Self {
            name: name.to_owned(),
            modes: modes.to_vec(),
            formats: descriptors::formats(modes),
            connection,
            asked: (0, 0),
            streaming: false,
            pictures: Vec::new(),
            shown: 0,
            next_at: Instant::now(),
            exposure: 1,
            unplugged: false,
            waiting: VecDeque::new(),
            on_its_way: VecDeque::new(),
            unended: false,
        }
    }

    pub fn chosen(&self) -> Option<Mode> {
        self.streaming.then(|| self.wanted())
    }

    fn wanted(&self) -> Mode {
        let (format, size) = self.asked;
        self.formats[format][size]
    }

    pub fn asked(&mut self, asked: Asked) -> io::Result<()> {
        match asked {
            Asked::Transfer(transfer) if transfer.endpoint == 0 => self.control(&transfer),
            Asked::Transfer(transfer) => {
                self.waiting.push_back((transfer.number, transfer.length));
                self.deliver()
            }
            Asked::Back { number, transfer } => {
                let before = self.waiting.len();
                self.waiting.retain(|(waiting, _)| *waiting != transfer);
                let in_time = self.waiting.len() < before;
                wire::back(&mut self.connection, number, in_time)
            }
        }
    }

    /// The next picture, when it is due; gives the time until then.
    pub fn next_picture(&mut self) -> Option<Duration> {
        let mode = self.chosen()?;
        let now = Instant::now();
        if now < self.next_at {
            return Some(self.next_at - now);
        }
        let interval = Duration::from_secs(1) * self.exposure / mode.rate;
        self.next_at = (self.next_at + interval).max(now);
        // A picture that nobody has fetched yet is not replaced half-way.
        if self.on_its_way.is_empty() && !self.unended {
            self.shown += 1;
            let changes = (self.shown & 1) as u8;
            self.on_its_way.extend([2, END_OF_PICTURE | changes]);
            let picture = &self.pictures[self.shown % PHASES];
            self.on_its_way.extend(picture);
            self.unended = true;
            // A connection that has ended is noticed by its reader.
            let _ = self.deliver();
        }
        None
    }

    fn deliver(&mut self) -> io::Result<()> {
        while self.unended {
            let Some((number, room)) = self.waiting.pop_front() else {
                return Ok(());
            };
            let length = room.min(self.on_its_way.len());
            let data: Vec<u8> = self.on_its_way.drain(..length).collect();
            self.unended = length == room;
            wire::done(&mut self.connection, number, length, &data)?;
        }
        Ok(())
    }

    fn control(&mut self, transfer: &Transfer) -> io::Result<()> {
        let number = transfer.number;
        if !transfer.inwards {
            self.told(transfer);
            return wire::done(&mut self.connection, number, transfer.data.len(), &[]);
        }
        match self.answer(transfer.setup) {
            Some(mut data) => {
                data.truncate(transfer.length);
                wire::done(&mut self.connection, number, data.len(), &data)
            }
            None => wire::stalled(&mut self.connection, number),
        }
    }

    /// What the kernel asks of the device, of its interfaces, and of the settings of pictures.
    fn answer(&self, setup: [u8; 8]) -> Option<Vec<u8>> {
        let [kind, request, low, high, ..] = setup;
        match (kind, request, high) {
            (0x80, 6, 1) => Some(descriptors::device()),
            (0x80, 6, 2) => Some(descriptors::configuration(&self.modes)),
            (0x80, 6, 3) => descriptors::string(low, &self.name, &self.name),
            (0x80, 8, _) => Some(vec![1]),
            (0x80..=0x82, 0, _) => Some(vec![0, 0]),
            (0x81, 10, _) => Some(vec![0]),
            (0xa1, 0x81..=0x83 | 0x87, 1 | 2) => Some(self.settings()),
            (0xa1, 0x85, 1 | 2) => Some((SETTINGS as u16).to_le_bytes().to_vec()),
            (0xa1, 0x86, 1 | 2) => Some(vec![3]),
            _ => None,
        }
    }

    fn settings(&self) -> Vec<u8> {
        let mode = self.wanted();
        let (format, size) = self.asked;
        let mut data = vec![1, 0, format as u8 + 1, size as u8 + 1];
        data.extend(mode.interval().to_le_bytes());
        data.extend([0; 10]);
        data.extend((mode.size() as u32).to_le_bytes());
        data.extend(LARGEST_PAYLOAD.to_le_bytes());
        data
    }

    fn told(&mut self, transfer: &Transfer) {
        let [kind, request, _, control, endpoint, ..] = transfer.setup;
        match (kind, request, control) {
            (0x21, 1, 1 | 2) => {
                let number = |at: usize, most: usize| {
                    let number = transfer
                        .data
                        .get(at)
                        .map_or(1, |&number| usize::from(number));
                    number.clamp(1, most) - 1
                };
                let format = number(2, self.formats.len());
                self.asked = (format, number(3, self.formats[format].len()));
                if control == 2 {
                    self.start();
                }
            }
            // The pictures' endpoint is reset when nobody wants them any more.
            (2, 1, _) if endpoint == PICTURES => self.stop(),
            _ => {}
        }
    }

    fn start(&mut self) {
        let Mode {
            encoding,
            width,
            height,
            ..
        } = self.wanted();
        let (width, height) = (usize::from(width), usize::from(height));
        let picture = |phase| scene::picture(encoding, width, height, phase);
        self.pictures = (0..PHASES).map(picture).collect();
        self.next_at = Instant::now();
        self.stop();
        self.streaming = true;
    }

    fn stop(&mut self) {
        self.streaming = false;
        self.on_its_way.clear();
        self.unended = false;
    }
}
