//! Sound on its way from the speaker to the microphone, changed by whatever it comes through.

use std::{
    io::{Read, Write},
    process::{Child, Stdio},
    thread::{self, JoinHandle},
};

use anyhow::Context;

use super::{Pulse, end};

/// Sound that is being passed on. Ended when dropped.
pub struct Passing {
    children: [Child; 2],
    thread: Option<JoinHandle<()>>,
}

impl Pulse {
    /// Lets the microphone hear what `through` makes of each piece of the speaker's sound, besides what else is played
    /// into it. The way there takes some 30 ms.
    ///
    /// # Errors
    /// When `pacat` cannot be started.
    pub fn pass_speaker_to_microphone(
        &self,
        mut through: impl FnMut(&mut [f32]) + Send + 'static,
    ) -> anyhow::Result<Passing> {
        let mut from = self
            .pacat("--record", "speaker.monitor")
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .spawn()?;
        let mut to = self
            .pacat("--playback", "feed")
            // The last one counts. More waits here than elsewhere: were the way to become longer by a hole in it, the
            // echo would move, as it does in no room.
            .arg("--latency-msec=50")
            .stdin(Stdio::piped())
            .stdout(Stdio::null())
            .spawn()?;
        let mut output = from.stdout.take().context("the pipe was asked for")?;
        let mut input = to.stdin.take().context("the pipe was asked for")?;
        let thread = thread::spawn(move || {
            let mut piece = [0; 4 * 480];
            while output.read_exact(&mut piece).is_ok() {
                let (bytes, _) = piece.as_chunks_mut::<4>();
                let mut samples: Vec<f32> = bytes
                    .iter()
                    .map(|bytes| f32::from_le_bytes(*bytes))
                    .collect();
                through(&mut samples);
                for (bytes, sample) in bytes.iter_mut().zip(samples) {
                    *bytes = sample.to_le_bytes();
                }
                if input.write_all(&piece).is_err() {
                    break;
                }
            }
        });
        Ok(Passing {
            children: [from, to],
            thread: Some(thread),
        })
    }
}

impl Drop for Passing {
    fn drop(&mut self) {
        self.children.iter_mut().for_each(end);
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}
