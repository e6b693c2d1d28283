//! Sound and picture are played together: the pattern camera's pictures and the pattern microphone's beeps carry the time at
//! which they were made, and whoever plays them takes down how old they are then.
#![cfg(target_os = "linux")]

use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::{Context as _, Result, ensure};
use vireo_testing::link::{Link, Loss};
use vireo_tests::binaries::binary;
use vireo_tests::cli::Cli;
use vireo_tests::netlab::{Lab, Way};
use vireo_tests::network::{Computer, Network};
use vireo_tests::server::{Account, Server};

/// How far sound may be ahead of the picture or behind it, in milliseconds; for a few beeps, and on a clean link where nothing
/// is to be added for it, a little more.
const TOGETHER_MS: f64 = 40.0;
const HARDLY_MS: f64 = 50.0;

/// After so long a call has found its rhythm.
const SETTLED_MS: f64 = 6_000.0;

/// By how much sound is later than the picture, in milliseconds; negative where it is ahead.
#[derive(Debug)]
struct Offsets {
    sorted: Vec<f64>,
    /// How old a picture usually was, in milliseconds.
    picture_ms: f64,
}

impl Offsets {
    fn at(&self, share: f64) -> f64 {
        self.sorted[((self.sorted.len() - 1) as f64 * share).round() as usize]
    }
}

/// A call of 25 seconds over the link; what Ann, who has called, plays of Bob.
async fn call_over(link: Link) -> Result<Offsets> {
    let mut network = Network::isolating()?;
    let homes = [network.home()?, network.home()?];
    let mut lab = Lab::between(&homes[0], &homes[1], 11).await?;
    lab.set(Way::Both, link).await?;
    let server = Server::start_in(&network, &[]).await?;
    let (ann, bob) = server.two_contacts().await?;
    let mut answer = start(&server, &homes[1], &bob, &["answer", "--once"])?;
    answer.event("ready").await?;
    let call = start(&server, &homes[0], &ann, &["call", "Bob", "--for=25"])?;
    for side in [call, answer] {
        let ended = side.end().await?;
        ensure!(ended.status == 0, "a side ended badly: {}", ended.stderr);
    }
    let pictures = ages(&file(&server, "Ann", "frames"))?;
    let sounds = ages(&file(&server, "Ann", "sounds"))?;
    let offsets = offsets(&pictures, &sounds)?;
    let at = |share| offsets.at(share);
    #[allow(clippy::print_stdout, reason = "shown beside the test when it fails")]
    {
        println!(
            "sound behind picture: {:.0} / {:.0} / {:.0} ms (5, 50 and 95 of 100); picture {:.0} ms old",
            at(0.05),
            at(0.5),
            at(0.95),
            offsets.picture_ms
        );
    }
    Ok(offsets)
}

fn start(server: &Server, home: &Computer, who: &Account, command: &[&str]) -> Result<Cli> {
    let frames = format!("--frames={}", file(server, &who.name, "frames").display());
    let sounds = format!("--sounds={}", file(server, &who.name, "sounds").display());
    let mut arguments = command.to_vec();
    arguments.extend([
        "--camera=pattern",
        "--microphone=pattern",
        "--speaker=none",
        "--size=640x360",
        &frames,
        &sounds,
    ]);
    let program = home.command(binary("vireo-cli")?);
    Cli::start_with(program.into(), &server.url, who, &arguments)
}

fn file(server: &Server, name: &str, what: &str) -> PathBuf {
    server.folder().join(format!("{name}.{what}.csv"))
}

/// When each was played, and how old it was then; both in milliseconds.
fn ages(path: &Path) -> Result<Vec<(f64, f64)>> {
    let text = std::fs::read_to_string(path).with_context(|| path.display().to_string())?;
    let line = |line: &str| {
        let mut fields = line.split(',').map(str::parse::<f64>);
        Some((fields.next()?.ok()?, fields.next()?.ok()?))
    };
    Ok(text.lines().skip(1).filter_map(line).collect())
}

/// Of each beep and the pictures that are played in the quarter of a second around it.
fn offsets(pictures: &[(f64, f64)], sounds: &[(f64, f64)]) -> Result<Offsets> {
    let (begin, _) = pictures.first().context("no picture was played")?;
    let mut picture_ages = Vec::new();
    let mut sorted = Vec::new();
    for (at, age) in sounds.iter().filter(|(at, _)| *at > begin + SETTLED_MS) {
        let mut around: Vec<f64> = pictures
            .iter()
            .filter(|(shown, _)| (shown - at).abs() < 125.0)
            .map(|(_, age)| *age)
            .collect();
        around.sort_by(f64::total_cmp);
        if let Some(picture) = around.get(around.len() / 2) {
            picture_ages.push(*picture);
            sorted.push(age - picture);
        }
    }
    ensure!(sorted.len() > 50, "only {} beeps were heard", sorted.len());
    sorted.sort_by(f64::total_cmp);
    picture_ages.sort_by(f64::total_cmp);
    Ok(Offsets {
        sorted,
        picture_ms: picture_ages[picture_ages.len() / 2],
    })
}

fn is_together(offsets: &Offsets, most: f64) -> Result<()> {
    for (share, most) in [(0.05, HARDLY_MS), (0.5, most), (0.95, HARDLY_MS)] {
        let offset = offsets.at(share);
        ensure!(offset.abs() <= most, "{offset} ms at {share}");
    }
    Ok(())
}

#[tokio::test]
async fn on_a_clean_link_hardly_anything_is_added_to_keep_them_together() -> Result<()> {
    let offsets = call_over(Link::default()).await?;
    is_together(&offsets, TOGETHER_MS + 2.0)?;
    // On a machine that is busy with nothing else they do not wait at all.
    let age = offsets.picture_ms;
    ensure!(age < 25.0, "pictures were made to wait: {age} ms old");
    Ok(())
}

#[tokio::test]
async fn they_stay_together_where_packets_are_up_to_40_milliseconds_late() -> Result<()> {
    let link = Link {
        delay: Duration::from_millis(30),
        jitter: Duration::from_millis(40),
        ..Link::default()
    };
    is_together(&call_over(link).await?, TOGETHER_MS)
}

#[tokio::test]
async fn they_stay_together_where_five_percent_get_lost() -> Result<()> {
    let link = Link {
        delay: Duration::from_millis(25),
        loss: Loss::Random(0.05),
        ..Link::default()
    };
    is_together(&call_over(link).await?, TOGETHER_MS)
}
