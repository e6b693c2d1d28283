//! Turns what the jitter buffer says into frames of 10 ms: decodes, makes up what is missing, stretches.

use std::{collections::VecDeque, time::Duration};

use super::{
    AudioFrame, FRAME_SAMPLES, SAMPLE_RATE,
    stretch::{ENOUGH, lengthen, shorten},
};
use crate::{
    MediaError,
    codec::OpusDecoder,
    rtp::{AudioPacket, Tempo},
};

/// While nothing comes at all the other room's noise goes on for so long, in samples: a silence that falls from one moment
/// to the next sounds like a line that broke.
const ROOM_GOES_ON: u32 = 10 * SAMPLE_RATE;

/// … and fades in its last second.
const ROOM_FADES: u32 = SAMPLE_RATE;

/// Samples that stretching has put in and taken out, as in W3C `insertedSamplesForDeceleration` and
/// `removedSamplesForAcceleration`, and how often it did.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Stretched {
    /// Samples put in.
    pub inserted: u64,
    /// Samples taken out.
    pub removed: u64,
    /// How many times either was done.
    pub times: u64,
}

/// One for a call. It has no clock: whoever plays asks for a frame when it is needed.
pub struct Playout {
    decoder: OpusDecoder,
    ready: VecDeque<f32>,
    /// Decoded, and too short to be shortened without what comes after it.
    held: Vec<f32>,
    /// The newest of what was ready, as much as it takes to lengthen what follows.
    last: VecDeque<f32>,
    stretched: Stretched,
    /// The time of the packet that begins within the newest frame, and how many samples into it.
    begun: Option<(u32, usize)>,
    /// Samples of the room's noise that may still be made up before something comes; none before anything was heard.
    room: u32,
}

impl Playout {
    /// One that has played nothing yet.
    ///
    /// # Errors
    /// [`MediaError::Codec`] when there is no Opus decoder.
    pub fn new() -> Result<Self, MediaError> {
        Ok(Self {
            decoder: OpusDecoder::new()?,
            ready: VecDeque::new(),
            held: Vec::new(),
            last: VecDeque::new(),
            stretched: Stretched::default(),
            begun: None,
            room: 0,
        })
    }

    /// The next 10 ms. `pop` asks the jitter buffer, as often as it takes.
    pub fn next(&mut self, mut pop: impl FnMut() -> AudioPacket) -> AudioFrame {
        self.begun = None;
        while self.ready.len() < FRAME_SAMPLES {
            let packet = pop();
            if let AudioPacket::Data { timestamp, .. } = packet {
                // RTP time wraps around.
                self.begun = Some((timestamp as u32, self.ready()));
            }
            if let Err(error) = self.take(packet) {
                tracing::debug!(%error, "a packet of sound could not be decoded");
                self.add(&[0.0; FRAME_SAMPLES]);
            }
        }
        let mut frame = AudioFrame::SILENCE;
        for (sample, ready) in frame.0.iter_mut().zip(self.ready.drain(..FRAME_SAMPLES)) {
            *sample = ready;
        }
        frame
    }

    /// The RTP time of the packet that begins within the newest frame, and how long after the frame's beginning.
    #[must_use]
    pub fn begun(&self) -> Option<(u32, Duration)> {
        let (timestamp, samples) = self.begun?;
        let after = Duration::from_secs(1) * samples as u32 / SAMPLE_RATE;
        Some((timestamp, after))
    }

    /// Samples that are decoded and not played yet; two packets at most.
    #[must_use]
    pub fn ready(&self) -> usize {
        self.ready.len() + self.held.len()
    }

    /// What stretching has done so far.
    #[must_use]
    pub const fn stretched(&self) -> Stretched {
        self.stretched
    }

    fn take(&mut self, packet: AudioPacket) -> Result<(), MediaError> {
        if let AudioPacket::Data { payload, tempo, .. } = packet {
            self.room = ROOM_GOES_ON;
            return self.play(&payload, tempo);
        }
        let held = std::mem::take(&mut self.held);
        self.add(&held);
        if packet != AudioPacket::Empty {
            self.room = ROOM_GOES_ON;
        }
        let made_up = match packet {
            AudioPacket::Fec { next, samples } => {
                self.decoder.decode_fec(&next, samples as usize)?
            }
            AudioPacket::Missing { samples } => self.decoder.conceal(samples as usize)?,
            AudioPacket::Data { .. } | AudioPacket::Empty => return self.rest(),
        };
        let made_up = made_up.to_vec();
        self.add(&made_up);
        Ok(())
    }

    /// Nobody says anything: the decoder's own comfort noise, which has the level of the other side's last silence.
    fn rest(&mut self) -> Result<(), MediaError> {
        if self.room == 0 {
            self.add(&[0.0; FRAME_SAMPLES]);
            return Ok(());
        }
        let left = self.room;
        self.room = self.room.saturating_sub(FRAME_SAMPLES as u32);
        let noise = self.decoder.conceal(FRAME_SAMPLES)?;
        let volume = |i: usize| {
            let left = left.saturating_sub(i as u32);
            (left as f32 / ROOM_FADES as f32).min(1.0)
        };
        let noise = noise.iter().enumerate();
        let faded: Vec<f32> = noise.map(|(i, sample)| volume(i) * sample).collect();
        self.add(&faded);
        Ok(())
    }

    fn play(&mut self, payload: &[u8], tempo: Tempo) -> Result<(), MediaError> {
        let mut samples = std::mem::take(&mut self.held);
        let waited = !samples.is_empty();
        let decoded = self.decoder.decode(payload).inspect_err(|_| {
            self.ready.extend(&samples);
        })?;
        samples.extend_from_slice(decoded);
        if tempo == Tempo::Faster && samples.len() < ENOUGH && !waited {
            self.held = samples;
            return Ok(());
        }
        let changed = match tempo {
            Tempo::Steady if !waited => 0,
            Tempo::Steady | Tempo::Faster => {
                let removed = shorten(&mut samples);
                self.stretched.removed += removed as u64;
                removed
            }
            Tempo::Slower => {
                let inserted = lengthen(self.last.make_contiguous(), &mut samples);
                self.stretched.inserted += inserted as u64;
                inserted
            }
        };
        self.stretched.times += u64::from(changed > 0);
        self.add(&samples);
        Ok(())
    }

    fn add(&mut self, samples: &[f32]) {
        self.ready.extend(samples);
        self.last.extend(samples);
        let more = self.last.len().saturating_sub(ENOUGH);
        self.last.drain(..more);
    }
}
