//! How a server leaves.

mod support;

use std::time::{Duration, Instant};

use support::TestServer;

#[tokio::test]
async fn connections_are_closed_one_after_another_and_nobody_new_is_taken() {
    let server = TestServer::start_with(|config| config.drain = Duration::from_secs(1)).await;
    let ready = async || {
        let answer = server.http.get(server.url("/api/ready")).send().await;
        answer.expect("answered")
    };
    assert_eq!(ready().await.status(), 200);
    let ann = server.register("Ann").await;
    let mut clients = Vec::new();
    for _ in 0..20 {
        clients.push(server.connect(&ann).await);
    }
    let began = Instant::now();
    let draining = server.running.drain();
    let closed = async {
        let closed = clients.iter_mut().map(async |client| {
            assert_eq!(client.closed().await, Some(1012));
            began.elapsed()
        });
        futures_util::future::join_all(closed).await
    };
    let refused = async {
        while ready().await.status() == 200 {}
        let answer = ready().await;
        assert_eq!(answer.status(), 503);
        assert_eq!(answer.headers()["retry-after"], "1");
        let health = server.http.get(server.url("/api/health")).send().await;
        assert_eq!(health.expect("answered").status(), 200);
        let Err(tokio_tungstenite::tungstenite::Error::Http(answer)) =
            server.open(&ann.token).await
        else {
            panic!("a new connection was taken");
        };
        assert_eq!(answer.status(), 503);
    };
    let ((), closed, ()) = tokio::join!(draining, closed, refused);
    let first = closed.iter().min().expect("some");
    let last = closed.iter().max().expect("some");
    // Twenty that leave at random times of one second leave together once in a billion years.
    assert!(
        *last - *first > Duration::from_millis(200),
        "{first:?} to {last:?}"
    );
    assert!(*last < Duration::from_secs(2), "{last:?}");
    assert!(began.elapsed() < Duration::from_secs(3));
    server.running.shutdown().await;
}

#[tokio::test]
async fn with_nobody_there_it_does_not_wait() {
    let server = TestServer::start_with(|config| config.drain = Duration::from_secs(60)).await;
    let began = Instant::now();
    server.running.drain().await;
    server.running.shutdown().await;
    assert!(began.elapsed() < Duration::from_secs(2));
}

#[tokio::test]
async fn whoever_cannot_wait_ends_it() {
    let server = TestServer::start_with(|config| config.drain = Duration::from_secs(60)).await;
    let ann = server.register("Ann").await;
    let mut client = server.connect(&ann).await;
    let began = Instant::now();
    let _ = tokio::time::timeout(Duration::from_millis(50), server.running.drain()).await;
    let (closed, ()) = tokio::join!(client.closed(), server.running.shutdown());
    assert_eq!(closed, Some(1012));
    assert!(began.elapsed() < Duration::from_secs(5));
}
