//! `cargo xtask bench sound`: sends FOLDER/speech.wav through the codec, a link that loses packets, the jitter buffer and
//! the decoder, on virtual time. Writes what is heard as WAV files of 16 kHz into the folder, and prints a line of JSON for
//! each: how the packets were protected, bits a second (payloads), loss, file, delay and how much was made up. The file
//! `reference.wav` has never been coded.
#![allow(clippy::print_stdout, reason = "the output is what it is for")]

#[path = "../tests/sound_on_links/listener.rs"]
mod listener;

use std::{error::Error, f64::consts::PI, path::Path, time::Duration};

use bytes::Bytes;
use listener::{Change, Clocks, PROPAGATION, Spoken, listen};
use vireo_media::codec::{OPUS_FRAME_SAMPLES, OpusEncoder};
use vireo_testing::link::{Link, Loss};

/// What is compared: PESQ's wide band.
const QUALITY_RATE: u32 = 16_000;
const RATE: u32 = 48_000;

/// How packets are made ready for loss.
#[derive(Debug, Clone, Copy)]
enum Protection {
    /// Opus's own coarse copy of the packet before.
    InBand,
    /// Whole copies of so many packets before (RFC 2198).
    Red(usize),
}

fn main() -> Result<(), Box<dyn Error>> {
    let folder = std::env::args().nth(1).ok_or("name a folder")?;
    let folder = Path::new(&folder);
    let speech = read(&folder.join("speech.wav"))?;
    write(&folder.join("reference.wav"), &speech)?;
    for (protection, bits) in [
        (Protection::InBand, 36_000),
        (Protection::Red(2), 72_000),
        (Protection::Red(3), 128_000),
    ] {
        for percent in [0, 5, 10, 20, 30] {
            measure(folder, &speech, protection, bits, percent)?;
        }
    }
    Ok(())
}

fn measure(
    folder: &Path,
    speech: &[f32],
    protection: Protection,
    bits: u32,
    percent: u8,
) -> Result<(), Box<dyn Error>> {
    let packets = coded(speech, protection, bits, percent)?;
    let bytes: usize = packets.iter().flatten().map(Bytes::len).sum();
    let length = Duration::from_millis(20) * packets.len() as u32;
    let link = Link {
        delay: PROPAGATION,
        loss: Loss::Random(f64::from(percent) / 100.0),
        ..Link::default()
    };
    let at = Duration::ZERO;
    let mut samples = Vec::new();
    let heard = listen(
        &packets,
        &[Change { at, link }],
        Clocks::default(),
        length,
        |frame| samples.extend_from_slice(&frame.0),
    );
    let name = match protection {
        Protection::InBand => "in-band".to_owned(),
        Protection::Red(copies) => format!("red-{copies}"),
    };
    let file = format!("{name}-{bits}-{percent}.wav");
    write(&folder.join(&file), &samples)?;
    println!(
        r#"{{"protection":"{name}","bitsPerSecond":{:.0},"nominal":{bits},"lossPercent":{percent},"file":"{file}","delayP50Ms":{:.1},"delayP95Ms":{:.1},"concealedShare":{:.4}}}"#,
        bytes as f64 * 8.0 / length.as_secs_f64(),
        heard.delay(50.0),
        heard.delay(95.0),
        heard.concealed_share(),
    );
    Ok(())
}

/// The packets that a sender would send which knows of the loss.
fn coded(
    speech: &[f32],
    protection: Protection,
    bits: u32,
    percent: u8,
) -> Result<Vec<Spoken>, Box<dyn Error>> {
    let (copies, expected) = match protection {
        Protection::InBand => (0, percent.max(3)),
        Protection::Red(copies) => (copies, 0),
    };
    let mut encoder = OpusEncoder::new(bits / (1 + copies as u32))?;
    encoder.set_packet_loss(expected)?;
    let mut payloads: Vec<Bytes> = Vec::new();
    let (frames, _) = speech.as_chunks::<OPUS_FRAME_SAMPLES>();
    for frame in frames {
        payloads.push(encoder.encode(frame)?);
    }
    let with_copies = |index: usize| {
        let first = index.saturating_sub(copies);
        payloads[first..=index].iter().rev().cloned().collect()
    };
    Ok((0..payloads.len()).map(with_copies).collect())
}

fn read(path: &Path) -> Result<Vec<f32>, Box<dyn Error>> {
    let mut reader = hound::WavReader::open(path)?;
    let rate = reader.spec().sample_rate;
    let samples: Vec<f32> = reader
        .samples::<i16>()
        .map(|sample| Ok(f32::from(sample?) / 32_768.0))
        .collect::<Result<_, hound::Error>>()?;
    Ok(resampled(&samples, rate, RATE))
}

fn write(path: &Path, samples: &[f32]) -> Result<(), Box<dyn Error>> {
    let spec = hound::WavSpec {
        channels: 1,
        sample_rate: QUALITY_RATE,
        bits_per_sample: 16,
        sample_format: hound::SampleFormat::Int,
    };
    let mut writer = hound::WavWriter::create(path, spec)?;
    for sample in resampled(samples, RATE, QUALITY_RATE) {
        writer.write_sample((sample.clamp(-1.0, 1.0) * 32_767.0) as i16)?;
    }
    Ok(writer.finalize()?)
}

/// By a windowed sinc, in one go.
fn resampled(samples: &[f32], from: u32, to: u32) -> Vec<f32> {
    const ZERO_CROSSINGS: f64 = 12.0;
    let step = f64::from(from) / f64::from(to);
    let cutoff = (1.0 / step).min(1.0) * 0.97;
    let reach = ZERO_CROSSINGS / cutoff;
    let length = (samples.len() as f64 / step) as usize;
    let value = |index: usize| {
        let middle = index as f64 * step;
        let first = (middle - reach).ceil().max(0.0) as usize;
        let last = ((middle + reach) as usize).min(samples.len().saturating_sub(1));
        let sum: f64 = (first..=last)
            .map(|i| {
                let x = i as f64 - middle;
                let window = 0.5 + 0.5 * (PI * x / reach).cos();
                let angle = PI * x * cutoff;
                let sinc = if angle.abs() < 1e-9 {
                    1.0
                } else {
                    angle.sin() / angle
                };
                f64::from(samples[i]) * sinc * window * cutoff
            })
            .sum();
        sum as f32
    };
    (0..length).map(value).collect()
}
