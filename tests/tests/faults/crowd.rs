//! Many clients in this process, as the desktop's are but without media.

use std::sync::{Arc, OnceLock};
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, ensure};
use tokio::task::JoinSet;
use tokio::time::timeout;
use vireo_call::NoMedia;
use vireo_client::{Client, ClientOptions, ConnectionState, Session};
use vireo_protocol::{SignedIn, User, UserId};
use vireo_signalling::people::Person;

use crate::{FAULT, PATIENCE};

/// Clients that have been connected.
pub struct Crowd {
    clients: Vec<Client>,
}

impl Crowd {
    /// Connects these people to these servers in turns, and waits until all of them are.
    pub async fn connect(urls: &[&str], people: &[Person]) -> Result<Self> {
        let connect = |(person, url): (&Person, &&str)| {
            let session = session(url, person);
            Client::connect(session, Arc::new(NoMedia), ClientOptions::default())
        };
        let clients = people
            .iter()
            .zip(urls.iter().cycle())
            .map(connect)
            .collect();
        let crowd = Self { clients };
        crowd.times_until_online(Instant::now()).await?;
        Ok(crowd)
    }

    /// Waits until everybody has noticed that the server is gone.
    pub async fn until_gone(&self) -> Result<()> {
        for client in &self.clients {
            let mut view = client.view();
            let gone = view.wait_for(|view| view.connection == ConnectionState::Unreachable);
            timeout(PATIENCE, gone)
                .await
                .context("a client has not noticed that the server is gone")??;
        }
        Ok(())
    }

    /// Kills a server by `kill`. How long it takes from then on until each whose connection is lost has another one.
    pub async fn times_until_moved(
        &self,
        kill: impl AsyncFnOnce() -> Result<()>,
    ) -> Result<Vec<Duration>> {
        let mut waiting = JoinSet::new();
        let killed = Arc::new(OnceLock::new());
        for client in &self.clients {
            let mut view = client.view();
            let killed = killed.clone();
            waiting.spawn(async move {
                let gone = view.wait_for(|view| view.connection == ConnectionState::Unreachable);
                if timeout(FAULT, gone).await.is_err() {
                    return Ok(None); // This one was at another server.
                }
                let back = view.wait_for(|view| view.connection == ConnectionState::Online);
                timeout(PATIENCE, back).await??;
                anyhow::Ok(killed.get().map(Instant::elapsed))
            });
        }
        // Set before anybody can be back.
        let _ = killed.set(Instant::now());
        kill().await?;
        let times: Vec<_> = waiting
            .join_all()
            .await
            .into_iter()
            .collect::<Result<_>>()?;
        Ok(times.into_iter().flatten().collect())
    }

    /// How long it takes from then on until each is connected.
    pub async fn times_until_online(&self, since: Instant) -> Result<Vec<Duration>> {
        let mut waiting = JoinSet::new();
        for client in &self.clients {
            let mut view = client.view();
            waiting.spawn(async move {
                let becomes = view.wait_for(|view| view.connection == ConnectionState::Online);
                timeout(PATIENCE, becomes).await??;
                anyhow::Ok(since.elapsed())
            });
        }
        waiting.join_all().await.into_iter().collect()
    }

    /// How long it takes from then on until each has an answer to a question that only the server can answer.
    pub async fn times_until_answered(&self, since: Instant) -> Result<Vec<Duration>> {
        let mut waiting = JoinSet::new();
        for client in &self.clients {
            let client = client.clone();
            waiting.spawn(async move {
                let contact = client.view().borrow().contacts[0].name.clone();
                // Whoever is a contact already stays one.
                timeout(PATIENCE, client.add_contact(&contact)).await??;
                anyhow::Ok(since.elapsed())
            });
        }
        waiting.join_all().await.into_iter().collect()
    }
}

fn session(url: &str, person: &Person) -> Session {
    let answer = SignedIn {
        access_token: person.token(),
        // Good for ten minutes, so that nobody asks for the next one.
        refresh_token: String::new(),
        expires_in_seconds: 600,
        user: User {
            id: UserId(person.id.clone()),
            name: person.name.clone(),
        },
    };
    Session::new(url, answer)
}

/// So soon 99 of 100 are to be back. Without optimisations server and clients, on the same few processors, need longer for
/// the same; `cargo xtask bench return` measures with them.
const IN_TIME: Duration = match cfg!(debug_assertions) {
    true => Duration::from_secs(3),
    false => Duration::from_secs(1),
};

/// The 99th percentile is.
pub fn back_in_time(when: &str, mut times: Vec<Duration>) -> Result<()> {
    times.sort();
    let (p50, p99) = (times[times.len() / 2], times[times.len() * 99 / 100]);
    #[allow(
        clippy::print_stdout,
        reason = "shown beside the test when it fails, and by the bench"
    )]
    {
        println!("{when}: p50 {p50:.2?}, p99 {p99:.2?}");
    }
    ensure!(p99 < IN_TIME, "{when}: p99 {p99:.2?}");
    Ok(())
}
