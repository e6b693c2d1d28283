//! A speaker.

use std::sync::{
    Arc,
    atomic::{AtomicUsize, Ordering::Relaxed},
};

use cpal::{
    Device, Stream,
    traits::{DeviceTrait, StreamTrait},
};
use rtrb::{Consumer, Producer, RingBuffer};

use super::{
    Direction, OPEN_WITHIN, PERIODS_PER_SECOND, convert, failure,
    stream::{Running, SharedLine, configs, default_config, run},
};
use crate::{
    MediaError,
    audio::{AudioFrame, AudioSink, SAMPLE_RATE, resample::Resampler},
};

/// A speaker of this computer.
pub struct Speaker {
    name: String,
    ring: Producer<f32>,
    capacity: usize,
    /// The most that the device ever asked for at once.
    period: Arc<AtomicUsize>,
    resampler: Resampler,
    converted: Vec<f32>,
    line: SharedLine,
    _running: Running,
}

/// What the stream's thread hands over.
struct Opened {
    name: String,
    ring: Producer<f32>,
    period: Arc<AtomicUsize>,
    resampler: Resampler,
    line: SharedLine,
}

impl Speaker {
    /// Opens the speaker of this id or name; None for the system's default one. May take a few seconds.
    ///
    /// # Errors
    /// [`MediaError::NoDevice`] when there is none (of this name), [`MediaError::Device`] when it is busy, forbidden or
    /// does not answer. The text is for the user.
    pub fn open(name: Option<&str>) -> Result<Self, MediaError> {
        let (running, opened) = run(Direction::Output, name, open)?;
        let Opened {
            name,
            ring,
            period,
            resampler,
            line,
        } = opened;
        let capacity = ring.buffer().capacity();
        Ok(Self {
            name,
            ring,
            capacity,
            period,
            resampler,
            converted: Vec::new(),
            line,
            _running: running,
        })
    }

    /// What a person calls it.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }
}

impl AudioSink for Speaker {
    fn write(&mut self, frame: &AudioFrame) -> Result<(), MediaError> {
        self.converted.clear();
        self.resampler.push(&frame.0, &mut self.converted);
        let room = self.converted.len().min(self.ring.slots());
        if let Ok(chunk) = self.ring.write_chunk_uninit(room) {
            chunk.fill_from_iter(self.converted.iter().copied());
        }
        // The next frame is due when what is left would just serve the next callback: no later, or it would crackle; no
        // earlier, or everything would be heard later.
        let (ring, capacity, period) = (&self.ring, self.capacity, &self.period);
        if self
            .line
            .wait_until(|| capacity - ring.slots() <= period.load(Relaxed))
        {
            Ok(())
        } else {
            Err(failure::lost(Direction::Output, &self.name))
        }
    }
}

fn open(device: &Device, name: &str) -> Result<(Stream, Opened), MediaError> {
    let fail = |error: cpal::Error| failure::cannot_open(Direction::Output, name, &error);
    let supported = default_config(device, Direction::Output).map_err(fail)?;
    let rate = supported.sample_rate();
    let channels = usize::from(supported.channels()).max(1);
    let line = SharedLine::default();
    let mut outcome = None;
    for config in configs(&supported) {
        let (producer, consumer) = RingBuffer::new(rate as usize);
        let period = Arc::new(AtomicUsize::new((rate / PERIODS_PER_SECOND) as usize));
        let callback = callback(consumer, channels, Arc::clone(&period), Arc::clone(&line));
        let errors = Arc::clone(&line);
        let stream = device
            .build_output_stream_raw(
                config,
                supported.sample_format(),
                callback,
                move |error| errors.report(&error),
                Some(OPEN_WITHIN),
            )
            .and_then(|stream| stream.play().map(|()| stream));
        match stream {
            Ok(stream) => {
                let resampler = Resampler::new(SAMPLE_RATE, rate)?;
                return Ok((
                    stream,
                    Opened {
                        name: name.into(),
                        ring: producer,
                        period,
                        resampler,
                        line,
                    },
                ));
            }
            Err(error) => outcome = Some(error),
        }
    }
    Err(outcome.map_or_else(|| failure::none(Direction::Output), fail))
}

/// Runs on the system's real-time thread: empties the ring, rings the bell. Plays silence when the ring runs dry.
fn callback(
    mut ring: Consumer<f32>,
    channels: usize,
    period: Arc<AtomicUsize>,
    line: SharedLine,
) -> impl FnMut(&mut cpal::Data, &cpal::OutputCallbackInfo) + Send + 'static {
    move |data, _| {
        period.fetch_max((data.len() / channels).min(MAX_PERIOD), Relaxed);
        convert::write(data, channels, || ring.pop().unwrap_or(0.0));
        line.ring();
    }
}

/// A first callback that asks for a huge buffer (to fill it once) must not make everything late for ever.
const MAX_PERIOD: usize = 4_096;
