//! Views as the application sends them to its window, made up: for screens that no test can bring about in reasonable time.

use std::time::SystemTime;

use serde_json::{Value, json};
use vireo_protocol::{ChatId, Contact, ContactStatus, Presence, UserId};

use crate::window::Window;

/// More than any view of the application itself, which is not shown any more after a made-up one.
const REVISION: u64 = 1_000_000;

/// A person in the list.
#[must_use]
pub fn contact(name: &str, status: ContactStatus, online: bool) -> Contact {
    let contact = status == ContactStatus::Contact;
    Contact {
        user_id: UserId(format!("user-{name}")),
        name: name.to_owned(),
        display_name: None,
        avatar: None,
        status,
        chat_id: contact.then(|| ChatId(format!("chat-{name}"))),
        presence: if online {
            Presence::Online
        } else {
            Presence::Offline
        },
        last_seen_at: None,
        service: name == "Echo test",
    }
}

/// Somebody signed in, with these people and perhaps a call.
#[must_use]
pub fn home(contacts: &[Contact], call: Value) -> Value {
    json!({
        "kind": "home",
        "connection": "online",
        "me": { "id": "user-me", "name": "Jonas Weber" },
        "status": "online",
        "contacts": contacts,
        "call": call,
        "servers": ["https://vireo.example.org"],
        "avatar": null,
        "missed": [],
        "recent": [],
        "hasRelay": true,
    })
}

/// A call with this person, in this phase; microphones and cameras on.
#[must_use]
pub fn call(name: &str, phase: &Value) -> Value {
    let on = json!({ "microphone": true, "camera": true });
    let connected = ["connected", "reconnecting"].contains(&phase["kind"].as_str().unwrap_or(""));
    json!({
        "callId": format!("call-{phase}"),
        "chatId": format!("chat-{name}"),
        "peer": { "userId": format!("user-{name}"), "name": name },
        "direction": "outgoing",
        "phase": phase,
        "local": on,
        "remote": on,
        "speaking": { "local": false, "remote": false },
        "microphoneHint": null,
        "connection": "good",
        "connectedAtMs": connected.then(a_while_ago),
        "endedAtMs": null,
        "serverReachable": true,
        "notices": [],
    })
}

/// Twelve minutes and a half ago, in Unix milliseconds.
fn a_while_ago() -> u128 {
    let now = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH);
    now.unwrap_or_default().as_millis().saturating_sub(754_000)
}

/// Shows a screen in a real window, as if the application had sent it.
///
/// # Errors
/// When the page does not listen for views, or shows gaps.
pub async fn show(window: &Window, screen: &Value, stand_ins: &[&str]) -> anyhow::Result<()> {
    send(window, screen, stand_ins, &[]).await
}

/// The same, after one headset has been plugged in and another one has gone.
///
/// # Errors
/// As [`show`].
pub async fn show_with_toasts(window: &Window, screen: &Value) -> anyhow::Result<()> {
    let uses = ["microphone", "speaker"].map(|device| json!({ "device": device, "id": "headset" }));
    let appeared = json!({ "kind": "appeared", "name": "USB Headset", "uses": uses });
    let gone = json!({
        "kind": "gone", "device": "speaker", "name": "AirPods", "using": "Built-in speakers",
    });
    let toasts = [
        json!({ "id": 1, "what": appeared }),
        json!({ "id": 2, "what": gone }),
    ];
    send(window, screen, &[], &toasts).await
}

async fn send(
    window: &Window,
    screen: &Value,
    stand_ins: &[&str],
    toasts: &[Value],
) -> anyhow::Result<()> {
    let voice =
        json!({ "echoCancellation": true, "noiseSuppression": "standard", "automaticGain": true });
    let view = json!({
        "revision": REVISION,
        "screen": screen,
        "standIns": stand_ins,
        "voice": voice,
        "fullHd": false,
        "devices": devices(toasts),
        "accounts": accounts(&[]),
        "joining": null,
        "appearance": { "theme": "system", "language": "system" },
        "keepsCallWhenClosing": null,
        "muteKey": { "keys": null, "problem": null },
        "alerts": { "notifications": true, "ringtone": true, "secondSpeaker": null },
        "rehearsal": { "sound": "none", "microphone": null, "speaker": null, "camera": null },
        "version": "0.1.0",
        "answeredFromOutside": null,
        "iceServers": [],
        "relayOnly": false,
        "desk": { "call": "mainWindow", "silent": false, "asksToClose": false },
    });
    paint(window, &view).await
}

/// Shows an invitation that was opened, in front of this screen.
///
/// # Errors
/// As [`show`].
pub async fn show_joining(window: &Window, screen: &Value, step: &Value) -> anyhow::Result<()> {
    let joining = json!({ "address": "192.168.178.20:7450", "step": step });
    let view = json!({
        "revision": REVISION,
        "screen": screen,
        "standIns": [],
        "voice": {},
        "devices": devices(&[]),
        "accounts": accounts(&[]),
        "joining": joining,
        "answeredFromOutside": null,
        "iceServers": [],
        "relayOnly": false,
    });
    paint(window, &view).await
}

/// Shows the first screen to somebody who has set accounts aside.
///
/// # Errors
/// As [`show`].
pub async fn show_welcome(window: &Window, name: &str) -> anyhow::Result<()> {
    let others = [
        json!({ "id": null, "name": name, "server": null }),
        json!({ "id": "https://vireo.example.org", "name": name, "server": "vireo.example.org" }),
    ];
    let view = json!({
        "revision": REVISION,
        "screen": { "kind": "firstRun", "suggestedName": name, "server": null, "lost": null },
        "standIns": [],
        "voice": {},
        "devices": devices(&[]),
        "accounts": accounts(&others),
        "joining": null,
        "answeredFromOutside": null,
        "iceServers": [],
        "relayOnly": false,
    });
    paint(window, &view).await
}

fn accounts(others: &[Value]) -> Value {
    json!({ "server": null, "secrets": "file", "open": false, "others": others })
}

async fn paint(window: &Window, view: &Value) -> anyhow::Result<()> {
    let script = format!("const payload = {view};{SEND}");
    let heard = window.session().execute(&script).await?;
    anyhow::ensure!(heard == true, "the page does not listen for views");
    let text = window.text().await?;
    for gap in ["undefined", "null", "NaN", "[object"] {
        anyhow::ensure!(!text.contains(gap), "“{gap}” in {text}");
    }
    Ok(())
}

fn devices(toasts: &[Value]) -> Value {
    let menu = |names: &[&str]| {
        let devices: Vec<_> = names
            .iter()
            .map(|name| json!({ "id": name, "name": name }))
            .collect();
        json!({ "default": names.first(), "devices": devices, "chosen": null })
    };
    json!({
        "camera": menu(&["Integrated Camera", "Logitech HD Pro Webcam C920"]),
        "microphone": menu(&["Built-in microphone", "Beyerdynamic MMX 300 with a name that is longer than any menu"]),
        "speaker": menu(&["Built-in speakers"]),
        "rotation": { "camera": "Integrated Camera", "rotation": "none" },
        "toasts": toasts,
    })
}

/// Calls whoever listens for views, with the function that Tauri itself calls.
const SEND: &str = "
const listeners = window.__internal_unstable_listeners_object_id__?.view;
if (listeners === undefined) return false;
window.__internal_unstable_listeners_function_id__({ event: 'view', payload }, Object.getOwnPropertyNames(listeners));
return true;
";
