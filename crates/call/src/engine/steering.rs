//! Tells the policy of quality what is known, and the devices and the call what it decides.

use std::time::{Duration, Instant};

use vireo_protocol::PictureSize;

use crate::{
    ConnectionQuality,
    peer::TransportStats,
    quality::{Conditions, EncoderState, Path, Quality, QualityLimitation, QualityPolicy},
};

/// How often the policy is asked while nothing happens.
const INTERVAL: Duration = Duration::from_millis(500);

/// The policy of a call, and what it goes by.
pub(super) struct Steering {
    policy: QualityPolicy,
    path: Path,
    /// The other side takes copies of sound.
    copies: bool,
    next_at: Instant,
    limitation: QualityLimitation,
    told: ConnectionQuality,
    /// The place of the other side's pictures when it was looked at last, and whether the other side knows of it.
    shown: Option<PictureSize>,
    shown_told: Option<PictureSize>,
}

impl Steering {
    /// `start_bitrate` is what pictures begin with, before anything is known of the path.
    pub(super) fn new(policy: QualityPolicy, start_bitrate: u32, now: Instant) -> Self {
        Self {
            policy,
            path: Path {
                for_pictures: start_bitrate,
                loss: 0.0,
                lost_by_chance: 0.0,
                round_trip: None,
                reported: false,
            },
            copies: false,
            next_at: now,
            limitation: QualityLimitation::None,
            told: ConnectionQuality::Good,
            shown: None,
            shown_told: None,
        }
    }

    /// When [`Self::look`] is due.
    pub(super) fn next_at(&self) -> Instant {
        self.next_at
    }

    /// Makes it due then.
    pub(super) fn look_at(&mut self, time: Instant) {
        self.next_at = time;
    }

    /// Takes the figures of the transport. Gives the place in which pictures are shown when the other side is to hear of it:
    /// once it has not changed for a while, as a window that is being dragged changes all the time.
    pub(super) fn look(
        &mut self,
        transport: &TransportStats,
        shown: Option<PictureSize>,
        now: Instant,
    ) -> Option<PictureSize> {
        self.next_at = now + INTERVAL;
        self.path.loss = transport.loss_rate;
        self.path.lost_by_chance = transport.lost_by_chance;
        self.path.round_trip = transport
            .rtt_ms
            .map(|ms| Duration::from_secs_f64(ms.max(0.0) / 1_000.0));
        let settled = std::mem::replace(&mut self.shown, shown) == shown;
        if !settled || shown == self.shown_told {
            return None;
        }
        self.shown_told = shown;
        shown
    }

    /// The path carries so many bits a second of pictures.
    pub(super) fn set_bitrate(&mut self, for_pictures: u32) {
        self.path.for_pictures = for_pictures;
    }

    /// Whether the other side takes sound with copies.
    pub(super) fn set_redundancy(&mut self, taken: bool) {
        self.copies = taken;
    }

    /// The other side has reported such a share of our sound lost.
    pub(super) fn reported(&mut self, loss: f64) {
        self.path.loss = self.path.loss.max(loss);
        self.path.reported = true;
    }

    pub(super) fn keep_video(&mut self, kept: bool, now: Instant) {
        self.policy.keep_video(kept, now);
    }

    /// What to send from now on, and what the person is told where that is something else than before.
    pub(super) fn decide(
        &mut self,
        camera: bool,
        encoder: EncoderState,
        shown: Option<PictureSize>,
        now: Instant,
    ) -> (Quality, Option<ConnectionQuality>) {
        let conditions = Conditions {
            camera,
            path: self.path,
            copies: self.copies,
            encoder: if camera {
                encoder
            } else {
                EncoderState::default()
            },
            shown,
        };
        self.path.reported = false;
        let quality = self.policy.update(&conditions, now);
        self.limitation = quality.limitation;
        let before = std::mem::replace(&mut self.told, quality.connection);
        let news = (before != quality.connection).then_some(quality.connection);
        (quality, news)
    }

    /// What keeps pictures from being what the camera gives.
    pub(super) fn limitation(&self) -> QualityLimitation {
        self.limitation
    }
}

#[cfg(test)]
mod tests {
    use vireo_media::VideoFormat;

    use super::*;

    #[test]
    fn a_window_is_told_of_once_it_has_been_left_alone() {
        let format = VideoFormat {
            width: 1280,
            height: 720,
            frame_rate: 30,
        };
        let now = Instant::now();
        let mut steering = Steering::new(QualityPolicy::new(format, 2_000_000), 1_000_000, now);
        let mut look = |width: Option<u32>| {
            let shown = width.map(|width| PictureSize { width, height: 360 });
            let told = steering.look(&TransportStats::default(), shown, now);
            told.map(|size| size.width)
        };
        let widths = [None, Some(640), Some(700), Some(700), Some(700), Some(640)];
        let told = widths.map(&mut look);
        assert_eq!(told, [None, None, None, Some(700), None, None]);
        assert_eq!(look(Some(640)), Some(640));
    }
}
