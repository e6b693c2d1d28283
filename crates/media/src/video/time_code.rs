//! The time code that the pattern camera burns into its pictures, so that whoever decodes one knows how old it is.
//!
//! 30 blocks stand along the top edge from the left, each 32×32 pixels where the picture is 1280 wide and scaled with the
//! width. Block *i* is white (235) where bit *i* of `floor(unix_ms × 10) mod 2^30` is set, else black (16).

use std::time::{SystemTime, UNIX_EPOCH};

use super::VideoFrame;

const BITS: u32 = 30;
const MODULUS: u64 = 1 << BITS;
/// An age beyond this is no latency but a picture without a time code.
const MAX_AGE_MS: f64 = 10_000.0;
const BLACK: u8 = 16;
const WHITE: u8 = 235;
/// A block whose centre is between these is neither black nor white: the picture carries no time code.
const DOUBTFUL: std::ops::RangeInclusive<u32> = 96..=160;

/// Milliseconds since 1970, with their fraction.
#[must_use]
pub fn unix_ms_now() -> f64 {
    SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .map_or(0.0, |since| since.as_secs_f64() * 1000.0)
}

fn code(unix_ms: f64) -> u64 {
    // Rust's conversion saturates, so that a clock before 1970 gives 0.
    (unix_ms * 10.0).floor() as u64 % MODULUS
}

/// Burns a moment into the picture.
pub fn stamp_time_code(frame: &mut VideoFrame, unix_ms: f64) {
    let code = code(unix_ms);
    let width = frame.width as usize;
    let height = frame.height as usize;
    let edge = |index: usize| index * 32 * width / 1280;
    let rows = edge(1).min(height);
    let last = edge(BITS as usize).min(width);
    let [y, u, v] = frame.planes_mut();
    let mut row = vec![BLACK; last];
    for bit in 0..BITS as usize {
        if code >> bit & 1 == 1 {
            row[edge(bit)..edge(bit + 1).min(last)].fill(WHITE);
        }
    }
    for line in y.chunks_exact_mut(width).take(rows) {
        line[..last].copy_from_slice(&row);
    }
    let chroma_width = width.div_ceil(2);
    for plane in [u, v] {
        for line in plane.chunks_exact_mut(chroma_width).take(rows.div_ceil(2)) {
            line[..last.div_ceil(2)].fill(128);
        }
    }
}

/// The number in the picture: tenths of a millisecond since 1970, modulo 2^30. None where there is no time code.
#[must_use]
pub fn raw_time_code(frame: &VideoFrame) -> Option<u32> {
    let width = frame.width as usize;
    let block = width * 32 / 1280;
    if block < 2 || (frame.height as usize) < block {
        return None;
    }
    let luma = frame.planes()[0];
    // A few pixels around the centre, so that the noise of coding does not decide.
    let reach = (block / 8).max(1);
    let mut code = 0;
    for bit in 0..BITS as usize {
        let centre_x = (bit * 32 + 16) * width / 1280;
        let (mut sum, mut count) = (0, 0);
        for y in block / 2 - reach..block / 2 + reach {
            for x in centre_x - reach..centre_x + reach {
                sum += u32::from(luma[y * width + x]);
                count += 1;
            }
        }
        let mean = sum / count;
        if DOUBTFUL.contains(&mean) {
            return None;
        }
        code |= u32::from(mean > *DOUBTFUL.end()) << bit;
    }
    Some(code)
}

/// How old the picture is at the given moment, in milliseconds. None where it carries no time code.
#[must_use]
pub fn read_time_code_at(frame: &VideoFrame, unix_ms: f64) -> Option<f64> {
    let stamped = u64::from(raw_time_code(frame)?);
    let age = (code(unix_ms) + MODULUS - stamped) % MODULUS;
    let age_ms = age as f64 / 10.0;
    (age_ms <= MAX_AGE_MS).then_some(age_ms)
}

/// How old the picture is now, in milliseconds. None where it carries no time code.
#[must_use]
pub fn read_time_code(frame: &VideoFrame) -> Option<f64> {
    read_time_code_at(frame, unix_ms_now())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::video::scale;

    #[test]
    fn an_age_reads_back_at_every_size() {
        let now = 1_795_000_123_456.7;
        for (width, height) in [
            (1280, 720),
            (640, 360),
            (640, 480),
            (320, 180),
            (1920, 1080),
        ] {
            let mut frame = VideoFrame::black(width, height);
            stamp_time_code(&mut frame, now - 12.3);
            let age = read_time_code_at(&frame, now).expect("a readable time code");
            assert!((age - 12.3).abs() < 0.11, "{width}×{height}: {age}");
        }
    }

    #[test]
    fn it_survives_scaling() {
        let mut frame = VideoFrame::black(1280, 720);
        stamp_time_code(&mut frame, 5_000.0);
        let small = scale(&frame, 640, 360);
        assert_eq!(read_time_code_at(&small, 5_020.0), Some(20.0));
    }

    #[test]
    fn it_wraps_around() {
        let wrap_ms = (MODULUS * 1_000) as f64 / 10.0;
        let mut frame = VideoFrame::black(1280, 720);
        stamp_time_code(&mut frame, wrap_ms - 5.0);
        let age = read_time_code_at(&frame, wrap_ms + 5.0).expect("a readable time code");
        assert!((age - 10.0).abs() < 0.11);
    }

    #[test]
    fn an_unlikely_age_is_no_age() {
        let mut frame = VideoFrame::black(1280, 720);
        stamp_time_code(&mut frame, 100_000.0);
        assert_eq!(read_time_code_at(&frame, 110_001.0), None);
        assert_eq!(read_time_code_at(&frame, 99_999.0), None);
    }

    #[test]
    fn a_grey_or_tiny_picture_has_none() {
        let mut frame = VideoFrame::black(1280, 720);
        frame.planes_mut()[0].fill(128);
        assert_eq!(raw_time_code(&frame), None);
        assert_eq!(raw_time_code(&VideoFrame::black(64, 64)), None);
        assert_eq!(raw_time_code(&VideoFrame::black(1280, 8)), None);
    }
}
