//! What the person at the terminal reads when the server has started. It goes to standard error, and only to a terminal: a
//! log is no place for secrets and addresses, and a program reads standard output.

use std::io::{IsTerminal, Write};

use vireo_protocol::InviteLink;

use super::qr::qr_code;

/// The first invitation, to be clicked and to be photographed.
pub fn invitation(invite: &InviteLink) {
    let link = invite.to_string();
    let code = qr_code(&link).unwrap_or_default();
    tell(&format!(
        "Nobody has an account here yet. Whoever opens this invitation first runs the server:\n\n    {link}\n\n{code}\n"
    ));
}

fn tell(text: &str) {
    if !std::io::stderr().is_terminal() {
        return;
    }
    // Windows' older terminals have to be asked for colours, and some people want none at all.
    let mut stderr = anstream::stderr().lock();
    let _ = stderr.write_all(text.as_bytes());
    let _ = stderr.flush();
}
