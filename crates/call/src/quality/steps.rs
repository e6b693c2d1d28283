//! The sizes and rates in which pictures are coded, and what each of them needs.

use vireo_media::{VideoFormat, video::fit};
use vireo_protocol::PictureSize;

/// A size, by its shorter side, and pictures a second at most.
struct Step {
    rows: u32,
    frames_per_second: u32,
}

/// As many pictures as the camera gives.
const ALL: u32 = u32::MAX;

const fn step(rows: u32, frames_per_second: u32) -> Step {
    Step {
        rows,
        frames_per_second,
    }
}

/// From best to least.
const STEPS: [Step; 6] = [
    step(1080, ALL),
    step(720, ALL),
    step(540, ALL),
    step(360, ALL),
    step(270, ALL),
    step(180, 15),
];

/// Bits that a pixel needs on average for a picture worth its size: fewer pixels in better shape beat many smeared ones.
const BITS_PER_PIXEL: f64 = 0.02;

/// No picture gets better by more than this.
const MOST_BITS_PER_PIXEL: f64 = 0.3;

/// What the least step needs, in bits a second. With the sound beside it this is what a connection must carry for pictures.
pub(super) const LEAST_BITS: u32 = 55_000;

/// A picture may be shown so much larger than it is sent before a larger one is worth its bits.
const ENLARGED: f64 = 1.12;

/// The steps that make a difference to one camera.
#[derive(Debug, Clone)]
pub(super) struct Steps {
    format: VideoFormat,
}

impl Steps {
    /// For pictures of this size and rate at most.
    pub(super) fn new(format: VideoFormat) -> Self {
        Self { format }
    }

    /// The best one: those above it would look the same.
    pub(super) fn top(&self) -> usize {
        let shorter = self.format.width.min(self.format.height);
        STEPS
            .iter()
            .rposition(|step| {
                step.rows >= shorter && step.frames_per_second >= self.format.frame_rate
            })
            .unwrap_or(0)
    }

    /// The least one.
    pub(super) fn last(&self) -> usize {
        STEPS.len() - 1
    }

    /// What pictures are like in a step.
    pub(super) fn format(&self, step: usize) -> VideoFormat {
        let (full, step) = (self.format, &STEPS[step.min(STEPS.len() - 1)]);
        let (width, height) = if full.width >= full.height {
            fit(full.width, full.height, u32::MAX, step.rows)
        } else {
            fit(full.width, full.height, step.rows, u32::MAX)
        };
        VideoFormat {
            width,
            height,
            frame_rate: full.frame_rate.min(step.frames_per_second).max(1),
        }
    }

    /// Pixels a second.
    pub(super) fn pixel_rate(&self, step: usize) -> f64 {
        let format = self.format(step);
        f64::from(format.width) * f64::from(format.height) * f64::from(format.frame_rate)
    }

    /// What a step needs, in bits a second.
    pub(super) fn need(&self, step: usize) -> f64 {
        (self.pixel_rate(step) * BITS_PER_PIXEL).max(f64::from(LEAST_BITS))
    }

    /// What can be put to use in a step, in bits a second.
    pub(super) fn most(&self, step: usize) -> u32 {
        (self.pixel_rate(step) * MOST_BITS_PER_PIXEL).max(f64::from(LEAST_BITS)) as u32
    }

    /// The best step that so many bits a second allow.
    pub(super) fn affordable(&self, bits_per_second: f64) -> usize {
        let last = self.last();
        let mut steps = self.top()..last;
        steps
            .find(|&step| bits_per_second >= self.need(step))
            .unwrap_or(last)
    }

    /// The least step that is as good as any where pictures fill a place of this size.
    pub(super) fn filling(&self, place: PictureSize) -> usize {
        let (top, last) = (self.top(), self.last());
        if place.width == 0 || place.height == 0 {
            return top;
        }
        let fills = |step: &usize| {
            let format = self.format(*step);
            let across = f64::from(place.width) / f64::from(format.width);
            let down = f64::from(place.height) / f64::from(format.height);
            across.max(down) <= ENLARGED && format.frame_rate == self.format.frame_rate
        };
        (top..=last).rev().find(fills).unwrap_or(top)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn steps(width: u32, height: u32, frame_rate: u32) -> Steps {
        Steps::new(VideoFormat {
            width,
            height,
            frame_rate,
        })
    }

    #[test]
    fn a_camera_has_the_steps_that_differ() {
        let sizes = |steps: &Steps| -> Vec<(u32, u32, u32)> {
            let formats = (steps.top()..=steps.last()).map(|step| steps.format(step));
            formats
                .map(|format| (format.width, format.height, format.frame_rate))
                .collect()
        };
        assert_eq!(
            sizes(&steps(1920, 1080, 30)),
            [
                (1920, 1080, 30),
                (1280, 720, 30),
                (960, 540, 30),
                (640, 360, 30),
                (480, 270, 30),
                (320, 180, 15)
            ]
        );
        assert_eq!(sizes(&steps(1280, 720, 30)).len(), 5);
        assert_eq!(
            sizes(&steps(480, 640, 30)),
            [
                (480, 640, 30),
                (360, 480, 30),
                (270, 360, 30),
                (180, 240, 15)
            ]
        );
        assert_eq!(
            sizes(&steps(320, 180, 30)),
            [(320, 180, 30), (320, 180, 15)]
        );
        assert_eq!(sizes(&steps(320, 180, 10)), [(320, 180, 10)]);
    }

    #[test]
    fn less_rate_means_smaller_pictures() {
        let steps = steps(1280, 720, 30);
        let rows = |bits| steps.format(steps.affordable(bits)).height;
        assert_eq!(
            [2e6, 560e3, 400e3, 150e3, 80e3, 60e3, 0.0].map(rows),
            [720, 720, 540, 360, 270, 180, 180]
        );
    }

    #[test]
    fn a_small_place_wants_small_pictures() {
        let steps = steps(1280, 720, 30);
        let rows = |width, height| {
            let place = PictureSize { width, height };
            steps.format(steps.filling(place)).height
        };
        assert_eq!(rows(2560, 1440), 720);
        assert_eq!(rows(1280, 720), 720);
        assert_eq!(rows(1000, 560), 540);
        assert_eq!(rows(400, 700), 720);
        assert_eq!(rows(640, 360), 360);
        assert_eq!(rows(160, 90), 270, "never fewer pictures a second");
        assert_eq!(rows(0, 90), 720);
    }
}
