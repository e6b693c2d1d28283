//! What a person chooses in the settings: it takes effect at once, and survives a restart.

use std::io;

use vireo_call::{NoticeKind, VoiceSettings};
use vireo_client::{
    ClientError,
    paths::{Alerts, Appearance, Settings},
};
use vireo_media::video::Rotation;

use crate::{
    app::App,
    autostart::Autostart,
    checked, devices,
    mute_key::{self, MuteKeyView},
    view::CommandError,
};

/// Each fails with [`ClientError::Profile`] when what was chosen cannot be saved; it applies until the application ends.
impl App {
    /// Switches parts of the voice processing on and off, in the call that goes on too.
    ///
    /// # Errors
    /// See above.
    pub fn set_voice(&self, voice: VoiceSettings) -> Result<(), ClientError> {
        if let Ok(client) = self.client() {
            client.set_voice(voice);
        }
        self.change_view(|view| view.voice = voice);
        self.keep(|settings| settings.voice = voice)
    }

    /// Sends pictures of 1080 rows where camera, computer and network can, from the next call on.
    ///
    /// # Errors
    /// See above.
    pub fn set_full_hd(&self, full_hd: bool) -> Result<(), ClientError> {
        if let Some(media) = self.with(|inner| inner.media.clone()) {
            media.set_full_hd(full_hd);
        }
        self.change_view(|view| view.full_hd = full_hd);
        self.keep(|settings| settings.full_hd = full_hd)
    }

    /// Shows the window in this theme and language.
    ///
    /// # Errors
    /// See above.
    pub fn set_appearance(&self, appearance: Appearance) -> Result<(), ClientError> {
        self.change_view(|view| view.appearance = appearance);
        self.keep(|settings| settings.appearance = appearance)
    }

    /// Tells of calls like this.
    ///
    /// # Errors
    /// See above.
    pub fn set_alerts(&self, alerts: Alerts) -> Result<(), ClientError> {
        self.change_view(|view| view.alerts.clone_from(&alerts));
        self.keep(|settings| settings.alerts = alerts)
    }

    /// Lets a call go on when the main window is closed, or end; None: asks the person.
    ///
    /// # Errors
    /// See above.
    pub fn set_keeps_call_when_closing(&self, keeps: Option<bool>) -> Result<(), ClientError> {
        self.change_view(|view| view.keeps_call_when_closing = keeps);
        self.keep(|settings| settings.keep_call_when_closing = keeps)
    }

    /// What the system starts when the person logs in.
    ///
    /// # Errors
    /// When this program has no name to the system.
    pub fn autostart(&self) -> io::Result<Autostart> {
        let handle = self.handle().map_err(io::Error::other)?;
        Autostart::of(&handle.config().identifier, self.profile_argument())
    }

    /// Lets these keys mute from anywhere; None: no keys.
    ///
    /// # Errors
    /// When the system does not give them, which leaves those before; or they cannot be saved.
    pub async fn set_mute_key(&self, keys: Option<String>) -> Result<(), CommandError> {
        mute_key::hold(&self.handle()?, keys.as_deref()).await?;
        self.change_view(|view| {
            view.mute_key = MuteKeyView {
                keys: keys.clone(),
                ..mute_key::at_first()
            };
        });
        Ok(self.keep(|settings| settings.mute_key = keys)?)
    }

    /// The same with those of the settings, when the application starts.
    pub async fn restore_mute_key(&self, keys: String) {
        let Ok(handle) = self.handle() else { return };
        let held = mute_key::hold(&handle, Some(&keys)).await;
        self.change_view(|view| {
            view.mute_key = MuteKeyView {
                keys: Some(keys),
                problem: held.err(),
            };
        });
    }

    /// Uses the device of this id, in the call that goes on too; None: the system's default one.
    ///
    /// # Errors
    /// See above.
    pub fn set_device(&self, kind: NoticeKind, id: Option<String>) -> Result<(), ClientError> {
        if let Some(media) = self.with(|inner| inner.media.clone()) {
            media.choose(devices::device_kind(kind), id.as_deref());
        }
        if let Ok(rehearsal) = self.rehearsal() {
            rehearsal.renew(kind);
        }
        self.keep(|settings| {
            let chosen = match kind {
                NoticeKind::Camera => &mut settings.camera,
                NoticeKind::Microphone => &mut settings.microphone,
                NoticeKind::Speaker => &mut settings.speaker,
            };
            *chosen = id;
        })
    }

    /// Turns the pictures of the camera of this id, in the call that goes on too.
    ///
    /// # Errors
    /// See above; also where another camera is used.
    pub fn set_rotation(&self, camera: String, rotation: Rotation) -> Result<(), CommandError> {
        let media = self.with(|inner| inner.media.clone());
        let turned = media.is_some_and(|media| media.turn(&camera, rotation));
        if !turned {
            return Err(checked::invalid("This camera is not used."));
        }
        Ok(self.keep(|settings| {
            match rotation {
                Rotation::None => settings.rotations.remove(&camera),
                turned => settings.rotations.insert(camera, turned),
            };
        })?)
    }

    /// Saves the settings so changed, once there is a profile.
    pub(crate) fn keep(&self, change: impl FnOnce(&mut Settings)) -> Result<(), ClientError> {
        let (profile, settings) = self.with(|inner| {
            change(&mut inner.settings);
            (inner.profile.clone(), inner.settings.clone())
        });
        profile.map_or(Ok(()), |profile| profile.save_settings(&settings))
    }
}
