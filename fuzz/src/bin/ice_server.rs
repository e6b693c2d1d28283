//! The address of a STUN or TURN server that the server hands out.
#![no_main]

libfuzzer_sys::fuzz_target!(|text: &str| vireo_call::peer::fuzz::ice_server(text));
