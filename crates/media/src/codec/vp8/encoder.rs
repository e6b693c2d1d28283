//! Pictures → VP8, in real time and without look-ahead.
#![allow(unsafe_code)]

use std::os::raw::{c_int, c_longlong, c_uchar, c_uint, c_ulong};
use std::ptr::{NonNull, null, slice_from_raw_parts};
use std::time::Instant;

use bytes::Bytes;

use crate::codec::{EncodedFrame, VideoCodec, VideoEncoder};
use crate::video::{VideoFormat, frame_len};
use crate::{MediaError, VideoFrame};

/// libvpx's trade of quality for speed, −16 (fastest) to 0.
const SPEED: c_int = -8;
/// libvpx's clock here, in ticks a second.
const CLOCK: u64 = 90_000;

#[repr(C)]
struct Handle {
    _opaque: [u8; 0],
}

unsafe extern "C" {
    fn vireo_vp8_encoder_new(
        width: c_uint,
        height: c_uint,
        kilobits: c_uint,
        frame_rate: c_uint,
        speed: c_int,
    ) -> *mut Handle;
    fn vireo_vp8_encoder_free(encoder: *mut Handle);
    fn vireo_vp8_encoder_set_rate(
        encoder: *mut Handle,
        kilobits: c_uint,
        frame_rate: c_uint,
    ) -> c_int;
    fn vireo_vp8_encode(
        encoder: *mut Handle,
        planes: *const c_uchar,
        time: c_longlong,
        duration: c_ulong,
        key_frame: c_int,
        data: *mut *const c_uchar,
        length: *mut usize,
        is_key_frame: *mut c_int,
    ) -> c_int;
}

/// The encoder. It opens with the first frame and again when the size changes.
#[derive(Debug)]
pub struct Vp8Encoder {
    open: Option<Open>,
    bits_per_second: u32,
    frames_per_second: u32,
    epoch: Option<Instant>,
    last_time: i64,
}

#[derive(Debug)]
struct Open {
    handle: NonNull<Handle>,
    width: u32,
    height: u32,
}

// SAFETY: libvpx's encoder has no tie to the thread that made it, and `&mut self` keeps calls one after the other.
unsafe impl Send for Open {}

impl Drop for Open {
    fn drop(&mut self) {
        // SAFETY: made by `vireo_vp8_encoder_new`, freed once.
        unsafe { vireo_vp8_encoder_free(self.handle.as_ptr()) };
    }
}

impl Vp8Encoder {
    /// Makes an encoder for about this format; each frame says for itself how large it is.
    #[must_use]
    pub fn new(format: VideoFormat, bits_per_second: u32) -> Self {
        Self {
            open: None,
            bits_per_second,
            frames_per_second: format.frame_rate.max(1),
            epoch: None,
            last_time: -1,
        }
    }

    fn kilobits(&self) -> u32 {
        (self.bits_per_second / 1000).max(10)
    }

    fn opened(&mut self, width: u32, height: u32) -> Result<NonNull<Handle>, MediaError> {
        if let Some(open) = self
            .open
            .as_ref()
            .filter(|open| (open.width, open.height) == (width, height))
        {
            return Ok(open.handle);
        }
        self.open = None;
        let refused = || MediaError::Codec(format!("the VP8 encoder refuses {width}×{height}"));
        if width == 0 || height == 0 || width > 16_383 || height > 16_383 {
            return Err(refused());
        }
        // SAFETY: plain numbers in, a pointer that is ours or null out.
        let handle = unsafe {
            vireo_vp8_encoder_new(
                width,
                height,
                self.kilobits(),
                self.frames_per_second,
                SPEED,
            )
        };
        let handle = NonNull::new(handle).ok_or_else(refused)?;
        self.open = Some(Open {
            handle,
            width,
            height,
        });
        Ok(handle)
    }

    fn time(&mut self, captured_at: Instant) -> i64 {
        let epoch = *self.epoch.get_or_insert(captured_at);
        let micros = captured_at.saturating_duration_since(epoch).as_micros();
        let ticks = i64::try_from(micros * u128::from(CLOCK) / 1_000_000).unwrap_or(i64::MAX - 1);
        self.last_time = ticks.max(self.last_time + 1);
        self.last_time
    }
}

impl VideoEncoder for Vp8Encoder {
    fn codec(&self) -> VideoCodec {
        VideoCodec::Vp8
    }

    fn name(&self) -> &'static str {
        "libvpx"
    }

    fn set_rate(&mut self, bits_per_second: u32, frames_per_second: u32) {
        let frames_per_second = frames_per_second.max(1);
        if (bits_per_second, frames_per_second) == (self.bits_per_second, self.frames_per_second) {
            return;
        }
        (self.bits_per_second, self.frames_per_second) = (bits_per_second, frames_per_second);
        if let Some(open) = &self.open {
            // SAFETY: the handle is open. A refusal leaves the former rate, which is harmless.
            unsafe {
                vireo_vp8_encoder_set_rate(open.handle.as_ptr(), self.kilobits(), frames_per_second)
            };
        }
    }

    fn prepare(&mut self, width: u32, height: u32) -> Result<(), MediaError> {
        self.opened(width, height).map(drop)
    }

    fn encode(
        &mut self,
        frame: &VideoFrame,
        key_frame: bool,
    ) -> Result<Option<EncodedFrame>, MediaError> {
        if frame.data.len() < frame_len(frame.width, frame.height) {
            return Err(MediaError::Codec(format!(
                "a picture of {}×{} cannot be coded",
                frame.width, frame.height
            )));
        }
        let handle = self.opened(frame.width, frame.height)?;
        let time = self.time(frame.captured_at);
        let duration = CLOCK / u64::from(self.frames_per_second);
        let (mut data, mut length, mut is_key_frame) = (null(), 0_usize, 0);
        // SAFETY: the frame holds its three planes at the size that the encoder is open for; the out pointers are ours.
        let result = unsafe {
            vireo_vp8_encode(
                handle.as_ptr(),
                frame.data.as_ptr(),
                time,
                duration as c_ulong,
                c_int::from(key_frame),
                &raw mut data,
                &raw mut length,
                &raw mut is_key_frame,
            )
        };
        if result != 0 {
            // The next frame begins anew rather than on what may be broken.
            self.open = None;
            return Err(MediaError::Codec(format!(
                "the VP8 encoder failed (error {result})"
            )));
        }
        if data.is_null() || length == 0 {
            return Ok(None);
        }
        // SAFETY: libvpx keeps the packet until the next call.
        let data = Bytes::copy_from_slice(unsafe { &*slice_from_raw_parts(data, length) });
        Ok(Some(EncodedFrame {
            codec: VideoCodec::Vp8,
            data,
            key_frame: is_key_frame != 0,
            width: frame.width,
            height: frame.height,
            rtp_timestamp: 0,
            captured_at: frame.captured_at,
        }))
    }
}
