//! JPEG of squares in one colour each, as cameras make it: half the chroma across, and no Huffman tables, which are the
//! standard's.

use super::scene::Colour;

/// Lengths and bits of the standard's codes for the number of bits of a difference (ITU-T T.81, K.3.1).
const LUMA: [(u32, u32); 10] = [
    (2, 0b00),
    (3, 0b010),
    (3, 0b011),
    (3, 0b100),
    (3, 0b101),
    (3, 0b110),
    (4, 0b1110),
    (5, 0b1_1110),
    (6, 0b11_1110),
    (7, 0b111_1110),
];
const CHROMA: [(u32, u32); 10] = [
    (2, 0b00),
    (2, 0b01),
    (2, 0b10),
    (3, 0b110),
    (4, 0b1110),
    (5, 0b1_1110),
    (6, 0b11_1110),
    (7, 0b111_1110),
    (8, 0b1111_1110),
    (9, 0b1_1111_1110),
];
/// “Nothing but the mean” of a block.
const END_OF_LUMA: (u32, u32) = (4, 0b1010);
const END_OF_CHROMA: (u32, u32) = (2, 0b00);

/// A picture of squares of 16×8 pixels; the sides are multiples of that.
pub fn picture(width: usize, height: usize, at: impl Fn(usize, usize) -> Colour) -> Vec<u8> {
    let mut data = header(width as u16, height as u16);
    let mut bits = Bits::default();
    let mut before = [0; 3];
    for row in (0..height).step_by(8) {
        for column in (0..width).step_by(16) {
            let now = full_range(at(column, row));
            let mut block = |plane: usize, codes: &[(u32, u32); 10], end| {
                bits.difference(now[plane] - before[plane], codes);
                before[plane] = now[plane];
                bits.put(end);
            };
            block(0, &LUMA, END_OF_LUMA);
            block(0, &LUMA, END_OF_LUMA);
            block(1, &CHROMA, END_OF_CHROMA);
            block(2, &CHROMA, END_OF_CHROMA);
        }
    }
    data.extend(bits.end());
    data.extend([0xff, 0xd9]);
    data
}

/// The means that are coded: JPEG has the full range, around 0.
fn full_range([luma, blue, red]: Colour) -> [i32; 3] {
    let chroma = |value: u8| ((i32::from(value) - 128) * 255 / 224).clamp(-128, 127);
    let luma = (i32::from(luma) - 16) * 255 / 219;
    [luma - 128, chroma(blue), chroma(red)]
}

fn header(width: u16, height: u16) -> Vec<u8> {
    let mut data = vec![0xff, 0xd8];
    // A mean is eight times as large in the transform; a quantiser of 8 makes it itself again.
    data.extend([0xff, 0xdb, 0, 67, 0]);
    data.extend([8; 64]);
    data.extend([0xff, 0xc0, 0, 17, 8]);
    data.extend(height.to_be_bytes());
    data.extend(width.to_be_bytes());
    data.extend([3, 1, 0x21, 0, 2, 0x11, 0, 3, 0x11, 0]);
    data.extend([0xff, 0xda, 0, 12, 3, 1, 0x00, 2, 0x11, 3, 0x11, 0, 63, 0]);
    data
}

#[derive(Default)]
struct Bits {
    data: Vec<u8>,
    waiting: u32,
    count: u32,
}

impl Bits {
    fn put(&mut self, (length, code): (u32, u32)) {
        self.waiting = self.waiting << length | code;
        self.count += length;
        while self.count >= 8 {
            self.count -= 8;
            let byte = (self.waiting >> self.count) as u8;
            self.data.push(byte);
            // What looks like a marker is marked as none.
            if byte == 0xff {
                self.data.push(0);
            }
        }
        self.waiting &= (1 << self.count) - 1;
    }

    fn difference(&mut self, difference: i32, codes: &[(u32, u32); 10]) {
        let length = u32::BITS - difference.unsigned_abs().leading_zeros();
        self.put(codes[length as usize]);
        let value = if difference < 0 {
            difference - 1
        } else {
            difference
        };
        self.put((length, value as u32 & ((1 << length) - 1)));
    }

    fn end(mut self) -> Vec<u8> {
        let rest = (8 - self.count) % 8;
        self.put((rest, (1 << rest) - 1));
        self.data
    }
}
