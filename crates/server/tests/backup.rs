//! `vireo-server backup` of a server that runs, and `restore`, by real processes on both kinds of database.
#![cfg(unix)]

mod support;

use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use serde_json::json;
use support::process::{Place, person};

fn path(file: &Path) -> &str {
    file.to_str().expect("text")
}

fn backup_in(place: &Place) -> PathBuf {
    place.path().join("saved.vireo")
}

/// Backs up a server that is writing, restores that elsewhere, and looks for everything that was acknowledged.
async fn moves(from: Place, to: Place) {
    let certificate = from.path().join("certificate.pem");
    let server = from.serve();
    let (ann, bob) = (server.register("Ann").await, server.register("Bob").await);
    let (mut a, mut b) = (server.connect(&ann).await, server.connect(&bob).await);
    let chat = support::befriend(&mut a, &ann, &mut b, &bob).await;
    std::fs::write(&certificate, "what clients know the server by").expect("written");
    let url = server.url.clone();
    let (acknowledged, mut heard) = tokio::sync::mpsc::unbounded_channel();
    let writer = tokio::spawn(async move {
        for number in 0.. {
            let name = format!("Writer {number}");
            if person(&url, "/api/register", &name).await.is_none()
                || acknowledged.send(name).is_err()
            {
                return;
            }
        }
    });
    // It is in full swing.
    let mut before = vec!["Ann".to_owned(), "Bob".to_owned()];
    for _ in 0..3 {
        before.push(heard.recv().await.expect("it writes"));
    }
    while let Ok(name) = heard.try_recv() {
        before.push(name);
    }
    let file = backup_in(&from);
    let (program, arguments) = (
        from.command(),
        ["backup".to_owned(), path(&file).to_owned()],
    );
    let mut program = tokio::process::Command::from(program);
    let output = program.args(arguments).output().await.expect("run");
    let complaint = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{complaint}");
    // The server has not been held up.
    heard.recv().await.expect("it still writes");
    drop(server);
    writer.await.expect("ended");
    let mode = std::fs::metadata(&file)
        .expect("there")
        .permissions()
        .mode();
    assert_eq!(mode & 0o777, 0o600);

    to.done(&["restore", path(&file)]);
    let restored = std::fs::read(to.path().join("certificate.pem")).expect("restored");
    assert_eq!(restored, b"what clients know the server by");
    let server = to.serve();
    for name in &before {
        assert!(server.sign_in(name).await.is_some(), "{name}");
    }
    let ann = server.sign_in("Ann").await.expect("restored");
    let mut client = server.connect(&ann).await;
    let list = client.ask(json!({"type": "contacts:list"})).await;
    let people = list["contacts"].as_array().expect("a list");
    let bob = people.iter().find(|person| person["name"] == "Bob");
    assert_eq!(bob.expect("a contact")["chatId"], chat.as_str());
    // Nothing is left of the way there.
    let names = std::fs::read_dir(to.path()).expect("readable");
    let names: Vec<_> = names.flatten().map(|entry| entry.file_name()).collect();
    // Lock, certificate, the database's three files, and where the doctor finds the server.
    assert!(names.len() <= 6, "{names:?}");
}

#[tokio::test]
async fn sqlite_to_sqlite() {
    moves(Place::sqlite(), Place::sqlite()).await;
}

#[tokio::test]
async fn sqlite_to_postgresql() {
    moves(Place::sqlite(), Place::postgres()).await;
}

#[tokio::test]
async fn postgresql_to_sqlite() {
    moves(Place::postgres(), Place::sqlite()).await;
}

/// What is there is kept, unless it may be replaced, and then it is kept aside.
async fn is_kept(from: Place, to: Place, kept_in: &str) {
    let server = from.serve();
    server.register("Ann").await;
    let file = backup_in(&from);
    from.done(&["backup", path(&file)]);
    drop(server);

    let server = to.serve();
    server.register("Carl").await;
    let in_use = to.refused(&["restore", path(&file), "--replace"]);
    assert!(in_use.contains("Stop"), "{in_use}");
    drop(server);
    let full = to.refused(&["restore", path(&file)]);
    assert!(full.contains("--replace"), "{full}");
    let server = to.serve();
    assert!(server.sign_in("Carl").await.is_some());
    drop(server);

    let said = to.done(&["restore", path(&file), "--replace"]);
    assert!(said.contains(kept_in), "{said}");
    let server = to.serve();
    assert!(server.sign_in("Ann").await.is_some());
    assert!(server.sign_in("Carl").await.is_none());
    drop(server);
    if kept_in == "vireo.sqlite" {
        let aside = said.split("kept in ").nth(1).expect("where").trim();
        let aside = aside.trim_end_matches('.');
        for end in ["", "-wal", "-shm"] {
            let file = to.path().join(format!("vireo.sqlite{end}"));
            std::fs::remove_file(file).expect("removed");
        }
        std::fs::rename(aside, to.path().join("vireo.sqlite")).expect("put back");
        let server = to.serve();
        assert!(server.sign_in("Carl").await.is_some());
    }
}

#[tokio::test]
async fn what_is_in_sqlite_is_kept() {
    is_kept(Place::sqlite(), Place::sqlite(), "vireo.sqlite").await;
}

#[tokio::test]
async fn what_is_in_postgresql_is_kept() {
    is_kept(Place::sqlite(), Place::postgres(), "before_restore_").await;
}

/// Files that are no backups, with a word of what is said of them.
fn bad_files(good: &Path, folder: &Path) -> Vec<(PathBuf, &'static str)> {
    let write = |name: &str, content: &[u8]| {
        let file = folder.join(name);
        std::fs::write(&file, content).expect("written");
        file
    };
    let good = std::fs::read(good).expect("readable");
    let mut torn = good.clone();
    torn.truncate(good.len() / 2);
    let mut scratched = good.clone();
    let page = scratched.len() / 2;
    scratched[page..page + 3000].fill(0xa5);
    vec![
        (folder.join("nothing"), "cannot be read"),
        (write("empty", b""), "not a backup"),
        (
            write("text", &b"not a database ".repeat(1000)),
            "not a backup",
        ),
        (write("torn", &torn), "not a backup"),
        (write("scratched", &scratched), "not a backup"),
    ]
}

async fn bad_files_change_nothing(to: Place) {
    let from = Place::sqlite();
    let server = from.serve();
    server.register("Ann").await;
    let file = backup_in(&from);
    from.done(&["backup", path(&file)]);
    drop(server);
    let server = to.serve();
    server.register("Carl").await;
    drop(server);
    for (bad, word) in bad_files(&file, from.path()) {
        let sentence = to.refused(&["restore", path(&bad), "--replace"]);
        assert!(sentence.contains(word), "{sentence}");
        assert!(sentence.contains(path(&bad)), "{sentence}");
    }
    let server = to.serve();
    assert!(server.sign_in("Carl").await.is_some());
}

#[tokio::test]
async fn a_broken_or_foreign_file_changes_nothing_in_sqlite() {
    bad_files_change_nothing(Place::sqlite()).await;
}

#[tokio::test]
async fn a_broken_or_foreign_file_changes_nothing_in_postgresql() {
    bad_files_change_nothing(Place::postgres()).await;
}

#[test]
fn a_backup_replaces_nothing_and_needs_something_to_save() {
    for place in [Place::sqlite(), Place::postgres()] {
        let file = backup_in(&place);
        let nothing = place.refused(&["backup", path(&file)]);
        assert!(nothing.contains("no database"), "{nothing}");
        assert!(!file.exists());
        drop(place.serve());
        place.done(&["backup", path(&file)]);
        let again = place.refused(&["backup", path(&file)]);
        assert!(again.contains("there already"), "{again}");
        let nowhere = place.refused(&["backup", "/nonexistent/folder/file"]);
        assert!(nowhere.contains("cannot be written"), "{nowhere}");
    }
}
