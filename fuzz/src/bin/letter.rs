//! What servers of one service leave for each other in Redis.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| vireo_server::fuzz::letter(data));
