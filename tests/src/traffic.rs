//! Traffic of a known kind between two homes, to see what a link does with it; made by the program `traffic`.

use std::net::{IpAddr, SocketAddr};
use std::process::Stdio;
use std::time::Duration;

use anyhow::{Context, Result};
use serde::{Deserialize, Serialize};
use tokio::io::{AsyncBufReadExt as _, BufReader, Lines};
use tokio::process::{Child, ChildStdout, Command};
use tokio::time::timeout;

use crate::binaries::binary;
use crate::network::Computer;

/// Longer than any of it lasts.
const PATIENCE: Duration = Duration::from_secs(120);

/// What the program does.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub enum Task {
    /// Sends back every UDP packet that comes to this address.
    Echo(SocketAddr),
    /// Sends such packets to an echo and measures how long each takes to come back.
    Ping(SocketAddr, Stream),
    /// Counts the UDP packets that come to this address, until none has come for a second after the first one.
    Count(SocketAddr),
    /// Sends UDP packets.
    Send(SocketAddr, Stream),
    /// Accepts one TCP connection at this address and reads until its end.
    Download(SocketAddr),
    /// Connects there by TCP and writes as fast as it can.
    Upload {
        /// Where a download waits.
        to: SocketAddr,
        /// How it finds out how much the path takes.
        control: CongestionControl,
        /// It begins after so long.
        after: Duration,
        /// And lasts so long.
        lasts: Duration,
    },
}

/// How TCP finds out how much a path takes. Named in every measurement: what a system does unasked is its owner's choice.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum CongestionControl {
    /// Until packets get lost (RFC 9438): what Linux, Windows and macOS come with.
    Cubic,
    /// By a model of the path, and whether or not packets get lost: what some large sites send with.
    Bbr,
}

impl CongestionControl {
    /// As the kernel calls it.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Cubic => "cubic",
            Self::Bbr => "bbr",
        }
    }
}

/// UDP packets, sent evenly.
#[derive(Debug, Clone, Copy, Serialize, Deserialize)]
pub struct Stream {
    /// How many.
    pub packets: u32,
    /// The bytes of each, as an IP packet.
    pub bytes: u32,
    /// The time between two of them.
    pub gap: Duration,
}

impl Stream {
    /// So many packets of these bytes that make so many bits a second together.
    #[must_use]
    pub fn at_rate(packets: u32, bytes: u32, rate: u64) -> Self {
        let gap = Duration::from_secs_f64(f64::from(bytes) * 8.0 / rate as f64);
        Self {
            packets,
            bytes,
            gap,
        }
    }
}

/// What the program saw.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Seen {
    /// Packets that came, or came back; reads, for TCP.
    pub packets: u64,
    /// Their bytes, as IP packets; for TCP, its content.
    pub bytes: u64,
    /// From the first one to the last one.
    pub lasted: Duration,
    /// The first one's bytes; they took no part of `lasted`.
    pub first_bytes: u64,
    /// How long each took to come back.
    pub round_trips: Vec<Duration>,
}

impl Seen {
    /// Bits a second, from the first packet's arrival to the last one's.
    #[must_use]
    pub fn rate(&self) -> f64 {
        (self.bytes - self.first_bytes) as f64 * 8.0 / self.lasted.as_secs_f64()
    }
}

/// The program, at work. Killed when dropped.
pub struct Traffic {
    _child: Child,
    lines: Lines<BufReader<ChildStdout>>,
}

impl Traffic {
    /// Starts it on this computer and waits until it listens or is about to send.
    ///
    /// # Errors
    /// When it is not built or cannot do it.
    pub async fn start(on: &Computer, task: &Task) -> Result<Self> {
        let mut child = Command::from(on.command(binary("traffic")?))
            .arg(serde_json::to_string(task)?)
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .kill_on_drop(true)
            .spawn()
            .context("traffic cannot be started")?;
        let stdout = child.stdout.take().context("the pipe was asked for")?;
        let mut traffic = Self {
            _child: child,
            lines: BufReader::new(stdout).lines(),
        };
        traffic.line().await?;
        Ok(traffic)
    }

    /// Waits until it is done.
    ///
    /// # Errors
    /// When it fails.
    pub async fn seen(mut self) -> Result<Seen> {
        Ok(serde_json::from_str(&self.line().await?)?)
    }

    async fn line(&mut self) -> Result<String> {
        timeout(PATIENCE, self.lines.next_line())
            .await
            .context("traffic does not end")??
            .context("traffic has ended; what it said is above")
    }
}

/// The port that everything here uses.
pub const PORT: u16 = 5000;

/// This address, at [`PORT`].
#[must_use]
pub fn at(address: impl Into<IpAddr>) -> SocketAddr {
    SocketAddr::new(address.into(), PORT)
}
