//! How long each codec takes for a 720p picture on this machine, and whether it keeps to its rate:
//! `cargo run -p vireo-media --example codec_speed [SECONDS [BITS_PER_SECOND]]`.
#![allow(clippy::print_stdout)] // A table for whoever measures.

use std::error::Error;
use std::time::{Duration, Instant};

use vireo_media::codec::{VideoCodec, video_decoder, video_encoder};
use vireo_media::video::{Pattern, PatternContent};
use vireo_media::{VideoFormat, VideoFrame};

const FORMAT: VideoFormat = VideoFormat {
    width: 1280,
    height: 720,
    frame_rate: 30,
};

fn main() -> Result<(), Box<dyn Error>> {
    let mut arguments = std::env::args().skip(1);
    let seconds: u64 = arguments.next().map_or(Ok(10), |word| word.parse())?;
    let bits: u32 = arguments
        .next()
        .map_or(Ok(2_000_000), |word| word.parse())?;
    println!("{FORMAT:?}, {bits} bit/s asked, {seconds} s of pictures, milliseconds");
    println!(
        "{:<5} {:<14} {:>7} {:>7} {:>7} {:>7} {:>7} {:>9} {:>7} {:>9} {:>6}",
        "codec",
        "content",
        "enc p50",
        "p95",
        "max",
        "dec p50",
        "p95",
        "kbit/s",
        "coded",
        "largest B",
        "PSNR"
    );
    for codec in [VideoCodec::H264, VideoCodec::Vp8] {
        for content in [PatternContent::TalkingHead, PatternContent::MovingTexture] {
            measure(codec, content, seconds, bits)?;
        }
    }
    Ok(())
}

fn measure(
    codec: VideoCodec,
    content: PatternContent,
    seconds: u64,
    bits: u32,
) -> Result<(), Box<dyn Error>> {
    let pattern = Pattern::new(FORMAT, content);
    let mut encoder = video_encoder(codec, FORMAT, bits)?;
    let mut decoder = video_decoder(codec)?;
    let start = Instant::now();
    let (mut encode_ms, mut decode_ms, mut sizes, mut quality) =
        (Vec::new(), Vec::new(), Vec::new(), Vec::new());
    let count = seconds * u64::from(FORMAT.frame_rate);
    for number in 0..count {
        let mut frame = pattern.frame(number);
        frame.captured_at =
            start + Duration::from_micros(number * 1_000_000 / u64::from(FORMAT.frame_rate));
        let before = Instant::now();
        let coded = encoder.encode(&frame, number == 0)?;
        encode_ms.push(before.elapsed().as_secs_f64() * 1000.0);
        let Some(coded) = coded else { continue };
        sizes.push(coded.data.len());
        let before = Instant::now();
        let decoded = decoder.decode(&coded.data)?.ok_or("no picture")?;
        decode_ms.push(before.elapsed().as_secs_f64() * 1000.0);
        quality.push(psnr(&frame, &decoded));
    }
    let kilobits = sizes.iter().sum::<usize>() as f64 * 8.0 / seconds as f64 / 1000.0;
    let largest = sizes.iter().max().copied().unwrap_or(0);
    let coded = sizes.len() as f64 * 100.0 / count as f64;
    let psnr = quality.iter().sum::<f64>() / quality.len() as f64;
    println!(
        "{:<5} {:<14} {:>7.2} {:>7.2} {:>7.2} {:>7.2} {:>7.2} {:>9.0} {:>6.1}% {:>9} {:>6.1}",
        format!("{codec:?}"),
        format!("{content:?}"),
        percentile(&mut encode_ms, 0.5),
        percentile(&mut encode_ms, 0.95),
        percentile(&mut encode_ms, 1.0),
        percentile(&mut decode_ms, 0.5),
        percentile(&mut decode_ms, 0.95),
        kilobits,
        coded,
        largest,
        psnr
    );
    Ok(())
}

fn percentile(values: &mut [f64], part: f64) -> f64 {
    values.sort_by(f64::total_cmp);
    values
        .get(((values.len() as f64 - 1.0) * part).round() as usize)
        .copied()
        .unwrap_or(0.0)
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
