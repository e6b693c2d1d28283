//! Orders from this computer to the application that runs on a profile, such as a macro key's to mute: one local socket for
//! each profile, open to its user alone. Both ends are here, so that the desktop and `vireo-cli ctl` cannot disagree.
//!
//! A connection carries one [`Order`] and one [`Answer`], each a line of JSON.

#[cfg(unix)]
#[path = "unix.rs"]
mod local;
#[cfg(windows)]
#[path = "windows.rs"]
mod local;
mod obey;
#[cfg(test)]
mod tests;

use std::{io, time::Duration};

use serde::{Deserialize, Serialize, de::DeserializeOwned};
use sha2::{Digest, Sha256};
use tokio::{
    io::{AsyncBufReadExt, AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt, BufReader},
    time::timeout,
};

use crate::paths::Profile;

/// Longer than any order or answer.
const LONGEST_LINE: u64 = 4096;

/// How long one side waits for what the other has to say.
const PATIENCE: Duration = Duration::from_secs(5);

/// What can be asked of the running application.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Order {
    /// Mute the microphone.
    Mute,
    /// Let the microphone be heard.
    Unmute,
    /// Whichever of the two it is not.
    ToggleMute,
    /// Hang up, cancel or decline, whatever fits.
    HangUp,
    /// Accept the call that rings, with the camera off.
    Answer,
}

/// The call after an order was carried out.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct CallState {
    /// How far the call has come, as [`Phase::name`](vireo_call::Phase::name) has it.
    pub phase: String,
    /// Whether the microphone is on.
    pub microphone: bool,
    /// Whether the camera is on.
    pub camera: bool,
}

/// Why an order was not carried out.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, thiserror::Error)]
#[serde(rename_all = "kebab-case")]
pub enum Refusal {
    /// There is no call that this could be done to.
    #[error("There is no call at the moment.")]
    NoCall,
    /// Nobody calls.
    #[error("Nobody calls at the moment.")]
    NothingRings,
    /// It was tried, and has not come about.
    #[error("It did not work. Look at Vireo's window, which says why.")]
    NotDone,
    /// Whoever gives it is somebody else on this computer.
    #[error(
        "The running Vireo belongs to somebody else on this computer and takes no orders from you."
    )]
    NotYours,
    /// The order is not known to this version.
    #[error(
        "The running Vireo does not know this order. Close it and open it again: it is of another version."
    )]
    UnknownOrder,
}

/// What came of an order.
pub type Answer = Result<CallState, Refusal>;

/// Why an order did not get to an application.
#[derive(Debug, thiserror::Error)]
pub enum Unheard {
    /// No application runs on the profile.
    #[error("No Vireo is running for this profile. Open Vireo first.")]
    NotRunning,
    /// The system lets nobody else near the application of its user.
    #[error("{}", Refusal::NotYours)]
    NotYours,
    /// The system did not carry the order there, or the answer back.
    #[error(
        "The running Vireo does not answer ({0}). Try again, or close Vireo and open it again."
    )]
    Broken(io::Error),
}

/// Where an application takes its orders from. Nobody can reach it any more when this is dropped.
pub struct Control(local::Listener);

impl Control {
    /// Listens for orders to the application that works on this profile. Needs a tokio runtime.
    ///
    /// # Errors
    /// When another one listens already, or the system gives no socket.
    pub fn listen(profile: &Profile) -> io::Result<Self> {
        local::Listener::bind(&profile_name(profile), profile.directory()).map(Self)
    }

    /// Takes orders, one after the other, for as long as it is polled. Whoever stands there and says nothing holds nobody
    /// up for long.
    pub async fn serve(mut self, mut carry_out: impl AsyncFnMut(Order) -> Answer) {
        loop {
            match self.0.accept().await {
                Ok((mut connection, is_owner)) => {
                    let Ok(Ok(order)) = timeout(PATIENCE, hear(&mut connection)).await else {
                        continue;
                    };
                    let answer = match order {
                        _ if !is_owner => Err(Refusal::NotYours),
                        Some(order) => carry_out(order).await,
                        None => Err(Refusal::UnknownOrder),
                    };
                    if let Ok(Err(error)) = timeout(PATIENCE, say(&mut connection, &answer)).await {
                        tracing::debug!(%error, "whoever gave an order did not wait");
                    }
                }
                Err(error) => {
                    tracing::warn!(%error, "an order was not heard");
                    tokio::time::sleep(Duration::from_millis(100)).await;
                }
            }
        }
    }
}

/// Gives an order to the application that runs on this profile, and waits for what comes of it.
///
/// # Errors
/// [`Unheard`] when the order did not get there; the [`Refusal`] in it when it was not carried out.
pub async fn give(profile: &Profile, order: Order) -> Result<Answer, Unheard> {
    let talk = async {
        let name = profile_name(profile);
        let mut connection = local::connect(&name, profile.directory()).await?;
        say(&mut connection, &order).await.map_err(gone)?;
        let answer = line(&mut connection).await.map_err(gone)?;
        // It has ended just now.
        answer.ok_or(Unheard::NotRunning)
    };
    let late = || Unheard::Broken(io::ErrorKind::TimedOut.into());
    timeout(PATIENCE * 2, talk).await.map_err(|_| late())?
}

/// A connection that is closed in the middle was that of an application that ended.
fn gone(error: io::Error) -> Unheard {
    use io::ErrorKind::{BrokenPipe, ConnectionReset};
    match error.kind() {
        BrokenPipe | ConnectionReset => Unheard::NotRunning,
        _ => Unheard::Broken(error),
    }
}

/// An order; none where it is not known.
async fn hear(connection: &mut (impl AsyncRead + Unpin)) -> io::Result<Option<Order>> {
    match line::<serde_json::Value>(connection).await? {
        Some(order) => Ok(serde_json::from_value(order).ok()),
        None => Err(io::ErrorKind::UnexpectedEof.into()),
    }
}

async fn say(connection: &mut (impl AsyncWrite + Unpin), what: &impl Serialize) -> io::Result<()> {
    let mut text = serde_json::to_vec(what)?;
    text.push(b'\n');
    connection.write_all(&text).await?;
    connection.flush().await
}

/// One line of JSON; none where the other side says nothing.
async fn line<T: DeserializeOwned>(
    connection: &mut (impl AsyncRead + Unpin),
) -> io::Result<Option<T>> {
    let mut text = Vec::new();
    let mut bounded = BufReader::new(connection.take(LONGEST_LINE));
    bounded.read_until(b'\n', &mut text).await?;
    if text.is_empty() {
        return Ok(None);
    }
    Ok(Some(serde_json::from_slice(&text)?))
}

/// A short name that no other profile on this computer has.
fn profile_name(profile: &Profile) -> String {
    let directory = profile.directory();
    let directory = directory
        .canonicalize()
        .unwrap_or_else(|_| directory.to_owned());
    let hash = Sha256::digest(directory.as_os_str().as_encoded_bytes());
    let short: String = hash[..8].iter().map(|byte| format!("{byte:02x}")).collect();
    format!("vireo-{short}")
}
