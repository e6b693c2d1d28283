//! Decodes where the web view cannot: on a thread of its own, scaled to the size at which the picture is shown.

use std::{
    sync::{
        Arc,
        mpsc::{Receiver, SyncSender, TrySendError, sync_channel},
    },
    thread,
};

use vireo_call::KeyFrameRequester;
use vireo_media::{
    EncodedFrame, VideoDecoder, codec,
    video::{fit, scale},
};

use super::{
    gate::{Gate, Verdict},
    outbox::{Generation, Outbox},
    wire,
};

/// So many pictures may wait for the decoder.
const WAITING: usize = 8;

/// The thread ends when this is dropped.
pub struct NativeDecoder {
    frames: SyncSender<EncodedFrame>,
    key_frames: KeyFrameRequester,
    gate: Gate,
    full: bool,
}

impl NativeDecoder {
    /// Starts the thread.
    pub fn start(outbox: Arc<Outbox>, call: Generation, key_frames: KeyFrameRequester) -> Self {
        let (frames, waiting) = sync_channel(WAITING);
        let ask = key_frames.clone();
        let started = thread::Builder::new()
            .name("native-decoder".into())
            .spawn(move || run(&waiting, &outbox, call, &ask));
        if let Err(error) = started {
            tracing::error!(%error, "remote pictures cannot be decoded");
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
            Verdict::Pass => match self.frames.try_send(frame) {
                Ok(()) | Err(TrySendError::Disconnected(_)) => {}
                Err(TrySendError::Full(_)) => self.full = true,
            },
        }
    }
}

fn run(
    frames: &Receiver<EncodedFrame>,
    outbox: &Outbox,
    call: Generation,
    key_frames: &KeyFrameRequester,
) {
    let mut decoder: Option<Box<dyn VideoDecoder>> = None;
    let mut decodes = None;
    while let Ok(frame) = frames.recv() {
        if decodes != Some(frame.codec) {
            decodes = Some(frame.codec);
            decoder = codec::video_decoder(frame.codec)
                .inspect_err(|error| tracing::error!(%error, "no decoder"))
                .ok();
        }
        match decoder.as_mut().map(|decoder| decoder.decode(&frame.data)) {
            Some(Ok(Some(picture))) => {
                let (width, height) = outbox.shown().map_or((640, 360), |(width, height)| {
                    fit(picture.width, picture.height, width, height)
                });
                let small = if width < picture.width {
                    scale(&picture, width, height)
                } else {
                    picture
                };
                // Every picture stands for itself here, so each may pass that finds room.
                outbox.offer_remote(call, true, || wire::remote_raw(&small, frame.rtp_timestamp));
            }
            Some(Err(error)) => {
                tracing::debug!(%error, "a picture could not be decoded");
                key_frames.request();
            }
            Some(Ok(None)) | None => {}
        }
    }
}
