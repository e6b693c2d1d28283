//! How people elsewhere come to reach a server: by what it listens on beyond this computer, and by what a home router passes
//! on to it.

use std::net::SocketAddr;
use std::time::Duration;

use tokio::time::timeout;
use vireo_protocol::{InviteLink, UserId};

use super::Running;
use crate::front::{PublicAddress, is_of_the_internet};
use crate::ice::TurnSecret;
use crate::relay::{Relay, RelayConfig};
use crate::router_ports::{HomeRouter, Opened, Port, PortKind};
use crate::secrets::{new_token, token_hash};
use crate::start_error::StartError;
use crate::state::AppState;
use crate::store::{InviteError, StoreError};

/// An invitation waits so long for the router, so that its link leads here from anywhere.
const ROUTER_PATIENCE: Duration = Duration::from_secs(3);

/// What else a server that runs shall do, so that people elsewhere reach it.
#[derive(Debug, Clone)]
pub struct Opening {
    /// The address to listen on; it is encrypted unless it is of this computer only.
    pub listen: SocketAddr,
    /// The STUN and TURN server inside this one, where none runs yet.
    pub relay: Option<RelayConfig>,
    /// Whether to ask a home router to open the ports.
    pub home_router: HomeRouter,
}

impl Running {
    /// Lets people elsewhere reach a server that was for this computer only; for an account they need an invite. Clients that
    /// are connected stay so; those that connect from now on are told of the relay.
    ///
    /// # Errors
    /// [`StartError::Listen`] when the address is taken or not ours, [`StartError::Certificate`], [`StartError::Relay`], and
    /// when the database fails.
    pub async fn open(&self, opening: Opening) -> Result<(), StartError> {
        let Opening {
            listen,
            relay,
            home_router,
        } = opening;
        let place = self.state.ice.relay.as_ref();
        let relay = match relay.filter(|_| place.get().is_none()) {
            Some(config) => {
                let secret = TurnSecret::stored(&self.state.store).await;
                Some(Relay::start(config, secret.map_err(StartError::Database)?)?)
            }
            None => None,
        };
        // First: what was open to everybody on this computer is not meant for everybody.
        self.state.open();
        self.front.add(listen)?;
        if let Some(relay) = relay {
            // Whoever opens the server twice at once has one that listens, and the other is dropped.
            let _ = place.set(relay);
        }
        self.note_address().await.map_err(StartError::Database)?;
        self.ask_router(home_router);
        Ok(())
    }

    /// A link by which so many people can join this one on the server, for so long. Where a router has only just been asked
    /// for its ports, it is waited for a moment.
    ///
    /// # Errors
    /// When the database fails, or the person has too many invites already.
    pub async fn invite(
        &self,
        inviter: &UserId,
        people: u32,
        lasts: Duration,
    ) -> Result<InviteLink, InviteError> {
        let token = new_token();
        let hash = token_hash(&token);
        let store = &self.state.store;
        store.create_invite(inviter, &hash, people, lasts).await?;
        Ok(self.link(token).await)
    }

    /// The link of the invite with this token. Where a router has only just been asked for its ports, it is waited for a
    /// moment.
    pub async fn link(&self, token: String) -> InviteLink {
        let _ = timeout(
            ROUTER_PATIENCE,
            self.state.router_ports.answered(PortKind::Tcp),
        )
        .await;
        InviteLink {
            server: self.public_address(),
            token,
        }
    }

    /// The address of the internet from which a router passes people on to this server.
    pub(super) fn outside(&self) -> Option<SocketAddr> {
        usable(self.state.router_ports.opened(PortKind::Tcp))
    }

    /// Asks a home router for the ports that others reach the server and its relay by. Those of relayed addresses need none:
    /// what goes from one to another never leaves the relay.
    pub(super) fn ask_router(&self, home_router: HomeRouter) {
        let places = self.front.on_the_network();
        let Some(best) = places.first() else {
            return;
        };
        let router = match home_router {
            HomeRouter::Leave => return,
            HomeRouter::Ask if places.iter().any(|it| is_of_the_internet(it.address.ip())) => {
                return;
            }
            HomeRouter::Ask => None,
            HomeRouter::AskAt(router) => Some(router),
        };
        let tcp = (PortKind::Tcp, best.address.port());
        let relay = self.state.ice.relay.get();
        let relay = relay.and_then(|relay| relay.listening().first());
        let udp = relay.map(|relay| (PortKind::Udp, relay.port()));
        for (kind, number) in [Some(tcp), udp].into_iter().flatten() {
            self.state
                .router_ports
                .ask_for(Port { kind, number }, router);
        }
        self.follow_router();
    }

    /// Writes down where people elsewhere find the server, for the links of invitations that are made here, and for programs
    /// that make some without asking it.
    pub(super) async fn note_address(&self) -> Result<(), StoreError> {
        note(&self.state, self.front.public_address(self.outside())).await
    }

    /// Does so each time the router says something else.
    fn follow_router(&self) {
        let Some(mut opened) = self.state.router_ports.watch(PortKind::Tcp) else {
            return;
        };
        let (front, state) = (self.front.clone(), self.state.clone());
        tokio::spawn(async move {
            let stopping = state.stopping.clone();
            while let Some(Ok(())) = stopping.run_until_cancelled(opened.changed()).await {
                let outside = usable(*opened.borrow());
                if let Err(error) = note(&state, front.public_address(outside)).await {
                    tracing::debug!(%error, "the database does not know where the server is");
                }
            }
        });
    }
}

async fn note(state: &AppState, address: PublicAddress) -> Result<(), StoreError> {
    let written = address.server.to_string();
    state.set_found_at(address);
    state.store.set_address(&written).await
}

/// An address that everybody can reach; behind two routers, or a provider's, the nearer one's is none.
fn usable(opened: Opened) -> Option<SocketAddr> {
    let outside = opened.outside();
    outside.filter(|outside| is_of_the_internet(outside.ip()))
}
