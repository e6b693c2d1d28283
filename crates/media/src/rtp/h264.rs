//! H.264 in RTP (RFC 6184, packetization-mode 1): single NAL units, STAP-A and FU-A.

use bytes::{BufMut, Bytes, BytesMut};

use super::{OutgoingPayload, annex_b, sps};

const IDR: u8 = 5;
const SPS: u8 = 7;
const PPS: u8 = 8;
const STAP_A: u8 = 24;
const FU_A: u8 = 28;
/// The bits of a NAL unit's first byte: one that must be zero, two of importance, five of type.
const TYPE: u8 = 0x1f;
const IMPORTANCE: u8 = 0x60;
const FORBIDDEN: u8 = 0x80;
const FU_START: u8 = 0x80;
const FU_END: u8 = 0x40;
const START_CODE: &[u8] = &[0, 0, 0, 1];

/// Splits an access unit into payloads of at most `max_payload` bytes; the last carries the marker.
pub(super) fn packetize(data: &Bytes, max_payload: usize) -> Vec<OutgoingPayload> {
    let mut payloads = Vec::with_capacity(data.len() / max_payload + 2);
    let mut small: Vec<&[u8]> = Vec::new();
    for unit in annex_b::units(data) {
        if stap_length(&small) + 2 + unit.len() > max_payload {
            flush(&mut small, &mut payloads, data);
        }
        if unit.len() > max_payload {
            fragment(unit, max_payload, &mut payloads);
        } else {
            small.push(unit);
        }
    }
    flush(&mut small, &mut payloads, data);
    let last = payloads.len().saturating_sub(1);
    payloads
        .into_iter()
        .enumerate()
        .map(|(index, payload)| OutgoingPayload {
            payload,
            marker: index == last,
        })
        .collect()
}

fn stap_length(units: &[&[u8]]) -> usize {
    1 + units.iter().map(|unit| 2 + unit.len()).sum::<usize>()
}

/// One unit goes alone, several together.
fn flush(units: &mut Vec<&[u8]>, payloads: &mut Vec<Bytes>, whole: &Bytes) {
    match units.as_slice() {
        [] => {}
        [unit] => payloads.push(whole.slice_ref(unit)),
        several => {
            let mut payload = BytesMut::with_capacity(stap_length(several));
            let importance = several
                .iter()
                .map(|unit| unit[0] & IMPORTANCE)
                .max()
                .unwrap_or(0);
            payload.put_u8(importance | STAP_A);
            for unit in several {
                payload.put_u16(unit.len() as u16);
                payload.put_slice(unit);
            }
            payloads.push(payload.freeze());
        }
    }
    units.clear();
}

/// Fragments of nearly the same size: the last one is no dwarf that costs a whole packet.
fn fragment(unit: &[u8], max_payload: usize, payloads: &mut Vec<Bytes>) {
    let (header, body) = (unit[0], &unit[1..]);
    let count = body.len().div_ceil(max_payload - 2);
    let size = body.len().div_ceil(count);
    let last = body.chunks(size).count() - 1;
    for (index, part) in body.chunks(size).enumerate() {
        let mut payload = BytesMut::with_capacity(2 + part.len());
        payload.put_u8(header & !TYPE | FU_A);
        let start = if index == 0 { FU_START } else { 0 };
        let end = if index == last { FU_END } else { 0 };
        payload.put_u8(header & TYPE | start | end);
        payload.put_slice(part);
        payloads.push(payload.freeze());
    }
}

/// Whether a key frame begins with this packet: encoders send the parameter sets before each.
pub(super) fn begins_key_frame(payload: &[u8]) -> bool {
    let Some(&first) = payload.first() else {
        return false;
    };
    match first & TYPE {
        SPS => true,
        STAP_A => StapA(&payload[1..])
            .flatten()
            .any(|unit| unit[0] & TYPE == SPS),
        _ => false,
    }
}

/// The units of a STAP-A payload after its first byte; None where it is cut off, and nothing after that.
struct StapA<'a>(&'a [u8]);

impl<'a> Iterator for StapA<'a> {
    type Item = Option<&'a [u8]>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.0.is_empty() {
            return None;
        }
        let Some((length, rest)) = self.0.split_first_chunk::<2>() else {
            self.0 = &[];
            return Some(None);
        };
        let length = usize::from(u16::from_be_bytes(*length));
        if length == 0 || length > rest.len() {
            self.0 = &[];
            return Some(None);
        }
        self.0 = &rest[length..];
        Some(Some(&rest[..length]))
    }
}

/// An access unit put together again.
#[derive(Debug, Default)]
pub(super) struct AccessUnit {
    /// Annex B.
    pub(super) data: BytesMut,
    pub(super) has_picture: bool,
    pub(super) key_frame: bool,
    pub(super) has_parameter_sets: bool,
    pub(super) has_sequence_parameter_set: bool,
    in_fragment: bool,
}

impl AccessUnit {
    /// Adds the next payload. None when it is malformed: the access unit is then lost.
    pub(super) fn add(&mut self, payload: &[u8]) -> Option<()> {
        let first = *payload.first()?;
        if first & FORBIDDEN != 0 {
            return None;
        }
        let kind = first & TYPE;
        if self.in_fragment && kind != FU_A {
            return None;
        }
        match kind {
            1..24 => self.add_unit(payload),
            STAP_A => {
                for unit in StapA(&payload[1..]) {
                    self.add_unit(unit?);
                }
            }
            FU_A => self.add_fragment(first, payload)?,
            // Reserved, or of the interleaved mode, which is never negotiated.
            _ => return None,
        }
        Some(())
    }

    /// False when a fragmented unit lacks its end.
    pub(super) fn is_whole(&self) -> bool {
        !self.in_fragment
    }

    /// The sizes in the sequence parameter sets, also in those that came in fragments, or inside another unit: wherever a
    /// decoder would find one.
    pub(super) fn sizes(&self) -> impl Iterator<Item = sps::Size> {
        annex_b::units(&self.data)
            .filter(|unit| unit[0] & TYPE == SPS)
            .filter_map(sps::size)
    }

    fn add_unit(&mut self, unit: &[u8]) {
        self.note(unit[0] & TYPE);
        self.data.put_slice(START_CODE);
        self.data.put_slice(unit);
    }

    fn add_fragment(&mut self, indicator: u8, payload: &[u8]) -> Option<()> {
        let header = *payload.get(1)?;
        let starts = header & FU_START != 0;
        if starts == self.in_fragment {
            return None;
        }
        if starts {
            self.note(header & TYPE);
            self.data.put_slice(START_CODE);
            self.data.put_u8(indicator & !TYPE | header & TYPE);
        }
        self.data.put_slice(&payload[2..]);
        self.in_fragment = header & FU_END == 0;
        Some(())
    }

    fn note(&mut self, kind: u8) {
        match kind {
            IDR => (self.has_picture, self.key_frame) = (true, true),
            1..IDR => self.has_picture = true,
            SPS => (self.has_parameter_sets, self.has_sequence_parameter_set) = (true, true),
            PPS => self.has_parameter_sets = true,
            _ => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn unit(kind: u8, length: usize) -> Vec<u8> {
        let mut unit = vec![0x60 | kind];
        unit.resize(length, 0xab);
        unit
    }

    fn stream(units: &[Vec<u8>]) -> Bytes {
        units
            .iter()
            .flat_map(|unit| START_CODE.iter().chain(unit))
            .copied()
            .collect()
    }

    #[test]
    fn parameter_sets_share_a_packet_and_a_long_slice_is_cut_evenly() {
        let data = stream(&[unit(SPS, 20), unit(PPS, 5), unit(IDR, 2501)]);
        let payloads = packetize(&data, 1000);
        let lengths: Vec<usize> = payloads
            .iter()
            .map(|payload| payload.payload.len())
            .collect();
        assert_eq!(lengths, [1 + 2 + 20 + 2 + 5, 836, 836, 834]);
        assert_eq!(payloads[0].payload[0], 0x60 | STAP_A);
        let flags: Vec<u8> = payloads[1..]
            .iter()
            .map(|payload| payload.payload[1])
            .collect();
        assert_eq!(flags, [FU_START | IDR, IDR, FU_END | IDR]);
        let markers: Vec<bool> = payloads.iter().map(|payload| payload.marker).collect();
        assert_eq!(markers, [false, false, false, true]);
        assert!(begins_key_frame(&payloads[0].payload) && !begins_key_frame(&payloads[1].payload));
    }

    #[test]
    fn a_small_frame_is_one_bare_unit() {
        let data = stream(&[unit(1, 300)]);
        let payloads = packetize(&data, 1000);
        assert_eq!(payloads.len(), 1);
        assert_eq!(payloads[0].payload, unit(1, 300));
    }

    #[test]
    fn malformed_payloads_are_refused() {
        let cases: [&[u8]; 9] = [
            &[],
            &[0x80 | 1, 1],
            &[0],
            &[25, 0, 0],
            &[STAP_A, 0],
            &[STAP_A, 0, 0],
            &[STAP_A, 0, 9, 1],
            &[FU_A],
            &[FU_A, 5, 1],
        ];
        for payload in cases {
            assert!(AccessUnit::default().add(payload).is_none(), "{payload:?}");
        }
        let mut interrupted = AccessUnit::default();
        interrupted.add(&[FU_A, FU_START | 1, 7]).expect("a start");
        assert!(!interrupted.is_whole());
        assert!(interrupted.add(&[1, 7]).is_none());
    }
}
