//! What a USB camera says of itself (USB 2.0, chapter 9; USB Video Class 1.0).

use super::Mode;
use crate::scene::Encoding;

/// Pictures come here.
pub const PICTURES: u8 = 0x81;

/// The device's own descriptor.
pub fn device() -> Vec<u8> {
    let mut data = vec![18, 1];
    data.extend(0x0200_u16.to_le_bytes());
    // Several interfaces that belong together.
    data.extend([0xef, 2, 1, 64]);
    // A number for tests (pid.codes).
    data.extend(0x1209_u16.to_le_bytes());
    data.extend(0x0001_u16.to_le_bytes());
    data.extend([0, 1, 1, 2, 3, 1]);
    data
}

/// A text, or the list of languages.
pub fn string(index: u8, product: &str, serial: &str) -> Option<Vec<u8>> {
    let words: Vec<u16> = match index {
        0 => vec![0x0409],
        1 => "Vireo".encode_utf16().collect(),
        2 => product.encode_utf16().collect(),
        3 => serial.encode_utf16().collect(),
        _ => return None,
    };
    let mut data = vec![2 + 2 * words.len() as u8, 3];
    data.extend(words.into_iter().flat_map(u16::to_le_bytes));
    Some(data)
}

/// The only configuration: one interface that controls, one that streams.
pub fn configuration(modes: &[Mode]) -> Vec<u8> {
    let mut data = Vec::new();
    // The two interfaces are one function.
    data.extend([8, 11, 0, 2, 0x0e, 3, 0, 0]);
    data.extend([9, 4, 0, 0, 0, 0x0e, 1, 0, 0]);
    data.extend(control());
    data.extend([9, 4, 1, 0, 1, 0x0e, 2, 0, 0]);
    data.extend(streaming(modes));
    data.extend([7, 5, PICTURES, 2, 0, 2, 0]);
    let mut whole = vec![9, 2];
    whole.extend((9 + data.len() as u16).to_le_bytes());
    whole.extend([2, 1, 0, 0x80, 250]);
    whole.extend(data);
    whole
}

/// A lens, and the way out.
fn control() -> Vec<u8> {
    let camera = [
        18, 0x24, 2, 1, 0x01, 0x02, 0, 0, 0, 0, 0, 0, 0, 0, 3, 0, 0, 0,
    ];
    let output = [9, 0x24, 3, 2, 0x01, 0x01, 0, 1, 0];
    let mut data = vec![13, 0x24, 1];
    data.extend(0x0100_u16.to_le_bytes());
    data.extend((13 + camera.len() as u16 + output.len() as u16).to_le_bytes());
    data.extend(48_000_000_u32.to_le_bytes());
    data.extend([1, 1]);
    data.extend(camera);
    data.extend(output);
    data
}

/// The modes by their formats, in the order in which the camera lists both.
pub fn formats(modes: &[Mode]) -> Vec<Vec<Mode>> {
    let mut formats: Vec<Vec<Mode>> = Vec::new();
    for mode in modes {
        let same = formats
            .iter_mut()
            .find(|format| format[0].encoding == mode.encoding);
        match same {
            Some(format) => format.push(*mode),
            None => formats.push(vec![*mode]),
        }
    }
    formats
}

fn streaming(modes: &[Mode]) -> Vec<u8> {
    let formats = formats(modes);
    let mut described = Vec::new();
    for (number, modes) in (1..).zip(&formats) {
        described.extend(format(number, modes));
    }
    let length = 13 + formats.len();
    let mut data = vec![length as u8, 0x24, 1, formats.len() as u8];
    data.extend(((length + described.len()) as u16).to_le_bytes());
    data.extend([PICTURES, 0, 2, 0, 0, 0, 1]);
    data.extend(vec![0; formats.len()]);
    data.extend(described);
    data
}

fn format(number: u8, modes: &[Mode]) -> Vec<u8> {
    let count = modes.len() as u8;
    let (mut data, kind) = match modes[0].encoding {
        Encoding::Mjpeg => (vec![11, 0x24, 6, number, count, 1, 1, 0, 0, 0, 0], 7),
        Encoding::Yuyv => (uncompressed(number, count, *b"YUY2", 16), 5),
        Encoding::Nv12 => (uncompressed(number, count, *b"NV12", 12), 5),
    };
    for (number, mode) in (1..).zip(modes) {
        data.extend(size(kind, number, mode));
    }
    data
}

fn size(kind: u8, number: u8, mode: &Mode) -> Vec<u8> {
    let bits = mode.size() as u32 * 8 * mode.rate;
    let mut data = vec![30, 0x24, kind, number, 0];
    data.extend(mode.width.to_le_bytes());
    data.extend(mode.height.to_le_bytes());
    data.extend(bits.to_le_bytes());
    data.extend(bits.to_le_bytes());
    data.extend((mode.size() as u32).to_le_bytes());
    data.extend(mode.interval().to_le_bytes());
    data.push(1);
    data.extend(mode.interval().to_le_bytes());
    data
}

fn uncompressed(number: u8, count: u8, code: [u8; 4], bits: u8) -> Vec<u8> {
    let mut data = vec![27, 0x24, 4, number, count];
    data.extend(code);
    data.extend([
        0, 0, 0x10, 0, 0x80, 0, 0, 0xaa, 0, 0x38, 0x9b, 0x71, bits, 1, 0, 0, 0, 0,
    ]);
    data
}
