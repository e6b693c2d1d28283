//! How a client behaves.

use std::time::Duration;

use vireo_call::VoiceSettings;
use vireo_protocol::{Contact, IceServer};

/// How a [`Client`](crate::Client) behaves.
#[derive(Debug, Clone, Default)]
pub struct ClientOptions {
    /// STUN and TURN servers from the user's settings; they are tried before those that the server hands out.
    pub ice_servers: Vec<IceServer>,
    /// Whether calls go only through a TURN server, so that the other side does not learn where this computer is.
    pub relay_only: bool,
    /// What is done to the user's voice.
    pub voice: VoiceSettings,
    /// Who is in the list as far as that is known before the server has said it.
    pub contacts: Vec<Contact>,
    /// Set for a service that answers every call and sends back what it receives; it opens no devices.
    pub reflect: Option<Reflect>,
}

/// How a service that sends back what it receives behaves.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Reflect {
    /// How many calls it takes at once; a further caller hears that it is busy.
    pub calls: usize,
    /// After so long it hangs up.
    pub longest: Duration,
}
