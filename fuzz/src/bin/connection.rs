//! The bytes of a connection to the server: HTTP, and the WebSocket that it may become.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| vireo_server::fuzz::connection(data));
