//! The application behind the window: from its start to its end.

use std::{
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use tokio::sync::watch;
use vireo_call::{NoticeKind, VoiceSettings};
use vireo_client::{
    Client, ClientError, ClientOptions, Session,
    paths::{Account, Profile, Settings},
};
use vireo_protocol::{Credentials, Registration, User, UserId};

use crate::{
    arguments::Arguments,
    devices::{self, Choices, DesktopMedia, DevicesView},
    embedded::EmbeddedServer,
    failure::Failure,
    media_socket::MediaServer,
    ring,
    view::{AppView, Screen},
};

/// Time between two attempts to sign in.
const RETRY: Duration = Duration::from_secs(2);

/// What a goodbye to the server may take at most.
const GOODBYE: Duration = Duration::from_secs(4);

/// The state that the commands work on.
pub struct App {
    arguments: Arguments,
    pictures: Arc<MediaServer>,
    view: watch::Sender<AppView>,
    inner: Mutex<Inner>,
}

#[derive(Default)]
struct Inner {
    profile: Option<Profile>,
    server: Option<String>,
    embedded: Option<EmbeddedServer>,
    media: Option<Arc<DesktopMedia>>,
    settings: Settings,
    client: Option<Client>,
}

impl App {
    /// An application that has not started.
    #[must_use]
    pub fn new(arguments: Arguments, pictures: Arc<MediaServer>) -> Arc<Self> {
        let view = watch::Sender::new(AppView {
            revision: 0,
            screen: Screen::Starting,
            stand_ins: Vec::new(),
            voice: VoiceSettings::default(),
            devices: DevicesView::default(),
        });
        Arc::new(Self {
            arguments,
            pictures,
            view,
            inner: Mutex::default(),
        })
    }

    /// The view, now and after every change.
    #[must_use]
    pub fn view(&self) -> watch::Receiver<AppView> {
        self.view.subscribe()
    }

    /// Where the window gets its pictures.
    #[must_use]
    pub fn pictures(&self) -> &MediaServer {
        &self.pictures
    }

    /// The signed-in client.
    ///
    /// # Errors
    /// [`ClientError::Closed`] while nobody is signed in.
    pub fn client(&self) -> Result<Client, ClientError> {
        self.with(|inner| inner.client.clone())
            .ok_or(ClientError::Closed)
    }

    /// Opens the profile, starts the embedded server unless another one was asked for, and signs in if there is an account.
    pub async fn start(self: Arc<Self>) {
        if let Err(failure) = self.try_start().await {
            tracing::error!(?failure, "Vireo cannot start");
            self.show(failure.into());
        }
    }

    async fn try_start(self: &Arc<Self>) -> Result<(), Failure> {
        let profile = Profile::open(self.arguments.profile.as_deref())?;
        let settings = profile.settings()?;
        let account = profile.account()?;
        self.choose_devices(&settings).await;
        let url = if let Some(url) = &self.arguments.server {
            url.trim_end_matches('/').to_owned()
        } else {
            let embedded = EmbeddedServer::start(&profile).await?;
            let url = embedded.url().to_owned();
            self.with(|inner| inner.embedded = Some(embedded));
            url
        };
        self.with(|inner| {
            inner.profile = Some(profile);
            inner.settings = settings;
            inner.server = Some(url.clone());
        });
        // An account belongs to one server; on another one the person starts anew.
        match account.filter(|account| account.server == self.server_to_remember()) {
            Some(account) => self.sign_in(&url, &account).await,
            None => {
                self.ask_for_a_name();
                Ok(())
            }
        }
    }

    async fn choose_devices(&self, settings: &Settings) {
        let environment = |name: &str| std::env::var(name).ok();
        let mut choices = Choices::new(settings, environment, self.arguments.stand_ins);
        if self.arguments.stand_ins {
            // Looking for devices can take a while, so it happens on a thread of its own, and only where it matters.
            let found = tokio::task::spawn_blocking(devices::present).await;
            let (camera, microphone, speaker) = found.unwrap_or_default();
            choices = choices.with_stand_ins(camera, microphone, speaker);
        }
        let view = self.view.clone();
        view.send_modify(|view| view.voice = settings.voice);
        let media = Arc::new(DesktopMedia::new(choices, self.pictures.clone(), view));
        tokio::spawn(ring::follow(self.view(), media.clone()));
        self.with(|inner| inner.media = Some(media));
    }

    /// Makes the account, with a secret of the application's own making, and keeps it.
    ///
    /// # Errors
    /// [`ClientError::NameTaken`] and what else a server can say; nothing is kept then.
    pub async fn register(self: &Arc<Self>, name: &str) -> Result<(), ClientError> {
        let (profile, server) = self.with(|inner| (inner.profile.clone(), inner.server.clone()));
        let (Some(profile), Some(server)) = (profile, server) else {
            return Err(ClientError::Closed);
        };
        let account = Account::with_new_secret(self.server_to_remember(), name);
        let registration = Registration {
            name: account.name.clone(),
            password: account.password.clone(),
            device: device(),
            invite: None,
        };
        let session = Client::register(&server, registration).await?;
        profile.save_account(&account)?;
        keep_session(&session, &profile).await;
        self.use_session(session);
        Ok(())
    }

    async fn sign_in(self: &Arc<Self>, url: &str, account: &Account) -> Result<(), Failure> {
        loop {
            match session_of(url, account).await {
                Ok(session) => {
                    if let Some(profile) = self.with(|inner| inner.profile.clone()) {
                        keep_session(&session, &profile).await;
                    }
                    self.use_session(session);
                    return Ok(());
                }
                Err(ClientError::ServerUnreachable | ClientError::RateLimited) => {
                    self.show(Screen::Waiting);
                    tokio::time::sleep(RETRY).await;
                }
                // The server has lost its data or another one listens there: the person starts anew, name prefilled.
                Err(ClientError::WrongPassword) => {
                    self.ask_for(account.name.clone());
                    return Ok(());
                }
                Err(error) => return Err(error.into()),
            }
        }
    }

    fn use_session(self: &Arc<Self>, session: Session) {
        let client = self.with(|inner| {
            let media = inner.media.clone()?;
            let options = ClientOptions {
                ice_servers: inner.settings.ice_servers.clone(),
                voice: inner.settings.voice,
                ..ClientOptions::default()
            };
            let client = Client::connect(session, media, options);
            inner.client = Some(client.clone());
            Some(client)
        });
        let Some(client) = client else { return };
        let app = self.clone();
        tokio::spawn(async move {
            let mut view = client.view();
            drop(client);
            loop {
                let now = view.borrow_and_update().clone();
                app.show(Screen::Home(Box::new(now)));
                if view.changed().await.is_err() {
                    return;
                }
            }
        });
    }

    /// Switches parts of the voice processing on and off, at once, and keeps it for the calls to come.
    ///
    /// # Errors
    /// [`ClientError::Profile`] when it cannot be saved; it applies until the application ends.
    pub fn set_voice(&self, voice: VoiceSettings) -> Result<(), ClientError> {
        let (client, profile, settings) = self.with(|inner| {
            inner.settings.voice = voice;
            let settings = inner.settings.clone();
            (inner.client.clone(), inner.profile.clone(), settings)
        });
        if let Some(client) = client {
            client.set_voice(voice);
        }
        self.view.send_modify(|view| {
            view.revision += 1;
            view.voice = voice;
        });
        profile.map_or(Ok(()), |profile| profile.save_settings(&settings))
    }

    /// Uses the device of this id from now on, at once and in the calls to come; None: the system's default one.
    ///
    /// # Errors
    /// [`ClientError::Profile`] when it cannot be saved; it applies until the application ends.
    pub fn set_device(&self, kind: NoticeKind, id: Option<String>) -> Result<(), ClientError> {
        let (media, profile, settings) = self.with(|inner| {
            let settings = &mut inner.settings;
            let chosen = match kind {
                NoticeKind::Camera => &mut settings.camera,
                NoticeKind::Microphone => &mut settings.microphone,
                NoticeKind::Speaker => &mut settings.speaker,
            };
            chosen.clone_from(&id);
            (inner.media.clone(), inner.profile.clone(), settings.clone())
        });
        if let Some(media) = media {
            media.choose(devices::device_kind(kind), id.as_deref());
        }
        profile.map_or(Ok(()), |profile| profile.save_settings(&settings))
    }

    /// Ends the call and stops the embedded server.
    pub async fn stop(&self) {
        let (client, embedded) = self.with(|inner| (inner.client.take(), inner.embedded.take()));
        let goodbye = async {
            if let Some(client) = client {
                client.close().await;
            }
            if let Some(embedded) = embedded {
                embedded.stop().await;
            }
        };
        if tokio::time::timeout(GOODBYE, goodbye).await.is_err() {
            tracing::warn!("the server did not answer the goodbye");
        }
    }

    fn ask_for_a_name(&self) {
        self.ask_for(suggested_name(std::env::var("USER").ok()));
    }

    fn ask_for(&self, suggested_name: String) {
        self.show(Screen::FirstRun {
            suggested_name,
            server: self.server_to_remember(),
        });
    }

    fn server_to_remember(&self) -> Option<String> {
        let asked = self.arguments.server.as_deref();
        asked.map(|url| url.trim_end_matches('/').to_owned())
    }

    fn show(&self, screen: Screen) {
        self.view.send_modify(|view| {
            view.revision += 1;
            view.screen = screen;
        });
    }

    fn with<T>(&self, work: impl FnOnce(&mut Inner) -> T) -> T {
        // Nothing in here panics halfway through a change.
        work(&mut self.inner.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

/// The session that was kept, where it still stands; else a new one.
async fn session_of(url: &str, account: &Account) -> Result<Session, ClientError> {
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

/// Writes every new refresh token into the profile, so that the next start goes on with the same session.
async fn keep_session(session: &Session, profile: &Profile) {
    let profile = profile.clone();
    let keep = move |token: &str| {
        let kept = profile.account().and_then(|account| match account {
            Some(account) => profile.save_account(&Account {
                refresh_token: Some(token.to_owned()),
                ..account
            }),
            None => Ok(()),
        });
        if let Err(error) = kept {
            tracing::warn!(%error, "the session cannot be kept; the next start signs in anew");
        }
    };
    session.keep_with(keep).await;
}

/// What the list of sessions calls this application.
fn device() -> String {
    format!("Vireo on {}", std::env::consts::OS)
}

/// What the computer calls the person, where that is a person's name.
fn suggested_name(user: Option<String>) -> String {
    user.or_else(|| std::env::var("USERNAME").ok())
        .filter(|name| !["root", "user", "admin", "Administrator"].contains(&name.as_str()))
        .filter(|name| vireo_protocol::name_problem(name).is_none())
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
