//! A Unix socket in the user's runtime directory, which nobody else may enter; where there is none, in the profile.

use std::{
    fs, io,
    os::unix::fs::PermissionsExt,
    path::{Path, PathBuf},
};

use tokio::net::{UnixListener, UnixStream};

use super::Unheard;

/// The listening end.
pub struct Listener {
    socket: UnixListener,
    path: PathBuf,
    owner: u32,
}

impl Listener {
    /// Puts the socket in its place, in one step and readable by its owner alone from the beginning. One that a crash left
    /// behind gives way.
    pub fn bind(name: &str, profile: &Path) -> io::Result<Self> {
        let path = path(name, profile);
        if std::os::unix::net::UnixStream::connect(&path).is_ok() {
            return Err(io::ErrorKind::AddrInUse.into());
        }
        let beside = path.with_extension(format!("{}.new", std::process::id()));
        // What a crash left behind is nobody's.
        let _ = fs::remove_file(&beside);
        let socket = UnixListener::bind(&beside)?;
        fs::set_permissions(&beside, fs::Permissions::from_mode(0o600))
            .and_then(|()| fs::rename(&beside, &path))
            .inspect_err(|_| {
                let _ = fs::remove_file(&beside);
            })?;
        Ok(Self {
            socket,
            path,
            owner: own_id()?,
        })
    }

    /// The next connection, and whether it is this user's. Somebody else gets as far as this only where files are open to
    /// them that should not be.
    pub async fn accept(&mut self) -> io::Result<(UnixStream, bool)> {
        let (stream, _) = self.socket.accept().await?;
        let is_owner = stream.peer_cred()?.uid() == self.owner;
        if !is_owner {
            tracing::warn!("somebody else on this computer wanted to give orders");
        }
        Ok((stream, is_owner))
    }
}

impl Drop for Listener {
    fn drop(&mut self) {
        // One that is gone already is as good.
        let _ = fs::remove_file(&self.path);
    }
}

/// The other end, which listens only where its owner is this user.
pub async fn connect(name: &str, profile: &Path) -> Result<UnixStream, Unheard> {
    use io::ErrorKind::{ConnectionRefused, NotFound, PermissionDenied};
    let stream = UnixStream::connect(path(name, profile)).await;
    stream.map_err(|error| match error.kind() {
        NotFound | ConnectionRefused => Unheard::NotRunning,
        PermissionDenied => Unheard::NotYours,
        _ => Unheard::Broken(error),
    })
}

/// The socket of this name. Its whole path may have a hundred characters or so, which is why the profile's is not part of it.
pub(super) fn path(name: &str, profile: &Path) -> PathBuf {
    let runtime = std::env::var_os("XDG_RUNTIME_DIR").map(PathBuf::from);
    match runtime.filter(|directory| directory.is_absolute()) {
        Some(directory) => directory.join(format!("{name}.socket")),
        None => profile.join("control.socket"),
    }
}

/// This process's user, as the system tells the other end of a socket.
fn own_id() -> io::Result<u32> {
    let (one, _other) = UnixStream::pair()?;
    Ok(one.peer_cred()?.uid())
}
