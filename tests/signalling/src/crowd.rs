//! People who are connected and do nothing but answer pings.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use anyhow::{Context as _, Result};
use futures_util::StreamExt as _;
use futures_util::stream::{FuturesUnordered, TryStreamExt as _};
use tokio::sync::Semaphore;
use tokio::task::JoinSet;

use crate::connection::{Socket, Target};
use crate::people::Person;

/// So many connect at the same time.
const AT_ONCE: usize = 64;

/// Connected people. They leave when this is dropped.
#[derive(Debug, Default)]
pub struct Crowd {
    tasks: JoinSet<()>,
    lost: Arc<AtomicUsize>,
}

impl Crowd {
    /// Connects these people, each with an address of their own beginning with that number.
    ///
    /// # Errors
    /// When one of them cannot connect.
    pub async fn join(&mut self, target: &Target, people: &[Person], first: usize) -> Result<()> {
        let doors = Semaphore::new(AT_ONCE);
        let connecting: FuturesUnordered<_> = people
            .iter()
            .zip(first..)
            .map(async |(person, number)| {
                let _door = doors.acquire().await?;
                let connected = target.connect(&person.token(), number).await;
                connected.with_context(|| format!("connection {}", number + 1))
            })
            .collect();
        connecting
            .try_for_each(|socket| {
                let lost = self.lost.clone();
                self.tasks.spawn(stay(socket, lost));
                std::future::ready(Ok(()))
            })
            .await
    }

    /// How many are connected.
    #[must_use]
    pub fn connected(&self) -> usize {
        self.tasks.len() - self.lost()
    }

    /// How many have lost their connection.
    #[must_use]
    pub fn lost(&self) -> usize {
        self.lost.load(Ordering::Relaxed)
    }
}

/// Reads, which answers pings, until the connection ends.
async fn stay(mut socket: Socket, lost: Arc<AtomicUsize>) {
    while let Some(Ok(_)) = socket.next().await {}
    lost.fetch_add(1, Ordering::Relaxed);
}
