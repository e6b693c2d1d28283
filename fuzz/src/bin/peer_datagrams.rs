//! Datagrams that reach the port of a call, whoever has sent them.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| vireo_call::peer::fuzz::datagrams(data));
