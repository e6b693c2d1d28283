//! The receiving side of sound on simulated links, for minutes and hours of virtual time: how late it is heard, and how
//! much of it is made up. `cargo nextest run -p vireo-media --test sound_on_links --no-capture` prints the figures.
#![allow(clippy::print_stdout, reason = "figures for whoever asks")]

mod listener;
mod speech;

use std::time::Duration;

use listener::{Change, Clocks, Heard, PROPAGATION, Spoken, listen};
use vireo_media::codec::{OPUS_FRAME_SAMPLES, SHORT_OPUS_FRAME_SAMPLES};
use vireo_testing::link::{Link, Loss};

const MINUTE: Duration = Duration::from_secs(60);

/// What a link may cost.
struct Bounds {
    /// Milliseconds added to the fastest packet's time, half and 95 of 100 packets.
    p50: f64,
    p95: f64,
    /// Share of the sound that is made up without a copy.
    concealed: f64,
    /// The longest that is made up in a row, in milliseconds.
    longest: f64,
}

fn link() -> Link {
    Link {
        delay: PROPAGATION,
        ..Link::default()
    }
}

fn jittery(milliseconds: u64) -> Link {
    Link {
        jitter: Duration::from_millis(milliseconds),
        ..link()
    }
}

fn lossy(loss: Loss) -> Link {
    Link { loss, ..link() }
}

fn print(name: &str, heard: &Heard) {
    println!(
        "{name:<28} p50 {:6.1} ms  p95 {:6.1} ms  concealed {:6.3} %  longest {:5.0} ms  {:5.1} stretches a minute, {:3} packets",
        heard.delay(50.0),
        heard.delay(95.0),
        heard.concealed_share() * 100.0,
        heard.longest_concealed,
        heard.stretches,
        heard.most_waiting,
    );
}

/// Ten minutes of a link that stays as it is.
fn holds(name: &str, link: Link, bounds: &Bounds) {
    holds_with(&speech::packets(OPUS_FRAME_SAMPLES), name, link, bounds);
}

fn holds_with(packets: &[Spoken], name: &str, link: Link, bounds: &Bounds) {
    let changes = [Change {
        at: Duration::ZERO,
        link,
    }];
    for card in [-200.0, 0.0, 200.0] {
        let clocks = Clocks { sender: 0.0, card };
        let heard = listen(packets, &changes, clocks, 10 * MINUTE, |_| ());
        let name = format!("{name}, {card:+} ppm");
        print(&name, &heard);
        let (p50, p95) = (heard.delay(50.0), heard.delay(95.0));
        assert!(p50 <= bounds.p50, "{name}: p50 {p50} ms");
        assert!(p95 <= bounds.p95, "{name}: p95 {p95} ms");
        let (share, longest) = (heard.concealed_share(), heard.longest_concealed);
        assert!(share <= bounds.concealed, "{name}: {share} concealed");
        assert!(longest <= bounds.longest, "{name}: {longest} ms concealed");
        assert!(heard.most_waiting <= 200, "{name}: {}", heard.most_waiting);
    }
}

#[test]
fn a_clean_link_costs_nearly_nothing() {
    let bounds = Bounds {
        p50: 20.0,
        p95: 25.0,
        concealed: 0.0001,
        longest: 10.0,
    };
    holds("clean", link(), &bounds);
}

#[test]
fn short_packets_cost_as_little_and_come_sooner() {
    for (jitter, p50, p95) in [(0, 20.0, 25.0), (20, 40.0, 45.0)] {
        let bounds = Bounds {
            p50,
            p95,
            concealed: 0.01,
            longest: 80.0,
        };
        let packets = speech::packets(SHORT_OPUS_FRAME_SAMPLES);
        let name = format!("short, jitter {jitter} ms");
        holds_with(&packets, &name, jittery(jitter), &bounds);
    }
}

#[test]
fn jitter_costs_what_it_is() {
    for (jitter, p50, p95) in [(20, 40.0, 45.0), (60, 80.0, 85.0)] {
        let bounds = Bounds {
            p50,
            p95,
            concealed: 0.01,
            longest: 80.0,
        };
        holds(&format!("jitter {jitter} ms"), jittery(jitter), &bounds);
    }
}

#[test]
fn losses_cost_the_wait_for_a_copy() {
    // Of a row only the last has a copy, and the codec makes none of what it takes for noise.
    for (percent, concealed) in [(5, 0.02), (10, 0.04), (20, 0.1), (30, 0.17)] {
        let bounds = Bounds {
            p50: 40.0,
            p95: 45.0,
            concealed,
            longest: 250.0,
        };
        let loss = Loss::Random(f64::from(percent) / 100.0);
        holds(&format!("{percent} % lost"), lossy(loss), &bounds);
    }
}

#[test]
fn bursts_are_concealed_but_for_their_ends() {
    let bounds = Bounds {
        p50: 40.0,
        p95: 45.0,
        concealed: 0.09,
        longest: 1_000.0,
    };
    let loss = Loss::Bursts {
        share: 0.1,
        length: 5.0,
    };
    holds("10 % lost in bursts of 5", lossy(loss), &bounds);
}

#[test]
fn a_delay_that_jumps_up_and_down_is_followed() {
    let packets = speech::packets(OPUS_FRAME_SAMPLES);
    let far = Link {
        delay: PROPAGATION + Duration::from_millis(300),
        ..link()
    };
    let minutes = |n: u32| n * MINUTE;
    let changes = [(0, link()), (1, far), (2, link())].map(|(at, link)| Change {
        at: minutes(at),
        link,
    });
    let heard = listen(&packets, &changes, Clocks::default(), minutes(3), |_| ());
    print("300 ms up and down", &heard);
    let ten = Duration::from_secs(10);
    for (minute, expected) in [(0, 0.0), (1, 300.0), (2, 0.0)] {
        let within = minutes(minute) + ten..minutes(minute + 1);
        let p95 = heard.percentile(95.0, within) - expected;
        assert!(p95 <= 20.0, "minute {minute}: p95 {p95} ms above the link");
    }
    assert!(
        heard.longest_concealed <= 250.0,
        "{}",
        heard.longest_concealed
    );
}

#[test]
fn after_a_blackout_sound_is_back_at_once() {
    let packets = speech::packets(OPUS_FRAME_SAMPLES);
    let black = Link {
        blackout: true,
        ..link()
    };
    let seconds = Duration::from_secs;
    let changes = [(0, link()), (30, black), (35, link())].map(|(at, link)| Change {
        at: seconds(at),
        link,
    });
    let heard = listen(&packets, &changes, Clocks::default(), MINUTE, |_| ());
    print("5 s black", &heard);
    let played = heard.delays.iter().map(|(at, _)| *at);
    let later = played.filter(|at| *at >= seconds(31));
    let back = later.min().expect("sound is back");
    assert!(back <= seconds(35) + Duration::from_millis(120), "{back:?}");
    let p95 = heard.percentile(95.0, seconds(40)..MINUTE);
    assert!(p95 <= 20.0, "p95 {p95} ms");
}

/// Three hours of two clocks that differ.
fn stays_for_hours(clocks: Clocks) {
    let packets = speech::packets(OPUS_FRAME_SAMPLES);
    let changes = [Change {
        at: Duration::ZERO,
        link: jittery(5),
    }];
    let hours = 180 * MINUTE;
    let heard = listen(&packets, &changes, clocks, hours, |_| ());
    print(&format!("3 hours, {clocks:?}"), &heard);
    let first = heard.percentile(50.0, MINUTE..11 * MINUTE);
    let last = heard.percentile(50.0, hours - 10 * MINUTE..hours);
    assert!((last - first).abs() <= 3.0, "{first} became {last} ms");
    assert!(heard.delay(95.0) <= 30.0, "p95 {} ms", heard.delay(95.0));
    assert!(
        heard.concealed_share() <= 0.0005,
        "{}",
        heard.concealed_share()
    );
    assert!(heard.most_waiting <= 10, "{}", heard.most_waiting);
}

#[test]
fn a_fast_sound_card_does_not_run_dry() {
    stays_for_hours(Clocks {
        sender: 0.0,
        card: 200.0,
    });
}

#[test]
fn a_slow_sound_card_does_not_fall_behind() {
    stays_for_hours(Clocks {
        sender: 0.0,
        card: -200.0,
    });
}

#[test]
fn a_sender_with_another_clock_is_followed() {
    stays_for_hours(Clocks {
        sender: 100.0,
        card: -100.0,
    });
}
