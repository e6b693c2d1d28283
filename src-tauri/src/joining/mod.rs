//! Invitations that are opened here: by a link, on the command line or pasted. Nothing is sent but the invitation itself, and
//! nobody is called, before the person has agreed.
//!
//! ```text
//!  open ──→ looking ──→ invited ──join──→ joined (the call is offered)
//!              │  ↑        └── a member whose contact the inviter is ──→ joined
//!              ↓  │ again
//!            failed
//! ```

mod view;

use std::{sync::Arc, time::Duration};

use tokio::time::timeout;
use vireo_client::{Client, ClientError, ConnectionState, Session, paths::Account};
use vireo_protocol::{
    Contact, ContactStatus, InviteLink, InviteLook, Registration, ServerAddress, UserId,
};

use crate::{
    app::App,
    clipboard,
    sign_in::{device, session_of, suggested_name},
};

pub use view::{Joining, JoiningProblem, JoiningStep, Standing};

/// The server may take so long to say that the inviter is a contact now.
const INTRODUCTION: Duration = Duration::from_secs(10);

/// Looking at an invitation may take so long; a connection that is refused fails sooner.
const LOOK: Duration = Duration::from_secs(10);

impl App {
    /// Opens what may be an invitation, and says what it is. Nothing happens to the one before where this is none.
    ///
    /// # Errors
    /// [`ClientError::InvalidInvite`] where it is none.
    pub fn open_invitation(self: &Arc<Self>, text: &str) -> Result<(), ClientError> {
        let link: InviteLink = text.parse().map_err(|_| ClientError::InvalidInvite)?;
        self.look_at(link);
        Ok(())
    }

    /// Opens what the system has handed over; what is no invitation is said so.
    pub fn open_link(self: &Arc<Self>, text: &str) {
        if self.open_invitation(text).is_err() {
            self.show_joining(Some(Joining {
                address: String::new(),
                step: JoiningStep::Failed {
                    problem: JoiningProblem::NotALink,
                },
            }));
        }
    }

    /// Opens the invitation that the clipboard holds. It is read now and at no other time.
    ///
    /// # Errors
    /// [`ClientError::InvalidInvite`] where it holds none.
    pub async fn paste_invitation(self: &Arc<Self>) -> Result<(), ClientError> {
        let text = clipboard::read(&self.handle()?).await;
        self.open_invitation(&text.unwrap_or_default())
    }

    /// Asks the server once more.
    pub fn look_again(self: &Arc<Self>) {
        if let Some(link) = self.with(|inner| inner.invitation.clone()) {
            self.look_at(link);
        }
    }

    /// Puts the invitation away; it stays good.
    pub fn dismiss_invitation(&self) {
        let looking = self.with(|inner| {
            inner.invitation = None;
            inner.looking.take()
        });
        if let Some(looking) = looking {
            looking.abort();
        }
        self.show_joining(None);
    }

    fn look_at(self: &Arc<Self>, link: InviteLink) {
        let step = JoiningStep::Looking;
        self.step(&link, step);
        let app = self.clone();
        let asked = link.clone();
        // Whoever hands over a link from the system has no runtime.
        let looking = tauri::async_runtime::spawn(async move {
            let looked = timeout(LOOK, Client::look_at(&asked)).await;
            let step = match looked.unwrap_or(Err(ClientError::ServerUnreachable)) {
                Ok(look) => app.understood(&asked, look).await,
                Err(error) => JoiningStep::Failed {
                    problem: error.into(),
                },
            };
            app.step(&asked, step);
        });
        let before = self.with(|inner| {
            inner.invitation = Some(link);
            inner.looking.replace(looking)
        });
        if let Some(before) = before {
            before.abort();
        }
    }

    /// What the invitation means to this person.
    async fn understood(self: &Arc<Self>, link: &InviteLink, look: InviteLook) -> JoiningStep {
        let own = self.account().ok().flatten();
        let member = match &own {
            Some(account) => self.is_of(account, &link.server).await,
            None => false,
        };
        if let (true, Some(account)) = (member, &own) {
            if look.inviter.as_ref() == Some(&account.name) {
                let problem = JoiningProblem::Own;
                return JoiningStep::Failed { problem };
            }
            if let Some(inviter) = look.inviter.as_ref().and_then(|name| self.contact(name)) {
                return JoiningStep::Joined { inviter };
            }
        }
        let known = self.set_aside_on(&link.server);
        let standing = match &own {
            Some(_) if member => Standing::Member,
            Some(account) => Standing::Elsewhere {
                name: account.name.clone(),
                server: account.server.as_deref().map(shown_address),
                known: known.is_some(),
            },
            None if known.is_some() => Standing::Known,
            None => Standing::New,
        };
        let name = match (standing == Standing::Member, known, &own) {
            (true, _, Some(own)) => own.name.clone(),
            (_, Some(known), _) => known.name,
            (_, None, Some(own)) => own.name.clone(),
            (_, None, None) => suggested_name(std::env::var("USER").ok()),
        };
        JoiningStep::Invited {
            server: look.server,
            inviter: look.inviter,
            name,
            standing,
        }
    }

    /// Takes the invitation: makes an account by this name where the person has none on the server, makes the inviter a
    /// contact, and offers the call.
    ///
    /// # Errors
    /// [`ClientError::NameTaken`] and what else a server can say; everything stays as it was then.
    pub async fn join(self: &Arc<Self>, name: &str) -> Result<(), ClientError> {
        let showing = self.view().borrow().joining.clone();
        let (Some(link), Some(JoiningStep::Invited { inviter, .. })) = (
            self.with(|inner| inner.invitation.clone()),
            showing.map(|joining| joining.step),
        ) else {
            return Ok(()); // It has been joined or put away meanwhile.
        };
        let own = self.account()?;
        let member = match &own {
            Some(own) => self.is_of(own, &link.server).await,
            None => false,
        };
        if member {
            self.session()?.redeem(&link.token).await?;
        } else if let Some(known) = self.set_aside_on(&link.server) {
            let session = session_of(&link.server.to_string(), &known).await?;
            redeem(&session, &link.token).await?;
            self.change_to(known, session).await?;
        } else {
            let (account, session) = register(&link, name).await?;
            self.change_to(account, session).await?;
        }
        self.offer(&link, inviter).await;
        Ok(())
    }

    /// Offers to call whoever has invited, once the server has introduced them.
    async fn offer(self: &Arc<Self>, link: &InviteLink, inviter: Option<String>) {
        let known = match &inviter {
            Some(name) => timeout(INTRODUCTION, self.introduced(name)).await,
            None => Ok(None),
        };
        match known.ok().flatten() {
            Some(inviter) => self.step(link, JoiningStep::Joined { inviter }),
            None => self.dismiss_invitation(),
        }
    }

    async fn introduced(&self, name: &str) -> Option<UserId> {
        let mut view = self.client().ok()?.view();
        let there = view.wait_for(|view| {
            view.connection == ConnectionState::Online && find(&view.contacts, name).is_some()
        });
        find(&there.await.ok()?.contacts, name)
    }

    fn contact(&self, name: &str) -> Option<UserId> {
        let view = self.client().ok()?.view();
        let view = view.borrow();
        find(&view.contacts, name)
    }

    /// Whether the account is on this server. One server may have several addresses, but has one certificate.
    async fn is_of(&self, account: &Account, server: &ServerAddress) -> bool {
        match &account.server {
            None => self.hosts(server).await,
            Some(own) => is_same(own, server),
        }
    }

    fn set_aside_on(&self, server: &ServerAddress) -> Option<Account> {
        let profile = self.profile().ok()?;
        let others = profile.other_accounts().unwrap_or_default();
        let on_it = |other: &Account| {
            let own = other.server.as_deref();
            own.is_some_and(|own| is_same(own, server))
        };
        others.into_iter().find(on_it)
    }

    fn step(&self, link: &InviteLink, step: JoiningStep) {
        self.show_joining(Some(Joining {
            address: shown_address(&link.server.url),
            step,
        }));
    }

    fn show_joining(&self, joining: Option<Joining>) {
        self.change_view(|view| view.joining = joining);
    }
}

async fn register(link: &InviteLink, name: &str) -> Result<(Account, Session), ClientError> {
    let account = Account::with_new_secret(Some(link.server.to_string()), name);
    let registration = Registration {
        name: account.name.clone(),
        password: account.password.clone(),
        device: device(),
        invite: Some(link.token.clone()),
    };
    let session = Client::register(&link.server.to_string(), registration).await?;
    Ok((account, session))
}

/// Makes the inviter a contact; who invites themselves is only signed in.
async fn redeem(session: &Session, token: &str) -> Result<(), ClientError> {
    match session.redeem(token).await {
        Err(ClientError::Refused(_)) => Ok(()),
        done => done,
    }
}

fn find(contacts: &[Contact], name: &str) -> Option<UserId> {
    let is = |contact: &&Contact| contact.status == ContactStatus::Contact && contact.name == name;
    contacts
        .iter()
        .find(is)
        .map(|contact| contact.user_id.clone())
}

fn is_same(own: &str, server: &ServerAddress) -> bool {
    let Ok(own) = own.parse::<ServerAddress>() else {
        return false;
    };
    own.url == server.url || (own.fingerprint.is_some() && own.fingerprint == server.fingerprint)
}

/// An address as people write it: without the scheme and the fingerprint.
pub fn shown_address(server: &str) -> String {
    let url = server.split('#').next().unwrap_or_default();
    let plain = url.split_once("://").map_or(url, |(_, rest)| rest);
    plain.to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_server_is_known_by_its_certificate_wherever_it_is() {
        let print = "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8";
        let address = |text: &str| text.parse::<ServerAddress>().expect("an address");
        let own = format!("https://192.168.1.2:7450#sha256={print}");
        let outside = address(&format!("https://203.0.113.1:7450#sha256={print}"));
        assert!(is_same(&own, &outside));
        assert!(is_same(
            "http://127.0.0.1:1",
            &address("http://127.0.0.1:1")
        ));
        assert!(!is_same(&own, &address("https://203.0.113.1:7450")));
        assert!(!is_same(
            "http://127.0.0.1:1",
            &address("http://127.0.0.1:2")
        ));
    }

    #[test]
    fn people_read_an_address_without_what_programs_need() {
        assert_eq!(shown_address("https://[::1]:7450#sha256=x"), "[::1]:7450");
        assert_eq!(shown_address("http://host:1"), "host:1");
    }
}
