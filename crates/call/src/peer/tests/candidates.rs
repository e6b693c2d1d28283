//! Candidates late, early, and of every kind.

use std::time::Duration;

use vireo_protocol::IceCandidate;

use super::support::{Side, config, connect, gathered};
use crate::peer::{PeerError, PeerEvent};

fn candidate(line: &str) -> IceCandidate {
    IceCandidate {
        candidate: line.into(),
        sdp_mid: Some("0".into()),
        sdp_m_line_index: Some(0),
        username_fragment: None,
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn candidates_that_come_before_the_description_wait_for_it() {
    let mut caller = Side::new(config()).await;
    let mut callee = Side::new(config()).await;
    let offer = caller.peer.create_offer().await.expect("an offer");
    for candidate in gathered(&mut caller).await {
        let added = callee.peer.add_remote_candidate(&candidate).await;
        added.expect("it is kept");
    }
    let answer = callee.peer.accept_offer(&offer).await.expect("an answer");
    for candidate in gathered(&mut callee).await {
        let added = caller.peer.add_remote_candidate(&candidate).await;
        added.expect("it is kept");
    }
    caller.peer.set_answer(&answer).await.expect("is taken");
    caller.wait(|event| *event == PeerEvent::Connected).await;
    callee.wait(|event| *event == PeerEvent::Connected).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn candidates_may_come_late_and_one_side_s_are_enough() {
    let mut caller = Side::new(config()).await;
    let mut callee = Side::new(config()).await;
    let offer = caller.peer.create_offer().await.expect("an offer");
    let answer = callee.peer.accept_offer(&offer).await.expect("an answer");
    caller.peer.set_answer(&answer).await.expect("is taken");
    let late = gathered(&mut callee).await;
    // The checks have begun and found nothing to check when the candidates come at last.
    tokio::time::sleep(Duration::from_millis(150)).await;
    for candidate in late {
        let added = caller.peer.add_remote_candidate(&candidate).await;
        added.expect("it is taken");
    }
    caller.wait(|event| *event == PeerEvent::Connected).await;
    callee.wait(|event| *event == PeerEvent::Connected).await;
    let learnt = callee.peer.stats().remote_candidate_type;
    assert!(
        matches!(learnt.as_deref(), Some("prflx" | "host")),
        "{learnt:?}"
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn candidates_of_no_use_harm_nothing() {
    let harmless = [
        "",
        "candidate:1 1 udp 2122260223 8d1e5ed2-39a7-4e8e-a2d8-0b1f6c8e2d33.local 51111 typ host generation 0",
        "candidate:2 1 tcp 1518280447 192.0.2.9 9 typ host tcptype active generation 0 ufrag abcd network-id 1",
        "candidate:3 1 udp 1686052607 192.0.2.1 40000 typ srflx raddr 10.0.0.1 rport 5000 generation 0",
        "candidate:4 1 UDP 2122260223 2001:db8::77 40000 typ host",
    ];
    let wrong = [
        "hello",
        "candidate:",
        "candidate:1 1 udp",
        "candidate:1 1 udp x 192.0.2.1 y typ host",
    ];
    for early in [true, false] {
        let mut caller = Side::new(config()).await;
        let mut callee = Side::new(config()).await;
        if !early {
            connect(&mut caller, &mut callee).await;
        }
        for line in harmless {
            let added = callee.peer.add_remote_candidate(&candidate(line)).await;
            assert_eq!(added, Ok(()), "{line}");
        }
        for line in wrong {
            let added = callee.peer.add_remote_candidate(&candidate(line)).await;
            let refused = matches!(added, Err(PeerError::InvalidCandidate(_)));
            assert!(
                refused || line == "candidate:" || early,
                "{line}: {added:?}"
            );
        }
        if early {
            connect(&mut caller, &mut callee).await;
        }
        callee.peer.close().await;
        caller.wait(|event| *event == PeerEvent::Closed).await;
    }
}
