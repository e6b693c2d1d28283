//! Addresses of servers and invitations, as people hand them to each other.
#![no_main]

use std::fmt::{Debug, Display};
use std::str::FromStr;

use vireo_protocol::{Fingerprint, InviteLink, ServerAddress};

libfuzzer_sys::fuzz_target!(|text: &str| {
    read::<ServerAddress>(text);
    read::<Fingerprint>(text);
    if let Some(link) = read::<InviteLink>(text)
        && let Some(own) = link.in_vireo()
    {
        assert_eq!(own.parse().as_ref(), Ok(&link), "both forms are the same");
    }
});

/// What was read is written so that it can be read again.
fn read<T: FromStr<Err: Debug + PartialEq> + Display + Debug + PartialEq>(text: &str) -> Option<T> {
    let read: T = text.parse().ok()?;
    assert_eq!(read.to_string().parse().as_ref(), Ok(&read));
    Some(read)
}
