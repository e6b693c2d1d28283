//! Two headless Chromium, fed with the same pictures, their messages passed on by a relay on loopback.

use std::time::Duration;

use anyhow::{Context as _, Result};
use axum::Router;
use axum::body::Bytes;
use axum::extract::ws::{Message, WebSocket, WebSocketUpgrade};
use axum::response::Response;
use axum::routing::get;
use futures_util::{SinkExt as _, StreamExt as _};
use serde_json::{Value, json};
use tokio::sync::broadcast;
use tokio::time::sleep;
use vireo_media::video::Pattern;

use super::application::settled;
use super::{Application, Content, FORMAT, MARGIN_SECONDS, MAX_BITRATE, Measures, mean};
use crate::chromium::Chromium;
use crate::devtools::Page;
use crate::pages;
use crate::process_tree::Usage;

/// Pictures that a camera plays forwards and then backwards: a second and a half each way.
const PICTURES: u64 = 45;

/// What the two browsers are given to do, and what of their memory is only that.
struct Call {
    browsers: [Chromium; 2],
    sides: [Page; 2],
    /// Size of the ready-made pictures, which each page keeps.
    fed_bytes: f64,
}

impl Call {
    /// Brings a call up; `shown` with the remote picture in a `<video>`, as a page for people has it.
    async fn start(content: Content, shown: bool) -> Result<Self> {
        let pictures = pictures(content);
        let fed_bytes = pictures.len() as f64;
        let (relay, _) = broadcast::channel(256);
        let more = Router::new()
            .route("/pictures", get(async move || pictures))
            .route(
                "/relay",
                get(async move |upgrade: WebSocketUpgrade| join(upgrade, relay)),
            );
        let url = pages::serve(more).await?;
        let browsers = [Chromium::launch().await?, Chromium::launch().await?];
        let sides = [browsers[0].open(&url).await?, browsers[1].open(&url).await?];
        for side in &sides {
            prepare(side, shown).await?;
        }
        sides[0].run("side.call()").await?;
        connected(&sides).await?;
        Ok(Self {
            browsers,
            sides,
            fed_bytes,
        })
    }

    fn memory_mb(&self, usage: &Usage) -> f64 {
        (usage.pss as f64 - self.fed_bytes) / 1e6
    }
}

pub(super) async fn measure(content: Content) -> Result<Measures> {
    let call = Call::start(content, false).await?;
    let roots = [root(&call.browsers[0])?, root(&call.browsers[1])?];
    let ((before0, after0), (before1, after1)) = tokio::join!(settled(roots[0]), settled(roots[1]));
    sleep(Duration::from_secs(MARGIN_SECONDS)).await;
    let results = [
        Side::read(&call.sides[0]).await?,
        Side::read(&call.sides[1]).await?,
    ];
    let percentile = |share| mean([&results[0], &results[1]].map(|side| side.latency(share)));
    Ok(Measures {
        caller_first_frame_ms: results[0].first_frame_ms,
        callee_first_frame_ms: results[1].first_frame_ms,
        latency_p50_ms: percentile(0.50),
        latency_p95_ms: percentile(0.95),
        latency_p99_ms: percentile(0.99),
        frames_per_second: mean([results[0].frames_per_second, results[1].frames_per_second]),
        height: results[0].height.min(results[1].height),
        cpu_share: mean([after0.cores_since(&before0), after1.cores_since(&before1)]),
        memory_mb: mean([call.memory_mb(&after0), call.memory_mb(&after1)]),
    })
}

pub(super) async fn measure_shown(content: Content) -> Result<Application> {
    let call = Call::start(content, true).await?;
    let (before, after) = settled(root(&call.browsers[0])?).await;
    Ok(Application {
        cpu_share: after.cores_since(&before),
        memory_mb: call.memory_mb(&after),
    })
}

fn pictures(content: Content) -> Bytes {
    let pattern = Pattern::new(FORMAT, content.pattern());
    let order = (0..PICTURES).chain((0..PICTURES).rev());
    order
        .flat_map(|number| pattern.frame(number).data)
        .collect()
}

fn root(browser: &Chromium) -> Result<u32> {
    browser.process_id().context("chromium has ended")
}

async fn prepare(page: &Page, shown: bool) -> Result<()> {
    let options = json!({
        "width": FORMAT.width, "height": FORMAT.height, "frameRate": FORMAT.frame_rate,
        "maxBitrate": MAX_BITRATE, "mimeType": "video/H264", "shown": shown,
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
    for _ in 0..200 {
        let mut received = true;
        for side in sides {
            received &= side.run("side.arrivals.length").await?.as_u64() > Some(0);
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

struct Side {
    first_frame_ms: f64,
    /// Sorted.
    ages: Vec<f64>,
    frames_per_second: f64,
    height: f64,
}

impl Side {
    async fn read(page: &Page) -> Result<Self> {
        let result = page.run("side.result()").await?;
        let numbers = |name: &str| -> Vec<f64> {
            let values = result[name].as_array().into_iter().flatten();
            values.filter_map(Value::as_f64).collect()
        };
        let arrivals = numbers("arrivals");
        let mut ages = numbers("ages");
        ages.sort_by(f64::total_cmp);
        let seconds = (arrivals.last().copied().unwrap_or(0.0)
            - arrivals.first().copied().unwrap_or(0.0))
            / 1000.0;
        Ok(Self {
            first_frame_ms: result["firstFrameMs"].as_f64().context("no first frame")?,
            ages,
            frames_per_second: arrivals.len() as f64 / seconds.max(1.0),
            height: result["height"].as_f64().context("no height")?,
        })
    }

    fn latency(&self, share: f64) -> f64 {
        let index = (self.ages.len() as f64 * share) as usize;
        self.ages
            .get(index.min(self.ages.len().saturating_sub(1)))
            .copied()
            .unwrap_or(f64::NAN)
    }
}
