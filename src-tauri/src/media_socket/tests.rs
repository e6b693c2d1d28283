//! The socket as a browser or a stranger on this computer would use it.

use std::time::Duration;

use futures_util::{SinkExt, StreamExt};
use tokio::{io::AsyncReadExt, net::TcpStream, time::timeout};
use tokio_tungstenite::{
    connect_async,
    tungstenite::{Error, Message, client::IntoClientRequest, http::StatusCode},
};
use vireo_media::VideoFrame;

use super::MediaServer;

async fn knock(server: &MediaServer, origin: &str, token: &str) -> Result<(), StatusCode> {
    let mut request = server.origin().into_client_request().expect("an address");
    let headers = request.headers_mut();
    headers.insert("Origin", origin.parse().expect("a header"));
    let protocols = format!("vireo-media, {token}");
    headers.insert(
        "Sec-WebSocket-Protocol",
        protocols.parse().expect("a header"),
    );
    match connect_async(request).await {
        Ok(_) => Ok(()),
        Err(Error::Http(response)) => Err(response.status()),
        Err(other) => panic!("{other}"),
    }
}

#[tokio::test]
async fn only_the_applications_own_page_with_a_fresh_token_gets_in() {
    let server = MediaServer::start().await.expect("a free port");
    let token = server.invite().token;
    let ours = "tauri://localhost";
    let forbidden = Err(StatusCode::FORBIDDEN);
    assert_eq!(knock(&server, ours, "guess").await, forbidden);
    assert_eq!(
        knock(&server, "https://example.org", &token).await,
        forbidden
    );
    assert_eq!(knock(&server, ours, &token).await, Ok(()));
    assert_eq!(knock(&server, ours, &token).await, forbidden, "used before");
}

#[tokio::test]
async fn own_pictures_arrive_small_and_no_larger_than_they_are_shown() {
    let server = MediaServer::start().await.expect("a free port");
    let invitation = server.invite();
    let mut request = invitation.url.into_client_request().expect("an address");
    let headers = request.headers_mut();
    headers.insert("Origin", "tauri://localhost".parse().expect("a header"));
    let protocols = format!("vireo-media, {}", invitation.token);
    headers.insert(
        "Sec-WebSocket-Protocol",
        protocols.parse().expect("a header"),
    );
    let (mut socket, _) = connect_async(request).await.expect("let in");
    let mut sink = server.own_sink();
    let picture = VideoFrame::black(1280, 720);
    // The handshake's answer may arrive before the connection has been entered.
    let message = loop {
        sink.frame(&picture);
        let wait = Duration::from_millis(50);
        if let Ok(Some(message)) = timeout(wait, socket.next()).await {
            break message.expect("connected");
        }
    };
    let Message::Binary(message) = message else {
        panic!("pictures are binary");
    };
    assert_eq!(message[0], 3);
    assert_eq!(message.len(), 12 + 384 * 216 * 3 / 2);

    let size = r#"{"type":"size","which":"self","width":246,"height":138}"#;
    socket.send(Message::text(size)).await.expect("connected");
    let shown = 12 + 246 * 138 * 3 / 2;
    let smaller = async {
        // Those before the window was understood are as large as the first.
        loop {
            sink.frame(&picture);
            let wait = Duration::from_millis(50);
            if let Ok(Some(Ok(message))) = timeout(wait, socket.next()).await
                && message.len() == shown
            {
                break;
            }
        }
    };
    timeout(Duration::from_secs(10), smaller)
        .await
        .expect("smaller pictures");
}

#[tokio::test(start_paused = true)]
async fn who_connects_and_says_nothing_is_sent_away() {
    let server = MediaServer::start().await.expect("a free port");
    let address = server.origin().replace("ws://", "");
    let mut silent = TcpStream::connect(address).await.expect("it listens");
    assert_eq!(silent.read(&mut [0]).await.expect("closed well"), 0);
}
