//! `vireo-server [options]`: serves until it is asked to stop.

use std::io::Write;
use std::path::Path;

use serde_json::json;
use tokio_util::sync::CancellationToken;
use vireo_protocol::InviteLink;

use super::options::Options;
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
    let server = Server::start(config)
        .await
        .map_err(|error| error.to_string())?;
    let invite = server
        .first_invite()
        .await
        .map_err(|error| error.to_string())?;
    announce(&server, invite);
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
        stop_requested().await;
        stop.cancel();
    };
    tokio::join!(echo, examined, stopped);
    // Whoever asks twice does not want to wait.
    tokio::select! {
        () = server.drain() => {}
        () = stop_requested() => {}
    }
    server.shutdown().await;
    Ok(())
}

/// Scripts read the first line of standard output to learn where the server is.
fn announce(server: &Running, invite: Option<String>) {
    let invite = invite.map(|token| InviteLink {
        server: server.public_address(),
        token,
    });
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
