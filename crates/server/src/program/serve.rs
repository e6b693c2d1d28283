//! `vireo-server [options]`: serves until it is asked to stop.

use std::io::Write;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::time::Duration;

use clap::Args;
use tokio_util::sync::CancellationToken;

use super::Common;
use super::relay::RelayOptions;
use crate::bus::BusConfig;
use crate::config::Config;
use crate::drain::DEFAULT_DRAIN;
use crate::echo::{echo_program, keep_echo_running};
use crate::ice::{IceConfig, TurnSecret};
use crate::serve::Server;

/// How to serve.
#[derive(Debug, Args)]
pub struct Options {
    /// Where to listen: an address of this computer; port 0 takes any free one
    #[arg(long, value_name = "IP:PORT", default_value = "127.0.0.1:7450")]
    listen: SocketAddr,
    /// Speak plain HTTP (so far the only way, and therefore on this computer only)
    #[arg(long)]
    no_tls: bool,
    /// Let anyone who can reach the server make an account (so far always so)
    #[arg(long)]
    open_registration: bool,
    /// End a call that nobody answers after so long
    #[arg(long, value_name = "SECONDS", default_value_t = 30.0, value_parser = seconds)]
    answer_timeout: f64,
    /// A STUN server to hand out to clients (may be repeated)
    #[arg(long, value_name = "HOST:PORT", value_parser = host_and_port)]
    stun: Vec<String>,
    /// A TURN server (UDP) to hand out to clients: coturn, or that of another instance (may be repeated)
    #[arg(long, value_name = "HOST:PORT", value_parser = host_and_port)]
    turn: Vec<String>,
    /// File with the secret shared with the TURN servers (coturn's static-auth-secret) [default: that of the instances]
    #[arg(long, value_name = "FILE")]
    turn_secret_file: Option<PathBuf>,
    /// File with the token that lets other computers read /metrics; without it only this computer may
    #[arg(long, value_name = "FILE")]
    metrics_token_file: Option<PathBuf>,
    /// Before stopping, close the connections spread over so long, so that clients move
    #[arg(long, value_name = "SECONDS", default_value_t = DEFAULT_DRAIN.as_secs_f64(), value_parser = drain_seconds)]
    drain_seconds: f64,
    /// The address by which clients reach this instance, where there are several
    #[arg(long, value_name = "URL", requires = "bus")]
    public_url: Option<String>,
    #[command(flatten)]
    relay: RelayOptions,
    /// Work as one with other servers that use the same --database, by way of this Redis (redis://…)
    #[arg(long, value_name = "URL", env = "VIREO_BUS", hide_env_values = true)]
    bus: Option<String>,
}

fn seconds(text: &str) -> Result<f64, String> {
    match text.parse() {
        Ok(seconds) if (0.1..=3600.0).contains(&seconds) => Ok(seconds),
        _ => Err("a number of seconds from 0.1 to 3600".to_owned()),
    }
}

fn drain_seconds(text: &str) -> Result<f64, String> {
    match text.parse() {
        Ok(seconds) if (0.0..=300.0).contains(&seconds) => Ok(seconds),
        _ => Err("a number of seconds from 0 to 300".to_owned()),
    }
}

fn host_and_port(text: &str) -> Result<String, String> {
    let is_host = |host: &str| !host.is_empty() && !host.contains([' ', '/', '?', '@']);
    match text.rsplit_once(':') {
        Some((host, port)) if is_host(host) && port.parse::<u16>().is_ok() => Ok(text.to_owned()),
        _ => Err("an address such as turn.example.org:3478".to_owned()),
    }
}

/// Serves until ctrl-c or SIGTERM.
///
/// # Errors
/// A sentence that says why the server could not start.
pub async fn run(common: &Common, options: Options) -> Result<(), String> {
    let config = Config {
        database: common.database()?,
        ..options.config(common.data()?)?
    };
    let server = Server::start(config)
        .await
        .map_err(|error| error.to_string())?;
    announce(server.url());
    let stop = CancellationToken::new();
    let echo = async {
        if let Some(program) = echo_program() {
            keep_echo_running(&program, &server, stop.clone()).await;
        }
    };
    let stopped = async {
        stop_requested().await;
        stop.cancel();
    };
    tokio::join!(echo, stopped);
    // Whoever asks twice does not want to wait.
    tokio::select! {
        () = server.drain() => {}
        () = stop_requested() => {}
    }
    server.shutdown().await;
    Ok(())
}

impl Options {
    fn config(self, data: PathBuf) -> Result<Config, String> {
        let turn_secret = self.turn_secret_file.as_deref().map(secret_in);
        let metrics_token = self.metrics_token_file.as_deref().map(secret_in);
        Ok(Config {
            relay: self.relay.config(self.listen),
            listen: self.listen,
            answer_timeout: Duration::from_secs_f64(self.answer_timeout),
            ice: IceConfig {
                stun: self.stun,
                turn: self.turn,
                turn_secret: turn_secret.transpose()?.as_deref().map(TurnSecret::from),
                relay: None,
            },
            bus: self.bus.map(|redis| BusConfig {
                redis,
                public_url: self.public_url,
            }),
            drain: Duration::from_secs_f64(self.drain_seconds),
            metrics_token: metrics_token.transpose()?,
            ..Config::new(data)
        })
    }
}

/// What the file holds, without the end of its line.
fn secret_in(file: &Path) -> Result<String, String> {
    let text = std::fs::read_to_string(file);
    let text = text.map_err(|error| format!("{} cannot be read: {error}.", file.display()))?;
    match text.trim() {
        "" => Err(format!("{} is empty.", file.display())),
        secret => Ok(secret.to_owned()),
    }
}

/// Scripts read the first line of standard output to learn where the server is.
fn announce(url: &str) {
    let line = serde_json::json!({ "url": url });
    let mut stdout = std::io::stdout().lock();
    let _ = writeln!(stdout, "{line}");
    let _ = stdout.flush();
}

/// Waits for ctrl-c or, where there is such a thing, SIGTERM.
async fn stop_requested() {
    let interrupted = async {
        if tokio::signal::ctrl_c().await.is_err() {
            std::future::pending::<()>().await;
        }
    };
    #[cfg(unix)]
    {
        use tokio::signal::unix::{SignalKind, signal};
        if let Ok(mut terminate) = signal(SignalKind::terminate()) {
            tokio::select! {
                () = interrupted => {}
                _ = terminate.recv() => {}
            }
            return;
        }
    }
    interrupted.await;
}
