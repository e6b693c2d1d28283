//! One call over one link.

use std::ops::Range;
use std::time::Duration;

use anyhow::{Context as _, Result};
use tokio::time::{Instant, sleep_until};
use vireo_media::video::unix_ms_now;

use super::pictures::{Figures, first_after};
use super::{Company, Measures, Recovery, Row, Side, chromium, vireo};
use crate::bench::{Engine, mean};
use crate::netlab::{Count, Lab, OTHER, Way};
use crate::network::{Computer, Network};
use crate::process_tree::Usage;
use crate::traffic::{CongestionControl, Task, Traffic, at};

/// How often the link is looked at.
const TICK: Duration = Duration::from_millis(100);

/// What the bits of a second are taken over.
const SECOND: Duration = Duration::from_secs(1);

/// A download begins when the call is settled.
const DOWNLOAD_AFTER: Duration = Duration::from_secs(10);

/// Makes a call over a link and measures it. The same seed gives the same luck.
///
/// # Errors
/// When the call does not come about, or the system gives no network namespaces.
pub async fn measure(engine: Engine, row: &Row, seed: u64) -> Result<Measures> {
    let mut network = Network::isolating()?;
    let homes = [network.home()?, network.home()?];
    let mut lab = Lab::between(&homes[0], &homes[1], seed).await?;
    lab.set(Way::Both, row.link.clone()).await?;
    let call = Call::start(engine, &network, &homes).await?;
    let second = match row.company {
        Company::Call => Some(Call::start(engine, &network, &homes).await?),
        Company::Alone | Company::Download(_) => None,
    };
    let download = match row.company {
        Company::Download(control) => Some(Download::start(&homes, row, control).await?),
        Company::Alone | Company::Call => None,
    };
    let watched = watch(&mut lab, row, call.roots()?).await?;
    let sides = call.end().await?;
    let mut others = Vec::new();
    if let Some(second) = second {
        let [_, side] = second.end().await?;
        others.push(bits_a_second(&side, &watched.counts));
    }
    if let Some(download) = download {
        others.push(download.received.seen().await?.rate());
    }
    Ok(measures(row, &watched, &sides, &others))
}

/// A call of one of the two engines.
enum Call {
    Vireo(vireo::Call),
    Chromium(chromium::Call),
}

impl Call {
    async fn start(engine: Engine, network: &Network, homes: &[Computer; 2]) -> Result<Self> {
        Ok(match engine {
            Engine::Vireo => Self::Vireo(vireo::Call::start(network, homes).await?),
            Engine::Chromium => Self::Chromium(chromium::Call::start(network, homes).await?),
        })
    }

    fn roots(&self) -> Result<[u32; 2]> {
        match self {
            Self::Vireo(call) => call.roots(),
            Self::Chromium(call) => call.roots(),
        }
    }

    async fn end(self) -> Result<[Side; 2]> {
        match self {
            Self::Vireo(call) => call.end().await,
            Self::Chromium(call) => call.end().await,
        }
    }
}

/// A download to the second home.
struct Download {
    received: Traffic,
    _sent: Traffic,
}

impl Download {
    async fn start(homes: &[Computer; 2], row: &Row, control: CongestionControl) -> Result<Self> {
        let lasts = row.lasts.saturating_sub(DOWNLOAD_AFTER);
        let received = Traffic::start(&homes[1], &Task::Download(at(OTHER))).await?;
        let upload = Task::Upload {
            to: at(OTHER),
            control,
            after: DOWNLOAD_AFTER,
            lasts,
        };
        Ok(Self {
            received,
            _sent: Traffic::start(&homes[0], &upload).await?,
        })
    }
}

/// What was seen of the link while a call went on.
struct Watched {
    /// What had been counted at each moment.
    samples: Vec<(Instant, Count)>,
    /// When the link was changed, and the same in Unix milliseconds.
    changes: Vec<(Instant, f64)>,
    /// The part of the call that counts, in Unix milliseconds.
    counts: Range<f64>,
    cpu_share: f64,
}

/// Changes the link as the row says and looks at it all the while.
async fn watch(lab: &mut Lab, row: &Row, roots: [u32; 2]) -> Result<Watched> {
    let (began, began_ms) = (Instant::now(), unix_ms_now());
    let milliseconds = |time: Duration| began_ms + time.as_secs_f64() * 1000.0;
    let usage = || roots.map(Usage::of);
    let mut changes = row.changes.iter().peekable();
    let mut before = None;
    let mut watched = Watched {
        samples: Vec::new(),
        changes: Vec::new(),
        counts: milliseconds(row.counts_from)..milliseconds(row.lasts),
        cpu_share: f64::NAN,
    };
    let mut next = began;
    while next.duration_since(began) < row.lasts {
        sleep_until(next).await;
        let elapsed = began.elapsed();
        if let Some((_, link)) = changes.next_if(|(after, _)| *after <= elapsed) {
            lab.set(Way::Both, link.clone()).await?;
            watched.changes.push((Instant::now(), unix_ms_now()));
        }
        if before.is_none() && elapsed >= row.counts_from {
            before = Some(usage());
        }
        watched.samples.push((Instant::now(), lab.count().await?));
        next += TICK;
    }
    let (before, after) = (before.context("the call was too short")?, usage());
    watched.cpu_share = mean([0, 1].map(|side| after[side].cores_since(&before[side])));
    Ok(watched)
}

fn measures(row: &Row, watched: &Watched, sides: &[Side; 2], others: &[f64]) -> Measures {
    let figures = sides
        .each_ref()
        .map(|side| Figures::of(&side.pictures, &watched.counts));
    let both = |figure: fn(&Figures) -> f64| figures.each_ref().map(figure);
    let shares = || {
        let rate = row.link.rate? as f64;
        let own = bits_a_second(&sides[1], &watched.counts);
        let least = others.iter().copied().fold(own, f64::min);
        (!others.is_empty()).then_some(least / rate)
    };
    let [one, other] = both(|figures| figures.longest_gap);
    Measures {
        p50_ms: mean(both(|figures| figures.p50)),
        p95_ms: mean(both(|figures| figures.p95)),
        fps: mean(both(|figures| figures.per_second)),
        frozen_share: mean(both(|figures| figures.frozen_share)),
        utilisation: utilisation(row, watched),
        height: figures[0].height.min(figures[1].height).into(),
        recovery_seconds: recovery(row, watched, sides),
        longest_gap_ms: one.max(other),
        cpu_share: watched.cpu_share,
        least_share: shares(),
    }
}

/// Of both ways the mean; where the link keeps its rate.
fn utilisation(row: &Row, watched: &Watched) -> Option<f64> {
    let rate = row.link.rate.filter(|_| row.changes.is_empty())? as f64;
    let (began, _) = watched.samples.first()?;
    let from = *began + row.counts_from;
    let (first_at, first) = watched.samples.iter().find(|(at, _)| *at >= from)?;
    let (last_at, last) = watched.samples.last()?;
    let carried = rate * last_at.duration_since(*first_at).as_secs_f64();
    let used = |way: fn(&Count) -> u64| (way(last) - way(first)) as f64 * 8.0 / carried;
    Some(mean(WAYS.map(used)))
}

/// How many bytes have been delivered, each way.
const WAYS: [fn(&Count) -> u64; 2] = [
    |count| count.there.delivered_bytes,
    |count| count.back.delivered_bytes,
];

fn recovery(row: &Row, watched: &Watched, sides: &[Side; 2]) -> Option<f64> {
    let (well_at, well_ms) = *watched.changes.last()?;
    let until_end = (watched.counts.end - well_ms) / 1000.0;
    let seconds = match row.recovery? {
        Recovery::Picture => sides.each_ref().map(|side| {
            let first = first_after(&side.pictures, well_ms);
            first.map(|first| (first - well_ms) / 1000.0)
        }),
        Recovery::Rate => {
            let (bad_at, _) = *watched.changes.first()?;
            WAYS.map(|way| rate_is_back(&watched.samples, way, bad_at, well_at))
        }
    };
    let [one, other] = seconds.map(|seconds| seconds.unwrap_or(until_end));
    Some(one.max(other))
}

/// Seconds until a second has brought nine tenths of what one did in the ten before the link became bad.
fn rate_is_back(
    samples: &[(Instant, Count)],
    way: fn(&Count) -> u64,
    bad_at: Instant,
    well_at: Instant,
) -> Option<f64> {
    let bytes_until = |moment: Instant| {
        let before = samples.iter().take_while(|(at, _)| *at <= moment);
        before.last().map_or(0, |(_, count)| way(count)) as f64
    };
    let between = |from: Instant, to: Instant| {
        (bytes_until(to) - bytes_until(from)) / to.duration_since(from).as_secs_f64()
    };
    let former = between(bad_at - 10 * SECOND, bad_at);
    let mut moments = samples.iter().map(|(at, _)| *at);
    let back = moments.find(|at| *at > well_at && between(*at - SECOND, *at) >= 0.9 * former)?;
    Some(back.duration_since(well_at).as_secs_f64())
}

/// Of the picture, as it came in this part of the call.
fn bits_a_second(side: &Side, part: &Range<f64>) -> f64 {
    let mut inside = side.received.iter().filter(|(at, _)| part.contains(at));
    let first = inside.next();
    let Some((first, last)) = first.zip(inside.next_back()) else {
        return 0.0;
    };
    (last.1 - first.1) * 8000.0 / (last.0 - first.0)
}
