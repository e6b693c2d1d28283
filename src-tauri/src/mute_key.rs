//! The keys that mute and unmute from anywhere, whichever window has the focus. The system is asked for them only while
//! some are set.

use std::{cell::RefCell, sync::Once};

use global_hotkey::{Error, GlobalHotKeyEvent, GlobalHotKeyManager, HotKeyState, hotkey::HotKey};
use serde::Serialize;
use tauri::AppHandle;
use tokio::sync::oneshot;
use ts_rs::TS;
use vireo_client::control::Order;

use crate::{app::App, session};

/// What the settings show of them.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, TS)]
#[serde(rename_all = "camelCase")]
pub struct MuteKeyView {
    /// Their places on the keyboard, as in `Control+Alt+KeyM`; null while none are set.
    pub keys: Option<String>,
    /// Why they do nothing, or none can be set; null while they can.
    pub problem: Option<MuteKeyProblem>,
}

/// Why keys cannot be used.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, TS)]
#[serde(rename_all = "camelCase")]
pub enum MuteKeyProblem {
    /// The session lets no program hear keys that are pressed elsewhere.
    Unavailable,
    /// The system or another program has them.
    Taken,
    /// The system does not give them; X11 so, where no layout of the keyboard has such a key.
    Withheld,
    /// They are no keys for this.
    Refused,
}

impl From<Error> for MuteKeyProblem {
    fn from(error: Error) -> Self {
        match error {
            Error::AlreadyRegistered(_) => Self::Taken,
            Error::FailedToRegister(_) => Self::Withheld,
            _ => Self::Refused,
        }
    }
}

thread_local! {
    /// On the main thread alone: two systems tell of keys nowhere else.
    static HELD: RefCell<Option<(GlobalHotKeyManager, HotKey)>> = const { RefCell::new(None) };
}

/// What there is before any are set.
#[must_use]
pub fn at_first() -> MuteKeyView {
    MuteKeyView {
        keys: None,
        problem: session::is_wayland().then_some(MuteKeyProblem::Unavailable),
    }
}

/// Lets these keys mute from now on, and no others; those before stay where these cannot be had.
///
/// # Errors
/// Why they cannot be had.
pub async fn hold(handle: &AppHandle, keys: Option<&str>) -> Result<(), MuteKeyProblem> {
    if session::is_wayland() {
        return keys.map_or(Ok(()), |_| Err(MuteKeyProblem::Unavailable));
    }
    let wanted = keys.map(read).transpose()?;
    follow(handle);
    let (done, outcome) = oneshot::channel();
    let held = handle.run_on_main_thread(move || {
        // Nobody waits any more when the application ends.
        let _ = done.send(HELD.with_borrow_mut(|held| exchange(held, wanted)));
    });
    held.map_err(|_| MuteKeyProblem::Refused)?;
    outcome.await.unwrap_or(Err(MuteKeyProblem::Refused))
}

fn exchange(
    held: &mut Option<(GlobalHotKeyManager, HotKey)>,
    wanted: Option<HotKey>,
) -> Result<(), MuteKeyProblem> {
    let Some(wanted) = wanted else {
        // What held them lets them go when it is dropped.
        *held = None;
        return Ok(());
    };
    match held {
        Some((_, before)) if *before == wanted => Ok(()),
        Some((manager, before)) => {
            manager.register(wanted)?;
            let old = std::mem::replace(before, wanted);
            Ok(manager.unregister(old)?)
        }
        None => {
            let manager = GlobalHotKeyManager::new()?;
            manager.register(wanted)?;
            *held = Some((manager, wanted));
            Ok(())
        }
    }
}

/// Keys that are written by mistake, such as a letter alone, would be lost to every other program.
fn read(keys: &str) -> Result<HotKey, MuteKeyProblem> {
    use global_hotkey::hotkey::Modifiers;

    let key: HotKey = keys.parse().map_err(|_| MuteKeyProblem::Refused)?;
    let modified = key
        .mods
        .intersects(Modifiers::CONTROL | Modifiers::ALT | Modifiers::SUPER);
    let name = key.key.to_string();
    let is_function = name
        .strip_prefix('F')
        .is_some_and(|n| n.parse::<u8>().is_ok());
    match modified || is_function {
        true => Ok(key),
        false => Err(MuteKeyProblem::Refused),
    }
}

/// Does what the keys say, for as long as the application runs.
fn follow(handle: &AppHandle) {
    static ONCE: Once = Once::new();
    ONCE.call_once(|| {
        let handle = handle.clone();
        GlobalHotKeyEvent::set_event_handler(Some(move |event: GlobalHotKeyEvent| {
            if event.state == HotKeyState::Pressed {
                tauri::async_runtime::spawn(toggle(handle.clone()));
            }
        }));
    });
}

async fn toggle(handle: AppHandle) {
    use tauri::Manager;

    let app = handle.state::<std::sync::Arc<App>>().inner().clone();
    let Ok(client) = app.client() else { return };
    if let Err(refusal) = client.obey(Order::ToggleMute).await {
        tracing::debug!(%refusal, "the keys for muting did nothing");
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_that_people_type_with_are_refused() {
        for keys in ["Control+Alt+KeyM", "Alt+Shift+Digit1", "Super+KeyM", "F9"] {
            assert!(read(keys).is_ok(), "{keys}");
        }
        for keys in [
            "KeyM",
            "Shift+KeyM",
            "Space",
            "Control+Alt",
            "",
            "KeyM+Alt",
            "M+",
        ] {
            assert_eq!(read(keys), Err(MuteKeyProblem::Refused), "{keys}");
        }
    }
}
