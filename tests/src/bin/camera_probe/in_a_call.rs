//! What becomes of cameras while a call goes on: another one is chosen, one is pulled out and comes back, it gets dark, one
//! stands on its side. The cameras are USB's, everything after them is the product's own.

use std::sync::mpsc::{self, Receiver, RecvTimeoutError};
use std::sync::{Arc, OnceLock};
use std::time::{Duration, Instant};

use anyhow::{Context, bail, ensure};
use serde_json::json;
use vireo_media::codec::video_decoder;
use vireo_media::video::{Rotation, SendChain, VideoSendOptions, VideoTarget, cameras};
use vireo_media::{
    DeviceKind, DeviceNews, EncodedFrame, Following, MediaEvent, Selection, VideoCodec,
    VideoDecoder, VideoFormat, VideoFrame,
};

use crate::PATIENCE;
use crate::formats::wait_for_cameras;
use crate::scene::{Encoding, corners};
use crate::usb::{Mode, UsbCamera};

const FORMAT: VideoFormat = VideoFormat {
    width: 320,
    height: 192,
    frame_rate: 15,
};

/// Emulated, the machine is no faster than this.
const MODES: &[Mode] = &[Mode {
    encoding: Encoding::Yuyv,
    width: 320,
    height: 192,
    rate: 15,
}];

/// What comes within this time after a change belongs to it. A camera that is lost sooner after it was opened is not
/// replaced at once.
const AFTER: Duration = Duration::from_millis(1_500);

pub fn probe() -> anyhow::Result<serde_json::Value> {
    let desk = UsbCamera::plug(0, "Desk camera", MODES)?;
    wait_for_cameras(1)?;
    let shelf = UsbCamera::plug(1, "Shelf camera", MODES)?;
    wait_for_cameras(2)?;
    let mut call = Call::start("Desk camera")?;
    call.until(|| desk.mode().is_some())?;
    let quiet = call.gap(AFTER)?;

    call.choose("Shelf camera")?;
    let changed = call.gap_until(|| desk.mode().is_none() && shelf.mode().is_some())?;

    drop(shelf);
    let lost = call.gap_until(|| desk.mode().is_some())?;
    let shelf = UsbCamera::plug(1, "Shelf camera", MODES)?;
    let back = call.gap_until(|| shelf.mode().is_some() && desk.mode().is_none())?;
    let told_meanwhile = call.told();

    drop(shelf);
    drop(desk);
    let all_lost = call.wait_for(|event| matches!(event, MediaEvent::CameraLost(_)))?;
    let desk = UsbCamera::plug(0, "Desk camera", MODES)?;
    call.wait_for(|event| *event == MediaEvent::CameraReady)?;
    call.until(|| desk.mode().is_some())?;

    let upright = call.next_picture()?;
    call.turn(Rotation::Quarter)?;
    let turned = call.picture_like(|frame| frame.height > frame.width)?;
    call.turn(Rotation::Half)?;
    let head_over_heels = call.picture_like(|frame| frame.width > frame.height)?;
    call.turn(Rotation::None)?;

    call.told();
    let before = call.rate()?;
    desk.expose(3);
    let dark = call.rate()?;
    let told_in_the_dark = call.told();
    Ok(json!({
        "gapsMs": {
            "quiet": quiet,
            "changed": changed,
            "lost": lost,
            "back": back,
        },
        "toldMeanwhile": told_meanwhile,
        "allLost": all_lost,
        "upright": corners(&upright),
        "turned": { "corners": corners(&turned), "size": [turned.width, turned.height] },
        "headOverHeels": corners(&head_over_heels),
        "rates": [before, dark],
        "toldInTheDark": told_in_the_dark,
    }))
}

/// A call's pictures on their way out, with the cameras followed as a call follows them.
struct Call {
    selection: Selection,
    chain: Arc<OnceLock<SendChain>>,
    frames: Receiver<(Instant, EncodedFrame)>,
    events: Receiver<MediaEvent>,
    decoder: Box<dyn VideoDecoder>,
    _following: Following,
}

impl Call {
    fn start(camera: &str) -> anyhow::Result<Self> {
        let selection = Selection::new();
        selection.choose(DeviceKind::Camera, Some(&id_of(camera)?));
        let chain = Arc::new(OnceLock::<SendChain>::new());
        let theirs = Arc::clone(&chain);
        let following = selection.follow(move |news| {
            if let DeviceNews::Changed {
                kind: DeviceKind::Camera,
                using: Some(_),
                ..
            } = news
                && let Some(chain) = theirs.get()
            {
                chain.reopen();
            }
        });
        let (on_frame, frames) = mpsc::channel();
        let (on_event, events) = mpsc::channel();
        let opening = selection.clone();
        let target = VideoTarget {
            format: FORMAT,
            bits_per_second: 500_000,
        };
        let started = SendChain::start(
            VideoSendOptions {
                target: Some(target),
                codec: Some(VideoCodec::H264),
            },
            move || Ok(Some(Box::new(opening.open_camera(FORMAT)?))),
            None,
            move |frame| drop(on_frame.send((Instant::now(), frame))),
            move |event| drop(on_event.send(event)),
        );
        started.set_enabled(true);
        ensure!(chain.set(started).is_ok(), "there is one chain");
        Ok(Self {
            selection,
            chain,
            frames,
            events,
            decoder: video_decoder(VideoCodec::H264)?,
            _following: following,
        })
    }

    fn choose(&self, camera: &str) -> anyhow::Result<()> {
        self.selection
            .choose(DeviceKind::Camera, Some(&id_of(camera)?));
        Ok(())
    }

    fn turn(&self, rotation: Rotation) -> anyhow::Result<()> {
        let camera = cameras().first().context("there is a camera")?.id.clone();
        self.selection.rotation(&camera).set(rotation);
        Ok(())
    }

    /// The next picture's arrival. It is decoded in any case: each needs the one before.
    fn next(&mut self) -> anyhow::Result<(Instant, Option<VideoFrame>)> {
        match self.frames.recv_timeout(PATIENCE) {
            Ok((at, coded)) => Ok((at, self.decoder.decode(&coded.data)?)),
            Err(RecvTimeoutError::Timeout | RecvTimeoutError::Disconnected) => {
                bail!("no picture came; told were {:?}", self.told())
            }
        }
    }

    fn next_picture(&mut self) -> anyhow::Result<VideoFrame> {
        loop {
            if let (_, Some(frame)) = self.next()? {
                return Ok(frame);
            }
        }
    }

    fn picture_like(&mut self, wanted: impl Fn(&VideoFrame) -> bool) -> anyhow::Result<VideoFrame> {
        let since = Instant::now();
        loop {
            let frame = self.next_picture()?;
            if wanted(&frame) {
                return Ok(frame);
            }
            ensure!(since.elapsed() < PATIENCE, "no such picture came");
        }
    }

    fn until(&mut self, done: impl Fn() -> bool) -> anyhow::Result<()> {
        let since = Instant::now();
        while !done() {
            self.next()?;
            ensure!(since.elapsed() < PATIENCE, "it does not become so");
        }
        Ok(())
    }

    /// The longest time between two pictures, in milliseconds, until something is so and for a moment after.
    fn gap_until(&mut self, done: impl Fn() -> bool) -> anyhow::Result<u128> {
        let since = Instant::now();
        let (mut before, mut longest, mut end) = (since, Duration::ZERO, None);
        while end.is_none_or(|end| before < end) {
            let (at, _) = self.next()?;
            longest = longest.max(at.saturating_duration_since(before));
            before = at;
            if end.is_none() && done() {
                end = Some(at + AFTER);
            }
            ensure!(since.elapsed() < PATIENCE, "it does not become so");
        }
        Ok(longest.as_millis())
    }

    fn gap(&mut self, time: Duration) -> anyhow::Result<u128> {
        let until = Instant::now() + time;
        self.gap_until(|| Instant::now() >= until)
    }

    /// What the person would have been told since the last question.
    fn told(&self) -> Vec<String> {
        let events = self.events.try_iter();
        events.map(|event| format!("{event:?}")).collect()
    }

    fn wait_for(&self, wanted: impl Fn(&MediaEvent) -> bool) -> anyhow::Result<String> {
        loop {
            let event = self.events.recv_timeout(PATIENCE)?;
            if wanted(&event) {
                return Ok(format!("{event:?}"));
            }
        }
    }

    /// Pictures a second, over four seconds.
    fn rate(&mut self) -> anyhow::Result<f64> {
        let (since, _) = self.next()?;
        let mut number = 0;
        loop {
            let (at, _) = self.next()?;
            number += 1;
            let time = at.duration_since(since).as_secs_f64();
            if time >= 4.0 {
                return Ok(f64::from(number) / time);
            }
        }
    }
}

impl Drop for Call {
    fn drop(&mut self) {
        if let Some(chain) = self.chain.get() {
            chain.set_enabled(false);
        }
    }
}

fn id_of(name: &str) -> anyhow::Result<String> {
    let all = cameras();
    let camera = all.iter().find(|camera| camera.name.contains(name));
    let camera = camera.with_context(|| format!("{name} is not among {all:?}"))?;
    Ok(camera.id.clone())
}
