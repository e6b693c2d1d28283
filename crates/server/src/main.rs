//! `vireo-server`: the server as a program.

use std::process::ExitCode;

#[tokio::main]
async fn main() -> ExitCode {
    vireo_server::program::run().await
}
