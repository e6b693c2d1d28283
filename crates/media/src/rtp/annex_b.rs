//! H.264's byte stream form (ITU-T H.264 annex B): NAL units, each after a start code of three or four bytes.

/// The NAL units of an access unit, without start codes; none is empty.
pub fn units(data: &[u8]) -> impl Iterator<Item = &[u8]> {
    let mut rest = start(data).map(|(_, after)| &data[after..]);
    std::iter::from_fn(move || {
        let from = rest?;
        let (unit, next) = match start(from) {
            Some((before, after)) => (&from[..before], Some(&from[after..])),
            None => (from, None),
        };
        rest = next;
        // A unit never ends in a zero; those that follow it belong to the byte stream.
        let end = unit
            .iter()
            .rposition(|&byte| byte != 0)
            .map_or(0, |last| last + 1);
        Some(&unit[..end])
    })
    .filter(|unit| !unit.is_empty())
}

/// Where the next start code begins and where it ends.
fn start(data: &[u8]) -> Option<(usize, usize)> {
    let mut at = 0;
    // A third byte over 1 cannot be part of a start code that begins within these three.
    while at + 3 <= data.len() {
        match data[at + 2] {
            1 if data[at] == 0 && data[at + 1] == 0 => {
                return Some((at, at + 3));
            }
            0 => at += 1,
            _ => at += 3,
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn units_are_found_after_both_start_codes() {
        let data = [
            0, 0, 0, 1, 0x67, 1, 2, 0, 0, 1, 0x68, 0, 0, 3, 0, 0, 0, 1, 0x65, 0xff,
        ];
        let found: Vec<&[u8]> = units(&data).collect();
        assert_eq!(
            found,
            [&[0x67, 1, 2][..], &[0x68, 0, 0, 3][..], &[0x65, 0xff][..]]
        );
    }

    #[test]
    fn nothing_comes_of_nothing() {
        for data in [
            &[][..],
            &[1],
            &[0, 0, 1],
            &[0, 0, 0, 1],
            &[0, 0, 1, 0, 0, 1],
            &[5, 6, 7, 8],
        ] {
            assert_eq!(units(data).count(), 0, "{data:?}");
        }
    }
}
