//! What a client sends over its WebSocket: text is followed byte by byte.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| vireo_server::fuzz::text(data));
