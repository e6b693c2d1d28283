//! The handshake of DTLS on a path that loses packets: what may have got lost is sent again, and soon.
//!
//! The library below repeats its messages after a whole second, and not at all once a part of the answer has come. Here the last
//! flight leaves again just as it was, after a tenth of that at first, which RFC 6347, 4.2.4.1, lets real-time applications do. A
//! record that comes twice does no harm: the other side knows it by its number (RFC 6347, 4.1.2.6).

use std::{
    net::SocketAddr,
    ops::RangeInclusive,
    time::{Duration, Instant},
};

/// First bytes of the records of a handshake: a change of the cipher, and its messages (RFC 6347).
const CHANGE_CIPHER_SPEC: u8 = 20;
const HANDSHAKE: u8 = 22;

/// First bytes of what only somebody sends whose handshake is over: data, and media (RFC 7983).
const APPLICATION_DATA: u8 = 23;
const MEDIA: RangeInclusive<u8> = 128..=191;

/// What follows so soon belongs to the same flight.
const SAME_FLIGHT: Duration = Duration::from_millis(10);

/// A flight leaves again after so long, and then after half as long again each time, up to the most.
const FIRST_WAIT: Duration = Duration::from_millis(100);
const MOST_WAIT: Duration = Duration::from_millis(800);

/// Whoever is done answers somebody who is not, but not more often than this.
const ANSWERS_EVERY: Duration = Duration::from_millis(50);

/// So often a flight leaves again at the most.
const MOST_REPEATS: u32 = 16;

/// A handshake has fewer datagrams, even with long certificates.
const MOST_DATAGRAMS: usize = 16;

/// A datagram of ours, or several that the system is to take apart.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Datagram {
    pub from: SocketAddr,
    pub to: SocketAddr,
    pub contents: Vec<u8>,
    /// The size of each, where they are several.
    pub segment_size: Option<usize>,
}

/// Remembers our last flight and says when it is to leave again. No socket and no clock of its own.
#[derive(Debug, Default)]
pub(super) struct Handshake {
    flight: Vec<Datagram>,
    /// When the newest datagram of the flight left, and when all of it did last.
    sent_at: Option<Instant>,
    repeated_at: Option<Instant>,
    due: Option<Instant>,
    wait: Duration,
    repeats: u32,
    /// On our side.
    over: bool,
}

impl Handshake {
    /// A packet of this kind leaves; `datagram` is asked for where it belongs to the handshake.
    pub fn sent(&mut self, kind: Option<u8>, now: Instant, datagram: impl FnOnce() -> Datagram) {
        match kind {
            Some(CHANGE_CIPHER_SPEC | HANDSHAKE) => self.remember(datagram(), now),
            Some(kind) if kind == APPLICATION_DATA || MEDIA.contains(&kind) => self.end(),
            _ => {}
        }
    }

    /// A packet of this kind has come. To somebody who is not done although we are, our last flight has not come.
    pub fn received(&mut self, kind: Option<u8>, now: Instant) {
        let asks = matches!(kind, Some(CHANGE_CIPHER_SPEC | HANDSHAKE));
        let last = self.repeated_at.max(self.sent_at);
        let answered = last.is_some_and(|at| now.saturating_duration_since(at) < ANSWERS_EVERY);
        if self.over && asks && !answered && self.repeats < MOST_REPEATS {
            self.due = Some(now);
        }
    }

    /// When something is to leave again.
    pub fn due(&self) -> Option<Instant> {
        self.due
    }

    /// What is to leave from this address again now.
    pub fn take_due(&mut self, from: SocketAddr, now: Instant) -> Vec<Datagram> {
        let is_ours = self.flight.first().is_some_and(|first| first.from == from);
        if !is_ours || self.due.is_none_or(|due| due > now) {
            return Vec::new();
        }
        self.repeats += 1;
        self.repeated_at = Some(now);
        self.wait = (self.wait * 3 / 2).min(MOST_WAIT);
        let goes_on = !self.over && self.repeats < MOST_REPEATS;
        self.due = goes_on.then(|| now + self.wait);
        self.flight.clone()
    }

    fn remember(&mut self, datagram: Datagram, now: Instant) {
        let follows = self.flight.first().is_some_and(|first| {
            (first.from, first.to) == (datagram.from, datagram.to)
                && self.flight.len() < MOST_DATAGRAMS
        });
        let soon = |at| now.saturating_duration_since(at) < SAME_FLIGHT;
        if !(follows && self.sent_at.is_some_and(soon)) {
            self.flight.clear();
            self.repeats = 0;
        }
        self.flight.push(datagram);
        self.sent_at = Some(now);
        self.wait = FIRST_WAIT;
        self.due = (!self.over).then(|| now + FIRST_WAIT);
    }

    fn end(&mut self) {
        if !self.over {
            self.over = true;
            self.due = None;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const OURS: SocketAddr = SocketAddr::new(
        std::net::IpAddr::V4(std::net::Ipv4Addr::new(192, 0, 2, 1)),
        1_000,
    );

    const NOTHING: [u8; 0] = [];

    struct Side {
        handshake: Handshake,
        start: Instant,
    }

    impl Side {
        fn new() -> Self {
            Self {
                handshake: Handshake::default(),
                start: Instant::now(),
            }
        }

        fn at(&self, ms: u64) -> Instant {
            self.start + Duration::from_millis(ms)
        }

        fn sends(&mut self, kind: u8, number: u8, ms: u64) {
            let now = self.at(ms);
            self.handshake.sent(Some(kind), now, || Datagram {
                from: OURS,
                to: OURS,
                contents: vec![kind, number],
                segment_size: None,
            });
        }

        /// The numbers of what leaves again in this millisecond.
        fn repeats(&mut self, ms: u64) -> Vec<u8> {
            let now = self.at(ms);
            let due = self.handshake.take_due(OURS, now);
            due.iter().map(|datagram| datagram.contents[1]).collect()
        }
    }

    #[test]
    fn a_flight_leaves_again_until_there_is_another_one() {
        let mut side = Side::new();
        side.sends(HANDSHAKE, 1, 0);
        side.sends(HANDSHAKE, 2, 1);
        assert_eq!(side.repeats(100), NOTHING);
        assert_eq!(side.handshake.due(), Some(side.at(101)));
        assert_eq!(side.repeats(101), [1, 2]);
        assert_eq!(side.repeats(250), NOTHING);
        assert_eq!(side.repeats(251), [1, 2]);
        side.sends(CHANGE_CIPHER_SPEC, 3, 320);
        assert_eq!(side.repeats(419), NOTHING);
        assert_eq!(side.repeats(420), [3]);
        // From another socket it would not arrive.
        let other = SocketAddr::new(OURS.ip(), 2);
        let now = side.at(9_000);
        assert!(side.handshake.take_due(other, now).is_empty());
    }

    #[test]
    fn nobody_is_bothered_for_ever() {
        let mut side = Side::new();
        side.sends(HANDSHAKE, 1, 0);
        let repeats = (0..60_000).filter(|ms| !side.repeats(*ms).is_empty());
        assert_eq!(repeats.count(), MOST_REPEATS as usize);
        assert_eq!(side.handshake.due(), None);
    }

    #[test]
    fn whoever_is_done_answers_those_who_are_not() {
        let mut side = Side::new();
        side.sends(HANDSHAKE, 1, 0);
        side.sends(128, 0, 5);
        assert_eq!(side.handshake.due(), None);
        let now = side.at(20);
        side.handshake.received(Some(HANDSHAKE), now);
        assert_eq!(side.repeats(20), NOTHING, "it may be on its way yet");
        let now = side.at(120);
        side.handshake.received(Some(128), now);
        assert_eq!(side.repeats(120), NOTHING);
        side.handshake.received(Some(HANDSHAKE), now);
        assert_eq!(side.repeats(120), [1]);
        let now = side.at(130);
        side.handshake.received(Some(HANDSHAKE), now);
        assert_eq!(side.repeats(130), NOTHING);
    }
}
