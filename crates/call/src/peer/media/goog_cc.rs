//! Google congestion control: libwebrtc's estimator in Rust, fed by us.
#![allow(unsafe_code)] // One marker trait, below.

use std::time::{Duration, Instant};

use goog_cc::{
    GoogCcConfig, GoogCcNetworkController,
    network_control::{NetworkControllerConfig, NetworkControllerInterface},
    transport::{
        NetworkAvailability, NetworkControlUpdate, NetworkRouteChange, PacedPacketInfo,
        PacketResult, ProcessInterval, RemoteBitrateReport, SentPacket as GoogSentPacket,
        StreamsConfig, TargetRateConstraints, TransportPacketsFeedback,
    },
    units::{DataRate, DataSize, Timestamp},
};

use super::{
    estimator::{BandwidthEstimator, PathState},
    giving_way::GivingWay,
    growth::Growth,
    pacer::Probe,
    pairs::Pairs,
    queueing::delivered_rate,
    silence::Silence,
    standing_queue::StandingQueue,
    transport_cc::{Fate, SentPacket},
};

/// How often the controller wants to look after itself.
const PROCESS_INTERVAL: Duration = Duration::from_millis(25);

/// Losses that are kept in an outage; one that loses more is no different.
const MAX_LOST: usize = 1_000;

/// Packets that waited so long came through a queue that is full or nearly so,
const LONG_QUEUE: Duration = Duration::from_millis(80);
/// and no more than this share of what comes through it is to be sent: the key frame that pictures go on with is several times
/// the size of others, and has to go through it as well.
const OF_DELIVERED: f64 = 0.6;

/// No more than this share of what the narrowest place takes is to be sent, where that is known: a queue in which nothing is
/// left over does not run empty, and sound waits in it.
const OF_PATH: f64 = 0.93;

struct Controller(GoogCcNetworkController);

// SAFETY: version 0.1.4, which Cargo.toml pins, is plain data (numbers, vectors, options) without shared ownership, raw
// pointers, interior mutability or thread-locals. It misses `Send` only because of one field, a boxed trait object whose
// trait does not name it; both types that implement the private trait are plain data too.
unsafe impl Send for Controller {}

/// The controller and the translation to its types.
pub(crate) struct GoogCc {
    controller: Controller,
    epoch: Instant,
    processed_at: Option<Instant>,
    estimate: u32,
    probe: Option<Probe>,
    /// Losses that wait for feedback about something that arrived: the controller takes none without.
    lost: Vec<Fate>,
    growth: Growth,
    pairs: Pairs,
    giving_way: GivingWay,
    standing_queue: StandingQueue,
    ticked_at: Instant,
    silence: Silence,
    min: u32,
    max: u32,
}

impl GoogCc {
    /// All in bits a second.
    pub fn new(now: Instant, start: u32, min: u32, max: u32) -> Self {
        // The controller takes no time before its epoch, and a packet may have been queued a moment ago.
        let epoch = now.checked_sub(Duration::from_secs(1)).unwrap_or(now);
        let at_time = timestamp(epoch, now);
        let config = NetworkControllerConfig {
            constraints: constraints(at_time, start, min, max),
            stream_based_config: StreamsConfig {
                at_time,
                requests_alr_probing: Some(true),
                ..Default::default()
            },
            ..Default::default()
        };
        // Loss and round trips come from the feedback, too: without either the controller never looks at loss at all.
        let goog_cc = GoogCcConfig {
            feedback_only: true,
        };
        let mut this = Self {
            controller: Controller(GoogCcNetworkController::new(config, goog_cc)),
            epoch,
            processed_at: None,
            estimate: start,
            probe: None,
            lost: Vec::new(),
            growth: Growth::new(now),
            pairs: Pairs::default(),
            giving_way: GivingWay::new(f64::from(max)),
            standing_queue: StandingQueue::new(now),
            ticked_at: now,
            silence: Silence::new(),
            min,
            max,
        };
        let update = this
            .controller
            .0
            .on_network_availability(NetworkAvailability {
                at_time,
                network_available: true,
            });
        this.apply(update);
        this
    }

    fn time(&self, at: Instant) -> Timestamp {
        timestamp(self.epoch, at)
    }

    fn sent_packet(&self, packet: &SentPacket, bytes_in_flight: usize) -> GoogSentPacket {
        let pacing_info = packet.probe.map_or_else(PacedPacketInfo::default, |probe| {
            let mut info = PacedPacketInfo::new(probe.id, probe.packets as i64, probe.bytes as i64);
            info.send_bitrate = DataRate::from_bits_per_sec(probe.bits_per_second as i64);
            info
        });
        GoogSentPacket {
            send_time: self.time(packet.at),
            size: DataSize::from_bytes(packet.bytes as i64),
            pacing_info,
            audio: packet.audio,
            sequence_number: packet.number as i64,
            data_in_flight: DataSize::from_bytes(bytes_in_flight as i64),
            ..Default::default()
        }
    }

    /// Begins anew with so many bits a second: the controller would find out by itself that the path is another one, but only
    /// half a second later.
    fn fall_to(&mut self, bits_per_second: f64, now: Instant) {
        if bits_per_second >= f64::from(self.estimate) {
            return;
        }
        self.giving_way.forget();
        let start = (bits_per_second as u32).max(self.min);
        let at_time = self.time(now);
        let change = NetworkRouteChange {
            at_time,
            constraints: constraints(at_time, start, self.min, self.max),
        };
        let update = self.controller.0.on_network_route_change(change);
        self.apply(update);
        self.probe = None; // Not into a queue that is full.
    }

    fn apply(&mut self, update: NetworkControlUpdate) {
        if let Some(target) = update.target_rate {
            self.estimate = u32::try_from(target.target_rate.bps()).unwrap_or(u32::MAX);
        }
        // Of several probes the last and fastest says most.
        if let Some(cluster) = update.probe_cluster_configs.last() {
            let bits_per_second = cluster.target_data_rate.bps_float();
            self.probe = Some(Probe {
                id: cluster.id,
                bits_per_second,
                bytes: (bits_per_second / 8.0 * cluster.target_duration.seconds_float()) as usize,
                packets: usize::try_from(cluster.target_probe_count).unwrap_or(0),
            });
        }
    }
}

/// All in bits a second.
fn constraints(at_time: Timestamp, start: u32, min: u32, max: u32) -> TargetRateConstraints {
    let rate = |bits: u32| Some(DataRate::from_bits_per_sec(i64::from(bits)));
    TargetRateConstraints {
        at_time,
        min_data_rate: rate(min),
        max_data_rate: rate(max),
        starting_rate: rate(start),
    }
}

fn timestamp(epoch: Instant, at: Instant) -> Timestamp {
    Timestamp::from_micros(at.saturating_duration_since(epoch).as_micros() as i64)
}

impl BandwidthEstimator for GoogCc {
    fn sent(&mut self, packet: &SentPacket, bytes_in_flight: usize) {
        self.silence.sent(packet.at);
        let packet = self.sent_packet(packet, bytes_in_flight);
        let update = self.controller.0.on_sent_packet(packet);
        self.apply(update);
    }

    fn feedback(&mut self, now: Instant, fates: &[Fate], bytes_in_flight: usize, path: PathState) {
        if fates.iter().all(|fate| fate.arrival.is_none()) {
            self.lost.extend_from_slice(fates);
            self.lost.truncate(MAX_LOST);
            return;
        }
        self.pairs.update(fates);
        let lost = std::mem::take(&mut self.lost);
        let packet_feedbacks = lost
            .iter()
            .chain(fates)
            .map(|fate| PacketResult {
                sent_packet: self.sent_packet(&fate.packet, bytes_in_flight),
                receive_time: fate
                    .arrival
                    .map_or_else(Timestamp::plus_infinity, |arrival| {
                        Timestamp::from_micros(arrival.as_micros() as i64)
                    }),
                ..Default::default()
            })
            .collect();
        let update = self
            .controller
            .0
            .on_transport_packets_feedback(TransportPacketsFeedback {
                feedback_time: self.time(now),
                data_in_flight: DataSize::from_bytes(bytes_in_flight as i64),
                packet_feedbacks,
                sendless_arrival_times: Vec::new(),
            });
        self.apply(update);
        let full = path.waited.is_some_and(|waited| waited >= LONG_QUEUE);
        if self.silence.lasts()
            && full
            && let Some(delivered) = delivered_rate(fates)
        {
            self.pairs.replace(delivered);
            self.fall_to(delivered * OF_DELIVERED, now);
        }
        if let Some(least) = path.least_waited {
            let seen = self.pairs.seen();
            self.standing_queue.feedback(now, fates, least, seen);
            let estimate = f64::from(self.estimate);
            self.giving_way
                .feedback(now, estimate, fates, least, seen.path);
        }
        self.silence
            .feedback(now, bytes_in_flight, f64::from(self.estimate), full);
        self.silence.loss(path.lost_by_chance);
    }

    /// The controller takes it from the feedback.
    fn round_trip(&mut self, _now: Instant, round_trip: Duration) {
        self.silence.round_trip(round_trip);
    }

    /// Feedback about single packets says it better.
    fn loss(&mut self, _now: Instant, _share: f64) {}

    fn limit(&mut self, now: Instant, bits_per_second: u32) {
        let update = self
            .controller
            .0
            .on_remote_bitrate_report(RemoteBitrateReport {
                receive_time: self.time(now),
                bandwidth: DataRate::from_bits_per_sec(i64::from(bits_per_second)),
            });
        self.apply(update);
    }

    fn tick(&mut self, now: Instant) {
        self.ticked_at = now;
        if self.silence.tick(now, f64::from(self.estimate)) {
            self.pairs = Pairs::default(); // They were seen on the former path.
        }
        let seen = self.pairs.seen();
        if let Some(probe) = self.growth.probe(now, self.estimate(), seen, self.max) {
            self.probe = Some(probe);
        }
        if self
            .processed_at
            .is_some_and(|then| now.saturating_duration_since(then) < PROCESS_INTERVAL)
        {
            return;
        }
        self.processed_at = Some(now);
        let update = self.controller.0.on_process_interval(ProcessInterval {
            at_time: self.time(now),
            pacer_queue: None,
        });
        self.apply(update);
    }

    fn estimate(&self) -> u32 {
        let estimate = self.giving_way.of(f64::from(self.estimate));
        let estimate = self.standing_queue.of(estimate, self.ticked_at);
        let estimate = self.silence.of(estimate);
        let most = self.path_rate().map(|rate| rate * OF_PATH);
        let estimate = most.map_or(estimate, |most| estimate.min(most));
        (estimate as u32).max(self.min)
    }

    fn path_rate(&self) -> Option<f64> {
        self.pairs.agreed()
    }

    fn take_probe(&mut self) -> Option<Probe> {
        // What is stuffed for a probe would come in the way of the first picture after an outage.
        self.probe.take().filter(|_| !self.silence.lasts())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::peer::media::transport_cc::ProbeInfo;

    const START: u32 = 1_500_000;
    const MAX: u32 = 4_000_000;

    /// Sends pictures of the estimate's size for some seconds through a link of `capacity` bits a second whose queue
    /// holds 200 ms; gives the estimate at the end.
    fn run(capacity: f64, seconds: u32, loss_every: Option<u64>) -> u32 {
        let start = Instant::now();
        let mut estimator = GoogCc::new(start, START, 50_000, MAX);
        let mut link_free = start;
        let mut number = 0;
        let mut reported: Vec<(Instant, Fate)> = Vec::new();
        for millisecond in 0..seconds * 1_000 {
            let now = start + Duration::from_millis(u64::from(millisecond));
            if millisecond % 33 == 0 {
                let bytes = estimator.estimate() as usize / 8 / 30;
                for _ in 0..bytes.div_ceil(1_200) {
                    let packet = SentPacket {
                        number,
                        at: now,
                        bytes: 1_200,
                        audio: false,
                        probe: None::<ProbeInfo>,
                    };
                    number += 1;
                    estimator.sent(&packet, 0);
                    let lost = loss_every.is_some_and(|every| number % every == 0)
                        || link_free > now + Duration::from_millis(200);
                    let mut arrival = None;
                    if !lost {
                        let sending = Duration::from_secs_f64(1_200.0 * 8.0 / capacity);
                        link_free = link_free.max(now) + sending;
                        arrival = Some(link_free + Duration::from_millis(20) - start);
                    }
                    let delay = Duration::from_millis(240); // In order, as real feedback comes.
                    let known = now + delay;
                    reported.push((known, Fate { packet, arrival }));
                }
            }
            if millisecond % 50 == 0 {
                let (due, later): (Vec<_>, Vec<_>) =
                    reported.into_iter().partition(|(known, _)| *known <= now);
                reported = later;
                let fates: Vec<Fate> = due.into_iter().map(|(_, fate)| fate).collect();
                estimator.feedback(now, &fates, 10_000, PathState::default());
            }
            estimator.tick(now);
        }
        estimator.estimate()
    }

    #[test]
    fn a_clean_link_is_used_up_to_the_maximum() {
        assert_eq!(run(100e6, 16, None), MAX);
    }

    #[test]
    fn a_narrow_link_is_not_overrun() {
        let estimate = run(700e3, 20, None);
        assert!((350_000..900_000).contains(&estimate), "{estimate}");
    }

    #[test]
    fn random_loss_alone_does_not_starve() {
        let estimate = run(100e6, 20, Some(20));
        assert!(estimate >= START, "{estimate} at 5 % loss");
    }

    #[test]
    fn nonsense_from_the_other_side_does_no_harm() {
        let start = Instant::now();
        let mut estimator = GoogCc::new(start, START, 50_000, MAX);
        let mut random = 1u64;
        let mut next = || {
            random = random
                .wrapping_mul(6_364_136_223_846_793_005)
                .wrapping_add(1_442_695_040_888_963_407);
            random >> 33
        };
        for number in 0..20_000 {
            let now = start + Duration::from_millis(number);
            let packet = SentPacket {
                number,
                at: now,
                bytes: (next() % 1_500) as usize,
                audio: next() % 3 == 0,
                probe: (next() % 50 == 0).then(|| ProbeInfo {
                    id: (next() % 5) as i32,
                    bits_per_second: next() as f64,
                    bytes: (next() % 10_000) as usize,
                    packets: 5,
                }),
            };
            estimator.sent(&packet, (next() % 100_000) as usize);
            // Any time at all, or never; also twice, and of packets long gone.
            let arrival = (next() % 4 != 0).then(|| Duration::from_millis(next() % (1 << 40)));
            let fates = vec![Fate { packet, arrival }; (next() % 3) as usize];
            estimator.feedback(
                now,
                &fates,
                (next() % 100_000) as usize,
                PathState::default(),
            );
            if next() % 100 == 0 {
                estimator.limit(now, next() as u32);
            }
            estimator.tick(now);
            assert!((50_000..=MAX).contains(&estimator.estimate()));
        }
    }
}
