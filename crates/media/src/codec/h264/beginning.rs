//! The first pictures after the encoder has been opened, and those after any key frame.
//!
//! OpenH264 codes the first key frame no coarser than a table of its own says (`RcCalculateIdrQp`), finer than the pictures after
//! it, so that on a narrow path it takes half a second to send. The table goes by the bits there are for a pixel: for this one
//! picture the encoder is told that there are few. It then takes what the picture cost as a debt, multiplies that by as much as the
//! rate rises (`RcUpdateBitrateFps`), and would leave out the next ten pictures. A debt that is counted in single bits for one picture is
//! forgotten.
//!
//! After a key frame it also leaves out every second picture until what that cost is made up for. Without leave to do so it makes
//! the pictures coarser for as long, and what moves goes on.

/// So many pictures make up for a key frame: two of the groups that the library gives its bits to.
const MAKING_UP: u32 = 16;

/// A bit for each picture is counted, and a change from that forgets what was.
const LEAST_BITS_PER_PICTURE: u32 = 1;

/// A line of the library's table.
struct Line {
    /// For pictures of so many pixels at most.
    pixels: u32,
    /// It is coarsest where there are no more bits for each of them than this,
    coarsest: f64,
    /// and finest above this, where any key frame is quickly sent.
    finest: f64,
}

const fn line(pixels: u32, coarsest: f64, finest: f64) -> Line {
    Line {
        pixels,
        coarsest,
        finest,
    }
}

const TABLE: [Line; 4] = [
    line(28_800, 0.25, 1.0),
    line(115_200, 0.1, 0.4),
    line(460_800, 0.03, 0.13),
    line(u32::MAX, 0.01, 0.1),
];

/// Where the encoder stands.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Beginning {
    pixels: u32,
    /// Pictures coded since it was opened,
    coded: u32,
    /// and those of them since a key frame began.
    since_key_frame: u32,
}

impl Beginning {
    /// Just opened for pictures of this size.
    pub(super) fn new(width: u32, height: u32) -> Self {
        Self {
            pixels: width.saturating_mul(height),
            ..Self::default()
        }
    }

    /// A key frame is about to be coded.
    pub(super) const fn before_key_frame(self) -> Self {
        Self {
            since_key_frame: 0,
            ..self
        }
    }

    /// A picture has been coded.
    pub(super) const fn after_picture(self) -> Self {
        Self {
            pixels: self.pixels,
            coded: self.coded.saturating_add(1),
            since_key_frame: self.since_key_frame.saturating_add(1),
        }
    }

    /// Whether pictures may be left out to keep to the rate.
    pub(super) const fn may_skip(&self) -> bool {
        self.since_key_frame > MAKING_UP
    }

    /// What to tell the encoder for the next picture where so much is wanted, in bits a second.
    pub(super) fn rate(&self, bits_per_second: u32, frames_per_second: u32) -> u32 {
        let pixels = f64::from(self.pixels) * f64::from(frames_per_second);
        let line = TABLE.iter().find(|line| self.pixels <= line.pixels);
        let line = line.unwrap_or(&TABLE[TABLE.len() - 1]);
        let coarsest = (line.coarsest * pixels) as u32;
        let narrow = (coarsest..(line.finest * pixels) as u32).contains(&bits_per_second);
        match self.coded {
            0 if narrow => coarsest,
            1 if narrow => LEAST_BITS_PER_PICTURE * frames_per_second,
            _ => bits_per_second,
        }
    }
}
