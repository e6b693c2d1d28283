//! Beginning anew on another network.

use vireo_media::VideoCodec;
use vireo_protocol::SessionDescription;

use super::support::{Side, config, connect, frame, gathered, restart, show, sound};
use crate::peer::PeerError;

/// The ports of a side's candidates.
async fn ports(side: &mut Side) -> Vec<String> {
    let port = |line: &str| line.split_whitespace().nth(5).map(str::to_owned);
    let candidates = gathered(side).await;
    let ports = candidates.iter().map(|found| port(&found.candidate));
    ports.map(|port| port.expect("a port")).collect()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn media_goes_on_over_other_sockets_with_the_same_keys() {
    let mut caller = Side::new(config()).await;
    let mut callee = Side::new(config()).await;
    connect(&mut caller, &mut callee).await;
    let dtls = caller.peer.stats().dtls_ms;
    for round in 1..4 {
        let took = restart(&mut caller, &mut callee).await;
        show(&format!("a restart took {took:?}"));
        for (from, to) in [(&caller, &callee), (&callee, &caller)] {
            let (frames, packets) = (to.received.frames(), to.received.packets());
            let sent = frame(VideoCodec::H264, round, true, 5_000);
            from.peer.media().send_video(sent);
            from.peer.media().send_audio(sound(round), 0);
            to.received
                .until("sound and picture", |received| {
                    received.frames() > frames && received.packets() > packets
                })
                .await;
        }
    }
    assert_eq!(caller.peer.stats().dtls_ms, dtls, "no new handshake");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_sockets_are_others() {
    let mut caller = Side::new(config()).await;
    caller.peer.create_offer().await.expect("an offer");
    let before = ports(&mut caller).await;
    caller.peer.offer_restart().await.expect("an offer");
    let after = ports(&mut caller).await;
    assert!(!before.is_empty() && !after.is_empty());
    assert!(
        before.iter().all(|port| !after.contains(port)),
        "{before:?} {after:?}"
    );
}

/// The other side was not there to answer, and is when it is tried again.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_offer_that_nobody_answered_is_replaced_by_the_next() {
    let mut caller = Side::new(config()).await;
    let mut callee = Side::new(config()).await;
    connect(&mut caller, &mut callee).await;
    caller.peer.offer_restart().await.expect("an offer");
    restart(&mut caller, &mut callee).await;
    // The other way round: the answer got lost.
    let offer = caller.peer.offer_restart().await.expect("an offer");
    callee.peer.answer_restart(&offer).await.expect("an answer");
    restart(&mut caller, &mut callee).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_restart_that_makes_no_sense_leaves_the_connection_as_it_is() {
    let mut caller = Side::new(config()).await;
    let mut callee = Side::new(config()).await;
    connect(&mut caller, &mut callee).await;
    let nonsense = SessionDescription::offer("nonsense");
    let refused = callee.peer.answer_restart(&nonsense).await;
    assert!(
        matches!(refused, Err(PeerError::InvalidDescription(_))),
        "{refused:?}"
    );
    let unasked = SessionDescription::answer("nonsense");
    let refused = caller.peer.finish_restart(&unasked).await;
    assert!(
        matches!(refused, Err(PeerError::InvalidDescription(_))),
        "{refused:?}"
    );
    caller.peer.media().send_audio(sound(1), 0);
    callee
        .received
        .until("sound", |received| received.packets() > 0)
        .await;
    restart(&mut caller, &mut callee).await;
}
