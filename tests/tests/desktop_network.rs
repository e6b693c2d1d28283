//! The page about the network in a real window: is the server there, and servers of the person's own for the next call.
#![cfg(target_os = "linux")]

use std::time::Duration;

use anyhow::Context;
use tokio::{net::UdpSocket, time::timeout};
use vireo_tests::{
    display::Display,
    server::Server,
    window::{Window, WindowOptions},
};

async fn open_page(window: &Window) -> anyhow::Result<()> {
    window.click("[data-action=settings]").await?;
    window.click("[data-page=network]").await
}

#[tokio::test]
async fn a_server_is_tested_and_what_is_wrong_is_said() -> anyhow::Result<()> {
    let display = Display::start()?;
    let folder = tempfile::tempdir()?;
    let mut server = Server::start(&[]).await?;
    let options = WindowOptions {
        server: Some(server.url.clone()),
        ..WindowOptions::of(folder.path(), "anna")
    };
    let window = Window::open(&display, &options).await?;
    window.sign_up("Anna").await?;
    open_page(&window).await?;
    window.click("[data-action=test-server]").await?;
    window.find("[data-works=true]").await?;
    window.reads("The server can be reached.").await?;
    window.reads("It answered after").await?;
    window.reads("not encrypted").await?;
    window.screenshot("network-tested.en.light").await?;
    window.click("[data-switch=relayOnly]").await?;
    window.find("[data-problem=relay]").await?;
    window.screenshot("network-no-relay.en.light").await?;
    window.click("[data-action=close-settings]").await?;
    window
        .click("[data-contact='Echo test'] [data-action=audio-call]")
        .await?;
    window.reads("your server offers none").await?;
    window.screenshot("home-no-relay.en.light").await?;
    open_page(&window).await?;
    window.click("[data-switch=relayOnly]").await?;
    window.gone("[data-problem=relay]").await?;
    server.kill().await?;
    window.click("[data-action=test-server]").await?;
    window.find("[data-works=false]").await?;
    window.screenshot("network-unreachable.en.light").await?;
    window.close().await
}

#[tokio::test]
async fn a_stun_server_of_ones_own_is_asked_in_the_next_call_and_after_a_start()
-> anyhow::Result<()> {
    let display = Display::start()?;
    let folder = tempfile::tempdir()?;
    let stun = UdpSocket::bind("0.0.0.0:0").await?;
    let address = format!("stun:127.0.0.1:{}", stun.local_addr()?.port());
    let options = WindowOptions {
        language: "ru",
        dark: true,
        ..WindowOptions::of(folder.path(), "anna")
    };
    let window = Window::open(&display, &options).await?;
    window.sign_up("Anna").await?;
    open_page(&window).await?;
    window
        .fill("[data-field=ice-address]", "http://example.org")
        .await?;
    window.click("[data-action=add-ice]").await?;
    window.find("[data-problem=ice]").await?;
    window.screenshot("network-wrong.ru.dark").await?;
    window.fill("[data-field=ice-address]", &address).await?;
    window.click("[data-action=add-ice]").await?;
    let there = format!("[data-ice-server='{address}']");
    window.find(&there).await?;
    window.screenshot("network-own.ru.dark").await?;
    window.click("[data-action=close-settings]").await?;
    window.close().await?;

    let window = Window::open(&display, &options).await?;
    window
        .click("[data-contact='Echo test'] [data-action=audio-call]")
        .await?;
    window.phase("connected").await?;
    let asked = timeout(Duration::from_secs(10), stun.recv_from(&mut [0; 1500])).await;
    asked.context("nobody has asked the server of one's own")??;
    window.click("[data-action=end]").await?;
    window.click("[data-action=back]").await?;
    open_page(&window).await?;
    window.click("[data-action=remove-ice]").await?;
    window.gone(&there).await?;
    window.close().await
}
