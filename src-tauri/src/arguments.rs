//! The command line.

use std::path::PathBuf;

use clap::Parser;

/// Starts without a window.
pub const IN_TRAY: &str = "--in-tray";

/// Video calls people prefer.
#[derive(Debug, Clone, Parser)]
#[command(name = "vireo", version)]
pub struct Arguments {
    /// Keep account and settings in this folder, so that several people can use one computer account.
    #[arg(long, value_name = "DIR")]
    pub profile: Option<PathBuf>,

    /// Use this server instead of the one inside Vireo.
    #[arg(long, value_name = "URL")]
    pub server: Option<String>,

    /// Where there is no camera, microphone or speaker, let a test picture, a tone and silence stand in.
    #[arg(long)]
    pub stand_ins: bool,

    /// Start in the tray, without a window.
    #[arg(long)]
    pub in_tray: bool,

    /// An invitation to open: vireo://… or the same as https://…
    #[arg(value_name = "LINK")]
    pub link: Option<String>,
}
