//! A computer's screen without a screen: Xvfb with a window manager and a session bus of its own.

use std::{
    io::{BufRead, BufReader, Read},
    process::{Child, ChildStdout, Command, Stdio},
    thread,
    time::{Duration, Instant},
};

use anyhow::{Context, ensure};
use tempfile::TempDir;

/// How long a part may take to start.
const START: Duration = Duration::from_secs(30);

/// A running display. Ended when dropped.
pub struct Display {
    variables: Vec<(&'static str, String)>,
    _parts: Vec<Part>,
    /// The runtime directory of the programs that are shown here.
    _folder: Option<TempDir>,
}

/// A process that ends with its display.
struct Part(Child);

impl Drop for Part {
    fn drop(&mut self) {
        // One that has ended by itself cannot be killed, which is as good.
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

impl Display {
    /// Starts one and waits until windows can be opened.
    ///
    /// # Errors
    /// When Xvfb, openbox or dbus-daemon is not installed or does not start.
    pub fn start() -> anyhow::Result<Self> {
        let folder = tempfile::Builder::new().prefix("display").tempdir()?;
        let mut xvfb = part(
            Command::new("Xvfb")
                .args(["-displayfd", "1", "-screen", "0", "1920x1200x24"])
                .args(["-nolisten", "tcp"]),
        )?;
        let name = format!(":{}", first_line(&mut xvfb).context("Xvfb")?);
        let mut dbus =
            part(Command::new("dbus-daemon").args(["--session", "--nofork", "--print-address=1"]))?;
        let bus = first_line(&mut dbus).context("dbus-daemon")?;
        let openbox = part(
            Command::new("openbox")
                .arg("--sm-disable")
                .env("DISPLAY", &name)
                .env("DBUS_SESSION_BUS_ADDRESS", &bus),
        )?;
        wait_for_window_manager(&name)?;
        let variables = vec![
            ("DISPLAY", name),
            ("DBUS_SESSION_BUS_ADDRESS", bus),
            ("XDG_RUNTIME_DIR", folder.path().display().to_string()),
            ("XDG_SESSION_TYPE", "x11".to_owned()),
            ("GDK_BACKEND", "x11".to_owned()),
            ("NO_AT_BRIDGE", "1".to_owned()),
            // There is no graphics card.
            ("LIBGL_ALWAYS_SOFTWARE", "1".to_owned()),
            ("WEBKIT_DISABLE_DMABUF_RENDERER", "1".to_owned()),
        ];
        Ok(Self {
            variables,
            _parts: vec![openbox, dbus, xvfb],
            _folder: Some(folder),
        })
    }

    /// The display that a person sits at, if there is one.
    #[must_use]
    pub fn of_this_session() -> Option<Self> {
        let named = |name| std::env::var_os(name).is_some_and(|value| !value.is_empty());
        (named("DISPLAY") || named("WAYLAND_DISPLAY")).then(|| Self {
            variables: Vec::new(),
            _parts: Vec::new(),
            _folder: None,
        })
    }

    /// Puts the window of this title out of sight, as its button for that does.
    ///
    /// # Errors
    /// When there is none.
    pub fn minimise(&self, title: &str) -> anyhow::Result<()> {
        let name = format!("^{title}$");
        let output = Command::new("xdotool")
            .args([
                "search",
                "--sync",
                "--onlyvisible",
                "--limit",
                "1",
                "--name",
                &name,
            ])
            .arg("windowminimize")
            .envs(self.variables())
            .output()
            .context("xdotool cannot be started")?;
        ensure!(output.status.success(), "there is no window “{title}”");
        Ok(())
    }

    /// What a program needs to be shown here.
    #[must_use]
    pub fn variables(&self) -> Vec<(&'static str, String)> {
        self.variables.clone()
    }
}

/// Windows that are opened before there is a window manager stay without focus.
fn wait_for_window_manager(display: &str) -> anyhow::Result<()> {
    let started = Instant::now();
    loop {
        let output = Command::new("xdotool")
            .args(["get_num_desktops"])
            .env("DISPLAY", display)
            .output()
            .context("xdotool cannot be started")?;
        if output.status.success() {
            return Ok(());
        }
        ensure!(started.elapsed() < START, "openbox does not start");
        thread::sleep(Duration::from_millis(50));
    }
}

fn part(command: &mut Command) -> anyhow::Result<Part> {
    let child = command
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .with_context(|| format!("{:?} cannot be started", command.get_program()))?;
    Ok(Part(child))
}

/// The first line that a part prints; what follows is read and thrown away.
fn first_line(part: &mut Part) -> anyhow::Result<String> {
    let stdout: ChildStdout = part.0.stdout.take().context("the pipe was asked for")?;
    let mut reader = BufReader::new(stdout);
    let mut line = String::new();
    reader.read_line(&mut line)?;
    ensure!(!line.trim().is_empty(), "it ended before it was ready");
    thread::spawn(move || reader.read_to_end(&mut Vec::new()));
    Ok(line.trim().to_owned())
}
