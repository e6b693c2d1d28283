//! One set-up of a call, as both of its people see it, without sockets: what is to be sent next, and how long it took
//! until the other had it.
//!
//! ```text
//! caller                                callee
//!  initiate, 6 candidates ─────────────▶ offer
//!          ringing ◀──────────────────── ringing
//!           answer ◀──────────────────── answer, 6 candidates      once "ringing" is confirmed
//!              end ─────────────────────▶ end                      once everything has arrived and is confirmed
//! ```

use std::sync::Arc;
use std::time::Instant;

use vireo_protocol::{
    CallId, ChatId, ClientMessage, EndReason, IceCandidate, MediaState, SessionDescription,
};

use crate::descriptions::{CANDIDATES, answer, candidates, offer};
use crate::load::Step;

/// Messages that are passed on in one set-up: the offer, ringing, the answer, the candidates of both, the end.
pub const FORWARDED: usize = 4 + 2 * CANDIDATES;

/// Requests that each side makes; the caller's last one is the end.
const REQUESTS: usize = CANDIDATES + 2;

/// What everybody sends in every call.
#[derive(Debug)]
pub struct Script {
    offer: SessionDescription,
    answer: SessionDescription,
    candidates: [IceCandidate; CANDIDATES],
}

impl Default for Script {
    fn default() -> Self {
        Self {
            offer: offer(),
            answer: answer(),
            candidates: candidates(),
        }
    }
}

const MEDIA: MediaState = MediaState::of(true, true);

/// Who of the two.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Side {
    /// Who calls.
    Caller,
    /// Who is called.
    Callee,
}

/// What a side has heard of a call.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Heard {
    /// A request was carried out.
    Confirmed,
    /// Somebody calls.
    Offer,
    /// It rings.
    Ringing,
    /// It was accepted.
    Answer,
    /// One more candidate.
    Candidate,
    /// It is over.
    End,
}

/// What is to be done next.
#[derive(Debug)]
pub enum Next {
    /// Wait.
    Nothing,
    /// This side sends these, at once.
    Send(Side, Vec<ClientMessage>),
    /// The set-up is complete.
    Done,
    /// What was heard cannot be.
    Wrong,
}

/// A call on its way.
#[derive(Debug)]
pub struct Call {
    /// Its name.
    pub id: CallId,
    /// What it counts for.
    pub step: Arc<Step>,
    /// When it was to begin.
    pub scheduled: Instant,
    /// How long messages took, in microseconds.
    pub latencies: Vec<u32>,
    chat: ChatId,
    rang_at: Instant,
    answered_at: Instant,
    ended_at: Option<Instant>,
    confirmed: [usize; 2],
    answered: bool,
    candidates: [usize; 2],
    over: bool,
}

impl Call {
    /// A call that begins, and what the caller sends first.
    pub fn new(
        id: CallId,
        chat: ChatId,
        script: &Script,
        step: Arc<Step>,
        scheduled: Instant,
    ) -> (Self, Vec<ClientMessage>) {
        let mut first = vec![ClientMessage::CallInitiate {
            call_id: id.clone(),
            chat_id: chat.clone(),
            offer: script.offer.clone(),
            media_state: MEDIA,
        }];
        let call = Self {
            id,
            step,
            scheduled,
            latencies: Vec::with_capacity(FORWARDED),
            chat,
            rang_at: scheduled,
            answered_at: scheduled,
            ended_at: None,
            confirmed: [0; 2],
            answered: false,
            candidates: [0; 2],
            over: false,
        };
        first.extend(call.candidates(script));
        (call, first)
    }

    /// A side has heard something.
    pub fn hear(&mut self, side: Side, heard: Heard, script: &Script, now: Instant) -> Next {
        let sent_at = match (side, heard) {
            (side, Heard::Confirmed) => return self.confirmed(side, script, now),
            (Side::Callee, Heard::Offer) => self.scheduled,
            (Side::Callee, Heard::Candidate) => self.scheduled,
            (Side::Caller, Heard::Ringing) => self.rang_at,
            (Side::Caller, Heard::Answer | Heard::Candidate) => self.answered_at,
            (Side::Callee, Heard::End) => self.ended_at.unwrap_or(now),
            _ => return Next::Wrong,
        };
        let took = now.saturating_duration_since(sent_at).as_micros();
        self.latencies.push(u32::try_from(took).unwrap_or(u32::MAX));
        match heard {
            Heard::Offer => {
                self.rang_at = now;
                let ringing = ClientMessage::CallRinging {
                    call_id: self.id.clone(),
                    chat_id: self.chat.clone(),
                };
                return Next::Send(Side::Callee, vec![ringing]);
            }
            Heard::Candidate => self.candidates[side as usize] += 1,
            Heard::Answer => self.answered = true,
            Heard::End => self.over = true,
            Heard::Ringing | Heard::Confirmed => {}
        }
        self.proceed(now)
    }

    fn confirmed(&mut self, side: Side, script: &Script, now: Instant) -> Next {
        self.confirmed[side as usize] += 1;
        if side == Side::Callee && self.confirmed[1] == 1 {
            self.answered_at = now;
            let mut accept = vec![ClientMessage::CallAnswer {
                call_id: self.id.clone(),
                chat_id: self.chat.clone(),
                answer: script.answer.clone(),
                media_state: MEDIA,
            }];
            accept.extend(self.candidates(script));
            return Next::Send(Side::Callee, accept);
        }
        self.proceed(now)
    }

    fn proceed(&mut self, now: Instant) -> Next {
        let [caller, callee] = self.confirmed;
        if self.ended_at.is_some() {
            return match self.over && caller == REQUESTS {
                true => Next::Done,
                false => Next::Nothing,
            };
        }
        let established = self.answered && self.candidates == [CANDIDATES; 2];
        if !established || caller + 1 < REQUESTS || callee < REQUESTS {
            return Next::Nothing;
        }
        self.ended_at = Some(now);
        Next::Send(Side::Caller, vec![self.end()])
    }

    /// Hangs up.
    pub fn end(&self) -> ClientMessage {
        ClientMessage::CallEnd {
            call_id: self.id.clone(),
            chat_id: self.chat.clone(),
            reason: EndReason::HungUp,
        }
    }

    fn candidates(&self, script: &Script) -> Vec<ClientMessage> {
        let candidate = |candidate: &IceCandidate| ClientMessage::CallIceCandidate {
            call_id: self.id.clone(),
            chat_id: self.chat.clone(),
            candidate: candidate.clone(),
        };
        script.candidates.iter().map(candidate).collect()
    }
}
