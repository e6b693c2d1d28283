//! `vireo-server doctor`, beside a server that runs and without one, and what it says of what does not work.
#![cfg(target_os = "linux")]

use std::io::{BufRead, BufReader, Write};
use std::net::UdpSocket;
use std::path::Path;
use std::process::{Child, Command, Output, Stdio};

use serde_json::Value;
use sqlx::Connection;

const SERVER: &str = env!("CARGO_BIN_EXE_vireo-server");

/// Any free ports on every address.
const ANYWHERE: [&str; 5] = [
    "--listen",
    "0.0.0.0:0",
    "--turn-port",
    "0",
    "--no-port-mapping",
];

/// A server that ends with the test.
struct Running {
    child: Child,
    stdout: BufReader<std::process::ChildStdout>,
}

impl Running {
    fn start(data: &Path, options: &[&str]) -> Self {
        let mut child = Command::new(SERVER)
            .arg("--data")
            .arg(data)
            .args(options)
            .stdout(Stdio::piped())
            .spawn()
            .expect("started");
        let stdout = BufReader::new(child.stdout.take().expect("piped"));
        Self { child, stdout }
    }

    fn line(&mut self) -> Value {
        let mut line = String::new();
        self.stdout.read_line(&mut line).expect("a line");
        serde_json::from_str(&line).expect("JSON")
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Whether the doctor finds everything well, and what it says.
fn said(output: Output) -> (bool, String) {
    let text = [output.stdout, output.stderr].concat();
    let text = String::from_utf8(text).expect("text");
    (output.status.success(), text)
}

fn doctor(data: &Path, options: &[&str]) -> (bool, String) {
    let mut command = Command::new(SERVER);
    command.arg("--data").arg(data).args(options).arg("doctor");
    said(command.output().expect("run"))
}

/// What a shell says in namespaces of its own (of users, and these); there it may do what only administrators may.
fn apart(namespaces: &str, script: &str) -> (bool, String) {
    let mut command = Command::new("unshare");
    command.args(["--map-root-user", namespaces, "sh", "-ec", script]);
    said(command.output().expect("run"))
}

/// Some systems give nobody namespaces; there is nothing to try this in.
fn no_namespaces() -> bool {
    let (given, said) = apart("--mount", "true");
    if !given {
        let sentence = format!("NOT TESTED, as this system gives no namespaces: {said}");
        let _ = writeln!(std::io::stderr(), "{sentence}");
    }
    !given
}

fn checks(report: &Value) -> Vec<(&str, &str)> {
    let findings = report["findings"].as_array().expect("findings");
    findings
        .iter()
        .map(|it| {
            let text = |name: &str| it[name].as_str().expect("text");
            (text("check"), text("verdict"))
        })
        .collect()
}

#[test]
fn a_server_that_runs_says_how_it_is() {
    let data = tempfile::tempdir().expect("a temporary directory");
    let mut server = Running::start(data.path(), &ANYWHERE);
    let url = server.line()["url"].as_str().expect("a url").to_owned();
    let (_, port) = url
        .split_once('#')
        .expect("a fingerprint")
        .0
        .rsplit_once(':')
        .expect("a port");
    let first = server.line();
    let expected = [
        ("database", "good"),
        ("certificate", "good"),
        ("relay", "good"),
        ("this-computer", "good"),
    ];
    assert_eq!(checks(&first["selfTest"])[..4], expected);
    let (well, said) = doctor(data.path(), &[]);
    assert!(well, "{said}");
    for line in [
        "  ok    Database       can be written.",
        "  ok    Certificate    the server's own, known by its fingerprint, valid until 2099-12-31.",
        "  ok    Call relay     passes calls on through firewalls (TURN, UDP port ",
        &format!("  ok    This computer  reachable at 127.0.0.1:{port}."),
    ] {
        assert!(said.contains(line), "{line}: {said}");
    }
    let (well, said) = doctor(data.path(), &["--log", "json"]);
    assert!(well && !said.contains("One is started"), "{said}");
    let file = data.path().join("running.json");
    use std::os::unix::fs::PermissionsExt;
    let rights = std::fs::metadata(&file).expect("it is there").permissions();
    assert_eq!(rights.mode() & 0o777, 0o600);
}

#[tokio::test]
async fn a_database_that_cannot_be_written_is_found() {
    let data = tempfile::tempdir().expect("a temporary directory");
    let mut server = Running::start(data.path(), &["--listen", "127.0.0.1:0"]);
    server.line();
    server.line();
    let file = format!("sqlite://{}", data.path().join("vireo.sqlite").display());
    let held = sqlx::SqliteConnection::connect(&file).await;
    let mut held = held.expect("opened");
    let hold = sqlx::query("BEGIN IMMEDIATE").execute(&mut held).await;
    hold.expect("held");
    let (well, said) = doctor(data.path(), &[]);
    assert!(!well, "{said}");
    assert!(
        said.contains("  FAIL  Database       cannot be written: "),
        "{said}"
    );
    assert!(said.contains("  ok    This computer  "), "{said}");
    assert!(
        said.contains("  note  This network   not reachable: the server is for this computer only"),
        "{said}"
    );
    held.close().await.expect("let go");
    let (well, said) = doctor(data.path(), &[]);
    assert!(well, "{said}");
}

#[test]
fn without_a_server_one_is_tried_out() {
    let data = tempfile::tempdir().expect("a temporary directory");
    for _ in 0..2 {
        let (well, said) = doctor(data.path(), &ANYWHERE);
        assert!(
            well && said.contains("One is started for a moment"),
            "{said}"
        );
        assert!(said.contains("  ok    Call relay "), "{said}");
        assert!(!data.path().join("running.json").exists());
    }
    // One that was killed leaves behind where it was.
    drop({
        let mut server = Running::start(data.path(), &ANYWHERE);
        server.line();
        server.line();
        server
    });
    let (well, said) = doctor(data.path(), &ANYWHERE);
    assert!(
        well && said.contains("One is started for a moment"),
        "{said}"
    );
}

#[test]
fn a_server_that_does_not_answer_is_found() {
    let data = tempfile::tempdir().expect("a temporary directory");
    let lock = std::fs::File::create(data.path().join("lock")).expect("made");
    lock.lock().expect("locked");
    let (well, said) = doctor(data.path(), &[]);
    assert!(!well && said.contains("  FAIL  Start "), "{said}");
    assert!(said.contains("does not answer"), "{said}");
}

#[test]
fn ports_that_are_taken_are_found() {
    let data = tempfile::tempdir().expect("a temporary directory");
    let taken = UdpSocket::bind("0.0.0.0:0").expect("bound");
    let port = taken.local_addr().expect("an address").port().to_string();
    let (well, said) = doctor(
        data.path(),
        &["--listen", "0.0.0.0:0", "--turn-port", &port],
    );
    assert!(!well, "{said}");
    assert!(
        said.contains("  FAIL  Start          vireo-server cannot listen on UDP port"),
        "{said}"
    );
    assert!(
        said.contains(&port) && said.contains("--turn-port"),
        "{said}"
    );
    let taken = std::net::TcpListener::bind("127.0.0.1:0").expect("bound");
    let address = taken.local_addr().expect("an address").to_string();
    let (well, said) = doctor(data.path(), &["--listen", &address]);
    assert!(
        !well && said.contains(&address) && said.contains("--listen"),
        "{said}"
    );
}

#[test]
fn a_data_directory_that_cannot_be_written_is_found() {
    if no_namespaces() {
        return;
    }
    let data = tempfile::tempdir().expect("a temporary directory");
    let path = data.path().display();
    let script = format!(
        "mount --bind {path} {path}; mount -o remount,bind,ro {path}; \
         exec {SERVER} --data {path} --listen 127.0.0.1:0 doctor"
    );
    let (well, said) = apart("--mount", &script);
    assert!(!well, "{said}");
    assert!(said.contains("  FAIL  Start "), "{said}");
    assert!(
        said.contains(&path.to_string()) && said.contains("--data"),
        "{said}"
    );
}

#[test]
fn in_a_home_it_says_how_far_the_server_reaches() {
    if no_namespaces() {
        return;
    }
    let data = tempfile::tempdir().expect("a temporary directory");
    let serve = format!(
        "exec {SERVER} --data {} --listen 0.0.0.0:7450 doctor",
        data.path().display()
    );
    let network = "ip link set lo up; ip link add house type veth peer name other; \
                   ip addr add 192.168.77.2/24 dev house; ip link set house up; ip link set other up; ";
    let (well, said) = apart("--net", &format!("{network} {serve}"));
    assert!(well, "{said}");
    assert!(
        said.contains("  ok    This network   reachable at 192.168.77.2:7450, "),
        "{said}"
    );
    assert!(
        said.contains("  note  From outside   this network only, "),
        "{said}"
    );
    assert!(
        said.contains("pass TCP port 7450 and UDP port 3478 on to this computer"),
        "{said}"
    );
    let (well, said) = apart("--net", &format!("ip link set lo up; {serve}"));
    assert!(well && said.contains("in no network at present"), "{said}");
}

#[test]
fn a_certificate_that_has_expired_is_found() {
    let data = tempfile::tempdir().expect("a temporary directory");
    let (chain, key) = (data.path().join("chain.pem"), data.path().join("key.pem"));
    let issue = |until: (i32, u8, u8)| {
        let names = ["vireo.example.org".to_owned()];
        let mut parameters = rcgen::CertificateParams::new(names).expect("names");
        parameters.not_before = rcgen::date_time_ymd(2020, 1, 1);
        parameters.not_after = rcgen::date_time_ymd(until.0, until.1, until.2);
        let pair = rcgen::KeyPair::generate().expect("made");
        let certificate = parameters.self_signed(&pair).expect("made");
        std::fs::write(&chain, certificate.pem()).expect("written");
        std::fs::write(&key, pair.serialize_pem()).expect("written");
    };
    let options = [
        "--listen",
        "127.0.0.1:0",
        "--tls-cert",
        chain.to_str().expect("text"),
        "--tls-key",
        key.to_str().expect("text"),
    ];
    issue((2024, 2, 29));
    let (well, said) = doctor(data.path(), &options);
    assert!(!well, "{said}");
    assert!(
        said.contains(
            "  FAIL  Certificate    from the files that were named, expired on 2024-02-29. Renew it"
        ),
        "{said}"
    );
    issue((2099, 1, 2));
    let (well, said) = doctor(data.path(), &options);
    assert!(well && said.contains("valid until 2099-01-02."), "{said}");
}

#[test]
fn an_address_that_was_named_is_tried() {
    let data = tempfile::tempdir().expect("a temporary directory");
    let free = std::net::TcpListener::bind("127.0.0.1:0").expect("bound");
    let port = free.local_addr().expect("an address").port();
    drop(free);
    let listen = format!("0.0.0.0:{port}");
    let url = format!("https://localhost:{port}");
    let options = ["--listen", &listen, "--no-turn", "--public-url", &url];
    let (well, said) = doctor(data.path(), &options);
    let line = format!("  ok    From outside   reachable at {url}, as seen from this computer.");
    assert!(well && said.contains(&line), "{said}");
    let elsewhere = "https://vireo.invalid";
    let options = ["--listen", "127.0.0.1:0", "--public-url", elsewhere];
    let (well, said) = doctor(data.path(), &options);
    assert!(well && said.contains("the name is not known"), "{said}");
}
