//! A call of two headless Chromium on loopback.

use std::time::Duration;

use anyhow::Result;
use tokio::time::sleep;

use super::{CALL_SECONDS, Coded, Scene};
use crate::bench::page;
use crate::chromium::Chromium;
use crate::pages;

/// What came at the called side.
pub(super) async fn call(scene: Scene) -> Result<Vec<Coded>> {
    let pictures = page::pictures(scene.content.pattern());
    let url = pages::serve(page::routes(pictures)).await?;
    let browsers = [Chromium::launch().await?, Chromium::launch().await?];
    let sides = [browsers[0].open(&url).await?, browsers[1].open(&url).await?];
    let options = page::Options {
        max_bitrate: scene.bit_rate,
        shown: false,
        stamped: false,
        coded: true,
        every_address: false,
    };
    page::connect(&sides, options).await?;
    sleep(Duration::from_secs(CALL_SECONDS as u64)).await;
    page::coded(&sides[1]).await
}
