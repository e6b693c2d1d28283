//! Takes this side's own pictures.

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use vireo_media::{
    VideoFrame, VideoSink,
    video::{fit, scale},
};

use super::{outbox::Outbox, wire};

/// In a call, own pictures are shown at most this large, in pixels.
pub const IN_A_CORNER: (u32, u32) = (384, 216);

/// Before one they are looked at closely.
pub const LARGE: (u32, u32) = (960, 540);

/// Own pictures are shown at most every so often: often enough to look alive, and cheap to paint.
const INTERVAL: Duration = Duration::from_millis(45);

/// Sends small pictures of this side to the web view.
pub struct OwnSink {
    outbox: Arc<Outbox>,
    largest: (u32, u32),
    last: Option<Instant>,
}

impl OwnSink {
    /// A sink for one camera, whose pictures are made no larger than this.
    pub fn new(outbox: Arc<Outbox>, largest: (u32, u32)) -> Self {
        Self {
            outbox,
            largest,
            last: None,
        }
    }
}

impl VideoSink for OwnSink {
    fn frame(&mut self, frame: &VideoFrame) {
        let now = Instant::now();
        let early = self
            .last
            .is_some_and(|last| now.duration_since(last) < INTERVAL);
        if early || !self.outbox.wants_own() {
            return;
        }
        self.last = Some(now);
        // Before the window has said how large it shows them, whatever may be needed.
        let shown = self.outbox.own_shown().unwrap_or(self.largest);
        let (width, height) = (shown.0.min(self.largest.0), shown.1.min(self.largest.1));
        let (width, height) = fit(frame.width, frame.height, width, height);
        self.outbox
            .offer_own(wire::own(&scale(frame, width, height)));
    }
}
