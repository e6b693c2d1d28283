//! What the server has acknowledged is there after `kill -9`, on both kinds of database.
#![cfg(unix)]

mod support;

use serde_json::{Value, json};
use support::Client;
use support::process::Place;
use support::{about, answer, end, initiate, text};

/// Kills the server as soon as it has said that something is done, and starts another one over the same data.
async fn survives(place: Place) {
    for round in 0..3 {
        let (one, other) = (format!("Ann {round}"), format!("Bob {round}"));
        let server = place.serve();
        server.register(&one).await;
        let bob = server.register(&other).await;
        drop(server);

        let server = place.serve();
        let ann = server.sign_in(&one).await.expect("registered");
        // Devices that were signed in still are.
        let mut b = server.connect(&bob).await;
        let mut a = server.connect(&ann).await;
        let chat = support::befriend(&mut a, &ann, &mut b, &bob).await;
        drop((a, b, server));

        let server = place.serve();
        let (mut a, mut b) = (server.connect(&ann).await, server.connect(&bob).await);
        assert_eq!(chat_with(&mut a, &other).await, chat);
        assert_eq!(chat_with(&mut b, &one).await, chat);
        // They can call at once in the chat that they had.
        let call = format!("call-{round}");
        a.ok(initiate(&call, &chat)).await;
        b.ok(about("call:ringing", &call, &chat)).await;
        b.ok(answer(&call, &chat)).await;
        a.ok(end(&call, &chat)).await;
        drop((a, b, server));

        let server = place.serve();
        let (mut a, mut b) = (server.connect(&ann).await, server.connect(&bob).await);
        for (client, direction) in [(&mut a, "outgoing"), (&mut b, "incoming")] {
            let kept = client.ask(json!({"type": "calls:history"})).await;
            assert_eq!(kept["calls"][0]["callId"], call.as_str(), "{kept}");
            assert_eq!(kept["calls"][0]["outcome"], "completed", "{kept}");
            assert_eq!(kept["calls"][0]["direction"], direction, "{kept}");
            assert!(kept["calls"][0]["answeredAt"].is_i64(), "{kept}");
        }
    }
}

async fn chat_with(client: &mut Client, name: &str) -> String {
    let list = client.ask(json!({"type": "contacts:list"})).await;
    let people = list["contacts"].as_array().expect("a list");
    let person = people.iter().find(|person| person["name"] == name);
    text(person.map_or(&Value::Null, |person| &person["chatId"]))
}

#[tokio::test]
async fn kill_9_loses_nothing_in_sqlite() {
    survives(Place::sqlite()).await;
}

#[tokio::test]
async fn kill_9_loses_nothing_in_postgresql() {
    survives(Place::postgres()).await;
}
