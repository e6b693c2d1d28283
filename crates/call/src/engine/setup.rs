//! How long a call took to come up, taken from what goes into the state machine and what comes out.

use std::time::{Duration, Instant};

use vireo_protocol::{ClientMessage, ServerMessage};

use crate::{
    SetupTimes,
    machine::{Input, Output},
    peer::TransportStats,
};

#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Setup {
    asked: Option<Instant>,
    rang: Option<Instant>,
    accepted: Option<Instant>,
}

impl Setup {
    pub(super) fn on_input(&mut self, input: &Input, now: Instant) {
        match input {
            Input::Receive(ServerMessage::CallRinging { .. }) => {
                self.rang.get_or_insert(now);
            }
            Input::Receive(ServerMessage::CallAnswer { .. }) => {
                self.accepted.get_or_insert(now);
            }
            _ => {}
        }
    }

    pub(super) fn on_output(&mut self, output: &Output, now: Instant, input_at: Instant) {
        match output {
            Output::CreateOffer { .. } => *self = Self::default(),
            Output::Prepare { .. } => {
                *self = Self {
                    asked: Some(input_at),
                    ..Self::default()
                };
            }
            Output::Send(ClientMessage::CallInitiate { .. }) => self.asked = Some(now),
            Output::Send(ClientMessage::CallRinging { .. }) => self.rang = Some(now),
            // By the user, or because both called each other at once.
            Output::CreateAnswer { .. } => self.accepted = Some(input_at),
            _ => {}
        }
    }

    pub(super) fn is_accepted(&self) -> bool {
        self.accepted.is_some()
    }

    pub(super) fn times(
        &self,
        transport: &TransportStats,
        first_picture: Option<Instant>,
    ) -> SetupTimes {
        let between = |from: Option<Instant>, to: Option<Instant>| {
            Some(milliseconds(to?.saturating_duration_since(from?)))
        };
        SetupTimes {
            ring_ms: between(self.asked, self.rang),
            ice_ms: transport.ice_ms,
            dtls_ms: transport.dtls_ms,
            accept_to_first_frame_ms: between(self.accepted, first_picture),
        }
    }
}

fn milliseconds(duration: Duration) -> f64 {
    duration.as_secs_f64() * 1_000.0
}
