//! Calls over bad networks: Vireo and headless Chromium in turns through the same links, with the same luck.

mod chromium;
mod goals;
mod pictures;
mod report;
mod rows;
mod run;
mod vireo;

use serde::{Deserialize, Serialize};

pub use chromium::{SERVE_PAGES, serve_pages};
pub use report::Report;
pub use rows::{Company, Recovery, Row, rows};
pub use run::measure;

use super::Content;
use super::picture::Picture;

/// Bits a second at the most, each way: what Chromium sends of itself at this size.
const MAX_BITRATE: u32 = 2_500_000;

/// A picture that takes as many bits as it is given; a still room would leave a link unused whatever the engine.
const CONTENT: Content = Content::MovingTexture;

/// What one side of a call saw.
struct Side {
    /// Every picture, in the order they were decoded.
    pictures: Vec<Picture>,
    /// Unix milliseconds, and the bytes of the picture that had come by then.
    received: Vec<(f64, f64)>,
}

/// What a call over a link gave; of two sides' figures the mean where nothing else is said.
#[derive(Debug, Clone, Copy, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Measures {
    /// The age of a picture when it is decoded.
    pub p50_ms: f64,
    /// The same, 95th percentile.
    pub p95_ms: f64,
    /// Pictures a second.
    pub fps: f64,
    /// Share of the time in which the picture stood still.
    pub frozen_share: f64,
    /// IP bytes over what a narrow link carries.
    pub utilisation: Option<f64>,
    /// Rows of the median picture; the smaller of the two sides'.
    pub height: f64,
    /// From the link's being well again to the call's being so; the longer of the two sides'. Where a call did not recover, the
    /// time until its end.
    pub recovery_seconds: Option<f64>,
    /// The longest time without a picture; the longer of the two sides'.
    pub longest_gap_ms: f64,
    /// Share of one core that one side uses.
    pub cpu_share: f64,
    /// Of those who share a link, the share of its rate that the poorest one has.
    pub least_share: Option<f64>,
}
