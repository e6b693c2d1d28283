//! A small client of the Chrome DevTools Protocol: open a page, run JavaScript in it, read what it prints.

use std::collections::HashMap;
use std::sync::{Arc, Mutex};

use anyhow::{Context as _, Result, anyhow, bail};
use serde_json::{Value, json};
use tokio::io::{AsyncBufReadExt as _, AsyncWriteExt as _, BufReader};
use tokio::process::{ChildStdin, ChildStdout};
use tokio::sync::{mpsc, oneshot};

type Replies = Arc<Mutex<HashMap<u64, oneshot::Sender<Value>>>>;

/// What ends each message, either way.
const END: u8 = 0;

/// A connection to a browser. One task owns the pipe; calls go to it through a channel.
#[derive(Clone)]
pub struct DevTools {
    outgoing: mpsc::UnboundedSender<Vec<u8>>,
    replies: Replies,
    next_id: Arc<std::sync::atomic::AtomicU64>,
    console: Arc<Mutex<Vec<String>>>,
}

impl DevTools {
    /// Speaks to the browser at the other ends of these pipes, which was started with `--remote-debugging-pipe`.
    #[must_use]
    pub fn over(mut input: ChildStdin, output: ChildStdout) -> Self {
        let (outgoing, mut queue) = mpsc::unbounded_channel::<Vec<u8>>();
        let replies = Replies::default();
        let console = Arc::new(Mutex::new(Vec::new()));
        tokio::spawn({
            let replies = Arc::clone(&replies);
            async move {
                while let Some(message) = queue.recv().await {
                    if input.write_all(&message).await.is_err() {
                        break;
                    }
                }
                drop(queue);
                lock(&replies).clear();
            }
        });
        tokio::spawn({
            let (replies, console) = (Arc::clone(&replies), Arc::clone(&console));
            async move {
                let mut messages = BufReader::new(output).split(END);
                while let Ok(Some(message)) = messages.next_segment().await {
                    if let Ok(value) = serde_json::from_slice(&message) {
                        dispatch(value, &replies, &console);
                    }
                }
                lock(&replies).clear(); // Every caller that still waits learns that the browser is gone.
            }
        });
        Self {
            outgoing,
            replies,
            next_id: Arc::default(),
            console,
        }
    }

    /// Waits until the browser listens.
    ///
    /// # Errors
    /// When it ends instead.
    pub async fn ready(&self) -> Result<()> {
        self.call(None, "Browser.getVersion", json!({})).await?;
        Ok(())
    }

    async fn call(&self, session: Option<&str>, method: &str, params: Value) -> Result<Value> {
        let id = 1 + self
            .next_id
            .fetch_add(1, std::sync::atomic::Ordering::Relaxed);
        let mut message = json!({ "id": id, "method": method, "params": params });
        if let Some(session) = session {
            message["sessionId"] = session.into();
        }
        let (sender, receiver) = oneshot::channel();
        lock(&self.replies).insert(id, sender);
        let mut message = message.to_string().into_bytes();
        message.push(END);
        self.outgoing
            .send(message)
            .map_err(|_| anyhow!("the browser has closed"))?;
        let mut reply = receiver
            .await
            .with_context(|| format!("the browser closed during {method}"))?;
        if let Some(error) = reply.get("error") {
            bail!("{method}: {error}");
        }
        Ok(reply["result"].take())
    }

    /// Opens a page and waits until it has loaded.
    ///
    /// # Errors
    /// When the browser is gone or the page does not load within ten seconds.
    pub async fn open(&self, url: &str) -> Result<Page> {
        let target = self
            .call(None, "Target.createTarget", json!({ "url": url }))
            .await?;
        let attached = self
            .call(
                None,
                "Target.attachToTarget",
                json!({ "targetId": target["targetId"], "flatten": true }),
            )
            .await?;
        let session = attached["sessionId"]
            .as_str()
            .context("no session")?
            .to_owned();
        let page = Page {
            devtools: self.clone(),
            session,
        };
        page.call("Runtime.enable", json!({})).await?;
        page.loaded(url).await?;
        Ok(page)
    }

    /// What the pages printed and what went wrong in them, for a failing test's message.
    #[must_use]
    pub fn console(&self) -> String {
        lock(&self.console).join("\n")
    }
}

fn lock<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().expect("no holder of this lock panics")
}

fn dispatch(value: Value, replies: &Replies, console: &Mutex<Vec<String>>) {
    if let Some(id) = value["id"].as_u64() {
        if let Some(waiting) = lock(replies).remove(&id) {
            waiting.send(value).ok();
        }
        return;
    }
    match value["method"].as_str() {
        Some("Runtime.consoleAPICalled") => {
            let words: Vec<String> = value["params"]["args"]
                .as_array()
                .into_iter()
                .flatten()
                .map(|arg| arg.get("value").unwrap_or(&arg["description"]).to_string())
                .collect();
            lock(console).push(words.join(" "));
        }
        Some("Runtime.exceptionThrown") => {
            lock(console).push(value["params"]["exceptionDetails"].to_string());
        }
        _ => {}
    }
}

/// An open page.
#[derive(Clone)]
pub struct Page {
    devtools: DevTools,
    session: String,
}

impl Page {
    async fn call(&self, method: &str, params: Value) -> Result<Value> {
        self.devtools
            .call(Some(&self.session), method, params)
            .await
    }

    /// Waits until this address, and not the empty page that a new tab begins with, has loaded.
    async fn loaded(&self, url: &str) -> Result<()> {
        let state = format!(
            "location.href.startsWith({}) && document.readyState === 'complete'",
            Value::from(url)
        );
        for _ in 0..500 {
            // While the tab moves from one page to the next there may be nothing to ask.
            if self.run(&state).await.is_ok_and(|loaded| loaded == true) {
                return Ok(());
            }
            tokio::time::sleep(std::time::Duration::from_millis(20)).await;
        }
        bail!("{url} does not load: {}", self.console())
    }

    /// Evaluates an expression, waits for its promise, and returns the value as JSON.
    ///
    /// # Errors
    /// When the script throws; the message holds what it threw and what the page had printed.
    pub async fn run(&self, expression: &str) -> Result<Value> {
        let mut reply = self
            .call(
                "Runtime.evaluate",
                json!({ "expression": expression, "awaitPromise": true, "returnByValue": true, "userGesture": true }),
            )
            .await?;
        if let Some(thrown) = reply.get("exceptionDetails") {
            let text = thrown["exception"]["description"]
                .as_str()
                .map_or_else(|| thrown.to_string(), str::to_owned);
            bail!("{expression}: {text}\n{}", self.devtools.console());
        }
        Ok(reply["result"]["value"].take())
    }

    /// What the pages of this browser printed.
    #[must_use]
    pub fn console(&self) -> String {
        self.devtools.console()
    }
}
