//! `vireo-server [options]`: serves until it is asked to stop.

use std::io::Write;
use std::path::Path;

use serde_json::json;
use tokio_util::sync::CancellationToken;
use vireo_protocol::InviteLink;

use super::options::Options;
use super::signals::{Asked, Signals};
use super::{Common, welcome};
use crate::config::Config;
use crate::doctor;
use crate::echo::{echo_program, keep_echo_running};
use crate::serve::{Running, Server};

/// Serves until ctrl-c or SIGTERM.
///
/// # Errors
/// A sentence that says why the server could not start.
pub async fn run(common: &Common, options: Options) -> Result<(), String> {
    let data = common.data()?;
    let config = Config {
        database: common.database()?,
        ..options.config(data.clone())?
    };
    // Whoever reads that the server has started may stop it at once.
    let mut signals = Signals::listen().map_err(|error| error.to_string())?;
    let server = Server::start(config)
        .await
        .map_err(|error| error.to_string())?;
    let invite = server
        .first_invite()
        .await
        .map_err(|error| error.to_string())?;
    announce(&server, invite).await;
    let stop = CancellationToken::new();
    let echo = async {
        if let Some(program) = echo_program() {
            keep_echo_running(&program, &server, stop.clone()).await;
        }
    };
    let examined = async {
        tokio::select! {
            () = stop.cancelled() => {}
            () = examine(&server, &data) => {}
        }
    };
    let stopped = async {
        loop {
            match signals.next().await {
                Asked::Stop => break,
                Asked::Reload => server.reload_certificate(),
            }
        }
        stop.cancel();
    };
    tokio::join!(echo, examined, stopped);
    // Whoever asks twice does not want to wait.
    tokio::select! {
        () = server.drain() => {}
        () = signals.stop() => {}
    }
    server.shutdown().await;
    Ok(())
}

/// Scripts read the first line of standard output to learn where the server is.
async fn announce(server: &Running, invite: Option<String>) {
    let invite = match invite {
        Some(token) => Some(server.link(token).await),
        None => None,
    };
    let line = json!({
        "url": server.url(),
        "fingerprint": server.fingerprint().map(|fingerprint| fingerprint.to_string()),
        "invite": invite.as_ref().map(InviteLink::to_string),
    });
    if let Some(invite) = &invite {
        welcome::invitation(invite);
    }
    print(&line);
}

/// Tries the server out, says how it is, and does so again for whoever runs `vireo-server doctor`.
async fn examine(server: &Running, data: &Path) {
    let say = async {
        let report = server.self_test().await;
        welcome::report(&report);
        print(&json!({ "selfTest": report }));
    };
    let answer = async {
        if let Err(error) = doctor::answer(server, data).await {
            tracing::warn!(%error, "vireo-server doctor cannot ask this server");
        }
    };
    tokio::join!(say, answer);
}

/// A line of standard output.
fn print(line: &serde_json::Value) {
    let mut stdout = std::io::stdout().lock();
    let _ = writeln!(stdout, "{line}");
    let _ = stdout.flush();
}
