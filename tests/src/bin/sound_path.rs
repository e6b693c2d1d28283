//! Sends what this computer's microphone hears to its own speaker, through everything a call has but the network:
//! cpal → voice processor → Opus → (a delay) → jitter buffer → Opus → cpal. Ends with its standard input.
//!
//! `--delay MS` holds packets back, `--raw` leaves the voice processor out. Where devices come from is up to the
//! environment. Prints a line of JSON when both devices run, and the statistics once a second and at the end.

#![allow(clippy::print_stdout, reason = "the test reads it")]

use std::{
    io::Read,
    sync::{
        Arc,
        mpsc::{Receiver, RecvTimeoutError, channel},
    },
    thread,
    time::{Duration, Instant},
};

use anyhow::{Context as _, bail};
use serde_json::json;
use vireo_media::{
    AudioSink, AudioSource, MediaEvent,
    audio::{
        AudioSendOptions, Microphone, ReceiveChain, SendChain, Speaker, VoiceProcessing,
        VoiceProcessor, find_sound_server,
    },
    codec::OpusPacket,
    rtp::RtpPayload,
};

fn main() -> anyhow::Result<()> {
    find_sound_server();
    let mut delay = Duration::ZERO;
    let mut processing = VoiceProcessing::Microphones;
    let mut arguments = std::env::args().skip(1);
    while let Some(argument) = arguments.next() {
        match argument.as_str() {
            "--delay" => {
                delay = Duration::from_millis(
                    arguments
                        .next()
                        .context("--delay takes milliseconds")?
                        .parse()?,
                )
            }
            "--raw" => processing = VoiceProcessing::Never,
            other => bail!("unknown argument {other}"),
        }
    }

    let (events, told) = channel();
    let processor = VoiceProcessor::new();
    let speaker_events = events.clone();
    let receive = Arc::new(ReceiveChain::start(
        || Ok(Some(Box::new(Speaker::open(None)?) as Box<dyn AudioSink>)),
        processor.clone(),
        move |event| speaker_events.send(event).unwrap_or_default(),
    )?);
    let (packets, on_the_way) = channel();
    let link = Arc::clone(&receive);
    thread::spawn(move || carry(&on_the_way, delay, &link));
    let send = SendChain::start(
        AudioSendOptions {
            processing,
            ..AudioSendOptions::default()
        },
        || {
            Ok(Some(
                Box::new(Microphone::open(None)?) as Box<dyn AudioSource>
            ))
        },
        processor,
        move |packet| packets.send((Instant::now(), packet)).unwrap_or_default(),
        move |event| events.send(event).unwrap_or_default(),
    )?;

    thread::spawn(move || announce(&told));
    let (ended, end) = channel::<()>();
    thread::spawn(move || {
        let _ = std::io::stdin().read_to_end(&mut Vec::new());
        drop(ended);
    });
    loop {
        let over = end.recv_timeout(Duration::from_secs(1)) == Err(RecvTimeoutError::Disconnected);
        let (received, sent) = (receive.statistics(), send.statistics());
        println!(
            "{}",
            json!({
                "packetsSent": sent.packets_sent,
                "packetsReceived": received.packets_received,
                "packetsDiscarded": received.packets_discarded,
                "concealedSamples": received.concealed_samples,
                "totalSamplesReceived": received.total_samples_received,
                "jitterBufferDelayMs": received.jitter_buffer_delay_ms,
                "targetDelayMs": received.target_delay_ms,
                "end": over,
            })
        );
        if over {
            return Ok(());
        }
    }
}

/// The network: nothing is lost, everything takes the same time.
fn carry(packets: &Receiver<(Instant, OpusPacket)>, delay: Duration, to: &ReceiveChain) {
    for (sequence_number, (sent, packet)) in packets.iter().enumerate() {
        thread::sleep((sent + delay).saturating_duration_since(Instant::now()));
        to.push(RtpPayload {
            sequence_number: sequence_number as u16,
            timestamp: packet.timestamp,
            marker: false,
            payload: packet.payload,
            received_at: Instant::now(),
        });
    }
}

fn announce(events: &Receiver<MediaEvent>) {
    let (mut microphone, mut speaker) = (false, false);
    for event in events {
        match event {
            MediaEvent::MicrophoneReady => {
                println!("{}", json!({ "microphone": true }));
                microphone = true;
            }
            MediaEvent::SpeakerReady => speaker = true,
            MediaEvent::MicrophoneLost(trouble) | MediaEvent::SpeakerLost(trouble) => {
                println!("{}", json!({ "lost": trouble.sentence }));
            }
            _ => {}
        }
        if microphone && speaker {
            println!("{}", json!({ "ready": true }));
            (microphone, speaker) = (false, false);
        }
    }
}
