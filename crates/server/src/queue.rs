//! What a connection still has to be told: a bounded queue. Whoever does not read is let go, so that one slow reader
//! costs a bounded amount of memory and holds nobody up.

use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;
use vireo_protocol::ServerMessage;

/// So many messages may wait for a connection.
const CAPACITY: usize = 512;

/// The end that fills the queue; cheap to clone.
#[derive(Debug, Clone)]
pub struct Queue {
    messages: mpsc::Sender<ServerMessage>,
    overflow: CancellationToken,
}

/// A new queue: the end that fills, the end that empties, and what tells that it has overflowed.
pub fn queue() -> (Queue, mpsc::Receiver<ServerMessage>, CancellationToken) {
    let (messages, receiver) = mpsc::channel(CAPACITY);
    let overflow = CancellationToken::new();
    let queue = Queue {
        messages,
        overflow: overflow.clone(),
    };
    (queue, receiver, overflow)
}

impl Queue {
    /// Adds a message. When there is no room for it the connection is as good as dead, and is told to end.
    pub fn push(&self, message: ServerMessage) {
        if let Err(mpsc::error::TrySendError::Full(_)) = self.messages.try_send(message) {
            self.overflow.cancel();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn overflow_is_told_and_never_blocks() {
        let (queue, mut receiver, overflow) = queue();
        for id in 0..CAPACITY as u64 {
            queue.push(ServerMessage::Ok { id });
        }
        assert!(!overflow.is_cancelled());
        queue.push(ServerMessage::Ok { id: 0 });
        assert!(overflow.is_cancelled());
        assert_eq!(receiver.recv().await, Some(ServerMessage::Ok { id: 0 }));
    }
}
