//! How long a call waits for what.

use std::time::Duration;

/// How long making the offer or the answer may take; it needs no network.
pub const DESCRIPTION_TIMEOUT: Duration = Duration::from_secs(10);

/// After how long the server ends a call that nobody answers, when it has not said so itself.
pub const DEFAULT_ANSWER_TIMEOUT: Duration = Duration::from_secs(30);

/// How much longer than the server this side waits for an answer, so that the server's word comes first.
pub const ANSWER_GRACE: Duration = Duration::from_secs(5);

/// How long the media connection may take to come up once the call has been accepted.
pub const CONNECT_TIMEOUT: Duration = Duration::from_secs(20);

/// How long the media connection may still take when the server wants no second answer: either it has the first, and media
/// comes up any moment, or the call is over.
pub const SECOND_ANSWER_TIMEOUT: Duration = Duration::from_secs(5);

/// How long a lost media connection may take to come back where the server would not say that the other side has left. Where it
/// would, there is no bound but the person's patience.
pub const UNTOLD_TIMEOUT: Duration = Duration::from_secs(15);

/// How long a lost media connection may still come back by itself where this side seems to be on another network. A path that
/// works again is found within half a second.
pub const RESTART_GRACE: Duration = Duration::from_secs(1);

/// A media connection that was lost so soon after the server came back was probably lost for the same reason.
pub const SERVER_BACK_LATELY: Duration = Duration::from_secs(30);

/// After so long a lost media connection is made anew in any case: a relay or a router may have forgotten it.
pub const RESTART_AFTER_SILENCE: Duration = Duration::from_secs(300);

/// How long a new path is looked for before it is tried once more. A little longer than the checks of one attempt last.
pub const RESTART_AGAIN: Duration = Duration::from_secs(15);

/// The other side cannot have the connection made anew more often. The callee takes offers that come at twice that rate.
pub const RESTART_PAUSE: Duration = Duration::from_secs(3);

/// What differs from one client to another.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct CallPolicy {
    /// After so long the server ends a call that nobody answers.
    pub answer_timeout: Duration,
    /// After so long from connected this side hangs up.
    pub longest: Option<Duration>,
}

impl Default for CallPolicy {
    fn default() -> Self {
        Self {
            answer_timeout: DEFAULT_ANSWER_TIMEOUT,
            longest: None,
        }
    }
}
