//! How `vireo-server doctor` asks a running server how it is: the server leaves an address of this computer's and a secret in
//! its data directory, where nobody else can read, and tries itself out for whoever brings the secret.

use std::io;
use std::net::{Ipv4Addr, SocketAddr};
use std::path::Path;
use std::time::Duration;

use serde::{Deserialize, Serialize};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::time::{sleep, timeout};

use crate::private_file::write_private;
use crate::secrets::{new_token, token_hash};
use crate::self_test::Report;
use crate::serve::Running;

const FILE: &str = "running.json";

/// Whoever asks brings the secret at once.
const ASK_TIMEOUT: Duration = Duration::from_secs(2);

/// From its start until it answers here a server takes less than that, on a slow computer too.
const START_TIMEOUT: Duration = Duration::from_secs(5);

/// After so long it is looked whether the server says where it is.
const LOOK_AGAIN: Duration = Duration::from_millis(50);

/// A self-test takes no longer, however silent the router is.
const ANSWER_TIMEOUT: Duration = Duration::from_secs(20);

/// Far longer than any report.
const LONGEST_REPORT: u64 = 64 * 1024;

#[derive(Serialize, Deserialize)]
struct Whereabouts {
    address: SocketAddr,
    secret: String,
}

/// Answers whoever asks, for as long as it is polled. Where that is stands in the data directory until then.
///
/// # Errors
/// When there is no port, or the file cannot be written.
pub async fn answer(server: &Running, data: &Path) -> io::Result<()> {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await?;
    let whereabouts = Whereabouts {
        address: listener.local_addr()?,
        secret: new_token(),
    };
    let file = data.join(FILE);
    let json = serde_json::to_vec(&whereabouts).expect("plain data");
    write_private(&file, &json)?;
    let _withdrawn = Withdrawn(&file);
    loop {
        let (stream, _) = listener.accept().await?;
        // Whoever goes away early has asked in vain.
        let _ = consult(stream, server, &whereabouts.secret).await;
    }
}

/// Removes the file when the server is no longer there.
struct Withdrawn<'a>(&'a Path);

impl Drop for Withdrawn<'_> {
    fn drop(&mut self) {
        let _ = std::fs::remove_file(self.0);
    }
}

async fn consult(mut stream: TcpStream, server: &Running, secret: &str) -> io::Result<()> {
    let mut brought = vec![0; secret.len()];
    timeout(ASK_TIMEOUT, stream.read_exact(&mut brought)).await??;
    if token_hash(&String::from_utf8_lossy(&brought)) != token_hash(secret) {
        return Ok(());
    }
    let report = serde_json::to_vec(&server.self_test().await).expect("plain data");
    stream.write_all(&report).await?;
    stream.shutdown().await
}

/// Asks the server that keeps its data here. Nothing when it does not answer.
pub async fn ask(data: &Path) -> Option<Report> {
    let asked = async {
        let (mut stream, secret) = timeout(START_TIMEOUT, find(data)).await.ok()?;
        stream.write_all(secret.as_bytes()).await.ok()?;
        let mut report = Vec::new();
        let mut answer = stream.take(LONGEST_REPORT);
        answer.read_to_end(&mut report).await.ok()?;
        serde_json::from_slice(&report).ok()
    };
    timeout(ANSWER_TIMEOUT, asked).await.ok()?
}

/// The server that says in its data where it is. One that has only just been started has not said so yet; what one has left
/// behind that was killed leads nowhere.
async fn find(data: &Path) -> (TcpStream, String) {
    loop {
        if let Some(Whereabouts { address, secret }) = read(data)
            && let Ok(stream) = TcpStream::connect(address).await
        {
            return (stream, secret);
        }
        sleep(LOOK_AGAIN).await;
    }
}

fn read(data: &Path) -> Option<Whereabouts> {
    let json = std::fs::read(data.join(FILE)).ok()?;
    serde_json::from_slice(&json).ok()
}
