//! The log, on standard error.

use std::io::IsTerminal;

use clap::ValueEnum;
use tracing_subscriber::EnvFilter;

/// The environment variable that says what is logged, such as `debug` or `vireo_server=trace`.
const LOG_VARIABLE: &str = "VIREO_LOG";

/// What is logged when nothing else is said: what Vireo says, not what its libraries do, which may hold addresses.
pub const USUAL: &str = "vireo=info,sqlx=warn";

/// What is logged when the program itself says how things are.
pub const QUIET: &str = "off";

/// How a line of the log looks.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum LogForm {
    /// A line to read.
    Text,
    /// A JSON object a line.
    Json,
}

/// Begins to log: what the environment says, else this.
pub fn start(form: LogForm, usual: &str) {
    let filter = EnvFilter::try_from_env(LOG_VARIABLE).unwrap_or_else(|_| EnvFilter::new(usual));
    let log = tracing_subscriber::fmt()
        .with_writer(std::io::stderr)
        .with_env_filter(filter);
    match form {
        LogForm::Text => log.with_ansi(std::io::stderr().is_terminal()).init(),
        LogForm::Json => log.json().init(),
    }
}
