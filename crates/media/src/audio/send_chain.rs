//! The way of a sound out: microphone → voice processor → Opus → whoever sends it.

use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicU8, AtomicU32, AtomicU64, Ordering::Relaxed},
    },
    time::{Duration, Instant},
};

use super::{
    AudioFrame, AudioSource, FRAME_SAMPLES, SAMPLE_RATE, SilentSource, VoiceProcessor,
    keeper::{Change, Keeper, Opener},
    own_voice::{Heard, OwnVoice},
    silence::Silence,
    worker::Worker,
};
use crate::{
    MediaError, MediaEvent,
    codec::{OPUS_FRAME_SAMPLES, OpusEncoder, OpusPacket, SHORT_OPUS_FRAME_SAMPLES},
};

/// Good for speech; more is hardly heard. At 32,000 Opus puts no copies into its packets unless more than 5 % get lost.
pub const DEFAULT_AUDIO_BITRATE: u32 = 36_000;

/// What the error correction is prepared for before anything is known of the link.
const ASSUMED_LOSS_PERCENT: u8 = 5;

/// Whether sound goes through the [`VoiceProcessor`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum VoiceProcessing {
    /// Sound from a microphone does; tones and files are sent as they are (the noise suppressor takes a steady tone away).
    #[default]
    Microphones,
    /// Whatever the source is.
    Always,
    /// Never.
    Never,
}

/// How sound is sent.
#[derive(Debug, Clone, Copy)]
pub struct AudioSendOptions {
    /// Bits a second.
    pub bits_per_second: u32,
    /// What is done to the sound before it is coded.
    pub processing: VoiceProcessing,
}

impl Default for AudioSendOptions {
    fn default() -> Self {
        Self {
            bits_per_second: DEFAULT_AUDIO_BITRATE,
            processing: VoiceProcessing::default(),
        }
    }
}

/// What was sent so far.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct AudioSendStatistics {
    /// Opus packets handed out; in silence there are few.
    pub packets_sent: u64,
    /// Their payloads, in bytes.
    pub bytes_sent: u64,
}

/// A microphone that has nothing is not waited for any longer before the chain sees whether there is another one.
const LOOK_AROUND: Duration = Duration::from_millis(40);

#[derive(Default)]
struct Shared {
    muted: AtomicBool,
    retry: AtomicBool,
    reopen: AtomicBool,
    packet_loss: AtomicU8,
    bits_per_second: AtomicU32,
    short_packets: AtomicBool,
    packets: AtomicU64,
    bytes: AtomicU64,
}

/// Sends the sound of one source until it is dropped. While there is no source, or it is muted, silence is sent (a packet
/// every now and then), and time goes on.
pub struct SendChain {
    shared: Arc<Shared>,
    _worker: Worker,
}

impl SendChain {
    /// Starts. `open` is called on a thread of its own, again with back-off when it fails or the source is lost; None from
    /// it means that there is to be none. `on_packet` is called every 10 ms at most, `on_event` when the microphone comes
    /// or goes; both on the chain's thread, and must not wait.
    ///
    /// # Errors
    /// [`MediaError::Codec`] when there is no Opus encoder.
    pub fn start(
        options: AudioSendOptions,
        open: impl FnMut() -> Result<Option<Box<dyn AudioSource>>, MediaError> + Send + 'static,
        processor: VoiceProcessor,
        on_packet: impl FnMut(OpusPacket) + Send + 'static,
        on_event: impl FnMut(MediaEvent) + Send + 'static,
    ) -> Result<Self, MediaError> {
        let encoder = OpusEncoder::new(options.bits_per_second)?;
        let shared = Arc::new(Shared::default());
        shared.packet_loss.store(ASSUMED_LOSS_PERCENT, Relaxed);
        let bits_per_second = options.bits_per_second;
        shared.bits_per_second.store(bits_per_second, Relaxed);
        let run = Run {
            shared: Arc::clone(&shared),
            processing: options.processing,
            processor,
            encoder: Coder {
                encoder,
                packet_loss: 0,
                bits_per_second,
            },
            clock: Clock {
                started: Instant::now(),
                samples: 0,
                earliest: None,
            },
            silence: Silence::default(),
            voice: OwnVoice::default(),
        };
        let worker = Worker::start("audio-send", move |stop| {
            run.run(stop, Box::new(open), on_packet, on_event)
        })?;
        Ok(Self {
            shared,
            _worker: worker,
        })
    }

    /// While muted, nothing that the microphone hears leaves this computer; it stays open, and whether the person speaks is
    /// told here all the same. Unmuting tries a missing microphone at once and tells what comes of it.
    pub fn set_muted(&self, muted: bool) {
        self.shared.muted.store(muted, Relaxed);
        self.shared.retry.store(!muted, Relaxed);
    }

    /// Another microphone is wanted, or there is another one: `open` is called, and what it gives takes the place of the one
    /// before, which is heard until then.
    pub fn reopen(&self) {
        self.shared.reopen.store(true, Relaxed);
    }

    /// How much loss, in percent, the other side reports: the more, the stronger the error correction.
    pub fn set_packet_loss(&self, percent: u8) {
        self.shared.packet_loss.store(percent, Relaxed);
    }

    /// What the codec aims at from now on, in bits a second.
    pub fn set_bitrate(&self, bits_per_second: u32) {
        self.shared.bits_per_second.store(bits_per_second, Relaxed);
    }

    /// Whether packets hold 10 ms from now on, which are on their way sooner, instead of 20.
    pub fn set_short_packets(&self, short: bool) {
        self.shared.short_packets.store(short, Relaxed);
    }

    /// What was sent so far.
    #[must_use]
    pub fn statistics(&self) -> AudioSendStatistics {
        AudioSendStatistics {
            packets_sent: self.shared.packets.load(Relaxed),
            bytes_sent: self.shared.bytes.load(Relaxed),
        }
    }
}

struct Run {
    shared: Arc<Shared>,
    processing: VoiceProcessing,
    processor: VoiceProcessor,
    encoder: Coder,
    clock: Clock,
    silence: Silence,
    voice: OwnVoice,
}

impl Run {
    /// The whole chain, top to bottom.
    fn run(
        mut self,
        stop: &AtomicBool,
        open: Opener<dyn AudioSource>,
        mut on_packet: impl FnMut(OpusPacket),
        mut on_event: impl FnMut(MediaEvent),
    ) {
        let mut microphone = Keeper::new(open, Instant::now());
        let mut silence = SilentSource::new();
        let mut pending = [0.0; OPUS_FRAME_SAMPLES];
        let (mut filled, mut heard) = (0, false);
        while !stop.load(Relaxed) {
            if self.shared.retry.swap(false, Relaxed) {
                microphone.retry_now(Instant::now());
            }
            if self.shared.reopen.swap(false, Relaxed) {
                microphone.reopen(Instant::now());
            }
            let Some(captured) = read(&mut microphone, &mut silence, &mut on_event) else {
                continue;
            };
            let muted = self.shared.muted.load(Relaxed);
            // While muted too: the echo canceller keeps to know the room, and what the loudspeaker plays is not taken for
            // the person's own speech.
            let frame = self.processed(captured, muted, &mut heard, &mut on_event);
            if muted {
                pending.fill(0.0);
                heard = false;
            } else {
                pending[filled..filled + FRAME_SAMPLES].copy_from_slice(&frame.0);
            }
            filled += FRAME_SAMPLES;
            if filled >= self.packet_samples() {
                let sound = &pending[..std::mem::take(&mut filled)];
                let (timestamp, captured_at) = self.clock.advance(sound.len(), Instant::now());
                if let Some(payload) = self.encode(sound, std::mem::take(&mut heard)) {
                    on_packet(OpusPacket {
                        payload,
                        timestamp,
                        captured_at,
                    });
                }
            }
        }
    }

    fn packet_samples(&self) -> usize {
        match self.shared.short_packets.load(Relaxed) {
            true => SHORT_OPUS_FRAME_SAMPLES,
            false => OPUS_FRAME_SAMPLES,
        }
    }

    const fn wants_processing(&self, is_device: bool) -> bool {
        match self.processing {
            VoiceProcessing::Microphones => is_device,
            VoiceProcessing::Always => true,
            VoiceProcessing::Never => false,
        }
    }

    /// What 10 ms are made into; notes when a source gave them, and what they tell of the person.
    fn processed(
        &mut self,
        captured: Captured,
        muted: bool,
        heard: &mut bool,
        on_event: &mut dyn FnMut(MediaEvent),
    ) -> AudioFrame {
        let Captured {
            mut frame,
            from_device,
        } = captured;
        let Some(is_device) = from_device else {
            // Without both sides of it there is no echo to follow.
            self.processor.pause();
            self.voice.absent(on_event);
            return frame;
        };
        *heard = true;
        let dead = is_device && frame == AudioFrame::SILENCE;
        if self.wants_processing(is_device) {
            self.processor.capture(&mut frame);
        }
        self.voice.hear(&frame, Heard { dead, muted }, on_event);
        frame
    }

    /// The packet to send, if one needs to be sent: of a silence only its beginning and a refresher now and then.
    fn encode(&mut self, samples: &[f32], heard: bool) -> Option<bytes::Bytes> {
        if !self.silence.needs_coding(samples.len(), heard) {
            return None;
        }
        self.encoder.follow(
            self.shared.packet_loss.load(Relaxed),
            self.shared.bits_per_second.load(Relaxed),
        );
        let payload = match self.encoder.encoder.encode(samples) {
            Ok(payload) => payload,
            Err(error) => {
                tracing::warn!(%error, "a piece of sound could not be coded");
                return None;
            }
        };
        if !self.silence.needs_sending(payload.len()) {
            return None;
        }
        self.shared.packets.fetch_add(1, Relaxed);
        self.shared.bytes.fetch_add(payload.len() as u64, Relaxed);
        Some(payload)
    }
}

/// 10 ms of sound.
struct Captured {
    frame: AudioFrame,
    /// Whether they come from a microphone in a room; none when there is no source at all.
    from_device: Option<bool>,
}

/// The next 10 ms: of the microphone, or of silence while there is none. None when the microphone has just
/// failed, or has nothing yet.
fn read(
    microphone: &mut Keeper<dyn AudioSource>,
    silence: &mut SilentSource,
    on_event: &mut dyn FnMut(MediaEvent),
) -> Option<Captured> {
    let mut changed = |change| {
        on_event(match change {
            Change::Ready => MediaEvent::MicrophoneReady,
            Change::Lost(trouble) => MediaEvent::MicrophoneLost(trouble),
        });
    };
    let Some(source) = microphone.device(Instant::now(), &mut changed) else {
        let frame = silence.read().ok()?;
        return Some(Captured {
            frame,
            from_device: None,
        });
    };
    let read = match source.wait(LOOK_AROUND) {
        Ok(true) => source.read(),
        Ok(false) => return None,
        Err(error) => Err(error),
    };
    match read {
        Ok(frame) => Some(Captured {
            frame,
            from_device: Some(source.is_device()),
        }),
        Err(error) => {
            microphone.lost(&error, Instant::now(), &mut changed);
            None
        }
    }
}

/// The encoder and what it was told last.
struct Coder {
    encoder: OpusEncoder,
    packet_loss: u8,
    bits_per_second: u32,
}

impl Coder {
    fn follow(&mut self, packet_loss: u8, bits_per_second: u32) {
        if bits_per_second != self.bits_per_second
            && self.encoder.set_bitrate(bits_per_second).is_ok()
        {
            self.bits_per_second = bits_per_second;
        }
        if packet_loss != self.packet_loss && self.encoder.set_packet_loss(packet_loss).is_ok() {
            self.packet_loss = packet_loss;
        }
    }
}

/// RTP time: counts samples, and jumps ahead after a hole (a device that was lost, a computer that slept).
struct Clock {
    started: Instant,
    samples: u64,
    /// When the first sample would have been heard, by those of late that were handed over soonest.
    earliest: Option<Instant>,
}

/// After so many packets a microphone's slower clock is followed.
const FOLLOWS: u32 = 200;

/// Scheduling and a device's own clock make less difference than this; a hole makes more.
const HOLE: Duration = Duration::from_millis(500);

impl Clock {
    /// The time stamp of so many samples that end now, and when they began.
    fn advance(&mut self, samples: usize, now: Instant) -> (u32, Instant) {
        let elapsed =
            (now.duration_since(self.started).as_secs_f64() * f64::from(SAMPLE_RATE)) as u64;
        let hole = (HOLE.as_secs_f64() * f64::from(SAMPLE_RATE)) as u64;
        if elapsed > self.samples + hole {
            self.samples = elapsed - elapsed % samples as u64;
            self.earliest = None;
        }
        let (timestamp, before) = (self.samples as u32, duration(self.samples));
        self.samples += samples as u64;
        (timestamp, self.beginning(now) + before)
    }

    /// A thread wakes up late, never early, so the earliest moment is the true one; but it follows a microphone whose clock is
    /// slower than ours.
    fn beginning(&mut self, now: Instant) -> Instant {
        let by_this = now.checked_sub(duration(self.samples)).unwrap_or(now);
        let beginning = match self.earliest {
            Some(earliest) => earliest + by_this.saturating_duration_since(earliest) / FOLLOWS,
            None => by_this,
        };
        *self.earliest.insert(beginning.min(by_this))
    }
}

/// How long so many samples last.
fn duration(samples: u64) -> Duration {
    Duration::from_micros(samples * 125 / 6)
}
