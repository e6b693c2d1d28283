//! Many people of a `vireo-server` at once, without media: real processes, real sockets, and what they cost.

pub mod binaries;
mod call;
mod connection;
pub mod crowd;
pub mod descriptions;
mod figures;
pub mod instance;
pub mod load;
mod pair;
pub mod people;
pub mod phases;
pub mod process_tree;
mod report;
mod stream;
mod summary;

pub use connection::{Socket, Target};
pub use report::Report;
pub use summary::Summary;
