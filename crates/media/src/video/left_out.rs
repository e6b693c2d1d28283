//! Pictures that the encoder leaves out to keep to its rate.

/// So many pictures make a measurement: three seconds' at 30 a second.
const PICTURES: u32 = 90;

/// A key frame takes the bits of many pictures, and those after it are left out for that. So many do not count.
const AFTER_KEY_FRAME: u32 = 45;

/// A rate that falls by more than a tenth is kept to by leaving out what comes next. So many do not count.
const AFTER_FALL: u32 = 30;
const FALL: f64 = 0.9;

/// What the encoder has left out of late, while pictures that are coded from each other followed on each other.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct LeftOut {
    /// Share of the pictures (0–1).
    pub share: f64,
    /// What there was to code them with.
    pub bits_per_second: u32,
}

/// Measures it.
#[derive(Debug, Default)]
pub(super) struct LeftOutMeter {
    settling: u32,
    wanted: u32,
    left_out: u32,
    /// As the measurement began, or the one before; it may have risen since.
    bits_per_second: u32,
    last: Option<LeftOut>,
}

impl LeftOutMeter {
    /// A picture was wanted at this rate, and has been coded or left out.
    pub(super) fn wanted(&mut self, coded: bool, bits_per_second: u32) {
        if f64::from(bits_per_second) < FALL * f64::from(self.bits_per_second) {
            self.bits_per_second = bits_per_second;
            self.restart(AFTER_FALL);
        }
        if self.settling > 0 {
            self.settling -= 1;
            return;
        }
        if self.wanted == 0 {
            self.bits_per_second = bits_per_second;
        }
        self.wanted += 1;
        self.left_out += u32::from(!coded);
        if self.wanted >= PICTURES {
            self.last = Some(LeftOut {
                share: f64::from(self.left_out) / f64::from(self.wanted),
                bits_per_second: self.bits_per_second,
            });
            self.restart(0);
        }
    }

    /// A key frame has been coded: what follows is another size, or repairs something.
    pub(super) fn key_frame(&mut self) {
        self.last = None;
        self.restart(AFTER_KEY_FRAME);
    }

    /// None before enough was measured.
    pub(super) fn last(&self) -> Option<LeftOut> {
        self.last
    }

    fn restart(&mut self, settling: u32) {
        *self = Self {
            settling,
            last: self.last,
            bits_per_second: self.bits_per_second,
            ..Self::default()
        };
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const RATE: u32 = 300_000;

    fn shown(meter: &LeftOutMeter) -> Option<(f64, u32)> {
        meter.last().map(|last| (last.share, last.bits_per_second))
    }

    #[test]
    fn what_is_left_out_after_a_key_frame_does_not_count() {
        let mut meter = LeftOutMeter::default();
        meter.key_frame();
        for _ in 0..AFTER_KEY_FRAME {
            meter.wanted(false, RATE);
        }
        for picture in 1..=PICTURES {
            assert_eq!(shown(&meter), None, "{picture}");
            meter.wanted(picture % 10 != 0, RATE);
        }
        assert_eq!(shown(&meter), Some((0.1, RATE)));
        for _ in 0..PICTURES {
            meter.wanted(true, RATE + 1);
        }
        assert_eq!(shown(&meter), Some((0.0, RATE + 1)));
        meter.key_frame();
        assert_eq!(shown(&meter), None);
    }

    #[test]
    fn what_is_left_out_because_the_rate_falls_does_not_count() {
        let mut meter = LeftOutMeter::default();
        for _ in 0..PICTURES / 2 {
            meter.wanted(true, RATE);
        }
        for _ in 0..AFTER_FALL {
            meter.wanted(false, RATE / 2);
        }
        for _ in 0..PICTURES {
            meter.wanted(true, RATE / 2);
        }
        assert_eq!(shown(&meter), Some((0.0, RATE / 2)));
        // Nor where it falls between two measurements.
        for _ in 0..AFTER_FALL {
            meter.wanted(false, RATE / 4);
        }
        for _ in 0..PICTURES {
            meter.wanted(true, RATE / 4);
        }
        assert_eq!(shown(&meter), Some((0.0, RATE / 4)));
    }
}
