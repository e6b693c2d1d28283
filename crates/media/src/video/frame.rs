//! The planes of a picture.

use std::time::Instant;

use super::VideoFrame;

/// Bytes of an I420 picture of this size.
pub(crate) fn frame_len(width: u32, height: u32) -> usize {
    let (width, height) = (width as usize, height as usize);
    width * height + 2 * width.div_ceil(2) * height.div_ceil(2)
}

impl VideoFrame {
    /// A black picture.
    #[must_use]
    pub fn black(width: u32, height: u32) -> Self {
        let mut data = vec![128; frame_len(width, height)];
        data[..width as usize * height as usize].fill(16);
        Self {
            width,
            height,
            data,
            captured_at: Instant::now(),
        }
    }

    /// A picture that is about to be painted all over: what it shows before that means nothing.
    pub(crate) fn blank(width: u32, height: u32) -> Self {
        Self {
            width,
            height,
            data: vec![0; frame_len(width, height)],
            captured_at: Instant::now(),
        }
    }

    /// Bytes in a row of chroma.
    #[must_use]
    pub fn chroma_width(&self) -> usize {
        (self.width as usize).div_ceil(2)
    }

    /// Rows of chroma.
    #[must_use]
    pub fn chroma_height(&self) -> usize {
        (self.height as usize).div_ceil(2)
    }

    /// The planes Y, U and V.
    #[must_use]
    pub fn planes(&self) -> [&[u8]; 3] {
        let (luma, chroma) = self.plane_lengths();
        let (y, rest) = self.data.split_at(luma);
        let (u, v) = rest.split_at(chroma);
        [y, u, &v[..chroma]]
    }

    /// The planes Y, U and V, to write to.
    #[must_use]
    pub fn planes_mut(&mut self) -> [&mut [u8]; 3] {
        let (luma, chroma) = self.plane_lengths();
        let (y, rest) = self.data.split_at_mut(luma);
        let (u, v) = rest.split_at_mut(chroma);
        [y, u, &mut v[..chroma]]
    }

    fn plane_lengths(&self) -> (usize, usize) {
        (
            self.width as usize * self.height as usize,
            self.chroma_width() * self.chroma_height(),
        )
    }
}
