//! Which windows there are to be, and in which of them a call is shown. Decided here, without a window and without a clock;
//! [`crate::windows`] tells what happens to the windows and carries out what is wanted.

use serde::Serialize;
use ts_rs::TS;
use vireo_call::{CallView, Phase};
use vireo_protocol::CallId;

/// Where a call is shown: in one place at a time.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, TS)]
#[serde(rename_all = "camelCase")]
pub enum CallPlace {
    /// In the main window, and in the small one while that is out of sight.
    #[default]
    MainWindow,
    /// In a window of its own over everything else, until it is answered.
    RingingWindow,
    /// The person has put it away, or it rang and was never answered.
    Nowhere,
}

/// What the main window has to know of this.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, TS)]
#[serde(rename_all = "camelCase")]
pub struct DeskView {
    /// Where the call is shown, when there is one.
    pub call: CallPlace,
    /// The person has put the ringing away: it makes no sound, wherever it is shown.
    pub silent: bool,
    /// The main window is to be closed during a call: the person is asked what shall become of the call.
    pub asks_to_close: bool,
    /// The small window shows the call.
    #[serde(skip)]
    pub small_window: bool,
    /// The call was answered outside the main window, which has to come up for it.
    #[serde(skip)]
    pub main_window: bool,
}

/// What closing the main window comes to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Closing {
    /// It stays, and asks.
    Ask,
    /// Its web view is let go; the tray icon brings it back.
    Release {
        /// The call ends with it.
        ends_call: bool,
    },
    /// It must not vanish, since nothing would bring it back.
    Minimise,
}

/// How far a call is, as far as windows go.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Stage {
    Rings,
    GoesOn,
    Over,
}

impl Stage {
    fn of(phase: &Phase) -> Self {
        match phase {
            Phase::Incoming => Self::Rings,
            Phase::Calling
            | Phase::Ringing
            | Phase::Connecting
            | Phase::Connected
            | Phase::Reconnecting => Self::GoesOn,
            Phase::Ended { .. } => Self::Over,
        }
    }
}

#[derive(Debug)]
struct Followed {
    id: CallId,
    stage: Stage,
    place: CallPlace,
    silent: bool,
    /// It was answered elsewhere than in the main window.
    answered_aside: bool,
    /// The person has closed the small window.
    small_closed: bool,
    /// It ends with the main window. Until it has, the small window would show up for a moment.
    is_let_go: bool,
}

/// The main window.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
enum Main {
    #[default]
    Closed,
    Minimised,
    Open {
        focused: bool,
    },
}

/// See the module.
#[derive(Debug, Default)]
pub struct Desk {
    main: Main,
    tray: bool,
    call: Option<Followed>,
    asks_to_close: bool,
}

impl Desk {
    /// What follows from everything that has happened.
    #[must_use]
    pub fn view(&self) -> DeskView {
        let call = self.call.as_ref();
        DeskView {
            call: call.map(|call| call.place).unwrap_or_default(),
            silent: call.is_some_and(|call| call.silent),
            asks_to_close: self.asks_to_close,
            small_window: call.is_some_and(|call| {
                call.stage == Stage::GoesOn
                    && !call.small_closed
                    && !call.is_let_go
                    && !matches!(self.main, Main::Open { .. })
            }),
            main_window: call.is_some_and(|call| call.answered_aside),
        }
    }

    /// The call as it stands now, and whether the person does not wish to be disturbed.
    pub fn follow(&mut self, now: Option<&CallView>, do_not_disturb: bool) {
        let Some(now) = now else {
            self.call = None;
            self.asks_to_close = false;
            return;
        };
        let stage = Stage::of(&now.phase);
        let in_use = self.main == Main::Open { focused: true };
        let known = self.call.take().filter(|call| call.id == now.call_id);
        let mut call = known.unwrap_or_else(|| Followed {
            id: now.call_id.clone(),
            stage,
            place: match stage {
                // Whoever works in the main window looks at it; and nothing gets in the way of those who want peace.
                Stage::Rings if !in_use && !do_not_disturb => CallPlace::RingingWindow,
                _ => CallPlace::MainWindow,
            },
            silent: false,
            answered_aside: false,
            small_closed: false,
            is_let_go: false,
        });
        call.stage = stage;
        call.answered_aside |= stage == Stage::GoesOn && call.place != CallPlace::MainWindow;
        call.place = match (stage, call.place) {
            (Stage::GoesOn, _) => CallPlace::MainWindow,
            (Stage::Over, CallPlace::RingingWindow) => CallPlace::Nowhere,
            (_, place) => place,
        };
        self.call = Some(call);
        self.asks_to_close &= stage == Stage::GoesOn;
    }

    /// Whether the call is over and was never shown where its end could be seen: it is to be cleared away.
    #[must_use]
    pub fn is_done_with(&self) -> bool {
        let call = self.call.as_ref();
        call.is_some_and(|call| call.stage == Stage::Over && call.place == CallPlace::Nowhere)
    }

    /// Whether windows can be brought back from a tray icon.
    pub fn set_tray(&mut self, there: bool) {
        self.tray = there;
    }

    /// The person has asked to see the main window. A ringing that they had put away is shown there, without a sound.
    pub fn main_asked_for(&mut self) {
        if let Some(call) = &mut self.call
            && call.stage == Stage::Rings
            && call.place == CallPlace::Nowhere
        {
            call.place = CallPlace::MainWindow;
        }
    }

    /// The main window is there, and has the focus or not.
    pub fn main_open(&mut self, focused: bool) {
        self.main = Main::Open { focused };
        if let Some(call) = &mut self.call {
            call.small_closed = false;
        }
    }

    /// The main window is out of sight.
    pub fn main_minimised(&mut self) {
        self.main = Main::Minimised;
    }

    /// The main window has gone.
    pub fn main_closed(&mut self) {
        self.main = Main::Closed;
        self.asks_to_close = false;
    }

    /// Whether it makes a difference how the main window is.
    #[must_use]
    pub fn is_main_watched(&self) -> bool {
        let goes_on = |call: &Followed| call.stage == Stage::GoesOn;
        self.main != Main::Closed && self.call.as_ref().is_some_and(goes_on)
    }

    /// Somebody wants the main window closed. `keeps_call` is what the person has answered once.
    pub fn close_main(&mut self, keeps_call: Option<bool>) -> Closing {
        if !self.tray {
            return Closing::Minimise;
        }
        let goes_on = self
            .call
            .as_ref()
            .is_some_and(|call| call.stage == Stage::GoesOn);
        match keeps_call {
            None if goes_on => {
                self.asks_to_close = true;
                Closing::Ask
            }
            _ => {
                self.asks_to_close = false;
                let ends_call = goes_on && keeps_call == Some(false);
                if ends_call && let Some(call) = &mut self.call {
                    call.is_let_go = true;
                }
                Closing::Release { ends_call }
            }
        }
    }

    /// The person wants the window to stay after all.
    pub fn stay_open(&mut self) {
        self.asks_to_close = false;
    }

    /// The person has closed the ringing window: nothing rings here any more; their other devices go on.
    pub fn dismiss_ringing(&mut self) {
        if let Some(call) = &mut self.call
            && call.stage == Stage::Rings
        {
            call.place = CallPlace::Nowhere;
            call.silent = true;
        }
    }

    /// The ringing window could not be opened.
    pub fn ring_in_main(&mut self) {
        if let Some(call) = &mut self.call
            && call.place == CallPlace::RingingWindow
        {
            call.place = CallPlace::MainWindow;
        }
    }

    /// The person has closed the small window.
    pub fn close_small(&mut self) {
        if let Some(call) = &mut self.call {
            call.small_closed = true;
        }
    }
}

#[cfg(test)]
mod tests;
