//! What axe-core finds in a real window, where colours are painted as people see them.

use std::time::Duration;

use anyhow::{Context, bail, ensure};
use tokio::time::{Instant, sleep};

use crate::{repository, window::Window};

/// The library as npm brings it.
const LIBRARY: &str = "ui/node_modules/axe-core/axe.min.js";

/// How long it may look at one screen.
const PATIENCE: Duration = Duration::from_secs(45);

const RUN: &str = "
window.vireoFound = undefined;
axe.run(document, { resultTypes: ['violations'] }).then(
  ({ violations }) => {
    window.vireoFound = violations
      .filter(({ impact }) => impact === 'serious' || impact === 'critical')
      .flatMap(({ id, nodes }) => nodes.map(({ html, failureSummary }) => `${id}: ${html} – ${failureSummary}`));
  },
  (error) => { window.vireoFound = [String(error)]; },
);
";

/// Looks at what the window shows.
///
/// # Errors
/// With everything serious or critical that there is.
pub async fn check(window: &Window, screen: &str) -> anyhow::Result<()> {
    let session = window.session();
    if session.execute("return typeof axe").await? != "object" {
        let path = repository::root().join(LIBRARY);
        let library = std::fs::read_to_string(&path)
            .with_context(|| format!("{} is missing: npm ci in ui/", path.display()))?;
        session
            .execute(&format!("{library};window.axe = axe;"))
            .await?;
    }
    session.execute(RUN).await?;
    let started = Instant::now();
    loop {
        let found = session.execute("return window.vireoFound ?? null").await?;
        match found.as_array().map(Vec::as_slice) {
            Some([]) => return Ok(()),
            Some(found) => bail!("on the screen {screen}: {found:#?}"),
            None => {}
        }
        ensure!(started.elapsed() < PATIENCE, "axe-core takes too long");
        sleep(Duration::from_millis(50)).await;
    }
}
