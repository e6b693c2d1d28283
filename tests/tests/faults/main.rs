//! What people notice when a server fails, or what servers share, with real processes: nothing in a call, nothing lost that
//! was confirmed, and everybody back within a second.

mod callers;
mod crowd;
mod one_server;
mod two_servers;
mod writers;

use std::time::Duration;

/// Longer than anything here takes.
const PATIENCE: Duration = Duration::from_secs(60);

/// Long enough to be missed, if somebody could miss what has failed.
const FAULT: Duration = Duration::from_secs(3);

/// Long enough for much to be confirmed between two faults.
const WORK: Duration = Duration::from_secs(2);
