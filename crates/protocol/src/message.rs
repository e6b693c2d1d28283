//! The messages of the WebSocket. Every one is a JSON object with a `type`; fields are camelCase; unknown fields are ignored.

use serde::{Deserialize, Serialize};

use crate::{
    CallErrorCode, CallId, ChatId, Contact, DeviceStatus, EndReason, ErrorCode, HistoryId,
    IceCandidate, IceServer, MediaState, PastCall, Presence, SessionDescription, User, UserId,
};

/// A client's message with the number that its reply repeats.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Request {
    /// Chosen by the client; each request of a connection should have another one.
    pub id: u64,
    /// What is asked.
    #[serde(flatten)]
    pub message: ClientMessage,
}

/// What a client asks. Each gets exactly one reply: [`ServerMessage::Ok`], the message named below, or an error.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "type", rename_all_fields = "camelCase")]
pub enum ClientMessage {
    /// The first message. Answered by [`ServerMessage::Hello`].
    #[serde(rename = "hello")]
    Hello {
        /// [`VERSION`](crate::VERSION).
        version: u32,
        /// The client's name and version, for the server's log.
        client: String,
    },
    /// Answered by [`ServerMessage::Contacts`].
    #[serde(rename = "contacts:list")]
    ContactsList {},
    /// Adds a person by exact name. Answered by [`ServerMessage::Contact`].
    #[serde(rename = "contacts:add")]
    ContactsAdd {
        /// The person's name.
        name: String,
    },
    /// Accepts the request of somebody who has added this person. Answered as `contacts:add` is.
    #[serde(rename = "contacts:accept")]
    ContactsAccept {
        /// Who asked.
        user_id: UserId,
    },
    /// Turns the request down. The other person may ask again. Answered by [`ServerMessage::Contact`] where the person is in
    /// the list afterwards, else by [`ServerMessage::Ok`]; so are the next three.
    #[serde(rename = "contacts:decline")]
    ContactsDecline {
        /// Who asked.
        user_id: UserId,
    },
    /// Takes a contact, or a request either way, out of both lists.
    #[serde(rename = "contacts:remove")]
    ContactsRemove {
        /// Who goes.
        user_id: UserId,
    },
    /// From now on the other person sees this one offline, and nothing of theirs comes here. They are not told.
    #[serde(rename = "contacts:block")]
    ContactsBlock {
        /// Who is kept away.
        user_id: UserId,
    },
    /// Ends the block: what there was between the two is there again.
    #[serde(rename = "contacts:unblock")]
    ContactsUnblock {
        /// Who was kept away.
        user_id: UserId,
    },
    /// Says how the person at this device can be reached, until something else is said or the connection ends.
    #[serde(rename = "presence:set")]
    PresenceSet {
        /// What others shall see.
        status: DeviceStatus,
    },
    /// Says whether the person wishes to be called: for all their devices, and until something else is said. Every other
    /// device hears [`ServerMessage::DoNotDisturb`].
    #[serde(rename = "presence:do-not-disturb")]
    PresenceDoNotDisturb {
        /// Whether they do not.
        enabled: bool,
    },
    /// Asks for calls that are over, the newest first. Answered by [`ServerMessage::Calls`].
    #[serde(rename = "calls:history")]
    CallsHistory {
        /// Only older ones than this entry.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        before: Option<HistoryId>,
        /// At most so many; 50 when nothing is said, and never more than 200.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        limit: Option<u32>,
    },
    /// Rings the other member of the chat.
    #[serde(rename = "call:initiate")]
    CallInitiate {
        /// Made by the caller, new for each call.
        call_id: CallId,
        /// Where to call.
        chat_id: ChatId,
        /// The caller's offer.
        offer: SessionDescription,
        /// What the caller is going to send.
        media_state: MediaState,
    },
    /// The callee's device rings.
    #[serde(rename = "call:ringing")]
    CallRinging {
        /// The call.
        call_id: CallId,
        /// Its chat.
        chat_id: ChatId,
    },
    /// Accepts the call.
    #[serde(rename = "call:answer")]
    CallAnswer {
        /// The call.
        call_id: CallId,
        /// Its chat.
        chat_id: ChatId,
        /// The callee's answer.
        answer: SessionDescription,
        /// What the callee is going to send.
        media_state: MediaState,
    },
    /// One more candidate of the sender's.
    #[serde(rename = "call:ice-candidate")]
    CallIceCandidate {
        /// The call.
        call_id: CallId,
        /// Its chat.
        chat_id: ChatId,
        /// The candidate.
        candidate: IceCandidate,
    },
    /// The sender muted or unmuted, or switched the camera.
    #[serde(rename = "call:media-state")]
    CallMediaState {
        /// The call.
        call_id: CallId,
        /// Its chat.
        chat_id: ChatId,
        /// What the sender sends from now on.
        media_state: MediaState,
    },
    /// The media connection of an answered call is to be made anew, on the network as it is now (an ICE restart, RFC 8445).
    #[serde(rename = "call:restart")]
    CallRestart {
        /// The call.
        call_id: CallId,
        /// Its chat.
        chat_id: ChatId,
        /// Counted up by the caller with each offer; the callee's answer repeats it. Zero where the callee asks.
        #[serde(default)]
        attempt: u32,
        /// The caller's offer or the callee's answer; none where the callee asks the caller for an offer.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        description: Option<SessionDescription>,
    },
    /// Cancels a call that rings, or hangs up.
    #[serde(rename = "call:end")]
    CallEnd {
        /// The call.
        call_id: CallId,
        /// Its chat.
        chat_id: ChatId,
        /// `hung-up` (also for a cancel: the server knows the difference) or `connection-failed`.
        reason: EndReason,
    },
    /// The callee declines.
    #[serde(rename = "call:reject")]
    CallReject {
        /// The call.
        call_id: CallId,
        /// Its chat.
        chat_id: ChatId,
        /// True when a call in progress is the reason; the caller then hears `user-busy`.
        #[serde(default)]
        busy: bool,
    },
}

/// What the server says: a reply (it repeats the request's `id`) or news (it has none).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "type", rename_all_fields = "camelCase")]
pub enum ServerMessage {
    /// Reply to `hello`.
    #[serde(rename = "hello")]
    Hello {
        /// The request.
        id: u64,
        /// The server's protocol version.
        version: u32,
        /// Who the token belongs to.
        user: User,
        /// STUN and TURN servers to use, with credentials that are limited in time.
        ice_servers: Vec<IceServer>,
        /// After so many seconds without an answer the server ends a call.
        answer_timeout_seconds: u32,
        /// The name that others see; null where that is the same.
        #[serde(default)]
        display_name: Option<String>,
        /// The ETag of the person's own picture; null where there is none.
        #[serde(default)]
        avatar: Option<String>,
        /// Whether the person does not wish to be called, on whichever device they have said so.
        #[serde(default)]
        do_not_disturb: bool,
        /// Where else this service is, when this server is gone.
        #[serde(default)]
        servers: Vec<String>,
    },
    /// The request was carried out, and there is nothing more to say.
    #[serde(rename = "ok")]
    Ok {
        /// The request.
        id: u64,
    },
    /// The request failed; null when the message had no readable id.
    #[serde(rename = "error")]
    Error {
        /// The request.
        id: Option<u64>,
        /// For programs.
        code: ErrorCode,
        /// For people.
        message: String,
        /// With `rate-limited`: after so many seconds it may be asked again.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        retry_after_seconds: Option<u32>,
    },
    /// Reply to `contacts:list`.
    #[serde(rename = "contacts")]
    Contacts {
        /// The request.
        id: u64,
        /// Everyone in the list.
        contacts: Vec<Contact>,
    },
    /// Reply to a change of one's contacts (with `id`), or news: this person was added or has changed (without).
    #[serde(rename = "contact")]
    Contact {
        /// The request.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        id: Option<u64>,
        /// The person as they stand now; replaces what was known.
        contact: Contact,
    },
    /// The person is not in the list any more.
    #[serde(rename = "contact:removed")]
    ContactRemoved {
        /// Who.
        user_id: UserId,
    },
    /// A contact can be reached in another way than before.
    #[serde(rename = "presence")]
    Presence {
        /// Who.
        user_id: UserId,
        /// How they can be reached now.
        presence: Presence,
        /// When they went, in milliseconds since the Unix epoch; only with `offline`.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        last_seen_at: Option<i64>,
    },
    /// The person has said on one of their devices whether they wish to be called.
    #[serde(rename = "do-not-disturb")]
    DoNotDisturb {
        /// Whether they do not.
        enabled: bool,
    },
    /// Reply to `calls:history`.
    #[serde(rename = "calls")]
    Calls {
        /// The request.
        id: u64,
        /// The newest first; nothing when there are no older ones.
        calls: Vec<PastCall>,
    },
    /// Somebody calls.
    #[serde(rename = "call:offer")]
    CallOffer {
        /// The call.
        call_id: CallId,
        /// Its chat.
        chat_id: ChatId,
        /// The caller's offer.
        offer: SessionDescription,
        /// Who calls.
        caller_id: UserId,
        /// The caller's name.
        caller_name: String,
        /// What the caller is going to send.
        media_state: MediaState,
    },
    /// The callee's device rings.
    #[serde(rename = "call:ringing")]
    CallRinging {
        /// The call.
        call_id: CallId,
        /// Its chat.
        chat_id: ChatId,
    },
    /// The callee accepted.
    #[serde(rename = "call:answer")]
    CallAnswer {
        /// The call.
        call_id: CallId,
        /// Its chat.
        chat_id: ChatId,
        /// The callee's answer.
        answer: SessionDescription,
        /// What the callee is going to send.
        media_state: MediaState,
    },
    /// One more candidate of the other side's.
    #[serde(rename = "call:ice-candidate")]
    CallIceCandidate {
        /// The call.
        call_id: CallId,
        /// Its chat.
        chat_id: ChatId,
        /// The candidate.
        candidate: IceCandidate,
    },
    /// The other side muted or unmuted, or switched the camera.
    #[serde(rename = "call:media-state")]
    CallMediaState {
        /// The call.
        call_id: CallId,
        /// Its chat.
        chat_id: ChatId,
        /// What the other side sends from now on.
        media_state: MediaState,
    },
    /// The other side wants the media connection made anew, or answers.
    #[serde(rename = "call:restart")]
    CallRestart {
        /// The call.
        call_id: CallId,
        /// Its chat.
        chat_id: ChatId,
        /// Which offer of the caller's this is, or answers; zero where the callee asks.
        #[serde(default)]
        attempt: u32,
        /// The caller's offer or the callee's answer; none where the callee asks the caller for an offer.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        description: Option<SessionDescription>,
    },
    /// The call is over.
    #[serde(rename = "call:end")]
    CallEnd {
        /// The call.
        call_id: CallId,
        /// Its chat.
        chat_id: ChatId,
        /// Why.
        reason: EndReason,
    },
    /// The callee declined.
    #[serde(rename = "call:rejected")]
    CallRejected {
        /// The call.
        call_id: CallId,
        /// Its chat.
        chat_id: ChatId,
    },
    /// Somebody called while this person had another call, and heard `user-busy`. Every device of this person's hears it.
    #[serde(rename = "call:missed")]
    CallMissed {
        /// The call that there was not.
        call_id: CallId,
        /// Where.
        chat_id: ChatId,
        /// Who called.
        caller_id: UserId,
        /// The caller's name.
        caller_name: String,
        /// What the caller was going to send.
        media_state: MediaState,
    },
    /// With `id`: a request about a call was refused and has changed nothing; where that was `call:initiate` there is no
    /// call. Without: the call is over.
    #[serde(rename = "call:error")]
    CallError {
        /// The request.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        id: Option<u64>,
        /// The call.
        call_id: CallId,
        /// Its chat.
        chat_id: ChatId,
        /// For programs.
        code: CallErrorCode,
        /// For people.
        message: String,
        /// With `rate-limited`: after so many seconds it may be asked again.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        retry_after_seconds: Option<u32>,
    },
}
