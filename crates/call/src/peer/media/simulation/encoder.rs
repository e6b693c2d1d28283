//! Who makes the pictures: the policy of quality decides on their size and rate, an encoder with rate control on their bytes.

use std::time::{Duration, Instant};

use rand::{RngExt as _, SeedableRng as _, rngs::StdRng};
use vireo_media::VideoFormat;

use crate::{
    peer::TransportStats,
    quality::{Conditions, EncoderState, Path, QualityPolicy},
};

pub const FRAMES_PER_SECOND: u32 = 30;

const CAMERA: VideoFormat = VideoFormat {
    width: 1280,
    height: 720,
    frame_rate: FRAMES_PER_SECOND,
};

/// How often the policy is asked while nothing happens.
const INTERVAL: Duration = Duration::from_millis(500);

/// A key frame takes so many times the bytes of another picture,
const KEY_FRAME: f64 = 5.0;
/// and at least so many bits a pixel.
const KEY_FRAME_BITS_PER_PIXEL: f64 = 0.25;

/// Every encoder has a picture that cannot get smaller.
const LEAST_BYTES: f64 = 300.0;

pub struct Encoder {
    policy: QualityPolicy,
    path: Path,
    asked_at: Option<Instant>,
    /// Bits a second for pictures.
    pub target: u32,
    /// What is seen needs no more bits a second than this.
    pub needed: u32,
    /// Pictures as they are coded now; none while the policy wants none.
    pub format: Option<VideoFormat>,
    key_frame: bool,
    /// What the last pictures were too large or too small, in bytes; a rate control makes up for it.
    surplus: f64,
    random: StdRng,
}

impl Encoder {
    pub fn new(start: u32, max: u32, seed: u64) -> Self {
        Self {
            policy: QualityPolicy::new(CAMERA, max),
            path: Path {
                for_pictures: start,
                loss: 0.0,
                lost_by_chance: 0.0,
                round_trip: None,
                reported: false,
            },
            asked_at: None,
            target: start,
            needed: u32::MAX,
            format: Some(CAMERA),
            key_frame: true,
            surplus: 0.0,
            random: StdRng::seed_from_u64(seed),
        }
    }

    pub fn request_key_frame(&mut self) {
        self.key_frame = true;
    }

    pub fn set_target(&mut self, target: u32, now: Instant) {
        self.target = target;
        self.path.for_pictures = target;
        self.decide(now);
    }

    /// The other side has reported.
    pub fn reported(&mut self, loss: f64) {
        self.path.loss = self.path.loss.max(loss);
        self.path.reported = true;
    }

    /// Asks the policy again when it is time to.
    pub fn look(&mut self, transport: &TransportStats, now: Instant) {
        let asked_at = *self.asked_at.get_or_insert(now);
        if now.saturating_duration_since(asked_at) < INTERVAL {
            return;
        }
        self.asked_at = Some(now);
        self.path.loss = transport.loss_rate;
        self.path.lost_by_chance = transport.lost_by_chance;
        let round_trip = transport.rtt_ms;
        self.path.round_trip = round_trip.map(|ms| Duration::from_secs_f64(ms / 1_000.0));
        self.decide(now);
    }

    fn decide(&mut self, now: Instant) {
        let conditions = Conditions {
            camera: true,
            path: self.path,
            copies: false,
            encoder: EncoderState {
                load: Some(0.2),
                left_out: None,
            },
            shown: None,
        };
        self.path.reported = false;
        let quality = self.policy.update(&conditions, now);
        let format = quality.video.map(|video| video.format);
        let size = |format: VideoFormat| (format.width, format.height);
        self.key_frame |= format.is_some() && format.map(size) != self.format.map(size);
        self.format = format;
    }

    /// The camera has given a picture. Gives the bytes of what is made of it and whether that is a key frame: never quite what
    /// is asked for, but nearly so over half a second.
    pub fn picture(&mut self, number: u64) -> Option<(usize, bool)> {
        let format = self.format?;
        let key_frame = std::mem::take(&mut self.key_frame);
        let due = number.is_multiple_of(u64::from(FRAMES_PER_SECOND / format.frame_rate));
        if !due && !key_frame {
            return None;
        }
        let rate = f64::from(format.frame_rate);
        let average = f64::from(self.target.min(self.needed)) / 8.0 / rate;
        let varied = average * (0.75 + 0.5 * self.random.random::<f64>());
        let pixels = f64::from(format.width) * f64::from(format.height);
        let bytes = match key_frame {
            true => (varied * KEY_FRAME).max(pixels * KEY_FRAME_BITS_PER_PIXEL / 8.0),
            false => varied - self.surplus / (rate / 2.0),
        };
        let bytes = bytes.max(LEAST_BYTES);
        self.surplus += bytes - average;
        Some((bytes as usize, key_frame))
    }
}
