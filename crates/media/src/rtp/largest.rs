//! How large a picture may be.

/// Macroblocks, 16 × 16 pixels each, of the largest picture that is taken: H.264's level 5.1 (ITU-T H.264, table A-1), such as
/// 4096 × 2304 pixels. A decoder makes room for several pictures of the size that a header of some bytes names before it reads
/// any further: libvpx asks for 2 GB for VP8's largest, 16,383 × 16,383.
pub const MAX_MACROBLOCKS: u64 = 36_864;

/// The macroblocks of a picture of this size in pixels; those at its edges count as a whole.
#[must_use]
pub fn macroblocks(width: u32, height: u32) -> u64 {
    u64::from(width.div_ceil(16)) * u64::from(height.div_ceil(16))
}

/// Whether a decoder may be given a picture of this size.
pub(super) fn fits((width, height): (u32, u32)) -> bool {
    macroblocks(width, height) <= MAX_MACROBLOCKS
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_camera_fits_and_a_bomb_does_not() {
        for size in [(0, 0), (1, 1), (3840, 2160), (2160, 3840), (4096, 2304)] {
            assert!(fits(size), "{size:?}");
        }
        for size in [(4097, 2304), (16_383, 16_383), (u32::MAX, u32::MAX)] {
            assert!(!fits(size), "{size:?}");
        }
    }
}
