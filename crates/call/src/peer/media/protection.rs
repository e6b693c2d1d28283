//! What is sent twice because much gets lost: the same packet again under the same number, which any receiver understands and
//! which costs nothing to negotiate. SRTP lets only the first through.

use super::packet::Packet;

/// Where more gets lost than this share, requests and repetitions get lost as well: what is repeated is repeated twice. So is
/// the last packet of a picture, whose loss shows only with the next picture, and all of a key frame, which is the largest of
/// pictures and without which nothing can be shown.
const REPEATED: f64 = 0.03;

/// Where more gets lost than this, repetitions come too late too often: everything is sent twice.
const EVERYTHING: f64 = 0.12;

/// Once something is sent twice, it is until the loss is by so much smaller.
const HOLD: f64 = 0.7;

/// So many bytes later what was counted counts a third.
const MEMORY: f64 = 200_000.0;

/// What the loss asks for.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord)]
enum Level {
    #[default]
    Nothing,
    Repeated,
    Everything,
}

/// Decides what is sent twice.
#[derive(Debug, Default)]
pub(crate) struct Protection {
    level: Level,
    /// Bytes of packets that are new, and of those that are not, with older ones counting less.
    fresh: f64,
    extra: f64,
}

impl Protection {
    /// This share of packets gets lost.
    pub fn set_loss(&mut self, share: f64) {
        let level = |share: f64| match share {
            share if share > EVERYTHING => Level::Everything,
            share if share > REPEATED => Level::Repeated,
            _ => Level::Nothing,
        };
        // Between the two bounds it stays as it is.
        self.level = self.level.clamp(level(share), level(share / HOLD));
    }

    /// Whether packets that are asked for again are sent twice.
    pub fn repeats_twice(&self) -> bool {
        self.level >= Level::Repeated
    }

    /// Marks a new packet of a picture, a key frame or not, that is to be sent twice.
    pub fn mark(&self, packet: &mut Packet, key_frame: bool) {
        packet.twice = match self.level {
            Level::Nothing => false,
            Level::Repeated => packet.marker || key_frame,
            Level::Everything => true,
        };
    }

    /// A packet of a picture has left.
    pub fn sent(&mut self, packet: &Packet) {
        let size = packet.size() as f64;
        let kept = (-size / MEMORY).exp();
        (self.fresh, self.extra) = (self.fresh * kept, self.extra * kept);
        match packet.repeated || packet.copy {
            true => self.extra += size,
            false => self.fresh += size,
        }
    }

    /// How much of what is sent may be new; the rest is needed to say things again. Where little is lost by chance that is not
    /// planned for: what a full queue drops is asked for as well, and planning for that would keep the path half empty.
    pub fn fresh_share(&self) -> f64 {
        match self.level {
            Level::Nothing => 1.0,
            Level::Repeated | Level::Everything if self.fresh > 0.0 => {
                self.fresh / (self.fresh + self.extra)
            }
            Level::Repeated | Level::Everything => 1.0,
        }
    }
}

#[cfg(test)]
mod tests {
    use bytes::Bytes;

    use super::*;
    use crate::peer::media::packet::Kind;

    fn packet(marker: bool) -> Packet {
        Packet {
            kind: Kind::Video,
            payload: Bytes::from_static(&[0; 1_000]),
            timestamp: 0,
            marker,
            sequence_number: 0,
            repeated: false,
            twice: false,
            copy: false,
        }
    }

    /// Whether the last packet of a picture, another one, one of a key frame, and repetitions are sent twice.
    fn twice(protection: &Protection) -> [bool; 4] {
        let marked = |marker, key_frame| {
            let mut packet = packet(marker);
            protection.mark(&mut packet, key_frame);
            packet.twice
        };
        [
            marked(true, false),
            marked(false, false),
            marked(false, true),
            protection.repeats_twice(),
        ]
    }

    #[test]
    fn the_more_gets_lost_the_more_is_sent_twice_and_no_switching_to_and_fro() {
        let mut protection = Protection::default();
        for (share, expected) in [
            (0.0, [false; 4]),
            (0.029, [false; 4]),
            (0.04, [true, false, true, true]),
            (0.022, [true, false, true, true]),
            (0.1, [true, false, true, true]),
            (0.2, [true; 4]),
            (0.09, [true; 4]),
            (0.08, [true, false, true, true]),
            (0.02, [false; 4]),
        ] {
            protection.set_loss(share);
            assert_eq!(twice(&protection), expected, "at {share}");
        }
    }

    #[test]
    fn what_is_said_again_is_told_from_what_is_new() {
        let mut protection = Protection::default();
        protection.set_loss(0.2);
        assert!((protection.fresh_share() - 1.0).abs() < 1e-9);
        for _ in 0..1_000 {
            protection.sent(&packet(false));
            protection.sent(&Packet {
                copy: true,
                ..packet(false)
            });
        }
        assert!((protection.fresh_share() - 0.5).abs() < 0.01);
        for _ in 0..1_000 {
            protection.sent(&packet(false));
        }
        assert!(protection.fresh_share() > 0.99);
    }
}
