//! `--coded`: the remote pictures as they came, for whoever wants to look at what the codec made of them.

use std::fs::File;
use std::io::BufWriter;
use std::path::Path;
use std::sync::{Arc, Mutex};

use vireo_media::EncodedFrame;
use vireo_media::video::IvfWriter;

use crate::failure::Failure;
use crate::playback::lock;

/// The file, until its first picture comes and afterwards. Copies write to the same file.
#[derive(Clone)]
pub struct CodedFile(Arc<Mutex<State>>);

enum State {
    Empty(Option<File>),
    Begun(IvfWriter<BufWriter<File>>),
}

impl CodedFile {
    /// Opens the file, made anew.
    ///
    /// # Errors
    /// Bad file.
    pub fn create(path: &Path) -> Result<Self, Failure> {
        let file = File::create(path).map_err(|problem| Failure::file(path, problem))?;
        Ok(Self(Arc::new(Mutex::new(State::Empty(Some(file))))))
    }

    /// A picture has come. A full disk is no reason to break a call, so what cannot be written is missing.
    pub fn frame(&self, frame: &EncodedFrame) {
        let mut state = lock(&self.0);
        if let State::Empty(file) = &mut *state
            && let Some(file) = file.take()
            && let Ok(begun) =
                IvfWriter::begin(BufWriter::new(file), frame.codec, frame.width, frame.height)
        {
            *state = State::Begun(begun);
        }
        if let State::Begun(file) = &mut *state {
            let _ = file.write(frame.rtp_timestamp.into(), &frame.data);
        }
    }

    /// Writes what still waits.
    pub fn flush(&self) {
        if let State::Begun(file) = &mut *lock(&self.0) {
            let _ = file.flush();
        }
    }
}
