//! What a user interface shows of the client. Values only; the interface renders them and keeps no copy of its own.

use serde::{Deserialize, Serialize};
use ts_rs::TS;
use vireo_call::CallView;
use vireo_protocol::{Contact, PastCall, User};

use crate::MissedCall;

/// The client as it stands now.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase")]
pub struct ClientView {
    /// How the client stands to its server.
    pub connection: ConnectionState,
    /// Where the service is, in the order in which it is tried: the account's own server, then those that this one names.
    pub servers: Vec<String>,
    /// Who is signed in.
    pub me: User,
    /// The ETag of their picture; null where they show none.
    pub avatar: Option<String>,
    /// What the person says of themselves.
    pub status: OwnStatus,
    /// Everyone in the list, as the server gave it last.
    pub contacts: Vec<Contact>,
    /// The call, also for as long as an ended one has not been dismissed.
    pub call: Option<CallView>,
    /// Who has called while the person was in another call and has neither been called back nor put away, the newest last.
    pub missed: Vec<MissedCall>,
    /// The last calls that are over, the newest first.
    pub recent: Vec<PastCall>,
    /// Whether a TURN server is known that calls can go through.
    pub has_relay: bool,
}

impl ClientView {
    /// The account's own server names others, which are tried after it.
    pub(crate) fn learn_servers(&mut self, named: Vec<String>) {
        self.servers.truncate(1);
        for server in named {
            if !self.servers.contains(&server) {
                self.servers.push(server);
            }
        }
    }
}

/// What a person says of themselves.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(rename_all = "kebab-case")]
pub enum OwnStatus {
    /// The person is there; what holds until something else is said.
    #[default]
    Online,
    /// Nobody uses this device at the moment.
    Away,
    /// The person does not wish to be called, on none of their devices, until they say something else on one of them.
    DoNotDisturb,
}

/// How the client stands to its server.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase")]
pub enum ConnectionState {
    /// The first attempt is under way.
    Connecting,
    /// Connected.
    Online,
    /// The server cannot be reached; it is tried again by itself.
    Unreachable,
    /// Somebody else answers at the server's address; it is tried again by itself.
    WrongServer,
    /// Client and server are of different versions; not tried again.
    UpdateNeeded,
    /// The server does not accept the session any more; sign in again. Not tried again.
    SignedOut,
}
