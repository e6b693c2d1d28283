//! The system's clipboard. It is read when the person says so, and at no other time.

#[cfg_attr(target_os = "linux", path = "linux.rs")]
#[cfg_attr(not(target_os = "linux"), path = "elsewhere.rs")]
mod system;

use std::time::Duration;

use tauri::AppHandle;
use tokio::time::timeout;
use vireo_client::ClientError;

/// Whoever owns what was copied is asked for it, and may have stopped answering.
const PATIENCE: Duration = Duration::from_secs(2);

/// The text that was copied last; none where it is no text.
pub async fn read(app: &AppHandle) -> Option<String> {
    timeout(PATIENCE, system::read(app)).await.ok().flatten()
}

/// Copies a text.
///
/// # Errors
/// Where the system has no clipboard.
pub async fn write(app: &AppHandle, text: String) -> Result<(), ClientError> {
    let written = timeout(PATIENCE, system::write(app, text)).await;
    match written {
        Ok(Some(())) => Ok(()),
        _ => Err(ClientError::Refused("There is no clipboard.".to_owned())),
    }
}
