//! Every screen in both languages and themes, left in `target/screens/` for people to look at. Most are shown with views that
//! are made up; what moves is in `desktop_call.rs` and `desktop_trouble.rs`.
#![cfg(target_os = "linux")]

use serde_json::{Value, json};
use tempfile::TempDir;
use vireo_protocol::{Contact, ContactStatus};
use vireo_tests::{
    accessibility,
    display::Display,
    views::{call, contact, home, show, show_joining, show_welcome, show_with_toasts},
    webdriver::keys,
    window::{Window, WindowOptions},
};

const ANNA: &str = "Anna Lindqvist";
const LONG: &str = "Bartholomäus von Hohenstein-Wittgenburg zu Lichtenfels";

/// The seventh of November 2026, 12:00 UTC.
const SEEN: i64 = 1_794_052_800_000;

/// The smallest that the window can be made.
const SMALLEST: (u32, u32) = (720, 540);

fn people() -> Vec<Contact> {
    use ContactStatus::{Contact as Friend, Incoming, Requested};
    let mut people = vec![
        contact(ANNA, Friend, true),
        contact(
            "Александра Константинопольская-Преображенская",
            Friend,
            true,
        ),
        contact(LONG, Friend, false),
        contact("mei1987", Friend, false),
        contact("Omar", Requested, false),
        contact("Priya Raman", Incoming, false),
        contact("Echo test", Friend, true),
    ];
    people[3].display_name = Some("Mei Tanaka".to_owned());
    people[3].last_seen_at = Some(SEEN);
    people
}

/// A window and the endings of its pictures' names.
struct Gallery {
    window: Window,
    language: &'static str,
    theme: &'static str,
    _folder: TempDir,
}

impl Gallery {
    async fn open(display: &Display, language: &'static str, dark: bool) -> anyhow::Result<Self> {
        let folder = tempfile::tempdir()?;
        let options = WindowOptions {
            language,
            dark,
            ..WindowOptions::of(folder.path(), "anna")
        };
        let window = Window::open(display, &options).await?;
        window.find("#link").await?;
        let theme = if dark { "dark" } else { "light" };
        Ok(Self {
            window,
            language,
            theme,
            _folder: folder,
        })
    }

    async fn picture(&self, name: &str) -> anyhow::Result<()> {
        let (language, theme) = (self.language, self.theme);
        self.window
            .screenshot(&format!("{name}.{language}.{theme}"))
            .await?;
        self.accessible(name).await
    }

    async fn screen(&self, name: &str, screen: &Value) -> anyhow::Result<()> {
        show(&self.window, screen, &[]).await?;
        self.picture(name).await
    }

    /// A call is as dark in either theme.
    async fn call(&self, name: &str, call: Value) -> anyhow::Result<()> {
        show(&self.window, &home(&people(), call), &[]).await?;
        self.window
            .screenshot(&format!("{name}.{}", self.language))
            .await?;
        self.accessible(name).await
    }

    /// Colours and roles are the same in every language.
    async fn accessible(&self, name: &str) -> anyhow::Result<()> {
        if self.language == "en" {
            accessibility::check(&self.window, name).await?;
        }
        Ok(())
    }

    /// Every page of the settings, which are open.
    async fn settings(&self) -> anyhow::Result<()> {
        self.settings_as("settings").await
    }

    async fn settings_as(&self, name: &str) -> anyhow::Result<()> {
        for page in [
            "profile",
            "video",
            "notifications",
            "shortcuts",
            "privacy",
            "network",
            "appearance",
            "about",
            "audio",
        ] {
            self.window.click(&format!("[data-page={page}]")).await?;
            self.picture(&format!("{name}-{page}")).await?;
        }
        Ok(())
    }

    async fn start(&self) -> anyhow::Result<()> {
        self.picture("first-run").await?;
        show_welcome(&self.window, ANNA).await?;
        self.picture("first-run-other-accounts").await?;
        self.window.click("[data-action=host]").await?;
        self.picture("first-run-host").await?;
        self.joining().await?;
        self.screen("starting", &json!({ "kind": "starting" }))
            .await?;
        self.screen("waiting", &json!({ "kind": "waiting" }))
            .await?;
        for code in [
            "alreadyOpen",
            "files",
            "versionMismatch",
            "notAVireoServer",
            "other",
        ] {
            let known = code == "alreadyOpen";
            let detail = if known {
                ""
            } else {
                "/home/jonas/.local/share/vireo: Permission denied (os error 13)"
            };
            let failed = json!({ "kind": "failed", "code": code, "detail": detail });
            self.screen(&format!("failed-{code}"), &failed).await?;
        }
        Ok(())
    }

    /// Invitations that were opened here, and giving one.
    async fn joining(&self) -> anyhow::Result<()> {
        let nobody =
            json!({ "kind": "firstRun", "suggestedName": "", "server": null, "lost": null });
        let elsewhere = json!({
            "kind": "elsewhere", "name": "Jonas Weber", "server": "vireo.example.org", "known": false,
        });
        for (name, inviter, standing) in [
            ("join", ANNA, json!({ "kind": "new" })),
            ("join-member", ANNA, json!({ "kind": "member" })),
            ("join-elsewhere-long-name", LONG, elsewhere),
        ] {
            let step = json!({
                "kind": "invited", "server": "Lindqvist", "inviter": inviter, "name": "Jonas Weber",
                "standing": standing,
            });
            show_joining(&self.window, &nobody, &step).await?;
            self.picture(name).await?;
        }
        let looking = json!({ "kind": "looking" });
        show_joining(&self.window, &nobody, &looking).await?;
        self.picture("join-looking").await?;
        for problem in [
            "notALink",
            "usedUp",
            "own",
            "unreachable",
            "wrongServer",
            "untrusted",
            "notAServer",
            "version",
            "rateLimited",
            "other",
        ] {
            let failed = json!({ "kind": "failed", "problem": problem });
            show_joining(&self.window, &nobody, &failed).await?;
            self.picture(&format!("join-{problem}")).await?;
        }
        let signed_in = home(&people(), Value::Null);
        for (name, inviter) in [("join-joined", ANNA), ("join-joined-offline", LONG)] {
            let joined = json!({ "kind": "joined", "inviter": format!("user-{inviter}") });
            show_joining(&self.window, &signed_in, &joined).await?;
            self.picture(name).await?;
        }
        show(&self.window, &signed_in, &[]).await?;
        self.window.click("[data-action=invite-somebody]").await?;
        self.picture("invite-closed").await?;
        self.window.click("[data-action=close-invite]").await
    }

    async fn home(&self) -> anyhow::Result<()> {
        let echo = [contact("Echo test", ContactStatus::Contact, true)];
        self.screen("home-empty", &home(&echo, Value::Null)).await?;
        let all = home(&people(), Value::Null);
        for (name, person) in [
            ("person-online", ANNA),
            (
                "person-long-name",
                "Александра Константинопольская-Преображенская",
            ),
            ("person-long-name-offline", LONG),
            ("person-display-name", "mei1987"),
            ("person-requested", "Omar"),
            ("person-asks", "Priya Raman"),
            ("person-echo", "Echo test"),
        ] {
            show(&self.window, &all, &[]).await?;
            self.window
                .click(&format!("[data-contact='{person}'] .person"))
                .await?;
            self.picture(name).await?;
        }
        let mut unreachable = all.clone();
        unreachable["connection"] = "unreachable".into();
        self.screen("home-unreachable", &unreachable).await?;
        show(&self.window, &all, &["camera", "microphone", "speaker"]).await?;
        self.picture("home-stand-ins").await?;
        self.window.click("[data-action=add-contact]").await?;
        self.picture("home-adding").await?;
        self.window.click("[data-action=settings]").await?;
        self.settings().await?;
        let (width, height) = SMALLEST;
        self.window.session().resize(width, height).await?;
        self.settings_as("settings-smallest").await?;
        self.window.click("[data-action=close-settings]").await?;
        self.picture("home-smallest").await?;
        self.window
            .click(&format!("[data-contact='{ANNA}'] .person"))
            .await?;
        self.window.click("[data-action=before-call]").await?;
        self.picture("before-call-smallest").await?;
        self.window.session().resize(1100, 720).await?;
        self.picture("before-call").await?;
        self.window.click("[data-action=preview-camera]").await?;
        self.picture("before-call-camera-off").await?;
        self.window.click("[data-action=leave-before-call]").await?;
        self.window.session().press(&[keys::SHIFT, "/"]).await?;
        self.window.find("[data-shortcuts]").await?;
        self.picture("shortcuts").await?;
        self.window.click("[data-action=close-shortcuts]").await
    }

    async fn calls(&self) -> anyhow::Result<()> {
        for phase in ["calling", "ringing", "connecting", "reconnecting"] {
            self.call(phase, call(ANNA, &json!({ "kind": phase })))
                .await?;
        }
        let mut incoming = call(ANNA, &json!({ "kind": "incoming" }));
        incoming["direction"] = "incoming".into();
        self.call("incoming", incoming.clone()).await?;
        incoming["remote"]["camera"] = false.into();
        incoming["peer"]["name"] = LONG.into();
        self.call("incoming-audio-long-name", incoming).await?;

        let mut shaky = call(ANNA, &json!({ "kind": "connected" }));
        shaky["connection"] = "unstable".into();
        self.call("connection-unstable", shaky.clone()).await?;
        shaky["connection"] = "poor".into();
        shaky["local"]["videoPaused"] = true.into();
        self.call("connection-poor", shaky.clone()).await?;
        let (width, height) = SMALLEST;
        self.window.session().resize(width, height).await?;
        self.call("connection-poor-smallest", shaky.clone()).await?;
        self.window.session().resize(1100, 720).await?;
        shaky["connection"] = "good".into();
        shaky["local"]["videoPaused"] = false.into();
        shaky["remote"] = json!({ "microphone": true, "camera": false, "videoPaused": true });
        self.call("connection-poor-of-the-other", shaky).await?;

        let off = json!({ "microphone": false, "camera": false });
        let mut connected = call(ANNA, &json!({ "kind": "connected" }));
        connected["local"]["camera"] = false.into();
        connected["remote"]["camera"] = false.into();
        self.call("audio-only", connected.clone()).await?;
        connected["local"] = off.clone();
        connected["remote"] = off;
        self.call("all-off", connected.clone()).await?;
        connected["peer"]["name"] = LONG.into();
        connected["serverReachable"] = false.into();
        connected["notices"] = [
            ("camera", "taken"),
            ("microphone", "denied"),
            ("speaker", "missing"),
        ]
        .map(|(kind, cause)| json!({ "kind": kind, "cause": cause, "message": "" }))
        .into();
        self.call("notices-long-name", connected.clone()).await?;
        let (width, height) = SMALLEST;
        self.window.session().resize(width, height).await?;
        self.call("notices-smallest", connected.clone()).await?;
        self.window.session().resize(1100, 720).await?;
        connected["phase"]["kind"] = "reconnecting".into();
        self.call("reconnecting-muted", connected.clone()).await?;
        connected["serverReachable"] = false.into();
        self.call("reconnecting-offline", connected).await
    }

    async fn voices(&self) -> anyhow::Result<()> {
        let mut sound = call(ANNA, &json!({ "kind": "connected" }));
        sound["local"]["camera"] = false.into();
        sound["remote"]["camera"] = false.into();
        sound["speaking"] = json!({ "local": true, "remote": true });
        self.call("speaking", sound.clone()).await?;
        self.window.click("[data-action=microphone-menu]").await?;
        self.call("microphone-menu", sound.clone()).await?;
        self.window.click("[data-action=camera-menu]").await?;
        self.call("camera-menu", sound.clone()).await?;
        self.window.click("[data-action=camera-menu]").await?;
        self.window.click("[data-action=more]").await?;
        self.call("more-menu", sound.clone()).await?;
        self.window.click("[data-action=statistics]").await?;
        self.call("statistics-empty", sound.clone()).await?;
        self.window.click("[data-action=close-statistics]").await?;
        show_with_toasts(&self.window, &home(&people(), sound.clone())).await?;
        self.window
            .screenshot(&format!("device-toasts.{}", self.language))
            .await?;
        self.window.click("[data-action=microphone-menu]").await?;
        self.window.click("[data-action=audio-settings]").await?;
        self.call("settings-in-call", sound.clone()).await?;
        self.window.click("[data-action=close-settings]").await?;
        sound["speaking"] = json!({ "local": false, "remote": false });
        sound["microphoneHint"] = "hearsNothing".into();
        self.call("microphone-hears-nothing", sound.clone()).await?;
        sound["local"]["microphone"] = false.into();
        sound["microphoneHint"] = "speaksWhileMuted".into();
        self.call("muted-hint", sound.clone()).await?;
        let (width, height) = SMALLEST;
        self.window.session().resize(width, height).await?;
        self.call("muted-hint-smallest", sound).await?;
        self.window.session().resize(1100, 720).await
    }

    async fn ends(&self) -> anyhow::Result<()> {
        for reason in [
            "hungUp",
            "remoteHungUp",
            "cancelled",
            "callerCancelled",
            "declined",
            "declinedHere",
            "noAnswer",
            "missed",
            "busy",
            "offline",
            "accessDenied",
            "answeredElsewhere",
            "declinedElsewhere",
            "connectionFailed",
            "noRelay",
            "connectionLost",
            "remoteGone",
            "serverUnreachable",
            "refused",
        ] {
            let mut ended = call(ANNA, &json!({ "kind": "ended", "reason": reason }));
            if ["hungUp", "remoteHungUp", "connectionLost", "remoteGone"].contains(&reason) {
                ended["connectedAtMs"] = 1_000.into();
                ended["endedAtMs"] = 755_000.into();
            }
            self.call(&format!("ended-{reason}"), ended).await?;
            self.window
                .find(&format!("[data-reason={reason}] h1"))
                .await?;
        }
        Ok(())
    }
}

#[tokio::test]
async fn every_screen_in_english() -> anyhow::Result<()> {
    let display = Display::start()?;
    let light = Gallery::open(&display, "en", false).await?;
    light.start().await?;
    light.home().await?;
    light.calls().await?;
    light.voices().await?;
    light.ends().await?;
    light.window.close().await?;
    let dark = Gallery::open(&display, "en", true).await?;
    dark.start().await?;
    dark.home().await?;
    dark.window.close().await
}

#[tokio::test]
async fn every_screen_in_russian() -> anyhow::Result<()> {
    let display = Display::start()?;
    let dark = Gallery::open(&display, "ru", true).await?;
    dark.start().await?;
    dark.home().await?;
    dark.calls().await?;
    dark.voices().await?;
    dark.ends().await?;
    dark.window.close().await?;
    let light = Gallery::open(&display, "ru", false).await?;
    light.start().await?;
    light.home().await?;
    light.window.close().await
}

/// As on a screen with so many pixels that the system draws everything with twice as many.
#[tokio::test]
async fn screens_with_twice_the_pixels() -> anyhow::Result<()> {
    let display = Display::start()?;
    let folder = tempfile::tempdir()?;
    let mut options = WindowOptions {
        language: "ru",
        dark: true,
        ..WindowOptions::of(folder.path(), "anna")
    };
    options.variables.push(("GDK_SCALE", "2"));
    let window = Window::open(&display, &options).await?;
    window.find("#link").await?;
    window.holds("devicePixelRatio === 2").await?;
    let (width, height) = SMALLEST;
    window.session().resize(width, height).await?;
    show(&window, &home(&people(), Value::Null), &[]).await?;
    window.screenshot("home-twice.ru.dark").await?;
    window.click("[data-action=settings]").await?;
    window.click("[data-page=network]").await?;
    window.screenshot("settings-network-twice.ru.dark").await?;
    window.click("[data-action=close-settings]").await?;
    let mut connected = call(LONG, &json!({ "kind": "connected" }));
    connected["remote"]["camera"] = false.into();
    show(&window, &home(&people(), connected), &[]).await?;
    window.screenshot("call-twice.ru").await?;
    window.close().await
}

#[tokio::test]
async fn nothing_jumps_when_a_person_or_a_notice_comes_or_goes() -> anyhow::Result<()> {
    let display = Display::start()?;
    let Gallery { window, .. } = Gallery::open(&display, "en", false).await?;
    let mut places = Vec::new();
    for (status, online, stand_ins) in [
        (ContactStatus::Requested, false, &[] as &[&str]),
        (ContactStatus::Contact, true, &[]),
        (ContactStatus::Contact, false, &[]),
        (
            ContactStatus::Contact,
            true,
            &["camera", "microphone", "speaker"],
        ),
    ] {
        let screen = home(&[contact(ANNA, status, online)], Value::Null);
        show(&window, &screen, stand_ins).await?;
        if places.is_empty() {
            window.click("[data-contact] .person").await?;
            window.find("section h2").await?;
        }
        let top = "return document.querySelector('section h2').getBoundingClientRect().top";
        places.push(window.session().execute(top).await?);
    }
    assert!(places.iter().all(|place| *place == places[0]), "{places:?}");
    window.close().await
}
