//! A candidate of the other side's, as a client reads it.
#![no_main]

libfuzzer_sys::fuzz_target!(|text: &str| vireo_call::peer::fuzz::candidate(text));
