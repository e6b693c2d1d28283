//! Figures about the transport.

use std::time::Duration;

use vireo_media::video::StageTimes;

/// How the transport does; counters are cumulative.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct TransportStats {
    /// Newest round-trip time, milliseconds; none before the first receiver report.
    pub rtt_ms: Option<f64>,
    /// What the estimate lets us send, bits a second, video and audio together.
    pub available_outgoing_bitrate: u32,
    /// What the video encoder was told last, bits a second.
    pub target_bitrate: u32,
    /// Share of our video packets that got lost on the way, 0–1, of the last report; of audio where there is no video.
    pub loss_rate: f64,
    /// Share of all our packets that gets lost although no queue is full, 0–1.
    pub lost_by_chance: f64,
    /// W3C candidate type of our end of the path in use: `host`, `srflx`, `prflx` or `relay`.
    pub local_candidate_type: Option<String>,
    /// The same of the other end.
    pub remote_candidate_type: Option<String>,
    /// First connectivity check → a path was chosen, milliseconds.
    pub ice_ms: Option<f64>,
    /// A path was chosen → keys were exchanged, milliseconds.
    pub dtls_ms: Option<f64>,
    /// Video that went out.
    pub video_out: OutboundStats,
    /// Audio that went out.
    pub audio_out: OutboundStats,
    /// Video that came in.
    pub video_in: InboundStats,
    /// Audio that came in.
    pub audio_in: InboundStats,
    /// How long pictures take to leave.
    pub send_stages: SendStages,
    /// How long pictures take to come.
    pub receive_stages: ReceiveStages,
    /// How sound and pictures that come in are kept together.
    pub sync: SyncStats,
}

/// Pictures on their way out of this side.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct SendStages {
    /// From coded to its last packet's leaving the pacer.
    pub send: StageTimes,
    /// Of all packets that were sent for the first time (W3C `totalPacketSendDelay`).
    pub total_packet_send_delay: Duration,
}

/// Pictures on their way to whoever decodes them.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct ReceiveStages {
    /// From the other side's capture to the first packet here: its stages and the network.
    pub transfer: StageTimes,
    /// From the first to the last packet.
    pub assemble: StageTimes,
    /// From the last packet to being handed on: for pictures before it, and for the sound.
    pub wait: StageTimes,
    /// Of pictures in several packets (W3C `totalAssemblyTime`).
    pub total_assembly_time: Duration,
    /// How many those were (W3C).
    pub frames_assembled_from_multiple_packets: u64,
    /// From the first packet to being handed on, of all pictures (W3C `jitterBufferDelay`).
    pub jitter_buffer_delay: Duration,
    /// How many those were (W3C).
    pub jitter_buffer_emitted_count: u64,
}

/// How sound and pictures are kept together.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct SyncStats {
    /// How much later sound is played than pictures, by the other side's clock, milliseconds; none where there is not both.
    pub sound_later_ms: Option<f64>,
    /// What pictures wait for sound.
    pub picture_wait: Duration,
    /// What sound waits for pictures.
    pub sound_wait: Duration,
}

/// One stream that we send.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct OutboundStats {
    /// Packets, retransmissions included.
    pub packets_sent: u64,
    /// Bytes of payload, retransmissions included (W3C `bytesSent`).
    pub bytes_sent: u64,
    /// Packets that were sent again.
    pub retransmitted_packets: u64,
    /// Requests for packets that came in.
    pub nacks: u64,
    /// Requests for a key frame that came in.
    pub key_frame_requests: u64,
}

/// One stream that we receive.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct InboundStats {
    /// Packets, without duplicates.
    pub packets_received: u64,
    /// Bytes of payload (W3C `bytesReceived`).
    pub bytes_received: u64,
    /// Packets that are missing (RFC 3550).
    pub packets_lost: u64,
    /// Requests for packets that went out.
    pub nacks: u64,
    /// Requests for a key frame that went out.
    pub key_frame_requests: u64,
    /// Jitter between packets (RFC 3550), milliseconds, rounded.
    pub jitter_ms: u32,
}
