//! The real application in a real window, driven as a person would, through tauri-driver and WebKitWebDriver.

mod fields;

use std::{
    net::TcpListener,
    ops::Range,
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    sync::atomic::{AtomicUsize, Ordering},
    time::Duration,
};

use anyhow::{Context, bail, ensure};
use base64::{Engine as _, prelude::BASE64_STANDARD};
use serde_json::json;
use tokio::time::{Instant, sleep};

use crate::{
    binaries::binary,
    display::Display,
    gallery,
    network::{Computer, Door},
    process_tree, repository,
    stamp::{self, Stamp},
    webdriver::{Element, Session},
};

/// How long something may take to appear. Generous: several windows may be painted by one busy processor.
const PATIENCE: Duration = Duration::from_secs(45);

/// How much of a log is shown, in bytes.
const LAST_WORDS: usize = 4_000;

/// Between two looks.
const LOOK: Duration = Duration::from_millis(100);

/// How a window is to be started.
#[derive(Default, Clone)]
pub struct WindowOptions<'a> {
    /// Account and settings.
    pub profile: PathBuf,
    /// Another server than the one inside.
    pub server: Option<String>,
    /// The language of the system, such as `ru`.
    pub language: &'a str,
    /// Whether the system's theme is dark.
    pub dark: bool,
    /// Whether a test picture, a tone and silence stand in for devices that are not there.
    pub stand_ins: bool,
    /// An invitation to open.
    pub link: Option<String>,
    /// Another program than the one that was built here.
    pub application: Option<PathBuf>,
    /// Further environment variables.
    pub variables: Vec<(&'a str, &'a str)>,
    /// A computer with a network of its own; none: this one.
    pub computer: Option<Computer>,
}

impl WindowOptions<'_> {
    /// A person whose account and settings lie in a folder of this name, and who has no devices: a test picture with a time
    /// code, a tone, and silence.
    #[must_use]
    pub fn of(folder: &Path, name: &str) -> Self {
        Self {
            profile: folder.join(name),
            variables: vec![
                ("VIREO_CAMERA", "pattern"),
                ("VIREO_MICROPHONE", "tone"),
                ("VIREO_SPEAKER", "none"),
            ],
            ..Self::default()
        }
    }
}

/// An open window. Closed, with everything that was started for it, when dropped.
pub struct Window {
    session: Session,
    clicks: AtomicUsize,
    driver: Driver,
    log: PathBuf,
    /// The way to the driver, where that is at another computer.
    _door: Option<Door>,
}

/// tauri-driver and what it started: a process group.
struct Driver(Child);

impl Drop for Driver {
    fn drop(&mut self) {
        let group = format!("-{}", self.0.id());
        let kill = |signal| {
            Command::new("kill")
                .args([signal, "--", &group])
                .stderr(Stdio::null())
                .status()
        };
        // Asked first, so that the application can take back what it has published.
        let _ = kill("-TERM");
        for _ in 0..100 {
            if matches!(self.0.try_wait(), Ok(Some(_))) {
                break;
            }
            std::thread::sleep(Duration::from_millis(50));
        }
        let _ = kill("-KILL");
        let _ = self.0.wait();
    }
}

impl Window {
    /// Opens the application.
    ///
    /// # Errors
    /// When the application, tauri-driver or WebKitWebDriver is missing, or no window opens.
    pub async fn open(display: &Display, options: &WindowOptions<'_>) -> anyhow::Result<Self> {
        std::fs::create_dir_all(&options.profile)?;
        let log = options.profile.join("window.log");
        let (driver, mut port) = start_driver(display, options, &log)?;
        let door = match &options.computer {
            Some(computer) => Some(Door::to(computer, port).await?),
            None => None,
        };
        if let Some(door) = &door {
            port = door.port();
        }
        let mut arguments = vec![
            "--profile".to_owned(),
            options.profile.display().to_string(),
        ];
        if let Some(server) = &options.server {
            arguments.extend(["--server".to_owned(), server.clone()]);
        }
        if options.stand_ins {
            arguments.push("--stand-ins".to_owned());
        }
        arguments.extend(options.link.clone());
        let application = options.application.clone();
        let application = application.map_or_else(|| binary("vireo"), Ok)?;
        let capabilities = json!({
            "tauri:options": { "application": application, "args": arguments },
        });
        let session = Session::start(&format!("http://127.0.0.1:{port}"), capabilities).await?;
        Ok(Self {
            session,
            clicks: AtomicUsize::new(0),
            driver,
            log,
            _door: door,
        })
    }

    /// The WebDriver session, for what has no method here.
    #[must_use]
    pub fn session(&self) -> &Session {
        &self.session
    }

    /// The application's own process; the web view's are below it.
    ///
    /// # Errors
    /// When it has ended.
    pub fn application(&self) -> anyhow::Result<u32> {
        process_tree::find(self.driver.0.id(), &binary("vireo")?)
            .context("the application has ended")
    }

    /// Looks at another window of the application from now on, when it is there: the one that shows this page.
    ///
    /// # Errors
    /// When none does.
    pub async fn look_at(&self, page: &str) -> anyhow::Result<()> {
        let started = Instant::now();
        while !self.finds(page).await? {
            ensure!(started.elapsed() < PATIENCE, "no window shows {page}");
            sleep(LOOK).await;
        }
        Ok(())
    }

    /// Waits until a call rings, and looks at the window in which it does: which one that is depends on the focus.
    ///
    /// # Errors
    /// When none rings.
    pub async fn rings(&self) -> anyhow::Result<()> {
        let started = Instant::now();
        loop {
            for page in ["ringing", "index"] {
                let answer = "[data-action=answer]";
                if self.finds(page).await? && self.session.find(answer).await.is_ok() {
                    return Ok(());
                }
            }
            ensure!(started.elapsed() < PATIENCE, "nothing rings");
            sleep(LOOK).await;
        }
    }

    /// Waits until no window of the application shows this page.
    ///
    /// # Errors
    /// When one goes on showing it.
    pub async fn look_away(&self, page: &str) -> anyhow::Result<()> {
        let started = Instant::now();
        while self.finds(page).await? {
            ensure!(started.elapsed() < PATIENCE, "a window still shows {page}");
            sleep(LOOK).await;
        }
        Ok(())
    }

    /// The driver may fail to list them at the moment at which one goes, and is asked again.
    async fn windows(&self) -> anyhow::Result<Vec<String>> {
        let started = Instant::now();
        loop {
            match self.session.windows().await {
                Err(_) if started.elapsed() < PATIENCE => sleep(LOOK).await,
                windows => return windows.with_context(|| self.last_words()),
            }
        }
    }

    /// What is left to say of an application that the driver cannot speak with.
    fn last_words(&self) -> String {
        let lives = match self.application() {
            Ok(_) => "the application lives",
            Err(_) => "the application has ended",
        };
        let log = std::fs::read_to_string(&self.log).unwrap_or_default();
        let begin = log.floor_char_boundary(log.len().saturating_sub(LAST_WORDS));
        format!("{lives}, and its log ends with:\n{}", &log[begin..])
    }

    async fn finds(&self, page: &str) -> anyhow::Result<bool> {
        for window in self.windows().await? {
            // One that has just gone is none.
            if self.session.switch_to(&window).await.is_ok()
                && let Ok(path) = self.session.execute("return location.pathname").await
                && path == format!("/{page}.html")
            {
                return Ok(true);
            }
        }
        Ok(false)
    }

    /// Waits for an element, by CSS selector.
    ///
    /// # Errors
    /// When it does not appear.
    pub async fn find(&self, selector: &str) -> anyhow::Result<Element> {
        let started = Instant::now();
        loop {
            match self.session.find(selector).await {
                Ok(element) => return Ok(element),
                Err(error) if started.elapsed() > PATIENCE => {
                    let shown = self.text().await.unwrap_or_default();
                    bail!("{selector} does not appear ({error}); the window shows: {shown}");
                }
                Err(_) => sleep(LOOK).await,
            }
        }
    }

    /// Waits until there is no such element any more.
    ///
    /// # Errors
    /// When it stays.
    pub async fn gone(&self, selector: &str) -> anyhow::Result<()> {
        let started = Instant::now();
        while self.session.find(selector).await.is_ok() {
            ensure!(started.elapsed() < PATIENCE, "{selector} stays");
            sleep(LOOK).await;
        }
        Ok(())
    }

    /// Waits for an element and clicks it.
    ///
    /// # Errors
    /// When it does not appear or cannot be clicked.
    pub async fn click(&self, selector: &str) -> anyhow::Result<()> {
        // The controls of a call fade away while the pointer rests.
        self.session.move_pointer(200, 100).await?;
        self.session.move_pointer(210, 110).await?;
        let element = self.find(selector).await?;
        // The driver does not scroll within a dialog.
        let place = json!(selector);
        let scroll =
            format!("document.querySelector({place})?.scrollIntoView({{ block: 'nearest' }})");
        self.session.execute(&scroll).await?;
        self.clicks.fetch_add(1, Ordering::Relaxed);
        match element.click().await {
            // What was clicked has closed its window.
            Err(error) if error.to_string().starts_with("no such window") => Ok(()),
            clicked => clicked.with_context(|| format!("{selector} cannot be clicked")),
        }
    }

    /// How often something was clicked.
    #[must_use]
    pub fn clicks(&self) -> usize {
        self.clicks.load(Ordering::Relaxed)
    }

    /// Everything that can be read in the window.
    ///
    /// # Errors
    /// When the window does not answer.
    pub async fn text(&self) -> anyhow::Result<String> {
        let text = self
            .session
            .execute("return document.body.innerText")
            .await?;
        // Where a line must not be broken, a person reads a space as well.
        Ok(text.as_str().unwrap_or_default().replace('\u{a0}', " "))
    }

    /// Waits until this can be read in the window.
    ///
    /// # Errors
    /// When it does not appear.
    pub async fn reads(&self, words: &str) -> anyhow::Result<()> {
        let started = Instant::now();
        loop {
            let text = self.text().await?;
            if text.contains(words) {
                return Ok(());
            }
            ensure!(
                started.elapsed() < PATIENCE,
                "“{words}” does not appear in: {text}"
            );
            sleep(LOOK).await;
        }
    }

    /// The first screen: hosts on this computer, where the person may choose, and gives them a name.
    ///
    /// # Errors
    /// When the contact list does not appear.
    pub async fn sign_up(&self, name: &str) -> anyhow::Result<()> {
        self.find("#name, #link").await?;
        if self.session.find("#link").await.is_ok() {
            self.click("[data-action=host]").await?;
        }
        self.fill("#name", name).await?;
        self.click("form button[type=submit]").await?;
        self.find("[data-contact='Echo test']").await?;
        Ok(())
    }

    /// Adds a person by name.
    ///
    /// # Errors
    /// When they do not appear in the list.
    pub async fn add_contact(&self, name: &str) -> anyhow::Result<()> {
        self.click("[data-action=add-contact]").await?;
        self.fill("#add-name", name).await?;
        self.click("form button[type=submit]").await?;
        self.find(&format!("[data-contact='{name}']")).await?;
        Ok(())
    }

    /// Waits until the call is in this phase.
    ///
    /// # Errors
    /// When it does not get there.
    pub async fn phase(&self, phase: &str) -> anyhow::Result<()> {
        self.find(&format!("[data-phase={phase}]")).await?;
        Ok(())
    }

    /// The time code of the remote picture; none while there is none to be read.
    ///
    /// # Errors
    /// When the window does not answer.
    pub async fn remote_stamp(&self) -> anyhow::Result<Option<Stamp>> {
        stamp::read(&self.session).await
    }

    /// Waits for so many different remote pictures whose time code can be read, and returns their ages.
    ///
    /// # Errors
    /// When they do not come.
    pub async fn moving_pictures(&self, count: usize) -> anyhow::Result<Vec<f64>> {
        let started = Instant::now();
        let mut ages = Vec::new();
        let mut codes = std::collections::BTreeSet::new();
        while ages.len() < count {
            if let Some(Stamp { code, age }) = self.remote_stamp().await?
                && codes.insert(code)
            {
                ages.push(age);
            }
            if started.elapsed() > PATIENCE {
                let shown = self.text().await?;
                bail!(
                    "only {} pictures with a time code: {ages:?}; {shown}",
                    ages.len()
                );
            }
            sleep(Duration::from_millis(20)).await;
        }
        Ok(ages)
    }

    /// Leaves a picture of the window in `target/screens/`.
    ///
    /// # Errors
    /// When it cannot be taken or written.
    pub async fn screenshot(&self, name: &str) -> anyhow::Result<()> {
        let folder = screens()?;
        self.picture(&folder.join(format!("{name}.png"))).await?;
        Ok(gallery::write_index(&folder)?)
    }

    /// Leaves a picture of the window in this PNG file.
    ///
    /// # Errors
    /// When it cannot be taken or written.
    pub async fn picture(&self, file: &Path) -> anyhow::Result<()> {
        let started = Instant::now();
        while self.session.execute(CHANGING).await? == true {
            ensure!(started.elapsed() < PATIENCE, "a transition never ends");
            sleep(LOOK).await;
        }
        self.session.execute(KEEP_PAINTING).await?;
        let png = BASE64_STANDARD.decode(self.session.screenshot().await?)?;
        Ok(std::fs::write(file, png)?)
    }

    /// Closes the window as its close button would.
    ///
    /// # Errors
    /// When the driver does not answer.
    pub async fn close(self) -> anyhow::Result<()> {
        self.session.end().await?;
        drop(self.driver);
        Ok(())
    }
}

/// Whether something is on its way from one look to another; what moves for ever, such as a spinner, does not count.
const CHANGING: &str =
    "return document.getAnimations().some((animation) => animation instanceof CSSTransition)";

/// WebKit takes a picture with the next frame that it paints, and waits for ever when there is nothing to paint.
const KEEP_PAINTING: &str = "
const until = performance.now() + 3000;
const root = document.documentElement;
let odd = false;
const paint = () => {
  odd = !odd && performance.now() < until;
  root.style.opacity = odd ? '0.999' : '';
  if (performance.now() < until) requestAnimationFrame(paint);
};
paint();
";

/// Starts tauri-driver; gives the port at which it listens, too.
fn start_driver(
    display: &Display,
    options: &WindowOptions<'_>,
    log: &Path,
) -> anyhow::Result<(Driver, u16)> {
    use std::os::unix::process::CommandExt;

    let (port, native_port) = (free_port()?, free_port()?);
    let log = std::fs::File::create(log)?;
    let theme = if options.dark {
        "Adwaita:dark"
    } else {
        "Adwaita"
    };
    let language = if options.language.is_empty() {
        "en"
    } else {
        options.language
    };
    let program = "tauri-driver";
    let mut command = match &options.computer {
        Some(computer) => computer.command(program),
        None => Command::new(program),
    };
    command
        .args(["--port", &port.to_string()])
        .args(["--native-port", &native_port.to_string()])
        .envs(display.variables())
        .env("GTK_THEME", theme)
        .env("LANGUAGE", language)
        .env("VIREO_LOG", "info")
        .envs(options.variables.iter().copied())
        .stdin(Stdio::null())
        .stdout(log.try_clone()?)
        .stderr(log)
        .process_group(0);
    let child = command
        .spawn()
        .context("tauri-driver is not there: `cargo install tauri-driver --locked`")?;
    Ok((Driver(child), port))
}

/// A port that nothing listens on, and none of those that the system hands out itself: any connection of another program could
/// take one of them before the driver does.
fn free_port() -> anyhow::Result<u16> {
    const OURS: Range<u16> = 20_000..32_000;
    static TRIED: AtomicUsize = AtomicUsize::new(0);

    let first = std::process::id() as usize * 8;
    for _ in OURS {
        let number = first + TRIED.fetch_add(1, Ordering::Relaxed);
        let port = OURS.start + (number % OURS.len()) as u16;
        if TcpListener::bind(("127.0.0.1", port)).is_ok() {
            return Ok(port);
        }
    }
    bail!("no port is free")
}

/// The repository's own `target/`, wherever cargo builds: what people look at afterwards is kept here.
#[must_use]
pub fn artefacts() -> PathBuf {
    repository::root().join("target")
}

/// Where pictures of the windows are kept.
///
/// # Errors
/// When the folder cannot be made.
pub fn screens() -> anyhow::Result<PathBuf> {
    let folder = artefacts().join("screens");
    std::fs::create_dir_all(&folder)?;
    Ok(folder)
}
