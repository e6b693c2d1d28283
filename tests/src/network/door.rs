//! A way into a computer that is linked to nothing here: Unix sockets are the same on all of them.

use std::process::Stdio;

use anyhow::Context as _;
use tempfile::TempDir;
use tokio::io::copy_bidirectional;
use tokio::net::{TcpListener, UnixStream};
use tokio::process::{Child, Command};
use tokio_util::task::AbortOnDropHandle;

use super::Computer;
use crate::binaries::binary;

/// A port of this computer's loopback that is one of another computer's. Closed when dropped.
pub struct Door {
    port: u16,
    _passing: AbortOnDropHandle<()>,
    /// Killed when dropped.
    _inside: Child,
    _folder: TempDir,
}

impl Door {
    /// Opens one to this port of the computer's loopback.
    ///
    /// # Errors
    /// When its program is not built.
    pub async fn to(computer: &Computer, port: u16) -> anyhow::Result<Self> {
        let folder = tempfile::tempdir()?;
        let socket = folder.path().join("door");
        let inside = Command::from(computer.command(binary("door")?))
            .arg(&socket)
            .arg(port.to_string())
            .stdin(Stdio::piped())
            .kill_on_drop(true)
            .spawn()
            .context("door cannot be started")?;
        let outside = TcpListener::bind("127.0.0.1:0").await?;
        let port = outside.local_addr()?.port();
        let passing = tokio::spawn(async move {
            while let Ok((mut visitor, _)) = outside.accept().await {
                let socket = socket.clone();
                tokio::spawn(async move {
                    let mut inside = UnixStream::connect(socket).await?;
                    copy_bidirectional(&mut visitor, &mut inside).await
                });
            }
        });
        Ok(Self {
            port,
            _passing: AbortOnDropHandle::new(passing),
            _inside: inside,
            _folder: folder,
        })
    }

    /// The port here.
    #[must_use]
    pub fn port(&self) -> u16 {
        self.port
    }
}
