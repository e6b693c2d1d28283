//! The largest picture there is, one way, as a computer with two cores can code and decode it.

use std::path::Path;

use anyhow::{Context as _, Result, ensure};
use serde_json::Value;
use vireo_tests::server::{Account, Server};
use vireo_tests::statistics::Statistics;

/// Seconds that a call takes to find out what the path carries and what its encoder can do.
const SETTLING: usize = 10;

fn stats_file(server: &Server, who: &Account) -> String {
    let file = server.folder().join(format!("{}.jsonl", who.name));
    file.display().to_string()
}

/// The median of a figure over the seconds in which the call had found its rhythm.
fn median(statistics: &Statistics, pointer: &str) -> Result<f64> {
    let settled = statistics
        .seconds
        .get(SETTLING..)
        .context("too short a call")?;
    let figure = |line: &Value| line.pointer(pointer).and_then(Value::as_f64);
    let mut figures: Vec<f64> = settled.iter().filter_map(figure).collect();
    figures.sort_by(f64::total_cmp);
    let middle = figures.get(figures.len() / 2);
    middle.copied().with_context(|| format!("no {pointer}"))
}

#[tokio::test]
async fn a_picture_of_1080_rows_goes_one_way_and_does_not_stutter() -> Result<()> {
    let server = Server::start(&[]).await?;
    let (ann, bob) = server.two_contacts().await?;
    let bob_stats = stats_file(&server, &bob);
    let sound = ["--microphone=pattern", "--speaker=none"];
    let looks_on = ["answer", "--once", "--camera=none", "--stats", &bob_stats];
    let mut answer = server.cli(&bob, &[&looks_on[..], &sound].concat())?;
    answer.event("ready").await?;
    let shows = [
        "call",
        "Bob",
        "--for=22",
        "--camera=pattern",
        "--size=1920x1080",
        "--max-bitrate=4000000",
    ];
    let call = server.cli(&ann, &[&shows[..], &sound].concat())?;
    for side in [call, answer] {
        let ended = side.end().await?;
        ensure!(ended.status == 0, "a side ended badly: {}", ended.stderr);
    }
    let seen = Statistics::read(Path::new(&bob_stats))?;
    let rows = median(&seen, "/video/in/frameHeight")?;
    let rate = median(&seen, "/video/in/framesPerSecond")?;
    ensure!(rows >= 1_080.0, "{rows} rows at {rate} a second");
    ensure!(rate >= 28.0, "{rows} rows at {rate} a second");
    Ok(())
}
