//! Coming up and going down.

use std::time::Duration;

use vireo_media::VideoCodec;

use super::support::{Side, config, connect, frame};
use crate::peer::PeerEvent;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn connects_quickly_and_says_goodbye() {
    let mut caller = Side::new(config()).await;
    let mut callee = Side::new(config()).await;
    let media = caller.peer.media();
    media.send_video(frame(VideoCodec::H264, 1, true, 20_000));
    let taken = connect(&mut caller, &mut callee).await;
    callee
        .received
        .until("the first picture", |received| received.frames() > 0)
        .await;
    let stats = (caller.peer.stats(), callee.peer.stats());
    eprintln!("connected after {taken:?}: {stats:?}");
    assert!(taken < Duration::from_secs(2), "{taken:?}");
    caller.peer.close().await;
    callee.wait(|event| *event == PeerEvent::Closed).await;
}
