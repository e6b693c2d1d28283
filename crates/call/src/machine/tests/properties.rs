//! What holds for every sequence of inputs.

use proptest::prelude::*;

use super::*;
use crate::{ConnectionQuality, MicrophoneHint, NoticeKind, machine::Heard};

fn any_call() -> impl Strategy<Value = &'static str> {
    prop_oneof![4 => Just(OURS), 1 => Just(SMALLER), 1 => Just(LARGER)]
}

fn any_media() -> impl Strategy<Value = MediaState> {
    (any::<bool>(), any::<bool>())
        .prop_map(|(microphone, camera)| MediaState::of(microphone, camera))
}

fn any_end_reason() -> impl Strategy<Value = EndReason> {
    prop::sample::select(vec![
        EndReason::HungUp,
        EndReason::Cancelled,
        EndReason::NoAnswer,
        EndReason::AnsweredElsewhere,
        EndReason::DeclinedElsewhere,
        EndReason::ConnectionFailed,
    ])
}

fn any_code() -> impl Strategy<Value = CallErrorCode> {
    prop::sample::select(vec![
        CallErrorCode::AccessDenied,
        CallErrorCode::UserOffline,
        CallErrorCode::UserBusy,
        CallErrorCode::NoAnswer,
        CallErrorCode::InvalidSdp,
        CallErrorCode::InvalidCandidate,
        CallErrorCode::InvalidCall,
        CallErrorCode::NoSuchCall,
        CallErrorCode::RateLimited,
    ])
}

fn any_peer_event() -> impl Strategy<Value = PeerEvent> {
    prop::sample::select(vec![
        PeerEvent::LocalCandidate(candidate("ours")),
        PeerEvent::NegotiatedVideo(None),
        PeerEvent::Connected,
        PeerEvent::Disconnected,
        PeerEvent::Failed,
        PeerEvent::Closed,
        PeerEvent::KeyFrameRequested,
        PeerEvent::AudioLoss(0.5),
        PeerEvent::TargetBitrate(1),
    ])
}

fn any_description() -> impl Strategy<Value = SessionDescription> {
    prop::sample::select(vec![
        SessionDescription::offer("theirs"),
        SessionDescription::answer("theirs"),
    ])
}

fn any_connection() -> impl Strategy<Value = ConnectionQuality> {
    prop::sample::select(vec![
        ConnectionQuality::Good,
        ConnectionQuality::Unstable,
        ConnectionQuality::Poor,
    ])
}

fn any_device() -> impl Strategy<Value = NoticeKind> {
    prop::sample::select(vec![
        NoticeKind::Camera,
        NoticeKind::Microphone,
        NoticeKind::Speaker,
    ])
}

fn any_heard() -> impl Strategy<Value = Heard> {
    prop::sample::select(vec![
        Heard::Local(true),
        Heard::Local(false),
        Heard::Remote(true),
        Heard::Hint(Some(MicrophoneHint::SpeaksWhileMuted)),
        Heard::Hint(None),
    ])
}

fn any_input() -> impl Strategy<Value = Input> {
    prop_oneof![
        (any_call(), any::<bool>(), any::<bool>()).prop_map(|(call, here, camera)| Input::Place {
            call_id: id(call),
            chat_id: ChatId(if here { CHAT } else { OTHER_CHAT }.to_owned()),
            peer: person(),
            camera,
        }),
        any::<bool>().prop_map(|camera| Input::Accept { camera }),
        Just(Input::Decline),
        Just(Input::End),
        Just(Input::Dismiss),
        any::<bool>().prop_map(Input::SetMicrophoneMuted),
        any::<bool>().prop_map(Input::SetCameraEnabled),
        any::<bool>().prop_map(Input::SetVideoKept),
        (any_call(), any_heard()).prop_map(|(call, heard)| Input::Heard {
            call_id: id(call),
            heard,
        }),
        (any_call(), any_connection()).prop_map(|(call, connection)| Input::Quality {
            call_id: id(call),
            connection,
        }),
        (any_call(), any::<(u32, u32)>()).prop_map(|(call, (width, height))| {
            Input::PicturesShown {
                call_id: id(call),
                size: PictureSize { width, height },
            }
        }),
        Just(Input::ServerLost),
        Just(Input::ServerBack),
        any_call().prop_map(|call| Input::Unconfirmed(end_message(call, EndReason::HungUp))),
        any_call().prop_map(|call| Input::Unconfirmed(ClientMessage::CallAnswer {
            call_id: id(call),
            chat_id: chat(),
            answer: SessionDescription::answer("made here"),
            media_state: SOUND,
        })),
        any_call().prop_map(|call| Input::Description {
            call_id: id(call),
            description: SessionDescription::offer("made here"),
        }),
        any_call().prop_map(|call| Input::PeerUnusable { call_id: id(call) }),
        (any_call(), any_peer_event()).prop_map(|(call, event)| Input::Peer {
            call_id: id(call),
            event
        }),
        (any_call(), any_device(), any::<bool>()).prop_map(|(call, device, told)| {
            Input::DeviceFailed {
                call_id: id(call),
                device,
                trouble: told.then(|| vireo_media::DeviceTrouble {
                    cause: vireo_media::DeviceCause::Missing,
                    sentence: "It has gone.".to_owned(),
                }),
            }
        }),
        (any_call(), any_device()).prop_map(|(call, device)| Input::DeviceReady {
            call_id: id(call),
            device,
        }),
        (any_call(), prop::option::of(any_code())).prop_map(|(call, code)| Input::Refused {
            call_id: id(call),
            code
        }),
        any_call().prop_map(|call| Input::Forgotten { call_id: id(call) }),
        (any_call(), any::<bool>())
            .prop_map(|(call, here)| offer_in(call, if here { CHAT } else { OTHER_CHAT })),
        any_call().prop_map(ringing),
        any_call().prop_map(answer),
        any_call().prop_map(remote_candidate),
        (any_call(), any_media()).prop_map(|(call, media)| remote_media(call, media)),
        (any_call(), any_end_reason()).prop_map(|(call, reason)| remote_end(call, reason)),
        (any_call(), 0_u32..3, prop::option::of(any_description()))
            .prop_map(|(call, attempt, description)| remote_restart(call, attempt, description)),
        any_call().prop_map(rejected),
        (any_call(), any_code()).prop_map(|(call, code)| error(call, code)),
        Just(Input::Timeout),
    ]
}

/// Follows what is open by the outputs alone.
#[derive(Default)]
struct Open {
    peer: Option<CallId>,
    media: bool,
}

impl Open {
    fn follow(&mut self, output: &Output) {
        match output {
            Output::Prepare { call_id } | Output::CreateOffer { call_id } => {
                assert_eq!(self.peer, None, "one peer connection at a time");
                self.peer = Some(call_id.clone());
            }
            Output::CreateAnswer { call_id, .. } => {
                assert!(
                    self.peer.is_none() || self.peer.as_ref() == Some(call_id),
                    "the old one is closed first"
                );
                self.peer = Some(call_id.clone());
            }
            Output::SetAnswer(_)
            | Output::AddCandidate(_)
            | Output::OfferRestart
            | Output::AnswerRestart(_)
            | Output::FinishRestart(_) => {
                assert!(self.peer.is_some(), "there is a peer connection")
            }
            Output::ClosePeer => assert!(self.peer.take().is_some(), "there was a peer connection"),
            Output::StartMedia(_) => {
                assert!(!self.media, "devices are opened once");
                self.media = true;
            }
            Output::StopMedia => assert!(std::mem::take(&mut self.media), "devices were open"),
            Output::SetMicrophone(_) | Output::SetCamera(_) | Output::KeepVideo(_) => {
                assert!(self.media, "devices are open")
            }
            Output::Send(_) => {}
        }
    }
}

fn restarts(outputs: &[Output]) -> bool {
    outputs.iter().any(|output| {
        matches!(
            output,
            Output::OfferRestart | Output::Send(ClientMessage::CallRestart { .. })
        )
    })
}

proptest! {
    #[test]
    fn no_sequence_of_inputs_panics_leaks_or_gets_stuck(
        inputs in prop::collection::vec((any_input(), 0_u64..20_000), 0..60)
    ) {
        let mut line = Line::new();
        let mut open = Open::default();
        let mut reachable = true;
        for (input, wait_ms) in inputs {
            match input {
                Input::ServerLost => reachable = false,
                Input::ServerBack => reachable = true,
                _ => {}
            }
            line.now += Duration::from_millis(wait_ms);
            let outputs = line.input(input);
            outputs.iter().for_each(|output| open.follow(output));
            prop_assert!(reachable || sent(&outputs).is_empty(), "nothing is sent to a server that is gone");
            let state = line.call.state();
            prop_assert_eq!(open.media, state.can_use_devices());
            prop_assert_eq!(open.peer.is_some(), state.can_use_devices() || state.can_answer());
            let of_call = state.details().map(|call| call.call_id.clone());
            prop_assert!(open.peer.is_none() || open.peer == of_call);
            let waits_on_people = match state {
                CallState::Idle | CallState::Connected { .. } | CallState::Ended { .. } => true,
                CallState::Reconnecting { deadline, .. } => deadline.is_none() && !reachable,
                _ => false,
            };
            prop_assert_eq!(line.call.next_timeout().is_none(), waits_on_people);
        }

        // Left alone, it comes to rest.
        let mut alone = line.clone();
        while let Some(at) = alone.call.next_timeout() {
            alone.now = alone.now.max(at);
            let before = alone.name();
            let outputs = alone.input(Input::Timeout);
            if restarts(&outputs) {
                break; // Which it does for as long as the person waits.
            }
            prop_assert_ne!(alone.name(), before);
        }

        // And one word of the user's ends it, from anywhere.
        line.input(Input::End).iter().for_each(|output| open.follow(output));
        prop_assert!(line.call.state().can_begin());
        prop_assert!(!open.media && open.peer.is_none());
        line.input(Input::ServerBack);
        line.input(Input::Dismiss);
        prop_assert_eq!(line.name(), "idle");
    }
}
