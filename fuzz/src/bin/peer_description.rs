//! The other side's session description, as a client reads it.
#![no_main]

libfuzzer_sys::fuzz_target!(|text: &str| vireo_call::peer::fuzz::description(text));
