//! The way of a picture out: camera thread → newest-wins mailbox → encoder thread → whoever sends it.

use std::collections::VecDeque;
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use super::camera_thread::Camera;
use super::scale::Scaler;
use super::trouble::{self, Trouble};
use super::{
    Mailbox, Stage, StageTimes, Taken, VideoFormat, VideoFrame, VideoSink, VideoSource, VideoTarget,
};
use super::{
    encoder_load::EncoderLoad,
    left_out::{LeftOut, LeftOutMeter},
};
use crate::codec::{EncodedFrame, VideoCodec, VideoEncoder, video_encoder};
use crate::{DeviceCause, DeviceTrouble, MediaError, MediaEvent};

/// How often the camera is looked after while no pictures come.
const WATCH: Duration = Duration::from_millis(500);
/// No encoder takes less in either direction.
const SMALLEST: u32 = 16;
/// The end of a call waits so long for a camera to be let go.
const RELEASE: Duration = Duration::from_millis(300);

/// What to send.
#[derive(Debug, Clone, Copy)]
pub struct VideoSendOptions {
    /// What to code to at first; None: nothing is coded.
    pub target: Option<VideoTarget>,
    /// What to code with; None: nothing is coded yet (the self-view shows already).
    pub codec: Option<VideoCodec>,
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
    /// Bits a second aimed at; 0 while nothing is coded.
    pub target_bitrate: u32,
    /// The implementation; empty before the first picture.
    pub encoder: &'static str,
    /// What it codes with.
    pub codec: Option<VideoCodec>,
    /// Share of the time between two pictures that one takes here; above 1 the encoder is too slow. None before it is known.
    pub encoder_load: Option<f64>,
    /// What the encoder has left out of late to keep to its rate. None before it has been measured.
    pub left_out: Option<LeftOut>,
    /// Time spent coding.
    pub total_encode_time: Duration,
    /// From the capture until the picture is as the encoder takes it: converted, scaled, and its turn.
    pub convert: StageTimes,
    /// Coding.
    pub encode: StageTimes,
}

#[derive(Debug)]
struct Shared {
    /// None: nothing is coded.
    target: Mutex<Option<VideoTarget>>,
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
    convert: Stage,
    encode: Stage,
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
            target: Mutex::new(options.target),
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
            encoder: None,
            next_due: None,
            load: EncoderLoad::default(),
            left_out: LeftOutMeter::default(),
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

    /// Another camera is wanted, or there is another one: `open` is called, and what it gives takes the place of the one
    /// before, which goes on until then.
    pub fn reopen(&self) {
        self.camera.reopen();
    }

    /// What to code with from the next picture on; None: nothing is coded.
    pub fn set_codec(&self, codec: Option<VideoCodec>) {
        *lock(&self.shared.codec) = codec;
    }

    /// Says what will probably be coded with. With the camera's first picture an encoder is made ready for it, so that the
    /// first one that is coded does not wait for that.
    pub fn prepare(&self, codec: VideoCodec) {
        *lock(&self.shared.likely) = Some(codec);
    }

    /// What to code to from the next picture on; another size begins with a key frame. None: nothing is coded, while camera
    /// and self-view go on.
    pub fn set_target(&self, target: Option<VideoTarget>) {
        let before = std::mem::replace(&mut *lock(&self.shared.target), target);
        if before.is_none() && target.is_some() {
            self.request_key_frame();
        }
    }

    /// Makes the next picture a key frame.
    pub fn request_key_frame(&self) {
        self.shared.key_frame.store(true, Relaxed);
    }

    /// The counts so far.
    #[must_use]
    pub fn statistics(&self) -> VideoSendStatistics {
        let target = *lock(&self.shared.target);
        let now = Instant::now();
        let mut statistics = lock(&self.shared.statistics);
        statistics.forget_old(now);
        VideoSendStatistics {
            frames_per_second: statistics.recent.len() as u32,
            target_bitrate: target.map_or(0, |target| target.bits_per_second),
            convert: statistics.convert.times(now),
            encode: statistics.encode.times(now),
            total_encode_time: statistics.encode.total(),
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
    encoder: Option<Box<dyn VideoEncoder>>,
    /// When the next picture is wanted, where the camera gives more than that.
    next_due: Option<Instant>,
    load: EncoderLoad,
    left_out: LeftOutMeter,
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
        let now = Instant::now();
        let target = *lock(&self.shared.target);
        let target = target.filter(|target| self.is_due(frame.captured_at, *target));
        let target = target.map(|target| self.as_the_camera_gives(target));
        if let Some(target) = target
            && self.trouble.may_try(now)
            && let Err(problem) = self.encode(frame, target)
        {
            self.encoder = None;
            if self.trouble.failed(now, &problem) {
                let trouble = DeviceTrouble {
                    cause: DeviceCause::Other,
                    sentence: trouble::SENTENCE.to_owned(),
                };
                self.camera.tell(MediaEvent::CameraLost(trouble));
            }
        }
        self.show(frame);
        let interval = target.map(|target| interval(target.format.frame_rate));
        self.load.took(now.elapsed(), interval);
        lock(&self.shared.statistics).totals.encoder_load = self.load.share();
    }

    fn show(&mut self, frame: &VideoFrame) {
        if let Some(view) = self.self_view.as_mut().filter(|_| self.camera.is_enabled()) {
            view.frame(frame);
        }
    }

    /// Whether a picture is wanted, where the camera gives more than that. Who waits for a key frame has waited long enough.
    fn is_due(&mut self, captured_at: Instant, target: VideoTarget) -> bool {
        let interval = interval(target.format.frame_rate);
        // Cameras are not punctual; a third of the time between two pictures is let pass.
        let early = |due: Instant| captured_at + interval / 3 < due;
        let is_due = !self.next_due.is_some_and(early) || self.shared.key_frame.load(Relaxed);
        if is_due {
            let on_time = |due: &Instant| !early(*due) && captured_at < *due + interval;
            let due = self.next_due.filter(on_time).unwrap_or(captured_at);
            self.next_due = Some(due + interval);
        }
        is_due
    }

    /// A camera that gives fewer pictures than are wanted has more bits for each of them, and the encoder more time.
    fn as_the_camera_gives(&self, mut target: VideoTarget) -> VideoTarget {
        let wanted = &mut target.format.frame_rate;
        let given = self.camera.pictures_per_second();
        *wanted = given.map_or(*wanted, |given| given.min(*wanted));
        target
    }

    fn encode(&mut self, frame: &VideoFrame, target: VideoTarget) -> Result<(), MediaError> {
        let agreed = *lock(&self.shared.codec);
        let likely = *lock(&self.shared.likely);
        let format = target.format;
        let (width, height) = as_large_as(frame, format);
        let size = (width.max(SMALLEST), height.max(SMALLEST));
        let Some(codec) = agreed else {
            if let (Some(likely), None) = (likely, &self.encoder) {
                self.prepare(likely, target, size);
            }
            return Ok(());
        };
        let encoder = match &mut self.encoder {
            Some(encoder) if encoder.codec() == codec => encoder,
            slot => slot.insert(video_encoder(codec, format, target.bits_per_second)?),
        };
        encoder.set_rate(target.bits_per_second, format.frame_rate);
        let key_frame = self.shared.key_frame.swap(false, Relaxed);
        let scaled =
            (size != (frame.width, frame.height)).then(|| self.scaler.scale(frame, size.0, size.1));
        let converted_at = Instant::now();
        let coded = encoder.encode(scaled.as_ref().unwrap_or(frame), key_frame);
        let name = encoder.name();
        let coded = match coded {
            Ok(Some(coded)) => coded,
            other => {
                // Whoever asked for a key frame still waits for one.
                self.shared.key_frame.fetch_or(key_frame, Relaxed);
                if other.is_ok() {
                    self.left_out.wanted(false, target.bits_per_second);
                    lock(&self.shared.statistics).totals.left_out = self.left_out.last();
                }
                return other.map(|_| ());
            }
        };
        if self.trouble.over() {
            self.camera.tell(MediaEvent::CameraReady);
        }
        match coded.key_frame {
            true => self.left_out.key_frame(),
            false => self.left_out.wanted(true, target.bits_per_second),
        }
        self.count(&coded, name, converted_at);
        if self.camera.is_enabled() {
            (self.on_frame)(coded);
        }
        Ok(())
    }

    /// Makes the encoder ready that will probably be agreed on. If that fails it is no trouble yet: another may be agreed on.
    fn prepare(&mut self, codec: VideoCodec, target: VideoTarget, size: (u32, u32)) {
        let made = video_encoder(codec, target.format, target.bits_per_second);
        let ready = made.and_then(|mut encoder| {
            encoder.prepare(size.0, size.1)?;
            Ok(encoder)
        });
        match ready {
            Ok(encoder) => self.encoder = Some(encoder),
            Err(error) => {
                tracing::debug!(%error, ?codec, "no encoder could be made ready");
                *lock(&self.shared.likely) = None;
            }
        }
    }

    fn count(&mut self, coded: &EncodedFrame, name: &'static str, converted_at: Instant) {
        let mut statistics = lock(&self.shared.statistics);
        let now = Instant::now();
        let convert = converted_at.saturating_duration_since(coded.captured_at);
        statistics.convert.add(convert, now);
        let encode = now.saturating_duration_since(converted_at);
        statistics.encode.add(encode, now);
        statistics.recent.push_back(now);
        statistics.forget_old(now);
        let totals = &mut statistics.totals;
        totals.frames_encoded += 1;
        totals.key_frames_encoded += u64::from(coded.key_frame);
        (totals.frame_width, totals.frame_height) = (coded.width, coded.height);
        (totals.encoder, totals.codec) = (name, Some(coded.codec));
        totals.left_out = self.left_out.last();
    }
}

/// The time from one picture to the next.
fn interval(frame_rate: u32) -> Duration {
    Duration::from_secs(1) / frame_rate.max(1)
}

/// The size that has at most as many pixels as the format, which lies on its side for a picture that stands.
fn as_large_as(frame: &VideoFrame, format: VideoFormat) -> (u32, u32) {
    let VideoFormat { width, height, .. } = format;
    let (width, height) = if frame.height > frame.width {
        (height.min(width), width.max(height))
    } else {
        (width, height)
    };
    super::fit(frame.width, frame.height, width, height)
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    // Every change is one assignment, so that a poisoned one holds nothing broken.
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
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
            target: Mutex::new(Some(VideoTarget {
                format,
                bits_per_second: 1_000_000,
            })),
            key_frame: AtomicBool::new(false),
            codec: Mutex::default(),
            likely: Mutex::default(),
            statistics: Mutex::default(),
        });
        let mut stage = EncodeStage {
            shared: Arc::clone(&shared),
            frames,
            camera,
            encoder: None,
            next_due: None,
            load: EncoderLoad::default(),
            left_out: LeftOutMeter::default(),
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
