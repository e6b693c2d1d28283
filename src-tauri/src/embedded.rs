//! The server inside the application, for people who host on this computer, and the Echo test inside the server.

use std::net::{Ipv4Addr, SocketAddr};

use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;
use vireo_client::paths::Profile;
use vireo_echo::Credentials;
use vireo_server::{Config, Running, Server};

use crate::failure::Failure;

/// A server that only this computer can reach.
pub struct EmbeddedServer {
    running: Running,
    echo: JoinHandle<()>,
    cancel: CancellationToken,
    profile: Profile,
}

impl EmbeddedServer {
    /// Starts server and Echo test, and says in the profile where they are.
    ///
    /// # Errors
    /// When another one works on the same files, or these or the network cannot be used.
    pub async fn start(profile: &Profile) -> Result<Self, Failure> {
        let mut config = Config::new(profile.server_data());
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
