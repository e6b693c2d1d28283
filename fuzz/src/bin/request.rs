//! A text message of the WebSocket.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| vireo_server::fuzz::request(data));
