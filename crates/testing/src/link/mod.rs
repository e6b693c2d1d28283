//! One direction of a network path, as tests need it: narrow, far, lossy or gone. It has no clock, socket or thread of its
//! own, so it stands between two real computers as well as between two objects on virtual time.

mod fate;
mod pipe;

use std::time::Duration;

use serde::{Deserialize, Serialize};

pub use pipe::{Counters, Pipe};

/// What a direction does to packets.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default, deny_unknown_fields)]
pub struct Link {
    /// From its leaving the queue to its arrival.
    pub delay: Duration,
    /// Up to so much is added, any amount as likely as another. Packets stay in order.
    pub jitter: Duration,
    /// Which packets never arrive.
    pub loss: Loss,
    /// The share of packets that arrive without delay, and so before those that left earlier.
    pub reordered: f64,
    /// The share of packets that arrive twice.
    pub duplicated: f64,
    /// Bits a second; none: as fast as they come.
    pub rate: Option<u64>,
    /// A packet that would have to wait longer than this for its turn is dropped. Without a rate nothing waits.
    pub queue: Duration,
    /// Nothing gets through.
    pub blackout: bool,
}

/// Which packets get lost on the way.
#[derive(Debug, Clone, Copy, PartialEq, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum Loss {
    /// None.
    #[default]
    None,
    /// This share of them, each by itself.
    Random(f64),
    /// This share of them, in rows (Gilbert's model).
    Bursts {
        /// The share over a long time.
        share: f64,
        /// How many in a row, on average.
        length: f64,
    },
}
