//! RTP and RTCP packets of the other side's of a call, after decryption, and of a caller of the Echo test.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| vireo_call::peer::fuzz::packets(data));
