//! Scaling of pictures: each output pixel is the mean of the input it covers when it shrinks, linear in between when it grows.

use super::VideoFrame;

/// The picture at another size. The aspect ratio is the caller's to keep.
///
/// # Panics
/// When a side of either picture is 0.
#[must_use]
pub fn scale(frame: &VideoFrame, width: u32, height: u32) -> VideoFrame {
    Scaler::default().scale(frame, width, height)
}

/// The same for one picture after the other: what depends on the sizes alone is computed once.
#[derive(Debug, Default)]
pub(super) struct Scaler(Option<Plan>);

/// How one size becomes another.
#[derive(Debug)]
struct Plan {
    from: (u32, u32),
    to: (u32, u32),
    luma: Plane,
    chroma: Plane,
}

impl Plan {
    fn new(from: (u32, u32), to: (u32, u32)) -> Self {
        let sides = |(w, h): (u32, u32)| (w as usize, h as usize);
        let half = |(w, h): (usize, usize)| (w.div_ceil(2), h.div_ceil(2));
        Self {
            from,
            to,
            luma: Plane::new(sides(from), sides(to)),
            chroma: Plane::new(half(sides(from)), half(sides(to))),
        }
    }
}

impl Scaler {
    /// # Panics
    /// When a side of either picture is 0.
    pub(super) fn scale(&mut self, frame: &VideoFrame, width: u32, height: u32) -> VideoFrame {
        let (from, to) = ((frame.width, frame.height), (width, height));
        assert!(
            from.0 > 0 && from.1 > 0 && width > 0 && height > 0,
            "a picture has at least one pixel"
        );
        if from == to {
            return frame.clone();
        }
        let known = self.0.take();
        let known = known.filter(|plan| (plan.from, plan.to) == (from, to));
        let plan = self.0.insert(known.unwrap_or_else(|| Plan::new(from, to)));
        let mut scaled = VideoFrame::blank(width, height);
        scaled.captured_at = frame.captured_at;
        let [y, u, v] = frame.planes();
        let [to_y, to_u, to_v] = scaled.planes_mut();
        plan.luma.scale(y, to_y);
        plan.chroma.scale(u, to_u);
        plan.chroma.scale(v, to_v);
        scaled
    }
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
#[derive(Debug)]
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

/// How a plane of one size becomes one of another.
#[derive(Debug)]
struct Plane {
    across: Taps,
    down: Taps,
    /// Input rows, each with its weight, added up.
    sum: Vec<u32>,
    to_width: usize,
}

impl Plane {
    fn new(from: (usize, usize), to: (usize, usize)) -> Self {
        Self {
            across: Taps::new(from.0, to.0),
            down: Taps::new(from.1, to.1),
            sum: vec![0; from.0],
            to_width: to.0,
        }
    }

    /// Rows first, in sums that the compiler vectorises, then the columns of those.
    fn scale(&mut self, from: &[u8], to: &mut [u8]) {
        for (row, line) in to.chunks_exact_mut(self.to_width).enumerate() {
            self.add_rows(from, row);
            for (column, pixel) in line.iter_mut().enumerate() {
                let across = &self.across;
                let weights = &across.weights[column * across.count..][..across.count];
                let values = &self.sum[across.starts[column]..][..across.count];
                let total: u32 = weights
                    .iter()
                    .zip(values)
                    .map(|(weight, value)| weight * value)
                    .sum();
                *pixel = ((total + (1 << (2 * SHIFT - 1))) >> (2 * SHIFT)) as u8;
            }
        }
    }

    /// Adds up the input rows that make this output row.
    fn add_rows(&mut self, from: &[u8], row: usize) {
        let (down, width) = (&self.down, self.sum.len());
        self.sum.fill(0);
        for (tap, &weight) in down.weights[row * down.count..][..down.count]
            .iter()
            .enumerate()
        {
            if weight == 0 {
                continue;
            }
            let start = (down.starts[row] + tap) * width;
            for (sum, &pixel) in self.sum.iter_mut().zip(&from[start..start + width]) {
                *sum += weight * u32::from(pixel);
            }
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
    fn one_scaler_takes_one_size_after_the_other() {
        let mut frame = VideoFrame::black(64, 48);
        for (index, luma) in frame.planes_mut()[0].iter_mut().enumerate() {
            *luma = (index % 251) as u8;
        }
        let mut scaler = Scaler::default();
        for (width, height) in [(32, 24), (32, 24), (64, 48), (96, 96), (32, 24)] {
            let scaled = scaler.scale(&frame, width, height);
            assert_eq!(scaled.data, scale(&frame, width, height).data);
        }
        frame = scale(&frame, 40, 30);
        let scaled = scaler.scale(&frame, 32, 24);
        assert_eq!(scaled.data, scale(&frame, 32, 24).data);
    }

    #[test]
    fn fitting_keeps_the_aspect_ratio_and_is_even() {
        assert_eq!(fit(1280, 720, 640, 640), (640, 360));
        assert_eq!(fit(640, 480, 1280, 720), (640, 480));
        assert_eq!(fit(1919, 1079, 320, 180), (320, 180));
        assert_eq!(fit(10_000, 1, 100, 100), (100, 2));
    }
}
