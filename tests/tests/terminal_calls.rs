//! Two `vireo-cli` call each other over a real `vireo-server`: real codecs, a real peer connection, real processes.

use std::path::Path;
use std::time::Duration;

use anyhow::{Context, Result, ensure};
use serde_json::Value;
use tokio::process::Command;
use vireo_media::video::{Pattern, PatternContent, Y4mWriter, read_ivf};
use vireo_media::{VideoFormat, VideoFrame};
use vireo_tests::cli::{Cli, Ended};
use vireo_tests::server::{Account, Server};
use vireo_tests::sound_file;
use vireo_tests::statistics::Statistics;

/// Neither camera nor microphone nor speaker.
const SILENT: [&str; 3] = ["--camera=none", "--microphone=none", "--speaker=none"];

/// The two ends of a call that has taken place.
struct Call {
    ann: Side,
    bob: Side,
}

struct Side {
    ended: Ended,
    statistics: Statistics,
}

/// Ann calls Bob with these arguments for each, and both end well.
async fn call(server: &Server, ann_sends: &[&str], bob_sends: &[&str]) -> Result<Call> {
    let (ann, bob) = server.two_contacts().await?;
    let mut answer = start(server, &bob, &["answer", "--once"], bob_sends)?;
    answer.event("ready").await?;
    let call = start(server, &ann, &["call", "Bob"], ann_sends)?;
    Ok(Call {
        ann: finish(server, &ann, call).await?,
        bob: finish(server, &bob, answer).await?,
    })
}

/// Starts one side; its statistics go where [`finish`] reads them.
fn start(server: &Server, who: &Account, command: &[&str], sends: &[&str]) -> Result<Cli> {
    let stats = stats_file(server, who);
    let mut arguments = command.to_vec();
    arguments.extend(["--stats", &stats]);
    arguments.extend(sends);
    server.cli(who, &arguments)
}

async fn finish(server: &Server, who: &Account, cli: Cli) -> Result<Side> {
    let ended = cli.end().await?;
    ensure!(ended.status == 0, "{} ended with {ended:?}", who.name);
    let statistics = Statistics::read(Path::new(&stats_file(server, who)))?;
    #[allow(clippy::print_stdout, reason = "shown beside the test when it fails")]
    {
        println!("{}: {}", who.name, statistics.summary);
    }
    Ok(Side { ended, statistics })
}

fn stats_file(server: &Server, who: &Account) -> String {
    path(server, &format!("{}.jsonl", who.name))
}

fn path(server: &Server, name: &str) -> String {
    server.folder().join(name).display().to_string()
}

impl Side {
    /// Pictures came at full size and rate, and every one told its age.
    fn saw(&self, width: f64, height: f64, frames_per_second: f64) -> Result<()> {
        self.saw_at_any_rate(width, height)?;
        let rate = self.statistics.decoded_per_second()?;
        ensure!(rate >= frames_per_second, "{rate} frames a second");
        Ok(())
    }

    fn saw_at_any_rate(&self, width: f64, height: f64) -> Result<()> {
        let at = |pointer: &str| self.statistics.number(pointer);
        ensure!(at("/video/in/frameWidth")? == width, "width");
        ensure!(at("/video/in/frameHeight")? == height, "height");
        let decoded = at("/video/in/framesDecoded")?;
        let readable = at("/video/in/latencyMs/count")?;
        ensure!(readable == decoded, "{readable} of {decoded} have an age");
        ensure!(at("/video/in/latencyMs/p50")? < 1000.0, "too old");
        Ok(())
    }

    /// The side's own statistics say what it sent, and how the call came up.
    fn sent_with(&self, codec: &str) -> Result<()> {
        let summary = &self.statistics.summary;
        ensure!(summary["video"]["out"]["codec"] == codec, "{summary}");
        ensure!(self.statistics.number("/video/out/framesEncoded")? > 0.0);
        for setup in ["ringMs", "iceMs", "dtlsMs", "acceptToFirstFrameMs"] {
            let ms = self.statistics.number(&format!("/setup/{setup}"))?;
            ensure!((0.0..10_000.0).contains(&ms), "{setup} {ms}");
        }
        ensure!(summary["transport"]["localCandidateType"] == "host");
        Ok(())
    }

    fn event(&self, name: &str) -> Result<&Value> {
        self.ended
            .event(name)
            .with_context(|| format!("no “{name}”: {:?}", self.ended))
    }
}

/// The tone, and hardly anything else, is in the file, for at least so long.
fn heard(file: &str, hertz: f64, seconds: f64) -> Result<()> {
    let (samples, rate) = sound_file::read(Path::new(file))?;
    let audible = sound_file::audible(&samples, rate);
    let lasted = audible.len() as f64 / f64::from(rate);
    ensure!(lasted >= seconds, "heard for {lasted} s in {file}");
    let share = sound_file::share_at(audible, rate, hertz);
    ensure!(
        share > 0.8,
        "{share} of the sound in {file} is at {hertz} Hz"
    );
    Ok(())
}

async fn full_call(codec: &str) -> Result<()> {
    let server = Server::start(&[]).await?;
    let (ann_hears, bob_hears) = (path(&server, "ann.wav"), path(&server, "bob.wav"));
    let ann_speaker = format!("--speaker=file:{ann_hears}");
    let bob_speaker = format!("--speaker=file:{bob_hears}");
    let both = [
        "--camera=pattern",
        "--codec",
        codec,
        "--max-bitrate=2000000",
    ];
    let ann = [
        &both[..],
        &["--microphone=tone:440", &ann_speaker, "--for=8"],
    ]
    .concat();
    let bob = [&both[..], &["--microphone=tone:1000", &bob_speaker]].concat();
    let call = call(&server, &ann, &bob).await?;
    for side in [&call.ann, &call.bob] {
        side.saw(1280.0, 720.0, 28.0)?;
        side.sent_with(codec)?;
        let frozen = side.statistics.number("/video/in/totalFreezesDuration")?;
        ensure!(frozen < 0.5, "frozen for {frozen} s");
        ensure!(side.statistics.number("/audio/in/packetsLost")? == 0.0);
    }
    heard(&ann_hears, 1000.0, 6.0)?;
    heard(&bob_hears, 440.0, 6.0)?;
    assert_eq!(call.ann.event("ended")?["reason"], "hungUp");
    assert_eq!(call.bob.event("ended")?["reason"], "remoteHungUp");
    let lasted = call.ann.event("ended")?["duration"].as_f64();
    ensure!(
        (7.5..10.0).contains(&lasted.unwrap_or_default()),
        "{lasted:?}"
    );
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn full_pictures_and_sound_go_both_ways_with_h264() -> Result<()> {
    full_call("h264").await
}

#[tokio::test(flavor = "multi_thread")]
async fn full_pictures_and_sound_go_both_ways_with_vp8() -> Result<()> {
    full_call("vp8").await
}

#[tokio::test(flavor = "multi_thread")]
async fn without_a_codec_asked_for_it_is_h264() -> Result<()> {
    let server = Server::start(&[]).await?;
    let sends = [
        "--camera=pattern",
        "--size=320x240",
        "--microphone=none",
        "--speaker=none",
    ];
    let ann = [&sends[..], &["--for=3"]].concat();
    let call = call(&server, &ann, &sends).await?;
    call.ann.saw(320.0, 240.0, 25.0)?;
    call.ann.sent_with("h264")?;
    call.bob.sent_with("h264")
}

#[tokio::test(flavor = "multi_thread")]
async fn a_call_can_be_sound_alone() -> Result<()> {
    let server = Server::start(&[]).await?;
    let (ann_hears, bob_hears) = (path(&server, "ann.wav"), path(&server, "bob.wav"));
    let ann_speaker = format!("--speaker=file:{ann_hears}");
    let bob_speaker = format!("--speaker=file:{bob_hears}");
    let ann = [
        "--camera=none",
        "--microphone=tone:600",
        &ann_speaker,
        "--for=4",
    ];
    let bob = ["--camera=none", "--microphone=tone:800", &bob_speaker];
    let call = call(&server, &ann, &bob).await?;
    for side in [&call.ann, &call.bob] {
        ensure!(side.statistics.number("/video/in/framesDecoded")? == 0.0);
        let packets = side.statistics.number("/audio/in/packetsReceived")?;
        ensure!(
            // Of 10 or 20 ms.
            (150.0..450.0).contains(&packets),
            "{packets} packets in 4 s"
        );
    }
    heard(&ann_hears, 800.0, 3.0)?;
    heard(&bob_hears, 600.0, 3.0)
}

#[tokio::test(flavor = "multi_thread")]
async fn pictures_can_go_one_way() -> Result<()> {
    let server = Server::start(&[]).await?;
    let silent = ["--microphone=none", "--speaker=none"];
    let ann = [&silent[..], &["--camera=none", "--for=4"]].concat();
    let bob = [
        &silent[..],
        &["--camera=pattern", "--size=640x360", "--codec=vp8"],
    ]
    .concat();
    let call = call(&server, &ann, &bob).await?;
    call.ann.saw(640.0, 360.0, 28.0)?;
    ensure!(call.bob.statistics.number("/video/in/framesDecoded")? == 0.0);
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn what_comes_is_recorded() -> Result<()> {
    let server = Server::start(&[]).await?;
    let folder = server.folder().join("recording");
    let record = folder.display().to_string();
    let sends = [
        "--camera=pattern",
        "--size=320x180",
        "--fps=20",
        "--speaker=none",
    ];
    let coded = path(&server, "coded.ivf");
    let files = ["--record", &record, "--coded", &coded];
    let ann = [&sends[..], &files, &["--microphone=none", "--for=4"]].concat();
    let bob = [&sends[..], &["--microphone=tone:700"]].concat();
    let call = call(&server, &ann, &bob).await?;
    let decoded = call.ann.statistics.number("/video/in/framesDecoded")? as usize;
    let csv = std::fs::read_to_string(folder.join("remote.csv"))?;
    let mut lines = csv.lines();
    assert_eq!(lines.next(), Some("frame,unixMs,width,height"));
    for (index, line) in lines.clone().enumerate() {
        let fields: Vec<&str> = line.split(',').collect();
        ensure!(fields.len() == 4, "{line}");
        ensure!(fields[0] == (index + 1).to_string(), "{line}");
        ensure!(fields[2..] == ["320", "180"], "{line}");
    }
    assert_eq!(lines.count(), decoded);
    let y4m = std::fs::read(folder.join("remote.y4m"))?;
    ensure!(y4m.starts_with(b"YUV4MPEG2 W320 H180"));
    let frame = "FRAME\n".len() + 320 * 180 * 3 / 2;
    assert_eq!(y4m.len() / frame, decoded);
    let coded = std::fs::read(coded)?;
    let coded = read_ivf(&coded).context("no IVF file")?;
    assert_eq!(coded.len(), decoded);
    heard(&record_file(&record, "remote.wav"), 700.0, 3.0)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_camera_that_stands_on_its_side_is_seen_upright_by_the_other_one() -> Result<()> {
    let server = Server::start(&[]).await?;
    let folder = server.folder().join("recording");
    let record = folder.display().to_string();
    let picture = path(&server, "in.y4m");
    // Its left half is bright: turned by 90° clockwise, the upper one is.
    let mut lying = VideoFrame::black(320, 192);
    for row in lying.planes_mut()[0].chunks_exact_mut(320) {
        row[..160].fill(235);
    }
    let mut y4m = Y4mWriter::create(&picture)?.with_frame_rate(15);
    y4m.write(&lying)?;
    y4m.flush()?;
    let camera = format!("--camera=file:{picture}");
    let ann = [
        "--camera=none",
        "--microphone=none",
        "--speaker=none",
        "--record",
        &record,
        "--for=3",
    ];
    let bob = [
        &camera,
        "--rotate=90",
        "--microphone=none",
        "--speaker=none",
    ];
    call(&server, &ann, &bob).await?;
    let y4m = std::fs::read(folder.join("remote.y4m"))?;
    ensure!(
        y4m.starts_with(b"YUV4MPEG2 W192 H320"),
        "it lies on its side"
    );
    let last = &y4m[y4m.len() - 192 * 320 * 3 / 2..];
    let at = |column: usize, row: usize| last[row * 192 + column];
    let (above, below) = (at(96, 60), at(96, 260));
    ensure!(above > 200 && below < 50, "{above} above, {below} below");
    Ok(())
}

fn record_file(folder: &str, name: &str) -> String {
    Path::new(folder).join(name).display().to_string()
}

#[tokio::test(flavor = "multi_thread")]
async fn files_are_cameras_and_microphones() -> Result<()> {
    let server = Server::start(&[]).await?;
    let format = VideoFormat {
        width: 322,
        height: 182,
        frame_rate: 25,
    };
    let (picture, sound) = (path(&server, "in.y4m"), path(&server, "in.wav"));
    let pattern = Pattern::new(format, PatternContent::TalkingHead);
    let mut y4m = Y4mWriter::create(&picture)?.with_frame_rate(format.frame_rate);
    for number in 0..25 {
        y4m.write(&pattern.frame(number))?;
    }
    y4m.flush()?;
    sound_file::write_tone(Path::new(&sound), 500.0, 1.0, 44_100)?;
    let ann_hears = path(&server, "ann.wav");
    let speaker = format!("--speaker=file:{ann_hears}");
    let ann = ["--camera=none", "--microphone=none", &speaker, "--for=4"];
    let camera = format!("--camera=file:{picture}");
    let microphone = format!("--microphone=file:{sound}");
    let bob = [&camera, &microphone, "--speaker=none"];
    let call = call(&server, &ann, &bob).await?;
    let rate = call.ann.statistics.decoded_per_second()?;
    ensure!((23.0..27.0).contains(&rate), "{rate} frames a second");
    ensure!(call.ann.statistics.number("/video/in/frameWidth")? == 322.0);
    // One second long, played for four: the file loops. It carries no time code.
    ensure!(call.ann.statistics.number("/video/in/latencyMs/count")? == 0.0);
    heard(&ann_hears, 500.0, 3.0)
}

#[tokio::test(flavor = "multi_thread")]
async fn the_echo_test_plays_back_what_it_gets() -> Result<()> {
    let server = Server::start(&[]).await?;
    let ann = server.register("Ann").await?;
    server.until_online(&ann, "Echo test").await?;
    let hears = path(&server, "ann.wav");
    let speaker = format!("--speaker=file:{hears}");
    let sends = [
        "--camera=pattern",
        "--microphone=tone:440",
        &speaker,
        "--for=5",
    ];
    let cli = start(&server, &ann, &["call", "Echo test"], &sends)?;
    let ann = finish(&server, &ann, cli).await?;
    ann.saw_at_any_rate(1280.0, 720.0)?;
    // The Echo test gives back what it gets, but for what is under way in the end. How much that is in a moment when the
    // machine is busy with something else is up to the encoder, so the rate is that of the call's middle second.
    let sent = ann.statistics.number("/video/out/framesEncoded")?;
    let came_back = ann.statistics.number("/video/in/framesDecoded")?;
    ensure!(came_back >= sent - 5.0, "{came_back} of {sent} pictures");
    let rate = ann.statistics.usually_decoded_per_second()?;
    ensure!(rate >= 28.0, "{rate} frames a second");
    heard(&hears, 440.0, 3.5)
}

#[tokio::test(flavor = "multi_thread")]
async fn the_echo_test_takes_a_few_calls_at_once_and_then_is_busy() -> Result<()> {
    let server = Server::start(&[]).await?;
    let names = ["Ann", "Bob", "Eve", "Ida"];
    let mut calls = Vec::new();
    for name in names {
        let person = server.register(name).await?;
        server.until_online(&person, "Echo test").await?;
        let mut call = start(&server, &person, &["call", "Echo test"], &SILENT)?;
        call.event("connected").await?;
        calls.push((person, call));
    }
    let late = server.register("Zoe").await?;
    let arguments = [&["call", "Echo test"][..], &SILENT].concat();
    let refused = server.cli(&late, &arguments)?.end().await?;
    ensure!(refused.status == 4, "{refused:?}");
    for (person, call) in calls {
        call.interrupt().await?;
        finish(&server, &person, call).await?;
    }
    // There is room again.
    let again = [&arguments[..], &["--for=0.2"]].concat();
    let taken = server.cli(&late, &again)?.end().await?;
    ensure!(taken.status == 0, "{taken:?}");
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn two_without_a_common_video_codec_still_hear_each_other() -> Result<()> {
    let server = Server::start(&[]).await?;
    let hears = path(&server, "ann.wav");
    let speaker = format!("--speaker=file:{hears}");
    let camera = ["--camera=pattern", "--size=320x240"];
    let ann = [
        &camera[..],
        &["--codec=h264", "--microphone=none", &speaker, "--for=3"],
    ]
    .concat();
    let bob = [
        &camera[..],
        &["--codec=vp8", "--microphone=tone:900", "--speaker=none"],
    ]
    .concat();
    let call = call(&server, &ann, &bob).await?;
    for side in [&call.ann, &call.bob] {
        ensure!(side.statistics.number("/video/in/framesDecoded")? == 0.0);
    }
    heard(&hears, 900.0, 2.0)
}

#[tokio::test(flavor = "multi_thread")]
async fn the_callee_can_hang_up() -> Result<()> {
    let server = Server::start(&[]).await?;
    let (ann, bob) = server.two_contacts().await?;
    let mut answer = start(&server, &bob, &["answer"], &SILENT)?;
    answer.event("ready").await?;
    // Twice: whoever answers without --once can be called again.
    for _ in 0..2 {
        let short = [&SILENT[..], &["--for=0.2"]].concat();
        let mut call = start(&server, &ann, &["call", "Bob"], &short)?;
        call.event("connected").await?;
        answer.event("ended").await?;
        finish(&server, &ann, call).await?;
    }
    let mut call = start(&server, &ann, &["call", "Bob"], &SILENT)?;
    call.event("connected").await?;
    answer.event("connected").await?;
    answer.interrupt().await?;
    let ended = call.event("ended").await?;
    assert_eq!(ended["reason"], "remoteHungUp");
    finish(&server, &ann, call).await?;
    assert_eq!(answer.event("ended").await?["reason"], "hungUp");
    answer.signal("TERM").await?;
    assert_eq!(answer.end().await?.status, 0);
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_call_outlives_the_server() -> Result<()> {
    let mut server = Server::start(&[]).await?;
    let (ann, bob) = server.two_contacts().await?;
    let sends = [
        "--camera=pattern",
        "--size=320x240",
        "--microphone=tone",
        "--speaker=none",
    ];
    let mut answer = start(&server, &bob, &["answer", "--once"], &sends)?;
    answer.event("ready").await?;
    let long = [&sends[..], &["--for=6"]].concat();
    let mut call = start(&server, &ann, &["call", "Bob"], &long)?;
    call.event("connected").await?;
    tokio::time::sleep(Duration::from_secs(1)).await; // A second of the call with its server.
    server.kill().await?;
    let ann_saw = finish(&server, &ann, call).await?;
    ann_saw.saw(320.0, 240.0, 28.0)?;
    assert_eq!(ann_saw.event("ended")?["reason"], "hungUp");
    // Nobody could tell Bob but Ann's own closing connection.
    let bob_saw = finish(&server, &bob, answer).await?;
    assert_eq!(bob_saw.event("ended")?["reason"], "remoteHungUp");
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn two_who_call_each_other_at_once_are_in_one_call() -> Result<()> {
    let server = Server::start(&[]).await?;
    let (ann, bob) = server.two_contacts().await?;
    // Each has one more device, which nobody picks up: whoever is quicker finds the other there.
    let unattended = [&["answer", "--after=60000"][..], &SILENT].concat();
    let mut ann_rings = server.cli(&ann, &unattended)?;
    let mut bob_rings = server.cli(&bob, &unattended)?;
    tokio::try_join!(ann_rings.event("ready"), bob_rings.event("ready"))?;
    let short = [&SILENT[..], &["--for=0.2"]].concat();
    // In about half of these both calls are under way before either side hears of the other's.
    for _ in 0..4 {
        let mut one = start(&server, &ann, &["call", "Bob"], &short)?;
        let mut other = start(&server, &bob, &["call", "Ann"], &short)?;
        let (seen, also) = tokio::try_join!(one.event("connected"), other.event("connected"))?;
        assert_eq!(seen["callId"], also["callId"]);
        finish(&server, &ann, one).await?;
        finish(&server, &bob, other).await?;
    }
    Ok(())
}

/// The lowest number that a file which this process opens next would get.
#[cfg(target_os = "linux")]
fn next_file(process: u32) -> u32 {
    let taken = |number: &u32| Path::new(&format!("/proc/{process}/fd/{number}")).exists();
    (0..).find(|number| !taken(number)).unwrap_or(u32::MAX)
}

/// Sets how many files, sockets included, a process may have open.
#[cfg(target_os = "linux")]
async fn limit_files(process: u32, limit: &str) -> Result<()> {
    let set = Command::new("prlimit")
        .args([format!("--pid={process}"), format!("--nofile={limit}:")])
        .status()
        .await?;
    ensure!(set.success(), "prlimit: {set}");
    Ok(())
}

#[cfg(target_os = "linux")]
#[tokio::test(flavor = "multi_thread")]
async fn what_could_not_be_prepared_while_it_rang_is_tried_anew_on_acceptance() -> Result<()> {
    let server = Server::start(&[]).await?;
    let (ann, bob) = server.two_contacts().await?;
    let answer = [&["answer", "--once", "--after=1500"][..], &SILENT].concat();
    let mut answer = Cli::start_logging(&server.url, &bob, &answer)?;
    answer.event("ready").await?;
    let process = answer.id().context("it runs")?;
    limit_files(process, &next_file(process).to_string()).await?;
    let call = [&["call", "Bob", "--for=0.5"][..], &SILENT].concat();
    let mut call = server.cli(&ann, &call)?;
    answer.event("ringing").await?;
    tokio::time::sleep(Duration::from_millis(500)).await;
    limit_files(process, "1024").await?;
    call.event("connected").await?;
    ensure!(call.end().await?.status == 0);
    let answer = answer.end().await?;
    ensure!(answer.status == 0, "{answer:?}");
    ensure!(answer.stderr.contains("no peer connection"), "{answer:?}");
    Ok(())
}
