//! IVF files: coded pictures one after the other, as VP8's authors defined them and as ffmpeg reads them for H.264, too.

use std::io::{self, Write};

use crate::VideoCodec;

const HEADER: usize = 32;
const PICTURE_HEADER: usize = 12;
/// The RTP clock of pictures.
const TICKS_A_SECOND: u32 = 90_000;

/// Writes coded pictures of one codec.
#[derive(Debug)]
pub struct IvfWriter<W>(W);

impl<W: Write> IvfWriter<W> {
    /// Begins a file. The size is a hint for players: pictures may become larger and smaller.
    ///
    /// # Errors
    /// When it cannot be written.
    pub fn begin(mut file: W, codec: VideoCodec, width: u32, height: u32) -> io::Result<Self> {
        let side = |pixels: u32| u16::try_from(pixels).unwrap_or(u16::MAX).to_le_bytes();
        file.write_all(b"DKIF\0\0")?;
        file.write_all(&(HEADER as u16).to_le_bytes())?;
        file.write_all(match codec {
            VideoCodec::H264 => b"H264",
            VideoCodec::Vp8 => b"VP80",
        })?;
        file.write_all(&side(width))?;
        file.write_all(&side(height))?;
        file.write_all(&TICKS_A_SECOND.to_le_bytes())?;
        file.write_all(&1_u32.to_le_bytes())?;
        // How many pictures follow is not known yet, and nobody asks.
        file.write_all(&[0; 8])?;
        Ok(Self(file))
    }

    /// Writes one picture with its time, in ticks of a 90,000th second.
    ///
    /// # Errors
    /// When it cannot be written, or is larger than a file can say.
    pub fn write(&mut self, time: u64, data: &[u8]) -> io::Result<()> {
        let length = u32::try_from(data.len()).map_err(io::Error::other)?;
        self.0.write_all(&length.to_le_bytes())?;
        self.0.write_all(&time.to_le_bytes())?;
        self.0.write_all(data)
    }

    /// Writes what still waits.
    ///
    /// # Errors
    /// When it cannot be written.
    pub fn flush(&mut self) -> io::Result<()> {
        self.0.flush()
    }
}

/// A picture of a file: its time in ticks of a 90,000th second, and its data.
pub type IvfPicture<'a> = (u64, &'a [u8]);

/// The pictures of a file that [`IvfWriter`] has written; a last one that is cut off is left out. None where it is no such file.
#[must_use]
pub fn read_ivf(file: &[u8]) -> Option<Vec<IvfPicture<'_>>> {
    let mut rest = file.get(HEADER..).filter(|_| file.starts_with(b"DKIF"))?;
    let mut pictures = Vec::new();
    while let Some((header, behind)) = rest.split_at_checked(PICTURE_HEADER) {
        let length = u32::from_le_bytes(header[..4].try_into().ok()?) as usize;
        let time = u64::from_le_bytes(header[4..].try_into().ok()?);
        let Some((data, behind)) = behind.split_at_checked(length) else {
            break;
        };
        pictures.push((time, data));
        rest = behind;
    }
    Some(pictures)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_written_is_read() {
        let mut file = Vec::new();
        let mut writer =
            IvfWriter::begin(&mut file, VideoCodec::H264, 1280, 720).expect("into memory");
        writer.write(3_000, b"a key frame").expect("into memory");
        writer.write(6_000, b"").expect("into memory");
        assert_eq!(&file[8..16], b"H264\0\x05\xD0\x02");
        let pictures = [(3_000, &b"a key frame"[..]), (6_000, b"")];
        assert_eq!(read_ivf(&file).as_deref(), Some(&pictures[..]));
        // The disk was full before its end.
        let whole = file.len() - PICTURE_HEADER - 1;
        assert_eq!(read_ivf(&file[..whole]), Some(Vec::new()));
        assert_eq!(read_ivf(b"RIFF"), None);
    }
}
