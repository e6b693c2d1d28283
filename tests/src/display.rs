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

/// A window on a display, its place in pixels.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OpenWindow {
    /// As X11 counts them.
    pub number: String,
    /// Whose window it is.
    pub process: u32,
    /// Of the left edge.
    pub x: i32,
    /// Of the upper edge.
    pub y: i32,
    /// Within its frame.
    pub width: i32,
    /// Within its frame.
    pub height: i32,
}

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
                .args(["-nolisten", "tcp"])
                // Else it throws everybody out when its last client goes: openbox, if it comes just when the question whether it is
                // there has been answered with no.
                .arg("-noreset"),
        )?;
        let name = format!(":{}", first_line(&mut xvfb).context("Xvfb")?);
        let (dbus, bus) = session_bus(&folder)?;
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

    /// Starts a Wayland compositor, at which nobody sits, and waits until windows can be opened. What looks at and moves windows
    /// here needs X11.
    ///
    /// # Errors
    /// When weston or dbus-daemon is not installed or does not start.
    pub fn start_wayland() -> anyhow::Result<Self> {
        const SOCKET: &str = "wayland-0";
        let folder = tempfile::Builder::new().prefix("display").tempdir()?;
        let runtime = folder.path().display().to_string();
        let weston = part(
            Command::new("weston")
                .args([
                    "--backend=headless-backend.so",
                    "--width=1920",
                    "--height=1200",
                ])
                .args(["--idle-time=0", "--socket", SOCKET])
                .env("XDG_RUNTIME_DIR", &runtime),
        )?;
        let started = Instant::now();
        while !folder.path().join(SOCKET).exists() {
            ensure!(started.elapsed() < START, "weston does not start");
            thread::sleep(Duration::from_millis(50));
        }
        let (dbus, bus) = session_bus(&folder)?;
        let variables = vec![
            ("WAYLAND_DISPLAY", SOCKET.to_owned()),
            ("DBUS_SESSION_BUS_ADDRESS", bus),
            ("XDG_RUNTIME_DIR", runtime),
            ("XDG_SESSION_TYPE", "wayland".to_owned()),
            ("GDK_BACKEND", "wayland".to_owned()),
            ("NO_AT_BRIDGE", "1".to_owned()),
            // There is no graphics card.
            ("LIBGL_ALWAYS_SOFTWARE", "1".to_owned()),
            ("WEBKIT_DISABLE_DMABUF_RENDERER", "1".to_owned()),
        ];
        Ok(Self {
            variables,
            _parts: vec![dbus, weston],
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

    /// Runs `xdotool` with these arguments and returns what it prints.
    ///
    /// # Errors
    /// When it does not do that.
    pub fn xdotool(&self, arguments: &[&str]) -> anyhow::Result<String> {
        self.run("xdotool", arguments)
    }

    /// Waits for a window with this name in its title, or of this size, and returns its number.
    ///
    /// # Errors
    /// When none appears.
    pub fn find(&self, matches: impl Fn(&OpenWindow) -> bool) -> anyhow::Result<OpenWindow> {
        let started = Instant::now();
        loop {
            let found = self.windows()?.into_iter().find(|window| matches(window));
            if let Some(window) = found {
                return Ok(window);
            }
            ensure!(started.elapsed() < START, "no such window is open");
            thread::sleep(Duration::from_millis(100));
        }
    }

    /// The windows that can be seen, in no order.
    ///
    /// # Errors
    /// When xdotool does not say.
    pub fn windows(&self) -> anyhow::Result<Vec<OpenWindow>> {
        // It fails where there is none.
        let search = ["search", "--onlyvisible", "--maxdepth", "3", "--class", "."];
        let numbers = self.xdotool(&search).unwrap_or_default();
        let windows = numbers.lines().filter_map(|number| {
            // One that has gone meanwhile.
            let shell = self
                .xdotool(&["getwindowgeometry", "--shell", number])
                .ok()?;
            let process = self.xdotool(&["getwindowpid", number]).ok()?;
            let value = |name: &str| {
                let line = shell.lines().find_map(|line| line.strip_prefix(name))?;
                line.trim_start_matches('=').parse().ok()
            };
            Some(OpenWindow {
                number: number.to_owned(),
                process: process.trim().parse().ok()?,
                x: value("X")?,
                y: value("Y")?,
                width: value("WIDTH")?,
                height: value("HEIGHT")?,
            })
        });
        Ok(windows.collect())
    }

    /// The number of the window that has the focus; none where none has.
    #[must_use]
    pub fn focused(&self) -> Option<String> {
        let number = self.xdotool(&["getactivewindow"]).ok()?;
        Some(number.trim().to_owned())
    }

    /// Gives a window the focus and presses a key, as a person would.
    ///
    /// # Errors
    /// When xdotool cannot.
    pub fn press(&self, window: &OpenWindow, key: &str) -> anyhow::Result<()> {
        self.xdotool(&["windowactivate", "--sync", &window.number])?;
        self.xdotool(&["key", key])?;
        Ok(())
    }

    /// Gives the keyboard this layout alone, such as `ru`.
    ///
    /// # Errors
    /// When setxkbmap cannot.
    pub fn set_layout(&self, layout: &str) -> anyhow::Result<()> {
        self.run("setxkbmap", &["-layout", layout])?;
        Ok(())
    }

    /// Asks the window manager to close a window, as its button and a list of windows do.
    ///
    /// Not by the keyboard: openbox closes what it takes to have the focus, which is nothing while the focus moves inside a window.
    ///
    /// # Errors
    /// When wmctrl cannot.
    pub fn close(&self, window: &OpenWindow) -> anyhow::Result<()> {
        self.run("wmctrl", &["-i", "-c", &window.number])?;
        Ok(())
    }

    /// What the window manager says of a window's properties.
    ///
    /// # Errors
    /// When xprop cannot ask.
    pub fn properties(&self, window: &OpenWindow) -> anyhow::Result<String> {
        let names = ["_NET_WM_STATE", "WM_STATE", "_MOTIF_WM_HINTS"];
        self.run("xprop", &[&["-id", &window.number][..], &names].concat())
    }

    /// Leaves a picture of everything in this PNG file.
    ///
    /// # Errors
    /// When it cannot be taken.
    pub fn picture(&self, file: &std::path::Path) -> anyhow::Result<()> {
        let file = file.display().to_string();
        self.run("import", &["-window", "root", &file])?;
        Ok(())
    }

    fn run(&self, program: &str, arguments: &[&str]) -> anyhow::Result<String> {
        let output = Command::new(program)
            .args(arguments)
            .envs(self.variables())
            .output()
            .with_context(|| format!("{program} cannot be started"))?;
        let complaint = String::from_utf8_lossy(&output.stderr);
        ensure!(
            output.status.success(),
            "{program} {arguments:?}: {complaint}"
        );
        Ok(String::from_utf8_lossy(&output.stdout).into_owned())
    }

    /// What a program needs to be shown here.
    #[must_use]
    pub fn variables(&self) -> Vec<(&'static str, String)> {
        self.variables.clone()
    }
}

/// A session bus, and its address.
fn session_bus(folder: &TempDir) -> anyhow::Result<(Part, String)> {
    let mut dbus = part(
        Command::new("dbus-daemon")
            .args(["--session", "--nofork", "--print-address=1"])
            // An abstract socket, its usual choice, cannot be reached from another network namespace.
            .arg(format!(
                "--address=unix:path={}",
                folder.path().join("bus").display()
            )),
    )?;
    let address = first_line(&mut dbus).context("dbus-daemon")?;
    Ok((dbus, address))
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
