//! Rooms, voices and devices on virtual time.

use std::collections::VecDeque;

use vireo_testing::room::{Acoustics, Room};

use super::EchoCanceller;
use crate::audio::AudioFrame;

const SECOND: usize = 100;

/// Something like a voice: a tone of many harmonics whose pitch and vowel wander, in syllables.
struct Voice {
    pitch: f32,
    phase: f32,
    samples: usize,
    random: u32,
    vowel: [f32; 2],
}

impl Voice {
    fn new(pitch: f32, seed: u32) -> Self {
        Self {
            pitch,
            phase: 0.0,
            samples: 0,
            random: seed,
            vowel: [0.0; 2],
        }
    }

    fn random(&mut self) -> f32 {
        self.random = self
            .random
            .wrapping_mul(1_664_525)
            .wrapping_add(1_013_904_223);
        (self.random >> 8) as f32 / (1 << 23) as f32 - 1.0
    }

    fn sample(&mut self) -> f32 {
        let seconds = self.samples as f32 / 48_000.0;
        self.samples += 1;
        let pitch = self.pitch * (1.0 + 0.2 * (2.0 * seconds).sin());
        self.phase = (self.phase + pitch / 48_000.0).fract();
        let source = 2.0 * self.phase - 1.0 + 0.3 * self.random();
        // A resonance that wanders between 300 and 2,500 Hz.
        let formant = 1_400.0 + 1_100.0 * (5.0 * seconds + self.pitch).sin();
        let (step, [y1, y2]) = (std::f32::consts::TAU * formant / 48_000.0, self.vowel);
        let out = source + 1.94 * step.cos() * y1 - 0.94 * y2;
        self.vowel = [out, y1];
        let syllable = (std::f32::consts::TAU * 2.3 * seconds).sin().max(0.0);
        let pause = if (0.6 * seconds + self.pitch).sin() > -0.7 {
            1.0
        } else {
            0.0
        };
        0.03 * out * syllable * pause
    }

    fn frame(&mut self) -> AudioFrame {
        AudioFrame(std::array::from_fn(|_| self.sample()))
    }
}

/// A desk with a loudspeaker in a room.
struct Desk {
    canceller: EchoCanceller,
    far: Voice,
    room: Room,
    under_way: VecDeque<AudioFrame>,
}

impl Desk {
    /// So many frames from being played to being recorded.
    fn new(acoustics: Acoustics, delay: usize) -> Self {
        Self {
            canceller: EchoCanceller::new(),
            far: Voice::new(190.0, 7),
            room: Room::new(acoustics),
            under_way: vec![AudioFrame::SILENCE; delay].into(),
        }
    }

    fn play(&mut self) {
        let frame = self.far.frame();
        self.canceller.render(&frame);
        self.under_way.push_back(frame);
    }

    /// What the microphone hears of the speaker.
    fn echo(&mut self) -> AudioFrame {
        let mut echo = self.under_way.pop_front().unwrap_or(AudioFrame::SILENCE);
        self.room.pass(&mut echo.0);
        echo
    }

    /// The echo's decibels within these seconds, and those of what is sent, minus one another.
    fn enhancement(&mut self, seconds: usize) -> f32 {
        let (mut echo, mut left) = (1e-9, 1e-9);
        for _ in 0..seconds * SECOND {
            self.play();
            let mut frame = self.echo();
            echo += energy(&frame);
            self.canceller.capture(&mut frame);
            left += energy(&frame);
        }
        decibels(echo / left)
    }
}

fn energy(frame: &AudioFrame) -> f32 {
    frame.0.iter().map(|sample| sample * sample).sum()
}

fn decibels(ratio: f32) -> f32 {
    10.0 * ratio.log10()
}

#[test]
fn an_echo_is_gone_soon_whatever_the_room_and_the_devices() {
    for acoustics in [Acoustics::LIVING_ROOM, Acoustics::STUDY] {
        for delay in [2, 8, 25] {
            let mut desk = Desk::new(acoustics, delay);
            desk.enhancement(2);
            let soon = desk.enhancement(3);
            let later = desk.enhancement(5);
            assert!(soon > 20.0, "{soon} dB after {delay} frames");
            assert!(later > 30.0, "{later} dB after {delay} frames");
        }
    }
}

#[test]
fn an_echo_is_found_again_when_a_device_takes_longer_or_less_long() {
    let mut desk = Desk::new(Acoustics::LIVING_ROOM, 5);
    desk.enhancement(8);
    desk.under_way.extend(vec![AudioFrame::SILENCE; 12]);
    desk.enhancement(4);
    let later = desk.enhancement(4);
    assert!(later > 25.0, "{later} dB when it takes longer");
    desk.under_way.drain(..12);
    desk.enhancement(4);
    let earlier = desk.enhancement(4);
    assert!(earlier > 25.0, "{earlier} dB when it takes less long");
}

/// The decibels that an echo loses in the last 20 s of a minute and a half in which the microphone's clock is slower than the
/// speaker's by so many millionths.
fn enhancement_with_drift(millionths: f64) -> f32 {
    let mut desk = Desk::new(Acoustics::LIVING_ROOM, 0);
    // What was played and is not yet recorded, and where in it the next sample is.
    let mut line = VecDeque::from(vec![0.0; 6 * 480]);
    let mut position = 0.0_f64;
    let (mut echo, mut left) = (1e-9, 1e-9);
    for i in 0..90 * SECOND {
        desk.play();
        line.extend(desk.under_way.pop_front().expect("just played").0);
        let mut frame = AudioFrame(std::array::from_fn(|_| {
            let (whole, part) = (position as usize, position.fract() as f32);
            position += 1.0 + millionths * 1e-6;
            line[whole] * (1.0 - part) + line[whole + 1] * part
        }));
        line.drain(..position as usize);
        position = position.fract();
        desk.room.pass(&mut frame.0);
        let before = energy(&frame);
        desk.canceller.capture(&mut frame);
        if i >= 70 * SECOND {
            echo += before;
            left += energy(&frame);
        }
    }
    decibels(echo / left)
}

#[test]
fn an_echo_stays_away_while_the_clocks_of_the_devices_drift_apart() {
    for millionths in [-100.0, -30.0, 30.0, 100.0] {
        let enhancement = enhancement_with_drift(millionths);
        assert!(enhancement > 25.0, "{enhancement} dB at {millionths}");
    }
}

#[test]
fn frames_may_come_in_any_order() {
    let mut desk = Desk::new(Acoustics::LIVING_ROOM, 12);
    let mut luck = Voice::new(1.0, 3);
    let (mut ahead, mut echo, mut left) = (0, 1e-9, 1e-9);
    for i in 0..20 * SECOND {
        // Up to six frames at a time, and then none for as long.
        let due = (luck.random() * 3.0) as i32 + 1;
        for _ in 0..due.clamp(0, 6 - ahead) {
            desk.play();
            ahead += 1;
        }
        if ahead == 0 {
            desk.play();
            ahead += 1;
        }
        ahead -= 1;
        let mut frame = desk.echo();
        let before = energy(&frame);
        desk.canceller.capture(&mut frame);
        if i > 8 * SECOND {
            echo += before;
            left += energy(&frame);
        }
    }
    let enhancement = decibels(echo / left);
    assert!(enhancement > 25.0, "{enhancement} dB");
}

/// By how many decibels somebody in the room is louder once they are sent, while the other one speaks.
fn near_voice(mut desk: Desk) -> f32 {
    let mut near = Voice::new(120.0, 9);
    desk.enhancement(8);
    let (mut said, mut sent) = (1e-9, 1e-9);
    for _ in 0..10 * SECOND {
        desk.play();
        let mut frame = desk.echo();
        let voice = near.frame();
        said += energy(&voice);
        let both = frame.0.iter_mut().zip(&voice.0);
        both.for_each(|(sum, sample)| *sum += sample);
        desk.canceller.capture(&mut frame);
        sent += energy(&frame);
    }
    decibels(sent / said)
}

#[test]
fn who_speaks_in_the_room_is_heard_while_the_other_one_speaks() {
    for acoustics in [Acoustics::LIVING_ROOM, Acoustics::STUDY] {
        let level = near_voice(Desk::new(acoustics, 6));
        assert!(level.abs() < 3.0, "{level} dB");
    }
}

#[test]
fn who_wears_a_headset_is_not_taken_for_an_echo() {
    let mut desk = Desk::new(Acoustics::LIVING_ROOM, 6);
    desk.room = Room::new(Acoustics {
        gain: 0.0,
        ..Acoustics::LIVING_ROOM
    });
    let level = near_voice(desk);
    assert!(level.abs() < 1.0, "{level} dB");
}

#[test]
fn sound_is_not_changed_where_nothing_is_played() {
    let mut canceller = EchoCanceller::new();
    let mut near = Voice::new(120.0, 9);
    let (mut before, mut after) = (0.0, 0.0);
    for _ in 0..3 * SECOND {
        let mut frame = near.frame();
        before += energy(&frame);
        canceller.capture(&mut frame);
        after += energy(&frame);
        assert!(frame.0.iter().all(|sample| sample.is_finite()));
    }
    let change = decibels(after / before);
    assert!(change.abs() < 1.0, "{change} dB");
}
