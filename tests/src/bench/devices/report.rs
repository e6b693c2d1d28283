//! What was found, what was to be reached, and the file of it.

use std::fmt;

use serde::Serialize;
use serde_json::{Value, json};

use super::echo::Echo;
use super::loss::Lossy;
use super::mouth_to_ear::MouthToEar;
use crate::bench::Limit::{AtLeast, AtMost};
use crate::bench::{Goal, Outcome};

const GOALS: [Goal<Report>; 4] = [
    Goal::new(
        AtLeast(30.0),
        "echo return-loss enhancement ≥ 30 dB from the fifth second on",
        |report, _| Some(report.echo?.enhancement_db),
    ),
    Goal::new(
        AtMost(0.3),
        "double talk ≤ 0.3 MOS below single talk",
        |report, _| Some(report.echo?.single_talk - report.echo?.double_talk),
    ),
    Goal::new(
        AtMost(60.0),
        "mouth to ear ≤ 60 ms beyond the devices' own",
        |report, _| Some(report.mouth_to_ear?.beyond_ms),
    ),
    Goal::new(
        AtMost(0.5),
        "30 % loss ≤ 0.5 MOS below a clean link",
        |report, _| Some(report.at_loss(0)?.mean - report.at_loss(30)?.mean),
    ),
];

/// What was measured; the rest was not asked for.
#[derive(Debug, Default, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Report {
    /// A call in a room with an echo.
    pub echo: Option<Echo>,
    /// How long sound takes.
    pub mouth_to_ear: Option<MouthToEar>,
    /// Speech over links that lose packets.
    pub loss: Vec<Lossy>,
}

impl Report {
    fn at_loss(&self, percent: u8) -> Option<&Lossy> {
        self.loss.iter().find(|row| row.percent == percent)
    }

    fn outcomes(&self) -> Vec<Outcome> {
        let outcomes = GOALS.iter().map(|goal| goal.outcome(self, None));
        outcomes.flatten().collect()
    }

    /// The file's content: the figures and the goals.
    #[must_use]
    pub fn json(&self) -> Value {
        json!({ "measured": self, "goals": self.outcomes() })
    }
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(echo) = &self.echo {
            writeln!(
                f,
                "echo after {:.0} ms, moved by {:.1}: {:.1} dB in the microphone, {:.1} dB at the far side: {:.1} dB less; after five more seconds {:.1} (worst second {:.1})",
                echo.echo_delay_ms,
                echo.echo_moved_ms,
                echo.echo_db,
                echo.received_db,
                echo.enhancement_db,
                echo.later_db,
                echo.worst_second_db
            )?;
            writeln!(
                f,
                "who speaks beside it: PESQ {:.2} alone, {:.2} in double talk",
                echo.single_talk, echo.double_talk
            )?;
        }
        if let Some(delay) = &self.mouth_to_ear {
            writeln!(
                f,
                "mouth to ear: {:.1} ms, {:.1} of them the devices' own; PESQ {:.2}",
                delay.call_ms, delay.devices_ms, delay.quality
            )?;
        }
        for row in &self.loss {
            writeln!(
                f,
                "{:3} % lost: PESQ {:.2} (worst {:.2})",
                row.percent, row.mean, row.worst
            )?;
        }
        for outcome in self.outcomes() {
            writeln!(f, "{outcome}")?;
        }
        Ok(())
    }
}
