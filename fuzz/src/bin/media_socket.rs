//! What reaches the desktop's socket for video, to which any program of this computer's and any page in a browser may
//! connect: the handshake, and what is said once it is over. `$TOKEN` stands for a token that nobody can guess.
#![no_main]

use std::io::{self, Read, Write};

use tokio_tungstenite::tungstenite::{Message, accept_hdr_with_config, protocol::WebSocketConfig};

// Without the rest of the desktop, which needs a web view to be built.
#[allow(dead_code, reason = "the other direction is not read here")]
#[path = "../../../src-tauri/src/media_socket/handshake.rs"]
mod handshake;
#[allow(dead_code, reason = "tokens are only used here")]
#[path = "../../../src-tauri/src/media_socket/tokens.rs"]
mod tokens;
#[allow(dead_code, reason = "the other direction is not read here")]
#[path = "../../../src-tauri/src/media_socket/wire.rs"]
mod wire;

/// As the socket has it.
const LONGEST_MESSAGE: usize = 1024;

/// A connection that says this and hangs up.
struct Said<'a>(&'a [u8]);

impl Read for Said<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        self.0.read(buffer)
    }
}

impl Write for Said<'_> {
    fn write(&mut self, data: &[u8]) -> io::Result<usize> {
        Ok(data.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

libfuzzer_sys::fuzz_target!(|data: &[u8]| {
    let tokens = tokens::Tokens::default();
    let token = tokens.issue();
    let data = replaced(data, token.as_bytes());
    let config = WebSocketConfig::default()
        .max_message_size(Some(LONGEST_MESSAGE))
        .max_frame_size(Some(LONGEST_MESSAGE));
    #[allow(
        clippy::result_large_err,
        reason = "the callback's type is tungstenite's"
    )]
    let check = |request: &_, response| {
        handshake::check(request, response, &tokens).map_err(|refusal| *refusal)
    };
    let Ok(mut socket) = accept_hdr_with_config(Said(&data), check, Some(config)) else {
        return;
    };
    assert!(
        !tokens.redeem(&token),
        "nobody comes in without one, nor twice"
    );
    let has = |part: &[u8]| data.windows(part.len()).any(|found| found == part);
    assert!(has(b"tauri"), "nor from another page");
    while let Ok(message) = socket.read() {
        if let Message::Text(text) = message {
            assert!(text.len() <= LONGEST_MESSAGE);
            let _ = serde_json::from_str::<wire::WorkerSays>(&text);
        }
    }
});

/// The bytes with the token in the place of the first `$TOKEN`.
fn replaced(data: &[u8], token: &[u8]) -> Vec<u8> {
    const NAME: &[u8] = b"$TOKEN";
    let Some(at) = data.windows(NAME.len()).position(|part| part == NAME) else {
        return data.to_vec();
    };
    [&data[..at], token, &data[at + NAME.len()..]].concat()
}
