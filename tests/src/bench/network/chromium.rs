//! A call of two headless Chromium, each in its home. The page and the relay for its messages are in the middle.

use std::process::Stdio;

use anyhow::{Context as _, Result};
use tokio::io::{AsyncBufReadExt as _, AsyncReadExt as _, BufReader};
use tokio::process::{Child, Command};

use super::{CONTENT, MAX_BITRATE, Side};
use crate::bench::page::{self, Seen};
use crate::binaries::binary;
use crate::chromium::Chromium;
use crate::devtools::Page;
use crate::network::{Computer, Network, SERVER};
use crate::pages;

/// What the program that measures is told when it is to be the server of the pages.
pub const SERVE_PAGES: &str = "--serve-pages";

/// A call that goes on.
pub(super) struct Call {
    browsers: [Chromium; 2],
    sides: [Page; 2],
    /// Killed when dropped.
    _pages: Child,
}

impl Call {
    /// The first home calls the other one; comes back when pictures have come both ways.
    pub async fn start(network: &Network, homes: &[Computer; 2]) -> Result<Self> {
        let (pages, url) = start_pages(network.middle()).await?;
        let browsers = [
            Chromium::launch_on(&homes[0]).await?,
            Chromium::launch_on(&homes[1]).await?,
        ];
        let sides = [browsers[0].open(&url).await?, browsers[1].open(&url).await?];
        let options = page::Options {
            max_bitrate: MAX_BITRATE,
            shown: false,
            stamped: true,
            coded: false,
            every_address: true,
        };
        page::connect(&sides, options).await?;
        Ok(Self {
            browsers,
            sides,
            _pages: pages,
        })
    }

    /// The roots of both sides' processes.
    pub fn roots(&self) -> Result<[u32; 2]> {
        let [one, other] = &self.browsers;
        let gone = "chromium has ended";
        Ok([
            one.process_id().context(gone)?,
            other.process_id().context(gone)?,
        ])
    }

    /// Ends it; gives what both sides saw.
    pub async fn end(self) -> Result<[Side; 2]> {
        Ok([seen(&self.sides[0]).await?, seen(&self.sides[1]).await?])
    }
}

async fn seen(page: &Page) -> Result<Side> {
    let Seen {
        pictures, received, ..
    } = Seen::read(page).await?;
    Ok(Side { pictures, received })
}

/// Starts the server of the pages; gives its address, too.
async fn start_pages(middle: &Computer) -> Result<(Child, String)> {
    let mut pages = Command::from(middle.command(binary("bench_network")?))
        .arg(SERVE_PAGES)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .kill_on_drop(true)
        .spawn()?;
    let stdout = pages.stdout.take().context("the pipe was asked for")?;
    let mut url = String::new();
    BufReader::new(stdout).read_line(&mut url).await?;
    Ok((pages, url.trim().to_owned()))
}

/// Serves the pages in the middle of a network and prints their address; ends with its standard input.
///
/// # Errors
/// When no port can be opened.
pub async fn serve_pages() -> Result<()> {
    let url = pages::serve_at(SERVER, page::routes(page::pictures(CONTENT.pattern()))).await?;
    #[allow(clippy::print_stdout, reason = "whoever started it reads it there")]
    {
        println!("{url}");
    }
    tokio::io::stdin().read_to_end(&mut Vec::new()).await?;
    Ok(())
}
