//! Cameras that hang while they are opened. Time is moved on by the tests alone.

use std::sync::mpsc::{Receiver, Sender, channel};

use super::*;
use crate::video::{PatternCamera, VideoFormat};

const PATIENCE: Duration = Duration::from_secs(20);

struct Bench {
    camera: Arc<Camera>,
    events: Receiver<MediaEvent>,
    /// Says when an opener begins.
    opening: Receiver<()>,
    /// Lets one opener go on.
    go_on: Sender<()>,
}

impl Bench {
    fn new() -> Self {
        let (on_event, events) = channel();
        let (begun, opening) = channel();
        let (go_on, wait) = channel();
        let opener = move || -> Result<Option<Box<dyn VideoSource>>, MediaError> {
            let _ = begun.send(());
            let _ = wait.recv();
            Ok(Some(Box::new(PatternCamera::new(VideoFormat {
                width: 320,
                height: 180,
                frame_rate: 30,
            }))))
        };
        let camera = Camera::new(
            Box::new(opener),
            Arc::new(Mailbox::new()),
            Box::new(move |event| drop(on_event.send(event))),
        );
        Self {
            camera,
            events,
            opening,
            go_on,
        }
    }

    fn event(&self) -> MediaEvent {
        self.events.recv_timeout(PATIENCE).expect("an event")
    }

    /// The camera is opened, and comes.
    fn opens(&self) {
        self.opening.recv_timeout(PATIENCE).expect("an opener");
        self.go_on.send(()).expect("the opener waits for it");
        assert_eq!(self.event(), MediaEvent::CameraReady);
    }

    /// Waits until the thread has come as far as the opener.
    fn wait_until_waiting(&self) {
        let deadline = Instant::now() + PATIENCE;
        while self.camera.lock().waiting.is_none() {
            assert!(Instant::now() < deadline, "no thread wants the camera");
            thread::yield_now();
        }
    }

    fn end(self) {
        self.camera.set_enabled(false);
        self.camera.wait_until_released(PATIENCE);
        assert_eq!(self.camera.lock().alive, 0);
        assert!(self.opening.try_recv().is_err(), "it was opened once more");
    }
}

fn later() -> Instant {
    Instant::now() + FIRST_FRAME
}

#[test]
fn a_camera_whose_opening_took_too_long_is_opened_anew_when_that_returns() {
    let bench = Bench::new();
    bench.camera.set_enabled(true);
    bench.opening.recv_timeout(PATIENCE).expect("an opener");
    bench.camera.watch(later());
    assert_eq!(bench.event(), MediaEvent::CameraLost(hangs()));
    assert_eq!(
        bench.camera.lock().alive,
        1,
        "another thread could do nothing"
    );
    bench.go_on.send(()).expect("the opener waits for it");
    bench.opens();
    bench.end();
}

#[test]
fn who_has_waited_too_long_for_the_opener_leaves_it_alone() {
    let bench = Bench::new();
    let held = bench.camera.open.lock().expect("no panic");
    bench.camera.set_enabled(true);
    bench.wait_until_waiting();
    bench.camera.watch(later());
    assert_eq!(bench.event(), MediaEvent::CameraLost(hangs()));
    drop(held);
    bench.opens();
    bench.end();
}

#[test]
fn a_camera_that_was_switched_off_while_another_thread_opened_it_stays_closed() {
    let bench = Bench::new();
    let held = bench.camera.open.lock().expect("no panic");
    bench.camera.set_enabled(true);
    bench.wait_until_waiting();
    bench.camera.set_enabled(false);
    drop(held);
    bench.end();
}

#[test]
fn so_many_threads_hang_and_no_more() {
    let bench = Bench::new();
    bench.camera.lock().alive = MAX_STUCK + 1;
    bench.camera.set_enabled(true);
    assert_eq!(bench.event(), MediaEvent::CameraLost(hangs()));
    assert_eq!(bench.camera.lock().alive, MAX_STUCK + 1);
    // All of them come back; the first makes room.
    bench.camera.lock().alive = 1;
    bench.camera.leave();
    bench.opens();
    bench.end();
}

/// A camera whose pictures all have this brightness; it takes so long for each.
struct Grey(u8, Duration);

impl VideoSource for Grey {
    fn format(&self) -> VideoFormat {
        VideoFormat {
            width: 16,
            height: 16,
            frame_rate: 30,
        }
    }

    fn next_frame(&mut self) -> Result<VideoFrame, MediaError> {
        thread::sleep(self.1);
        let mut frame = VideoFrame::black(16, 16);
        frame.planes_mut()[0].fill(self.0);
        Ok(frame)
    }
}

/// The brightness of the next picture.
fn next(frames: &Mailbox<VideoFrame>) -> u8 {
    match frames.take_timeout(PATIENCE) {
        crate::video::Taken::Item(frame) => frame.data[0],
        _ => panic!("no picture"),
    }
}

#[test]
fn the_camera_before_delivers_until_the_first_picture_of_the_next_one() {
    let (on_event, _events) = channel();
    let (go_on, wait) = channel::<()>();
    let mut number = 0;
    let opener = move || -> Result<Option<Box<dyn VideoSource>>, MediaError> {
        let _ = wait.recv();
        number += 1;
        match number {
            // The second one cannot be opened beside the first.
            2 => Err(MediaError::Device("Busy.".into())),
            _ => Ok(Some(Box::new(Grey(number, Duration::from_millis(2))))),
        }
    };
    let frames = Arc::new(Mailbox::new());
    let camera = Camera::new(
        Box::new(opener),
        Arc::clone(&frames),
        Box::new(move |event| drop(on_event.send(event))),
    );
    camera.set_enabled(true);
    go_on.send(()).expect("an opener");
    assert_eq!(next(&frames), 1);
    camera.reopen();
    for _ in 0..20 {
        assert_eq!(next(&frames), 1, "nobody has let it go yet");
    }
    // It fails; the first one is let go, and then it comes.
    go_on.send(()).expect("an opener");
    go_on.send(()).expect("an opener");
    while next(&frames) != 3 {}
    camera.reopen();
    go_on.send(()).expect("an opener");
    while next(&frames) == 3 {}
    assert_eq!(next(&frames), 4);
    camera.set_enabled(false);
    camera.wait_until_released(PATIENCE);
    assert_eq!(camera.lock().alive, 0);
}
