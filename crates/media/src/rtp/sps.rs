//! The size of the picture, from a sequence parameter set (ITU-T H.264 §7.3.2.1.1).

/// Bits, most significant first, of a NAL unit without its emulation prevention bytes.
struct Bits {
    bytes: Vec<u8>,
    at: usize,
}

impl Bits {
    fn new(unit: &[u8]) -> Self {
        let mut bytes = Vec::with_capacity(unit.len());
        let mut zeros = 0;
        for &byte in unit {
            if zeros >= 2 && byte == 3 {
                zeros = 0;
                continue;
            }
            zeros = if byte == 0 { zeros + 1 } else { 0 };
            bytes.push(byte);
        }
        Self { bytes, at: 0 }
    }

    fn bits(&mut self, count: u32) -> Option<u32> {
        let mut value = 0;
        for _ in 0..count {
            let byte = *self.bytes.get(self.at / 8)?;
            value = value << 1 | u32::from(byte >> (7 - self.at % 8) & 1);
            self.at += 1;
        }
        Some(value)
    }

    fn flag(&mut self) -> Option<bool> {
        self.bits(1).map(|bit| bit == 1)
    }

    /// Exp-Golomb, unsigned.
    fn unsigned(&mut self) -> Option<u32> {
        let mut zeros = 0;
        while !self.flag()? {
            zeros += 1;
            if zeros > 31 {
                return None;
            }
        }
        Some((1 << zeros) - 1 + self.bits(zeros)?)
    }

    /// Exp-Golomb, signed.
    fn signed(&mut self) -> Option<i32> {
        let code = i64::from(self.unsigned()?);
        Some(
            (if code % 2 == 1 {
                (code + 1) / 2
            } else {
                -code / 2
            }) as i32,
        )
    }
}

/// What a sequence parameter set says of the pictures, in pixels.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Size {
    /// What a decoder makes room for.
    pub(super) coded: (u32, u32),
    /// What is left of it once the edges are cut off; None when nothing is.
    pub(super) shown: Option<(u32, u32)>,
}

/// Reads a parameter set. None when it is malformed.
pub(super) fn size(unit: &[u8]) -> Option<Size> {
    let mut bits = Bits::new(unit.get(1..)?);
    let profile = bits.bits(8)?;
    bits.bits(16)?;
    bits.unsigned()?;
    let mut chroma_format = 1;
    if matches!(
        profile,
        100 | 110 | 122 | 244 | 44 | 83 | 86 | 118 | 128 | 138 | 139 | 134 | 135
    ) {
        chroma_format = bits.unsigned()?;
        if chroma_format == 3 && bits.flag()? {
            chroma_format = 0;
        }
        bits.unsigned()?;
        bits.unsigned()?;
        bits.flag()?;
        if bits.flag()? {
            for list in 0..if chroma_format == 3 { 12 } else { 8 } {
                if bits.flag()? {
                    skip_scaling_list(&mut bits, if list < 6 { 16 } else { 64 })?;
                }
            }
        }
    }
    bits.unsigned()?;
    match bits.unsigned()? {
        0 => {
            bits.unsigned()?;
        }
        1 => {
            bits.flag()?;
            bits.signed()?;
            bits.signed()?;
            for _ in 0..bits.unsigned()?.min(255) {
                bits.signed()?;
            }
        }
        _ => {}
    }
    bits.unsigned()?;
    bits.flag()?;
    // Whatever is too much for 32 bits is too much for anything else.
    let width = bits.unsigned()?.saturating_add(1).saturating_mul(16);
    let map_units = bits.unsigned()?.saturating_add(1);
    let frames_only = bits.flag()?;
    let fields = if frames_only { 1 } else { 2 };
    let height = map_units.saturating_mul(16 * fields);
    if !frames_only {
        bits.flag()?;
    }
    bits.flag()?;
    let mut crop = [0; 4];
    if bits.flag()? {
        for side in &mut crop {
            *side = bits.unsigned()?;
        }
    }
    let (unit_x, unit_y) = match chroma_format {
        1 => (2, 2 * fields),
        2 => (2, fields),
        _ => (1, fields),
    };
    let [left, right, top, bottom] = crop;
    let cut = |side: u32, before: u32, after: u32, unit: u32| {
        let left = side.checked_sub(before.checked_add(after)?.checked_mul(unit)?)?;
        (left > 0).then_some(left)
    };
    let shown = cut(width, left, right, unit_x).zip(cut(height, top, bottom, unit_y));
    Some(Size {
        coded: (width, height),
        shown,
    })
}

fn skip_scaling_list(bits: &mut Bits, length: usize) -> Option<()> {
    let (mut last, mut next) = (8_i32, 8_i32);
    for _ in 0..length {
        if next != 0 {
            next = (last.wrapping_add(bits.signed()?)).rem_euclid(256);
        }
        if next != 0 {
            last = next;
        }
    }
    Some(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(unit: &[u8]) -> Option<(u32, u32)> {
        size(unit)?.shown
    }

    #[test]
    fn sizes_of_known_parameter_sets() {
        // x264, high profile, 1920×1080, cropped from 1088.
        let high = [
            0x67, 0x64, 0x00, 0x28, 0xac, 0xd9, 0x40, 0x78, 0x02, 0x27, 0xe5, 0xc0, 0x44, 0x00,
            0x00, 0x03, 0x00, 0x04, 0x00, 0x00, 0x03, 0x00, 0xf0, 0x3c, 0x60, 0xc6, 0x58,
        ];
        assert_eq!(shown(&high), Some((1920, 1080)));
        assert_eq!(size(&high).map(|size| size.coded), Some((1920, 1088)));
        // Chromium's offer of constrained baseline, 640×480.
        let baseline = [
            0x67, 0x42, 0xc0, 0x1f, 0x8c, 0x8d, 0x40, 0x50, 0x1e, 0xd0, 0x0f, 0x08, 0x84, 0x6a,
        ];
        assert_eq!(shown(&baseline), Some((640, 480)));
    }

    #[test]
    fn a_cut_off_one_has_no_size() {
        let whole = [0x67, 0x42, 0xc0, 0x1f, 0x8c, 0x8d, 0x40, 0x50, 0x1e, 0xd0];
        for length in 0..9 {
            assert_eq!(shown(&whole[..length]), None, "{length}");
        }
        assert_eq!(shown(&[0x67; 40]), None);
        assert_eq!(shown(&[0; 40]), None);
    }
}
