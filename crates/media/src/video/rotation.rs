//! Pictures of cameras that stand on their side or their head.

use std::sync::{
    Arc,
    atomic::{AtomicU8, Ordering::Relaxed},
};

use serde::{Deserialize, Serialize};
use ts_rs::TS;

use super::{VideoFormat, VideoFrame, VideoSource};
use crate::MediaError;

/// How far a camera's pictures are turned clockwise before anybody sees them, this side's own view included.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase")]
pub enum Rotation {
    /// As they come.
    #[default]
    None,
    /// By 90°.
    Quarter,
    /// By 180°.
    Half,
    /// By 270°.
    ThreeQuarters,
}

impl Rotation {
    /// All of them, in their order.
    pub const ALL: [Self; 4] = [Self::None, Self::Quarter, Self::Half, Self::ThreeQuarters];

    /// The one of so many degrees.
    #[must_use]
    pub fn of_degrees(degrees: u32) -> Option<Self> {
        let quarters = degrees.is_multiple_of(90).then_some(degrees / 90)?;
        Self::ALL.get(quarters as usize).copied()
    }

    const fn lays_on_its_side(self) -> bool {
        matches!(self, Self::Quarter | Self::ThreeQuarters)
    }

    /// The picture turned.
    #[must_use]
    pub fn turn(self, frame: VideoFrame) -> VideoFrame {
        if self == Self::None {
            return frame;
        }
        let (width, height) = self.turn_size(frame.width, frame.height);
        let mut turned = VideoFrame::blank(width, height);
        turned.captured_at = frame.captured_at;
        let half = |side: u32| side.div_ceil(2) as usize;
        let luma = (frame.width as usize, frame.height as usize);
        let chroma = (half(frame.width), half(frame.height));
        let sizes = [luma, chroma, chroma];
        for ((from, to), size) in frame
            .planes()
            .into_iter()
            .zip(turned.planes_mut())
            .zip(sizes)
        {
            self.turn_plane(from, to, size);
        }
        turned
    }

    const fn turn_size(self, width: u32, height: u32) -> (u32, u32) {
        if self.lays_on_its_side() {
            (height, width)
        } else {
            (width, height)
        }
    }

    /// By squares, so that what is read and what is written stay in the processor's cache.
    fn turn_plane(self, from: &[u8], to: &mut [u8], (width, height): (usize, usize)) {
        const SQUARE: usize = 16;
        let at = |column: usize, row: usize| match self {
            Self::None => row * width + column,
            Self::Quarter => column * height + (height - 1 - row),
            Self::Half => (height - 1 - row) * width + (width - 1 - column),
            Self::ThreeQuarters => (width - 1 - column) * height + row,
        };
        for top in (0..height).step_by(SQUARE) {
            for left in (0..width).step_by(SQUARE) {
                for row in top..(top + SQUARE).min(height) {
                    for column in left..(left + SQUARE).min(width) {
                        to[at(column, row)] = from[row * width + column];
                    }
                }
            }
        }
    }
}

/// A rotation that can be changed while pictures come. Clones are the same one.
#[derive(Debug, Clone, Default)]
pub struct RotationControl(Arc<AtomicU8>);

impl RotationControl {
    /// Turns by this from the next picture on.
    pub fn set(&self, rotation: Rotation) {
        self.0.store(rotation as u8, Relaxed);
    }

    /// What it is set to.
    #[must_use]
    pub fn get(&self) -> Rotation {
        let number = usize::from(self.0.load(Relaxed));
        Rotation::ALL.get(number).copied().unwrap_or_default()
    }
}

/// A source whose pictures are turned.
#[derive(Debug)]
pub struct Rotated<S> {
    source: S,
    rotation: RotationControl,
}

impl<S: VideoSource> Rotated<S> {
    /// Turns the source's pictures as the control says.
    pub const fn new(source: S, rotation: RotationControl) -> Self {
        Self { source, rotation }
    }
}

impl<S: VideoSource> VideoSource for Rotated<S> {
    fn format(&self) -> VideoFormat {
        let format = self.source.format();
        let (width, height) = self.rotation.get().turn_size(format.width, format.height);
        VideoFormat {
            width,
            height,
            ..format
        }
    }

    fn next_frame(&mut self) -> Result<VideoFrame, MediaError> {
        let frame = self.source.next_frame()?;
        Ok(self.rotation.get().turn(frame))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// ```text
    /// 1 2 3 4
    /// 5 6 7 8   and chroma 1 2
    /// ```
    fn frame() -> VideoFrame {
        let mut frame = VideoFrame::black(4, 2);
        frame.data = vec![1, 2, 3, 4, 5, 6, 7, 8, 1, 2, 3, 4];
        frame
    }

    #[test]
    fn pictures_are_turned_clockwise() {
        let quarter = Rotation::Quarter.turn(frame());
        assert_eq!((quarter.width, quarter.height), (2, 4));
        assert_eq!(quarter.data, [5, 1, 6, 2, 7, 3, 8, 4, 1, 2, 3, 4]);
        let half = Rotation::Half.turn(frame());
        assert_eq!((half.width, half.height), (4, 2));
        assert_eq!(half.data, [8, 7, 6, 5, 4, 3, 2, 1, 2, 1, 4, 3]);
        let back = Rotation::ThreeQuarters.turn(frame());
        assert_eq!((back.width, back.height), (2, 4));
        assert_eq!(back.data, [4, 8, 3, 7, 2, 6, 1, 5, 2, 1, 4, 3]);
    }

    #[test]
    fn four_quarters_are_the_picture_itself() {
        let mut large = VideoFrame::black(70, 38);
        for (number, value) in large.data.iter_mut().enumerate() {
            *value = (number % 251) as u8;
        }
        let turned = (0..4).fold(large.clone(), |frame, _| Rotation::Quarter.turn(frame));
        assert_eq!(turned.data, large.data);
        let turned = Rotation::Quarter.turn(Rotation::ThreeQuarters.turn(large.clone()));
        assert_eq!(turned.data, large.data);
        assert_eq!(Rotation::None.turn(large.clone()).data, large.data);
    }

    #[test]
    fn degrees_are_quarters_of_a_turn() {
        assert_eq!(
            [0, 90, 180, 270].map(Rotation::of_degrees),
            Rotation::ALL.map(Some)
        );
        assert_eq!([45, 360].map(Rotation::of_degrees), [None, None]);
    }
}
