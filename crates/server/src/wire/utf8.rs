//! Whether bytes that come one by one are UTF-8.

/// Where in a code point the next byte lies, as the decoder of the WHATWG's Encoding Standard (§8.1.1) has it.
#[derive(Debug)]
pub struct Utf8 {
    /// So many bytes the code point still needs.
    needed: u8,
    /// What the next of them may be. Only a second byte is bounded more narrowly than others: that rules out overlong forms,
    /// surrogates, and what lies above U+10FFFF.
    lower: u8,
    upper: u8,
}

impl Utf8 {
    /// Between two code points.
    pub const fn new() -> Self {
        Self {
            needed: 0,
            lower: 0x80,
            upper: 0xbf,
        }
    }

    /// Whether the bytes so far are whole code points.
    pub const fn is_whole(&self) -> bool {
        self.needed == 0
    }

    /// Takes the next bytes. Returns which of them is the first that may not be there; after it nothing means anything.
    pub fn take(&mut self, bytes: &[u8]) -> Option<usize> {
        // Most text is, and that is seen many bytes at a time.
        if self.is_whole() && bytes.is_ascii() {
            return None;
        }
        bytes.iter().position(|byte| !self.take_byte(*byte))
    }

    fn take_byte(&mut self, byte: u8) -> bool {
        if self.needed > 0 {
            let fits = (self.lower..=self.upper).contains(&byte);
            *self = Self {
                needed: self.needed - 1,
                ..Self::new()
            };
            return fits;
        }
        let (needed, lower, upper) = match byte {
            0x00..=0x7f => return true,
            0xc2..=0xdf => (1, 0x80, 0xbf),
            0xe0 => (2, 0xa0, 0xbf),
            0xed => (2, 0x80, 0x9f),
            0xe1..=0xef => (2, 0x80, 0xbf),
            0xf0 => (3, 0x90, 0xbf),
            0xf1..=0xf3 => (3, 0x80, 0xbf),
            0xf4 => (3, 0x80, 0x8f),
            0x80..=0xc1 | 0xf5..=0xff => return false,
        };
        *self = Self {
            needed,
            lower,
            upper,
        };
        true
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::wire::frames::judge::first_wrong;

    fn judge(text: &[u8]) -> (Option<usize>, bool) {
        let mut utf8 = Utf8::new();
        let wrong = text.iter().position(|byte| utf8.take(&[*byte]).is_some());
        assert_eq!(Utf8::new().take(text), wrong, "{text:x?}");
        (wrong, utf8.is_whole())
    }

    #[test]
    fn every_start_is_judged_as_the_standard_library_does() {
        // Beyond the second byte what matters are the bounds.
        let later = [0x00, 0x7f, 0x80, 0xbf, 0xc0, 0xff];
        for first in 0..=255 {
            for second in 0..=255 {
                for third in later {
                    for fourth in later {
                        let text = [first, second, third, fourth];
                        let (wrong, whole) = judge(&text);
                        assert_eq!(wrong, first_wrong(&text), "{text:x?}");
                        let is_text = std::str::from_utf8(&text).is_ok();
                        assert_eq!(wrong.is_none() && whole, is_text, "{text:x?}");
                    }
                }
            }
        }
    }

    #[test]
    fn every_character_is_text() {
        for character in '\0'..=char::MAX {
            let text = character.to_string();
            assert_eq!(judge(text.as_bytes()), (None, true), "{text:?}");
        }
    }

    #[test]
    fn what_can_be_no_text_is_noticed_at_once() {
        let overlong: [&[u8]; 3] = [b"\xc0\xaf", b"\xe0\x9f", b"\xf0\x8f"];
        assert_eq!(
            overlong.map(|text| judge(text).0),
            [Some(0), Some(1), Some(1)]
        );
        let surrogate = b"a\xed\xa0\x80";
        assert_eq!(judge(surrogate).0, Some(2));
        let beyond = b"\xf4\x90\x80\x80";
        assert_eq!(judge(beyond).0, Some(1));
        let cut_short = "€".as_bytes().split_last().expect("three bytes").1;
        assert_eq!(judge(cut_short), (None, false));
    }
}
