//! The audio jitter buffer: puts packets in order, waits for late ones as briefly as the link allows, and says what is
//! to be played next.
//!
//! The budget of latency, from a packet's arrival (had it been as fast as the fastest) to its being heard:
//!
//! | link | median | 95 of 100 packets |
//! |---|---|---|
//! | clean, and two sound cards of the same pace | 10 ms | 15 ms |
//! | clean, and two sound cards whose clocks differ | 20 ms | 25 ms |
//! | packets up to *J* late | *J* + 20 ms | *J* + 25 ms |
//! | losses, which wait for the packet with the copy | 20 ms more | 20 ms more |
//! | packets that carry copies of the *N* before | *N* × 20 ms more | *N* × 20 ms more |
//! | anything else | 200 ms wanted at most, 400 more are skipped | |
//!
//! 10 ms of it are how much a sound card takes at a time. `tests/sound_on_links` holds it to that.

use std::{
    collections::{BTreeMap, BTreeSet, VecDeque},
    time::{Duration, Instant},
};

use bytes::Bytes;

use super::{
    RtpPayload,
    delay::{DelayEstimator, MAX_TARGET},
    opus_duration::{opus_packet_has_copy, opus_packet_samples},
    unwrap::Unwrapper,
};

/// More packets than this are never kept: 4 s of 20 ms packets.
const MAX_PACKETS: usize = 200;

/// A sequence number this far from the expected one is not loss but a sender that began anew (RFC 3550 A.1).
const MAX_GAP: i64 = 3_000;

/// What is concealed at a time while a packet is awaited: 10 ms.
const WAIT_SAMPLES: u32 = 480;

/// Longer than this nothing is made up any more: 200 ms.
const MAX_CONCEALED: u32 = 9_600;

/// While silence was announced, the room's noise is made up for longer: 1 s.
const MAX_SILENCE: u32 = 48_000;

/// Sequence numbers that are remembered to tell duplicates.
const REMEMBERED: i64 = 1_024;

/// No sender says a sound again later than this many packets after it.
const MAX_COPIES: i64 = 8;

/// After a loss, or a copy, more are expected for so long.
const EXPECT_LOSS_FOR: Duration = Duration::from_secs(3);

/// Packets over which the delay in the statistics is averaged: 1 s of 20 ms packets.
const DELAY_AVERAGED_OVER: f64 = 50.0;

/// Sound that waits longer than it need by this much is shortened …
const HURRY_ABOVE: Duration = Duration::from_millis(12);

/// … and by this much is skipped: after the network stood still, say.
const SKIP_ABOVE: Duration = Duration::from_millis(400);

/// What was played for so long must all have waited too long, or too briefly, so that one late wake-up stretches nothing: half a
/// second, in samples.
const DELAY_WINDOW: u32 = 24_000;

/// Shorter packets, in samples, are stretched together with the next one: 15 ms.
const LONG_ENOUGH: u32 = 720;

/// Opus packets up to this size are silence (DTX): what follows is a pause, not a loss.
const DTX_SIZE: usize = 2;

/// What is to be played next.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum AudioPacket {
    /// Decode this packet.
    Data {
        /// The payload.
        payload: Bytes,
        /// The RTP time of its first sample, made to go on for ever.
        timestamp: i64,
        /// How it is to be played.
        tempo: Tempo,
    },
    /// So many samples are lost, and the packet after them is here and carries a copy (Opus in-band FEC).
    Fec {
        /// The packet after the loss; it comes as [`AudioPacket::Data`] next.
        next: Bytes,
        /// Samples to make up.
        samples: u32,
    },
    /// So many samples are lost or late: conceal them.
    Missing {
        /// Samples to make up.
        samples: u32,
    },
    /// There is nothing to play: nobody spoke yet, or not for a while.
    Empty,
}

/// How fast a packet is to be played.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Tempo {
    /// As it is.
    Steady,
    /// The sound waits longer than the link needs: leave out a period of its pitch or so.
    Faster,
    /// The sound waits too briefly for the link, or the sound card is faster than the sender's: repeat a period or so.
    Slower,
}

/// Counts of W3C `RTCInboundRtpStreamStats`.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct AudioReceiveStatistics {
    /// Packets that came, each once.
    pub packets_received: u64,
    /// Packets that were sent and did not come, not even as a whole copy (RFC 3550 6.4.1); a late one is taken off again.
    pub packets_lost: u64,
    /// Packets that came too late, or had to be skipped.
    pub packets_discarded: u64,
    /// Samples that were made up.
    pub concealed_samples: u64,
    /// All samples that were played, made up ones included.
    pub total_samples_received: u64,
    /// How long packets wait here, in milliseconds, averaged over about the last second.
    pub jitter_buffer_delay_ms: f64,
    /// How long packets should wait here, in milliseconds.
    pub target_delay_ms: f64,
}

#[derive(Debug)]
struct Held {
    timestamp: i64,
    samples: u32,
    payload: Bytes,
    received_at: Instant,
}

/// What is to be played next: the time it should carry, and what was made up while it was awaited.
#[derive(Debug, Clone, Copy)]
struct Next {
    sequence: i64,
    timestamp: i64,
    concealed: u32,
}

/// How a packet fared, in microseconds.
#[derive(Debug, Clone, Copy)]
struct Recent {
    /// How much later it was played than the fastest packet could have been.
    delay: i64,
    /// How long it waited here.
    waited: i64,
}

/// Sans-IO: packets and the time go in, what is to be played comes out.
///
/// The delay adapts to the jitter of the last seconds: a few milliseconds on a clean link, never more than 200 ms wanted.
/// It grows by repeating periods of pitch (or when a packet is late and what is missing is concealed meanwhile) and shrinks
/// by leaving some out. The same keeps two sound cards together whose clocks differ.
#[derive(Debug, Default)]
pub struct AudioJitterBuffer {
    packets: BTreeMap<i64, Held>,
    seen: BTreeSet<i64>,
    sequence: Unwrapper,
    timestamp: Unwrapper,
    next: Option<Next>,
    first: i64,
    highest: i64,
    received_in_run: u64,
    lost_before_run: u64,
    stray: Option<u16>,
    estimator: DelayEstimator,
    recent: VecDeque<Recent>,
    last_loss: Option<Instant>,
    /// How many packets behind the newest the deepest copy of late was, and when it came.
    copies: Option<(i64, Instant)>,
    last_samples: u32,
    in_silence: bool,
    /// What sound waits for pictures, beyond what it needs.
    extra: Duration,
    statistics: AudioReceiveStatistics,
}

impl AudioJitterBuffer {
    /// An empty one.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Takes a packet, in whatever order they come. Duplicates and what is no Opus packet are dropped.
    pub fn push(&mut self, packet: RtpPayload) {
        self.take(packet, false);
    }

    /// Takes a packet that came within a later one, which was taken before. It is late by nature and says nothing of the
    /// link; but as long as such copies come, what is lost is waited for as long as it takes its last copy to come.
    pub fn push_copy(&mut self, packet: RtpPayload) {
        let behind = self.sequence.peek_u16(packet.sequence_number);
        let behind = self.highest.saturating_sub(behind).clamp(0, MAX_COPIES);
        let deepest = self.copies.filter(|(depth, at)| {
            *depth > behind && packet.received_at.saturating_duration_since(*at) < EXPECT_LOSS_FOR
        });
        if deepest.is_none() {
            self.copies = Some((behind, packet.received_at));
        }
        self.take(packet, true);
    }

    fn take(&mut self, packet: RtpPayload, copy: bool) {
        let Some(samples) = opus_packet_samples(&packet.payload) else {
            return;
        };
        let Some(sequence) = self.place(packet.sequence_number) else {
            return;
        };
        if !self.seen.insert(sequence) || sequence + REMEMBERED < self.highest {
            return;
        }
        let timestamp = self.timestamp.peek_u32(packet.timestamp);
        if !copy
            && !self
                .estimator
                .observe(timestamp, samples, packet.received_at)
        {
            self.recent.clear();
        }
        self.statistics.packets_received += 1;
        self.received_in_run += 1;
        self.first = self.first.min(sequence);
        if sequence >= self.highest {
            self.highest = sequence;
            self.sequence.keep(sequence);
            self.timestamp.keep(timestamp);
            while self
                .seen
                .first()
                .is_some_and(|oldest| oldest + REMEMBERED < sequence)
            {
                self.seen.pop_first();
            }
        }
        if self.next.is_some_and(|next| sequence < next.sequence) {
            self.statistics.packets_discarded += 1;
            return;
        }
        let held = Held {
            timestamp,
            samples,
            payload: packet.payload,
            received_at: packet.received_at,
        };
        self.packets.insert(sequence, held);
        while self.packets.len() > MAX_PACKETS {
            self.skip_first();
        }
    }

    /// What is to be played next. To be called whenever the speaker needs more.
    pub fn pop(&mut self, now: Instant) -> AudioPacket {
        let target = self.target(now);
        while self
            .first_delay(now)
            .is_some_and(|delay| delay > micros(target + SKIP_ABOVE))
            && self.packets.len() > 1
        {
            self.skip_first();
        }
        let Some((&sequence, held)) = self.packets.first_key_value() else {
            return self.wait();
        };
        let due = self
            .first_delay(now)
            .is_some_and(|delay| delay >= micros(target))
            || now.saturating_duration_since(held.received_at) >= MAX_TARGET;
        let Some(next) = self.next else {
            return if due {
                self.play(now, target)
            } else {
                AudioPacket::Empty
            };
        };
        let gap = held.timestamp - next.timestamp;
        let lost = sequence - next.sequence;
        if gap <= i64::from(next.concealed) {
            // All of the loss was made up while its copy was on its way: the next one shall be waited for.
            if lost > 0 && opus_packet_has_copy(&held.payload) {
                self.last_loss = Some(now);
            }
            return self.play(now, target);
        }
        // After a pause the first packet of speech waits for its time like the first of a call.
        if lost == 0 || gap > i64::from(MAX_CONCEALED) {
            return if due {
                self.play(now, target)
            } else {
                self.wait()
            };
        }
        let overdue = self.estimator.delay_at(next.timestamp, now) >= micros(target) || due;
        if overdue {
            self.bridge(next, lost, gap, now)
        } else {
            self.wait()
        }
    }

    /// Lets sound wait so much longer than it needs; what is wanted altogether stays within the budget.
    pub fn set_extra_delay(&mut self, extra: Duration) {
        self.extra = extra;
    }

    /// How many packets wait to be played; some hundred at most.
    #[must_use]
    pub fn waiting(&self) -> usize {
        self.packets.len()
    }

    /// The counts so far.
    #[must_use]
    pub fn statistics(&self) -> AudioReceiveStatistics {
        AudioReceiveStatistics {
            packets_lost: self.lost_before_run + self.lost_in_run(),
            ..self.statistics
        }
    }

    fn lost_in_run(&self) -> u64 {
        if self.received_in_run == 0 {
            return 0;
        }
        ((self.highest - self.first + 1) as u64).saturating_sub(self.received_in_run)
    }

    /// The extended sequence number. None for a stray one.
    fn place(&mut self, sequence_number: u16) -> Option<i64> {
        if self.received_in_run == 0 {
            self.first = i64::from(sequence_number);
            self.highest = self.first;
            return Some(self.first);
        }
        let sequence = self.sequence.peek_u16(sequence_number);
        if (sequence - self.highest).abs() <= MAX_GAP {
            self.stray = None;
            return Some(sequence);
        }
        // One such packet may be a stray; two in a row are a sender that began anew.
        if self.stray.replace(sequence_number.wrapping_add(1)) != Some(sequence_number) {
            return None;
        }
        *self = Self {
            statistics: self.statistics,
            lost_before_run: self.lost_before_run + self.lost_in_run(),
            first: i64::from(sequence_number),
            highest: i64::from(sequence_number),
            extra: self.extra,
            ..Self::default()
        };
        Some(self.first)
    }

    /// Where packets get lost, each waits for its successor, which carries its copy, or for as many as carry whole ones.
    fn loss_allowance(&self, now: Instant) -> Duration {
        let expected = |at: Instant| now.saturating_duration_since(at) < EXPECT_LOSS_FOR;
        let in_band = i64::from(self.last_loss.is_some_and(expected));
        let whole = self.copies.filter(|(_, at)| expected(*at));
        let packets = in_band.max(whole.map_or(0, |(depth, _)| depth));
        Duration::from_micros(packets as u64 * u64::from(self.last_samples) * 125 / 6)
    }

    /// The delay that is wanted now.
    fn target(&mut self, now: Instant) -> Duration {
        let target = self.estimator.target() + self.loss_allowance(now) + self.extra;
        let target = target.min(MAX_TARGET);
        self.statistics.target_delay_ms = target.as_secs_f64() * 1e3;
        target
    }

    fn first_delay(&self, now: Instant) -> Option<i64> {
        self.packets
            .first_key_value()
            .map(|(_, held)| self.estimator.delay_at(held.timestamp, now))
    }

    fn play(&mut self, now: Instant, target: Duration) -> AudioPacket {
        let Some((sequence, held)) = self.packets.pop_first() else {
            return AudioPacket::Empty;
        };
        self.next = Some(Next {
            sequence: sequence + 1,
            timestamp: held.timestamp + i64::from(held.samples),
            concealed: 0,
        });
        self.in_silence = held.payload.len() <= DTX_SIZE;
        self.last_samples = held.samples;
        self.statistics.total_samples_received += u64::from(held.samples);
        let waited = now.saturating_duration_since(held.received_at);
        let average = &mut self.statistics.jitter_buffer_delay_ms;
        *average += (waited.as_secs_f64() * 1e3 - *average) / DELAY_AVERAGED_OVER;

        let delay = self.estimator.delay_at(held.timestamp, now);
        self.recent.push_back(Recent {
            delay,
            waited: micros(waited),
        });
        while self.recent.len() > self.delay_window() {
            self.recent.pop_front();
        }
        AudioPacket::Data {
            payload: held.payload,
            timestamp: held.timestamp,
            tempo: self.tempo(target, now),
        }
    }

    /// A short packet can be shortened together with the one after it.
    fn can_hurry(&self) -> bool {
        let follows = self
            .next
            .is_some_and(|next| self.packets.contains_key(&next.sequence));
        self.last_samples >= LONG_ENOUGH || follows
    }

    /// In packets like the last one.
    fn delay_window(&self) -> usize {
        (DELAY_WINDOW / self.last_samples.max(1)) as usize
    }

    fn tempo(&self, target: Duration, now: Instant) -> Tempo {
        if self.recent.len() < self.delay_window() {
            Tempo::Steady
        } else if self.is_too_late(target, now) && self.can_hurry() {
            Tempo::Faster
        } else if self.is_too_soon(target) {
            Tempo::Slower
        } else {
            Tempo::Steady
        }
    }

    /// Whether everything of late was played sooner than is safe: the next packet that is late would find nothing to play.
    fn is_too_soon(&self, target: Duration) -> bool {
        let target = micros(target);
        self.recent.iter().all(|recent| recent.delay < target)
    }

    /// Whether everything of late was played later than it need be. Packets that all came late, after a pause of the
    /// sender's, say, are no reason: even the last of them must have waited here for a while.
    fn is_too_late(&self, target: Duration, now: Instant) -> bool {
        let hurry_above = micros(HURRY_ABOVE);
        let allowance = micros(self.loss_allowance(now));
        self.recent.iter().all(|recent| {
            recent.delay > micros(target) + hurry_above && recent.waited > hurry_above + allowance
        })
    }

    /// Makes up what is missing between what was played and the first packet that is here.
    fn bridge(&mut self, next: Next, lost: i64, gap: i64, now: Instant) -> AudioPacket {
        let samples = ((gap / lost).max(1) as u32).min(MAX_CONCEALED);
        let after = self
            .packets
            .first_key_value()
            .map(|(_, held)| &held.payload)
            .filter(|payload| opus_packet_has_copy(payload))
            .cloned();
        if after.is_some() {
            self.last_loss = Some(now);
        }
        if lost == 1
            && let Some(carrier) = after
        {
            self.next = Some(Next {
                sequence: next.sequence + 1,
                timestamp: next.timestamp + gap,
                concealed: 0,
            });
            self.statistics.total_samples_received += u64::from(samples);
            return AudioPacket::Fec {
                next: carrier,
                samples,
            };
        }
        // What was made up while waiting counts for the first of the lost packets.
        let rest = samples.saturating_sub(next.concealed);
        let concealed = next.concealed.saturating_sub(samples);
        self.next = Some(Next {
            sequence: next.sequence + 1,
            timestamp: next.timestamp + i64::from(samples),
            concealed,
        });
        if rest == 0 {
            self.pop(now)
        } else {
            self.conceal(rest)
        }
    }

    /// Nothing can be played: makes up a little, and gives up after a while.
    fn wait(&mut self) -> AudioPacket {
        let limit = if self.in_silence {
            MAX_SILENCE
        } else {
            MAX_CONCEALED
        };
        match &mut self.next {
            Some(next) if next.concealed < limit => {
                next.concealed += WAIT_SAMPLES;
                self.conceal(WAIT_SAMPLES)
            }
            _ => AudioPacket::Empty,
        }
    }

    fn conceal(&mut self, samples: u32) -> AudioPacket {
        self.statistics.total_samples_received += u64::from(samples);
        if !self.in_silence {
            self.statistics.concealed_samples += u64::from(samples);
        }
        AudioPacket::Missing { samples }
    }

    fn skip_first(&mut self) {
        if self.packets.pop_first().is_none() {
            return;
        }
        self.statistics.packets_discarded += 1;
        if let (Some(next), Some((&sequence, held))) =
            (&mut self.next, self.packets.first_key_value())
        {
            *next = Next {
                sequence,
                timestamp: held.timestamp,
                concealed: 0,
            };
        }
    }
}

const fn micros(duration: Duration) -> i64 {
    duration.as_micros() as i64
}
