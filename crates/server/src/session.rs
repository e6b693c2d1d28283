//! One signed-in connection: reads its messages, answers what storage can answer, and hands the rest to the switchboard.

use std::time::{Duration, Instant};

use axum::extract::ws::close_code;
use vireo_protocol::{
    CallErrorCode, ChatId, ClientMessage, ErrorCode, MAX_MESSAGE_BYTES, Request, SdpType,
    ServerMessage, VERSION,
};

use crate::calls::{DeviceId, Ids, Offer};
use crate::check::{candidate_is_valid, description_is_valid};
use crate::parse::{Unreadable, id_of, parse};
use crate::queue::Queue;
use crate::rate::{Bucket, Limit};
use crate::socket::Close;
use crate::state::AppState;
use crate::store::{Account, AddContactError, StoreError};
use crate::switchboard::{CallCommand, Command, call_error};

/// Far above what a call needs, whose candidates come in bursts.
const MESSAGES: Limit = Limit {
    capacity: 600,
    period: Duration::from_millis(10),
};

/// Who goes on and on in spite of being told is sent away.
const MAX_REFUSED: u32 = 1000;

/// Whether the connection goes on.
#[derive(Debug, PartialEq, Eq)]
pub enum Next {
    /// It does.
    Continue,
    /// It is to be closed.
    Close(Close),
}

/// See the module.
#[derive(Debug)]
pub struct Session {
    state: AppState,
    account: Account,
    queue: Queue,
    /// The connection's number, once it has said hello.
    device: Option<DeviceId>,
    bucket: Bucket,
    refused: u32,
}

impl Session {
    /// A connection that has yet to say hello.
    pub fn new(state: AppState, account: Account, queue: Queue) -> Self {
        Self {
            state,
            account,
            queue,
            device: None,
            bucket: Bucket::new(MESSAGES, Instant::now()),
            refused: 0,
        }
    }

    /// Whether the connection has said hello.
    pub fn has_greeted(&self) -> bool {
        self.device.is_some()
    }

    /// The connection is gone.
    pub async fn end(&mut self) {
        let Some(device) = self.device.take() else {
            return;
        };
        let user = &self.account.user.id;
        let _in_order = self.state.contact_news.lock().await;
        // Even when the database cannot say who watches, the connection has to be taken down.
        let watchers = self.state.store.watchers(user).await.unwrap_or_default();
        let command = Command::Disconnect { device, watchers };
        self.state.switchboard.send(command).await;
    }

    /// A binary message came; there are none.
    pub fn binary(&mut self) -> Next {
        self.refuse(None, ErrorCode::InvalidMessage, "Messages are JSON text.");
        self.count_refused()
    }

    /// A text message came.
    pub async fn text(&mut self, text: &str) -> Next {
        let request = match self.readable(text) {
            Ok(request) => request,
            Err(next) => return next,
        };
        let id = request.id;
        let outcome = match (self.device, request.message) {
            (None, ClientMessage::Hello { version, .. }) => return self.hello(id, version).await,
            (None, _) => {
                self.refuse(
                    Some(id),
                    ErrorCode::UnexpectedHello,
                    "Please say hello first.",
                );
                Ok(())
            }
            (Some(_), ClientMessage::Hello { .. }) => {
                let sentence = "You have said hello already.";
                self.refuse(Some(id), ErrorCode::UnexpectedHello, sentence);
                Ok(())
            }
            (Some(device), ClientMessage::ContactsList {}) => self.contacts(id, device).await,
            (Some(device), ClientMessage::ContactsAdd { name }) => {
                self.add_contact(id, device, &name).await
            }
            (Some(device), message) => self.call(id, device, message).await,
        };
        if let Err(error) = outcome {
            self.database_failed(id, &error);
        }
        Next::Continue
    }

    /// The request that the text holds, when there may be one more and it can be read. Otherwise it has been answered.
    fn readable(&mut self, text: &str) -> Result<Request, Next> {
        let too_many = self.bucket.take(Instant::now()).is_err();
        if text.len() > MAX_MESSAGE_BYTES {
            let sentence = format!("A message can be at most {MAX_MESSAGE_BYTES} bytes long.");
            self.refuse(id_of(text), ErrorCode::MessageTooLarge, &sentence);
            return Err(self.count_refused());
        }
        match parse(text) {
            Ok(request) if too_many => {
                self.refuse_too_many(request);
                Err(self.count_refused())
            }
            Ok(request) => {
                self.refused = 0;
                Ok(request)
            }
            Err(Unreadable { id, code, message }) => {
                self.refuse(id, code, &message);
                Err(self.count_refused())
            }
        }
    }

    async fn hello(&mut self, id: u64, version: u32) -> Next {
        if version != VERSION {
            let sentence = match version < VERSION {
                true => "Please update Vireo: this server speaks a newer version of the protocol.",
                false => "Please update the server: it speaks an older version of the protocol.",
            };
            self.refuse(Some(id), ErrorCode::VersionMismatch, sentence);
            return Next::Close((close_code::POLICY, "Please update."));
        }
        if let Err(error) = self.connect(id).await {
            self.database_failed(id, &error);
        }
        Next::Continue
    }

    async fn connect(&mut self, id: u64) -> Result<(), StoreError> {
        let user = self.account.user.clone();
        // Whoever becomes a contact between the question and the news would not hear of it.
        let _in_order = self.state.contact_news.lock().await;
        let watchers = self.state.store.watchers(&user.id).await?;
        // The reply goes first, so that no news can overtake it.
        self.queue.push(ServerMessage::Hello {
            id,
            version: VERSION,
            ice_servers: self.state.ice.servers_for(&user.id),
            user,
            answer_timeout_seconds: whole_seconds(self.state.answer_timeout),
        });
        let device = self.state.next_device();
        self.device = Some(device);
        let command = Command::Connect {
            device,
            account: self.account.clone(),
            queue: self.queue.clone(),
            watchers,
        };
        self.state.switchboard.send(command).await;
        Ok(())
    }

    async fn contacts(&self, id: u64, device: DeviceId) -> Result<(), StoreError> {
        let _in_order = self.state.contact_news.lock().await;
        let rows = self.state.store.contacts(&self.account.user.id).await?;
        let contacts = rows.into_iter().map(|row| row.into_contact()).collect();
        let message = ServerMessage::Contacts { id, contacts };
        self.reply(device, message).await;
        Ok(())
    }

    async fn add_contact(&self, id: u64, device: DeviceId, name: &str) -> Result<(), StoreError> {
        let store = &self.state.store;
        let me = &self.account.user.id;
        let _in_order = self.state.contact_news.lock().await;
        let other = match store.add_contact(me, name).await {
            Ok(other) => other,
            Err(AddContactError::Store(error)) => return Err(error),
            Err(AddContactError::UnknownUser) => {
                let sentence = "There is nobody of this name here. Please check the spelling.";
                self.refuse(Some(id), ErrorCode::UnknownUser, sentence);
                return Ok(());
            }
            Err(AddContactError::Yourself) => {
                let sentence = "This is your own name. Please enter somebody else's.";
                self.refuse(Some(id), ErrorCode::OwnName, sentence);
                return Ok(());
            }
        };
        if let Some(row) = store.contact(me, &other).await? {
            let contact = row.into_contact();
            let news = ServerMessage::Contact {
                id: None,
                contact: contact.clone(),
            };
            let reply = ServerMessage::Contact {
                id: Some(id),
                contact,
            };
            self.reply(device, reply).await;
            self.news(me.clone(), news).await;
        }
        if let Some(row) = store.contact(&other, me).await? {
            let news = ServerMessage::Contact {
                id: None,
                contact: row.into_contact(),
            };
            self.news(other, news).await;
        }
        Ok(())
    }

    /// A message about a call: its sender has to be a member of the chat, and what it carries has to be well-formed.
    async fn call(
        &self,
        id: u64,
        device: DeviceId,
        message: ClientMessage,
    ) -> Result<(), StoreError> {
        let Some(ids) = ids_of(&message) else {
            let sentence =
                "This server cannot do that. Please ask the person who runs it to update it.";
            self.refuse(Some(id), ErrorCode::UnknownType, sentence);
            return Ok(());
        };
        let refuse = |code| {
            self.queue.push(call_error(id, ids.clone(), code));
            Ok(())
        };
        let Some(partner) = self.partner(&ids.1).await? else {
            return refuse(CallErrorCode::AccessDenied);
        };
        if let Some(code) = problem_with(&message) {
            return refuse(code);
        }
        let call = match message {
            ClientMessage::CallInitiate {
                call_id,
                chat_id,
                offer,
                media_state,
            } => CallCommand::Initiate(Offer {
                call_id,
                chat_id,
                offer,
                media_state,
            }),
            message => CallCommand::Other(message),
        };
        let command = Command::Call {
            device,
            request: id,
            partner,
            call,
        };
        self.state.switchboard.send(command).await;
        Ok(())
    }

    async fn partner(&self, chat: &ChatId) -> Result<Option<Account>, StoreError> {
        match chat.is_well_formed() {
            true => self.state.store.partner(chat, &self.account.user.id).await,
            false => Ok(None),
        }
    }

    async fn reply(&self, device: DeviceId, message: ServerMessage) {
        let command = Command::Reply { device, message };
        self.state.switchboard.send(command).await;
    }

    async fn news(&self, user: vireo_protocol::UserId, message: ServerMessage) {
        let command = Command::News { user, message };
        self.state.switchboard.send(command).await;
    }

    fn refuse(&self, id: Option<u64>, code: ErrorCode, sentence: &str) {
        let message = sentence.to_owned();
        self.queue.push(ServerMessage::Error { id, code, message });
    }

    fn database_failed(&self, id: u64, error: &StoreError) {
        tracing::error!(%error, "the database failed");
        let sentence = "Something went wrong on the server. Please try again.";
        self.refuse(Some(id), ErrorCode::Internal, sentence);
    }

    fn refuse_too_many(&self, request: Request) {
        match ids_of(&request.message) {
            Some(ids) => {
                let error = call_error(request.id, ids, CallErrorCode::RateLimited);
                self.queue.push(error);
            }
            None => {
                let sentence = "Too many messages. Please wait a moment.";
                self.refuse(Some(request.id), ErrorCode::RateLimited, sentence);
            }
        }
    }

    fn count_refused(&mut self) -> Next {
        self.refused += 1;
        match self.refused > MAX_REFUSED {
            true => Next::Close((close_code::POLICY, "Too many bad messages.")),
            false => Next::Continue,
        }
    }
}

/// The call a message is about; nothing when it is not about one.
fn ids_of(message: &ClientMessage) -> Option<Ids> {
    use ClientMessage as M;
    match message {
        M::Hello { .. }
        | M::ContactsList {}
        | M::ContactsAdd { .. }
        | M::ContactsAccept { .. }
        | M::ContactsDecline { .. }
        | M::ContactsRemove { .. }
        | M::ContactsBlock { .. }
        | M::ContactsUnblock { .. }
        | M::PresenceSet { .. } => None,
        M::CallInitiate {
            call_id, chat_id, ..
        }
        | M::CallRinging { call_id, chat_id }
        | M::CallAnswer {
            call_id, chat_id, ..
        }
        | M::CallIceCandidate {
            call_id, chat_id, ..
        }
        | M::CallMediaState {
            call_id, chat_id, ..
        }
        | M::CallEnd {
            call_id, chat_id, ..
        }
        | M::CallReject {
            call_id, chat_id, ..
        } => Some((call_id.clone(), chat_id.clone())),
    }
}

/// What is wrong with a message about a call, whoever sends it.
fn problem_with(message: &ClientMessage) -> Option<CallErrorCode> {
    use ClientMessage as M;
    match message {
        M::CallInitiate { offer, .. } if !description_is_valid(offer, SdpType::Offer) => {
            Some(CallErrorCode::InvalidSdp)
        }
        M::CallAnswer { answer, .. } if !description_is_valid(answer, SdpType::Answer) => {
            Some(CallErrorCode::InvalidSdp)
        }
        M::CallIceCandidate { candidate, .. } if !candidate_is_valid(candidate) => {
            Some(CallErrorCode::InvalidCandidate)
        }
        _ => None,
    }
}

fn whole_seconds(duration: Duration) -> u32 {
    u32::try_from(duration.as_millis().div_ceil(1000)).unwrap_or(u32::MAX)
}

#[cfg(test)]
mod tests {
    use tokio::sync::mpsc::Receiver;
    use vireo_protocol::Presence;

    use super::*;
    use crate::ice::IceConfig;
    use crate::queue::queue;
    use crate::store::{Database, Store};

    const HELLO: &str = r#"{"id":1,"type":"hello","version":2,"client":"test"}"#;
    const LIST: &str = r#"{"id":2,"type":"contacts:list"}"#;

    /// Somebody new, connected, and what they hear.
    async fn person(state: &AppState, name: &str) -> (Session, Receiver<ServerMessage>) {
        let user = state.store.add_user(name, "hash").await.expect("added");
        let account = Account {
            user,
            service: false,
        };
        let (queue, heard, _) = queue();
        (Session::new(state.clone(), account, queue), heard)
    }

    /// What has been heard of others' presence. The reply to one more question comes after all of it.
    async fn presence(
        session: &mut Session,
        heard: &mut Receiver<ServerMessage>,
    ) -> Vec<(String, Presence)> {
        session.text(LIST).await;
        let mut news = Vec::new();
        loop {
            match heard.recv().await.expect("the queue is open") {
                ServerMessage::Presence {
                    user_id, presence, ..
                } => news.push((user_id.0, presence)),
                ServerMessage::Contacts { .. } => return news,
                _ => {}
            }
        }
    }

    /// Two become contacts, with all that is held meanwhile.
    async fn befriend(state: &AppState, one: &str, other: &str) {
        let _in_order = state.contact_news.lock().await;
        let id = async |name: &str| {
            let found = state.store.user_by_name(name).await.expect("read");
            found.expect("registered").0.id
        };
        for (adds, added) in [(one, other), (other, one)] {
            let user = id(adds).await;
            let done = state.store.add_contact(&user, added).await;
            assert!(done.is_ok());
        }
    }

    #[tokio::test]
    async fn who_becomes_a_contact_while_somebody_comes_or_goes_hears_of_it() {
        let directory = tempfile::tempdir().expect("a temporary directory");
        let store = Store::open(&Database::Sqlite(directory.path().join("test.sqlite"))).await;
        let timeout = Duration::from_secs(30);
        let state = AppState::new(store.expect("opened"), true, timeout, IceConfig::default());
        let (mut ann, mut heard) = person(&state, "Ann").await;
        ann.text(HELLO).await;

        let (mut bob, _bob_hears) = person(&state, "Bob").await;
        tokio::join!(befriend(&state, "Ann", "Bob"), bob.text(HELLO));
        let came = (bob.account.user.id.0.clone(), Presence::Online);
        assert_eq!(presence(&mut ann, &mut heard).await, [came]);

        let (mut eve, _eve_hears) = person(&state, "Eve").await;
        eve.text(HELLO).await;
        tokio::join!(befriend(&state, "Ann", "Eve"), eve.end());
        let left = (eve.account.user.id.0.clone(), Presence::Offline);
        assert_eq!(presence(&mut ann, &mut heard).await, [left]);
    }
}
