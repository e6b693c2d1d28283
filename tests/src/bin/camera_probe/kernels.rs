//! The kernel's own test camera.

use std::sync::mpsc;

use anyhow::{Context, ensure};
use serde_json::json;
use vireo_media::codec::video_decoder;
use vireo_media::video::{Camera, SendChain, VideoSendOptions, VideoTarget, cameras};
use vireo_media::{EncodedFrame, MediaEvent, VideoCodec, VideoFormat, VideoFrame, VideoSource};

use crate::PATIENCE;

const WANTED: VideoFormat = VideoFormat {
    width: 640,
    height: 360,
    frame_rate: 30,
};
const CAPTURED: usize = 20;
const SENT: usize = 12;
pub fn probe() -> anyhow::Result<serde_json::Value> {
    let cameras = cameras();
    let missing = Camera::open(Some("No Such Camera"), WANTED)
        .map_or_else(|problem| problem.to_string(), |_| String::new());
    let name = &cameras.first().context("no camera is listed")?.name;
    let mut camera = Camera::open(Some(name), WANTED)?;
    let format = camera.format();
    let mut captured = Vec::new();
    for _ in 0..CAPTURED {
        captured.push(camera.next_frame()?);
    }
    let moving = captured
        .windows(2)
        .filter(|pair| pair[0].data != pair[1].data)
        .count();
    drop(camera);
    let first = through_the_chain(name)?;
    // Once more: the camera must have been let go.
    let second = through_the_chain(name)?;
    Ok(json!({
        "cameras": cameras.iter().map(|camera| json!({ "id": camera.id, "name": camera.name })).collect::<Vec<_>>(),
        "missing": missing,
        "width": format.width,
        "height": format.height,
        "frameRate": format.frame_rate,
        "captured": captured.len(),
        "moving": moving,
        "contrast": contrast(&captured[CAPTURED - 1]),
        "sent": [first, second],
    }))
}

/// How many of the coded pictures decode to pictures with something on them.
fn through_the_chain(name: &str) -> anyhow::Result<usize> {
    let (on_frame, frames) = mpsc::channel();
    let (on_event, events) = mpsc::channel();
    let wanted = name.to_owned();
    let chain = SendChain::start(
        VideoSendOptions {
            target: Some(VideoTarget {
                format: WANTED,
                bits_per_second: 1_000_000,
            }),
            codec: Some(VideoCodec::H264),
        },
        move || Ok(Some(Box::new(Camera::open(Some(&wanted), WANTED)?))),
        None,
        move |frame: EncodedFrame| {
            let _ = on_frame.send(frame);
        },
        move |event: MediaEvent| {
            let _ = on_event.send(event);
        },
    );
    chain.set_enabled(true);
    let mut decoder = video_decoder(VideoCodec::H264)?;
    let mut good = 0;
    for number in 0..SENT {
        let coded = match frames.recv_timeout(PATIENCE) {
            Ok(coded) => coded,
            Err(_) => anyhow::bail!("no picture came out: {:?}", events.try_recv()),
        };
        ensure!(
            coded.key_frame == (number == 0),
            "picture {number} is a key frame or is none"
        );
        let picture = decoder
            .decode(&coded.data)?
            .context("nothing was decoded")?;
        good += usize::from(picture.width == coded.width && contrast(&picture) > 40);
    }
    Ok(good)
}

/// Between the darkest and the lightest tenth.
fn contrast(frame: &VideoFrame) -> u8 {
    let mut luma = frame.planes()[0].to_vec();
    luma.sort_unstable();
    luma[luma.len() * 9 / 10] - luma[luma.len() / 10]
}
