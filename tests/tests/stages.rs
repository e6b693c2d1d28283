//! How long a picture takes for each part of its way, as both sides of a call say it, comes to how old it is by its time code.

use std::path::Path;

use anyhow::{Context as _, Result, ensure};
use serde_json::Value;
use vireo_tests::server::{Account, Server};
use vireo_tests::statistics::Statistics;

const SENDS: [&str; 5] = [
    "--camera=pattern",
    "--microphone=pattern",
    "--speaker=none",
    "--size=640x360",
    "--codec=vp8",
];

const OUTBOUND: [&str; 3] = ["convert", "encode", "send"];
const INBOUND: [&str; 5] = ["transfer", "assemble", "wait", "decode", "paint"];

/// The parts add up to the age but for this, in milliseconds: a second's statistics are not taken at one moment, the reports
/// are rounded, and what the test machine does besides comes in at any time.
const TOLERANCE: f64 = 3.0;

fn stats_file(server: &Server, who: &Account) -> String {
    let file = server.folder().join(format!("{}.jsonl", who.name));
    file.display().to_string()
}

/// A figure of each of the seconds in which the call had found its rhythm.
fn figures(statistics: &Statistics, pointer: &str) -> Result<Vec<f64>> {
    let settled = statistics.seconds.get(3..).context("too short a call")?;
    let figure = |line: &Value| line.pointer(pointer).and_then(Value::as_f64);
    settled
        .iter()
        .map(|line| figure(line).with_context(|| format!("no {pointer} in {line}")))
        .collect()
}

fn median(mut figures: Vec<f64>) -> f64 {
    figures.sort_by(f64::total_cmp);
    figures[figures.len() / 2]
}

/// Where nothing waits for anything else this takes no time at all, and that is what it says.
const MAY_BE_NOTHING: &str = "wait";

/// What these parts come to in the median second. Each of them is there in every second, and takes some time.
fn together(statistics: &Statistics, way: &str, parts: &[&str]) -> Result<f64> {
    let mut sums = Vec::new();
    for part in parts {
        let means = figures(statistics, &format!("/video/{way}/stages/{part}/mean"))?;
        let highs = figures(statistics, &format!("/video/{way}/stages/{part}/p95"))?;
        let positive = |figures: &[f64]| figures.iter().all(|figure| *figure >= 0.0);
        ensure!(positive(&means) && positive(&highs), "{part}: {means:?}");
        let takes_time = means.iter().any(|mean| *mean > 0.0);
        ensure!(
            takes_time || *part == MAY_BE_NOTHING,
            "{part} takes no time"
        );
        sums.resize(means.len(), 0.0);
        sums.iter_mut()
            .zip(means)
            .for_each(|(sum, mean)| *sum += mean);
    }
    Ok(median(sums))
}

#[tokio::test]
async fn the_parts_of_a_pictures_way_add_up_to_its_age() -> Result<()> {
    let server = Server::start(&[]).await?;
    let (ann, bob) = server.two_contacts().await?;
    let (ann_stats, bob_stats) = (stats_file(&server, &ann), stats_file(&server, &bob));
    let answers = [&["answer", "--once", "--stats", &bob_stats], &SENDS[..]].concat();
    let mut answer = server.cli(&bob, &answers)?;
    answer.event("ready").await?;
    let calls = ["call", "Bob", "--for=9", "--stats", &ann_stats];
    let call = server.cli(&ann, &[&calls, &SENDS[..]].concat())?;
    for side in [call, answer] {
        let ended = side.end().await?;
        ensure!(ended.status == 0, "a side ended badly: {}", ended.stderr);
    }
    let (here, there) = (
        Statistics::read(Path::new(&ann_stats))?,
        Statistics::read(Path::new(&bob_stats))?,
    );
    let age = median(figures(&here, "/video/in/latencyMs/p50")?);
    let inbound = together(&here, "in", &INBOUND)?;
    let outbound = together(&there, "out", &OUTBOUND)?;
    let transfer = together(&here, "in", &INBOUND[..1])?;
    #[allow(clippy::print_stdout, reason = "shown beside the test when it fails")]
    {
        println!(
            "{age:.1} ms old; parts {inbound:.1}, of them there {outbound:.1} of {transfer:.1}"
        );
    }
    ensure!((inbound - age).abs() < TOLERANCE, "{inbound} of {age} ms");
    // On one computer the network takes next to nothing.
    ensure!(
        (transfer - outbound).abs() < TOLERANCE,
        "{outbound} of {transfer} ms"
    );
    for sum in [
        "out/totalEncodeTime",
        "out/totalPacketSendDelay",
        "in/totalDecodeTime",
    ] {
        let seconds = there.number(&format!("/video/{sum}"))?;
        ensure!(seconds > 0.0 && seconds < 9.0, "{sum} {seconds}");
    }
    let processing = here.number("/video/in/totalProcessingDelay")?;
    let frames = here.number("/video/in/jitterBufferEmittedCount")?;
    ensure!(
        frames > 100.0 && processing / frames < 0.05,
        "{processing} s for {frames}"
    );
    Ok(())
}
