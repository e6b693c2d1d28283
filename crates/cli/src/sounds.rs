//! `--sounds`: a line of CSV for each beep of the other side's time code.

use std::fs::File;
use std::io::{BufWriter, Write};
use std::path::Path;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use vireo_media::audio::{Beep, SoundTimeCodeReader};
use vireo_media::video::unix_ms_now;
use vireo_media::{AudioFrame, AudioSink, MediaError};

use crate::failure::Failure;
use crate::playback::lock;

/// The file that says of every beep when it was heard. Copies write to the same file.
#[derive(Clone)]
pub struct SoundsFile(Arc<Mutex<BufWriter<File>>>);

impl SoundsFile {
    /// Opens the file, made anew.
    ///
    /// # Errors
    /// Bad file.
    pub fn create(path: &Path) -> Result<Self, Failure> {
        let file = begin(path).map_err(|problem| Failure::file(path, problem))?;
        Ok(Self(Arc::new(Mutex::new(file))))
    }

    /// A full disk is no reason to break a call, so what cannot be written is missing.
    fn beep(&self, beep: Beep) {
        let _ = writeln!(lock(&self.0), "{:.1},{:.1}", beep.unix_ms, beep.age_ms);
    }

    fn flush(&self) {
        let _ = lock(&self.0).flush();
    }
}

fn begin(path: &Path) -> std::io::Result<BufWriter<File>> {
    let mut file = BufWriter::new(File::create(path)?);
    writeln!(file, "unixMs,latencyMs")?;
    Ok(file)
}

/// A sink that takes down how old what it plays is when it is heard.
pub struct TimedSink {
    sink: Box<dyn AudioSink>,
    file: SoundsFile,
    reader: SoundTimeCodeReader,
}

impl TimedSink {
    /// What goes to `sink` is listened to as well.
    pub fn new(sink: Box<dyn AudioSink>, file: SoundsFile) -> Self {
        Self {
            sink,
            file,
            reader: SoundTimeCodeReader::default(),
        }
    }

    /// Writes the beep that begins with `frame`, handed over at `now_ms`, once it is read.
    fn take_down(&mut self, frame: &AudioFrame, now_ms: f64) {
        let heard_ms = now_ms + self.sink.delay().as_secs_f64() * 1_000.0;
        if let Some(beep) = self.reader.hear(frame, heard_ms) {
            self.file.beep(beep);
        }
    }
}

impl AudioSink for TimedSink {
    fn write(&mut self, frame: &AudioFrame) -> Result<(), MediaError> {
        self.take_down(frame, unix_ms_now());
        self.sink.write(frame)
    }

    fn delay(&self) -> Duration {
        self.sink.delay()
    }
}

impl Drop for TimedSink {
    fn drop(&mut self) {
        self.file.flush();
    }
}

#[cfg(test)]
mod tests {
    use vireo_media::audio::{NullSink, sound_time_code};

    use super::*;

    #[test]
    fn each_beep_has_a_line_with_its_age() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("sounds.csv");
        let file = SoundsFile::create(&path).expect("created");
        let mut sink = TimedSink::new(Box::new(NullSink::new()), file);
        // Of the wall clock, a busy machine would make every age a little different.
        for number in 0..60 {
            let now_ms = 1_700_000_000_000.0 + f64::from(number) * 10.0;
            sink.take_down(&sound_time_code(now_ms - 150.0), now_ms);
        }
        drop(sink);
        let text = std::fs::read_to_string(&path).expect("written");
        let mut lines = text.lines();
        assert_eq!(lines.next(), Some("unixMs,latencyMs"));
        let ages: Vec<f64> = lines
            .map(|line| line.split(',').nth(1).expect("an age"))
            .map(|age| age.parse().expect("a number"))
            .collect();
        assert!((2..=3).contains(&ages.len()), "{text}");
        assert!(
            ages.iter().all(|age| (145.0..165.0).contains(age)),
            "{text}"
        );
    }
}
