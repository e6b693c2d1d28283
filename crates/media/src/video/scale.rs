//! Scaling of pictures: each output pixel is the mean of the input it covers when it shrinks, linear in between when it grows.

use super::{VideoFrame, frame::frame_len};

/// The picture at another size. The aspect ratio is the caller's to keep.
///
/// # Panics
/// When a side of either picture is 0.
#[must_use]
pub fn scale(frame: &VideoFrame, width: u32, height: u32) -> VideoFrame {
    assert!(
        frame.width > 0 && frame.height > 0 && width > 0 && height > 0,
        "a picture has at least one pixel"
    );
    if (frame.width, frame.height) == (width, height) {
        return frame.clone();
    }
    let mut scaled = VideoFrame {
        width,
        height,
        data: vec![0; frame_len(width, height)],
        captured_at: frame.captured_at,
    };
    let from = (frame.width as usize, frame.height as usize);
    let to = (width as usize, height as usize);
    let half = |(w, h): (usize, usize)| (w.div_ceil(2), h.div_ceil(2));
    let [y, u, v] = frame.planes();
    let [to_y, to_u, to_v] = scaled.planes_mut();
    scale_plane(y, from, to_y, to);
    scale_plane(u, half(from), to_u, half(to));
    scale_plane(v, half(from), to_v, half(to));
    scaled
}

/// The largest even size with the aspect ratio of `(width, height)` that fits into the given one and does not grow.
#[must_use]
pub fn fit(width: u32, height: u32, max_width: u32, max_height: u32) -> (u32, u32) {
    let factor = (f64::from(max_width) / f64::from(width.max(1)))
        .min(f64::from(max_height) / f64::from(height.max(1)))
        .min(1.0);
    let even = |side: u32| (((f64::from(side) * factor / 2.0).round() as u32) * 2).max(2);
    (even(width), even(height))
}

/// The input pixels that make one output pixel, and how much of each; the weights of one output pixel add up to `ONE`.
struct Taps {
    starts: Vec<usize>,
    weights: Vec<u32>,
    count: usize,
}

const SHIFT: u32 = 8;
const ONE: u32 = 1 << SHIFT;

impl Taps {
    fn new(from: usize, to: usize) -> Self {
        let ratio = from as f64 / to as f64;
        // A box as wide as the output pixel when shrinking, a triangle over two pixels when growing.
        let reach = if ratio > 1.0 { ratio / 2.0 } else { 1.0 };
        let count = ((2.0 * reach).ceil() as usize + 1).min(from);
        let mut taps = Self {
            starts: Vec::with_capacity(to),
            weights: Vec::with_capacity(to * count),
            count,
        };
        for index in 0..to {
            let centre = (index as f64 + 0.5) * ratio;
            let start = ((centre - reach).floor().max(0.0) as usize).min(from - count);
            let share = |tap: usize| {
                let pixel = (start + tap) as f64;
                if ratio > 1.0 {
                    ((pixel + 1.0).min(centre + reach) - pixel.max(centre - reach)).max(0.0)
                } else {
                    (1.0 - (pixel + 0.5 - centre).abs()).max(0.0)
                }
            };
            let total: f64 = (0..count).map(share).sum();
            let mut rest = ONE;
            let mut heaviest = 0;
            let row = taps.weights.len();
            for tap in 0..count {
                let weight = ((share(tap) / total * f64::from(ONE)).round() as u32).min(rest);
                rest -= weight;
                taps.weights.push(weight);
                if weight > taps.weights[row + heaviest] {
                    heaviest = tap;
                }
            }
            taps.weights[row + heaviest] += rest;
            taps.starts.push(start);
        }
        taps
    }
}

fn scale_plane(
    from: &[u8],
    (from_width, from_height): (usize, usize),
    to: &mut [u8],
    (to_width, to_height): (usize, usize),
) {
    let across = Taps::new(from_width, to_width);
    let down = Taps::new(from_height, to_height);
    // Rows first, each input row weighted into a sum that the compiler vectorises, then the columns of that sum.
    let mut sum = vec![0_u32; from_width];
    for (row, line) in to.chunks_exact_mut(to_width).enumerate() {
        sum.fill(0);
        for (tap, &weight) in down.weights[row * down.count..][..down.count]
            .iter()
            .enumerate()
        {
            if weight == 0 {
                continue;
            }
            let start = (down.starts[row] + tap) * from_width;
            for (sum, &pixel) in sum.iter_mut().zip(&from[start..start + from_width]) {
                *sum += weight * u32::from(pixel);
            }
        }
        for (column, pixel) in line.iter_mut().enumerate() {
            let weights = &across.weights[column * across.count..][..across.count];
            let values = &sum[across.starts[column]..][..across.count];
            let total: u32 = weights
                .iter()
                .zip(values)
                .map(|(weight, value)| weight * value)
                .sum();
            *pixel = ((total + (1 << (2 * SHIFT - 1))) >> (2 * SHIFT)) as u8;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_flat_picture_stays_flat() {
        let mut frame = VideoFrame::black(64, 48);
        frame.planes_mut()[0].fill(200);
        for (width, height) in [(32, 24), (20, 10), (130, 98), (64, 2), (1, 1)] {
            let scaled = scale(&frame, width, height);
            assert!(
                scaled.planes()[0].iter().all(|&y| y == 200),
                "{width}×{height}"
            );
            assert!(
                scaled.planes()[1].iter().all(|&u| u == 128),
                "{width}×{height}"
            );
        }
    }

    #[test]
    fn halving_takes_the_mean() {
        let mut frame = VideoFrame::black(4, 2);
        frame.planes_mut()[0].copy_from_slice(&[10, 20, 100, 100, 30, 40, 50, 50]);
        assert_eq!(scale(&frame, 2, 1).planes()[0], [25, 75]);
    }

    #[test]
    fn fitting_keeps_the_aspect_ratio_and_is_even() {
        assert_eq!(fit(1280, 720, 640, 640), (640, 360));
        assert_eq!(fit(640, 480, 1280, 720), (640, 480));
        assert_eq!(fit(1919, 1079, 320, 180), (320, 180));
        assert_eq!(fit(10_000, 1, 100, 100), (100, 2));
    }
}
