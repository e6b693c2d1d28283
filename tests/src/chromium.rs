//! Headless Chromium: the browser as the other side of a call, and as the thing that measurements are compared with.

use std::process::Stdio;

use anyhow::{Context as _, Result};
use tempfile::TempDir;
use tokio::io::{AsyncBufReadExt as _, BufReader};
use tokio::process::{Child, Command};

use crate::devtools::{DevTools, Page};

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
        let profile = tempfile::tempdir()?;
        let mut child = Command::new("chromium")
            .args(ARGUMENTS)
            .arg(format!("--user-data-dir={}", profile.path().display()))
            .arg("about:blank")
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::piped())
            .process_group(0)
            .kill_on_drop(true)
            .spawn()
            .context("chromium does not start (Debian's package is called chromium)")?;
        let stderr = child.stderr.take().context("stderr is piped")?;
        let mut lines = BufReader::new(stderr).lines();
        let address = loop {
            let line = lines
                .next_line()
                .await?
                .context("chromium ended before it was ready")?;
            if let Some(address) = line.strip_prefix("DevTools listening on ") {
                break address.trim().to_owned();
            }
        };
        // Its warnings go on; an unread pipe would block it in the end.
        tokio::spawn(async move { while let Ok(Some(_)) = lines.next_line().await {} });
        Ok(Self {
            child,
            devtools: DevTools::connect(&address).await?,
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
    "--remote-debugging-port=0",
    "--mute-audio",
];
