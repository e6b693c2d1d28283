//! Vireo's server: accounts, contacts, presence, and the messages by which two people set up a call. Media never comes
//! here.
//!
//! A request's way: `router` → `http` or `socket` → `session` (reads it, asks `store`, checks what it carries) →
//! `switchboard` (one task that owns the connections and the `calls`) → the queue of whoever is to hear of it.

mod avatar;
mod bus;
mod calls;
mod check;
mod close;
mod config;
mod departures;
mod doctor;
mod drain;
mod echo;
mod front;
#[cfg(feature = "fuzz")]
pub mod fuzz;
mod hashing;
mod history;
mod host;
mod http;
mod ice;
mod invite_page;
mod members;
mod metrics;
mod origin;
mod parse;
mod places;
mod private_file;
pub mod program;
mod queue;
mod rate;
mod refusal;
mod relay;
mod revocations;
mod router;
mod router_ports;
mod secrets;
mod self_test;
mod serve;
mod session;
mod socket;
mod start_error;
mod state;
mod store;
mod switchboard;
mod tls;
mod tokens;
mod watchers;
mod wire;

pub use bus::BusConfig;
pub use config::{Config, DEFAULT_ANSWER_TIMEOUT, DEFAULT_NAME, DEFAULT_PORT, Encryption};
pub use drain::DEFAULT_DRAIN;
pub use echo::{echo_program, keep_echo_running};
pub use front::Proxies;
pub use ice::{IceConfig, TurnSecret};
pub use relay::{
    DEFAULT_RELAY_PORT, ProbeError, Relay, RelayConfig, RelayError, RelayLimits, self_test,
};
pub use router::router;
pub use router_ports::{HomeRouter, Opened, Port, PortKind, RouterPorts};
pub use self_test::{Check, Finding, Report, Verdict};
pub use serve::{ECHO_NAME, Opening, Running, Server};
pub use start_error::StartError;
pub use state::AppState;
pub use store::{Database, InviteError, Store, StoreError};
pub use tls::CertificateFiles;
