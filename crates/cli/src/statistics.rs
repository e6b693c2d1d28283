//! `--stats`: a JSON object a second, and a last one of the whole call.

use std::fs::File;
use std::io::Write;
use std::path::{Path, PathBuf};

use serde::Serialize;
use vireo_call::CallStats;

use crate::failure::Failure;
use crate::output;
use crate::playback::Playback;

/// The file that the statistics of every call go into, one call after the other.
pub struct StatisticsFile {
    path: PathBuf,
    /// None once writing has failed; a full disk is no reason to break a call.
    file: Option<File>,
}

#[derive(Serialize)]
struct Line<'a> {
    #[serde(flatten)]
    stats: &'a CallStats,
    #[serde(skip_serializing_if = "Option::is_none")]
    summary: Option<bool>,
}

impl StatisticsFile {
    /// Opens the file, made anew.
    ///
    /// # Errors
    /// Bad file.
    pub fn create(path: &Path) -> Result<Self, Failure> {
        let file = File::create(path).map_err(|problem| Failure::file(path, problem))?;
        Ok(Self {
            path: path.to_owned(),
            file: Some(file),
        })
    }

    /// Writes the line of one second.
    pub fn second(&mut self, stats: &CallStats) {
        self.line(&Line {
            stats,
            summary: None,
        });
    }

    /// Writes the last line of a call, with the percentiles of all of it. The decoder may have shown a picture more since
    /// the statistics were taken, so its own count stands.
    pub fn summary(&mut self, mut stats: CallStats, playback: &Playback) {
        stats.video.inbound.frames_decoded = playback.frames();
        stats.video.inbound.latency_ms = playback.whole_call();
        self.line(&Line {
            stats: &stats,
            summary: Some(true),
        });
    }

    fn line(&mut self, line: &Line<'_>) {
        let Some(file) = &mut self.file else { return };
        let mut text = serde_json::to_vec(line).unwrap_or_default();
        text.push(b'\n');
        if let Err(problem) = file.write_all(&text) {
            output::say(format!(
                "The statistics stop: {}: {problem}.",
                self.path.display()
            ));
            self.file = None;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_last_line_is_the_summary() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("stats.jsonl");
        let mut file = StatisticsFile::create(&path).expect("created");
        let stats = CallStats {
            t: 5,
            state: "connected".to_owned(),
            ..CallStats::default()
        };
        file.second(&stats);
        let mut playback = Playback::default();
        playback.frame(640, 480, Some(9.5), std::time::Instant::now());
        file.summary(stats, &playback);
        let text = std::fs::read_to_string(&path).expect("written");
        let lines: Vec<serde_json::Value> = text
            .lines()
            .map(|line| serde_json::from_str(line).expect("JSON"))
            .collect();
        assert_eq!(lines.len(), 2);
        assert_eq!(lines[0]["t"], 5);
        assert!(lines[0].get("summary").is_none());
        assert!(lines[0]["video"]["in"]["latencyMs"]["p50"].is_null());
        assert_eq!(lines[1]["summary"], true);
        assert_eq!(lines[1]["video"]["in"]["framesDecoded"], 1);
        assert_eq!(lines[1]["video"]["in"]["latencyMs"]["p50"], 9.5);
        assert!(lines[1]["setup"].get("acceptToFirstFrameMs").is_some());
    }

    #[test]
    fn a_folder_that_is_not_there_is_a_bad_file() {
        let failure = StatisticsFile::create(Path::new("/no/such/folder/s.jsonl"));
        assert_eq!(failure.err().map(|f| f.status as u8), Some(10));
    }
}
