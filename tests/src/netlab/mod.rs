//! A bad network between two homes: each way a [`Link`] of its own, which can be changed at any time, with the same luck in
//! every run.
//!
//! ```text
//!   home ── middle ── home      signalling: the isolating middle forwards nothing
//!     └───── netlab ────┘       media: the only other way
//! ```
//!
//! A program in the first home's namespace owns a TUN device in each of the two and carries packets between them.

mod control;
mod relay;

use std::net::Ipv4Addr;
use std::process::Stdio;
use std::time::Duration;

use anyhow::{Context, Result};
use tokio::io::{AsyncBufReadExt as _, AsyncWriteExt as _, BufReader, Lines};
use tokio::process::{Child, ChildStdin, ChildStdout, Command};
use tokio::time::timeout;
use vireo_testing::link::Link;

use crate::binaries::binary;
use crate::network::Computer;

pub use control::{Count, Order, Way};
pub use relay::Relay;

/// The first home's address on the link.
pub const ONE: Ipv4Addr = Ipv4Addr::new(10, 99, 0, 1);

/// The other home's address on the link.
pub const OTHER: Ipv4Addr = Ipv4Addr::new(10, 99, 0, 2);

/// Names of the two TUN devices.
const DEVICES: [&str; 2] = ["lab0", "lab1"];

/// Longer than the program takes to answer on a busy machine.
const PATIENCE: Duration = Duration::from_secs(20);

/// A link between two homes, perfect at first. Gone when dropped.
pub struct Lab {
    /// Killed when dropped, and its devices with it.
    _relay: Child,
    orders: ChildStdin,
    answers: Lines<BufReader<ChildStdout>>,
}

impl Lab {
    /// Links two homes, which reach each other at [`ONE`] and [`OTHER`] from now on. The same seed gives the same luck.
    ///
    /// # Errors
    /// When the program is not built, or the system gives no TUN devices.
    pub async fn between(one: &Computer, other: &Computer, seed: u64) -> Result<Self> {
        let mut relay = Command::from(one.command(binary("netlab")?))
            .args(DEVICES)
            .arg(seed.to_string())
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .kill_on_drop(true)
            .spawn()
            .context("netlab cannot be started")?;
        let orders = relay.stdin.take().context("the pipe was asked for")?;
        let stdout = relay.stdout.take().context("the pipe was asked for")?;
        let mut lab = Self {
            _relay: relay,
            orders,
            answers: BufReader::new(stdout).lines(),
        };
        lab.answer().await?; // Now the devices are there.
        let [here, there] = DEVICES;
        one.run(&format!("ip link set {there} netns {}", other.id()))?;
        bring_up(one, here, ONE)?;
        bring_up(other, there, OTHER)?;
        Ok(lab)
    }

    /// From now on the link is like this, one way or both; gives what was counted up to now.
    ///
    /// # Errors
    /// When the program has ended.
    pub async fn set(&mut self, way: Way, link: Link) -> Result<Count> {
        self.order(&Order::Set(way, link)).await
    }

    /// What has become of the packets so far.
    ///
    /// # Errors
    /// When the program has ended.
    pub async fn count(&mut self) -> Result<Count> {
        self.order(&Order::Count).await
    }

    async fn order(&mut self, order: &Order) -> Result<Count> {
        let line = format!("{}\n", serde_json::to_string(order)?);
        self.orders.write_all(line.as_bytes()).await?;
        self.answer().await
    }

    async fn answer(&mut self) -> Result<Count> {
        let line = timeout(PATIENCE, self.answers.next_line())
            .await
            .context("netlab does not answer")??
            .context("netlab has ended; what it said is above")?;
        Ok(serde_json::from_str(&line)?)
    }
}

fn bring_up(home: &Computer, device: &str, address: Ipv4Addr) -> Result<()> {
    home.run(&format!(
        "ip address add {address}/30 dev {device}
         ip link set {device} up"
    ))
}
