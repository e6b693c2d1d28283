//! One address in front of several servers, as a company has: a connection goes to the next server that takes it.

use std::net::SocketAddr;
use std::sync::atomic::{AtomicUsize, Ordering};

use anyhow::Result;
use tokio::io::copy_bidirectional;
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinSet;

/// The balancer's address. Its connections end when it is dropped.
#[derive(Debug)]
pub struct Balancer {
    /// `http://127.0.0.1:PORT`.
    pub url: String,
    _task: JoinSet<()>,
}

impl Balancer {
    /// Listens, for servers at these addresses (`http://…`).
    ///
    /// # Errors
    /// When there is no free port, or an address is none.
    pub async fn start<'a>(servers: impl Iterator<Item = &'a str>) -> Result<Self> {
        let servers = servers
            .map(|url| Ok(url.trim_start_matches("http://").parse()?))
            .collect::<Result<Vec<SocketAddr>>>()?;
        let listener = TcpListener::bind("127.0.0.1:0").await?;
        let url = format!("http://{}", listener.local_addr()?);
        let mut task = JoinSet::new();
        task.spawn(accept(listener, servers));
        Ok(Self { url, _task: task })
    }
}

async fn accept(listener: TcpListener, servers: Vec<SocketAddr>) {
    let next = AtomicUsize::new(0);
    let mut connections = JoinSet::new();
    while let Ok((mut client, _)) = listener.accept().await {
        let first = next.fetch_add(1, Ordering::Relaxed);
        let mut servers = servers.clone();
        let count = servers.len();
        servers.rotate_left(first % count);
        connections.spawn(async move {
            for server in servers {
                if let Ok(mut server) = TcpStream::connect(server).await {
                    let _ = client.set_nodelay(true);
                    let _ = server.set_nodelay(true);
                    let _ = copy_bidirectional(&mut client, &mut server).await;
                    return;
                }
            }
        });
    }
}
