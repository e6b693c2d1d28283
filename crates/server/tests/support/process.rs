//! `vireo-server` as a process, on either kind of database.

use std::io::{BufRead, BufReader, Read};
use std::path::Path;
use std::process::{Child, Command, Output, Stdio};

use serde_json::{Value, json};
use tempfile::TempDir;
use vireo_testing::{Durability, Postgres};

use super::{Client, PASSWORD, Person, text};

/// A data directory, with a PostgreSQL server where the database is not SQLite.
pub struct Place {
    pub data: TempDir,
    pub postgres: Option<(Postgres, String)>,
}

impl Place {
    pub fn sqlite() -> Self {
        let data = tempfile::tempdir().expect("a temporary directory");
        let postgres = None;
        Self { data, postgres }
    }

    pub fn postgres() -> Self {
        let server = Postgres::start(Durability::ProcessOnly).expect("PostgreSQL");
        let address = server.database().expect("made");
        Self {
            postgres: Some((server, address)),
            ..Self::sqlite()
        }
    }

    pub fn path(&self) -> &Path {
        self.data.path()
    }

    pub fn command(&self) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_vireo-server"));
        command.arg("--data").arg(self.path());
        if let Some((_, address)) = &self.postgres {
            // Not on the command line, where every user of the computer can read it.
            command.env("VIREO_DATABASE", address);
        }
        command
    }

    /// Does one thing with the program.
    pub fn run(&self, arguments: &[&str]) -> Output {
        self.command().args(arguments).output().expect("run")
    }

    /// What the program says that refuses to do it.
    pub fn refused(&self, arguments: &[&str]) -> String {
        let output = self.run(arguments);
        assert!(!output.status.success(), "{arguments:?}");
        String::from_utf8(output.stderr).expect("text")
    }

    /// Does one thing that succeeds. Returns what it says.
    pub fn done(&self, arguments: &[&str]) -> String {
        let output = self.run(arguments);
        let complaint = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "{arguments:?}: {complaint}");
        String::from_utf8(output.stdout).expect("text")
    }

    /// Starts a server here and waits until it is ready.
    pub fn serve(&self) -> Process {
        let mut child = self
            .command()
            .args(["--listen", "127.0.0.1:0", "--open-registration"])
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .expect("started");
        let mut stdout = BufReader::new(child.stdout.take().expect("piped"));
        let mut line = String::new();
        stdout.read_line(&mut line).expect("a line");
        let ready: Value = serde_json::from_str(&line).expect("the first line is JSON");
        // Whatever it says further must not fill the pipe.
        std::thread::spawn(move || stdout.read_to_end(&mut Vec::new()));
        Process {
            url: text(&ready["url"]),
            child,
        }
    }
}

/// A server that runs. Killed when dropped, the hardest way.
pub struct Process {
    pub url: String,
    child: Child,
}

impl Drop for Process {
    fn drop(&mut self) {
        self.child.kill().expect("killed");
        self.child.wait().expect("waited");
    }
}

impl Process {
    pub async fn register(&self, name: &str) -> Person {
        person(&self.url, "/api/register", name)
            .await
            .expect("acknowledged")
    }

    pub async fn sign_in(&self, name: &str) -> Option<Person> {
        person(&self.url, "/api/sign-in", name).await
    }

    pub async fn sign_in_with(&self, name: &str, password: &str) -> Option<Person> {
        person_with(&self.url, "/api/sign-in", name, password).await
    }

    pub async fn connect(&self, person: &Person) -> Client {
        let mut client = Client::open(&self.url, &person.token)
            .await
            .expect("connected");
        client.greet().await;
        client
    }
}

/// Registers somebody, or signs them in. Nothing where the server did not say that it is done.
pub async fn person(url: &str, path: &str, name: &str) -> Option<Person> {
    person_with(url, path, name, PASSWORD).await
}

async fn person_with(url: &str, path: &str, name: &str, password: &str) -> Option<Person> {
    let body = json!({"name": name, "password": password});
    let request = reqwest::Client::new()
        .post(format!("{url}{path}"))
        .json(&body);
    let response = request.send().await.ok()?;
    if !response.status().is_success() {
        return None;
    }
    let session: Value = response.json().await.ok()?;
    Some(Person {
        id: text(&session["user"]["id"]),
        name: name.to_owned(),
        token: text(&session["accessToken"]),
        refresh_token: text(&session["refreshToken"]),
    })
}
