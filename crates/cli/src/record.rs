//! `--record`: what is received goes into files, on a thread of its own so that a slow disk never delays a picture.

use std::fs::File;
use std::io::{BufWriter, Write};
use std::path::{Path, PathBuf};
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::thread::JoinHandle;

use vireo_media::audio::Recording;
use vireo_media::video::Y4mWriter;
use vireo_media::{MediaError, VideoFrame};

use crate::failure::Failure;
use crate::output;

/// Pictures that may wait for the disk: 40 MB at 720p.
const QUEUE: usize = 30;

/// The folder of one call's recording.
#[derive(Debug, Clone)]
pub struct RecordFolder(PathBuf);

impl RecordFolder {
    /// Makes the folder and makes sure that it can be written to.
    ///
    /// # Errors
    /// Bad file, when it cannot.
    pub fn create(path: &Path) -> Result<Self, Failure> {
        std::fs::create_dir_all(path).map_err(|problem| Failure::file(path, problem))?;
        for name in ["remote.y4m", "remote.csv", "remote.wav"] {
            writable(&path.join(name))?;
        }
        Ok(Self(path.to_owned()))
    }

    /// The folder inside this one for a further call's recording.
    pub fn further(&self, number: u32) -> Self {
        Self(self.0.join(format!("call-{number}")))
    }

    /// Where the sound goes.
    ///
    /// # Errors
    /// When the folder cannot be made.
    pub fn sound(&self) -> Result<Recording, MediaError> {
        // A further call's folder is not there yet; where making it fails, the writer says so.
        let _ = std::fs::create_dir_all(&self.0);
        Recording::create(self.0.join("remote.wav"))
    }

    /// Where the pictures go.
    ///
    /// # Errors
    /// When the files cannot be made.
    pub fn video(&self) -> Result<VideoRecorder, Failure> {
        let _ = std::fs::create_dir_all(&self.0);
        VideoRecorder::start(&self.0)
    }
}

/// Tries whether a file can be written, and leaves everything as it was.
fn writable(path: &Path) -> Result<(), Failure> {
    let existed = path.exists();
    File::options()
        .append(true)
        .create(true)
        .open(path)
        .map_err(|problem| Failure::file(path, problem))?;
    if !existed {
        let _ = std::fs::remove_file(path);
    }
    Ok(())
}

struct Picture {
    number: u64,
    unix_ms: f64,
    frame: VideoFrame,
}

/// Writes `remote.y4m`, scaled to its first size, and `remote.csv`. Dropping it writes what still waits and closes both.
pub struct VideoRecorder {
    queue: Option<SyncSender<Picture>>,
    thread: Option<JoinHandle<()>>,
    left_out: u64,
}

impl VideoRecorder {
    fn start(folder: &Path) -> Result<Self, Failure> {
        let path = folder.join("remote.y4m");
        let y4m = Y4mWriter::create(&path).map_err(|problem| Failure::media(&problem))?;
        let path = folder.join("remote.csv");
        let csv = File::create(&path).map_err(|problem| Failure::file(&path, problem))?;
        let (queue, pictures) = sync_channel(QUEUE);
        let thread = std::thread::Builder::new()
            .name("recorder".to_owned())
            .spawn(move || {
                if let Err(problem) = write_all(&pictures, y4m, BufWriter::new(csv)) {
                    output::say(format!("The recording stops: {problem}."));
                }
            })
            .map_err(|problem| Failure::file(folder, problem))?;
        Ok(Self {
            queue: Some(queue),
            thread: Some(thread),
            left_out: 0,
        })
    }

    /// Takes a picture; never waits. What the disk is too slow for is left out of the recording.
    pub fn push(&mut self, number: u64, unix_ms: f64, frame: VideoFrame) {
        let picture = Picture {
            number,
            unix_ms,
            frame,
        };
        if let Some(queue) = &self.queue
            && queue.try_send(picture).is_err()
        {
            self.left_out += 1;
        }
    }
}

impl Drop for VideoRecorder {
    fn drop(&mut self) {
        self.queue = None;
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
        if self.left_out > 0 {
            output::say(format!(
                "The disk was too slow for {} pictures; they are not in the recording.",
                self.left_out
            ));
        }
    }
}

fn write_all(
    pictures: &Receiver<Picture>,
    mut y4m: Y4mWriter,
    mut csv: impl Write,
) -> Result<(), Box<dyn std::error::Error>> {
    writeln!(csv, "frame,unixMs,width,height")?;
    while let Ok(picture) = pictures.recv() {
        let VideoFrame { width, height, .. } = picture.frame;
        writeln!(
            csv,
            "{},{:.1},{width},{height}",
            picture.number, picture.unix_ms
        )?;
        y4m.write(&picture.frame)?;
    }
    csv.flush()?;
    Ok(())
}
