//! Makes a microphone in a room fit for a call: echo cancellation, noise suppression, gain.

use std::sync::{
    Arc, Mutex, PoisonError,
    atomic::{AtomicBool, Ordering},
};

use sonora::{
    AudioProcessing, Config, StreamConfig,
    config::{AdaptiveDigital, GainController2, HighPassFilter, NoiseSuppressionLevel},
};

use super::{
    AudioFrame, FRAME_SAMPLES, NoiseSuppression, SAMPLE_RATE, VoiceSettings,
    echo_canceller::EchoCanceller,
};

/// One for a call, shared by the side that plays ([`Self::render`]) and the side that records ([`Self::capture`]).
/// Clones are handles to the same one.
#[derive(Clone)]
pub struct VoiceProcessor {
    /// Made when something is captured for the first time, since that takes some milliseconds: tones and files go without.
    processing: Arc<Mutex<Option<Box<Processing>>>>,
    wanted: Arc<Mutex<VoiceSettings>>,
    /// Nothing is computed while nothing is captured.
    in_use: Arc<AtomicBool>,
}

/// The high-pass filter always, and of noise suppressor and gain controller what is wanted.
fn config(settings: VoiceSettings) -> Config {
    let level = match settings.noise_suppression {
        NoiseSuppression::Off => None,
        NoiseSuppression::Standard => Some(NoiseSuppressionLevel::Moderate),
        NoiseSuppression::Strong => Some(NoiseSuppressionLevel::VeryHigh),
    };
    Config {
        high_pass_filter: Some(HighPassFilter::default()),
        noise_suppression: level.map(|level| sonora::config::NoiseSuppression {
            level,
            ..sonora::config::NoiseSuppression::default()
        }),
        gain_controller2: settings.automatic_gain.then(|| GainController2 {
            adaptive_digital: Some(AdaptiveDigital::default()),
            ..GainController2::default()
        }),
        ..Config::default()
    }
}

/// The processing itself, and how it is set.
struct Processing {
    processing: AudioProcessing,
    canceller: Option<EchoCanceller>,
    applied: VoiceSettings,
    /// The next frame is the first one with other settings.
    begins: bool,
}

impl Processing {
    fn new(settings: VoiceSettings) -> Self {
        let stream = StreamConfig::new(SAMPLE_RATE, 1);
        let processing = AudioProcessing::builder()
            .config(config(settings))
            .capture_config(stream)
            .build();
        Self {
            processing,
            canceller: settings.echo_cancellation.then(EchoCanceller::new),
            applied: settings,
            begins: false,
        }
    }

    /// Cleans a frame. Other settings apply from the next one on: what is switched begins with an empty memory, which would
    /// click, so the sound goes down before and comes up after, in 10 ms each.
    fn capture(
        &mut self,
        frame: &mut AudioFrame,
        wanted: VoiceSettings,
    ) -> Result<(), sonora::Error> {
        if let Some(canceller) = &mut self.canceller {
            canceller.capture(frame);
        }
        let captured = frame.clone();
        self.processing
            .process_capture_f32(&[&captured.0], &mut [&mut frame.0])
            .inspect_err(|_| *frame = captured)?;
        let position = |i: usize| i as f32 / FRAME_SAMPLES as f32;
        if std::mem::take(&mut self.begins) {
            let samples = frame.0.iter_mut().enumerate();
            samples.for_each(|(i, sample)| *sample *= position(i));
        }
        if wanted != self.applied {
            let samples = frame.0.iter_mut().enumerate();
            samples.for_each(|(i, sample)| *sample *= 1.0 - position(i));
            self.processing.apply_config(config(wanted));
            if wanted.echo_cancellation != self.applied.echo_cancellation {
                self.canceller = wanted.echo_cancellation.then(EchoCanceller::new);
            }
            self.applied = wanted;
            self.begins = true;
        }
        Ok(())
    }
}

impl VoiceProcessor {
    /// One that has heard nothing yet. Costs nothing.
    #[must_use]
    pub fn new() -> Self {
        Self {
            processing: Arc::default(),
            wanted: Arc::default(),
            in_use: Arc::default(),
        }
    }

    /// Switches parts of it on and off, from the next 10 ms on. Said twice it changes nothing.
    pub fn set(&self, settings: VoiceSettings) {
        *self.wanted.lock().unwrap_or_else(PoisonError::into_inner) = settings;
    }

    /// Nothing is captured for a while: what is played meanwhile is of no interest either.
    pub fn pause(&self) {
        self.in_use.store(false, Ordering::Relaxed);
    }

    /// What is about to be played; the echo canceller looks for it in what is captured.
    pub fn render(&self, frame: &AudioFrame) {
        if !self.in_use.load(Ordering::Relaxed) {
            return;
        }
        if let Some(canceller) = self.lock().as_mut().and_then(|one| one.canceller.as_mut()) {
            canceller.render(frame);
        }
    }

    /// Cleans what was captured, in place.
    pub fn capture(&self, frame: &mut AudioFrame) {
        self.in_use.store(true, Ordering::Relaxed);
        let wanted = *self.wanted.lock().unwrap_or_else(PoisonError::into_inner);
        let outcome = self
            .lock()
            .get_or_insert_with(|| Box::new(Processing::new(wanted)))
            .capture(frame, wanted);
        if let Err(error) = outcome {
            tracing::debug!(?error, "the sound is sent as it was captured");
        }
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Option<Box<Processing>>> {
        self.processing
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
    }
}

impl Default for VoiceProcessor {
    fn default() -> Self {
        Self::new()
    }
}

impl std::fmt::Debug for VoiceProcessor {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("VoiceProcessor")
            .field("in_use", &self.in_use)
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use std::collections::VecDeque;

    use super::*;
    use crate::audio::synthetic::level;

    /// Something like speech: noise in syllables, so that it cannot be mistaken for a steady hum.
    struct Babble(u32, usize);

    impl Babble {
        fn next(&mut self) -> AudioFrame {
            let mut frame = AudioFrame::SILENCE;
            let mut smooth = 0.0;
            for sample in &mut frame.0 {
                self.0 = self.0.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
                let noise = (self.0 >> 8) as f32 / (1 << 23) as f32 - 1.0;
                smooth += 0.2 * (noise - smooth);
                let syllable = (self.1 as f32 / 9_600.0).sin().max(0.0);
                *sample = 0.6 * smooth * syllable;
                self.1 += 1;
            }
            frame
        }
    }

    #[test]
    fn an_echo_is_cancelled() {
        let processor = VoiceProcessor::new();
        let mut babble = Babble(7, 0);
        // 60 ms from the speaker to the microphone, half as loud.
        let mut path: VecDeque<AudioFrame> = (0..6).map(|_| AudioFrame::SILENCE).collect();
        let (mut echo, mut left) = (0.0, 0.0);
        for i in 0..800 {
            let played = babble.next();
            processor.render(&played);
            path.push_back(played);
            let mut captured = path.pop_front().expect("six frames are under way");
            captured.0.iter_mut().for_each(|sample| *sample *= 0.5);
            let before = level(&captured);
            processor.capture(&mut captured);
            if i >= 500 {
                echo += before * before;
                left += level(&captured).powi(2);
            }
        }
        let decibels = 10.0 * (echo / left.max(1e-12)).log10();
        assert!(decibels > 20.0, "only {decibels} dB");
    }

    #[test]
    fn both_may_speak_when_there_is_no_echo() {
        let processor = VoiceProcessor::new();
        let (mut theirs, mut mine) = (Babble(7, 0), Babble(9, 20_000));
        let (mut before, mut after) = (0.0, 0.0);
        for i in 0..1_000 {
            processor.render(&theirs.next());
            let mut frame = mine.next();
            let said = level(&frame);
            processor.capture(&mut frame);
            if i >= 600 {
                before += said.powi(2);
                after += level(&frame).powi(2);
            }
        }
        assert!(after > before * 0.3, "{before} became {after}");
    }

    /// How much of a steady noise is left after some seconds, in decibels.
    fn noise_left(noise_suppression: NoiseSuppression) -> f32 {
        let processor = VoiceProcessor::new();
        processor.set(VoiceSettings {
            noise_suppression,
            automatic_gain: false,
            ..VoiceSettings::default()
        });
        let mut random = 3_u32;
        let (mut before, mut after) = (0.0, 0.0);
        for i in 0..600 {
            let mut frame = AudioFrame::SILENCE;
            for sample in &mut frame.0 {
                random = random.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
                *sample = 0.02 * ((random >> 8) as f32 / (1 << 23) as f32 - 1.0);
            }
            let said = level(&frame);
            processor.capture(&mut frame);
            if i >= 400 {
                before += said.powi(2);
                after += level(&frame).powi(2);
            }
        }
        10.0 * (after / before).log10()
    }

    #[test]
    fn noise_is_taken_away_as_much_as_is_wanted() {
        let [off, standard, strong] = [
            NoiseSuppression::Off,
            NoiseSuppression::Standard,
            NoiseSuppression::Strong,
        ]
        .map(noise_left);
        // What is left is not all: the canceller's filters take something out between their bands.
        assert!(off > -4.0, "{off} dB");
        assert!(standard < off - 8.0, "{standard} dB after {off} dB");
        assert!(strong < standard - 4.0, "{strong} dB after {standard} dB");
    }

    const PLAIN: VoiceSettings = VoiceSettings {
        echo_cancellation: false,
        noise_suppression: NoiseSuppression::Off,
        automatic_gain: false,
    };

    /// By how many decibels a tone is louder when it is sent.
    fn tone_changed(hertz: f32) -> f32 {
        let processor = VoiceProcessor::new();
        processor.set(PLAIN);
        let step = std::f32::consts::TAU * hertz / SAMPLE_RATE as f32;
        let (mut before, mut after) = (0.0, 0.0);
        for i in 0..200_usize {
            let mut frame = AudioFrame::SILENCE;
            for (sample, at) in frame.0.iter_mut().zip(i * FRAME_SAMPLES..) {
                *sample = 0.1 * (step * at as f32).sin();
            }
            let said = level(&frame);
            processor.capture(&mut frame);
            if i >= 100 {
                before += said.powi(2);
                after += level(&frame).powi(2);
            }
        }
        10.0 * (after / before).log10()
    }

    #[test]
    fn the_rumble_of_a_desk_is_taken_away_and_a_voice_is_not() {
        let (rumble, voice) = (tone_changed(30.0), tone_changed(300.0));
        assert!(rumble < -12.0, "{rumble} dB");
        assert!(voice.abs() < 1.5, "{voice} dB");
    }

    /// By how many decibels somebody who speaks softly is louder when it is sent, after a while.
    fn soft_voice_raised(automatic_gain: bool) -> f32 {
        let processor = VoiceProcessor::new();
        processor.set(VoiceSettings {
            automatic_gain,
            ..PLAIN
        });
        let mut voice = Babble(9, 20_000);
        let (mut before, mut after) = (0.0, 0.0);
        for i in 0..1_500 {
            let mut frame = voice.next();
            frame.0.iter_mut().for_each(|sample| *sample *= 0.1);
            let said = level(&frame);
            processor.capture(&mut frame);
            if i >= 1_000 {
                before += said.powi(2);
                after += level(&frame).powi(2);
            }
        }
        10.0 * (after / before).log10()
    }

    #[test]
    fn a_soft_voice_is_raised_where_that_is_wanted() {
        let (without, with) = (soft_voice_raised(false), soft_voice_raised(true));
        assert!(without.abs() < 3.0, "{without} dB");
        assert!(with > without + 6.0, "{with} dB");
    }

    #[test]
    fn what_is_switched_in_a_call_applies_at_once_and_does_not_click() {
        let processor = VoiceProcessor::new();
        processor.set(PLAIN);
        let step = std::f32::consts::TAU * 300.0 / SAMPLE_RATE as f32;
        let (mut sample, mut last) = (0_u32, 0.0);
        let mut steepest = 0.0_f32;
        let mut loudness = Vec::new();
        for i in 0..300 {
            // Every half second something else, over and over.
            match i % 100 {
                0 => processor.set(PLAIN),
                50 => processor.set(VoiceSettings::default()),
                _ => {}
            }
            let mut frame = AudioFrame::SILENCE;
            for captured in &mut frame.0 {
                *captured = 0.1 * (step * sample as f32).sin();
                sample += 1;
            }
            processor.capture(&mut frame);
            for played in frame.0 {
                steepest = steepest.max((played - last).abs());
                last = played;
            }
            loudness.push(level(&frame));
        }
        // With the gain controller the tone is up to 15 dB louder, and so steeper, than it was.
        let loudest = loudness.iter().copied().fold(0.0, f32::max) * std::f32::consts::SQRT_2;
        assert!(steepest < 1.5 * step * loudest, "{steepest} at {loudest}");
        let [before, after] = [(20, 49), (60, 99)].map(|(from, to)| {
            let frames = &loudness[from..to];
            frames.iter().sum::<f32>() / frames.len() as f32
        });
        assert!((0.06..0.08).contains(&before), "{before}");
        assert!((after - before).abs() > 0.2 * before, "{after}");
    }

    #[test]
    fn without_the_canceller_the_echo_stays() {
        let processor = VoiceProcessor::new();
        processor.set(PLAIN);
        let mut babble = Babble(7, 0);
        let (mut echo, mut left) = (0.0, 0.0);
        for _ in 0..400 {
            let mut captured = babble.next();
            processor.render(&captured);
            echo += level(&captured).powi(2);
            processor.capture(&mut captured);
            left += level(&captured).powi(2);
        }
        assert!(left > 0.5 * echo, "{left} of {echo}");
    }

    #[test]
    fn speech_alone_passes() {
        let processor = VoiceProcessor::new();
        let mut babble = Babble(9, 0);
        let (mut before, mut after) = (0.0, 0.0);
        for _ in 0..400 {
            processor.render(&AudioFrame::SILENCE);
            let mut frame = babble.next();
            before += level(&frame).powi(2);
            processor.capture(&mut frame);
            after += level(&frame).powi(2);
            assert!(frame.0.iter().all(|sample| sample.abs() <= 1.0));
        }
        assert!(after > before * 0.1, "{before} became {after}");
    }
}
