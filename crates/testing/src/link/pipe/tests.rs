use super::*;
use crate::link::Loss;

const MILLISECOND: Duration = Duration::from_millis(1);

/// Sends a packet of 1,000 bytes each so many microseconds for ten seconds. Gives the number of each that arrived and how
/// long it took.
fn run(link: Link, every: u64) -> Vec<(u64, Duration)> {
    let start = Instant::now();
    let mut pipe = Pipe::new(link, 7);
    let mut arrived = Vec::new();
    let mut collect = |pipe: &mut Pipe<(u64, Instant)>, now| {
        while let Some((number, sent)) = pipe.pop(now) {
            arrived.push((number, now - sent));
        }
    };
    for number in 0..10_000_000 / every {
        let now = start + Duration::from_micros(number * every);
        while let Some(due) = pipe.next_due().filter(|&due| due <= now) {
            collect(&mut pipe, due);
        }
        pipe.push((number, now), 1_000, now);
    }
    while let Some(due) = pipe.next_due() {
        collect(&mut pipe, due);
    }
    arrived
}

#[test]
fn a_link_without_anything_changes_nothing() {
    let arrived = run(Link::default(), 1_000);
    assert_eq!(arrived.len(), 10_000);
    let at_once = arrived.iter().enumerate();
    assert!(
        at_once
            .into_iter()
            .all(|(at, &(number, took))| at as u64 == number && took.is_zero())
    );
}

#[test]
fn delay_and_jitter_are_as_asked_and_keep_the_order() {
    let (delay, jitter) = (25 * MILLISECOND, 10 * MILLISECOND);
    let link = Link {
        delay,
        jitter,
        ..Link::default()
    };
    let arrived = run(link, 1_000);
    assert!(arrived.is_sorted_by_key(|(number, _)| *number));
    let took = |wanted: fn(&mut dyn Iterator<Item = Duration>) -> Option<Duration>| {
        wanted(&mut arrived.iter().map(|(_, took)| *took)).expect("all arrived")
    };
    assert!(took(|all| all.min()) >= delay);
    assert!(took(|all| all.max()) <= delay + jitter);
    assert!(took(|all| all.max()) - took(|all| all.min()) > jitter / 2);
}

#[test]
fn no_more_gets_through_than_the_rate_and_what_waits_too_long_is_dropped() {
    let link = Link {
        rate: Some(500_000),
        queue: 200 * MILLISECOND,
        ..Link::default()
    };
    // 8 Mbit/s come, for ten seconds.
    let arrived = run(link, 1_000);
    let bits = arrived.len() * 8_000;
    assert!((4_950_000..5_150_000).contains(&bits), "{bits}");
    let longest = arrived.iter().map(|(_, took)| *took).max().expect("some");
    // The queue, the packet itself, and the one under way.
    assert!(longest <= 232 * MILLISECOND, "{longest:?}");
    assert!(longest >= 200 * MILLISECOND, "{longest:?}");
}

#[test]
fn losses_are_as_many_and_as_long_as_asked() {
    for (loss, share, length) in [
        (Loss::Random(0.05), 0.05, 1.05),
        (
            Loss::Bursts {
                share: 0.1,
                length: 5.0,
            },
            0.1,
            5.0,
        ),
    ] {
        let link = Link {
            loss,
            ..Link::default()
        };
        let arrived = run(link, 100);
        let lost = 100_000 - arrived.len();
        let gaps = arrived.windows(2).filter(|pair| pair[1].0 > pair[0].0 + 1);
        let found = (lost as f64 / 1e5, lost as f64 / gaps.count() as f64);
        assert!((found.0 - share).abs() < share / 10.0, "{found:?}");
        assert!((found.1 - length).abs() < length / 10.0, "{found:?}");
    }
}

#[test]
fn some_come_early_and_some_twice() {
    let link = Link {
        delay: 10 * MILLISECOND,
        reordered: 0.1,
        ..Link::default()
    };
    let arrived = run(link, 1_000);
    let early = arrived.iter().filter(|(_, took)| took.is_zero()).count();
    assert!((900..1_100).contains(&early), "{early}");
    let link = Link {
        duplicated: 0.1,
        ..Link::default()
    };
    let copies = run(link, 1_000).len() - 10_000;
    assert!((900..1_100).contains(&copies), "{copies}");
}

#[test]
fn the_same_seed_brings_the_same_fates() {
    let link = || Link {
        loss: Loss::Random(0.3),
        jitter: 5 * MILLISECOND,
        ..Link::default()
    };
    assert_eq!(run(link(), 500), run(link(), 500));
}

#[test]
fn a_packet_half_out_needs_half_its_time_at_the_new_rate() {
    let start = Instant::now();
    let with_rate = |rate| Link {
        rate: Some(rate),
        queue: Duration::from_secs(10),
        ..Link::default()
    };
    for (rate, then) in [(80_000, 50), (800, 5_000)] {
        let mut pipe = Pipe::new(with_rate(8_000), 1);
        // Each takes a second.
        pipe.push(1, 1_000, start);
        pipe.push(2, 1_000, start);
        let half = start + 500 * MILLISECOND;
        pipe.set(with_rate(rate), half);
        let due = half + then * MILLISECOND;
        assert_eq!(pipe.pop(due - MILLISECOND), None);
        assert_eq!(pipe.pop(due + MILLISECOND), Some(1));
        let next = due + 2 * then * MILLISECOND;
        assert_eq!(pipe.pop(next - 2 * MILLISECOND), None);
        assert_eq!(pipe.pop(next + 2 * MILLISECOND), Some(2));
    }
}

#[test]
fn a_change_counts_for_what_waits_already() {
    let start = Instant::now();
    let narrow = Link {
        rate: Some(8_000),
        queue: Duration::from_secs(10),
        ..Link::default()
    };
    let mut pipe = Pipe::new(narrow.clone(), 1);
    for packet in 0..3 {
        pipe.push(packet, 1_000, start);
    }
    let second = Duration::from_secs(1);
    assert_eq!(pipe.pop(start + second), Some(0));
    let wide = Link {
        rate: Some(8_000_000),
        ..narrow.clone()
    };
    pipe.set(wide, start + second);
    let soon = start + second + 2 * MILLISECOND;
    assert_eq!([pipe.pop(soon), pipe.pop(soon)], [Some(1), Some(2)]);
    let gone = Link {
        blackout: true,
        ..narrow
    };
    pipe.set(gone, soon);
    pipe.push(4, 1_000, soon);
    assert_eq!(pipe.next_due(), None);
    let counters = pipe.counters();
    assert_eq!(
        (counters.offered, counters.delivered, counters.lost),
        (4, 3, 1)
    );
    assert_eq!(counters.delivered_bytes, 3_000);
}
