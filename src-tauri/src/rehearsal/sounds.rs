//! What is played while somebody tries their speaker out.

use std::{f32::consts::TAU, thread};

use vireo_media::{
    AudioFrame, AudioSink, MediaError,
    audio::{FRAME_SAMPLES, SAMPLE_RATE},
};

use crate::devices::Loan;

/// The notes of the test sound, in hertz, one after the other: a chord that rises.
const NOTES: [f32; 4] = [392.0, 523.3, 659.3, 784.0];

/// How long each note is, in frames of 10 ms.
const NOTE: usize = 40;

/// The whole sound, with the last note's end.
const LENGTH: usize = NOTES.len() * NOTE + 60;

/// As loud as somebody who speaks.
const LEVEL: f32 = 0.2;

/// How soon a note begins and fades, in seconds and per second.
const ATTACK: f32 = 0.01;
const FADE: f32 = 4.0;

/// The test sound.
#[must_use]
pub fn test_sound() -> Vec<AudioFrame> {
    (0..LENGTH).map(frame).collect()
}

fn frame(number: usize) -> AudioFrame {
    let mut frame = AudioFrame::SILENCE;
    for (index, sample) in frame.0.iter_mut().enumerate() {
        let seconds = (number * FRAME_SAMPLES + index) as f32 / SAMPLE_RATE as f32;
        *sample = NOTES
            .iter()
            .enumerate()
            .map(|(at, hz)| note(*hz, seconds - (at * NOTE) as f32 / 100.0))
            .sum();
    }
    frame
}

fn note(hz: f32, since: f32) -> f32 {
    if since < 0.0 {
        return 0.0;
    }
    LEVEL * (since / ATTACK).min(1.0) * (-FADE * since).exp() * (TAU * hz * since).sin()
}

/// Plays all of it, or until the speaker is called back, on a thread of its own; then tells what came of it.
///
/// # Errors
/// When the system gives no thread.
pub fn play(
    frames: Vec<AudioFrame>,
    loan: Loan,
    open: impl FnOnce() -> Result<Option<Box<dyn AudioSink>>, MediaError> + Send + 'static,
    done: impl FnOnce(Result<(), MediaError>) + Send + 'static,
) -> std::io::Result<()> {
    let run = move || {
        let Some(mut speaker) = open()? else {
            return Ok(());
        };
        for frame in &frames {
            if loan.is_over() {
                return Ok(());
            }
            speaker.write(frame)?;
        }
        // What the speaker has been given is still to be heard.
        loan.pause(speaker.delay());
        Ok(())
    };
    thread::Builder::new()
        .name("test-sound".into())
        .spawn(move || done(run()))
        .map(drop)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_test_sound_is_heard_and_does_not_clip() {
        let sound = test_sound();
        let loudest = |frames: &[AudioFrame]| {
            let samples = frames.iter().flat_map(|frame| frame.0);
            samples.fold(0.0, |loudest: f32, sample| loudest.max(sample.abs()))
        };
        assert!(loudest(&sound) < 0.8);
        for note in sound[..NOTES.len() * NOTE].chunks(NOTE) {
            assert!(loudest(note) > 0.1);
        }
        assert!(loudest(&sound[LENGTH - 1..]) < 0.05, "it ends softly");
    }
}
