//! The server inside the application, for people who host on this computer, and the Echo test inside the server.

use std::{
    net::{Ipv4Addr, Ipv6Addr, SocketAddr},
    time::Duration,
};

use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;
use vireo_client::paths::{Hosting, Profile};
use vireo_echo::Credentials;
use vireo_protocol::{Fingerprint, InviteLink, UserId};
use vireo_server::{
    Config, DEFAULT_PORT, DEFAULT_RELAY_PORT, HomeRouter, InviteError, Opening, RelayConfig,
    Running, Server, StartError,
};

use crate::failure::Failure;

/// Where the server listens for people elsewhere when its port is taken: one of so many after it.
const PORTS: u16 = 10;

/// A server that only this computer can reach, until it is opened.
pub struct EmbeddedServer {
    running: Running,
    echo: JoinHandle<()>,
    cancel: CancellationToken,
    profile: Profile,
}

impl EmbeddedServer {
    /// Starts server and Echo test, and says in the profile where they are. The server is called by this name.
    ///
    /// # Errors
    /// When another one works on the same files, or these or the network cannot be used.
    pub async fn start(profile: &Profile, name: &str) -> Result<Self, Failure> {
        let mut config = Config::new(profile.server_data());
        config.name = name.to_owned();
        // Nobody but this computer's users reaches it.
        config.open_registration = true;
        config.listen = vec![SocketAddr::from((Ipv4Addr::LOCALHOST, 0))];
        let running = Server::start(config).await?;
        let url = running.url().to_owned();
        let token = running.service_token().await.map_err(Failure::other)?;
        let cancel = CancellationToken::new();
        let stop = cancel.clone();
        let credentials = Credentials {
            url: url.clone(),
            token,
        };
        let echo = tokio::spawn(async move {
            if let Err(error) = vireo_echo::run(credentials, stop).await {
                tracing::error!(%error, "the Echo test has stopped");
            }
        });
        profile.publish_embedded_server(&url)?;
        Ok(Self {
            running,
            echo,
            cancel,
            profile: profile.clone(),
        })
    }

    /// The server's address.
    #[must_use]
    pub fn url(&self) -> &str {
        self.running.url()
    }

    /// By what people elsewhere know the server; nothing before it was opened.
    #[must_use]
    pub fn fingerprint(&self) -> Option<Fingerprint> {
        self.running.fingerprint()
    }

    /// Lets people elsewhere reach the server, encrypted, at the port that they know it by where that is free. Returns the
    /// port.
    ///
    /// # Errors
    /// When no port is free, or the certificate cannot be made.
    pub async fn open(&self, hosting: &Hosting) -> Result<u16, StartError> {
        let known = hosting.port.into_iter();
        let mut ports = known.chain(DEFAULT_PORT..DEFAULT_PORT + PORTS);
        let mut relay_port = DEFAULT_RELAY_PORT;
        let mut port = ports.next().unwrap_or(DEFAULT_PORT);
        loop {
            let opening = opening(port, relay_port, hosting.ask_router);
            match (self.running.open(opening).await, relay_port) {
                (Ok(()), _) => return Ok(port),
                (Err(StartError::Relay(_)), DEFAULT_RELAY_PORT) => relay_port = 0,
                (Err(StartError::Listen { address, error }), _) => match ports.next() {
                    Some(next) => port = next,
                    None => return Err(StartError::Listen { address, error }),
                },
                (Err(error), _) => return Err(error),
            }
        }
    }

    /// A link by which so many people can join this one, for so long.
    ///
    /// # Errors
    /// When the database fails, or the person has too many invitations already.
    pub async fn invite(
        &self,
        inviter: &UserId,
        people: u32,
        lasts: Duration,
    ) -> Result<InviteLink, InviteError> {
        self.running.invite(inviter, people, lasts).await
    }

    /// Stops both.
    pub async fn stop(self) {
        if let Err(error) = self.profile.withdraw_embedded_server() {
            tracing::warn!(%error, "the embedded server's address is left behind");
        }
        self.cancel.cancel();
        if let Err(error) = self.echo.await {
            tracing::warn!(%error, "the Echo test ended badly");
        }
        self.running.shutdown().await;
    }
}

fn opening(port: u16, relay_port: u16, ask_router: bool) -> Opening {
    let everywhere = Ipv6Addr::UNSPECIFIED;
    Opening {
        listen: (everywhere, port).into(),
        relay: Some(RelayConfig::new(everywhere.into(), relay_port)),
        home_router: match ask_router {
            true => HomeRouter::Ask,
            false => HomeRouter::Leave,
        },
    }
}
