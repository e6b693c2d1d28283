//! How long pictures take between the codecs: in the pacer, on the network, until they are whole, until they are handed on.

use std::{
    collections::VecDeque,
    time::{Duration, Instant},
};

use vireo_media::{rtp::AssembledFrame, video::Stage};

use super::packet::{Kind, Packet};
use crate::peer::{ReceiveStages, SendStages};

/// More pictures than this do not wait in the pacer; of those before them some packet was dropped.
const MOST_LEAVING: usize = 64;

/// See the module.
#[derive(Debug, Default)]
pub(crate) struct Stages {
    /// The RTP time of each picture that waits in the pacer, and when it was coded.
    leaving: VecDeque<(u32, Instant)>,
    send: Stage,
    packet_send_delay: Duration,
    transfer: Stage,
    assemble: Stage,
    /// Of pictures that came in several packets, as W3C counts.
    assemble_several: Stage,
    wait: Stage,
    jitter_buffer: Stage,
}

impl Stages {
    /// A picture goes into the pacer.
    pub fn queued(&mut self, timestamp: u32, encoded_at: Instant) {
        if self.leaving.len() == MOST_LEAVING {
            self.leaving.pop_front();
        }
        self.leaving.push_back((timestamp, encoded_at));
    }

    /// A packet leaves.
    pub fn sent(&mut self, packet: &Packet, now: Instant) {
        if packet.kind != Kind::Video || packet.repeated || packet.copy {
            return;
        }
        let mut pictures = self.leaving.iter();
        let Some(place) = pictures.position(|(timestamp, _)| *timestamp == packet.timestamp) else {
            return;
        };
        let waited = now.saturating_duration_since(self.leaving[place].1);
        self.packet_send_delay += waited;
        if packet.marker {
            self.leaving.drain(..=place);
            self.send.add(waited, now);
        }
    }

    /// A picture is handed on; `transferred` is the time from its capture until its first packet came, where that is known.
    pub fn handed_on(
        &mut self,
        picture: &AssembledFrame,
        transferred: Option<Duration>,
        now: Instant,
    ) {
        let (first, last) = (picture.first_packet_at, picture.frame.captured_at);
        if let Some(transferred) = transferred {
            self.transfer.add(transferred, now);
        }
        let assembled = last.saturating_duration_since(first);
        self.assemble.add(assembled, now);
        if picture.packets > 1 {
            self.assemble_several.add(assembled, now);
        }
        self.wait.add(now.saturating_duration_since(last), now);
        let buffered = now.saturating_duration_since(first);
        self.jitter_buffer.add(buffered, now);
    }

    /// The figures of what goes out.
    pub fn send(&mut self, now: Instant) -> SendStages {
        SendStages {
            send: self.send.times(now),
            total_packet_send_delay: self.packet_send_delay,
        }
    }

    /// The figures of what comes in.
    pub fn receive(&mut self, now: Instant) -> ReceiveStages {
        ReceiveStages {
            transfer: self.transfer.times(now),
            assemble: self.assemble.times(now),
            wait: self.wait.times(now),
            total_assembly_time: self.assemble_several.total(),
            frames_assembled_from_multiple_packets: self.assemble_several.count(),
            jitter_buffer_delay: self.jitter_buffer.total(),
            jitter_buffer_emitted_count: self.jitter_buffer.count(),
        }
    }
}

#[cfg(test)]
mod tests {
    use bytes::Bytes;
    use vireo_media::{EncodedFrame, VideoCodec};

    use super::*;

    fn packet(timestamp: u32, marker: bool) -> Packet {
        Packet {
            kind: Kind::Video,
            payload: Bytes::from_static(b"part"),
            timestamp,
            marker,
            sequence_number: 0,
            repeated: false,
            twice: false,
            copy: false,
        }
    }

    #[test]
    fn a_picture_is_sent_with_its_last_packet_and_what_is_said_again_does_not_count() {
        let start = Instant::now();
        let at = |ms| start + Duration::from_millis(ms);
        let mut stages = Stages::default();
        stages.queued(7, at(0));
        stages.queued(3_007, at(33));
        stages.sent(&packet(7, false), at(2));
        stages.sent(&packet(7, true), at(6));
        let repeated = Packet {
            repeated: true,
            ..packet(7, true)
        };
        stages.sent(&repeated, at(100));
        stages.sent(&packet(9_999, true), at(100));
        let figures = stages.send(at(110));
        assert_eq!(figures.send.mean, Some(6.0));
        assert_eq!(figures.total_packet_send_delay, Duration::from_millis(8));
        for number in 0..1_000 {
            stages.queued(number, at(40));
        }
        assert_eq!(stages.leaving.len(), MOST_LEAVING);
    }

    #[test]
    fn what_comes_in_is_measured_from_the_capture_until_it_is_handed_on() {
        let start = Instant::now();
        let at = |ms| start + Duration::from_millis(ms);
        let picture = |packets| AssembledFrame {
            frame: EncodedFrame {
                codec: VideoCodec::Vp8,
                data: Bytes::new(),
                key_frame: true,
                width: 16,
                height: 16,
                rtp_timestamp: 0,
                captured_at: at(14),
            },
            first_packet_at: at(10),
            packets,
        };
        let mut stages = Stages::default();
        stages.handed_on(&picture(3), Some(Duration::from_millis(9)), at(34));
        stages.handed_on(&picture(1), None, at(34));
        let figures = stages.receive(at(40));
        let means = [figures.transfer, figures.assemble, figures.wait].map(|stage| stage.mean);
        assert_eq!(means, [Some(9.0), Some(4.0), Some(20.0)]);
        assert_eq!(figures.total_assembly_time, Duration::from_millis(4));
        assert_eq!(figures.frames_assembled_from_multiple_packets, 1);
        assert_eq!(figures.jitter_buffer_delay, Duration::from_millis(48));
        assert_eq!(figures.jitter_buffer_emitted_count, 2);
    }
}
