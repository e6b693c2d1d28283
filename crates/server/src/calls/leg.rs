//! One side of an active call: the connection it is reached through, and what it missed while it had none.

use std::time::Instant;

use vireo_protocol::{CallErrorCode, ServerMessage};

use super::{BUSY_AFTER_LOSS, DeviceId, Send};

/// So many messages are kept for a side that is away; the oldest go first.
const MAX_MISSED: usize = 64;

#[derive(Debug)]
pub(super) struct Leg {
    connection: Connection,
    missed: Vec<ServerMessage>,
    /// What the other side has said last that it sends. It is repeated to a side that comes back even when it was
    /// delivered: the connection may have been dead already.
    media_state: Option<ServerMessage>,
}

#[derive(Debug)]
enum Connection {
    Open(DeviceId),
    LostAt(Instant),
}

impl Leg {
    pub(super) fn at(device: DeviceId) -> Self {
        Self {
            connection: Connection::Open(device),
            missed: Vec::new(),
            media_state: None,
        }
    }

    pub(super) fn is_away(&self) -> bool {
        matches!(self.connection, Connection::LostAt(_))
    }

    pub(super) fn keeps_busy(&self, now: Instant) -> bool {
        match self.connection {
            Connection::Open(_) => true,
            Connection::LostAt(at) => now < at + BUSY_AFTER_LOSS,
        }
    }

    /// What this side has to hear when it comes back.
    pub(super) fn missed(&self) -> impl Iterator<Item = &ServerMessage> {
        self.missed.iter().chain(&self.media_state)
    }

    pub(super) fn device_lost(&mut self, device: DeviceId, now: Instant) {
        if matches!(self.connection, Connection::Open(open) if open == device) {
            self.connection = Connection::LostAt(now);
        }
    }

    /// The device says something for this side. One that connected after the answer is this side come back, even when
    /// the loss of its old connection has not been noticed yet.
    pub(super) fn claim(
        &mut self,
        device: DeviceId,
        newest_at_answer: DeviceId,
    ) -> Result<(), CallErrorCode> {
        match self.connection {
            Connection::Open(open) if open == device => Ok(()),
            _ if device > newest_at_answer => {
                self.connection = Connection::Open(device);
                self.missed.clear();
                Ok(())
            }
            _ => Err(CallErrorCode::NoSuchCall),
        }
    }

    /// Says it to this side, now or when it is back.
    pub(super) fn deliver(&mut self, message: ServerMessage) -> Vec<Send> {
        let is_media_state = matches!(message, ServerMessage::CallMediaState { .. });
        if is_media_state {
            self.media_state = Some(message.clone());
        }
        match self.connection {
            Connection::Open(to) => return vec![Send { to, message }],
            Connection::LostAt(_) if is_media_state => {}
            Connection::LostAt(_) => {
                if self.missed.len() == MAX_MISSED {
                    self.missed.remove(0);
                }
                self.missed.push(message);
            }
        }
        Vec::new()
    }
}
