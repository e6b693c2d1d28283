//! Services that tests of several crates start for themselves, from the system's packages. Each is private to the test,
//! listens on nothing that others reach, and is gone when the test's process is, however that ends.

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
