//! What waits to be sent to the web view, and who hears what it answers.

use std::{
    collections::VecDeque,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::{Duration, Instant},
};

use bytes::Bytes;
use tokio::sync::Notify;
use vireo_call::PlaybackStats;
use vireo_media::VideoCodec;

use super::{
    gate::{Gate, Verdict},
    painted::Painted,
    wire::{Side, WorkerSays},
};

/// Hears that the web view's decoder needs a key frame.
pub type AskKeyFrame = Arc<dyn Fn() + Send + Sync>;

/// Which call something belongs to. What an ended call left behind is dropped late, when the next one may have begun.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Generation(u64);

/// A remote picture on its way to the window.
#[derive(Debug, Clone, Copy)]
pub struct Offered {
    /// Whether a decoder can start here.
    pub key_frame: bool,
    /// Its RTP time.
    pub timestamp: u32,
    /// When it was handed to whoever decodes it.
    pub at: Instant,
}

/// Between the threads of a call and the task of the connection. Never grows: remote pictures pass a [`Gate`], and of this
/// side's own only the newest waits.
#[derive(Default)]
pub struct Outbox {
    state: Mutex<State>,
    news: Notify,
}

#[derive(Default)]
struct State {
    /// Counts connections; the latest one is served, and none at 0.
    connection: u64,
    connected: bool,
    remote: VecDeque<Bytes>,
    own: Option<Bytes>,
    /// Remote pictures that are queued or sent and that the worker has not taken in.
    underway: usize,
    painted: Painted,
    gate: Gate,
    native: Vec<VideoCodec>,
    shown: Option<(u32, u32)>,
    own_shown: Option<(u32, u32)>,
    /// The latest call.
    call: Generation,
    ask_key_frame: Option<AskKeyFrame>,
}

impl State {
    /// The worker has taken in so many more remote pictures.
    fn taken(&mut self, count: u32) {
        self.underway = self.underway.saturating_sub(count as usize);
    }
}

impl std::fmt::Debug for Outbox {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Outbox")
    }
}

impl Outbox {
    fn state(&self) -> MutexGuard<'_, State> {
        // A thread that panicked has left the queue as whole as it was: every change is one assignment.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    // For the sinks.

    /// A new call: its decoder starts with a key frame.
    pub fn begin(&self, ask_key_frame: AskKeyFrame) -> Generation {
        let mut state = self.state();
        state.call.0 += 1;
        state.ask_key_frame = Some(ask_key_frame);
        state.remote.clear();
        state.gate.close();
        state.painted = Painted::default();
        state.call
    }

    /// The call is over; what it left is not shown any more. Nothing happens when a later one has begun.
    pub fn finish(&self, call: Generation) {
        let mut state = self.state();
        if state.call != call {
            return;
        }
        state.ask_key_frame = None;
        state.remote.clear();
        state.own = None;
    }

    /// Queues a remote picture of this call, unless there is a backlog, a later call, or nobody to see it.
    pub fn offer_remote(
        &self,
        call: Generation,
        picture: Offered,
        message: impl FnOnce() -> Bytes,
    ) {
        let mut state = self.state();
        if state.call != call {
            return;
        }
        if !state.connected {
            state.gate.close();
            return;
        }
        let underway = state.underway;
        match state.gate.decide(picture.key_frame, underway) {
            Verdict::Drop => {}
            Verdict::DropAndAsk => {
                let ask = state.ask_key_frame.clone();
                drop(state);
                ask.iter().for_each(|ask| ask());
            }
            Verdict::Pass => {
                state.remote.push_back(message());
                state.underway += 1;
                state.painted.handed_over(picture.timestamp, picture.at);
                drop(state);
                self.news.notify_one();
            }
        }
    }

    /// Says instead of this call's remote pictures that they cannot be shown.
    pub fn offer_remote_lost(&self, call: Generation, message: Bytes) {
        let mut state = self.state();
        if state.call != call {
            return;
        }
        // Nobody will say of those that they have been taken.
        state.underway = state.underway.saturating_sub(state.remote.len());
        state.remote.clear();
        state.remote.push_back(message);
        drop(state);
        self.news.notify_one();
    }

    /// Whether somebody would see this side's own pictures.
    pub fn wants_own(&self) -> bool {
        let state = self.state();
        state.connected && state.own.is_none()
    }

    /// Queues one of this side's own pictures; it replaces one that still waits.
    pub fn offer_own(&self, message: Bytes) {
        self.state().own = Some(message);
        self.news.notify_one();
    }

    /// Whether the web view has said that it cannot decode the codec.
    pub fn is_native(&self, codec: VideoCodec) -> bool {
        self.state().native.contains(&codec)
    }

    /// At which size remote pictures are shown, in device pixels.
    pub fn shown(&self) -> Option<(u32, u32)> {
        self.state().shown
    }

    /// The same of this side's own.
    pub fn own_shown(&self) -> Option<(u32, u32)> {
        self.state().own_shown
    }

    /// What is known of this call's remote pictures.
    pub fn playback(&self, now: Instant) -> PlaybackStats {
        self.state().painted.stats(now)
    }

    /// How long a remote picture usually takes until it is painted.
    pub fn until_seen(&self, now: Instant) -> Duration {
        self.state().painted.until_seen(now)
    }

    // For the connection.

    /// A web view has connected. Returns the connection's number; an earlier connection finds that it is not the latest.
    pub fn connect(&self) -> u64 {
        let mut state = self.state();
        state.connection += 1;
        state.connected = true;
        state.remote.clear();
        state.own = None;
        state.underway = 0;
        state.gate.close();
        state.native.clear();
        state.shown = None;
        state.own_shown = None;
        let number = state.connection;
        drop(state);
        // Wakes the earlier connection, if there is one, so that it closes.
        self.news.notify_waiters();
        number
    }

    /// The connection is gone.
    pub fn disconnect(&self, number: u64) {
        let mut state = self.state();
        if state.connection == number {
            state.connected = false;
        }
    }

    /// The next message of this connection; none when a later one has taken over.
    pub async fn next(&self, number: u64) -> Option<Bytes> {
        loop {
            let news = self.news.notified();
            tokio::pin!(news);
            // Enabled before looking, so that nothing is missed in between.
            news.as_mut().enable();
            {
                let mut state = self.state();
                if state.connection != number {
                    return None;
                }
                let next = state.remote.pop_front().or_else(|| state.own.take());
                if next.is_some() {
                    return next;
                }
            }
            news.await;
        }
    }

    /// The worker has spoken.
    pub fn hear(&self, number: u64, said: WorkerSays) {
        let mut state = self.state();
        if state.connection != number {
            return;
        }
        match said {
            WorkerSays::Taken { taken } => state.taken(taken),
            WorkerSays::Painted {
                timestamp,
                decoding,
                painting,
                taken,
            } => {
                state.taken(taken);
                let [decoding, painting] =
                    [decoding, painting].map(|time| Duration::from_micros(time.into()));
                let painted = &mut state.painted;
                painted.painted(timestamp, decoding, painting, Instant::now());
            }
            WorkerSays::Cleared => state.painted.pause(),
            WorkerSays::Size {
                which,
                width,
                height,
            } => match which {
                Side::Remote => state.shown = Some((width, height)),
                Side::Own => state.own_shown = Some((width, height)),
            },
            WorkerSays::KeyFrame => {
                let ask = state.ask_key_frame.clone();
                drop(state);
                ask.iter().for_each(|ask| ask());
            }
            WorkerSays::Native { codec } => {
                let codec = VideoCodec::from(codec);
                tracing::info!(?codec, "the web view cannot decode; decoding natively");
                if !state.native.contains(&codec) {
                    state.native.push(codec);
                }
                let ask = state.ask_key_frame.clone();
                drop(state);
                ask.iter().for_each(|ask| ask());
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicUsize, Ordering};

    use super::{super::gate::MOST_UNDERWAY, super::wire::CodecName, *};

    fn counting() -> (Arc<AtomicUsize>, AskKeyFrame) {
        let asked = Arc::new(AtomicUsize::new(0));
        let counter = asked.clone();
        let ask = Arc::new(move || {
            counter.fetch_add(1, Ordering::Relaxed);
        });
        (asked, ask)
    }

    fn offered(key_frame: bool) -> Offered {
        Offered {
            key_frame,
            timestamp: 7,
            at: Instant::now(),
        }
    }

    #[tokio::test]
    async fn the_queue_never_grows_beyond_its_limit_and_recovers_with_a_key_frame() {
        let outbox = Outbox::default();
        let (asked, ask) = counting();
        let number = outbox.connect();
        let call = outbox.begin(ask);
        for index in 0..100_u8 {
            outbox.offer_remote(call, offered(index == 0), || {
                Bytes::copy_from_slice(&[index])
            });
        }
        assert_eq!(
            asked.load(Ordering::Relaxed),
            0,
            "asking would not help yet"
        );
        for index in 0..MOST_UNDERWAY {
            let sent = outbox.next(number).await.expect("connected");
            assert_eq!(usize::from(sent[0]), index);
            outbox.hear(number, WorkerSays::Taken { taken: 1 });
        }
        outbox.offer_remote(call, offered(false), || {
            unreachable!("a delta frame cannot be shown now")
        });
        assert_eq!(asked.load(Ordering::Relaxed), 1);
        outbox.offer_remote(call, offered(true), || Bytes::from_static(b"key"));
        assert_eq!(outbox.next(number).await.expect("connected"), "key");
        let painted = WorkerSays::Painted {
            timestamp: 7,
            decoding: 2_000,
            painting: 1_000,
            taken: 1,
        };
        outbox.hear(number, painted);
        assert_eq!(outbox.playback(Instant::now()).frames_decoded, 1);
    }

    #[tokio::test]
    async fn a_later_connection_takes_over() {
        let outbox = Outbox::default();
        let (first, second) = (outbox.connect(), outbox.connect());
        assert_eq!(outbox.next(first).await, None);
        outbox.hear(
            first,
            WorkerSays::Native {
                codec: CodecName::Vp8,
            },
        );
        assert!(!outbox.is_native(VideoCodec::Vp8));
        outbox.disconnect(first);
        outbox.offer_own(Bytes::from_static(b"me"));
        assert_eq!(outbox.next(second).await.expect("connected"), "me");
    }

    #[tokio::test]
    async fn what_an_ended_call_left_does_not_touch_the_next_one() {
        let outbox = Outbox::default();
        let number = outbox.connect();
        let (_, ask) = counting();
        let first = outbox.begin(ask);
        let (asked, ask) = counting();
        let second = outbox.begin(ask);
        // Devices are closed in the background, so the first call's sink may be dropped only now.
        outbox.finish(first);
        outbox.offer_remote(first, offered(true), || unreachable!("of the call before"));
        outbox.hear(number, WorkerSays::KeyFrame);
        assert_eq!(
            asked.load(Ordering::Relaxed),
            1,
            "the second call still asks"
        );
        outbox.finish(second);
        outbox.hear(number, WorkerSays::KeyFrame);
        assert_eq!(
            asked.load(Ordering::Relaxed),
            1,
            "nobody is left to be asked"
        );
    }

    #[test]
    fn without_a_window_pictures_go_nowhere() {
        let outbox = Outbox::default();
        let call = outbox.begin(Arc::new(|| {}));
        outbox.offer_remote(call, offered(true), || unreachable!("nobody would see it"));
        assert!(!outbox.wants_own());
    }
}
