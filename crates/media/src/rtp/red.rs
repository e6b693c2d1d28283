//! Redundant audio data (RFC 2198): packets of sound that carry copies of those before them.

use bytes::{BufMut, Bytes, BytesMut};

/// How far back a copy may lie, in RTP ticks, and how long it may be: what the header's 14 and 10 bits hold.
const MAX_BEFORE: u32 = (1 << 14) - 1;
const MAX_LENGTH: usize = (1 << 10) - 1;

/// More copies than this nobody sends.
const MAX_COPIES: usize = 8;

/// The first bit of a block's header: another one follows.
const FOLLOWS: u8 = 0x80;

/// One of the payloads in a packet.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RedBlock {
    /// The payload.
    pub payload: Bytes,
    /// By how many RTP ticks its time lies before the packet's; 0 for the packet's own payload.
    pub before: u32,
}

/// A packet of the payload and copies of those before it, the last one first. A copy that does not fit into the format ends
/// the row, so that every copy stands for the packet that many numbers before.
#[must_use]
pub fn red_packet(payload_type: u8, payload: &Bytes, copies: &[RedBlock]) -> Bytes {
    let fits = |copy: &&RedBlock| copy.before <= MAX_BEFORE && copy.payload.len() <= MAX_LENGTH;
    let copies: Vec<&RedBlock> = copies
        .iter()
        .take(MAX_COPIES)
        .take_while(|copy| fits(copy))
        .collect();
    let mut packet = BytesMut::new();
    for copy in copies.iter().rev() {
        packet.put_u8(FOLLOWS | payload_type);
        let [.., high, middle, low] = (copy.before << 10 | copy.payload.len() as u32).to_be_bytes();
        packet.put_slice(&[high, middle, low]);
    }
    packet.put_u8(payload_type);
    for copy in copies.iter().rev() {
        packet.put_slice(&copy.payload);
    }
    packet.put_slice(payload);
    packet.freeze()
}

/// The payloads of this type in a packet, its own first, then the copies, the last one first. None when it is no such packet.
#[must_use]
pub fn red_blocks(packet: &Bytes, payload_type: u8) -> Option<Vec<RedBlock>> {
    let mut headers = Vec::new();
    let mut position = 0;
    loop {
        let first = *packet.get(position)?;
        if first & !FOLLOWS != payload_type || headers.len() > MAX_COPIES {
            return None;
        }
        if first & FOLLOWS == 0 {
            position += 1;
            break;
        }
        let [high, middle, low] = *packet.get(position + 1..)?.first_chunk()?;
        let header = u32::from_be_bytes([0, high, middle, low]);
        headers.push((header >> 10, header as usize & MAX_LENGTH));
        position += 4;
    }
    let mut blocks = Vec::new();
    for (before, length) in headers {
        let end = position + length;
        if end > packet.len() {
            return None;
        }
        let payload = packet.slice(position..end);
        blocks.push(RedBlock { payload, before });
        position = end;
    }
    let payload = packet.slice(position..);
    blocks.push(RedBlock { payload, before: 0 });
    blocks.reverse();
    Some(blocks)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn block(before: u32, length: usize) -> RedBlock {
        RedBlock {
            payload: vec![before as u8; length].into(),
            before,
        }
    }

    #[test]
    fn what_is_packed_is_unpacked() {
        let own = block(0, 80);
        for copies in [
            vec![],
            vec![block(960, 70)],
            vec![block(960, 70), block(1_920, 0)],
        ] {
            let packet = red_packet(111, &own.payload, &copies);
            let expected = [vec![own.clone()], copies].concat();
            assert_eq!(red_blocks(&packet, 111), Some(expected));
            assert_eq!(red_blocks(&packet, 112), None);
        }
    }

    #[test]
    fn the_bytes_are_those_of_the_rfc() {
        let packet = red_packet(111, &Bytes::from_static(b"own"), &[block(960, 2)]);
        let header = [0x80 | 111, 960_u32.wrapping_shr(6) as u8, 0, 2, 111];
        assert_eq!(packet[..5], header);
        assert_eq!(packet[5..], [&[192_u8, 192][..], b"own"].concat());
    }

    #[test]
    fn copies_that_do_not_fit_are_left_out() {
        let own = block(0, 10);
        let copies = [block(960, 10), block(20_000, 10), block(2_880, 10)];
        let packet = red_packet(111, &own.payload, &copies);
        let expected = vec![own.clone(), copies[0].clone()];
        assert_eq!(red_blocks(&packet, 111), Some(expected));
        let packet = red_packet(111, &own.payload, &[block(960, 2_000)]);
        assert_eq!(red_blocks(&packet, 111), Some(vec![own]));
    }

    #[test]
    fn nonsense_is_refused() {
        for packet in [
            &[][..],
            &[0xef],
            &[0xef, 0, 0],
            &[0xef, 0, 3, 0xff, 111, 1, 2],
            &[0xef; 200],
        ] {
            let packet = Bytes::copy_from_slice(packet);
            assert_eq!(red_blocks(&packet, 111), None, "{packet:?}");
        }
    }
}
