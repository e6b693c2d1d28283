//! What goes to standard output: one JSON object a line.

use std::io::Write;

use serde::Serialize;
use vireo_call::EndedReason;
use vireo_client::OwnStatus;

/// What happens to a call, for scripts to wait for.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(
    tag = "event",
    rename_all = "lowercase",
    rename_all_fields = "camelCase"
)]
pub enum Event<'a> {
    /// Signed in, devices and files are fine; `answer` can be called from now on.
    Ready {
        /// Who is signed in.
        user: &'a str,
    },
    /// Contacts see this from now on.
    Status {
        /// How one can be reached.
        status: OwnStatus,
    },
    /// The callee's device rings (caller), or somebody calls (callee).
    Ringing {
        /// The call.
        call_id: &'a str,
        /// The other person.
        peer: &'a str,
    },
    /// The media connection is up.
    Connected {
        /// The call.
        call_id: &'a str,
        /// The other person.
        peer: &'a str,
    },
    /// A device was plugged in, or another one is used from now on.
    Device {
        /// camera, microphone or speaker.
        kind: &'a str,
        /// What became of it.
        change: DeviceChange,
        /// The device; null when there is none left to use.
        name: Option<&'a str>,
        /// The device before, where the reason is that it has gone.
        gone: Option<&'a str>,
    },
    /// Somebody began to speak, or has paused.
    Speaking {
        /// The call.
        call_id: &'a str,
        /// The other person.
        peer: &'a str,
        /// Whether the person at this side speaks.
        local: bool,
        /// Whether the other one does.
        remote: bool,
    },
    /// The call is over.
    Ended {
        /// The call.
        call_id: &'a str,
        /// The other person.
        peer: &'a str,
        /// Why, in a word.
        reason: EndedReason,
        /// How long it was connected, in seconds; null when it never was.
        duration: Option<f64>,
    },
}

/// What became of a device.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum DeviceChange {
    /// Plugged in, and not used.
    Appeared,
    /// Used from now on.
    Used,
}

/// Writes one line and hands it over at once. A reader that has gone away is no reason to break a call.
pub fn line(object: &impl Serialize) {
    if let Ok(text) = serde_json::to_string(object) {
        let mut out = std::io::stdout().lock();
        let _ = writeln!(out, "{text}").and_then(|()| out.flush());
    }
}

/// Writes one sentence to standard error.
pub fn say(sentence: impl std::fmt::Display) {
    let _ = writeln!(std::io::stderr().lock(), "{sentence}");
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn events_keep_their_form() {
        let ended = Event::Ended {
            call_id: "c1",
            peer: "Ann",
            reason: EndedReason::RemoteHungUp,
            duration: None,
        };
        assert_eq!(
            serde_json::to_string(&ended).expect("plain"),
            r#"{"event":"ended","callId":"c1","peer":"Ann","reason":"remoteHungUp","duration":null}"#
        );
        assert!(
            serde_json::to_string(&Event::Ready { user: "Bob" })
                .expect("plain")
                .starts_with(r#"{"event":"ready""#)
        );
    }
}
