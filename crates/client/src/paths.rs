//! Where this user's Vireo keeps its things: settings, the account with its secret, and the address of the server that the
//! desktop carries inside. The desktop and `vireo-cli` share them.
//!
//! ```text
//! PROFILE/settings.json         what the user has chosen
//! PROFILE/account.json          server, name and secrets; readable by this user alone
//! PROFILE/other-accounts.json   those that were set aside for another one
//! PROFILE/contacts.json         who was known when the server was heard last
//! PROFILE/server-url            the embedded server's address, for as long as the desktop runs
//! PROFILE/server/               the embedded server's data
//! ```

mod accounts;
mod known;

use std::{
    collections::BTreeMap,
    fs,
    io::{self, Write},
    path::{Path, PathBuf},
};

use serde::{Deserialize, Serialize, de::DeserializeOwned};
use ts_rs::TS;
use vireo_call::VoiceSettings;
use vireo_media::video::Rotation;
use vireo_protocol::IceServer;

use crate::ClientError;
use crate::secrets::Keeper;
pub use crate::secrets::SecretsIn;
pub use accounts::Account;
pub use known::Known;

/// The environment variable that names the profile's directory.
pub const PROFILE_VARIABLE: &str = "VIREO_PROFILE";

/// One user's directory.
#[derive(Debug, Clone)]
pub struct Profile {
    directory: PathBuf,
    keeper: Keeper,
}

impl Profile {
    /// Opens the profile in `directory`; else in what [`PROFILE_VARIABLE`] names; else in the usual place of this system.
    /// Makes the directory, for this user alone, where there is none.
    ///
    /// # Errors
    /// [`ClientError::Profile`] when it cannot be made.
    pub fn open(directory: Option<&Path>) -> Result<Self, ClientError> {
        let directory = directory
            .map(Path::to_owned)
            .or_else(|| std::env::var_os(PROFILE_VARIABLE).map(PathBuf::from))
            .or_else(|| Some(dirs::data_local_dir()?.join("vireo")))
            .ok_or_else(|| {
                ClientError::Profile(format!(
                    "This computer names no place for Vireo's files. Name one with --profile or {PROFILE_VARIABLE}."
                ))
            })?;
        create_private_directory(&directory)
            .map_err(|error| cannot("make the folder", &directory, &error))?;
        Ok(Self {
            directory,
            keeper: Keeper::of_the_system(),
        })
    }

    /// The same, but for the key store of whoever runs the tests.
    #[cfg(test)]
    fn without_key_store(self) -> Self {
        Self {
            keeper: Keeper::without_store(),
            ..self
        }
    }

    /// The directory itself.
    #[must_use]
    pub fn directory(&self) -> &Path {
        &self.directory
    }

    /// Where the embedded server keeps its data.
    #[must_use]
    pub fn server_data(&self) -> PathBuf {
        self.directory.join("server")
    }

    /// The settings; the defaults where none were saved.
    ///
    /// # Errors
    /// [`ClientError::Profile`] when the file is there and cannot be read.
    pub fn settings(&self) -> Result<Settings, ClientError> {
        Ok(self.read("settings.json")?.unwrap_or_default())
    }

    /// Saves the settings: either wholly or not at all.
    ///
    /// # Errors
    /// [`ClientError::Profile`].
    pub fn save_settings(&self, settings: &Settings) -> Result<(), ClientError> {
        self.write("settings.json", settings)
    }

    /// The address of the server inside this user's running desktop; none while none runs. One that was left behind by a
    /// crash may name a server that is gone.
    #[must_use]
    pub fn embedded_server(&self) -> Option<String> {
        let url = fs::read_to_string(self.embedded_server_path()).ok()?;
        Some(url.trim().to_owned()).filter(|url| !url.is_empty())
    }

    /// Says where the embedded server is to be found.
    ///
    /// # Errors
    /// [`ClientError::Profile`].
    pub fn publish_embedded_server(&self, url: &str) -> Result<(), ClientError> {
        let path = self.embedded_server_path();
        write_private(&path, url.as_bytes()).map_err(|error| cannot("write", &path, &error))
    }

    /// Says that there is no embedded server any more.
    ///
    /// # Errors
    /// [`ClientError::Profile`].
    pub fn withdraw_embedded_server(&self) -> Result<(), ClientError> {
        self.remove("server-url")
    }

    fn embedded_server_path(&self) -> PathBuf {
        self.directory.join("server-url")
    }

    fn read<T: DeserializeOwned>(&self, name: &str) -> Result<Option<T>, ClientError> {
        let path = self.directory.join(name);
        let text = match fs::read_to_string(&path) {
            Ok(text) => text,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(cannot("read", &path, &error)),
        };
        serde_json::from_str(&text)
            .map(Some)
            .map_err(|error| cannot("read", &path, &error))
    }

    fn write<T: Serialize>(&self, name: &str, value: &T) -> Result<(), ClientError> {
        let path = self.directory.join(name);
        let mut json = serde_json::to_vec_pretty(value).expect("plain data has a JSON form");
        json.push(b'\n');
        write_private(&path, &json).map_err(|error| cannot("write", &path, &error))
    }

    fn remove(&self, name: &str) -> Result<(), ClientError> {
        let path = self.directory.join(name);
        match fs::remove_file(&path) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => {
                Err(cannot("remove", &path, &error))
            }
            _ => Ok(()),
        }
    }
}

/// How others reach the embedded server.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct Hosting {
    /// The port at which they do, which stands in every invitation; none while nobody does.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub port: Option<u16>,
    /// Whether a home router is asked to pass them on.
    pub ask_router: bool,
}

impl Default for Hosting {
    fn default() -> Self {
        Self {
            port: None,
            ask_router: true,
        }
    }
}

/// What the user has chosen. Fields that this version does not know are kept.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct Settings {
    /// STUN and TURN servers, tried before those that the server hands out.
    pub ice_servers: Vec<IceServer>,
    /// Whether calls go only through a relay, so that the other side does not learn where this computer is.
    pub relay_only: bool,
    /// The camera's name; none for the system's default.
    pub camera: Option<String>,
    /// The microphone's name; none for the system's default.
    pub microphone: Option<String>,
    /// The speaker's name; none for the system's default.
    pub speaker: Option<String>,
    /// How far the pictures of cameras that do not stand upright are turned, by the cameras' ids.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub rotations: BTreeMap<String, Rotation>,
    /// Whether pictures of 1080 rows are sent where camera, computer and network can.
    pub full_hd: bool,
    /// What is done to the user's voice.
    pub voice: VoiceSettings,
    /// How others reach the embedded server.
    pub hosting: Hosting,
    /// How the window looks, and in which language.
    pub appearance: Appearance,
    /// How the user is told that somebody calls.
    pub alerts: Alerts,
    /// The keys that mute from anywhere, such as `Control+Alt+KeyM`.
    pub mute_key: Option<String>,
    /// Whether a call goes on when the window is closed; none before the user has been asked.
    pub keep_call_when_closing: Option<bool>,
    /// What else stands in the file.
    #[serde(flatten)]
    pub other: serde_json::Map<String, serde_json::Value>,
}

/// How the window looks, and in which language.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase", default)]
pub struct Appearance {
    /// Light or dark.
    pub theme: Theme,
    /// Which language it speaks.
    pub language: Language,
}

/// Light or dark.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase")]
pub enum Theme {
    /// As the system has it.
    #[default]
    System,
    /// Always light.
    Light,
    /// Always dark.
    Dark,
}

/// A language of the window.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase")]
pub enum Language {
    /// As the system has it.
    #[default]
    System,
    /// English.
    En,
    /// Russian.
    Ru,
}

/// How a person is told that somebody calls, beside the window that rings.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase", default)]
pub struct Alerts {
    /// The system's notifications are shown.
    pub notifications: bool,
    /// A call is heard.
    pub ringtone: bool,
    /// The id of a speaker on which it rings as well; none for no second one.
    pub second_speaker: Option<String>,
}

impl Default for Alerts {
    fn default() -> Self {
        Self {
            notifications: true,
            ringtone: true,
            second_speaker: None,
        }
    }
}

fn cannot(what: &str, path: &Path, error: &dyn std::fmt::Display) -> ClientError {
    ClientError::Profile(format!("Vireo cannot {what} {}: {error}.", path.display()))
}

fn create_private_directory(path: &Path) -> io::Result<()> {
    let mut builder = fs::DirBuilder::new();
    builder.recursive(true);
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    builder.create(path)
}

/// Writes a file that only this user can read, and puts it in its place in one step, so that a crash leaves the old one or the
/// new one and never half of it.
fn write_private(path: &Path, content: &[u8]) -> io::Result<()> {
    let mut name = path.as_os_str().to_owned();
    name.push(format!(".{}.new", std::process::id()));
    let beside = PathBuf::from(name);
    let mut options = fs::OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    // What a crash left behind is nobody's, and may have other rights.
    let _ = fs::remove_file(&beside);
    let mut file = options.open(&beside)?;
    file.write_all(content)
        .and_then(|()| file.sync_all())
        .and_then(|()| fs::rename(&beside, path))
        .inspect_err(|_| {
            let _ = fs::remove_file(&beside);
        })
}

#[cfg(test)]
mod tests {
    use vireo_call::NoiseSuppression;

    use super::*;

    fn profile() -> (tempfile::TempDir, Profile) {
        let directory = tempfile::tempdir().expect("a temporary directory");
        let profile = Profile::open(Some(&directory.path().join("a/b"))).expect("a new profile");
        (directory, profile.without_key_store())
    }

    #[test]
    fn a_new_profile_has_default_settings_and_no_account() {
        let (_directory, profile) = profile();
        assert_eq!(profile.settings(), Ok(Settings::default()));
        assert_eq!(profile.account(), Ok(None));
        assert_eq!(profile.embedded_server(), None);
        assert_eq!(profile.remove_account(), Ok(()));
    }

    #[test]
    fn settings_survive_with_fields_of_a_later_version() {
        let (_directory, profile) = profile();
        let path = profile.directory().join("settings.json");
        fs::write(
            &path,
            r#"{"camera":"Cam","voice":{"noiseSuppression":"strong"},"theme":"dark"}"#,
        )
        .expect("write");
        let mut settings = profile.settings().expect("readable");
        assert_eq!(settings.camera.as_deref(), Some("Cam"));
        let voice = VoiceSettings {
            noise_suppression: NoiseSuppression::Strong,
            ..VoiceSettings::default()
        };
        assert_eq!(settings.voice, voice);
        settings.camera = None;
        profile.save_settings(&settings).expect("writable");
        assert_eq!(profile.settings(), Ok(settings));
        assert!(
            fs::read_to_string(&path)
                .expect("readable")
                .contains("dark")
        );
    }

    #[test]
    fn an_unreadable_file_is_named_in_the_error() {
        let (_directory, profile) = profile();
        fs::write(profile.directory().join("settings.json"), "{").expect("write");
        let error = profile.settings().expect_err("not JSON").to_string();
        assert!(error.contains("settings.json"), "{error}");
    }

    #[cfg(unix)]
    #[test]
    fn the_account_can_be_read_by_its_user_alone() {
        use std::os::unix::fs::PermissionsExt;
        let (_directory, profile) = profile();
        let account = Account::with_new_secret(None, "Ann");
        assert_ne!(account, Account::with_new_secret(None, "Ann"));
        profile.save_account(&account).expect("writable");
        profile.save_account(&account).expect("writable again");
        assert_eq!(profile.account(), Ok(Some(account)));
        let mode = |path: &Path| {
            fs::metadata(path)
                .expect("it is there")
                .permissions()
                .mode()
        };
        assert_eq!(
            mode(&profile.directory().join("account.json")) & 0o777,
            0o600
        );
        assert_eq!(mode(profile.directory()) & 0o777, 0o700);
        let files = fs::read_dir(profile.directory()).expect("readable").count();
        assert_eq!(files, 1, "nothing half-written is left");
    }

    #[test]
    fn the_embedded_server_is_published_and_withdrawn() {
        let (_directory, profile) = profile();
        profile
            .publish_embedded_server("http://127.0.0.1:4")
            .expect("writable");
        assert_eq!(
            profile.embedded_server().as_deref(),
            Some("http://127.0.0.1:4")
        );
        profile.withdraw_embedded_server().expect("removable");
        assert_eq!(profile.embedded_server(), None);
    }
}
