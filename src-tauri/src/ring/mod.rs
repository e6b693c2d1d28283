//! What is heard before anyone has answered: a ring tone at the callee's, on a second speaker too where the person wants
//! that, and a soft ringback at the caller's. And in a call, that its connection is lost, and that it is back.

mod player;
mod tone;

use std::sync::Arc;

use tokio::sync::watch;
use vireo_call::Phase;
use vireo_client::OwnStatus;
use vireo_media::{AudioSink, MediaError};
use vireo_protocol::CallId;

use self::{player::Player, tone::Tone};
use crate::view::AppView;

/// Where it can be heard. Speakers are opened on threads that may wait; none where there is to be no sound.
pub trait Speakers: Send + Sync {
    /// The speaker of calls.
    ///
    /// # Errors
    /// Why it cannot be used.
    fn speaker(&self) -> Opened;

    /// The one of this id, beside the speaker of calls; none where both are the same.
    ///
    /// # Errors
    /// Why it cannot be used.
    fn second_speaker(&self, id: &str) -> Opened;
}

/// A speaker, or why there is none.
pub type Opened = Result<Option<Box<dyn AudioSink>>, MediaError>;

/// Rings for as long as the view says so; whatever ends the ringing ends the sound. What is heard once sounds to its end, or the
/// call's. Returns when there will be no more views.
pub async fn follow(mut view: watch::Receiver<AppView>, speakers: Arc<dyn Speakers>) {
    let mut playing: Vec<(Sound, Player)> = Vec::new();
    let mut before = None;
    let mut cue: Option<Player> = None;
    loop {
        let (wanted, now) = {
            let view = view.borrow_and_update();
            (sounds_of(&view), moment_of(&view))
        };
        let goes_on = matches!(now, Some((_, Phase::Connected | Phase::Reconnecting)));
        // One that still sounds gives way to the next, and ends with the call.
        cue = match cue_between(before.as_ref(), now.as_ref()) {
            Some(tone) => Some(Sound { tone, second: None }.play(&speakers)),
            None => cue.filter(|_| goes_on),
        };
        before = now;
        // One that is not wanted any more is told to stop, which takes it 10 ms.
        playing.retain(|(sound, _)| wanted.contains(sound));
        for sound in wanted {
            if playing.iter().all(|(other, _)| *other != sound) {
                let player = sound.play(&speakers);
                playing.push((sound, player));
            }
        }
        if view.changed().await.is_err() {
            return;
        }
    }
}

/// Which call there is, and where it stands.
type Moment = (CallId, Phase);

fn moment_of(view: &AppView) -> Option<Moment> {
    let call = view.screen.client()?.call.as_ref()?;
    Some((call.call_id.clone(), call.phase))
}

/// What is heard once when a call goes from one moment to the other.
fn cue_between(before: Option<&Moment>, now: Option<&Moment>) -> Option<Tone> {
    let ((call_before, phase_before), (call, phase)) = (before?, now?);
    match (phase_before, phase) {
        _ if call_before != call => None,
        (Phase::Connected, Phase::Reconnecting) => Some(Tone::Lost),
        (Phase::Reconnecting, Phase::Connected) => Some(Tone::Back),
        _ => None,
    }
}

/// A tone, and where it is heard.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Sound {
    tone: Tone,
    /// The id of the second speaker; none for the speaker of calls.
    second: Option<String>,
}

impl Sound {
    fn play(&self, speakers: &Arc<dyn Speakers>) -> Player {
        let (speakers, second) = (speakers.clone(), self.second.clone());
        Player::start(self.tone, move || match &second {
            None => speakers.speaker(),
            Some(id) => speakers.second_speaker(id),
        })
    }
}

/// Everything there is to hear.
fn sounds_of(view: &AppView) -> Vec<Sound> {
    let Some(tone) = tone_of(view) else {
        return Vec::new();
    };
    let second = view.alerts.second_speaker.clone();
    let second = second.filter(|_| tone == Tone::Ring).map(Some);
    let sound = |second| Sound { tone, second };
    [None].into_iter().chain(second).map(sound).collect()
}

/// What there is to hear.
fn tone_of(view: &AppView) -> Option<Tone> {
    let client = view.screen.client()?;
    match client.call.as_ref()?.phase {
        Phase::Incoming if view.desk.silent || !view.alerts.ringtone => None,
        // Whoever does not wish to be disturbed sees the call and hears nothing.
        Phase::Incoming if client.status == OwnStatus::DoNotDisturb => None,
        Phase::Incoming => Some(Tone::Ring),
        Phase::Ringing => Some(Tone::Ringback),
        Phase::Calling
        | Phase::Connecting
        | Phase::Connected
        | Phase::Reconnecting
        | Phase::Ended { .. } => None,
    }
}

#[cfg(test)]
mod tests;
