//! How large and how often pictures are coded at a given rate: fewer pixels in better shape beat many smeared ones.

use super::VideoFormat;

/// Sixteenths of the full width and height, from best to least.
const STEPS: [u32; 5] = [16, 12, 8, 6, 4];
/// Bits that a pixel needs on average for a picture worth its size.
const BITS_PER_PIXEL: f64 = 0.02;
/// A larger size is taken again only when the rate has so much more than it needs, lest it flips back and forth.
const RELIEF: f64 = 1.3;

/// The step for this rate, given the one that is in use.
pub(super) fn step(format: VideoFormat, bits_per_second: u32, current: usize) -> usize {
    let full = f64::from(format.width) * f64::from(format.height) * f64::from(format.frame_rate);
    let affordable = |step: usize| {
        let side = f64::from(STEPS[step]) / 16.0;
        let relief = if step < current { RELIEF } else { 1.0 };
        f64::from(bits_per_second) >= full * side * side * BITS_PER_PIXEL * relief
    };
    (0..STEPS.len())
        .find(|&step| affordable(step))
        .unwrap_or(STEPS.len() - 1)
}

/// The size of a step, even.
pub(super) fn size(width: u32, height: u32, step: usize) -> (u32, u32) {
    let side = |full: u32| (full * STEPS[step] / 16).max(16) & !1;
    (side(width), side(height))
}

#[cfg(test)]
mod tests {
    use super::*;

    const HD: VideoFormat = VideoFormat {
        width: 1280,
        height: 720,
        frame_rate: 30,
    };

    #[test]
    fn less_rate_means_smaller_pictures() {
        let sizes: Vec<(u32, u32)> = [2_000_000, 560_000, 400_000, 150_000, 80_000, 10_000]
            .map(|bits| size(1280, 720, step(HD, bits, 0)))
            .to_vec();
        assert_eq!(
            sizes,
            [
                (1280, 720),
                (1280, 720),
                (960, 540),
                (640, 360),
                (480, 270),
                (320, 180)
            ]
        );
    }

    #[test]
    fn growing_again_takes_more_than_shrinking() {
        let shrunk = step(HD, 500_000, 0);
        assert_eq!(shrunk, 1);
        assert_eq!(step(HD, 600_000, shrunk), 1);
        assert_eq!(step(HD, 800_000, shrunk), 0);
    }

    #[test]
    fn every_size_can_be_coded() {
        for width in [16, 17, 322, 1919] {
            for step in 0..STEPS.len() {
                let (width, height) = size(width, 18, step);
                assert!(width >= 16 && height >= 16 && width % 2 == 0 && height % 2 == 0);
            }
        }
    }
}
