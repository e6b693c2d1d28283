//! The steps of a command: one line each, with the time it took.

use std::time::{Duration, Instant};

use anyhow::{Result, bail};

/// What became of one step.
struct Step {
    name: String,
    took: Duration,
    failure: Option<String>,
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

    /// Remembers a sentence for the end, where it is not overlooked.
    pub fn warn(&mut self, sentence: impl Into<String>) {
        let sentence = sentence.into();
        println!("   WARNING: {sentence}");
        self.warnings.push(sentence);
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
        });
    }

    /// Prints every step with its time and what has to be told; an error if a check failed.
    pub fn finish(self) -> Result<()> {
        println!();
        for step in &self.taken {
            let outcome = if step.failure.is_some() {
                "FAILED"
            } else {
                "ok"
            };
            println!(
                "{:>8.1} s  {outcome:<6}  {}",
                step.took.as_secs_f64(),
                step.name
            );
        }
        let total: Duration = self.taken.iter().map(|step| step.took).sum();
        println!("{:>8.1} s          all steps", total.as_secs_f64());
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
