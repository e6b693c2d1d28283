//! `vireo-server` as a program: what it prints, what it refuses, how it stops.

mod support;

use std::io::{BufRead, BufReader, Write};
use std::path::Path;
use std::process::{Child, Command, Stdio};

use serde_json::{Value, json};
use vireo_protocol::ServerAddress;

use support::{CANDIDATE, Client, Person, SDP, about, answer, candidate, end, initiate, text};

fn command(data: &Path) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_vireo-server"));
    command.arg("--data").arg(data).stdout(Stdio::piped());
    command
}

/// Starts it on a free port. Returns the address that its first line gives.
fn start(command: &mut Command) -> (Child, String) {
    let mut child = command
        .args(["--open-registration", "--listen", "127.0.0.1:0"])
        .spawn()
        .expect("started");
    let url = text(&first_line(&mut child)["url"]);
    (child, url)
}

fn first_line(child: &mut Child) -> Value {
    let mut line = String::new();
    let stdout = child.stdout.as_mut().expect("piped");
    BufReader::new(stdout).read_line(&mut line).expect("a line");
    serde_json::from_str(&line).expect("the first line is JSON")
}

fn refused(arguments: &[&str]) -> String {
    let data = tempfile::tempdir().expect("a temporary directory");
    let mut command = match arguments.contains(&"--data") {
        true => Command::new(env!("CARGO_BIN_EXE_vireo-server")),
        false => command(data.path()),
    };
    let output = command
        .args(
            ["--listen", "127.0.0.1:0"]
                .iter()
                .filter(|_| !arguments.contains(&"--listen")),
        )
        .args(arguments)
        .stderr(Stdio::piped())
        .output()
        .expect("run");
    assert!(!output.status.success(), "{arguments:?}");
    assert!(output.stdout.is_empty());
    String::from_utf8(output.stderr).expect("text")
}

#[tokio::test]
async fn says_where_it_is_and_keeps_accounts_over_a_restart() {
    let data = tempfile::tempdir().expect("a temporary directory");
    let body = serde_json::json!({"name": "Ann", "password": "correct horse"});
    let http = reqwest::Client::new();
    let (mut child, url) = start(&mut command(data.path()));
    let health: Value = http
        .get(format!("{url}/api/health"))
        .send()
        .await
        .expect("answered")
        .json()
        .await
        .expect("JSON");
    assert_eq!(health["status"], "ok");
    let registered = http
        .post(format!("{url}/api/register"))
        .json(&body)
        .send()
        .await;
    assert_eq!(registered.expect("answered").status(), 201);
    // The hardest way to go; what was acknowledged has to be there afterwards.
    child.kill().expect("killed");
    child.wait().expect("waited");
    let (mut child, url) = start(&mut command(data.path()));
    let signed_in = http
        .post(format!("{url}/api/sign-in"))
        .json(&body)
        .send()
        .await;
    assert_eq!(signed_in.expect("answered").status(), 200);
    child.kill().expect("killed");
    child.wait().expect("waited");
}

#[test]
fn one_command_serves_every_address_and_encrypts() {
    let data = tempfile::tempdir().expect("a temporary directory");
    // With nothing but another port than the usual one, which may be taken here.
    let mut command = command(data.path());
    let mut child = command
        .args(["--listen", "[::]:0", "--turn-port", "0"])
        .spawn()
        .expect("started");
    let line = first_line(&mut child);
    let address: ServerAddress = text(&line["url"]).parse().expect("an address");
    assert!(address.url.starts_with("https://127.0.0.1:"), "{line}");
    let fingerprint = address.fingerprint.expect("a fingerprint").to_string();
    assert_eq!(line["fingerprint"], fingerprint.as_str());
    child.kill().expect("killed");
    child.wait().expect("waited");
    let mut child = command.spawn().expect("started");
    assert_eq!(first_line(&mut child)["fingerprint"], fingerprint.as_str());
    child.kill().expect("killed");
    child.wait().expect("waited");
}

/// Whoever starts it may wish that it stops before it has said a word.
#[cfg(unix)]
#[test]
fn stops_well_when_it_is_asked_to_before_it_has_said_where_it_is() {
    let data = tempfile::tempdir().expect("a temporary directory");
    let free = std::net::TcpListener::bind("127.0.0.1:0").expect("bound");
    let address = free.local_addr().expect("an address").to_string();
    drop(free);
    let (reader, mut writer) = std::io::pipe().expect("a pipe");
    let stdout = writer.try_clone().expect("the same end");
    // Full, so that the first line does not get out.
    std::thread::spawn(move || while writer.write(&[b' '; 4096]).is_ok() {});
    let mut command = command(data.path());
    let mut child = command
        .args(["--listen", &address])
        .stdout(stdout)
        .spawn()
        .expect("started");
    // Its own copy of the pipe's end goes.
    drop(command);
    while std::net::TcpStream::connect(&address).is_err() {
        std::thread::sleep(std::time::Duration::from_millis(20));
    }
    let asked = Command::new("kill").arg(child.id().to_string()).status();
    assert!(asked.expect("run").success());
    drop(reader);
    assert_eq!(child.wait().expect("waited").code(), Some(0));
}

#[test]
fn refuses_what_it_cannot_do() {
    let taken = std::net::TcpListener::bind("127.0.0.1:0").expect("bound");
    let address = taken.local_addr().expect("an address").to_string();
    assert!(refused(&["--listen", &address]).contains("cannot listen"));
    assert!(refused(&["--turn-secret-file", "/nonexistent/secret"]).contains("cannot be read"));
    assert!(refused(&["--data", "/dev/null/here"]).contains("cannot be made"));
    assert!(refused(&["--answer-timeout", "never"]).contains("number of seconds"));
    let sentence = refused(&["--database", "mysql://ann:secret@192.0.2.1/vireo"]);
    assert!(sentence.contains("postgres://") && !sentence.contains("secret"));
    assert!(refused(&["--stun", "192.0.2.1"]).contains("such as"));
    assert!(refused(&["--turn", "192.0.2.1"]).contains("such as"));
    assert!(refused(&["--relay-ports", "9-5"]).contains("49152-65535"));
    assert!(refused(&["--no-turn", "--turn-port", "3478"]).contains("cannot be used with"));
    assert!(refused(&["--metrics-token-file", "/nonexistent/token"]).contains("cannot be read"));
    assert!(refused(&["--drain-seconds", "for ever"]).contains("number of seconds"));
    assert!(refused(&["--public-url", "example.org"]).contains("such as"));
    assert!(refused(&["--name", " "]).contains("at most 60"));
    assert!(refused(&["--behind-proxy=proxy"]).contains("such as"));
    assert!(refused(&["--tls-cert", "x.pem"]).contains("--tls-key"));
    let missing = ["--tls-cert", "/none.pem", "--tls-key", "/none.pem"];
    assert!(refused(&missing).contains("/none.pem"));
}

#[test]
fn says_what_is_wrong_with_a_broken_database() {
    let data = tempfile::tempdir().expect("a temporary directory");
    let nonsense = "this is not a database, and long enough to look like one ".repeat(100);
    std::fs::write(data.path().join("vireo.sqlite"), nonsense).expect("written");
    let path = data.path().to_str().expect("text");
    let sentence = refused(&["--data", path]);
    assert!(sentence.contains("database"), "{sentence}");
}

#[test]
fn the_log_can_be_read_by_programs() {
    let data = tempfile::tempdir().expect("a temporary directory");
    let log = tempfile::NamedTempFile::new().expect("a temporary file");
    let mut command = command(data.path());
    command.args(["--log", "json"]);
    command.stderr(log.reopen().expect("opened"));
    let (mut child, _) = start(&mut command);
    child.kill().expect("killed");
    child.wait().expect("waited");
    let log = std::fs::read_to_string(log.path()).expect("readable");
    let lines = log.lines().map(serde_json::from_str::<Value>);
    let lines: Vec<Value> = lines.map(|line| line.expect("JSON")).collect();
    let started = |line: &Value| line["fields"]["message"] == "the server has started";
    assert!(lines.iter().any(started), "{log}");
}

#[test]
fn two_servers_do_not_share_their_data() {
    let data = tempfile::tempdir().expect("a temporary directory");
    let (mut child, _) = start(&mut command(data.path()));
    let path = data.path().to_str().expect("text");
    assert!(refused(&["--data", path]).contains("Another Vireo server"));
    child.kill().expect("killed");
    child.wait().expect("waited");
    let (mut child, _) = start(&mut command(data.path()));
    child.kill().expect("killed");
    child.wait().expect("waited");
}

const PERSONAL_PASSWORD: &str = "a kingdom by the sea";

/// Registers, fails to do so a second time, signs in and connects.
async fn join(url: &str, name: &str) -> (Person, Client) {
    let http = reqwest::Client::new();
    let mut session = Value::Null;
    for path in ["/api/register", "/api/register", "/api/sign-in"] {
        let body = json!({"name": name, "password": PERSONAL_PASSWORD});
        let answer = http.post(format!("{url}{path}")).json(&body).send().await;
        session = answer.expect("answered").json().await.expect("JSON");
    }
    let person = Person {
        id: text(&session["user"]["id"]),
        name: name.to_owned(),
        token: text(&session["accessToken"]),
        refresh_token: text(&session["refreshToken"]),
    };
    let mut client = Client::open(url, &person.token).await.expect("connected");
    client.greet().await;
    (person, client)
}

const TURN_SECRET: &str = "nevermore-nevermore";

/// Refreshes, invites, joins by the invite, guesses, is renamed and changes the password. Returns every secret that was told.
async fn come_and_go(url: &str, ann: &Person, edgar: &Person) -> Vec<String> {
    let http = reqwest::Client::new();
    let ask = async |method: &str, path: &str, token: &str, body: Value| {
        let method = method.parse().expect("a method");
        let request = http.request(method, format!("{url}{path}"));
        let answer = request.bearer_auth(token).json(&body).send().await;
        answer
            .expect("answered")
            .json::<Value>()
            .await
            .unwrap_or_default()
    };
    let refresh = json!({"refreshToken": ann.refresh_token});
    let renewed = ask("POST", "/api/refresh", "", refresh).await;
    let forged = format!("{}x", ann.token);
    ask("GET", "/api/sessions", &forged, Value::Null).await;
    let invite = json!({"uses": 5, "expiresInSeconds": 60});
    let invite = ask("POST", "/api/invites", &ann.token, invite).await;
    let invite = text(&invite["token"]);
    ask("POST", "/api/invites/look", "", json!({"token": invite})).await;
    ask(
        "POST",
        "/api/invites/redeem",
        &edgar.token,
        json!({"token": invite}),
    )
    .await;
    ask(
        "POST",
        "/api/invites/look",
        "",
        json!({"token": format!("{invite}x")}),
    )
    .await;
    let helen = json!({"name": "Helen Stanard", "password": PERSONAL_PASSWORD, "invite": invite});
    let helen = ask("POST", "/api/register", "", helen).await;
    let guess = json!({"name": "Helen Stanard", "password": "wrong kingdom by the sea"});
    ask("POST", "/api/sign-in", "", guess).await;
    let token = text(&helen["accessToken"]);
    ask(
        "PUT",
        "/api/profile",
        &token,
        json!({"displayName": "Ligeia"}),
    )
    .await;
    let change = json!({"oldPassword": PERSONAL_PASSWORD, "newPassword": "another kingdom"});
    ask("POST", "/api/account/password", &token, change).await;
    let mut client = Client::open(url, &token).await.expect("connected");
    let hello = json!({"type": "hello", "version": 2, "client": "test"});
    let greeting = client.ask(hello).await;
    let turn = greeting["iceServers"].as_array().expect("a list").last();
    let refused = json!({"type": "contacts:add", "name": "Helen Stanard"});
    client.fails(refused, "own-name").await;
    vec![
        text(&renewed["accessToken"]),
        text(&renewed["refreshToken"]),
        forged,
        invite,
        token,
        text(&helen["refreshToken"]),
        text(&turn.expect("a TURN server")["credential"]),
    ]
}

/// A call in which everything is said that can be, and some of it wrongly.
async fn talk(ann: &mut Client, edgar: &mut Client, chat: &str) {
    let broken = "candidate:1 1 UDP 2130706431 192.0.2.99";
    let mut bad_offer = initiate("call-1", chat);
    bad_offer["offer"]["sdp"] = json!("o=- 1 2 IN IP4 192.0.2.99");
    ann.fails(bad_offer, "invalid-sdp").await;
    ann.ok(initiate("call-1", chat)).await;
    ann.ok(candidate("call-1", chat, CANDIDATE)).await;
    ann.fails(candidate("call-1", chat, broken), "invalid-candidate")
        .await;
    edgar.ok(about("call:ringing", "call-1", chat)).await;
    edgar.ok(answer("call-1", chat)).await;
    edgar.ok(candidate("call-1", chat, CANDIDATE)).await;
    ann.expect("call:ice-candidate").await;
    edgar.ok(end("call-1", chat)).await;
    edgar.fails(end("call-1", chat), "no-such-call").await;
}

#[tokio::test]
async fn nothing_personal_reaches_the_log() {
    let data = tempfile::tempdir().expect("a temporary directory");
    let log = tempfile::NamedTempFile::new().expect("a temporary file");
    let mut command = command(data.path());
    command.env("VIREO_LOG", "vireo=trace,sqlx=debug");
    command.stderr(log.reopen().expect("opened"));
    let secret_file = data.path().join("turn-secret");
    std::fs::write(&secret_file, TURN_SECRET).expect("written");
    command.args(["--turn", "192.0.2.7:3478", "--turn-secret-file"]);
    command.arg(&secret_file);
    let (mut child, url) = start(&mut command);
    let (annabel, mut ann) = join(&url, "Annabel Lee").await;
    let (allan, mut edgar) = join(&url, "Edgar Allan").await;
    let chat = support::befriend(&mut ann, &annabel, &mut edgar, &allan).await;
    ann.send("nonsense by Edgar Allan").await;
    ann.expect("error").await;
    talk(&mut ann, &mut edgar, &chat).await;
    let secrets = come_and_go(&url, &annabel, &allan).await;
    drop(ann);
    edgar.expect("presence").await;
    child.kill().expect("killed");
    child.wait().expect("waited");
    let log = std::fs::read_to_string(log.path()).expect("readable");
    assert!(log.contains("started"), "{log}");
    let of_the_sdp = ["EsAw", "P2uYro0UCOQ4zxjKXaWCBui1", "D2:FA:0E", "typ host"];
    assert!(of_the_sdp[..3].iter().all(|part| SDP.contains(part)));
    let names = [
        "Annabel", "annabel", "Edgar", "edgar", "Helen", "Ligeia", "kingdom",
    ];
    let addresses = ["127.0.0.1", "192.0.2."];
    let tokens = [&annabel, &allan].map(|person| [&*person.token, &*person.refresh_token]);
    let told: Vec<&str> = secrets.iter().map(String::as_str).collect();
    assert!(told.iter().all(|secret| secret.len() > 7), "{told:?}");
    let secrets = [
        &of_the_sdp[..],
        &names,
        &addresses,
        &tokens.concat(),
        &told,
        &[TURN_SECRET],
    ]
    .concat();
    for secret in secrets {
        assert!(!log.contains(secret), "{secret}: {log}");
    }
}

#[cfg(unix)]
#[test]
fn sigterm_stops_it_and_the_echo_test_beside_it() {
    use std::os::unix::fs::PermissionsExt;
    let directory = tempfile::tempdir().expect("a temporary directory");
    let beside = |name: &str| directory.path().join(name);
    // A program of its own directory, with a stand-in beside it that notes what it is given and when that ends.
    std::fs::copy(env!("CARGO_BIN_EXE_vireo-server"), beside("vireo-server")).expect("copied");
    let script = format!(
        "#!/bin/sh\nread line\nprintf '%s' \"$line\" > {0}/given.part\nmv {0}/given.part {0}/given\ncat > /dev/null\n: > {0}/ended\n",
        directory.path().display()
    );
    std::fs::write(beside("vireo-echo"), script).expect("written");
    let executable = std::fs::Permissions::from_mode(0o755);
    std::fs::set_permissions(beside("vireo-echo"), executable).expect("made executable");
    for (signal, status) in [("TERM", Some(0)), ("KILL", None)] {
        let mut command = Command::new(beside("vireo-server"));
        command
            .arg("--data")
            .arg(beside("data"))
            .stdout(Stdio::piped());
        let (mut child, url) = start(&mut command);
        wait_for(&beside("given"));
        let given = std::fs::read_to_string(beside("given")).expect("text");
        let given: Value = serde_json::from_str(&given).expect("JSON");
        assert_eq!(given["url"], url.as_str());
        assert!(
            given["token"]
                .as_str()
                .is_some_and(|token| token.len() > 20)
        );
        let killed = Command::new("kill")
            .arg(format!("-{signal}"))
            .arg(child.id().to_string())
            .status();
        assert!(killed.expect("run").success());
        assert_eq!(child.wait().expect("waited").code(), status);
        wait_for(&beside("ended"));
        std::fs::remove_file(beside("given")).expect("removed");
        std::fs::remove_file(beside("ended")).expect("removed");
    }
}

/// Waits for a file that another process makes; there is no event to wait for.
#[cfg(unix)]
fn wait_for(file: &Path) {
    let start = std::time::Instant::now();
    while !file.exists() {
        assert!(
            start.elapsed().as_secs() < 20,
            "{} does not appear",
            file.display()
        );
        std::thread::sleep(std::time::Duration::from_millis(10));
    }
}

/// A certificate and its key, in files. Written again, neither their length nor their time says that they have changed.
#[cfg(unix)]
fn certificate(directory: &Path) -> [std::path::PathBuf; 2] {
    let files = ["chain.pem", "key.pem"].map(|name| directory.join(name));
    let before = files.each_ref().map(|file| std::fs::metadata(file).ok());
    let made = loop {
        let made = rcgen::generate_simple_self_signed(["vireo".to_owned()]).expect("made");
        let made = [made.cert.pem(), made.signing_key.serialize_pem()];
        let same = |(new, old): (&String, &Option<std::fs::Metadata>)| match old {
            Some(old) => old.len() == new.len() as u64,
            None => true,
        };
        if made.iter().zip(&before).all(same) {
            break made;
        }
    };
    for ((file, pem), before) in files.iter().zip(made).zip(before) {
        std::fs::write(file, pem).expect("written");
        if let Some(before) = before {
            let file = std::fs::File::options().write(true).open(file);
            let time = before.modified().expect("a time");
            file.expect("opened").set_modified(time).expect("set");
        }
    }
    files
}

#[cfg(unix)]
#[tokio::test]
async fn sighup_takes_up_the_certificate() {
    use rustls::version::TLS13;
    let data = tempfile::tempdir().expect("a temporary directory");
    let [chain, key] = certificate(data.path());
    let mut command = command(data.path());
    command
        .arg("--tls-cert")
        .arg(&chain)
        .arg("--tls-key")
        .arg(&key);
    let (mut child, url) = start(&mut command);
    let url: ServerAddress = url.parse().expect("an address");
    let (_, address) = url.url.split_once("://").expect("a scheme");
    let address = address.parse().expect("an address");
    let (_, first) = support::tls::connect(address, &TLS13).await.expect("shown");
    assert_eq!(Some(first), url.fingerprint);
    certificate(data.path());
    let hung_up = Command::new("kill")
        .args(["-HUP", &child.id().to_string()])
        .status();
    assert!(hung_up.expect("run").success());
    let late = std::time::Instant::now() + std::time::Duration::from_secs(20);
    loop {
        let (_, shown) = support::tls::connect(address, &TLS13).await.expect("shown");
        if shown != first {
            break;
        }
        assert!(std::time::Instant::now() < late, "still the old one");
    }
    child.kill().expect("killed");
    child.wait().expect("waited");
}
