//! Sound from a source to a sink, through both chains, in real time.
#![cfg(feature = "codecs")]

use std::{
    collections::VecDeque,
    sync::{
        Arc, Mutex,
        atomic::{AtomicBool, AtomicUsize, Ordering::Relaxed},
        mpsc::{Receiver, Sender, channel},
    },
    time::{Duration, Instant},
};

use vireo_media::{
    AudioFrame, AudioSink, AudioSource, MediaError, MediaEvent,
    audio::{
        AudioSendOptions, FRAME_SAMPLES, NullSink, ReceiveChain, SendChain, SilentSource,
        ToneMicrophone, VoiceProcessor,
    },
    codec::{OpusDecoder, OpusPacket},
    rtp::RtpPayload,
};

const PATIENCE: Duration = Duration::from_secs(20);

/// Numbers packets as a sender of RTP does.
fn rtp(sequence_number: u16, packet: OpusPacket) -> RtpPayload {
    RtpPayload {
        sequence_number,
        timestamp: packet.timestamp,
        marker: false,
        payload: packet.payload,
        received_at: Instant::now(),
    }
}

fn level(frame: &AudioFrame) -> f32 {
    (frame.0.iter().map(|sample| sample * sample).sum::<f32>() / FRAME_SAMPLES as f32).sqrt()
}

/// Says when each frame came.
struct Ear {
    pace: NullSink,
    heard: Sender<(Instant, AudioFrame)>,
}

impl AudioSink for Ear {
    fn write(&mut self, frame: &AudioFrame) -> Result<(), MediaError> {
        let _ = self.heard.send((Instant::now(), frame.clone()));
        self.pace.write(frame)
    }
}

/// A sink, and what it hears.
type EarAndHearing = (Option<Box<dyn AudioSink>>, Receiver<(Instant, AudioFrame)>);

fn ear() -> EarAndHearing {
    let (heard, hearing) = channel();
    (
        Some(Box::new(Ear {
            pace: NullSink::new(),
            heard,
        })),
        hearing,
    )
}

fn connect(
    mut source: Option<Box<dyn AudioSource>>,
    mut sink: Option<Box<dyn AudioSink>>,
) -> Result<(SendChain, Arc<ReceiveChain>), MediaError> {
    let processor = VoiceProcessor::new();
    let receive = Arc::new(ReceiveChain::start(
        move || Ok(sink.take()),
        processor.clone(),
        |_| {},
    )?);
    let (to, mut sequence) = (Arc::clone(&receive), 0_u16);
    let on_packet = move |packet| {
        to.push(rtp(sequence, packet));
        sequence = sequence.wrapping_add(1);
    };
    let send = SendChain::start(
        AudioSendOptions::default(),
        move || Ok(source.take()),
        processor,
        on_packet,
        |_| {},
    )?;
    Ok((send, receive))
}

/// A soft hum, with a loud burst for 60 ms every 400 ms; notes when each burst was handed out.
struct Bursts {
    pace: SilentSource,
    frames: usize,
    sample: usize,
    handed_out: Arc<Mutex<VecDeque<Instant>>>,
}

impl AudioSource for Bursts {
    fn read(&mut self) -> Result<AudioFrame, MediaError> {
        let mut frame = self.pace.read()?;
        let in_period = self.frames % 40;
        let amplitude = if in_period >= 34 { 0.5 } else { 0.01 };
        for sample in &mut frame.0 {
            *sample =
                amplitude * (std::f32::consts::TAU * 600.0 * self.sample as f32 / 48_000.0).sin();
            self.sample += 1;
        }
        if in_period == 34 {
            self.handed_out
                .lock()
                .expect("no panic")
                .push_back(Instant::now());
        }
        self.frames += 1;
        Ok(frame)
    }
}

#[test]
fn sound_is_heard_soon_on_a_clean_link() {
    let handed_out = Arc::new(Mutex::new(VecDeque::new()));
    let source = Bursts {
        pace: SilentSource::new(),
        frames: 0,
        sample: 0,
        handed_out: Arc::clone(&handed_out),
    };
    let (sink, hearing) = ear();
    let (_send, receive) = connect(Some(Box::new(source)), sink).expect("both chains start");
    let mut delays = Vec::new();
    let mut loud = false;
    let deadline = Instant::now() + PATIENCE;
    while delays.len() < 12 && Instant::now() < deadline {
        let (at, frame) = hearing
            .recv_timeout(PATIENCE)
            .expect("frames come all the time");
        let was_loud = std::mem::replace(&mut loud, level(&frame) > 0.1);
        if loud && !was_loud {
            let from = handed_out
                .lock()
                .expect("no panic")
                .pop_front()
                .expect("a burst is heard after it was made");
            delays.push(at.duration_since(from));
        }
    }
    delays.sort();
    let median = delays[delays.len() / 2].as_secs_f64() * 1e3;
    // 10 ms until the packet is full, 6.5 ms of Opus's look-ahead, 3–13 ms of jitter buffer, and a busy machine.
    // Measured: 20 ms.
    assert!(median < 60.0, "{delays:?} {:?}", receive.statistics());
}

/// Share of the power that lies at `hz` (Goertzel over blocks of 100 ms).
fn share_at(samples: &[f32], hz: f64) -> f64 {
    let (mut at, mut total) = (0.0, 0.0);
    let coefficient = 2.0 * (std::f64::consts::TAU * hz / 48_000.0).cos();
    for block in samples.chunks_exact(4_800) {
        let (mut one, mut two) = (0.0, 0.0);
        for sample in block.iter().map(|sample| f64::from(*sample)) {
            (one, two) = (sample + coefficient * one - two, one);
            total += sample * sample;
        }
        at += (one * one + two * two - coefficient * one * two) * 2.0 / block.len() as f64;
    }
    if total > 0.0 { at / total } else { 0.0 }
}

#[test]
fn a_tone_stays_a_tone() {
    let (sink, hearing) = ear();
    let (send, receive) =
        connect(Some(Box::new(ToneMicrophone::new(1_000.0))), sink).expect("both chains start");
    let frames: Vec<AudioFrame> = (0..200)
        .map(|_| {
            hearing
                .recv_timeout(PATIENCE)
                .expect("frames come all the time")
                .1
        })
        .collect();
    let samples: Vec<f32> = frames[100..].iter().flat_map(|frame| frame.0).collect();
    let share = share_at(&samples, 1_000.0);
    assert!(share > 0.9, "{share}");
    assert!(share_at(&samples, 1_300.0) < 0.05);
    assert!(send.statistics().packets_sent > 50);
    let statistics = receive.statistics();
    assert_eq!(statistics.packets_lost, 0);
    assert!(statistics.total_samples_received > 48_000);
}

#[test]
fn muted_means_that_nothing_is_heard() {
    let (packets, received) = channel();
    let send = SendChain::start(
        AudioSendOptions::default(),
        || {
            Ok(Some(
                Box::new(ToneMicrophone::new(500.0)) as Box<dyn AudioSource>
            ))
        },
        VoiceProcessor::new(),
        move |packet| packets.send(packet).unwrap_or_default(),
        |_| {},
    )
    .expect("starts");
    let next = || received.recv_timeout(PATIENCE).expect("packets come");
    for _ in 0..20 {
        let _ = next();
    }
    send.set_muted(true);
    let muted_at = Instant::now();
    // The packet that was being made may still come; after that, silence.
    let mut decoder = OpusDecoder::new().expect("a decoder");
    let mut last = next();
    let mut quiet = 0;
    while muted_at.elapsed() < Duration::from_millis(1_500) {
        let Ok(packet) = received.recv_timeout(Duration::from_millis(50)) else {
            continue;
        };
        let samples = decoder
            .decode(&packet.payload)
            .expect("an Opus packet")
            .to_vec();
        let gap = packet.timestamp.wrapping_sub(last.timestamp);
        assert!(gap > 0 && gap.is_multiple_of(960), "{gap}");
        last = packet;
        if muted_at.elapsed() > Duration::from_millis(200) {
            assert!(samples.iter().all(|sample| sample.abs() < 0.01));
            quiet += 1;
        }
    }
    assert!(
        (1..40).contains(&quiet),
        "{quiet} packets of silence: some, but few"
    );
    send.set_muted(false);
    let unmuted_at = Instant::now();
    let heard = loop {
        let packet = next();
        let samples = decoder.decode(&packet.payload).expect("an Opus packet");
        if samples.iter().any(|sample| sample.abs() > 0.1) {
            let elapsed = (muted_at.elapsed().as_secs_f64() * 50.0) as u32;
            let packets = packet.timestamp.wrapping_sub(last.timestamp) / 960;
            break packets < elapsed + 50;
        }
        assert!(unmuted_at.elapsed() < PATIENCE);
    };
    assert!(heard, "time went on while it was muted");
}

/// Fails after so many frames.
struct Frail {
    left: usize,
    inner: ToneMicrophone,
}

impl AudioSource for Frail {
    fn read(&mut self) -> Result<AudioFrame, MediaError> {
        self.left = self
            .left
            .checked_sub(1)
            .ok_or_else(|| MediaError::DeviceLost("The microphone was disconnected.".into()))?;
        self.inner.read()
    }
}

#[test]
fn a_microphone_that_comes_and_goes_is_told_and_taken_back() {
    let (events, told) = channel();
    let attempts = AtomicUsize::new(0);
    let (packets, received) = channel();
    let _send = SendChain::start(
        AudioSendOptions::default(),
        move || match attempts.fetch_add(1, Relaxed) {
            0 => Err(MediaError::NoDevice("No microphone was found.".into())),
            1 => Ok(Some(Box::new(Frail {
                left: 30,
                inner: ToneMicrophone::new(500.0),
            }) as Box<dyn AudioSource>)),
            _ => Ok(Some(
                Box::new(ToneMicrophone::new(500.0)) as Box<dyn AudioSource>
            )),
        },
        VoiceProcessor::new(),
        move |packet: OpusPacket| packets.send(packet.timestamp).unwrap_or_default(),
        move |event| events.send(event).unwrap_or_default(),
    )
    .expect("starts");
    let event = || told.recv_timeout(PATIENCE).expect("an event comes");
    assert_eq!(
        event(),
        MediaEvent::MicrophoneLost(
            (&MediaError::NoDevice("No microphone was found.".into())).into()
        )
    );
    assert_eq!(event(), MediaEvent::MicrophoneReady);
    assert_eq!(
        event(),
        MediaEvent::MicrophoneLost(
            (&MediaError::DeviceLost("The microphone was disconnected.".into())).into()
        )
    );
    assert_eq!(event(), MediaEvent::MicrophoneReady);
    let stamps: Vec<u32> = received.try_iter().collect();
    assert!(stamps.windows(2).all(|pair| pair[0] < pair[1]));
}

#[test]
fn unmuting_a_missing_microphone_tries_it_again_and_says_what_comes_of_it() {
    let (events, told) = channel();
    let missing = Arc::new(AtomicBool::new(true));
    let theirs = Arc::clone(&missing);
    let send = SendChain::start(
        AudioSendOptions::default(),
        move || {
            if theirs.load(Relaxed) {
                return Err(MediaError::NoDevice("No microphone was found.".into()));
            }
            Ok(Some(
                Box::new(ToneMicrophone::new(500.0)) as Box<dyn AudioSource>
            ))
        },
        VoiceProcessor::new(),
        |_| {},
        move |event| events.send(event).unwrap_or_default(),
    )
    .expect("starts");
    let lost = MediaEvent::MicrophoneLost(
        (&MediaError::NoDevice("No microphone was found.".into())).into(),
    );
    assert_eq!(told.recv_timeout(PATIENCE), Ok(lost.clone()));
    send.set_muted(false);
    assert_eq!(told.recv_timeout(PATIENCE), Ok(lost));
    missing.store(false, Relaxed);
    send.set_muted(false);
    assert_eq!(told.recv_timeout(PATIENCE), Ok(MediaEvent::MicrophoneReady));
}

/// A speaker that is pulled out when it is told.
struct Pulled {
    gone: Arc<AtomicBool>,
    inner: NullSink,
}

impl AudioSink for Pulled {
    fn write(&mut self, frame: &AudioFrame) -> Result<(), MediaError> {
        if self.gone.load(Relaxed) {
            return Err(MediaError::DeviceLost(
                "The speaker was disconnected.".into(),
            ));
        }
        self.inner.write(frame)
    }
}

#[test]
fn without_a_speaker_the_sound_is_taken_all_the_same() {
    let (events, told) = channel();
    let gone = Arc::new(AtomicBool::new(false));
    let theirs = Arc::clone(&gone);
    let receive = Arc::new(
        ReceiveChain::start(
            move || {
                if theirs.load(Relaxed) {
                    return Err(MediaError::NoDevice("No speaker was found.".into()));
                }
                Ok(Some(Box::new(Pulled {
                    gone: Arc::clone(&theirs),
                    inner: NullSink::new(),
                }) as Box<dyn AudioSink>))
            },
            VoiceProcessor::new(),
            move |event| match event {
                // On a busy machine the tone has holes, and a tone with holes may sound like speech.
                MediaEvent::OtherSpeaks(_) => {}
                event => events.send(event).unwrap_or_default(),
            },
        )
        .expect("starts"),
    );
    let (to, mut sequence) = (Arc::clone(&receive), 0_u16);
    let _send = SendChain::start(
        AudioSendOptions::default(),
        || {
            Ok(Some(
                Box::new(ToneMicrophone::new(500.0)) as Box<dyn AudioSource>
            ))
        },
        VoiceProcessor::new(),
        move |packet| {
            to.push(rtp(sequence, packet));
            sequence += 1;
        },
        |_| {},
    )
    .expect("starts");
    assert_eq!(told.recv_timeout(PATIENCE), Ok(MediaEvent::SpeakerReady));
    gone.store(true, Relaxed);
    assert_eq!(
        told.recv_timeout(PATIENCE),
        Ok(MediaEvent::SpeakerLost(
            (&MediaError::DeviceLost("The speaker was disconnected.".into())).into()
        ))
    );
    let before = receive.statistics().total_samples_received;
    let deadline = Instant::now() + PATIENCE;
    while receive.statistics().total_samples_received < before + 24_000 {
        assert!(Instant::now() < deadline, "{:?}", receive.statistics());
        std::thread::sleep(Duration::from_millis(20));
    }
    gone.store(false, Relaxed);
    assert_eq!(told.recv_timeout(PATIENCE), Ok(MediaEvent::SpeakerReady));
    assert!(
        receive.statistics().packets_discarded < 10,
        "{:?}",
        receive.statistics()
    );
}

#[test]
fn none_at_all_is_a_choice_and_no_failure() {
    let (send, receive) = connect(None, None).expect("both chains start");
    std::thread::sleep(Duration::from_secs(1));
    assert!(
        send.statistics().packets_sent < 25,
        "{:?}",
        send.statistics()
    );
    assert_eq!(receive.statistics().packets_lost, 0);
    let start = Instant::now();
    drop((send, receive));
    assert!(
        start.elapsed() < Duration::from_millis(500),
        "chains end at once"
    );
}
