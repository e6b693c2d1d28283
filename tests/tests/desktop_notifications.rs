//! What the system tells a person whom no window tells it, and what they can do there.
#![cfg(target_os = "linux")]

use std::fs;

use vireo_tests::{
    display::Display,
    notifications::Notifications,
    server::Server,
    window::{Window, WindowOptions},
};

/// Under Wayland the ringing window may lie behind others, so that the notification is what tells of the call.
#[tokio::test]
async fn a_call_nobody_looks_at_is_told_answered_declined_and_called_back() -> anyhow::Result<()> {
    let display = Display::start()?;
    let notifications = Notifications::of(&display).await?;
    let folder = tempfile::tempdir()?;
    let server = Server::start(&[]).await?;
    let mut options = WindowOptions {
        server: Some(server.url.clone()),
        ..WindowOptions::of(folder.path(), "anna")
    };
    options.variables.push(("XDG_SESSION_TYPE", "wayland"));
    let anna = Window::open(&display, &options).await?;
    anna.sign_up("Anna").await?;
    let boris = server.register("<b>Boris & co").await?;
    server.run(&boris, &["contacts", "add", "Anna"]).await?;
    anna.click("[data-contact='<b>Boris & co'] .person").await?;
    anna.click("[data-action=accept-contact]").await?;
    anna.reads("is offline").await?;
    // Whoever looks at the window is told there.
    let video = [
        "call",
        "Anna",
        "--camera=pattern",
        "--microphone=tone",
        "--speaker=none",
    ];
    let watched = server.cli(&boris, &video)?;
    anna.phase("incoming").await?;
    assert_eq!(notifications.now(), []);
    anna.click("[data-action=decline]").await?;
    assert_eq!(watched.end().await?.status, DECLINED);
    anna.click("[data-action=back]").await?;

    display.minimise("Vireo")?;
    let declined = server.cli(&boris, &video)?;
    let rings = notifications.shows("Incoming video call").await?;
    assert_eq!(
        rings.summary, "<b>Boris & co",
        "a name is data, and as it is"
    );
    assert_eq!(rings.urgency, 2);
    let labels: Vec<_> = rings
        .actions
        .iter()
        .map(|(_, label)| label.as_str())
        .collect();
    assert_eq!(
        labels,
        ["Decline", "Answer without video", "Answer", "Open Vireo"]
    );
    notifications.press(&rings, "decline").await?;
    assert_eq!(declined.end().await?.status, DECLINED);
    notifications.gone().await?;

    let mut cancelled = server.cli(&boris, &video)?;
    notifications.shows("Incoming video call").await?;
    cancelled.event("ringing").await?;
    cancelled.interrupt().await?;
    cancelled.end().await?;
    let missed = notifications.shows("Missed call").await?;
    assert_eq!(
        notifications.now().len(),
        1,
        "it takes the other one's place"
    );
    let mut answering = server.cli(
        &boris,
        &[
            "answer",
            "--once",
            "--camera=none",
            "--microphone=tone",
            "--speaker=none",
        ],
    )?;
    answering.event("ready").await?;
    notifications.press(&missed, "call-back").await?;
    anna.phase("connected").await?;
    answering.event("connected").await?;
    anna.click("[data-action=end]").await?;
    answering.end().await?;
    anna.click("[data-action=back]").await?;

    display.minimise("Vireo")?;
    let mut accepted = server.cli(&boris, &video)?;
    let rings = notifications.shows("Incoming video call").await?;
    notifications.press(&rings, "answer-without-video").await?;
    accepted.event("connected").await?;
    anna.find(".off[data-action=camera]").await?;
    let log = fs::read_to_string(options.profile.join("window.log"))?;
    assert!(!log.contains("Boris"), "names do not reach a log");
    anna.close().await
}

#[tokio::test]
async fn a_window_that_rings_is_told_of_by_nothing_else_until_the_call_is_missed()
-> anyhow::Result<()> {
    let display = Display::start()?;
    let notifications = Notifications::of(&display).await?;
    let folder = tempfile::tempdir()?;
    let server = Server::start(&[]).await?;
    let options = WindowOptions {
        server: Some(server.url.clone()),
        ..WindowOptions::of(folder.path(), "anna")
    };
    let anna = Window::open(&display, &options).await?;
    anna.sign_up("Anna").await?;
    let boris = server.register("Boris").await?;
    server.run(&boris, &["contacts", "add", "Anna"]).await?;
    anna.click("[data-contact=Boris] .person").await?;
    anna.click("[data-action=accept-contact]").await?;
    anna.reads("is offline").await?;
    // In the language that was chosen here, which is not the system's.
    anna.click("[data-action=settings]").await?;
    anna.click("[data-page=appearance]").await?;
    anna.click("[data-choice=language] [value=ru]").await?;
    anna.find("html[lang=ru]").await?;
    anna.click("[data-action=close-settings]").await?;
    let missed_call = async || -> anyhow::Result<()> {
        let mut call = server.cli(
            &boris,
            &[
                "call",
                "Anna",
                "--camera=none",
                "--microphone=tone",
                "--speaker=none",
            ],
        )?;
        anna.look_at("ringing").await?;
        anna.reads("Входящий звонок").await?;
        call.event("ringing").await?;
        call.interrupt().await?;
        call.end().await?;
        anna.look_away("ringing").await?;
        anna.look_at("index").await
    };
    display.minimise("Vireo")?;
    missed_call().await?;
    let missed = notifications.shows("Пропущенный звонок").await?;
    assert_eq!(missed.summary, "Boris");
    assert_eq!(
        notifications.told(),
        ["Пропущенный звонок"],
        "the window that rang was enough"
    );

    notifications.press(&missed, "default").await?;
    anna.click("[data-action=settings]").await?;
    anna.click("[data-page=notifications]").await?;
    anna.click("[data-switch=notifications]").await?;
    anna.find("[data-switch=notifications]:not(:checked)")
        .await?;
    anna.click("[data-action=close-settings]").await?;
    display.minimise("Vireo")?;
    missed_call().await?;
    // It was told before what follows.
    anna.reads("Boris").await?;
    assert_eq!(notifications.told().len(), 1, "they are switched off");
    anna.close().await
}

/// What `vireo-cli` ends with when the other side declined.
const DECLINED: i32 = 6;

#[tokio::test]
async fn whoever_wants_peace_is_told_nothing_and_a_lost_server_is_told() -> anyhow::Result<()> {
    let display = Display::start()?;
    let notifications = Notifications::of(&display).await?;
    let folder = tempfile::tempdir()?;
    let mut server = Server::start(&[]).await?;
    let options = WindowOptions {
        server: Some(server.url.clone()),
        language: "ru",
        ..WindowOptions::of(folder.path(), "anna")
    };
    let anna = Window::open(&display, &options).await?;
    anna.sign_up("Анна").await?;
    let boris = server.register("Boris").await?;
    anna.add_contact("Boris").await?;
    server.run(&boris, &["contacts", "add", "Анна"]).await?;
    let peace =
        "return window.__TAURI_INTERNALS__.invoke('set_status', { status: 'do-not-disturb' })";
    anna.session().execute_async(peace).await?;
    display.minimise("Vireo")?;
    let mut call = server.cli(
        &boris,
        &[
            "call",
            "Анна",
            "--camera=none",
            "--microphone=tone",
            "--speaker=none",
        ],
    )?;
    call.event("ringing").await?;
    call.interrupt().await?;
    call.end().await?;
    assert_eq!(notifications.now(), []);
    anna.session()
        .execute_async(&peace.replace("do-not-disturb", "online"))
        .await?;
    server.kill().await?;
    let lost = notifications.shows("Сервер недоступен").await?;
    assert_eq!(lost.summary, "Vireo");
    notifications.press(&lost, "default").await?;
    anna.close().await
}
