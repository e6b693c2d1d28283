//! What the desktop application costs: how soon its window can be used, what it takes while nobody looks at it, and what
//! while pictures move in it.

mod call;
mod report;
mod tray;

use std::time::Duration;

use anyhow::Result;
use serde::Serialize;
use tokio::time::sleep;

pub use self::{
    call::Shown,
    report::Report,
    tray::{InTray, in_tray},
};
use crate::{
    application::{Application, Start},
    display::Display,
    server::{Account, Server},
    tray::Tray,
    window::{Window, WindowOptions},
};

/// The machine, and whatever ended last, come to rest.
const REST: Duration = Duration::from_secs(2);

/// What one run gave.
#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Measures {
    /// From the order to start the program to a window that can be used, warm, in milliseconds.
    pub start_ms: f64,
    /// The steps of that start, as the program tells them.
    pub steps: String,
    /// While nobody looks.
    pub tray: InTray,
    /// In a call with moving pictures.
    pub call: Shown,
}

/// A person with an account and a contact, at a computer with a tray.
pub struct Stage {
    tray: Tray,
    display: Display,
    server: Server,
    bob: Account,
}

impl Stage {
    /// Sets it up. The application has run once, so that everything has been read.
    ///
    /// # Errors
    /// When a part of it is missing.
    pub async fn set() -> Result<Self> {
        let server = Server::start(&[]).await?;
        let display = Display::start()?;
        let stage = Self {
            tray: Tray::start(&display).await?,
            display,
            bob: server.register("Bob").await?,
            server,
        };
        let window = Window::open(&stage.display, &stage.options()).await?;
        window.sign_up("Ann").await?;
        window.add_contact("Bob").await?;
        window.close().await?;
        stage
            .server
            .run(&stage.bob, &["contacts", "add", "Ann"])
            .await?;
        stage.start().await?;
        Ok(stage)
    }

    /// Everything, once.
    ///
    /// # Errors
    /// When the application does not do what it is told.
    pub async fn measure(&self) -> Result<Measures> {
        let start = self.start().await?;
        sleep(REST).await;
        let tray = in_tray(&self.display, &self.tray, &self.options()).await?;
        sleep(REST).await;
        Ok(Measures {
            start_ms: start.whole.as_secs_f64() * 1e3,
            steps: start.steps,
            tray,
            call: self.call().await?,
        })
    }

    async fn start(&self) -> Result<Start> {
        sleep(REST).await;
        let mut application = Application::start(&self.display, &self.options())?;
        let start = application.usable().await?;
        application.end().await?;
        Ok(start)
    }

    fn options(&self) -> WindowOptions<'static> {
        WindowOptions {
            server: Some(self.server.url.clone()),
            ..WindowOptions::of(self.server.folder(), "ann")
        }
    }
}
