//! A real `vireo-cli`, its events read as they come.

use std::process::Stdio;
use std::time::Duration;

use anyhow::{Context, bail, ensure};
use serde_json::Value;
use tokio::io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader};
use tokio::process::{Child, Command};
use tokio::sync::mpsc;
use tokio::task::JoinHandle;
use tokio::time::timeout;

use crate::binaries::binary;
use crate::server::Account;

/// Longer than anything these tests wait for takes on a busy machine.
const PATIENCE: Duration = Duration::from_secs(60);

/// A running `vireo-cli`. Killed when dropped.
pub struct Cli {
    child: Child,
    incoming: mpsc::UnboundedReceiver<Value>,
    lines: Vec<Value>,
    stderr: JoinHandle<String>,
}

/// How a `vireo-cli` ended.
#[derive(Debug)]
pub struct Ended {
    /// The exit status.
    pub status: i32,
    /// What it said to people.
    pub stderr: String,
    /// Every line of its standard output.
    pub lines: Vec<Value>,
}

impl Ended {
    /// The event of this name, the last one if there are several.
    #[must_use]
    pub fn event(&self, name: &str) -> Option<&Value> {
        self.lines.iter().rev().find(|line| line["event"] == name)
    }
}

fn signed_in(mut command: Command, url: &str, account: &Account, arguments: &[&str]) -> Command {
    command
        .args(["--server", url, "--user", &account.name, "--password-file"])
        .arg(&account.password_file)
        .args(arguments);
    command
}

impl Cli {
    /// Starts it as this person on this server.
    ///
    /// # Errors
    /// When it is not built or cannot be started.
    pub fn start(url: &str, account: &Account, arguments: &[&str]) -> anyhow::Result<Self> {
        let command = Command::new(binary("vireo-cli")?);
        Self::start_with(command, url, account, arguments)
    }

    /// Starts it by this command, as this person on this server.
    ///
    /// # Errors
    /// When it cannot be started.
    pub fn start_with(
        command: Command,
        url: &str,
        account: &Account,
        arguments: &[&str],
    ) -> anyhow::Result<Self> {
        Self::spawn(signed_in(command, url, account, arguments))
    }

    /// Starts it with a log of everything that Vireo itself writes down.
    ///
    /// # Errors
    /// When it cannot be started.
    pub fn start_logging(url: &str, account: &Account, arguments: &[&str]) -> anyhow::Result<Self> {
        let mut command = Command::new(binary("vireo-cli")?);
        let everything =
            "info,vireo_cli=trace,vireo_client=trace,vireo_call=trace,vireo_media=trace";
        command.env("VIREO_LOG", everything).env("NO_COLOR", "1");
        Self::start_with(command, url, account, arguments)
    }

    /// The same as [`Self::start_with`], listening to what it is told.
    ///
    /// # Errors
    /// When it cannot be started.
    pub fn start_controlled(
        command: Command,
        url: &str,
        account: &Account,
        arguments: &[&str],
    ) -> anyhow::Result<Self> {
        let mut command = signed_in(command, url, account, arguments);
        command.arg("--control").stdin(Stdio::piped());
        Self::spawn_listening(command)
    }

    /// Starts it with nothing but these arguments.
    ///
    /// # Errors
    /// When it is not built or cannot be started.
    pub fn bare(arguments: &[&str]) -> anyhow::Result<Self> {
        let mut command = Command::new(binary("vireo-cli")?);
        command.args(arguments);
        Self::spawn(command)
    }

    /// Starts it as this command says.
    ///
    /// # Errors
    /// When it cannot be started.
    pub fn spawn(mut command: Command) -> anyhow::Result<Self> {
        command.stdin(Stdio::null());
        Self::spawn_listening(command)
    }

    /// Says a line to it.
    ///
    /// # Errors
    /// When it does not listen.
    pub async fn tell(&mut self, line: &str) -> anyhow::Result<()> {
        let input = self.child.stdin.as_mut().context("it does not listen")?;
        input.write_all(format!("{line}\n").as_bytes()).await?;
        Ok(input.flush().await?)
    }

    fn spawn_listening(mut command: Command) -> anyhow::Result<Self> {
        let mut child = command
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .kill_on_drop(true)
            .spawn()
            .context("vireo-cli cannot be started")?;
        let stdout = child.stdout.take().context("the pipe was asked for")?;
        let mut stderr = child.stderr.take().context("the pipe was asked for")?;
        let (line, incoming) = mpsc::unbounded_channel();
        tokio::spawn(async move {
            let mut lines = BufReader::new(stdout).lines();
            while let Ok(Some(text)) = lines.next_line().await {
                let value = serde_json::from_str(&text)
                    .unwrap_or_else(|problem| panic!("no JSON ({problem}): {text:?}"));
                if line.send(value).is_err() {
                    break;
                }
            }
        });
        let stderr = tokio::spawn(async move {
            let mut text = String::new();
            let _ = stderr.read_to_string(&mut text).await;
            text
        });
        Ok(Self {
            child,
            incoming,
            lines: Vec::new(),
            stderr,
        })
    }

    /// The process.
    #[must_use]
    pub fn id(&self) -> Option<u32> {
        self.child.id()
    }

    /// Waits for an event.
    ///
    /// # Errors
    /// When the program ends without it, or it does not come in a minute.
    pub async fn event(&mut self, name: &str) -> anyhow::Result<Value> {
        self.event_like(name, |_| true).await
    }

    /// Waits for an event of which `is_it` is true.
    ///
    /// # Errors
    /// As [`Self::event`].
    pub async fn event_like(
        &mut self,
        name: &str,
        is_it: impl Fn(&Value) -> bool,
    ) -> anyhow::Result<Value> {
        loop {
            let line = timeout(PATIENCE, self.incoming.recv())
                .await
                .with_context(|| format!("no “{name}” after {:?}", self.lines))?;
            let Some(line) = line else {
                let stderr = (&mut self.stderr).await?;
                bail!("it ended without “{name}” after {:?}: {stderr}", self.lines);
            };
            self.lines.push(line.clone());
            if line["event"] == name && is_it(&line) {
                return Ok(line);
            }
        }
    }

    /// Presses Ctrl-C.
    ///
    /// # Errors
    /// When it has already ended.
    pub async fn interrupt(&self) -> anyhow::Result<()> {
        self.signal("INT").await
    }

    /// Sends a signal by name.
    ///
    /// # Errors
    /// When it has already ended.
    pub async fn signal(&self, name: &str) -> anyhow::Result<()> {
        let id = self.id().context("it has already ended")?.to_string();
        let sent = Command::new("kill")
            .args(["-s", name, &id])
            .status()
            .await?;
        ensure!(sent.success(), "the signal {name} cannot be sent");
        Ok(())
    }

    /// Waits until it ends by itself.
    ///
    /// # Errors
    /// When it has not ended after a minute, or was killed by a signal.
    pub async fn end(mut self) -> anyhow::Result<Ended> {
        let status = timeout(PATIENCE, self.child.wait())
            .await
            .with_context(|| format!("it does not end; it said {:?}", self.lines))??;
        while let Some(line) = self.incoming.recv().await {
            self.lines.push(line);
        }
        let stderr = self.stderr.await?;
        let status = status
            .code()
            .with_context(|| format!("it crashed ({status}): {stderr}"))?;
        Ok(Ended {
            status,
            stderr,
            lines: self.lines,
        })
    }
}
