//! The peer connection: everything between coded media and the network. The only code of Vireo that names `webrtc`.
//!
//! A frame's way out: encoder thread → [`MediaSender::send_video`] → packetiser → pacer → SRTP → socket. Its way in:
//! socket → SRTP → frame assembler → [`MediaReceiver::video`], all on the connection's own task.

mod addresses;
mod codecs;
mod config;
mod connection;
mod description;
mod error;
mod event;
#[cfg(feature = "fuzz")]
pub mod fuzz;
mod handshake;
mod media;
mod runtime;
mod sender;
mod stats;
#[cfg(test)]
mod tests;

use std::{
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::{Duration, Instant, SystemTime},
};

use rtc::{
    peer_connection::configuration::RTCOfferOptions, rtp_transceiver::rtp_sender::RtpCodecKind,
};
use tokio::{sync::mpsc, task::JoinHandle};
use vireo_protocol::{IceCandidate, SessionDescription};
use webrtc::{
    error::Error,
    peer_connection::{PeerConnection, RTCIceCandidateInit, RTCSessionDescription},
};

pub use addresses::has_relay;
pub use config::{Addresses, PeerConfig, ReceivedMedia};
pub use error::PeerError;
pub use event::{MediaReceiver, PeerEvent, SoundPlayed};
pub use sender::MediaSender;
pub use stats::{
    InboundStats, OutboundStats, ReceiveStages, SendStages, SyncStats, TransportStats,
};

use connection::Observer;
use media::{Limits, Session};
use runtime::{ConnectionRuntime, Wake};
use sender::Outbox;

/// One connection to one other person: an audio and a video stream each way over one port.
///
/// ```text
///  caller: new → create_offer ─────→ set_answer ──┐
///                                                 ├──→ Connected ⇄ Disconnected
///  callee: new → accept_offer ────────────────────┘         └───────→ Closed (the other side's close)
/// ```
///
/// `Failed` may follow from anywhere. A silent path is no failure: it is tried twice a second for as long as the peer lives.
/// Candidates may be added at any time; those that come before the other side's description wait for it.
/// Dropping a peer closes it without telling the other side; [`Peer::close`] tells.
pub struct Peer {
    config: PeerConfig,
    connection: Arc<dyn PeerConnection>,
    session: Arc<Mutex<Session>>,
    observer: Arc<Observer>,
    wake: Arc<Wake>,
    media: MediaSender,
    watcher: JoinHandle<()>,
    /// Candidates that came before the description they belong to; none once it is there.
    early_candidates: Option<Vec<RTCIceCandidateInit>>,
    closed: bool,
}

impl Peer {
    /// Opens the sockets and starts the connection's task. Quick (a few milliseconds, unless ICE servers' names have to be
    /// looked up); do it while it still rings, so that accepting costs less. Nothing is sent before a description of the
    /// other side is there.
    ///
    /// # Errors
    /// [`PeerError::NoSocket`].
    pub async fn new(
        config: PeerConfig,
        received: ReceivedMedia,
        events: mpsc::UnboundedSender<PeerEvent>,
    ) -> Result<Self, PeerError> {
        let wake = Arc::new(Wake::default());
        let runtime = ConnectionRuntime::new(wake.clone());
        Self::with_runtime(config, received, events, wake, runtime).await
    }

    async fn with_runtime(
        mut config: PeerConfig,
        received: ReceivedMedia,
        events: mpsc::UnboundedSender<PeerEvent>,
        wake: Arc<Wake>,
        runtime: ConnectionRuntime,
    ) -> Result<Self, PeerError> {
        config.redundant_sound &= matches!(received, ReceivedMedia::Deliver(_));
        let outbox = Arc::new(Outbox::new(wake.clone(), events.clone()));
        let limits = Limits::of(&config);
        let session = Session::new(
            Instant::now(),
            SystemTime::now(),
            limits,
            outbox.clone(),
            events.clone(),
            received,
        );
        let session = Arc::new(Mutex::new(session));
        let observer = Arc::new(Observer::new(
            events,
            wake.clone(),
            outbox.clone(),
            config.relay_only,
        ));
        let (connection, watcher) = open(&config, &session, &observer, runtime).await?;
        Ok(Self {
            config,
            connection,
            session,
            observer,
            wake,
            media: MediaSender::new(outbox),
            watcher,
            early_candidates: Some(Vec::new()),
            closed: false,
        })
    }

    /// Makes the caller's offer. Gathering starts here: candidates follow as [`PeerEvent::LocalCandidate`].
    ///
    /// # Errors
    /// [`PeerError::Closed`], [`PeerError::Internal`].
    pub async fn create_offer(&mut self) -> Result<SessionDescription, PeerError> {
        self.offer(None).await
    }

    /// Takes the caller's offer and makes the answer to it. Call it when the person accepts: connectivity checks begin here.
    ///
    /// # Errors
    /// [`PeerError::InvalidDescription`] when the offer cannot be used; the peer is of no use then.
    pub async fn accept_offer(
        &mut self,
        offer: &SessionDescription,
    ) -> Result<SessionDescription, PeerError> {
        let offer = description::parse(offer, true)?;
        if !self.config.video_codecs.is_empty()
            && !description::offers_video(&offer, &self.config.video_codecs)?
        {
            self.reopen_without_video().await?;
        }
        self.set_remote(offer).await?;
        let answer = self.connection.create_answer(None).await.map_err(invalid)?;
        self.agree(&answer)?;
        self.apply_answer(answer).await
    }

    /// Takes the callee's answer to our offer.
    ///
    /// # Errors
    /// [`PeerError::InvalidDescription`] when the answer cannot be used.
    pub async fn set_answer(&mut self, answer: &SessionDescription) -> Result<(), PeerError> {
        let answer = description::parse(answer, false)?;
        self.agree(&answer)?;
        self.set_remote(answer).await?;
        self.wake.wake();
        Ok(())
    }

    /// Begins anew on the network as it is now (ICE restart, RFC 8445 section 2.4): other sockets, other candidates, another
    /// path. Keys, codecs and streams stay as they are. The caller makes the offer.
    ///
    /// # Errors
    /// [`PeerError::Closed`], [`PeerError::Internal`].
    pub async fn offer_restart(&mut self) -> Result<SessionDescription, PeerError> {
        self.observer.expect_other_path();
        let options = RTCOfferOptions { ice_restart: true };
        self.offer(Some(options)).await
    }

    /// Does the same at the callee's side, and makes the answer.
    ///
    /// # Errors
    /// [`PeerError::InvalidDescription`] when the offer cannot be used. The peer is as useful as it was.
    pub async fn answer_restart(
        &mut self,
        offer: &SessionDescription,
    ) -> Result<SessionDescription, PeerError> {
        let offer = description::parse(offer, true)?;
        self.observer.expect_other_path();
        self.set_remote(offer).await?;
        let answer = self.connection.create_answer(None).await.map_err(invalid)?;
        self.apply_answer(answer).await
    }

    /// Takes the callee's answer to the offer of a restart.
    ///
    /// # Errors
    /// [`PeerError::InvalidDescription`] when the answer cannot be used. Another restart may follow.
    pub async fn finish_restart(&mut self, answer: &SessionDescription) -> Result<(), PeerError> {
        let answer = description::parse(answer, false)?;
        self.set_remote(answer).await?;
        self.wake.wake();
        Ok(())
    }

    /// Adds a candidate of the other side's, at any time. One that cannot be reached or resolved harms nothing.
    ///
    /// # Errors
    /// [`PeerError::InvalidCandidate`] when it cannot be read.
    pub async fn add_remote_candidate(
        &mut self,
        candidate: &IceCandidate,
    ) -> Result<(), PeerError> {
        let Some(line) = readable(&candidate.candidate)? else {
            return Ok(());
        };
        let candidate = RTCIceCandidateInit {
            candidate: line.to_owned(),
            sdp_mid: candidate.sdp_mid.clone(),
            sdp_mline_index: candidate.sdp_m_line_index,
            ..Default::default()
        };
        match &mut self.early_candidates {
            Some(early) => early.push(candidate),
            None => self.add_candidate(candidate).await?,
        }
        Ok(())
    }

    /// The handle through which encoder threads send.
    #[must_use]
    pub fn media(&self) -> MediaSender {
        self.media.clone()
    }

    /// Asks the other side for a key frame; repeated requests go out at a bounded rate.
    pub fn request_key_frame(&self) {
        self.media.request_key_frame();
    }

    /// The transport's figures as they stand.
    #[must_use]
    pub fn stats(&self) -> TransportStats {
        let milliseconds = |time: Duration| time.as_secs_f64() * 1_000.0;
        let setup = self.observer.setup();
        TransportStats {
            ice_ms: setup.ice.map(milliseconds),
            dtls_ms: setup.dtls.map(milliseconds),
            local_candidate_type: setup.local_candidate_type.clone(),
            remote_candidate_type: setup.remote_candidate_type.clone(),
            ..self.session().stats(Instant::now())
        }
    }

    /// Tells the other side that it is over (DTLS `close_notify`) and frees everything. No events follow.
    pub async fn close(&mut self) {
        if std::mem::replace(&mut self.closed, true) {
            return;
        }
        self.watcher.abort();
        self.wake.close();
        if let Err(error) = self.connection.close().await {
            tracing::debug!(%error, "closing the peer connection");
        }
    }

    async fn offer(
        &self,
        options: Option<RTCOfferOptions>,
    ) -> Result<SessionDescription, PeerError> {
        let offer = self.connection.create_offer(options).await;
        let offer = offer.map_err(internal)?;
        let sdp = offer.sdp.clone();
        self.connection
            .set_local_description(offer)
            .await
            .map_err(internal)?;
        Ok(SessionDescription::offer(sdp))
    }

    async fn apply_answer(
        &self,
        answer: RTCSessionDescription,
    ) -> Result<SessionDescription, PeerError> {
        let sdp = answer.sdp.clone();
        self.connection
            .set_local_description(answer)
            .await
            .map_err(invalid)?;
        self.wake.wake();
        Ok(SessionDescription::answer(sdp))
    }

    /// `webrtc` cannot answer an offer whose pictures it has no codec for, unless it has no codec for pictures at all.
    async fn reopen_without_video(&mut self) -> Result<(), PeerError> {
        self.watcher.abort();
        self.connection.close().await.map_err(internal)?;
        self.config.video_codecs.clear();
        let runtime = ConnectionRuntime::new(self.wake.clone());
        (self.connection, self.watcher) =
            open(&self.config, &self.session, &self.observer, runtime).await?;
        Ok(())
    }

    /// Applies the other side's description and the candidates that came before it.
    async fn set_remote(&mut self, description: RTCSessionDescription) -> Result<(), PeerError> {
        self.connection
            .set_remote_description(description)
            .await
            .map_err(invalid)?;
        for candidate in self.early_candidates.take().unwrap_or_default() {
            if let Err(error) = self.add_candidate(candidate).await {
                tracing::debug!(%error, "an early candidate");
            }
        }
        Ok(())
    }

    async fn add_candidate(&self, candidate: RTCIceCandidateInit) -> Result<(), PeerError> {
        self.connection
            .add_ice_candidate(candidate)
            .await
            .map_err(|error| PeerError::InvalidCandidate(error.to_string()))?;
        self.wake.wake(); // The first check goes out now, not at the next round.
        Ok(())
    }

    /// Tells the session what the answer agrees to.
    fn agree(&self, answer: &RTCSessionDescription) -> Result<(), PeerError> {
        let negotiated = description::negotiated(answer)?;
        if negotiated == description::Negotiated::default() {
            let problem = "there is no codec that both sides speak".to_owned();
            return Err(PeerError::InvalidDescription(problem));
        }
        self.session().negotiated(negotiated);
        Ok(())
    }

    fn session(&self) -> MutexGuard<'_, Session> {
        self.session.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Peer {
    fn drop(&mut self) {
        self.watcher.abort();
        if self.closed {
            return;
        }
        // The connection's task would go on without us. Where there is a runtime left, it is closed as it should be.
        self.wake.close();
        if let Ok(runtime) = tokio::runtime::Handle::try_current() {
            let connection = self.connection.clone();
            runtime.spawn(async move {
                let _ = connection.close().await;
            });
        }
    }
}

/// A connection with its tracks, and the task that watches it.
async fn open(
    config: &PeerConfig,
    session: &Arc<Mutex<Session>>,
    observer: &Arc<Observer>,
    runtime: ConnectionRuntime,
) -> Result<(Arc<dyn PeerConnection>, JoinHandle<()>), PeerError> {
    let (audio, video) = session
        .lock()
        .unwrap_or_else(PoisonError::into_inner)
        .ssrcs();
    let ended = runtime.ended();
    let connection = connection::open(config, session, observer, runtime).await?;
    let stream = format!("vireo-{audio:08x}");
    let sender = connection::add_track(&*connection, RtpCodecKind::Audio, audio, &stream).await?;
    if !config.video_codecs.is_empty() {
        connection::add_track(&*connection, RtpCodecKind::Video, video, &stream).await?;
    }
    observer.attach(sender.clone());
    let watcher = tokio::spawn(observer.clone().watch(sender, ended));
    Ok((connection, watcher))
}

/// The candidate if it is one that can be tried. Candidates over TCP and names that only the other side's network knows
/// (mDNS) cannot; a browser has others beside them, or its own checks reveal its address.
fn readable(candidate: &str) -> Result<Option<&str>, PeerError> {
    let line = candidate.strip_prefix("candidate:").unwrap_or(candidate);
    if line.trim().is_empty() {
        return Ok(None); // The end of candidates.
    }
    let fields: Vec<&str> = line.split_whitespace().collect();
    if fields.len() < 8 || line.starts_with("candidate:") {
        return Err(PeerError::InvalidCandidate("it is incomplete".into()));
    }
    let usable = fields[2].eq_ignore_ascii_case("udp") && !fields[4].ends_with(".local");
    Ok(usable.then_some(line))
}

fn internal(error: Error) -> PeerError {
    match error {
        Error::ErrConnectionClosed => PeerError::Closed,
        other => PeerError::Internal(other.to_string()),
    }
}

fn invalid(error: Error) -> PeerError {
    match error {
        Error::ErrConnectionClosed => PeerError::Closed,
        other => PeerError::InvalidDescription(other.to_string()),
    }
}
