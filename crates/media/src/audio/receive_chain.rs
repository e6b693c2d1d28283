//! The way of a sound in: RTP payloads → jitter buffer → Opus → speaker, which also tells the echo canceller.

use std::{
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicBool, Ordering::Relaxed},
    },
    time::{Duration, Instant},
};

use super::{
    AudioFrame, AudioSink, NullSink, Playout, VoiceActivity, VoiceProcessor,
    keeper::{Change, Keeper, Opener},
    worker::Worker,
};
use crate::{
    MediaError, MediaEvent,
    rtp::{AudioJitterBuffer, AudioReceiveStatistics, RtpPayload},
};

#[derive(Default)]
struct Shared {
    buffer: Mutex<AudioJitterBuffer>,
    reopen: AtomicBool,
    played: Mutex<Option<(u32, Instant)>>,
}

impl Shared {
    fn buffer(&self) -> MutexGuard<'_, AudioJitterBuffer> {
        self.buffer.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn played(&self) -> MutexGuard<'_, Option<(u32, Instant)>> {
        self.played.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Plays what is received until it is dropped. While there is no speaker the sound is taken all the same, so that the
/// statistics go on and the sound is up to date when one comes.
pub struct ReceiveChain {
    shared: Arc<Shared>,
    _worker: Worker,
}

impl ReceiveChain {
    /// Starts. `open` is called on a thread of its own, again with back-off when it fails or the speaker is lost; None from
    /// it means that there is to be none. `on_event` is called on the chain's thread and must not wait.
    ///
    /// # Errors
    /// [`MediaError::Codec`] when there is no Opus decoder.
    pub fn start(
        open: impl FnMut() -> Result<Option<Box<dyn AudioSink>>, MediaError> + Send + 'static,
        processor: VoiceProcessor,
        on_event: impl FnMut(MediaEvent) + Send + 'static,
    ) -> Result<Self, MediaError> {
        let playout = Playout::new()?;
        let shared = Arc::new(Shared::default());
        let theirs = Arc::clone(&shared);
        let worker = Worker::start("audio-receive", move |stop| {
            run(stop, &theirs, playout, Box::new(open), &processor, on_event);
        })?;
        Ok(Self {
            shared,
            _worker: worker,
        })
    }

    /// Takes a packet; from any thread, never waits for long.
    pub fn push(&self, packet: RtpPayload) {
        self.shared.buffer().push(packet);
    }

    /// Takes a packet that came as a copy within a later one; from any thread, never waits for long.
    pub fn push_copy(&self, packet: RtpPayload) {
        self.shared.buffer().push_copy(packet);
    }

    /// Another speaker is wanted, or there is another one: `open` is called, and what it gives takes the place of the one
    /// before, which plays until then.
    pub fn reopen(&self) {
        self.shared.reopen.store(true, Relaxed);
    }

    /// The RTP time of what was played last, and when its first sample is heard; once for each time.
    #[must_use]
    pub fn played(&self) -> Option<(u32, Instant)> {
        self.shared.played().take()
    }

    /// Lets sound wait so much longer than it needs.
    pub fn set_extra_delay(&self, extra: Duration) {
        self.shared.buffer().set_extra_delay(extra);
    }

    /// What was received so far.
    #[must_use]
    pub fn statistics(&self) -> AudioReceiveStatistics {
        self.shared.buffer().statistics()
    }
}

/// The whole chain, top to bottom.
fn run(
    stop: &AtomicBool,
    shared: &Shared,
    mut playout: Playout,
    open: Opener<dyn AudioSink>,
    processor: &VoiceProcessor,
    mut on_event: impl FnMut(MediaEvent),
) {
    let mut speaker = Keeper::new(open, Instant::now());
    let mut nowhere = NullSink::new();
    let (mut voice, mut spoke) = (VoiceActivity::new(), false);
    while !stop.load(Relaxed) {
        if shared.reopen.swap(false, Relaxed) {
            speaker.reopen(Instant::now());
        }
        // The buffer is free again before anything is decoded: packets must not wait for that.
        let frame = playout.next(|| shared.buffer().pop(Instant::now()));
        processor.render(&frame);
        let played = playout.begun();
        let ahead = write(&mut speaker, &mut nowhere, &frame, &mut on_event);
        if let Some((timestamp, after)) = played {
            *shared.played() = Some((timestamp, ahead + after));
        }
        let speaks = voice.hear(&frame);
        if std::mem::replace(&mut spoke, speaks) != speaks {
            on_event(MediaEvent::OtherSpeaks(speaks));
        }
    }
}

/// Gives the moment at which the frame begins to be heard.
fn write(
    speaker: &mut Keeper<dyn AudioSink>,
    nowhere: &mut NullSink,
    frame: &AudioFrame,
    on_event: &mut dyn FnMut(MediaEvent),
) -> Instant {
    let mut changed = |change| {
        on_event(match change {
            Change::Ready => MediaEvent::SpeakerReady,
            Change::Lost(trouble) => MediaEvent::SpeakerLost(trouble),
        });
    };
    let now = Instant::now();
    let (heard_at, outcome) = match speaker.device(now, &mut changed) {
        Some(sink) => (now + sink.delay(), sink.write(frame)),
        None => (now, nowhere.write(frame)),
    };
    if let Err(error) = outcome {
        speaker.lost(&error, Instant::now(), &mut changed);
    }
    heard_at
}
