//! Support for the tests of the whole system: real processes, started and stopped by the tests.

#[cfg(target_os = "linux")]
pub mod accessibility;
#[cfg(target_os = "linux")]
pub mod application;
pub mod balancer;
pub mod bench;
pub mod chromium;
pub mod cli;
pub mod devtools;
#[cfg(target_os = "linux")]
pub mod display;
pub mod gallery;
pub mod melody;
#[cfg(target_os = "linux")]
pub mod netlab;
pub mod network;
#[cfg(target_os = "linux")]
pub mod notifications;
pub mod pages;
#[cfg(target_os = "linux")]
pub mod permissions;
#[cfg(target_os = "linux")]
pub mod pulse;
pub mod repository;
pub mod server;
pub mod site;
pub mod sound_file;
#[cfg(target_os = "linux")]
pub mod speech;
#[cfg(target_os = "linux")]
pub mod stamp;
pub mod statistics;
pub mod traffic;
#[cfg(target_os = "linux")]
pub mod tray;
#[cfg(target_os = "linux")]
pub mod views;
#[cfg(target_os = "linux")]
pub mod vm;
pub mod webdriver;
#[cfg(target_os = "linux")]
pub mod window;
pub mod wiretap;

pub use vireo_signalling::{binaries, process_tree};
