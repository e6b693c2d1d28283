//! A picture that one side of a call has decoded.

use serde::Deserialize;

/// As `bench.js` gives it: an array of these three.
#[derive(Debug, Clone, Copy, PartialEq, Deserialize)]
pub(super) struct Picture {
    /// When, in Unix milliseconds.
    pub at: f64,
    /// How old it was, in milliseconds; none where its time code could not be read.
    pub age: Option<f64>,
    /// Its rows.
    pub height: u32,
}
