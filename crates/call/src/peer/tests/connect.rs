//! Coming up and going down.

use std::time::Duration;

use vireo_media::VideoCodec;

use super::support::{Loss, PATIENCE, Side, config, connect, frame, show};
use crate::peer::{Addresses, PeerConfig, PeerError, PeerEvent};

/// A busy machine may take some time; a polling interval or a retransmission on the way would take more.
const QUICK: Duration = Duration::from_millis(500);

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn comes_up_quickly_and_what_waited_goes_out_first() {
    let mut times = Vec::new();
    for _ in 0..5 {
        let mut caller = Side::new(config()).await;
        let mut callee = Side::new(config()).await;
        let sent = frame(VideoCodec::H264, 1, true, 20_000);
        caller.peer.media().send_video(sent.clone());
        let connected = connect(&mut caller, &mut callee).await;
        callee
            .received
            .until("the first picture", |received| received.frames() > 0)
            .await;
        let first = callee.received.video.lock().expect("no panic")[0].1.clone();
        assert!(first.key_frame && first.data == sent.data);
        let stats = caller.peer.stats();
        // A check may overtake the candidate that it comes from.
        for kind in [&stats.local_candidate_type, &stats.remote_candidate_type] {
            assert!(
                matches!(kind.as_deref(), Some("host" | "prflx")),
                "{kind:?}"
            );
        }
        assert!(stats.ice_ms.is_some());
        times.push((connected, stats.dtls_ms));
        caller.peer.close().await;
    }
    show(&format!(
        "answer → connected, of which DTLS (ms): {times:?}"
    ));
    let best = times.iter().map(|(time, _)| *time).min();
    assert!(best.is_some_and(|time| time < QUICK), "{times:?}");
}

/// A third of the packets: without a repetition hardly any handshake would be over, and the library's own takes a second.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn comes_up_soon_although_the_handshake_loses_packets() {
    let mut times = Vec::new();
    for seed in 1..=5 {
        let loss = |seed| Loss::of_handshakes(33, seed);
        let mut caller = Side::lossy(config(), loss(seed)).await;
        let mut callee = Side::lossy(config(), loss(seed + 100)).await;
        times.push(connect(&mut caller, &mut callee).await);
    }
    show(&format!("answer → connected: {times:?}"));
    times.sort();
    assert!(times[2] < 2 * QUICK, "{times:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_connection_whose_task_ends_by_itself_has_failed() {
    let loss = Loss::new(0);
    let mut caller = Side::lossy(config(), loss.clone()).await;
    let mut callee = Side::new(config()).await;
    connect(&mut caller, &mut callee).await;
    loss.break_task();
    caller.wait(|event| *event == PeerEvent::Failed).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn works_on_all_addresses_too() {
    let all = || PeerConfig {
        addresses: Addresses::All,
        ..PeerConfig::default()
    };
    let mut caller = Side::new(all()).await;
    let mut callee = Side::new(all()).await;
    connect(&mut caller, &mut callee).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn closing_tells_the_other_side() {
    for caller_closes in [true, false] {
        let mut caller = Side::new(config()).await;
        let mut callee = Side::new(config()).await;
        connect(&mut caller, &mut callee).await;
        let (closing, other) = if caller_closes {
            (&mut caller, &mut callee)
        } else {
            (&mut callee, &mut caller)
        };
        let began = std::time::Instant::now();
        closing.peer.close().await;
        other.wait(|event| *event == PeerEvent::Closed).await;
        assert!(began.elapsed() < QUICK * 4, "{:?}", began.elapsed());
        closing.peer.close().await; // Once more does no harm.
        assert_eq!(
            closing.peer.create_offer().await,
            Err(PeerError::Closed),
            "a closed peer says so"
        );
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn dropping_a_peer_ends_the_other_side_as_well() {
    let mut caller = Side::new(config()).await;
    let mut callee = Side::new(config()).await;
    connect(&mut caller, &mut callee).await;
    drop(caller);
    callee.wait(|event| *event == PeerEvent::Closed).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_peer_that_nobody_answers_can_be_closed() {
    let mut caller = Side::new(config()).await;
    caller.peer.create_offer().await.expect("an offer");
    caller
        .wait(|event| {
            matches!(event, PeerEvent::LocalCandidate(candidate) if candidate.candidate.is_empty())
        })
        .await;
    tokio::time::timeout(PATIENCE, caller.peer.close())
        .await
        .expect("closing does not wait for anybody");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_unreadable_ice_server_is_left_out() {
    let mut with_nonsense = config();
    with_nonsense.ice_servers.push(vireo_protocol::IceServer {
        urls: vec!["nonsense".into()],
        username: None,
        credential: None,
    });
    let mut caller = Side::new(with_nonsense).await;
    let mut callee = Side::new(config()).await;
    connect(&mut caller, &mut callee).await;
}
