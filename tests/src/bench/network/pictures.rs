//! What the moments at which pictures were decoded say of a call.

use std::ops::Range;
use std::path::Path;
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result};
use vireo_media::video::FreezeDetector;

use crate::bench::percentile;
use crate::bench::picture::Picture;

/// Figures of the pictures of a part of a call.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Figures {
    /// The age of a picture, in milliseconds.
    pub p50: f64,
    /// The same, 95th percentile.
    pub p95: f64,
    /// Pictures a second.
    pub per_second: f64,
    /// Share of the time in which the picture stood still, as W3C webrtc-stats defines a freeze.
    pub frozen_share: f64,
    /// The longest time without a picture, in milliseconds.
    pub longest_gap: f64,
    /// Rows of the median picture; 0 where there was none.
    pub height: u32,
}

/// Reads what `vireo-cli --frames` has written.
pub(super) fn read(path: &Path) -> Result<Vec<Picture>> {
    let text = std::fs::read_to_string(path)?;
    let picture = |line: &str| {
        let [at, age, _, height] = line.split(',').collect::<Vec<_>>()[..] else {
            return None;
        };
        Some(Picture {
            at: at.parse().ok()?,
            age: age.parse().ok(),
            height: height.parse().ok()?,
        })
    };
    text.lines()
        .skip(1)
        .map(|line| picture(line).with_context(|| format!("no picture: {line:?}")))
        .collect()
}

impl Figures {
    /// Of the pictures in this part of the call, in Unix milliseconds. Pictures before it say what was usual until then.
    pub(super) fn of(pictures: &[Picture], part: &Range<f64>) -> Self {
        let inside: Vec<&Picture> = pictures
            .iter()
            .filter(|picture| part.contains(&picture.at))
            .collect();
        let mut ages: Vec<f64> = inside.iter().filter_map(|picture| picture.age).collect();
        let mut heights: Vec<u32> = inside.iter().map(|picture| picture.height).collect();
        heights.sort_unstable();
        let seconds = (part.end - part.start) / 1000.0;
        Self {
            p50: percentile(&mut ages, 0.5),
            p95: percentile(&mut ages, 0.95),
            per_second: inside.len() as f64 / seconds,
            frozen_share: (frozen(pictures, part) / seconds).min(1.0),
            longest_gap: longest_gap(&inside, part),
            height: heights.get(heights.len() / 2).copied().unwrap_or(0),
        }
    }
}

/// When the first picture after this moment was decoded.
pub(super) fn first_after(pictures: &[Picture], moment: f64) -> Option<f64> {
    let mut moments = pictures.iter().map(|picture| picture.at);
    moments.find(|at| *at > moment)
}

/// Seconds of freezes that ended in this part, or had not ended when it did; all of it where there never was a picture.
fn frozen(pictures: &[Picture], part: &Range<f64>) -> f64 {
    let Some(Picture { at: first, .. }) = pictures.first() else {
        return (part.end - part.start) / 1000.0;
    };
    let mut detector = FreezeDetector::default();
    let zero = Instant::now();
    let moment = |at: f64| zero + Duration::from_secs_f64((at - first).max(0.0) / 1000.0);
    let mut before = Duration::ZERO;
    for picture in pictures.iter().filter(|picture| picture.at < part.end) {
        detector.frame(moment(picture.at));
        if picture.at < part.start {
            before = detector.total();
        }
    }
    detector.frame(moment(part.end));
    (detector.total() - before).as_secs_f64()
}

fn longest_gap(inside: &[&Picture], part: &Range<f64>) -> f64 {
    let moments = inside.iter().map(|picture| picture.at);
    let mut last = part.start;
    let gaps = moments.chain([part.end]).map(|at| {
        let gap = at - last;
        last = at;
        gap
    });
    gaps.fold(0.0, f64::max)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A picture each 40 ms for ten seconds, without those in the given part.
    fn without(missing: Range<f64>) -> Vec<Picture> {
        (0..250)
            .map(|number| Picture {
                at: 1_000_000.0 + 40.0 * f64::from(number),
                age: Some(f64::from(number % 100)),
                height: 720,
            })
            .filter(|picture| !missing.contains(&picture.at))
            .collect()
    }

    const WHOLE: Range<f64> = 1_000_000.0..1_010_000.0;

    #[test]
    fn an_even_stream_has_no_freeze() {
        let figures = Figures::of(&without(0.0..0.0), &WHOLE);
        assert_eq!(figures.per_second, 25.0);
        assert_eq!(figures.frozen_share, 0.0);
        assert_eq!(figures.longest_gap, 40.0);
        assert_eq!(figures.height, 720);
        assert_eq!((figures.p50, figures.p95), (41.0, 93.0));
    }

    #[test]
    fn a_gap_is_frozen_from_its_last_picture_to_its_next() {
        let pictures = without(1_004_001.0..1_005_000.0);
        let figures = Figures::of(&pictures, &WHOLE);
        assert!((figures.frozen_share - 0.1).abs() < 0.001);
        assert_eq!(figures.longest_gap, 1_000.0);
        // Outside the part that counts it says nothing.
        let later = Figures::of(&pictures, &(1_006_000.0..1_010_000.0));
        assert_eq!(later.frozen_share, 0.0);
        assert_eq!(first_after(&pictures, 1_004_500.0), Some(1_005_000.0));
    }

    #[test]
    fn a_freeze_that_never_ends_counts_to_the_end() {
        let figures = Figures::of(&without(1_005_001.0..2_000_000.0), &WHOLE);
        assert!((figures.frozen_share - 0.5).abs() < 0.001);
        assert_eq!(figures.longest_gap, 5_000.0);
        let nothing = Figures::of(&[], &WHOLE);
        assert_eq!((nothing.per_second, nothing.height), (0.0, 0));
        assert_eq!(nothing.frozen_share, 1.0);
        assert!(nothing.p95.is_nan());
    }
}
