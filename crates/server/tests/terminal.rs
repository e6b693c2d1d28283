//! What `vireo-server` says to the person who starts it in a terminal. The terminal is a real one, made by `script` (of
//! util-linux).
#![cfg(target_os = "linux")]

use std::io::{BufRead, BufReader};
use std::net::TcpStream;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use serde_json::Value;

const SERVER: &str = env!("CARGO_BIN_EXE_vireo-server");

/// A server in a terminal; it ends with it.
struct Terminal {
    child: Child,
    lines: std::io::Lines<BufReader<std::process::ChildStdout>>,
}

impl Terminal {
    /// Starts a server with these options. Returns its terminal's lines up to that of JSON, and that.
    fn open(
        data: &Path,
        options: &str,
        environment: &[(&str, &str)],
    ) -> (Self, Vec<String>, Value) {
        let server = format!("exec {SERVER} --data {} {options}", data.display());
        let mut child = Command::new("script")
            .args([
                "--quiet",
                "--flush",
                "--return",
                "--command",
                &server,
                "/dev/null",
            ])
            .env_remove("NO_COLOR")
            .env("TERM", "xterm-256color")
            .envs(environment.iter().copied())
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .expect("script runs");
        let stdout = child.stdout.take().expect("piped");
        let mut terminal = Self {
            child,
            lines: BufReader::new(stdout).lines(),
        };
        let mut before = Vec::new();
        loop {
            let line = terminal.line();
            match serde_json::from_str::<Value>(&line) {
                Ok(json) if json["url"].is_string() => return (terminal, before, json),
                _ => before.push(line),
            }
        }
    }

    fn line(&mut self) -> String {
        let line = self.lines.next().expect("the server runs").expect("text");
        line.trim_end_matches('\r').to_owned()
    }
}

impl Drop for Terminal {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// The modules of a drawn code, each row as whether it is dark: read as a camera would see it on this terminal.
fn modules(lines: &[&str]) -> Vec<Vec<bool>> {
    let mut rows = Vec::new();
    for line in lines {
        let cells: Vec<char> = line.chars().collect();
        rows.push(cells.iter().map(|cell| "▀█".contains(*cell)).collect());
        rows.push(cells.iter().map(|cell| "▄█".contains(*cell)).collect());
    }
    rows
}

fn decoded(rows: &[Vec<bool>]) -> String {
    const PIXELS: usize = 4;
    let (width, height) = (rows[0].len() * PIXELS, rows.len() * PIXELS);
    let mut image = rqrr::PreparedImage::prepare_from_bitmap(width, height, |x, y| {
        rows[y / PIXELS][x / PIXELS]
    });
    let grids = image.detect_grids();
    assert_eq!(grids.len(), 1, "one code");
    grids[0].decode().expect("it can be read").1
}

#[test]
fn a_server_ends_when_its_terminal_is_closed() {
    let data = tempfile::tempdir().expect("a temporary directory");
    let options = "--listen 127.0.0.1:0 --no-turn";
    let (terminal, _, first) = Terminal::open(data.path(), options, &[]);
    let url = first["url"].as_str().expect("a url");
    let address = url.strip_prefix("http://").expect("on this computer");
    assert!(TcpStream::connect(address).is_ok());
    drop(terminal);
    let by = Instant::now() + Duration::from_secs(20);
    while TcpStream::connect(address).is_ok() {
        assert!(Instant::now() < by, "it goes on");
        std::thread::sleep(Duration::from_millis(50));
    }
}

#[test]
fn the_invitation_can_be_photographed() {
    let data = tempfile::tempdir().expect("a temporary directory");
    let options = "--listen 0.0.0.0:0 --no-turn";
    let (_terminal, lines, json) = Terminal::open(data.path(), options, &[]);
    let invite = json["invite"].as_str().expect("a link");
    assert!(lines.iter().any(|line| line.trim() == invite), "{lines:?}");
    // Black on white, whatever the terminal's own colours are.
    let colours = "\u{1b}[38;5;16;48;5;231m";
    let drawn: Vec<&str> = lines
        .iter()
        .filter_map(|line| line.strip_prefix(colours)?.strip_suffix("\u{1b}[0m"))
        .collect();
    let rows = modules(&drawn);
    assert_eq!(decoded(&rows), invite);
    let quiet = |row: &[bool]| row.iter().all(|dark| !dark);
    assert!(rows[..4].iter().all(|row| quiet(row)), "four modules above");
    assert!(
        rows[rows.len() - 4..].iter().all(|row| quiet(row)),
        "and below"
    );
    for row in &rows {
        assert!(
            quiet(&row[..4]) && quiet(&row[row.len() - 4..]),
            "and beside"
        );
    }
    assert!(
        rows[0].len() <= 80,
        "it fits into a terminal: {}",
        rows[0].len()
    );
}

#[test]
fn whoever_wants_no_colours_gets_none() {
    let data = tempfile::tempdir().expect("a temporary directory");
    let options = "--listen 127.0.0.1:0 --log json";
    let plain = [("NO_COLOR", "1")];
    let (_terminal, lines, json) = Terminal::open(data.path(), options, &plain);
    assert!(
        lines.iter().all(|line| !line.contains('\u{1b}')),
        "{lines:?}"
    );
    let of_code = |line: &&String| line.contains('▀') || line.contains('▄');
    let drawn: Vec<&str> = lines.iter().filter(of_code).map(String::as_str).collect();
    assert_eq!(
        decoded(&modules(&drawn)),
        json["invite"].as_str().expect("a link")
    );
}

#[test]
fn what_is_no_terminal_is_told_no_secret() {
    let data = tempfile::tempdir().expect("a temporary directory");
    let mut child = Command::new(SERVER)
        .arg("--data")
        .arg(data.path())
        .args(["--listen", "127.0.0.1:0"])
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("started");
    let stdout = child.stdout.as_mut().expect("piped");
    let mut line = String::new();
    BufReader::new(stdout).read_line(&mut line).expect("a line");
    let json: Value = serde_json::from_str(&line).expect("JSON");
    let invite = json["invite"].as_str().expect("a link");
    let (_, token) = invite.split_once('#').expect("a token");
    child.kill().expect("killed");
    let said = child.wait_with_output().expect("waited").stderr;
    let said = String::from_utf8(said).expect("text");
    assert!(!said.contains(token) && !said.contains('█'), "{said}");
}
