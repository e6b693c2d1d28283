//! Lays what came beside what was sent.

use std::path::Path;
use std::process::Command;

use anyhow::{Context as _, Result, ensure};
use serde_json::Value;
use vireo_media::codec::video_decoder;
use vireo_media::video::{Y4mWriter, scale};
use vireo_media::{VideoCodec, VideoFrame};

use super::{COUNTED_SECONDS, Coded, Measures, SETTLING_SECONDS};
use crate::bench::FORMAT;

/// RTP's clock of pictures.
const TICKS_A_SECOND: usize = 90_000;

/// Pictures are told from each other at this size.
const THUMBNAIL: (u32, u32) = (160, 90);

/// Judges the pictures of the part of a call that counts. Writes what ffmpeg compares into the folder.
pub(super) fn judge(
    coded: &[Coded],
    film: &[VideoFrame],
    ffmpeg: &Path,
    folder: &Path,
) -> Result<Measures> {
    let (first, _) = *coded.first().context("no picture has come")?;
    let counts =
        SETTLING_SECONDS * TICKS_A_SECOND..(SETTLING_SECONDS + COUNTED_SECONDS) * TICKS_A_SECOND;
    let counted = |time: u32| counts.contains(&(time.wrapping_sub(first) as usize));
    let mut pairs = Pairs::new(film, folder)?;
    let mut decoder = video_decoder(VideoCodec::H264)?;
    let (mut bytes, mut heights) = (0, Vec::new());
    for (time, data) in coded {
        let decoded = decoder.decode(data)?;
        let Some(picture) = decoded.filter(|_| counted(*time)) else {
            continue;
        };
        bytes += data.len();
        heights.push(picture.height);
        pairs.add(&picture)?;
    }
    ensure!(!heights.is_empty(), "none has come that counts");
    pairs.finish()?;
    let [vmaf, ssim] = compare(ffmpeg, folder, heights.len())?;
    let fps = heights.len() as f64 / COUNTED_SECONDS as f64;
    heights.sort_unstable();
    Ok(Measures {
        vmaf,
        ssim,
        kilobits_per_second: bytes as f64 * 8.0 / 1_000.0 / COUNTED_SECONDS as f64,
        fps,
        height: heights[heights.len() / 2].into(),
    })
}

/// Two films of the same length: what was sent, and what came.
struct Pairs<'a> {
    film: &'a [VideoFrame],
    thumbnails: Vec<VideoFrame>,
    sent: Y4mWriter,
    came: Y4mWriter,
}

const SENT: &str = "sent.y4m";
const CAME: &str = "came.y4m";

impl<'a> Pairs<'a> {
    fn new(film: &'a [VideoFrame], folder: &Path) -> Result<Self> {
        Ok(Self {
            film,
            thumbnails: film.iter().map(thumbnail).collect(),
            sent: Y4mWriter::create(folder.join(SENT))?,
            came: Y4mWriter::create(folder.join(CAME))?,
        })
    }

    fn add(&mut self, picture: &VideoFrame) -> Result<()> {
        let small = thumbnail(picture);
        let distances = self.thumbnails.iter().map(|one| distance(one, &small));
        let nearest = distances.enumerate().min_by_key(|(_, distance)| *distance);
        let (number, _) = nearest.context("nothing was sent")?;
        self.sent.write(&self.film[number])?;
        self.came
            .write(&scale(picture, FORMAT.width, FORMAT.height))?;
        Ok(())
    }

    fn finish(mut self) -> Result<()> {
        self.sent.flush()?;
        self.came.flush()?;
        Ok(())
    }
}

fn thumbnail(picture: &VideoFrame) -> VideoFrame {
    scale(picture, THUMBNAIL.0, THUMBNAIL.1)
}

/// Squared differences of luma.
fn distance(one: &VideoFrame, other: &VideoFrame) -> u64 {
    let pixels = one.planes()[0].iter().zip(other.planes()[0]);
    pixels
        .map(|(one, other)| u64::from(one.abs_diff(*other)).pow(2))
        .sum()
}

/// VMAF and SSIM of so many pictures.
fn compare(ffmpeg: &Path, folder: &Path, pictures: usize) -> Result<[f64; 2]> {
    let judged = Command::new(ffmpeg)
        .current_dir(folder)
        .args(["-nostdin", "-v", "error", "-i", CAME, "-i", SENT, "-lavfi"])
        .arg("libvmaf=feature=name=float_ssim:n_threads=2:log_fmt=json:log_path=judged.json")
        .args(["-f", "null", "-"])
        .output()
        .context("ffmpeg cannot be started")?;
    let complaint = String::from_utf8_lossy(&judged.stderr);
    ensure!(judged.status.success(), "ffmpeg: {complaint}");
    let judged: Value = serde_json::from_slice(&std::fs::read(folder.join("judged.json"))?)?;
    let compared = judged["frames"].as_array().map_or(0, Vec::len);
    ensure!(compared == pictures, "{compared} of {pictures} compared");
    let mean = |feature: &str| judged["pooled_metrics"][feature]["mean"].as_f64();
    let [vmaf, ssim] = ["vmaf", "float_ssim"].map(mean);
    vmaf.zip(ssim)
        .map(|(vmaf, ssim)| [vmaf, ssim])
        .context("ffmpeg has judged nothing")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::bench::{Content, page};

    #[test]
    fn each_picture_is_laid_beside_the_one_it_was() {
        for content in Content::ALL {
            let film: Vec<_> = page::film(content.pattern()).step_by(9).take(5).collect();
            let thumbnails: Vec<_> = film.iter().map(thumbnail).collect();
            for (number, picture) in film.iter().enumerate() {
                let came = thumbnail(&scale(picture, 640, 360));
                let nearest = (0..film.len()).min_by_key(|one| distance(&thumbnails[*one], &came));
                assert_eq!(nearest, Some(number));
            }
        }
    }
}
