//! A real `vireo-server` with a data folder of its own.

use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::Duration;

use anyhow::{Context, ensure};
use tempfile::TempDir;
use tokio::io::{AsyncBufReadExt, AsyncReadExt, BufReader};
use tokio::process::{Child, Command};
use tokio::time::timeout;

use crate::binaries::binary;
use crate::cli::Cli;
use crate::network::{Computer, Network, SERVER};

const START: Duration = Duration::from_secs(20);

/// A server on a free port of the loopback. Killed when dropped.
pub struct Server {
    child: Child,
    /// Where it listens.
    pub url: String,
    first_invite: Option<String>,
    folder: TempDir,
    /// The computer it runs on, where that is not this one.
    computer: Option<Computer>,
    arguments: Vec<String>,
}

/// A process that listens, and what its first line says.
struct Started {
    child: Child,
    url: String,
    first_invite: Option<String>,
}

/// An account on the test's server.
#[derive(Debug, Clone)]
pub struct Account {
    /// Its name.
    pub name: String,
    /// A file with its password.
    pub password_file: PathBuf,
}

impl Server {
    /// Starts a server, with these arguments besides the necessary ones, and waits for its first line.
    ///
    /// # Errors
    /// When it is not built or does not start.
    pub async fn start(arguments: &[&str]) -> anyhow::Result<Self> {
        let arguments = [
            &["--open-registration", "--listen", "127.0.0.1:0"],
            arguments,
        ]
        .concat();
        Self::spawn(None, &arguments).await
    }

    /// Starts a server as people run it: encrypted, reached from everywhere, and by invitation alone.
    ///
    /// # Errors
    /// When it is not built or does not start.
    pub async fn start_by_invitation() -> anyhow::Result<Self> {
        let arguments = ["--listen", "0.0.0.0:0", "--no-port-mapping", "--no-turn"];
        Self::spawn(None, &arguments).await
    }

    /// Starts a server in the middle of a network, with these arguments besides the necessary ones.
    ///
    /// # Errors
    /// When it is not built or does not start.
    pub async fn start_in(network: &Network, arguments: &[&str]) -> anyhow::Result<Self> {
        let listen = format!("{SERVER}:0");
        let arguments = [
            &[
                "--open-registration",
                "--no-port-mapping",
                "--listen",
                &listen,
            ],
            arguments,
        ]
        .concat();
        Self::spawn(Some(network.middle().clone()), &arguments).await
    }

    async fn spawn(computer: Option<Computer>, arguments: &[&str]) -> anyhow::Result<Self> {
        let folder = tempfile::tempdir()?;
        let arguments: Vec<String> = arguments.iter().map(|&word| word.to_owned()).collect();
        let started = Started::by(computer.as_ref(), folder.path(), &arguments).await?;
        Ok(Self {
            child: started.child,
            url: started.url,
            first_invite: started.first_invite,
            folder,
            computer,
            arguments,
        })
    }

    /// Starts a server that was killed again: at the same address, with the same data.
    ///
    /// # Errors
    /// When it does not start.
    pub async fn start_again(&mut self) -> anyhow::Result<()> {
        let (_, address) = self.url.split_once("://").context("no address")?;
        let same = |word: &String| match word.ends_with(":0") {
            true => address.to_owned(),
            false => word.clone(),
        };
        let arguments: Vec<String> = self.arguments.iter().map(same).collect();
        let started = Started::by(self.computer.as_ref(), self.folder(), &arguments).await?;
        ensure!(started.url == self.url, "it is at {} now", started.url);
        self.child = started.child;
        Ok(())
    }
}

impl Started {
    async fn by(
        computer: Option<&Computer>,
        folder: &Path,
        arguments: &[String],
    ) -> anyhow::Result<Self> {
        let mut child = Command::from(command_on(computer, "vireo-server")?)
            .arg("--data")
            .arg(folder.join("data"))
            .args(arguments)
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .kill_on_drop(true)
            .spawn()
            .context("vireo-server cannot be started")?;
        let stdout = child.stdout.take().context("the pipe was asked for")?;
        let mut stdout = BufReader::new(stdout);
        let mut line = String::new();
        timeout(START, stdout.read_line(&mut line))
            .await
            .context("vireo-server says nothing")??;
        let first: serde_json::Value = serde_json::from_str(&line)
            .with_context(|| format!("vireo-server's first line is no JSON: {line:?}"))?;
        let url = first["url"].as_str().context("no url in it")?.to_owned();
        let first_invite = first["invite"].as_str().map(str::to_owned);
        // Whatever it says further must not fill the pipe.
        tokio::spawn(async move { stdout.read_to_end(&mut Vec::new()).await });
        Ok(Self {
            child,
            url,
            first_invite,
        })
    }
}

impl Server {
    /// The folder of this test; it is deleted with the server.
    #[must_use]
    pub fn folder(&self) -> &Path {
        self.folder.path()
    }

    /// Kills the server at once, as a crash would.
    ///
    /// # Errors
    /// When it cannot be killed.
    pub async fn kill(&mut self) -> anyhow::Result<()> {
        Ok(self.child.kill().await?)
    }

    /// An account's name and password, not yet registered.
    ///
    /// # Errors
    /// When the password's file cannot be written.
    pub fn account(&self, name: &str) -> anyhow::Result<Account> {
        let password_file = self.folder().join(format!("{name}.password"));
        std::fs::write(&password_file, format!("the secret of {name}\n"))?;
        Ok(Account {
            name: name.to_owned(),
            password_file,
        })
    }

    /// Registers an account through `vireo-cli`.
    ///
    /// # Errors
    /// When that fails.
    pub async fn register(&self, name: &str) -> anyhow::Result<Account> {
        let account = self.account(name)?;
        self.run(&account, &["register"]).await?;
        Ok(account)
    }

    /// The invitation for whoever runs the server.
    ///
    /// # Errors
    /// When somebody had an account when it started.
    pub fn first_invite(&self) -> anyhow::Result<&str> {
        self.first_invite.as_deref().context("no first invitation")
    }

    /// Makes an account by an invitation, through `vireo-cli`.
    ///
    /// # Errors
    /// When that fails.
    pub async fn join(&self, account: &Account, link: &str) -> anyhow::Result<()> {
        let file = account.password_file.to_string_lossy();
        let who = ["--user", &account.name, "--password-file", &file];
        let ended = Cli::bare(&[&who[..], &["join", link, "--yes"]].concat())?
            .end()
            .await?;
        ensure!(ended.status == 0, "nobody joins: {}", ended.stderr);
        Ok(())
    }

    /// Registers two accounts that are contacts.
    ///
    /// # Errors
    /// When that fails.
    pub async fn two_contacts(&self) -> anyhow::Result<(Account, Account)> {
        let ann = self.register("Ann").await?;
        let bob = self.register("Bob").await?;
        self.befriend(&ann, &bob).await?;
        Ok((ann, bob))
    }

    /// Makes two accounts contacts.
    ///
    /// # Errors
    /// When that fails.
    pub async fn befriend(&self, one: &Account, other: &Account) -> anyhow::Result<()> {
        self.run(one, &["contacts", "add", &other.name]).await?;
        self.run(other, &["contacts", "add", &one.name]).await?;
        Ok(())
    }

    /// Waits until this person sees that contact online.
    ///
    /// # Errors
    /// When that has not come about after twenty seconds.
    pub async fn until_online(&self, who: &Account, contact: &str) -> anyhow::Result<()> {
        let online = async {
            loop {
                let contacts = self.run(who, &["contacts", "list"]).await?;
                let online = |line: &serde_json::Value| {
                    line["name"] == contact && line["presence"] == "online"
                };
                if contacts.iter().any(online) {
                    return Ok(());
                }
                tokio::time::sleep(Duration::from_millis(100)).await;
            }
        };
        timeout(START, online)
            .await
            .with_context(|| format!("{contact} does not come online"))?
    }

    /// Starts `vireo-cli` as this person.
    ///
    /// # Errors
    /// When it cannot be started.
    pub fn cli(&self, account: &Account, arguments: &[&str]) -> anyhow::Result<Cli> {
        let command = command_on(self.computer.as_ref(), "vireo-cli")?;
        Cli::start_with(command.into(), &self.url, account, arguments)
    }

    /// Starts `vireo-cli` as this person on this computer.
    ///
    /// # Errors
    /// When it cannot be started.
    pub fn cli_on(
        &self,
        computer: &Computer,
        account: &Account,
        arguments: &[&str],
    ) -> anyhow::Result<Cli> {
        let command = command_on(Some(computer), "vireo-cli")?;
        Cli::start_with(command.into(), &self.url, account, arguments)
    }

    /// Runs `vireo-cli` as this person until it ends well.
    ///
    /// # Errors
    /// When it does not.
    pub async fn run(
        &self,
        account: &Account,
        arguments: &[&str],
    ) -> anyhow::Result<Vec<serde_json::Value>> {
        let ended = self.cli(account, arguments)?.end().await?;
        ensure!(
            ended.status == 0,
            "vireo-cli {arguments:?} ended with {}: {}",
            ended.status,
            ended.stderr
        );
        Ok(ended.lines)
    }
}

/// One of the workspace's programs, on this computer or another one.
fn command_on(computer: Option<&Computer>, program: &str) -> anyhow::Result<std::process::Command> {
    let program = binary(program)?;
    Ok(match computer {
        Some(computer) => computer.command(program),
        None => std::process::Command::new(program),
    })
}
