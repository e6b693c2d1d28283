//! What the tray shows, worked out from the view.

use vireo_call::Phase;
use vireo_client::{ConnectionState, OwnStatus, paths::Language};

use crate::{language, view::AppView, words};

/// The sign in the icon's corner.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Badge {
    None,
    InCall,
    Muted,
    DoNotDisturb,
    Offline,
}

/// What the tray shows.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TrayState {
    pub badge: Badge,
    pub tooltip: String,
    /// In which language.
    pub language: Language,
    /// Whether the microphone is muted; none outside calls.
    pub muted: Option<bool>,
    /// Whether the person wishes not to be disturbed; none while nobody is signed in.
    pub do_not_disturb: Option<bool>,
}

impl TrayState {
    /// What follows from the view.
    pub fn of(view: &AppView) -> Self {
        let language = view.appearance.language;
        let words = words::of(&language::wanted(language));
        let Some(client) = view.screen.client() else {
            return Self {
                badge: Badge::None,
                tooltip: "Vireo".to_owned(),
                language,
                muted: None,
                do_not_disturb: None,
            };
        };
        let shown = view.call();
        let name = shown.as_ref().map_or("", |shown| &shown.call.peer.name);
        let phase = shown.as_ref().map(|shown| &shown.call.phase);
        let muted = shown.as_ref().filter(|_| phase.is_some_and(goes_on));
        let muted = muted.map(|shown| !shown.call.local.microphone);
        let quiet = client.status == OwnStatus::DoNotDisturb;
        let offline = client.connection != ConnectionState::Online;
        let (badge, state) = match (muted, phase) {
            (Some(true), _) => (Badge::Muted, "tray.inCallMuted"),
            (Some(false), _) => (Badge::InCall, "tray.inCall"),
            (None, Some(Phase::Incoming)) => (Badge::InCall, "tray.rings"),
            (None, _) if offline => (Badge::Offline, "tray.offline"),
            (None, _) if quiet => (Badge::DoNotDisturb, "person.doNotDisturb"),
            (None, _) => (Badge::None, ""),
        };
        let tooltip = match state {
            "" => "Vireo".to_owned(),
            state => format!("Vireo – {}", words.fill(state, "name", name)),
        };
        Self {
            badge,
            tooltip,
            language,
            muted,
            do_not_disturb: Some(quiet),
        }
    }
}

fn goes_on(phase: &Phase) -> bool {
    match phase {
        Phase::Calling
        | Phase::Ringing
        | Phase::Connecting
        | Phase::Connected
        | Phase::Reconnecting => true,
        Phase::Incoming | Phase::Ended { .. } => false,
    }
}
