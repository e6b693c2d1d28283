//! Sequence numbers that do not wrap around.

/// Turns 16-bit sequence numbers into ones that only grow, whatever order they come in.
#[derive(Debug, Default)]
pub(crate) struct Unwrapper {
    highest: Option<u64>,
}

impl Unwrapper {
    /// The first number gets a place far enough from 0 that earlier ones can still arrive.
    const START: u64 = 1 << 16;

    /// The unwrapped number: the one nearest to the highest so far.
    pub fn unwrap(&mut self, number: u16) -> u64 {
        let Some(highest) = self.highest else {
            let first = Self::START + u64::from(number);
            self.highest = Some(first);
            return first;
        };
        let ahead = number.wrapping_sub(highest as u16) as i16;
        let unwrapped = highest.saturating_add_signed(i64::from(ahead));
        self.highest = Some(highest.max(unwrapped));
        unwrapped
    }

    /// The highest number so far.
    pub fn highest(&self) -> Option<u64> {
        self.highest
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn follows_wrap_around_and_reordering() {
        let mut unwrapper = Unwrapper::default();
        let first = unwrapper.unwrap(65_534);
        assert_eq!(unwrapper.unwrap(1), first + 3);
        assert_eq!(unwrapper.unwrap(65_535), first + 1);
        assert_eq!(unwrapper.unwrap(0), first + 2);
        assert_eq!(unwrapper.highest(), Some(first + 3));
        assert_eq!(unwrapper.unwrap(65_533), first - 1);
    }

    #[test]
    fn a_stream_may_begin_at_zero_and_reorder() {
        let mut unwrapper = Unwrapper::default();
        let first = unwrapper.unwrap(0);
        assert_eq!(unwrapper.unwrap(65_535), first - 1);
    }
}
