//! The application takes orders from `vireo-cli ctl`, from its own user alone.
#![cfg(target_os = "linux")]

use std::{fs, os::unix::fs::PermissionsExt, path::Path, time::Duration};

use anyhow::ensure;
use serde_json::{Value, json};
use tokio::{
    process::Command,
    time::{sleep, timeout},
};
use vireo_tests::{
    binaries::binary,
    cli::{Cli, Ended},
    display::Display,
    window::{Window, WindowOptions},
};

/// No application runs that could be told anything.
const NO_APPLICATION: i32 = 12;
/// It has no call that the order fits.
const NO_CALL: i32 = 13;
/// It is somebody else's.
const NOT_YOURS: i32 = 7;

/// `vireo-cli ctl` as whoever sits at this display would run it.
fn ctl(program: &Path, display: &Display, profile: &Path, order: &str) -> Command {
    let mut command = Command::new(program);
    command
        .args(["ctl", order, "--profile"])
        .arg(profile)
        .envs(display.variables());
    command
}

async fn order(display: &Display, profile: &Path, order: &str) -> anyhow::Result<Ended> {
    let program = binary("vireo-cli")?;
    Cli::spawn(ctl(&program, display, profile, order))?
        .end()
        .await
}

/// Carried out, and the call is like this then.
async fn done(display: &Display, profile: &Path, name: &str, call: Value) -> anyhow::Result<()> {
    let ended = order(display, profile, name).await?;
    assert_eq!(ended.status, 0, "{name}: {}", ended.stderr);
    let expected = json!({ "event": "done", "order": name, "call": call });
    assert_eq!(ended.lines, [expected]);
    Ok(())
}

/// Not carried out, with this exit status and words of this sentence.
async fn refused(
    display: &Display,
    profile: &Path,
    name: &str,
    (status, words): (i32, &str),
) -> anyhow::Result<()> {
    let ended = order(display, profile, name).await?;
    assert_eq!(ended.status, status, "{name}: {}", ended.stderr);
    assert!(ended.stderr.contains(words), "{name}: {}", ended.stderr);
    assert!(ended.lines.is_empty(), "{:?}", ended.lines);
    Ok(())
}

fn call(phase: &str, microphone: bool, camera: bool) -> Value {
    json!({ "phase": phase, "microphone": microphone, "camera": camera })
}

#[tokio::test]
async fn a_macro_key_mutes_answers_and_hangs_up() -> anyhow::Result<()> {
    let display = Display::start()?;
    let folder = tempfile::tempdir()?;
    let first = WindowOptions::of(folder.path(), "anna");
    let profile = first.profile.clone();
    refused(
        &display,
        &profile,
        "mute",
        (NO_APPLICATION, "No Vireo is running"),
    )
    .await?;

    let anna = Window::open(&display, &first).await?;
    anna.sign_up("Anna").await?;
    let server = fs::read_to_string(profile.join("server-url"))?;
    let second = WindowOptions {
        server: Some(server),
        ..WindowOptions::of(folder.path(), "boris")
    };
    let boris = Window::open(&display, &second).await?;
    boris.sign_up("Boris").await?;
    refused(&display, &profile, "hang-up", (NO_CALL, "There is no call")).await?;
    refused(&display, &profile, "answer", (NO_CALL, "Nobody calls")).await?;

    anna.add_contact("Boris").await?;
    boris.add_contact("Anna").await?;
    boris
        .click("[data-contact=Anna] [data-action=video-call]")
        .await?;
    anna.rings().await?;
    let answered = order(&display, &profile, "answer").await?;
    anna.look_at("index").await?;
    assert_eq!(answered.status, 0, "{}", answered.stderr);
    assert_eq!(answered.lines[0]["call"]["camera"], false);
    anna.phase("connected").await?;
    anna.find("[data-notice=answered]").await?;
    anna.screenshot("call.answered-outside.en").await?;
    boris.phase("connected").await?;

    for (name, on) in [
        ("mute", false),
        ("mute", false),
        ("unmute", true),
        ("toggle-mute", false),
    ] {
        done(&display, &profile, name, call("connected", on, false)).await?;
        if on {
            boris.gone("[data-state=peer-muted]").await?;
        } else {
            boris.find("[data-state=peer-muted]").await?;
        }
    }
    refused(&display, &profile, "answer", (NO_CALL, "Nobody calls")).await?;
    somebody_else_is_not_heard(&display, &profile, folder.path()).await?;

    let ended = order(&display, &profile, "hang-up").await?;
    assert_eq!(ended.status, 0, "{}", ended.stderr);
    assert_eq!(ended.lines[0]["call"]["phase"], "ended");
    boris.find("[data-reason=remoteHungUp]").await?;

    end(boris.application()?).await?;
    end(anna.application()?).await?;
    refused(
        &display,
        &profile,
        "mute",
        (NO_APPLICATION, "No Vireo is running"),
    )
    .await?;
    assert_eq!(sockets(&display)?.len(), 0, "one was left behind");
    Ok(())
}

/// Ends an application as the system does, and waits until it has.
async fn end(process: u32) -> anyhow::Result<()> {
    let id = process.to_string();
    ensure!(Command::new("kill").arg(&id).status().await?.success());
    let ended = async {
        while Path::new("/proc").join(&id).join("exe").exists() {
            sleep(Duration::from_millis(20)).await;
        }
    };
    Ok(timeout(Duration::from_secs(30), ended).await?)
}

/// The sockets of orders at this display.
fn sockets(display: &Display) -> anyhow::Result<Vec<String>> {
    let mut names = Vec::new();
    for entry in fs::read_dir(runtime(display)?)? {
        let name = entry?.file_name().to_string_lossy().into_owned();
        names.extend(name.starts_with("vireo-").then_some(name));
    }
    Ok(names)
}

fn runtime(display: &Display) -> anyhow::Result<String> {
    let variables = display.variables();
    let named = variables
        .iter()
        .find(|(name, _)| *name == "XDG_RUNTIME_DIR");
    named
        .map(|(_, value)| value.clone())
        .ok_or_else(|| anyhow::anyhow!("the display has no runtime directory"))
}

/// Neither as things are, nor where every file would let them in. Only an administrator can try that, as somebody else.
async fn somebody_else_is_not_heard(
    display: &Display,
    profile: &Path,
    folder: &Path,
) -> anyhow::Result<()> {
    const NOBODY: u32 = 65534;
    let mut names = sockets(display)?;
    names.sort();
    assert_eq!(names.len(), 2, "one for each profile: {names:?}");
    for name in &names {
        let socket = Path::new(&runtime(display)?).join(name);
        let mode = fs::metadata(&socket)?.permissions().mode();
        assert_eq!(mode & 0o777, 0o600);
    }
    if !is_administrator(folder)? {
        return Ok(());
    }
    // A program that anybody may start, wherever this one was built.
    let program = folder.join("vireo-cli");
    fs::copy(binary("vireo-cli")?, &program)?;
    let open = |path: &Path, mode| fs::set_permissions(path, fs::Permissions::from_mode(mode));
    open(folder, 0o755)?;
    let as_nobody = async || {
        let mut command = ctl(&program, display, profile, "mute");
        command.uid(NOBODY).gid(NOBODY);
        Cli::spawn(command)?.end().await
    };
    for wide_open in [false, true] {
        if wide_open {
            open(profile, 0o755)?;
            open(Path::new(&runtime(display)?), 0o755)?;
            for name in &names {
                open(&Path::new(&runtime(display)?).join(name), 0o666)?;
            }
        }
        let ended = as_nobody().await?;
        assert_eq!(ended.status, NOT_YOURS, "{}", ended.stderr);
        assert!(ended.stderr.contains("somebody else"), "{}", ended.stderr);
    }
    open(profile, 0o700)?;
    Ok(())
}

/// Whether this test may act as somebody else.
fn is_administrator(own: &Path) -> anyhow::Result<bool> {
    use std::os::unix::fs::MetadataExt;
    Ok(fs::metadata(own)?.uid() == 0)
}
