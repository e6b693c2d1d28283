//! The page `bench.js` in a browser: what it is served, how it is brought into a call, and what it has seen.

use std::time::Duration;

use anyhow::Result;
use axum::Router;
use axum::body::Bytes;
use axum::extract::ws::{Message, WebSocket, WebSocketUpgrade};
use axum::response::Response;
use axum::routing::get;
use base64::prelude::{BASE64_STANDARD, Engine as _};
use futures_util::{SinkExt as _, StreamExt as _};
use serde::Deserialize;
use serde_json::json;
use tokio::sync::broadcast;
use tokio::time::sleep;
use vireo_media::VideoFrame;
use vireo_media::video::{Pattern, PatternContent};

use super::FORMAT;
use super::picture::Picture;
use crate::devtools::Page;

/// Pictures that a camera plays forwards and then backwards: a second and a half each way.
const PICTURES: u64 = 45;

/// What a page is to do.
#[derive(Debug, Clone, Copy)]
pub(super) struct Options {
    /// Bits a second at the most.
    pub max_bitrate: u32,
    /// With the remote picture in a `<video>`, as a page for people has it.
    pub shown: bool,
    /// Each picture carries the moment at which the camera gave it out.
    pub stamped: bool,
    /// Pictures are kept as they come, still coded.
    pub coded: bool,
    /// The other side may be reached by any of this one's networks, not only by that which leads everywhere.
    pub every_address: bool,
}

/// What a page has seen.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Seen {
    /// From the answer's arrival or the acceptance to the first picture, in milliseconds.
    pub first_frame_ms: f64,
    /// Every remote picture.
    pub pictures: Vec<Picture>,
    /// Unix milliseconds, and the bytes of the picture that had come by then.
    pub received: Vec<(f64, f64)>,
}

impl Seen {
    /// Asks the page.
    pub async fn read(page: &Page) -> Result<Self> {
        Ok(serde_json::from_value(page.run("side.result()").await?)?)
    }
}

/// What two pages of one call need besides the page itself: their camera's pictures, and a relay for their messages.
pub(super) fn routes(pictures: Bytes) -> Router {
    let (relay, _) = broadcast::channel(256);
    Router::new()
        .route("/pictures", get(async move || pictures))
        .route(
            "/relay",
            get(async move |upgrade: WebSocketUpgrade| join(upgrade, relay)),
        )
}

/// Brings a call up between two pages that are open.
pub(super) async fn connect(sides: &[Page; 2], options: Options) -> Result<()> {
    for side in sides {
        prepare(side, options).await?;
    }
    sides[0].run("side.call()").await?;
    connected(sides).await
}

/// The camera's pictures, one after the other, as I420.
pub(super) fn pictures(content: PatternContent) -> Bytes {
    film(content).flat_map(|picture| picture.data).collect()
}

/// The same as pictures.
pub(super) fn film(content: PatternContent) -> impl Iterator<Item = VideoFrame> {
    let pattern = Pattern::new(FORMAT, content);
    let order = (0..PICTURES).chain((0..PICTURES).rev());
    order.map(move |number| pattern.frame(number))
}

/// The pictures that a page has kept, coded, each with its RTP time. Only where it was asked to.
pub(super) async fn coded(page: &Page) -> Result<Vec<(u32, Vec<u8>)>> {
    let texts: Vec<(u32, String)> = serde_json::from_value(page.run("side.coded()").await?)?;
    let decode = |(time, text): (u32, String)| Ok((time, BASE64_STANDARD.decode(text)?));
    texts.into_iter().map(decode).collect()
}

async fn prepare(page: &Page, options: Options) -> Result<()> {
    let options = json!({
        "width": FORMAT.width, "height": FORMAT.height, "frameRate": FORMAT.frame_rate,
        "mimeType": "video/H264", "maxBitrate": options.max_bitrate, "shown": options.shown,
        "everyAddress": options.every_address, "stamped": options.stamped, "coded": options.coded,
    });
    page.run(&format!(
        "import('/bench.js').then(async (bench) => {{
            await bench.prepare('/pictures', {options});
            window.side = await bench.join({options});
        }})"
    ))
    .await?;
    Ok(())
}

async fn connected(sides: &[Page; 2]) -> Result<()> {
    for _ in 0..600 {
        let mut received = true;
        for side in sides {
            received &= side.run("side.pictures.length").await?.as_u64() > Some(0);
        }
        if received {
            return Ok(());
        }
        sleep(Duration::from_millis(50)).await;
    }
    anyhow::bail!("Chromium's call does not connect: {}", sides[0].console())
}

/// Whatever one browser sends goes to the other.
fn join(upgrade: WebSocketUpgrade, relay: broadcast::Sender<(u64, String)>) -> Response {
    upgrade.on_upgrade(async move |socket| pass_on(socket, relay).await)
}

async fn pass_on(socket: WebSocket, relay: broadcast::Sender<(u64, String)>) {
    let me = rand::random();
    let mut others = relay.subscribe();
    let (mut sink, mut stream) = socket.split();
    loop {
        tokio::select! {
            said = stream.next() => match said {
                Some(Ok(Message::Text(text))) => { relay.send((me, text.to_string())).ok(); }
                Some(Ok(_)) => {}
                _ => return,
            },
            Ok((sender, text)) = others.recv() => {
                if sender != me && sink.send(Message::text(text)).await.is_err() {
                    return;
                }
            }
        }
    }
}
