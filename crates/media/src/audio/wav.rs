//! WAV files as a microphone, as a speaker and as a recording.

use std::{
    collections::VecDeque,
    fs::File,
    io::{BufReader, BufWriter},
    path::{Path, PathBuf},
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use hound::{SampleFormat, WavReader, WavSpec};

use super::{
    AudioFrame, AudioSink, AudioSource, FRAME_SAMPLES, SAMPLE_RATE,
    pace::Pace,
    resample::{RATES, Resampler, downmix},
};
use crate::MediaError;

/// So much of a file is read at a time, in frames of all its channels.
const CHUNK: usize = 1_024;

/// How many 10 ms frames may be lost of a recording whose process is killed.
const FLUSH_EVERY: u32 = 50;

/// A WAV file as a microphone: any rate from 8 to 192 kHz, any number of channels (mixed to one), integers of 8 to 32
/// bits or floats. In real time, from the beginning again when it ends.
pub struct WavSource {
    path: PathBuf,
    reader: WavReader<BufReader<File>>,
    resampler: Resampler,
    ready: VecDeque<f32>,
    pace: Pace,
}

impl WavSource {
    /// # Errors
    /// [`MediaError::File`] when the file cannot be read, is no WAV file, or holds no sound.
    pub fn open(path: impl AsRef<Path>) -> Result<Self, MediaError> {
        let path = path.as_ref().to_path_buf();
        let reader = WavReader::open(&path).map_err(|error| file_error(&path, &error))?;
        let spec = reader.spec();
        if spec.channels == 0 || reader.duration() == 0 {
            return Err(MediaError::File {
                path,
                problem: "the file holds no sound".into(),
            });
        }
        if !RATES.contains(&spec.sample_rate) {
            let problem = format!(
                "a sample rate of {} Hz is not supported; use one between 8 and 192 kHz",
                spec.sample_rate
            );
            return Err(MediaError::File { path, problem });
        }
        let resampler = Resampler::new(spec.sample_rate, SAMPLE_RATE)?;
        let mut source = Self {
            path,
            reader,
            resampler,
            ready: VecDeque::new(),
            pace: Pace::new(),
        };
        // What cannot be decoded should be said now, not in the middle of a call.
        source.fill()?;
        Ok(source)
    }

    /// Reads on until there is a frame, beginning again at the end of the file.
    fn fill(&mut self) -> Result<(), MediaError> {
        let mut rewound = false;
        while self.ready.len() < FRAME_SAMPLES {
            let interleaved = self.read_chunk()?;
            if interleaved.is_empty() {
                // A file cut short claims more sound than it holds: twice nothing is nothing.
                if rewound {
                    return Err(MediaError::File {
                        path: self.path.clone(),
                        problem: "the file holds no sound".into(),
                    });
                }
                rewound = true;
                self.reader =
                    WavReader::open(&self.path).map_err(|error| file_error(&self.path, &error))?;
                continue;
            }
            rewound = false;
            let mut mono = Vec::with_capacity(CHUNK);
            downmix(
                &interleaved,
                usize::from(self.reader.spec().channels),
                &mut mono,
            );
            self.resampler.push(&mono, &mut self.ready);
        }
        Ok(())
    }

    /// The next samples of all channels; none at the end of the file.
    fn read_chunk(&mut self) -> Result<Vec<f32>, MediaError> {
        let spec = self.reader.spec();
        let wanted = CHUNK * usize::from(spec.channels);
        match spec.sample_format {
            SampleFormat::Float => collect(self.reader.samples::<f32>().take(wanted), tame),
            SampleFormat::Int => {
                let scale = 1.0 / (1_i64 << (spec.bits_per_sample.clamp(1, 32) - 1)) as f32;
                collect(self.reader.samples::<i32>().take(wanted), |value| {
                    value as f32 * scale
                })
            }
        }
        .map_err(|error| file_error(&self.path, &error))
    }
}

/// The samples up to the end, which may come earlier than the header promised.
fn collect<S>(
    samples: impl Iterator<Item = hound::Result<S>>,
    convert: impl Fn(S) -> f32,
) -> hound::Result<Vec<f32>> {
    let mut values = Vec::new();
    for sample in samples {
        match sample {
            Ok(sample) => values.push(convert(sample)),
            Err(hound::Error::IoError(error)) if is_short(&error) => break,
            Err(error) => return Err(error),
        }
    }
    Ok(values)
}

/// A file of floats may hold anything.
const fn tame(value: f32) -> f32 {
    if value.is_finite() {
        value.clamp(-1.0, 1.0)
    } else {
        0.0
    }
}

/// hound says "other" with this text where a file ends too early.
fn is_short(error: &std::io::Error) -> bool {
    error.kind() == std::io::ErrorKind::UnexpectedEof
        || error.to_string() == "Failed to read enough bytes."
}

impl AudioSource for WavSource {
    fn read(&mut self) -> Result<AudioFrame, MediaError> {
        self.fill()?;
        self.pace.wait();
        let mut frame = AudioFrame::SILENCE;
        for (sample, ready) in frame.0.iter_mut().zip(self.ready.drain(..FRAME_SAMPLES)) {
            *sample = ready;
        }
        Ok(frame)
    }
}

/// Writes a WAV file, 48 kHz mono 16 bits, as fast as frames come. The header is brought up to date every half second,
/// so that the file can be read even if the process is killed.
struct WavWriter {
    path: PathBuf,
    writer: hound::WavWriter<BufWriter<File>>,
    unflushed: u32,
}

impl WavWriter {
    fn create(path: impl AsRef<Path>) -> Result<Self, MediaError> {
        let path = path.as_ref().to_path_buf();
        let spec = WavSpec {
            channels: 1,
            sample_rate: SAMPLE_RATE,
            bits_per_sample: 16,
            sample_format: SampleFormat::Int,
        };
        let mut writer =
            hound::WavWriter::create(&path, spec).map_err(|error| file_error(&path, &error))?;
        writer.flush().map_err(|error| file_error(&path, &error))?;
        Ok(Self {
            path,
            writer,
            unflushed: 0,
        })
    }

    /// Appends 10 ms.
    fn write(&mut self, frame: &AudioFrame) -> Result<(), MediaError> {
        for sample in frame.0 {
            let value = (sample.clamp(-1.0, 1.0) * f32::from(i16::MAX)).round() as i16;
            self.writer
                .write_sample(value)
                .map_err(|error| file_error(&self.path, &error))?;
        }
        self.unflushed += 1;
        if self.unflushed >= FLUSH_EVERY {
            self.unflushed = 0;
            self.writer
                .flush()
                .map_err(|error| file_error(&self.path, &error))?;
        }
        Ok(())
    }
}

/// A WAV file that one sink after the other writes to, so that what is there stays when a speaker has to be opened anew.
/// It is finished when the last handle is dropped.
#[derive(Clone)]
pub struct Recording(Arc<Mutex<WavWriter>>);

impl Recording {
    /// # Errors
    /// [`MediaError::File`] when the file cannot be written.
    pub fn create(path: impl AsRef<Path>) -> Result<Self, MediaError> {
        Ok(Self(Arc::new(Mutex::new(WavWriter::create(path)?))))
    }

    fn write(&self, frame: &AudioFrame) -> Result<(), MediaError> {
        self.0
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .write(frame)
    }
}

/// A WAV file as a speaker: takes sound in real time.
pub struct WavSink {
    recording: Recording,
    pace: Pace,
}

impl WavSink {
    /// Appends to the recording.
    #[must_use]
    pub fn new(recording: Recording) -> Self {
        Self {
            recording,
            pace: Pace::new(),
        }
    }
}

impl AudioSink for WavSink {
    fn write(&mut self, frame: &AudioFrame) -> Result<(), MediaError> {
        self.recording.write(frame)?;
        self.pace.wait();
        Ok(())
    }
}

/// A sink that is heard and recorded. A recording that fails is given up; the sound goes on.
pub struct RecordedSink {
    sink: Box<dyn AudioSink>,
    recording: Option<Recording>,
}

impl RecordedSink {
    /// What goes to `sink` is also appended to `recording`.
    #[must_use]
    pub fn new(sink: Box<dyn AudioSink>, recording: Recording) -> Self {
        Self {
            sink,
            recording: Some(recording),
        }
    }
}

impl AudioSink for RecordedSink {
    fn write(&mut self, frame: &AudioFrame) -> Result<(), MediaError> {
        if let Some(recording) = &self.recording
            && let Err(error) = recording.write(frame)
        {
            tracing::warn!(%error, "the recording of the sound has stopped");
            self.recording = None;
        }
        self.sink.write(frame)
    }

    fn delay(&self) -> Duration {
        self.sink.delay()
    }
}

fn file_error(path: &Path, error: &hound::Error) -> MediaError {
    let problem = match error {
        hound::Error::IoError(error) if error.kind() == std::io::ErrorKind::NotFound => {
            "there is no such file".to_owned()
        }
        hound::Error::IoError(error) if is_short(error) => {
            "this is not a WAV file, or it is cut short".to_owned()
        }
        hound::Error::IoError(error) => error.to_string(),
        hound::Error::FormatError(detail) => {
            format!("this is not a WAV file that can be read ({detail})")
        }
        hound::Error::Unsupported => {
            "this kind of WAV file is not supported; save it as PCM".to_owned()
        }
        other => other.to_string(),
    };
    MediaError::File {
        path: path.to_path_buf(),
        problem,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn write(path: &Path, spec: WavSpec, seconds: f32, hz: f32) {
        let mut writer = hound::WavWriter::create(path, spec).expect("create");
        for i in 0..(seconds * spec.sample_rate as f32) as usize {
            let value =
                0.5 * (std::f32::consts::TAU * hz * i as f32 / spec.sample_rate as f32).sin();
            for _ in 0..spec.channels {
                match spec.sample_format {
                    SampleFormat::Float => writer.write_sample(value).expect("write"),
                    SampleFormat::Int => {
                        let full = ((1_i64 << (spec.bits_per_sample - 1)) - 1) as f32;
                        writer.write_sample((value * full) as i32).expect("write");
                    }
                }
            }
        }
        writer.finalize().expect("finalize");
    }

    fn read_frames(source: &mut WavSource, count: usize) -> Vec<f32> {
        (0..count)
            .flat_map(|_| source.read().expect("a file loops for ever").0)
            .collect()
    }

    #[test]
    fn every_form_is_read_and_loops() {
        let folder = tempfile::tempdir().expect("a folder");
        for (channels, sample_rate, bits_per_sample, sample_format) in [
            (1, 48_000, 16, SampleFormat::Int),
            (2, 44_100, 16, SampleFormat::Int),
            (6, 8_000, 24, SampleFormat::Int),
            (2, 96_000, 32, SampleFormat::Float),
            (1, 22_050, 8, SampleFormat::Int),
            (8, 192_000, 32, SampleFormat::Int),
        ] {
            let path = folder.path().join("in.wav");
            write(
                &path,
                WavSpec {
                    channels,
                    sample_rate,
                    bits_per_sample,
                    sample_format,
                },
                0.1,
                500.0,
            );
            let mut source = WavSource::open(&path).expect("open");
            let sound = read_frames(&mut source, 25);
            let rms = (sound.iter().map(|s| s * s).sum::<f32>() / sound.len() as f32).sqrt();
            assert!(
                (rms - 0.3535).abs() < 0.03,
                "{channels} × {sample_rate} × {bits_per_sample}: {rms}"
            );
        }
    }

    #[test]
    fn what_is_no_sound_is_refused_in_words() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("in.wav");
        let problem = |path: &Path| match WavSource::open(path) {
            Err(error) => error.to_string(),
            Ok(_) => panic!("this must not open"),
        };
        assert!(problem(&path).contains("no such file"));
        std::fs::write(&path, b"").expect("write");
        assert!(problem(&path).contains("not a WAV file"));
        std::fs::write(&path, b"RIFF\x10\0\0\0WAVEnonsense and more nonsense").expect("write");
        assert!(!problem(&path).is_empty());
        std::fs::write(&path, vec![7; 4096]).expect("write");
        assert!(problem(&path).contains("not a WAV file"));
        write(
            &path,
            WavSpec {
                channels: 1,
                sample_rate: 48_000,
                bits_per_sample: 16,
                sample_format: SampleFormat::Int,
            },
            0.0,
            1.0,
        );
        assert!(problem(&path).contains("no sound"));
        write(
            &path,
            WavSpec {
                channels: 1,
                sample_rate: 4_000,
                bits_per_sample: 16,
                sample_format: SampleFormat::Int,
            },
            1.0,
            1.0,
        );
        assert!(problem(&path).contains("4000 Hz"));
    }

    #[test]
    fn a_file_cut_short_plays_what_it_has() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("in.wav");
        write(
            &path,
            WavSpec {
                channels: 1,
                sample_rate: 48_000,
                bits_per_sample: 16,
                sample_format: SampleFormat::Int,
            },
            0.2,
            500.0,
        );
        let bytes = std::fs::read(&path).expect("read");
        std::fs::write(&path, &bytes[..bytes.len() / 2]).expect("write");
        let mut source = WavSource::open(&path).expect("open");
        assert_eq!(read_frames(&mut source, 30).len(), 30 * FRAME_SAMPLES);
    }

    #[test]
    fn a_recording_can_be_read_while_it_is_written() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("out.wav");
        let mut writer = WavWriter::create(&path).expect("create");
        assert_eq!(
            WavReader::open(&path).expect("readable at once").duration(),
            0
        );
        for _ in 0..FLUSH_EVERY {
            writer
                .write(&AudioFrame([0.5; FRAME_SAMPLES]))
                .expect("write");
        }
        // The writer still lives, as it would in a process that is killed now.
        assert_eq!(
            WavReader::open(&path).expect("readable").duration(),
            FLUSH_EVERY * FRAME_SAMPLES as u32
        );
        assert!(WavWriter::create(folder.path().join("no/such/folder.wav")).is_err());
    }
}
