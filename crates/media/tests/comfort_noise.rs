//! What is heard while the sender says nothing: the room goes on, as loud as it was.
#![cfg(feature = "codecs")]

mod speech;

use std::time::{Duration, Instant};

use vireo_media::{
    audio::{DEFAULT_AUDIO_BITRATE, FRAME_SAMPLES, Playout, SAMPLE_RATE},
    codec::{OPUS_FRAME_SAMPLES, OpusEncoder},
    rtp::{AudioJitterBuffer, AudioReceiveStatistics, RtpPayload},
};

/// Root mean square of the room's noise: −52 dBFS.
const ROOM: f32 = 0.0025;

/// Uniform noise that is a little softer above.
struct Room {
    random: u32,
    smooth: f32,
}

impl Room {
    fn next(&mut self) -> f32 {
        self.random = self
            .random
            .wrapping_mul(1_664_525)
            .wrapping_add(1_013_904_223);
        let white = (self.random >> 8) as f32 / (1 << 23) as f32 - 1.0;
        self.smooth += 0.5 * (white - self.smooth);
        3.0 * ROOM * self.smooth
    }
}

struct Heard {
    samples: Vec<f32>,
    sent: usize,
    statistics: AudioReceiveStatistics,
}

/// Sends sound as a call does, with discontinuous transmission, over a clean link; what is played at the other end.
/// `lost` says which of the packets get lost.
fn transmit(sound: &[f32], lost: impl Fn(usize) -> bool) -> Heard {
    transmit_until(sound, usize::MAX, lost)
}

/// The same, of a sender that goes after so many pieces of 20 ms.
fn transmit_until(sound: &[f32], end: usize, lost: impl Fn(usize) -> bool) -> Heard {
    let mut encoder = OpusEncoder::new(DEFAULT_AUDIO_BITRATE).expect("an encoder");
    encoder.set_packet_loss(5).expect("taken");
    let mut playout = Playout::new().expect("a decoder");
    let mut buffer = AudioJitterBuffer::new();
    let begin = Instant::now();
    let (mut number, mut silent) = (0_usize, false);
    let mut samples = Vec::new();
    for (at, piece) in sound.chunks_exact(OPUS_FRAME_SAMPLES).enumerate() {
        let now = begin + Duration::from_millis(20 * at as u64);
        let payload = encoder.encode(piece).expect("coded");
        let goes_on = std::mem::replace(&mut silent, payload.len() <= 2) && silent;
        if !goes_on && at < end {
            if !lost(number) {
                buffer.push(RtpPayload {
                    sequence_number: number as u16,
                    timestamp: (at * OPUS_FRAME_SAMPLES) as u32,
                    marker: false,
                    payload,
                    received_at: now,
                });
            }
            number += 1;
        }
        for half in 0..2 {
            let now = now + Duration::from_millis(5 + 10 * half);
            samples.extend(playout.next(|| buffer.pop(now)).0);
        }
    }
    Heard {
        samples,
        sent: number,
        statistics: buffer.statistics(),
    }
}

fn decibels(samples: &[f32]) -> f32 {
    let power = samples.iter().map(|s| s * s).sum::<f32>() / samples.len() as f32;
    10.0 * power.max(1e-12).log10()
}

/// Somebody speaks and then says nothing for twelve seconds; where that begins.
fn speech_and_silence() -> (Vec<f32>, usize) {
    let mut sound = speech::say("en", "Hello. I am going to be quiet now.");
    let spoken = sound.len();
    sound.iter_mut().for_each(|sample| *sample *= 0.5);
    sound.extend(vec![0.0; 12 * SAMPLE_RATE as usize]);
    (sound, spoken)
}

fn in_a_room(mut sound: Vec<f32>) -> Vec<f32> {
    let mut room = Room {
        random: 7,
        smooth: 0.0,
    };
    sound.iter_mut().for_each(|sample| *sample += room.next());
    sound
}

#[test]
fn the_room_is_as_loud_while_nothing_is_sent_as_it_was_and_never_dead() {
    let (sound, spoken) = speech_and_silence();
    let sound = in_a_room(sound);
    let settled = spoken + SAMPLE_RATE as usize;
    let room = decibels(&sound[settled..]);
    for (what, lost) in [("a clean link", 9), ("refreshers that get lost", 6)] {
        let heard = transmit(&sound, |number| number % 9 >= lost);
        assert!(heard.sent < 250, "{what}: all is sent: {}", heard.sent);
        for (at, part) in heard.samples[settled..].chunks_exact(4_800).enumerate() {
            let level = decibels(part);
            assert!(
                (room - 9.0..room + 3.0).contains(&level),
                "{what}: {level} dB after {at} tenths of a second, in a room of {room} dB"
            );
        }
        let mut frames = heard.samples[spoken..].chunks_exact(FRAME_SAMPLES);
        let dead = frames.position(|frame| frame.iter().all(|sample| *sample == 0.0));
        assert_eq!(dead, None, "{what}: dead silence");
        if lost == 9 {
            // What the sender leaves out is no loss, and nothing has to be concealed for it.
            assert_eq!(heard.statistics.packets_lost, 0);
            assert_eq!(heard.statistics.concealed_samples, 0);
        }
    }
}

#[test]
fn who_mutes_is_silent_and_not_their_room() {
    let (sound, spoken) = speech_and_silence();
    let mut sound = in_a_room(sound);
    // Five seconds of the room, and then nothing at all.
    let muted = spoken + 5 * SAMPLE_RATE as usize;
    sound[muted..].fill(0.0);
    let heard = transmit(&sound, |_| false);
    let level = decibels(&heard.samples[muted + 2 * SAMPLE_RATE as usize..]);
    assert!(level < -80.0, "{level} dB");
}

#[test]
fn a_sender_that_has_gone_leaves_no_noise_for_ever() {
    let (sound, spoken) = speech_and_silence();
    let mut sound = in_a_room(sound);
    let end = sound.len();
    sound.extend(vec![0.0; 12 * SAMPLE_RATE as usize]);
    let gone = end / OPUS_FRAME_SAMPLES;
    let heard = transmit_until(&sound, gone, |_| false);
    let second = |from: usize| decibels(&heard.samples[from..from + SAMPLE_RATE as usize]);
    let room = second(spoken + 2 * SAMPLE_RATE as usize);
    let after = end + 3 * SAMPLE_RATE as usize;
    assert!((second(after) - room).abs() < 4.0, "{} dB", second(after));
    let last = heard.samples.len() - FRAME_SAMPLES;
    assert!(heard.samples[last..].iter().all(|sample| *sample == 0.0));
}
