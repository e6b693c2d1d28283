//! The application as a person starts it: without a driver, which would keep its web view and slow its start.

use std::{
    process::Stdio,
    time::{Duration, Instant},
};

use anyhow::Context;
use tokio::{
    io::{AsyncBufReadExt, BufReader, Lines},
    process::{Child, ChildStderr, Command},
    time::timeout,
};

use crate::{binaries::binary, display::Display, process_tree, window::WindowOptions};

/// How long it may take until it can be used.
const PATIENCE: Duration = Duration::from_secs(60);

/// What it writes down then, before the steps of its start.
const USABLE: &str = "the window can be used: ";

/// A running application. Asked to end when dropped.
pub struct Application {
    child: Child,
    process: u32,
    began: Instant,
    log: Lines<BufReader<ChildStderr>>,
}

/// How a start went.
#[derive(Debug, Clone)]
pub struct Start {
    /// From the order to start the program until its window could be used, and had said so.
    pub whole: Duration,
    /// What it has written down of it: steps, each with its milliseconds since the program's first line.
    pub steps: String,
}

impl Application {
    /// Starts it.
    ///
    /// # Errors
    /// When it has not been built.
    pub fn start(display: &Display, options: &WindowOptions<'_>) -> anyhow::Result<Self> {
        let server = options.server.iter();
        let mut command = Command::new(binary("vireo")?);
        command
            .arg("--profile")
            .arg(&options.profile)
            .args(server.flat_map(|server| ["--server", server]))
            .envs(display.variables())
            .envs(options.variables.iter().copied())
            .env("LANGUAGE", "en")
            .env("VIREO_LOG", "vireo=info")
            .env("NO_COLOR", "1")
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::piped());
        let began = Instant::now();
        let mut child = command.spawn()?;
        let log = child.stderr.take().context("the pipe was asked for")?;
        Ok(Self {
            process: child.id().context("it has just been started")?,
            child,
            began,
            log: BufReader::new(log).lines(),
        })
    }

    /// Its process; the web view's are below it.
    #[must_use]
    pub fn process(&self) -> u32 {
        self.process
    }

    /// Waits until its window can be used.
    ///
    /// # Errors
    /// When that does not come about.
    pub async fn usable(&mut self) -> anyhow::Result<Start> {
        let told = async {
            while let Some(line) = self.log.next_line().await? {
                if let Some((_, steps)) = line.split_once(USABLE) {
                    let steps = steps.to_owned();
                    return Ok(steps);
                }
            }
            anyhow::bail!("the application has ended")
        };
        let steps = timeout(PATIENCE, told).await.context("no window")??;
        let whole = self.began.elapsed();
        Ok(Start { whole, steps })
    }

    /// Whether a web view runs.
    #[must_use]
    pub fn has_web_view(&self) -> bool {
        let web = |process: &u32| {
            process_tree::program(*process).is_some_and(|name| name.starts_with("WebKitWebProc"))
        };
        process_tree::tree(self.process).iter().any(web)
    }

    /// Asks it to end, and waits until it has.
    ///
    /// # Errors
    /// When the system does not say that it has.
    pub async fn end(mut self) -> anyhow::Result<()> {
        self.ask_to_end();
        self.child.wait().await?;
        Ok(())
    }

    fn ask_to_end(&self) {
        let _ = std::process::Command::new("kill")
            .arg(self.process.to_string())
            .status();
    }
}

impl Drop for Application {
    fn drop(&mut self) {
        if matches!(self.child.try_wait(), Ok(None)) {
            self.ask_to_end();
        }
    }
}
