//! What a call asks of the video codecs.
#![cfg(feature = "codecs")]

use std::time::{Duration, Instant};

use proptest::prelude::*;
use vireo_media::codec::{EncodedFrame, VideoCodec, VideoEncoder, video_decoder, video_encoder};
use vireo_media::rtp::{FrameAssembler, Packetizer, RtpPayload};
use vireo_media::video::{Pattern, PatternContent, raw_time_code, scale, stamp_time_code};
use vireo_media::{VideoFormat, VideoFrame};

const FORMAT: VideoFormat = VideoFormat {
    width: 640,
    height: 360,
    frame_rate: 30,
};
const CODECS: [VideoCodec; 2] = [VideoCodec::H264, VideoCodec::Vp8];

/// Pictures in time, whatever the machine's own speed.
struct Film {
    pattern: Pattern,
    start: Instant,
}

impl Film {
    fn new(content: PatternContent) -> Self {
        Self {
            pattern: Pattern::new(FORMAT, content),
            start: Instant::now(),
        }
    }

    fn frame(&self, number: u64) -> VideoFrame {
        let mut frame = self.pattern.frame(number);
        stamp_time_code(&mut frame, number as f64);
        frame.captured_at = self.start + Duration::from_micros(number * 1_000_000 / 30);
        frame
    }
}

fn encoder(codec: VideoCodec, bits: u32) -> Box<dyn VideoEncoder> {
    video_encoder(codec, FORMAT, bits).expect("an encoder")
}

fn coded(encoder: &mut dyn VideoEncoder, frame: &VideoFrame, key_frame: bool) -> EncodedFrame {
    encoder
        .encode(frame, key_frame)
        .expect("codes")
        .expect("is not dropped")
}

fn psnr(one: &VideoFrame, other: &VideoFrame) -> f64 {
    let (one, other) = (one.planes()[0], other.planes()[0]);
    let sum: u64 = one
        .iter()
        .zip(other)
        .map(|(&a, &b)| u64::from(a.abs_diff(b)).pow(2))
        .sum();
    10.0 * (255.0 * 255.0 * one.len() as f64 / (sum as f64).max(1.0)).log10()
}

#[test]
fn what_is_coded_decodes_at_once_and_looks_the_same() {
    for codec in CODECS {
        let film = Film::new(PatternContent::TalkingHead);
        let (mut encoder, mut decoder) = (
            encoder(codec, 1_000_000),
            video_decoder(codec).expect("a decoder"),
        );
        for number in 0..30 {
            let frame = film.frame(number);
            let coded = coded(&mut *encoder, &frame, false);
            assert_eq!(coded.key_frame, number == 0, "{codec:?} {number}");
            assert_eq!((coded.codec, coded.width, coded.height), (codec, 640, 360));
            assert_eq!(coded.captured_at, frame.captured_at);
            let picture = decoder
                .decode(&coded.data)
                .expect("decodes")
                .expect("a picture without delay");
            assert_eq!((picture.width, picture.height), (640, 360));
            assert_eq!(
                raw_time_code(&picture),
                Some(number as u32 * 10),
                "{codec:?}"
            );
            let quality = psnr(&frame, &picture);
            assert!(quality > 32.0, "{codec:?} {number}: {quality} dB");
        }
    }
}

#[test]
fn a_key_frame_comes_on_request_and_a_decoder_can_start_there() {
    for codec in CODECS {
        let film = Film::new(PatternContent::TalkingHead);
        let mut encoder = encoder(codec, 1_000_000);
        let frames: Vec<EncodedFrame> = (0..20)
            .map(|number| coded(&mut *encoder, &film.frame(number), number == 10))
            .collect();
        let keys: Vec<usize> = (0..20).filter(|&number| frames[number].key_frame).collect();
        assert_eq!(keys, [0, 10], "{codec:?}");
        let mut late = video_decoder(codec).expect("a decoder");
        assert!(
            late.decode(&frames[5].data).is_err(),
            "{codec:?}: a frame without its reference"
        );
        for frame in &frames[10..] {
            assert!(late.decode(&frame.data).expect("decodes").is_some());
        }
    }
}

#[test]
fn a_change_of_size_brings_a_key_frame_of_that_size() {
    for codec in CODECS {
        let film = Film::new(PatternContent::MovingTexture);
        let (mut encoder, mut decoder) = (
            encoder(codec, 1_000_000),
            video_decoder(codec).expect("a decoder"),
        );
        for (number, (width, height)) in [(640, 360), (320, 180), (322, 182), (640, 360)]
            .into_iter()
            .enumerate()
        {
            for again in 0..3 {
                let number = number as u64 * 3 + again;
                let mut frame = scale(&film.frame(number), width, height);
                frame.captured_at = film.frame(number).captured_at;
                let Some(coded) = encoder.encode(&frame, false).expect("codes") else {
                    continue;
                };
                assert_eq!(coded.key_frame, again == 0, "{codec:?} {number}");
                assert_eq!((coded.width, coded.height), (width, height));
                let picture = decoder
                    .decode(&coded.data)
                    .expect("decodes")
                    .expect("a picture");
                assert_eq!(
                    (picture.width, picture.height),
                    (width, height),
                    "{codec:?}"
                );
            }
        }
    }
}

#[test]
fn the_rate_is_kept_and_follows_a_change() {
    for codec in CODECS {
        let film = Film::new(PatternContent::MovingTexture);
        let mut encoder = encoder(codec, 1_500_000);
        let mut second = |from: u64| -> f64 {
            let bytes = (from..from + 90)
                .filter_map(|number| encoder.encode(&film.frame(number), false).expect("codes"));
            let bits = bytes.map(|coded| coded.data.len() * 8).sum::<usize>() as f64 / 3.0;
            encoder.set_rate(500_000, 30);
            bits
        };
        let before = second(0);
        // The first moments after a change are the encoder's to settle.
        let _ = second(90);
        let after = second(180);
        assert!(
            (0.6..1.2).contains(&(before / 1_500_000.0)),
            "{codec:?}: {before} bit/s of 1500000"
        );
        assert!(
            (0.6..1.2).contains(&(after / 500_000.0)),
            "{codec:?}: {after} bit/s of 500000"
        );
    }
}

#[test]
fn what_moves_goes_on_after_a_key_frame() {
    // Sizes and the rates at which a call turns to them.
    for (width, height, rate) in [
        (480, 270, 200_000),
        (640, 360, 250_000),
        (960, 540, 900_000),
    ] {
        let film = Film::new(PatternContent::MovingTexture);
        let mut encoder = encoder(VideoCodec::H264, rate);
        let mut bits = |number: u64, key_frame: bool| {
            let mut frame = scale(&film.frame(number), width, height);
            frame.captured_at = film.frame(number).captured_at;
            let coded = encoder.encode(&frame, key_frame).expect("codes");
            coded.map(|coded| coded.data.len() as f64 * 8.0 / f64::from(rate))
        };
        let first = bits(0, false).expect("a key frame");
        assert!(first < 0.4, "{height} rows: a key frame of {first:.2} s");
        let mut sum = first;
        for number in 1..150 {
            let seconds = bits(number, number == 60);
            let soon = number < 16 || (60..76).contains(&number);
            assert!(seconds.is_some() || !soon, "{height} rows: {number}");
            sum += seconds.unwrap_or(0.0);
        }
        assert!(
            (4.0..6.0).contains(&sum),
            "{height} rows: {sum:.1} s of bits in 5"
        );
    }
}

#[test]
fn pictures_keep_coming_while_the_rate_rises() {
    for codec in CODECS {
        let film = Film::new(PatternContent::MovingTexture);
        let mut encoder = encoder(codec, 300_000);
        let (mut skipped, mut longest, mut coded) = (0, 0, 0);
        for number in 0..450 {
            // As the estimate of a good path grows: quickly at first, then in one more step.
            encoder.set_rate(
                [300_000, 450_000, 600_000][(number / 3).min(2) as usize],
                30,
            );
            let frame = film.frame(number);
            let picture = encoder.encode(&frame, false).expect("codes");
            skipped = if picture.is_some() { 0 } else { skipped + 1 };
            longest = longest.max(skipped);
            coded += u32::from(picture.is_some());
        }
        assert!(
            longest <= 4,
            "{codec:?}: {longest} pictures skipped in a row"
        );
        assert!(coded >= 420, "{codec:?}: {coded} of 450 pictures");
    }
}

#[test]
fn h264_is_constrained_baseline_with_its_parameter_sets_in_every_key_frame() {
    let film = Film::new(PatternContent::TalkingHead);
    let mut encoder = encoder(VideoCodec::H264, 1_000_000);
    for number in 0..4 {
        let coded = coded(&mut *encoder, &film.frame(number), number % 2 == 0);
        let starts = coded
            .data
            .windows(4)
            .enumerate()
            .filter(|(_, window)| *window == [0, 0, 0, 1]);
        let units: Vec<&[u8]> = starts.map(|(at, _)| &coded.data[at + 4..]).collect();
        let kinds: Vec<u8> = units.iter().map(|unit| unit[0] & 0x1f).collect();
        if number % 2 == 0 {
            assert_eq!(kinds, [7, 8, 5]);
            // profile_idc 66, constraint_set1_flag: no flexible macroblock order, which no browser decodes.
            assert_eq!((units[0][1], units[0][2] & 0x40), (66, 0x40));
        } else {
            assert_eq!(kinds, [1]);
        }
    }
}

#[test]
fn frames_survive_packets() {
    for codec in CODECS {
        let film = Film::new(PatternContent::MovingTexture);
        let mut encoder = encoder(codec, 1_000_000);
        let mut packetizer = Packetizer::new(codec, 1_150);
        let mut assembler = FrameAssembler::new(codec);
        let mut number = 65_500_u16;
        for frame in 0..20 {
            let Some(coded) = encoder
                .encode(&film.frame(frame), frame % 7 == 0)
                .expect("codes")
            else {
                continue;
            };
            for payload in packetizer.packetize(&coded, 1) {
                assembler.push(RtpPayload {
                    sequence_number: number,
                    timestamp: frame as u32 * 3_000,
                    marker: payload.marker,
                    payload: payload.payload,
                    received_at: coded.captured_at,
                });
                number = number.wrapping_add(1);
            }
            let assembled = assembler
                .poll(coded.captured_at)
                .expect("a whole frame")
                .frame;
            assert_eq!(assembled.data, coded.data, "{codec:?}");
            assert_eq!(assembled.key_frame, coded.key_frame);
            assert_eq!((assembled.width, assembled.height), (640, 360), "{codec:?}");
        }
    }
}

#[test]
fn impossible_pictures_are_refused() {
    for codec in CODECS {
        let mut encoder = encoder(codec, 1_000_000);
        let mut short = VideoFrame::black(640, 360);
        short.data.truncate(1000);
        assert!(encoder.encode(&short, false).is_err());
        assert!(encoder.encode(&VideoFrame::black(0, 0), false).is_err());
        let film = Film::new(PatternContent::TalkingHead);
        assert!(
            coded(&mut *encoder, &film.frame(0), false).key_frame,
            "{codec:?} goes on"
        );
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 60, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn broken_data_is_an_error_and_a_key_frame_repairs_it(
        second in any::<bool>(),
        damage in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..20),
        cut in any::<prop::sample::Index>(),
        garbage in prop::collection::vec(any::<u8>(), 0..300),
    ) {
        let codec = CODECS[usize::from(second)];
        let film = Film::new(PatternContent::TalkingHead);
        let mut encoder = encoder(codec, 1_000_000);
        let mut decoder = video_decoder(codec).expect("a decoder");
        let first = coded(&mut *encoder, &film.frame(0), false);
        let mut broken = coded(&mut *encoder, &film.frame(1), false).data.to_vec();
        for (at, value) in &damage {
            let at = at.index(broken.len());
            broken[at] = *value;
        }
        let _ = decoder.decode(&first.data);
        let _ = decoder.decode(&broken);
        let _ = decoder.decode(&broken[..cut.index(broken.len())]);
        let _ = decoder.decode(&garbage);
        let repaired = coded(&mut *encoder, &film.frame(2), true);
        let mut picture = decoder.decode(&repaired.data);
        if picture.is_err() {
            // What was broken may hang on to the next; the key frame after it must do.
            picture = decoder.decode(&coded(&mut *encoder, &film.frame(3), true).data);
        }
        prop_assert!(matches!(picture, Ok(Some(_))), "{picture:?}");
    }
}

#[test]
fn what_a_picture_is_stuffed_with_is_passed_over() {
    for codec in CODECS {
        let film = Film::new(PatternContent::TalkingHead);
        let mut encoder = encoder(codec, 500_000);
        let mut decoders = [(); 2].map(|()| video_decoder(codec).expect("a decoder"));
        for number in 0..12 {
            let plain = coded(&mut *encoder, &film.frame(number), number == 0);
            let mut stuffed = plain.clone();
            stuffed.stuff(plain.data.len() + [1, 5, 800, 6_000][number as usize % 4]);
            assert!(stuffed.data.len() > plain.data.len());
            // As it arrives: the picture is complete, and not two.
            let mut assembler = FrameAssembler::new(codec);
            let mut packetizer = Packetizer::new(codec, 1_180);
            for (sequence_number, part) in (0..).zip(packetizer.packetize(&stuffed, 1)) {
                assembler.push(RtpPayload {
                    sequence_number,
                    timestamp: 1,
                    marker: part.marker,
                    payload: part.payload,
                    received_at: film.start,
                });
            }
            if number == 0 {
                let arrived = assembler.poll(film.start).expect("it is whole").frame;
                assert_eq!(arrived.data.len(), stuffed.data.len());
                assert!(assembler.poll(film.start).is_none());
            }
            let one = decoders[0]
                .decode(&plain.data)
                .expect("decodes")
                .expect("a picture");
            let other = decoders[1]
                .decode(&stuffed.data)
                .expect("decodes")
                .expect("a picture");
            assert_eq!(one.planes(), other.planes(), "{codec:?}, picture {number}");
        }
    }
}
