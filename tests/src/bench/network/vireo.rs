//! A call of two `vireo-cli`.

use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result, ensure};
use serde_json::Value;

use super::{CONTENT, MAX_BITRATE, Side, pictures};
use crate::bench::FORMAT;
use crate::binaries::binary;
use crate::cli::Cli;
use crate::network::{Computer, Network};
use crate::server::{Account, Server};
use crate::statistics::Statistics;

/// A call that goes on.
pub(super) struct Call {
    server: Server,
    sides: [Cli; 2],
}

const NAMES: [&str; 2] = ["Ann", "Bob"];

impl Call {
    /// Ann at the first home calls Bob at the other one; comes back when they are connected.
    pub async fn start(network: &Network, homes: &[Computer; 2]) -> Result<Self> {
        let server = Server::start_in(network, &[]).await?;
        let (ann, bob) = server.two_contacts().await?;
        let mut bob = start(&server, &homes[1], &bob, &["answer", "--once"])?;
        bob.event("ready").await?;
        let mut ann = start(&server, &homes[0], &ann, &["call", "Bob"])?;
        ann.event("connected").await?;
        Ok(Self {
            server,
            sides: [ann, bob],
        })
    }

    /// The roots of both sides' processes.
    pub fn roots(&self) -> Result<[u32; 2]> {
        let [ann, bob] = &self.sides;
        let gone = "a side has ended";
        Ok([ann.id().context(gone)?, bob.id().context(gone)?])
    }

    /// Ends it; gives what Ann and Bob saw.
    pub async fn end(self) -> Result<[Side; 2]> {
        let Self { server, sides } = self;
        sides[0].interrupt().await?;
        for side in sides {
            let ended = side.end().await?;
            ensure!(ended.status == 0, "a side ended badly: {}", ended.stderr);
        }
        let side = |name| {
            anyhow::Ok(Side {
                pictures: pictures::read(&frames(server.folder(), name))?,
                received: received(&Statistics::read(&statistics(server.folder(), name))?),
            })
        };
        Ok([side(NAMES[0])?, side(NAMES[1])?])
    }
}

fn frames(folder: &Path, name: &str) -> PathBuf {
    folder.join(format!("{name}.frames.csv"))
}

fn statistics(folder: &Path, name: &str) -> PathBuf {
    folder.join(format!("{name}.jsonl"))
}

/// Bytes of the picture that had come at each moment.
fn received(statistics: &Statistics) -> Vec<(f64, f64)> {
    let number = |line: &Value, pointer| line.pointer(pointer).and_then(Value::as_f64);
    let seconds = statistics.seconds.iter();
    seconds
        .filter_map(|line| number(line, "/t").zip(number(line, "/video/in/bytesReceived")))
        .collect()
}

fn start(server: &Server, home: &Computer, account: &Account, call: &[&str]) -> Result<Cli> {
    let mut command = home.command(binary("vireo-cli")?);
    command.env("VIREO_PATTERN", CONTENT.name());
    let (width, height) = (FORMAT.width, FORMAT.height);
    let sends = [
        "--camera=pattern".to_owned(),
        "--microphone=tone:440".to_owned(),
        "--speaker=none".to_owned(),
        format!("--size={width}x{height}"),
        format!("--fps={}", FORMAT.frame_rate),
        "--codec=h264".to_owned(),
        format!("--max-bitrate={MAX_BITRATE}"),
        format!(
            "--stats={}",
            statistics(server.folder(), &account.name).display()
        ),
        format!(
            "--frames={}",
            frames(server.folder(), &account.name).display()
        ),
    ];
    let arguments: Vec<&str> = call
        .iter()
        .copied()
        .chain(sends.iter().map(String::as_str))
        .collect();
    Cli::start_with(command.into(), &server.url, account, &arguments)
}
