//! How loud a microphone is. Whoever reads it leaves its level here; a meter that nobody looks at costs a sum.

use std::{
    sync::{
        Arc,
        atomic::{AtomicU32, Ordering::Relaxed},
    },
    time::Duration,
};

use vireo_media::{AudioFrame, AudioSource, MediaError};

/// Nothing below this is shown, in decibels of full scale; a quiet room.
const FLOOR: f32 = -60.0;

/// As loud as the meter goes; speech close to a microphone.
const CEILING: f32 = -10.0;

/// The loudest since it was asked last. Cheap to clone; all clones are the same.
#[derive(Debug, Clone, Default)]
pub struct Meter(Arc<AtomicU32>);

impl Meter {
    /// Hears 10 ms.
    pub fn hear(&self, frame: &AudioFrame) {
        let power = frame.0.iter().map(|sample| sample * sample).sum::<f32>();
        let loudness = (power / frame.0.len() as f32).sqrt();
        // The bits of numbers that are not negative are in the numbers' order.
        self.0.fetch_max(loudness.to_bits(), Relaxed);
    }

    /// The loudest since the last time, between 0 and 1 as the ear has it.
    #[must_use]
    pub fn take(&self) -> f32 {
        let loudness = f32::from_bits(self.0.swap(0, Relaxed));
        let decibels = 20.0 * loudness.max(1e-9).log10();
        ((decibels - FLOOR) / (CEILING - FLOOR)).clamp(0.0, 1.0)
    }
}

/// A source whose level is left at a meter.
pub struct Metered {
    source: Box<dyn AudioSource>,
    meter: Meter,
}

impl Metered {
    /// The same source, heard by the meter too.
    #[must_use]
    pub fn new(source: Box<dyn AudioSource>, meter: Meter) -> Self {
        Self { source, meter }
    }
}

impl AudioSource for Metered {
    fn wait(&mut self, limit: Duration) -> Result<bool, MediaError> {
        self.source.wait(limit)
    }

    fn read(&mut self) -> Result<AudioFrame, MediaError> {
        let frame = self.source.read()?;
        self.meter.hear(&frame);
        Ok(frame)
    }

    fn is_device(&self) -> bool {
        self.source.is_device()
    }
}

#[cfg(test)]
mod tests {
    use vireo_media::audio::FRAME_SAMPLES;

    use super::*;

    #[test]
    fn the_meter_shows_the_loudest_once() {
        let meter = Meter::default();
        assert_eq!(meter.take(), 0.0);
        meter.hear(&AudioFrame([0.5; FRAME_SAMPLES]));
        meter.hear(&AudioFrame([0.03; FRAME_SAMPLES]));
        assert_eq!(meter.take(), 1.0);
        meter.hear(&AudioFrame([0.03; FRAME_SAMPLES]));
        let quiet = meter.take();
        assert!((0.5..0.7).contains(&quiet), "{quiet}");
        assert_eq!(meter.take(), 0.0);
    }
}
