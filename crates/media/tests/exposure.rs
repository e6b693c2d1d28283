//! A camera that takes longer for its pictures in the dark, and gives fewer.
#![cfg(feature = "codecs")]

use std::sync::atomic::{AtomicBool, Ordering::SeqCst};
use std::sync::{Arc, mpsc};
use std::time::{Duration, Instant};

use vireo_media::video::{PatternCamera, PatternContent, SendChain, VideoSendOptions, VideoTarget};
use vireo_media::{
    EncodedFrame, MediaError, MediaEvent, VideoCodec, VideoFormat, VideoFrame, VideoSource,
};

const FORMAT: VideoFormat = VideoFormat {
    width: 640,
    height: 360,
    frame_rate: 30,
};

/// Gives every third of its pictures when it is dark.
struct Exposing {
    pattern: PatternCamera,
    dark: Arc<AtomicBool>,
}

impl VideoSource for Exposing {
    fn format(&self) -> VideoFormat {
        self.pattern.format()
    }

    fn next_frame(&mut self) -> Result<VideoFrame, MediaError> {
        if self.dark.load(SeqCst) {
            self.pattern.next_frame()?;
            self.pattern.next_frame()?;
        }
        self.pattern.next_frame()
    }
}

/// Bits a second that come within so long.
fn bits_per_second(frames: &mpsc::Receiver<EncodedFrame>, time: Duration) -> f64 {
    let until = Instant::now() + time;
    let mut bits = 0;
    while let Ok(frame) = frames.recv_timeout(until.saturating_duration_since(Instant::now())) {
        bits += frame.data.len() * 8;
    }
    bits as f64 / time.as_secs_f64()
}

#[test]
fn in_the_dark_pictures_are_fewer_and_get_the_bits_of_those_that_do_not_come() {
    let wanted = VideoTarget {
        format: FORMAT,
        bits_per_second: 600_000,
    };
    let options = VideoSendOptions {
        target: Some(wanted),
        codec: Some(VideoCodec::H264),
    };
    let dark = Arc::new(AtomicBool::new(false));
    let theirs = Arc::clone(&dark);
    let open = move || -> Result<Option<Box<dyn VideoSource>>, MediaError> {
        Ok(Some(Box::new(Exposing {
            pattern: PatternCamera::with_content(FORMAT, PatternContent::MovingTexture),
            dark: Arc::clone(&theirs),
        })))
    };
    let (on_frame, frames) = mpsc::channel();
    let (on_event, events) = mpsc::channel();
    let chain = SendChain::start(
        options,
        open,
        None,
        move |frame| drop(on_frame.send(frame)),
        move |event| drop(on_event.send(event)),
    );
    chain.set_enabled(true);
    bits_per_second(&frames, Duration::from_secs(2));
    let in_the_light = chain.statistics().frames_per_second;
    dark.store(true, SeqCst);
    bits_per_second(&frames, Duration::from_secs(3));
    let sent = bits_per_second(&frames, Duration::from_secs(3));
    let in_the_dark = chain.statistics().frames_per_second;
    assert!(
        in_the_light > 2 * in_the_dark,
        "{in_the_light} and {in_the_dark} a second"
    );
    assert!(
        sent > 0.7 * 600_000.0 && sent < 1.3 * 600_000.0,
        "{sent} bit/s"
    );
    let told: Vec<_> = events.try_iter().collect();
    assert_eq!(told, [MediaEvent::CameraReady]);
}
