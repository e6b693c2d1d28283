//! People who register, sign in and add each other while servers fail, and what was confirmed to them.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use anyhow::{Context as _, Result, ensure};
use tokio::task::JoinSet;
use tokio::time::{sleep, timeout};
use vireo_call::NoMedia;
use vireo_client::{Client, ClientError, ClientOptions, Session};
use vireo_protocol::{Credentials, Registration};
use vireo_signalling::people;

use crate::PATIENCE;

const PASSWORD: &str = "a secret of many words";

/// Longer than a server that works takes for one thing.
const ATTEMPT: Duration = Duration::from_secs(3);

/// What the server has confirmed to people.
#[derive(Debug, Default)]
struct Confirmed {
    /// Names that were registered.
    accounts: Vec<String>,
    /// Who has added whom.
    contacts: Vec<(String, String)>,
    /// Those that they have, each with a token that has never been used.
    sessions: Vec<Session>,
}

/// People who go on writing until they are asked to stop.
pub struct Writers {
    stop: Arc<AtomicBool>,
    workers: JoinSet<Confirmed>,
}

impl Writers {
    /// Begins, at this server.
    pub fn start(url: &str) -> Self {
        let stop = Arc::new(AtomicBool::new(false));
        let mut workers = JoinSet::new();
        for worker in 0..4 {
            let worker = format!("{:08x}-{worker}", rand::random::<u32>());
            workers.spawn(write(url.to_owned(), worker, stop.clone()));
        }
        Self { stop, workers }
    }

    /// Stops. All that was confirmed has to be in the database.
    pub async fn all_is_kept(self, database: &str) -> Result<()> {
        self.stop.store(true, Ordering::Relaxed);
        let confirmed = timeout(PATIENCE, self.workers.join_all()).await?;
        let (names, added) = people::known(database).await?;
        let mut count = 0;
        for Confirmed {
            accounts, contacts, ..
        } in &confirmed
        {
            count += accounts.len() + contacts.len();
            let lost = accounts.iter().find(|name| !names.contains(*name));
            ensure!(lost.is_none(), "{lost:?} was registered and is lost");
            let lost = contacts.iter().find(|pair| !added.contains(*pair));
            ensure!(lost.is_none(), "{lost:?} was added and is lost");
        }
        for session in confirmed.iter().flat_map(|worker| &worker.sessions) {
            stands(session).await?;
        }
        ensure!(count > 20, "too little to tell: {confirmed:?}");
        Ok(())
    }
}

/// People register one after the other, and each adds the one before. What fails, since the server is away, is tried with
/// the next name.
async fn write(url: String, worker: String, stop: Arc<AtomicBool>) -> Confirmed {
    let mut confirmed = Confirmed::default();
    for number in 0.. {
        if stop.load(Ordering::Relaxed) {
            break;
        }
        let name = format!("{worker} {number}");
        let registration = Registration {
            name: name.clone(),
            password: PASSWORD.to_owned(),
            invite: None,
            device: "test".to_owned(),
        };
        let registered = timeout(ATTEMPT, Client::register(&url, registration));
        let Ok(Ok(session)) = registered.await else {
            sleep(Duration::from_millis(20)).await;
            continue;
        };
        if let Some(friend) = confirmed.accounts.last() {
            let client = Client::connect(session, Arc::new(NoMedia), ClientOptions::default());
            let added = async {
                client.ready().await?;
                client.add_contact(friend).await
            };
            if let Ok(Ok(_)) = timeout(ATTEMPT, added).await {
                confirmed.contacts.push((name.clone(), friend.clone()));
            }
        }
        let credentials = Credentials {
            name: name.clone(),
            password: PASSWORD.to_owned(),
            device: "another one".to_owned(),
        };
        let signed_in = timeout(ATTEMPT, Client::sign_in(&url, credentials)).await;
        confirmed
            .sessions
            .extend(signed_in.ok().and_then(Result::ok));
        confirmed.accounts.push(name);
    }
    confirmed
}

/// A session that was begun is good for more.
async fn stands(session: &Session) -> Result<()> {
    let renewed = async {
        loop {
            match session.renew().await {
                // What was to be away may still be.
                Err(ClientError::ServerUnreachable) => sleep(Duration::from_millis(100)).await,
                renewed => return renewed,
            }
        }
    };
    let renewed = timeout(PATIENCE, renewed).await?;
    renewed.context("a session was begun and is lost")
}
