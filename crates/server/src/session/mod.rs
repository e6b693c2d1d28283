//! One signed-in connection: reads its messages, answers what storage can answer, and hands the rest to the switchboard.

mod calls;
mod contacts;
mod do_not_disturb;
mod history;

use std::sync::Arc;
use std::time::{Duration, Instant};

use vireo_protocol::{
    CallErrorCode, ClientMessage, ErrorCode, MAX_MESSAGE_BYTES, Request, ServerMessage, SessionId,
    UserId, VERSION,
};

use crate::calls::{DeviceId, Ids};
use crate::close::{self, Close};
use crate::parse::{Unreadable, id_of, parse};
use crate::queue::Queue;
use crate::rate::Limit;
use crate::router_ports::PortKind;
use crate::state::{AppState, SharedBuckets, lock};
use crate::store::{Account, Holder, StoreError};
use crate::switchboard::{Command, call_error};
use calls::ids_of;

pub use contacts::CONTACT_CHANGES;

/// Messages of one person, from all their devices. Far above what a call needs, whose candidates come in bursts.
pub const MESSAGES: Limit = Limit {
    capacity: 600,
    period: Duration::from_millis(10),
};

/// Calls that one person begins. Nobody's telephone is to ring all day because somebody's program wishes so.
pub const CALLS_BEGUN: Limit = Limit {
    capacity: 30,
    period: Duration::from_secs(2),
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

/// A request of a connection that has said hello.
#[derive(Debug, Clone, Copy)]
struct Asked {
    id: u64,
    device: DeviceId,
}

/// What is said of the person in the greeting.
#[derive(Debug, Default)]
struct Greeting {
    do_not_disturb: bool,
    display_name: Option<String>,
    avatar: Option<String>,
}

/// See the module.
#[derive(Debug)]
pub struct Session {
    state: AppState,
    account: Arc<Account>,
    /// How it was with the person when the connection was made; nothing after the greeting.
    greeting: Option<Box<Greeting>>,
    /// The device's session, which the connection ends with.
    holds: SessionId,
    queue: Queue,
    /// The connection's number, once it has said hello.
    device: Option<DeviceId>,
    refused: u32,
    /// The host by which the client has reached the server.
    reached_by: Option<Box<str>>,
}

impl Session {
    /// A connection that has yet to say hello.
    pub fn new(
        state: AppState,
        holder: Holder,
        queue: Queue,
        reached_by: Option<Box<str>>,
    ) -> Self {
        Self {
            state,
            account: Arc::new(holder.account),
            greeting: Some(Box::new(Greeting {
                do_not_disturb: holder.do_not_disturb,
                display_name: holder.display_name,
                avatar: holder.avatar,
            })),
            holds: holder.session,
            queue,
            device: None,
            refused: 0,
            reached_by,
        }
    }

    /// Whether the connection has said hello.
    pub fn has_greeted(&self) -> bool {
        self.device.is_some()
    }

    /// The connection is gone; `closed` where that was the client's doing, as far as can be seen.
    pub async fn end(&mut self, closed: bool) {
        let Some(device) = self.device.take() else {
            return;
        };
        let command = Command::Disconnect { device, closed };
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
            (Some(device), message) => self.handle(id, device, message).await,
        };
        if let Err(error) = outcome {
            self.database_failed(id, &error);
        }
        Next::Continue
    }

    /// The request that the text holds, when there may be one more and it can be read. Otherwise it has been answered.
    fn readable(&mut self, text: &str) -> Result<Request, Next> {
        let allowed = take(&self.state.messages, &self.account.user.id);
        if text.len() > MAX_MESSAGE_BYTES {
            let sentence = format!("A message can be at most {MAX_MESSAGE_BYTES} bytes long.");
            self.refuse(id_of(text), ErrorCode::MessageTooLarge, &sentence);
            return Err(self.count_refused());
        }
        match (parse(text), allowed) {
            (Ok(request), Err(wait)) => {
                self.refuse_too_many(request.id, ids_of(&request.message), wait);
                Err(self.count_refused())
            }
            (Ok(request), Ok(())) => {
                self.refused = 0;
                Ok(request)
            }
            (Err(Unreadable { id, code, message }), _) => {
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
            return Next::Close((close::POLICY, "Please update."));
        }
        match self.connect(id).await {
            Ok(()) => Next::Continue,
            Err(error) => {
                // Nobody would know that the person is there: better they come back.
                tracing::error!(%error, "the database failed");
                Next::Close((close::ERROR, "The server has a problem: come back."))
            }
        }
    }

    async fn connect(&mut self, id: u64) -> Result<(), StoreError> {
        let user = self.account.user.clone();
        let greeting = self.greeting.take().unwrap_or_default();
        let do_not_disturb = greeting.do_not_disturb;
        // The reply goes first, so that no news can overtake it.
        self.queue.push(ServerMessage::Hello {
            id,
            version: VERSION,
            ice_servers: self.state.ice.servers_for(
                &user.id,
                self.reached_by.as_deref(),
                self.state.router_ports.opened(PortKind::Udp).outside(),
            ),
            user: user.clone(),
            answer_timeout_seconds: whole_seconds(self.state.answer_timeout),
            display_name: greeting.display_name,
            avatar: greeting.avatar,
            do_not_disturb,
            servers: self.state.other_servers(),
        });
        let device = self.state.next_device();
        self.device = Some(device);
        let account = Arc::clone(&self.account);
        let queue = self.queue.clone();
        let switchboard = &self.state.switchboard;
        let session = Some(self.holds.0.clone());
        switchboard.connect(device, account, session, queue).await;
        // Afterwards: a session that ends from now on is told to the board, and so is whoever becomes a contact from now on,
        // with a higher version.
        let store = &self.state.store;
        let read = store.watchers_and_session(&user.id, &self.holds).await?;
        let (watchers, stands) = read;
        let now = watchers.do_not_disturb;
        switchboard.send(Command::watchers(user.id, watchers)).await;
        match stands {
            false => self.state.end_session(&self.holds).await,
            true if now != do_not_disturb => self.tell_do_not_disturb().await?,
            true => {}
        }
        Ok(())
    }

    /// What somebody asks who has said hello.
    async fn handle(
        &self,
        id: u64,
        device: DeviceId,
        message: ClientMessage,
    ) -> Result<(), StoreError> {
        use ClientMessage as M;
        let store = &self.state.store;
        let me = &self.account.user.id;
        let asked = Asked { id, device };
        match message {
            M::ContactsList {} => self.list_contacts(asked).await,
            M::ContactsAdd { name } => {
                self.change_contacts(asked, store.add_contact(me, &name))
                    .await
            }
            M::ContactsAccept { user_id } => {
                self.change_contacts(asked, store.accept_contact(me, &user_id))
                    .await
            }
            M::ContactsDecline { user_id } => {
                self.change_contacts(asked, store.decline_contact(me, &user_id))
                    .await
            }
            M::ContactsRemove { user_id } => {
                self.change_contacts(asked, store.remove_contact(me, &user_id))
                    .await
            }
            M::ContactsBlock { user_id } => {
                self.change_contacts(asked, store.block_contact(me, &user_id))
                    .await
            }
            M::ContactsUnblock { user_id } => {
                self.change_contacts(asked, store.unblock_contact(me, &user_id))
                    .await
            }
            M::PresenceSet { status } => {
                let command = Command::SetStatus { device, status };
                self.state.switchboard.send(command).await;
                self.reply(device, ServerMessage::Ok { id }).await;
                Ok(())
            }
            M::PresenceDoNotDisturb { enabled } => self.set_do_not_disturb(asked, enabled).await,
            M::CallsHistory { before, limit } => self.history(id, before, limit).await,
            message => self.call(id, device, message).await,
        }
    }

    async fn reply(&self, device: DeviceId, message: ServerMessage) {
        let command = Command::Reply { device, message };
        self.state.switchboard.send(command).await;
    }

    async fn news(&self, user: UserId, message: ServerMessage) {
        let command = Command::News { user, message };
        self.state.switchboard.send(command).await;
    }

    fn refuse(&self, id: Option<u64>, code: ErrorCode, sentence: &str) {
        let message = sentence.to_owned();
        self.queue.push(ServerMessage::Error {
            id,
            code,
            message,
            retry_after_seconds: None,
        });
    }

    fn database_failed(&self, id: u64, error: &StoreError) {
        tracing::error!(%error, "the database failed");
        let sentence = "Something went wrong on the server. Please try again.";
        self.refuse(Some(id), ErrorCode::Internal, sentence);
    }

    fn refuse_too_many(&self, id: u64, about: Option<Ids>, wait: Duration) {
        let seconds = whole_seconds(wait);
        let mut refusal = match about {
            Some(ids) => call_error(id, ids, CallErrorCode::RateLimited),
            None => ServerMessage::Error {
                id: Some(id),
                code: ErrorCode::RateLimited,
                message: format!("Too many messages. Please try again in {seconds} s."),
                retry_after_seconds: None,
            },
        };
        if let ServerMessage::CallError {
            retry_after_seconds,
            ..
        }
        | ServerMessage::Error {
            retry_after_seconds,
            ..
        } = &mut refusal
        {
            *retry_after_seconds = Some(seconds);
        }
        self.queue.push(refusal);
    }

    fn count_refused(&mut self) -> Next {
        self.refused += 1;
        match self.refused > MAX_REFUSED {
            true => Next::Close((close::POLICY, "Too many bad messages.")),
            false => Next::Continue,
        }
    }
}

/// Takes one of what a person may have now, or says how long to wait.
fn take(buckets: &SharedBuckets<UserId>, user: &UserId) -> Result<(), Duration> {
    lock(buckets).take(user.clone(), Instant::now())
}

fn whole_seconds(duration: Duration) -> u32 {
    u32::try_from(duration.as_millis().div_ceil(1000)).unwrap_or(u32::MAX)
}
