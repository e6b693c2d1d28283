//! What the pattern camera shows. Everything costly is painted once; a picture is then a few copies.

use super::{PatternContent, VideoFrame};

/// Paints the picture of a moment.
#[derive(Debug)]
pub(super) enum Painter {
    Head(Box<Head>),
    Texture(Texture),
}

impl Painter {
    pub(super) fn new(width: u32, height: u32, content: PatternContent) -> Self {
        match content {
            PatternContent::TalkingHead => Self::Head(Box::new(Head::new(width, height))),
            PatternContent::MovingTexture => Self::Texture(Texture::new(width, height)),
        }
    }

    pub(super) fn paint(&self, seconds: f32) -> VideoFrame {
        match self {
            Self::Head(head) => head.paint(seconds),
            Self::Texture(texture) => texture.paint(seconds),
        }
    }
}

/// Even noise between 0 and 255 that depends on the place alone.
fn noise(x: u32, y: u32) -> u8 {
    let mut hash = x.wrapping_mul(0x9E37_79B1) ^ y.wrapping_mul(0x85EB_CA77);
    hash = (hash ^ hash >> 15).wrapping_mul(0x2C1B_3C6D);
    hash = (hash ^ hash >> 12).wrapping_mul(0x297A_2D39);
    (hash >> 24) as u8
}

/// Noise on a grid with the given spacing, linear in between.
fn smooth_noise(x: u32, y: u32, spacing: u32) -> u32 {
    let (left, top) = (x / spacing, y / spacing);
    let (right_part, lower_part) = (x % spacing, y % spacing);
    let corner = |dx, dy| u32::from(noise(left + dx, top + dy));
    let upper = corner(0, 0) * (spacing - right_part) + corner(1, 0) * right_part;
    let lower = corner(0, 1) * (spacing - right_part) + corner(1, 1) * right_part;
    (upper * (spacing - lower_part) + lower * lower_part) / (spacing * spacing)
}

/// Writes a picture from a colour for each pixel; chroma takes the colour of its upper left pixel.
fn fill(frame: &mut VideoFrame, colour: impl Fn(u32, u32) -> [u8; 3]) {
    let (width, height) = (frame.width, frame.height);
    let chroma_width = frame.chroma_width();
    let [luma, blue, red] = frame.planes_mut();
    for y in 0..height {
        for x in 0..width {
            let [value, u, v] = colour(x, y);
            luma[(y * width + x) as usize] = value;
            if x % 2 == 0 && y % 2 == 0 {
                let at = y as usize / 2 * chroma_width + x as usize / 2;
                blue[at] = u;
                red[at] = v;
            }
        }
    }
}

/// An ellipse with its own shading that can be put anywhere.
#[derive(Debug)]
struct Blob {
    picture: VideoFrame,
    /// First and last column of each pair of rows, both even.
    spans: Vec<(usize, usize)>,
}

impl Blob {
    fn new(width: f32, height: f32, [luma, u, v]: [u8; 3], grain: u8) -> Self {
        let even = |side: f32| ((side / 2.0).round() as u32 * 2).max(2);
        let (width, height) = (even(width), even(height));
        let mut picture = VideoFrame::black(width, height);
        fill(&mut picture, |x, y| {
            let light = i32::from(luma) + 24 - (x * 32 / width + y * 32 / height) as i32;
            let grain = i32::from(noise(x / 2, y / 2)) * i32::from(grain) / 255;
            [(light + grain).clamp(16, 235) as u8, u, v]
        });
        let spans = (0..height as usize / 2)
            .map(|pair| {
                let off_centre = (2.0 * (pair as f32 * 2.0 + 1.0) / height as f32) - 1.0;
                let half = (1.0 - off_centre * off_centre).max(0.0).sqrt() * width as f32 / 2.0;
                let start = (width as f32 / 2.0 - half).round() as usize & !1;
                (start, width as usize - start)
            })
            .collect();
        Self { picture, spans }
    }

    /// Puts it with its centre at the given place; what lies outside is left out.
    fn put(&self, frame: &mut VideoFrame, centre_x: f32, centre_y: f32) {
        let left = ((centre_x - self.picture.width as f32 / 2.0) / 2.0).round() as i64 * 2;
        let top = ((centre_y - self.picture.height as f32 / 2.0) / 2.0).round() as i64 * 2;
        let (width, height) = (i64::from(frame.width), i64::from(frame.height));
        let own = self.picture.planes();
        let other = frame.planes_mut();
        for (pair, &(start, end)) in self.spans.iter().enumerate() {
            let row = top + pair as i64 * 2;
            let first = (left + start as i64).clamp(0, width);
            let last = (left + end as i64).clamp(0, width);
            if row < 0 || row + 1 >= height || first >= last {
                continue;
            }
            for (plane, shrink) in [(0, 1), (1, 2), (2, 2)] {
                let own_width = self.picture.width as usize / shrink;
                let width = width as usize / shrink;
                let (first, last) = (first as usize / shrink, last as usize / shrink);
                let column = (first as i64 - left / shrink as i64) as usize;
                for line in 0..2 / shrink {
                    let from = (pair * 2 / shrink + line) * own_width + column;
                    let to = (row as usize / shrink + line) * width;
                    other[plane][to + first..to + last]
                        .copy_from_slice(&own[plane][from..from + last - first]);
                }
            }
        }
    }
}

/// A person before a wall.
#[derive(Debug)]
pub(super) struct Head {
    room: VideoFrame,
    shoulders: Blob,
    face: Blob,
    eye: Blob,
    /// From closed to open.
    mouths: Vec<Blob>,
}

impl Head {
    fn new(width: u32, height: u32) -> Self {
        let mut room = VideoFrame::black(width, height);
        fill(&mut room, |x, y| {
            let light = 60 + y * 50 / height + x * 40 / width;
            let shelf = if x * 8 / width == 6 && y * 6 / height % 2 == 1 {
                40
            } else {
                0
            };
            let grain = u32::from(noise(x / 3, y / 3) >> 5);
            [(light + shelf + grain) as u8, 118, 134]
        });
        let size = height as f32;
        Self {
            room,
            shoulders: Blob::new(size * 0.9, size * 0.7, [70, 150, 110], 24),
            face: Blob::new(size * 0.38, size * 0.52, [150, 112, 152], 10),
            eye: Blob::new(size * 0.05, size * 0.035, [40, 128, 128], 0),
            mouths: (0..6)
                .map(|open| {
                    Blob::new(
                        size * (0.13 - 0.006 * open as f32),
                        size * 0.014 * (open + 1) as f32,
                        [60, 118, 160],
                        0,
                    )
                })
                .collect(),
        }
    }

    fn paint(&self, seconds: f32) -> VideoFrame {
        let mut frame = self.room.clone();
        let size = frame.height as f32;
        let sway =
            |hertz: f32, reach: f32| (seconds * hertz * std::f32::consts::TAU).sin() * reach * size;
        let middle = frame.width as f32 / 2.0;
        let x = middle + sway(0.23, 0.04) + sway(0.71, 0.01);
        let y = size * 0.48 + sway(0.37, 0.015);
        // Shoulders follow the head by half its way.
        self.shoulders.put(
            &mut frame,
            (x + middle) / 2.0,
            size * 1.02 + sway(0.2, 0.005),
        );
        self.face.put(&mut frame, x, y);
        let blinking = seconds % 3.1 < 0.15;
        if !blinking {
            self.eye.put(&mut frame, x - size * 0.08, y - size * 0.06);
            self.eye.put(&mut frame, x + size * 0.08, y - size * 0.06);
        }
        let open =
            (sway(3.1, 1.0 / size) * sway(0.9, 1.0 / size)).abs() * (self.mouths.len() - 1) as f32;
        self.mouths[open.round() as usize].put(&mut frame, x, y + size * 0.13);
        frame
    }
}

/// A surface larger than the picture.
#[derive(Debug)]
pub(super) struct Texture {
    surface: VideoFrame,
    width: u32,
    height: u32,
}

/// How far the view moves over the surface, in pixels.
const PAN: u32 = 256;
/// How far a row is pushed aside by the waves that run through the picture, in pixels.
const WAVE: f32 = 24.0;
/// Rows from one wave to the next.
const WAVE_LENGTH: f32 = 160.0;

impl Texture {
    fn new(width: u32, height: u32) -> Self {
        let mut surface = VideoFrame::black(width + PAN + 2 * WAVE as u32, height + PAN);
        fill(&mut surface, |x, y| {
            let shape = smooth_noise(x, y, 64) * 110 / 255 + smooth_noise(x, y, 16) * 60 / 255;
            let grain = smooth_noise(x, y, 4) * 40 / 255;
            let hue = smooth_noise(x + 9_000, y, 64) as u8 / 2;
            [(16 + shape + grain) as u8, 64 + hue, 192 - hue]
        });
        Self {
            surface,
            width,
            height,
        }
    }

    fn paint(&self, seconds: f32) -> VideoFrame {
        let place = |hertz: f32| {
            let along = (seconds * hertz * std::f32::consts::TAU).sin() * 0.5 + 0.5;
            (along * PAN as f32) as usize / 2 * 2
        };
        let (left, top) = (place(0.11), place(0.07));
        // No block of the picture moves quite like its neighbour, so that a shift of the last picture does not give this one.
        let aside = |row: usize| {
            let phase = (row as f32 / WAVE_LENGTH + seconds * 0.5) * std::f32::consts::TAU;
            ((phase.sin() + 1.0) * WAVE) as usize
        };
        let mut frame = VideoFrame::blank(self.width, self.height);
        let surface_width = self.surface.width as usize;
        let own = self.surface.planes();
        for (plane, to) in frame.planes_mut().into_iter().enumerate() {
            let shrink = if plane == 0 { 1 } else { 2 };
            let width = self.width as usize / shrink;
            for (row, line) in to.chunks_exact_mut(width).enumerate() {
                let from = (top / shrink + row) * (surface_width / shrink)
                    + (left + aside(row * shrink)) / shrink;
                line.copy_from_slice(&own[plane][from..from + width]);
            }
        }
        frame
    }
}
