//! `cargo xtask bench sound`: sends FOLDER/speech.wav through the codec, a link that loses packets, the jitter buffer and
//! the decoder, on virtual time. Writes what is heard as WAV files of 16 kHz into the folder, and prints a line of JSON for
//! each: how the packets were protected, bits a second (payloads), loss, file, delay and how much was made up. The file
//! `reference.wav` has never been coded.
#![allow(clippy::print_stdout, reason = "the output is what it is for")]

#[path = "../tests/sound_on_links/listener.rs"]
mod listener;
mod wav;

use std::{error::Error, path::Path, time::Duration};

use bytes::Bytes;
use listener::{Change, Clocks, PROPAGATION, Spoken, listen};
use vireo_media::codec::{OPUS_FRAME_SAMPLES, OpusEncoder};
use vireo_testing::link::{Link, Loss};
use wav::{read, write};

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
