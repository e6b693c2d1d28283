//! Support for the tests of the whole system: real processes, started and stopped by the tests.

pub mod binaries;
pub mod cli;
pub mod server;
pub mod sound_file;
pub mod statistics;
