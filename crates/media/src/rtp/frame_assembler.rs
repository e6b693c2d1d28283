//! From RTP payloads to coded frames, in order.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use bytes::{Bytes, BytesMut};

use super::holes::{Holes, Rhythm};
use super::unwrap::Unwrapper;
use super::waiting::{Found, Waiting};
use super::{RtpPayload, h264, largest, vp8};
use crate::codec::{EncodedFrame, VideoCodec};

/// More packets than this are no call: 4,096 of them are 8 s at 5 Mbit/s.
const MAX_PACKETS: usize = 4_096;
/// With no key frame among so many packets, none of them will be needed.
const MAX_WAITING_PACKETS: usize = 1_000;
/// So many missing packets are asked for at most; after more than that a key frame is there sooner.
const MAX_HOLES: usize = 400;
/// Parameter sets that came by themselves are kept up to this size; real ones have some tens of bytes.
const MAX_PARAMETER_SETS: usize = 4_096;
/// A gap as wide as this is a new stream rather than a loss, if the packet after it agrees (RFC 3550 appendix A.1).
const MAX_GAP: i64 = 1_000;
/// Two requests for a key frame are at least so far apart.
const KEY_FRAME_INTERVAL: Duration = Duration::from_millis(200);
/// After at least and at most so long, by the round trip in between, a packet that is missing is not expected any more: a key
/// frame is asked for. The packet is still taken when it comes first.
const PATIENCE: std::ops::RangeInclusive<Duration> =
    Duration::from_millis(100)..=Duration::from_millis(500);
/// So many times that, and nothing is expected of what is missing any more.
const LAST_PATIENCE: u32 = 3;
/// Where more packets get lost than this share, requests do as well.
const REQUESTS_GET_LOST: f64 = 0.03;
/// The share of lost packets is taken over about so many.
const LOSS_WINDOW: f64 = 200.0;
/// A complete key frame behind a hole is taken after this: longer than packets overtake each other.
const OVERTAKING: Duration = Duration::from_millis(30);

/// A frame and how it came.
#[derive(Debug, Clone)]
pub struct AssembledFrame {
    /// The frame; `captured_at` is the arrival of its last packet.
    pub frame: EncodedFrame,
    /// When the first of its packets came.
    pub first_packet_at: Instant,
    /// How many packets it came in.
    pub packets: usize,
}

/// Counts since the beginning, with W3C's names (webrtc-stats) where there are any.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct AssemblerStatistics {
    /// Packets taken, without duplicates.
    pub packets_received: u64,
    /// Bytes of their payloads.
    pub bytes_received: u64,
    /// Packets given up.
    pub packets_lost: u64,
    /// Packets that came twice or after they had been given up.
    pub packets_discarded: u64,
    /// Frames given out.
    pub frames_received: u64,
    /// Of these, key frames.
    pub key_frames_received: u64,
    /// Requests for a key frame.
    pub pli_count: u64,
}

/// Puts the frames of one stream together. It gives them out in order and without gaps: a frame comes only when every
/// frame since a key frame has come. Push what arrives, then poll until there is nothing more; and poll when
/// [`Self::next_deadline`] has come.
#[derive(Debug)]
pub struct FrameAssembler {
    codec: VideoCodec,
    sequence: Unwrapper,
    packets: Waiting,
    holes: Holes,
    /// The first packet of the next frame; None while a key frame is waited for.
    next: Option<i64>,
    /// Whether every frame since a key frame has been given out.
    has_reference: bool,
    /// From when on a key frame has to be asked for, while none is on its way; None before the first packet.
    hopeless_from: Option<Instant>,
    newest_at: Option<Instant>,
    polled_at: Option<Instant>,
    /// A packet from far off, until the next one tells a new stream from a straggler.
    far_off: Option<RtpPayload>,
    highest: Option<i64>,
    /// Packets before this one are of no use any more.
    floor: i64,
    /// Parameter sets that came as an access unit of their own belong to the next one.
    parameter_sets: BytesMut,
    size: (u32, u32),
    round_trip: Duration,
    /// Share of packets that were missing when the one after them came.
    loss: f64,
    key_frame_asked_at: Option<Instant>,
    /// Since when the decoder wants a key frame, until one has come.
    key_frame_wanted: Option<Instant>,
    statistics: AssemblerStatistics,
}

impl FrameAssembler {
    /// For a stream of this codec from its beginning or from anywhere within.
    #[must_use]
    pub fn new(codec: VideoCodec) -> Self {
        Self {
            codec,
            sequence: Unwrapper::default(),
            packets: Waiting::default(),
            holes: Holes::default(),
            next: None,
            has_reference: false,
            hopeless_from: None,
            newest_at: None,
            polled_at: None,
            far_off: None,
            highest: None,
            floor: i64::MIN,
            parameter_sets: BytesMut::new(),
            size: (0, 0),
            round_trip: Duration::from_millis(50),
            loss: 0.0,
            key_frame_asked_at: None,
            key_frame_wanted: None,
            statistics: AssemblerStatistics::default(),
        }
    }

    /// How long an answer takes: what waits and repeated requests go by.
    pub fn set_round_trip(&mut self, round_trip: Duration) {
        self.round_trip = round_trip;
    }

    /// The counts so far.
    #[must_use]
    pub fn statistics(&self) -> AssemblerStatistics {
        self.statistics
    }

    /// How many packets wait for others; a few thousand at most.
    #[must_use]
    pub fn waiting(&self) -> usize {
        self.packets.len()
    }

    /// Takes a packet, in whatever order they come.
    pub fn push(&mut self, packet: RtpPayload) {
        if self.is_far_off(packet.sequence_number) {
            match self.far_off.take() {
                Some(before)
                    if before.sequence_number.wrapping_add(1) == packet.sequence_number =>
                {
                    tracing::debug!("the sequence numbers jump: a new stream");
                    self.start_over();
                    self.insert(before);
                }
                _ => {
                    self.far_off = Some(packet);
                    return;
                }
            }
        }
        self.insert(packet);
    }

    fn is_far_off(&self, sequence_number: u16) -> bool {
        let number = self.sequence.peek_u16(sequence_number);
        self.highest
            .is_some_and(|highest| number > highest + MAX_GAP || number < highest - 4 * MAX_GAP)
    }

    fn insert(&mut self, packet: RtpPayload) {
        let number = self.sequence.peek_u16(packet.sequence_number);
        if number < self.floor || self.packets.contains(number) {
            self.statistics.packets_discarded += 1;
            return;
        }
        match self.highest {
            Some(highest) if number > highest => {
                self.holes.open(highest + 1..number, packet.received_at);
                self.count_loss(number - highest - 1);
            }
            Some(_) => self.holes.fill(number),
            None => self.hopeless_from = Some(packet.received_at + OVERTAKING),
        }
        self.newest_at = Some(packet.received_at);
        if self.highest.is_none_or(|highest| number > highest) {
            self.highest = Some(number);
            self.sequence.keep(number);
        }
        self.statistics.packets_received += 1;
        self.statistics.bytes_received += packet.payload.len() as u64;
        let begins_key_frame = self.begins_key_frame(&packet.payload);
        self.packets.insert(number, packet, begins_key_frame);
        let useless = self.next.is_none()
            && self.packets.len() > MAX_WAITING_PACKETS
            && self.packets.newest_key_frame(i64::MIN).is_none();
        if useless || self.packets.len() > MAX_PACKETS || self.holes.len() > MAX_HOLES {
            self.give_up();
        }
    }

    /// A packet came behind so many that did not.
    fn count_loss(&mut self, missing: i64) {
        let missing = missing.min(MAX_GAP) as f64;
        let weight = (1.0 - 1.0 / LOSS_WINDOW).powf(missing + 1.0);
        self.loss = self.loss * weight + missing / (missing + 1.0) * (1.0 - weight);
    }

    fn rhythm(&self) -> Rhythm {
        Rhythm {
            round_trip: self.round_trip,
            twice: self.loss > REQUESTS_GET_LOST,
            newest_at: self.newest_at,
        }
    }

    /// The next frame that can be decoded, if it is there.
    pub fn poll(&mut self, now: Instant) -> Option<AssembledFrame> {
        self.polled_at = Some(now);
        loop {
            let start = match self.next {
                Some(next) => next,
                None => self.packets.found_key_frame(i64::MIN)?,
            };
            match self.packets.find_frame(start) {
                Found::Whole(range) => {
                    if let Some(frame) = self.take_frame(range) {
                        return Some(frame);
                    }
                }
                Found::Missing(number) => {
                    if !self.skip_hole(number, now) {
                        return None;
                    }
                }
                Found::Endless => {
                    tracing::debug!("no frame has so many packets: a key frame is needed");
                    self.drop_everything();
                }
            }
        }
    }

    /// When to poll, and to ask for what is missing, again although no packet has come. None: not before one comes.
    #[must_use]
    pub fn next_deadline(&self) -> Option<Instant> {
        let nack = self.holes.next_due(self.rhythm());
        let deadlines = [nack, self.skip_due(), self.key_frame_due()];
        deadlines.into_iter().flatten().min()
    }

    /// When a hole has been waited for long enough: with a later key frame, and without.
    fn skip_due(&self) -> Option<Instant> {
        let next = self.next?;
        let since = self.holes.first_since(next)?;
        let overtaken = since + OVERTAKING;
        let can_skip = self.polled_at.is_none_or(|polled| polled < overtaken)
            && self.packets.newest_key_frame(next).is_some();
        Some(if can_skip {
            overtaken
        } else {
            since + self.patience() * LAST_PATIENCE
        })
    }

    /// The sequence numbers to ask for now (RFC 4585 §6.2.1), each again after a round trip, a few times. Counts as asked.
    pub fn take_nacks(&mut self, now: Instant) -> Vec<u16> {
        self.holes.due(now, self.rhythm())
    }

    /// Whether to ask for a key frame now (RFC 4585 §6.3.1); true again only after a while. Counts as asked.
    pub fn take_key_frame_request(&mut self, now: Instant) -> bool {
        let due = self.key_frame_due().is_some_and(|due| due <= now);
        if due {
            self.key_frame_asked_at = Some(now);
            self.statistics.pli_count += 1;
        }
        due
    }

    /// Says that the decoder cannot go on: nothing but a key frame helps. Frames are given out until then as they come.
    pub fn want_key_frame(&mut self, now: Instant) {
        self.key_frame_wanted.get_or_insert(now);
    }

    /// When to ask for a key frame, unless one comes until then.
    fn key_frame_due(&self) -> Option<Instant> {
        let needs = [
            self.key_frame_wanted,
            self.stuck_from(),
            self.unlikely_from(),
        ];
        let needed = needs.into_iter().flatten().min()?;
        let interval = KEY_FRAME_INTERVAL.max(self.round_trip);
        let again = self.key_frame_asked_at.map(|asked| asked + interval);
        Some(again.map_or(needed, |again| again.max(needed)))
    }

    /// From when on nothing but a new key frame helps; None while there is no telling.
    fn stuck_from(&self) -> Option<Instant> {
        if self.next.is_some() {
            return None;
        }
        let hopeless = self.hopeless_from?;
        // The packets of a key frame may be on their way, but not for ever.
        Some(match self.packets.newest_key_frame(i64::MIN) {
            Some(start) => hopeless.max(self.holes.first_since(start)? + self.patience()),
            None => hopeless,
        })
    }

    /// From when on the packet that everything waits for will probably not come, unless a later key frame is on its way.
    fn unlikely_from(&self) -> Option<Instant> {
        let next = self.next?;
        let since = self.holes.first_since(next)?;
        let later = self.packets.newest_key_frame(next);
        later.is_none().then(|| since + self.patience())
    }

    fn patience(&self) -> Duration {
        (self.round_trip * 3).clamp(*PATIENCE.start(), *PATIENCE.end())
    }

    fn begins_key_frame(&self, payload: &[u8]) -> bool {
        match self.codec {
            VideoCodec::H264 => h264::begins_key_frame(payload),
            VideoCodec::Vp8 => vp8::begins_key_frame(payload),
        }
    }

    /// A packet is missing. True when something else can be tried at once.
    fn skip_hole(&mut self, number: i64, now: Instant) -> bool {
        let Some(since) = self.holes.first_since(number) else {
            return false;
        };
        let waited = now.saturating_duration_since(since);
        if waited >= OVERTAKING
            && let Some(start) = self.packets.found_key_frame(number)
        {
            self.advance_to(start);
            return true;
        }

        if self.next.is_some() && waited >= self.patience() * LAST_PATIENCE {
            tracing::debug!("a packet did not come in time: a key frame is needed");
            self.give_up();
            return true;
        }
        false
    }

    /// Forgets what lies before; the next frame begins here.
    fn advance_to(&mut self, number: i64) {
        self.packets.take_before(number);
        self.statistics.packets_lost += self.holes.forget_before(number) as u64;
        self.floor = number;
        self.next = Some(number);
    }

    /// Nothing can be decoded until a key frame comes; what belongs to one that has begun is kept.
    fn give_up(&mut self) {
        let after = self.next.unwrap_or(i64::MIN);
        match self.packets.newest_key_frame(after) {
            Some(start)
                if self.packets.len() <= MAX_PACKETS
                    && self.holes.count_from(start) <= MAX_HOLES =>
            {
                self.advance_to(start);
                self.lose_reference();
            }
            _ => self.drop_everything(),
        }
    }

    /// What is here is of no use, the next packets may be.
    fn drop_everything(&mut self) {
        self.advance_to(self.highest.map_or(0, |highest| highest + 1));
        self.lose_reference();
    }

    fn lose_reference(&mut self) {
        self.next = None;
        self.has_reference = false;
        self.hopeless_from = self.newest_at;
    }

    fn start_over(&mut self) {
        self.packets = Waiting::default();
        self.holes = Holes::default();
        self.sequence = Unwrapper::default();
        self.lose_reference();
        self.highest = None;
        self.floor = i64::MIN;
    }

    /// Takes a whole frame's packets out. None when there is nothing to give out for them.
    fn take_frame(&mut self, range: std::ops::Range<i64>) -> Option<AssembledFrame> {
        let mut packets = self.packets.take_before(range.end);
        packets.retain(|&number, packet| number >= range.start && !packet.payload.is_empty());
        self.statistics.packets_lost += self.holes.forget_before(range.end) as u64;
        self.floor = range.end;

        self.next = Some(range.end);
        let coded = match self.codec {
            VideoCodec::H264 => self.h264_frame(&packets),
            VideoCodec::Vp8 => vp8_frame(&packets),
        };
        let coded = match coded {
            Ok(Some(coded)) => coded,
            Ok(None) => return None,
            Err(Malformed) => {
                tracing::debug!("a malformed frame: a key frame is needed");
                self.lose_reference();
                return None;
            }
        };
        if !coded.key_frame && !self.has_reference {
            self.lose_reference();
            return None;
        }
        if coded.key_frame {
            self.has_reference = true;
            self.size = coded.size.unwrap_or(self.size);
            self.key_frame_wanted = None;
            self.statistics.key_frames_received += 1;
        }
        self.statistics.frames_received += 1;
        let count = packets.len();
        let arrivals = || packets.values().map(|packet| packet.received_at);
        Some(AssembledFrame {
            first_packet_at: arrivals().min()?,
            packets: count,
            frame: EncodedFrame {
                codec: self.codec,
                data: coded.data,
                key_frame: coded.key_frame,
                width: self.size.0,
                height: self.size.1,
                rtp_timestamp: packets.values().next()?.timestamp,
                captured_at: arrivals().max()?,
            },
        })
    }

    fn h264_frame(
        &mut self,
        packets: &BTreeMap<i64, RtpPayload>,
    ) -> Result<Option<Coded>, Malformed> {
        let mut unit = h264::AccessUnit::default();
        for packet in packets.values() {
            unit.add(&packet.payload).ok_or(Malformed)?;
        }
        if !unit.is_whole() {
            return Err(Malformed);
        }
        let mut size = None;
        for named in unit.sizes() {
            if !largest::fits(named.coded) {
                return Err(Malformed);
            }
            size = named.shown;
        }
        self.size = size.unwrap_or(self.size);
        if !unit.has_picture {
            self.keep_parameter_sets(unit);
            return Ok(None);
        }
        Ok(Some(Coded {
            data: self.with_parameter_sets(unit.data).freeze(),
            key_frame: unit.key_frame,
            size,
        }))
    }

    /// Keeps the parameter sets of a unit without a picture. New ones take the place of those before, and a unit without
    /// any (a delimiter, a message to the decoder) leaves those before where they are.
    fn keep_parameter_sets(&mut self, unit: h264::AccessUnit) {
        if !unit.has_parameter_sets {
            return;
        }
        if unit.has_sequence_parameter_set {
            self.parameter_sets.clear();
        }
        if self.parameter_sets.len() + unit.data.len() <= MAX_PARAMETER_SETS {
            self.parameter_sets.extend_from_slice(&unit.data);
        }
    }

    /// The picture, after the parameter sets that came before it by themselves.
    fn with_parameter_sets(&mut self, picture: BytesMut) -> BytesMut {
        let mut data = std::mem::take(&mut self.parameter_sets);
        if data.is_empty() {
            return picture;
        }
        data.extend_from_slice(&picture);
        data
    }
}

struct Coded {
    data: Bytes,
    key_frame: bool,
    size: Option<(u32, u32)>,
}

/// The sender made a mistake, or somebody tries ours out.
struct Malformed;

fn vp8_frame(packets: &BTreeMap<i64, RtpPayload>) -> Result<Option<Coded>, Malformed> {
    let mut data =
        BytesMut::with_capacity(packets.values().map(|packet| packet.payload.len()).sum());
    for (index, packet) in packets.values().enumerate() {
        let part = vp8::parse(&packet.payload).ok_or(Malformed)?;
        if part.starts_frame != (index == 0) {
            return Err(Malformed);
        }
        data.extend_from_slice(part.data);
    }
    if data.is_empty() {
        return Ok(None);
    }
    let data = data.freeze();
    let size = vp8::picture_size(&data);
    if !size.is_none_or(largest::fits) {
        return Err(Malformed);
    }
    Ok(Some(Coded {
        key_frame: vp8::is_key_frame(&data),
        size,
        data,
    }))
}
