//! Who has called while the person was in another call: they heard that this person is busy, and may be called back.

use serde::{Deserialize, Serialize};
use ts_rs::TS;
use vireo_call::CallPeer;
use vireo_protocol::{CallId, ChatId, UserId};

/// Somebody who has called while the person was in another call.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase")]
pub struct MissedCall {
    /// The call that there was not.
    pub call_id: CallId,
    /// Where to call back.
    pub chat_id: ChatId,
    /// Who called.
    pub peer: CallPeer,
    /// They wanted to be seen.
    pub camera: bool,
}

/// Nobody is told of more people than this; the history knows them all.
const MOST: usize = 5;

/// Notes a call, the newest last; of each person only their last one counts.
pub(crate) fn note(missed: &mut Vec<MissedCall>, call: MissedCall) {
    forget(missed, &call.peer.user_id);
    missed.push(call);
    let surplus = missed.len().saturating_sub(MOST);
    missed.drain(..surplus);
}

/// There is nothing more to say about this person's calls.
pub(crate) fn forget(missed: &mut Vec<MissedCall>, user: &UserId) {
    missed.retain(|call| call.peer.user_id != *user);
}

#[cfg(test)]
mod tests {
    use super::*;

    fn call(id: &str, user: &str) -> MissedCall {
        MissedCall {
            call_id: CallId(id.to_owned()),
            chat_id: ChatId(format!("chat-{user}")),
            peer: CallPeer {
                user_id: UserId(user.to_owned()),
                name: user.to_owned(),
            },
            camera: false,
        }
    }

    fn ids(missed: &[MissedCall]) -> Vec<&str> {
        missed.iter().map(|call| call.call_id.0.as_str()).collect()
    }

    #[test]
    fn of_each_person_the_last_call_counts_and_of_many_people_the_last_ones() {
        let mut missed = Vec::new();
        for (id, user) in [("1", "ann"), ("2", "bob"), ("3", "ann")] {
            note(&mut missed, call(id, user));
        }
        assert_eq!(ids(&missed), ["2", "3"]);
        for user in ["carl", "dan", "eve", "fay"] {
            note(&mut missed, call(user, user));
        }
        assert_eq!(ids(&missed), ["3", "carl", "dan", "eve", "fay"]);
        forget(&mut missed, &UserId("dan".to_owned()));
        assert_eq!(ids(&missed), ["3", "carl", "eve", "fay"]);
    }
}
