//! coturn, the TURN server that most people run.

use std::path::PathBuf;
use std::process::Stdio;
use std::time::Duration;

use anyhow::Context;
use tempfile::TempDir;
use tokio::process::{Child, Command};
use tokio::time::timeout;

use super::{Network, TURN, TURN_PORT};

const START: Duration = Duration::from_secs(20);
const SECRET_FILE: &str = "secret";
const SECRET: &str = "shared by the two servers";

/// A TURN server in the middle of a network, which is a STUN server too. Killed when dropped.
pub struct TurnServer {
    _child: Child,
    folder: TempDir,
}

impl TurnServer {
    /// Starts it and waits until it listens.
    ///
    /// # Errors
    /// When it is not installed or does not start.
    pub async fn start(network: &Network) -> anyhow::Result<Self> {
        let folder = tempfile::tempdir()?;
        let file = |name: &str| folder.path().join(name);
        std::fs::write(file(SECRET_FILE), SECRET)?;
        let mut command = Command::from(network.middle().command("turnserver"));
        command
            .arg("-n")
            .arg(format!("--listening-ip={TURN}"))
            .arg(format!("--relay-ip={TURN}"))
            .arg(format!("--listening-port={TURN_PORT}"))
            .args(["--use-auth-secret", "--realm=vireo.test"])
            .arg(format!("--static-auth-secret={SECRET}"))
            .args(["--no-tls", "--no-dtls", "--no-tcp", "--no-cli"])
            .arg("--log-file=stdout")
            .arg(format!("--userdb={}", file("turn.sqlite").display()))
            .arg(format!("--pidfile={}", file("turn.pid").display()));
        let child = command
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .kill_on_drop(true)
            .spawn()
            .context("coturn's turnserver cannot be started")?;
        timeout(START, until_it_answers(network))
            .await
            .context("coturn's turnserver does not answer")??;
        Ok(Self {
            _child: child,
            folder,
        })
    }

    /// Its address, as `vireo-server` takes it.
    #[must_use]
    pub fn address(&self) -> String {
        format!("{TURN}:{TURN_PORT}")
    }

    /// The file with the secret that it shares with `vireo-server`.
    #[must_use]
    pub fn secret_file(&self) -> PathBuf {
        self.folder.path().join(SECRET_FILE)
    }
}

/// It says nothing when it is ready, so it is asked by coturn's own client, which waits for ever for an answer.
async fn until_it_answers(network: &Network) -> anyhow::Result<()> {
    loop {
        let mut ask = Command::from(network.middle().command("turnutils_stunclient"));
        ask.arg(format!("-p{TURN_PORT}")).arg(TURN.to_string());
        let asked = ask.stdout(Stdio::null()).kill_on_drop(true).status();
        if let Ok(status) = timeout(Duration::from_millis(200), asked).await
            && status?.success()
        {
            return Ok(());
        }
    }
}
