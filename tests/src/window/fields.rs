//! What stands in fields, and what is chosen in them.

use anyhow::{Context, ensure};
use tokio::time::{Instant, sleep};

use super::{LOOK, PATIENCE, Window};

impl Window {
    /// Waits for a text field and replaces what stands in it.
    ///
    /// # Errors
    /// When it does not appear or takes no text.
    pub async fn fill(&self, selector: &str, text: &str) -> anyhow::Result<()> {
        let field = self.find(selector).await?;
        field.clear().await?;
        field.send_keys(text).await?;
        Ok(())
    }

    /// Waits until this is true in the page.
    ///
    /// # Errors
    /// When it never is.
    pub async fn holds(&self, condition: &str) -> anyhow::Result<()> {
        let started = Instant::now();
        let script = format!("return Boolean({condition})");
        while self.session.execute(&script).await? != true {
            ensure!(started.elapsed() < PATIENCE, "never true: {condition}");
            sleep(LOOK).await;
        }
        Ok(())
    }

    /// Waits until a list offers this and chooses it.
    ///
    /// # Errors
    /// When it is not offered.
    pub async fn choose(&self, list: &str, name: &str) -> anyhow::Result<()> {
        let options = format!("[...document.querySelectorAll('{list} option')]");
        let at = format!("{options}.findIndex((option) => option.text === '{name}')");
        self.holds(&format!("{at} >= 0")).await?;
        let at = self.session.execute(&format!("return {at}")).await?;
        let number = at.as_u64().context("no number")? + 1;
        let option = format!("{list} option:nth-of-type({number})");
        self.find(&option).await?.click().await?;
        self.chosen(list, name).await
    }

    /// Waits until this is what a list shows as chosen.
    ///
    /// # Errors
    /// When something else stays chosen.
    pub async fn chosen(&self, list: &str, name: &str) -> anyhow::Result<()> {
        let chosen = format!("document.querySelector('{list}').selectedOptions[0]?.text");
        self.holds(&format!("{chosen} === '{name}'")).await
    }
}
