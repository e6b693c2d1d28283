//! Headless Chromium: the browser as the other side of a call, and as the thing that measurements are compared with.

use std::process::Stdio;

use anyhow::{Context as _, Result};
use tempfile::TempDir;
use tokio::process::{Child, Command};

use crate::devtools::{DevTools, Page};
use crate::network::Computer;

/// A Chromium of its own, with a profile of its own, closed when dropped.
pub struct Chromium {
    child: Child,
    devtools: DevTools,
    _profile: TempDir,
}

impl Chromium {
    /// Starts Chromium with fake devices and without anything that would go to the network by itself.
    ///
    /// # Errors
    /// When Chromium is not installed or does not start.
    pub async fn launch() -> Result<Self> {
        Self::spawn(Command::new(SHELL)).await
    }

    /// Starts it on another computer.
    ///
    /// # Errors
    /// When Chromium is not installed or does not start.
    pub async fn launch_on(computer: &Computer) -> Result<Self> {
        Self::spawn(computer.command(SHELL).into()).await
    }

    async fn spawn(mut shell: Command) -> Result<Self> {
        let profile = tempfile::tempdir()?;
        let mut child = shell
            .args(["-c", PIPES, SHELL, "chromium"])
            .args(ARGUMENTS)
            .arg(format!("--user-data-dir={}", profile.path().display()))
            .arg("about:blank")
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .process_group(0)
            .kill_on_drop(true)
            .spawn()?;
        let input = child.stdin.take().context("stdin is piped")?;
        let output = child.stdout.take().context("stdout is piped")?;
        let devtools = DevTools::over(input, output);
        devtools
            .ready()
            .await
            .context("chromium does not start (Debian's package is called chromium)")?;
        Ok(Self {
            child,
            devtools,
            _profile: profile,
        })
    }

    /// Opens a page.
    ///
    /// # Errors
    /// As [`DevTools::open`].
    pub async fn open(&self, url: &str) -> Result<Page> {
        self.devtools.open(url).await
    }

    /// The browser's main process, the root of its tree.
    #[must_use]
    pub fn process_id(&self) -> Option<u32> {
        self.child.id()
    }
}

impl Drop for Chromium {
    fn drop(&mut self) {
        // The whole group, so that no helper process outlives its browser.
        if let Some(id) = self.child.id() {
            std::process::Command::new("kill")
                .args(["-KILL", "--", &format!("-{id}")])
                .stderr(Stdio::null())
                .status()
                .ok();
        }
    }
}

const SHELL: &str = "sh";

/// Runs what comes behind it, with its DevTools on the pipes: Chromium reads from 3 and writes to 4.
const PIPES: &str = r#"exec "$@" 3<&0 4>&1 0</dev/null 1>&2"#;

const ARGUMENTS: [&str; 17] = [
    "--headless=new",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--disable-default-apps",
    "--disable-dev-shm-usage",
    "--disable-renderer-backgrounding",
    "--disable-background-timer-throttling",
    "--use-fake-device-for-media-stream",
    "--use-fake-ui-for-media-stream",
    "--autoplay-policy=no-user-gesture-required",
    "--remote-debugging-pipe",
    "--mute-audio",
];
