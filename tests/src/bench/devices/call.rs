//! A call of sound between two `vireo-cli`, each on a sound system of its own.

use anyhow::{Context as _, Result, ensure};

use crate::binaries::binary;
use crate::cli::Cli;
use crate::network::{Computer, Network};
use crate::pulse::Pulse;
use crate::server::{Account, Server};

/// Ann has called Bob, and they are connected.
pub struct Call {
    /// The sound of Ann's computer.
    pub ann: Pulse,
    /// The sound of Bob's computer.
    pub bob: Pulse,
    sides: [Cli; 2],
    _server: Server,
}

impl Call {
    /// On this computer.
    pub async fn start() -> Result<Self> {
        Self::between(Server::start(&[]).await?, None).await
    }

    /// Between two homes.
    pub async fn start_in(network: &Network, homes: &[Computer; 2]) -> Result<Self> {
        Self::between(Server::start_in(network, &[]).await?, Some(homes)).await
    }

    async fn between(server: Server, homes: Option<&[Computer; 2]>) -> Result<Self> {
        let [ann_home, bob_home] = [0, 1].map(|side| homes.map(|homes| &homes[side]));
        let (ann_account, bob_account) = server.two_contacts().await?;
        let (ann, bob) = (Pulse::start()?, Pulse::start()?);
        let mut callee = start(&server, bob_home, &bob, &bob_account, &["answer", "--once"])?;
        callee.event("ready").await?;
        let mut caller = start(&server, ann_home, &ann, &ann_account, &["call", "Bob"])?;
        caller.event("connected").await?;
        Ok(Self {
            ann,
            bob,
            sides: [caller, callee],
            _server: server,
        })
    }

    /// Hangs up.
    pub async fn end(self) -> Result<()> {
        self.sides[0].interrupt().await?;
        for side in self.sides {
            let ended = side.end().await?;
            ensure!(ended.status == 0, "a side ended badly: {}", ended.stderr);
        }
        Ok(())
    }
}

fn start(
    server: &Server,
    home: Option<&Computer>,
    pulse: &Pulse,
    account: &Account,
    call: &[&str],
) -> Result<Cli> {
    let program = binary("vireo-cli").context("the call needs it")?;
    let mut command = match home {
        Some(home) => home.command(program),
        None => std::process::Command::new(program),
    };
    command.envs(pulse.environment());
    let arguments: Vec<&str> = call
        .iter()
        .copied()
        .chain(["--camera=none", "--microphone=device", "--speaker=device"])
        .collect();
    Cli::start_with(command.into(), &server.url, account, &arguments)
}
