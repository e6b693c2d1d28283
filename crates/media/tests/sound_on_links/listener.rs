//! One direction of a call's sound on virtual time: a sender, a link, the jitter buffer, the decoder, and a sound card with
//! a clock of its own.

use std::time::{Duration, Instant};

use bytes::Bytes;
use vireo_media::{
    audio::{AudioFrame, Playout},
    rtp::{AudioJitterBuffer, AudioPacket, RtpPayload, opus_packet_samples},
};
use vireo_testing::link::{Link, Pipe};

const FRAME: Duration = Duration::from_millis(10);

/// What a packet takes through the link when nothing holds it up.
pub const PROPAGATION: Duration = Duration::from_millis(25);

/// How much faster than real time a clock runs, in millionths.
#[derive(Debug, Clone, Copy, Default)]
pub struct Clocks {
    pub sender: f64,
    pub card: f64,
}

/// The link from this time on.
pub struct Change {
    pub at: Duration,
    pub link: Link,
}

/// What a listener hears of it.
#[derive(Debug, Default)]
pub struct Heard {
    /// When a packet was played, and how long after it could have been at the earliest, in milliseconds.
    pub delays: Vec<(Duration, f64)>,
    /// Samples made up without a copy.
    pub concealed: u64,
    /// All samples played.
    pub total: u64,
    /// The longest that was made up in a row, in milliseconds.
    pub longest_concealed: f64,
    /// Stretches a minute.
    pub stretches: f64,
    /// The most packets that waited at once.
    pub most_waiting: usize,
}

impl Heard {
    /// The delay that so many of a hundred packets stay under, of those played within this time.
    pub fn percentile(&self, share: f64, within: std::ops::Range<Duration>) -> f64 {
        let within = self.delays.iter().filter(|(at, _)| within.contains(at));
        let mut delays: Vec<f64> = within.map(|(_, delay)| *delay).collect();
        delays.sort_by(f64::total_cmp);
        let index = (delays.len() as f64 * share / 100.0) as usize;
        delays.get(index).copied().unwrap_or(f64::NAN)
    }

    /// Of everything.
    pub fn delay(&self, share: f64) -> f64 {
        self.percentile(share, Duration::ZERO..Duration::MAX)
    }

    /// The share of the sound that was made up without a copy.
    pub fn concealed_share(&self) -> f64 {
        self.concealed as f64 / self.total.max(1) as f64
    }
}

/// A packet of 20 ms, and behind it copies of those before it, the last one first (RFC 2198).
pub type Spoken = Vec<Bytes>;

#[derive(Clone)]
struct Sent {
    sequence_number: u16,
    timestamp: u32,
    payloads: Spoken,
}

/// Says the packets again and again over the link as it changes, and listens for so long. `play` gets what is heard.
pub fn listen(
    packets: &[Spoken],
    changes: &[Change],
    clocks: Clocks,
    length: Duration,
    mut play: impl FnMut(&AudioFrame),
) -> Heard {
    let start = Instant::now();
    let mut pipe = Pipe::new(Link::default(), 7);
    let mut changes = changes.iter().peekable();
    let mut buffer = AudioJitterBuffer::new();
    let mut playout = Playout::new().expect("a decoder");
    let mut heard = Heard::default();
    let samples = opus_packet_samples(&packets[0][0]).expect("an Opus packet");
    let sample_time = 1.0 / 48_000.0 / (1.0 + clocks.sender / 1e6);
    let packet_time = Duration::from_secs_f64(f64::from(samples) * sample_time);
    let frame_time = FRAME.mul_f64(1.0 / (1.0 + clocks.card / 1e6));
    let (mut sent, mut row) = (0_u32, 0_u32);
    for pull in 0_u32.. {
        let time = frame_time.mul_f64(f64::from(pull));
        if time > length {
            break;
        }
        let now = start + time;
        loop {
            let leaves = packet_time.mul_f64(f64::from(sent));
            let until = if leaves <= time { start + leaves } else { now };
            while let Some(due) = pipe.next_due().filter(|due| *due <= until) {
                while let Some(arrived) = pipe.pop(due) {
                    receive(&mut buffer, &arrived, samples, due);
                }
            }
            if leaves > time {
                break;
            }
            while let Some(change) = changes.next_if(|change| change.at <= leaves) {
                pipe.set(change.link.clone(), until);
            }
            let payloads = packets[sent as usize % packets.len()].clone();
            let bytes = payloads.iter().map(Bytes::len).sum::<usize>() + 40;
            let packet = Sent {
                sequence_number: sent as u16,
                timestamp: sent.wrapping_mul(samples),
                payloads,
            };
            pipe.push(packet, bytes, until);
            sent += 1;
        }
        heard.most_waiting = heard.most_waiting.max(buffer.waiting());
        // What is ready is played first.
        let ready = Duration::from_secs_f64(playout.ready() as f64 / 48e3);
        play(&playout.next(|| {
            let packet = buffer.pop(now);
            heard.note(&packet, time + ready, sample_time, &mut row);
            packet
        }));
    }
    heard.total = buffer.statistics().total_samples_received;
    let minutes = length.as_secs_f64() / 60.0;
    heard.stretches = playout.stretched().times as f64 / minutes;
    heard
}

fn receive(buffer: &mut AudioJitterBuffer, sent: &Sent, samples: u32, received_at: Instant) {
    for (before, payload) in (0_u16..).zip(&sent.payloads) {
        let packet = RtpPayload {
            sequence_number: sent.sequence_number.wrapping_sub(before),
            timestamp: sent.timestamp.wrapping_sub(u32::from(before) * samples),
            marker: false,
            payload: payload.clone(),
            received_at,
        };
        match before {
            0 => buffer.push(packet),
            _ => buffer.push_copy(packet),
        }
    }
}

impl Heard {
    fn note(&mut self, packet: &AudioPacket, at: Duration, sample_time: f64, row: &mut u32) {
        match packet {
            AudioPacket::Data { timestamp, .. } => {
                *row = 0;
                let left = Duration::from_secs_f64(*timestamp as f64 * sample_time);
                let delay = at.as_secs_f64() - (left + PROPAGATION).as_secs_f64();
                self.delays.push((at, delay * 1e3));
            }
            AudioPacket::Fec { .. } => *row = 0,
            AudioPacket::Missing { samples } => {
                *row += samples;
                self.concealed += u64::from(*samples);
                self.longest_concealed = self.longest_concealed.max(f64::from(*row) / 48.0);
            }
            AudioPacket::Empty => {}
        }
    }
}
