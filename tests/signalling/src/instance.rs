//! A `vireo-server` process that can be stopped, killed and started again over the same data.

use std::fs::File;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::Duration;

use anyhow::{Context as _, Result, ensure};
use tokio::io::{AsyncBufReadExt as _, AsyncReadExt as _, BufReader};
use tokio::process::{Child, Command};
use tokio::time::timeout;

use crate::binaries::binary;
use crate::process_tree::{self, Memory, Usage};

/// A server starts, and stops, in far less than this.
const PATIENCE: Duration = Duration::from_secs(30);

/// How to start a server.
#[derive(Debug, Clone)]
pub struct Settings {
    /// Its data directory.
    pub data: PathBuf,
    /// Where it listens; port 0 takes any free one.
    pub listen: String,
    /// What else it is told.
    pub arguments: Vec<String>,
}

impl Settings {
    /// A server over this data directory on any free port, without TLS.
    #[must_use]
    pub fn plain(data: &Path) -> Self {
        Self {
            data: data.to_owned(),
            listen: "127.0.0.1:0".to_owned(),
            arguments: Vec::new(),
        }
    }

    /// Where the server keeps everything when it is not told otherwise.
    #[must_use]
    pub fn sqlite(&self) -> String {
        format!("sqlite://{}", self.data.join("vireo.sqlite").display())
    }
}

/// A running server. Killed when dropped.
#[derive(Debug)]
pub struct Instance {
    child: Child,
    settings: Settings,
    /// Where it can be reached, as it said itself.
    pub url: String,
}

impl Instance {
    /// Starts a server and waits until it says where it is. What it says to people goes into `server.log` beside the data.
    ///
    /// # Errors
    /// When it is not built or does not start.
    pub async fn start(settings: &Settings) -> Result<Self> {
        let beside = settings.data.parent().context("the data lies nowhere")?;
        let log = File::options()
            .create(true)
            .append(true)
            .open(beside.join("server.log"))?;
        let mut child = Command::new(binary("vireo-server")?)
            .arg("--data")
            .arg(&settings.data)
            .args(["--listen", &settings.listen])
            .args(&settings.arguments)
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(log)
            .kill_on_drop(true)
            .spawn()
            .context("vireo-server cannot be started")?;
        let stdout = child.stdout.take().context("the pipe was asked for")?;
        let mut stdout = BufReader::new(stdout);
        let mut line = String::new();
        timeout(PATIENCE, stdout.read_line(&mut line))
            .await
            .context("vireo-server says nothing")??;
        let first: serde_json::Value = serde_json::from_str(&line).with_context(|| {
            let log = std::fs::read_to_string(beside.join("server.log")).unwrap_or_default();
            format!("vireo-server does not say where it is: {line:?}; {log}")
        })?;
        let url = first["url"].as_str().context("no url in it")?.to_owned();
        // Whatever it says further must not fill the pipe.
        tokio::spawn(async move { stdout.read_to_end(&mut Vec::new()).await });
        let port = authority(&url).rsplit(':').next().unwrap_or_default();
        let mut settings = settings.clone();
        if let Some(host) = settings.listen.strip_suffix(":0") {
            settings.listen = format!("{host}:{port}");
        }
        Ok(Self {
            child,
            settings,
            url,
        })
    }

    /// Starts it at the same address after it has ended, over the same data.
    ///
    /// # Errors
    /// When it does not start.
    pub async fn start_again(&mut self) -> Result<()> {
        *self = Self::start(&self.settings).await?;
        Ok(())
    }

    /// How it was started, with the port that it has got.
    #[must_use]
    pub fn settings(&self) -> &Settings {
        &self.settings
    }

    /// The process.
    ///
    /// # Errors
    /// When it has ended.
    pub fn id(&self) -> Result<u32> {
        self.child.id().context("the server has ended")
    }

    /// What it has used so far.
    ///
    /// # Errors
    /// When it has ended.
    pub fn usage(&self) -> Result<Usage> {
        Ok(Usage::of(self.id()?))
    }

    /// The memory it holds, without the programs it has started.
    ///
    /// # Errors
    /// When it has ended.
    pub fn memory(&self) -> Result<Memory> {
        process_tree::memory(self.id()?).context("the server has ended")
    }

    /// Sends a signal by name.
    ///
    /// # Errors
    /// When it has ended.
    pub async fn signal(&self, name: &str) -> Result<()> {
        let id = self.id()?.to_string();
        let sent = Command::new("kill")
            .args(["-s", name, &id])
            .status()
            .await?;
        ensure!(sent.success(), "the signal {name} cannot be sent");
        Ok(())
    }

    /// Kills it at once, as a crash would.
    ///
    /// # Errors
    /// When it cannot be killed.
    pub async fn kill(&mut self) -> Result<()> {
        Ok(self.child.kill().await?)
    }

    /// Asks it to stop, and waits until it has.
    ///
    /// # Errors
    /// When it does not, or not well.
    pub async fn stop(&mut self) -> Result<()> {
        self.signal("TERM").await?;
        let status = timeout(PATIENCE, self.child.wait())
            .await
            .context("the server does not stop")??;
        ensure!(status.success(), "the server stopped with {status}");
        Ok(())
    }
}

/// `HOST:PORT` of an address.
fn authority(url: &str) -> &str {
    let rest = url.split_once("://").map_or(url, |(_, rest)| rest);
    rest.split(['/', '#']).next().unwrap_or(rest)
}
