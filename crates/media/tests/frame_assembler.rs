//! Frames go through packets and a bad network, and come out as they went in, in order, or not at all.

use std::collections::{BTreeMap, BTreeSet};
use std::time::{Duration, Instant};

use bytes::Bytes;
use proptest::prelude::*;
use vireo_media::codec::{EncodedFrame, VideoCodec};
use vireo_media::rtp::{AssembledFrame, FrameAssembler, Packetizer, RtpPayload};

/// Constrained baseline, 640×480.
const SPS: &[u8] = &[
    0x67, 0x42, 0xc0, 0x1f, 0x8c, 0x8d, 0x40, 0x50, 0x1e, 0xd0, 0x0f, 0x08, 0x84, 0x6a,
];
const PPS: &[u8] = &[0x68, 0xce, 0x3c, 0x80];
const FRAME_TIME: Duration = Duration::from_millis(33);

fn frame(codec: VideoCodec, key_frame: bool, length: usize, number: usize) -> EncodedFrame {
    let body = (0..length).map(|at| (at * 31 + number * 7) as u8 | 1);
    let data: Vec<u8> = match codec {
        VideoCodec::H264 => {
            let slice = std::iter::once(if key_frame { 0x65 } else { 0x41 }).chain(body);
            let sets = if key_frame {
                [&[0, 0, 0, 1][..], SPS, &[0, 0, 0, 1], PPS].concat()
            } else {
                Vec::new()
            };
            sets.into_iter().chain([0, 0, 0, 1]).chain(slice).collect()
        }
        VideoCodec::Vp8 => {
            let head: &[u8] = if key_frame {
                &[0x10, 2, 0, 0x9d, 0x01, 0x2a, 0x80, 0x02, 0xe0, 0x01]
            } else {
                &[0x11, 2, 0]
            };
            head.iter().copied().chain(body).collect()
        }
    };
    EncodedFrame {
        codec,
        data: Bytes::from(data),
        key_frame,
        width: 640,
        height: 480,
        rtp_timestamp: 0,
        captured_at: Instant::now(),
    }
}

/// A stream in packets; the time of a packet is when it is sent.
struct Stream {
    frames: Vec<EncodedFrame>,
    packets: Vec<RtpPayload>,
    /// Which frame each packet belongs to.
    owner: Vec<usize>,
}

impl Stream {
    fn new(
        codec: VideoCodec,
        frames: &[(bool, usize)],
        max_payload: usize,
        first_number: u16,
        first_time: u32,
        start: Instant,
    ) -> Self {
        let mut packetizer = Packetizer::new(codec, max_payload);
        let mut stream = Self {
            frames: Vec::new(),
            packets: Vec::new(),
            owner: Vec::new(),
        };
        for (number, &(key_frame, length)) in frames.iter().enumerate() {
            let frame = frame(codec, key_frame, length, number);
            for outgoing in packetizer.packetize(&frame, 1) {
                assert!(outgoing.payload.len() <= max_payload);
                stream.packets.push(RtpPayload {
                    sequence_number: first_number.wrapping_add(stream.packets.len() as u16),
                    timestamp: first_time.wrapping_add(number as u32 * 3000),
                    marker: outgoing.marker,
                    payload: outgoing.payload,
                    received_at: start + FRAME_TIME * number as u32,
                });
                stream.owner.push(number);
            }
            stream.frames.push(frame);
        }
        stream
    }

    /// Which frames came out; each must be one of ours to the byte.
    fn numbers(&self, out: &[AssembledFrame]) -> Vec<usize> {
        let times: BTreeMap<u32, usize> = self
            .packets
            .iter()
            .zip(&self.owner)
            .map(|(packet, &owner)| (packet.timestamp, owner))
            .collect();
        out.iter()
            .map(|assembled| {
                let number = times[&assembled.frame.rtp_timestamp];
                let sent = &self.frames[number];
                assert_eq!(assembled.frame.data, sent.data, "frame {number}");
                assert_eq!(assembled.frame.key_frame, sent.key_frame);
                assert_eq!((assembled.frame.width, assembled.frame.height), (640, 480));
                number
            })
            .collect()
    }
}

/// Lets packets arrive at their times.
fn receive(assembler: &mut FrameAssembler, mut packets: Vec<RtpPayload>) -> Vec<AssembledFrame> {
    packets.sort_by_key(|packet| packet.received_at);
    let mut out = Vec::new();
    for packet in packets {
        let now = packet.received_at;
        while let Some(deadline) = assembler
            .next_deadline()
            .filter(|deadline| *deadline <= now)
        {
            let before = out.len();
            out.extend(std::iter::from_fn(|| assembler.poll(deadline)));
            assembler.take_nacks(deadline);
            assembler.take_key_frame_request(deadline);
            let changed = out.len() > before || assembler.next_deadline() != Some(deadline);
            assert!(changed, "a deadline must change something");
        }
        assembler.push(packet);
        out.extend(std::iter::from_fn(|| assembler.poll(now)));
    }
    out
}

fn codecs() -> impl Strategy<Value = VideoCodec> {
    prop_oneof![Just(VideoCodec::H264), Just(VideoCodec::Vp8)]
}

fn lengths() -> impl Strategy<Value = Vec<usize>> {
    prop::collection::vec(prop_oneof![1..200_usize, 200..4_000_usize], 2..40)
}

/// Around the places where counters wrap.
fn starts() -> impl Strategy<Value = (u16, u32)> {
    (
        prop_oneof![any::<u16>(), 65_400..=u16::MAX],
        prop_oneof![any::<u32>(), u32::MAX - 60_000..=u32::MAX],
    )
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 200, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn reordered_and_doubled_packets_give_every_frame(
        codec in codecs(),
        lengths in lengths(),
        max_payload in 100..1_200_usize,
        (first_number, first_time) in starts(),
        delays in prop::collection::vec(0..80_u64, 1..50),
        doubles in prop::collection::btree_set(0..200_usize, 0..20),
    ) {
        let start = Instant::now();
        let frames: Vec<_> = lengths.iter().enumerate().map(|(number, &length)| (number == 0, length)).collect();
        let stream = Stream::new(codec, &frames, max_payload, first_number, first_time, start);
        let mut arriving = stream.packets.clone();
        arriving.extend(doubles.iter().filter_map(|&index| stream.packets.get(index).cloned()));
        for (index, packet) in arriving.iter_mut().enumerate() {
            packet.received_at += Duration::from_millis(delays[index % delays.len()]);
        }
        let mut assembler = FrameAssembler::new(codec);
        let out = receive(&mut assembler, arriving);
        prop_assert_eq!(stream.numbers(&out), (0..frames.len()).collect::<Vec<_>>());
        prop_assert_eq!(assembler.statistics().packets_received, stream.packets.len() as u64);
        prop_assert_eq!(assembler.statistics().packets_lost, 0);
        prop_assert!(!assembler.take_key_frame_request(start + Duration::from_secs(60)));
    }

    #[test]
    fn after_a_loss_nothing_comes_that_cannot_be_decoded(
        codec in codecs(),
        frames in prop::collection::vec((prop::bool::weighted(0.1), 1..4_000_usize), 2..60),
        max_payload in 100..1_200_usize,
        (first_number, first_time) in starts(),
        lost in prop::collection::btree_set(0..200_usize, 1..20),
        delays in prop::collection::vec(0..50_u64, 1..50),
    ) {
        let start = Instant::now();
        let stream = Stream::new(codec, &frames, max_payload, first_number, first_time, start);
        let arriving = stream.packets.iter().enumerate().filter(|(index, _)| !lost.contains(index));
        let arriving = arriving.map(|(index, packet)| {
            let delay = Duration::from_millis(delays[index % delays.len()]);
            RtpPayload { received_at: packet.received_at + delay, ..packet.clone() }
        });
        let out = receive(&mut FrameAssembler::new(codec), arriving.collect());
        let numbers = stream.numbers(&out);
        let broken: BTreeSet<usize> = lost.iter().filter_map(|&index| stream.owner.get(index).copied()).collect();
        let mut last = None;
        for number in numbers {
            prop_assert!(!broken.contains(&number), "frame {number} lacks a packet");
            prop_assert!(last.is_none_or(|last| number > last), "frame {number} after {last:?}");
            let follows = last.is_some_and(|last| last + 1 == number);
            prop_assert!(follows || frames[number].0, "frame {number} lacks its reference");
            last = Some(number);
        }
    }

    #[test]
    fn asking_for_missing_packets_brings_every_frame(
        codec in codecs(),
        lengths in lengths(),
        (first_number, first_time) in starts(),
        lost in prop::collection::btree_set(1..300_usize, 1..40),
    ) {
        let start = Instant::now();
        let round_trip = Duration::from_millis(40);
        let frames: Vec<_> = lengths.iter().enumerate().map(|(number, &length)| (number == 0, length)).collect();
        let mut stream = Stream::new(codec, &frames, 300, first_number, first_time, start);
        // A packet after the last frame, so that the loss of a last packet can be seen.
        let mut tail = stream.packets.last().expect("packets").clone();
        tail.sequence_number = tail.sequence_number.wrapping_add(1);
        tail.payload = Bytes::new();
        tail.received_at += FRAME_TIME;
        stream.packets.push(tail);
        stream.owner.push(lengths.len() - 1);
        let last = stream.packets.len() - 1;
        let mut assembler = FrameAssembler::new(codec);
        assembler.set_round_trip(round_trip);
        let mut wire: BTreeMap<(Instant, usize), RtpPayload> = stream.packets.iter().enumerate()
            .filter(|(index, _)| !lost.contains(index) || *index == last)
            .map(|(index, packet)| ((packet.received_at, index), packet.clone()))
            .collect();
        let mut out = Vec::new();
        while let Some(((now, _), mut packet)) = wire.pop_first() {
            packet.received_at = now;
            assembler.push(packet);
            out.extend(std::iter::from_fn(|| assembler.poll(now)));
            for number in assembler.take_nacks(now) {
                let index = usize::from(number.wrapping_sub(first_number));
                wire.insert((now + round_trip, 1_000 + index), stream.packets[index].clone());
            }
        }
        prop_assert_eq!(stream.numbers(&out), (0..frames.len()).collect::<Vec<_>>());
        prop_assert_eq!(assembler.statistics().pli_count, 0);
    }

    #[test]
    fn garbage_is_survived(
        codec in codecs(),
        packets in prop::collection::vec(
            (any::<u16>(), 0..4_u32, any::<bool>(), prop::collection::vec(any::<u8>(), 0..40)), 0..200),
    ) {
        let start = Instant::now();
        let mut assembler = FrameAssembler::new(codec);
        for (index, (sequence_number, timestamp, marker, payload)) in packets.into_iter().enumerate() {
            let received_at = start + Duration::from_millis(index as u64 * 7);
            // Some in a row, so that they fit together.
            let sequence_number = if sequence_number % 2 == 0 { index as u16 } else { sequence_number };
            assembler.push(RtpPayload { sequence_number, timestamp, marker, payload: payload.into(), received_at });
            while assembler.poll(received_at).is_some() {}
            assembler.take_nacks(received_at);
            assembler.take_key_frame_request(received_at);
        }
    }
}

#[test]
fn a_lost_reference_asks_for_a_key_frame_and_goes_on_with_it() {
    for codec in [VideoCodec::H264, VideoCodec::Vp8] {
        let start = Instant::now();
        let frames: Vec<_> = (0..30)
            .map(|number| (number == 0 || number == 20, 500))
            .collect();
        let stream = Stream::new(codec, &frames, 1_000, 7, 9, start);
        let mut assembler = FrameAssembler::new(codec);
        let mut out = Vec::new();
        let mut asked = Vec::new();
        for (packet, &owner) in stream
            .packets
            .iter()
            .zip(&stream.owner)
            .filter(|(_, owner)| **owner != 5)
        {
            let now = packet.received_at;
            assembler.push(packet.clone());
            out.extend(std::iter::from_fn(|| assembler.poll(now)));
            if assembler.take_key_frame_request(now) {
                asked.push(owner);
            }
        }
        let expected: Vec<usize> = (0..5).chain(20..30).collect();
        assert_eq!(stream.numbers(&out), expected, "{codec:?}");
        // Frame 6 shows the loss; it is waited for 150 ms, then asked every 200 ms until the key frame is there.
        assert_eq!(asked, [11, 18], "{codec:?}");
        assert_eq!(assembler.statistics().packets_lost, 1);
    }
}

#[test]
fn the_middle_of_a_stream_asks_for_a_key_frame_soon() {
    let start = Instant::now();
    let frames = [(false, 50); 4];
    let stream = Stream::new(VideoCodec::Vp8, &frames, 1_000, 65_534, 9, start);
    let mut assembler = FrameAssembler::new(VideoCodec::Vp8);
    assert!(!assembler.take_key_frame_request(start));
    assembler.push(stream.packets[0].clone());
    assert!(assembler.poll(start).is_none());
    assert!(
        !assembler.take_key_frame_request(start),
        "packets may have overtaken each other"
    );
    assert!(assembler.take_key_frame_request(start + Duration::from_millis(31)));
    assert!(!assembler.take_key_frame_request(start + Duration::from_millis(100)));
    assert!(assembler.take_key_frame_request(start + Duration::from_millis(300)));
}

#[test]
fn a_new_stream_after_a_jump_is_followed_and_a_straggler_is_not() {
    let start = Instant::now();
    let frames = [(true, 50), (false, 50), (false, 50)];
    let first = Stream::new(VideoCodec::Vp8, &frames, 1_000, 100, 9, start);
    let second = Stream::new(
        VideoCodec::Vp8,
        &frames,
        1_000,
        30_000,
        500_000,
        start + Duration::from_secs(1),
    );
    let mut assembler = FrameAssembler::new(VideoCodec::Vp8);
    assert_eq!(receive(&mut assembler, first.packets.clone()).len(), 3);
    let mut straggler = first.packets[0].clone();
    straggler.sequence_number = 50_000;
    straggler.received_at = start + Duration::from_millis(500);
    assert!(receive(&mut assembler, vec![straggler]).is_empty());
    let out = receive(&mut assembler, second.packets.clone());
    assert_eq!(second.numbers(&out), [0, 1, 2]);
}

#[test]
fn padding_between_frames_is_no_loss() {
    let start = Instant::now();
    let stream = Stream::new(
        VideoCodec::H264,
        &[(true, 50), (false, 50), (false, 50)],
        1_000,
        1,
        9,
        start,
    );
    let mut packets = Vec::new();
    for (index, packet) in stream.packets.iter().enumerate() {
        // The key frame of two packets is not torn apart.
        for padding in if index == 0 {
            vec![false]
        } else {
            vec![false, true]
        } {
            let mut packet = packet.clone();
            packet.sequence_number = 1 + packets.len() as u16;
            if padding {
                packet.payload = Bytes::new();
                packet.marker = false;
            }
            packets.push(packet);
        }
    }
    let out = receive(&mut FrameAssembler::new(VideoCodec::H264), packets);
    assert_eq!(stream.numbers(&out), [0, 1, 2]);
}

#[test]
fn a_want_of_the_decoder_is_passed_on_until_a_key_frame_comes() {
    let start = Instant::now();
    let stream = Stream::new(
        VideoCodec::H264,
        &[(true, 50), (false, 50), (true, 50)],
        1_000,
        1,
        9,
        start,
    );
    let mut assembler = FrameAssembler::new(VideoCodec::H264);
    let (before, after) = stream.packets.split_at(
        stream
            .owner
            .iter()
            .position(|&owner| owner == 2)
            .expect("three"),
    );
    assert_eq!(receive(&mut assembler, before.to_vec()).len(), 2);
    assert!(!assembler.take_key_frame_request(start));
    assembler.want_key_frame(start);
    assert!(assembler.take_key_frame_request(start));
    assert_eq!(receive(&mut assembler, after.to_vec()).len(), 1);
    assert!(!assembler.take_key_frame_request(start + Duration::from_secs(5)));
}

/// One packet of a stream of our own making, 1 ms after the one before.
fn part(number: u16, timestamp: u32, marker: bool, payload: &[u8], start: Instant) -> RtpPayload {
    RtpPayload {
        sequence_number: number,
        timestamp,
        marker,
        payload: Bytes::copy_from_slice(payload),
        received_at: start + Duration::from_millis(number.into()),
    }
}

#[test]
fn a_frame_that_begins_again_and_again_costs_little() {
    for (codec, begins) in [(VideoCodec::H264, SPS), (VideoCodec::Vp8, &[0x10, 0, 0, 0])] {
        let start = Instant::now();
        let mut assembler = FrameAssembler::new(codec);
        let endless = (0..3_000).map(|number| part(number, 9, false, begins, start));
        assert!(receive(&mut assembler, endless.collect()).is_empty());
        // A search over all of them from each of them would take minutes.
        let took = start.elapsed();
        assert!(took < Duration::from_secs(5), "{codec:?}: {took:?}");
        // What comes after it is shown as ever.
        let later = start + Duration::from_secs(3);
        let stream = Stream::new(codec, &[(true, 50)], 1_000, 3_000, 9_000, later);
        assert_eq!(receive(&mut assembler, stream.packets.clone()).len(), 1);
    }
}

#[test]
fn parameter_sets_that_come_by_themselves_belong_to_the_next_key_frame() {
    const MESSAGE: &[u8] = &[0x06, 5, 1, 0, 0x80];
    const DELIMITER: &[u8] = &[0x09, 0x10];
    let start = Instant::now();
    let mut units: Vec<&[u8]> = vec![PPS];
    // However often they are sent.
    units.extend([SPS, PPS].repeat(500));
    units.extend([MESSAGE, DELIMITER, &[0x65, 1, 2, 3]]);
    let packets = (0..).zip(units);
    let packets = packets.map(|(at, unit)| part(at, u32::from(at) * 90, true, unit, start));
    let out = receive(
        &mut FrameAssembler::new(VideoCodec::H264),
        packets.collect(),
    );
    let data: Vec<_> = out.iter().map(|out| out.frame.data.to_vec()).collect();
    let parts: [&[u8]; 3] = [SPS, PPS, &[0x65, 1, 2, 3]];
    let expected = parts.map(|part| [&[0, 0, 0, 1], part].concat()).concat();
    assert_eq!(data, [expected]);
}

#[test]
fn a_stream_full_of_holes_asks_for_a_key_frame_rather_than_for_every_packet() {
    for begins in [true, false] {
        let start = Instant::now();
        let mut assembler = FrameAssembler::new(VideoCodec::H264);
        let mut number = 0_u16;
        let mut asked = 0;
        for at in 0..1_000 {
            let now = start + Duration::from_millis(at);
            let unit = if begins && at == 0 { SPS } else { &[0x41, 7] };
            let mut packet = part(number, 0, false, unit, start);
            packet.received_at = now;
            assembler.push(packet);
            assert!(assembler.poll(now).is_none());
            let missing = assembler.take_nacks(now).len();
            assert!(missing <= 400, "{missing} at once");
            asked += missing;
            number = number.wrapping_add(if at % 2 == 0 { 999 } else { 150 });
        }
        assert!(asked < 100_000, "{asked} packets were asked for");
        assert!(assembler.take_key_frame_request(start + Duration::from_secs(2)));
    }
}
