//! Calls that do not take place: every exit status of `vireo-cli`, and a sentence with each.

use anyhow::{Result, ensure};
use tokio::process::Command;
use vireo_tests::binaries::binary;
use vireo_tests::cli::{Cli, Ended};
use vireo_tests::server::{Account, Server};

const NOTHING: [&str; 3] = ["--camera=none", "--microphone=none", "--speaker=none"];

/// A command with neither camera nor microphone nor speaker.
fn bare(server: &Server, who: &Account, command: &[&str]) -> Result<Cli> {
    server.cli(who, &[command, &NOTHING].concat())
}

/// It ended with this status and one sentence that holds these words.
fn failed(ended: &Ended, status: i32, words: &str) -> Result<()> {
    ensure!(ended.status == status, "not {status}: {ended:?}");
    ensure!(ended.stderr.contains(words), "no “{words}”: {ended:?}");
    ensure!(ended.stderr.trim().ends_with('.'), "no sentence: {ended:?}");
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn somebody_who_is_offline_is_3() -> Result<()> {
    let server = Server::start(&[]).await?;
    let (ann, _bob) = server.two_contacts().await?;
    let ended = bare(&server, &ann, &["call", "Bob"])?.end().await?;
    failed(&ended, 3, "offline")?;
    assert_eq!(
        ended.event("ended").map(|event| &event["reason"]),
        Some(&"offline".into())
    );
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn somebody_in_another_call_is_4() -> Result<()> {
    let server = Server::start(&[]).await?;
    let (ann, bob) = server.two_contacts().await?;
    let eve = server.register("Eve").await?;
    server.befriend(&eve, &bob).await?;
    let mut answer = bare(&server, &bob, &["answer"])?;
    answer.event("ready").await?;
    let mut call = bare(&server, &ann, &["call", "Bob"])?;
    call.event("connected").await?;
    let ended = bare(&server, &eve, &["call", "Bob"])?.end().await?;
    failed(&ended, 4, "call")?;
    // Nobody else is disturbed.
    call.interrupt().await?;
    assert_eq!(call.end().await?.status, 0);
    assert_eq!(answer.event("ended").await?["peer"], "Ann");
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn nobody_answering_is_5() -> Result<()> {
    let server = Server::start(&["--answer-timeout", "2"]).await?;
    let (ann, bob) = server.two_contacts().await?;
    let mut answer = bare(&server, &bob, &["answer", "--once", "--after", "60000"])?;
    answer.event("ready").await?;
    let mut call = bare(&server, &ann, &["call", "Bob"])?;
    call.event("ringing").await?;
    answer.event("ringing").await?;
    failed(&call.end().await?, 5, "answered")?;
    let answer = answer.end().await?;
    failed(&answer, 5, "missed")?;
    assert_eq!(
        answer.event("ended").map(|event| &event["reason"]),
        Some(&"missed".into())
    );
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_caller_can_cancel() -> Result<()> {
    let server = Server::start(&[]).await?;
    let (ann, bob) = server.two_contacts().await?;
    let mut answer = bare(&server, &bob, &["answer", "--once", "--after", "60000"])?;
    answer.event("ready").await?;
    let mut call = bare(&server, &ann, &["call", "Bob"])?;
    call.event("ringing").await?;
    call.interrupt().await?;
    let call = call.end().await?;
    failed(&call, 5, "cancelled")?;
    assert_eq!(
        call.event("ended").map(|event| &event["reason"]),
        Some(&"cancelled".into())
    );
    let answer = answer.end().await?;
    failed(&answer, 5, "gave up")
}

#[tokio::test(flavor = "multi_thread")]
async fn declined_is_6_for_the_caller_and_planned_for_the_callee() -> Result<()> {
    let server = Server::start(&[]).await?;
    let (ann, bob) = server.two_contacts().await?;
    let mut answer = bare(
        &server,
        &bob,
        &["answer", "--once", "--decline", "--after", "300"],
    )?;
    answer.event("ready").await?;
    let call = bare(&server, &ann, &["call", "Bob"])?.end().await?;
    failed(&call, 6, "declined")?;
    ensure!(call.event("ringing").is_some(), "it rang before: {call:?}");
    assert_eq!(answer.end().await?.status, 0);
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn unknown_people_and_strangers_are_7() -> Result<()> {
    let server = Server::start(&[]).await?;
    let ann = server.register("Ann").await?;
    server.register("Bob").await?;
    let call = bare(&server, &ann, &["call", "Nobody"])?.end().await?;
    failed(&call, 7, "Nobody")?;
    let add = server
        .cli(&ann, &["contacts", "add", "Nobody"])?
        .end()
        .await?;
    failed(&add, 7, "Nobody")?;
    // Bob has not added Ann.
    let added = server.run(&ann, &["contacts", "add", "Bob"]).await?;
    assert_eq!(added[0]["status"], "requested");
    let call = bare(&server, &ann, &["call", "Bob"])?.end().await?;
    failed(&call, 7, "Bob")?;
    let again = server.cli(&ann, &["register"])?.end().await?;
    failed(&again, 7, "taken")
}

#[tokio::test(flavor = "multi_thread")]
async fn contacts_are_listed_one_a_line() -> Result<()> {
    let server = Server::start(&[]).await?;
    let (ann, _bob) = server.two_contacts().await?;
    let contacts = server.run(&ann, &["contacts", "list"]).await?;
    let named = |name: &str| contacts.iter().find(|contact| contact["name"] == name);
    let bob = named("Bob").expect("Ann has added Bob");
    assert_eq!(bob["status"], "contact");
    assert_eq!(bob["presence"], "offline");
    assert!(bob["chatId"].is_string());
    assert_eq!(
        named("Echo test").expect("everyone's contact")["service"],
        true
    );
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn no_connection_to_the_server_is_9() -> Result<()> {
    let mut server = Server::start(&[]).await?;
    let (ann, bob) = server.two_contacts().await?;
    // The server goes while it rings.
    let mut answer = bare(&server, &bob, &["answer", "--once", "--after", "60000"])?;
    answer.event("ready").await?;
    let mut call = bare(&server, &ann, &["call", "Bob"])?;
    call.event("ringing").await?;
    server.kill().await?;
    failed(&call.end().await?, 9, "server")?;
    // The server is not there at all.
    let ended = bare(&server, &ann, &["call", "Bob"])?.end().await?;
    failed(&ended, 9, "server")?;
    ensure!(ended.event("ready").is_none(), "it was not: {ended:?}");
    // There is no desktop of this user's.
    let password = ann.password_file.display().to_string();
    let arguments = [
        "--user",
        "Ann",
        "--password-file",
        &password,
        "contacts",
        "list",
    ];
    failed(
        &with_profile(&server, &arguments)?.end().await?,
        9,
        "--server",
    )
}

/// A command without `--server`, with a profile of the test's own.
fn with_profile(server: &Server, arguments: &[&str]) -> Result<Cli> {
    let mut command = Command::new(binary("vireo-cli")?);
    command
        .env("VIREO_PROFILE", server.folder().join("profile"))
        .args(arguments);
    Cli::spawn(command)
}

#[tokio::test(flavor = "multi_thread")]
async fn the_desktops_server_and_account_are_used_where_none_is_named() -> Result<()> {
    let server = Server::start(&[]).await?;
    let ann = server.register("Ann").await?;
    // What a running desktop leaves in its profile.
    let profile = server.folder().join("profile");
    std::fs::create_dir(&profile)?;
    std::fs::write(profile.join("server-url"), &server.url)?;
    let account = r#"{"server": null, "name": "Ann", "password": "the secret of Ann"}"#;
    std::fs::write(profile.join("account.json"), account)?;
    let password = ann.password_file.display().to_string();
    for who in [&[][..], &["--user", "Ann", "--password-file", &password]] {
        let ended = with_profile(&server, &[who, &["contacts", "list"]].concat())?
            .end()
            .await?;
        ensure!(ended.status == 0, "{who:?}: {ended:?}");
        ensure!(ended.lines.iter().any(|line| line["name"] == "Echo test"));
    }
    // The account's secret is for the desktop's own server and no other.
    let other = ["--server", &server.url, "contacts", "list"];
    failed(&with_profile(&server, &other)?.end().await?, 2, "--user")
}

#[tokio::test(flavor = "multi_thread")]
async fn devices_and_files_that_cannot_be_used_are_10_before_it_rings() -> Result<()> {
    let server = Server::start(&[]).await?;
    let (ann, bob) = server.two_contacts().await?;
    let mut answer = bare(&server, &bob, &["answer", "--after", "60000"])?;
    answer.event("ready").await?;
    let garbage = server.folder().join("garbage");
    std::fs::write(&garbage, [7; 5000])?;
    let garbage = garbage.display().to_string();
    for [name, value] in [
        ["--camera", "file:/no/such/file.y4m"],
        ["--camera", &format!("file:{garbage}")],
        ["--camera", "device:No such camera"],
        ["--microphone", "file:/no/such/file.wav"],
        ["--microphone", &format!("file:{garbage}")],
        ["--microphone", "device:No such microphone"],
        ["--speaker", "file:/no/such/folder/file.wav"],
        ["--speaker", "device:No such speaker"],
        ["--record", &format!("{garbage}/folder")],
        ["--stats", "/no/such/folder/file.jsonl"],
    ] {
        // Naming the same argument twice is an error, so the harmless ones are left out where one is tried.
        let mut arguments = vec!["call", "Bob", name, value];
        arguments.extend(
            NOTHING
                .iter()
                .filter(|harmless| !harmless.starts_with(name)),
        );
        let ended = server.cli(&ann, &arguments)?.end().await?;
        failed(&ended, 10, "").map_err(|problem| problem.context(format!("{name} {value}")))?;
        ensure!(ended.lines.is_empty(), "{name} {value}: {ended:?}");
    }
    let missing = Account {
        password_file: "/no/such/password".into(),
        ..ann
    };
    failed(
        &bare(&server, &missing, &["call", "Bob"])?.end().await?,
        10,
        "/no/such/password",
    )?;
    answer.interrupt().await?;
    let answer = answer.end().await?;
    assert_eq!(answer.status, 0, "asked to stop");
    assert!(answer.event("ringing").is_none());
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_wrong_password_is_11() -> Result<()> {
    let server = Server::start(&[]).await?;
    let ann = server.register("Ann").await?;
    std::fs::write(&ann.password_file, "something else")?;
    failed(
        &bare(&server, &ann, &["call", "Bob"])?.end().await?,
        11,
        "password",
    )?;
    let nobody = server.account("Nobody")?;
    failed(
        &bare(&server, &nobody, &["answer"])?.end().await?,
        11,
        "password",
    )
}

#[tokio::test(flavor = "multi_thread")]
async fn usage_is_2() -> Result<()> {
    let account = ["--user", "Ann", "--password-file", "/dev/null"];
    for arguments in [
        &[][..],
        &["sing"],
        &["call"],
        &["call", "Bob", "--camera", "webcam"],
        &["call", "Bob", "--size", "huge"],
        &[
            "--server",
            "http://127.0.0.1:1",
            "--user",
            "Ann",
            "contacts",
            "list",
        ],
        &["--server", "http://127.0.0.1:1", "contacts", "list"],
    ] {
        let ended = Cli::bare(arguments)?.end().await?;
        ensure!(ended.status == 2, "{arguments:?}: {ended:?}");
        ensure!(
            !ended.stderr.is_empty() && ended.lines.is_empty(),
            "{ended:?}"
        );
    }
    let nonsense = [
        &["--server", "no address", "contacts", "list"],
        &account[..],
    ]
    .concat();
    failed(&Cli::bare(&nonsense)?.end().await?, 2, "no address")
}
