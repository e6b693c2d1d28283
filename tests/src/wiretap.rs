//! A way to a server on which everything is written down that it says to its clients.

use std::net::SocketAddr;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use anyhow::{Result, ensure};
use tokio::io::{AsyncReadExt, AsyncWriteExt, copy};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinSet;
use tokio::time::{Instant, sleep};

const PATIENCE: Duration = Duration::from_secs(20);

type Heard = Arc<Mutex<Vec<u8>>>;

/// The address at which the server is overheard. Its connections end when it is dropped.
#[derive(Debug)]
pub struct Wiretap {
    /// `http://127.0.0.1:PORT`.
    pub url: String,
    heard: Heard,
    _task: JoinSet<()>,
}

impl Wiretap {
    /// Listens, for the server at this address (`http://…`).
    ///
    /// # Errors
    /// When there is no free port, or the address is none.
    pub async fn start(server: &str) -> Result<Self> {
        let server = server.trim_start_matches("http://").parse()?;
        let listener = TcpListener::bind("127.0.0.1:0").await?;
        let url = format!("http://{}", listener.local_addr()?);
        let heard = Heard::default();
        let mut task = JoinSet::new();
        task.spawn(accept(listener, server, heard.clone()));
        Ok(Self {
            url,
            heard,
            _task: task,
        })
    }

    /// All that the server has said so far.
    #[must_use]
    pub fn heard(&self) -> String {
        let heard = self.heard.lock().unwrap_or_else(PoisonError::into_inner);
        String::from_utf8_lossy(&heard).into_owned()
    }

    /// Waits until the server says this.
    ///
    /// # Errors
    /// When it does not.
    pub async fn hears(&self, words: &str) -> Result<()> {
        let started = Instant::now();
        while !self.heard().contains(words) {
            ensure!(
                started.elapsed() < PATIENCE,
                "{words} is not in {}",
                self.heard()
            );
            sleep(Duration::from_millis(50)).await;
        }
        Ok(())
    }
}

async fn accept(listener: TcpListener, server: SocketAddr, heard: Heard) {
    let mut connections = JoinSet::new();
    while let Ok((client, _)) = listener.accept().await {
        let heard = heard.clone();
        connections.spawn(async move {
            // Either side may hang up at any time.
            let _ = pass_on(client, server, &heard).await;
        });
    }
}

async fn pass_on(mut client: TcpStream, server: SocketAddr, heard: &Heard) -> std::io::Result<()> {
    let mut server = TcpStream::connect(server).await?;
    let (mut from_client, mut to_client) = client.split();
    let (mut from_server, mut to_server) = server.split();
    let overhear = async {
        let mut buffer = vec![0; 16_384];
        loop {
            let count = from_server.read(&mut buffer).await?;
            if count == 0 {
                return to_client.shutdown().await;
            }
            heard
                .lock()
                .unwrap_or_else(PoisonError::into_inner)
                .extend_from_slice(&buffer[..count]);
            to_client.write_all(&buffer[..count]).await?;
        }
    };
    let ask = async {
        copy(&mut from_client, &mut to_server).await?;
        to_server.shutdown().await
    };
    tokio::try_join!(overhear, ask).map(drop)
}
