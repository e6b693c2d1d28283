//! Addresses that people hand to each other: where a server is, by what to know it, and an invitation to it.

use std::fmt;
use std::str::FromStr;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;

/// What an address says before the fingerprint of the server's certificate.
const PIN: &str = "sha256=";

/// The path of an invitation.
const INVITE_PATH: &str = "/i";

/// The scheme by which the system hands an invitation to Vireo.
const OWN_SCHEME: &str = "vireo://";

/// By what a server is known that no authority vouches for: the SHA-256 of its certificate (DER).
/// Written in base64url (RFC 4648 §5) without padding.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Fingerprint(pub [u8; 32]);

impl fmt::Display for Fingerprint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&URL_SAFE_NO_PAD.encode(self.0))
    }
}

/// The text is not what it should be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Malformed;

impl fmt::Display for Malformed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("this is not an address of Vireo's")
    }
}

impl std::error::Error for Malformed {}

impl FromStr for Fingerprint {
    type Err = Malformed;

    fn from_str(text: &str) -> Result<Self, Malformed> {
        let bytes = URL_SAFE_NO_PAD.decode(text).map_err(|_| Malformed)?;
        bytes.try_into().map(Self).map_err(|_| Malformed)
    }
}

/// Where a server is: `https://host:7450#sha256=FINGERPRINT`. Without the fragment the usual authorities have to vouch for
/// the server; `http://` is for one on this computer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ServerAddress {
    /// `https://host:port` or `http://host:port`, with a path where a proxy serves it below one.
    pub url: String,
    /// By what the server is known.
    pub fingerprint: Option<Fingerprint>,
}

impl fmt::Display for ServerAddress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.url)?;
        match self.fingerprint {
            Some(fingerprint) => write!(f, "#{PIN}{fingerprint}"),
            None => Ok(()),
        }
    }
}

impl FromStr for ServerAddress {
    type Err = Malformed;

    fn from_str(text: &str) -> Result<Self, Malformed> {
        let text = text.trim();
        let (url, fragment) = match text.split_once('#') {
            Some((url, fragment)) => (url, Some(fragment)),
            None => (text, None),
        };
        // A fragment that is no fingerprint must not be mistaken for none at all.
        let fingerprint = fragment
            .map(|fragment| fragment.strip_prefix(PIN).ok_or(Malformed)?.parse())
            .transpose()?;
        if fingerprint.is_some() && !url.starts_with("https://") {
            return Err(Malformed);
        }
        Ok(Self {
            url: url_without_end(url)?.to_owned(),
            fingerprint,
        })
    }
}

/// An invitation: `https://host:7450/i?fp=FINGERPRINT#TOKEN`. A browser that opens it does not send the token, so that
/// nothing is used up by looking at it. `vireo://host:7450/i?fp=FINGERPRINT#TOKEN` is the same.
#[derive(Clone, PartialEq, Eq)]
pub struct InviteLink {
    /// The server that it is for.
    pub server: ServerAddress,
    /// The secret part.
    pub token: String,
}

impl InviteLink {
    /// The form that opens Vireo itself; none for a server without encryption.
    #[must_use]
    pub fn in_vireo(&self) -> Option<String> {
        let whole = self.to_string();
        let rest = whole.strip_prefix("https://")?;
        Some(format!("{OWN_SCHEME}{rest}"))
    }
}

impl fmt::Display for InviteLink {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}{INVITE_PATH}", self.server.url)?;
        if let Some(fingerprint) = self.server.fingerprint {
            write!(f, "?fp={fingerprint}")?;
        }
        write!(f, "#{}", self.token)
    }
}

impl FromStr for InviteLink {
    type Err = Malformed;

    fn from_str(text: &str) -> Result<Self, Malformed> {
        let text = text.trim();
        let secure = text
            .strip_prefix(OWN_SCHEME)
            .map(|rest| format!("https://{rest}"));
        let text = secure.as_deref().unwrap_or(text);
        let (address, token) = text.split_once('#').ok_or(Malformed)?;
        let of_token = |b: u8| b.is_ascii_alphanumeric() || b == b'-' || b == b'_';
        if token.is_empty() || token.len() > 256 || !token.bytes().all(of_token) {
            return Err(Malformed);
        }
        let (address, query) = match address.split_once('?') {
            Some((address, query)) => (address, query),
            None => (address, ""),
        };
        let pinned = query.split('&').find_map(|pair| pair.strip_prefix("fp="));
        let fingerprint = pinned.map(str::parse).transpose()?;
        let url = address.strip_suffix(INVITE_PATH).ok_or(Malformed)?;
        Ok(Self {
            server: ServerAddress {
                url: url_without_end(url)?.to_owned(),
                fingerprint,
            },
            token: token.to_owned(),
        })
    }
}

/// The URL without the slash at its end, when it names a host by HTTP and holds nothing that would not survive being
/// written down and read again.
fn url_without_end(url: &str) -> Result<&str, Malformed> {
    let rest = url
        .strip_prefix("https://")
        .or_else(|| url.strip_prefix("http://"));
    let host = rest.and_then(|rest| rest.split('/').next());
    let strange = |c: char| c.is_whitespace() || c.is_control() || ['?', '#', '@'].contains(&c);
    match host {
        Some(host) if !host.is_empty() && !url.contains(strange) => Ok(url.trim_end_matches('/')),
        _ => Err(Malformed),
    }
}

impl fmt::Debug for InviteLink {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("InviteLink { .. }") // Whoever has the token may come in.
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const PRINT: &str = "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8";

    fn fingerprint() -> Fingerprint {
        Fingerprint(std::array::from_fn(|n| n as u8))
    }

    #[test]
    fn an_address_with_and_without_a_fingerprint() {
        let pinned = format!("https://192.0.2.1:7450#sha256={PRINT}");
        let address: ServerAddress = pinned.parse().expect("well-formed");
        assert_eq!(address.url, "https://192.0.2.1:7450");
        assert_eq!(address.fingerprint, Some(fingerprint()));
        assert_eq!(address.to_string(), pinned);
        let plain: ServerAddress = " http://127.0.0.1:1/ ".parse().expect("well-formed");
        assert_eq!(plain.to_string(), "http://127.0.0.1:1");
    }

    #[test]
    fn an_address_that_is_none() {
        for wrong in [
            "",
            "host:7450",
            "ftp://host",
            "https://",
            "https://host#",
            "https://host#sha256=",
            "https://host#sha256=AAAA",
            "https://host#nonsense",
            "https://user@host",
            "https://host?query",
            "https://host\u{c}/",
            "https://host\u{0}",
            &format!("https://host\u{a0}#sha256={PRINT}"),
            &format!("http://host#sha256={PRINT}"),
        ] {
            assert_eq!(wrong.parse::<ServerAddress>(), Err(Malformed), "{wrong}");
        }
    }

    #[test]
    fn an_invitation_in_both_forms() {
        let link = InviteLink {
            server: ServerAddress {
                url: "https://[2001:db8::1]:7450".to_owned(),
                fingerprint: Some(fingerprint()),
            },
            token: "a-token_0".to_owned(),
        };
        let web = format!("https://[2001:db8::1]:7450/i?fp={PRINT}#a-token_0");
        let own = format!("vireo://[2001:db8::1]:7450/i?fp={PRINT}#a-token_0");
        assert_eq!(link.to_string(), web);
        assert_eq!(link.in_vireo().as_deref(), Some(own.as_str()));
        assert_eq!(web.parse().as_ref(), Ok(&link));
        assert_eq!(own.parse().as_ref(), Ok(&link));
        assert!(!format!("{link:?}").contains("a-token_0"));
        let below = "https://example.org/vireo/i#t".parse::<InviteLink>();
        let below = below.expect("well-formed");
        assert_eq!(below.server.url, "https://example.org/vireo");
        assert_eq!(below.server.fingerprint, None);
    }

    #[test]
    fn an_invitation_that_is_none() {
        for wrong in [
            "",
            "https://host/i",
            "https://host/i#",
            "https://host/j#token",
            "https://host/i?fp=AAAA#token",
            "https://host/i#tok en",
            "vireo:///i#token",
            "https://host/i#token#more",
        ] {
            assert_eq!(wrong.parse::<InviteLink>(), Err(Malformed), "{wrong}");
        }
    }

    proptest! {
        #[test]
        fn no_text_is_too_strange(text in ".*") {
            let _ = text.parse::<ServerAddress>();
            let _ = text.parse::<InviteLink>();
        }
    }
}
