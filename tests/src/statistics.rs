//! Reading what `vireo-cli --stats` has written.

use std::path::Path;

use anyhow::Context;
use serde_json::Value;

/// The lines of one call.
#[derive(Debug)]
pub struct Statistics {
    /// One a second.
    pub seconds: Vec<Value>,
    /// The last one, of the whole call.
    pub summary: Value,
}

impl Statistics {
    /// Reads the statistics of a single call.
    ///
    /// # Errors
    /// When a line is no JSON, or the last one is no summary.
    pub fn read(path: &Path) -> anyhow::Result<Self> {
        let text = std::fs::read_to_string(path)
            .with_context(|| format!("no statistics in {}", path.display()))?;
        let mut seconds = text
            .lines()
            .map(|line| serde_json::from_str(line).with_context(|| format!("no JSON: {line:?}")))
            .collect::<anyhow::Result<Vec<Value>>>()?;
        let summary = seconds
            .pop()
            .filter(|line| line["summary"] == true)
            .context("the last line is no summary")?;
        Ok(Self { seconds, summary })
    }

    /// Frames decoded a second from the end of the first second, in which everything starts, to the end of the call.
    ///
    /// # Errors
    /// When the call was shorter than that.
    pub fn decoded_per_second(&self) -> anyhow::Result<f64> {
        let first = self.seconds.first().context("the call was too short")?;
        let over = |pointer| anyhow::Ok(self.number(pointer)? - number(first, pointer)?);
        let seconds = over("/t")? / 1000.0;
        anyhow::ensure!(seconds >= 1.0, "the call was too short");
        Ok(over("/video/in/framesDecoded")? / seconds)
    }

    /// Frames decoded a second in the median one of the call's seconds; the first, in which everything starts, is left out.
    ///
    /// # Errors
    /// When the call was shorter than that.
    pub fn usually_decoded_per_second(&self) -> anyhow::Result<f64> {
        let over = |pair: &[Value], pointer| {
            anyhow::Ok(number(&pair[1], pointer)? - number(&pair[0], pointer)?)
        };
        let mut rates = self
            .seconds
            .windows(2)
            .map(|pair| Ok(over(pair, "/video/in/framesDecoded")? * 1000.0 / over(pair, "/t")?))
            .collect::<anyhow::Result<Vec<f64>>>()?;
        rates.sort_by(f64::total_cmp);
        let middle = rates.get(rates.len() / 2);
        middle.copied().context("the call was too short")
    }

    /// A number of the summary, by JSON pointer.
    ///
    /// # Errors
    /// When there is none.
    pub fn number(&self, pointer: &str) -> anyhow::Result<f64> {
        number(&self.summary, pointer)
    }
}

fn number(line: &Value, pointer: &str) -> anyhow::Result<f64> {
    line.pointer(pointer)
        .and_then(Value::as_f64)
        .with_context(|| format!("no number at {pointer} in {line}"))
}
