//! YUV4MPEG2 files, as sources of pictures and as records of them.

use std::fs::File;
use std::io::{BufRead, BufReader, BufWriter, Read, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};
use std::time::Instant;

use super::frame::frame_len;
use super::pace::Pace;
use super::scale::Scaler;
use super::{VideoFormat, VideoFrame, VideoSource, scale};
use crate::MediaError;

/// Sides beyond this are taken for a broken file.
const MAX_SIDE: u32 = 16_384;
/// A header line is far shorter in every file that exists.
const MAX_LINE: u64 = 4_096;

/// A file as a camera: paced in real time, from its start again when it ends.
#[derive(Debug)]
pub struct Y4mSource {
    reader: Y4mReader,
    format: VideoFormat,
    pace: Pace,
    scaler: Scaler,
    /// The number of the file's frame that was read last, since the opening (it goes on counting when the file loops).
    at: u64,
    /// That frame, unless it has been handed out for good.
    current: Option<VideoFrame>,
}

impl Y4mSource {
    /// Opens a file of 8-bit 4:2:0 pictures. With a format, pictures are scaled to its size and left out or repeated to meet its rate.
    ///
    /// # Errors
    /// [`MediaError::File`] when it cannot be read, is not of this form, or holds no picture.
    pub fn open(path: impl AsRef<Path>, format: Option<VideoFormat>) -> Result<Self, MediaError> {
        let mut reader = Y4mReader::open(path.as_ref())?;
        let first = reader
            .read_frame()?
            .ok_or_else(|| reader.problem("the file holds no picture"))?;
        let own = VideoFormat {
            width: reader.width & !1,
            height: reader.height & !1,
            frame_rate: reader.frame_rate.round().max(1.0) as u32,
        };
        let mut format = format.unwrap_or(own);
        format.width = format.width.max(2) & !1;
        format.height = format.height.max(2) & !1;
        Ok(Self {
            reader,
            format,
            pace: Pace::new(format.frame_rate),
            scaler: Scaler::default(),
            at: 0,
            current: Some(first),
        })
    }

    /// Which of the file's frames is shown as this one of ours.
    fn shown_as(&self, number: u64) -> u64 {
        (number as f64 * self.reader.frame_rate / f64::from(self.format.frame_rate)) as u64
    }

    fn advance_to(&mut self, wanted: u64) -> Result<(), MediaError> {
        while self.at < wanted {
            let frame = match self.reader.read_frame()? {
                Some(frame) => Some(frame),
                None => {
                    self.reader.rewind()?;
                    self.reader.read_frame()?
                }
            };
            self.current = frame;
            self.at += 1;
        }
        Ok(())
    }

    /// The current frame in the wanted size. It is copied only where it will be shown again.
    fn picture(&mut self, is_shown_again: bool) -> Option<VideoFrame> {
        let size = (self.format.width, self.format.height);
        let frame = self.current.as_ref()?;
        if (frame.width, frame.height) != size {
            Some(self.scaler.scale(frame, size.0, size.1))
        } else if is_shown_again {
            Some(frame.clone())
        } else {
            self.current.take()
        }
    }
}

impl VideoSource for Y4mSource {
    fn format(&self) -> VideoFormat {
        self.format
    }

    fn next_frame(&mut self) -> Result<VideoFrame, MediaError> {
        let number = self.pace.wait();
        let captured_at = Instant::now();
        let wanted = self.shown_as(number);
        self.advance_to(wanted)?;
        let mut frame = self
            .picture(self.shown_as(number + 1) == wanted)
            .ok_or_else(|| self.reader.problem("the file holds no picture any more"))?;
        frame.captured_at = captured_at;
        Ok(frame)
    }
}

#[derive(Debug)]
struct Y4mReader {
    path: PathBuf,
    file: BufReader<File>,
    width: u32,
    height: u32,
    frame_rate: f64,
    data_start: u64,
}

impl Y4mReader {
    fn open(path: &Path) -> Result<Self, MediaError> {
        let file = File::open(path)
            .map_err(|error| problem(path, &format!("cannot be opened: {error}")))?;
        let mut reader = Self {
            path: path.to_owned(),
            file: BufReader::with_capacity(1 << 18, file),
            width: 0,
            height: 0,
            frame_rate: 30.0,
            data_start: 0,
        };
        let header = reader
            .read_line()?
            .ok_or_else(|| reader.problem("the file is empty"))?;
        reader.parse_header(&header)?;
        reader.data_start = header.len() as u64 + 1;
        Ok(reader)
    }

    fn parse_header(&mut self, header: &str) -> Result<(), MediaError> {
        let mut words = header.split(' ');
        if words.next() != Some("YUV4MPEG2") {
            return Err(self.problem("this is not a YUV4MPEG2 (.y4m) file"));
        }
        for word in words.filter(|word| !word.is_empty()) {
            let (name, value) = word.split_at(word.chars().next().map_or(0, char::len_utf8));
            match name {
                "W" => self.width = value.parse().unwrap_or(0),
                "H" => self.height = value.parse().unwrap_or(0),
                "F" => {
                    self.frame_rate = frame_rate(value)
                        .ok_or_else(|| self.problem("its frame rate is not valid"))?
                }
                "C" if !matches!(value, "420" | "420jpeg" | "420mpeg2" | "420paldv") => {
                    return Err(self.problem(&format!(
                        "its pictures are {value}; only 8-bit 4:2:0 can be read"
                    )));
                }
                _ => {}
            }
        }
        if !(2..=MAX_SIDE).contains(&self.width) || !(2..=MAX_SIDE).contains(&self.height) {
            return Err(self.problem("its width and height are missing or not between 2 and 16384"));
        }
        Ok(())
    }

    /// None at the end of the file.
    fn read_frame(&mut self) -> Result<Option<VideoFrame>, MediaError> {
        let Some(line) = self.read_line()? else {
            return Ok(None);
        };
        if line != "FRAME" && !line.starts_with("FRAME ") {
            return Err(self.problem("a picture does not begin where it should"));
        }
        let mut data = vec![0; frame_len(self.width, self.height)];
        self.file
            .read_exact(&mut data)
            .map_err(|_| self.problem("the last picture is cut off"))?;
        let frame = VideoFrame {
            width: self.width,
            height: self.height,
            data,
            captured_at: Instant::now(),
        };
        Ok(Some(even(frame)))
    }

    fn read_line(&mut self) -> Result<Option<String>, MediaError> {
        let mut line = Vec::new();
        (&mut self.file)
            .take(MAX_LINE)
            .read_until(b'\n', &mut line)
            .map_err(|error| problem(&self.path, &format!("cannot be read: {error}")))?;
        if line.is_empty() {
            return Ok(None);
        }
        if line.pop() != Some(b'\n') {
            return Err(self.problem("this is not a YUV4MPEG2 (.y4m) file, or it is cut off"));
        }
        String::from_utf8(line)
            .map(Some)
            .map_err(|_| self.problem("this is not a YUV4MPEG2 (.y4m) file"))
    }

    fn rewind(&mut self) -> Result<(), MediaError> {
        self.file
            .seek(SeekFrom::Start(self.data_start))
            .map_err(|error| {
                problem(
                    &self.path,
                    &format!("cannot be read again from its start: {error}"),
                )
            })?;
        Ok(())
    }

    fn problem(&self, sentence: &str) -> MediaError {
        problem(&self.path, sentence)
    }
}

fn problem(path: &Path, sentence: &str) -> MediaError {
    MediaError::File {
        path: path.to_owned(),
        problem: sentence.to_owned(),
    }
}

fn frame_rate(value: &str) -> Option<f64> {
    let (frames, seconds) = value.split_once(':')?;
    let (frames, seconds) = (frames.parse::<u32>().ok()?, seconds.parse::<u32>().ok()?);
    let rate = f64::from(frames) / f64::from(seconds);
    (rate.is_finite() && (0.01..=1000.0).contains(&rate)).then_some(rate)
}

/// Cuts an odd last row and column off.
fn even(frame: VideoFrame) -> VideoFrame {
    let (width, height) = (frame.width & !1, frame.height & !1);
    if (width, height) == (frame.width, frame.height) {
        return frame;
    }
    let mut cut = VideoFrame::black(width, height);
    let from_widths = [
        frame.width as usize,
        frame.chroma_width(),
        frame.chroma_width(),
    ];
    let to_widths = [width as usize, width as usize / 2, width as usize / 2];
    for (plane, (to, from)) in cut.planes_mut().into_iter().zip(frame.planes()).enumerate() {
        for (to, from) in to
            .chunks_exact_mut(to_widths[plane])
            .zip(from.chunks_exact(from_widths[plane]))
        {
            to.copy_from_slice(&from[..to_widths[plane]]);
        }
    }
    cut
}

/// Writes pictures to a file, all at the size of the first.
#[derive(Debug)]
pub struct Y4mWriter {
    path: PathBuf,
    file: BufWriter<File>,
    frame_rate: u32,
    size: Option<(u32, u32)>,
}

impl Y4mWriter {
    /// Creates the file, or empties it. Its header says 30 frames a second.
    ///
    /// # Errors
    /// [`MediaError::File`] when it cannot be created.
    pub fn create(path: impl AsRef<Path>) -> Result<Self, MediaError> {
        let path = path.as_ref();
        let file = File::create(path)
            .map_err(|error| problem(path, &format!("cannot be created: {error}")))?;
        Ok(Self {
            path: path.to_owned(),
            file: BufWriter::with_capacity(1 << 18, file),
            frame_rate: 30,
            size: None,
        })
    }

    /// The rate that the header will say, when it is not 30.
    #[must_use]
    pub fn with_frame_rate(mut self, frames_per_second: u32) -> Self {
        self.frame_rate = frames_per_second.max(1);
        self
    }

    /// Appends a picture, scaled to the size of the first one.
    ///
    /// # Errors
    /// [`MediaError::File`] when it cannot be written.
    pub fn write(&mut self, frame: &VideoFrame) -> Result<(), MediaError> {
        let written = match self.size {
            None => {
                self.size = Some((frame.width, frame.height));
                let header = format!(
                    "YUV4MPEG2 W{} H{} F{}:1 Ip A1:1 C420jpeg\n",
                    frame.width, frame.height, self.frame_rate
                );
                self.file
                    .write_all(header.as_bytes())
                    .and_then(|()| self.write_frame(frame))
            }
            Some((width, height)) if (width, height) != (frame.width, frame.height) => {
                self.write_frame(&scale(frame, width, height))
            }
            Some(_) => self.write_frame(frame),
        };
        written.map_err(|error| problem(&self.path, &format!("cannot be written: {error}")))
    }

    /// Writes what is still in memory.
    ///
    /// # Errors
    /// [`MediaError::File`] when it cannot be written.
    pub fn flush(&mut self) -> Result<(), MediaError> {
        self.file
            .flush()
            .map_err(|error| problem(&self.path, &format!("cannot be written: {error}")))
    }

    fn write_frame(&mut self, frame: &VideoFrame) -> std::io::Result<()> {
        self.file.write_all(b"FRAME\n")?;
        self.file.write_all(&frame.data)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn file(content: &[u8]) -> tempfile::NamedTempFile {
        let mut file = tempfile::NamedTempFile::new().expect("a temporary file");
        file.write_all(content).expect("written");
        file
    }

    fn grey(width: u32, height: u32, luma: u8) -> VideoFrame {
        let mut frame = VideoFrame::black(width, height);
        frame.planes_mut()[0].fill(luma);
        frame
    }

    #[test]
    fn what_is_written_reads_back_and_loops() {
        let file = file(b"");
        let mut writer = Y4mWriter::create(file.path())
            .expect("created")
            .with_frame_rate(200);
        writer.write(&grey(4, 2, 50)).expect("written");
        writer
            .write(&grey(8, 4, 90))
            .expect("scaled to the first size");
        writer.flush().expect("flushed");
        let mut source = Y4mSource::open(file.path(), None).expect("opens");
        assert_eq!(
            source.format(),
            VideoFormat {
                width: 4,
                height: 2,
                frame_rate: 200
            }
        );
        for number in 0..5 {
            source.advance_to(number).expect("a picture");
            // Shown twice: the second time it is handed out for good.
            let copy = source.picture(true).expect("a picture");
            let frame = source.picture(false).expect("the same picture");
            assert_eq!(copy.data, frame.data);
            assert_eq!((frame.width, frame.height), (4, 2));
            assert_eq!(
                frame.data[0],
                if number % 2 == 0 { 50 } else { 90 },
                "picture {number}"
            );
        }
    }

    #[test]
    fn another_size_and_rate() {
        let file = file(b"YUV4MPEG2 W4 H2 F1000:1\nFRAME\nyyyyyyyyuuvvFRAME Ip\nzzzzzzzzuuvv");
        let format = VideoFormat {
            width: 8,
            height: 8,
            frame_rate: 500,
        };
        let mut source = Y4mSource::open(file.path(), Some(format)).expect("opens");
        let frame = source.next_frame().expect("a picture");
        assert_eq!((frame.width, frame.height, frame.data[0]), (8, 8, b'y'));
        // Every second picture of the file is left out, and it has two.
        assert_eq!(source.next_frame().expect("a picture").data[0], b'y');
    }

    #[test]
    fn odd_sizes_lose_their_last_row_and_column() {
        let file = file(b"YUV4MPEG2 W3 H3 F30:1\nFRAME\n123456789uuuuvvvv");
        let mut source = Y4mSource::open(file.path(), None).expect("opens");
        assert_eq!(source.next_frame().expect("a picture").data, b"1245uv");
    }

    #[test]
    fn broken_files_are_refused_with_a_sentence() {
        let cases: [(&[u8], &str); 10] = [
            (b"", "empty"),
            (b"RIFF....", "not a YUV4MPEG2"),
            (b"RIFF\n", "not a YUV4MPEG2"),
            (b"\xff\xfe\n", "not a YUV4MPEG2"),
            (b"YUV4MPEG2 W4\n", "width and height"),
            (b"YUV4MPEG2 W99999999 H2\n", "width and height"),
            (b"YUV4MPEG2 W4 H2 F30:0\n", "frame rate"),
            (b"YUV4MPEG2 W4 H2 C444\n", "4:2:0"),
            (b"YUV4MPEG2 W4 H2\n", "no picture"),
            (b"YUV4MPEG2 W4 H2\nFRAME\nyyy", "cut off"),
        ];
        for (content, word) in cases {
            let file = file(content);
            let error = Y4mSource::open(file.path(), None)
                .expect_err("refused")
                .to_string();
            assert!(error.contains(word), "{error}");
        }
        let missing = Y4mSource::open("/no/such/file.y4m", None)
            .expect_err("refused")
            .to_string();
        assert!(missing.contains("cannot be opened"), "{missing}");
    }
}
