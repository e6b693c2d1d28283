//! Calls of sound through virtual devices: what is played into one's microphone, and what comes out of the other's speaker.
//!
//! ```text
//!   Ann's PulseAudio                                                     Bob's PulseAudio
//!   speech → microphone → vireo-cli ── loopback, or a link that loses ── vireo-cli → speaker → recorded
//!                                                        a room: speaker → clipping → echo → microphone
//! ```

mod call;
mod echo;
mod judge;
mod loss;
mod mouth_to_ear;
mod report;

use std::time::{Duration, Instant};

use anyhow::Result;

use crate::pulse::{Pulse, RATE, Recording};

pub use echo::Echo;
pub use judge::{Judge, Judgement};
pub use loss::Lossy;
pub use mouth_to_ear::MouthToEar;
pub use report::Report;

/// How much longer than what is said is listened for it.
const LATEST: Duration = Duration::from_secs(3);

/// Ann's voice, and what it says: Harvard sentences (IEEE Recommended Practice for Speech Quality Measurements, 1969), lists 3
/// and 4.
const ANN: (&str, &str) = (
    "en-us+f3",
    "The small pup gnawed a hole in the sock. The fish twisted and turned on the bent hook. \
    Press the pants and sew a button on the vest. The swan dive was far short of perfect. \
    The beauty of the view stunned the young boy. Two blue fish swam in the tank. \
    Her purse was full of useless trash. The colt reared and threw the tall rider. \
    It snowed, rained, and hailed the same morning. Read verse out loud for pleasure. \
    Hoist the load to your left shoulder. Take the winding path to reach the lake. \
    Note closely the size of the gas tank. Wipe the grease off his dirty face. \
    Mend the coat before you go out. The wrist was badly strained and hung limp.",
);

/// Bob's: lists 1 and 2.
const BOB: (&str, &str) = (
    "en-us",
    "The birch canoe slid on the smooth planks. Glue the sheet to the dark blue background. \
    It's easy to tell the depth of a well. These days a chicken leg is a rare dish. \
    Rice is often served in round bowls. The juice of lemons makes fine punch. \
    The box was thrown beside the parked truck. The hogs were fed chopped corn and garbage. \
    Four hours of steady work faced us. A large size in stockings is hard to sell. \
    The boy was there when the sun rose. A rod is used to catch pink salmon. \
    The source of the huge river is the clear spring. Kick the ball straight and follow through. \
    Help the woman get back to her feet. A pot of tea helps to pass the evening.",
);

/// The parts of the measurement.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Part {
    /// A call in a room with an echo.
    Echo,
    /// How long sound takes.
    MouthToEar,
    /// Speech over links that lose packets.
    Loss,
}

impl Part {
    /// All, in the order they are measured, by the names that people use.
    pub const ALL: [(&'static str, Self); 3] = [
        ("echo", Self::Echo),
        ("mouth-to-ear", Self::MouthToEar),
        ("loss", Self::Loss),
    ];

    /// Measures it, and adds what was found.
    ///
    /// # Errors
    /// When the call does not come about, or nothing is heard.
    pub async fn measure(self, judge: &Judge, report: &mut Report) -> Result<()> {
        match self {
            Self::Echo => report.echo = Some(echo::measure(judge).await?),
            Self::MouthToEar => report.mouth_to_ear = Some(mouth_to_ear::measure(judge).await?),
            Self::Loss => report.loss = loss::measure(judge).await?,
        }
        Ok(())
    }
}

/// Says this into a microphone, once; gives what was recorded elsewhere from then on.
fn say(speech: &[f32], into: &Pulse, recorded: &Recording) -> Result<Vec<f64>> {
    let began = Instant::now();
    let playing = into.play_into_microphone(speech.to_vec())?;
    let length = Duration::from_secs_f64(speech.len() as f64 / f64::from(RATE));
    let spoken = recorded.heard(began, length)?;
    drop(playing);
    let rest = recorded.heard(began + length, LATEST)?;
    Ok([spoken, rest].concat())
}

fn as_f64(samples: &[f32]) -> Vec<f64> {
    samples.iter().copied().map(f64::from).collect()
}

/// The power of sound, in decibels of full scale.
fn decibels(sound: &[f64]) -> f64 {
    let power = sound.iter().map(|sample| sample * sample).sum::<f64>() / sound.len().max(1) as f64;
    // Digital silence counts as what 16 bits cannot hold any more.
    10.0 * power.max(1e-10).log10()
}
