//! Keeps `vireo-echo` running where it lies beside this program.
//!
//! The server's address and a token reach it as one line of JSON on its standard input, where no other process can see
//! them. That input then stays open: when this process is gone, however it went, the child reads its end and stops.

use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::Duration;

use tokio::io::AsyncWriteExt;
use tokio::process::{Child, Command};
use tokio::time::{Instant, sleep, timeout};
use tokio_util::sync::CancellationToken;

use crate::serve::Running;

const PROGRAM: &str = "vireo-echo";

/// The first restart comes after so long, each further one after twice as long as the one before.
const FIRST_PAUSE: Duration = Duration::from_millis(500);

/// No pause is longer.
const LONGEST_PAUSE: Duration = Duration::from_secs(60);

/// A child that ran for so long was all right: the pauses begin anew.
const STEADY: Duration = Duration::from_secs(60);

/// A child that is asked to stop gets so long to hang up.
const STOP: Duration = Duration::from_secs(3);

/// The Echo program beside the running one, if there is one.
#[must_use]
pub fn echo_program() -> Option<PathBuf> {
    let beside = std::env::current_exe().ok()?;
    let program = beside.with_file_name(format!("{PROGRAM}{}", std::env::consts::EXE_SUFFIX));
    program.is_file().then_some(program)
}

/// Runs the program, again and again, until it is cancelled.
pub async fn keep_echo_running(program: &Path, server: &Running, cancel: CancellationToken) {
    let mut pause = FIRST_PAUSE;
    loop {
        let started = Instant::now();
        match start(program, server).await {
            Ok(child) => {
                if run_until(child, &cancel).await {
                    return;
                }
                tracing::warn!("the Echo test has stopped; it is started again");
            }
            Err(error) => tracing::warn!(%error, "the Echo test cannot be started"),
        }
        pause = next_pause(pause, started.elapsed());
        tokio::select! {
            () = cancel.cancelled() => return,
            () = sleep(pause) => {}
        }
    }
}

fn next_pause(last: Duration, ran_for: Duration) -> Duration {
    match ran_for >= STEADY {
        true => FIRST_PAUSE,
        false => (last * 2).min(LONGEST_PAUSE),
    }
}

async fn start(program: &Path, server: &Running) -> Result<Child, Box<dyn std::error::Error>> {
    let token = server.service_token().await?;
    let credentials = serde_json::json!({ "url": server.service_url(), "token": token });
    let mut child = Command::new(program)
        .stdin(Stdio::piped())
        // Standard output is the server's own.
        .stdout(Stdio::null())
        .kill_on_drop(true)
        .spawn()?;
    if let Some(stdin) = &mut child.stdin {
        stdin
            .write_all(format!("{credentials}\n").as_bytes())
            .await?;
        stdin.flush().await?;
    }
    Ok(child)
}

/// Waits for the child to end. True when that was because it was asked to.
async fn run_until(mut child: Child, cancel: &CancellationToken) -> bool {
    // `wait` would close the standard input, which asks the child to stop.
    let stdin = child.stdin.take();
    tokio::select! {
        _ = child.wait() => return false,
        () = cancel.cancelled() => {}
    }
    drop(stdin);
    if timeout(STOP, child.wait()).await.is_err() {
        let _ = child.kill().await;
    }
    true
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pauses_grow_to_a_bound_and_begin_anew() {
        let short = Duration::from_secs(1);
        let mut pause = FIRST_PAUSE;
        for _ in 0..10 {
            let longer = next_pause(pause, short);
            assert!(longer > pause || longer == LONGEST_PAUSE);
            pause = longer;
        }
        assert_eq!(pause, LONGEST_PAUSE);
        assert_eq!(next_pause(pause, STEADY), FIRST_PAUSE);
    }
}
