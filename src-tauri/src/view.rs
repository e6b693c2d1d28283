//! What the window shows, and what it gets back from a command. The TypeScript side is generated from here.

use serde::Serialize;
use ts_rs::TS;
use vireo_call::{CallView, VoiceSettings};
use vireo_client::{
    ClientError, ClientView,
    paths::{Alerts, Appearance},
};
use vireo_protocol::{CallId, IceServer};

use crate::{
    accounts::AccountsView,
    desk::DeskView,
    devices::DevicesView,
    failure::Failure,
    joining::Joining,
    mute_key::{self, MuteKeyProblem, MuteKeyView},
    rehearsal::RehearsalView,
};

/// The whole application as it stands now.
#[derive(Debug, Clone, PartialEq, Serialize, TS)]
#[serde(rename_all = "camelCase")]
pub struct AppView {
    /// Grows with every change; a view that arrives after a later one is not shown.
    #[ts(type = "number")]
    pub revision: u64,
    /// What there is to see.
    pub screen: Screen,
    /// Devices that something artificial stands in for.
    pub stand_ins: Vec<StandIn>,
    /// What is done to the person's voice.
    pub voice: VoiceSettings,
    /// Whether pictures of 1080 rows are sent where that can be.
    pub full_hd: bool,
    /// The devices that there are, and what has just become of them.
    pub devices: DevicesView,
    /// The person's accounts.
    pub accounts: AccountsView,
    /// The invitation that was opened; null while there is none.
    pub joining: Option<Joining>,
    /// How the window looks, and in which language.
    pub appearance: Appearance,
    /// Whether a call goes on when the main window is closed; null where the person is asked.
    pub keeps_call_when_closing: Option<bool>,
    /// The keys that mute from anywhere.
    pub mute_key: MuteKeyView,
    /// How the person is told that somebody calls.
    pub alerts: Alerts,
    /// STUN and TURN servers of the person's own.
    pub ice_servers: Vec<IceServer>,
    /// Calls go only through a relay, so that the other side does not learn where this computer is.
    pub relay_only: bool,
    /// What the person tries out.
    pub rehearsal: RehearsalView,
    /// This application's.
    pub version: String,
    /// The call that `vireo-cli ctl answer` or the like has accepted last; null while there was none.
    pub answered_from_outside: Option<CallId>,
    /// Where the call is shown, and what becomes of the main window.
    pub desk: DeskView,
}

impl Default for AppView {
    fn default() -> Self {
        Self {
            revision: 0,
            screen: Screen::Starting,
            stand_ins: Vec::new(),
            voice: VoiceSettings::default(),
            full_hd: false,
            devices: DevicesView::default(),
            accounts: AccountsView::default(),
            joining: None,
            appearance: Appearance::default(),
            keeps_call_when_closing: None,
            mute_key: mute_key::at_first(),
            alerts: Alerts::default(),
            ice_servers: Vec::new(),
            relay_only: false,
            rehearsal: RehearsalView::default(),
            desk: DeskView::default(),
            version: env!("CARGO_PKG_VERSION").to_owned(),
            answered_from_outside: None,
        }
    }
}

impl AppView {
    /// The call, under the name that the other person shows.
    #[must_use]
    pub fn call(&self) -> Option<ShownCall> {
        let client = self.screen.client()?;
        let mut call = client.call.clone()?;
        let contact = client
            .contacts
            .iter()
            .find(|contact| contact.user_id == call.peer.user_id);
        if let Some(name) = contact.and_then(|contact| contact.display_name.clone()) {
            call.peer.name = name;
        }
        Some(ShownCall {
            call,
            avatar: contact.and_then(|contact| contact.avatar.clone()),
            service: contact.is_some_and(|contact| contact.service),
        })
    }
}

/// What the ringing window and the small one know: the call, and nothing else of the application.
#[derive(Debug, Clone, PartialEq, Serialize, TS)]
pub struct ShownCall {
    /// The call.
    pub call: CallView,
    /// The ETag of the other person's picture; null where they show none.
    pub avatar: Option<String>,
    /// The other end is no person.
    pub service: bool,
}

/// What there is to see.
#[derive(Debug, Clone, PartialEq, Serialize, TS)]
#[serde(
    tag = "kind",
    rename_all = "camelCase",
    rename_all_fields = "camelCase"
)]
pub enum Screen {
    /// Not ready yet.
    Starting,
    /// There is an account, and its server does not answer; it is tried again.
    Waiting,
    /// Vireo cannot run.
    Failed {
        /// Why, for the interface's own sentence.
        code: StartFailure,
        /// What the system or the server said, in English; empty where there is nothing to add.
        detail: String,
    },
    /// There is no account yet.
    FirstRun {
        /// What the computer calls the person.
        suggested_name: String,
        /// The server that was asked for; null where the person may choose.
        server: Option<String>,
        /// The server that does not accept the person's account any more, as people write it; null where there is none such.
        lost: Option<String>,
    },
    /// Signed in.
    Home(Box<ClientView>),
}

impl Screen {
    /// The client, while somebody is signed in.
    #[must_use]
    pub fn client(&self) -> Option<&ClientView> {
        match self {
            Self::Home(client) => Some(client),
            Self::Starting | Self::Waiting | Self::Failed { .. } | Self::FirstRun { .. } => None,
        }
    }
}

/// Why Vireo cannot run.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, TS)]
#[serde(rename_all = "camelCase")]
pub enum StartFailure {
    /// Another window works on the same profile.
    AlreadyOpen,
    /// Its files cannot be read or written.
    Files,
    /// The server speaks another version.
    VersionMismatch,
    /// The address that was asked for is not that of a Vireo server.
    NotAVireoServer,
    /// The system's key store, which holds the key to the account, does not open.
    KeyStore,
    /// Something else.
    Other,
}

/// A device that something artificial stands in for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, TS)]
#[serde(rename_all = "camelCase")]
pub enum StandIn {
    /// A test picture.
    Camera,
    /// A tone.
    Microphone,
    /// Silence.
    Speaker,
}

/// Why a command failed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, TS)]
pub struct CommandError {
    /// What the interface acts on.
    pub code: String,
    /// A sentence in English.
    pub message: String,
}

/// Where the window's worker gets its pictures from.
#[derive(Clone, PartialEq, Eq, Serialize, TS)]
pub struct MediaSocket {
    /// The address.
    pub url: String,
    /// Works once, and not for long.
    pub token: String,
}

impl CommandError {
    /// A file could not be written.
    #[must_use]
    pub fn of_file(message: &str) -> Self {
        Self {
            code: "file".to_owned(),
            message: message.to_owned(),
        }
    }

    /// The system did not take what starts with the session.
    #[must_use]
    pub fn of_autostart(message: &str) -> Self {
        Self {
            code: "autostart".to_owned(),
            message: message.to_owned(),
        }
    }

    /// The system's own settings could not be shown.
    #[must_use]
    pub fn of_system(message: &str) -> Self {
        Self {
            code: "no-system-settings".to_owned(),
            message: message.to_owned(),
        }
    }
}

impl From<MuteKeyProblem> for CommandError {
    fn from(problem: MuteKeyProblem) -> Self {
        let (code, message) = match problem {
            MuteKeyProblem::Unavailable => {
                ("keys-unavailable", "No keys are heard from elsewhere.")
            }
            MuteKeyProblem::Taken => ("keys-taken", "Another program has these keys."),
            MuteKeyProblem::Withheld => ("keys-withheld", "The system does not give these keys."),
            MuteKeyProblem::Refused => ("keys-refused", "These keys cannot be used."),
        };
        Self {
            code: code.to_owned(),
            message: message.to_owned(),
        }
    }
}

impl From<ClientError> for CommandError {
    fn from(error: ClientError) -> Self {
        let code = match error {
            ClientError::NameTaken => "name-taken",
            ClientError::InvalidCredentials(_) => "invalid-name",
            ClientError::UnknownUser(_) => "unknown-user",
            ClientError::OwnName => "own-name",
            ClientError::NoSuchRequest => "no-such-request",
            ClientError::TooManyContacts => "too-many-contacts",
            ClientError::NotNow => "not-now",
            ClientError::ServerUnreachable | ClientError::InvalidServer(_) => "server-unreachable",
            ClientError::NotAVireoServer => "not-a-vireo-server",
            ClientError::RegistrationClosed => "registration-closed",
            ClientError::VersionMismatch => "version-mismatch",
            ClientError::WrongPassword | ClientError::SignedOut => "signed-out",
            ClientError::RateLimited => "rate-limited",
            ClientError::AccessDenied => "access-denied",
            ClientError::AlreadyInCall => "already-in-call",
            ClientError::NoRelay => "no-relay",
            ClientError::InvalidPicture(_) => "invalid-picture",
            ClientError::InvalidInvite => "invalid-invite",
            ClientError::WrongServer => "wrong-server",
            ClientError::UntrustedServer => "untrusted-server",
            ClientError::Profile(_) => "files",
            _ => "other",
        };
        Self {
            code: code.to_owned(),
            message: error.to_string(),
        }
    }
}

impl From<Failure> for CommandError {
    fn from(failure: Failure) -> Self {
        Self {
            code: "cannot-host".to_owned(),
            message: failure.to_string(),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::{collections::BTreeMap, fs, path::Path};

    use ts_rs::{Config, TS};
    use vireo_call::CallStats;

    use super::{AppView, ClientError, CommandError, MediaSocket, ShownCall};
    use crate::hosting::InviteView;
    use crate::rehearsal::{Levels, Wanted};
    use crate::start::PageTimes;

    #[test]
    fn adding_oneself_is_no_matter_of_how_a_name_is_written() {
        let own = CommandError::from(ClientError::OwnName);
        assert_eq!(own.code, "own-name");
        let invalid = CommandError::from(ClientError::InvalidCredentials("Too long.".into()));
        assert_eq!(invalid.code, "invalid-name");
    }

    fn files(folder: &Path) -> BTreeMap<String, String> {
        let Ok(entries) = fs::read_dir(folder) else {
            return BTreeMap::new();
        };
        entries
            .map(|entry| entry.expect("readable").path())
            .filter(|path| path.extension().is_some_and(|extension| extension == "ts"))
            .map(|path| {
                let name = path.file_name().expect("a file").to_string_lossy();
                let text = fs::read_to_string(&path).expect("readable");
                (name.into_owned(), text)
            })
            .collect()
    }

    /// Rewrites what has changed and then fails, so that the difference is committed.
    #[test]
    fn bindings_are_up_to_date() {
        let fresh = tempfile::tempdir().expect("a temporary folder");
        let config = Config::new().with_out_dir(fresh.path());
        AppView::export_all(&config).expect("exportable");
        CommandError::export_all(&config).expect("exportable");
        MediaSocket::export_all(&config).expect("exportable");
        InviteView::export_all(&config).expect("exportable");
        CallStats::export_all(&config).expect("exportable");
        Levels::export_all(&config).expect("exportable");
        Wanted::export_all(&config).expect("exportable");
        ShownCall::export_all(&config).expect("exportable");
        PageTimes::export_all(&config).expect("exportable");
        vireo_client::ServerProbe::export_all(&config).expect("exportable");
        // The package as cargo finds it now, not as it lay when this was compiled.
        let package = std::env::var_os("CARGO_MANIFEST_DIR").expect("cargo runs the test");
        let folder = Path::new(&package).join("ui/src/bindings");
        let (new, old) = (files(fresh.path()), files(&folder));
        if new == old {
            return;
        }
        for name in old.keys().filter(|name| !new.contains_key(*name)) {
            fs::remove_file(folder.join(name)).expect("removable");
        }
        for (name, text) in &new {
            fs::write(folder.join(name), text).expect("writable");
        }
        panic!("the bindings in ui/src/bindings were out of date and have been rewritten");
    }
}
