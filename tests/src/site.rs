//! Servers that faults befall, and people on them.

use std::path::{Path, PathBuf};

use anyhow::{Result, ensure};
use tempfile::TempDir;
use vireo_signalling::instance::{Instance, Settings};
use vireo_signalling::people::{self, Person};
use vireo_testing::{Durability, Postgres, Redis};

use crate::cli::{Cli, Ended};
use crate::server::Account;
use crate::statistics::Statistics;

/// What is sent in a call whose picture is watched for freezes.
const SENDS: [&str; 4] = [
    "--camera=pattern",
    "--size=320x240",
    "--microphone=tone",
    "--speaker=none",
];

/// One server, or two that share everything. Each keeps its address when it is started again.
pub struct Site {
    /// The servers.
    pub servers: Vec<Instance>,
    /// What two servers share.
    pub shared: Option<Shared>,
    folder: TempDir,
}

/// What several servers share.
pub struct Shared {
    /// Holds everything that is kept.
    pub postgres: Postgres,
    /// Carries what one server has to tell the other.
    pub redis: Redis,
    database: String,
}

/// One side of a call, for [`Site::untouched`].
pub struct Side {
    cli: Cli,
    statistics: PathBuf,
}

impl Site {
    /// Starts a server that keeps everything in SQLite.
    ///
    /// # Errors
    /// When it does not start.
    pub async fn one() -> Result<Self> {
        let folder = tempfile::tempdir()?;
        let settings = settings(folder.path(), "data", &[]);
        Ok(Self {
            servers: vec![Instance::start(&settings).await?],
            shared: None,
            folder,
        })
    }

    /// Starts two servers that keep everything in PostgreSQL and talk to each other through Redis.
    ///
    /// # Errors
    /// When they, PostgreSQL or Redis do not start.
    pub async fn two() -> Result<Self> {
        let folder = tempfile::tempdir()?;
        let postgres = Postgres::start(Durability::ProcessOnly)?;
        let redis = Redis::start()?;
        let database = postgres.database()?;
        let shared = ["--database", &database, "--bus", &redis.address()];
        let one = settings(folder.path(), "one", &shared);
        let other = settings(folder.path(), "other", &shared);
        Ok(Self {
            servers: vec![Instance::start(&one).await?, Instance::start(&other).await?],
            shared: Some(Shared {
                postgres,
                redis,
                database,
            }),
            folder,
        })
    }

    /// The folder of this test; it is deleted with the site.
    #[must_use]
    pub fn folder(&self) -> &Path {
        self.folder.path()
    }

    /// The database's address.
    #[must_use]
    pub fn database(&self) -> String {
        match &self.shared {
            Some(shared) => shared.database.clone(),
            None => self.servers[0].settings().sqlite(),
        }
    }

    /// Registers two people who are contacts.
    ///
    /// # Errors
    /// When that fails.
    pub async fn couple(&self, one: &str, other: &str) -> Result<[Account; 2]> {
        let couple = [self.register(one).await?, self.register(other).await?];
        self.run(&couple[0], &["contacts", "add", other]).await?;
        self.run(&couple[1], &["contacts", "add", one]).await?;
        Ok(couple)
    }

    /// So many people made in the database.
    ///
    /// # Errors
    /// When the database cannot be written.
    pub async fn people(&self, count: usize) -> Result<Vec<Person>> {
        people::make(&self.database(), count).await
    }

    async fn register(&self, name: &str) -> Result<Account> {
        let password_file = self.folder().join(format!("{name}.password"));
        std::fs::write(&password_file, format!("the secret of {name}\n"))?;
        let account = Account {
            name: name.to_owned(),
            password_file,
        };
        self.run(&account, &["register"]).await?;
        Ok(account)
    }

    async fn run(&self, account: &Account, arguments: &[&str]) -> Result<Ended> {
        let ended = Cli::start(&self.servers[0].url, account, arguments)?
            .end()
            .await?;
        ensure!(ended.status == 0, "{arguments:?} ended with {ended:?}");
        Ok(ended)
    }

    /// A call between the two, with picture and sound, the callee at the last server. It goes on until [`Site::untouched`].
    ///
    /// # Errors
    /// When it does not come about.
    pub async fn call(&self, couple: &[Account; 2]) -> Result<[Side; 2]> {
        let [first, .., last] = self.servers.as_slice() else {
            return self.call_through([&self.servers[0].url; 2], couple).await;
        };
        self.call_through([&first.url, &last.url], couple).await
    }

    /// The same, each connected to the address given for them.
    ///
    /// # Errors
    /// When it does not come about.
    pub async fn call_through(
        &self,
        [caller_at, callee_at]: [&str; 2],
        [caller, callee]: &[Account; 2],
    ) -> Result<[Side; 2]> {
        let mut answers = self.side(callee_at, callee, &["answer", "--once"])?;
        answers.cli.event("ready").await?;
        let mut calls = self.side(caller_at, caller, &["call", &callee.name])?;
        calls.cli.event("connected").await?;
        answers.cli.event("connected").await?;
        Ok([calls, answers])
    }

    fn side(&self, url: &str, account: &Account, command: &[&str]) -> Result<Side> {
        let statistics = self.folder().join(format!("{}.jsonl", account.name));
        let file = statistics.display().to_string();
        let arguments = [command, &["--stats", &file], &SENDS].concat();
        let cli = Cli::start(url, account, &arguments)?;
        Ok(Side { cli, statistics })
    }

    /// The caller hangs up. Both sides must have seen the whole call without a freeze, and end well.
    ///
    /// # Errors
    /// When they have not.
    pub async fn untouched(&self, [calls, answers]: [Side; 2]) -> Result<()> {
        calls.cli.interrupt().await?;
        let mut reasons = Vec::new();
        for Side { cli, statistics } in [calls, answers] {
            let ended = cli.end().await?;
            ensure!(ended.status == 0, "a side ended with {ended:?}");
            let reason = ended.event("ended").map(|event| event["reason"].clone());
            reasons.push(reason);
            let seen = Statistics::read(&statistics)?;
            let freezes = seen.number("/video/in/freezeCount")?;
            ensure!(freezes == 0.0, "{freezes} freezes: {}", seen.summary);
            let usual = seen.usually_decoded_per_second()?;
            let mean = seen.decoded_per_second()?;
            ensure!(mean > 0.9 * usual, "{mean} of {usual} frames a second");
        }
        let expected = ["hungUp", "remoteHungUp"].map(|reason| Some(reason.into()));
        ensure!(reasons == expected, "it ended with {reasons:?}");
        Ok(())
    }
}

/// A server that keeps what is its own in this folder below that of the test.
fn settings(folder: &Path, name: &str, arguments: &[&str]) -> Settings {
    let mut settings = Settings::plain(&folder.join(name));
    let arguments = [&["--open-registration"], arguments].concat();
    settings.arguments = arguments.into_iter().map(str::to_owned).collect();
    settings
}
