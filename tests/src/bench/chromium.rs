//! Two headless Chromium, fed with the same pictures, their messages passed on by a relay on loopback.

use std::time::Duration;

use anyhow::{Context as _, Result};
use tokio::time::sleep;

use super::application::settled;
use super::page::{self, Seen};
use super::{Application, Content, MARGIN_SECONDS, MAX_BITRATE, Measures, mean, percentile};
use crate::chromium::Chromium;
use crate::devtools::Page;
use crate::pages;
use crate::process_tree::Usage;

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
        let pictures = page::pictures(content.pattern());
        let fed_bytes = pictures.len() as f64;
        let url = pages::serve(page::routes(pictures)).await?;
        let browsers = [Chromium::launch().await?, Chromium::launch().await?];
        let sides = [browsers[0].open(&url).await?, browsers[1].open(&url).await?];
        let options = page::Options {
            max_bitrate: MAX_BITRATE,
            shown,
            stamped: true,
            coded: false,
            every_address: false,
        };
        page::connect(&sides, options).await?;
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
    let mut results = [
        Side::read(&call.sides[0]).await?,
        Side::read(&call.sides[1]).await?,
    ];
    let latencies =
        [0.50, 0.95, 0.99].map(|share| mean(results.each_mut().map(|side| side.latency(share))));
    Ok(Measures {
        caller_first_frame_ms: results[0].first_frame_ms,
        callee_first_frame_ms: results[1].first_frame_ms,
        latency_p50_ms: latencies[0],
        latency_p95_ms: latencies[1],
        latency_p99_ms: latencies[2],
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

fn root(browser: &Chromium) -> Result<u32> {
    browser.process_id().context("chromium has ended")
}

struct Side {
    first_frame_ms: f64,
    ages: Vec<f64>,
    frames_per_second: f64,
    height: f64,
}

impl Side {
    async fn read(page: &Page) -> Result<Self> {
        let seen = Seen::read(page).await?;
        let (first, last) = seen
            .pictures
            .first()
            .zip(seen.pictures.last())
            .context("no picture")?;
        let seconds = (last.at - first.at) / 1000.0;
        Ok(Self {
            first_frame_ms: seen.first_frame_ms,
            ages: seen
                .pictures
                .iter()
                .filter_map(|picture| picture.age)
                .collect(),
            frames_per_second: seen.pictures.len() as f64 / seconds.max(1.0),
            height: last.height.into(),
        })
    }

    fn latency(&mut self, share: f64) -> f64 {
        percentile(&mut self.ages, share)
    }
}
