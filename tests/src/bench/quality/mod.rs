//! What calls make of a picture at a given bit rate: Vireo and headless Chromium in turns, judged by VMAF and SSIM.
//!
//! Both send the same pictures at the same rate over loopback, and what comes is kept as it comes, still coded. Afterwards one
//! decoder decodes both, smaller pictures are brought to the size of what was sent, and each is laid beside the picture it was.

mod chromium;
mod judge;
mod report;
mod vireo;

use std::path::Path;

use anyhow::{Context as _, Result};
use serde::Serialize;
use vireo_media::VideoFrame;

pub use report::Report;

use super::{Content, Engine, page};

/// Bits a second at the most that are tried.
pub const BIT_RATES: [u32; 3] = [400_000, 800_000, 1_600_000];

/// Seconds of a call before anything counts: engines find out first what the path carries.
const SETTLING_SECONDS: usize = 8;

/// Seconds that count.
const COUNTED_SECONDS: usize = 8;

/// How long a call lasts in seconds, with some for its set-up.
const CALL_SECONDS: usize = SETTLING_SECONDS + COUNTED_SECONDS + 2;

/// What is sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Scene {
    /// What the camera shows.
    pub content: Content,
    /// Bits a second at the most.
    pub bit_rate: u32,
}

/// All of them, in the table's order.
#[must_use]
pub fn scenes() -> Vec<Scene> {
    let scene = |content| move |bit_rate| Scene { content, bit_rate };
    Content::ALL
        .into_iter()
        .flat_map(|content| BIT_RATES.map(scene(content)))
        .collect()
}

/// What came of it at one side.
#[derive(Debug, Clone, Copy, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Measures {
    /// Netflix's judgement from 0 to 100, the mean over pictures.
    pub vmaf: f64,
    /// Structural similarity, 1 where nothing is lost, the mean over pictures.
    pub ssim: f64,
    /// Of the coded pictures.
    pub kilobits_per_second: f64,
    /// Pictures a second.
    pub fps: f64,
    /// Rows of the median picture.
    pub height: f64,
}

/// A picture as it came: its RTP time, and its data.
type Coded = (u32, Vec<u8>);

/// Makes a call and judges what came at the called side. Leaves what it needs for that in the folder.
///
/// # Errors
/// When the call does not come about, or its pictures are none of those that were sent.
pub async fn measure(engine: Engine, scene: Scene, ffmpeg: &Path) -> Result<Measures> {
    let folder = tempfile::tempdir()?;
    let film: Vec<VideoFrame> = page::film(scene.content.pattern()).collect();
    let coded = match engine {
        Engine::Vireo => vireo::call(scene, &film, folder.path()).await?,
        Engine::Chromium => chromium::call(scene).await?,
    };
    let ffmpeg = ffmpeg.to_owned();
    tokio::task::spawn_blocking(move || judge::judge(&coded, &film, &ffmpeg, folder.path()))
        .await?
        .context("the pictures cannot be judged")
}
