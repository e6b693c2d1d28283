//! `vireo-cli join` and `invites`: what is shown, what is asked, and what becomes of it, with a real server.

use std::net::Ipv4Addr;
use std::path::Path;
use std::process::Output;
use std::time::Duration;

use serde_json::Value;
use tempfile::TempDir;
use tokio::process::Command;
use vireo_client::Client;
use vireo_protocol::{Credentials, InviteLink};
use vireo_server::{Config, Running, Server};

const CLI: &str = env!("CARGO_BIN_EXE_vireo-cli");

struct House {
    folder: TempDir,
    server: Running,
}

impl House {
    /// A server that encrypts, and knows people by invitation alone.
    async fn new() -> Self {
        let folder = tempfile::tempdir().expect("a temporary directory");
        let mut config = Config::new(folder.path().join("data"));
        config.listen = vec![(Ipv4Addr::UNSPECIFIED, 0).into()];
        config.name = "Smith family".to_owned();
        let server = Server::start(config).await.expect("started");
        Self { folder, server }
    }

    async fn first_invite(&self) -> InviteLink {
        let token = self.server.first_invite().await.expect("asked");
        InviteLink {
            server: self.server.url().parse().expect("an address"),
            token: token.expect("nobody has an account yet"),
        }
    }

    /// A link that this person has made.
    async fn invite(&self, person: &str) -> InviteLink {
        let credentials = Credentials {
            name: person.to_owned(),
            password: "correct horse".to_owned(),
            device: "test".to_owned(),
        };
        let session = Client::sign_in(self.server.url(), credentials).await;
        let inviter = session.expect("signed in").user.id;
        let link = self.server.invite(&inviter, 5, Duration::from_secs(3600));
        link.await.expect("made")
    }

    fn command(&self, person: &str, password: &str) -> Command {
        let file = self.folder.path().join(format!("{person}.txt"));
        std::fs::write(&file, password).expect("written");
        let mut command = Command::new(CLI);
        command
            .env("VIREO_PROFILE", self.folder.path().join("profile"))
            .args(["--name", person, "--password-file"])
            .arg(path(&file));
        command
    }

    async fn join(
        &self,
        person: &str,
        link: &InviteLink,
        more: &[&str],
    ) -> (Option<i32>, Vec<Value>, String) {
        let mut command = self.command(person, "correct horse");
        command.args(["join", &link.to_string()]).args(more);
        said(command.output().await.expect("run"))
    }
}

fn path(path: &Path) -> &str {
    path.to_str().expect("text")
}

fn said(output: Output) -> (Option<i32>, Vec<Value>, String) {
    let lines = String::from_utf8(output.stdout).expect("text");
    let lines = lines.lines().map(serde_json::from_str);
    let lines = lines.map(|line| line.expect("JSON")).collect();
    let sentences = String::from_utf8(output.stderr).expect("text");
    (output.status.code(), lines, sentences)
}

#[tokio::test]
async fn the_server_is_shown_and_joined() {
    let house = House::new().await;
    let link = house.first_invite().await;
    let print = link.server.fingerprint.expect("it encrypts").to_string();
    // Nobody is there to be asked.
    let (status, lines, sentences) = house.join("Ann", &link, &[]).await;
    assert_eq!(status, Some(2), "{sentences}");
    assert!(sentences.contains("--yes"), "{sentences}");
    assert_eq!(lines[0]["event"], "invited");
    assert_eq!(lines[0]["name"], "Smith family");
    assert_eq!(lines[0]["fingerprint"], print.as_str());
    assert!(lines[0]["inviter"].is_null());
    let (status, lines, sentences) = house.join("Ann", &link, &["--yes"]).await;
    assert_eq!(status, Some(0), "{sentences}");
    assert!(
        sentences.contains("“Smith family”") && sentences.contains(&print),
        "{sentences}"
    );
    assert_eq!(lines[1]["event"], "registered");
    assert_eq!(lines[1]["user"], "Ann");
    let (status, _, sentences) = house.join("Bob", &link, &["--yes"]).await;
    assert_eq!(status, Some(7), "it is used up: {sentences}");
}

#[tokio::test]
async fn who_is_a_member_already_becomes_a_contact() {
    let house = House::new().await;
    let link = house.first_invite().await;
    house.join("Ann", &link, &["--yes"]).await;
    let by_ann = house.invite("Ann").await;
    let (status, lines, sentences) = house.join("Bob", &by_ann, &["--yes"]).await;
    assert_eq!(
        (status, lines[1]["event"].as_str()),
        (Some(0), Some("registered"))
    );
    assert!(sentences.contains("Ann invites you"), "{sentences}");
    let by_bob = house.invite("Bob").await;
    house.join("Carl", &by_bob, &["--yes"]).await;
    let (status, lines, sentences) = house.join("Carl", &by_ann, &["--yes"]).await;
    assert_eq!(
        (status, lines[1]["event"].as_str()),
        (Some(0), Some("joined")),
        "{sentences}"
    );
    let mut contacts = house.command("Carl", "correct horse");
    let url = link.server.to_string();
    contacts.args(["--server", &url, "contacts", "list"]);
    let (_, contacts, sentences) = said(contacts.output().await.expect("run"));
    for inviter in ["Ann", "Bob"] {
        let is = |it: &Value| it["name"] == inviter && it["status"] == "contact";
        assert!(
            contacts.iter().any(is),
            "{inviter}: {contacts:?} {sentences}"
        );
    }
    let mut other = house.command("Carl", "another secret");
    other.args(["join", &by_ann.to_string(), "--yes"]);
    let (status, _, sentences) = said(other.output().await.expect("run"));
    assert_eq!(status, Some(7), "{sentences}");
    assert!(sentences.contains("already taken"), "{sentences}");
    let (_, _, sentences) = house.join("Ann", &by_ann, &["--yes"]).await;
    assert!(sentences.contains("your own invitation"), "{sentences}");
}

#[cfg(target_os = "linux")]
#[tokio::test]
async fn at_a_terminal_the_person_is_asked() {
    use std::process::Stdio;
    use tokio::io::AsyncWriteExt;
    let house = House::new().await;
    let link = house.first_invite().await;
    for (answer, expected) in [("no\n", Some(6)), ("yes\n", Some(0))] {
        let join = house.command("Ann", "correct horse");
        let join = join.as_std();
        let words = join.get_args().map(|word| word.to_str().expect("text"));
        let words: Vec<&str> = words.collect();
        let line = format!("exec {CLI} {} join '{link}'", words.join(" "));
        // A terminal, made by util-linux.
        let mut terminal = Command::new("script")
            .args(["--quiet", "--return", "--command", &line, "/dev/null"])
            .stdin(Stdio::piped())
            .stdout(Stdio::null())
            .spawn()
            .expect("script runs");
        let mut keyboard = terminal.stdin.take().expect("piped");
        keyboard.write_all(answer.as_bytes()).await.expect("typed");
        let status = terminal.wait().await.expect("waited");
        assert_eq!(status.code(), expected, "{answer:?}");
    }
}

#[tokio::test]
async fn a_member_makes_lists_and_revokes_invitations() {
    let house = House::new().await;
    let first = house.first_invite().await;
    house.join("Ann", &first, &["--yes"]).await;
    let url = first.server.to_string();
    let invites = async |words: &[&str]| {
        let mut command = house.command("Ann", "correct horse");
        command.args(["--server", &url, "invites"]).args(words);
        said(command.output().await.expect("run"))
    };
    let (status, lines, sentences) = invites(&["create", "--uses", "3"]).await;
    assert_eq!(status, Some(0), "{sentences}");
    let link: InviteLink = lines[0]["link"]
        .as_str()
        .expect("text")
        .parse()
        .expect("a link");
    assert_eq!(link.server.fingerprint, house.server.fingerprint());
    // Not by this computer's own address, which Ann's client uses: that leads nobody else here.
    assert_eq!(link.server, house.server.public_address());
    let look = Client::look_at(&link).await.expect("looked at");
    assert_eq!(look.inviter.as_deref(), Some("Ann"));
    let (_, listed, _) = invites(&["list"]).await;
    assert_eq!((listed.len(), &listed[0]["usesLeft"]), (1, &3.into()));
    assert_eq!(listed[0]["id"], lines[0]["id"]);
    let id = lines[0]["id"].as_str().expect("text");
    let (status, _, sentences) = invites(&["revoke", id]).await;
    assert_eq!(status, Some(0), "{sentences}");
    assert!(invites(&["list"]).await.1.is_empty());
    for gone in [id, "../profile/avatar"] {
        let (status, _, sentences) = invites(&["revoke", gone]).await;
        assert_eq!(status, Some(1), "{gone}: {sentences}");
        assert!(sentences.contains("no such invite"), "{sentences}");
    }
}
