//! Vireo without a window: session, contacts and calls. The desktop, the terminal and the Echo test are thin shells over it.

mod account;
mod backoff;
mod calls;
mod client;
mod command;
mod contacts;
pub mod control;
mod error;
mod invites;
mod link;
mod missed;
mod options;
pub mod paths;
mod pictures;
mod places;
mod probe;
mod runner;
mod secrets;
mod session;
mod status;
mod transport;
mod view;

pub use client::Client;
pub use error::ClientError;
pub use missed::MissedCall;
pub use options::{ClientOptions, Reflect};
pub use pictures::Pictures;
pub use probe::{ServerProbe, ServerTrust, probe};
pub use session::Session;
pub use view::{ClientView, ConnectionState, OwnStatus};
