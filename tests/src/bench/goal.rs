//! Figures that are to be reached.

use std::fmt;

use serde::Serialize;

use self::Limit::{AtLeast, AtMost};

/// A figure that is to be reached, of what a measurement gives.
pub struct Goal<M> {
    sentence: &'static str,
    /// None where the figure was not measured, such as one beside Chromium's where that did not run.
    figure: fn(vireo: &M, chromium: Option<&M>) -> Option<f64>,
    limit: Limit,
}

/// What counts as reached.
#[derive(Debug, Clone, Copy)]
pub enum Limit {
    /// No more than this.
    AtMost(f64),
    /// No less than this.
    AtLeast(f64),
}

impl<M> Goal<M> {
    /// A goal in one sentence.
    pub const fn new(
        limit: Limit,
        sentence: &'static str,
        figure: fn(&M, Option<&M>) -> Option<f64>,
    ) -> Self {
        Self {
            sentence,
            figure,
            limit,
        }
    }

    /// What became of it; none where its figure was not measured.
    pub fn outcome(&self, vireo: &M, chromium: Option<&M>) -> Option<Outcome> {
        let figure = (self.figure)(vireo, chromium)?;
        let missed_by = match self.limit {
            AtMost(limit) => figure - limit,
            AtLeast(limit) => limit - figure,
        };
        Some(Outcome {
            goal: self.sentence,
            figure,
            met: missed_by <= 0.0,
            missed_by: missed_by.max(0.0),
        })
    }
}

/// What became of a goal.
#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Outcome {
    /// What was to be reached.
    pub goal: &'static str,
    /// What was.
    pub figure: f64,
    /// Whether that is enough.
    pub met: bool,
    /// How much is wanting.
    pub missed_by: f64,
}

impl fmt::Display for Outcome {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            goal,
            figure,
            met,
            missed_by,
        } = self;
        match met {
            true => write!(f, "  met    {goal}: {figure:.2}"),
            false => write!(f, "  MISSED {goal}: {figure:.2}, by {missed_by:.2}"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const QUICK: Goal<f64> = Goal::new(AtMost(20.0), "≤ 20 ms", |ms, _| Some(*ms));
    const MORE: Goal<f64> = Goal::new(AtLeast(1.0), "≥ Chromium's", |vireo, chromium| {
        Some(vireo / chromium?)
    });

    #[test]
    fn a_goal_that_is_missed_says_by_how_much() {
        let missed = QUICK.outcome(&25.0, None).expect("measured");
        assert_eq!(missed.to_string(), "  MISSED ≤ 20 ms: 25.00, by 5.00");
        assert!(QUICK.outcome(&20.0, None).expect("measured").met);
    }

    #[test]
    fn nothing_is_said_beside_a_chromium_that_did_not_run() {
        assert!(MORE.outcome(&1.0, None).is_none());
        assert!(!MORE.outcome(&1.0, Some(&2.0)).expect("measured").met);
        assert!(MORE.outcome(&2.0, Some(&2.0)).expect("measured").met);
    }

    #[test]
    fn what_cannot_be_counted_is_missed() {
        assert!(!QUICK.outcome(&f64::NAN, None).expect("measured").met);
    }
}
