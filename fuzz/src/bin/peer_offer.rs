//! An offer of the other side's and its candidates, as the whole connection takes them.
#![no_main]

libfuzzer_sys::fuzz_target!(|text: &str| vireo_call::peer::fuzz::offer(text));
