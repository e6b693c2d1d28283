//! Finds out whether chance is guided here: without counters the first bytes would take 2^32 tries, without a look at what
//! is compared the rest as many again. `cargo xtask fuzz` runs it first and wants it to fail.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| {
    if let [b'f', b'a', b'r', b'!', rest @ ..] = data
        && let Ok(rest) = rest.try_into()
    {
        assert_ne!(u32::from_le_bytes(rest), 0x5EED_CAFE, "found");
    }
});
