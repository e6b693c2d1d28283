//! VP8 → pictures. A picture that lacks its reference is an error, and the sender is asked for a key frame.
#![allow(unsafe_code)]

use std::os::raw::{c_int, c_uchar, c_uint};
use std::ptr::{NonNull, null};

use crate::codec::VideoDecoder;
use crate::codec::planes::picture;
use crate::{MediaError, VideoFrame};

#[repr(C)]
struct Handle {
    _opaque: [u8; 0],
}

unsafe extern "C" {
    fn vireo_vp8_decoder_new() -> *mut Handle;
    fn vireo_vp8_decoder_free(decoder: *mut Handle);
    fn vireo_vp8_decode(
        decoder: *mut Handle,
        data: *const c_uchar,
        length: c_uint,
        planes: *mut *const c_uchar,
        strides: *mut c_int,
        width: *mut c_uint,
        height: *mut c_uint,
    ) -> c_int;
}

/// The decoder, on the caller's thread.
#[derive(Debug)]
pub struct Vp8Decoder {
    handle: NonNull<Handle>,
    /// After an error nothing decodes until a key frame comes.
    needs_key_frame: bool,
}

// SAFETY: libvpx's decoder has no tie to the thread that made it, and `&mut self` keeps calls one after the other.
unsafe impl Send for Vp8Decoder {}

impl Vp8Decoder {
    /// Makes a decoder.
    ///
    /// # Errors
    /// [`MediaError::Codec`] when there is no memory for it.
    pub fn new() -> Result<Self, MediaError> {
        // SAFETY: a pointer that is ours or null comes out.
        let handle = NonNull::new(unsafe { vireo_vp8_decoder_new() })
            .ok_or_else(|| MediaError::Codec("the VP8 decoder cannot be made".into()))?;
        Ok(Self {
            handle,
            needs_key_frame: true,
        })
    }
}

impl VideoDecoder for Vp8Decoder {
    fn name(&self) -> &'static str {
        "libvpx"
    }

    fn decode(&mut self, data: &[u8]) -> Result<Option<VideoFrame>, MediaError> {
        let Some(first) = data.first() else {
            return Ok(None);
        };
        let key_frame = first & 1 == 0;
        if self.needs_key_frame && !key_frame {
            return Err(MediaError::Codec(
                "a VP8 picture came without the key frame it builds on".into(),
            ));
        }
        let length = c_uint::try_from(data.len())
            .map_err(|_| MediaError::Codec("a VP8 picture is too large".into()))?;
        let mut planes = [null::<c_uchar>(); 3];
        let mut strides = [0; 3];
        let (mut width, mut height) = (0, 0);
        // SAFETY: the data is as long as we say; the out pointers are ours and have room for three.
        let result = unsafe {
            vireo_vp8_decode(
                self.handle.as_ptr(),
                data.as_ptr(),
                length,
                planes.as_mut_ptr(),
                strides.as_mut_ptr(),
                &raw mut width,
                &raw mut height,
            )
        };
        self.needs_key_frame = result != 0;
        if result != 0 {
            return Err(MediaError::Codec(format!(
                "a VP8 picture cannot be decoded (error {result})"
            )));
        }
        if width == 0 || height == 0 {
            return Ok(None);
        }
        let strides = strides.map(|stride| usize::try_from(stride).unwrap_or(0));
        // SAFETY: libvpx says that the planes are of this size and stride; they are valid until the next call.
        unsafe { picture(width, height, planes, strides, "VP8") }.map(Some)
    }
}

impl Drop for Vp8Decoder {
    fn drop(&mut self) {
        // SAFETY: made by `vireo_vp8_decoder_new`, freed once.
        unsafe { vireo_vp8_decoder_free(self.handle.as_ptr()) };
    }
}
