//! The handle through which encoder threads send, and the box in which what they send waits for the connection's task.

use std::{
    collections::VecDeque,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Instant,
};

use tokio::sync::mpsc;
use vireo_media::{EncodedFrame, codec::OpusPacket};

use super::{PeerEvent, runtime::Wake};

/// Pictures that wait for the connection to come up: a key frame and what follows it. When there are more the encoder is
/// asked to begin anew, so that what waits is never old.
const MAX_WAITING_FRAMES: usize = 6;

/// Pictures that wait for the connection's task once it is up. It takes them within a millisecond; when it does not,
/// something is badly stuck.
const MAX_QUEUED_FRAMES: usize = 60;

/// A second of sound.
const MAX_QUEUED_AUDIO: usize = 50;

/// Sends media. Cheap to clone; may be used on any thread, with or without an async runtime; never waits.
#[derive(Debug, Clone)]
pub struct MediaSender {
    outbox: Arc<Outbox>,
}

impl MediaSender {
    pub(super) fn new(outbox: Arc<Outbox>) -> Self {
        Self { outbox }
    }

    /// Sends a picture. Its RTP time is made from `captured_at`. Pictures that come before the connection is up wait for
    /// it, from the newest key frame on, so the first picture goes out at once; a picture of a codec that was not negotiated
    /// is dropped.
    pub fn send_video(&self, frame: EncodedFrame) {
        let encoded_at = Instant::now();
        self.outbox.change(|queued| {
            if frame.key_frame && !queued.connected {
                queued.video.clear();
            }
            queued.video.push_back((frame, encoded_at));
            let limit = if queued.connected {
                MAX_QUEUED_FRAMES
            } else {
                MAX_WAITING_FRAMES
            };
            let begins_anew = queued.connected || queued.video[0].0.key_frame;
            if queued.video.len() > limit || !begins_anew {
                queued.video.clear();
                queued.video_lost = true;
            }
        });
    }

    /// Sends a packet of Opus. So many copies of the packets before go with it, where the
    /// other side takes any. Dropped while there is no connection, the time after [`PeerEvent::Disconnected`] included.
    pub fn send_audio(&self, packet: OpusPacket, copies: usize) {
        self.outbox.change(|queued| {
            if queued.connected && !queued.disconnected && queued.audio.len() < MAX_QUEUED_AUDIO {
                queued.audio.push_back((packet, copies));
            }
        });
    }

    /// Asks the other side for a key frame, like [`Peer::request_key_frame`](super::Peer::request_key_frame).
    pub fn request_key_frame(&self) {
        self.outbox.change(|queued| queued.key_frame_wanted = true);
    }
}

/// What waits for the connection's task.
#[derive(Debug)]
pub(super) struct Outbox {
    queued: Mutex<Queued>,
    wake: Arc<Wake>,
    events: mpsc::UnboundedSender<PeerEvent>,
}

/// The contents.
#[derive(Debug, Default)]
pub(super) struct Queued {
    pub audio: VecDeque<(OpusPacket, usize)>,
    /// And when each was ready to be sent.
    pub video: VecDeque<(EncodedFrame, Instant)>,
    /// Pictures were dropped, so the encoder has to begin anew.
    pub video_lost: bool,
    /// The decoding side needs a key frame of the other side's.
    pub key_frame_wanted: bool,
    /// The connection has come up, once.
    connected: bool,
    /// It is lost for now.
    disconnected: bool,
}

impl Outbox {
    pub fn new(wake: Arc<Wake>, events: mpsc::UnboundedSender<PeerEvent>) -> Self {
        Self {
            queued: Mutex::default(),
            wake,
            events,
        }
    }

    /// The connection has come up, or is back: from now on sound is taken too.
    pub fn connected(&self) {
        let mut queued = self.lock();
        queued.connected = true;
        queued.disconnected = false;
    }

    /// The connection is lost for now. Where it is so one way only, the person would still be heard while they are told that
    /// they are not. Pictures go on: they show when the path is back before the next check of it does.
    pub fn disconnected(&self) {
        let mut queued = self.lock();
        queued.disconnected = true;
        queued.audio.clear();
    }

    /// Takes everything.
    pub fn take(&self) -> Queued {
        let mut queued = self.lock();
        let (connected, disconnected) = (queued.connected, queued.disconnected);
        std::mem::replace(
            &mut *queued,
            Queued {
                connected,
                disconnected,
                ..Queued::default()
            },
        )
    }

    fn change(&self, change: impl FnOnce(&mut Queued)) {
        let mut queued = self.lock();
        change(&mut queued);
        let connected = queued.connected;
        let begin_anew = !connected && std::mem::take(&mut queued.video_lost);
        drop(queued);
        if connected {
            self.wake.wake();
        }
        if begin_anew {
            let _ = self.events.send(PeerEvent::KeyFrameRequested);
        }
    }

    fn lock(&self) -> MutexGuard<'_, Queued> {
        self.queued.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use bytes::Bytes;
    use vireo_media::VideoCodec;

    use super::*;

    fn outbox() -> (Arc<Outbox>, MediaSender, mpsc::UnboundedReceiver<PeerEvent>) {
        let (events, receiver) = mpsc::unbounded_channel();
        let outbox = Arc::new(Outbox::new(Arc::default(), events));
        let sender = MediaSender::new(outbox.clone());
        (outbox, sender, receiver)
    }

    fn frame(key_frame: bool) -> EncodedFrame {
        EncodedFrame {
            codec: VideoCodec::Vp8,
            data: Bytes::from_static(b"picture"),
            key_frame,
            width: 16,
            height: 16,
            rtp_timestamp: 0,
            captured_at: Instant::now(),
        }
    }

    fn sound() -> OpusPacket {
        OpusPacket {
            payload: Bytes::from_static(b"sound"),
            timestamp: 0,
            captured_at: Instant::now(),
        }
    }

    #[test]
    fn what_waits_for_the_connection_begins_with_the_newest_key_frame() {
        let (outbox, sender, _events) = outbox();
        for key_frame in [false, true, false, false, true, false] {
            sender.send_video(frame(key_frame));
        }
        sender.send_audio(sound(), 0);
        outbox.connected();
        let queued = outbox.take();
        let key_frames: Vec<_> = queued
            .video
            .iter()
            .map(|(frame, _)| frame.key_frame)
            .collect();
        assert_eq!(key_frames, [true, false]);
        assert!(queued.audio.is_empty(), "old sound is of no use");
        sender.send_video(frame(false));
        sender.send_audio(sound(), 0);
        let queued = outbox.take();
        assert_eq!((queued.video.len(), queued.audio.len()), (1, 1));
    }

    #[test]
    fn nobody_is_heard_while_the_connection_is_lost() {
        let (outbox, sender, _events) = outbox();
        outbox.connected();
        sender.send_audio(sound(), 0);
        outbox.disconnected();
        for _ in 0..2 {
            sender.send_video(frame(false));
            sender.send_audio(sound(), 0);
            let queued = outbox.take();
            assert_eq!((queued.video.len(), queued.audio.len()), (1, 0));
        }
        outbox.connected();
        sender.send_audio(sound(), 0);
        assert_eq!(outbox.take().audio.len(), 1);
    }

    #[test]
    fn what_waits_is_bounded() {
        let (outbox, sender, mut events) = outbox();
        sender.send_video(frame(true));
        for _ in 0..100 {
            sender.send_video(frame(false));
        }
        outbox.connected();
        let queued = outbox.take();
        assert!(queued.video.is_empty());
        assert_eq!(events.try_recv(), Ok(PeerEvent::KeyFrameRequested));
        for _ in 0..1_000 {
            sender.send_video(frame(false));
            sender.send_audio(sound(), 0);
        }
        let queued = outbox.take();
        assert!(queued.video.len() <= MAX_QUEUED_FRAMES && queued.video_lost);
        assert_eq!(queued.audio.len(), MAX_QUEUED_AUDIO);
    }
}
