//! The server tries itself out, and says in plain words what works: for whoever has started it, and for `doctor`.

mod checks;
mod reach;

use serde::{Deserialize, Serialize};

pub use checks::Examined;

/// What is looked at, in the order in which it is said.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Check {
    /// The server has started.
    Start,
    /// The database can be written.
    Database,
    /// The certificate is good, and until when.
    Certificate,
    /// Calls are passed on through firewalls.
    Relay,
    /// Programs on this computer reach the server.
    ThisComputer,
    /// Other computers on the same network do.
    ThisNetwork,
    /// The rest of the world does.
    Outside,
}

impl Check {
    /// What it is called in a line.
    #[must_use]
    pub fn label(self) -> &'static str {
        match self {
            Self::Start => "Start",
            Self::Database => "Database",
            Self::Certificate => "Certificate",
            Self::Relay => "Call relay",
            Self::ThisComputer => "This computer",
            Self::ThisNetwork => "This network",
            Self::Outside => "From outside",
        }
    }
}

/// How a check went.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Verdict {
    /// It works.
    Good,
    /// It is so by choice, or cannot be found out from here.
    Note,
    /// It does not work, and should.
    Bad,
}

/// What one check has found.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Finding {
    /// What was looked at.
    pub check: Check,
    /// How it went.
    pub verdict: Verdict,
    /// What was found, and what to do about it.
    pub sentence: String,
}

impl Finding {
    /// What a check has found.
    #[must_use]
    pub fn new(check: Check, verdict: Verdict, sentence: impl Into<String>) -> Self {
        Self {
            check,
            verdict,
            sentence: sentence.into(),
        }
    }
}

/// What all checks have found.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Report {
    /// One for each check.
    pub findings: Vec<Finding>,
}

impl Report {
    /// Of a server that has not started, for this reason.
    #[must_use]
    pub fn not_started(why: impl ToString) -> Self {
        Self {
            findings: vec![Finding::new(Check::Start, Verdict::Bad, why.to_string())],
        }
    }

    /// Whether all that should work does.
    #[must_use]
    pub fn is_well(&self) -> bool {
        self.bad().next().is_none()
    }

    /// What should work and does not.
    pub fn bad(&self) -> impl Iterator<Item = &Finding> {
        let bad = |finding: &&Finding| finding.verdict == Verdict::Bad;
        self.findings.iter().filter(bad)
    }

    /// A line for each finding.
    #[must_use]
    pub fn lines(&self) -> String {
        let line = |finding: &Finding| {
            let mark = match finding.verdict {
                Verdict::Good => "ok  ",
                Verdict::Note => "note",
                Verdict::Bad => "FAIL",
            };
            let label = finding.check.label();
            format!("  {mark}  {label:<13}  {}\n", finding.sentence)
        };
        self.findings.iter().map(line).collect()
    }
}
