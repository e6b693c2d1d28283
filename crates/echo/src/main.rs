//! The Echo test as a program of its own. `vireo-server` starts it when it lies beside it.
//!
//! It takes one line of JSON from its standard input, `{"url": "…", "token": "…"}`, and runs until that input is closed: a
//! server that is gone, however it went, leaves no Echo test behind.

use std::io::{IsTerminal, Write};
use std::process::ExitCode;

use tokio::io::{AsyncBufReadExt, AsyncReadExt, BufReader};
use tokio_util::sync::CancellationToken;
use tracing_subscriber::EnvFilter;
use vireo_echo::Credentials;

/// The environment variable that says what is logged to standard error, such as `info` or `vireo_call=debug`.
const LOG_VARIABLE: &str = "VIREO_LOG";

fn main() -> ExitCode {
    tracing_subscriber::fmt()
        // Of ours alone: what libraries write down may hold addresses.
        .with_env_filter(
            EnvFilter::try_from_env(LOG_VARIABLE).unwrap_or_else(|_| "vireo=warn".into()),
        )
        .with_writer(std::io::stderr)
        .with_ansi(std::io::stderr().is_terminal())
        .init();
    let ended = tokio::runtime::Runtime::new()
        .map_err(Into::into)
        .and_then(|runtime| {
            let ended = runtime.block_on(run());
            // The thread that reads the standard input may wait for ever.
            runtime.shutdown_background();
            ended
        });
    match ended {
        Ok(()) => ExitCode::SUCCESS,
        Err(problem) => {
            let _ = writeln!(std::io::stderr(), "The Echo test stops: {problem}");
            ExitCode::FAILURE
        }
    }
}

async fn run() -> Result<(), Box<dyn std::error::Error>> {
    let mut input = BufReader::new(tokio::io::stdin());
    let mut line = String::new();
    input.read_line(&mut line).await?;
    let credentials: Credentials = serde_json::from_str(&line).map_err(
        |_| "the first line of its standard input has to be {\"url\": \"…\", \"token\": \"…\"}.",
    )?;
    let cancel = CancellationToken::new();
    let stop = cancel.clone();
    tokio::spawn(async move {
        // Whatever else comes is of no interest; the end of it is.
        let _ = input.read_to_end(&mut Vec::new()).await;
        stop.cancel();
    });
    tokio::select! {
        ended = vireo_echo::run(credentials, cancel) => Ok(ended?),
        _ = tokio::signal::ctrl_c() => Ok(()),
    }
}
