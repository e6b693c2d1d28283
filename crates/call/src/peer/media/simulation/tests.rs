//! What the estimator, the pacer and repetitions make of links, together. The figures are those that a call has to reach
//! beside a browser's; what is measured on real sockets is `cargo xtask bench network`.

use vireo_testing::link::Loss;

use super::{download::Sender, *};

const MAX: u32 = 2_500_000;

/// A call whose packets get lost or come late at random goes one way or the other by chance: what is looked at is the median of
/// so many.
const CALLS: u64 = 9;

fn seconds(count: u64) -> Duration {
    Duration::from_secs(count)
}

fn milliseconds(count: u64) -> Duration {
    Duration::from_millis(count)
}

fn link(rate: u64, round_trip_ms: u64) -> Link {
    Link {
        rate: Some(rate),
        delay: milliseconds(round_trip_ms / 2),
        queue: milliseconds(200),
        ..Link::default()
    }
}

#[test]
fn a_wide_link_adds_nothing_but_its_delay() {
    let mut call = Simulation::new(&link(100_000_000, 50), MAX);
    call.run(seconds(30));
    let figures = call.last(seconds(20));
    assert_eq!(call.ann.encoder.target, MAX);
    assert!(figures.frames_per_second > 29.9, "{figures:?}");
    assert!(figures.p50 <= milliseconds(28), "{figures:?}");
    assert!(figures.p95 <= milliseconds(32), "{figures:?}");
}

#[test]
fn a_call_soon_takes_what_there_is() {
    let mut call = Simulation::new(&link(10_000_000, 40), MAX);
    call.run(seconds(3));
    let target = call.ann.encoder.target;
    assert!(target > MAX / 10 * 9, "{target} after 3 s");
}

/// Whoever sends little learns little of the path, and must neither take that for a narrow one nor be slow once more is needed.
#[test]
fn a_still_picture_is_not_taken_for_a_narrow_link() {
    let mut call = Simulation::new(&link(10_000_000, 40), MAX);
    call.ann.encoder.needed = 60_000;
    call.run(seconds(60));
    call.ann.encoder.needed = u32::MAX;
    call.run(seconds(3));
    let target = call.ann.encoder.target;
    assert!(target > MAX / 10 * 9, "{target} after 3 s of movement");
    let figures = call.last(seconds(3));
    assert!(figures.p95 <= milliseconds(60), "{figures:?}");
}

#[test]
fn a_narrow_link_is_used_and_its_queue_stays_short() {
    for (rate, used, p95, sound_waits) in [
        (300_000, 0.92, 75, 45),
        (500_000, 0.92, 70, 35),
        (1_000_000, 0.92, 70, 30),
        (2_000_000, 0.92, 70, 20),
    ] {
        let mut call = Simulation::new(&link(rate, 40), MAX);
        call.run(seconds(30));
        let utilisation = call.utilisation(rate, seconds(30));
        let figures = call.last(seconds(30));
        let sound = call.sound_wait(seconds(30));
        assert!(sound <= milliseconds(sound_waits), "{rate}: {sound:?}");
        assert!(
            utilisation >= used,
            "{rate}: {utilisation} used, {figures:?}"
        );
        assert!(figures.p95 <= milliseconds(p95), "{rate}: {figures:?}");
        assert!(figures.frozen < 0.01, "{rate}: {figures:?}");
        assert!(
            figures.longest_gap < milliseconds(300),
            "{rate}: {figures:?}"
        );
    }
}

#[test]
fn pictures_keep_moving_whatever_gets_lost() {
    let bursts = Loss::Bursts {
        share: 0.1,
        length: 5.0,
    };
    for (loss, frozen, p95) in [
        (Loss::Random(0.05), 0.001, 130),
        (Loss::Random(0.1), 0.01, 150),
        (Loss::Random(0.2), 0.02, 175),
        (bursts, 0.01, 200),
    ] {
        let lossy = Link {
            loss,
            ..link(10_000_000, 50)
        };
        let (mut ages, mut frozen_shares, mut targets) = (Vec::new(), Vec::new(), Vec::new());
        for seed in 1..=CALLS {
            let mut call = Simulation::seeded(&lossy, MAX, seed * 10);
            call.run(seconds(60));
            let figures = call.last(seconds(50));
            assert!(figures.frames_per_second >= 28.0, "{loss:?}: {figures:?}");
            ages.push(figures.p95.as_secs_f64() * 1_000.0);
            frozen_shares.push(figures.frozen);
            targets.push(f64::from(call.ann.encoder.target));
        }
        assert!(median(&mut ages) <= f64::from(p95), "{loss:?}: {ages:?}");
        assert!(
            median(&mut frozen_shares) <= frozen,
            "{loss:?}: {frozen_shares:?}"
        );
        assert!(median(&mut targets) >= 500_000.0, "{loss:?}: {targets:?}");
    }
}

/// The estimator does not see second copies: what keeps them from filling the path is the share of it that is new.
#[test]
fn a_narrow_link_that_loses_packets_is_not_overrun_by_copies() {
    let lossy = Link {
        loss: Loss::Random(0.15),
        ..link(1_000_000, 50)
    };
    let (mut ages, mut rates) = (Vec::new(), Vec::new());
    for seed in 1..=CALLS {
        let mut call = Simulation::seeded(&lossy, MAX, seed * 10);
        call.run(seconds(60));
        let figures = call.last(seconds(40));
        ages.push(figures.p95.as_secs_f64() * 1_000.0);
        rates.push(figures.frames_per_second);
    }
    assert!(median(&mut ages) <= 175.0, "{ages:?}");
    assert!(median(&mut rates) >= 28.0, "{rates:?}");
}

#[test]
fn after_a_narrow_place_the_former_rate_is_soon_back() {
    let wide = link(10_000_000, 40);
    let mut call = Simulation::new(&wide, MAX);
    call.run(seconds(20));
    assert_eq!(call.ann.encoder.target, MAX);
    let narrow_from = call.elapsed();
    call.set(&link(250_000, 40));
    call.run(seconds(30));
    let narrow = call.between(narrow_from, call.elapsed());
    assert!(narrow.longest_gap <= milliseconds(560), "{narrow:?}");
    let figures = call.last(seconds(20));
    assert!(
        call.ann.encoder.target < 200_000,
        "{}",
        call.ann.encoder.target
    );
    assert!(figures.frames_per_second > 29.0, "{figures:?}");
    call.set(&wide);
    call.run(seconds(4));
    assert!(
        call.ann.encoder.target > MAX / 10 * 9,
        "{}",
        call.ann.encoder.target
    );
}

#[test]
fn after_an_outage_pictures_are_there_at_once() {
    let wide = link(10_000_000, 40);
    for outage in [5, 12] {
        let mut call = Simulation::new(&wide, MAX);
        call.run(seconds(20));
        call.set(&Link {
            blackout: true,
            ..wide.clone()
        });
        call.run(seconds(outage));
        call.set(&wide);
        let from = call.elapsed();
        call.run(seconds(10));
        let first = call.between(from, call.elapsed()).first;
        let soon = first.is_some_and(|first| first <= milliseconds(200));
        assert!(soon, "{first:?} after {outage} s");
        assert_eq!(call.ann.encoder.target, MAX);
    }
}

#[test]
fn jitter_is_not_taken_for_a_queue() {
    for (rate, jitter_ms, used, p95, frozen) in [
        (10_000_000, 40, 0.25, 75, 0.01),
        (1_000_000, 10, 0.85, 85, 0.01),
        (1_000_000, 40, 0.8, 160, 0.025),
        (300_000, 40, 0.8, 155, 0.01),
    ] {
        let jittery = Link {
            jitter: milliseconds(jitter_ms),
            ..link(rate, 40)
        };
        let (mut utilisations, mut ages, mut frozen_shares) = (Vec::new(), Vec::new(), Vec::new());
        for seed in 1..=CALLS {
            let mut call = Simulation::seeded(&jittery, MAX, seed * 10);
            call.run(seconds(30));
            utilisations.push(call.utilisation(rate, seconds(30)));
            let figures = call.last(seconds(30));
            ages.push(figures.p95.as_secs_f64() * 1_000.0);
            frozen_shares.push(figures.frozen);
        }
        let case = format!("{rate} bit/s with {jitter_ms} ms of jitter");
        assert!(
            median(&mut utilisations) >= used,
            "{case}: {utilisations:?}"
        );
        assert!(median(&mut ages) <= f64::from(p95), "{case}: {ages:?}");
        assert!(
            median(&mut frozen_shares) < frozen,
            "{case}: {frozen_shares:?}"
        );
    }
}

#[test]
fn two_calls_share_a_link_evenly() {
    let rate = 2_000_000;
    let (mut ages, mut pictures) = (Vec::new(), Vec::new());
    for seed in 1..=CALLS {
        let mut call = Simulation::seeded(&link(rate, 40), MAX, seed * 10);
        call.run(seconds(3));
        call.company = Company::call(call.now, MAX, seed * 10 + 5);
        call.run(seconds(20));
        let shares = call.shares(rate, seconds(30));
        let figures = call.last(seconds(30));
        assert!(shares.iter().all(|share| *share >= 0.38), "{shares:?}");
        assert!(shares.iter().sum::<f64>() >= 0.85, "{shares:?}");
        ages.push(figures.p95.as_secs_f64() * 1_000.0);
        pictures.push(figures.frames_per_second);
    }
    assert!(median(&mut ages) <= 105.0, "{ages:?}");
    assert!(median(&mut pictures) >= 29.0, "{pictures:?}");
}

#[test]
fn beside_a_download_a_share_is_kept() {
    let rate = 2_000_000;
    for seed in 1..=CALLS {
        let mut call = Simulation::seeded(&link(rate, 40), MAX, seed * 10);
        call.run(seconds(10));
        call.company = Company::Download(Sender::new(call.now));
        call.run(seconds(10));
        let shares = call.shares(rate, seconds(40));
        let figures = call.last(seconds(40));
        assert!(shares[0] >= 0.33, "{shares:?}");
        assert!(shares[1] >= 0.25, "the download's: {shares:?}");
        assert!(figures.frames_per_second >= 28.0, "{figures:?}");
    }
}

fn median(figures: &mut [f64]) -> f64 {
    figures.sort_by(f64::total_cmp);
    figures[figures.len() / 2]
}
