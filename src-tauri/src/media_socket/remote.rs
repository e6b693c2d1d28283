//! Takes a call's remote pictures.

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use vireo_call::{EncodedVideoSink, KeyFrameRequester, PlaybackStats};
use vireo_media::EncodedFrame;
use vireo_protocol::PictureSize;

use super::{
    native::NativeDecoder,
    outbox::{Generation, Offered, Outbox},
    wire,
};

/// Sends remote pictures to the web view, or decodes them first where it cannot.
pub struct RemoteSink {
    outbox: Arc<Outbox>,
    call: Generation,
    key_frames: KeyFrameRequester,
    native: Option<NativeDecoder>,
    size: (u32, u32),
    rate: Rate,
}

impl RemoteSink {
    /// A sink for a new call.
    pub fn new(outbox: Arc<Outbox>, key_frames: KeyFrameRequester) -> Self {
        let ask = key_frames.clone();
        let call = outbox.begin(Arc::new(move || ask.request()));
        Self {
            outbox,
            call,
            key_frames,
            native: None,
            size: (0, 0),
            rate: Rate::default(),
        }
    }
}

impl EncodedVideoSink for RemoteSink {
    fn frame(&mut self, frame: EncodedFrame) {
        if frame.width > 0 {
            self.size = (frame.width, frame.height);
        }
        if self.outbox.is_native(frame.codec) {
            let decoder = self.native.get_or_insert_with(|| {
                NativeDecoder::start(self.outbox.clone(), self.call, self.key_frames.clone())
            });
            decoder.decode(frame);
        } else {
            let offered = Offered {
                key_frame: frame.key_frame,
                timestamp: frame.rtp_timestamp,
                at: Instant::now(),
            };
            self.outbox
                .offer_remote(self.call, offered, || wire::remote(&frame));
        }
    }

    fn playback(&mut self) -> PlaybackStats {
        let now = Instant::now();
        let painted = self.outbox.playback(now);
        PlaybackStats {
            frames_per_second: self.rate.of(painted.frames_decoded, now),
            frame_width: self.size.0,
            frame_height: self.size.1,
            ..painted
        }
    }

    fn until_seen(&self) -> Duration {
        self.outbox.until_seen(Instant::now())
    }

    fn shown(&self) -> Option<PictureSize> {
        let (width, height) = self.outbox.shown()?;
        Some(PictureSize { width, height })
    }
}

impl Drop for RemoteSink {
    fn drop(&mut self) {
        self.outbox.finish(self.call);
    }
}

/// How fast a counter grows.
#[derive(Debug, Default)]
struct Rate {
    last: Option<(u64, Instant)>,
    per_second: f64,
}

impl Rate {
    /// The rate over the last second or more.
    fn of(&mut self, count: u64, now: Instant) -> f64 {
        let (before, since) = *self.last.get_or_insert((count, now));
        let elapsed = now.saturating_duration_since(since);
        if elapsed >= Duration::from_millis(900) {
            self.per_second = count.saturating_sub(before) as f64 / elapsed.as_secs_f64();
            self.last = Some((count, now));
        }
        self.per_second
    }
}
