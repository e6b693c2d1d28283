//! What is asked of a program that runs, by the system or at the terminal.

use std::io;
#[cfg(unix)]
use std::io::IsTerminal;

/// What is asked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Asked {
    /// To stop: ctrl-c, the terminal's window is closed or, where there is such a thing, SIGTERM.
    Stop,
    /// To take up the certificate's files: SIGHUP, but of a terminal whose window is closed.
    #[cfg_attr(windows, allow(dead_code, reason = "there is no such signal"))]
    Reload,
}

/// Where it is heard. From [`Signals::listen`] on no signal ends the program by itself.
#[cfg(unix)]
#[derive(Debug)]
pub struct Signals {
    interrupt: tokio::signal::unix::Signal,
    terminate: tokio::signal::unix::Signal,
    hang_up: tokio::signal::unix::Signal,
    /// What SIGHUP means.
    hung_up: Asked,
}

#[cfg(unix)]
impl Signals {
    /// Begins to listen.
    ///
    /// # Errors
    /// When the system does not let it.
    pub fn listen() -> io::Result<Self> {
        use tokio::signal::unix::{SignalKind, signal};
        Ok(Self {
            interrupt: signal(SignalKind::interrupt())?,
            terminate: signal(SignalKind::terminate())?,
            hang_up: signal(SignalKind::hangup())?,
            // A service has no terminal that could go away under it.
            hung_up: match io::stdin().is_terminal() {
                true => Asked::Stop,
                false => Asked::Reload,
            },
        })
    }

    /// What is asked next.
    pub async fn next(&mut self) -> Asked {
        tokio::select! {
            _ = self.interrupt.recv() => Asked::Stop,
            _ = self.terminate.recv() => Asked::Stop,
            _ = self.hang_up.recv() => self.hung_up,
        }
    }
}

/// Where it is heard.
#[cfg(windows)]
#[derive(Debug)]
pub struct Signals {
    interrupt: tokio::signal::windows::CtrlC,
}

#[cfg(windows)]
impl Signals {
    /// Begins to listen.
    ///
    /// # Errors
    /// When the system does not let it.
    pub fn listen() -> io::Result<Self> {
        let interrupt = tokio::signal::windows::ctrl_c()?;
        Ok(Self { interrupt })
    }

    /// What is asked next.
    pub async fn next(&mut self) -> Asked {
        self.interrupt.recv().await;
        Asked::Stop
    }
}

impl Signals {
    /// Waits until it is asked to stop.
    pub async fn stop(&mut self) {
        while self.next().await != Asked::Stop {}
    }
}
