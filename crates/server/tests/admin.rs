//! `vireo-server admin`: what it shows and changes beside a server that goes on, on either kind of database.
#![cfg(unix)]

mod support;

use std::io::Write;
use std::process::Stdio;
use std::time::{Duration, Instant};

use serde_json::{Value, json};
use support::process::{Place, Process};
use support::{Client, PASSWORD, befriend, text};

/// A revoked session's connection is gone within a second; the rest is for a machine that does other things as well.
const AT_ONCE: Duration = Duration::from_secs(3);

fn places() -> [Place; 2] {
    [Place::sqlite(), Place::postgres()]
}

fn admin(place: &Place, arguments: &[&str]) -> Value {
    let all = [&["admin", "--json"], arguments].concat();
    serde_json::from_str(&place.done(&all)).expect("JSON")
}

fn refused(place: &Place, arguments: &[&str]) -> String {
    place.refused(&[&["admin"], arguments].concat())
}

/// What the command does that reads this from its standard input.
fn with_input(place: &Place, arguments: &[&str], input: &str) -> std::process::Output {
    let mut child = place
        .command()
        .args(arguments)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("started");
    let mut stdin = child.stdin.take().expect("piped");
    stdin.write_all(input.as_bytes()).expect("written");
    drop(stdin);
    child.wait_with_output().expect("ended")
}

async fn closes_at_once(client: &mut Client) {
    let start = Instant::now();
    assert_eq!(client.closed().await, Some(4001));
    assert!(start.elapsed() < AT_ONCE, "{:?}", start.elapsed());
}

async fn status(server: &Process, path: &str, body: &Value) -> u16 {
    let request = reqwest::Client::new().post(format!("{}{path}", server.url));
    let answer = request.json(body).send().await.expect("answered");
    answer.status().as_u16()
}

async fn signs_in(server: &Process, name: &str, password: &str) -> bool {
    let body = json!({"name": name, "password": password});
    status(server, "/api/sign-in", &body).await == 200
}

#[tokio::test]
async fn people_are_listed_get_roles_and_passwords_and_go() {
    for place in places() {
        let server = place.serve();
        let ann = server.register("Ann").await;
        let bob = server.register("Bob").await;
        let (mut on_ann, mut on_bob) = (server.connect(&ann).await, server.connect(&bob).await);
        befriend(&mut on_ann, &ann, &mut on_bob, &bob).await;
        let people = admin(&place, &["users", "list"]);
        let names: Vec<&Value> = people.as_array().expect("a list").iter().collect();
        assert_eq!(names.len(), 2, "no service is among them: {people}");
        assert_eq!(
            (&people[0]["name"], &people[0]["role"]),
            (&json!("Ann"), &json!("member"))
        );
        assert_eq!(people[1]["id"], bob.id);
        assert!(people[0]["lastSeenAt"].as_i64() >= people[0]["createdAt"].as_i64());
        let table = place.done(&["admin", "users", "list"]);
        assert!(table.starts_with("NAME  ROLE"), "{table}");
        assert_eq!(table.lines().count(), 3);

        let made = place.done(&["admin", "users", "set-role", "ann", "admin"]);
        assert_eq!(made.trim(), "Ann is an administrator now.");
        assert_eq!(admin(&place, &["users", "list"])[0]["role"], "admin");
        let last = refused(&place, &["users", "set-role", "Ann", "member"]);
        assert!(last.contains("last administrator"), "{last}");
        assert!(
            refused(&place, &["users", "delete", "Ann", "--yes"]).contains("last administrator")
        );

        let reset = admin(&place, &["users", "reset-password", "Bob"]);
        closes_at_once(&mut on_bob).await;
        let password = text(&reset["password"]);
        assert!(signs_in(&server, "Bob", &password).await);
        assert!(!signs_in(&server, "Bob", PASSWORD).await);
        let reset = ["admin", "users", "reset-password", "--stdin", "Bob"];
        let output = with_input(&place, &reset, "a kingdom by the sea\n");
        assert!(output.status.success());
        assert!(!String::from_utf8_lossy(&output.stdout).contains("kingdom"));
        assert!(signs_in(&server, "Bob", "a kingdom by the sea").await);
        let short = with_input(&place, &reset, "short\n");
        assert!(String::from_utf8_lossy(&short.stderr).contains("at least 8"));

        let unasked = with_input(&place, &["admin", "users", "delete", "Bob"], "Bob\n");
        assert!(String::from_utf8_lossy(&unasked.stderr).contains("--yes"));
        let bob = server.sign_in_with("Bob", "a kingdom by the sea").await;
        let bob = bob.expect("signed in");
        let mut on_bob = server.connect(&bob).await;
        on_ann.forget();
        admin(&place, &["users", "delete", "Bob", "--yes"]);
        closes_at_once(&mut on_bob).await;
        let removed = on_ann.expect("contact:removed").await;
        assert_eq!(removed["userId"], bob.id);
        assert!(!signs_in(&server, "Bob", "a kingdom by the sea").await);
        // Nobody is left behind: the last one may go, whatever they are.
        admin(&place, &["users", "delete", "Ann", "--yes"]);
        assert_eq!(admin(&place, &["users", "list"]), json!([]));
    }
}

#[tokio::test]
async fn sessions_are_listed_and_end_at_once() {
    for place in places() {
        let server = place.serve();
        let ann = server.register("Ann").await;
        let again = server.sign_in("Ann").await.expect("signed in");
        let bob = server.register("Bob").await;
        let mut first = server.connect(&ann).await;
        let mut second = server.connect(&again).await;
        let mut other = server.connect(&bob).await;
        assert_eq!(
            admin(&place, &["sessions", "list"])
                .as_array()
                .map(Vec::len),
            Some(3)
        );
        let sessions = admin(&place, &["sessions", "list", "Ann"]);
        assert_eq!(sessions.as_array().map(Vec::len), Some(2));
        assert_eq!(sessions[1]["device"], "Unnamed device");
        let id = text(&sessions[1]["id"]);
        place.done(&["admin", "sessions", "revoke", &id]);
        closes_at_once(&mut first).await;
        assert!(refused(&place, &["sessions", "revoke", &id]).contains("sessions list"));
        place.done(&["admin", "sessions", "revoke", "--all-of", "Ann"]);
        closes_at_once(&mut second).await;
        // Nobody else's.
        let contacts = other.ask(json!({"type": "contacts:list"})).await;
        assert_eq!(contacts["type"], "contacts");
        assert_eq!(
            admin(&place, &["sessions", "list"])
                .as_array()
                .map(Vec::len),
            Some(1)
        );
    }
}

#[tokio::test]
async fn invitations_are_made_listed_and_revoked() {
    for place in places() {
        assert!(refused(&place, &["users", "list"]).contains("--data"));
        let server = place.serve();
        let join = async |link: &str, name: &str| {
            let (address, token) = link.split_once('#').expect("a token");
            assert_eq!(address, format!("{}/i", server.url));
            let body = json!({"name": name, "password": PASSWORD, "invite": token});
            status(&server, "/api/register", &body).await
        };
        // Whoever takes the server's own becomes its administrator.
        let link = place.done(&["admin", "invites", "create"]);
        assert_eq!(join(link.trim(), "Ann").await, 201);
        assert_eq!(admin(&place, &["users", "list"])[0]["role"], "admin");
        let made = admin(&place, &["invites", "create", "--uses", "2", "--days", "3"]);
        assert_eq!(
            (&made["invite"]["inviter"], &made["invite"]["uses"]),
            (&json!("Ann"), &json!(2))
        );
        assert_eq!(join(&text(&made["link"]), "Bob").await, 201);
        let from_bob = admin(&place, &["invites", "create", "--from", "Bob"]);
        assert_eq!(from_bob["invite"]["inviter"], "Bob");
        let list = admin(&place, &["invites", "list"]);
        assert_eq!(list.as_array().map(Vec::len), Some(2));
        assert_eq!(list[1]["usesLeft"], 1);
        place.done(&["admin", "invites", "revoke", &text(&list[1]["id"])]);
        assert_eq!(join(&text(&made["link"]), "Eve").await, 404);
        assert!(refused(&place, &["invites", "revoke", "nonsense"]).contains("invites list"));
        for wrong in [
            &["invites", "create", "--from", "Nobody"][..],
            &["users", "set-role", "Nobody", "admin"],
            &["users", "reset-password", "Echo test"],
            &["sessions", "list", "Nobody"],
        ] {
            let sentence = refused(&place, wrong);
            assert!(sentence.contains("users list"), "{wrong:?}: {sentence}");
        }
    }
}
