//! Counters that wrap around, made to go on for ever.

/// Extends a counter of 16 or 32 bits to 64: the value nearest to the last one.
#[derive(Debug, Clone, Copy, Default)]
pub struct Unwrapper {
    last: Option<i64>,
}

impl Unwrapper {
    /// The 16-bit `value`, extended. Does not become the last one; see [`Self::keep`].
    #[must_use]
    pub fn peek_u16(&self, value: u16) -> i64 {
        self.last.map_or(i64::from(value), |last| {
            last + i64::from(value.wrapping_sub(last as u16) as i16)
        })
    }

    /// The 32-bit `value`, extended. Does not become the last one; see [`Self::keep`].
    #[must_use]
    pub fn peek_u32(&self, value: u32) -> i64 {
        self.last.map_or(i64::from(value), |last| {
            last + i64::from(value.wrapping_sub(last as u32) as i32)
        })
    }

    /// What the next values are compared with.
    pub const fn keep(&mut self, extended: i64) {
        self.last = Some(extended);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn goes_on_over_the_edge_and_back() {
        let mut unwrapper = Unwrapper::default();
        unwrapper.keep(65_534);
        assert_eq!(unwrapper.peek_u16(65_535), 65_535);
        assert_eq!(unwrapper.peek_u16(1), 65_537);
        unwrapper.keep(65_537);
        assert_eq!(unwrapper.peek_u16(65_535), 65_535);
        // What came before a stream's first packet.
        unwrapper.keep(0);
        assert_eq!(unwrapper.peek_u16(65_535), -1);
        let mut unwrapper = Unwrapper::default();
        unwrapper.keep(i64::from(u32::MAX));
        assert_eq!(unwrapper.peek_u32(5), i64::from(u32::MAX) + 6);
    }
}
