//! A PostgreSQL server of a test's own.

use std::io::{BufRead, BufReader, Write};
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::{Duration, Instant};

use anyhow::{Context, bail, ensure};
use tempfile::TempDir;

use crate::user::User;

const START: Duration = Duration::from_secs(20);

/// Starts PostgreSQL in the folder `$1` with the program `$2` and what follows, and says its process number. Ends it when
/// standard input does, which is when the test's process is gone, and clears up; unless told to keep the folder.
const SUPERVISOR: &str = r#"
folder=$1; shift
"$@" >> "$folder/log" 2>&1 < /dev/null &
echo $!
read -r word
kill -CONT $! 2> /dev/null; kill -QUIT $! 2> /dev/null; wait $!
[ "$word" = keep ] || rm -rf "$folder"
"#;

/// Whether a power cut may lose what was written. Tests of anything else need not wait for the disk.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Durability {
    /// Everything is written through, as on a real server.
    Full,
    /// Nothing is; the death of the process still loses nothing.
    ProcessOnly,
}

/// A PostgreSQL server with a Unix socket in a folder of its own and no other address. Ends when dropped.
#[derive(Debug)]
pub struct Postgres {
    programs: PathBuf,
    user: User,
    folder: PathBuf,
    durability: Durability,
    running: Option<Running>,
    databases: AtomicU32,
}

#[derive(Debug)]
struct Running {
    supervisor: Child,
    process: String,
}

impl Postgres {
    /// Starts one and waits until it answers.
    ///
    /// # Errors
    /// When PostgreSQL is not installed or does not start.
    pub fn start(durability: Durability) -> anyhow::Result<Self> {
        let programs = programs()?;
        let folder = tempfile::Builder::new().prefix("vireo-pg-").tempdir()?;
        let user = User::for_folder(folder.path())?;
        copy(&template(&programs)?, &folder.path().join("data"))?;
        user.give(folder.path())?;
        let mut server = Self {
            programs,
            user,
            // From here on the supervisor clears it up, whatever becomes of this process.
            folder: folder.keep(),
            durability,
            running: None,
            databases: AtomicU32::new(0),
        };
        server.start_again()?;
        Ok(server)
    }

    /// The address of a database that nobody has used yet.
    ///
    /// # Errors
    /// When the server does not make one.
    pub fn database(&self) -> anyhow::Result<String> {
        let name = format!("test{}", self.databases.fetch_add(1, Ordering::Relaxed));
        let output = Command::new(self.programs.join("createdb"))
            .args(["--username=postgres", "--host"])
            .arg(&self.folder)
            .arg(&name)
            .output()?;
        let complaint = String::from_utf8_lossy(&output.stderr);
        ensure!(output.status.success(), "createdb failed: {complaint}");
        let host = self.folder.display();
        Ok(format!("postgres:///{name}?user=postgres&host={host}"))
    }

    /// Kills it at once, as a crash would.
    ///
    /// # Errors
    /// When it does not run.
    pub fn kill(&mut self) -> anyhow::Result<()> {
        let running = self.running.take().context("PostgreSQL does not run")?;
        let processes = running.processes()?;
        send("KILL", &processes)?;
        running.keep()?;
        // As long as one of them lives, another server does not start over the same data.
        let start = Instant::now();
        while processes.iter().any(|process| lives(process)) {
            ensure!(start.elapsed() < START, "PostgreSQL cannot be killed");
            std::thread::sleep(Duration::from_millis(5));
        }
        Ok(())
    }

    /// Lets it stand still, or go on: `STOP`, `CONT`. All its processes are told, those of connections too.
    ///
    /// # Errors
    /// When it does not run.
    pub fn signal(&self, signal: &str) -> anyhow::Result<()> {
        let running = self.running.as_ref().context("PostgreSQL does not run")?;
        send(signal, &running.processes()?)
    }

    /// Starts it after [`Postgres::kill`], with all that it had, and waits until it answers.
    ///
    /// # Errors
    /// When it does not start.
    pub fn start_again(&mut self) -> anyhow::Result<()> {
        let mut command = self.user.command(Path::new("/bin/sh"));
        command
            .args(["-c", SUPERVISOR, "sh"])
            .arg(&self.folder)
            .arg(self.programs.join("postgres"))
            .arg("-D")
            .arg(self.folder.join("data"))
            .arg("-k")
            .arg(&self.folder)
            // So that whoever ends the test's group does not end the one who clears up.
            .process_group(0)
            .current_dir(&self.folder)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::null());
        for setting in ["listen_addresses=", "shared_buffers=16MB", "autovacuum=off"] {
            command.args(["-c", setting]);
        }
        if self.durability == Durability::ProcessOnly {
            command.args(["-c", "fsync=off", "-c", "full_page_writes=off"]);
        }
        let mut supervisor = command.spawn()?;
        let stdout = supervisor.stdout.take().context("the pipe was asked for")?;
        let mut process = String::new();
        BufReader::new(stdout).read_line(&mut process)?;
        let process = process.trim().to_owned();
        ensure!(!process.is_empty(), "PostgreSQL cannot be started");
        self.running = Some(Running {
            supervisor,
            process,
        });
        self.wait_until_it_answers()
    }

    fn wait_until_it_answers(&self) -> anyhow::Result<()> {
        let start = Instant::now();
        loop {
            let ready = Command::new(self.programs.join("pg_isready"))
                .args(["--quiet", "--host"])
                .arg(&self.folder)
                .status()?;
            if ready.success() {
                return Ok(());
            }
            if start.elapsed() > START {
                let log = std::fs::read_to_string(self.folder.join("log")).unwrap_or_default();
                bail!("PostgreSQL does not answer: {log}");
            }
            std::thread::sleep(Duration::from_millis(10));
        }
    }
}

impl Drop for Postgres {
    fn drop(&mut self) {
        match self.running.take() {
            Some(running) => drop(running.end(b"")),
            // As root its folder could be another user's; root may delete it all the same.
            None => drop(std::fs::remove_dir_all(&self.folder)),
        }
    }
}

impl Running {
    /// The server's process and those of its connections.
    fn processes(&self) -> anyhow::Result<Vec<String>> {
        let mut processes = vec![self.process.clone()];
        processes.extend(children_of(&self.process)?);
        Ok(processes)
    }

    fn keep(self) -> anyhow::Result<()> {
        self.end(b"keep\n")
    }

    fn end(mut self, word: &[u8]) -> anyhow::Result<()> {
        let stdin = self.supervisor.stdin.take();
        stdin.context("the pipe was asked for")?.write_all(word)?;
        self.supervisor.wait()?;
        Ok(())
    }
}

fn send(signal: &str, processes: &[String]) -> anyhow::Result<()> {
    // That of a connection which has just ended may be gone, of which `kill` complains.
    Command::new("kill")
        .arg(format!("-{signal}"))
        .args(processes)
        .output()?;
    Ok(())
}

/// Whether the process is there and has not ended.
fn lives(process: &str) -> bool {
    let state = Command::new("ps")
        .args(["-o", "state=", "-p", process])
        .output();
    state.is_ok_and(|output| matches!(output.stdout.first(), Some(state) if *state != b'Z'))
}

fn children_of(process: &str) -> anyhow::Result<Vec<String>> {
    let listed = Command::new("ps")
        .args(["-A", "-o", "ppid=,pid="])
        .output()?;
    let text = String::from_utf8(listed.stdout)?;
    let pairs = text.lines().map(str::split_whitespace);
    Ok(pairs
        .filter_map(|mut pair| (pair.next()? == process).then(|| pair.next())?)
        .map(str::to_owned)
        .collect())
}

/// The folder of PostgreSQL's programs. Debian has one for each version, outside of the search path.
fn programs() -> anyhow::Result<PathBuf> {
    let versions = std::fs::read_dir("/usr/lib/postgresql")
        .into_iter()
        .flatten();
    let debian = versions.flatten().map(|entry| entry.path().join("bin"));
    let path = std::env::var_os("PATH").unwrap_or_default();
    let search_path = std::env::split_paths(&path).collect::<Vec<_>>();
    debian
        .chain(search_path)
        .find(|folder| folder.join("initdb").exists() && folder.join("postgres").exists())
        .context("PostgreSQL is not installed. `cargo xtask test` installs it; else install your system's package postgresql.")
}

/// An empty set of databases, made once in the build folder: to copy it takes a tenth of the time.
fn template(programs: &Path) -> anyhow::Result<PathBuf> {
    let version = Command::new(programs.join("postgres"))
        .arg("--version")
        .output()?;
    // "postgres (PostgreSQL) 15.18 (Debian …)"
    let version = String::from_utf8(version.stdout)?;
    let version = version.split(' ').nth(2).unwrap_or_default().trim();
    // A test lies in target/debug/deps, a program in target/release, or where they are told to.
    let program = std::env::current_exe()?;
    let folder = program.parent().context("the program lies nowhere")?;
    let above = if folder.ends_with("deps") { 2 } else { 1 };
    let build = folder.ancestors().nth(above).context("no build folder")?;
    let template = build.join(format!("postgresql-{version}"));
    if template.exists() {
        return Ok(template);
    }
    let folder = TempDir::new()?;
    let user = User::for_folder(folder.path())?;
    user.give(folder.path())?;
    let made = folder.path().join("data");
    let output = user
        .command(&programs.join("initdb"))
        .args(["--username=postgres", "--auth=trust", "--encoding=UTF8"])
        .args(["--no-locale", "--no-sync", "--wal-segsize=1", "--pgdata"])
        .arg(&made)
        .current_dir(folder.path())
        .output()?;
    let complaint = String::from_utf8_lossy(&output.stderr);
    ensure!(output.status.success(), "initdb failed: {complaint}");
    let partial = TempDir::new_in(build)?;
    let ready = partial.path().join("data");
    copy(&made, &ready)?;
    // Another test may have been quicker; its template is as good.
    match std::fs::rename(&ready, &template) {
        Err(error) if !template.exists() => Err(error.into()),
        _ => Ok(template),
    }
}

fn copy(from: &Path, to: &Path) -> anyhow::Result<()> {
    let mut command = Command::new("cp");
    command.arg("-R").arg(from).arg(to);
    ensure!(command.status()?.success(), "cp failed");
    Ok(())
}
