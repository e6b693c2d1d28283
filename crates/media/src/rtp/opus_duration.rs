//! What an Opus packet says about itself: how long it lasts (RFC 6716 §3.1), and whether it carries a copy of the sound
//! before it. No codec is needed for that.

/// Samples at 48 kHz, 120 to 5,760. None when the bytes are no Opus packet.
#[must_use]
pub fn opus_packet_samples(packet: &[u8]) -> Option<u32> {
    let toc = *packet.first()?;
    let config = toc >> 3;
    let frame = match config {
        0..=11 => [480, 960, 1_920, 2_880][usize::from(config & 3)],
        12..=15 => [480, 960][usize::from(config & 1)],
        _ => [120, 240, 480, 960][usize::from(config & 3)],
    };
    let count = match toc & 3 {
        0 => 1,
        1 | 2 => 2,
        _ => u32::from(packet.get(1)? & 0x3f),
    };
    let samples = frame * count;
    (1..=5_760).contains(&samples).then_some(samples)
}

/// Whether the packet carries a coarse copy of the sound before it (LBRR, RFC 6716 §4.2.4), as `opus_packet_has_lbrr` says.
#[must_use]
pub fn opus_packet_has_copy(packet: &[u8]) -> bool {
    let (Some(&toc), Some(&flags)) = (packet.first(), first_frame(packet).and_then(<[u8]>::first))
    else {
        return false;
    };
    // A SILK layer's first bits: a flag of voice for each of its frames of 20 ms, then that of a copy; for each channel.
    let frames = match toc >> 3 {
        config @ 0..=11 => [1, 1, 2, 3][usize::from(config & 3)],
        12..=15 => 1,
        _ => return false, // CELT alone has no copies.
    };
    let is_stereo = toc & 4 != 0;
    let mid = flags >> (7 - frames) & 1;
    let side = flags >> (6 - 2 * frames) & 1;
    mid != 0 || is_stereo && side != 0
}

/// From the first frame's first byte on (RFC 6716 §3.2). None where there is none.
fn first_frame(packet: &[u8]) -> Option<&[u8]> {
    let (&toc, rest) = packet.split_first()?;
    let (lengths, mut rest) = match toc & 3 {
        0 | 1 => (0, rest),
        2 => (1, rest),
        _ => {
            let (&count, mut rest) = rest.split_first()?;
            // How much padding there is stands in bytes of which each but the last is 255.
            let mut more = if count & 0x40 != 0 { 255 } else { 0 };
            while more == 255 {
                let (&length, after) = rest.split_first()?;
                (more, rest) = (length, after);
            }
            let has_lengths = count & 0x80 != 0;
            let lengths = if has_lengths {
                (count & 0x3f).saturating_sub(1)
            } else {
                0
            };
            (lengths, rest)
        }
    };
    for _ in 0..lengths {
        // Lengths from 252 on take two bytes.
        rest = rest.get(if *rest.first()? < 252 { 1 } else { 2 }..)?;
    }
    Some(rest)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_copy_is_announced_behind_the_flags_of_voice() {
        const SILK_20_MS: u8 = 1 << 3;
        const SILK_60_MS: u8 = 3 << 3;
        const STEREO: u8 = 4;
        for (packet, has_copy) in [
            (vec![SILK_20_MS], false),
            (vec![SILK_20_MS, 0b1000_0000], false),
            (vec![SILK_20_MS, 0b0100_0000], true),
            (vec![SILK_60_MS, 0b1110_0000], false),
            (vec![SILK_60_MS, 0b0001_0000], true),
            (vec![SILK_20_MS | STEREO, 0b0001_0000], true),
            (vec![SILK_20_MS | STEREO, 0b1010_0000], false),
            (vec![31 << 3, 0b0100_0000], false),
            (vec![SILK_20_MS | 2, 1, 0b0100_0000, 0], true),
            (vec![SILK_20_MS | 2, 252, 0, 0b0100_0000], true),
            (vec![SILK_20_MS | 3, 0x41, 255, 1, 0b0100_0000, 0], true),
            (vec![SILK_20_MS | 3, 0x82, 1, 0b0100_0000, 0], true),
            (vec![SILK_20_MS | 3], false),
            (vec![], false),
        ] {
            assert_eq!(opus_packet_has_copy(&packet), has_copy, "{packet:?}");
        }
    }

    #[test]
    fn durations_are_those_of_the_rfc() {
        assert_eq!(opus_packet_samples(&[]), None);
        assert_eq!(opus_packet_samples(&[0 << 3]), Some(480));
        assert_eq!(opus_packet_samples(&[1 << 3]), Some(960));
        assert_eq!(opus_packet_samples(&[(3 << 3) | 1]), Some(5_760));
        assert_eq!(opus_packet_samples(&[16 << 3]), Some(120));
        assert_eq!(opus_packet_samples(&[31 << 3]), Some(960));
        assert_eq!(opus_packet_samples(&[(31 << 3) | 3]), None);
        assert_eq!(opus_packet_samples(&[(31 << 3) | 3, 3]), Some(2_880));
        assert_eq!(opus_packet_samples(&[(31 << 3) | 3, 0]), None);
        assert_eq!(opus_packet_samples(&[(31 << 3) | 3, 63]), None);
    }
}
