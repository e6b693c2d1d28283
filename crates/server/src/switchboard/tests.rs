use vireo_protocol::{
    CallErrorCode, CallId, ChatId, MediaState, Presence, SessionDescription, User,
};

use super::*;
use crate::queue::{Waiting, queue};

fn user(name: &str) -> UserId {
    UserId(name.to_owned())
}

fn account(name: &str) -> Account {
    Account {
        user: User {
            id: user(name),
            name: name.to_owned(),
        },
        service: false,
    }
}

async fn connect(board: &Switchboard, name: &str, device: u64, watchers: &[&str]) -> Waiting {
    let (queue, waiting) = queue();
    let session = Some(format!("session of {name}"));
    let connect = board.connect(DeviceId(device), account(name), session, queue);
    connect.await;
    watch(board, name, watchers, 1).await;
    waiting
}

async fn watch(board: &Switchboard, name: &str, watchers: &[&str], version: i64) {
    let command = Command::Watchers {
        user: user(name),
        watchers: watchers.iter().map(|name| user(name)).collect(),
        version,
    };
    board.send(command).await;
}

fn initiate(device: u64, partner: &str) -> Command {
    let offer = Offer {
        call_id: CallId("c".into()),
        chat_id: ChatId("ab".into()),
        offer: SessionDescription::offer("sdp"),
        media_state: MediaState {
            microphone: true,
            camera: true,
        },
    };
    Command::Call {
        device: DeviceId(device),
        request: 7,
        call: CallCommand::Initiate {
            partner: account(partner),
            offer,
        },
    }
}

fn presence(name: &str, presence: Presence) -> ServerMessage {
    ServerMessage::Presence {
        user_id: user(name),
        presence,
        last_seen_at: None,
    }
}

/// Everything that has been said to a connection, up to the answer to one more question.
async fn heard(board: &Switchboard, device: u64, waiting: &mut Waiting) -> Vec<ServerMessage> {
    let device = DeviceId(device);
    let message = ServerMessage::Ok { id: 999 };
    board.send(Command::Reply { device, message }).await;
    let mut heard = Vec::new();
    loop {
        match waiting.recv().await.expect("the queue is open") {
            ServerMessage::Ok { id: 999 } => break,
            message => heard.push(message),
        }
    }
    while let Some(message) = waiting.take() {
        heard.push(message);
    }
    heard
}

#[tokio::test(start_paused = true)]
async fn a_call_rings_for_as_long_as_was_said() {
    let board = Switchboard::start(Duration::from_secs(30));
    let mut ann = connect(&board, "ann", 1, &[]).await;
    let mut bob = connect(&board, "bob", 2, &[]).await;
    let start = tokio::time::Instant::now();
    board.send(initiate(1, "bob")).await;
    assert!(matches!(
        bob.recv().await,
        Some(ServerMessage::CallOffer { .. })
    ));
    assert_eq!(ann.recv().await, Some(ServerMessage::Ok { id: 7 }));
    let over = ann.recv().await;
    let no_answer = matches!(
        over,
        Some(ServerMessage::CallError {
            id: None,
            code: CallErrorCode::NoAnswer,
            ..
        })
    );
    assert!(no_answer, "{over:?}");
    assert!(matches!(
        bob.recv().await,
        Some(ServerMessage::CallEnd { .. })
    ));
    let waited = start.elapsed();
    assert!((30.0..30.01).contains(&waited.as_secs_f64()), "{waited:?}");
}

#[tokio::test]
async fn a_connection_that_does_not_read_is_told_to_end_and_holds_up_nobody() {
    let board = Switchboard::start(Duration::from_secs(30));
    let mut ann = connect(&board, "ann", 1, &[]).await;
    let mut bob = connect(&board, "bob", 2, &[]).await;
    for id in 0..1000 {
        let message = ServerMessage::Ok { id };
        let command = Command::News {
            user: user("ann"),
            message,
        };
        board.send(command).await;
    }
    assert_eq!(heard(&board, 2, &mut bob).await, []);
    // What was said last is why it is closed.
    assert_eq!(ann.recv().await, None);
}

#[tokio::test]
async fn only_those_who_may_see_somebody_hear_of_them() {
    let board = Switchboard::start(Duration::from_secs(30));
    let mut ann = connect(&board, "ann", 1, &["bob"]).await;
    let mut eve = connect(&board, "eve", 2, &[]).await;
    let _bob = connect(&board, "bob", 3, &["ann"]).await;
    let came = presence("bob", Presence::Online);
    assert_eq!(heard(&board, 1, &mut ann).await, [came]);
    assert_eq!(heard(&board, 2, &mut eve).await, []);
    let device = DeviceId(3);
    board.send(Command::Disconnect { device }).await;
    let left = presence("bob", Presence::Offline);
    assert_eq!(heard(&board, 1, &mut ann).await, [left]);
    assert_eq!(heard(&board, 2, &mut eve).await, []);
}

#[tokio::test]
async fn an_older_list_of_watchers_does_not_replace_a_newer_one() {
    let board = Switchboard::start(Duration::from_secs(30));
    let mut eve = connect(&board, "eve", 1, &[]).await;
    let (queue, _waiting) = queue();
    board
        .connect(DeviceId(2), account("bob"), None, queue)
        .await;
    watch(&board, "bob", &[], 5).await;
    watch(&board, "bob", &["eve"], 4).await;
    let device = DeviceId(2);
    board.send(Command::Disconnect { device }).await;
    assert_eq!(heard(&board, 1, &mut eve).await, []);
}

#[tokio::test]
async fn a_revoked_session_ends_its_connections_and_no_others() {
    let board = Switchboard::start(Duration::from_secs(30));
    let mut ann = connect(&board, "ann", 1, &[]).await;
    let mut bob = connect(&board, "bob", 2, &[]).await;
    let session = "session of ann".to_owned();
    board.send(Command::EndSession { session }).await;
    assert_eq!(heard(&board, 2, &mut bob).await, []);
    assert_eq!(ann.recv().await, None);
}
