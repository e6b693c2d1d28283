//! H.264 → pictures. Nothing is concealed: a picture that lacks its reference is an error, and the sender is asked for a key frame.
#![allow(unsafe_code)]

use std::os::raw::{c_int, c_void};
use std::ptr::null_mut;

use openh264_sys2 as sys;
use openh264_sys2::source::APILoader;

use super::encoder::call;
use crate::codec::VideoDecoder;
use crate::codec::planes::picture;
use crate::rtp::annex_b;
use crate::{MediaError, VideoFrame};

/// Larger than any picture that can be decoded; the library takes lengths as `int`.
const MAX_FRAME: usize = 16 << 20;

/// The decoder, on the caller's thread.
#[derive(Debug)]
pub struct H264Decoder {
    handle: *mut sys::ISVCDecoder,
}

// SAFETY: the library's decoder has no tie to the thread that made it, and `&mut self` keeps calls one after the other.
unsafe impl Send for H264Decoder {}

impl H264Decoder {
    /// Makes a decoder.
    ///
    /// # Errors
    /// [`MediaError::Codec`] when there is no memory for it.
    pub fn new() -> Result<Self, MediaError> {
        let mut handle = null_mut();
        // SAFETY: the library writes a pointer to where we say.
        let result = unsafe { APILoader::WelsCreateDecoder(&raw mut handle) };
        if result != 0 || handle.is_null() {
            return Err(MediaError::Codec(format!(
                "the H.264 decoder cannot be made (error {result})"
            )));
        }
        let decoder = Self { handle };
        let mut level = sys::WELS_LOG_QUIET as c_int;
        call!(
            handle,
            SetOption,
            sys::DECODER_OPTION_TRACE_LEVEL,
            (&raw mut level).cast::<c_void>()
        );
        let mut settings = sys::SDecodingParam {
            uiTargetDqLayer: u8::MAX,
            eEcActiveIdc: sys::ERROR_CON_DISABLE,
            ..Default::default()
        };
        settings.sVideoProperty.eVideoBsType = sys::VIDEO_BITSTREAM_AVC;
        let result = call!(handle, Initialize, &raw const settings);
        if result != 0 {
            return Err(MediaError::Codec(format!(
                "the H.264 decoder cannot be opened (error {result})"
            )));
        }
        Ok(decoder)
    }
}

impl VideoDecoder for H264Decoder {
    fn name(&self) -> &'static str {
        "OpenH264"
    }

    fn decode(&mut self, data: &[u8]) -> Result<Option<VideoFrame>, MediaError> {
        if data.len() > MAX_FRAME {
            return Err(MediaError::Codec(
                "an H.264 picture is larger than any can be".into(),
            ));
        }
        // Parameter sets alone give no picture, which is no error.
        let has_picture = annex_b::units(data).any(|unit| matches!(unit[0] & 0x1f, 1 | 5));
        if data.is_empty() {
            return Ok(None);
        }
        let mut planes = [null_mut::<u8>(); 3];
        let mut info = sys::SBufferInfo::default();
        let state = call!(
            self.handle,
            DecodeFrameNoDelay,
            data.as_ptr(),
            data.len() as c_int,
            planes.as_mut_ptr(),
            &raw mut info
        );
        if state != sys::dsErrorFree {
            return Err(MediaError::Codec(format!(
                "an H.264 picture cannot be decoded (state {state:#x})"
            )));
        }
        if info.iBufferStatus != 1 || planes.iter().any(|plane| plane.is_null()) {
            return if has_picture {
                Err(MediaError::Codec(
                    "the H.264 decoder gave no picture".into(),
                ))
            } else {
                Ok(None)
            };
        }
        // SAFETY: with a picture ready, the system-memory form of the union is the one in use.
        let buffer = unsafe { info.UsrData.sSystemBuffer };
        let size = |side: c_int| u32::try_from(side).unwrap_or(0);
        let (width, height) = (size(buffer.iWidth), size(buffer.iHeight));
        let strides = [buffer.iStride[0], buffer.iStride[1], buffer.iStride[1]]
            .map(|stride| size(stride) as usize);
        let planes = planes.map(<*mut u8>::cast_const);
        // SAFETY: the library says that the planes are of this size and stride; they are valid until the next call.
        unsafe { picture(width, height, planes, strides, "H.264") }.map(Some)
    }
}

impl Drop for H264Decoder {
    fn drop(&mut self) {
        call!(self.handle, Uninitialize);
        // SAFETY: made by the library, destroyed once.
        unsafe { APILoader::WelsDestroyDecoder(self.handle) };
    }
}
