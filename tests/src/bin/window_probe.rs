//! Opens an application that was installed, on a display of its own, and waits until it shows its first screen.

use std::path::PathBuf;

use anyhow::Context;
use vireo_tests::{
    display::Display,
    window::{Window, WindowOptions},
};

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    let application: PathBuf = std::env::args_os()
        .nth(1)
        .context("say which application")?
        .into();
    let display = Display::start()?;
    let folder = tempfile::tempdir()?;
    let options = WindowOptions {
        application: Some(application),
        ..WindowOptions::of(folder.path(), "somebody")
    };
    let window = Window::open(&display, &options).await?;
    window.find("h1").await?;
    window.reads("Vireo").await?;
    window.close().await
}
