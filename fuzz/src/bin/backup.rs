//! A file given to `vireo-server restore`.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| vireo_server::fuzz::backup(data));
