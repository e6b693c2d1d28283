//! USB cameras with formats of all kinds: which one is taken, and whether its pictures are what the camera sees.

use std::time::Instant;

use anyhow::{Context, ensure};
use serde_json::json;
use vireo_media::video::{Camera, cameras};
use vireo_media::{VideoFormat, VideoSource};

use crate::PATIENCE;
use crate::scene::Encoding::{self, Mjpeg, Nv12, Yuyv};
use crate::scene::corners;
use crate::usb::{Mode, UsbCamera};

/// So many pictures are looked at.
const PICTURES: usize = 6;

/// A camera and what is asked of it.
struct Case {
    modes: &'static [Mode],
    asked: VideoFormat,
}

const fn mode(encoding: Encoding, width: u16, height: u16, rate: u32) -> Mode {
    Mode {
        encoding,
        width,
        height,
        rate,
    }
}

const fn asked(width: u32, height: u32) -> VideoFormat {
    VideoFormat {
        width,
        height,
        frame_rate: 30,
    }
}

/// What most have: small pictures as they are, large ones only as JPEG.
const USUAL: &[Mode] = &[
    mode(Yuyv, 640, 360, 30),
    mode(Yuyv, 1280, 720, 10),
    mode(Mjpeg, 640, 360, 30),
    mode(Mjpeg, 1280, 720, 30),
];

const CASES: [Case; 4] = [
    Case {
        modes: USUAL,
        asked: asked(1280, 720),
    },
    Case {
        modes: USUAL,
        asked: asked(640, 360),
    },
    Case {
        modes: &[
            mode(Mjpeg, 640, 360, 30),
            mode(Yuyv, 640, 360, 30),
            mode(Nv12, 640, 360, 30),
        ],
        asked: asked(640, 360),
    },
    Case {
        modes: &[mode(Nv12, 640, 360, 15), mode(Mjpeg, 640, 360, 30)],
        asked: asked(640, 360),
    },
];

pub fn probe() -> anyhow::Result<serde_json::Value> {
    let taken: anyhow::Result<Vec<_>> = CASES.iter().map(take).collect();
    Ok(json!({ "taken": taken? }))
}

/// Opens the camera and says what was taken of it and seen.
fn take(case: &Case) -> anyhow::Result<serde_json::Value> {
    let plugged = UsbCamera::plug(0, "Desk camera", case.modes)?;
    wait_for_cameras(1)?;
    let mut camera = Camera::open(None, case.asked)?;
    let mut frames = Vec::new();
    for _ in 0..PICTURES {
        frames.push(camera.next_frame()?);
    }
    let mode = plugged.mode().context("nobody has asked for pictures")?;
    let last = frames.last().context("there are pictures")?;
    let moving = frames
        .windows(2)
        .filter(|pair| pair[0].data != pair[1].data);
    let report = json!({
        "encoding": mode.encoding.name(),
        "width": last.width,
        "height": last.height,
        "rate": camera.format().frame_rate,
        "corners": corners(last),
        "moving": moving.count(),
    });
    drop(camera);
    drop(plugged);
    wait_for_cameras(0)?;
    Ok(report)
}

/// Until the kernel has found so many.
pub fn wait_for_cameras(number: usize) -> anyhow::Result<()> {
    let since = Instant::now();
    while cameras().len() != number {
        ensure!(
            since.elapsed() < PATIENCE,
            "there are {} cameras instead of {number}",
            cameras().len()
        );
        std::thread::sleep(std::time::Duration::from_millis(20));
    }
    Ok(())
}
