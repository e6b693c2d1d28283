//! Pictures that the encoder leaves out to keep to its rate.

/// So many pictures make a measurement: three seconds' at 30 a second.
const PICTURES: u32 = 90;

/// A key frame takes the bits of many pictures, and those after it are left out for that. So many do not count.
const AFTER_KEY_FRAME: u32 = 45;

/// The share of the pictures that are left out while those that are coded follow on each other.
#[derive(Debug, Default)]
pub(super) struct LeftOut {
    settling: u32,
    wanted: u32,
    left_out: u32,
    share: Option<f64>,
}

impl LeftOut {
    /// A picture was wanted, and has been coded or left out.
    pub(super) fn wanted(&mut self, coded: bool) {
        if self.settling > 0 {
            self.settling -= 1;
            return;
        }
        self.wanted += 1;
        self.left_out += u32::from(!coded);
        if self.wanted >= PICTURES {
            let share = f64::from(self.left_out) / f64::from(self.wanted);
            *self = Self {
                share: Some(share),
                ..Self::default()
            };
        }
    }

    /// A key frame has been coded: what follows is another size, or repairs something.
    pub(super) fn key_frame(&mut self) {
        *self = Self {
            settling: AFTER_KEY_FRAME,
            ..Self::default()
        };
    }

    /// None before enough was measured.
    pub(super) fn share(&self) -> Option<f64> {
        self.share
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_left_out_after_a_key_frame_does_not_count() {
        let mut left_out = LeftOut::default();
        left_out.key_frame();
        for _ in 0..AFTER_KEY_FRAME {
            left_out.wanted(false);
        }
        for picture in 1..=PICTURES {
            assert_eq!(left_out.share(), None, "{picture}");
            left_out.wanted(picture % 10 != 0);
        }
        assert_eq!(left_out.share(), Some(0.1));
        for _ in 0..PICTURES {
            left_out.wanted(true);
        }
        assert_eq!(left_out.share(), Some(0.0));
        left_out.key_frame();
        assert_eq!(left_out.share(), None);
    }
}
