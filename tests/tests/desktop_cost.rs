//! What the application costs while nobody looks at it, how soon it is there, and how it comes through a computer's sleep.
//! The figures are printed; they are those of a development build.
#![cfg(target_os = "linux")]
#![allow(
    clippy::print_stdout,
    reason = "the figures are read by whoever runs the test"
)]

use std::{
    process::{Child, Command, Stdio},
    time::Duration,
};

use anyhow::{Context, ensure};
use tokio::time::{Instant, sleep};
use vireo_tests::{
    binaries::binary,
    display::Display,
    process_tree::{self, Usage},
    server::Server,
    tray::Tray,
    window::{Window, WindowOptions},
};

const PATIENCE: Duration = Duration::from_secs(60);

/// What the process tree may cost in the tray, as a share of one core and in MB.
const GOAL: (f64, f64) = (0.01, 100.0);

/// What a window may take from its process's start until it can be used, on a machine that does nothing else.
const START_GOAL: Duration = Duration::from_secs(1);

/// The application without a driver, which would keep its web view.
struct Application(Child);

impl Application {
    fn start(display: &Display, options: &WindowOptions<'_>) -> anyhow::Result<Self> {
        let log = std::fs::File::create(options.profile.join("application.log"))?;
        let mut command = Command::new(binary("vireo")?);
        command
            .arg("--profile")
            .arg(&options.profile)
            .args(
                options
                    .server
                    .iter()
                    .flat_map(|server| ["--server", server]),
            )
            .envs(display.variables())
            .envs(options.variables.iter().copied())
            .env("LANGUAGE", "en")
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(log);
        Ok(Self(command.spawn()?))
    }

    fn has_web_view(&self) -> bool {
        let web = |process: &u32| {
            process_tree::program(*process).is_some_and(|name| name.starts_with("WebKitWebProc"))
        };
        process_tree::tree(self.0.id()).iter().any(web)
    }
}

impl Drop for Application {
    fn drop(&mut self) {
        let _ = Command::new("kill").arg(self.0.id().to_string()).status();
        let _ = self.0.wait();
    }
}

fn mb(bytes: u64) -> f64 {
    bytes as f64 / 1e6
}

#[tokio::test]
async fn in_the_tray_the_web_view_is_let_go() -> anyhow::Result<()> {
    let server = Server::start(&[]).await?;
    let display = Display::start()?;
    let options = WindowOptions {
        server: Some(server.url.clone()),
        ..WindowOptions::of(server.folder(), "anna")
    };
    let window = Window::open(&display, &options).await?;
    window.sign_up("Anna").await?;
    window.close().await?;

    // Warm: everything has been read once.
    let window = Window::open(&display, &options).await?;
    window.find("[data-contact='Echo test']").await?;
    let age = process_tree::age(window.application()?).context("it runs")?;
    let since = "return performance.now() - performance.getEntriesByName('usable')[0].startTime";
    let since = window.session().execute(since).await?;
    let since = Duration::from_secs_f64(since.as_f64().context("no mark")? / 1e3);
    let start = age.saturating_sub(since);
    println!("start to usable window, warm: {start:?} (goal {START_GOAL:?})");
    window.close().await?;

    let tray = Tray::start(&display).await?;
    let application = Application::start(&display, &options)?;
    tray.reads(&["Open Vireo", "Do not disturb", "Quit Vireo"])
        .await?;
    let process = application.0.id();
    let main = display.find(|window| window.process == process && window.width >= 720)?;
    ensure!(application.has_web_view(), "there is no web view");
    let open = Usage::of(process);
    display.press(&main, "alt+F4")?;
    let started = Instant::now();
    while application.has_web_view() {
        ensure!(started.elapsed() < PATIENCE, "the web view stays");
        sleep(Duration::from_millis(100)).await;
    }
    // What has just been closed is cleared away for a moment.
    sleep(Duration::from_secs(5)).await;
    let before = Usage::of(process);
    sleep(Duration::from_secs(10)).await;
    let after = Usage::of(process);
    let (share, memory) = (after.cores_since(&before), mb(after.pss));
    println!(
        "with its window {:.0} MB; in the tray {memory:.0} MB (goal {}), {:.1} % of a core (goal {})",
        mb(open.pss),
        GOAL.1,
        share * 100.0,
        GOAL.0 * 100.0
    );
    for process in process_tree::tree(process) {
        let name = process_tree::program(process).unwrap_or_default();
        println!("  {name}: {:.0} MB", mb(Usage::of_process(process).pss));
    }
    assert!(share <= GOAL.0, "{share}");
    assert!(memory <= GOAL.1, "{memory}");

    let started = Instant::now();
    tray.click().await?;
    display.find(|window| window.process == process && window.width >= 720)?;
    println!("back from the tray after {:?}", started.elapsed());
    Ok(())
}

#[tokio::test]
async fn a_call_comes_back_after_the_computer_has_slept() -> anyhow::Result<()> {
    let server = Server::start(&[]).await?;
    let bob = server.register("Bob").await?;
    let display = Display::start()?;
    let options = WindowOptions {
        server: Some(server.url.clone()),
        ..WindowOptions::of(server.folder(), "anna")
    };
    let window = Window::open(&display, &options).await?;
    window.sign_up("Anna").await?;
    window.add_contact("Bob").await?;
    server.run(&bob, &["contacts", "add", "Anna"]).await?;
    let answer = [
        "answer",
        "--once",
        "--camera",
        "pattern",
        "--microphone",
        "tone",
    ];
    let mut bob = server.cli(&bob, &[&answer[..], &["--speaker", "none"]].concat())?;
    bob.event("ready").await?;
    window
        .click("[data-contact='Bob'] [data-action=video-call]")
        .await?;
    window.phase("connected").await?;
    window.moving_pictures(5).await?;

    let asleep = process_tree::tree(window.application()?);
    let signal = |name: &str| {
        let processes = asleep.iter().map(ToString::to_string);
        Command::new("kill").arg(name).args(processes).status()
    };
    signal("-STOP")?;
    sleep(Duration::from_secs(15)).await;
    let awake = Instant::now();
    signal("-CONT")?;
    window.moving_pictures(5).await?;
    println!("pictures {:?} after a sleep of 15 s", awake.elapsed());
    window.phase("connected").await?;
    window.click("[data-action=end]").await?;
    bob.end().await?;
    window.close().await
}
