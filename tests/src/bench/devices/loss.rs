//! Speech through the whole chain over links that lose packets.

use std::time::Duration;

use anyhow::Result;
use serde::Serialize;
use tokio::time::sleep;
use vireo_testing::link::{Link, Loss};

use super::call::Call;
use super::judge::Judge;
use super::{ANN, as_f64, say};
use crate::netlab::{Lab, Way};
use crate::network::Network;
use crate::speech::spoken;

/// Per cent of the packets, both ways.
const SHARES: [u8; 5] = [0, 5, 10, 20, 30];

/// Each way.
const PROPAGATION: Duration = Duration::from_millis(25);

/// Until both sides know what gets lost.
const SETTLED: Duration = Duration::from_secs(8);

/// Until the voice processor knows the voice and has heard that there is no echo.
const VOICE_KNOWN: Duration = Duration::from_secs(25);

const SEED: u64 = 7;

/// What became of speech on a link.
#[derive(Debug, Clone, Copy, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Lossy {
    /// Packets that got lost, of a hundred.
    pub percent: u8,
    /// PESQ of what came out of the speaker against what was played into the microphone.
    pub mean: f64,
    /// The worst eight seconds.
    pub worst: f64,
}

/// One call whose link becomes worse by steps; during each the same is said.
pub async fn measure(judge: &Judge) -> Result<Vec<Lossy>> {
    let speech = spoken(ANN.0, ANN.1)?;
    let mut network = Network::isolating()?;
    let homes = [network.home()?, network.home()?];
    let mut lab = Lab::between(&homes[0], &homes[1], SEED).await?;
    let call = Call::start_in(&network, &homes).await?;
    let ear = call.bob.record_speaker()?;
    let talking = call.ann.play_into_microphone(speech.clone())?;
    sleep(VOICE_KNOWN).await;
    drop(talking);
    let mut rows = Vec::new();
    for percent in SHARES {
        let link = Link {
            delay: PROPAGATION,
            loss: Loss::Random(f64::from(percent) / 100.0),
            ..Link::default()
        };
        lab.set(Way::Both, link).await?;
        let talking = call.ann.play_into_microphone(speech.clone())?;
        sleep(SETTLED).await;
        drop(talking);
        let heard = say(&speech, &call.ann, &ear)?;
        let judgement = judge.judge(&format!("loss-{percent}"), &as_f64(&speech), &heard)?;
        rows.push(Lossy {
            percent,
            mean: judgement.mean,
            worst: judgement.worst,
        });
    }
    call.end().await?;
    Ok(rows)
}
