//! How long sound takes from one's microphone to the other's speaker.

use std::time::{Duration, Instant};

use anyhow::Result;
use serde::Serialize;

use super::call::Call;
use super::judge::{Judge, Judgement};
use super::{ANN, LATEST};
use crate::pulse::{Pulse, Recording};
use crate::speech::spoken;

/// Until the buffers have found their length.
const SETTLED: Duration = Duration::from_secs(10);

/// Five pieces of eight seconds.
const LENGTH: Duration = Duration::from_secs(40);

/// How long sound takes, of five pieces of speech the median, in milliseconds.
#[derive(Debug, Clone, Copy, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct MouthToEar {
    /// Through a call.
    pub call_ms: f64,
    /// Through PulseAudio alone, which loops its microphone to its speaker: the devices' own.
    pub devices_ms: f64,
    /// By how much the call takes longer.
    pub beyond_ms: f64,
    /// What PESQ says of the call's speech.
    pub quality: f64,
}

/// A call on this computer, and one sound system that loops.
pub async fn measure(judge: &Judge) -> Result<MouthToEar> {
    let speech = spoken(ANN.0, ANN.1)?;
    let call = Call::start().await?;
    let ear = call.bob.record_speaker()?;
    let through_call = listen(judge, "call", &speech, &call.ann, &ear)?;
    call.end().await?;
    let looped = Pulse::start()?;
    looped.let_speaker_play_microphone()?;
    let ear = looped.record_speaker()?;
    let through_devices = listen(judge, "devices", &speech, &looped, &ear)?;
    let (call_ms, devices_ms) = (through_call.delay_ms(), through_devices.delay_ms());
    Ok(MouthToEar {
        call_ms,
        devices_ms,
        beyond_ms: call_ms - devices_ms,
        quality: through_call.mean,
    })
}

/// Both recorders are late by the same, so that it is no part of the difference.
fn listen(
    judge: &Judge,
    name: &str,
    speech: &[f32],
    at: &Pulse,
    ear: &Recording,
) -> Result<Judgement> {
    let mouth = at.record("feed")?;
    let _playing = at.play_into_microphone(speech.to_vec())?;
    let from = Instant::now() + SETTLED;
    let said = mouth.heard(from, LENGTH)?;
    let heard = ear.heard(from, LENGTH + LATEST)?;
    judge.judge(&format!("mouth-to-ear-{name}"), &said, &heard)
}
