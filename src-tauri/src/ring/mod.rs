//! What is heard before anyone has answered: a ring tone at the callee's, a soft ringback at the caller's.

mod player;
mod tone;

use std::sync::Arc;

use tokio::sync::watch;
use vireo_call::{MediaFactory, Phase};
use vireo_client::OwnStatus;

use self::{player::Player, tone::Tone};
use crate::view::AppView;

/// Rings for as long as the view says so; whatever ends the ringing ends the sound. Returns when there will be no more views.
pub async fn follow(mut view: watch::Receiver<AppView>, media: Arc<dyn MediaFactory>) {
    let mut playing: Option<(Tone, Player)> = None;
    loop {
        let wanted = tone_of(&view.borrow_and_update());
        if playing.as_ref().map(|(tone, _)| *tone) != wanted {
            // The old sound is told to stop, which takes it 10 ms.
            drop(playing.take());
            playing = wanted.map(|tone| (tone, Player::start(tone, media.clone())));
        }
        if view.changed().await.is_err() {
            return;
        }
    }
}

/// What there is to hear.
fn tone_of(view: &AppView) -> Option<Tone> {
    let client = view.screen.client()?;
    match client.call.as_ref()?.phase {
        Phase::Incoming if view.desk.silent => None,
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
