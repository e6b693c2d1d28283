//! `vireo-server doctor`: how the server is.

use std::io::Write;
use std::path::Path;

use clap::Args;

use super::Common;
use super::options::Options as ServeOptions;
use crate::config::Config;
use crate::doctor::ask;
use crate::self_test::Report;
use crate::serve::{Server, lock_data};
use crate::start_error::StartError;

/// How to say it.
#[derive(Debug, Args)]
pub struct Options {
    /// Say it for programs: one JSON object
    #[arg(long)]
    json: bool,
}

/// Prints what the running server finds when it tries itself out. Where none runs, one with these options is started for a
/// moment, exactly as it would serve.
///
/// # Errors
/// A sentence, when something does not work as it should; the exit status then says so.
pub async fn run(common: &Common, serve: ServeOptions, options: &Options) -> Result<(), String> {
    let data = common.data()?;
    let report = match lock_data(&data) {
        Err(StartError::InUse(_)) => match ask(&data).await {
            Some(report) => report,
            None => Report::not_started(silent(&data)),
        },
        Err(error) => Report::not_started(error),
        Ok(lock) => {
            drop(lock);
            let config = Config {
                database: common.database()?,
                ..serve.config(data.clone())?
            };
            tell(
                options,
                "No server runs with this data. One is started for a moment, to try it out.",
            );
            try_out(config).await
        }
    };
    let text = match options.json {
        true => serde_json::json!(report).to_string() + "\n",
        false => report.lines(),
    };
    let _ = write!(std::io::stdout(), "{text}");
    match report.is_well() {
        true => Ok(()),
        false => Err("Something does not work as it should: see what has failed above.".to_owned()),
    }
}

async fn try_out(config: Config) -> Report {
    match Server::start(config).await {
        Ok(server) => {
            let report = server.self_test().await;
            server.shutdown().await;
            report
        }
        Err(error) => Report::not_started(error),
    }
}

fn silent(data: &Path) -> String {
    format!(
        "a server uses the data in {}, but does not answer. Wait a moment if it has only just been started; else stop it and \
         start it again.",
        data.display()
    )
}

fn tell(options: &Options, sentence: &str) {
    if !options.json {
        let _ = writeln!(std::io::stdout(), "{sentence}\n");
    }
}
