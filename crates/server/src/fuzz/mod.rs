//! Every reader of what comes from outside as a function of bytes, for the fuzz targets in `fuzz/`. Each has to come back,
//! whatever it is given.

mod connection;
mod headers;
mod relay;
mod text;

pub use connection::connection;
pub use headers::headers;
pub use relay::relay;
pub use text::text;

use std::sync::LazyLock;

use serde::de::DeserializeOwned;
use vireo_protocol::{
    AccountDeletion, ClientMessage, Credentials, IceCandidate, InviteRequest, InviteToken,
    PasswordChange, ProfileChange, RefreshToken, Registration, RoleChange, SdpType,
    SessionDescription, device_name, display_name, name_problem, password_problem,
};

use crate::check::{candidate_is_valid, description_is_valid};
use crate::parse::{id_of, parse};
use crate::tokens::{Tokens, new_signing_key};
use crate::{avatar, bus};

/// A text message of the WebSocket, with the checks of what it carries.
pub fn request(data: &[u8]) {
    let Ok(text) = std::str::from_utf8(data) else {
        return;
    };
    let id = id_of(text);
    match parse(text) {
        Ok(request) => {
            assert_eq!(id, Some(request.id), "both readers see the same number");
            match request.message {
                ClientMessage::CallInitiate { offer, .. } => {
                    description_is_valid(&offer, SdpType::Offer);
                }
                ClientMessage::CallAnswer { answer, .. } => {
                    description_is_valid(&answer, SdpType::Answer);
                }
                ClientMessage::CallRestart {
                    description: Some(description),
                    ..
                } => {
                    description_is_valid(&description, description.kind);
                }
                ClientMessage::CallIceCandidate { candidate, .. } => {
                    candidate_is_valid(&candidate);
                }
                _ => {}
            }
        }
        Err(unreadable) => assert!(!unreadable.message.is_empty()),
    }
}

/// A session description.
pub fn description(data: &[u8]) {
    if let Ok(sdp) = std::str::from_utf8(data) {
        let offer = SessionDescription::offer(sdp);
        description_is_valid(&offer, SdpType::Offer);
    }
}

/// A candidate.
pub fn candidate(data: &[u8]) {
    if let Ok(candidate) = std::str::from_utf8(data) {
        candidate_is_valid(&IceCandidate {
            candidate: candidate.to_owned(),
            ..IceCandidate::default()
        });
    }
}

/// An access token, in the handshake and wherever somebody signed in asks for something.
pub fn token(data: &[u8]) {
    static TOKENS: LazyLock<Tokens> =
        LazyLock::new(|| Tokens::new(&new_signing_key()).expect("a new key is a good one"));
    if let Ok(token) = std::str::from_utf8(data) {
        let claims = TOKENS.read(token);
        assert!(claims.is_none(), "nobody can guess a signature");
    }
}

/// The body of an HTTP request, whichever it is.
pub fn body(data: &[u8]) {
    fn read<T: DeserializeOwned>(data: &[u8]) -> Option<T> {
        serde_json::from_slice(data).ok()
    }
    if let Some(registration) = read::<Registration>(data) {
        let device = device_name(&registration.device);
        assert!(!device.is_empty(), "every device has a name");
    }
    if let Some(credentials) = read::<Credentials>(data) {
        let _ = name_problem(&credentials.name);
        let _ = password_problem(&credentials.password);
    }
    read::<RefreshToken>(data);
    read::<PasswordChange>(data);
    read::<AccountDeletion>(data);
    read::<InviteRequest>(data);
    read::<InviteToken>(data);
    read::<RoleChange>(data);
    if let Some(change) = read::<ProfileChange>(data) {
        let _ = display_name(&change.display_name.unwrap_or_default());
    }
}

/// A picture that somebody wishes to be seen with.
pub fn avatar(data: &[u8]) {
    if let Ok(jpeg) = avatar::rewrite(data) {
        avatar::rewrite(&jpeg).expect("what was made here can be read here");
    }
}

/// What another server has written, or left behind, in Redis. The others are trusted not to lie, and may still be of
/// another version.
pub fn letter(data: &[u8]) {
    bus::read_anything(data);
}

/// A file that is to be restored. Where it is accepted, it is a backup that can be made again.
pub fn backup(data: &[u8]) {
    static RUNTIME: LazyLock<tokio::runtime::Runtime> = LazyLock::new(runtime);
    let folder = tempfile::tempdir().expect("a temporary directory");
    let file = folder.path().join("file");
    std::fs::write(&file, data).expect("written");
    let data = folder.path().join("data");
    std::fs::create_dir(&data).expect("made");
    let database = crate::store::Database::in_directory(&data);
    RUNTIME.block_on(async {
        if crate::store::restore(&database, &file, &data, false)
            .await
            .is_ok()
        {
            let again = folder.path().join("again");
            let made = crate::store::back_up(&database, &data, &again).await;
            made.expect("what was restored can be saved");
        }
    });
}

fn runtime() -> tokio::runtime::Runtime {
    let mut builder = tokio::runtime::Builder::new_current_thread();
    let runtime = builder.enable_all().build();
    runtime.expect("a runtime can be made")
}
