//! Two peers in one process, over real loopback sockets.

mod connect;
mod support;

pub(super) use support::Loss;
