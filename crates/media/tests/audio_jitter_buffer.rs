//! The audio jitter buffer on simulated links, on a clock of the test's own.

use std::time::{Duration, Instant};

use bytes::Bytes;
use proptest::prelude::*;
use vireo_media::rtp::{AudioJitterBuffer, AudioPacket, RtpPayload, Tempo};

/// A packet on the link: which one, and when it arrives, in milliseconds.
#[derive(Debug, Clone, Copy)]
struct Arrival {
    index: u32,
    at_ms: f64,
}

/// Where a sender's counters begin.
#[derive(Debug, Clone, Copy)]
struct Start {
    sequence: u16,
    timestamp: u32,
}

const START: Start = Start {
    sequence: 100,
    timestamp: 5_000,
};
const NEAR_THE_EDGE: Start = Start {
    sequence: u16::MAX - 20,
    timestamp: u32::MAX - 20 * 960,
};

/// 20 ms of Opus (by its first byte), with a copy of the packet before or without (by its second), that carry their index.
fn payload_with(copy: bool, index: u32) -> Bytes {
    let mut bytes = vec![1 << 3, if copy { 0x40 } else { 0 }];
    bytes.extend(index.to_be_bytes());
    bytes.into()
}

fn payload(index: u32) -> Bytes {
    payload_with(true, index)
}

fn index_of(payload: &[u8]) -> u32 {
    u32::from_be_bytes(payload[2..6].try_into().expect("four bytes of index"))
}

/// What was heard.
#[derive(Debug, Default)]
struct Heard {
    /// Index and time in milliseconds of everything decoded.
    played: Vec<(u32, f64)>,
    recovered: Vec<u32>,
    concealed: u32,
    hurried: u32,
}

struct Simulation {
    origin: Instant,
    start: Start,
    copies: bool,
    buffer: AudioJitterBuffer,
    heard: Heard,
}

impl Simulation {
    fn new(start: Start) -> Self {
        Self {
            origin: Instant::now(),
            start,
            copies: true,
            buffer: AudioJitterBuffer::new(),
            heard: Heard::default(),
        }
    }

    fn push(&mut self, arrival: Arrival, payload: Bytes) {
        self.buffer.push(RtpPayload {
            sequence_number: self.start.sequence.wrapping_add(arrival.index as u16),
            timestamp: self
                .start
                .timestamp
                .wrapping_add(arrival.index.wrapping_mul(960)),
            marker: false,
            payload,
            received_at: self.at(arrival.at_ms),
        });
    }

    fn at(&self, ms: f64) -> Instant {
        self.origin + Duration::from_secs_f64(ms / 1e3)
    }

    /// Lets a speaker take 10 ms every 10 ms until `until_ms`, while packets arrive.
    fn run(&mut self, mut arrivals: Vec<Arrival>, from_ms: f64, until_ms: f64) {
        arrivals.sort_by(|a, b| a.at_ms.total_cmp(&b.at_ms));
        let mut arrivals = arrivals.into_iter().peekable();
        let mut ready = 0;
        let mut now = from_ms;
        while now < until_ms {
            while let Some(arrival) = arrivals.next_if(|arrival| arrival.at_ms <= now) {
                self.push(arrival, payload_with(self.copies, arrival.index));
            }
            while ready < 480 {
                ready += self.pop(now);
            }
            ready -= 480;
            now += 10.0;
        }
    }

    /// Samples that came out.
    fn pop(&mut self, now_ms: f64) -> u32 {
        match self.buffer.pop(self.at(now_ms)) {
            AudioPacket::Data { payload, tempo, .. } => {
                self.heard.played.push((index_of(&payload), now_ms));
                self.heard.hurried += u32::from(tempo == Tempo::Faster);
                // What stretching takes out or puts in on average.
                match tempo {
                    Tempo::Faster => 720,
                    Tempo::Steady => 960,
                    Tempo::Slower => 1_200,
                }
            }
            AudioPacket::Fec { next, samples } => {
                self.heard.recovered.push(index_of(&next).wrapping_sub(1));
                samples
            }
            AudioPacket::Missing { samples } => {
                self.heard.concealed += samples;
                samples
            }
            AudioPacket::Empty => 480,
        }
    }
}

/// A deterministic number between 0 and 1.
fn noise(index: u32) -> f64 {
    let mut x = index.wrapping_mul(0x9E37_79B9) ^ 0x85EB_CA6B;
    x ^= x >> 15;
    x = x.wrapping_mul(0x2C1B_3C6D);
    x ^= x >> 12;
    f64::from(x) / f64::from(u32::MAX)
}

fn steady(count: u32, delay_ms: impl Fn(u32) -> f64) -> Vec<Arrival> {
    (0..count)
        .map(|index| Arrival {
            index,
            at_ms: f64::from(index) * 20.0 + delay_ms(index),
        })
        .collect()
}

#[test]
fn a_clean_link_costs_next_to_nothing() {
    for start in [START, NEAR_THE_EDGE] {
        let mut simulation = Simulation::new(start);
        simulation.run(steady(500, |index| 30.0 + noise(index)), 0.0, 10_000.0);
        let statistics = simulation.buffer.statistics();
        assert_eq!(simulation.heard.concealed, 0);
        assert_eq!(simulation.heard.hurried, 0);
        assert_eq!(statistics.packets_lost, 0);
        assert!(statistics.packets_received >= 498);
        assert!(statistics.jitter_buffer_delay_ms < 15.0, "{statistics:?}");
        assert!(
            simulation
                .heard
                .played
                .windows(2)
                .all(|pair| pair[1].0 == pair[0].0 + 1)
        );
    }
}

#[test]
fn a_lost_packet_is_made_up_from_the_next_one() {
    let mut simulation = Simulation::new(NEAR_THE_EDGE);
    let arrivals = steady(1_000, |_| 30.0)
        .into_iter()
        .filter(|arrival| arrival.index % 20 != 7)
        .collect();
    simulation.run(arrivals, 0.0, 20_000.0);
    let statistics = simulation.buffer.statistics();
    assert_eq!(statistics.packets_lost, 50);
    // The first loss finds no packet waiting; from then on each waits for its successor.
    assert!(
        simulation.heard.recovered.len() >= 48,
        "{:?}",
        simulation.heard.recovered
    );
    assert!(
        simulation.heard.concealed <= 2 * 960,
        "{}",
        simulation.heard.concealed
    );
    assert_eq!(
        u64::from(simulation.heard.concealed),
        statistics.concealed_samples
    );
    assert!(statistics.jitter_buffer_delay_ms < 40.0, "{statistics:?}");
}

#[test]
fn a_copy_is_waited_for_whenever_the_sound_card_asks() {
    // How long after a packet's arrival the card asks for sound decides what it finds when one is lost.
    for delay in [30.0, 31.0, 35.0, 39.0] {
        let mut simulation = Simulation::new(START);
        let arrivals = steady(1_000, |_| delay)
            .into_iter()
            .filter(|arrival| arrival.index % 20 != 7)
            .collect();
        simulation.run(arrivals, 0.0, 20_000.0);
        let recovered = simulation.heard.recovered.len();
        assert!(recovered >= 47, "{delay} ms: {recovered} of 50");
    }
}

#[test]
fn a_lost_packet_of_which_there_is_no_copy_counts_as_concealed() {
    let mut simulation = Simulation::new(START);
    simulation.copies = false;
    let arrivals = steady(1_000, |_| 30.0)
        .into_iter()
        .filter(|arrival| arrival.index % 20 != 7)
        .collect();
    simulation.run(arrivals, 0.0, 20_000.0);
    let statistics = simulation.buffer.statistics();
    assert!(simulation.heard.recovered.is_empty());
    assert_eq!(statistics.packets_lost, 50);
    let concealed = statistics.concealed_samples;
    assert!((48 * 960..=52 * 960).contains(&concealed), "{concealed}");
}

#[test]
fn a_burst_of_losses_is_concealed_and_over() {
    let mut simulation = Simulation::new(START);
    let arrivals = steady(500, |_| 30.0)
        .into_iter()
        .filter(|arrival| !(100..105).contains(&arrival.index))
        .collect();
    simulation.run(arrivals, 0.0, 10_000.0);
    let statistics = simulation.buffer.statistics();
    assert_eq!(statistics.packets_lost, 5);
    assert!(
        (4 * 960..=6 * 960).contains(&simulation.heard.concealed),
        "{}",
        simulation.heard.concealed
    );
    assert!(
        simulation
            .heard
            .played
            .iter()
            .any(|(index, _)| *index == 105)
    );
    assert!(statistics.jitter_buffer_delay_ms < 40.0, "{statistics:?}");
}

#[test]
fn jitter_is_learnt_and_forgotten() {
    let mut simulation = Simulation::new(START);
    let jittery = |index: u32| {
        if index < 1_000 {
            30.0 + 60.0 * noise(index)
        } else {
            30.0
        }
    };
    let arrivals = steady(2_500, jittery);
    simulation.run(
        arrivals
            .iter()
            .copied()
            .filter(|arrival| arrival.at_ms < 5_000.0)
            .collect(),
        0.0,
        5_000.0,
    );
    let learnt = simulation.heard.concealed;
    simulation.run(
        arrivals
            .iter()
            .copied()
            .filter(|arrival| (5_000.0..20_000.0).contains(&arrival.at_ms))
            .collect(),
        5_000.0,
        20_000.0,
    );
    let later = simulation.heard.concealed - learnt;
    assert!(
        f64::from(later) < 0.03 * 15.0 * 48_000.0,
        "{later} of 720000 samples were made up"
    );
    assert!(simulation.buffer.statistics().target_delay_ms > 40.0);
    simulation.run(
        arrivals
            .iter()
            .copied()
            .filter(|arrival| arrival.at_ms >= 20_000.0)
            .collect(),
        20_000.0,
        50_000.0,
    );
    let statistics = simulation.buffer.statistics();
    assert!(simulation.heard.hurried > 0);
    assert!(statistics.jitter_buffer_delay_ms < 25.0, "{statistics:?}");
    assert_eq!(
        statistics.packets_discarded, 0,
        "what only comes late is played"
    );
}

#[test]
fn what_piles_up_while_the_network_stands_still_is_skipped() {
    let mut simulation = Simulation::new(START);
    let stalled = |index: u32| {
        if (200..300).contains(&index) {
            30.0 + f64::from(300 - index) * 20.0
        } else {
            30.0
        }
    };
    simulation.run(steady(1_000, stalled), 0.0, 20_000.0);
    let statistics = simulation.buffer.statistics();
    assert_eq!(statistics.packets_lost, 0);
    assert!(statistics.packets_discarded > 50, "{statistics:?}");
    let (_, played_at) = *simulation
        .heard
        .played
        .iter()
        .find(|(index, _)| *index == 400)
        .expect("played");
    assert!(played_at < 400.0 * 20.0 + 30.0 + 450.0, "{played_at}");
    assert!(statistics.jitter_buffer_delay_ms < 60.0, "{statistics:?}");
}

#[test]
fn a_sender_that_falls_behind_is_not_hurried() {
    let mut simulation = Simulation::new(START);
    // A microphone that stood still for 300 ms: everything comes that much later from then on.
    let late = |index: u32| if index < 200 { 30.0 } else { 330.0 };
    simulation.run(steady(800, late), 0.0, 16_000.0);
    assert!(
        simulation.heard.concealed <= 16 * 960,
        "{}",
        simulation.heard.concealed
    );
    assert!(
        simulation.heard.hurried < 60,
        "{}",
        simulation.heard.hurried
    );
}

#[test]
fn a_pause_is_no_loss() {
    let mut simulation = Simulation::new(START);
    // Half a second of speech, then silence in which only a refresher comes every 400 ms, then speech.
    let mut sequence = 0;
    for tick in 0..100_u32 {
        let speech = !(25..75).contains(&tick);
        if speech || tick == 25 || tick % 20 == 0 {
            let at_ms = f64::from(tick) * 20.0;
            simulation.buffer.push(RtpPayload {
                sequence_number: sequence,
                timestamp: tick * 960,
                marker: false,
                payload: if speech {
                    payload(tick)
                } else {
                    Bytes::from_static(&[1 << 3])
                },
                received_at: simulation.at(at_ms),
            });
            sequence += 1;
        }
        let mut ready = 0;
        while ready < 960 {
            ready += match simulation
                .buffer
                .pop(simulation.at(f64::from(tick) * 20.0 + 9.0))
            {
                AudioPacket::Data { .. } => 960,
                AudioPacket::Fec { samples, .. } | AudioPacket::Missing { samples } => samples,
                AudioPacket::Empty => 480,
            };
        }
    }
    let statistics = simulation.buffer.statistics();
    assert_eq!(
        (statistics.packets_lost, statistics.packets_discarded),
        (0, 0),
        "{statistics:?}"
    );
    assert_eq!(statistics.concealed_samples, 0, "{statistics:?}");
    assert!(statistics.jitter_buffer_delay_ms < 25.0, "{statistics:?}");
}

#[test]
fn a_sender_that_begins_anew_is_heard_again() {
    let mut simulation = Simulation::new(START);
    simulation.run(steady(100, |_| 30.0), 0.0, 2_100.0);
    simulation.start = Start {
        sequence: 40_000,
        timestamp: 3_000_000_000,
    };
    let again = steady(100, |_| 2_130.0);
    simulation.run(again, 2_100.0, 4_200.0);
    let statistics = simulation.buffer.statistics();
    assert!(
        simulation.heard.played.len() >= 197,
        "{}",
        simulation.heard.played.len()
    );
    assert_eq!(statistics.packets_lost, 0);
    assert_eq!(
        statistics.packets_received, 199,
        "the first packet of the new beginning could have been a stray"
    );
}

#[test]
fn strays_and_nonsense_harm_nothing() {
    let mut simulation = Simulation::new(START);
    simulation.run(steady(50, |_| 30.0), 0.0, 1_000.0);
    for (offset, bytes) in [
        (30_000, payload(9)),
        (0, Bytes::new()),
        (1, Bytes::from_static(&[0xff, 0])),
        (20_000, payload(9)),
    ] {
        simulation.push(
            Arrival {
                index: 50 + offset,
                at_ms: 1_000.0,
            },
            bytes,
        );
    }
    let arrivals = steady(150, |_| 30.0).into_iter().skip(49).collect();
    simulation.run(arrivals, 1_000.0, 3_000.0);
    let played: Vec<u32> = simulation
        .heard
        .played
        .iter()
        .map(|(index, _)| *index)
        .collect();
    assert!(
        played.windows(2).all(|pair| pair[1] == pair[0] + 1),
        "{played:?}"
    );
    assert_eq!(simulation.heard.concealed, 0);
}

/// What happens to one packet on a bad link.
#[derive(Debug, Clone)]
struct Fate {
    copies: usize,
    delay_ms: f64,
    copy_delay_ms: f64,
}

fn fate() -> impl Strategy<Value = Fate> {
    let copies = prop_oneof![2 => Just(0_usize), 8 => Just(1_usize), 1 => Just(2_usize)];
    (copies, 0.0..180.0, 0.0..400.0).prop_map(|(copies, delay_ms, copy_delay_ms)| Fate {
        copies,
        delay_ms,
        copy_delay_ms,
    })
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 128, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn whatever_the_link_does_each_packet_is_played_once_and_in_order(
        fates in prop::collection::vec(fate(), 1..300),
        sequence: u16,
        timestamp: u32,
    ) {
        let mut simulation = Simulation::new(Start { sequence, timestamp });
        let mut arrivals = Vec::new();
        for (index, fate) in fates.iter().enumerate() {
            let sent = index as f64 * 20.0;
            for copy in 0..fate.copies {
                let at_ms = sent + fate.delay_ms + copy as f64 * fate.copy_delay_ms;
                arrivals.push(Arrival { index: index as u32, at_ms });
            }
        }
        let end = fates.len() as f64 * 20.0 + 2_000.0;
        simulation.run(arrivals, 0.0, end);

        let played: Vec<u32> = simulation.heard.played.iter().map(|(index, _)| *index).collect();
        prop_assert!(played.windows(2).all(|pair| pair[0] < pair[1]), "{:?}", played);

        let arrived: Vec<u32> = (0..fates.len() as u32).filter(|index| fates[*index as usize].copies > 0).collect();
        let statistics = simulation.buffer.statistics();
        prop_assert_eq!(statistics.packets_received, arrived.len() as u64);
        if let (Some(first), Some(last)) = (arrived.first(), arrived.last()) {
            prop_assert_eq!(statistics.packets_lost, u64::from(last - first + 1) - arrived.len() as u64);
        }
        // Nothing stays behind: what came was played or was too late.
        prop_assert_eq!(played.len() as u64 + statistics.packets_discarded, arrived.len() as u64);
        prop_assert!(statistics.concealed_samples <= statistics.total_samples_received);
        for (index, at) in &simulation.heard.played {
            let age = at - f64::from(*index) * 20.0;
            prop_assert!(age < 1_200.0, "packet {} was {} ms old", index, age);
        }
    }

    #[test]
    fn no_sequence_of_packets_panics(
        packets in prop::collection::vec((any::<u16>(), any::<u32>(), prop::collection::vec(any::<u8>(), 0..6), 0_u64..100), 0..300),
    ) {
        let mut buffer = AudioJitterBuffer::new();
        let mut now = Instant::now();
        for (sequence_number, timestamp, payload, wait) in packets {
            now += Duration::from_millis(wait);
            buffer.push(RtpPayload { sequence_number, timestamp, marker: false, payload: payload.into(), received_at: now });
            let _ = buffer.pop(now);
            let _ = buffer.statistics();
        }
        for _ in 0..1_000 {
            now += Duration::from_millis(20);
            let _ = buffer.pop(now);
        }
        prop_assert_eq!(buffer.pop(now), AudioPacket::Empty);
    }
}
