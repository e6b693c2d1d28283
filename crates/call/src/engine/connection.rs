//! The peer connection of one call, from the moment it is asked for: opening it takes a moment, and what it is to do
//! meanwhile waits.

use std::collections::VecDeque;

use tokio::{sync::mpsc, task::JoinHandle, time::timeout};
use vireo_protocol::{CallId, IceCandidate, SessionDescription};

use crate::{
    machine::{DESCRIPTION_TIMEOUT, Input},
    peer::{MediaSender, Peer, PeerConfig, PeerError, PeerEvent, ReceivedMedia, TransportStats},
};

/// What a peer connection is to do.
#[derive(Debug)]
pub(super) enum Operation {
    CreateOffer,
    CreateAnswer(SessionDescription),
    SetAnswer(SessionDescription),
    AddCandidate(IceCandidate),
    OfferRestart,
    AnswerRestart(SessionDescription),
    FinishRestart(SessionDescription),
}

impl Operation {
    fn is_restart(&self) -> bool {
        match self {
            Self::OfferRestart | Self::AnswerRestart(_) | Self::FinishRestart(_) => true,
            Self::CreateOffer
            | Self::CreateAnswer(_)
            | Self::SetAnswer(_)
            | Self::AddCandidate(_) => false,
        }
    }
}

/// What a peer connection reports.
pub(super) enum News {
    Opened(Result<Peer, PeerError>),
    Event(PeerEvent),
}

pub(super) struct Connection {
    call_id: CallId,
    stage: Stage,
    events: mpsc::UnboundedReceiver<PeerEvent>,
}

enum Stage {
    Opening {
        peer: JoinHandle<Result<Peer, PeerError>>,
        waiting: VecDeque<Operation>,
    },
    Open(Peer),
    /// It could not be opened. What the other side's candidates were is kept for another attempt.
    Unusable {
        candidates: VecDeque<Operation>,
    },
}

impl Connection {
    /// Opens it, and does what is `waiting` once it is open.
    pub(super) fn open(
        call_id: CallId,
        config: PeerConfig,
        received: ReceivedMedia,
        waiting: VecDeque<Operation>,
    ) -> Self {
        let (sender, events) = mpsc::unbounded_channel();
        let peer = tokio::spawn(Peer::new(config, received, sender));
        Self {
            call_id,
            stage: Stage::Opening { peer, waiting },
            events,
        }
    }

    pub(super) fn call_id(&self) -> &CallId {
        &self.call_id
    }

    /// What another attempt begins with, where this one could not be opened.
    pub(super) fn another_attempt(&mut self) -> Option<VecDeque<Operation>> {
        match &mut self.stage {
            Stage::Unusable { candidates } => Some(std::mem::take(candidates)),
            Stage::Opening { .. } | Stage::Open(_) => None,
        }
    }

    /// Waits for the next news. Cancelling it loses nothing.
    pub(super) async fn news(&mut self) -> News {
        if let Stage::Opening { peer, .. } = &mut self.stage {
            let opened = peer
                .await
                .unwrap_or_else(|error| Err(PeerError::Internal(error.to_string())));
            return News::Opened(opened);
        }
        match self.events.recv().await {
            Some(event) => News::Event(event),
            // The connection is gone and has said all it had to say.
            None => std::future::pending().await,
        }
    }

    /// Takes the opened peer and does what was waiting for it.
    pub(super) async fn opened(&mut self, opened: Result<Peer, PeerError>) -> Vec<Input> {
        let stage = match opened {
            Ok(peer) => Stage::Open(peer),
            Err(error) => {
                tracing::warn!(call = %self.call_id, %error, "no peer connection");
                let candidates = VecDeque::new();
                Stage::Unusable { candidates }
            }
        };
        let mut inputs = Vec::new();
        if let Stage::Opening { waiting, .. } = std::mem::replace(&mut self.stage, stage) {
            for operation in waiting {
                inputs.extend(self.perform(operation).await);
            }
        }
        inputs
    }

    /// Does it now, or when the peer is open. Returns what came of it.
    pub(super) async fn perform(&mut self, operation: Operation) -> Option<Input> {
        match &mut self.stage {
            Stage::Opening { waiting, .. } => {
                waiting.push_back(operation);
                None
            }
            Stage::Open(peer) => perform(peer, operation, &self.call_id).await,
            Stage::Unusable { candidates } if matches!(operation, Operation::AddCandidate(_)) => {
                candidates.push_back(operation);
                None
            }
            Stage::Unusable { .. } => Some(Input::PeerUnusable {
                call_id: self.call_id.clone(),
            }),
        }
    }

    /// The handle through which media is sent, once the peer is open.
    pub(super) fn media(&self) -> Option<MediaSender> {
        match &self.stage {
            Stage::Open(peer) => Some(peer.media()),
            Stage::Opening { .. } | Stage::Unusable { .. } => None,
        }
    }

    pub(super) fn stats(&self) -> TransportStats {
        match &self.stage {
            Stage::Open(peer) => peer.stats(),
            Stage::Opening { .. } | Stage::Unusable { .. } => TransportStats::default(),
        }
    }

    /// Tells the other side and frees everything.
    pub(super) async fn close(self) {
        match self.stage {
            Stage::Open(mut peer) => peer.close().await,
            Stage::Opening { peer, .. } => peer.abort(),
            Stage::Unusable { .. } => {}
        }
    }
}

async fn perform(peer: &mut Peer, operation: Operation, call_id: &CallId) -> Option<Input> {
    let is_restart = operation.is_restart();
    let described = |description| Input::Description {
        call_id: call_id.clone(),
        description,
    };
    let outcome = async {
        match operation {
            Operation::CreateOffer => peer.create_offer().await.map(described).map(Some),
            Operation::CreateAnswer(offer) => {
                peer.accept_offer(&offer).await.map(described).map(Some)
            }
            Operation::SetAnswer(answer) => peer.set_answer(&answer).await.map(|()| None),
            Operation::AddCandidate(candidate) => {
                if let Err(error) = peer.add_remote_candidate(&candidate).await {
                    tracing::debug!(call = %call_id, %error, "a candidate is left out");
                }
                Ok(None)
            }
            Operation::OfferRestart => peer.offer_restart().await.map(described).map(Some),
            Operation::AnswerRestart(offer) => {
                peer.answer_restart(&offer).await.map(described).map(Some)
            }
            Operation::FinishRestart(answer) => peer.finish_restart(&answer).await.map(|()| None),
        }
    };
    in_time(outcome).await.unwrap_or_else(|error| {
        if is_restart {
            // It is tried again; until then the call is no worse off than before.
            tracing::warn!(call = %call_id, %error, "the connection cannot be made anew");
            return None;
        }
        tracing::warn!(call = %call_id, %error, "the peer connection cannot be used");
        Some(Input::PeerUnusable {
            call_id: call_id.clone(),
        })
    })
}

/// The engine does nothing else meanwhile, not even by the clock: a connection that is stuck must not keep the call from
/// ending, on this device and on all those that ring.
async fn in_time<T>(operation: impl Future<Output = Result<T, PeerError>>) -> Result<T, PeerError> {
    let done = timeout(DESCRIPTION_TIMEOUT, operation).await;
    done.unwrap_or_else(|_| Err(PeerError::Internal("it does not answer".to_owned())))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn a_connection_that_is_stuck_is_given_up() {
        let stuck = in_time(std::future::pending::<Result<(), _>>()).await;
        assert!(matches!(stuck, Err(PeerError::Internal(_))));
    }

    #[tokio::test]
    async fn candidates_are_kept_for_another_attempt() {
        let config = PeerConfig::default();
        let id = CallId("call".to_owned());
        let mut connection = Connection::open(id, config, ReceivedMedia::Reflect, VecDeque::new());
        let candidate = || Operation::AddCandidate(IceCandidate::default());
        assert!(connection.perform(candidate()).await.is_none());
        assert!(connection.another_attempt().is_none(), "this one goes on");
        // What a computer without a usable socket says. Here there always is one.
        let no_socket = PeerError::Internal("no socket".to_owned());
        assert_eq!(connection.opened(Err(no_socket)).await, []);
        assert!(connection.perform(candidate()).await.is_none());
        let offer = SessionDescription::offer("theirs");
        let answered = connection.perform(Operation::CreateAnswer(offer)).await;
        assert!(matches!(answered, Some(Input::PeerUnusable { .. })));
        let waiting = connection.another_attempt().expect("another attempt");
        assert_eq!(waiting.len(), 2);
    }
}
