//! Two peers in one process, over real loopback sockets.

mod candidates;
mod connect;
mod descriptions;
mod media;
mod reflect;
mod restart;
mod support;

pub(super) use support::Loss;
