//! What the window of a call says when the way to the other side is lost, slow or narrow, and what can be done about it. The
//! windows are at computers of their own, whose link is made bad as it is needed.
#![cfg(target_os = "linux")]

use std::time::{Duration, Instant};

use anyhow::ensure;
use vireo_testing::link::Link;
use vireo_tests::{
    binaries::binary,
    cli::Cli,
    display::Display,
    netlab::{Lab, Way},
    network::{Computer, Network},
    pulse::{Pulse, RATE, Recording},
    server::Server,
    sound_file::power_at,
    window::{Window, WindowOptions},
};

const PATIENCE: Duration = Duration::from_secs(20);

/// What Anna's microphone gives, in hertz.
const TONE: f64 = 440.0;

/// The jitter buffer has played what had come before.
const PLAYED: Duration = Duration::from_secs(1);

/// Two homes that reach the server by a way that stays good, and each other by a link.
struct Apart {
    homes: [Computer; 2],
    lab: Lab,
    server: Server,
    display: Display,
    folder: tempfile::TempDir,
    /// Kept for the middle.
    _network: Network,
}

impl Apart {
    async fn new() -> anyhow::Result<Self> {
        let mut network = Network::isolating()?;
        let homes = [network.home()?, network.home()?];
        let lab = Lab::between(&homes[0], &homes[1], 23).await?;
        Ok(Self {
            homes,
            lab,
            server: Server::start_in(&network, &[]).await?,
            display: Display::start()?,
            folder: tempfile::tempdir()?,
            _network: network,
        })
    }

    async fn window(&self, home: usize, name: &str, language: &str) -> anyhow::Result<Window> {
        let mut options = WindowOptions {
            server: Some(self.server.url.clone()),
            computer: Some(self.homes[home].clone()),
            language,
            ..WindowOptions::of(self.folder.path(), name)
        };
        options.variables.push(("VIREO_MICROPHONE", "tone:440"));
        let window = Window::open(&self.display, &options).await?;
        window.sign_up(name).await?;
        Ok(window)
    }
}

async fn video_call(from: &Window, to: &str) -> anyhow::Result<()> {
    from.click(&format!("[data-contact='{to}'] [data-action=video-call]"))
        .await?;
    from.phase("connected").await?;
    from.moving_pictures(3).await?;
    Ok(())
}

/// Whether the tone is in this sound.
fn holds_the_tone(samples: &[f64]) -> bool {
    const PIECE: usize = RATE as usize / 10;
    let level = |piece: &[f64]| (power_at(piece, RATE, TONE) / PIECE as f64).sqrt();
    samples.chunks_exact(PIECE).any(|piece| level(piece) > 0.05)
}

/// Waits until the tone comes out of the speaker from now on.
fn until_heard(speaker: &Recording) -> anyhow::Result<()> {
    let begin = speaker.wait_until(PATIENCE, |_| true)?.len();
    let heard = |samples: &[f64]| samples.get(begin..).is_some_and(holds_the_tone);
    speaker.wait_until(PATIENCE, heard).map(drop)
}

/// Until the link is back, then once more until the person gives up, and a call that goes well after that.
async fn the_link_is_lost(language: &str, words: [&str; 4]) -> anyhow::Result<()> {
    let [reconnecting, not_heard, muted, lost] = words;
    let mut apart = Apart::new().await?;
    let boris = apart.server.register("Boris").await?;
    let anna = apart.window(0, "Anna", language).await?;
    let server = &apart.server;
    server.run(&boris, &["contacts", "add", "Anna"]).await?;
    anna.add_contact("Boris").await?;
    let answers = [
        "answer",
        "--camera=pattern",
        "--microphone=none",
        "--speaker=device",
        "--size=640x360",
    ];
    let pulse = Pulse::start()?;
    let mut program = apart.homes[1].command(binary("vireo-cli")?);
    program.envs(pulse.environment());
    let mut there = Cli::start_with(program.into(), &server.url, &boris, &answers)?;
    there.event("ready").await?;
    let speaker = pulse.record_speaker()?;
    video_call(&anna, "Boris").await?;
    until_heard(&speaker)?;
    let gone = Link {
        blackout: true,
        ..Link::default()
    };

    // What Anna sends would still arrive, and is not what she is told.
    apart.lab.set(Way::Back, gone.clone()).await?;
    anna.phase("reconnecting").await?;
    anna.reads(reconnecting).await?;
    anna.reads(not_heard).await?;
    let silence = speaker.heard(Instant::now() + PLAYED, PLAYED)?;
    ensure!(!holds_the_tone(&silence), "she is heard");
    anna.screenshot(&format!("call.reconnecting.{language}"))
        .await?;
    anna.click("[data-action=microphone]").await?;
    anna.reads(muted).await?;
    anna.screenshot(&format!("call.reconnecting-muted.{language}"))
        .await?;
    apart.lab.set(Way::Both, Link::default()).await?;
    anna.phase("connected").await?;
    anna.moving_pictures(3).await?;
    anna.click("[data-action=microphone]").await?;
    until_heard(&speaker)?;

    apart.lab.set(Way::Both, gone).await?;
    anna.phase("reconnecting").await?;
    anna.click("[data-action=end]").await?;
    anna.find("[data-reason=connectionLost]").await?;
    anna.reads(lost).await?;
    anna.screenshot(&format!("ended.connection-lost.{language}"))
        .await?;
    there.event("ended").await?;
    apart.lab.set(Way::Both, Link::default()).await?;
    anna.click("[data-action=call-again]").await?;
    anna.phase("connected").await?;
    anna.moving_pictures(3).await?;
    anna.close().await
}

#[tokio::test(flavor = "multi_thread")]
async fn a_lost_link_is_waited_for_until_the_person_gives_up() -> anyhow::Result<()> {
    let words = [
        "Reconnecting…",
        "They cannot hear you at the moment.",
        "Your microphone is muted.",
        "Connection lost",
    ];
    the_link_is_lost("en", words).await
}

#[tokio::test(flavor = "multi_thread")]
async fn in_russian_a_lost_link_is_waited_for_until_the_person_gives_up() -> anyhow::Result<()> {
    let words = [
        "Восстанавливаем связь…",
        "Сейчас вас не слышно.",
        "Ваш микрофон выключен.",
        "Связь потеряна",
    ];
    the_link_is_lost("ru", words).await
}

/// Anna's window is in English and Boris's in Russian.
#[tokio::test(flavor = "multi_thread")]
async fn on_a_narrow_link_pictures_give_way_until_the_person_wants_them_or_there_is_room()
-> anyhow::Result<()> {
    let mut apart = Apart::new().await?;
    let anna = apart.window(0, "Anna", "en").await?;
    let boris = apart.window(1, "Boris", "ru").await?;
    anna.add_contact("Boris").await?;
    boris.add_contact("Anna").await?;
    anna.click("[data-contact=Boris] [data-action=video-call]")
        .await?;
    boris.rings().await?;
    boris.click("[data-action=answer]").await?;
    boris.look_at("index").await?;
    boris.moving_pictures(3).await?;
    anna.moving_pictures(3).await?;

    let slow = Link {
        delay: Duration::from_millis(300),
        ..Link::default()
    };
    apart.lab.set(Way::Both, slow).await?;
    for (window, language, words) in [
        (&anna, "en", "Unstable connection"),
        (&boris, "ru", "Связь неустойчива"),
    ] {
        window.find("[data-connection=unstable]").await?;
        window.reads(words).await?;
        window
            .screenshot(&format!("call.unstable.{language}"))
            .await?;
    }

    // Enough for sound, and for the least of pictures not.
    let narrow = Link {
        rate: Some(70_000),
        queue: Duration::from_millis(200),
        delay: Duration::from_millis(20),
        ..Link::default()
    };
    apart.lab.set(Way::Both, Link::default()).await?;
    apart.lab.set(Way::There, narrow).await?;
    anna.find("[data-connection=poor]").await?;
    anna.reads("Poor connection – video paused to keep the sound clear")
        .await?;
    anna.screenshot("call.poor.en").await?;
    boris.reads("У собеседника плохая связь").await?;
    boris.screenshot("call.peer-video-paused.ru").await?;

    anna.click("[data-action=keep-video]").await?;
    anna.gone("[data-connection=poor]").await?;
    anna.screenshot("call.poor-video-kept.en").await?;
    boris.moving_pictures(3).await?;
    apart.lab.set(Way::Both, Link::default()).await?;
    anna.gone("[data-connection]").await?;
    boris.moving_pictures(3).await?;
    boris.close().await?;
    anna.close().await
}
