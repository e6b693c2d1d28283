//! What the person at the terminal reads when the server has started. It goes to standard error, and only to a terminal: a
//! log is no place for secrets and addresses, and a program reads standard output.

use std::io::{IsTerminal, Write};

use vireo_protocol::InviteLink;

use super::qr::qr_code;
use crate::self_test::Report;

/// The first invitation, to be clicked and to be photographed.
pub fn invitation(invite: &InviteLink) {
    let link = invite.to_string();
    let code = qr_code(&link).unwrap_or_default();
    tell(&format!(
        "Nobody has an account here yet. Whoever opens this invitation first runs the server:\n\n    {link}\n\n{code}\n"
    ));
}

/// How the server is: in full at a terminal; in the log what does not work, without addresses.
pub fn report(report: &Report) {
    for finding in report.bad() {
        let check = finding.check.label();
        tracing::warn!(check, "does not work as it should: see vireo-server doctor");
    }
    tell(&format!("\n{}\n", report.lines()));
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
