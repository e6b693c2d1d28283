//! A picture that somebody wishes to be seen with.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| vireo_server::fuzz::avatar(data));
