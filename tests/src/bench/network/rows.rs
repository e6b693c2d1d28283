//! The rows of the table: what the link does while a call lasts, and what is to be reached.

use std::time::Duration;

use vireo_testing::link::{Link, Loss};

use super::Measures;
use super::goals;
use crate::bench::Goal;
use crate::traffic::CongestionControl;

/// One row.
pub struct Row {
    /// By which `--only` knows it, and the file.
    pub name: &'static str,
    /// What people read.
    pub title: &'static str,
    /// The link both ways, from the call's set-up on.
    pub link: Link,
    /// What it becomes, so long after the call is connected.
    pub changes: Vec<(Duration, Link)>,
    /// How long the call lasts from connected.
    pub lasts: Duration,
    /// From when on it counts.
    pub counts_from: Duration,
    /// Whether there is something to recover from, and how one sees that it is over.
    pub recovery: Option<Recovery>,
    /// Who shares the link.
    pub company: Company,
    /// What is to be reached.
    pub goals: Vec<Goal<Measures>>,
}

/// How one sees that a call has recovered. It begins to with the last change of the link.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Recovery {
    /// As many bits a second as before the first change, but for a tenth.
    Rate,
    /// The first picture.
    Picture,
}

/// Who shares the link with the call.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Company {
    /// Nobody.
    Alone,
    /// A second call of the same kind.
    Call,
    /// A download by TCP, one way.
    Download(CongestionControl),
}

/// A narrow link's queue.
const QUEUE: Duration = Duration::from_millis(200);

const fn seconds(seconds: u64) -> Duration {
    Duration::from_secs(seconds)
}

/// A link that takes so many milliseconds each way.
fn delayed(milliseconds: u64) -> Link {
    Link {
        delay: Duration::from_millis(milliseconds),
        ..Link::default()
    }
}

/// A link of 20 ms each way with this rate, in kbit/s.
fn narrow(kilobits: u64) -> Link {
    Link {
        rate: Some(kilobits * 1_000),
        queue: QUEUE,
        ..delayed(20)
    }
}

/// A link of 25 ms each way that loses packets.
fn lossy(loss: Loss) -> Link {
    Link {
        loss,
        ..delayed(25)
    }
}

/// A call over a link that stays as it is.
fn row(name: &'static str, title: &'static str, link: Link, goals: Vec<Goal<Measures>>) -> Row {
    Row {
        name,
        title,
        link,
        changes: Vec::new(),
        lasts: seconds(30),
        counts_from: seconds(5),
        recovery: None,
        company: Company::Alone,
        goals,
    }
}

fn narrow_row(name: &'static str, title: &'static str, kilobits: u64) -> Row {
    Row {
        lasts: seconds(55),
        counts_from: seconds(25),
        ..row(name, title, narrow(kilobits), goals::narrow())
    }
}

fn lossy_row(name: &'static str, title: &'static str, loss: Loss) -> Row {
    Row {
        changes: vec![(seconds(8), lossy(loss))],
        lasts: seconds(40),
        counts_from: seconds(10),
        ..row(name, title, delayed(25), goals::lossy())
    }
}

/// A call whose link is gone for so long.
fn blackout_row(name: &'static str, title: &'static str, lasts: u64) -> Row {
    let gone = Link {
        blackout: true,
        ..delayed(25)
    };
    Row {
        changes: vec![(seconds(12), gone), (seconds(12 + lasts), delayed(25))],
        lasts: seconds(12 + lasts + 12),
        recovery: Some(Recovery::Picture),
        ..row(name, title, delayed(25), goals::blackout())
    }
}

/// All rows, in the table's order.
#[must_use]
pub fn rows() -> Vec<Row> {
    let bursts = Loss::Bursts {
        share: 0.1,
        length: 5.0,
    };
    vec![
        row("loopback", "loopback", Link::default(), goals::loopback()),
        row("far", "25 ms each way", delayed(25), goals::far()),
        narrow_row("300k", "0.3 Mbit/s, RTT 40 ms, queue 200 ms", 300),
        narrow_row("500k", "0.5 Mbit/s, RTT 40 ms, queue 200 ms", 500),
        narrow_row("1m", "1 Mbit/s, RTT 40 ms, queue 200 ms", 1_000),
        narrow_row("2m", "2 Mbit/s, RTT 40 ms, queue 200 ms", 2_000),
        Row {
            changes: vec![(seconds(20), narrow(250)), (seconds(50), narrow(10_000))],
            lasts: seconds(80),
            recovery: Some(Recovery::Rate),
            ..row(
                "drop",
                "10 → 0.25 Mbit/s for 30 s → 10",
                narrow(10_000),
                goals::narrowed(),
            )
        },
        lossy_row("loss5", "5 % loss, RTT 50 ms", Loss::Random(0.05)),
        lossy_row("loss10", "10 % loss, RTT 50 ms", Loss::Random(0.1)),
        lossy_row("loss20", "20 % loss, RTT 50 ms", Loss::Random(0.2)),
        Row {
            lasts: seconds(40),
            counts_from: seconds(10),
            ..row(
                "loss20-start",
                "20 % loss from the start, RTT 50 ms",
                lossy(Loss::Random(0.2)),
                goals::lossy(),
            )
        },
        Row {
            goals: goals::bursts(),
            ..lossy_row("bursts", "10 % loss in bursts of 5, RTT 50 ms", bursts)
        },
        blackout_row("blackout5", "nothing for 5 s, RTT 50 ms", 5),
        blackout_row("blackout12", "nothing for 12 s, RTT 50 ms", 12),
        Row {
            company: Company::Call,
            goals: goals::shared(),
            ..narrow_row("two-calls", "two calls on 2 Mbit/s", 2_000)
        },
        Row {
            company: Company::Download(CongestionControl::Cubic),
            goals: goals::shared(),
            ..narrow_row("download", "beside a TCP download (CUBIC), 2 Mbit/s", 2_000)
        },
        Row {
            company: Company::Download(CongestionControl::Bbr),
            goals: goals::shared(),
            ..narrow_row(
                "download-bbr",
                "beside a TCP download (BBR), 2 Mbit/s",
                2_000,
            )
        },
    ]
}
