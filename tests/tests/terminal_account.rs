//! One's own account from a terminal, with real programs over a real server.

use anyhow::{Context, Result, ensure};
use serde_json::Value;
use vireo_tests::server::{Account, Server};

/// A PNG file of one transparent pixel.
const PICTURE: &[u8] = b"\x89PNG\r\n\x1a\n\x00\x00\x00\rIHDR\x00\x00\x00\x01\x00\x00\x00\x01\x08\x06\x00\x00\x00\x1f\x15\xc4\x89\x00\x00\x00\x0bIDATx\xdac`\x00\x02\x00\x00\x05\x00\x01\xe9\xfa\xdc\xd8\x00\x00\x00\x00IEND\xaeB`\x82";

/// The one line that the command writes.
async fn said(server: &Server, who: &Account, command: &[&str]) -> Result<Value> {
    let mut lines = server.run(who, command).await?;
    lines.pop().context("a line")
}

#[tokio::test(flavor = "multi_thread")]
async fn a_profile_is_shown_to_contacts() -> Result<()> {
    let server = Server::start(&[]).await?;
    let (ann, bob) = server.two_contacts().await?;
    let file = server.folder().join("picture.png");
    std::fs::write(&file, PICTURE)?;
    let file = file.to_str().context("text")?;
    let named = said(&server, &bob, &["profile", "set-name", "Bob Hope"]).await?;
    ensure!(named["displayName"] == "Bob Hope", "{named}");
    let shown = said(&server, &bob, &["profile", "set-avatar", file]).await?;
    ensure!(shown["avatar"].is_string(), "{shown}");
    let list = server.run(&ann, &["contacts", "list"]).await?;
    let seen = list.iter().find(|contact| contact["name"] == "Bob");
    let seen = seen.context("in the list")?;
    ensure!(seen["displayName"] == "Bob Hope", "{seen}");
    ensure!(seen["avatar"] == shown["avatar"], "{seen}");
    let gone = said(&server, &bob, &["profile", "remove-avatar"]).await?;
    ensure!(gone["avatar"].is_null(), "{gone}");
    let shown = said(&server, &bob, &["profile", "show"]).await?;
    ensure!(shown == gone, "{shown}");
    let password = ann.password_file.to_str().context("text")?;
    let refused = server.cli(&ann, &["profile", "set-avatar", password])?;
    let refused = refused.end().await?;
    ensure!(refused.status == 10, "{refused:?}");
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn sessions_end_the_password_changes_and_the_account_goes() -> Result<()> {
    let server = Server::start(&[]).await?;
    let (ann, _) = server.two_contacts().await?;
    let mut shown = server.cli(&ann, &["status", "online"])?;
    shown.event("status").await?;
    let sessions = server.run(&ann, &["sessions"]).await?;
    ensure!(sessions.len() == 2, "{sessions:?}");
    ensure!(sessions[0]["current"] == true, "{sessions:?}");
    let other = sessions[1]["id"].as_str().context("an id")?;
    said(&server, &ann, &["sessions", "revoke", other]).await?;
    let sessions = server.run(&ann, &["sessions"]).await?;
    ensure!(sessions.len() == 1, "{sessions:?}");
    shown.interrupt().await?;
    let again = server
        .cli(&ann, &["sessions", "revoke", other])?
        .end()
        .await?;
    ensure!(again.status == 1, "{again:?}");

    let file = server.folder().join("new-password");
    std::fs::write(&file, "a kingdom by the sea\n")?;
    let new = file.to_str().context("text")?;
    said(&server, &ann, &["password", "--new-password-file", new]).await?;
    let old = server.cli(&ann, &["sessions"])?.end().await?;
    ensure!(old.status == 11, "{old:?}");
    std::fs::copy(&file, &ann.password_file)?;
    let unasked = server.cli(&ann, &["delete-account"])?.end().await?;
    ensure!(unasked.status == 2, "{unasked:?}");
    said(&server, &ann, &["delete-account", "--yes"]).await?;
    let gone = server.cli(&ann, &["sessions"])?.end().await?;
    ensure!(gone.status == 11, "{gone:?}");
    Ok(())
}
