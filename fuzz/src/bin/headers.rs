//! The headers of an HTTP request, proxies' included.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| vireo_server::fuzz::headers(data));
