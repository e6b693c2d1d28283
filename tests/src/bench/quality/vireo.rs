//! A call of two `vireo-cli` on loopback.

use std::path::Path;

use anyhow::{Context as _, Result, ensure};
use tokio::process::Command;
use vireo_media::VideoFrame;
use vireo_media::video::{Y4mWriter, read_ivf};

use super::{CALL_SECONDS, Coded, Scene};
use crate::bench::FORMAT;
use crate::binaries::binary;
use crate::cli::Cli;
use crate::server::{Account, Server};

/// What came at the called side.
pub(super) async fn call(scene: Scene, film: &[VideoFrame], folder: &Path) -> Result<Vec<Coded>> {
    let camera = folder.join("camera.y4m");
    let mut writer = Y4mWriter::create(&camera)?;
    for picture in film {
        writer.write(picture)?;
    }
    writer.flush()?;
    let server = Server::start(&[]).await?;
    let (ann, bob) = server.two_contacts().await?;
    let coded = folder.join("coded.ivf");
    let coded_option = format!("--coded={}", coded.display());
    let answers = ["answer", "--once", &coded_option];
    let mut bob = start(&server, &bob, scene, &camera, &answers)?;
    bob.event("ready").await?;
    let mut ann = start(&server, &ann, scene, &camera, &["call", "Bob"])?;
    ann.event("connected").await?;
    for side in [ann, bob] {
        let ended = side.end().await?;
        ensure!(ended.status == 0, "a side ended badly: {}", ended.stderr);
    }
    let file = std::fs::read(coded)?;
    let pictures = read_ivf(&file).context("no pictures were kept")?;
    // The clock has 32 bits.
    let picture = |(time, data): (u64, &[u8])| (time as u32, data.to_vec());
    Ok(pictures.into_iter().map(picture).collect())
}

fn start(
    server: &Server,
    account: &Account,
    scene: Scene,
    camera: &Path,
    call: &[&str],
) -> Result<Cli> {
    let (width, height) = (FORMAT.width, FORMAT.height);
    let sends = [
        format!("--camera=file:{}", camera.display()),
        "--microphone=tone:440".to_owned(),
        "--speaker=none".to_owned(),
        format!("--size={width}x{height}"),
        format!("--fps={}", FORMAT.frame_rate),
        "--codec=h264".to_owned(),
        format!("--max-bitrate={}", scene.bit_rate),
        format!("--for={CALL_SECONDS}"),
    ];
    let arguments: Vec<&str> = call
        .iter()
        .copied()
        .chain(sends.iter().map(String::as_str))
        .collect();
    let command = Command::new(binary("vireo-cli")?);
    Cli::start_with(command, &server.url, account, &arguments)
}
