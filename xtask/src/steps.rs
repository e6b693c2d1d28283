//! The steps of a command: one line each, with the time it took.

use std::time::{Duration, Instant};

use anyhow::{Result, bail};

/// What became of one step.
struct Step {
    name: String,
    took: Duration,
    failure: Option<String>,
    done: bool,
}

impl Step {
    fn outcome(&self) -> &'static str {
        match (&self.failure, self.done) {
            (Some(_), _) => "FAILED",
            (None, false) => "NOT DONE",
            (None, true) => "ok",
        }
    }
}

/// The steps taken so far, and what a person has to be told at the end.
#[derive(Default)]
pub struct Steps {
    taken: Vec<Step>,
    warnings: Vec<String>,
}

impl Steps {
    /// Does something the rest needs; its error ends the command.
    pub fn run<T>(&mut self, name: &str, step: impl FnOnce() -> Result<T>) -> Result<T> {
        println!("── {name}");
        let start = Instant::now();
        let result = step();
        let failure = result.as_ref().err().map(|error| format!("{error:#}"));
        self.record(name, start.elapsed(), failure);
        result
    }

    /// Checks something; a failure is told at the end, after the other checks.
    pub fn check(&mut self, name: &str, step: impl FnOnce() -> Result<()>) {
        let _ = self.run(name, step);
    }

    /// Says that the last step could not be done here, now and again at the end, where it is not overlooked.
    pub fn not_done(&mut self, why: impl Into<String>) {
        self.warn(why);
        if let Some(step) = self.taken.last_mut() {
            step.done = false;
        }
    }

    /// Tells something now and again at the end.
    pub fn warn(&mut self, what: impl Into<String>) {
        let what = what.into();
        println!("   WARNING: {what}");
        self.warnings.push(what);
    }

    fn record(&mut self, name: &str, took: Duration, failure: Option<String>) {
        match &failure {
            None => println!("   {name}: {:.1} s", took.as_secs_f64()),
            Some(failure) => println!(
                "   {name}: FAILED after {:.1} s: {failure}",
                took.as_secs_f64()
            ),
        }
        let name = name.to_owned();
        self.taken.push(Step {
            name,
            took,
            failure,
            done: true,
        });
    }

    /// Prints every step with its time and what has to be told; an error if a check failed.
    pub fn finish(self) -> Result<()> {
        println!();
        for step in &self.taken {
            println!(
                "{:>8.1} s  {:<8}  {}",
                step.took.as_secs_f64(),
                step.outcome(),
                step.name
            );
        }
        let total: Duration = self.taken.iter().map(|step| step.took).sum();
        println!("{:>8.1} s            all steps", total.as_secs_f64());
        for warning in &self.warnings {
            println!("WARNING: {warning}");
        }
        let failed: Vec<_> = self
            .taken
            .iter()
            .filter(|step| step.failure.is_some())
            .collect();
        for step in &failed {
            let failure = step.failure.as_deref().unwrap_or_default();
            println!("FAILED: {}: {failure}", step.name);
        }
        match failed.len() {
            0 => Ok(()),
            1 => bail!("1 step failed"),
            many => bail!("{many} steps failed"),
        }
    }
}
