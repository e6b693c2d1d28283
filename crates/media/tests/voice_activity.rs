//! Who speaks is told from what only makes a noise, and nothing of it leaves a muted microphone.

mod speech;

use std::{
    sync::mpsc::{Receiver, channel},
    time::{Duration, Instant},
};

use vireo_media::{
    AudioFrame, AudioSource, MediaError, MediaEvent, MicrophoneHint,
    audio::{
        AudioSendOptions, FRAME_SAMPLES, ReceiveChain, SAMPLE_RATE, SendChain, SilentSource,
        VoiceActivity, VoiceProcessor,
    },
    codec::{OpusDecoder, OpusPacket},
    rtp::RtpPayload,
};

const PATIENCE: Duration = Duration::from_secs(20);

/// For each 10 ms, whether somebody speaks.
fn activity(samples: &[f32]) -> Vec<bool> {
    let mut voice = VoiceActivity::new();
    let frames = samples.chunks_exact(FRAME_SAMPLES);
    frames
        .map(|frame| voice.hear(&AudioFrame(frame.try_into().expect("of this length"))))
        .collect()
}

/// Ten seconds of what `sample` makes of their time in seconds.
fn ten_seconds(mut sample: impl FnMut(f32) -> f32) -> Vec<f32> {
    let count = 10 * SAMPLE_RATE;
    (0..count)
        .map(|i| sample(i as f32 / SAMPLE_RATE as f32))
        .collect()
}

struct Noise(u32);

impl Noise {
    fn next(&mut self) -> f32 {
        self.0 = self.0.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        (self.0 >> 8) as f32 / (1 << 23) as f32 - 1.0
    }
}

#[test]
fn speech_counts_from_its_beginning_to_its_end_without_flicker() {
    for (language, text) in [
        (
            "en",
            "The quick brown fox jumps over the lazy dog. Can you hear me?",
        ),
        (
            "ru",
            "Здравствуйте, вы меня слышите? Я вас очень хорошо слышу.",
        ),
        ("en+f3", "Hello, it is me. How are you today?"),
    ] {
        let spoken = speech::say(language, text);
        let mut noise = Noise(3);
        for (what, heard) in [
            ("as it is", spoken.clone()),
            ("10 dB quieter", spoken.iter().map(|s| 0.3 * s).collect()),
            (
                "in a noisy room",
                spoken
                    .iter()
                    .map(|s| 0.3 * s + 0.02 * noise.next())
                    .collect(),
            ),
        ] {
            let followed = [heard, vec![0.0; SAMPLE_RATE as usize]].concat();
            let active = activity(&followed);
            let begins = active.iter().position(|active| *active);
            let changes = active.windows(2).filter(|pair| pair[0] != pair[1]).count();
            assert!(
                begins.is_some_and(|frames| frames < 40),
                "{language} {what}: {begins:?}"
            );
            assert_eq!(changes, 2, "{language} {what}");
            assert_eq!(active.last(), Some(&false), "{language} {what}");
        }
    }
}

#[test]
fn noise_tones_clicks_and_silence_are_no_speech() {
    let tone =
        |hz: f32, level: f32| ten_seconds(move |t| level * (std::f32::consts::TAU * hz * t).sin());
    let mut noise = Noise(1);
    let mut brown = 0.0;
    let mut keys = Noise(5);
    for (what, sound) in [
        ("silence", ten_seconds(|_| 0.0)),
        ("a loud tone", tone(440.0, 0.3)),
        ("a soft tone", tone(1_000.0, 0.01)),
        ("a hum", tone(100.0, 0.1)),
        ("white noise", ten_seconds(|_| 0.3 * noise.next())),
        (
            "a fan",
            ten_seconds(|_| {
                brown = 0.98 * brown + 0.006 * noise.next();
                brown
            }),
        ),
        (
            "keys that are hit",
            ten_seconds(|t| 0.3 * keys.next() * (-160.0 * (t % 0.19)).exp()),
        ),
    ] {
        let active = activity(&sound).iter().filter(|active| **active).count();
        assert_eq!(active, 0, "{what} counts for {active} frames");
    }
}

/// Says this over and over.
struct Speaker {
    pace: SilentSource,
    samples: Vec<f32>,
    at: usize,
}

impl AudioSource for Speaker {
    fn read(&mut self) -> Result<AudioFrame, MediaError> {
        let mut frame = self.pace.read()?;
        for sample in &mut frame.0 {
            *sample = self.samples[self.at % self.samples.len()];
            self.at += 1;
        }
        Ok(frame)
    }
}

/// A microphone somebody speaks into, muted or not; its packets and what it tells.
fn speak(muted: bool) -> (SendChain, Receiver<OpusPacket>, Receiver<MediaEvent>) {
    let mut source = Some(Speaker {
        pace: SilentSource::new(),
        samples: speech::say(
            "en",
            "I am telling you something important, all of the time.",
        ),
        at: 0,
    });
    let (packets, received) = channel();
    let (events, told) = channel();
    let send = SendChain::start(
        AudioSendOptions::default(),
        move || {
            Ok(source
                .take()
                .map(|one| Box::new(one) as Box<dyn AudioSource>))
        },
        VoiceProcessor::new(),
        move |packet| packets.send(packet).unwrap_or_default(),
        move |event| events.send(event).unwrap_or_default(),
    )
    .expect("starts");
    send.set_muted(muted);
    (send, received, told)
}

#[test]
fn who_speaks_while_muted_is_told_so_and_not_heard() {
    let (send, received, told) = speak(true);
    let started = Instant::now();
    let event = || told.recv_timeout(PATIENCE).expect("something is told");
    assert_eq!(event(), MediaEvent::MicrophoneReady);
    let unaware = MediaEvent::MicrophoneHint(Some(MicrophoneHint::SpeaksWhileMuted));
    assert_eq!(event(), unaware);
    let after = started.elapsed();
    assert!((3.0..6.0).contains(&after.as_secs_f64()), "{after:?}");
    let mut decoder = OpusDecoder::new().expect("a decoder");
    for packet in received.try_iter() {
        let samples = decoder.decode(&packet.payload).expect("an Opus packet");
        let loudest = samples.iter().fold(0.0_f32, |most, s| most.max(s.abs()));
        assert!(loudest < 0.001, "{loudest} has left");
    }
    send.set_muted(false);
    let mut both = [event(), event()];
    both.sort_by_key(|event| *event == MediaEvent::Speaks(true));
    assert_eq!(
        both,
        [MediaEvent::MicrophoneHint(None), MediaEvent::Speaks(true)]
    );
    send.set_muted(true);
    assert_eq!(event(), MediaEvent::Speaks(false));
}

#[test]
fn who_is_received_speaks_while_their_sound_says_so() {
    let (events, told) = channel();
    let receive = ReceiveChain::start(
        || Ok(None),
        VoiceProcessor::new(),
        move |event| events.send(event).unwrap_or_default(),
    )
    .expect("starts");
    let (send, received, _) = speak(false);
    let until = Instant::now() + Duration::from_millis(2_500);
    for number in 0_u16.. {
        let Ok(packet) = received.recv_timeout(Duration::from_millis(200)) else {
            break;
        };
        if Instant::now() > until {
            send.set_muted(true);
        }
        receive.push(RtpPayload {
            sequence_number: number,
            timestamp: packet.timestamp,
            marker: false,
            payload: packet.payload,
            received_at: Instant::now(),
        });
    }
    for expected in [true, false] {
        assert_eq!(
            told.recv_timeout(PATIENCE),
            Ok(MediaEvent::OtherSpeaks(expected))
        );
    }
}
