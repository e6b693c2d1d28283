//! Listens to the microphone: for its meter, and for a recording that is played back.

use std::{thread, time::Duration};

use vireo_call::VoiceSettings;
use vireo_media::{AudioFrame, AudioSource, MediaError, audio::VoiceProcessor};

use super::{meter::Meter, view::Teller};
use crate::devices::Loan;

/// Between two attempts to open a microphone.
const RETRY: Duration = Duration::from_secs(1);

/// A microphone that gives nothing is not waited for any longer before it is seen whether it is still wanted.
const LOOK_AROUND: Duration = Duration::from_millis(40);

/// How long a recording is, in frames of 10 ms.
const RECORDING: usize = 500;

/// What becomes of what is heard.
pub struct Listener {
    /// Shows how loud it is.
    pub meter: Meter,
    /// Whether it is to be recorded, and how voices are processed then; asked every 10 ms.
    pub records: Box<dyn Fn() -> Option<VoiceSettings> + Send>,
    /// Takes a recording that is complete.
    pub recorded: Box<dyn Fn(Vec<AudioFrame>) + Send>,
    /// Hears why there is no sound, and that there is.
    pub tell: Teller,
}

/// Listens until the microphone is called back, on a thread of its own.
///
/// # Errors
/// When the system gives no thread.
pub fn listen(
    loan: Loan,
    open: impl Fn() -> Result<Option<Box<dyn AudioSource>>, MediaError> + Send + 'static,
    listener: Listener,
) -> std::io::Result<()> {
    let run = move || {
        while !loan.is_over() {
            match open() {
                Ok(None) => return,
                Ok(Some(microphone)) => {
                    (listener.tell)(None);
                    if let Err(error) = read(microphone, &loan, &listener) {
                        (listener.tell)(Some(&error));
                    }
                }
                Err(error) => (listener.tell)(Some(&error)),
            }
            loan.pause(RETRY);
        }
    };
    thread::Builder::new()
        .name("level".into())
        .spawn(run)
        .map(drop)
}

fn read(
    mut microphone: Box<dyn AudioSource>,
    loan: &Loan,
    listener: &Listener,
) -> Result<(), MediaError> {
    let processor = VoiceProcessor::new();
    let mut recording = Vec::new();
    while !loan.is_over() {
        if !microphone.wait(LOOK_AROUND)? {
            continue;
        }
        let mut frame = microphone.read()?;
        listener.meter.hear(&frame);
        let Some(voice) = (listener.records)() else {
            recording.clear();
            continue;
        };
        // As the others would hear it.
        if microphone.is_device() {
            processor.set(voice);
            processor.capture(&mut frame);
        }
        recording.push(frame);
        if recording.len() == RECORDING {
            (listener.recorded)(std::mem::take(&mut recording));
        }
    }
    Ok(())
}
