//! A client for the few commands of W3C WebDriver that the tests need. Every command has a time limit, so that a test fails
//! with a sentence where a driver hangs.

use std::time::Duration;

use anyhow::{Context, bail};
use serde_json::{Value, json};
use tokio::time::{Instant, sleep};

/// What a driver may take for one command.
const COMMAND: Duration = Duration::from_secs(20);

/// What a driver and its application may take to start.
const START: Duration = Duration::from_secs(60);

/// Keys that have no character, as W3C WebDriver writes them.
pub mod keys {
    /// To the next control.
    pub const TAB: &str = "\u{E004}";
    /// Does what has the focus.
    pub const ENTER: &str = "\u{E007}";
    /// Held with another one.
    pub const SHIFT: &str = "\u{E008}";
    /// Held with another one.
    pub const CONTROL: &str = "\u{E009}";
    /// Puts away what lies over the rest.
    pub const ESCAPE: &str = "\u{E00C}";
    /// To the next of a list.
    pub const DOWN: &str = "\u{E015}";
}

/// The key under which a driver gives an element's reference.
const ELEMENT: &str = "element-6066-11e4-a52e-4f735466cecf";

/// A session: one running application.
#[derive(Debug, Clone)]
pub struct Session {
    http: reqwest::Client,
    url: String,
}

/// An element of the page.
#[derive(Debug, Clone)]
pub struct Element {
    session: Session,
    reference: String,
}

impl Session {
    /// Waits until the driver at this address is ready, and has it start what the capabilities describe.
    ///
    /// # Errors
    /// When it does not become ready or cannot start that.
    pub async fn start(driver: &str, capabilities: Value) -> anyhow::Result<Self> {
        // A driver that is slow to read keep-alive connections must not hold later commands up.
        let http = reqwest::Client::builder()
            .no_proxy()
            .pool_max_idle_per_host(0)
            .build()?;
        let started = Instant::now();
        loop {
            let status = send(http.get(format!("{driver}/status")), COMMAND).await;
            match status {
                Ok(status) if status["ready"] == true => break,
                answer if started.elapsed() > START => bail!("the driver is not ready: {answer:?}"),
                _ => sleep(Duration::from_millis(50)).await,
            }
        }
        let body = json!({ "capabilities": { "alwaysMatch": capabilities } });
        let answer = send(http.post(format!("{driver}/session")).json(&body), START).await?;
        let id = answer["sessionId"].as_str().context("no session")?;
        Ok(Self {
            url: format!("{driver}/session/{id}"),
            http,
        })
    }

    /// Ends the session, and with it the application.
    ///
    /// # Errors
    /// When the driver does not answer.
    pub async fn end(&self) -> anyhow::Result<()> {
        send(self.http.delete(&self.url), COMMAND).await?;
        Ok(())
    }

    /// The first element of this CSS selector.
    ///
    /// # Errors
    /// When there is none.
    pub async fn find(&self, selector: &str) -> anyhow::Result<Element> {
        let body = json!({ "using": "css selector", "value": selector });
        let answer = self.post("element", &body).await?;
        let reference = answer[ELEMENT].as_str().context("no element")?.to_owned();
        Ok(Element {
            session: self.clone(),
            reference,
        })
    }

    /// Runs a function's body in the page and returns what it returns.
    ///
    /// # Errors
    /// When it throws.
    pub async fn execute(&self, script: &str) -> anyhow::Result<Value> {
        let body = json!({ "script": script, "args": [] });
        self.post("execute/sync", &body).await
    }

    /// Runs an async function's body in the page and returns what it returns, once it does.
    ///
    /// # Errors
    /// When it throws, or does not come to an end.
    pub async fn execute_async(&self, script: &str) -> anyhow::Result<Value> {
        let script = format!(
            "const done = arguments[arguments.length - 1];
             (async () => {{ {script} }})().then((value) => done({{ value }}), (error) => done({{ error: String(error) }}));"
        );
        let body = json!({ "script": script, "args": [] });
        let mut answer = self.post("execute/async", &body).await?;
        match answer["error"].as_str() {
            Some(error) => bail!("{error}"),
            None => Ok(answer["value"].take()),
        }
    }

    /// The same for what it promises: an array of whether the promise was kept, and what it was kept or broken with.
    ///
    /// # Errors
    /// When it takes too long.
    pub async fn settle(&self, promise: &str) -> anyhow::Result<Value> {
        let script = format!(
            "const done = arguments[0]; \
             Promise.resolve((() => {{ {promise} }})()).then((value) => done([true, value ?? null]), \
             (error) => done([false, String(error?.message ?? error)]))"
        );
        let body = json!({ "script": script, "args": [] });
        self.post("execute/async", &body).await
    }

    /// The windows that there are.
    ///
    /// # Errors
    /// When the driver does not answer.
    pub async fn windows(&self) -> anyhow::Result<Vec<String>> {
        let answer = send(
            self.http.get(format!("{}/window/handles", self.url)),
            COMMAND,
        )
        .await?;
        Ok(serde_json::from_value(answer)?)
    }

    /// Looks at another window from now on.
    ///
    /// # Errors
    /// When it is not there any more.
    pub async fn switch_to(&self, window: &str) -> anyhow::Result<()> {
        self.post("window", &json!({ "handle": window })).await?;
        Ok(())
    }

    /// Moves the pointer, in pixels from the page's corner.
    ///
    /// # Errors
    /// When the driver does not answer.
    pub async fn move_pointer(&self, x: u32, y: u32) -> anyhow::Result<()> {
        let there =
            json!({ "type": "pointerMove", "duration": 0, "origin": "viewport", "x": x, "y": y });
        let pointer = json!({ "type": "pointer", "id": "mouse", "actions": [there] });
        self.post("actions", &json!({ "actions": [pointer] }))
            .await?;
        Ok(())
    }

    /// Presses these keys together and lets them go again: modifiers first.
    ///
    /// # Errors
    /// When the driver does not answer.
    pub async fn press(&self, keys: &[&str]) -> anyhow::Result<()> {
        let event = |kind: &str, key: &str| json!({ "type": kind, "value": key });
        let down = keys.iter().map(|key| event("keyDown", key));
        let up = keys.iter().rev().map(|key| event("keyUp", key));
        let actions: Vec<_> = down.chain(up).collect();
        let keyboard = json!({ "type": "key", "id": "keyboard", "actions": actions });
        self.post("actions", &json!({ "actions": [keyboard] }))
            .await?;
        Ok(())
    }

    /// A picture of the page, as base64 of a PNG file.
    ///
    /// # Errors
    /// When the driver does not answer.
    pub async fn screenshot(&self) -> anyhow::Result<String> {
        let url = format!("{}/screenshot", self.url);
        let answer = send(self.http.get(url), COMMAND).await?;
        Ok(answer.as_str().context("no picture")?.to_owned())
    }

    /// Makes the window so large, in pixels.
    ///
    /// # Errors
    /// When the driver does not answer.
    pub async fn resize(&self, width: u32, height: u32) -> anyhow::Result<()> {
        let size = json!({ "width": width, "height": height });
        self.post("window/rect", &size).await?;
        Ok(())
    }

    async fn post(&self, command: &str, body: &Value) -> anyhow::Result<Value> {
        let request = self.http.post(format!("{}/{command}", self.url));
        send(request.json(body), COMMAND).await
    }
}

impl Element {
    /// Clicks in its middle.
    ///
    /// # Errors
    /// When it cannot be clicked.
    pub async fn click(&self) -> anyhow::Result<()> {
        self.post("click", &json!({})).await
    }

    /// Empties a text field.
    ///
    /// # Errors
    /// When it is none.
    pub async fn clear(&self) -> anyhow::Result<()> {
        self.post("clear", &json!({})).await
    }

    /// Types.
    ///
    /// # Errors
    /// When it takes no keys.
    pub async fn send_keys(&self, text: &str) -> anyhow::Result<()> {
        self.post("value", &json!({ "text": text })).await
    }

    async fn post(&self, command: &str, body: &Value) -> anyhow::Result<()> {
        let path = format!("element/{}/{command}", self.reference);
        self.session.post(&path, body).await?;
        Ok(())
    }
}

async fn send(request: reqwest::RequestBuilder, limit: Duration) -> anyhow::Result<Value> {
    let response = request.timeout(limit).send().await?;
    let mut answer: Value = serde_json::from_slice(&response.bytes().await?)?;
    let value = answer["value"].take();
    if let Some(error) = value["error"].as_str() {
        bail!("{error}: {}", value["message"].as_str().unwrap_or_default());
    }
    Ok(value)
}
