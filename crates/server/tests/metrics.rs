//! The server's numbers, as Prometheus would read them.

mod support;

use std::collections::BTreeMap;

use support::TestServer;

/// Every number, by its name and labels.
async fn numbers(server: &TestServer) -> BTreeMap<String, f64> {
    let answer = server.http.get(server.url("/metrics")).send().await;
    let answer = answer.expect("answered");
    assert_eq!(answer.status(), 200);
    let page = answer.text().await.expect("text");
    for line in page.lines().filter(|line| line.starts_with("# TYPE")) {
        let name = line.split(' ').nth(2).expect("a name");
        assert!(
            page.contains(&format!("# HELP {name} ")),
            "{name} says what it is"
        );
    }
    let numbers = page.lines().filter(|line| !line.starts_with('#'));
    let number = |line: &str| {
        let (name, value) = line.rsplit_once(' ').expect("a name and a value");
        (name.to_owned(), value.parse().expect("a number"))
    };
    numbers.map(number).collect()
}

#[tokio::test]
async fn people_calls_refusals_and_requests_are_counted() {
    let server = TestServer::start().await;
    let before = numbers(&server).await;
    assert_eq!(before["vireo_connections"], 0.0);
    let (mut ann, mut bob, chat) = server.pair("Ann", "Bob").await;
    ann.ok(support::initiate("call-1", &chat)).await;
    bob.expect("call:offer").await;
    bob.ok(support::answer("call-1", &chat)).await;
    ann.expect("call:answer").await;
    ann.fails(
        support::about("call:ringing", "another", &chat),
        "no-such-call",
    )
    .await;
    let during = numbers(&server).await;
    for (name, count) in [
        ("vireo_connections", 2.0),
        ("vireo_people", 2.0),
        ("vireo_calls_started_total", 1.0),
        ("vireo_calls_answered_total", 1.0),
        ("vireo_call_answer_seconds_count", 1.0),
        ("vireo_refused_total{code=\"no-such-call\"}", 1.0),
        (
            "vireo_http_requests_total{route=\"/api/register\",status=\"201\"}",
            2.0,
        ),
        (
            "vireo_http_requests_total{route=\"/api/ws\",status=\"101\"}",
            2.0,
        ),
        ("vireo_database_seconds_count", 2.0),
        ("vireo_queue_messages{lane=\"calls\"}", 0.0),
    ] {
        assert_eq!(during.get(name), Some(&count), "{name} of {during:#?}");
    }
    ann.ok(support::end("call-1", &chat)).await;
    let ended = "vireo_calls_ended_total{outcome=\"completed\"}";
    assert_eq!(numbers(&server).await.get(ended), Some(&1.0));
}

#[tokio::test]
async fn with_a_token_it_takes_the_token() {
    let server = TestServer::start_with(|config| {
        config.metrics_token = Some("north".into());
    })
    .await;
    let ask = async |token: Option<&str>| {
        let mut request = server.http.get(server.url("/metrics"));
        if let Some(token) = token {
            request = request.bearer_auth(token);
        }
        request.send().await.expect("answered").status()
    };
    assert_eq!(ask(None).await, 403);
    assert_eq!(ask(Some("south")).await, 403);
    assert_eq!(ask(Some("north")).await, 200);
}
