//! The way of a picture out: camera thread → newest-wins mailbox → encoder thread → whoever sends it.

use std::collections::VecDeque;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering::Relaxed};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use super::camera_thread::Camera;
use super::scale::Scaler;
use super::trouble::{self, Trouble};
use super::{Mailbox, Taken, VideoFormat, VideoFrame, VideoSink, VideoSource, ladder};
use crate::codec::{EncodedFrame, VideoCodec, VideoEncoder, video_encoder};
use crate::{MediaError, MediaEvent};

/// How often the camera is looked after while no pictures come.
const WATCH: Duration = Duration::from_millis(500);
/// The end of a call waits so long for a camera to be let go.
const RELEASE: Duration = Duration::from_millis(300);
/// The encoder is too slow when it misses more than this share of the pictures.
const TOO_SLOW: f64 = 0.1;

/// What to send.
#[derive(Debug, Clone, Copy)]
pub struct VideoSendOptions {
    /// Size and rate at most. A larger or faster camera is brought down to it.
    pub format: VideoFormat,
    /// Where the rate begins.
    pub bits_per_second: u32,
    /// What to code with; None: nothing is coded yet (the self-view shows already).
    pub codec: Option<VideoCodec>,
}

/// Why the picture is not what the camera gives (W3C `RTCQualityLimitationReason`).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum QualityLimitation {
    /// It is.
    #[default]
    None,
    /// The rate does not allow it.
    Bandwidth,
    /// The encoder does not keep up.
    Cpu,
}

impl QualityLimitation {
    /// W3C's word.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::None => "none",
            Self::Bandwidth => "bandwidth",
            Self::Cpu => "cpu",
        }
    }
}

/// What was sent so far, with W3C's names.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct VideoSendStatistics {
    /// Pictures coded.
    pub frames_encoded: u64,
    /// Of these, key frames.
    pub key_frames_encoded: u64,
    /// Pictures coded in the last second.
    pub frames_per_second: u32,
    /// Of the last coded picture, in pixels.
    pub frame_width: u32,
    /// Of the last coded picture, in rows.
    pub frame_height: u32,
    /// Bits a second aimed at.
    pub target_bitrate: u32,
    /// The implementation; empty before the first picture.
    pub encoder: &'static str,
    /// What it codes with.
    pub codec: Option<VideoCodec>,
    /// Why the picture is smaller or rarer than asked for.
    pub quality_limitation_reason: QualityLimitation,
    /// Time spent coding.
    pub total_encode_time: Duration,
}

#[derive(Debug)]
struct Shared {
    bits_per_second: AtomicU32,
    frames_per_second: AtomicU32,
    key_frame: AtomicBool,
    codec: Mutex<Option<VideoCodec>>,
    /// What will probably be asked for.
    likely: Mutex<Option<VideoCodec>>,
    statistics: Mutex<Statistics>,
}

#[derive(Debug, Default)]
struct Statistics {
    totals: VideoSendStatistics,
    /// When the pictures of the last second were coded.
    recent: VecDeque<Instant>,
}

impl Statistics {
    fn forget_old(&mut self, now: Instant) {
        while self
            .recent
            .front()
            .is_some_and(|&at| now.saturating_duration_since(at) > Duration::from_secs(1))
        {
            self.recent.pop_front();
        }
    }
}

/// Sends the pictures of one camera until it is dropped. Without a camera the call goes on; it is tried again by itself.
pub struct SendChain {
    shared: Arc<Shared>,
    frames: Arc<Mailbox<VideoFrame>>,
    camera: Arc<Camera>,
    encoder: Option<JoinHandle<()>>,
}

impl SendChain {
    /// Starts, with the camera closed until [`Self::set_enabled`]. `open` is called on a thread of its own, again when it
    /// fails or the camera is lost; None from it means that there is to be none. `on_frame` is called on the encoder's
    /// thread, with the capture's time; `on_event` when the camera comes back or goes. None of them may wait.
    pub fn start(
        options: VideoSendOptions,
        open: impl FnMut() -> Result<Option<Box<dyn VideoSource>>, MediaError> + Send + 'static,
        self_view: Option<Box<dyn VideoSink>>,
        on_frame: impl FnMut(EncodedFrame) + Send + 'static,
        on_event: impl FnMut(MediaEvent) + Send + 'static,
    ) -> Self {
        let shared = Arc::new(Shared {
            bits_per_second: AtomicU32::new(options.bits_per_second),
            frames_per_second: AtomicU32::new(options.format.frame_rate),
            key_frame: AtomicBool::new(false),
            codec: Mutex::new(options.codec),
            likely: Mutex::default(),
            statistics: Mutex::default(),
        });
        let frames = Arc::new(Mailbox::new());
        let camera = Camera::new(Box::new(open), Arc::clone(&frames), Box::new(on_event));
        let stage = EncodeStage {
            shared: Arc::clone(&shared),
            frames: Arc::clone(&frames),
            camera: Arc::clone(&camera),
            format: options.format,
            encoder: None,
            step: 0,
            next_due: None,
            load: Load::default(),
            trouble: Trouble::default(),
            scaler: Scaler::default(),
            self_view,
            on_frame: Box::new(on_frame),
        };
        let encoder = thread::Builder::new()
            .name("video encoder".into())
            .spawn(move || stage.run())
            .inspect_err(|error| tracing::error!(%error, "the encoder's thread cannot be started"))
            .ok();
        Self {
            shared,
            frames,
            camera,
            encoder,
        }
    }

    /// Opens the camera, or closes it: nothing is sent then, and its light goes out. One that has failed is tried again at
    /// once, and what comes of it is told.
    pub fn set_enabled(&self, enabled: bool) {
        if enabled {
            self.request_key_frame();
        }
        self.camera.set_enabled(enabled);
    }

    /// What to code with from the next picture on; None: nothing is coded.
    pub fn set_codec(&self, codec: Option<VideoCodec>) {
        *self
            .shared
            .codec
            .lock()
            .unwrap_or_else(PoisonError::into_inner) = codec;
    }

    /// Says what will probably be coded with. With the camera's first picture an encoder is made ready for it, so that the
    /// first one that is coded does not wait for that.
    pub fn prepare(&self, codec: VideoCodec) {
        *self
            .shared
            .likely
            .lock()
            .unwrap_or_else(PoisonError::into_inner) = Some(codec);
    }

    /// What to aim at from the next picture on. The size follows the rate.
    pub fn set_rate(&self, bits_per_second: u32, frames_per_second: u32) {
        self.shared.bits_per_second.store(bits_per_second, Relaxed);
        self.shared
            .frames_per_second
            .store(frames_per_second, Relaxed);
    }

    /// Makes the next picture a key frame.
    pub fn request_key_frame(&self) {
        self.shared.key_frame.store(true, Relaxed);
    }

    /// The counts so far.
    #[must_use]
    pub fn statistics(&self) -> VideoSendStatistics {
        let mut statistics = self
            .shared
            .statistics
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        statistics.forget_old(Instant::now());
        VideoSendStatistics {
            frames_per_second: statistics.recent.len() as u32,
            target_bitrate: self.shared.bits_per_second.load(Relaxed),
            ..statistics.totals
        }
    }
}

impl Drop for SendChain {
    fn drop(&mut self) {
        self.camera.set_enabled(false);
        self.frames.close();
        if let Some(encoder) = self
            .encoder
            .take()
            .filter(|encoder| encoder.thread().id() != thread::current().id())
        {
            // A panic there has been reported by the panic hook.
            let _ = encoder.join();
        }
        self.camera.wait_until_released(RELEASE);
    }
}

impl std::fmt::Debug for SendChain {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("SendChain")
            .field("shared", &self.shared)
            .finish_non_exhaustive()
    }
}

/// The encoder's thread.
struct EncodeStage {
    shared: Arc<Shared>,
    frames: Arc<Mailbox<VideoFrame>>,
    camera: Arc<Camera>,
    format: VideoFormat,
    encoder: Option<Box<dyn VideoEncoder>>,
    /// Of the ladder of sizes.
    step: usize,
    /// When the next picture is wanted, where the camera gives more than that.
    next_due: Option<Instant>,
    load: Load,
    trouble: Trouble,
    scaler: Scaler,
    self_view: Option<Box<dyn VideoSink>>,
    on_frame: Box<dyn FnMut(EncodedFrame) + Send>,
}

impl EncodeStage {
    fn run(mut self) {
        loop {
            match self.frames.take_timeout(WATCH) {
                Taken::Item(frame) => self.handle(&frame),
                Taken::TimedOut => self.camera.watch(Instant::now()),
                Taken::Closed => return,
            }
        }
    }

    /// The picture goes out first; the self-view can wait the few milliseconds.
    fn handle(&mut self, frame: &VideoFrame) {
        let rate = self
            .shared
            .frames_per_second
            .load(Relaxed)
            .clamp(1, self.format.frame_rate.max(1));
        let now = Instant::now();
        if self.is_due(frame.captured_at, rate)
            && self.trouble.may_try(now)
            && let Err(problem) = self.encode(frame, rate)
        {
            self.encoder = None;
            if self.trouble.failed(now, &problem) {
                let sentence = trouble::SENTENCE.to_owned();
                self.camera.tell(MediaEvent::CameraLost(sentence));
            }
        }
        if let Some(view) = self.self_view.as_mut().filter(|_| self.camera.is_enabled()) {
            view.frame(frame);
        }
    }

    fn is_due(&mut self, captured_at: Instant, rate: u32) -> bool {
        let interval = Duration::from_secs(1) / rate;
        // Cameras are not punctual; a third of the time between two pictures is let pass.
        let due = self
            .next_due
            .is_none_or(|due| captured_at + interval / 3 >= due);
        if due {
            let on_time = self.next_due.filter(|&due| captured_at < due + interval);
            self.next_due = Some(on_time.unwrap_or(captured_at) + interval);
        }
        due
    }

    fn encode(&mut self, frame: &VideoFrame, rate: u32) -> Result<(), MediaError> {
        let lock = |codec: &Mutex<_>| *codec.lock().unwrap_or_else(PoisonError::into_inner);
        let agreed = lock(&self.shared.codec);
        let likely = lock(&self.shared.likely);
        let bits = self.shared.bits_per_second.load(Relaxed);
        let within = super::fit(
            frame.width,
            frame.height,
            self.format.width,
            self.format.height,
        );
        let format = VideoFormat {
            width: within.0,
            height: within.1,
            frame_rate: rate,
        };
        self.step = ladder::step(format, bits, self.step);
        let size = ladder::size(format.width, format.height, self.step);
        let Some(codec) = agreed else {
            if let (Some(likely), None) = (likely, &self.encoder) {
                self.prepare(likely, format, size);
            }
            return Ok(());
        };
        let encoder = match &mut self.encoder {
            Some(encoder) if encoder.codec() == codec => encoder,
            slot => slot.insert(video_encoder(codec, format, bits)?),
        };
        encoder.set_rate(bits, rate);
        let key_frame = self.shared.key_frame.swap(false, Relaxed);
        let start = Instant::now();
        let coded = if size == (frame.width, frame.height) {
            encoder.encode(frame, key_frame)
        } else {
            let scaled = self.scaler.scale(frame, size.0, size.1);
            encoder.encode(&scaled, key_frame)
        };
        let name = encoder.name();
        let coded = match coded {
            Ok(Some(coded)) => coded,
            other => {
                // Whoever asked for a key frame still waits for one.
                self.shared.key_frame.fetch_or(key_frame, Relaxed);
                return other.map(|_| ());
            }
        };
        if self.trouble.over() {
            self.camera.tell(MediaEvent::CameraReady);
        }
        self.count(&coded, name, start.elapsed(), rate);
        if self.camera.is_enabled() {
            (self.on_frame)(coded);
        }
        Ok(())
    }

    /// Makes the encoder ready that will probably be agreed on. If that fails it is no trouble yet: another may be agreed on.
    fn prepare(&mut self, codec: VideoCodec, format: VideoFormat, size: (u32, u32)) {
        let bits = self.shared.bits_per_second.load(Relaxed);
        let ready = video_encoder(codec, format, bits).and_then(|mut encoder| {
            encoder.prepare(size.0, size.1)?;
            Ok(encoder)
        });
        match ready {
            Ok(encoder) => self.encoder = Some(encoder),
            Err(error) => {
                tracing::debug!(%error, ?codec, "no encoder could be made ready");
                *self
                    .shared
                    .likely
                    .lock()
                    .unwrap_or_else(PoisonError::into_inner) = None;
            }
        }
    }

    fn count(&mut self, coded: &EncodedFrame, name: &'static str, took: Duration, rate: u32) {
        let limitation = self.limitation(rate);
        let mut statistics = self
            .shared
            .statistics
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        let now = Instant::now();
        statistics.recent.push_back(now);
        statistics.forget_old(now);
        let totals = &mut statistics.totals;
        totals.frames_encoded += 1;
        totals.key_frames_encoded += u64::from(coded.key_frame);
        totals.total_encode_time += took;
        (totals.frame_width, totals.frame_height) = (coded.width, coded.height);
        (totals.encoder, totals.codec) = (name, Some(coded.codec));
        totals.quality_limitation_reason = limitation;
    }

    fn limitation(&mut self, rate: u32) -> QualityLimitation {
        if self.load.is_too_much(self.camera.replaced()) {
            QualityLimitation::Cpu
        } else if self.step > 0 || rate < self.format.frame_rate {
            QualityLimitation::Bandwidth
        } else {
            QualityLimitation::None
        }
    }
}

/// Whether the encoder keeps up with the camera, second by second.
#[derive(Debug, Default)]
struct Load {
    coded: u32,
    replaced_before: u64,
    too_much: bool,
}

impl Load {
    /// Once for every coded picture, with the count of pictures that were replaced before they could be coded.
    fn is_too_much(&mut self, replaced: u64) -> bool {
        self.coded += 1;
        if self.coded == 60 {
            let missed = (replaced - self.replaced_before) as f64;
            self.too_much = missed / (missed + f64::from(self.coded)) > TOO_SLOW;
            (self.coded, self.replaced_before) = (0, replaced);
        }
        self.too_much
    }
}

#[cfg(test)]
mod tests {
    use super::super::{PatternCamera, VideoSource};
    use super::*;

    #[test]
    fn an_encoder_is_made_with_the_first_picture_before_it_is_known_which() {
        let format = VideoFormat {
            width: 320,
            height: 180,
            frame_rate: 60,
        };
        let frames = Arc::new(Mailbox::new());
        let camera = Camera::new(Box::new(|| Ok(None)), Arc::clone(&frames), Box::new(|_| {}));
        let shared = Arc::new(Shared {
            bits_per_second: AtomicU32::new(1_000_000),
            frames_per_second: AtomicU32::new(format.frame_rate),
            key_frame: AtomicBool::new(false),
            codec: Mutex::default(),
            likely: Mutex::default(),
            statistics: Mutex::default(),
        });
        let mut stage = EncodeStage {
            shared: Arc::clone(&shared),
            frames,
            camera,
            format,
            encoder: None,
            step: 0,
            next_due: None,
            load: Load::default(),
            trouble: Trouble::default(),
            scaler: Scaler::default(),
            self_view: None,
            on_frame: Box::new(|_| {}),
        };
        let mut source = PatternCamera::new(format);
        let mut show =
            |stage: &mut EncodeStage| stage.handle(&source.next_frame().expect("a picture"));
        let coded = || {
            shared
                .statistics
                .lock()
                .expect("no panic")
                .totals
                .frames_encoded
        };
        show(&mut stage);
        assert!(stage.encoder.is_none(), "nothing is likely yet");
        *shared.likely.lock().expect("no panic") = Some(VideoCodec::H264);
        show(&mut stage);
        let made = stage.encoder.as_ref().map(|encoder| encoder.codec());
        assert_eq!((made, coded()), (Some(VideoCodec::H264), 0));
        *shared.codec.lock().expect("no panic") = Some(VideoCodec::H264);
        let shown = (0..10).take_while(|_| {
            show(&mut stage);
            coded() == 0
        });
        assert!(shown.count() < 10, "and now it codes");
    }
}
