//! Shows what the camera sees to the person in front of it.

use std::{thread, time::Duration};

use vireo_media::{MediaError, VideoSink, VideoSource};

use crate::devices::Loan;

/// Between two attempts to open a camera.
const RETRY: Duration = Duration::from_secs(1);

/// Shows pictures until the camera is called back, on a thread of its own. `tell` hears why there are none, and that there are.
///
/// # Errors
/// When the system gives no thread.
pub fn show(
    loan: Loan,
    open: impl Fn() -> Result<Option<Box<dyn VideoSource>>, MediaError> + Send + 'static,
    mut sink: Box<dyn VideoSink>,
    tell: impl Fn(Option<&MediaError>) + Send + 'static,
) -> std::io::Result<()> {
    let run = move || {
        while !loan.is_over() {
            match open() {
                Ok(None) => return,
                Ok(Some(camera)) => {
                    let shown = read(camera, &loan, sink.as_mut(), || tell(None));
                    if let Err(error) = shown {
                        tell(Some(&error));
                    }
                }
                Err(error) => tell(Some(&error)),
            }
            loan.pause(RETRY);
        }
    };
    thread::Builder::new()
        .name("preview".into())
        .spawn(run)
        .map(drop)
}

fn read(
    mut camera: Box<dyn VideoSource>,
    loan: &Loan,
    sink: &mut dyn VideoSink,
    first: impl FnOnce(),
) -> Result<(), MediaError> {
    let mut first = Some(first);
    while !loan.is_over() {
        let frame = camera.next_frame()?;
        if let Some(first) = first.take() {
            first();
        }
        sink.frame(&frame);
    }
    Ok(())
}
