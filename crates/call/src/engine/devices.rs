//! The devices of a call: what is open, and who is told when one comes or goes.

use std::sync::{
    Arc, Mutex, PoisonError,
    atomic::{AtomicUsize, Ordering::Relaxed},
};

use tokio::sync::mpsc;
use vireo_media::{
    DeviceKind, DeviceTrouble, Following, MediaError, MediaEvent, VideoCodec,
    audio::{self, AudioSendOptions, ReceiveChain, VoiceProcessor, VoiceSettings},
    video::{self, VideoSendOptions, VideoSendStatistics, VideoTarget},
};
use vireo_protocol::{CallId, MediaState};

use super::playback::Playback;
use crate::{
    KeyFrameRequester, MediaFactory, NoticeKind,
    machine::{Heard, Input},
    peer::MediaSender,
    quality::{AudioQuality, EncoderState, Quality},
};

/// The peer connection that media goes to at the moment. The devices outlive it when two people call each other at once.
#[derive(Clone, Default)]
pub(super) struct Outlet(Arc<Mutex<Option<MediaSender>>>);

impl Outlet {
    pub(super) fn set(&self, sender: Option<MediaSender>) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = sender;
    }

    fn send(&self, send: impl FnOnce(&MediaSender)) {
        let sender = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        sender.as_ref().map(send);
    }
}

/// Number of a chain; what an earlier one still reports is of no interest.
type ChainId = u64;

/// What a device reports.
pub(super) struct DeviceNews {
    chain: ChainId,
    device: NoticeKind,
    what: What,
}

enum What {
    Failed(Option<DeviceTrouble>),
    Ready,
    /// Another one is to be used from now on.
    Another,
    Heard(Heard),
}

/// Where devices report to.
#[derive(Clone)]
struct Reporter {
    chain: ChainId,
    news: mpsc::UnboundedSender<DeviceNews>,
}

impl Reporter {
    fn report(&self, device: NoticeKind, what: What) {
        // An engine that has stopped does not care.
        let chain = self.chain;
        let _ = self.news.send(DeviceNews {
            chain,
            device,
            what,
        });
    }

    fn event(&self, event: MediaEvent) {
        match event {
            MediaEvent::CameraLost(why) => self.report(NoticeKind::Camera, What::Failed(Some(why))),
            MediaEvent::CameraReady => self.report(NoticeKind::Camera, What::Ready),
            MediaEvent::MicrophoneLost(why) => {
                self.report(NoticeKind::Microphone, What::Failed(Some(why)))
            }
            MediaEvent::MicrophoneReady => self.report(NoticeKind::Microphone, What::Ready),
            MediaEvent::SpeakerLost(why) => {
                self.report(NoticeKind::Speaker, What::Failed(Some(why)))
            }
            MediaEvent::SpeakerReady => self.report(NoticeKind::Speaker, What::Ready),
            MediaEvent::Speaks(speaks) => {
                self.report(NoticeKind::Microphone, What::Heard(Heard::Local(speaks)))
            }
            MediaEvent::OtherSpeaks(speaks) => {
                self.report(NoticeKind::Speaker, What::Heard(Heard::Remote(speaks)))
            }
            MediaEvent::MicrophoneHint(hint) => {
                self.report(NoticeKind::Microphone, What::Heard(Heard::Hint(hint)))
            }
        }
    }

    /// The opener, which also reports that the user has chosen to have no such device.
    fn opener<D: ?Sized + 'static>(
        &self,
        device: NoticeKind,
        open: impl Fn() -> Result<Option<Box<D>>, MediaError> + Send + 'static,
    ) -> impl FnMut() -> Result<Option<Box<D>>, MediaError> + Send + 'static {
        let reporter = self.clone();
        move || {
            let opened = open()?;
            if opened.is_none() {
                reporter.report(device, What::Failed(None));
            }
            Ok(opened)
        }
    }
}

/// The open devices of one call.
pub(super) struct Devices {
    media: Arc<dyn MediaFactory>,
    outlet: Outlet,
    news: mpsc::UnboundedSender<DeviceNews>,
    last_chain: ChainId,
    camera: Option<(ChainId, video::SendChain)>,
    microphone: Option<(ChainId, audio::SendChain)>,
    speaker: Option<ChainId>,
    codec: Option<VideoCodec>,
    /// So many copies of the sounds before go with each packet.
    copies: Arc<AtomicUsize>,
    voice: VoiceSettings,
    processor: VoiceProcessor,
    /// While devices are open.
    following: Option<Following>,
}

impl Devices {
    pub(super) fn new(
        media: Arc<dyn MediaFactory>,
        outlet: Outlet,
        news: mpsc::UnboundedSender<DeviceNews>,
    ) -> Self {
        Self {
            media,
            outlet,
            news,
            last_chain: 0,
            camera: None,
            microphone: None,
            speaker: None,
            codec: None,
            copies: Arc::default(),
            voice: VoiceSettings::default(),
            processor: VoiceProcessor::new(),
            following: None,
        }
    }

    /// Opens what the call needs, each device on a thread of its own.
    pub(super) fn start(&mut self, wanted: MediaState, quality: &Quality, playback: &Playback) {
        // The microphone's chain takes out what the speaker's chain plays. Each call has its own room.
        self.processor = VoiceProcessor::new();
        self.processor.set(self.voice);
        self.start_microphone(self.processor.clone());
        if !wanted.microphone {
            self.set_microphone(false);
        }
        self.start_camera(quality.video);
        self.set_audio_quality(quality.audio);
        self.set_camera(wanted.camera);
        let outlet = self.outlet.clone();
        let key_frames =
            KeyFrameRequester::new(move || outlet.send(MediaSender::request_key_frame));
        let pictures = self.media.remote_video(key_frames);
        playback.fill(self.start_speaker(self.processor.clone()), pictures);
        self.follow();
    }

    fn follow(&mut self) {
        let reporter = self.reporter();
        let changed = Box::new(move |kind| reporter.report(notice_kind(kind), What::Another));
        self.following = self.media.follow_devices(changed);
    }

    fn start_camera(&mut self, target: Option<VideoTarget>) {
        let reporter = self.reporter();
        let (media, outlet, events) = (self.media.clone(), self.outlet.clone(), reporter.clone());
        let chain = video::SendChain::start(
            VideoSendOptions {
                target,
                codec: self.codec,
            },
            reporter.opener(NoticeKind::Camera, move || media.open_camera()),
            self.media.self_view(),
            move |frame| outlet.send(|sender| sender.send_video(frame)),
            move |event| events.event(event),
        );
        if let Some(likely) = self.media.video_codecs().first() {
            chain.prepare(*likely);
        }
        self.camera = Some((reporter.chain, chain));
    }

    fn start_microphone(&mut self, processor: VoiceProcessor) {
        let reporter = self.reporter();
        let (media, outlet, events) = (self.media.clone(), self.outlet.clone(), reporter.clone());
        let copies = self.copies.clone();
        let chain = audio::SendChain::start(
            AudioSendOptions::default(),
            reporter.opener(NoticeKind::Microphone, move || media.open_microphone()),
            processor,
            move |packet| {
                let copies = copies.load(Relaxed);
                outlet.send(|sender| sender.send_audio(packet, copies));
            },
            move |event| events.event(event),
        );
        self.microphone = started(chain, &reporter, NoticeKind::Microphone);
    }

    fn start_speaker(&mut self, processor: VoiceProcessor) -> Option<ReceiveChain> {
        let reporter = self.reporter();
        let (media, events) = (self.media.clone(), reporter.clone());
        let chain = ReceiveChain::start(
            reporter.opener(NoticeKind::Speaker, move || media.open_speaker()),
            processor,
            move |event| events.event(event),
        );
        let (id, chain) = started(chain, &reporter, NoticeKind::Speaker)?;
        self.speaker = Some(id);
        Some(chain)
    }

    pub(super) fn set_microphone(&self, on: bool) {
        if let Some((_, chain)) = &self.microphone {
            chain.set_muted(!on);
        }
    }

    /// What is done to the user's voice from now on, in the call that goes on too.
    pub(super) fn set_voice(&mut self, voice: VoiceSettings) {
        self.voice = voice;
        self.processor.set(voice);
    }

    pub(super) fn set_camera(&self, on: bool) {
        if let Some((_, chain)) = &self.camera {
            chain.set_enabled(on);
        }
    }

    /// What both sides agreed on; nothing is coded before they have.
    pub(super) fn set_codec(&mut self, codec: Option<VideoCodec>) {
        self.codec = codec;
        if let Some((_, chain)) = &self.camera {
            chain.set_codec(codec);
            chain.request_key_frame();
        }
    }

    /// What to send from now on.
    pub(super) fn set_quality(&self, quality: &Quality) {
        if let Some((_, chain)) = &self.camera {
            chain.set_target(quality.video);
        }
        self.set_audio_quality(quality.audio);
    }

    fn set_audio_quality(&self, quality: AudioQuality) {
        self.copies.store(quality.copies, Relaxed);
        if let Some((_, chain)) = &self.microphone {
            chain.set_packet_loss(quality.expected_loss);
            chain.set_bitrate(quality.bits_per_second);
            chain.set_short_packets(quality.short_packets);
        }
    }

    /// How the encoder of pictures gets on.
    pub(super) fn encoder(&self) -> EncoderState {
        let statistics = self.picture_statistics();
        statistics.map_or_else(EncoderState::default, |statistics| EncoderState {
            load: statistics.encoder_load,
            left_out: statistics.left_out,
        })
    }

    pub(super) fn request_key_frame(&self) {
        if let Some((_, chain)) = &self.camera {
            chain.request_key_frame();
        }
    }

    pub(super) fn picture_statistics(&self) -> Option<VideoSendStatistics> {
        self.camera.as_ref().map(|(_, chain)| chain.statistics())
    }

    /// What the news means to the call; nothing where it is out of date, or is taken care of here.
    pub(super) fn input(
        &self,
        news: DeviceNews,
        call_id: CallId,
        playback: &Playback,
    ) -> Option<Input> {
        let DeviceNews {
            chain,
            device,
            what,
        } = news;
        if matches!(what, What::Another) {
            self.reopen(device, playback);
            return None;
        }
        let current = match device {
            NoticeKind::Camera => self.camera.as_ref().map(|(id, _)| *id),
            NoticeKind::Microphone => self.microphone.as_ref().map(|(id, _)| *id),
            NoticeKind::Speaker => self.speaker,
        };
        (current == Some(chain)).then_some(match what {
            What::Failed(trouble) => Input::DeviceFailed {
                call_id,
                device,
                trouble,
            },
            What::Ready => Input::DeviceReady { call_id, device },
            What::Another => return None,
            What::Heard(heard) => Input::Heard { call_id, heard },
        })
    }

    /// Changes to the device that is to be used now; the one before goes on until then.
    fn reopen(&self, device: NoticeKind, playback: &Playback) {
        match device {
            NoticeKind::Camera => self.camera.iter().for_each(|(_, chain)| chain.reopen()),
            NoticeKind::Microphone => self.microphone.iter().for_each(|(_, chain)| chain.reopen()),
            NoticeKind::Speaker => playback.reopen_speaker(),
        }
    }

    /// Takes everything that is open out; whoever drops it may have to wait for a device.
    pub(super) fn stop(&mut self) -> impl Send + use<> {
        self.following = None;
        self.speaker = None;
        self.codec = None;
        self.copies.store(0, Relaxed);
        self.processor = VoiceProcessor::new();
        (self.camera.take(), self.microphone.take())
    }

    fn reporter(&mut self) -> Reporter {
        self.last_chain += 1;
        Reporter {
            chain: self.last_chain,
            news: self.news.clone(),
        }
    }
}

const fn notice_kind(kind: DeviceKind) -> NoticeKind {
    match kind {
        DeviceKind::Camera => NoticeKind::Camera,
        DeviceKind::Microphone => NoticeKind::Microphone,
        DeviceKind::Speaker => NoticeKind::Speaker,
    }
}

fn started<C>(
    chain: Result<C, MediaError>,
    reporter: &Reporter,
    device: NoticeKind,
) -> Option<(ChainId, C)> {
    match chain {
        Ok(chain) => Some((reporter.chain, chain)),
        Err(error) => {
            reporter.report(device, What::Failed(Some((&error).into())));
            None
        }
    }
}
