//! Where the other side's media goes. Filled only once the call has been placed or accepted here.

use std::{
    sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError},
    time::{Duration, Instant},
};

use vireo_media::{EncodedFrame, audio::ReceiveChain, rtp::RtpPayload};
use vireo_protocol::PictureSize;

use crate::{
    EncodedVideoSink, PlaybackStats,
    peer::{MediaReceiver, SoundPlayed},
};

#[derive(Default)]
pub(super) struct Playback {
    sound: Mutex<Option<ReceiveChain>>,
    pictures: Mutex<Option<Box<dyn EncodedVideoSink>>>,
    first_picture: OnceLock<Instant>,
}

impl Playback {
    pub(super) fn fill(&self, sound: Option<ReceiveChain>, pictures: Box<dyn EncodedVideoSink>) {
        *lock(&self.sound) = sound;
        *lock(&self.pictures) = Some(pictures);
    }

    /// Takes everything out again; whoever drops it may have to wait for a device.
    pub(super) fn empty(&self) -> impl Send + use<> {
        (lock(&self.sound).take(), lock(&self.pictures).take())
    }

    /// Another speaker is to be used; the one before plays until it is there.
    pub(super) fn reopen_speaker(&self) {
        if let Some(chain) = lock(&self.sound).as_ref() {
            chain.reopen();
        }
    }

    /// When the first remote picture was there: arrived, where nobody knows when it was decoded.
    pub(super) fn first_picture(&self) -> Option<Instant> {
        self.first_picture.get().copied()
    }

    pub(super) fn sound_statistics(&self) -> Option<vireo_media::rtp::AudioReceiveStatistics> {
        lock(&self.sound).as_ref().map(ReceiveChain::statistics)
    }

    /// The place in which pictures are shown, where that is known.
    pub(super) fn shown(&self) -> Option<PictureSize> {
        lock(&self.pictures).as_ref()?.shown()
    }

    pub(super) fn picture_statistics(&self) -> PlaybackStats {
        let mut pictures = lock(&self.pictures);
        pictures
            .as_mut()
            .map(|sink| sink.playback())
            .unwrap_or_default()
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// The peer connection's end of it.
pub(super) struct Receiver(pub(super) Arc<Playback>);

impl MediaReceiver for Receiver {
    fn audio(&mut self, packet: RtpPayload) {
        if let Some(chain) = lock(&self.0.sound).as_ref() {
            chain.push(packet);
        }
    }

    fn audio_copy(&mut self, packet: RtpPayload) {
        if let Some(chain) = lock(&self.0.sound).as_ref() {
            chain.push_copy(packet);
        }
    }

    fn video(&mut self, frame: EncodedFrame) {
        if let Some(sink) = lock(&self.0.pictures).as_mut() {
            self.0.first_picture.get_or_init(Instant::now);
            sink.frame(frame);
        }
    }

    fn sound_played(&mut self) -> Option<SoundPlayed> {
        let (timestamp, at) = lock(&self.0.sound).as_ref()?.played()?;
        Some(SoundPlayed { timestamp, at })
    }

    fn until_seen(&mut self) -> Duration {
        let pictures = lock(&self.0.pictures);
        let sink = pictures.as_ref();
        sink.map(|sink| sink.until_seen()).unwrap_or_default()
    }

    fn delay_sound(&mut self, delay: Duration) {
        if let Some(chain) = lock(&self.0.sound).as_ref() {
            chain.set_extra_delay(delay);
        }
    }
}
