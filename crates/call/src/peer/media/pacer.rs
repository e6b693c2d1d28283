//! When packets leave: sound at once, pictures as fast as the path is thought to take them.

use std::{
    collections::VecDeque,
    time::{Duration, Instant},
};

use super::packet::{Kind, Packet};

/// Pictures leave faster than the estimate, so that one that came out large does not delay those after it (libwebrtc's
/// factor).
const PACING_FACTOR: f64 = 2.5;

/// Where the path is what limits the call, what leaves faster than it takes only waits in its queue, and the next sound behind it;
/// here sound overtakes pictures. As a picture's last byte arrives no sooner, this costs next to nothing. Where it is known what
/// the path takes, they leave no faster than that.
const NARROW_PACING_FACTOR: f64 = 1.5;

/// What takes longer than this at the estimate's rate is a key frame, most of all. Where the path is what limits the call it
/// would overflow its queue, so until no more than this is left of it, it leaves hardly faster than the path takes it.
const LARGE: Duration = Duration::from_millis(120);
const LARGE_PACING_FACTOR: f64 = 1.1;

/// So much of the estimate may leave at once: a picture of average size at 30 pictures a second.
const BURST: Duration = Duration::from_millis(40);
const MIN_BURST_BYTES: f64 = 6_000.0;

/// The same where the path is what limits the call.
const NARROW_BURST: Duration = Duration::from_millis(5);
const MIN_NARROW_BURST_BYTES: f64 = 300.0;

/// So often two packets leave together all the same: how far apart they arrive says how fast the path is (`pairs.rs`).
const PAIRS_EVERY: Duration = Duration::from_millis(250);

/// The first picture of a call, a key frame, may leave at once as far as this: it is what the other person waits for.
const FIRST_BURST_BYTES: f64 = 32_000.0;

/// The same for the key frame after an outage: little is known of the path, and this much does it no harm.
const BURST_AFTER_OUTAGE_BYTES: f64 = 6_000.0;

/// A probe needs so much to send in one go; of less nothing could be measured.
const MIN_PROBE_BYTES: usize = 4_000;

/// A timer fires late by up to a millisecond; while probing, so much of what could have left meanwhile is caught up on.
const PROBE_CREDIT_BYTES: f64 = 2_500.0;

/// The queue never gets longer than this; when the estimate falls, what is queued leaves faster instead.
const MAX_QUEUE: Duration = Duration::from_millis(400);

/// Packets are sent again at the rate of the estimate at most, after a pause so much at once: who asks for more has lost
/// what a new key frame replaces sooner. They leave before everything else, so the queue must not be full of them.
const REPEAT_BURST: Duration = Duration::from_millis(400);
const MIN_REPEAT_BURST_BYTES: f64 = 10_000.0;

/// The second copy of a packet leaves so long after the first, so that one burst of losses does not take both.
const COPY_DELAY: Duration = Duration::from_millis(15);

/// A burst that measures how much the path takes: so many bytes at such a rate.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Probe {
    pub id: i32,
    pub bits_per_second: f64,
    pub bytes: usize,
    pub packets: usize,
}

/// A probe under way.
#[derive(Debug)]
struct Probing {
    probe: Probe,
    bytes: usize,
    packets: usize,
}

/// Holds packets until their time comes.
#[derive(Debug)]
pub(crate) struct Pacer {
    audio: VecDeque<Packet>,
    repeated: VecDeque<Packet>,
    /// Second copies, and when each may leave.
    copies: VecDeque<(Instant, Packet)>,
    video: VecDeque<Packet>,
    queued_bytes: usize,
    repeated_bytes: usize,
    /// Bytes that may be sent again now. Grows with time at the rate of the estimate.
    repeat_credit: f64,
    /// Bytes that have left before their time. Shrinks with time at the pacing rate.
    debt: f64,
    counted_at: Option<Instant>,
    estimate: f64,
    narrow: bool,
    path_rate: Option<f64>,
    /// The next packet leaves together with the last one.
    together: bool,
    /// When there is to be the next such pair.
    pair_at: Option<Instant>,
    waiting_probe: Option<Probe>,
    probing: Option<Probing>,
}

impl Pacer {
    /// `estimate` in bits a second.
    pub fn new(estimate: u32) -> Self {
        Self {
            audio: VecDeque::new(),
            repeated: VecDeque::new(),
            copies: VecDeque::new(),
            video: VecDeque::new(),
            queued_bytes: 0,
            repeated_bytes: 0,
            repeat_credit: f64::INFINITY, // Bounded as soon as it is asked for.
            debt: -FIRST_BURST_BYTES,
            counted_at: None,
            estimate: f64::from(estimate),
            narrow: false,
            path_rate: None,
            together: false,
            pair_at: None,
            waiting_probe: None,
            probing: None,
        }
    }

    /// What may be sent, and what the path takes where that is known, in bits a second; `narrow`: the call could do with more.
    pub fn set_path(&mut self, estimate: u32, path_rate: Option<f64>, narrow: bool) {
        self.estimate = f64::from(estimate);
        self.path_rate = path_rate;
        self.narrow = narrow;
    }

    /// The next pictures that are enough for it leave at the probe's rate. A newer probe replaces one that still waits.
    pub fn probe(&mut self, probe: Probe) {
        self.waiting_probe = Some(probe);
    }

    /// The size of a picture with which the probe that waits could be carried out, where there is one.
    pub fn wanted_for_probe(&self) -> Option<usize> {
        self.waiting_probe.as_ref().map(|probe| probe.bytes)
    }

    /// Queues a packet.
    pub fn push(&mut self, packet: Packet) {
        if packet.kind == Kind::Audio {
            return self.audio.push_back(packet);
        }
        self.queued_bytes += packet.size();
        if packet.repeated {
            self.repeated_bytes += packet.size();
            let copies = if packet.twice { 2 } else { 1 };
            self.repeat_credit -= (copies * packet.size()) as f64;
            self.repeated.push_back(packet);
        } else {
            self.video.push_back(packet);
        }
    }

    /// Drops everything that waits but sound.
    pub fn clear_pictures(&mut self) {
        self.repeated.clear();
        self.copies.clear();
        self.video.clear();
        self.queued_bytes = 0;
        self.repeated_bytes = 0;
        self.waiting_probe = None;
        self.probing = None;
        self.together = false;
    }

    /// How many bytes of packets that are sent again may be queued now.
    pub fn room_for_repeats(&mut self, now: Instant) -> usize {
        self.pay(now);
        self.repeat_credit.max(0.0) as usize
    }

    /// Something comes through again, and waits nowhere: the next picture is what the other person waits for.
    pub fn outage_is_over(&mut self) {
        self.debt = self.debt.min(-BURST_AFTER_OUTAGE_BYTES);
    }

    /// The packet that may leave now, and the probe it belongs to.
    pub fn pop(&mut self, now: Instant) -> Option<(Packet, Option<Probe>)> {
        self.pay(now);
        if let Some(packet) = self.audio.pop_front() {
            if self.narrow && self.path_rate.is_some() {
                self.debt += packet.size() as f64; // Pictures make room for it.
            }
            return Some((packet, None));
        }
        if let Some((_, copy)) = self.copies.pop_front_if(|(due, _)| *due <= now) {
            self.debt += copy.size() as f64;
            return Some((copy, None));
        }
        // A debt of less than a byte is a rounding error.
        let early = self.debt >= self.burst() + 1.0 && !self.together;
        if self.queued_bytes == 0 || early {
            return None;
        }
        let packet = self
            .repeated
            .pop_front()
            .or_else(|| self.video.pop_front())?;
        let size = packet.size();
        if packet.repeated {
            self.repeated_bytes -= size;
        }
        if packet.twice {
            let copy = Packet {
                copy: true,
                ..packet.clone()
            };
            self.copies.push_back((now + COPY_DELAY, copy));
        }
        self.pair_up(now);
        let probe = self.probe_of(size);
        self.queued_bytes -= size;
        self.debt += size as f64;
        if self.queued_bytes == 0 && self.probing.is_none() {
            self.debt = self.debt.max(0.0); // The first picture is out; the next ones wait their turn.
        }
        Some((packet, probe))
    }

    /// When the next packet may leave.
    pub fn next_time(&mut self, now: Instant) -> Option<Instant> {
        if !self.audio.is_empty() {
            return Some(now);
        }
        let copy = self.copies.front().map(|(due, _)| *due);
        if self.queued_bytes == 0 {
            return copy;
        }
        if self.together {
            return Some(now);
        }
        self.pay(now);
        let wait = (self.debt - self.burst()).max(0.0) / self.bytes_per_second();
        let other = now + Duration::from_secs_f64(wait);
        Some(copy.map_or(other, |copy| copy.min(other)))
    }

    /// Decides whether the next packet leaves together with the one that does now.
    fn pair_up(&mut self, now: Instant) {
        let due = self.pair_at.is_none_or(|at| at <= now);
        let follows = !self.video.is_empty() && self.probing.is_none();
        self.together = due && follows && !self.together;
        if self.together {
            self.pair_at = Some(now + PAIRS_EVERY);
        }
    }

    fn pay(&mut self, now: Instant) {
        let elapsed = self
            .counted_at
            .map_or(Duration::ZERO, |then| now.saturating_duration_since(then));
        self.counted_at = Some(now);
        let floor = if self.probing.is_some() {
            -PROBE_CREDIT_BYTES
        } else {
            0.0
        };
        let bytes_per_second = self.estimate / 8.0;
        let burst = bytes_per_second * REPEAT_BURST.as_secs_f64();
        self.repeat_credit = (self.repeat_credit + elapsed.as_secs_f64() * bytes_per_second)
            .min(burst.max(MIN_REPEAT_BURST_BYTES));
        if self.debt > floor {
            self.debt = (self.debt - elapsed.as_secs_f64() * self.bytes_per_second()).max(floor);
        }
    }

    fn burst(&self) -> f64 {
        if self.probing.is_some() {
            return 0.0; // A probe is spaced evenly: what is measured is how it is spaced when it arrives.
        }
        let (time, least) = match self.narrow {
            true => (NARROW_BURST, MIN_NARROW_BURST_BYTES),
            false => (BURST, MIN_BURST_BYTES),
        };
        (self.estimate / 8.0 * time.as_secs_f64()).max(least)
    }

    /// What the path takes, in bits a second; where that is not known, so many times the estimate.
    fn rate_of_path(&self, factor: f64) -> f64 {
        let rate = self.path_rate.unwrap_or(self.estimate * factor);
        rate.max(self.estimate)
    }

    fn bytes_per_second(&self) -> f64 {
        let fresh_bytes = self.queued_bytes - self.repeated_bytes;
        let large = self.narrow && fresh_bytes as f64 * 8.0 > self.estimate * LARGE.as_secs_f64();
        let paced = match &self.probing {
            Some(probing) => probing.probe.bits_per_second / 8.0,
            None if large => self.rate_of_path(LARGE_PACING_FACTOR) / 8.0,
            None if self.narrow => self.rate_of_path(NARROW_PACING_FACTOR) / 8.0,
            None => self.estimate * PACING_FACTOR / 8.0,
        };
        paced
            .max(fresh_bytes as f64 / MAX_QUEUE.as_secs_f64())
            .max(1_000.0)
    }

    /// Starts a probe when enough is queued to carry it out in one go, and ends one that has sent enough or has run dry.
    fn probe_of(&mut self, size: usize) -> Option<Probe> {
        if self.probing.is_none()
            && self.debt >= 0.0
            && let Some(mut probe) = self
                .waiting_probe
                .take_if(|probe| probe.bytes.min(MIN_PROBE_BYTES) <= self.queued_bytes)
        {
            probe.bytes = probe.bytes.min(self.queued_bytes);
            self.debt = 0.0;
            self.probing = Some(Probing {
                probe,
                bytes: 0,
                packets: 0,
            });
        }
        let probing = self.probing.as_mut()?;
        probing.bytes += size;
        probing.packets += 1;
        let probe = probing.probe.clone();
        let enough = probing.bytes >= probe.bytes && probing.packets >= probe.packets;
        if enough || self.queued_bytes <= size {
            self.probing = None;
            self.debt = self.debt.max(0.0);
        }
        Some(probe)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn packet(kind: Kind, bytes: usize) -> Packet {
        Packet {
            kind,
            payload: vec![0; bytes].into(),
            timestamp: 0,
            marker: false,
            sequence_number: 0,
            repeated: false,
            twice: false,
            copy: false,
        }
    }

    fn drain(pacer: &mut Pacer, now: Instant) -> Vec<Kind> {
        std::iter::from_fn(|| pacer.pop(now).map(|(packet, _)| packet.kind)).collect()
    }

    #[test]
    fn sound_never_waits_behind_a_picture() {
        let now = Instant::now();
        let mut pacer = Pacer::new(1_000_000);
        for _ in 0..100 {
            pacer.push(packet(Kind::Video, 1_200));
        }
        drain(&mut pacer, now);
        pacer.push(packet(Kind::Audio, 100));
        assert_eq!(pacer.next_time(now), Some(now));
        assert_eq!(drain(&mut pacer, now), [Kind::Audio]);
    }

    #[test]
    fn a_large_picture_is_spread_and_an_average_one_is_not() {
        let start = Instant::now();
        let mut pacer = Pacer::new(2_000_000);
        pacer.debt = 0.0;
        for _ in 0..7 {
            pacer.push(packet(Kind::Video, 1_200)); // 8.4 kB: 2 Mbit/s at 30 pictures a second.
        }
        assert_eq!(drain(&mut pacer, start).len(), 7);

        let mut pacer = Pacer::new(2_000_000);
        pacer.debt = 0.0;
        for _ in 0..50 {
            pacer.push(packet(Kind::Video, 1_200));
        }
        let mut now = start;
        let mut left = 0;
        while left < 50 {
            left += drain(&mut pacer, now).len();
            if let Some(next) = pacer.next_time(now) {
                assert!(next > now, "time moves on");
                now = next;
            }
        }
        // 60 kB less the burst, at 5 Mbit/s: about 80 ms.
        let taken = now - start;
        assert!(
            (60..110).contains(&taken.as_millis()),
            "{taken:?} for a key frame"
        );
    }

    #[test]
    fn where_the_path_is_narrow_pictures_leave_evenly_but_for_a_pair_now_and_then() {
        let start = Instant::now();
        let mut pacer = Pacer::new(1_000_000);
        pacer.set_path(1_000_000, None, true);
        pacer.debt = 0.0;
        let mut left = Vec::new();
        for millisecond in 0..1_000 {
            let now = start + Duration::from_millis(millisecond);
            if millisecond % 33 == 0 {
                for _ in 0..4 {
                    pacer.push(packet(Kind::Video, 950));
                }
            }
            left.extend(drain(&mut pacer, now).iter().map(|_| millisecond));
        }
        let together = left.windows(2).filter(|two| two[0] == two[1]).count();
        assert_eq!(together, 4, "{left:?}");
        let soon = left.windows(2).filter(|two| two[1] - two[0] < 2).count();
        assert_eq!(soon, together, "{left:?}");
        assert!(left.len() >= 120);
    }

    #[test]
    fn pictures_leave_no_faster_than_a_known_path_takes_them_and_make_room_for_sound() {
        let start = Instant::now();
        let mut pacer = Pacer::new(500_000);
        pacer.set_path(500_000, Some(540_000.0), true);
        pacer.debt = 0.0;
        pacer.pair_at = Some(start + Duration::from_secs(60));
        let mut bytes = 0;
        for millisecond in 0..1_000 {
            let now = start + Duration::from_millis(millisecond);
            if millisecond % 20 == 0 {
                pacer.push(packet(Kind::Audio, 100));
            }
            if millisecond % 33 == 0 {
                (0..3).for_each(|_| pacer.push(packet(Kind::Video, 800)));
            }
            while let Some((packet, _)) = pacer.pop(now) {
                bytes += packet.size();
            }
        }
        let most = 540_000 / 8;
        assert!((most * 9 / 10..most + 1_200).contains(&bytes), "{bytes}");
    }

    #[test]
    fn after_an_outage_the_first_picture_leaves_at_once() {
        let now = Instant::now();
        let mut pacer = Pacer::new(100_000);
        pacer.set_path(100_000, None, true);
        pacer.debt = 5_000.0;
        pacer.pay(now);
        pacer.outage_is_over();
        (0..4).for_each(|_| pacer.push(packet(Kind::Video, 1_000)));
        assert_eq!(drain(&mut pacer, now).len(), 4);
        (0..4).for_each(|_| pacer.push(packet(Kind::Video, 1_000)));
        assert!(
            drain(&mut pacer, now).len() <= 2,
            "the next one waits its turn"
        );
    }

    #[test]
    fn the_first_picture_leaves_at_once() {
        let now = Instant::now();
        let mut pacer = Pacer::new(300_000);
        for _ in 0..25 {
            pacer.push(packet(Kind::Video, 1_200));
        }
        assert_eq!(drain(&mut pacer, now).len(), 25);
    }

    #[test]
    fn the_queue_is_bounded_in_time() {
        let start = Instant::now();
        let mut pacer = Pacer::new(50_000);
        pacer.debt = 0.0;
        for _ in 0..100 {
            pacer.push(packet(Kind::Video, 1_200));
        }
        let mut now = start;
        while let Some(next) = pacer.next_time(now) {
            now = next.max(now + Duration::from_millis(1));
            drain(&mut pacer, now);
            assert!(now - start < Duration::from_secs(4));
        }
    }

    #[test]
    fn who_asks_for_everything_again_and_again_gets_no_more_than_the_path_takes() {
        let start = Instant::now();
        let estimate = 1_000_000;
        let mut pacer = Pacer::new(estimate);
        pacer.debt = 0.0;
        let repeated = || Packet {
            repeated: true,
            ..packet(Kind::Video, 1_200)
        };
        let (mut sent, mut fresh_waits) = (0, Duration::ZERO);
        let mut fresh_since = None;
        for millisecond in 0..2_000 {
            let now = start + Duration::from_millis(millisecond);
            let mut room = pacer.room_for_repeats(now);
            while room >= repeated().size() {
                room -= repeated().size();
                pacer.push(repeated());
            }
            if millisecond % 100 == 0 {
                pacer.push(packet(Kind::Video, 1_200));
                fresh_since = Some(now);
            }
            while let Some((packet, _)) = pacer.pop(now) {
                sent += packet.size();
                if !packet.repeated {
                    fresh_waits = fresh_waits.max(now - fresh_since.unwrap_or(now));
                }
            }
        }
        // Two seconds of the estimate, the burst, and the fresh packets.
        assert!(sent < 250_000 + 50_000 + 30_000, "{sent} bytes");
        assert!(fresh_waits < Duration::from_millis(400), "{fresh_waits:?}");
    }

    #[test]
    fn a_probe_waits_for_enough_to_send_and_is_paced_at_its_own_rate() {
        let now = Instant::now();
        let mut pacer = Pacer::new(1_000_000);
        pacer.debt = 0.0;
        let probe = Probe {
            id: 3,
            bits_per_second: 6_000_000.0,
            bytes: 10_000,
            packets: 5,
        };
        pacer.probe(probe.clone());
        pacer.push(packet(Kind::Video, 1_200));
        assert_eq!(pacer.pop(now).expect("a packet").1, None);
        for _ in 0..20 {
            pacer.push(packet(Kind::Video, 1_200));
        }
        let mut time = now;
        let mut probed = 0;
        while let Some(next) = pacer.next_time(time) {
            time = next;
            while let Some((packet, of)) = pacer.pop(time) {
                if of.is_some() {
                    probed += packet.size();
                }
            }
        }
        assert!((10_000..13_000).contains(&probed), "{probed}");
    }
}
