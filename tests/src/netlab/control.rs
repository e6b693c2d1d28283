//! What the relay's program is told on its standard input and says on its standard output, a line of JSON each.

use serde::{Deserialize, Serialize};

use vireo_testing::link::{Counters, Link};

/// A line for the program. Each is answered with a [`Count`], which is the program's first line, too.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub enum Order {
    /// The link is like this from now on.
    Set(Way, Link),
    /// Nothing but the answer is wanted.
    Count,
}

/// A direction, seen from the first home.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum Way {
    /// From the first home to the other one.
    There,
    /// From the other one to the first.
    Back,
    /// Both alike.
    Both,
}

/// Packets counted, each way.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Count {
    /// From the first home to the other one.
    pub there: Counters,
    /// From the other one to the first.
    pub back: Counters,
}
