//! The server on this computer, and invitations to whichever server the person is on.

mod embedded;
mod invite;

use std::{sync::Arc, time::Duration};

use vireo_client::ClientError;
use vireo_protocol::{InviteLink, ServerAddress};
use vireo_server::InviteError;

use crate::{app::App, clipboard, failure::Failure};

pub use embedded::EmbeddedServer;
pub use invite::{InviteView, QrView, Reach};

/// How many people an invitation is for.
const PEOPLE: u32 = 5;

/// How many days it lasts.
const DAYS: u32 = 7;

impl App {
    /// Starts the server on this computer, unless it runs, and says where. It is called by this name, and opened as far as the
    /// person has wished before.
    ///
    /// # Errors
    /// When another one works on the same files, or these or the network cannot be used.
    pub async fn host(&self, name: &str) -> Result<String, Failure> {
        let mut embedded = self.embedded.lock().await;
        if let Some(running) = &*embedded {
            return Ok(running.url().to_owned());
        }
        let profile = self.profile()?;
        let server = EmbeddedServer::start(&profile, name).await?;
        let url = server.url().to_owned();
        let hosting = self.with(|inner| inner.settings.hosting.clone());
        if hosting.port.is_some() {
            match server.open(&hosting).await {
                Ok(port) => self.opened_at(port)?,
                Err(error) => tracing::warn!(%error, "nobody elsewhere reaches the server"),
            }
        }
        *embedded = Some(server);
        Ok(url)
    }

    /// Whether this is the address of the server on this computer.
    pub async fn hosts(&self, server: &ServerAddress) -> bool {
        let embedded = self.embedded.lock().await;
        embedded.as_ref().is_some_and(|running| {
            running.url() == server.url
                || (server.fingerprint.is_some() && running.fingerprint() == server.fingerprint)
        })
    }

    /// Lets people elsewhere reach the server on this computer, from now on and after the next start.
    ///
    /// # Errors
    /// When the network cannot be used, or that cannot be kept.
    pub async fn open_to_network(&self) -> Result<(), Failure> {
        let embedded = self.embedded.lock().await;
        let Some(server) = &*embedded else {
            return Ok(());
        };
        if self.with(|inner| inner.open) {
            return Ok(());
        }
        let hosting = self.with(|inner| inner.settings.hosting.clone());
        let port = server.open(&hosting).await?;
        self.opened_at(port)?;
        self.change_view(|view| view.accounts.open = true);
        Ok(())
    }

    /// Makes an invitation to the server that the person is on.
    ///
    /// # Errors
    /// [`ClientError::ServerUnreachable`] and what else a server can say.
    pub async fn make_invite(&self) -> Result<InviteView, ClientError> {
        let lasts = Duration::from_secs(u64::from(DAYS) * 24 * 60 * 60);
        let session = self.session()?;
        let own = match &*self.embedded.lock().await {
            // It waits for the home router, and knows better from where it is reached.
            Some(server) if server.url() == session.server => {
                let me = self.client()?.view().borrow().me.id.clone();
                let link = server.invite(&me, PEOPLE, lasts).await;
                Some(link.map_err(in_words)?.to_string())
            }
            _ => None,
        };
        let link = match own {
            Some(link) => link,
            None => session.invite(PEOPLE, lasts).await?.link,
        };
        self.with(|inner| inner.invite = Some(link.clone()));
        Ok(view_of(link))
    }

    /// Puts the invitation that was made last into the clipboard.
    ///
    /// # Errors
    /// Where the system has no clipboard.
    pub async fn copy_invite(self: &Arc<Self>) -> Result<(), ClientError> {
        match self.with(|inner| inner.invite.clone()) {
            Some(link) => clipboard::write(&self.handle()?, link).await,
            None => Ok(()),
        }
    }

    fn opened_at(&self, port: u16) -> Result<(), ClientError> {
        let settings = self.with(|inner| {
            inner.open = true;
            inner.settings.hosting.port = Some(port);
            inner.settings.clone()
        });
        self.profile()?.save_settings(&settings)
    }
}

fn view_of(link: String) -> InviteView {
    let host = link
        .parse::<InviteLink>()
        .ok()
        .and_then(|link| host_of(&link.server.url).map(str::to_owned));
    InviteView {
        qr: QrView::of(&link),
        reach: Reach::of(&host.unwrap_or_default()),
        people: PEOPLE,
        days: DAYS,
        link,
    }
}

/// The host in `https://host:port/path`.
fn host_of(url: &str) -> Option<&str> {
    let (_, rest) = url.split_once("://")?;
    let authority = rest.split('/').next()?;
    match authority.find(']') {
        Some(end) => Some(&authority[..=end]),
        None => authority.split(':').next(),
    }
}

fn in_words(error: InviteError) -> ClientError {
    match error {
        InviteError::TooMany => ClientError::Refused(
            "You have too many invitations that nobody has used. They end by themselves after a week.".to_owned(),
        ),
        other => ClientError::Refused(other.to_string()),
    }
}

#[cfg(test)]
mod tests {
    use super::host_of;

    #[test]
    fn a_host_stands_before_its_port() {
        assert_eq!(host_of("https://[::1]:7450"), Some("[::1]"));
        assert_eq!(host_of("https://192.0.2.1:7450/vireo"), Some("192.0.2.1"));
        assert_eq!(host_of("https://example.org"), Some("example.org"));
    }
}
