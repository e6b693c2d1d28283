//! What there is to tell, from one view to the next.

use std::time::Duration;

use tokio::time::Instant;
use vireo_call::{CallPeer, CallView, EndedReason, Phase};
use vireo_client::{ClientView, ConnectionState, OwnStatus};
use vireo_protocol::CallId;

use super::{Act, Change, Message, Subject};
use crate::view::{AppView, Screen};

/// A server that is back within this time was not worth a word.
pub const SERVER_MAY_BE_AWAY: Duration = Duration::from_secs(30);

/// See the module.
#[derive(Debug, Default)]
pub struct News {
    /// The call that rings, and whether it is shown.
    rings: Option<(CallId, bool)>,
    /// Those who have called during another call, and whether that is shown.
    missed: Vec<(CallId, bool)>,
    /// Since when the server has been away.
    away: Option<Away>,
}

#[derive(Debug)]
struct Away {
    tell_at: Instant,
    told: bool,
}

impl News {
    /// What is to be told. `watched`: the person has the window before them, which tells it all by itself.
    pub fn follow(&mut self, view: &AppView, watched: bool, now: Instant) -> Vec<Change> {
        let Screen::Home(client) = &view.screen else {
            return Vec::new();
        };
        // Whoever does not wish to be disturbed is not told; what was shown before still goes when it is over.
        let quiet = watched || client.status == OwnStatus::DoNotDisturb;
        let mut changes = self.follow_call(client, quiet);
        changes.extend(self.follow_missed(client, quiet));
        changes.extend(self.follow_server(client, quiet, now));
        changes
    }

    /// When there may be something to tell without another view.
    pub fn due(&self) -> Option<Instant> {
        let away = self.away.as_ref().filter(|away| !away.told)?;
        Some(away.tell_at)
    }

    fn follow_call(&mut self, client: &ClientView, quiet: bool) -> Vec<Change> {
        let call = client.call.as_ref();
        let ringing = call.filter(|call| call.phase == Phase::Incoming);
        if let (Some((id, _)), Some(call)) = (&self.rings, ringing)
            && *id == call.call_id
        {
            return Vec::new();
        }
        let over = self.rings.take();
        self.rings = ringing.map(|call| (call.call_id.clone(), !quiet));
        let shown = ringing.filter(|_| !quiet);
        let mut changes: Vec<_> = over
            .and_then(|(id, shown)| {
                let ended = call.filter(|call| call.call_id == id && was_missed(call));
                match ended.filter(|_| !quiet) {
                    Some(call) => Some(Change::Show(missed(client, call))),
                    None => shown.then_some(Change::Withdraw(Subject::Call(id))),
                }
            })
            .into_iter()
            .collect();
        changes.extend(shown.map(|call| Change::Show(rings(client, call))));
        changes
    }

    /// Who has called during another call. There is nothing to press: calling back would end that call without a question.
    fn follow_missed(&mut self, client: &ClientView, quiet: bool) -> Vec<Change> {
        let before = std::mem::take(&mut self.missed);
        let mut changes = Vec::new();
        for call in &client.missed {
            let id = &call.call_id;
            let known = before.iter().find(|(known, _)| known == id);
            if known.is_none() && !quiet {
                changes.push(Change::Show(Message {
                    subject: Subject::Call(id.clone()),
                    title: name(client, &call.peer),
                    text: "ended.missed",
                    acts: Vec::new(),
                    urgent: false,
                }));
            }
            let shown = known.map_or(!quiet, |(_, shown)| *shown);
            self.missed.push((id.clone(), shown));
        }
        let gone = before
            .into_iter()
            .filter(|(id, shown)| *shown && !self.missed.iter().any(|(there, _)| there == id));
        changes.extend(gone.map(|(id, _)| Change::Withdraw(Subject::Call(id))));
        changes
    }

    fn follow_server(&mut self, client: &ClientView, quiet: bool, now: Instant) -> Option<Change> {
        match (client.connection, &mut self.away) {
            (ConnectionState::Unreachable, None) => {
                let tell_at = now + SERVER_MAY_BE_AWAY;
                self.away = Some(Away {
                    tell_at,
                    told: false,
                });
                None
            }
            (ConnectionState::Unreachable, Some(away)) if away.tell_at <= now && !away.told => {
                // Whoever has the window before them reads it there, and is not told later.
                away.told = true;
                (!quiet).then_some(Change::Show(server_away()))
            }
            (ConnectionState::Unreachable | ConnectionState::Connecting, _) => None,
            (_, _) => {
                let told = self.away.take().is_some_and(|away| away.told);
                told.then_some(Change::Withdraw(Subject::Server))
            }
        }
    }
}

fn was_missed(call: &CallView) -> bool {
    matches!(
        call.phase,
        Phase::Ended {
            reason: EndedReason::Missed | EndedReason::CallerCancelled
        }
    )
}

/// The name that the other person shows.
fn name(client: &ClientView, peer: &CallPeer) -> String {
    let mut contacts = client.contacts.iter();
    let contact = contacts.find(|contact| contact.user_id == peer.user_id);
    let shown = contact.and_then(|contact| contact.display_name.clone());
    shown.unwrap_or_else(|| peer.name.clone())
}

fn rings(client: &ClientView, call: &CallView) -> Message {
    let id = &call.call_id;
    let video = call.remote.camera;
    let mut acts = vec![Act::Decline(id.clone())];
    acts.extend(video.then(|| Act::AnswerWithoutVideo(id.clone())));
    // An audio call is answered as one.
    acts.push(Act::Answer {
        call: id.clone(),
        camera: video,
    });
    Message {
        subject: Subject::Call(id.clone()),
        title: name(client, &call.peer),
        text: match video {
            true => "call.incomingVideo",
            false => "call.incomingAudio",
        },
        acts,
        urgent: true,
    }
}

fn missed(client: &ClientView, call: &CallView) -> Message {
    Message {
        subject: Subject::Call(call.call_id.clone()),
        title: name(client, &call.peer),
        text: "ended.missed",
        acts: vec![Act::CallBack {
            chat: call.chat_id.clone(),
            camera: call.remote.camera,
        }],
        urgent: false,
    }
}

fn server_away() -> Message {
    Message {
        subject: Subject::Server,
        title: "Vireo".to_owned(),
        text: "notification.serverLost",
        acts: Vec::new(),
        urgent: false,
    }
}
