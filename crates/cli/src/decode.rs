//! The remote picture, decoded on a thread of its own and measured.

use std::sync::mpsc::{Receiver, SyncSender, TrySendError, sync_channel};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use vireo_call::{EncodedVideoSink, KeyFrameRequester, PlaybackStats};
use vireo_media::codec::video_decoder;
use vireo_media::video::{read_time_code_at, unix_ms_now};
use vireo_media::{EncodedFrame, MediaError, VideoCodec, VideoDecoder, VideoFrame};

use crate::coded::CodedFile;
use crate::finish::Guard;
use crate::frames::FramesFile;
use crate::playback::{Playback, lock};
use crate::record::VideoRecorder;

/// So many coded pictures may wait for the decoder; behind more, it starts again with a key frame.
const QUEUE: usize = 30;

/// What is written down of the pictures.
pub struct Records {
    /// They themselves.
    pub recorder: Option<VideoRecorder>,
    /// When each was decoded.
    pub frames: Option<FramesFile>,
    /// As they came.
    pub coded: Option<CodedFile>,
}

/// Takes the coded pictures of one call and has them decoded. Dropping it ends the thread once what waits is decoded.
pub struct RemoteVideo {
    /// Each with the moment at which it was handed over.
    queue: SyncSender<(EncodedFrame, Instant)>,
    playback: Arc<Mutex<Playback>>,
    key_frames: KeyFrameRequester,
    /// The queue overflowed: nothing can be decoded until the next key frame.
    overflowed: bool,
}

impl RemoteVideo {
    /// Starts the thread. It keeps the guard until everything is decoded and recorded. `likely` is the codec that will
    /// probably be spoken; its decoder is made while the call still comes up.
    pub fn start(
        likely: Option<VideoCodec>,
        playback: Arc<Mutex<Playback>>,
        records: Records,
        key_frames: KeyFrameRequester,
        guard: Guard,
    ) -> Self {
        let (queue, frames) = sync_channel(QUEUE);
        let chain = DecodeChain {
            frames,
            decoder: None,
            playback: Arc::clone(&playback),
            key_frames: key_frames.clone(),
            records,
            _guard: guard,
        };
        let started = std::thread::Builder::new()
            .name("remote video".to_owned())
            .spawn(move || chain.run(likely));
        if let Err(problem) = started {
            tracing::error!(%problem, "the decoder's thread cannot be started");
        }
        Self {
            queue,
            playback,
            key_frames,
            overflowed: false,
        }
    }
}

impl EncodedVideoSink for RemoteVideo {
    fn frame(&mut self, frame: EncodedFrame) {
        if self.overflowed && !frame.key_frame {
            return;
        }
        self.overflowed = match self.queue.try_send((frame, Instant::now())) {
            Ok(()) | Err(TrySendError::Disconnected(_)) => false,
            Err(TrySendError::Full(_)) => {
                self.key_frames.request();
                true
            }
        };
    }

    fn playback(&mut self) -> PlaybackStats {
        lock(&self.playback).stats(Instant::now())
    }

    fn until_seen(&self) -> Duration {
        lock(&self.playback).until_seen(Instant::now())
    }
}

struct DecodeChain {
    frames: Receiver<(EncodedFrame, Instant)>,
    decoder: Option<(VideoCodec, Box<dyn VideoDecoder>)>,
    playback: Arc<Mutex<Playback>>,
    key_frames: KeyFrameRequester,
    records: Records,
    /// The last field, so that it is dropped after the recorder has closed its files.
    _guard: Guard,
}

impl DecodeChain {
    fn run(mut self, likely: Option<VideoCodec>) {
        let decoder = |codec| Some((codec, video_decoder(codec).ok()?));
        self.decoder = likely.and_then(decoder);
        while let Ok((encoded, handed_at)) = self.frames.recv() {
            if let Some(file) = &self.records.coded {
                file.frame(&encoded);
            }
            match self.decode(&encoded) {
                Ok(Some(frame)) => {
                    tracing::trace!(bytes = encoded.data.len(), encoded.key_frame, "decoded");
                    self.show(frame, handed_at);
                }
                Ok(None) => {}
                Err(problem) => {
                    tracing::debug!(%problem, "a picture cannot be decoded");
                    self.key_frames.request();
                }
            }
        }
        if let Some(file) = &self.records.frames {
            file.flush();
        }
        if let Some(file) = &self.records.coded {
            file.flush();
        }
    }

    fn decode(&mut self, encoded: &EncodedFrame) -> Result<Option<VideoFrame>, MediaError> {
        let decoder = match &mut self.decoder {
            Some((codec, decoder)) if *codec == encoded.codec => decoder,
            slot => {
                &mut slot
                    .insert((encoded.codec, video_decoder(encoded.codec)?))
                    .1
            }
        };
        decoder.decode(&encoded.data)
    }

    /// The picture could be painted now: this is the moment that counts.
    fn show(&mut self, frame: VideoFrame, handed_at: Instant) {
        let (now, unix_ms) = (Instant::now(), unix_ms_now());
        let latency = read_time_code_at(&frame, unix_ms);
        tracing::trace!(latency, "shown");
        if let Some(file) = &self.records.frames {
            file.frame(unix_ms, latency, &frame);
        }
        let painted = Instant::now();
        let mut playback = lock(&self.playback);
        let number = playback.frame(frame.width, frame.height, latency, now);
        let decoded = now.saturating_duration_since(handed_at);
        playback.took(decoded, painted.saturating_duration_since(now), painted);
        drop(playback);
        if let Some(recorder) = &mut self.records.recorder {
            recorder.push(number, unix_ms, frame);
        }
    }
}
