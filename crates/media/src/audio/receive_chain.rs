//! The way of a sound in: RTP payloads → jitter buffer → Opus → speaker, which also tells the echo canceller.

use std::{
    collections::VecDeque,
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicBool, Ordering::Relaxed},
    },
    time::Instant,
};

use super::{
    AudioFrame, AudioSink, FRAME_SAMPLES, NullSink, VoiceProcessor,
    keeper::{Change, Keeper, Opener},
    stretch::shorten,
    worker::Worker,
};
use crate::{
    MediaError, MediaEvent,
    codec::OpusDecoder,
    rtp::{AudioJitterBuffer, AudioPacket, AudioReceiveStatistics, RtpPayload},
};

#[derive(Default)]
struct Shared {
    buffer: Mutex<AudioJitterBuffer>,
}

impl Shared {
    fn buffer(&self) -> MutexGuard<'_, AudioJitterBuffer> {
        self.buffer.lock().unwrap_or_else(PoisonError::into_inner)
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
        let playout = Playout {
            decoder: OpusDecoder::new()?,
            ready: VecDeque::new(),
        };
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
    while !stop.load(Relaxed) {
        let frame = playout.next(shared);
        processor.render(&frame);
        write(&mut speaker, &mut nowhere, &frame, &mut on_event);
    }
}

fn write(
    speaker: &mut Keeper<dyn AudioSink>,
    nowhere: &mut NullSink,
    frame: &AudioFrame,
    on_event: &mut dyn FnMut(MediaEvent),
) {
    let mut changed = |change| {
        on_event(match change {
            Change::Ready => MediaEvent::SpeakerReady,
            Change::Lost(sentence) => MediaEvent::SpeakerLost(sentence),
        });
    };
    let outcome = match speaker.device(Instant::now(), &mut changed) {
        Some(sink) => sink.write(frame),
        None => nowhere.write(frame),
    };
    if let Err(error) = outcome {
        speaker.lost(&error, Instant::now(), &mut changed);
    }
}

/// Turns what the jitter buffer says into frames of 10 ms.
struct Playout {
    decoder: OpusDecoder,
    ready: VecDeque<f32>,
}

impl Playout {
    fn next(&mut self, shared: &Shared) -> AudioFrame {
        while self.ready.len() < FRAME_SAMPLES {
            // The buffer is free again before anything is decoded: packets must not wait for that.
            let packet = shared.buffer().pop(Instant::now());
            if let Err(error) = self.take(packet) {
                tracing::debug!(%error, "a packet of sound could not be decoded");
                self.ready.extend([0.0; FRAME_SAMPLES]);
            }
        }
        let mut frame = AudioFrame::SILENCE;
        for (sample, ready) in frame.0.iter_mut().zip(self.ready.drain(..FRAME_SAMPLES)) {
            *sample = ready;
        }
        frame
    }

    fn take(&mut self, packet: AudioPacket) -> Result<(), MediaError> {
        match packet {
            AudioPacket::Data {
                payload,
                hurry: false,
            } => self.ready.extend(self.decoder.decode(&payload)?),
            AudioPacket::Data {
                payload,
                hurry: true,
            } => {
                let mut samples = self.decoder.decode(&payload)?.to_vec();
                shorten(&mut samples);
                self.ready.extend(samples);
            }
            AudioPacket::Fec { next, samples } => self
                .ready
                .extend(self.decoder.decode_fec(&next, samples as usize)?),
            AudioPacket::Missing { samples } => {
                self.ready.extend(self.decoder.conceal(samples as usize)?)
            }
            AudioPacket::Empty => self.ready.extend([0.0; FRAME_SAMPLES]),
        }
        Ok(())
    }
}
