//! A QR code (ISO/IEC 18004) in a terminal.

use qrcode::render::unicode::Dense1x2;
use qrcode::{EcLevel, QrCode};

/// Black on white, whatever the terminal's colours are: of the 256 colours, those that no theme changes.
const BLACK_ON_WHITE: &str = "\x1b[38;5;16;48;5;231m";
const RESET: &str = "\x1b[0m";

/// The text as a QR code, two of its rows in a line, with its quiet zone. Nothing where the text is too long for one.
///
/// A link takes some 50 columns and half as many lines. A screen is never dirty or torn, so that the code has the least
/// redundancy there is, and with it the fewest modules.
#[must_use]
pub fn qr_code(text: &str) -> Option<String> {
    let code = QrCode::with_error_correction_level(text, EcLevel::L).ok()?;
    let drawn = code.render::<Dense1x2>().build();
    let lines = drawn.lines();
    Some(
        lines
            .map(|line| format!("{BLACK_ON_WHITE}{line}{RESET}\n"))
            .collect(),
    )
}
