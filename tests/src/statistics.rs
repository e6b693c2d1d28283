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

    /// Frames decoded a second from the second second to the last one: the first is still starting.
    ///
    /// # Errors
    /// When there are too few lines.
    pub fn decoded_per_second(&self) -> anyhow::Result<f64> {
        let first = self.seconds.get(1).context("the call was too short")?;
        let last = self.seconds.last().context("the call was too short")?;
        let frames =
            number(last, "/video/in/framesDecoded")? - number(first, "/video/in/framesDecoded")?;
        let seconds = (number(last, "/t")? - number(first, "/t")?) / 1000.0;
        Ok(frames / seconds)
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
