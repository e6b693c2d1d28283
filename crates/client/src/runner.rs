//! The client's task: it alone holds the contacts, the requests under way and the calls.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::{mpsc, oneshot, watch};
use tokio::time::{Instant, sleep_until};
use vireo_call::peer::has_relay;
use vireo_call::{CallPeer, CallView, EngineEvent, MediaFactory, Phase};
use vireo_protocol::{
    CallId, ChatId, ClientMessage, Contact, HistoryId, IceServer, PastCall, Request, ServerMessage,
    UserId,
};

use crate::calls::Calls;
use crate::command::Command;
use crate::contacts::{self, ContactChange};
use crate::link::{Greeting, HELLO_ID, Link, LinkEvent};
use crate::missed;
use crate::status::Status;
use crate::{
    ClientError, ClientOptions, ClientView, ConnectionState, MissedCall, OwnStatus, Session,
};

/// So many past calls are shown.
const RECENT: u32 = 30;

/// A call is in the history milliseconds after its end, and several changes are worth one question.
const HISTORY_SETTLES: Duration = Duration::from_millis(500);

pub(crate) fn start(
    session: Session,
    media: Arc<dyn MediaFactory>,
    options: ClientOptions,
) -> (mpsc::UnboundedSender<Command>, watch::Receiver<ClientView>) {
    let (handle, commands) = mpsc::unbounded_channel();
    let (view, reader) = watch::channel(ClientView {
        connection: ConnectionState::Connecting,
        servers: vec![session.server.clone()],
        me: session.user.clone(),
        avatar: None,
        status: OwnStatus::default(),
        contacts: options.contacts,
        call: None,
        missed: Vec::new(),
        recent: Vec::new(),
        has_relay: has_relay(&options.ice_servers),
    });
    let remembers = options.reflect.is_none();
    let mut calls = Calls::new(media, options.reflect);
    calls.set_voice(options.voice);
    calls.set_relay_only(options.relay_only);
    let runner = Runner {
        view,
        link: Link::start(session),
        calls,
        own_ice_servers: options.ice_servers,
        server_ice_servers: Vec::new(),
        relay_only: options.relay_only,
        linked: false,
        placing: false,
        remembers,
        recent_due: None,
        status: Status::default(),
        pending: HashMap::new(),
        last_id: HELLO_ID,
    };
    tokio::spawn(runner.run(commands));
    (handle, reader)
}

/// A request whose reply has not come yet.
enum Pending {
    Contacts,
    ChangeContacts {
        change: ContactChange,
        reply: oneshot::Sender<Result<Option<Contact>, ClientError>>,
    },
    History(oneshot::Sender<Result<Vec<PastCall>, ClientError>>),
    Recent,
    Status,
    DoNotDisturb(bool),
    /// What a call has sent, kept for the case that the connection goes before the reply comes.
    Call(ClientMessage),
}

struct Runner {
    view: watch::Sender<ClientView>,
    link: Link,
    calls: Calls,
    own_ice_servers: Vec<IceServer>,
    server_ice_servers: Vec<IceServer>,
    relay_only: bool,
    /// The server has greeted, and nothing is known of a loss.
    linked: bool,
    /// A call has been placed that the view does not show yet.
    placing: bool,
    /// Past calls are shown; a service shows none.
    remembers: bool,
    /// When the server is asked for them.
    recent_due: Option<Instant>,
    status: Status,
    pending: HashMap<u64, Pending>,
    last_id: u64,
}

impl Runner {
    async fn run(mut self, mut commands: mpsc::UnboundedReceiver<Command>) {
        loop {
            tokio::select! {
                command = commands.recv() => match command {
                    Some(Command::Close(reply)) => {
                        self.close().await;
                        let _ = reply.send(());
                        return;
                    }
                    Some(command) => self.obey(command).await,
                    None => return self.close().await,
                },
                Some(event) = self.link.events.recv() => self.link_event(event),
                event = self.calls.next_event() => self.call_event(event),
                () = sleep_until(self.recent_due.unwrap_or_else(Instant::now)), if self.recent_due.is_some() => {
                    self.ask_for_recent();
                }
            }
        }
    }

    async fn obey(&mut self, command: Command) {
        match command {
            Command::History {
                before,
                limit,
                reply,
            } => self.history(before, limit, reply),
            Command::ChangeContacts { change, reply } => self.change_contacts(change, reply),
            Command::SetStatus(status) => self.set_status(status),
            Command::ForgetMissed(user) => self.forget_missed(&user),
            Command::ShowAvatar(etag) => self.view.send_modify(|view| view.avatar = etag),
            Command::PlaceCall {
                chat_id,
                camera,
                reply,
            } => {
                let _ = reply.send(self.place_call(chat_id, camera));
            }
            Command::Accept { camera } => self.calls.accept(camera),
            Command::Decline => self.calls.decline(),
            Command::End => self.calls.end(),
            Command::Dismiss => self.calls.dismiss(),
            Command::SetMicrophoneMuted(muted) => self.calls.set_microphone_muted(muted),
            Command::SetCameraEnabled(enabled) => self.calls.set_camera_enabled(enabled),
            Command::SetVideoKept(kept) => self.calls.set_video_kept(kept),
            Command::CallStats(reply) => {
                let _ = reply.send(self.calls.stats().await);
            }
            Command::SetIceServers(servers) => self.set_own_ice_servers(servers),
            Command::SetRelayOnly(relay_only) => self.set_relay_only(relay_only),
            Command::SetVoice(voice) => self.calls.set_voice(voice),
            // The loop takes this one itself.
            Command::Close(reply) => drop(reply),
        }
    }

    fn online(&self) -> bool {
        self.view.borrow().connection == ConnectionState::Online
    }

    fn change_contacts(
        &mut self,
        change: ContactChange,
        reply: oneshot::Sender<Result<Option<Contact>, ClientError>>,
    ) {
        if !self.online() {
            let _ = reply.send(Err(ClientError::ServerUnreachable));
            return;
        }
        let message = change.message();
        self.request(message, Pending::ChangeContacts { change, reply });
    }

    fn set_status(&mut self, status: OwnStatus) {
        let messages = self.status.set(status);
        self.show_status();
        match self.linked {
            true => self.say_status(messages),
            // It is said with the next greeting.
            false => self.status.unheard(),
        }
    }

    fn say_status(&mut self, messages: Vec<ClientMessage>) {
        for message in messages {
            let pending = match &message {
                ClientMessage::PresenceDoNotDisturb { enabled } => Pending::DoNotDisturb(*enabled),
                _ => Pending::Status,
            };
            self.request(message, pending);
        }
    }

    fn show_status(&self) {
        let status = self.status.shown();
        self.view.send_if_modified(|view| {
            let before = std::mem::replace(&mut view.status, status);
            before != status
        });
    }

    fn history(
        &mut self,
        before: Option<HistoryId>,
        limit: u32,
        reply: oneshot::Sender<Result<Vec<PastCall>, ClientError>>,
    ) {
        if !self.online() {
            let _ = reply.send(Err(ClientError::ServerUnreachable));
            return;
        }
        let limit = Some(limit);
        let message = ClientMessage::CallsHistory { before, limit };
        self.request(message, Pending::History(reply));
    }

    /// The past calls have changed, or may have.
    fn recent_changed(&mut self) {
        if self.remembers {
            self.recent_due = Some(Instant::now() + HISTORY_SETTLES);
        }
    }

    fn ask_for_recent(&mut self) {
        self.recent_due = None;
        // The next greeting asks again.
        if self.linked {
            let (before, limit) = (None, Some(RECENT));
            let message = ClientMessage::CallsHistory { before, limit };
            self.request(message, Pending::Recent);
        }
    }

    /// Somebody has called and heard that this person is busy.
    fn missed(&mut self, call: MissedCall) {
        self.recent_changed();
        // Whoever does not wish to be called finds it among the past calls, and is not told.
        if self.remembers && self.status.shown() != OwnStatus::DoNotDisturb {
            self.view
                .send_modify(|view| missed::note(&mut view.missed, call));
        }
    }

    fn forget_missed(&self, user: &UserId) {
        self.view.send_if_modified(|view| {
            let before = view.missed.len();
            missed::forget(&mut view.missed, user);
            view.missed.len() != before
        });
    }

    fn place_call(&mut self, chat_id: ChatId, camera: bool) -> Result<CallId, ClientError> {
        let view = self.view.borrow();
        let in_call = view
            .call
            .as_ref()
            .is_some_and(|call| !call.phase.is_ended());
        if in_call || self.placing {
            return Err(ClientError::AlreadyInCall);
        }
        if view.connection != ConnectionState::Online {
            return Err(ClientError::ServerUnreachable);
        }
        if self.relay_only && !view.has_relay {
            return Err(ClientError::NoRelay);
        }
        let contact =
            contacts::callable(&view.contacts, &chat_id).ok_or(ClientError::AccessDenied)?;
        let peer = CallPeer {
            user_id: contact.user_id.clone(),
            name: contact.name.clone(),
        };
        drop(view);
        let call_id = CallId::random();
        self.placing = true;
        self.calls.place(call_id.clone(), chat_id, peer, camera);
        Ok(call_id)
    }

    fn set_own_ice_servers(&mut self, servers: Vec<IceServer>) {
        self.own_ice_servers = servers;
        self.pass_ice_servers();
    }

    fn pass_ice_servers(&mut self) {
        let own = self.own_ice_servers.iter();
        let all: Vec<_> = own.chain(&self.server_ice_servers).cloned().collect();
        self.view.send_if_modified(|view| {
            let before = std::mem::replace(&mut view.has_relay, has_relay(&all));
            before != view.has_relay
        });
        self.calls.set_ice_servers(all);
    }

    fn set_relay_only(&mut self, relay_only: bool) {
        self.relay_only = relay_only;
        self.calls.set_relay_only(relay_only);
    }

    fn request(&mut self, message: ClientMessage, pending: Pending) {
        self.last_id += 1;
        self.pending.insert(self.last_id, pending);
        self.link.send(Request {
            id: self.last_id,
            message,
        });
    }

    fn link_event(&mut self, event: LinkEvent) {
        match event {
            LinkEvent::Online(greeting) => self.greeted(greeting),
            LinkEvent::Message(message) => self.receive(message),
            LinkEvent::Offline => self.lost(ConnectionState::Unreachable),
            LinkEvent::WrongServer => self.lost(ConnectionState::WrongServer),
            LinkEvent::Refused(ClientError::VersionMismatch) => {
                self.lost(ConnectionState::UpdateNeeded);
            }
            LinkEvent::Refused(_) => self.lost(ConnectionState::SignedOut),
        }
    }

    fn greeted(&mut self, greeting: Greeting) {
        self.server_ice_servers = greeting.ice_servers;
        self.pass_ice_servers();
        self.view.send_modify(|view| {
            view.learn_servers(greeting.servers);
            view.me = greeting.user;
            view.avatar = greeting.avatar;
        });
        self.linked = true;
        self.calls.server_back(greeting.answer_timeout);
        let messages = self.status.greeted(greeting.do_not_disturb);
        self.show_status();
        self.say_status(messages);
        // Online is shown once the contacts are there, so that whoever waits for it can call at once.
        self.request(ClientMessage::ContactsList {}, Pending::Contacts);
    }

    fn lost(&mut self, state: ConnectionState) {
        self.linked = false;
        self.calls.server_lost();
        // Replies to what was asked on the old connection will never come.
        let mut pending: Vec<(u64, Pending)> = self.pending.drain().collect();
        pending.sort_unstable_by_key(|(id, _)| *id);
        for (_, pending) in pending {
            match pending {
                Pending::ChangeContacts { reply, .. } => {
                    let _ = reply.send(Err(ClientError::ServerUnreachable));
                }
                Pending::History(reply) => {
                    let _ = reply.send(Err(ClientError::ServerUnreachable));
                }
                Pending::Call(message) => self.calls.unconfirmed(message),
                Pending::DoNotDisturb(_) => self.status.unheard(),
                Pending::Contacts | Pending::Recent | Pending::Status => {}
            }
        }
        self.view.send_if_modified(|view| {
            let changed = view.connection != state;
            view.connection = state;
            changed
        });
    }

    fn receive(&mut self, message: ServerMessage) {
        match message {
            ServerMessage::Ok { id } => self.done(id),
            ServerMessage::Error {
                id, code, message, ..
            } => {
                let pending = id.and_then(|id| self.pending.remove(&id));
                self.failed(pending, |name| ClientError::from_code(code, message, name));
            }
            ServerMessage::Contacts { id, contacts } => {
                self.pending.remove(&id);
                self.show_contacts(contacts);
            }
            ServerMessage::Calls { id, calls } => match self.pending.remove(&id) {
                Some(Pending::History(reply)) => drop(reply.send(Ok(calls))),
                Some(Pending::Recent) => self.view.send_modify(|view| view.recent = calls),
                _ => {}
            },
            ServerMessage::Contact { id, contact } => {
                let pending = id.and_then(|id| self.pending.remove(&id));
                self.show_contact(contact, pending);
            }
            ServerMessage::ContactRemoved { user_id } => self.view.send_modify(|view| {
                contacts::remove(&mut view.contacts, &user_id);
            }),
            ServerMessage::Presence {
                user_id,
                presence,
                last_seen_at,
            } => self.view.send_modify(|view| {
                contacts::set_presence(&mut view.contacts, &user_id, presence, last_seen_at);
            }),
            ServerMessage::DoNotDisturb { enabled } => {
                self.status.told(enabled);
                self.show_status();
            }
            ServerMessage::CallMissed {
                call_id,
                chat_id,
                caller_id,
                caller_name,
                media_state,
            } => self.missed(MissedCall {
                call_id,
                chat_id,
                peer: CallPeer {
                    user_id: caller_id,
                    name: caller_name,
                },
                camera: media_state.camera,
            }),
            ServerMessage::CallError {
                id: Some(id),
                code,
                retry_after_seconds,
                ..
            } => {
                if let Some(Pending::Call(message)) = self.pending.remove(&id) {
                    let wait = retry_after_seconds.map(|wait| Duration::from_secs(wait.into()));
                    self.calls.refused(message, Some(code), wait);
                }
            }
            ServerMessage::Hello { .. } => {}
            ServerMessage::CallOffer { .. }
            | ServerMessage::CallRinging { .. }
            | ServerMessage::CallAnswer { .. }
            | ServerMessage::CallIceCandidate { .. }
            | ServerMessage::CallMediaState { .. }
            | ServerMessage::CallRestart { .. }
            | ServerMessage::CallEnd { .. }
            | ServerMessage::CallRejected { .. }
            | ServerMessage::CallError { .. } => self.calls.receive(message),
        }
    }

    fn failed(&mut self, pending: Option<Pending>, error: impl FnOnce(&str) -> ClientError) {
        match pending {
            Some(Pending::ChangeContacts { change, reply }) => {
                let _ = reply.send(Err(error(change.name())));
            }
            Some(Pending::History(reply)) => {
                let _ = reply.send(Err(error("")));
            }
            Some(Pending::Call(message)) => self.calls.refused(message, None, None),
            Some(Pending::DoNotDisturb(enabled)) => {
                self.status.told(!enabled);
                self.show_status();
            }
            // Without a list there is nobody to call; the next connection asks again.
            Some(Pending::Contacts | Pending::Recent | Pending::Status) | None => {
                tracing::warn!(error = %error(""), "the server reports an error");
            }
        }
    }

    fn show_contacts(&mut self, mut list: Vec<Contact>) {
        self.recent_changed();
        contacts::sort(&mut list);
        self.view.send_modify(|view| {
            view.contacts = list;
            view.connection = ConnectionState::Online;
        });
    }

    fn show_contact(&mut self, contact: Contact, pending: Option<Pending>) {
        self.view
            .send_modify(|view| contacts::put(&mut view.contacts, contact.clone()));
        if let Some(Pending::ChangeContacts { reply, .. }) = pending {
            let _ = reply.send(Ok(Some(contact)));
        }
    }

    /// A request was carried out, and there is nothing more to say. Where it changed how somebody stands in the list, they
    /// are not in it any more.
    fn done(&mut self, id: u64) {
        if let Some(Pending::ChangeContacts { change, reply }) = self.pending.remove(&id) {
            if let Some(user_id) = change.user_id() {
                self.view
                    .send_modify(|view| contacts::remove(&mut view.contacts, user_id));
            }
            let _ = reply.send(Ok(None));
        }
    }

    fn call_event(&mut self, event: EngineEvent) {
        match event {
            EngineEvent::Send(message) if self.linked => {
                self.request(message.clone(), Pending::Call(message));
            }
            // It was on its way to the link when that broke.
            EngineEvent::Send(message) => self.calls.unconfirmed(message),
            EngineEvent::View(call) => self.show_call(call.map(|call| *call)),
        }
    }

    fn show_call(&mut self, call: Option<CallView>) {
        self.placing = false;
        let goes_on = |call: &CallView| !call.phase.is_ended();
        if !call.as_ref().is_some_and(goes_on)
            && self.view.borrow().call.as_ref().is_some_and(goes_on)
        {
            self.recent_changed();
        }
        let is_lost = |call: &CallView| call.phase == Phase::Reconnecting;
        if call.as_ref().is_some_and(is_lost)
            && !self.view.borrow().call.as_ref().is_some_and(is_lost)
        {
            // What has taken the call's way may have taken the server's too.
            self.link.probe();
        }
        self.view.send_modify(|view| {
            if let Some(call) = &call {
                // They are being talked to.
                missed::forget(&mut view.missed, &call.peer.user_id);
            }
            view.call = call;
        });
    }

    /// Ends the calls and lets their last messages out before the connection is closed with the link.
    async fn close(mut self) {
        self.calls.close().await;
        while let Some(event) = self.calls.try_next_event() {
            self.call_event(event);
        }
        self.link.close().await;
    }
}
