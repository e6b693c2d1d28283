//! Builds the connection of `webrtc` and listens to it.

use std::{
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicBool, Ordering},
    },
    time::{Duration, Instant},
};

use rtc::{
    interceptor::{Registry, Slot, TwccReceiverBuilder},
    media_stream::MediaStreamTrack,
    peer_connection::transport::RTCDtlsTransportState,
    rtp_transceiver::rtp_sender::{RTCRtpCodingParameters, RTCRtpEncodingParameters, RtpCodecKind},
};
use tokio::sync::{Notify, mpsc};
use vireo_protocol::IceCandidate;
use webrtc::{
    media_stream::track_local::static_rtp::TrackLocalStaticRTP,
    peer_connection::{
        PeerConnection, PeerConnectionBuilder, PeerConnectionEventHandler, RTCConfigurationBuilder,
        RTCIceCandidate, RTCIceCandidateType, RTCIceConnectionState, RTCIceGatheringState,
        RTCIceTransportPolicy, RTCPeerConnectionIceEvent, RTCPeerConnectionState, SettingEngine,
        SettingEngineBuilder, SrtpProtectionProfile,
    },
    rtp_transceiver::RtpSender,
};

use super::{
    PeerConfig, PeerError, PeerEvent, addresses, codecs,
    media::{MediaInterceptor, Session},
    runtime::{ConnectionRuntime, Wake},
    sender::Outbox,
};

/// Between two rounds of connectivity checks. Most of the time a connection takes to come up on a short path.
const CHECK_INTERVAL: Duration = Duration::from_millis(10);

/// Rounds of checks before a pair of addresses is given up: the other side may answer late.
const MAX_CHECKS: u16 = 1_000;

/// How long a path must have been silent to be called disconnected.
const DISCONNECTED_TIMEOUT: Duration = Duration::from_millis(2_500);

/// A silent path is never called lost: it is tried again for as long as the call lasts, which others decide.
const NEVER_FAILED: Duration = Duration::ZERO;

/// How often the path in use is tried, silent or not.
const KEEP_ALIVE_INTERVAL: Duration = Duration::from_millis(500);

/// How long a better path is waited for, by what the found one leads through.
const REFLEXIVE_WAIT: Duration = Duration::from_millis(50);
const RELAY_WAIT: Duration = Duration::from_millis(400);

/// Packets that are sent again come late; the default of 64 packets would throw them away as replayed.
const REPLAY_WINDOW: usize = 4_096;

/// How often we report when packets arrived. libwebrtc does it every 50 to 250 ms.
pub(super) const FEEDBACK_INTERVAL: Duration = Duration::from_millis(50);

/// Nearest to the application, so that everything we send passes the others.
const MEDIA_SLOT: usize = 20_000;

/// What the connection's callbacks find out.
#[derive(Debug, Default)]
pub(super) struct Setup {
    checking_since: Option<Instant>,
    connected_at: Option<Instant>,
    pub ice: Option<Duration>,
    pub dtls: Option<Duration>,
    pub local_candidate_type: Option<String>,
    pub remote_candidate_type: Option<String>,
}

/// Shared between the peer and the connection's callbacks.
pub(super) struct Observer {
    events: mpsc::UnboundedSender<PeerEvent>,
    wake: Arc<Wake>,
    outbox: Arc<Outbox>,
    setup: Mutex<Setup>,
    /// Any sender: the way to the transports below.
    sender: Mutex<Option<Arc<dyn RtpSender>>>,
    /// There is a TURN server.
    turn: AtomicBool,
    relay_only: bool,
}

impl Observer {
    pub fn new(
        events: mpsc::UnboundedSender<PeerEvent>,
        wake: Arc<Wake>,
        outbox: Arc<Outbox>,
        relay_only: bool,
    ) -> Self {
        Self {
            events,
            wake,
            outbox,
            setup: Mutex::default(),
            sender: Mutex::default(),
            turn: AtomicBool::new(false),
            relay_only,
        }
    }

    /// Whether the connection may use a TURN server.
    fn expect_relay(&self, turn: bool) {
        self.turn.store(turn, Ordering::Release);
        self.wake.set_relay(turn);
    }

    /// The next path may lead through the relay.
    pub fn expect_other_path(&self) {
        self.wake.set_relay(self.turn.load(Ordering::Acquire));
    }

    pub fn setup(&self) -> MutexGuard<'_, Setup> {
        self.setup.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn report(&self, event: PeerEvent) {
        let _ = self.events.send(event); // Nobody listens any more: the call is over.
    }

    /// From now on this is the connection it listens to.
    pub fn attach(&self, sender: Arc<dyn RtpSender>) {
        *self.sender.lock().unwrap_or_else(PoisonError::into_inner) = Some(sender);
    }

    /// Waits for what the connection does not report by itself: that the other side has closed it (its state stays
    /// "connected" after a `close_notify`), and that its task has come to an end although nobody closed it.
    pub async fn watch(self: Arc<Self>, sender: Arc<dyn RtpSender>, ended: Arc<Notify>) {
        loop {
            tokio::select! {
                () = self.wake.alert_handled() => {}
                () = ended.notified() => {
                    tracing::error!("the connection's task has ended by itself");
                    return self.report(PeerEvent::Failed);
                }
            }
            if let Ok(Some(transport)) = sender.transport().await
                && let Ok(RTCDtlsTransportState::Closed) = transport.state().await
            {
                return self.report(PeerEvent::Closed);
            }
        }
    }

    async fn note_path(&self) {
        let sender = self
            .sender
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .clone();
        if let Some(sender) = sender
            && let Ok(Some(transport)) = sender.transport().await
            && let Ok(Some(pair)) = transport
                .ice_transport()
                .get_selected_candidate_pair()
                .await
        {
            let relay = pair.local().typ == RTCIceCandidateType::Relay;
            self.wake.set_relay(relay);
            let mut setup = self.setup();
            setup.local_candidate_type = Some(pair.local().typ.to_string());
            setup.remote_candidate_type = Some(pair.remote().typ.to_string());
        }
    }
}

#[async_trait::async_trait]
impl PeerConnectionEventHandler for Observer {
    async fn on_ice_candidate(&self, event: RTCPeerConnectionIceEvent) {
        let mut candidate = event.candidate;
        if self.relay_only {
            conceal(&mut candidate);
        }
        if let Ok(candidate) = candidate.to_json() {
            self.report(PeerEvent::LocalCandidate(first_section(
                candidate.candidate,
            )));
        }
    }

    async fn on_ice_gathering_state_change(&self, state: RTCIceGatheringState) {
        if state == RTCIceGatheringState::Complete {
            self.report(PeerEvent::LocalCandidate(first_section(String::new())));
        }
    }

    async fn on_ice_connection_state_change(&self, state: RTCIceConnectionState) {
        let mut setup = self.setup();
        match state {
            RTCIceConnectionState::Checking => setup.checking_since = Some(Instant::now()),
            RTCIceConnectionState::Connected if setup.connected_at.is_none() => {
                let now = Instant::now();
                setup.connected_at = Some(now);
                setup.ice = setup.checking_since.map(|since| now - since);
                // The first message of DTLS has just been queued; nothing else would send it before the next deadline.
                self.wake.wake();
            }
            _ => {}
        }
    }

    async fn on_connection_state_change(&self, state: RTCPeerConnectionState) {
        match state {
            RTCPeerConnectionState::Connected => {
                {
                    let mut setup = self.setup();
                    if setup.dtls.is_none() {
                        setup.dtls = setup.connected_at.map(|at| at.elapsed());
                    }
                }
                self.note_path().await;
                self.outbox.connected();
                self.report(PeerEvent::Connected);
                self.wake.wake(); // Media may flow.
            }
            RTCPeerConnectionState::Disconnected => {
                self.expect_other_path();
                self.outbox.disconnected();
                self.report(PeerEvent::Disconnected);
            }
            RTCPeerConnectionState::Failed => self.report(PeerEvent::Failed),
            _ => {}
        }
    }
}

/// Takes away by which address the relay knows this computer, as RFC 8839 (section 5.1) has it.
fn conceal(candidate: &mut RTCIceCandidate) {
    let is_v6 = candidate.related_address.contains(':');
    candidate.related_address = if is_v6 { "::" } else { "0.0.0.0" }.to_owned();
    candidate.related_port = 9;
}

/// Everything goes over one path (bundle), so all candidates belong to the first section.
fn first_section(candidate: String) -> IceCandidate {
    IceCandidate {
        candidate,
        sdp_mid: Some("0".into()),
        sdp_m_line_index: Some(0),
        username_fragment: None,
    }
}

/// Opens the sockets and starts the connection's task.
pub(super) async fn open(
    config: &PeerConfig,
    session: &Arc<Mutex<Session>>,
    observer: &Arc<Observer>,
    runtime: ConnectionRuntime,
) -> Result<Arc<dyn PeerConnection>, PeerError> {
    let servers = addresses::ice_servers(&config.ice_servers).await;
    let has_relay = servers.iter().any(addresses::is_turn);
    let transport_policy = match (config.relay_only, has_relay) {
        (true, true) => RTCIceTransportPolicy::Relay,
        (true, false) => return Err(PeerError::NoRelay),
        (false, _) => RTCIceTransportPolicy::All,
    };
    observer.expect_relay(has_relay);
    let registry = Registry::new()
        .with(
            Slot::TwccReceiver,
            TwccReceiverBuilder::new()
                .with_interval(FEEDBACK_INTERVAL)
                .build(),
        )
        .with(
            Slot::from(MEDIA_SLOT),
            MediaInterceptor::new(session.clone()),
        );
    let connection = PeerConnectionBuilder::new()
        .with_configuration(
            RTCConfigurationBuilder::new()
                .with_ice_servers(servers)
                .with_ice_transport_policy(transport_policy)
                .build(),
        )
        .with_media_engine(codecs::media_engine(config)?)
        .with_setting_engine(settings())
        .with_interceptor_registry(registry)
        .with_runtime(Arc::new(runtime))
        .with_handler(observer.clone())
        .with_udp_addrs(vec![addresses::Local(config.addresses)])
        .build()
        .await
        .map_err(|error| PeerError::NoSocket(error.to_string()))?;
    Ok(Arc::new(connection))
}

pub(super) fn settings() -> SettingEngine {
    SettingEngineBuilder::new()
        .with_ice_connection_attempts(Some(CHECK_INTERVAL), Some(MAX_CHECKS))
        .with_ice_timeouts(
            Some(DISCONNECTED_TIMEOUT),
            Some(NEVER_FAILED),
            Some(KEEP_ALIVE_INTERVAL),
        )
        .with_host_acceptance_min_wait(Some(Duration::ZERO))
        .with_prflx_acceptance_min_wait(Some(Duration::ZERO))
        .with_srflx_acceptance_min_wait(Some(REFLEXIVE_WAIT))
        .with_relay_acceptance_min_wait(Some(RELAY_WAIT))
        .with_include_loopback_candidate(true)
        // A restart is for a network that has changed: it opens other sockets.
        .with_discard_local_candidates_during_ice_restart(true)
        .with_srtp_replay_protection_window(REPLAY_WINDOW)
        // Without RTX a packet that is sent again keeps its sequence number, and so its nonce, while its header extension
        // changes. AES-CM with HMAC takes no harm from that; with GCM it would give the authentication key away.
        .with_srtp_protection_profiles(vec![SrtpProtectionProfile::Srtp_Aes128_Cm_Hmac_Sha1_80])
        .build()
}

/// A track that only announces our SSRC; its packets are the session's.
pub(super) async fn add_track(
    connection: &dyn PeerConnection,
    kind: RtpCodecKind,
    ssrc: u32,
    stream: &str,
) -> Result<Arc<dyn RtpSender>, PeerError> {
    let label = if kind == RtpCodecKind::Audio {
        "audio"
    } else {
        "video"
    };
    // Without a codec of its own: one would keep all others out of the offer.
    let encoding = RTCRtpEncodingParameters {
        rtp_coding_parameters: RTCRtpCodingParameters {
            ssrc: Some(ssrc),
            ..Default::default()
        },
        active: true,
        ..Default::default()
    };
    let track = MediaStreamTrack::new(
        stream.to_owned(),
        format!("{stream}-{label}"),
        label.to_owned(),
        kind,
        vec![encoding],
    );
    connection
        .add_track(Arc::new(TrackLocalStaticRTP::new(track)))
        .await
        .map_err(|error| PeerError::Internal(error.to_string()))
}
