//! What is to be reached on each link.

use super::Measures;
use crate::bench::Goal;
use crate::bench::Limit::{AtLeast, AtMost};

type OneGoal = Goal<Measures>;

const NO_SMALLER: OneGoal = Goal::new(
    AtLeast(1.0),
    "picture no smaller than Chromium's (1 = as large)",
    |vireo, chromium| Some(vireo.height / chromium?.height),
);

const LIGHT: OneGoal = Goal::new(
    AtMost(0.5),
    "processor ≤ 0.5 × Chromium's",
    |vireo, chromium| Some(vireo.cpu_share / chromium?.cpu_share),
);

pub(super) fn loopback() -> Vec<OneGoal> {
    vec![
        OneGoal::new(AtMost(12.0), "p50 ≤ 12 ms", |vireo, _| Some(vireo.p50_ms)),
        OneGoal::new(AtMost(20.0), "p95 ≤ 20 ms", |vireo, _| Some(vireo.p95_ms)),
        OneGoal::new(AtLeast(720.0), "720 rows", |vireo, _| Some(vireo.height)),
        LIGHT,
    ]
}

pub(super) fn far() -> Vec<OneGoal> {
    vec![
        OneGoal::new(
            AtMost(15.0),
            "p50 ≤ 15 ms beyond the 25 ms",
            |vireo, _| Some(vireo.p50_ms - 25.0),
        ),
        OneGoal::new(AtMost(0.0), "no freeze", |vireo, _| {
            Some(vireo.frozen_share)
        }),
        LIGHT,
    ]
}

pub(super) fn narrow() -> Vec<OneGoal> {
    vec![
        OneGoal::new(AtLeast(0.9), "≥ 90 % used", |vireo, _| vireo.utilisation),
        OneGoal::new(AtMost(120.0), "p95 ≤ 120 ms", |vireo, _| {
            Some(vireo.p95_ms)
        }),
        NO_SMALLER,
        LIGHT,
    ]
}

pub(super) fn narrowed() -> Vec<OneGoal> {
    vec![
        OneGoal::new(AtMost(500.0), "longest gap ≤ 500 ms", |vireo, _| {
            Some(vireo.longest_gap_ms)
        }),
        OneGoal::new(
            AtMost(5.0),
            "≥ 90 % of the former rate in ≤ 5 s",
            |vireo, _| vireo.recovery_seconds,
        ),
        LIGHT,
    ]
}

pub(super) fn lossy() -> Vec<OneGoal> {
    vec![
        OneGoal::new(AtLeast(28.0), "≥ 28 frames a second", |vireo, _| {
            Some(vireo.fps)
        }),
        OneGoal::new(AtMost(0.01), "≤ 1 % of the time frozen", |vireo, _| {
            Some(vireo.frozen_share)
        }),
        OneGoal::new(AtMost(175.0), "p95 ≤ 175 ms", |vireo, _| {
            Some(vireo.p95_ms)
        }),
        NO_SMALLER,
        LIGHT,
    ]
}

pub(super) fn bursts() -> Vec<OneGoal> {
    vec![
        OneGoal::new(AtMost(0.005), "≤ 0.5 % of the time frozen", |vireo, _| {
            Some(vireo.frozen_share)
        }),
        OneGoal::new(AtMost(250.0), "p95 ≤ 250 ms", |vireo, _| {
            Some(vireo.p95_ms)
        }),
        LIGHT,
    ]
}

pub(super) fn blackout() -> Vec<OneGoal> {
    vec![
        OneGoal::new(
            AtMost(0.25),
            "first picture ≤ 250 ms after",
            |vireo, _| vireo.recovery_seconds,
        ),
        LIGHT,
    ]
}

pub(super) fn shared() -> Vec<OneGoal> {
    vec![
        OneGoal::new(AtLeast(0.3), "neither has less than 30 %", |vireo, _| {
            vireo.least_share
        }),
        LIGHT,
    ]
}
