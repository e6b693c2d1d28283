//! The chain from camera to coded frames, with cameras that work, fail, vanish and hang.
#![cfg(feature = "codecs")]

use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering::SeqCst};
use std::sync::{Arc, Mutex, mpsc};
use std::time::{Duration, Instant};

use vireo_media::codec::video_decoder;
use vireo_media::video::{
    PatternCamera, SendChain, VideoSendOptions, VideoTarget, read_time_code_at, unix_ms_now,
};
use vireo_media::{
    DeviceTrouble, EncodedFrame, MediaError, MediaEvent, VideoCodec, VideoFormat, VideoFrame,
    VideoSink, VideoSource,
};

const FORMAT: VideoFormat = VideoFormat {
    width: 640,
    height: 360,
    frame_rate: 60,
};
const LONG: Duration = Duration::from_secs(20);

fn target(width: u32, height: u32) -> VideoTarget {
    VideoTarget {
        format: VideoFormat {
            width,
            height,
            frame_rate: 60,
        },
        bits_per_second: 1_000_000,
    }
}

fn options(codec: VideoCodec) -> VideoSendOptions {
    VideoSendOptions {
        target: Some(target(640, 360)),
        codec: Some(codec),
    }
}

/// A pattern camera that knows whether it is open and can be made to fail.
struct Camera {
    pattern: PatternCamera,
    open: Arc<AtomicUsize>,
    fail: Arc<AtomicBool>,
}

impl Camera {
    fn open(
        open: &Arc<AtomicUsize>,
        fail: &Arc<AtomicBool>,
    ) -> Result<Option<Box<dyn VideoSource>>, MediaError> {
        if fail.load(SeqCst) {
            return Err(MediaError::NoDevice(
                "There is no camera. Plug one in.".into(),
            ));
        }
        open.fetch_add(1, SeqCst);
        let (open, fail) = (Arc::clone(open), Arc::clone(fail));
        Ok(Some(Box::new(Self {
            pattern: PatternCamera::new(FORMAT),
            open,
            fail,
        })))
    }
}

impl VideoSource for Camera {
    fn format(&self) -> VideoFormat {
        FORMAT
    }

    fn next_frame(&mut self) -> Result<VideoFrame, MediaError> {
        if self.fail.load(SeqCst) {
            return Err(MediaError::DeviceLost(
                "The camera is gone. Plug it in again.".into(),
            ));
        }
        self.pattern.next_frame()
    }
}

impl Drop for Camera {
    fn drop(&mut self) {
        self.open.fetch_sub(1, SeqCst);
    }
}

struct Bench {
    chain: SendChain,
    frames: mpsc::Receiver<EncodedFrame>,
    events: mpsc::Receiver<MediaEvent>,
    open: Arc<AtomicUsize>,
    fail: Arc<AtomicBool>,
}

fn bench(codec: VideoCodec) -> Bench {
    let (open, fail) = (Arc::<AtomicUsize>::default(), Arc::<AtomicBool>::default());
    let (on_frame, frames) = mpsc::channel();
    let (on_event, events) = mpsc::channel();
    let opener = {
        let (open, fail) = (Arc::clone(&open), Arc::clone(&fail));
        move || Camera::open(&open, &fail)
    };
    let chain = SendChain::start(
        options(codec),
        opener,
        None,
        move |frame| drop(on_frame.send(frame)),
        move |event| drop(on_event.send(event)),
    );
    Bench {
        chain,
        frames,
        events,
        open,
        fail,
    }
}

impl Bench {
    fn next(&self) -> EncodedFrame {
        self.frames.recv_timeout(LONG).expect("a frame")
    }

    fn wait_until_closed(&self) {
        let deadline = Instant::now() + LONG;
        while self.open.load(SeqCst) > 0 {
            assert!(Instant::now() < deadline, "the camera stays open");
            std::thread::yield_now();
        }
    }
}

#[test]
fn pictures_come_out_decodable_and_fresh() {
    for codec in [VideoCodec::H264, VideoCodec::Vp8] {
        let bench = bench(codec);
        bench.chain.set_enabled(true);
        let mut decoder = video_decoder(codec).expect("a decoder");
        let mut ages = Vec::new();
        for number in 0..30 {
            let coded = bench.next();
            assert_eq!(coded.key_frame, number == 0, "{codec:?} {number}");
            assert_eq!((coded.width, coded.height), (640, 360));
            let picture = decoder
                .decode(&coded.data)
                .expect("decodable")
                .expect("a picture");
            ages.push(read_time_code_at(&picture, unix_ms_now()).expect("a readable time code"));
        }
        ages.sort_by(f64::total_cmp);
        assert!(ages[15] < 100.0, "{codec:?}: {ages:?}");
        let statistics = bench.chain.statistics();
        assert!(
            statistics.frames_encoded >= 30 && statistics.frames_per_second > 0,
            "{statistics:?}"
        );
        assert_eq!(statistics.key_frames_encoded, 1);
        assert_eq!(statistics.codec, Some(codec));
        assert!(
            statistics.encoder_load.is_some_and(|load| load > 0.0),
            "{statistics:?}"
        );
    }
}

#[test]
fn a_key_frame_comes_when_asked_for() {
    let bench = bench(VideoCodec::H264);
    bench.chain.set_enabled(true);
    assert!(bench.next().key_frame);
    assert!(!bench.next().key_frame);
    bench.chain.request_key_frame();
    let deadline = Instant::now() + LONG;
    while !bench.next().key_frame {
        assert!(Instant::now() < deadline);
    }
}

#[test]
fn who_asks_for_a_key_frame_does_not_wait_for_the_time_of_the_next_picture() {
    let bench = bench(VideoCodec::H264);
    bench.chain.set_enabled(true);
    assert!(bench.next().key_frame);
    let mut seldom = target(640, 360);
    seldom.format.frame_rate = 1;
    bench.chain.set_target(Some(seldom));
    // Until the last picture is a second away from the next one.
    while bench
        .frames
        .recv_timeout(Duration::from_millis(300))
        .is_ok()
    {}
    bench.chain.request_key_frame();
    let asked = Instant::now();
    assert!(bench.next().key_frame);
    let waited = asked.elapsed();
    assert!(waited < Duration::from_millis(400), "{waited:?}");
}

#[test]
fn camera_off_closes_the_device_and_on_begins_with_a_key_frame() {
    let bench = bench(VideoCodec::H264);
    assert_eq!(bench.open.load(SeqCst), 0, "no camera before it is wanted");
    bench.chain.set_enabled(true);
    bench.next();
    bench.chain.set_enabled(false);
    bench.wait_until_closed();
    while bench
        .frames
        .recv_timeout(Duration::from_millis(200))
        .is_ok()
    {}
    bench.chain.set_enabled(true);
    assert!(bench.next().key_frame);
    assert_eq!(bench.open.load(SeqCst), 1);
    drop(bench.chain);
    assert_eq!(bench.open.load(SeqCst), 0, "the end lets the camera go");
    let events: Vec<_> = bench.events.try_iter().collect();
    assert_eq!(
        events,
        [MediaEvent::CameraReady, MediaEvent::CameraReady],
        "nothing went wrong"
    );
}

#[test]
fn whoever_asks_for_a_camera_again_hears_again_what_comes_of_it() {
    let bench = bench(VideoCodec::Vp8);
    bench.fail.store(true, SeqCst);
    let lost = MediaEvent::CameraLost(
        (&MediaError::NoDevice("There is no camera. Plug one in.".into())).into(),
    );
    for _ in 0..3 {
        bench.chain.set_enabled(true);
        assert_eq!(bench.events.recv_timeout(LONG), Ok(lost.clone()));
    }
    bench.chain.set_enabled(false);
    bench.fail.store(false, SeqCst);
    bench.chain.set_enabled(true);
    assert_eq!(bench.events.recv_timeout(LONG), Ok(MediaEvent::CameraReady));
    assert!(bench.next().key_frame);
}

#[test]
fn a_camera_that_was_not_wanted_is_asked_for_again() {
    let (ask, asked) = mpsc::channel();
    let (on_frame, frames) = mpsc::channel();
    let mut wanted = false;
    let opener = move || -> Result<Option<Box<dyn VideoSource>>, MediaError> {
        let _ = ask.send(());
        let camera: Box<dyn VideoSource> = Box::new(PatternCamera::new(FORMAT));
        Ok(std::mem::replace(&mut wanted, true).then_some(camera))
    };
    let chain = SendChain::start(
        options(VideoCodec::H264),
        opener,
        None,
        move |frame: EncodedFrame| drop(on_frame.send(frame)),
        |_| {},
    );
    chain.set_enabled(true);
    asked.recv_timeout(LONG).expect("the first time");
    let deadline = Instant::now() + LONG;
    // Whether the first answer has been taken already cannot be seen from here.
    while asked.try_recv().is_err() {
        chain.set_enabled(true);
        assert!(Instant::now() < deadline, "never asked again");
        std::thread::yield_now();
    }
    assert!(frames.recv_timeout(LONG).expect("a picture").key_frame);
}

#[test]
fn a_missing_camera_is_said_once_and_used_when_it_comes() {
    let bench = bench(VideoCodec::Vp8);
    bench.fail.store(true, SeqCst);
    bench.chain.set_enabled(true);
    let lost = MediaEvent::CameraLost(
        (&MediaError::NoDevice("There is no camera. Plug one in.".into())).into(),
    );
    assert_eq!(bench.events.recv_timeout(LONG), Ok(lost));
    bench.fail.store(false, SeqCst);
    assert!(bench.next().key_frame);
    assert_eq!(bench.events.recv_timeout(LONG), Ok(MediaEvent::CameraReady));
}

#[test]
fn a_vanished_camera_is_said_and_used_again_when_it_is_back() {
    let bench = bench(VideoCodec::H264);
    bench.chain.set_enabled(true);
    bench.next();
    bench.fail.store(true, SeqCst);
    let lost = MediaEvent::CameraLost(
        (&MediaError::DeviceLost("The camera is gone. Plug it in again.".into())).into(),
    );
    assert_eq!(bench.events.recv_timeout(LONG), Ok(MediaEvent::CameraReady));
    assert_eq!(bench.events.recv_timeout(LONG), Ok(lost));
    bench.wait_until_closed();
    bench.fail.store(false, SeqCst);
    assert_eq!(bench.events.recv_timeout(LONG), Ok(MediaEvent::CameraReady));
    while bench.frames.try_recv().is_ok() {}
    bench.next();
}

/// Gives one picture and then hangs until the test lets go.
struct Hanging(Option<VideoFrame>, Arc<Mutex<()>>);

impl VideoSource for Hanging {
    fn format(&self) -> VideoFormat {
        FORMAT
    }

    fn next_frame(&mut self) -> Result<VideoFrame, MediaError> {
        if let Some(frame) = self.0.take() {
            return Ok(frame);
        }
        drop(self.1.lock());
        Err(MediaError::DeviceLost("It hung, and is gone.".into()))
    }
}

#[test]
fn a_hanging_camera_is_noticed_and_replaced() {
    let hang = Arc::new(Mutex::new(()));
    let held = hang.lock().expect("not poisoned");
    let (on_frame, frames) = mpsc::channel();
    let (on_event, events) = mpsc::channel();
    let mut first = true;
    let opener = {
        let hang = Arc::clone(&hang);
        move || -> Result<Option<Box<dyn VideoSource>>, MediaError> {
            Ok(Some(if std::mem::take(&mut first) {
                Box::new(Hanging(
                    Some(VideoFrame::black(640, 360)),
                    Arc::clone(&hang),
                ))
            } else {
                Box::new(PatternCamera::new(FORMAT))
            }))
        }
    };
    let chain = SendChain::start(
        options(VideoCodec::H264),
        opener,
        None,
        move |frame: EncodedFrame| drop(on_frame.send(frame)),
        move |event| drop(on_event.send(event)),
    );
    chain.set_enabled(true);
    frames.recv_timeout(LONG).expect("the first picture");
    assert_eq!(events.recv_timeout(LONG), Ok(MediaEvent::CameraReady));
    match events.recv_timeout(LONG).expect("an event") {
        MediaEvent::CameraLost(DeviceTrouble { sentence, .. }) => {
            assert!(sentence.contains("stopped sending pictures"), "{sentence}")
        }
        other => panic!("{other:?}"),
    }
    assert_eq!(events.recv_timeout(LONG), Ok(MediaEvent::CameraReady));
    frames
        .recv_timeout(LONG)
        .expect("the other camera's picture");
    drop(held);
}

/// Gives pictures that no encoder takes until it is told to stop that.
struct Empty {
    pattern: PatternCamera,
    empty: Arc<AtomicBool>,
}

impl VideoSource for Empty {
    fn format(&self) -> VideoFormat {
        FORMAT
    }

    fn next_frame(&mut self) -> Result<VideoFrame, MediaError> {
        let frame = self.pattern.next_frame()?;
        let data = if self.empty.load(SeqCst) {
            Vec::new()
        } else {
            frame.data
        };
        Ok(VideoFrame { data, ..frame })
    }
}

#[test]
fn pictures_that_cannot_be_coded_are_said_and_so_is_the_end_of_that() {
    let empty = Arc::new(AtomicBool::new(true));
    let (on_frame, frames) = mpsc::channel();
    let (on_event, events) = mpsc::channel();
    let theirs = Arc::clone(&empty);
    let chain = SendChain::start(
        options(VideoCodec::H264),
        move || {
            Ok(Some(Box::new(Empty {
                pattern: PatternCamera::new(FORMAT),
                empty: Arc::clone(&theirs),
            })))
        },
        None,
        move |frame: EncodedFrame| drop(on_frame.send(frame)),
        move |event| drop(on_event.send(event)),
    );
    chain.set_enabled(true);
    assert_eq!(events.recv_timeout(LONG), Ok(MediaEvent::CameraReady));
    match events.recv_timeout(LONG).expect("an event") {
        MediaEvent::CameraLost(DeviceTrouble { sentence, .. }) => {
            assert!(sentence.contains("encode"), "{sentence}")
        }
        other => panic!("{other:?}"),
    }
    empty.store(false, SeqCst);
    assert!(frames.recv_timeout(LONG).expect("a picture").key_frame);
    let ready = |event| event == MediaEvent::CameraReady;
    assert!(events.iter().any(ready), "the end of it is said");
}

struct View(mpsc::Sender<u32>);

impl VideoSink for View {
    fn frame(&mut self, frame: &VideoFrame) {
        let _ = self.0.send(frame.width);
    }
}

#[test]
fn the_self_view_shows_before_anything_is_sent_and_what_is_sent_is_no_larger_than_asked_for() {
    let (view, seen) = mpsc::channel();
    let (on_frame, frames) = mpsc::channel();
    let chain = SendChain::start(
        VideoSendOptions {
            codec: None,
            ..options(VideoCodec::H264)
        },
        || Ok(Some(Box::new(PatternCamera::new(FORMAT)))),
        Some(Box::new(View(view))),
        move |frame: EncodedFrame| drop(on_frame.send(frame)),
        |_| {},
    );
    chain.set_enabled(true);
    assert_eq!(seen.recv_timeout(LONG), Ok(640));
    assert!(frames.try_recv().is_err());
    chain.set_target(Some(target(320, 180)));
    chain.set_codec(Some(VideoCodec::H264));
    let first = frames.recv_timeout(LONG).expect("a frame");
    assert!(
        first.key_frame && first.width == 320,
        "{} pixels wide",
        first.width
    );
    chain.set_codec(Some(VideoCodec::Vp8));
    let deadline = Instant::now() + LONG;
    let changed = loop {
        let frame = frames.recv_timeout(LONG).expect("a frame");
        if frame.codec == VideoCodec::Vp8 {
            break frame;
        }
        assert!(Instant::now() < deadline);
    };
    assert!(changed.key_frame);
}

#[test]
fn nothing_is_coded_while_there_is_no_target_and_the_self_view_goes_on() {
    let (view, seen) = mpsc::channel();
    let (on_frame, frames) = mpsc::channel();
    let chain = SendChain::start(
        options(VideoCodec::H264),
        || Ok(Some(Box::new(PatternCamera::new(FORMAT)))),
        Some(Box::new(View(view))),
        move |frame: EncodedFrame| drop(on_frame.send(frame)),
        |_| {},
    );
    chain.set_enabled(true);
    frames.recv_timeout(LONG).expect("a frame");
    chain.set_target(None);
    // One may have been on its way.
    for _ in 0..2 {
        seen.recv_timeout(LONG).expect("the self-view");
    }
    while frames.try_recv().is_ok() {}
    while seen.try_recv().is_ok() {}
    for _ in 0..10 {
        seen.recv_timeout(LONG).expect("the self-view");
    }
    assert!(frames.try_recv().is_err(), "nothing is coded");
    assert_eq!(chain.statistics().target_bitrate, 0);
    chain.set_target(Some(target(640, 360)));
    assert!(frames.recv_timeout(LONG).expect("a frame").key_frame);
}

#[test]
fn another_size_begins_with_a_key_frame_and_every_picture_can_be_decoded() {
    for codec in [VideoCodec::H264, VideoCodec::Vp8] {
        let bench = bench(codec);
        bench.chain.set_enabled(true);
        let mut decoder = video_decoder(codec).expect("a decoder");
        let mut size = (0, 0);
        for (width, height) in [(640, 360), (320, 180), (480, 270), (640, 360)] {
            bench.chain.set_target(Some(target(width, height)));
            for _ in 0..8 {
                let coded = bench.next();
                let changes = size != (coded.width, coded.height);
                assert!(coded.key_frame || !changes, "{codec:?} {size:?}");
                size = (coded.width, coded.height);
                let picture = decoder.decode(&coded.data).expect("decodable");
                let picture = picture.expect("a picture");
                assert_eq!((picture.width, picture.height), size);
            }
            assert_eq!(size, (width, height), "{codec:?}");
        }
    }
}
