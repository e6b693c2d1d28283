//! What [`Frames`](super::Frames) has to find, by looking at everything at once: for tests.

use std::io::Cursor;

use tokio_tungstenite::tungstenite::protocol::frame::FrameHeader;
use tokio_tungstenite::tungstenite::protocol::frame::coding::{Data, OpCode};

/// The first byte that no text can have there, by the standard library's judgement.
pub fn first_wrong(text: &[u8]) -> Option<usize> {
    let error = std::str::from_utf8(text).err()?;
    let start = error.valid_up_to();
    let is_wrong = |end: &usize| {
        let error = std::str::from_utf8(&text[start..=*end]).err();
        error.is_some_and(|error| error.error_len().is_some())
    };
    (start..text.len()).find(is_wrong)
}

/// A text message as far as it has come, and where each of its bytes lies in what the client sends.
#[derive(Default)]
struct Text {
    bytes: Vec<u8>,
    places: Vec<usize>,
}

impl Text {
    fn wrong(&self) -> Option<usize> {
        first_wrong(&self.bytes).map(|at| self.places[at])
    }
}

/// The byte of what a client sends at which a text message stops being UTF-8.
pub fn wrong_byte(sent: &[u8]) -> Option<usize> {
    // Nothing, a text, or bytes that are none.
    let mut open: Option<Option<Text>> = None;
    let mut at = 0;
    loop {
        let mut rest = Cursor::new(&sent[at..]);
        let Ok(Some((header, length))) = FrameHeader::parse(&mut rest) else {
            break;
        };
        let (Some(mask), false) = (header.mask, header.rsv1 || header.rsv2 || header.rsv3) else {
            break;
        };
        let start = at + usize::try_from(rest.position()).expect("it is at most 14 bytes on");
        let whole = usize::try_from(length)
            .ok()
            .and_then(|length| start.checked_add(length));
        at = whole.map_or(sent.len(), |end| end.min(sent.len()));
        let ended = whole == Some(at);
        if let OpCode::Data(kind) = header.opcode {
            match (kind, open.is_some()) {
                (Data::Text, false) => open = Some(Some(Text::default())),
                (Data::Binary, false) => open = Some(None),
                (Data::Continue, true) => {}
                _ => break,
            }
            if let Some(Some(text)) = &mut open {
                let plain = (start..at).map(|place| sent[place] ^ mask[(place - start) % 4]);
                text.bytes.extend(plain);
                text.places.extend(start..at);
                if let Some(wrong) = text.wrong() {
                    return Some(wrong);
                }
                if ended && header.is_final && std::str::from_utf8(&text.bytes).is_err() {
                    return Some(at - 1);
                }
            }
            if ended && header.is_final {
                open = None;
            }
        }
        if !ended {
            break;
        }
    }
    None
}
