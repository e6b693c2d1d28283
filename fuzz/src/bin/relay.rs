//! Packets that reach the STUN and TURN server.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| vireo_server::fuzz::relay(data));
