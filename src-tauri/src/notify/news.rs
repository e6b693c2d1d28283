//! What there is to tell, from one view to the next.

use std::time::Duration;

use tokio::time::Instant;
use vireo_call::{CallPeer, CallView, EndedReason, Phase};
use vireo_client::{ClientView, ConnectionState, OwnStatus, paths::Language};
use vireo_protocol::CallId;

use super::{Act, Change, Message, Subject};
use crate::{
    desk::{CallPlace, DeskView},
    view::{AppView, Screen},
};

/// A server that is back within this time was not worth a word.
pub const SERVER_MAY_BE_AWAY: Duration = Duration::from_secs(30);

/// See the module.
#[derive(Debug)]
pub struct News {
    /// A window that rings is not to be overlooked.
    rings_over_all: bool,
    /// The call that rings.
    rings: Option<Ringing>,
    /// Those who have called during another call, and whether that is shown.
    missed: Vec<(CallId, bool)>,
    /// Since when the server has been away.
    away: Option<Away>,
}

#[derive(Debug)]
struct Ringing {
    call: CallId,
    /// Where it rings.
    place: CallPlace,
    /// There is a notification of it.
    told: bool,
}

#[derive(Debug)]
struct Away {
    tell_at: Instant,
    told: bool,
}

impl News {
    /// Nothing was told yet. `rings_over_all`: a window that rings lies over all others.
    #[must_use]
    pub const fn new(rings_over_all: bool) -> Self {
        Self {
            rings_over_all,
            rings: None,
            missed: Vec::new(),
            away: None,
        }
    }

    /// What is to be told. `watched`: the person has the main window before them.
    pub fn follow(&mut self, view: &AppView, watched: bool, now: Instant) -> Vec<Change> {
        let Screen::Home(client) = &view.screen else {
            return Vec::new();
        };
        // Whoever does not wish to be disturbed is not told; what was shown before still goes when it is over.
        let quiet = client.status == OwnStatus::DoNotDisturb || !view.alerts.notifications;
        let mut changes = self.follow_call(view, client, watched, quiet);
        let (quiet, language) = (watched || quiet, view.appearance.language);
        changes.extend(self.follow_missed(client, quiet, language));
        changes.extend(self.follow_server(client, quiet, language, now));
        changes
    }

    /// When there may be something to tell without another view.
    pub fn due(&self) -> Option<Instant> {
        let away = self.away.as_ref().filter(|away| !away.told)?;
        Some(away.tell_at)
    }

    fn follow_call(
        &mut self,
        view: &AppView,
        client: &ClientView,
        watched: bool,
        quiet: bool,
    ) -> Vec<Change> {
        let language = view.appearance.language;
        let call = client.call.as_ref();
        let ringing = call.filter(|call| call.phase == Phase::Incoming);
        let tell = ringing.is_some() && !quiet && !self.is_seen(view.desk, watched);
        if let (Some(known), Some(call)) = (&mut self.rings, ringing)
            && known.call == call.call_id
        {
            return known.moved(view.desk.call, tell, || rings(client, call, language));
        }
        let over = self.rings.take();
        self.rings = ringing.map(|call| Ringing {
            call: call.call_id.clone(),
            place: view.desk.call,
            told: tell,
        });
        let mut changes: Vec<_> = over
            .and_then(|over| {
                let ended = call.filter(|call| call.call_id == over.call && was_missed(call));
                // A window that rang has gone with the call, and nothing tells of it any more.
                let seen = watched && over.place == CallPlace::MainWindow;
                match ended.filter(|_| !quiet && !seen) {
                    Some(call) => Some(Change::Show(missed(client, call, language))),
                    None => over
                        .told
                        .then_some(Change::Withdraw(Subject::Call(over.call))),
                }
            })
            .into_iter()
            .collect();
        let shown = ringing.filter(|_| tell);
        changes.extend(shown.map(|call| Change::Show(rings(client, call, language))));
        changes
    }

    /// Whether the person sees that it rings, or has put it away.
    fn is_seen(&self, desk: DeskView, watched: bool) -> bool {
        desk.silent
            || match desk.call {
                CallPlace::MainWindow => watched,
                CallPlace::RingingWindow => self.rings_over_all,
                CallPlace::Nowhere => true,
            }
    }

    /// Who has called during another call. There is nothing to press: calling back would end that call without a question.
    fn follow_missed(
        &mut self,
        client: &ClientView,
        quiet: bool,
        language: Language,
    ) -> Vec<Change> {
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
                    language,
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

    fn follow_server(
        &mut self,
        client: &ClientView,
        quiet: bool,
        language: Language,
        now: Instant,
    ) -> Option<Change> {
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
                (!quiet).then_some(Change::Show(server_away(language)))
            }
            (ConnectionState::Unreachable | ConnectionState::Connecting, _) => None,
            (_, _) => {
                let told = self.away.take().is_some_and(|away| away.told);
                told.then_some(Change::Withdraw(Subject::Server))
            }
        }
    }
}

impl Ringing {
    /// It rings on, perhaps elsewhere: a window could not be opened, or was put away.
    fn moved(
        &mut self,
        place: CallPlace,
        tell: bool,
        message: impl FnOnce() -> Message,
    ) -> Vec<Change> {
        if std::mem::replace(&mut self.place, place) == place || self.told == tell {
            return Vec::new();
        }
        self.told = tell;
        vec![match tell {
            true => Change::Show(message()),
            false => Change::Withdraw(Subject::Call(self.call.clone())),
        }]
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

fn rings(client: &ClientView, call: &CallView, language: Language) -> Message {
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
        language,
    }
}

fn missed(client: &ClientView, call: &CallView, language: Language) -> Message {
    Message {
        subject: Subject::Call(call.call_id.clone()),
        title: name(client, &call.peer),
        text: "ended.missed",
        acts: vec![Act::CallBack {
            chat: call.chat_id.clone(),
            camera: call.remote.camera,
        }],
        urgent: false,
        language,
    }
}

fn server_away(language: Language) -> Message {
    Message {
        subject: Subject::Server,
        title: "Vireo".to_owned(),
        text: "notification.serverLost",
        acts: Vec::new(),
        urgent: false,
        language,
    }
}
