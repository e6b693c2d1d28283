use proptest::prelude::*;

use super::judge::wrong_byte;
use super::*;

const CONTINUATION: u8 = 0;
const TEXT: u8 = 1;
const BINARY: u8 = 2;
const CLOSE: u8 = 8;
const PING: u8 = 9;
/// The last frame of a message.
const FIN: u8 = 0x80;
const MASK: [u8; 4] = [0x12, 0xff, 0x00, 0xa5];

fn masked(payload: &[u8], mask: [u8; 4]) -> impl Iterator<Item = u8> {
    payload
        .iter()
        .zip(mask.into_iter().cycle())
        .map(|(byte, mask)| byte ^ mask)
}

/// A frame whose length is written in as few bytes as it can be.
fn frame_with(first: u8, mask: [u8; 4], payload: &[u8]) -> Vec<u8> {
    let mut frame = vec![first];
    match payload.len() {
        length @ 0..126 => frame.push(0x80 | length as u8),
        length @ 126..0x1_0000 => {
            frame.push(0x80 | 126);
            frame.extend((length as u16).to_be_bytes());
        }
        length => {
            frame.push(0x80 | 127);
            frame.extend((length as u64).to_be_bytes());
        }
    }
    frame.extend(mask);
    frame.extend(masked(payload, mask));
    frame
}

fn frame(first: u8, payload: &[u8]) -> Vec<u8> {
    frame_with(first, MASK, payload)
}

/// Where the wrong byte lies, when everything comes in pieces of this size.
fn found(sent: &[u8], size: usize) -> Option<usize> {
    let mut frames = Frames::new();
    let mut right = 0;
    for piece in sent.chunks(size) {
        right += frames.follow(piece);
        if frames.is_wrong() {
            assert_eq!(frames.follow(b"more"), 0, "nothing after it is right");
            return Some(right);
        }
    }
    assert_eq!(right, sent.len());
    None
}

/// Where the wrong byte lies, which must not depend on the pieces, nor on how it is looked for.
fn wrong(sent: &[u8]) -> Option<usize> {
    let wrong = wrong_byte(sent);
    for size in [1, 2, 3, 7, 14, 100] {
        assert_eq!(found(sent, size), wrong, "in pieces of {size}: {sent:x?}");
    }
    for cut in 0..sent.len().min(60) {
        let mut frames = Frames::new();
        let mut right = frames.follow(&sent[..cut]);
        right += frames.follow(&sent[cut..]);
        let place = frames.is_wrong().then_some(right);
        assert_eq!(place, wrong, "cut at {cut}: {sent:x?}");
    }
    wrong
}

#[test]
fn headers_of_every_length_come_in_any_pieces() {
    for (length, header) in [(5, 6), (125, 6), (126, 8), (65_536, 14)] {
        let mut text = vec![b'a'; length];
        let good = [frame(FIN | TEXT, &text), frame(FIN | TEXT, b"good")].concat();
        assert_eq!(wrong(&good), None, "{length}");
        text[length - 1] = 0xff;
        let bad = frame(FIN | TEXT, &text);
        assert_eq!(wrong(&bad), Some(header + length - 1), "{length}");
        // What the next message says counts only if this one's end was found.
        let next = [good, frame(FIN | TEXT, b"\xff")].concat();
        assert_eq!(wrong(&next), Some(next.len() - 1), "{length}");
    }
}

#[test]
fn a_length_beyond_all_measure_is_waited_for() {
    let mut sent = vec![FIN | TEXT, 0x80 | 127];
    sent.extend([0xff; 8]);
    sent.extend([0; 4]);
    sent.extend(b"abc\xc0");
    assert_eq!(wrong(&sent), Some(17));
}

#[test]
fn code_points_are_cut_anywhere() {
    let text = "aé€𐍈".as_bytes();
    for cut in 0..=text.len() {
        let (one, other) = text.split_at(cut);
        let sent = [
            frame_with(TEXT, [1, 2, 3, 4], one),
            frame_with(FIN | PING, [9; 4], b"\xff\xff"),
            frame_with(CONTINUATION, [7, 0x80, 0xff, 1], b""),
            frame_with(FIN | CONTINUATION, [0xf0, 6, 7, 8], other),
            frame(FIN | TEXT, text),
        ];
        assert_eq!(wrong(&sent.concat()), None, "{cut}");
    }
}

#[test]
fn a_text_that_ends_within_a_code_point_is_wrong_at_its_last_byte() {
    let sent = frame(FIN | TEXT, b"a\xe2\x82");
    assert_eq!(wrong(&sent), Some(sent.len() - 1));
    let begun = frame(TEXT, b"a\xe2\x82");
    assert_eq!(wrong(&begun), None);
    // Its last frame may be nothing but a header.
    let ended = [begun, frame(FIN | CONTINUATION, b"")].concat();
    assert_eq!(wrong(&ended), Some(ended.len() - 1));
}

#[test]
fn what_is_no_text_is_passed_over() {
    let sent = [
        frame(FIN | BINARY, b"\xff\xff"),
        frame(BINARY, b"\xff"),
        frame(FIN | PING, b"\xff"),
        frame(CONTINUATION, b"\xff"),
        frame(FIN | CONTINUATION, b"\xff"),
        frame(FIN | TEXT, b""),
        frame(FIN | TEXT, b"text"),
        frame(FIN | CLOSE, b"\x03\xe8\xff"),
    ];
    assert_eq!(wrong(&sent.concat()), None);
}

#[test]
fn the_first_wrong_byte_is_found_as_soon_as_it_is_there() {
    for (text, at) in [
        // The suite's 6.4.3 and 6.4.4: beyond U+10FFFF.
        (
            &b"\xce\xba\xe1\xbd\xb9\xcf\x83\xf4\x90\x80\x80edited"[..],
            8,
        ),
        (b"\xed\xa0\x80", 1),
        (b"\xc0\xaf", 0),
        (b"\xe0\x80\xaf", 1),
        (b"abc\x80", 3),
        (b"\xf8\x88\x80\x80\x80", 0),
    ] {
        let sent = frame(FIN | TEXT, text);
        assert_eq!(wrong(&sent), Some(6 + at), "{text:x?}");
        // Nothing of what follows is needed to see it.
        assert_eq!(wrong(&sent[..=6 + at]), Some(6 + at), "{text:x?}");
        assert_eq!(wrong(&sent[..6 + at]), None, "{text:x?}");
    }
}

#[test]
fn frames_that_no_client_may_send_are_for_tungstenite_to_refuse() {
    let bad = frame(FIN | TEXT, b"\xff");
    let unmasked = vec![FIN | TEXT, 1, 0xff];
    for sent in [
        unmasked,
        frame(0x40 | FIN | TEXT, b"\xff"),
        frame(FIN | 3, b"\xff"),
        frame(FIN | 11, b"\xff"),
        frame(FIN | CONTINUATION, b"\xff"),
        [frame(TEXT, b"a"), frame(FIN | TEXT, b"\xff")].concat(),
    ] {
        assert_eq!(wrong(&[sent, bad.clone()].concat()), None);
    }
}

#[test]
fn it_is_small() {
    assert!(size_of::<Frames>() <= 48, "{}", size_of::<Frames>());
}

/// Bytes of which many are parts of code points.
fn payload() -> impl Strategy<Value = Vec<u8>> {
    let piece = prop_oneof![
        8 => any::<char>().prop_map(|character| character.to_string().into_bytes()),
        4 => "[a-z]{0,40}".prop_map(String::into_bytes),
        1 => prop::collection::vec(any::<u8>(), 0..3),
    ];
    prop::collection::vec(piece, 0..6).prop_map(|pieces| pieces.concat())
}

fn frames() -> impl Strategy<Value = Vec<u8>> {
    let first = prop::sample::select(vec![
        TEXT,
        FIN | TEXT,
        CONTINUATION,
        FIN | CONTINUATION,
        FIN | BINARY,
        BINARY,
        FIN | PING,
    ]);
    let frame = (first, any::<[u8; 4]>(), payload());
    let frame = frame.prop_map(|(first, mask, payload)| frame_with(first, mask, &payload));
    prop::collection::vec(frame, 0..8).prop_map(|frames| frames.concat())
}

proptest! {
    #[test]
    fn pieces_make_no_difference(sent in frames()) {
        wrong(&sent);
    }
}
