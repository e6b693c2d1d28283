//! An invitation as the window shows it: the link, how far it leads, and the same as a QR code (ISO/IEC 18004).

use std::{
    fmt::Write as _,
    net::{IpAddr, Ipv4Addr},
};

use qrcode::{Color, EcLevel, QrCode};
use serde::Serialize;
use ts_rs::TS;

/// An invitation to give away.
#[derive(Clone, PartialEq, Eq, Serialize, TS)]
#[serde(rename_all = "camelCase")]
pub struct InviteView {
    /// The link. Whoever has it may come in.
    pub link: String,
    /// The same, to be photographed; null where it is too long for that.
    pub qr: Option<QrView>,
    /// From where it leads to the server.
    pub reach: Reach,
    /// So many people may use it.
    pub people: u32,
    /// For so many days.
    pub days: u32,
}

/// A QR code without its quiet zone.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, TS)]
pub struct QrView {
    /// So many modules wide and high.
    pub size: u32,
    /// Its dark modules as the path of an SVG, one unit each.
    pub path: String,
}

/// From where a link leads to its server.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, TS)]
#[serde(rename_all = "camelCase")]
pub enum Reach {
    /// From this computer alone.
    Computer,
    /// From the same network.
    Network,
    /// From everywhere, as far as is known.
    Everywhere,
}

impl Reach {
    /// How far this host is known.
    pub fn of(host: &str) -> Self {
        let plain = host.trim_start_matches('[').trim_end_matches(']');
        match plain
            .parse::<IpAddr>()
            .map(|address| address.to_canonical())
        {
            Ok(address) if address.is_loopback() => Self::Computer,
            Ok(IpAddr::V4(v4)) if v4.is_private() || v4.is_link_local() || is_shared(v4) => {
                Self::Network
            }
            // Unique local and link-local addresses (RFC 4193, RFC 4291).
            Ok(IpAddr::V6(v6)) if v6.is_unique_local() || v6.is_unicast_link_local() => {
                Self::Network
            }
            Err(_) if plain == "localhost" => Self::Computer,
            _ => Self::Everywhere,
        }
    }
}

/// What a provider hands out behind its own router (RFC 6598).
fn is_shared(address: Ipv4Addr) -> bool {
    matches!(address.octets(), [100, 64..128, ..])
}

impl QrView {
    /// The text as a code. A screen is never dirty or torn, so that it has the least redundancy there is.
    pub fn of(text: &str) -> Option<Self> {
        let code = QrCode::with_error_correction_level(text, EcLevel::L).ok()?;
        let width = code.width();
        let mut path = String::new();
        for (y, row) in code.to_colors().chunks(width).enumerate() {
            let mut x = 0;
            for run in row.chunk_by(|one, other| one == other) {
                if run[0] == Color::Dark {
                    let _ = write!(path, "M{x} {y}h{0}v1h-{0}z", run.len());
                }
                x += run.len();
            }
        }
        let size = u32::try_from(width).ok()?;
        Some(Self { size, path })
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn how_far_a_link_leads() {
        for (host, reach) in [
            ("127.0.0.1", Reach::Computer),
            ("localhost", Reach::Computer),
            ("[::1]", Reach::Computer),
            ("192.168.178.20", Reach::Network),
            ("10.0.0.7", Reach::Network),
            ("100.64.0.1", Reach::Network),
            ("[fd00::7]", Reach::Network),
            ("[fe80::1]", Reach::Network),
            ("203.0.113.9", Reach::Everywhere),
            ("[2001:db8::1]", Reach::Everywhere),
            ("vireo.example.org", Reach::Everywhere),
        ] {
            assert_eq!(Reach::of(host), reach, "{host}");
        }
    }

    /// What a camera reads from the code.
    fn photographed(code: &QrView) -> String {
        // Pixels of a module, and modules of the quiet zone.
        const SCALE: usize = 4;
        const QUIET: usize = 4;
        let mut dark = BTreeSet::new();
        for run in code.path.split_terminator('z') {
            let number = |text: &str| text.parse::<usize>().expect("a number");
            let (place, shape) = run[1..].split_once('h').expect("a run");
            let (x, y) = place.split_once(' ').expect("a place");
            let (length, _) = shape.split_once('v').expect("a length");
            let from = number(x);
            dark.extend((from..from + number(length)).map(|x| (x, number(y))));
        }
        let side = (code.size as usize + 2 * QUIET) * SCALE;
        let mut picture = rqrr::PreparedImage::prepare_from_greyscale(side, side, |x, y| {
            let module = |pixel: usize| (pixel / SCALE).wrapping_sub(QUIET);
            if dark.contains(&(module(x), module(y))) {
                0
            } else {
                255
            }
        });
        let grids = picture.detect_grids();
        let (_, text) = grids.first().expect("a code").decode().expect("readable");
        text
    }

    #[test]
    fn a_code_is_drawn_in_runs_and_can_be_read() {
        let link =
            "https://192.0.2.1:7450/i?fp=AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8#abcdefghijkl";
        let code = QrView::of(link).expect("short enough");
        // The first row begins with the finder pattern: seven dark modules.
        assert!(code.path.starts_with("M0 0h7v1h-7z"), "{}", code.path);
        assert!(code.size > 20 && code.size < 80, "{}", code.size);
        assert_eq!(photographed(&code), link);
        assert_eq!(QrView::of(&"x".repeat(5000)), None);
    }
}
