//! Opus (RFC 6716), 48 kHz mono in packets of 10 or 20 ms, by libopus.

use bytes::Bytes;
use opus::{Application, Bitrate, Channels, Decoder, Encoder};

use crate::{MediaError, audio::SAMPLE_RATE};

/// No Opus packet of one frame is larger (RFC 6716 §3.4).
const MAX_PACKET: usize = 1_275;

/// The longest packet is 120 ms (RFC 6716 §2.1.4).
const MAX_SAMPLES: usize = 5_760;

/// Of 0–10: 8 costs 1 % of a core and is hardly told from 10.
const COMPLEXITY: i32 = 8;

fn codec_error(error: opus::Error) -> MediaError {
    MediaError::Codec(format!("Opus: {}", error.description()))
}

/// Codes speech: in-band forward error correction, discontinuous transmission in silence.
pub struct OpusEncoder {
    encoder: Encoder,
}

impl OpusEncoder {
    /// `bits_per_second` between 6,000 and 510,000; 36,000 is good for speech.
    ///
    /// # Errors
    /// [`MediaError::Codec`] when the codec cannot be set up.
    pub fn new(bits_per_second: u32) -> Result<Self, MediaError> {
        let mut encoder =
            Encoder::new(SAMPLE_RATE, Channels::Mono, Application::Voip).map_err(codec_error)?;
        encoder.set_complexity(COMPLEXITY).map_err(codec_error)?;
        encoder.set_inband_fec(true).map_err(codec_error)?;
        encoder.set_dtx(true).map_err(codec_error)?;
        let mut this = Self { encoder };
        this.set_bitrate(bits_per_second)?;
        Ok(this)
    }

    /// What to aim at from now on.
    ///
    /// # Errors
    /// [`MediaError::Codec`] when the codec refuses.
    pub fn set_bitrate(&mut self, bits_per_second: u32) -> Result<(), MediaError> {
        let bits = bits_per_second.clamp(6_000, 510_000) as i32;
        self.encoder
            .set_bitrate(Bitrate::Bits(bits))
            .map_err(codec_error)
    }

    /// How much loss (in percent) the error correction should be prepared for. At 0 packets carry no copy of the
    /// previous one.
    ///
    /// # Errors
    /// [`MediaError::Codec`] when the codec refuses.
    pub fn set_packet_loss(&mut self, percent: u8) -> Result<(), MediaError> {
        self.encoder
            .set_packet_loss_perc(i32::from(percent.min(100)))
            .map_err(codec_error)
    }

    /// Codes 10 or 20 ms, as it likes. An empty result or one of one or two bytes stands for silence (DTX); an empty one need not be sent.
    ///
    /// # Errors
    /// [`MediaError::Codec`] when the codec fails, or these are not 10 or 20 ms.
    pub fn encode(&mut self, samples: &[f32]) -> Result<Bytes, MediaError> {
        let mut packet = [0; MAX_PACKET];
        let length = self
            .encoder
            .encode_float(samples, &mut packet)
            .map_err(codec_error)?;
        Ok(Bytes::copy_from_slice(&packet[..length]))
    }
}

/// Turns packets back into sound, and makes up what is missing.
pub struct OpusDecoder {
    decoder: Decoder,
    buffer: Vec<f32>,
}

impl OpusDecoder {
    /// # Errors
    /// [`MediaError::Codec`] when the codec cannot be set up.
    pub fn new() -> Result<Self, MediaError> {
        let decoder = Decoder::new(SAMPLE_RATE, Channels::Mono).map_err(codec_error)?;
        Ok(Self {
            decoder,
            buffer: vec![0.0; MAX_SAMPLES],
        })
    }

    /// Decodes a packet, 2.5 to 120 ms; stereo is mixed to mono.
    ///
    /// # Errors
    /// [`MediaError::Codec`] when it is no Opus packet.
    pub fn decode(&mut self, packet: &[u8]) -> Result<&[f32], MediaError> {
        if packet.is_empty() {
            return Err(MediaError::Codec("Opus: an empty packet".into()));
        }
        let length = self
            .decoder
            .decode_float(packet, &mut self.buffer, false)
            .map_err(codec_error)?;
        Ok(&self.buffer[..length])
    }

    /// Makes up the `samples` before `next` from the copy it carries, or conceals them when it carries none.
    ///
    /// # Errors
    /// [`MediaError::Codec`] when it is no Opus packet.
    pub fn decode_fec(&mut self, next: &[u8], samples: usize) -> Result<&[f32], MediaError> {
        let samples = whole(samples);
        let length = self
            .decoder
            .decode_float(next, &mut self.buffer[..samples], true)
            .map_err(codec_error)?;
        Ok(&self.buffer[..length])
    }

    /// Makes up `samples` out of what was heard last; fades to silence (or to the room's noise) within some 100 ms.
    ///
    /// # Errors
    /// [`MediaError::Codec`] when the codec fails.
    pub fn conceal(&mut self, samples: usize) -> Result<&[f32], MediaError> {
        let samples = whole(samples);
        let length = self
            .decoder
            .decode_float(&[], &mut self.buffer[..samples], false)
            .map_err(codec_error)?;
        Ok(&self.buffer[..length])
    }
}

/// Opus makes up multiples of 2.5 ms only.
fn whole(samples: usize) -> usize {
    (samples.clamp(120, MAX_SAMPLES) / 120) * 120
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::codec::OPUS_FRAME_SAMPLES;

    fn tone(block: usize) -> [f32; OPUS_FRAME_SAMPLES] {
        std::array::from_fn(|i| {
            let t = (block * OPUS_FRAME_SAMPLES + i) as f32 / SAMPLE_RATE as f32;
            0.3 * (std::f32::consts::TAU * 440.0 * t).sin()
        })
    }

    fn rms(samples: &[f32]) -> f32 {
        (samples.iter().map(|s| s * s).sum::<f32>() / samples.len() as f32).sqrt()
    }

    #[test]
    fn sound_survives_and_loss_is_made_up() {
        let mut encoder = OpusEncoder::new(32_000).expect("an encoder");
        encoder.set_packet_loss(20).expect("taken");
        let mut decoder = OpusDecoder::new().expect("a decoder");
        let packets: Vec<Bytes> = (0..20)
            .map(|i| encoder.encode(&tone(i)).expect("encodes"))
            .collect();
        for packet in &packets[..10] {
            assert_eq!(decoder.decode(packet).expect("decodes").len(), 960);
        }
        let concealed = decoder.conceal(960).expect("conceals").to_vec();
        assert!(rms(&concealed) > 0.05, "{}", rms(&concealed));
        let recovered = decoder
            .decode_fec(&packets[12], 960)
            .expect("recovers")
            .to_vec();
        assert_eq!(recovered.len(), 960);
        assert!(rms(&recovered) > 0.1, "{}", rms(&recovered));
        assert!(rms(decoder.decode(&packets[12]).expect("decodes")) > 0.15);
    }

    #[test]
    fn with_loss_to_be_expected_packets_carry_a_copy_of_the_one_before() {
        let bits = crate::audio::DEFAULT_AUDIO_BITRATE;
        // The encoder takes a steady tone for noise after a while, and of noise it makes no copies.
        for (percent, expected) in [(0, 0..=0), (3, 10..=30), (5, 10..=30), (20, 10..=30)] {
            let mut encoder = OpusEncoder::new(bits).expect("an encoder");
            encoder.set_packet_loss(percent).expect("taken");
            let packets = (0..30).map(|i| encoder.encode(&tone(i)).expect("encodes"));
            let copies = packets
                .filter(|packet| crate::rtp::opus_packet_has_copy(packet))
                .count();
            assert!(expected.contains(&copies), "{percent} %: {copies} copies");
        }
    }

    #[test]
    fn silence_costs_nothing() {
        let mut encoder = OpusEncoder::new(32_000).expect("an encoder");
        let sizes: Vec<usize> = (0..100)
            .map(|_| {
                encoder
                    .encode(&[0.0; OPUS_FRAME_SAMPLES])
                    .expect("encodes")
                    .len()
            })
            .collect();
        assert!(
            sizes[50..].iter().filter(|size| **size > 2).count() < 10,
            "{sizes:?}"
        );
    }

    #[test]
    fn what_is_no_packet_is_refused() {
        let mut decoder = OpusDecoder::new().expect("a decoder");
        assert!(decoder.decode(&[]).is_err());
        for seed in 0..500_u32 {
            let junk: Vec<u8> = (0..seed % 97)
                .map(|i| (seed.wrapping_mul(2_654_435_761).wrapping_add(i * 40_503) >> 7) as u8)
                .collect();
            let _ = decoder.decode(&junk);
            let _ = decoder.decode_fec(&junk, 960);
        }
        assert_eq!(decoder.conceal(960).expect("conceals").len(), 960);
        assert_eq!(decoder.conceal(0).expect("conceals").len(), 120);
        assert_eq!(decoder.conceal(usize::MAX).expect("conceals").len(), 5_760);
    }
}
