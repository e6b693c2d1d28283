//! Whoever shows notifications on a desktop, made up: it writes down what it is told, and presses what it is asked to.

mod service;

use std::{
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use anyhow::Context;
use tokio::{sync::watch, time::timeout};
use zbus::{Connection, connection::Builder, object_server::SignalEmitter};

use self::service::Service;
use crate::display::Display;

/// Longer than anything takes to be told.
const PATIENCE: Duration = Duration::from_secs(45);

const PATH: &str = "/org/freedesktop/Notifications";

/// One that is shown.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Notification {
    /// Its number.
    pub id: u32,
    /// The first line.
    pub summary: String,
    /// The second one.
    pub body: String,
    /// The buttons' names and labels, in order.
    pub actions: Vec<(String, String)>,
    /// 0 low, 1 normal, 2 critical.
    pub urgency: u8,
}

/// The notifications of a display. Nothing is shown any more when this is dropped.
pub struct Notifications {
    bus: Connection,
    shown: watch::Receiver<Vec<Notification>>,
    told: Arc<Mutex<Vec<String>>>,
}

impl Notifications {
    /// Shows the notifications of this display.
    ///
    /// # Errors
    /// When the display has no session bus, or somebody else shows them there.
    pub async fn of(display: &Display) -> anyhow::Result<Self> {
        let variables = display.variables();
        let named = variables
            .iter()
            .find(|(name, _)| *name == "DBUS_SESSION_BUS_ADDRESS");
        let (_, address) = named.context("the display has no session bus")?;
        let (shown, watched) = watch::channel(Vec::new());
        let told = Arc::default();
        let service = Service {
            shown,
            told: Arc::clone(&told),
            last: Arc::default(),
        };
        let bus = Builder::address(address.as_str())?
            .name("org.freedesktop.Notifications")?
            .serve_at(PATH, service)?
            .build()
            .await?;
        Ok(Self {
            bus,
            shown: watched,
            told,
        })
    }

    /// Those that are shown now.
    #[must_use]
    pub fn now(&self) -> Vec<Notification> {
        self.shown.borrow().clone()
    }

    /// The second lines of all that were ever shown.
    #[must_use]
    pub fn told(&self) -> Vec<String> {
        let told = self.told.lock().unwrap_or_else(PoisonError::into_inner);
        told.clone()
    }

    /// Waits for one whose second line holds these words.
    ///
    /// # Errors
    /// When it does not come.
    pub async fn shows(&self, words: &str) -> anyhow::Result<Notification> {
        let mut shown = self.shown.clone();
        let there = |all: &Vec<Notification>| all.iter().any(|one| one.body.contains(words));
        let all = timeout(PATIENCE, shown.wait_for(there)).await;
        let all = all
            .with_context(|| format!("no “{words}” among {:?}", self.now()))??
            .clone();
        let mut all = all.into_iter();
        all.find(|one| one.body.contains(words))
            .context("it has just been there")
    }

    /// Waits until nothing is shown.
    ///
    /// # Errors
    /// When something stays.
    pub async fn gone(&self) -> anyhow::Result<()> {
        let mut shown = self.shown.clone();
        let none = timeout(PATIENCE, shown.wait_for(Vec::is_empty)).await;
        none.with_context(|| format!("it stays: {:?}", self.now()))??;
        Ok(())
    }

    /// Presses a button of one that is shown, by the button's name.
    ///
    /// # Errors
    /// When the bus has gone.
    pub async fn press(&self, notification: &Notification, action: &str) -> anyhow::Result<()> {
        let emitter = SignalEmitter::new(&self.bus, PATH)?;
        Ok(Service::action_invoked(&emitter, notification.id, action).await?)
    }
}
