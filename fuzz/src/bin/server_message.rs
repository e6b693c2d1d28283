//! A message of a server's, as a client reads it.
#![no_main]

use vireo_protocol::ServerMessage;

libfuzzer_sys::fuzz_target!(|data: &[u8]| {
    if let Ok(message) = serde_json::from_slice::<ServerMessage>(data) {
        let again = serde_json::to_vec(&message).expect("what was read can be written");
        let again: ServerMessage = serde_json::from_slice(&again).expect("and read again");
        assert_eq!(again, message);
    }
});
