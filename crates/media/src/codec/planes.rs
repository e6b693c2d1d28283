//! From a codec's picture with strides to a tight one of ours.

use std::time::Instant;

use crate::VideoFrame;

/// Copies three planes; each must hold its rows at its stride, the last row its width.
pub(super) fn copy_planes(
    width: u32,
    height: u32,
    sources: [&[u8]; 3],
    strides: [usize; 3],
    captured_at: Instant,
) -> VideoFrame {
    let mut data = Vec::with_capacity(crate::video::frame_len(width, height));
    let chroma = ((width as usize).div_ceil(2), (height as usize).div_ceil(2));
    let sizes = [(width as usize, height as usize), chroma, chroma];
    for ((source, stride), (columns, rows)) in sources.into_iter().zip(strides).zip(sizes) {
        for row in 0..rows {
            data.extend_from_slice(&source[row * stride..row * stride + columns]);
        }
    }
    VideoFrame {
        width,
        height,
        data,
        captured_at,
    }
}
