//! Accounts and sessions: making the first one, signing in, changing from one to another, signing out.

use std::{sync::Arc, time::Duration};

use tokio::{sync::watch, time::timeout};
use vireo_client::{
    Client, ClientError, ClientOptions, ClientView, ConnectionState, Session,
    paths::{Account, Known, Profile},
};
use vireo_protocol::{Credentials, Registration, User, UserId, name_problem};

use crate::{
    accounts::AccountsView,
    app::{App, GOODBYE},
    failure::Failure,
    view::Screen,
};

/// Time between two attempts to sign in.
const RETRY: Duration = Duration::from_secs(2);

/// How long a start waits for the server where it could show whom the account knows meanwhile.
const PROMPTLY: Duration = Duration::from_millis(700);

impl App {
    /// Makes the account, with a secret of the application's own making, and keeps it: on the server that was asked for,
    /// else on one on this computer.
    ///
    /// # Errors
    /// [`ClientError::NameTaken`] and what else a server can say; nothing is kept then.
    pub async fn register(self: &Arc<Self>, name: &str) -> Result<(), ClientError> {
        if let Some(problem) = name_problem(name) {
            return Err(ClientError::InvalidCredentials(problem.to_owned()));
        }
        let asked = self.server_asked_for();
        let server = match &asked {
            Some(server) => server.clone(),
            None => match self.host(name).await {
                Ok(server) => server,
                Err(failure) => {
                    self.show(failure.into());
                    return Ok(());
                }
            },
        };
        let account = Account::with_new_secret(asked, name);
        let registration = Registration {
            name: account.name.clone(),
            password: account.password.clone(),
            device: device(),
            invite: None,
        };
        let session = Client::register(&server, registration).await?;
        self.change_to(account, session).await
    }

    /// Signs in by an account that is there, for as long as it takes.
    ///
    /// # Errors
    /// When there is something that the person has to do first.
    pub async fn enter(self: &Arc<Self>, account: Account) -> Result<(), Failure> {
        let url = match &account.server {
            Some(url) => url.clone(),
            None => self.host(&account.name).await?,
        };
        self.show_accounts(Some(&account));
        loop {
            match self.session_promptly(&url, &account).await {
                Ok(session) => {
                    self.start().passed("session");
                    keep_session(&session, &self.profile()?, &account).await;
                    self.use_session(session, account, None);
                    return Ok(());
                }
                Err(ClientError::ServerUnreachable | ClientError::RateLimited) => {
                    let profile = self.profile()?;
                    if let Some((session, known)) = unchecked_session(&url, &account, &profile) {
                        keep_session(&session, &profile, &account).await;
                        self.use_session(session, account, Some(known));
                        return Ok(());
                    }
                    self.show(Screen::Waiting);
                    tokio::time::sleep(RETRY).await;
                }
                // The server has lost its data or another one listens there: the person starts anew, name prefilled.
                Err(ClientError::WrongPassword) => {
                    self.ask_for(account.name.clone(), account.server.as_deref());
                    return Ok(());
                }
                Err(error) => return Err(error.into()),
            }
        }
    }

    /// The session that was kept, or a new one, as [`session_of`] gets it; a server that says nothing counts as away soon where
    /// people are known who can be shown without it.
    async fn session_promptly(&self, url: &str, account: &Account) -> Result<Session, ClientError> {
        let session = session_of(url, account);
        if unchecked_session(url, account, &self.profile()?).is_none() {
            return session.await;
        }
        timeout(PROMPTLY, session)
            .await
            .unwrap_or(Err(ClientError::ServerUnreachable))
    }

    /// Uses this account from now on. The one before is set aside, not forgotten.
    ///
    /// # Errors
    /// [`ClientError::Profile`] when it cannot be kept; nothing has changed then.
    pub async fn change_to(
        self: &Arc<Self>,
        account: Account,
        session: Session,
    ) -> Result<(), ClientError> {
        let profile = self.profile()?;
        let kept = {
            let (profile, account) = (profile.clone(), account.clone());
            // The system may ask the person for its key store.
            let keep = move || keep_instead(&profile, &account);
            tokio::task::spawn_blocking(keep).await
        };
        kept.map_err(|_| ClientError::Closed)??;
        self.leave().await;
        keep_session(&session, &profile, &account).await;
        self.show_accounts(Some(&account));
        self.use_session(session, account, None);
        Ok(())
    }

    /// Goes back to an account that was set aside.
    ///
    /// # Errors
    /// [`ClientError::Profile`] when that cannot be kept.
    pub async fn change_back(self: &Arc<Self>, server: Option<&str>) -> Result<(), ClientError> {
        let profile = self.profile()?;
        let others = profile.other_accounts()?;
        let Some(account) = others
            .into_iter()
            .find(|other| other.server.as_deref() == server)
        else {
            return Ok(()); // It is in use already.
        };
        keep_instead(&profile, &account)?;
        self.leave().await;
        self.show(Screen::Starting);
        self.spawn_entering(account);
        Ok(())
    }

    /// Signs out. The session ends on the server where that can be reached; here it is forgotten in any case. The account is set
    /// aside, since nobody but Vireo knows its password: without that it would be lost.
    ///
    /// # Errors
    /// [`ClientError::Profile`] when that cannot be kept.
    pub async fn sign_out(self: &Arc<Self>) -> Result<(), ClientError> {
        let profile = self.profile()?;
        let session = self.session().ok();
        self.leave().await;
        if let Some(session) = session
            && !matches!(timeout(GOODBYE, session.sign_out()).await, Ok(Ok(())))
        {
            tracing::info!("the server has not heard of the sign-out");
        }
        if let Some(account) = profile.account()? {
            profile.set_aside(&Account {
                refresh_token: None,
                ..account
            })?;
        }
        profile.remove_account()?;
        profile.forget_known()?;
        self.show_accounts(None);
        self.ask_for_a_name();
        Ok(())
    }

    /// Forgets an account that was set aside, with its password.
    ///
    /// # Errors
    /// [`ClientError::Profile`] when that cannot be kept.
    pub fn forget_account(&self, server: &str) -> Result<(), ClientError> {
        let profile = self.profile()?;
        profile.remove_other(Some(server))?;
        self.show_accounts(profile.account()?.as_ref());
        Ok(())
    }

    /// Signs in by itself, for as long as it takes.
    pub fn spawn_entering(self: &Arc<Self>, account: Account) {
        let app = self.clone();
        let entering = tokio::spawn(async move {
            if let Err(failure) = app.enter(account).await {
                tracing::error!(?failure, "Vireo cannot sign in");
                app.show(failure.into());
            }
        });
        self.with(|inner| inner.entering = Some(entering.abort_handle()));
    }

    /// Uses this session of the account's. Where somebody is `known`, the server has not been asked yet whether it stands.
    fn use_session(self: &Arc<Self>, session: Session, account: Account, known: Option<Known>) {
        let client = self.with(|inner| {
            let media = inner.media.clone()?;
            let options = ClientOptions {
                ice_servers: inner.settings.ice_servers.clone(),
                relay_only: inner.settings.relay_only,
                voice: inner.settings.voice,
                contacts: known
                    .iter()
                    .flat_map(|known| known.contacts.clone())
                    .collect(),
                ..ClientOptions::default()
            };
            inner.session = Some(session.clone());
            let client = Client::connect(session, media, options);
            inner.client = Some(client.clone());
            Some(client)
        });
        let Some(client) = client else { return };
        let following = tokio::spawn(self.clone().follow(client.view(), account, known));
        self.with(|inner| inner.following = Some(following));
    }

    /// Shows what the client's view says, and remembers whom it knows, until the client has gone.
    async fn follow(
        self: Arc<Self>,
        mut view: watch::Receiver<ClientView>,
        account: Account,
        mut known: Option<Known>,
    ) {
        let mut unchecked = known.is_some();
        loop {
            let now = view.borrow_and_update().clone();
            match now.connection {
                ConnectionState::Online => {
                    unchecked = false;
                    self.remember(&account, &now, &mut known);
                }
                // It had ended before it was used: as at any other start, the password makes a new one.
                ConnectionState::SignedOut if unchecked => {
                    return self.spawn_entering(Account {
                        refresh_token: None,
                        ..account
                    });
                }
                _ => {}
            }
            self.show(Screen::Home(Box::new(now)));
            if view.changed().await.is_err() {
                return;
            }
        }
    }

    /// Writes down whom the account knows, where that is not what stands there already.
    fn remember(&self, account: &Account, view: &ClientView, known: &mut Option<Known>) {
        let now = Known::of(view);
        if known.as_ref() == Some(&now) {
            return;
        }
        let kept = self
            .profile()
            .and_then(|profile| profile.remember(account.server.as_deref(), &now));
        if let Err(error) = kept {
            tracing::warn!(%error, "a start without the server will know nobody");
        }
        *known = Some(now);
    }

    /// Ends what goes on with the account in use; nothing of it is shown any more when this returns.
    async fn leave(&self) {
        let (entering, following, client) = self.with(|inner| {
            inner.session = None;
            (
                inner.entering.take(),
                inner.following.take(),
                inner.client.take(),
            )
        });
        if let Some(entering) = entering {
            entering.abort();
        }
        if let Some(following) = following {
            following.abort();
            let _ = following.await;
        }
        if let Some(client) = client
            && timeout(GOODBYE, client.close()).await.is_err()
        {
            tracing::info!("the server did not answer the goodbye");
        }
    }

    /// Shows which accounts there are, this one in use.
    pub fn show_accounts(&self, used: Option<&Account>) {
        let Ok(profile) = self.profile() else { return };
        let open = self.with(|inner| inner.open);
        let accounts = AccountsView::of(&profile, used, open);
        self.change_view(|view| view.accounts = accounts);
    }
}

/// Keeps this account in the place of the one that was kept so far, which is set aside.
fn keep_instead(profile: &Profile, account: &Account) -> Result<(), ClientError> {
    if let Some(before) = profile
        .account()?
        .filter(|before| before.server != account.server)
    {
        profile.set_aside(&before)?;
    }
    profile.save_account(account)?;
    profile.remove_other(account.server.as_deref())
}

/// The session that was kept, where it still stands; else a new one.
///
/// # Errors
/// What the server says to it.
pub async fn session_of(url: &str, account: &Account) -> Result<Session, ClientError> {
    if let Some(token) = &account.refresh_token {
        // The server's greeting says who it is.
        let user = User {
            id: UserId(String::new()),
            name: account.name.clone(),
        };
        let session = Session::resume(url, user, token);
        match session.renew().await {
            Ok(()) => return Ok(session),
            Err(ClientError::SignedOut) => {}
            Err(error) => return Err(error),
        }
    }
    let credentials = Credentials {
        name: account.name.clone(),
        password: account.password.clone(),
        device: device(),
    };
    Client::sign_in(url, credentials).await
}

/// The session that was kept, and whom its account knew, for a time in which the server cannot be asked; none where either is
/// missing.
fn unchecked_session(url: &str, account: &Account, profile: &Profile) -> Option<(Session, Known)> {
    let token = account.refresh_token.as_ref()?;
    let known = profile.known(account.server.as_deref())?;
    Some((Session::resume(url, known.me.clone(), token), known))
}

/// Writes every new refresh token into the profile, for as long as this account is in use, so that the next start goes on with
/// the same session.
async fn keep_session(session: &Session, profile: &Profile, account: &Account) {
    let (profile, server) = (profile.clone(), account.server.clone());
    let keep = move |token: &str| {
        let kept = profile.account().and_then(|account| match account {
            Some(account) if account.server == server => profile.save_account(&Account {
                refresh_token: Some(token.to_owned()),
                ..account
            }),
            _ => Ok(()),
        });
        if let Err(error) = kept {
            tracing::warn!(%error, "the session cannot be kept; the next start signs in anew");
        }
    };
    session.keep_with(keep).await;
}

/// What the list of sessions calls this application.
pub fn device() -> String {
    format!("Vireo on {}", std::env::consts::OS)
}

/// What the computer calls the person, where that is a person's name.
pub fn suggested_name(user: Option<String>) -> String {
    user.or_else(|| std::env::var("USERNAME").ok())
        .filter(|name| !["root", "user", "admin", "Administrator"].contains(&name.as_str()))
        .filter(|name| name_problem(name).is_none())
        .unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::suggested_name;

    #[test]
    fn only_a_persons_name_is_suggested() {
        assert_eq!(suggested_name(Some("jonas".into())), "jonas");
        assert_eq!(suggested_name(Some("root".into())), "");
        assert_eq!(suggested_name(Some(" ".into())), "");
    }
}
