//! A named pipe whose access control list names its owner and nobody else, and which takes nobody from another computer.

use std::{io, path::Path};

use interprocess::os::windows::{
    named_pipe::{
        PipeListenerOptions, pipe_mode,
        tokio::{DuplexPipeStream, PipeListener},
    },
    security_descriptor::SecurityDescriptor,
};
use widestring::u16cstr;

use super::Unheard;

type Bytes = pipe_mode::Bytes;

/// The listening end.
pub struct Listener(PipeListener<Bytes, Bytes>);

impl Listener {
    /// Makes the pipe; its first end must be this one, so that nobody else listens under its name.
    pub fn bind(name: &str, _profile: &Path) -> io::Result<Self> {
        // Protected from inheritance; everything for the owner, nothing for anybody else.
        let owner_only = SecurityDescriptor::deserialize(u16cstr!("D:P(A;;GA;;;OW)"))?;
        PipeListenerOptions::new()
            .path(format!(r"\\.\pipe\{name}"))
            .accept_remote(false)
            .security_descriptor(Some(owner_only))
            .create_tokio_duplex::<Bytes>()
            .map(Self)
    }

    /// The next connection, which is the owner's: the system has refused everybody else.
    pub async fn accept(&mut self) -> io::Result<(DuplexPipeStream<Bytes>, bool)> {
        Ok((self.0.accept().await?, true))
    }
}

/// The other end.
pub async fn connect(name: &str, _profile: &Path) -> Result<DuplexPipeStream<Bytes>, Unheard> {
    let path = format!(r"\\.\pipe\{name}");
    let stream = DuplexPipeStream::<Bytes>::connect_by_path(path).await;
    stream.map_err(|error| match error.kind() {
        io::ErrorKind::NotFound => Unheard::NotRunning,
        io::ErrorKind::PermissionDenied => Unheard::NotYours,
        _ => Unheard::Broken(error),
    })
}
