//! What tests of several crates need: services that they start for themselves, links of networks, and a room with an echo.
//!
//! The services come from the system's packages. Each is private to the test, listens on nothing that others reach, and is
//! gone when the test's process is, however that ends.

pub mod link;
pub mod room;

#[cfg(unix)]
mod postgres;
#[cfg(unix)]
mod redis;
#[cfg(unix)]
mod user;

#[cfg(unix)]
pub use postgres::{Durability, Postgres};
#[cfg(unix)]
pub use redis::Redis;
