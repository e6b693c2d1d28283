//! PostgreSQL does not run as root. Where the tests do, it gets another user of the system.

use std::os::unix::fs::MetadataExt;
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::Command;

use anyhow::{Context, ensure};

/// Who runs the service; nothing: whoever runs the tests.
#[derive(Debug, Clone, Copy)]
pub struct User(Option<(u32, u32)>);

impl User {
    /// The owner of this folder, or the user that PostgreSQL's package makes (else "nobody") where root is.
    pub fn for_folder(folder: &Path) -> anyhow::Result<Self> {
        if std::fs::metadata(folder)?.uid() != 0 {
            return Ok(Self(None));
        }
        let users = std::fs::read_to_string("/etc/passwd")?;
        let ids = ["postgres", "nobody"]
            .iter()
            .find_map(|name| ids_of(&users, name));
        let ids = ids.context("there is no user that PostgreSQL could run as")?;
        Ok(Self(Some(ids)))
    }

    /// A program as this user.
    pub fn command(self, program: &Path) -> Command {
        let mut command = Command::new(program);
        if let Self(Some((user, group))) = self {
            command.uid(user).gid(group);
        }
        command
    }

    /// Gives the user a folder with all that is in it.
    pub fn give(self, folder: &Path) -> anyhow::Result<()> {
        let Self(Some((user, group))) = self else {
            return Ok(());
        };
        let mut command = Command::new("chown");
        command.arg("-R").arg(format!("{user}:{group}")).arg(folder);
        ensure!(command.status()?.success(), "chown failed");
        Ok(())
    }
}

fn ids_of(users: &str, name: &str) -> Option<(u32, u32)> {
    let line = users
        .lines()
        .find(|line| line.split(':').next() == Some(name))?;
    let mut numbers = line.split(':').skip(2).map(str::parse);
    Some((numbers.next()?.ok()?, numbers.next()?.ok()?))
}
