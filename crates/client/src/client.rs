//! The client's handle.

use std::sync::Arc;

use tokio::sync::{mpsc, oneshot, watch};
use vireo_call::{CallStats, MediaFactory, VoiceSettings};
use vireo_protocol::{
    CallId, ChatId, Contact, Credentials, HistoryId, IceServer, PastCall, Registration, UserId,
};

use crate::command::Command;
use crate::contacts::ContactChange;
use crate::{ClientError, ClientOptions, ClientView, ConnectionState, OwnStatus, Session};

/// The whole application without a window: a connection to the server that is restored by itself, the contacts, and the call.
/// Cheap to clone; when the last clone is dropped the call ends and the connection closes.
#[derive(Debug, Clone)]
pub struct Client {
    commands: mpsc::UnboundedSender<Command>,
    view: watch::Receiver<ClientView>,
}

impl Client {
    /// Makes an account and signs in.
    ///
    /// # Errors
    /// [`ClientError::NameTaken`], [`ClientError::InvalidCredentials`], [`ClientError::RegistrationClosed`],
    /// [`ClientError::ServerUnreachable`] and what else a server can say.
    pub async fn register(
        server: &str,
        registration: Registration,
    ) -> Result<Session, ClientError> {
        crate::session::register(server, registration).await
    }

    /// Signs in.
    ///
    /// # Errors
    /// [`ClientError::WrongPassword`], [`ClientError::ServerUnreachable`] and what else a server can say.
    pub async fn sign_in(server: &str, credentials: Credentials) -> Result<Session, ClientError> {
        crate::session::sign_in(server, credentials).await
    }

    /// Starts a client on the current tokio runtime and returns at once; [`Client::view`] tells how it goes.
    #[must_use]
    pub fn connect(session: Session, media: Arc<dyn MediaFactory>, options: ClientOptions) -> Self {
        let (commands, view) = crate::runner::start(session, media, options);
        Self { commands, view }
    }

    /// Waits until the client is connected and knows its contacts.
    ///
    /// # Errors
    /// [`ClientError::ServerUnreachable`] and [`ClientError::WrongServer`] after the first attempt that failed (the client
    /// goes on trying), [`ClientError::VersionMismatch`], [`ClientError::SignedOut`].
    pub async fn ready(&self) -> Result<(), ClientError> {
        let mut view = self.view.clone();
        let settled = view
            .wait_for(|view| view.connection != ConnectionState::Connecting)
            .await
            .map_err(|_| ClientError::Closed)?;
        match settled.connection {
            ConnectionState::Online => Ok(()),
            ConnectionState::UpdateNeeded => Err(ClientError::VersionMismatch),
            ConnectionState::SignedOut => Err(ClientError::SignedOut),
            ConnectionState::WrongServer => Err(ClientError::WrongServer),
            ConnectionState::Connecting | ConnectionState::Unreachable => {
                Err(ClientError::ServerUnreachable)
            }
        }
    }

    /// The client as it stands, now and after every change.
    #[must_use]
    pub fn view(&self) -> watch::Receiver<ClientView> {
        self.view.clone()
    }

    /// Adds a person by exact name. They become a contact once they have added this one too.
    ///
    /// # Errors
    /// [`ClientError::UnknownUser`], [`ClientError::ServerUnreachable`].
    pub async fn add_contact(&self, name: &str) -> Result<Contact, ClientError> {
        let name = name.to_owned();
        let contact = self.change_contacts(ContactChange::Add { name }).await?;
        contact.ok_or(ClientError::NotAVireoServer)
    }

    /// Accepts the request of somebody who has added this person.
    ///
    /// # Errors
    /// [`ClientError::NoSuchRequest`], [`ClientError::TooManyContacts`], [`ClientError::ServerUnreachable`].
    pub async fn accept_contact(&self, user_id: UserId) -> Result<(), ClientError> {
        let change = ContactChange::Accept(user_id);
        self.change_contacts(change).await.map(drop)
    }

    /// Turns a request down; the other person may ask again.
    ///
    /// # Errors
    /// [`ClientError::UnknownUser`], [`ClientError::ServerUnreachable`].
    pub async fn decline_contact(&self, user_id: UserId) -> Result<(), ClientError> {
        let change = ContactChange::Decline(user_id);
        self.change_contacts(change).await.map(drop)
    }

    /// Takes a contact, or a request either way, out of both lists.
    ///
    /// # Errors
    /// [`ClientError::UnknownUser`], [`ClientError::ServerUnreachable`].
    pub async fn remove_contact(&self, user_id: UserId) -> Result<(), ClientError> {
        let change = ContactChange::Remove(user_id);
        self.change_contacts(change).await.map(drop)
    }

    /// Keeps somebody away, who is not told: they see this person offline, and nothing of theirs comes here.
    ///
    /// # Errors
    /// [`ClientError::UnknownUser`], [`ClientError::TooManyContacts`], [`ClientError::ServerUnreachable`].
    pub async fn block_contact(&self, user_id: UserId) -> Result<(), ClientError> {
        let change = ContactChange::Block(user_id);
        self.change_contacts(change).await.map(drop)
    }

    /// Ends a block; what there was between the two is there again.
    ///
    /// # Errors
    /// [`ClientError::UnknownUser`], [`ClientError::ServerUnreachable`].
    pub async fn unblock_contact(&self, user_id: UserId) -> Result<(), ClientError> {
        let change = ContactChange::Unblock(user_id);
        self.change_contacts(change).await.map(drop)
    }

    /// Says how the person can be reached until something else is said: at this device, and until the client closes; or,
    /// where it is not at all, on every device and for good.
    pub fn set_status(&self, status: OwnStatus) {
        self.tell(Command::SetStatus(status));
    }

    /// The person shows another picture, as the server has just said: the one with this ETag, or none.
    pub fn show_avatar(&self, etag: Option<String>) {
        self.tell(Command::ShowAvatar(etag));
    }

    /// Calls that are over, the newest first, at most `limit` of them (the server may give fewer); only those older than
    /// the entry `before`.
    ///
    /// # Errors
    /// [`ClientError::ServerUnreachable`].
    pub async fn history(
        &self,
        before: Option<HistoryId>,
        limit: u32,
    ) -> Result<Vec<PastCall>, ClientError> {
        self.ask(|reply| Command::History {
            before,
            limit,
            reply,
        })
        .await?
    }

    /// Calls the other member of the chat. Returns as soon as the call exists; its view tells how it goes.
    ///
    /// # Errors
    /// [`ClientError::AlreadyInCall`], [`ClientError::AccessDenied`] when there is no such chat,
    /// [`ClientError::ServerUnreachable`] while there is no connection to the server.
    pub async fn place_call(&self, chat_id: ChatId, camera: bool) -> Result<CallId, ClientError> {
        self.ask(|reply| Command::PlaceCall {
            chat_id,
            camera,
            reply,
        })
        .await?
    }

    /// Calls the other member of the chat instead of whomever the person is in a call with: that call ends first.
    ///
    /// # Errors
    /// As [`Client::place_call`].
    pub async fn call_instead(&self, chat_id: ChatId, camera: bool) -> Result<CallId, ClientError> {
        let goes_on = |view: &ClientView| {
            let call = view.call.as_ref();
            call.is_some_and(|call| !call.phase.is_ended())
        };
        if goes_on(&self.view.borrow()) {
            self.end();
            let mut view = self.view.clone();
            let over = view.wait_for(|view| !goes_on(view)).await;
            over.map_err(|_| ClientError::Closed)?;
        }
        self.place_call(chat_id, camera).await
    }

    /// Says no more that this person has called while another call went on.
    pub fn forget_missed(&self, user_id: UserId) {
        self.tell(Command::ForgetMissed(user_id));
    }

    /// Accepts the call that rings, with or without this side's camera.
    pub fn accept(&self, camera: bool) {
        self.tell(Command::Accept { camera });
    }

    /// Declines the call that rings.
    pub fn decline(&self) {
        self.tell(Command::Decline);
    }

    /// Cancels, declines or hangs up, whatever fits.
    pub fn end(&self) {
        self.tell(Command::End);
    }

    /// Clears the view of a call that has ended.
    pub fn dismiss(&self) {
        self.tell(Command::Dismiss);
    }

    /// Mutes or unmutes the microphone.
    pub fn set_microphone_muted(&self, muted: bool) {
        self.tell(Command::SetMicrophoneMuted(muted));
    }

    /// Switches the camera on or off.
    pub fn set_camera_enabled(&self, enabled: bool) {
        self.tell(Command::SetCameraEnabled(enabled));
    }

    /// Sends pictures for a minute even where they take the room that the sound needs, or leaves that to the client again.
    pub fn set_video_kept(&self, kept: bool) {
        self.tell(Command::SetVideoKept(kept));
    }

    /// The statistics of the call; none when there is no call, or it has not been accepted yet. Those of an ended call stay
    /// until the next one.
    pub async fn call_stats(&self) -> Option<CallStats> {
        self.ask(Command::CallStats).await.ok().flatten()
    }

    /// Takes STUN and TURN servers from the user's settings, for the calls to come.
    pub fn set_ice_servers(&self, ice_servers: Vec<IceServer>) {
        self.tell(Command::SetIceServers(ice_servers));
    }

    /// Lets the calls to come go only through a TURN server, or by every way again.
    pub fn set_relay_only(&self, relay_only: bool) {
        self.tell(Command::SetRelayOnly(relay_only));
    }

    /// Switches parts of the voice processing on and off, at once.
    pub fn set_voice(&self, voice: VoiceSettings) {
        self.tell(Command::SetVoice(voice));
    }

    /// Ends the call, says goodbye to the server and stops. The other side has been told when this returns.
    pub async fn close(&self) {
        let _ = self.ask(Command::Close).await;
    }

    async fn change_contacts(&self, change: ContactChange) -> Result<Option<Contact>, ClientError> {
        self.ask(|reply| Command::ChangeContacts { change, reply })
            .await?
    }

    fn tell(&self, command: Command) {
        // A closed client has no call that a command could change.
        let _ = self.commands.send(command);
    }

    async fn ask<T>(
        &self,
        command: impl FnOnce(oneshot::Sender<T>) -> Command,
    ) -> Result<T, ClientError> {
        let (reply, answer) = oneshot::channel();
        self.commands
            .send(command(reply))
            .map_err(|_| ClientError::Closed)?;
        answer.await.map_err(|_| ClientError::Closed)
    }
}
