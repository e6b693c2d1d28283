//! Statistics, put together from everything that counts.

use std::time::SystemTime;

use vireo_media::{VideoCodec, rtp::AudioReceiveStatistics, video::VideoSendStatistics};

use crate::{
    AudioInStats, AudioOutStats, AudioStats, CallStats, InboundStages, OutboundStages, Phase,
    PlaybackStats, SetupTimes, Speaking, SyncStats, TransportStats, VideoInStats, VideoOutStats,
    VideoStats, peer, quality::QualityLimitation,
};

/// What a snapshot is made of.
pub(super) struct Parts {
    pub(super) phase: Phase,
    pub(super) transport: peer::TransportStats,
    pub(super) setup: SetupTimes,
    pub(super) playback: PlaybackStats,
    pub(super) sound_in: Option<AudioReceiveStatistics>,
    pub(super) pictures_out: Option<VideoSendStatistics>,
    pub(super) limitation: QualityLimitation,
    pub(super) speaking: Speaking,
}

pub(super) fn snapshot(parts: Parts) -> CallStats {
    let Parts {
        transport,
        playback,
        ..
    } = parts;
    let now = SystemTime::now()
        .duration_since(SystemTime::UNIX_EPOCH)
        .unwrap_or_default();
    CallStats {
        t: u64::try_from(now.as_millis()).unwrap_or(u64::MAX),
        state: parts.phase.name().to_owned(),
        video: VideoStats {
            inbound: pictures_in(&playback, &transport),
            outbound: VideoOutStats {
                quality_limitation_reason: parts.limitation.as_str().to_owned(),
                ..pictures_out(parts.pictures_out.unwrap_or_default(), &transport)
            },
        },
        audio: AudioStats {
            inbound: AudioInStats {
                speaking: parts.speaking.remote,
                ..sound_in(parts.sound_in.unwrap_or_default(), &transport)
            },
            outbound: AudioOutStats {
                packets_sent: transport.audio_out.packets_sent,
                speaking: parts.speaking.local,
            },
        },
        sync: SyncStats {
            sound_later_ms: transport.sync.sound_later_ms,
            picture_wait_ms: transport.sync.picture_wait.as_secs_f64() * 1_000.0,
            sound_wait_ms: transport.sync.sound_wait.as_secs_f64() * 1_000.0,
        },
        transport: TransportStats {
            rtt_ms: transport.rtt_ms,
            available_outgoing_bitrate: Some(transport.available_outgoing_bitrate)
                .filter(|&bits| bits > 0),
            loss_rate: transport.loss_rate,
            local_candidate_type: transport.local_candidate_type,
            remote_candidate_type: transport.remote_candidate_type,
        },
        setup: parts.setup,
    }
}

fn sound_in(chain: AudioReceiveStatistics, transport: &peer::TransportStats) -> AudioInStats {
    AudioInStats {
        // Where nothing is played, such as in a reflecting client, only the transport counts.
        packets_received: chain
            .packets_received
            .max(transport.audio_in.packets_received),
        packets_lost: chain.packets_lost,
        concealed_samples: chain.concealed_samples,
        total_samples_received: chain.total_samples_received,
        jitter_buffer_delay_ms: chain.jitter_buffer_delay_ms,
        ..AudioInStats::default()
    }
}

fn pictures_in(playback: &PlaybackStats, transport: &peer::TransportStats) -> VideoInStats {
    let stages = &transport.receive_stages;
    let buffered = stages.jitter_buffer_delay.as_secs_f64();
    let decoding = playback.total_decode_time.as_secs_f64();
    VideoInStats {
        frames_decoded: playback.frames_decoded,
        frames_per_second: playback.frames_per_second,
        frame_width: playback.frame_width,
        frame_height: playback.frame_height,
        bytes_received: transport.video_in.bytes_received,
        freeze_count: playback.freeze_count,
        total_freezes_duration: playback.total_freezes_duration,
        latency_ms: playback.latency_ms,
        total_assembly_time: stages.total_assembly_time.as_secs_f64(),
        frames_assembled_from_multiple_packets: stages.frames_assembled_from_multiple_packets,
        jitter_buffer_delay: buffered,
        jitter_buffer_emitted_count: stages.jitter_buffer_emitted_count,
        total_decode_time: decoding,
        total_processing_delay: buffered + decoding,
        stages: InboundStages {
            transfer: stages.transfer.into(),
            assemble: stages.assemble.into(),
            wait: stages.wait.into(),
            decode: playback.decode.into(),
            paint: playback.paint.into(),
        },
    }
}

fn pictures_out(chain: VideoSendStatistics, transport: &peer::TransportStats) -> VideoOutStats {
    VideoOutStats {
        frames_encoded: chain.frames_encoded,
        frames_per_second: chain.frames_per_second.into(),
        frame_width: chain.frame_width,
        frame_height: chain.frame_height,
        bytes_sent: transport.video_out.bytes_sent,
        target_bitrate: chain.target_bitrate,
        encoder: chain.encoder.to_owned(),
        codec: match chain.codec {
            Some(VideoCodec::H264) => "h264".to_owned(),
            Some(VideoCodec::Vp8) => "vp8".to_owned(),
            None => String::new(),
        },
        total_encode_time: chain.total_encode_time.as_secs_f64(),
        total_packet_send_delay: transport.send_stages.total_packet_send_delay.as_secs_f64(),
        stages: OutboundStages {
            convert: chain.convert.into(),
            encode: chain.encode.into(),
            send: transport.send_stages.send.into(),
        },
        ..VideoOutStats::default()
    }
}
