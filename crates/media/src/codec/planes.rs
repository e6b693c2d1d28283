//! From a codec's picture with strides to a tight one of ours.
#![allow(unsafe_code)]

use std::ptr::slice_from_raw_parts;
use std::time::Instant;

use crate::video::frame_len;
use crate::{MediaError, VideoFrame};

/// Copies the picture that a decoder says it has.
///
/// # Errors
/// [`MediaError::Codec`] when it has no size, or a plane is missing or too narrow.
///
/// # Safety
/// Each plane that is not null holds its rows (chroma half as many, rounded up), each `stride` bytes after the one before;
/// the last may end with its last pixel.
pub(super) unsafe fn picture(
    width: u32,
    height: u32,
    planes: [*const u8; 3],
    strides: [usize; 3],
    codec: &str,
) -> Result<VideoFrame, MediaError> {
    let luma = (width as usize, height as usize);
    let chroma = (luma.0.div_ceil(2), luma.1.div_ceil(2));
    let sizes = [luma, chroma, chroma];
    let is_whole = |plane: usize| !planes[plane].is_null() && strides[plane] >= sizes[plane].0;
    if width == 0 || height == 0 || !(0..3).all(is_whole) {
        let problem =
            format!("the {codec} decoder gave a picture without a size or without planes");
        return Err(MediaError::Codec(problem));
    }
    let mut data = Vec::with_capacity(frame_len(width, height));
    for ((plane, stride), (columns, rows)) in planes.into_iter().zip(strides).zip(sizes) {
        let length = stride * (rows - 1) + columns;
        // SAFETY: the caller promises that the plane is so long.
        let plane = unsafe { &*slice_from_raw_parts(plane, length) };
        for row in 0..rows {
            data.extend_from_slice(&plane[row * stride..row * stride + columns]);
        }
    }
    Ok(VideoFrame {
        width,
        height,
        data,
        captured_at: Instant::now(),
    })
}

#[cfg(test)]
mod tests {
    use std::ptr::null;

    use super::*;

    #[test]
    fn rows_are_packed_and_what_is_no_picture_is_refused() {
        let (luma, chroma) = ([1, 2, 3, 0, 4, 5, 6], [7, 8]);
        let planes = [luma.as_ptr(), chroma.as_ptr(), chroma.as_ptr()];
        // SAFETY: two rows of three in four, one row of two in two.
        let made = |width, height, planes, strides| unsafe {
            picture(width, height, planes, strides, "test")
        };
        let frame = made(3, 2, planes, [4, 2, 2]).expect("a picture");
        assert_eq!(frame.data, [1, 2, 3, 4, 5, 6, 7, 8, 7, 8]);
        assert!(made(0, 2, planes, [4, 2, 2]).is_err());
        assert!(made(3, 0, planes, [4, 2, 2]).is_err());
        assert!(made(3, 2, planes, [4, 1, 2]).is_err());
        assert!(made(3, 2, [planes[0], null(), planes[2]], [4, 2, 2]).is_err());
    }
}
