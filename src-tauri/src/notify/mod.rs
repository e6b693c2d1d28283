//! The system's notifications: that somebody calls while no window shows it, that a call was missed, that the server has gone. What is said when is decided in [`news`], without a clock or a system.

mod news;
#[cfg(target_os = "linux")]
#[path = "linux.rs"]
mod system;
#[cfg(target_os = "macos")]
#[path = "macos.rs"]
mod system;
#[cfg(windows)]
#[path = "windows.rs"]
mod system;
#[cfg(test)]
mod tests;

use std::sync::{Arc, Weak};

use tauri::AppHandle;
use tokio::{
    sync::mpsc,
    time::{Instant, sleep_until},
};
use vireo_call::Phase;
use vireo_client::{ClientError, paths::Language};
use vireo_protocol::{CallId, ChatId};

use self::news::News;
use crate::{
    app::App,
    language, session,
    view::AppView,
    windows,
    words::{self, Words},
};

/// What a notification is about. A later one about the same takes the place of the earlier one.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum Subject {
    /// A call that rings, and later that it was missed.
    Call(CallId),
    /// The connection to the server.
    Server,
}

/// What a person can do about it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Act {
    /// See the window. Not a button: it is what a click beside the buttons does.
    Open,
    /// Accept the call.
    Answer {
        /// Which.
        call: CallId,
        /// With the camera.
        camera: bool,
    },
    /// Accept a video call with the camera off.
    AnswerWithoutVideo(CallId),
    /// Decline it.
    Decline(CallId),
    /// Call whoever was missed.
    CallBack {
        /// Where.
        chat: ChatId,
        /// With the camera.
        camera: bool,
    },
}

impl Act {
    /// Its name to the system.
    fn key(&self) -> &'static str {
        match self {
            Self::Open => "default",
            Self::Answer { .. } => "answer",
            Self::AnswerWithoutVideo(_) => "answer-without-video",
            Self::Decline(_) => "decline",
            Self::CallBack { .. } => "call-back",
        }
    }

    /// What its button says.
    fn label<'a>(&self, words: &'a Words) -> &'a str {
        match self {
            Self::Open => words.get("notification.open"),
            Self::Answer { .. } => words.get("call.answer"),
            Self::AnswerWithoutVideo(_) => words.get("call.answerWithoutVideo"),
            Self::Decline(_) => words.get("call.decline"),
            Self::CallBack { .. } => words.get("notification.callBack"),
        }
    }
}

/// A notification. The title may be somebody's name: it is shown as it is written, and never taken for markup.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Message {
    /// What it is about.
    pub subject: Subject,
    /// The first line.
    pub title: String,
    /// The name of the second one in the catalogue.
    pub text: &'static str,
    /// Its buttons.
    pub acts: Vec<Act>,
    /// It stays until it is withdrawn, over whatever else is shown.
    pub urgent: bool,
    /// In which language.
    pub language: Language,
}

impl Message {
    /// The catalogue of its language.
    fn words(&self) -> &'static Words {
        words::of(&language::wanted(self.language))
    }
}

/// What is to become of the notifications.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Change {
    /// This one is shown.
    Show(Message),
    /// The one about this goes.
    Withdraw(Subject),
}

/// Tells what the view has to tell, for as long as the application runs.
pub async fn follow(app: Arc<App>, handle: AppHandle) {
    let (change, changes) = mpsc::unbounded_channel();
    let (pressed, mut presses) = mpsc::unbounded_channel();
    tokio::spawn(system::run(changes, pressed));
    let mut view = app.view();
    let app = Arc::downgrade(&app);
    // Wayland lets no program lay a window over others, so that one which rings may be behind them.
    let mut news = News::new(!session::is_wayland());
    loop {
        let now = view.borrow_and_update().clone();
        for item in news.follow(&now, windows::has_focus(&handle), Instant::now()) {
            // Without a system that shows anything, nothing is shown.
            let _ = change.send(item);
        }
        clear_away(&app, &now);
        let due = news.due();
        tokio::select! {
            changed = view.changed() => if changed.is_err() { return },
            Some(act) = presses.recv() => do_it(&app, &handle, act).await,
            () = sleep_until(due.unwrap_or_else(Instant::now)), if due.is_some() => {}
        }
    }
}

/// Puts a call away whose end nobody could see, now that it has been told: done sooner, its end might never be looked at here,
/// and a missed call not be told of.
fn clear_away(app: &Weak<App>, told: &AppView) {
    let Some(app) = app.upgrade() else { return };
    let call = told.screen.client().and_then(|client| client.call.as_ref());
    let is_over = call.is_some_and(|call| matches!(call.phase, Phase::Ended { .. }));
    if is_over
        && app.on_desk(|desk| desk.is_done_with())
        && let Ok(client) = app.client()
    {
        client.dismiss();
    }
}

/// What the person has chosen. A notification may be older than the call that goes on now.
async fn do_it(app: &Weak<App>, handle: &AppHandle, act: Act) {
    let Some(client) = app.upgrade().and_then(|app| app.client().ok()) else {
        return;
    };
    let rings = |wanted: &CallId| {
        let view = client.view();
        let view = view.borrow();
        view.call
            .as_ref()
            .is_some_and(|call| call.call_id == *wanted && call.phase == Phase::Incoming)
    };
    match act {
        Act::Decline(call) => {
            if rings(&call) {
                client.decline();
            }
            return;
        }
        Act::Answer { call, camera } if rings(&call) => client.accept(camera),
        Act::AnswerWithoutVideo(call) if rings(&call) => client.accept(false),
        Act::CallBack { chat, camera } => match client.place_call(chat, camera).await {
            Ok(_) | Err(ClientError::AlreadyInCall) => {}
            Err(error) => tracing::warn!(%error, "nobody was called back"),
        },
        Act::Answer { .. } | Act::AnswerWithoutVideo(_) | Act::Open => {}
    }
    windows::show_main(handle);
}
