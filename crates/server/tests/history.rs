//! The history of calls, as its two sides read it.

mod support;

use serde_json::{Value, json};
use support::{TestServer, about, end, initiate, text};

async fn history(client: &mut support::Client, question: Value) -> Vec<Value> {
    let reply = client.ask(question).await;
    assert_eq!(reply["type"], "calls", "{reply}");
    reply["calls"].as_array().expect("a list").clone()
}

#[tokio::test]
async fn how_calls_went_is_read_in_pages() {
    let server = TestServer::start().await;
    let (mut ann, mut bob, chat) = server.pair("Ann", "Bob").await;
    assert!(
        history(&mut ann, json!({"type": "calls:history"}))
            .await
            .is_empty()
    );
    ann.ok(initiate("call-1", &chat)).await;
    bob.ok(about("call:reject", "call-1", &chat)).await;
    ann.expect("call:rejected").await;
    bob.ok(initiate("call-2", &chat)).await;
    bob.ok(end("call-2", &chat)).await;
    let newest = json!({"type": "calls:history", "limit": 1});
    let newest = history(&mut ann, newest).await;
    assert_eq!(newest.len(), 1);
    assert_eq!(newest[0]["callId"], "call-2");
    assert_eq!(newest[0]["outcome"], "cancelled");
    assert_eq!(newest[0]["direction"], "incoming");
    assert_eq!(newest[0]["name"], "Bob");
    let older = json!({"type": "calls:history", "before": text(&newest[0]["id"])});
    let older = history(&mut ann, older).await;
    assert_eq!(older.len(), 1);
    assert_eq!(older[0]["callId"], "call-1");
    assert_eq!(older[0]["outcome"], "declined");
    assert_eq!(older[0]["durationSeconds"], 0);
}

#[tokio::test]
async fn nobody_reads_the_history_of_others() {
    let server = TestServer::start().await;
    let (mut ann, _bob, chat) = server.pair("Ann", "Bob").await;
    ann.ok(initiate("call-1", &chat)).await;
    ann.ok(end("call-1", &chat)).await;
    let eve = server.register("Eve").await;
    let mut eve = server.connect(&eve).await;
    assert!(
        history(&mut eve, json!({"type": "calls:history"}))
            .await
            .is_empty()
    );
    for before in ["", "' OR ''='", "\u{0}", "~"] {
        let reply = eve
            .ask(json!({"type": "calls:history", "before": before}))
            .await;
        assert_eq!(reply["code"], "invalid-message", "{reply}");
    }
}
