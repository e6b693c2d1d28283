//! What the USB cameras see: four colours, and a square in the middle that changes from picture to picture. Nothing of it is
//! the same when it is mirrored or turned.

use vireo_media::VideoFrame;

/// Luma and both chromas (BT.601, limited range).
pub type Colour = [u8; 3];

const RED: Colour = [81, 90, 240];
const GREEN: Colour = [145, 54, 34];
const BLUE: Colour = [41, 240, 110];
const YELLOW: Colour = [210, 16, 146];

/// The corners' colours: upper left, upper right, lower left, lower right.
pub const CORNERS: [Colour; 4] = [RED, GREEN, BLUE, YELLOW];

/// After so many pictures the first one comes again.
pub const PHASES: usize = 4;

/// How a camera codes what it sees.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Encoding {
    /// Two pixels in four bytes.
    Yuyv,
    /// Luma, then both chromas by turns.
    Nv12,
    /// JPEG, picture by picture, without the tables that all have.
    Mjpeg,
}

impl Encoding {
    /// What the report calls it.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Yuyv => "YUYV",
            Self::Nv12 => "NV12",
            Self::Mjpeg => "MJPEG",
        }
    }
}

/// The picture at a pixel; the same for each square of 16×8 whose corner is at a multiple of that.
pub fn colour(column: usize, row: usize, width: usize, height: usize, phase: usize) -> Colour {
    let middle = |at: usize, length: usize| (3..=4).contains(&(at * 8 / length));
    if middle(column, width) && middle(row, height) {
        return [16 + (phase * 70) as u8, 128, 128];
    }
    CORNERS[usize::from(row * 2 >= height) * 2 + usize::from(column * 2 >= width)]
}

/// A picture as it leaves a camera.
pub fn picture(encoding: Encoding, width: usize, height: usize, phase: usize) -> Vec<u8> {
    let at =
        |column: usize, row: usize| colour(column / 16 * 16, row / 8 * 8, width, height, phase);
    match encoding {
        Encoding::Yuyv => yuyv(width, height, at),
        Encoding::Nv12 => nv12(width, height, at),
        Encoding::Mjpeg => super::jpeg::picture(width, height, at),
    }
}

fn yuyv(width: usize, height: usize, at: impl Fn(usize, usize) -> Colour) -> Vec<u8> {
    let mut data = Vec::with_capacity(width * height * 2);
    for row in 0..height {
        for column in (0..width).step_by(2) {
            let [luma, blue, red] = at(column, row);
            data.extend([luma, blue, luma, red]);
        }
    }
    data
}

fn nv12(width: usize, height: usize, at: impl Fn(usize, usize) -> Colour) -> Vec<u8> {
    let mut data = Vec::with_capacity(width * height * 3 / 2);
    for row in 0..height {
        data.extend((0..width).map(|column| at(column, row)[0]));
    }
    for row in (0..height).step_by(2) {
        for column in (0..width).step_by(2) {
            data.extend(&at(column, row)[1..]);
        }
    }
    data
}

/// The colours in the middle of a picture's four quarters.
pub fn corners(frame: &VideoFrame) -> [Colour; 4] {
    let [luma, blue, red] = frame.planes();
    let (width, height) = (frame.width as usize, frame.height as usize);
    let at = |x: usize, y: usize| {
        let (column, row) = (width * x / 16, height * y / 16);
        let chroma = row / 2 * frame.chroma_width() + column / 2;
        [luma[row * width + column], blue[chroma], red[chroma]]
    };
    [at(3, 3), at(13, 3), at(3, 13), at(13, 13)]
}
