//! A speaker.

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
    Direction, LOST_AFTER, OPEN_WITHIN, SPEAKER_BUFFER_MS, convert,
    demand::{Demand, Holes, Moment, Reserve},
    failure,
    stream::{Running, SharedLine, Waited, configs, default_config, run},
};
use crate::{
    MediaError,
    audio::{AudioFrame, AudioSink, FRAME_DURATION, SAMPLE_RATE, resample::Resampler},
};

/// A device that still has holes with this is left as it is.
const LONGEST_BUFFER_MS: u32 = 80;

/// A device that has taken nothing for so long, or for twice as long as what it takes at a time lasts, stands still. What is
/// said meanwhile is left out, or it would be heard late once the device goes on: Bluetooth may take seconds to begin.
const TAKES_WITHIN: Duration = Duration::from_millis(40);

/// A speaker of this computer.
pub struct Speaker {
    /// What it was opened by.
    wanted: Option<String>,
    buffer_ms: u32,
    end: End,
    reserve: Reserve,
    holes: Holes,
    moment: Moment,
    converted: Vec<f32>,
    /// When it took something last.
    alive_at: Instant,
    /// Whether it took nothing of the last frame.
    stands_still: bool,
    /// None only while it is opened anew.
    running: Option<Running>,
}

/// Our end of the stream.
struct End {
    name: String,
    ring: Producer<f32>,
    capacity: usize,
    demand: Arc<Demand>,
    rate: u32,
    resampler: Resampler,
    line: SharedLine,
}

impl End {
    /// What does not fit is lost.
    fn write(&mut self, samples: &[f32]) {
        let room = samples.len().min(self.ring.slots());
        if let Ok(chunk) = self.ring.write_chunk_uninit(room) {
            chunk.fill_from_iter(samples.iter().copied());
        }
    }

    /// So many samples.
    fn lasts(&self, samples: usize) -> Duration {
        Duration::from_secs_f64(samples as f64 / f64::from(self.rate.max(1)))
    }
}

impl Speaker {
    /// Opens the speaker of this id or name; None for the system's default one. May take a few seconds: when it returns,
    /// the device asks for sound.
    ///
    /// # Errors
    /// [`MediaError::NoDevice`] when there is none (of this name), [`MediaError::Busy`], [`MediaError::Forbidden`], or
    /// [`MediaError::Device`] when it does not answer. The text is for the user.
    pub fn open(name: Option<&str>) -> Result<Self, MediaError> {
        let buffer_ms = SPEAKER_BUFFER_MS;
        let (running, end) = run(Direction::Output, name, move |device, name| {
            open(device, name, buffer_ms)
        })?;
        if !end.line.wait_until(|| end.demand.has_begun()) {
            return Err(failure::no_answer(Direction::Output));
        }
        let now = Instant::now();
        Ok(Self {
            wanted: name.map(str::to_owned),
            buffer_ms,
            reserve: Reserve::new(end.rate, now),
            holes: Holes::new(end.rate, now),
            moment: Moment::new(now),
            end,
            converted: Vec::new(),
            alive_at: now,
            stands_still: false,
            running: Some(running),
        })
    }

    /// What a person calls it.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.end.name
    }

    /// Opens the device anew with twice the buffer: this computer is too busy for a shorter one.
    fn lengthen(&mut self) -> Result<(), MediaError> {
        self.buffer_ms *= 2;
        tracing::info!(
            buffer_ms = self.buffer_ms,
            "the speaker ran dry and gets a longer buffer"
        );
        self.running = None;
        let buffer_ms = self.buffer_ms;
        let (running, end) = run(
            Direction::Output,
            self.wanted.as_deref(),
            move |device, name| open(device, name, buffer_ms),
        )?;
        let now = Instant::now();
        self.holes = Holes::new(end.rate, now);
        self.moment = Moment::new(now);
        self.reserve = Reserve::new(end.rate, now);
        self.end = end;
        self.running = Some(running);
        Ok(())
    }
}

impl AudioSink for Speaker {
    fn write(&mut self, frame: &AudioFrame) -> Result<(), MediaError> {
        let now = Instant::now();
        let wants_more =
            self.holes.are_many(&self.end.demand, now) && self.buffer_ms < LONGEST_BUFFER_MS;
        if self.moment.has_come(wants_more, &frame.0, now) {
            self.lengthen()?;
        }
        let end = &mut self.end;
        self.converted.clear();
        end.resampler.push(&frame.0, &mut self.converted);
        let limit = if self.stands_still {
            // As time goes by, so that what comes next is as new as it can be.
            FRAME_DURATION
        } else {
            end.write(&self.converted);
            TAKES_WITHIN.max(2 * end.lasts(end.demand.period()))
        };
        // The next frame is due when what is left would not serve the next callback: no later, or it would crackle; no earlier,
        // or everything would be heard later.
        let reserve = self.reserve.follow(&end.demand, now);
        let is_due = || end.capacity - end.ring.slots() < end.demand.period() + reserve;
        let waited = end.line.wait(limit, is_due);
        self.stands_still = matches!(waited, Waited::NotYet);
        match waited {
            Waited::Ready => {
                self.alive_at = Instant::now();
                Ok(())
            }
            // It may begin yet, unless another speaker takes the place of this one.
            Waited::NotYet if self.alive_at.elapsed() <= LOST_AFTER => Ok(()),
            Waited::NotYet | Waited::Broken => Err(failure::lost(Direction::Output, &end.name)),
        }
    }

    /// What waits here, and what the device takes at a time, which it plays while it takes the next.
    fn delay(&self) -> Duration {
        let end = &self.end;
        end.lasts(end.capacity - end.ring.slots() + end.demand.period())
    }
}

fn open(device: &Device, name: &str, buffer_ms: u32) -> Result<(Stream, End), MediaError> {
    let fail = |error: cpal::Error| failure::cannot_open(Direction::Output, name, &error);
    let supported = default_config(device, Direction::Output).map_err(fail)?;
    let rate = supported.sample_rate();
    let channels = usize::from(supported.channels()).max(1);
    let line = SharedLine::default();
    let mut outcome = None;
    for config in configs(&supported, buffer_ms) {
        let capacity = rate as usize;
        let (producer, consumer) = RingBuffer::new(capacity);
        let demand = Arc::new(Demand::new((rate * buffer_ms / 1_000) as usize));
        let callback = callback(consumer, channels, Arc::clone(&demand), Arc::clone(&line));
        let errors = Arc::clone(&line);
        let on_error = move |error| errors.report(&error);
        let stream = device
            .build_output_stream_raw(
                config,
                supported.sample_format(),
                callback,
                on_error,
                Some(OPEN_WITHIN),
            )
            .and_then(|stream| stream.play().map(|()| stream));
        match stream {
            Ok(stream) => {
                let resampler = Resampler::new(SAMPLE_RATE, rate)?;
                return Ok((
                    stream,
                    End {
                        name: name.into(),
                        ring: producer,
                        capacity,
                        demand,
                        rate,
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
    demand: Arc<Demand>,
    line: SharedLine,
) -> impl FnMut(&mut cpal::Data, &cpal::OutputCallbackInfo) + Send + 'static {
    move |data, _| {
        demand.note(data.len() / channels, ring.slots());
        convert::write(data, channels, || ring.pop().unwrap_or(0.0));
        line.ring();
    }
}
