//! What a person keeps of a call, or hands to somebody who helps: each becomes a file.

use std::{
    collections::VecDeque,
    sync::{Mutex, PoisonError},
};

use tauri::ipc::{InvokeBody, Request};
use vireo_call::CallStats;

use crate::{
    files::{self, Keepsake},
    view::CommandError,
};

/// What every PNG file begins with.
const PNG: &[u8] = b"\x89PNG\r\n\x1a\n";

/// More than a picture of 4K has, in bytes.
const LARGEST_PICTURE: usize = 64 << 20;

/// So many sets of figures are remembered: two minutes of them.
const FIGURES: usize = 120;

/// The figures of a call that somebody looks at, the newest last.
#[derive(Default)]
pub struct Figures(Mutex<VecDeque<CallStats>>);

impl Figures {
    /// Remembers these for a while.
    pub fn remember(&self, stats: Option<&CallStats>) {
        // Every change under this lock is whole.
        let mut figures = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if figures.len() == FIGURES {
            figures.pop_front();
        }
        figures.extend(stats.cloned());
    }

    fn json(&self) -> Vec<u8> {
        let figures = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        serde_json::to_vec_pretty(&*figures).expect("plain data has a JSON form")
    }
}

/// Keeps a picture that the window has sent as a PNG file, with the person's time beside it. Returns where.
///
/// # Errors
/// When it is no picture, or cannot be written.
pub fn screenshot(request: &Request<'_>) -> Result<String, CommandError> {
    let at = request.headers().get("taken-at");
    let at = at.and_then(|at| at.to_str().ok()).unwrap_or_default();
    match request.body() {
        InvokeBody::Raw(png) if png.starts_with(PNG) && png.len() <= LARGEST_PICTURE => {
            keep(Keepsake::Screenshot, at, png)
        }
        _ => Err(CommandError::of_file("That is no picture.")),
    }
}

/// Keeps the figures of the last two minutes in which somebody looked at them. Returns where.
///
/// # Errors
/// When they cannot be written.
pub fn statistics(figures: &Figures, at: &str) -> Result<String, CommandError> {
    keep(Keepsake::Statistics, at, &figures.json())
}

/// Keeps what the application has written down lately. Returns where.
///
/// # Errors
/// When it cannot be written.
pub fn log(text: &str, at: &str) -> Result<String, CommandError> {
    keep(Keepsake::Log, at, text.as_bytes())
}

fn keep(what: Keepsake, at: &str, content: &[u8]) -> Result<String, CommandError> {
    match files::keep(what, at, content) {
        Ok(path) => Ok(path.display().to_string()),
        Err(error) => Err(CommandError::of_file(&error.to_string())),
    }
}
