//! Decodes where the web view cannot: on a thread of its own, scaled to the size at which the picture is shown.

use std::{
    sync::{
        Arc,
        mpsc::{Receiver, SyncSender, TrySendError, sync_channel},
    },
    thread,
    time::Instant,
};

use vireo_call::KeyFrameRequester;
use vireo_media::{
    EncodedFrame, MediaError, VideoCodec, VideoDecoder, VideoFrame, codec,
    video::{fit, scale},
};

use super::{
    gate::{Gate, Verdict},
    outbox::{Generation, Offered, Outbox},
    wire,
};

/// So many pictures may wait for the decoder.
const WAITING: usize = 8;

/// The thread ends when this is dropped.
pub struct NativeDecoder {
    /// Each with the moment at which it was handed over.
    frames: SyncSender<(EncodedFrame, Instant)>,
    key_frames: KeyFrameRequester,
    gate: Gate,
    full: bool,
}

impl NativeDecoder {
    /// Starts the thread.
    pub fn start(outbox: Arc<Outbox>, call: Generation, key_frames: KeyFrameRequester) -> Self {
        let (frames, waiting) = sync_channel(WAITING);
        let ask = key_frames.clone();
        let started = thread::Builder::new().name("native-decoder".into()).spawn({
            let outbox = outbox.clone();
            move || {
                run(
                    &waiting,
                    &Screen { outbox, call },
                    &ask,
                    codec::video_decoder,
                )
            }
        });
        if let Err(error) = started {
            tracing::error!(%error, "remote pictures cannot be decoded");
            Screen { outbox, call }.lost();
        }
        Self {
            frames,
            key_frames,
            gate: Gate::default(),
            full: false,
        }
    }

    /// Hands a picture over, unless the decoder is behind.
    pub fn decode(&mut self, frame: EncodedFrame) {
        let underway = if self.full {
            super::gate::MOST_UNDERWAY
        } else {
            0
        };
        self.full = false;
        match self.gate.decide(frame.key_frame, underway) {
            Verdict::Drop => {}
            Verdict::DropAndAsk => self.key_frames.request(),
            Verdict::Pass => match self.frames.try_send((frame, Instant::now())) {
                Ok(()) | Err(TrySendError::Disconnected(_)) => {}
                Err(TrySendError::Full(_)) => self.full = true,
            },
        }
    }
}

/// Where decoded pictures are shown.
struct Screen {
    outbox: Arc<Outbox>,
    call: Generation,
}

impl Screen {
    fn show(&self, picture: VideoFrame, rtp_timestamp: u32, handed_at: Instant) {
        let (width, height) = self.outbox.shown().map_or((640, 360), |(width, height)| {
            fit(picture.width, picture.height, width, height)
        });
        let small = if width < picture.width {
            scale(&picture, width, height)
        } else {
            picture
        };
        // Every picture stands for itself here, so each may pass that finds room.
        let offered = Offered {
            key_frame: true,
            timestamp: rtp_timestamp,
            at: handed_at,
        };
        self.outbox.offer_remote(self.call, offered, || {
            wire::remote_raw(&small, rtp_timestamp)
        });
    }

    /// There is no way left to decode.
    fn lost(&self) {
        self.outbox
            .offer_remote_lost(self.call, wire::remote_lost());
    }
}

fn run(
    frames: &Receiver<(EncodedFrame, Instant)>,
    screen: &Screen,
    key_frames: &KeyFrameRequester,
    make: impl Fn(VideoCodec) -> Result<Box<dyn VideoDecoder>, MediaError>,
) {
    let mut decoder: Option<Box<dyn VideoDecoder>> = None;
    let mut decodes = None;
    while let Ok((frame, handed_at)) = frames.recv() {
        if decodes != Some(frame.codec) {
            decodes = Some(frame.codec);
            decoder = make(frame.codec)
                .inspect_err(|error| {
                    tracing::error!(%error, "no decoder");
                    screen.lost();
                })
                .ok();
        }
        match decoder.as_mut().map(|decoder| decoder.decode(&frame.data)) {
            Some(Ok(Some(picture))) => screen.show(picture, frame.rtp_timestamp, handed_at),
            Some(Err(error)) => {
                tracing::debug!(%error, "a picture could not be decoded");
                key_frames.request();
            }
            Some(Ok(None)) | None => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use bytes::Bytes;

    use super::*;

    fn frame() -> EncodedFrame {
        EncodedFrame {
            codec: VideoCodec::Vp8,
            data: Bytes::from_static(&[1]),
            key_frame: true,
            width: 16,
            height: 16,
            rtp_timestamp: 0,
            captured_at: Instant::now(),
        }
    }

    #[tokio::test]
    async fn the_window_hears_once_that_no_decoder_can_be_made() {
        let outbox = Arc::new(Outbox::default());
        let number = outbox.connect();
        let call = outbox.begin(Arc::new(|| {}));
        let (sender, frames) = sync_channel(2);
        for _ in 0..2 {
            sender
                .send((frame(), Instant::now()))
                .expect("there is room");
        }
        drop(sender);
        let screen = Screen {
            outbox: outbox.clone(),
            call,
        };
        run(&frames, &screen, &KeyFrameRequester::new(|| {}), |_| {
            Err(MediaError::Codec("none".into()))
        });
        assert_eq!(outbox.next(number).await, Some(wire::remote_lost()));
        outbox.offer_own(Bytes::from_static(b"me"));
        assert_eq!(outbox.next(number).await.expect("connected"), "me");
    }
}
