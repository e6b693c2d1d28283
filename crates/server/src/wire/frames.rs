//! The frames of what a client sends, followed byte by byte as far as their text goes.

use std::io::Cursor;

use tokio_tungstenite::tungstenite::protocol::frame::FrameHeader;
use tokio_tungstenite::tungstenite::protocol::frame::coding::{Data, OpCode};

use super::utf8::Utf8;

#[cfg(any(test, feature = "fuzz"))]
pub mod judge;
#[cfg(test)]
mod tests;

/// The longest header: two bytes, eight of length, four of mask (RFC 6455 §5.2).
const MAX_HEADER_BYTES: usize = 14;

/// So much is unmasked at a time: a multiple of the mask.
const PIECE: usize = 64;

/// Follows what a client sends, in whatever pieces it comes, to the first byte that makes a text message something else than
/// UTF-8. It judges nothing but that: of frames that no client may send it knows only that nothing after them counts, and
/// `tungstenite` says what is wrong with them. It keeps no payload.
#[derive(Debug)]
pub struct Frames {
    place: Place,
    message: Option<Message>,
    utf8: Utf8,
}

/// Where the next byte lies.
#[derive(Debug)]
enum Place {
    /// In a header, of which so much is known.
    Header {
        bytes: [u8; MAX_HEADER_BYTES],
        known: u8,
    },
    /// In the payload of a frame.
    Payload(Payload),
    /// Behind a frame that ends the connection.
    Beyond,
    /// At the byte that is wrong, or behind it.
    Wrong,
}

/// What of a frame's payload is still to come.
#[derive(Debug)]
struct Payload {
    left: u64,
    /// For the next byte and those after it.
    mask: [u8; 4],
    is_text: bool,
    ends_message: bool,
}

/// A message that has begun. Control frames may come in between its own (§5.4).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Message {
    Text,
    Binary,
}

impl Place {
    const START: Self = Self::Header {
        bytes: [0; MAX_HEADER_BYTES],
        known: 0,
    };
}

impl Frames {
    /// Before the first frame.
    pub const fn new() -> Self {
        Self {
            place: Place::START,
            message: None,
            utf8: Utf8::new(),
        }
    }

    /// Whether the byte that is wrong has come.
    pub const fn is_wrong(&self) -> bool {
        matches!(self.place, Place::Wrong)
    }

    /// Follows the next bytes. Returns how many of them are right: fewer than all where the next one is wrong, and then none
    /// of any that follow.
    pub fn follow(&mut self, bytes: &[u8]) -> usize {
        let mut right = 0;
        while right < bytes.len() {
            right += match &mut self.place {
                Place::Header { .. } => self.header(bytes[right]),
                Place::Payload(_) => self.payload(&bytes[right..]),
                Place::Beyond => return bytes.len(),
                Place::Wrong => return right,
            };
        }
        right
    }

    /// Takes a byte of a header.
    fn header(&mut self, byte: u8) -> usize {
        let Place::Header { bytes, known } = &mut self.place else {
            return 0;
        };
        bytes[usize::from(*known)] = byte;
        *known += 1;
        let mut header = Cursor::new(&bytes[..usize::from(*known)]);
        match FrameHeader::parse(&mut header) {
            Ok(None) => return 1,
            Ok(Some((header, length))) => self.place = self.enter(&header, length),
            Err(_) => self.place = Place::Beyond,
        }
        self.leave_where_over(1)
    }

    /// What comes after this header.
    fn enter(&mut self, header: &FrameHeader, left: u64) -> Place {
        // Reserved bits mean extensions, of which there are none; and clients have to mask (§5.1).
        let (false, Some(mask)) = (header.rsv1 || header.rsv2 || header.rsv3, header.mask) else {
            return Place::Beyond;
        };
        let OpCode::Data(kind) = header.opcode else {
            return Place::Payload(Payload {
                left,
                mask,
                is_text: false,
                ends_message: false,
            });
        };
        let message = match (kind, self.message) {
            (Data::Text, None) => Message::Text,
            (Data::Binary, None) => Message::Binary,
            (Data::Continue, Some(message)) => message,
            (Data::Text | Data::Binary | Data::Continue | Data::Reserved(_), _) => {
                return Place::Beyond;
            }
        };
        self.message = Some(message);
        Place::Payload(Payload {
            left,
            mask,
            is_text: message == Message::Text,
            ends_message: header.is_final,
        })
    }

    /// Takes as much of a payload as there is.
    fn payload(&mut self, bytes: &[u8]) -> usize {
        let Place::Payload(payload) = &mut self.place else {
            return 0;
        };
        let there = usize::try_from(payload.left).map_or(bytes.len(), |left| left.min(bytes.len()));
        if payload.is_text {
            let mask = std::array::from_fn(|at| payload.mask[at % 4]);
            for (before, piece) in bytes[..there].chunks(PIECE).enumerate() {
                let plain = &unmasked(piece, &mask)[..piece.len()];
                if let Some(wrong) = self.utf8.take(plain) {
                    self.place = Place::Wrong;
                    return before * PIECE + wrong;
                }
            }
        }
        payload.left -= there as u64;
        payload.mask.rotate_left(there % 4);
        self.leave_where_over(there)
    }

    /// Goes on to the next frame where this one is over. Returns how many of the bytes just taken are right: the last one of
    /// a text is wrong where a code point is not whole.
    fn leave_where_over(&mut self, taken: usize) -> usize {
        let Place::Payload(Payload {
            left: 0,
            is_text,
            ends_message,
            ..
        }) = self.place
        else {
            return taken;
        };
        self.place = Place::START;
        if !ends_message {
            return taken;
        }
        self.message = None;
        if is_text && !self.utf8.is_whole() {
            self.place = Place::Wrong;
            return taken - 1;
        }
        taken
    }
}

/// The bytes without their mask (§5.3), of which as many count as there were.
fn unmasked(bytes: &[u8], mask: &[u8; PIECE]) -> [u8; PIECE] {
    let mut plain = [0; PIECE];
    for (plain, (byte, mask)) in plain.iter_mut().zip(bytes.iter().zip(mask)) {
        *plain = byte ^ mask;
    }
    plain
}
