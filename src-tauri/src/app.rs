//! The application behind the window: from its start to its end.

use std::{
    path::{Path, PathBuf},
    sync::{Arc, Mutex, OnceLock, PoisonError},
    time::{Duration, Instant},
};

use tauri::{AppHandle, ipc::Channel};
use tokio::{
    sync::watch,
    task::{AbortHandle, JoinHandle},
};
use tokio_util::task::AbortOnDropHandle;
use vireo_call::CallStats;
use vireo_client::{
    Client, ClientError, OwnStatus, Pictures, Session,
    paths::{Account, Profile, Settings},
};
use vireo_protocol::{CallId, InviteLink};

use crate::{
    arguments::Arguments,
    control,
    desk::{Closing, Desk},
    devices::{self, Choices, DesktopMedia},
    failure::Failure,
    hosting::EmbeddedServer,
    joining::shown_address,
    keepsakes::Figures,
    log::Memory,
    media_socket::MediaServer,
    rehearsal::{Levels, Rehearsal},
    ring,
    sign_in::suggested_name,
    start::Start,
    view::{AppView, Screen, ShownCall},
};

/// A server that has not answered by then is not there.
const ANSWER: Duration = Duration::from_secs(3);

/// What a goodbye to the server may take at most.
pub const GOODBYE: Duration = Duration::from_secs(4);

/// The state that the commands work on.
pub struct App {
    arguments: Arguments,
    pictures: Arc<MediaServer>,
    view: watch::Sender<AppView>,
    /// Whoever starts, opens or stops the server on this computer has it.
    pub(crate) embedded: tokio::sync::Mutex<Option<EmbeddedServer>>,
    handle: OnceLock<AppHandle>,
    levels: watch::Sender<Levels>,
    log: Memory,
    figures: Figures,
    start: Start,
    inner: Mutex<Inner>,
}

/// What changes.
#[derive(Default)]
pub(crate) struct Inner {
    pub profile: Option<Profile>,
    pub media: Option<Arc<DesktopMedia>>,
    pub rehearsal: Option<Arc<Rehearsal>>,
    pub settings: Settings,
    pub client: Option<Client>,
    pub session: Option<Session>,
    /// Signs in, again and again.
    pub entering: Option<AbortHandle>,
    /// Shows what the client's view says.
    pub following: Option<JoinHandle<()>>,
    /// People elsewhere reach the server on this computer.
    pub open: bool,
    /// The invitation that was opened.
    pub invitation: Option<InviteLink>,
    /// Asks its server.
    pub looking: Option<tauri::async_runtime::JoinHandle<()>>,
    /// The invitation that was made last.
    pub invite: Option<String>,
    /// Takes orders from outside the window.
    control: Option<AbortOnDropHandle<()>>,
    /// The pictures of people that were fetched.
    pub pictures: Pictures,
    pub desk: Desk,
    /// A desktop that has just begun may show its tray a little later.
    pub waits_for_tray: bool,
}

impl App {
    /// An application that has not started.
    #[must_use]
    pub fn new(
        arguments: Arguments,
        pictures: Arc<MediaServer>,
        log: Memory,
        start: Start,
    ) -> Arc<Self> {
        let view = watch::Sender::default();
        let inner = Inner {
            waits_for_tray: arguments.in_tray,
            ..Inner::default()
        };
        Arc::new(Self {
            arguments,
            pictures,
            view,
            embedded: tokio::sync::Mutex::default(),
            handle: OnceLock::new(),
            levels: watch::Sender::default(),
            log,
            figures: Figures::default(),
            start,
            inner: Mutex::new(inner),
        })
    }

    /// The view, now and after every change.
    #[must_use]
    pub fn view(&self) -> watch::Receiver<AppView> {
        self.view.subscribe()
    }

    /// How loud it is, as often as that changes, while somebody wants to know.
    #[must_use]
    pub fn levels(&self) -> watch::Receiver<Levels> {
        self.levels.subscribe()
    }

    /// What the application has written down lately.
    #[must_use]
    pub const fn log(&self) -> &Memory {
        &self.log
    }

    /// How the start goes.
    #[must_use]
    pub const fn start(&self) -> &Start {
        &self.start
    }

    /// The figures of the call that somebody has looked at.
    #[must_use]
    pub const fn figures(&self) -> &Figures {
        &self.figures
    }

    /// What the person can try out, once the application has started.
    ///
    /// # Errors
    /// [`ClientError::Closed`] before.
    pub fn rehearsal(&self) -> Result<Arc<Rehearsal>, ClientError> {
        self.with(|inner| inner.rehearsal.clone())
            .ok_or(ClientError::Closed)
    }

    /// The figures of the call; they are remembered for a while.
    ///
    /// # Errors
    /// [`ClientError::Closed`] while nobody is signed in.
    pub async fn call_stats(&self) -> Result<Option<CallStats>, ClientError> {
        let stats = self.client()?.call_stats().await;
        self.figures.remember(stats.as_ref());
        Ok(stats)
    }

    /// How long the server takes to answer, in milliseconds.
    ///
    /// # Errors
    /// [`ClientError::ServerUnreachable`] when it does not answer soon.
    pub async fn measure_connection(&self) -> Result<f64, ClientError> {
        let client = self.client()?;
        let started = Instant::now();
        let answer = tokio::time::timeout(ANSWER, client.history(None, 1)).await;
        answer.map_err(|_| ClientError::ServerUnreachable)??;
        Ok(started.elapsed().as_secs_f64() * 1000.0)
    }

    /// Where the window gets its pictures.
    #[must_use]
    pub fn pictures(&self) -> &MediaServer {
        &self.pictures
    }

    /// The profile's folder, where one was asked for.
    #[must_use]
    pub fn profile_argument(&self) -> Option<&Path> {
        self.arguments.profile.as_deref()
    }

    /// Whether it was asked to start without a window.
    #[must_use]
    pub const fn starts_in_tray(&self) -> bool {
        self.arguments.in_tray
    }

    /// The profile's folder, if there can be one.
    #[must_use]
    pub fn profile_folder(&self) -> Option<PathBuf> {
        let profile = Profile::open(self.arguments.profile.as_deref()).ok()?;
        Some(profile.directory().to_owned())
    }

    /// The signed-in client.
    ///
    /// # Errors
    /// [`ClientError::Closed`] while nobody is signed in.
    pub fn client(&self) -> Result<Client, ClientError> {
        self.with(|inner| inner.client.clone())
            .ok_or(ClientError::Closed)
    }

    /// The session of whoever is signed in.
    ///
    /// # Errors
    /// [`ClientError::Closed`] while nobody is.
    pub fn session(&self) -> Result<Session, ClientError> {
        self.with(|inner| inner.session.clone())
            .ok_or(ClientError::Closed)
    }

    /// The person's profile.
    ///
    /// # Errors
    /// [`ClientError::Closed`] before it has been opened.
    pub fn profile(&self) -> Result<Profile, ClientError> {
        self.with(|inner| inner.profile.clone())
            .ok_or(ClientError::Closed)
    }

    /// The account that the profile uses; none before there is one.
    ///
    /// # Errors
    /// As [`Profile::account`].
    pub fn account(&self) -> Result<Option<Account>, ClientError> {
        self.profile()?.account()
    }

    /// What talks to the system.
    ///
    /// # Errors
    /// [`ClientError::Closed`] before there is a window.
    pub fn handle(&self) -> Result<AppHandle, ClientError> {
        self.handle.get().cloned().ok_or(ClientError::Closed)
    }

    /// Opens the profile, and signs in if there is an account; opens the invitation that the program was started with.
    pub async fn begin(self: Arc<Self>, handle: AppHandle) {
        // It starts once.
        let _ = self.handle.set(handle);
        if let Err(failure) = self.try_begin().await {
            tracing::error!(?failure, "Vireo cannot start");
            self.show(failure.into());
        }
    }

    async fn try_begin(self: &Arc<Self>) -> Result<(), Failure> {
        let profile = Profile::open(self.arguments.profile.as_deref())?;
        let settings = profile.settings()?;
        self.choose_devices(&settings).await;
        self.start.passed("devices");
        if let Some(keys) = settings.mute_key.clone() {
            let app = self.clone();
            tokio::spawn(async move { app.restore_mute_key(keys).await });
        }
        let hosting = settings.hosting.port.is_some();
        let control = control::listen(self, &profile);
        self.with(|inner| {
            inner.control = control;
            inner.profile = Some(profile.clone());
            inner.settings = settings;
        });
        // The system may ask the person for its key store.
        let account = tokio::task::spawn_blocking(move || profile.account()).await;
        let account = account.map_err(Failure::other)??;
        self.start.passed("account");
        let asked = self.server_asked_for();
        // An account belongs to one server; on another one the person starts anew.
        let fits = |account: &Account| asked.is_none() || account.server == asked;
        let account = account.filter(fits);
        // Those whom the person has invited may still be there, whichever account is in use.
        if let Some(account) = &account
            && (hosting || account.server.is_none())
        {
            self.host(&account.name).await?;
        }
        self.show_accounts(account.as_ref());
        if let Some(link) = &self.arguments.link {
            self.open_link(link);
        }
        match account {
            Some(account) => self.spawn_entering(account),
            None => self.ask_for_a_name(),
        }
        Ok(())
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
        view.send_modify(|view| {
            view.voice = settings.voice;
            view.full_hd = settings.full_hd;
            view.ice_servers.clone_from(&settings.ice_servers);
            view.relay_only = settings.relay_only;
            view.appearance = settings.appearance;
            view.alerts = settings.alerts.clone();
            view.keeps_call_when_closing = settings.keep_call_when_closing;
        });
        let media = Arc::new(DesktopMedia::new(choices, self.pictures.clone(), view));
        tokio::spawn(ring::follow(self.view(), media.clone()));
        let rehearsal = Rehearsal::new(media.clone(), self.view.clone(), self.levels.clone());
        tokio::spawn(rehearsal.clone().follow());
        self.with(|inner| {
            inner.media = Some(media);
            inner.rehearsal = Some(rehearsal);
        });
    }

    /// Says that this call was accepted by an order from outside the window, so that nobody is seen or heard unawares.
    pub fn show_answered_from_outside(&self, call: Option<CallId>) {
        self.view.send_modify(|view| {
            view.revision += 1;
            view.answered_from_outside = call;
        });
    }

    /// Ends the call and stops the embedded server.
    pub async fn stop(&self) {
        let client = self.with(|inner| inner.client.take());
        if let Some(control) = self.with(|inner| inner.control.take()) {
            control.abort();
            // Its socket is gone when it has ended, however that was.
            let _ = control.await;
        }
        let goodbye = async {
            if let Some(client) = client {
                client.close().await;
            }
            if let Some(embedded) = self.embedded.lock().await.take() {
                embedded.stop().await;
            }
        };
        if tokio::time::timeout(GOODBYE, goodbye).await.is_err() {
            tracing::warn!("the server did not answer the goodbye");
        }
    }

    /// Shows the first screen.
    pub fn ask_for_a_name(&self) {
        self.ask_for(suggested_name(std::env::var("USER").ok()), None);
    }

    /// The same, with this name; the server at this address does not accept the account any more.
    pub fn ask_for(&self, suggested_name: String, lost: Option<&str>) {
        self.show(Screen::FirstRun {
            suggested_name,
            server: self.server_asked_for(),
            lost: lost.map(shown_address),
        });
    }

    /// The server that the command line names.
    pub fn server_asked_for(&self) -> Option<String> {
        let asked = self.arguments.server.as_deref();
        asked.map(|url| url.trim_end_matches('/').to_owned())
    }

    /// Shows another screen.
    pub fn show(&self, screen: Screen) {
        self.change_view(|view| view.screen = screen);
    }

    /// Shows something else.
    pub fn change_view(&self, change: impl FnOnce(&mut AppView)) {
        self.view.send_modify(|view| {
            view.revision += 1;
            change(view);
            let client = view.screen.client();
            let call = client.and_then(|client| client.call.as_ref());
            let quiet = client.is_some_and(|client| client.status == OwnStatus::DoNotDisturb);
            view.desk = self.with(|inner| {
                inner.desk.follow(call, quiet);
                inner.desk.view()
            });
        });
    }

    /// Something has happened to the windows.
    pub fn on_desk<T>(&self, happens: impl FnOnce(&mut Desk) -> T) -> T {
        let mut result = None;
        self.view.send_if_modified(|view| {
            let desk = self.with(|inner| {
                result = Some(happens(&mut inner.desk));
                inner.desk.view()
            });
            let changed = view.desk != desk;
            if changed {
                view.revision += 1;
                view.desk = desk;
            }
            changed
        });
        result.expect("it has just happened")
    }

    /// Tells a window of the call, now and after every change, until there is none or the window has gone.
    pub async fn tell_of_call(self: Arc<Self>, calls: Channel<ShownCall>) {
        let mut view = self.view();
        let mut told = None;
        loop {
            let Some(call) = view.borrow_and_update().call() else {
                return;
            };
            if told.as_ref() != Some(&call) {
                told = Some(call.clone());
                if calls.send(call).is_err() {
                    return;
                }
            }
            if view.changed().await.is_err() {
                return;
            }
        }
    }

    /// What closing the main window comes to; `keeps_call` is the person's answer where they have been asked, and remembered.
    ///
    /// # Errors
    /// [`ClientError::Profile`] when the answer cannot be saved.
    pub fn close_main(&self, keeps_call: Option<bool>) -> Result<Closing, ClientError> {
        let (profile, settings) = self.with(|inner| {
            let settings = &mut inner.settings;
            settings.keep_call_when_closing = keeps_call.or(settings.keep_call_when_closing);
            (inner.profile.clone(), settings.clone())
        });
        let closing = self.on_desk(|desk| desk.close_main(settings.keep_call_when_closing));
        if let (Some(_), Some(profile)) = (keeps_call, profile) {
            self.change_view(|view| view.keeps_call_when_closing = keeps_call);
            profile.save_settings(&settings)?;
        }
        Ok(closing)
    }

    /// Works on what changes.
    pub(crate) fn with<T>(&self, work: impl FnOnce(&mut Inner) -> T) -> T {
        // Nothing in here panics halfway through a change.
        work(&mut self.inner.lock().unwrap_or_else(PoisonError::into_inner))
    }
}
