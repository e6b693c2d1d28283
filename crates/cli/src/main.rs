//! Vireo's client in a terminal, for scripts, monitoring and tests.
//!
//! A call from here is a call like any other: the same client, the same engine, the same peer connection. What differs is
//! where devices come from ([`media`]) and that the remote picture is decoded natively and measured ([`decode`]).

mod account;
mod args;
mod call;
mod check;
mod choices;
mod coded;
mod commands;
mod contacts;
mod control;
mod ctl;
mod decode;
mod devices;
mod failure;
mod finish;
mod frames;
mod invites;
mod join;
mod latency;
mod media;
mod output;
mod person;
mod playback;
mod record;
mod signals;
mod sounds;
mod statistics;

use std::process::ExitCode;
use std::time::Duration;

use clap::Parser;
use tracing_subscriber::EnvFilter;

use crate::failure::{Failure, Status};

/// The environment variable that says what is logged to standard error, such as `debug` or `vireo_call=trace`.
const LOG_VARIABLE: &str = "VIREO_LOG";

fn main() -> ExitCode {
    vireo_media::audio::find_sound_server();
    let arguments = args::Arguments::parse();
    tracing_subscriber::fmt()
        .with_env_filter(EnvFilter::try_from_env(LOG_VARIABLE).unwrap_or_else(|_| "off".into()))
        .with_writer(std::io::stderr)
        .init();
    // One thread: media has its own, and what passes between few tasks costs less without waking others.
    let ended = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .map_err(|problem| Failure::new(Status::Other, format!("Vireo cannot start: {problem}.")))
        .and_then(|runtime| {
            let ended = runtime.block_on(commands::run(&arguments));
            // A camera's driver that hangs must not keep the process.
            runtime.shutdown_timeout(Duration::from_secs(1));
            ended
        });
    match ended {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => {
            output::say(&failure);
            failure.into()
        }
    }
}
