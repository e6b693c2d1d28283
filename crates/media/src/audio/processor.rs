//! Makes a microphone in a room fit for a call: echo cancellation, noise suppression, gain.

use std::sync::{
    Arc, Mutex, PoisonError,
    atomic::{AtomicBool, Ordering},
};

use sonora::{
    AudioProcessing, Config, StreamConfig,
    config::{
        AdaptiveDigital, EchoCanceller, GainController2, HighPassFilter, NoiseSuppression,
        TransparentModeType,
    },
};

use super::{AudioFrame, SAMPLE_RATE};

/// One for a call, shared by the side that plays ([`Self::render`]) and the side that records ([`Self::capture`]).
/// Clones are handles to the same one.
#[derive(Clone)]
pub struct VoiceProcessor {
    /// Made when something is captured for the first time, since that takes some milliseconds: tones and files go without.
    processing: Arc<Mutex<Option<Box<AudioProcessing>>>>,
    /// Nothing is computed while nothing is captured.
    in_use: Arc<AtomicBool>,
}

impl VoiceProcessor {
    /// Echo canceller, noise suppressor and gain controller, as in a browser.
    fn build() -> AudioProcessing {
        let config = Config {
            high_pass_filter: Some(HighPassFilter::default()),
            echo_canceller: Some(EchoCanceller {
                // Who wears a headset and speaks while the other one does is otherwise taken for an echo for longer
                // (7 s against 5 s, by up to 40 dB); what is left of a real echo is the same.
                transparent_mode: TransparentModeType::Hmm,
                ..EchoCanceller::default()
            }),
            noise_suppression: Some(NoiseSuppression::default()),
            gain_controller2: Some(GainController2 {
                adaptive_digital: Some(AdaptiveDigital::default()),
                ..GainController2::default()
            }),
            ..Config::default()
        };
        let stream = StreamConfig::new(SAMPLE_RATE, 1);
        AudioProcessing::builder()
            .config(config)
            .capture_config(stream)
            .render_config(stream)
            .build()
    }

    /// One that has heard nothing yet. Costs nothing.
    #[must_use]
    pub fn new() -> Self {
        Self {
            processing: Arc::default(),
            in_use: Arc::default(),
        }
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
        let mut played = AudioFrame::SILENCE;
        let outcome = self
            .lock()
            .as_mut()
            .map(|processing| processing.process_render_f32(&[&frame.0], &mut [&mut played.0]));
        if let Some(Err(error)) = outcome {
            tracing::debug!(?error, "the echo canceller took no reference");
        }
    }

    /// Cleans what was captured, in place.
    pub fn capture(&self, frame: &mut AudioFrame) {
        self.in_use.store(true, Ordering::Relaxed);
        let captured = frame.clone();
        let outcome = self
            .lock()
            .get_or_insert_with(|| Box::new(Self::build()))
            .process_capture_f32(&[&captured.0], &mut [&mut frame.0]);
        if let Err(error) = outcome {
            tracing::debug!(?error, "the sound is sent as it was captured");
            *frame = captured;
        }
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Option<Box<AudioProcessing>>> {
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
