//! The statistics of a call. Names are those of W3C webrtc-stats; counters count from the start of the call.

use std::time::{Duration, Instant};

use serde::{Deserialize, Serialize};
use ts_rs::TS;
use vireo_media::video::StageTimes;

/// A snapshot of a call's statistics.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase")]
pub struct CallStats {
    /// When the snapshot was taken, in Unix milliseconds.
    #[ts(type = "number")]
    pub t: u64,
    /// The name of the call's phase.
    pub state: String,
    /// Pictures.
    pub video: VideoStats,
    /// Sound.
    pub audio: AudioStats,
    /// How sound and pictures that come in are kept together.
    #[serde(default)]
    pub sync: SyncStats,
    /// What lies below.
    pub transport: TransportStats,
    /// How long the call took to come up.
    #[serde(default)]
    pub setup: SetupTimes,
}

/// Pictures both ways.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize, TS)]
pub struct VideoStats {
    /// What comes in.
    #[serde(rename = "in")]
    pub inbound: VideoInStats,
    /// What goes out.
    #[serde(rename = "out")]
    pub outbound: VideoOutStats,
}

/// Pictures that come in.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase")]
pub struct VideoInStats {
    /// Pictures decoded.
    #[ts(type = "number")]
    pub frames_decoded: u64,
    /// Pictures decoded in the last second.
    pub frames_per_second: f64,
    /// Pixels in a row of the last picture.
    pub frame_width: u32,
    /// Rows of the last picture.
    pub frame_height: u32,
    /// Payload bytes received.
    #[ts(type = "number")]
    pub bytes_received: u64,
    /// Gaps between pictures over max(3 × mean, mean + 150 ms).
    #[ts(type = "number")]
    pub freeze_count: u64,
    /// How long those gaps were together, in seconds.
    pub total_freezes_duration: f64,
    /// From time code to decoded picture, of the pictures decoded in the last second.
    pub latency_ms: LatencyStats,
    /// From the first to the last packet, of pictures in several ones, in seconds.
    pub total_assembly_time: f64,
    /// How many those were.
    #[ts(type = "number")]
    pub frames_assembled_from_multiple_packets: u64,
    /// From the first packet to the decoder, of all pictures, in seconds.
    pub jitter_buffer_delay: f64,
    /// How many those were.
    #[ts(type = "number")]
    pub jitter_buffer_emitted_count: u64,
    /// Decoding, of all pictures, in seconds.
    pub total_decode_time: f64,
    /// From the first packet to decoded, of all pictures, in seconds.
    pub total_processing_delay: f64,
    /// The way of the pictures of the last second, part by part.
    pub stages: InboundStages,
}

/// How long the pictures of the last second took for a part of their way, in milliseconds; null where there were none.
#[derive(Debug, Clone, Copy, PartialEq, Default, Serialize, Deserialize, TS)]
pub struct StageStats {
    /// On average: those of a way's parts add up to that of the way.
    pub mean: Option<f64>,
    /// The median.
    pub p50: Option<f64>,
    /// Of a hundred, 95 are quicker.
    pub p95: Option<f64>,
}

impl From<StageTimes> for StageStats {
    fn from(times: StageTimes) -> Self {
        Self {
            mean: times.mean,
            p50: times.p50,
            p95: times.p95,
        }
    }
}

/// The parts of a picture's way from the other side's camera to this side's screen, one after the other.
#[derive(Debug, Clone, Copy, PartialEq, Default, Serialize, Deserialize, TS)]
pub struct InboundStages {
    /// Captured there → its first packet received here: the other side's [`OutboundStages`] and the network. Estimated from
    /// the other side's reports and half of the round trip, as W3C's `estimatedPlayoutTimestamp` is.
    pub transfer: StageStats,
    /// First packet → last packet (assembled).
    pub assemble: StageStats,
    /// Assembled → handed to the decoder: what waits for pictures before it, and for the sound.
    pub wait: StageStats,
    /// Handed to the decoder → decoded.
    pub decode: StageStats,
    /// Decoded → painted; where nothing is painted, measured.
    pub paint: StageStats,
}

/// The parts of a picture's way from this side's camera to the network, one after the other.
#[derive(Debug, Clone, Copy, PartialEq, Default, Serialize, Deserialize, TS)]
pub struct OutboundStages {
    /// Captured → as the encoder takes it: converted, scaled, and its turn.
    pub convert: StageStats,
    /// Converted → encoded.
    pub encode: StageStats,
    /// Encoded → its last packet has left the pacer (sent).
    pub send: StageStats,
}

/// How sound and pictures that come in are kept together.
#[derive(Debug, Clone, Copy, PartialEq, Default, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase")]
pub struct SyncStats {
    /// How much later sound is heard than its pictures are seen, in milliseconds; negative where it is earlier, null where
    /// there is not both.
    pub sound_later_ms: Option<f64>,
    /// What pictures are made to wait for sound, in milliseconds.
    pub picture_wait_ms: f64,
    /// What sound is made to wait for pictures, in milliseconds.
    pub sound_wait_ms: f64,
}

/// Percentiles of a latency, in milliseconds; null when nothing was measured.
#[derive(Debug, Clone, Copy, PartialEq, Default, Serialize, Deserialize, TS)]
pub struct LatencyStats {
    /// The median.
    pub p50: Option<f64>,
    /// Of a hundred, 95 are quicker.
    pub p95: Option<f64>,
    /// Of a hundred, 99 are quicker.
    pub p99: Option<f64>,
    /// How many pictures were measured.
    #[ts(type = "number")]
    pub count: u64,
}

impl LatencyStats {
    /// The percentiles of these latencies in milliseconds (nearest rank). Sorts them in place.
    #[must_use]
    pub fn of(latencies: &mut [f64]) -> Self {
        latencies.sort_by(f64::total_cmp);
        let rank = |percent: usize| {
            let index = (latencies.len() * percent).div_ceil(100).max(1) - 1;
            latencies.get(index).copied()
        };
        Self {
            p50: rank(50),
            p95: rank(95),
            p99: rank(99),
            count: latencies.len() as u64,
        }
    }
}

/// Pictures that go out.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase")]
pub struct VideoOutStats {
    /// Pictures encoded.
    #[ts(type = "number")]
    pub frames_encoded: u64,
    /// Pictures encoded in the last second.
    pub frames_per_second: f64,
    /// Pixels in a row of the last picture.
    pub frame_width: u32,
    /// Rows of the last picture.
    pub frame_height: u32,
    /// Payload bytes sent.
    #[ts(type = "number")]
    pub bytes_sent: u64,
    /// What the encoder aims at, in bits a second.
    pub target_bitrate: u32,
    /// `none`, `bandwidth` or `cpu`.
    pub quality_limitation_reason: String,
    /// The encoder's name.
    pub encoder: String,
    /// `h264` or `vp8`; empty before it has been negotiated.
    pub codec: String,
    /// Encoding, of all pictures, in seconds.
    pub total_encode_time: f64,
    /// Encoded → left the pacer, of all packets but repeated ones, in seconds.
    pub total_packet_send_delay: f64,
    /// The way of the pictures of the last second, part by part.
    pub stages: OutboundStages,
}

/// Sound both ways.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize, TS)]
pub struct AudioStats {
    /// What comes in.
    #[serde(rename = "in")]
    pub inbound: AudioInStats,
    /// What goes out.
    #[serde(rename = "out")]
    pub outbound: AudioOutStats,
}

/// Sound that comes in.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase")]
pub struct AudioInStats {
    /// Packets received.
    #[ts(type = "number")]
    pub packets_received: u64,
    /// Packets that never came.
    #[ts(type = "number")]
    pub packets_lost: u64,
    /// Samples made up for what was missing.
    #[ts(type = "number")]
    pub concealed_samples: u64,
    /// Samples played, made-up ones included.
    #[ts(type = "number")]
    pub total_samples_received: u64,
    /// How long sound waits in the jitter buffer at present, in milliseconds.
    pub jitter_buffer_delay_ms: f64,
    /// Whether the other side speaks at the moment.
    pub speaking: bool,
}

/// Sound that goes out.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase")]
pub struct AudioOutStats {
    /// Packets sent.
    #[ts(type = "number")]
    pub packets_sent: u64,
    /// Whether the person at this side speaks at the moment and is heard.
    pub speaking: bool,
}

/// What lies below sound and picture.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase")]
pub struct TransportStats {
    /// Round-trip time in milliseconds; null before it has been measured.
    pub rtt_ms: Option<f64>,
    /// What the network is believed to carry, in bits a second; null before it has been measured.
    pub available_outgoing_bitrate: Option<u32>,
    /// Share of this side's packets that the other side misses, 0 to 1.
    pub loss_rate: f64,
    /// `host`, `srflx`, `prflx` or `relay`; null before a pair has been chosen.
    pub local_candidate_type: Option<String>,
    /// The same for the other end.
    pub remote_candidate_type: Option<String>,
}

/// How long a call took to come up, in milliseconds; null for what has not happened.
#[derive(Debug, Clone, Copy, PartialEq, Default, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase")]
pub struct SetupTimes {
    /// Caller: from the request to the other side's ringing. Callee: from the offer's arrival to the confirmed ringing.
    pub ring_ms: Option<f64>,
    /// From the first connectivity check until ICE has found a pair.
    pub ice_ms: Option<f64>,
    /// From there until DTLS has keys.
    pub dtls_ms: Option<f64>,
    /// Callee: from its acceptance to the first remote picture. Caller: from the answer's arrival.
    pub accept_to_first_frame_ms: Option<f64>,
}

/// What only the side that decodes the remote pictures can know. Counters count from the start of the call.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct PlaybackStats {
    /// Pictures decoded.
    pub frames_decoded: u64,
    /// Pictures decoded in the last second.
    pub frames_per_second: f64,
    /// Pixels in a row of the last picture.
    pub frame_width: u32,
    /// Rows of the last picture.
    pub frame_height: u32,
    /// See [`VideoInStats::freeze_count`].
    pub freeze_count: u64,
    /// In seconds.
    pub total_freezes_duration: f64,
    /// Of the pictures decoded in the last second.
    pub latency_ms: LatencyStats,
    /// When the first picture had been decoded; none where that is not known.
    pub first_decoded_at: Option<Instant>,
    /// Decoding, of all pictures.
    pub total_decode_time: Duration,
    /// See [`InboundStages::decode`].
    pub decode: StageTimes,
    /// See [`InboundStages::paint`].
    pub paint: StageTimes,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn percentiles_are_nearest_rank() {
        let mut latencies: Vec<f64> = (1..=100).rev().map(f64::from).collect();
        let stats = LatencyStats::of(&mut latencies);
        assert_eq!(
            (stats.p50, stats.p95, stats.p99),
            (Some(50.0), Some(95.0), Some(99.0))
        );
        assert_eq!(stats.count, 100);
        assert_eq!(LatencyStats::of(&mut [7.0]).p99, Some(7.0));
        assert_eq!(LatencyStats::of(&mut []), LatencyStats::default());
    }

    #[test]
    fn fields_have_the_names_that_scripts_depend_on() {
        let json = serde_json::to_value(CallStats::default()).expect("plain data");
        let names = |pointer: &str| -> Vec<String> {
            let object = json.pointer(pointer).and_then(|v| v.as_object());
            let mut names: Vec<_> = object.expect("an object").keys().cloned().collect();
            names.sort();
            names
        };
        assert_eq!(
            names(""),
            ["audio", "setup", "state", "sync", "t", "transport", "video"]
        );
        assert_eq!(
            names("/video/in"),
            [
                "bytesReceived",
                "frameHeight",
                "frameWidth",
                "framesAssembledFromMultiplePackets",
                "framesDecoded",
                "framesPerSecond",
                "freezeCount",
                "jitterBufferDelay",
                "jitterBufferEmittedCount",
                "latencyMs",
                "stages",
                "totalAssemblyTime",
                "totalDecodeTime",
                "totalFreezesDuration",
                "totalProcessingDelay"
            ]
        );
        assert_eq!(
            names("/video/in/stages"),
            ["assemble", "decode", "paint", "transfer", "wait"]
        );
        assert_eq!(names("/video/out/stages"), ["convert", "encode", "send"]);
        assert_eq!(names("/video/out/stages/send"), ["mean", "p50", "p95"]);
        assert_eq!(
            names("/sync"),
            ["pictureWaitMs", "soundLaterMs", "soundWaitMs"]
        );
        assert_eq!(names("/video/in/latencyMs"), ["count", "p50", "p95", "p99"]);
        assert_eq!(
            names("/video/out"),
            [
                "bytesSent",
                "codec",
                "encoder",
                "frameHeight",
                "frameWidth",
                "framesEncoded",
                "framesPerSecond",
                "qualityLimitationReason",
                "stages",
                "targetBitrate",
                "totalEncodeTime",
                "totalPacketSendDelay"
            ]
        );
        assert_eq!(
            names("/audio/in"),
            [
                "concealedSamples",
                "jitterBufferDelayMs",
                "packetsLost",
                "packetsReceived",
                "speaking",
                "totalSamplesReceived"
            ]
        );
        assert_eq!(names("/audio/out"), ["packetsSent", "speaking"]);
        assert_eq!(
            names("/transport"),
            [
                "availableOutgoingBitrate",
                "localCandidateType",
                "lossRate",
                "remoteCandidateType",
                "rttMs"
            ]
        );
        assert_eq!(
            names("/setup"),
            ["acceptToFirstFrameMs", "dtlsMs", "iceMs", "ringMs"]
        );
    }
}
