//! A camera that needs no device: moving pictures with a time code, for tests, measurements and machines without a camera.

use std::str::FromStr;
use std::time::Instant;

use super::pace::Pace;
use super::picture::Painter;
use super::time_code::{stamp_time_code, unix_ms_now};
use super::{VideoFormat, VideoFrame, VideoSource};
use crate::MediaError;

/// What moves in the pattern.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum PatternContent {
    /// A head that sways, blinks and speaks before a still room: what a call mostly is.
    #[default]
    TalkingHead,
    /// A textured surface that pans over the whole picture: hard on an encoder.
    MovingTexture,
}

impl PatternContent {
    /// The environment variable that chooses the content.
    pub const VARIABLE: &str = "VIREO_PATTERN";

    /// What the environment asks for; the default where it says nothing.
    ///
    /// # Errors
    /// [`MediaError::NoDevice`] when there is no such content.
    pub fn from_environment() -> Result<Self, MediaError> {
        match std::env::var(Self::VARIABLE) {
            Ok(name) => name.parse(),
            Err(_) => Ok(Self::default()),
        }
    }
}

impl FromStr for PatternContent {
    type Err = MediaError;

    fn from_str(name: &str) -> Result<Self, MediaError> {
        match name {
            "talking-head" => Ok(Self::TalkingHead),
            "moving-texture" => Ok(Self::MovingTexture),
            _ => Err(MediaError::NoDevice(format!(
                "There is no pattern called “{name}”; there are talking-head and moving-texture."
            ))),
        }
    }
}

/// The pictures of the pattern by their number, without time code and pace; the same on every machine.
#[derive(Debug)]
pub struct Pattern {
    painter: Painter,
    frame_rate: u32,
}

impl Pattern {
    /// Prepares what does not change from picture to picture.
    #[must_use]
    pub fn new(format: VideoFormat, content: PatternContent) -> Self {
        let width = format.width.max(2) & !1;
        let height = format.height.max(2) & !1;
        Self {
            painter: Painter::new(width, height, content),
            frame_rate: format.frame_rate.max(1),
        }
    }

    /// The picture of this number.
    #[must_use]
    pub fn frame(&self, number: u64) -> VideoFrame {
        self.painter.paint(number as f32 / self.frame_rate as f32)
    }
}

/// The pattern in real time, each picture stamped with the moment it was given out.
#[derive(Debug)]
pub struct PatternCamera {
    pattern: Pattern,
    format: VideoFormat,
    pace: Pace,
    /// The number of the picture that is painted next.
    next: u64,
}

impl PatternCamera {
    /// A talking head. Sides are rounded down to even numbers, a rate of 0 is 1.
    #[must_use]
    pub fn new(format: VideoFormat) -> Self {
        Self::with_content(format, PatternContent::default())
    }

    /// A pattern of the given content.
    #[must_use]
    pub fn with_content(format: VideoFormat, content: PatternContent) -> Self {
        let format = VideoFormat {
            width: format.width.max(2) & !1,
            height: format.height.max(2) & !1,
            frame_rate: format.frame_rate.max(1),
        };
        Self {
            pattern: Pattern::new(format, content),
            format,
            pace: Pace::new(format.frame_rate),
            next: 0,
        }
    }
}

impl VideoSource for PatternCamera {
    fn format(&self) -> VideoFormat {
        self.format
    }

    fn next_frame(&mut self) -> Result<VideoFrame, MediaError> {
        // Painted before its time comes, so that the time code does not measure the painter.
        let mut frame = self.pattern.frame(self.next);
        self.next = self.pace.wait() + 1;
        stamp_time_code(&mut frame, unix_ms_now());
        frame.captured_at = Instant::now();
        Ok(frame)
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::video::read_time_code;

    const SMALL: VideoFormat = VideoFormat {
        width: 320,
        height: 180,
        frame_rate: 100,
    };

    #[test]
    fn contents_go_by_name() {
        let content = |name: &str| name.parse::<PatternContent>().ok();
        assert_eq!(content("talking-head"), Some(PatternContent::TalkingHead));
        assert_eq!(
            content("moving-texture"),
            Some(PatternContent::MovingTexture)
        );
        assert_eq!(content("snow"), None);
    }

    #[test]
    fn it_keeps_time_and_carries_it() {
        let mut camera = PatternCamera::new(SMALL);
        let start = Instant::now();
        for _ in 0..11 {
            let frame = camera.next_frame().expect("a pattern never fails");
            assert_eq!((frame.width, frame.height), (320, 180));
            assert!(read_time_code(&frame).is_some());
        }
        assert!(
            start.elapsed() >= Duration::from_millis(100),
            "{:?}",
            start.elapsed()
        );
    }

    #[test]
    fn pictures_move_and_repeat_on_every_run() {
        for content in [PatternContent::TalkingHead, PatternContent::MovingTexture] {
            let pattern = Pattern::new(SMALL, content);
            assert_ne!(pattern.frame(0).data, pattern.frame(50).data, "{content:?}");
            assert_eq!(
                Pattern::new(SMALL, content).frame(50).data,
                pattern.frame(50).data,
                "{content:?}"
            );
        }
    }

    #[test]
    fn odd_and_tiny_formats_are_taken() {
        for (width, height, frame_rate) in [(0, 0, 0), (3, 5, 1000), (641, 361, 1000)] {
            let mut camera = PatternCamera::new(VideoFormat {
                width,
                height,
                frame_rate,
            });
            let frame = camera.next_frame().expect("a pattern never fails");
            assert!(
                frame.width.is_multiple_of(2) && frame.height.is_multiple_of(2) && frame.width > 0
            );
        }
    }
}
