//! The network as the settings show it: the servers of the account, whether each is there, and STUN and TURN servers of the
//! person's own.

use vireo_client::{ClientError, ServerProbe, probe};
use vireo_protocol::IceServer;

use crate::{app::App, view::CommandError};

/// More servers of one's own help nobody, and each delays a call.
const MOST: usize = 8;

/// No address, name or password of a server is longer.
const LONGEST: usize = 256;

impl App {
    /// Asks the server of this number among the account's whether it is there.
    ///
    /// # Errors
    /// Why not.
    pub async fn test_server(&self, number: usize) -> Result<ServerProbe, ClientError> {
        let client = self.client()?;
        let server = client.view().borrow().servers.get(number).cloned();
        probe(&server.ok_or(ClientError::ServerUnreachable)?).await
    }

    /// Uses these STUN and TURN servers besides those of the server, from the next call on.
    ///
    /// # Errors
    /// When one of them is none, [`ClientError::Profile`] when they cannot be saved.
    pub fn set_ice_servers(&self, servers: Vec<IceServer>) -> Result<(), CommandError> {
        if servers.len() > MOST || !servers.iter().all(is_usable) {
            return Err(CommandError {
                code: "invalid-ice-server".to_owned(),
                message: "This is no STUN or TURN server.".to_owned(),
            });
        }
        if let Ok(client) = self.client() {
            client.set_ice_servers(servers.clone());
        }
        self.change_view(|view| view.ice_servers.clone_from(&servers));
        Ok(self.keep(|settings| settings.ice_servers = servers)?)
    }

    /// Lets calls go only through a relay, from the next one on, or by every way again.
    ///
    /// # Errors
    /// [`ClientError::Profile`] when it cannot be saved.
    pub fn set_relay_only(&self, relay_only: bool) -> Result<(), ClientError> {
        if let Ok(client) = self.client() {
            client.set_relay_only(relay_only);
        }
        self.change_view(|view| view.relay_only = relay_only);
        self.keep(|settings| settings.relay_only = relay_only)
    }
}

/// Whether calls can make use of it: `stun:HOST[:PORT]`, or `turn:HOST[:PORT]` with a name and a password.
fn is_usable(server: &IceServer) -> bool {
    let [url] = server.urls.as_slice() else {
        return false;
    };
    let secret = |text: &Option<String>| {
        text.as_ref().is_some_and(|text| {
            (1..=LONGEST).contains(&text.len()) && !text.contains(char::is_control)
        })
    };
    match url.split_once(':') {
        Some(("stun", rest)) => {
            is_place(rest) && server.username.is_none() && server.credential.is_none()
        }
        Some(("turn", rest)) => {
            let place = rest.strip_suffix("?transport=udp").unwrap_or(rest);
            is_place(place) && secret(&server.username) && secret(&server.credential)
        }
        _ => false,
    }
}

fn is_place(text: &str) -> bool {
    let of_a_host = |c: char| c.is_alphanumeric() || ".-:[]".contains(c);
    (1..=LONGEST).contains(&text.len()) && text.chars().all(of_a_host)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn server(url: &str, secrets: bool) -> IceServer {
        let secret = secrets.then(|| "secret".to_owned());
        IceServer {
            urls: vec![url.to_owned()],
            username: secret.clone(),
            credential: secret,
        }
    }

    #[test]
    fn servers_are_what_calls_can_use() {
        for url in [
            "stun:stun.example.org",
            "stun:192.0.2.1:3478",
            "stun:[2001:db8::1]:3478",
        ] {
            assert!(is_usable(&server(url, false)), "{url}");
        }
        for url in ["turn:turn.example.org:3478", "turn:a.b?transport=udp"] {
            assert!(is_usable(&server(url, true)), "{url}");
            assert!(!is_usable(&server(url, false)), "{url} without a password");
        }
        for url in [
            "",
            "stun:",
            "stun:a b",
            "http://a",
            "turns:a",
            "turn:a?transport=tcp",
            "stun:a/b",
        ] {
            assert!(
                !is_usable(&server(url, false)) && !is_usable(&server(url, true)),
                "{url}"
            );
        }
    }
}
