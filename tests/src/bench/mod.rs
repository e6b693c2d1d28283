//! The call measured beside Chromium's: the same pictures, size, codec and bit rate, on the same machine, in turns.

mod application;
mod chromium;
#[cfg(target_os = "linux")]
pub mod desktop;
#[cfg(target_os = "linux")]
pub mod devices;
mod goal;
#[cfg(target_os = "linux")]
pub mod long;
#[cfg(target_os = "linux")]
pub mod network;
mod page;
mod picture;
pub mod quality;
mod report;
mod vireo;

use anyhow::Result;
use serde::{Deserialize, Serialize};
use vireo_media::video::{PatternContent, VideoFormat};

pub use application::{Application, measure_application};
pub use goal::{Goal, Limit, Outcome};
pub use report::{Report, Row};

/// What every call of the measurement sends, both ways.
pub const FORMAT: VideoFormat = VideoFormat {
    width: 1280,
    height: 720,
    frame_rate: 30,
};
/// Bits a second at the most, each way.
pub const MAX_BITRATE: u32 = 2_000_000;
/// How long a call lasts, from connected, in seconds.
pub const CALL_SECONDS: u64 = 20;
/// Seconds at the beginning and at the end of a call that do not count for processor time.
pub const MARGIN_SECONDS: u64 = 4;

/// What the cameras show.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Content {
    /// A head before a still room.
    TalkingHead,
    /// A texture that pans over the whole picture.
    MovingTexture,
}

impl Content {
    /// Both, in the order they are measured.
    pub const ALL: [Self; 2] = [Self::TalkingHead, Self::MovingTexture];

    fn pattern(self) -> PatternContent {
        match self {
            Self::TalkingHead => PatternContent::TalkingHead,
            Self::MovingTexture => PatternContent::MovingTexture,
        }
    }

    /// The name by which `vireo-cli` knows it.
    fn name(self) -> &'static str {
        match self {
            Self::TalkingHead => "talking-head",
            Self::MovingTexture => "moving-texture",
        }
    }
}

/// Whose call it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Engine {
    /// Two `vireo-cli`.
    Vireo,
    /// Two headless Chromium.
    Chromium,
}

/// What one call gave; of two sides' figures the mean.
#[derive(Debug, Clone, Copy, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Measures {
    /// From the answer's arrival at the caller to its first decoded frame.
    pub caller_first_frame_ms: f64,
    /// From the callee's acceptance to its first decoded frame.
    pub callee_first_frame_ms: f64,
    /// Stamp → decoded frame, over the whole call.
    pub latency_p50_ms: f64,
    /// The same, 95th percentile.
    pub latency_p95_ms: f64,
    /// The same, 99th percentile.
    pub latency_p99_ms: f64,
    /// Decoded frames a second.
    pub frames_per_second: f64,
    /// Rows of the last decoded picture; the smaller of the two sides'.
    pub height: f64,
    /// Share of one core that one side uses.
    pub cpu_share: f64,
    /// Proportional set size of one side, in MB; without the ready-made pictures that Chromium is fed with.
    pub memory_mb: f64,
}

/// Makes one call and measures it.
///
/// # Errors
/// When the call does not come about.
pub async fn measure(engine: Engine, content: Content) -> Result<Measures> {
    match engine {
        Engine::Vireo => vireo::measure(content).await,
        Engine::Chromium => chromium::measure(content).await,
    }
}

fn mean(values: [f64; 2]) -> f64 {
    (values[0] + values[1]) / 2.0
}

/// The value that this share of all is below, by nearest rank; not a number where there are none. Sorts them in place.
fn percentile(values: &mut [f64], share: f64) -> f64 {
    values.sort_by(f64::total_cmp);
    let rank = (values.len() as f64 * share).ceil() as usize;
    values.get(rank.max(1) - 1).copied().unwrap_or(f64::NAN)
}
