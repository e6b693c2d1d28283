//! A microphone.

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use cpal::{
    Device, Stream,
    traits::{DeviceTrait, StreamTrait},
};
use rtrb::{Consumer, Producer, RingBuffer};

use super::{
    Direction, LOST_AFTER, MICROPHONE_BUFFER_MS, OPEN_WITHIN, convert, failure,
    stream::{Running, SharedLine, Waited, configs, default_config, run},
};
use crate::{
    MediaError,
    audio::{
        AudioFrame, AudioSource, FRAME_SAMPLES, SAMPLE_RATE,
        resample::{Resampler, downmix},
    },
};

/// Sound older than this is left out: after a thread could not run for a while, say.
const MAX_BEHIND: Duration = Duration::from_millis(120);

/// A microphone of this computer.
pub struct Microphone {
    name: String,
    ring: Consumer<f32>,
    rate: u32,
    resampler: Resampler,
    ready: Vec<f32>,
    line: SharedLine,
    /// When there was something last.
    alive_at: Instant,
    _running: Running,
}

/// What the stream's thread hands over.
struct Opened {
    name: String,
    ring: Consumer<f32>,
    rate: u32,
    resampler: Resampler,
    line: SharedLine,
}

impl Microphone {
    /// Opens the microphone of this id or name; None for the system's default one. May take a few seconds: when it returns,
    /// there is sound.
    ///
    /// # Errors
    /// [`MediaError::NoDevice`] when there is none (of this name), [`MediaError::Busy`], [`MediaError::Forbidden`], or
    /// [`MediaError::Device`] when it does not answer. The text is for the user.
    pub fn open(name: Option<&str>) -> Result<Self, MediaError> {
        let (running, opened) = run(Direction::Input, name, open)?;
        let Opened {
            name,
            ring,
            rate,
            resampler,
            line,
        } = opened;
        // Whoever changes to this one hears the one before until then.
        if !line.wait_until(|| ring.slots() > 0) {
            return Err(failure::no_answer(Direction::Input));
        }
        Ok(Self {
            name,
            ring,
            rate,
            resampler,
            ready: Vec::new(),
            line,
            alive_at: Instant::now(),
            _running: running,
        })
    }

    /// What a person calls it.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Takes over what the callback has left, dropping what is too old.
    fn take(&mut self) {
        let limit = (self.rate as f32 * MAX_BEHIND.as_secs_f32()) as usize;
        let waiting = self.ring.slots();
        let stale = if waiting > limit {
            waiting - limit / 4
        } else {
            0
        };
        let Ok(chunk) = self.ring.read_chunk(waiting) else {
            return;
        };
        let (first, second) = chunk.as_slices();
        let skip = stale.min(first.len());
        self.resampler.push(&first[skip..], &mut self.ready);
        self.resampler
            .push(&second[stale - skip..], &mut self.ready);
        chunk.commit_all();
    }
}

impl AudioSource for Microphone {
    fn wait(&mut self, limit: Duration) -> Result<bool, MediaError> {
        while self.ready.len() < FRAME_SAMPLES {
            let ring = &self.ring;
            match self.line.wait(limit, || ring.slots() > 0) {
                Waited::Ready => {
                    self.alive_at = Instant::now();
                    self.take();
                }
                Waited::NotYet if self.alive_at.elapsed() <= LOST_AFTER => return Ok(false),
                Waited::NotYet | Waited::Broken => {
                    return Err(failure::lost(Direction::Input, &self.name));
                }
            }
        }
        Ok(true)
    }

    fn read(&mut self) -> Result<AudioFrame, MediaError> {
        while !self.wait(LOST_AFTER)? {}
        let mut frame = AudioFrame::SILENCE;
        frame.0.copy_from_slice(&self.ready[..FRAME_SAMPLES]);
        self.ready.drain(..FRAME_SAMPLES);
        Ok(frame)
    }

    fn is_device(&self) -> bool {
        true
    }
}

fn open(device: &Device, name: &str) -> Result<(Stream, Opened), MediaError> {
    let fail = |error: cpal::Error| failure::cannot_open(Direction::Input, name, &error);
    let supported = default_config(device, Direction::Input).map_err(fail)?;
    let rate = supported.sample_rate();
    let channels = usize::from(supported.channels()).max(1);
    let line = SharedLine::default();
    let mut outcome = None;
    for config in configs(&supported, MICROPHONE_BUFFER_MS) {
        let (producer, consumer) = RingBuffer::new(rate as usize);
        let callback = callback(producer, channels, Arc::clone(&line));
        let errors = Arc::clone(&line);
        let stream = device
            .build_input_stream_raw(
                config,
                supported.sample_format(),
                callback,
                move |error| errors.report(&error),
                Some(OPEN_WITHIN),
            )
            .and_then(|stream| stream.play().map(|()| stream));
        match stream {
            Ok(stream) => {
                let resampler = Resampler::new(rate, SAMPLE_RATE)?;
                return Ok((
                    stream,
                    Opened {
                        name: name.into(),
                        ring: consumer,
                        rate,
                        resampler,
                        line,
                    },
                ));
            }
            Err(error) => outcome = Some(error),
        }
    }
    Err(outcome.map_or_else(|| failure::none(Direction::Input), fail))
}

/// Runs on the system's real-time thread: mixes down, fills the ring, rings the bell.
fn callback(
    mut ring: Producer<f32>,
    channels: usize,
    line: SharedLine,
) -> impl FnMut(&cpal::Data, &cpal::InputCallbackInfo) + Send + 'static {
    let mut interleaved = Vec::with_capacity(16_384);
    let mut mono = Vec::with_capacity(16_384);
    move |data, _| {
        interleaved.clear();
        mono.clear();
        convert::read(data, &mut interleaved);
        downmix(&interleaved, channels, &mut mono);
        let room = mono.len().min(ring.slots());
        if let Ok(chunk) = ring.write_chunk_uninit(room) {
            chunk.fill_from_iter(mono.iter().copied());
        }
        line.ring();
    }
}
