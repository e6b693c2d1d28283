//! Two `vireo-cli` over a `vireo-server`.

use std::path::Path;

use anyhow::{Context as _, Result, ensure};
use tokio::process::Command;

use super::application::settled;
use super::{CALL_SECONDS, Content, FORMAT, MAX_BITRATE, Measures, mean};
use crate::binaries::binary;
use crate::cli::Cli;
use crate::server::{Account, Server};
use crate::statistics::Statistics;

pub(super) async fn measure(content: Content) -> Result<Measures> {
    let server = Server::start(&[]).await?;
    let (ann, bob) = server.two_contacts().await?;
    let ann_file = server.folder().join("ann.jsonl");
    let bob_file = server.folder().join("bob.jsonl");
    let mut bob = start(&server, &bob, content, &bob_file, &["answer", "--once"])?;
    bob.event("ready").await?;
    let mut ann = start(&server, &ann, content, &ann_file, &["call", "Bob"])?;
    ann.event("connected").await?;
    let gone = "a side has ended";
    let roots = [ann.id().context(gone)?, bob.id().context(gone)?];
    let ((before0, after0), (before1, after1)) = tokio::join!(settled(roots[0]), settled(roots[1]));
    for side in [ann, bob] {
        let ended = side.end().await?;
        ensure!(ended.status == 0, "a side ended badly: {}", ended.stderr);
    }
    let (ann, bob) = (Statistics::read(&ann_file)?, Statistics::read(&bob_file)?);
    let both = |pointer| anyhow::Ok([ann.number(pointer)?, bob.number(pointer)?]);
    let heights = both("/video/in/frameHeight")?;
    Ok(Measures {
        caller_first_frame_ms: ann.number("/setup/acceptToFirstFrameMs")?,
        callee_first_frame_ms: bob.number("/setup/acceptToFirstFrameMs")?,
        latency_p50_ms: mean(both("/video/in/latencyMs/p50")?),
        latency_p95_ms: mean(both("/video/in/latencyMs/p95")?),
        latency_p99_ms: mean(both("/video/in/latencyMs/p99")?),
        frames_per_second: mean([ann.decoded_per_second()?, bob.decoded_per_second()?]),
        height: heights[0].min(heights[1]),
        cpu_share: mean([after0.cores_since(&before0), after1.cores_since(&before1)]),
        memory_mb: mean([after0, after1].map(|usage| usage.pss as f64 / 1e6)),
    })
}

fn start(
    server: &Server,
    account: &Account,
    content: Content,
    statistics: &Path,
    call: &[&str],
) -> Result<Cli> {
    let mut command = Command::new(binary("vireo-cli")?);
    command
        .env("VIREO_PATTERN", content.name())
        .args([
            "--server",
            &server.url,
            "--user",
            &account.name,
            "--password-file",
        ])
        .arg(&account.password_file)
        .args(call)
        .args([
            "--camera",
            "pattern",
            "--microphone",
            "tone:440",
            "--speaker",
            "none",
        ])
        .args(["--size", &format!("{}x{}", FORMAT.width, FORMAT.height)])
        .args(["--fps", &FORMAT.frame_rate.to_string()])
        .args(["--codec", "h264", "--max-bitrate", &MAX_BITRATE.to_string()])
        .args(["--for", &CALL_SECONDS.to_string(), "--stats"])
        .arg(statistics);
    Cli::spawn(command)
}
