//! What the far side hears of a room with a loudspeaker, and of somebody who speaks in it.

use std::time::{Duration, Instant};

use anyhow::Result;
use serde::Serialize;
use vireo_testing::room::Room;

use super::call::Call;
use super::judge::Judge;
use super::{ANN, BOB, as_f64, decibels, say};
use crate::pulse::RATE;
use crate::speech::spoken;

/// Until the canceller is to know the room.
const CONVERGENCE: Duration = Duration::from_secs(5);

/// Seconds of the measurement after which it certainly does.
const LATER: usize = 5;

/// How long the echo is measured.
const FAR_ALONE: Duration = Duration::from_secs(25);

/// What a call in a room with an echo gave.
#[derive(Debug, Clone, Copy, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Echo {
    /// What the microphone hears of the speaker, in decibels of full scale.
    pub echo_db: f64,
    /// What the far side receives of that.
    pub received_db: f64,
    /// By how much the echo has become quieter (echo return-loss enhancement).
    pub enhancement_db: f64,
    /// The same without the first five seconds of that.
    pub later_db: f64,
    /// The same of the worst second among these.
    pub worst_second_db: f64,
    /// How much later than the speaker the microphone hears, in milliseconds.
    pub echo_delay_ms: f64,
    /// By how much that changed meanwhile, as it does in no room: some sound was left out on its way.
    pub echo_moved_ms: f64,
    /// PESQ of who speaks in the room while the far side is silent.
    pub single_talk: f64,
    /// The same while the far side speaks too.
    pub double_talk: f64,
}

/// Ann's voice is heard in Bob's room, first alone; then Bob speaks there, alone and while Ann does.
pub async fn measure(judge: &Judge) -> Result<Echo> {
    let (ann_says, bob_says) = (spoken(ANN.0, ANN.1)?, spoken(BOB.0, BOB.1)?);
    let call = Call::start().await?;
    let mut room = Room::default();
    let echo = call
        .bob
        .pass_speaker_to_microphone(move |sound| room.pass(sound))?;
    let bob_plays = call.bob.record_speaker()?;
    let bob_hears = call.bob.record("feed")?;
    let ann_hears = call.ann.record_speaker()?;

    let ann_speaks = call.ann.play_into_microphone(ann_says.clone())?;
    let settled = Instant::now() + CONVERGENCE;
    let [played, raw, received] = [
        bob_plays.heard(settled, FAR_ALONE)?,
        bob_hears.heard(settled, FAR_ALONE)?,
        ann_hears.heard(settled, FAR_ALONE)?,
    ];
    drop(ann_speaks);
    let way = judge.judge("echo", &played, &raw)?;
    judge.keep("echo-received", &received)?;

    let bob_said = as_f64(&bob_says);
    let alone = say(&bob_says, &call.bob, &ann_hears)?;
    let single = judge.judge("single-talk", &bob_said, &alone)?;
    let ann_speaks = call.ann.play_into_microphone(ann_says)?;
    let both = say(&bob_says, &call.bob, &ann_hears)?;
    drop(ann_speaks);
    let double = judge.judge("double-talk", &bob_said, &both)?;
    drop(echo);
    call.end().await?;

    let (echo_db, received_db) = (decibels(&raw), decibels(&received));
    let later = LATER * RATE as usize;
    Ok(Echo {
        echo_db,
        received_db,
        enhancement_db: echo_db - received_db,
        later_db: decibels(&raw[later..]) - decibels(&received[later..]),
        worst_second_db: worst_second(&raw[later..], &received[later..]),
        echo_delay_ms: way.delay_ms(),
        echo_moved_ms: way.moved_ms(),
        single_talk: single.mean,
        double_talk: double.mean,
    })
}

/// What comes back is compared with the loudest echo of its second and the one before, as it may be on its way that long.
fn worst_second(raw: &[f64], received: &[f64]) -> f64 {
    let seconds =
        |sound: &[f64]| -> Vec<f64> { sound.chunks_exact(RATE as usize).map(decibels).collect() };
    let (raw, received) = (seconds(raw), seconds(received));
    let pairs = raw.windows(2).zip(&received[1..]);
    pairs
        .map(|(raw, received)| raw[0].max(raw[1]) - received)
        .fold(f64::INFINITY, f64::min)
}
