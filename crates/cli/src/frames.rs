//! `--frames`: a line of CSV for each remote picture.

use std::fs::File;
use std::io::{BufWriter, Write};
use std::path::Path;
use std::sync::{Arc, Mutex};

use vireo_media::VideoFrame;

use crate::failure::Failure;
use crate::playback::lock;

/// The file that says of every picture when it was decoded. Copies write to the same file.
#[derive(Clone)]
pub struct FramesFile(Arc<Mutex<BufWriter<File>>>);

impl FramesFile {
    /// Opens the file, made anew.
    ///
    /// # Errors
    /// Bad file.
    pub fn create(path: &Path) -> Result<Self, Failure> {
        let file = begin(path).map_err(|problem| Failure::file(path, problem))?;
        Ok(Self(Arc::new(Mutex::new(file))))
    }

    /// A picture has been decoded at this moment; `latency` in milliseconds, where its time code could be read. A full disk is
    /// no reason to break a call, so what cannot be written is missing.
    pub fn frame(&self, unix_ms: f64, latency: Option<f64>, frame: &VideoFrame) {
        let latency = latency.map(|ms| format!("{ms:.1}")).unwrap_or_default();
        let VideoFrame { width, height, .. } = frame;
        let _ = writeln!(lock(&self.0), "{unix_ms:.1},{latency},{width},{height}");
    }

    /// Writes what still waits.
    pub fn flush(&self) {
        let _ = lock(&self.0).flush();
    }
}

fn begin(path: &Path) -> std::io::Result<BufWriter<File>> {
    let mut file = BufWriter::new(File::create(path)?);
    writeln!(file, "unixMs,latencyMs,width,height")?;
    Ok(file)
}

#[cfg(test)]
mod tests {
    use std::time::Instant;

    use super::*;

    #[test]
    fn each_picture_has_a_line_and_an_unreadable_time_code_is_left_empty() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("frames.csv");
        let file = FramesFile::create(&path).expect("created");
        let frame = VideoFrame {
            width: 640,
            height: 360,
            data: Vec::new(),
            captured_at: Instant::now(),
        };
        file.frame(1_700_000_000_000.24, Some(12.34), &frame);
        file.clone().frame(1_700_000_000_033.5, None, &frame);
        file.flush();
        let text = std::fs::read_to_string(&path).expect("written");
        let expected = "unixMs,latencyMs,width,height\n\
            1700000000000.2,12.3,640,360\n1700000000033.5,,640,360\n";
        assert_eq!(text, expected);
    }
}
