//! One connection of the web view's worker.

use std::{sync::Arc, time::Duration};

use futures_util::{SinkExt, StreamExt};
use tokio::{net::TcpStream, time::timeout};
use tokio_tungstenite::{
    accept_hdr_async_with_config,
    tungstenite::{Message, protocol::WebSocketConfig},
};

use super::{handshake, outbox::Outbox, tokens::Tokens, wire::WorkerSays};

/// Longer than anything the worker has to say.
const LONGEST_MESSAGE: usize = 1024;

/// Whoever connects must say who it is within this time; the web view takes milliseconds.
const HANDSHAKE: Duration = Duration::from_secs(5);

/// Serves one connection until it ends or a later one takes over.
pub async fn serve(stream: TcpStream, tokens: Arc<Tokens>, outbox: Arc<Outbox>) {
    if let Err(error) = stream.set_nodelay(true) {
        tracing::debug!(%error, "pictures may wait for each other");
    }
    let config = WebSocketConfig::default()
        .max_message_size(Some(LONGEST_MESSAGE))
        .max_frame_size(Some(LONGEST_MESSAGE));
    #[allow(
        clippy::result_large_err,
        reason = "the callback's type is tungstenite's"
    )]
    let check = |request: &_, response| {
        handshake::check(request, response, &tokens).map_err(|refusal| *refusal)
    };
    let handshake = accept_hdr_async_with_config(stream, check, Some(config));
    let Ok(Ok(socket)) = timeout(HANDSHAKE, handshake).await else {
        return;
    };
    let (mut sender, mut receiver) = socket.split();
    let number = outbox.connect();
    let send = async {
        while let Some(message) = outbox.next(number).await {
            if sender.send(Message::Binary(message)).await.is_err() {
                break;
            }
        }
    };
    let receive = async {
        while let Some(Ok(message)) = receiver.next().await {
            match message {
                Message::Text(text) => match serde_json::from_str::<WorkerSays>(&text) {
                    Ok(said) => outbox.hear(number, said),
                    Err(_) => tracing::debug!("a message of the worker was not understood"),
                },
                Message::Close(_) => break,
                _ => {}
            }
        }
    };
    tokio::select! {
        () = send => {}
        () = receive => {}
    }
    outbox.disconnect(number);
}
