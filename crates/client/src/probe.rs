//! Whether a server is there: asked once, by whoever wants to know.

use std::time::{Duration, Instant};

use hyper::Method;
use serde::{Deserialize, Serialize};
use ts_rs::TS;
use vireo_protocol::Health;

use crate::ClientError;
use crate::transport::{Content, Transport};

/// How it is known that a server is the right one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase")]
pub enum ServerTrust {
    /// Its certificate is the one that the invitation named.
    Invitation,
    /// Its certificate was confirmed by an authority that the system trusts.
    Authority,
    /// Not at all: what is said to it is not encrypted.
    Unencrypted,
}

/// A server that is there.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase")]
pub struct ServerProbe {
    /// From the question to the answer, the connection and its encryption included, in milliseconds.
    pub answered_after_ms: f64,
    /// How it is known to be the right one.
    pub trust: ServerTrust,
}

/// Asks the server at this address whether it is there and well.
///
/// # Errors
/// [`ClientError::ServerUnreachable`], [`ClientError::WrongServer`], [`ClientError::UntrustedServer`],
/// [`ClientError::NotAVireoServer`].
pub async fn probe(server: &str) -> Result<ServerProbe, ClientError> {
    let transport = Transport::to(server)?;
    let started = Instant::now();
    let asked = transport.request(Method::GET, "api/health", None, Content::Nothing);
    asked.await?.read::<Health>("")?;
    let answered_after: Duration = started.elapsed();
    Ok(ServerProbe {
        answered_after_ms: answered_after.as_secs_f64() * 1000.0,
        trust: transport.trust(),
    })
}
