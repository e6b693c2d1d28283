//! What is agreed on, and what cannot be.

use vireo_media::VideoCodec::{self, H264, Vp8};
use vireo_protocol::SessionDescription;

use super::support::{Side, config, connect, sound};
use crate::peer::{PeerConfig, PeerError, PeerEvent};

fn with(codecs: &[VideoCodec]) -> PeerConfig {
    PeerConfig {
        video_codecs: codecs.to_vec(),
        ..config()
    }
}

/// What two sides with these codecs agree on.
async fn agreed(caller: &[VideoCodec], callee: &[VideoCodec]) -> Option<VideoCodec> {
    let mut caller = Side::new(with(caller)).await;
    let mut callee = Side::new(with(callee)).await;
    let offer = caller.peer.create_offer().await.expect("an offer");
    let answer = callee.peer.accept_offer(&offer).await.expect("an answer");
    caller.peer.set_answer(&answer).await.expect("is taken");
    let is_agreement = |event: &PeerEvent| matches!(event, PeerEvent::NegotiatedVideo(_));
    let ours = caller.wait(is_agreement).await;
    assert_eq!(ours, callee.wait(is_agreement).await, "both say the same");
    match ours {
        PeerEvent::NegotiatedVideo(codec) => codec,
        other => panic!("{other:?}"),
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn both_sides_agree_on_a_codec_that_both_speak() {
    assert_eq!(agreed(&[H264, Vp8], &[H264, Vp8]).await, Some(H264));
    assert_eq!(agreed(&[Vp8, H264], &[Vp8, H264]).await, Some(Vp8));
    assert_eq!(agreed(&[H264, Vp8], &[Vp8]).await, Some(Vp8));
    assert_eq!(agreed(&[Vp8], &[H264, Vp8]).await, Some(Vp8));
    assert_eq!(agreed(&[H264], &[H264, Vp8]).await, Some(H264));
    assert_eq!(agreed(&[H264], &[Vp8]).await, None, "sound is left");
    assert_eq!(agreed(&[], &[H264, Vp8]).await, None, "an audio-only offer");
    assert_eq!(
        agreed(&[H264, Vp8], &[]).await,
        None,
        "an audio-only answer"
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_call_of_sound_alone_comes_up() {
    for (one, other) in [(&[][..], &[H264][..]), (&[H264], &[]), (&[], &[])] {
        let mut caller = Side::new(with(one)).await;
        let mut callee = Side::new(with(other)).await;
        connect(&mut caller, &mut callee).await;
        caller.peer.media().send_audio(sound(0), 0);
        callee.peer.media().send_audio(sound(0), 0);
        let heard = |received: &super::support::Received| received.packets() > 0;
        callee.received.until("sound", heard).await;
        caller.received.until("sound", heard).await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_cannot_be_used_is_an_error() {
    const SESSION: &str = "v=0\r\no=- 1 1 IN IP4 127.0.0.1\r\ns=-\r\nt=0 0\r\n";
    let nothing_in_common = format!(
        "{SESSION}a=fingerprint:sha-256 {}\r\na=setup:actpass\r\na=ice-ufrag:abcd\r\na=ice-pwd:0123456789012345678901\r\n\
         m=audio 9 UDP/TLS/RTP/SAVPF 0\r\nc=IN IP4 0.0.0.0\r\na=mid:0\r\na=sendrecv\r\na=rtcp-mux\r\na=rtpmap:0 PCMU/8000\r\n",
        ["AB"; 32].join(":")
    );
    let data_only = format!(
        "{SESSION}m=application 9 UDP/DTLS/SCTP webrtc-datachannel\r\nc=IN IP4 0.0.0.0\r\na=mid:0\r\na=sctp-port:5000\r\n"
    );
    let plain_rtp = format!("{SESSION}m=audio 5004 RTP/AVP 111\r\na=rtpmap:111 opus/48000/2\r\n");
    let wrong = [
        "",
        "hello",
        SESSION,
        &nothing_in_common,
        &data_only,
        &plain_rtp,
        "v=0\r\nm=video",
    ];
    for sdp in wrong {
        let mut callee = Side::new(config()).await;
        let answer = callee
            .peer
            .accept_offer(&SessionDescription::offer(sdp))
            .await;
        let refused = matches!(answer, Err(PeerError::InvalidDescription(_)));
        assert!(refused, "{sdp:?}: {answer:?}");

        let mut caller = Side::new(config()).await;
        caller.peer.create_offer().await.expect("an offer");
        let taken = caller
            .peer
            .set_answer(&SessionDescription::answer(sdp))
            .await;
        let refused = matches!(taken, Err(PeerError::InvalidDescription(_)));
        assert!(refused, "{sdp:?}: {taken:?}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_answer_without_an_offer_is_an_error() {
    let mut caller = Side::new(config()).await;
    let mut callee = Side::new(config()).await;
    let offer = caller.peer.create_offer().await.expect("an offer");
    let answer = callee.peer.accept_offer(&offer).await.expect("an answer");
    let mut third = Side::new(config()).await;
    let taken = third.peer.set_answer(&answer).await;
    assert!(
        matches!(taken, Err(PeerError::InvalidDescription(_))),
        "{taken:?}"
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_offer_is_what_a_browser_expects() {
    let mut caller = Side::new(config()).await;
    let offer = caller.peer.create_offer().await.expect("an offer").sdp;
    for line in [
        "a=group:BUNDLE 0 1",
        "a=rtcp-mux",
        "a=setup:actpass",
        "a=mid:0",
        "a=mid:1",
        "a=sendrecv",
        "a=rtpmap:111 opus/48000/2",
        "a=fmtp:111 minptime=10;useinbandfec=1",
        "a=rtpmap:102 H264/90000",
        "a=fmtp:102 level-asymmetry-allowed=1;packetization-mode=1;profile-level-id=42e01f",
        "a=rtpmap:96 VP8/90000",
        "a=rtcp-fb:102 nack",
        "a=rtcp-fb:102 nack pli",
        "a=rtcp-fb:102 ccm fir",
        "a=rtcp-fb:102 transport-cc",
    ] {
        assert!(offer.lines().any(|of| of == line), "{line} in:\n{offer}");
    }
    for start in [
        "m=video 9 UDP/TLS/RTP/SAVPF 102 96",
        "a=ssrc:",
        "a=msid:",
        "a=fingerprint:sha-256 ",
    ] {
        assert!(
            offer.lines().any(|of| of.starts_with(start)),
            "{start} in:\n{offer}"
        );
    }
    assert!(offer.contains("transport-wide-cc"), "{offer}");
    // What is sent again keeps its number, and so its nonce: `settings` in `connection.rs` says why that goes with one cipher only.
    assert!(!offer.contains("rtx"), "{offer}");
}
