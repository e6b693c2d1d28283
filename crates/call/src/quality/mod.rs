//! What a call sends: one policy that turns what is known of the path, of this computer and of the other side's window into
//! sizes and rates for the encoders, and into what the person is told. It has no clock, socket or thread; time is an argument.
//!
//! | step | rows | pictures a second | needs, bits a second (16:9, 30 pictures a second) |
//! |---|---|---|---|
//! | 0 | 1080 | as the camera gives them | 1,244,000 |
//! | 1 | 720 | 〃 | 553,000 |
//! | 2 | 540 | 〃 | 311,000 |
//! | 3 | 360 | 〃 | 138,000 |
//! | 4 | 270 | 〃 | 78,000 |
//! | 5 | 180 | 15 | 55,000 |
//! | sound only | – | – | less, for 4 s |
//!
//! What a step needs is for what people show mostly; where the encoder leaves pictures out for want of bits it is taken to be
//! more (`demand.rs`). The worst of three decides: what the path carries, what the encoder manages and what the other side has
//! room to show. Down by one step is after a second, by more at once; up is after it has held for 2 s (10 s for the encoder)
//! with 30 % to spare; by several steps, as another path may allow, after 1 s. Each attempt that failed doubles its wait.
//!
//! **The way back from sound only.** Without pictures little is sent, and an estimator believes in no more than about one and
//! a half times what it has seen arrive; nor has the pacer anything to probe with. So the path is tested with least
//! pictures, now and then and ever more rarely: they let the estimate rise where there is room, and are stopped where they
//! cost the sound anything. The people are shown nothing of it: to both of them pictures are paused until they stay.

#![deny(clippy::disallowed_methods)]

mod climb;
mod demand;
mod expected_loss;
mod pause;
mod sound;
mod steps;
#[cfg(test)]
mod tests;

use std::time::{Duration, Instant};

use vireo_media::{
    VideoFormat,
    video::{LeftOut, VideoTarget},
};
use vireo_protocol::PictureSize;

pub use self::sound::AudioQuality;
use self::{
    climb::{Climb, Lasting, Possible},
    demand::Demand,
    expected_loss::ExpectedLoss,
    pause::{Pause, Stage},
    steps::Steps,
};
use crate::ConnectionQuality;

/// So much more than it needs must be there for a step up, lest it flips back and forth.
const RELIEF: f64 = 1.3;
/// For so long.
const UP_AFTER: Duration = Duration::from_secs(2);
/// Where several steps are won at once.
const FAR_UP_AFTER: Duration = Duration::from_secs(1);
/// What is too little for a step by less than one step may be so for a moment.
const DOWN_AFTER: Duration = Duration::from_millis(1_000);
/// Where several steps are lost at once the path is another one, and what it takes is a first guess: no more than what so much
/// of it allows.
const SURE: f64 = 0.5;

/// An encoder that takes more of the time between two pictures is about to miss some.
const TOO_MUCH_LOAD: f64 = 0.9;
/// Not for a moment, but for so long.
const OVERLOADED_AFTER: Duration = Duration::from_secs(2);
/// A step up must let expect no more than this,
const COMFORTABLE_LOAD: f64 = 0.6;
/// for so long.
const EASED_AFTER: Duration = Duration::from_secs(10);

/// The other side's window is followed once it has had its size for so long.
const SHOWN_AFTER: Duration = Duration::from_secs(1);

/// A connection that loses more,
const UNSTABLE_LOSS: f64 = 0.08;
/// or takes longer there and back, makes a conversation hard
const UNSTABLE_ROUND_TRIP: Duration = Duration::from_millis(500);
/// as soon as it does so for so long,
const UNSTABLE_AFTER: Duration = Duration::from_secs(2);
/// until it has not done so for so long.
const STABLE_AFTER: Duration = Duration::from_secs(6);

/// A path is not full where at least this share of what gets lost does so by chance.
const BY_CHANCE: f64 = 0.5;

/// What is known of the way to the other side.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Path {
    /// Bits a second that are left of the estimate for coded pictures, sound and headers taken off.
    pub for_pictures: u32,
    /// Share of this side's packets that the other side misses, 0 to 1.
    pub loss: f64,
    /// Share of all packets that gets lost although no queue is full, 0 to 1.
    pub lost_by_chance: f64,
    /// None before it has been measured.
    pub round_trip: Option<Duration>,
    /// The other side has just reported: all this is confirmed and not only what was known last.
    pub reported: bool,
}

/// How an encoder of pictures gets on, where that is known.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct EncoderState {
    /// Share of the time between two pictures that coding one takes; above 1 it is too slow.
    pub load: Option<f64>,
    /// What it leaves out because the bits do not suffice.
    pub left_out: Option<LeftOut>,
}

/// What the policy decides by.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Conditions {
    /// There are pictures to send: the camera is on and works.
    pub camera: bool,
    /// The way to the other side.
    pub path: Path,
    /// The other side takes sound with copies of the sounds before (RFC 2198).
    pub copies: bool,
    /// How the encoder gets on.
    pub encoder: EncoderState,
    /// The place in which the other side shows the pictures; none where it has not said.
    pub shown: Option<PictureSize>,
}

/// What the policy decides.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Quality {
    /// What pictures are coded to; none: none are coded.
    pub video: Option<VideoTarget>,
    /// How sound is coded.
    pub audio: AudioQuality,
    /// What the person is told. Poor means that no pictures are shown to the other side.
    pub connection: ConnectionQuality,
    /// What keeps pictures from being what the camera gives.
    pub limitation: QualityLimitation,
}

/// What keeps the picture from being what the camera gives (W3C `RTCQualityLimitationReason`).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum QualityLimitation {
    /// Nothing, or the other side has no room for more.
    #[default]
    None,
    /// The path does not carry it.
    Bandwidth,
    /// The encoder does not keep up.
    Cpu,
}

impl QualityLimitation {
    /// W3C's word.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::None => "none",
            Self::Bandwidth => "bandwidth",
            Self::Cpu => "cpu",
        }
    }
}

/// Bits a second that pictures leave for copies of sound; none where there is no room even for pictures.
fn room_for_copies(conditions: &Conditions, sends: bool) -> Option<u32> {
    let path = &conditions.path;
    // Where nothing but sound is sent, nothing shows how much would fit.
    if !conditions.camera && path.lost_by_chance >= path.loss * BY_CHANCE {
        return Some(u32::MAX);
    }
    sends.then_some(path.for_pictures)
}

/// See the module.
#[derive(Debug, Clone)]
pub struct QualityPolicy {
    steps: Steps,
    demand: Demand,
    bandwidth: Climb,
    cpu: Climb,
    overloaded: Lasting,
    /// The step that the other side's window has room for, and the one that it may soon be.
    shown: usize,
    shown_next: (usize, Lasting),
    /// The step in use.
    step: usize,
    /// More than this is never known of a path.
    max_bitrate: u32,
    pause: Pause,
    expected_loss: ExpectedLoss,
    short_packets: bool,
    unstable: bool,
    trouble: Lasting,
    calm: Lasting,
}

impl QualityPolicy {
    /// For pictures of this size and rate at most, and so many bits a second.
    #[must_use]
    pub fn new(format: VideoFormat, max_bitrate: u32) -> Self {
        let steps = Steps::new(format);
        let top = steps.top();
        Self {
            demand: Demand::new(),
            bandwidth: Climb::new(top, DOWN_AFTER, UP_AFTER, FAR_UP_AFTER),
            cpu: Climb::new(top, Duration::ZERO, EASED_AFTER, EASED_AFTER),
            overloaded: Lasting::default(),
            shown: top,
            shown_next: (top, Lasting::default()),
            step: top,
            max_bitrate,
            pause: Pause::new(max_bitrate),
            expected_loss: ExpectedLoss::default(),
            short_packets: false,
            unstable: false,
            trouble: Lasting::default(),
            calm: Lasting::default(),
            steps,
        }
    }

    /// The user wants pictures even where they take the sound's room (for a minute; again and again if need be), or leaves
    /// it to the policy.
    pub fn keep_video(&mut self, kept: bool, now: Instant) {
        self.pause.keep(kept, now);
    }

    /// What to send from now on. To be called when something has changed, and several times a second anyway.
    pub fn update(&mut self, conditions: &Conditions, now: Instant) -> Quality {
        let path = &conditions.path;
        let stage = self.pause.update(conditions.camera, path, now);
        let (available, usual) = (f64::from(path.for_pictures), self.steps.need(self.step));
        let demand = self
            .demand
            .update(conditions.encoder.left_out, usual, available, now);
        let bits = available / demand;
        let full = path.for_pictures >= self.max_bitrate;
        let with_room = if full { bits } else { bits / RELIEF };
        let possible = Possible {
            now: self.steps.affordable(bits),
            with_room: self.steps.affordable(with_room),
            surely: self.steps.affordable(bits * SURE),
        };
        let bandwidth = self.bandwidth.follow(&possible, now);
        let cpu = self.cpu_step(conditions.encoder.load, now);
        let shown = self.shown_step(conditions.shown, now);
        let step = bandwidth.max(cpu).max(shown);
        let sends = stage == Stage::Sending;
        self.step = if sends { step } else { self.steps.last() };
        let audio = AudioQuality::new(
            self.expected_loss.update(path.loss, now),
            room_for_copies(conditions, sends),
            conditions.copies,
        )
        .with_packets(path.for_pictures, self.short_packets);
        self.short_packets = audio.short_packets;
        let codes = conditions.camera && !matches!(stage, Stage::Paused { .. });
        Quality {
            video: codes.then(|| VideoTarget {
                format: self.steps.format(self.step),
                bits_per_second: path.for_pictures.min(self.steps.most(self.step)),
            }),
            audio,
            connection: self.connection(conditions, sends, now),
            limitation: if !sends || (bandwidth >= cpu && bandwidth > shown) {
                QualityLimitation::Bandwidth
            } else if cpu > shown {
                QualityLimitation::Cpu
            } else {
                QualityLimitation::None
            },
        }
    }

    /// The best step that the encoder manages, judged by what the one in use costs it.
    fn cpu_step(&mut self, load: Option<f64>, now: Instant) -> usize {
        let current = self.cpu.step();
        let Some(load) = load else {
            self.overloaded = Lasting::default();
            return current;
        };
        if self
            .overloaded
            .holds(load > TOO_MUCH_LOAD, OVERLOADED_AFTER, now)
        {
            // What is measured next has to be of the new step.
            self.overloaded = Lasting::default();
            let below = (self.step.max(current) + 1).min(self.steps.last());
            return self.cpu.follow(&Possible::no_better_than(below), now);
        }
        let used = self.steps.pixel_rate(self.step);
        let expected = |step: &usize| load * self.steps.pixel_rate(*step) / used;
        let eased = (self.steps.top()..current).find(|step| expected(step) <= COMFORTABLE_LOAD);
        let possible = Possible {
            with_room: eased.unwrap_or(current),
            ..Possible::no_better_than(current)
        };
        self.cpu.follow(&possible, now)
    }

    fn shown_step(&mut self, place: Option<PictureSize>, now: Instant) -> usize {
        let step = place.map_or(self.steps.top(), |place| self.steps.filling(place));
        if self.shown_next.0 != step {
            self.shown_next = (step, Lasting::default());
        }
        let settled = self.shown_next.1.holds(true, SHOWN_AFTER, now);
        if settled {
            self.shown = step;
        }
        self.shown
    }

    fn connection(
        &mut self,
        conditions: &Conditions,
        sends: bool,
        now: Instant,
    ) -> ConnectionQuality {
        let path = &conditions.path;
        let crawls = f64::from(path.for_pictures) < self.steps.need(self.steps.last() - 1);
        let slow = path
            .round_trip
            .is_some_and(|time| time > UNSTABLE_ROUND_TRIP);
        let trouble = path.loss > UNSTABLE_LOSS || slow || (conditions.camera && crawls);
        let troubled = self.trouble.holds(trouble, UNSTABLE_AFTER, now);
        let calmed = self.calm.holds(!trouble, STABLE_AFTER, now);
        self.unstable = troubled || (self.unstable && !calmed);
        match (sends, self.unstable) {
            (false, _) => ConnectionQuality::Poor,
            (true, true) => ConnectionQuality::Unstable,
            (true, false) => ConnectionQuality::Good,
        }
    }
}
