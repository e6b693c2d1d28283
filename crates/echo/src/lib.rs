//! The Echo test: a contact that everyone has, and that plays one's own sound and picture back.
//!
//! It is an ordinary client with an account on the server, nothing more: it answers each call by itself and sends the packets
//! it receives back as they are, so what one sees and hears has gone both ways through a real peer connection. Nothing is
//! decoded, recorded or kept.

mod credentials;

use std::sync::Arc;
use std::time::Duration;

use tokio_util::sync::CancellationToken;
use vireo_call::NoMedia;
use vireo_client::{Client, ClientError, ClientOptions, ConnectionState, Reflect, Session};
use vireo_protocol::{User, UserId};

pub use credentials::Credentials;

/// So many calls at once; a further caller hears that it is busy.
pub const CALLS: usize = 4;

/// After so long it hangs up: a test needs no longer, and a forgotten one must not last for ever.
pub const LONGEST: Duration = Duration::from_secs(5 * 60);

/// Answers calls until it is cancelled. While the server cannot be reached it goes on trying.
///
/// # Errors
/// [`ClientError::SignedOut`] when the server does not accept the token, [`ClientError::VersionMismatch`].
pub async fn run(credentials: Credentials, cancel: CancellationToken) -> Result<(), ClientError> {
    // The server's greeting says who the token belongs to.
    let nobody = User {
        id: UserId(String::new()),
        name: String::new(),
    };
    let session = Session::resume(credentials.url, nobody, credentials.token);
    let options = ClientOptions {
        reflect: Some(Reflect {
            calls: CALLS,
            longest: LONGEST,
        }),
        ..ClientOptions::default()
    };
    let client = Client::connect(session, Arc::new(NoMedia), options);
    let mut view = client.view();
    let refused = view.wait_for(|view| {
        matches!(
            view.connection,
            ConnectionState::SignedOut | ConnectionState::UpdateNeeded
        )
    });
    let ended = tokio::select! {
        () = cancel.cancelled() => Ok(()),
        refused = refused => match refused.map(|view| view.connection) {
            Ok(ConnectionState::UpdateNeeded) => Err(ClientError::VersionMismatch),
            Ok(_) => Err(ClientError::SignedOut),
            Err(_) => Err(ClientError::Closed),
        },
    };
    client.close().await;
    ended
}
