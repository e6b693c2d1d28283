//! Pictures → H.264, constrained baseline, one slice, no reordering: a frame leaves as soon as it has been coded.
#![allow(unsafe_code)]

use std::mem::size_of;
use std::os::raw::{c_int, c_void};
use std::ptr::{null_mut, slice_from_raw_parts};
use std::time::Instant;

use bytes::{Bytes, BytesMut};
use openh264_sys2 as sys;
use openh264_sys2::source::APILoader;

use super::beginning::Beginning;
use crate::codec::{EncodedFrame, VideoCodec, VideoEncoder};
use crate::video::VideoFormat;
use crate::{MediaError, VideoFrame};

/// Key frames come when they are asked for; a regular one would only cost.
const NO_REGULAR_KEY_FRAMES: u32 = 0;

/// OpenH264 can hold a maximum besides the target, in windows of five seconds. After a change of the rate it counts these
/// wrongly and skips up to 38 pictures in a row, so that only the target is set.
const NO_SECOND_LIMIT: c_int = sys::UNSPECIFIED_BIT_RATE as c_int;

/// The encoder. It opens with the first frame and again when the size changes.
#[derive(Debug)]
pub struct H264Encoder {
    handle: *mut sys::ISVCEncoder,
    /// The size it is open for.
    size: Option<(u32, u32)>,
    /// What is asked for, and what the library keeps to.
    wanted: Rate,
    kept: Rate,
    beginning: Beginning,
    /// What `captured_at` is counted from.
    epoch: Option<Instant>,
    last_timestamp_ms: i64,
    /// 15 kB that the library fills for each frame.
    output: Box<sys::SFrameBSInfo>,
}

/// What pictures are coded to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Rate {
    bits_per_second: u32,
    frames_per_second: u32,
}

impl Rate {
    /// Nobody can ask for less.
    fn new(bits_per_second: u32, frames_per_second: u32) -> Self {
        Self {
            bits_per_second: bits_per_second.max(10_000),
            frames_per_second: frames_per_second.max(1),
        }
    }

    fn bits(self) -> c_int {
        c_int::try_from(self.bits_per_second).unwrap_or(c_int::MAX)
    }
}

// SAFETY: the library's encoder has no tie to the thread that made it, and `&mut self` keeps calls one after the other.
unsafe impl Send for H264Encoder {}

/// Calls a method of an encoder or decoder; the library's objects are pointers to a table of functions.
macro_rules! call {
    ($handle:expr, $method:ident $(, $argument:expr)*) => {
        // SAFETY: the handle came from the library's constructor, is destroyed only on drop, and its table is complete.
        unsafe { ((**$handle).$method.expect("OpenH264's table of functions is complete"))($handle $(, $argument)*) }
    };
}
pub(super) use call;

impl H264Encoder {
    /// Makes an encoder for about this format; each frame says for itself how large it is.
    ///
    /// # Errors
    /// [`MediaError::Codec`] when there is no memory for it.
    pub fn new(format: VideoFormat, bits_per_second: u32) -> Result<Self, MediaError> {
        let mut handle = null_mut();
        // SAFETY: the library writes a pointer to where we say.
        let result = unsafe { APILoader::WelsCreateSVCEncoder(&raw mut handle) };
        if result != 0 || handle.is_null() {
            return Err(MediaError::Codec(format!(
                "the H.264 encoder cannot be made (error {result})"
            )));
        }
        let mut level = sys::WELS_LOG_QUIET as c_int;
        call!(
            handle,
            SetOption,
            sys::ENCODER_OPTION_TRACE_LEVEL,
            (&raw mut level).cast()
        );
        let rate = Rate::new(bits_per_second, format.frame_rate);
        Ok(Self {
            handle,
            size: None,
            wanted: rate,
            kept: rate,
            beginning: Beginning::default(),
            epoch: None,
            last_timestamp_ms: -1,
            output: Box::default(),
        })
    }

    fn open(&mut self, width: u32, height: u32) -> Result<(), MediaError> {
        if self.size.take().is_some() {
            call!(self.handle, Uninitialize);
        }
        let mut settings = sys::SEncParamExt::default();
        call!(self.handle, GetDefaultParams, &raw mut settings);
        self.beginning = Beginning::new(width, height);
        self.kept = self.rate_now();
        let (bits, pictures) = (self.kept.bits(), self.kept.frames_per_second as f32);
        settings.iUsageType = sys::CAMERA_VIDEO_REAL_TIME;
        settings.iPicWidth = width as c_int;
        settings.iPicHeight = height as c_int;
        settings.fMaxFrameRate = pictures;
        settings.iTargetBitrate = bits;
        settings.iMaxBitrate = NO_SECOND_LIMIT;
        settings.iRCMode = sys::RC_BITRATE_MODE;
        // Without leave to skip a frame the library does not keep to its rate: 2 Mbit/s asked gave 4.2. It gets it soon.
        settings.bEnableFrameSkip = self.beginning.may_skip();
        settings.iComplexityMode = sys::LOW_COMPLEXITY;
        settings.iTemporalLayerNum = 1;
        settings.iSpatialLayerNum = 1;
        settings.uiIntraPeriod = NO_REGULAR_KEY_FRAMES;
        settings.iNumRefFrame = 1;
        settings.eSpsPpsIdStrategy = sys::CONSTANT_ID;
        settings.bPrefixNalAddingCtrl = false;
        settings.iEntropyCodingModeFlag = 0;
        settings.bEnableLongTermReference = false;
        settings.iMultipleThreadIdc = 1;
        settings.bEnableDenoise = false;
        // What does not move is left as the key frame had it: 42 instead of 48 dB in a still room, for half the time
        // (1.6 instead of 2.9 ms for a 720p picture).
        settings.bEnableBackgroundDetection = true;
        settings.bEnableAdaptiveQuant = false;
        settings.bEnableSceneChangeDetect = false;
        settings.bEnableFrameCroppingFlag = true;
        let layer = &mut settings.sSpatialLayers[0];
        layer.iVideoWidth = width as c_int;
        layer.iVideoHeight = height as c_int;
        layer.fFrameRate = pictures;
        layer.iSpatialBitrate = bits;
        layer.iMaxSpatialBitrate = NO_SECOND_LIMIT;
        layer.uiProfileIdc = sys::PRO_BASELINE;
        layer.sSliceArgument.uiSliceMode = sys::SM_SINGLE_SLICE;
        // Our pictures are BT.601 in limited range; a decoder would otherwise guess, and guesses BT.709 for large ones.
        layer.bVideoSignalTypePresent = true;
        layer.uiVideoFormat = sys::VF_UNDEF as u8;
        layer.bFullRange = false;
        layer.bColorDescriptionPresent = true;
        layer.uiColorPrimaries = sys::CP_SMPTE170M as u8;
        layer.uiTransferCharacteristics = sys::TRC_SMPTE170M as u8;
        layer.uiColorMatrix = sys::CM_SMPTE170M as u8;
        let result = call!(self.handle, InitializeExt, &raw const settings);
        if result != 0 {
            return Err(MediaError::Codec(format!(
                "the H.264 encoder refuses {width}×{height} (error {result})"
            )));
        }
        self.size = Some((width, height));
        Ok(())
    }

    fn rate_now(&self) -> Rate {
        let (bits, pictures) = (self.wanted.bits_per_second, self.wanted.frames_per_second);
        Rate {
            bits_per_second: self.beginning.rate(bits, pictures),
            frames_per_second: pictures,
        }
    }

    /// Has the library keep to what the next picture is to be coded to.
    fn keep_to_rate(&mut self) {
        let rate = self.rate_now();
        if rate.frames_per_second != self.kept.frames_per_second {
            let mut pictures = rate.frames_per_second as f32;
            self.set(sys::ENCODER_OPTION_FRAME_RATE, &mut pictures);
        }
        if rate != self.kept {
            let mut bits = sys::SBitrateInfo {
                iLayer: sys::SPATIAL_LAYER_ALL,
                iBitrate: rate.bits(),
            };
            self.set(sys::ENCODER_OPTION_BITRATE, &mut bits);
        }
        self.kept = rate;
    }

    /// What becomes of the beginning decides whether pictures may be left out.
    fn begin(&mut self, next: Beginning) {
        let before = self.beginning.may_skip();
        self.beginning = next;
        let mut may_skip = next.may_skip();
        if may_skip != before {
            self.set(sys::ENCODER_OPTION_RC_FRAME_SKIP, &mut may_skip);
        }
    }

    fn set<T>(&self, option: sys::ENCODER_OPTION, value: &mut T) {
        call!(
            self.handle,
            SetOption,
            option,
            std::ptr::from_mut(value).cast::<c_void>()
        );
    }

    fn timestamp_ms(&mut self, captured_at: Instant) -> i64 {
        let epoch = *self.epoch.get_or_insert(captured_at);
        let since = i64::try_from(captured_at.saturating_duration_since(epoch).as_millis())
            .unwrap_or(i64::MAX);
        self.last_timestamp_ms = since.max(self.last_timestamp_ms + 1);
        self.last_timestamp_ms
    }

    /// What the library wrote: every layer's NAL units lie one behind the other.
    fn output(&self) -> Bytes {
        let mut data =
            BytesMut::with_capacity(usize::try_from(self.output.iFrameSizeInBytes).unwrap_or(0));
        let layers = usize::try_from(self.output.iLayerNum).unwrap_or(0);
        for layer in self.output.sLayerInfo.iter().take(layers) {
            let units = usize::try_from(layer.iNalCount).unwrap_or(0);
            // SAFETY: the library says how many lengths there are, and the units lie contiguously from `pBsBuf`; both stay valid until the next call.
            let bytes = unsafe {
                let lengths = &*slice_from_raw_parts(layer.pNalLengthInByte, units);
                let total = lengths
                    .iter()
                    .map(|&length| usize::try_from(length).unwrap_or(0))
                    .sum();
                &*slice_from_raw_parts(layer.pBsBuf.cast_const(), total)
            };
            data.extend_from_slice(bytes);
        }
        data.freeze()
    }
}

impl VideoEncoder for H264Encoder {
    fn codec(&self) -> VideoCodec {
        VideoCodec::H264
    }

    fn name(&self) -> &'static str {
        "OpenH264"
    }

    fn set_rate(&mut self, bits_per_second: u32, frames_per_second: u32) {
        self.wanted = Rate::new(bits_per_second, frames_per_second);
    }

    fn prepare(&mut self, width: u32, height: u32) -> Result<(), MediaError> {
        if self.size == Some((width, height)) {
            return Ok(());
        }
        self.open(width, height)
    }

    fn encode(
        &mut self,
        frame: &VideoFrame,
        key_frame: bool,
    ) -> Result<Option<EncodedFrame>, MediaError> {
        if frame.width < 16
            || frame.height < 16
            || frame.data.len() < crate::video::frame_len(frame.width, frame.height)
        {
            return Err(MediaError::Codec(format!(
                "a picture of {}×{} cannot be coded",
                frame.width, frame.height
            )));
        }
        if self.size != Some((frame.width, frame.height)) {
            self.open(frame.width, frame.height)?;
        } else if key_frame {
            self.begin(self.beginning.before_key_frame());
            call!(self.handle, ForceIntraFrame, true);
        }
        self.keep_to_rate();
        let planes = frame.planes().map(|plane| plane.as_ptr().cast_mut());
        let chroma = frame.chroma_width() as c_int;
        let picture = sys::SSourcePicture {
            iColorFormat: sys::videoFormatI420,
            iStride: [frame.width as c_int, chroma, chroma, 0],
            pData: [planes[0], planes[1], planes[2], null_mut()],
            iPicWidth: frame.width as c_int,
            iPicHeight: frame.height as c_int,
            uiTimeStamp: self.timestamp_ms(frame.captured_at),
            ..Default::default()
        };
        const { assert!(size_of::<sys::SFrameBSInfo>() < 1 << 16) };
        let result = call!(
            self.handle,
            EncodeFrame,
            &raw const picture,
            &raw mut *self.output
        );
        if result != 0 {
            // The next frame begins anew rather than on what may be broken.
            self.size = None;
            call!(self.handle, Uninitialize);
            return Err(MediaError::Codec(format!(
                "the H.264 encoder failed (error {result})"
            )));
        }
        if self.output.eFrameType == sys::videoFrameTypeSkip
            || self.output.eFrameType == sys::videoFrameTypeInvalid
        {
            return Ok(None);
        }
        self.begin(self.beginning.after_picture());
        Ok(Some(EncodedFrame {
            codec: VideoCodec::H264,
            data: self.output(),
            key_frame: self.output.eFrameType == sys::videoFrameTypeIDR,
            width: frame.width,
            height: frame.height,
            rtp_timestamp: 0,
            captured_at: frame.captured_at,
        }))
    }
}

impl Drop for H264Encoder {
    fn drop(&mut self) {
        if self.size.is_some() {
            call!(self.handle, Uninitialize);
        }
        // SAFETY: made by the library, destroyed once.
        unsafe { APILoader::WelsDestroySVCEncoder(self.handle) };
    }
}
