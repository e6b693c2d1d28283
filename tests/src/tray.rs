//! A tray without a picture: it keeps the list of icons on a display's session bus, and asks and tells them what a panel
//! would for the person in front of it.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use anyhow::{Context, ensure};
use tokio::time::{Instant, sleep};
use zbus::{
    Connection, Proxy, connection, interface,
    message::Header,
    zvariant::{OwnedValue, Structure, Value},
};

use crate::display::Display;

/// How long an icon may take.
const PATIENCE: Duration = Duration::from_secs(20);

/// An entry of a menu: its number, its text, and whether it is ticked where it can be.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry {
    number: i32,
    /// As the person reads it.
    pub label: String,
    /// None for one that cannot be ticked.
    pub ticked: Option<bool>,
}

/// A running tray. Gone when dropped.
pub struct Tray {
    bus: Connection,
    icons: Icons,
}

/// Where each icon is to be found: a name on the bus.
type Icons = Arc<Mutex<Vec<String>>>;

struct Watcher(Icons);

#[interface(name = "org.kde.StatusNotifierWatcher")]
impl Watcher {
    fn register_status_notifier_item(&self, #[zbus(header)] header: Header<'_>, service: &str) {
        let sender = header.sender().map(ToString::to_string);
        let name = match service.starts_with('/') {
            true => sender.unwrap_or_default(),
            false => service.to_owned(),
        };
        let mut icons = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        icons.push(name);
    }

    fn register_status_notifier_host(&self, _service: &str) {}

    #[zbus(property)]
    fn registered_status_notifier_items(&self) -> Vec<String> {
        self.0
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .clone()
    }

    #[zbus(property)]
    fn is_status_notifier_host_registered(&self) -> bool {
        true
    }

    #[zbus(property)]
    fn protocol_version(&self) -> i32 {
        0
    }
}

impl Tray {
    /// Puts a tray on a display.
    ///
    /// # Errors
    /// When the session bus does not take it.
    pub async fn start(display: &Display) -> anyhow::Result<Self> {
        let variables = display.variables();
        let bus = variables
            .iter()
            .find(|(name, _)| *name == "DBUS_SESSION_BUS_ADDRESS");
        let (_, address) = bus.context("the display has no session bus")?;
        let icons = Icons::default();
        let bus = connection::Builder::address(address.as_str())?
            .serve_at("/StatusNotifierWatcher", Watcher(icons.clone()))?
            .name("org.kde.StatusNotifierWatcher")?
            .build()
            .await?;
        Ok(Self { bus, icons })
    }

    /// Takes the tray away.
    ///
    /// # Errors
    /// When the session bus does not answer.
    pub async fn end(self) -> anyhow::Result<()> {
        Ok(self.bus.close().await?)
    }

    /// Clicks the icon.
    ///
    /// # Errors
    /// When there is none, or it does not answer.
    pub async fn click(&self) -> anyhow::Result<()> {
        let icon = self.icon().await?;
        icon.call_method("Activate", &(0_i32, 0_i32)).await?;
        Ok(())
    }

    /// What is shown when the pointer rests on the icon.
    ///
    /// # Errors
    /// When there is none, or it does not answer.
    pub async fn tooltip(&self) -> anyhow::Result<String> {
        type ToolTip = (String, Vec<(i32, i32, Vec<u8>)>, String, String);
        let icon = self.icon().await?;
        let (_, _, _, text): ToolTip = icon.get_property("ToolTip").await?;
        Ok(text)
    }

    /// The icon's picture: its side in pixels, and their colours as alpha, red, green, blue.
    ///
    /// # Errors
    /// When there is none, or it does not answer.
    pub async fn picture(&self) -> anyhow::Result<(i32, Vec<u8>)> {
        let icon = self.icon().await?;
        let pictures: Vec<(i32, i32, Vec<u8>)> = icon.get_property("IconPixmap").await?;
        let (width, _, pixels) = pictures.into_iter().next().context("no picture")?;
        Ok((width, pixels))
    }

    /// The icon's menu, without its lines.
    ///
    /// # Errors
    /// When there is none, or it does not answer.
    pub async fn menu(&self) -> anyhow::Result<Vec<Entry>> {
        type Layout = (u32, (i32, HashMap<String, OwnedValue>, Vec<OwnedValue>));
        let menu = self.dbusmenu().await?;
        let names: Vec<&str> = Vec::new();
        let layout: Layout = menu.call("GetLayout", &(0_i32, -1_i32, names)).await?;
        let (_, (_, _, entries)) = layout;
        Ok(entries.into_iter().filter_map(entry).collect())
    }

    /// Waits until the menu reads so.
    ///
    /// # Errors
    /// When it does not.
    pub async fn reads(&self, labels: &[&str]) -> anyhow::Result<()> {
        let started = Instant::now();
        loop {
            let menu = self.menu().await.unwrap_or_default();
            let read: Vec<_> = menu.iter().map(|entry| &*entry.label).collect();
            if read == labels {
                return Ok(());
            }
            ensure!(started.elapsed() < PATIENCE, "the menu reads {read:?}");
            sleep(Duration::from_millis(50)).await;
        }
    }

    /// Chooses an entry of the menu.
    ///
    /// # Errors
    /// When there is none of this text.
    pub async fn choose(&self, label: &str) -> anyhow::Result<()> {
        let menu = self.menu().await?;
        let chosen = menu.iter().find(|entry| entry.label == label);
        let number = chosen
            .with_context(|| format!("no “{label}” in {menu:?}"))?
            .number;
        let event = (number, "clicked", Value::from(0_i32), 0_u32);
        self.dbusmenu().await?.call_method("Event", &event).await?;
        Ok(())
    }

    /// The name on the bus of the icon that came last.
    fn newest(&self) -> Option<String> {
        let icons = self.icons.lock().unwrap_or_else(PoisonError::into_inner);
        icons.last().cloned()
    }

    async fn icon(&self) -> anyhow::Result<Proxy<'static>> {
        let started = Instant::now();
        loop {
            if let Some(name) = self.newest() {
                let (path, interface) = ("/StatusNotifierItem", "org.kde.StatusNotifierItem");
                return Ok(self.proxy(name, path, interface).await?);
            }
            ensure!(started.elapsed() < PATIENCE, "no icon comes");
            sleep(Duration::from_millis(50)).await;
        }
    }

    async fn dbusmenu(&self) -> anyhow::Result<Proxy<'static>> {
        let icon = self.icon().await?;
        let name = icon.destination().to_string();
        Ok(self
            .proxy(name, "/MenuBar", "com.canonical.dbusmenu")
            .await?)
    }

    async fn proxy(
        &self,
        name: String,
        path: &'static str,
        interface: &'static str,
    ) -> zbus::Result<Proxy<'static>> {
        // What is asked is asked now, not what was heard before.
        zbus::proxy::Builder::new(&self.bus)
            .destination(name)?
            .path(path)?
            .interface(interface)?
            .cache_properties(zbus::proxy::CacheProperties::No)
            .build()
            .await
    }
}

fn entry(value: OwnedValue) -> Option<Entry> {
    let structure = Structure::try_from(value).ok()?;
    let [Value::I32(number), Value::Dict(properties), _] = structure.fields() else {
        return None;
    };
    let text = |name: &'static str| properties.get::<_, String>(&name).ok().flatten();
    let state = properties.get::<_, i32>(&"toggle-state").ok().flatten();
    Some(Entry {
        number: *number,
        label: text("label").filter(|label| !label.is_empty())?,
        ticked: text("toggle-type")
            .filter(|kind| kind == "checkmark")
            .map(|_| state == Some(1)),
    })
}
