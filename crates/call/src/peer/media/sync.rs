//! Keeps sound and picture together: whichever is ahead waits for the other one. No clock and no buffer of its own.
//!
//! The sender says in its reports (RFC 3550, 6.4.1) which moment of its wall clock each stream's time stands for. So both
//! streams tell how long after its capture something is played, by clocks that need not agree: only the difference counts.

use std::{
    collections::VecDeque,
    time::{Duration, Instant},
};

use super::packet::Kind;
use crate::peer::{SoundPlayed, SyncStats};

/// Farther apart than this they are brought together, in seconds. Nobody notices less, and nothing is added for it: on a clean
/// link sound is 30 to 40 ms later than the picture, and up to 50 where its packets fall badly between the times at which the
/// speaker wants some: 10 or 20 ms of it are collected, Opus takes 6.5 and speakers take 10 at a time.
const TOLERATED: f64 = 0.042;

/// Nobody waits any more once they would be so much closer without it, in seconds.
const MARGIN: f64 = 0.003;

/// Sound is left so much later than the picture, in seconds, and pictures that wait anyway are let wait so much longer than that
/// takes: as little delay as will do. People hear things late that are some metres away.
const AIM: f64 = 0.030;
const SLACK: f64 = 0.010;

/// Where they are hardly farther apart than is tolerated by themselves, as on clean links, pictures wait for the last few
/// milliseconds alone.
const NEARLY: f64 = 0.055;
const AIM_NEARLY: f64 = 0.038;

/// What goes into Opus comes out so much later, in seconds, by its time stamps (RFC 7845, 4.2: the encoder's look-ahead).
const OPUS_DELAY: f64 = 0.006_5;

/// How often it is decided.
const INTERVAL: Duration = Duration::from_millis(500);

/// What changes at a time, in seconds: 80 ms in a second, as in libwebrtc's stream synchronization.
const STEP: f64 = 0.040;

/// The budget, in seconds: pictures and sound are made to wait no longer than this for each other.
const MOST_PICTURE: f64 = 0.250;
const MOST_SOUND: f64 = 0.120;

/// How far apart both can be, in seconds. More than that is said by reports that are wrong.
const BELIEVED: f64 = 2.0;

/// The median is taken over so many pictures or soundings: about a second.
const WINDOW: usize = 40;

/// Sound that was played longer ago says nothing: there may be none any more.
const STALE: Duration = Duration::from_secs(3);

/// Sound takes its time to become slower or faster: so long its new delay is not judged.
const SOUND_SETTLES: Duration = Duration::from_secs(2);

/// The sender's clocks are compared over so many reports.
const REPORTS: usize = 16;

/// See the module.
#[derive(Debug)]
pub(crate) struct Synchronizer {
    origin: Instant,
    sound: Stream,
    picture: Stream,
    /// What pictures wait for sound, and sound for pictures, in seconds.
    picture_hold: f64,
    sound_hold: f64,
    sounded_at: Option<Instant>,
    next_at: Instant,
    sound_settled_at: Instant,
    /// What was found last, in seconds.
    apart: Option<f64>,
    /// Of the last reports: by how much their arrival here is later than their time there.
    reports: VecDeque<f64>,
}

#[derive(Debug)]
struct Stream {
    rate: f64,
    /// The newest report: the sender's wall clock in seconds, and the stream's time.
    report: Option<(f64, u32)>,
    /// How much later than its capture each of the last ones was played, in seconds plus the unknown distance of both clocks.
    delays: VecDeque<f64>,
}

impl Stream {
    fn new(rate: u32) -> Self {
        Self {
            rate: f64::from(rate),
            report: None,
            delays: VecDeque::new(),
        }
    }

    /// When the sender captured this, in seconds of its wall clock.
    fn captured(&self, timestamp: u32) -> Option<f64> {
        let (wall, reported) = self.report?;
        Some(wall + f64::from(timestamp.wrapping_sub(reported) as i32) / self.rate)
    }

    fn reported(&mut self, wall: f64, timestamp: u32) {
        let expected = self.captured(timestamp);
        if expected.is_none_or(|expected| (expected - wall).abs() > BELIEVED) {
            self.delays.clear();
        }
        self.report = Some((wall, timestamp));
    }

    fn add(&mut self, delay: f64) {
        if self.delays.len() == WINDOW {
            self.delays.pop_front();
        }
        self.delays.push_back(delay);
    }

    fn delay(&self) -> Option<f64> {
        let mut sorted: Vec<f64> = self.delays.iter().copied().collect();
        sorted.sort_by(f64::total_cmp);
        sorted.get(sorted.len() / 2).copied()
    }
}

impl Synchronizer {
    pub fn new(now: Instant) -> Self {
        Self {
            origin: now,
            sound: Stream::new(super::clock::AUDIO_CLOCK_RATE),
            picture: Stream::new(super::clock::VIDEO_CLOCK_RATE),
            picture_hold: 0.0,
            sound_hold: 0.0,
            sounded_at: None,
            next_at: now,
            sound_settled_at: now,
            apart: None,
            reports: VecDeque::new(),
        }
    }

    /// The sender's report has come: NTP time and the stream's time of the same moment.
    pub fn reported(&mut self, kind: Kind, ntp: u64, timestamp: u32, now: Instant) {
        let wall = ntp as f64 / 4_294_967_296.0;
        match kind {
            Kind::Audio => self.sound.reported(wall, timestamp),
            Kind::Video => self.picture.reported(wall, timestamp),
        }
        if self.reports.len() == REPORTS {
            self.reports.pop_front();
        }
        self.reports.push_back(self.seconds(now) - wall);
    }

    /// Sound was played.
    pub fn sounded(&mut self, played: SoundPlayed) {
        if let Some(captured) = self.sound.captured(played.timestamp) {
            let delay = self.seconds(played.at) + OPUS_DELAY - captured;
            self.sound.add(delay);
            self.sounded_at = Some(played.at);
        }
    }

    /// A picture is whole; says when to hand it on.
    pub fn assembled(&mut self, timestamp: u32, now: Instant) -> Instant {
        let Some(captured) = self.picture.captured(timestamp) else {
            return now;
        };
        let own = self.seconds(now) - captured;
        self.picture.add(own);
        if self.picture_hold == 0.0 {
            return now;
        }
        // Who is late already waits less, so that pictures become as even as sound is.
        let usual = self.picture.delay().unwrap_or(own);
        let wait = (usual - own + self.picture_hold).clamp(0.0, MOST_PICTURE);
        now + Duration::from_secs_f64(wait)
    }

    /// How long ago a picture was captured, by a clock that reaches here in half a round trip (W3C
    /// `estimatedPlayoutTimestamp`); none before the first report.
    pub fn age(&self, timestamp: u32, round_trip: Duration, at: Instant) -> Option<Duration> {
        let captured = self.picture.captured(timestamp)?;
        let fastest = self.reports.iter().copied().min_by(f64::total_cmp)?;
        let captured_here = captured + fastest - round_trip.as_secs_f64() / 2.0;
        Duration::try_from_secs_f64((self.seconds(at) - captured_here).max(0.0)).ok()
    }

    /// Whether it is time to decide anew.
    pub fn is_due(&self, now: Instant) -> bool {
        now >= self.next_at
    }

    /// Decides anew; a picture takes `until_seen` from being handed on. True where sound is to wait longer or shorter from now
    /// on.
    pub fn decide(&mut self, until_seen: Duration, now: Instant) -> bool {
        self.next_at = now + INTERVAL;
        let before = self.sound_hold;
        self.apart = self.apart(until_seen, now);
        match self.apart {
            Some(apart) => self.bring_together(apart, now),
            None => self.picture_hold = (self.picture_hold - STEP).max(0.0),
        }
        if self.sound_hold == before {
            return false;
        }
        self.sound_settled_at = now + SOUND_SETTLES;
        self.sound.delays.clear();
        true
    }

    /// How long sound is to wait beyond what it needs.
    pub fn sound_hold(&self) -> Duration {
        Duration::from_secs_f64(self.sound_hold)
    }

    /// What can be said of it.
    pub fn stats(&self) -> SyncStats {
        SyncStats {
            sound_later_ms: self.apart.map(|seconds| seconds * 1_000.0),
            picture_wait: Duration::from_secs_f64(self.picture_hold),
            sound_wait: self.sound_hold(),
        }
    }

    /// By how much sound is later than pictures, in seconds; none where there is not both.
    fn apart(&self, until_seen: Duration, now: Instant) -> Option<f64> {
        let sounded_at = self.sounded_at?;
        if now.saturating_duration_since(sounded_at) > STALE {
            return None;
        }
        let picture = self.picture.delay()? + until_seen.as_secs_f64() + self.picture_hold;
        let apart = self.sound.delay()? - picture;
        (apart.abs() < BELIEVED).then_some(apart)
    }

    fn bring_together(&mut self, apart: f64, now: Instant) {
        let sound_settled = now >= self.sound_settled_at;
        let alone = apart + self.picture_hold;
        let aim = if alone < NEARLY { AIM_NEARLY } else { AIM };
        if apart > 0.0 && self.sound_hold > 0.0 {
            if sound_settled {
                self.sound_hold -= (apart + AIM).min(STEP).min(self.sound_hold);
            }
        } else if apart > TOLERATED {
            let hold = self.picture_hold + (apart - aim).min(STEP);
            self.picture_hold = hold.min(MOST_PICTURE);
        } else if self.picture_hold > 0.0 {
            let needed = alone > TOLERATED - MARGIN;
            if apart < aim - SLACK || !needed {
                let most = if needed { aim - apart } else { STEP };
                self.picture_hold -= most.min(STEP).min(self.picture_hold);
            }
        } else if apart < -TOLERATED && sound_settled {
            let hold = self.sound_hold + (-apart - AIM).min(STEP);
            self.sound_hold = hold.min(MOST_SOUND);
        }
    }

    /// Seconds since the beginning, before it negative.
    fn seconds(&self, at: Instant) -> f64 {
        match at.checked_duration_since(self.origin) {
            Some(after) => after.as_secs_f64(),
            None => -self.origin.duration_since(at).as_secs_f64(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Both streams on virtual time: how long after its capture each arrives, in milliseconds.
    struct Call {
        start: Instant,
        sync: Synchronizer,
        picture_ms: f64,
        sound_ms: f64,
        /// How much of what the synchronizer asks for sound really waits.
        sound_waits: bool,
        ms: u64,
    }

    const AUDIO_OFFSET: u32 = u32::MAX - 5_000;
    const VIDEO_OFFSET: u32 = 77;
    /// 2026 or so, in seconds since 1900, and where the sender's clock stands at the beginning.
    const WALL: u64 = 4_000_000_000;

    fn ms(ms: f64) -> Duration {
        Duration::from_secs_f64(ms / 1_000.0)
    }

    impl Call {
        fn new(picture_ms: f64, sound_ms: f64) -> Self {
            let start = Instant::now();
            Self {
                start,
                sync: Synchronizer::new(start),
                picture_ms,
                sound_ms,
                sound_waits: true,
                ms: 0,
            }
        }

        fn now(&self) -> Instant {
            self.start + Duration::from_millis(self.ms)
        }

        fn report(&mut self) {
            let ntp = (WALL << 32) + (self.ms << 32) / 1_000;
            let (audio, video) = (self.ms as u32 * 48, self.ms as u32 * 90);
            let now = self.now();
            let sync = &mut self.sync;
            sync.reported(Kind::Audio, ntp, audio.wrapping_add(AUDIO_OFFSET), now);
            sync.reported(Kind::Video, ntp, video.wrapping_add(VIDEO_OFFSET), now);
        }

        /// Goes on; gives by how much sound is later than the picture in the end, and how long pictures waited, in ms.
        fn run(&mut self, seconds: u64) -> (f64, f64) {
            let end = self.ms + seconds * 1_000;
            let (mut waited, mut sound_wait) = (0.0, 0.0);
            while self.ms < end {
                if self.ms.is_multiple_of(1_000) {
                    self.report();
                }
                if self.ms.is_multiple_of(33) {
                    let timestamp = (self.ms as u32 * 90).wrapping_add(VIDEO_OFFSET);
                    let whole = self.now() + ms(self.picture_ms);
                    let due = self.sync.assembled(timestamp, whole);
                    waited = (due - whole).as_secs_f64() * 1_000.0;
                }
                if self.ms.is_multiple_of(25) {
                    sound_wait = if self.sound_waits {
                        self.sync.sound_hold().as_secs_f64() * 1_000.0
                    } else {
                        0.0
                    };
                    let at = self.now() + ms(self.sound_ms + sound_wait);
                    let timestamp = (self.ms as u32 * 48).wrapping_add(AUDIO_OFFSET);
                    self.sync.sounded(SoundPlayed { timestamp, at });
                    if self.sync.is_due(self.now()) {
                        self.sync.decide(ms(5.0), self.now());
                    }
                }
                self.ms += 1;
            }
            let apart = self.sound_ms + 6.5 + sound_wait - (self.picture_ms + 5.0 + waited);
            (apart, waited)
        }
    }

    #[test]
    fn on_a_clean_link_nobody_waits() {
        let mut call = Call::new(6.0, 38.0);
        assert_eq!(call.run(10), (33.5, 0.0));
        assert_eq!(call.sync.sound_hold(), Duration::ZERO);
    }

    #[test]
    fn where_hardly_anything_is_missing_hardly_anything_is_added() {
        let mut call = Call::new(6.0, 52.0);
        let (apart, waited) = call.run(10);
        assert!((35.0..=40.0).contains(&apart), "{apart}");
        assert!(waited < 10.0, "{waited}");
        // What more was added for a while is given back.
        call.sound_ms = 90.0;
        call.run(5);
        call.sound_ms = 52.0;
        let (_, waited) = call.run(5);
        assert!(waited < 10.0 + 10.0, "{waited}");
    }

    #[test]
    fn pictures_wait_for_late_sound_step_by_step() {
        let mut call = Call::new(30.0, 185.0);
        let (_, waited) = call.run(1);
        assert!(waited <= 80.5, "{waited}");
        let (apart, waited) = call.run(5);
        assert!((0.0..=42.0).contains(&apart), "{apart}");
        assert!(waited > 100.0, "{waited}");
        // And no longer than they have to.
        call.sound_ms = 50.0;
        let (apart, waited) = call.run(6);
        assert!((0.0..=40.0).contains(&apart), "{apart}");
        assert_eq!(waited, 0.0);
    }

    #[test]
    fn sound_waits_for_late_pictures_within_the_budget() {
        let mut call = Call::new(140.0, 50.0);
        let (apart, waited) = call.run(15);
        assert!((-40.0..=0.0).contains(&apart), "{apart}");
        assert_eq!(waited, 0.0);
        call.picture_ms = 900.0;
        call.run(20);
        assert_eq!(call.sync.sound_hold(), ms(MOST_SOUND * 1_000.0));
        call.picture_ms = 30.0;
        let (apart, _) = call.run(20);
        assert!((-40.0..=40.0).contains(&apart), "{apart}");
        assert_eq!(call.sync.sound_hold(), Duration::ZERO);
    }

    #[test]
    fn a_late_picture_waits_less_than_the_others() {
        let mut call = Call::new(30.0, 130.0);
        let (_, waited) = call.run(5);
        call.ms = call.ms.next_multiple_of(33);
        let timestamp = (call.ms as u32 * 90).wrapping_add(VIDEO_OFFSET);
        let whole = call.now() + ms(70.0);
        let late = (call.sync.assembled(timestamp, whole) - whole).as_secs_f64() * 1_000.0;
        assert!((late - (waited - 40.0)).abs() < 1.0, "{late} of {waited}");
    }

    #[test]
    fn without_sound_or_reports_pictures_do_not_wait() {
        let mut call = Call::new(30.0, 185.0);
        call.run(6);
        let later = call.now() + STALE + ms(100.0);
        for half_second in 0..10 {
            call.sync.decide(ms(5.0), later + INTERVAL * half_second);
        }
        assert_eq!(call.sync.picture_hold, 0.0);
        let mut sync = Synchronizer::new(call.start);
        assert_eq!(sync.assembled(7, call.start), call.start);
        assert_eq!(sync.age(7, ms(20.0), call.start), None);
    }

    #[test]
    fn reports_that_make_no_sense_move_nothing() {
        let mut call = Call::new(30.0, 60.0);
        call.run(3);
        for nonsense in [0, u64::MAX, 1 << 63] {
            call.sync.reported(Kind::Audio, nonsense, 1, call.now());
            let (_, waited) = call.run(1);
            assert_eq!(waited, 0.0);
        }
        assert!(call.sync.sound_hold() <= ms(MOST_SOUND * 1_000.0));
    }

    #[test]
    fn a_picture_tells_its_age() {
        let mut call = Call::new(30.0, 60.0);
        call.report();
        // The report took 20 ms, half of the round trip; the picture was captured 300 ms after it was made.
        let timestamp = VIDEO_OFFSET + 300 * 90;
        let at = call.start + ms(350.0);
        let age = call.sync.age(timestamp, ms(40.0), at).expect("reported");
        assert!((age.as_secs_f64() * 1_000.0 - 70.0).abs() < 1.0, "{age:?}");
    }
}
