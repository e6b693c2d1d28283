//! A browser as the other side: headless Chromium with a page written from PROTOCOL.md alone calls `vireo-cli` and is
//! called by it, with either codec.

use std::time::Duration;

use anyhow::{Context as _, Result, ensure};
use serde_json::Value;
use vireo_tests::chromium::Chromium;
use vireo_tests::cli::Cli;
use vireo_tests::devtools::Page;
use vireo_tests::pages;
use vireo_tests::server::{Account, Server};

const MEDIA: [&str; 8] = [
    "--camera",
    "pattern",
    "--microphone",
    "tone",
    "--speaker",
    "none",
    "--size",
    "640x360",
];

struct Bench {
    server: Server,
    browser: Chromium,
    page: Page,
    ann: Account,
}

/// A server, Ann for `vireo-cli`, and a page where Bob has signed in.
async fn bench() -> Result<Bench> {
    let server = Server::start(&[]).await?;
    let (ann, bob) = server.two_contacts().await?;
    let browser = Chromium::launch().await?;
    let page = browser
        .open(&pages::serve(axum::Router::new()).await?)
        .await?;
    let password = std::fs::read_to_string(&bob.password_file)?;
    page.run(&format!(
        "import('/peer.js').then(async (peer) => {{ window.peer = peer; window.client = await peer.connect({}, 'Bob', {}) }})",
        Value::from(server.url.as_str()),
        Value::from(password.trim()),
    ))
    .await?;
    Ok(Bench {
        server,
        browser,
        page,
        ann,
    })
}

/// Waits until the page has decoded two seconds of picture and a second of sound, and has sent two seconds of picture itself,
/// for which a browser needs a while on a busy machine.
async fn flows_both_ways(page: &Page) -> Result<Value> {
    let mut figures = Value::Null;
    for _ in 0..100 {
        figures = page.run("window.call.figures()").await?;
        let decoded = figures["video"]["framesDecoded"].as_u64().unwrap_or(0);
        let sent = figures["sent"]["framesSent"].as_u64().unwrap_or(0);
        let energy = figures["audio"]["totalAudioEnergy"].as_f64().unwrap_or(0.0);
        if decoded >= 60 && sent >= 60 && energy > 0.001 {
            return Ok(figures);
        }
        tokio::time::sleep(Duration::from_millis(200)).await;
    }
    anyhow::bail!(
        "the browser decodes or sends too little: {figures}\n{}",
        page.console()
    )
}

/// Checks Vireo's own side by the last line of its statistics.
fn decoded_by_vireo(statistics: &std::path::Path, codec: &str) -> Result<()> {
    let text = std::fs::read_to_string(statistics)?;
    let last: Value = serde_json::from_str(text.lines().last().context("no statistics")?)?;
    ensure!(last["summary"] == true, "no summary: {last}");
    let decoded = last["video"]["in"]["framesDecoded"].as_u64().unwrap_or(0);
    ensure!(
        decoded >= 40,
        "only {decoded} of at least 60 frames of the browser's decoded: {last}"
    );
    let used = last["video"]["out"]["codec"].as_str().unwrap_or_default();
    ensure!(used.eq_ignore_ascii_case(codec), "codec {used}: {last}");
    let samples = last["audio"]["in"]["totalSamplesReceived"]
        .as_u64()
        .unwrap_or(0);
    ensure!(samples > 48_000, "only {samples} samples heard: {last}");
    Ok(())
}

async fn vireo_calls(codec: &str) -> Result<()> {
    let bench = bench().await?;
    let statistics = bench.server.folder().join("ann.jsonl");
    bench
        .page
        .run("void (window.answered = peer.answer(client).then((call) => { window.call = call }))")
        .await?;
    let mut arguments = vec!["call", "Bob", "--codec", codec, "--for", "8", "--stats"];
    arguments.push(statistics.to_str().context("a path in UTF-8")?);
    arguments.extend(MEDIA);
    let mut ann = Cli::start(&bench.server.url, &bench.ann, &arguments)?;
    ann.event("connected").await?;
    bench.page.run("window.answered").await?;
    let figures = flows_both_ways(&bench.page).await?;
    ensure!(figures["video"]["frameWidth"] == 640, "{figures}");
    let ended = ann.end().await?;
    ensure!(ended.status == 0, "{ended:?}");
    decoded_by_vireo(&statistics, codec)?;
    ensure!(
        bench.page.run("call.ended").await? == "hung-up",
        "the page was not told"
    );
    drop(bench.browser);
    Ok(())
}

async fn browser_calls(codec: &str, mime_type: &str) -> Result<()> {
    let bench = bench().await?;
    let statistics = bench.server.folder().join("ann.jsonl");
    let mut arguments = vec!["answer", "--once", "--stats"];
    arguments.push(statistics.to_str().context("a path in UTF-8")?);
    arguments.extend(MEDIA);
    let mut ann = Cli::start(&bench.server.url, &bench.ann, &arguments)?;
    ann.event("ready").await?;
    bench
        .page
        .run(&format!(
            "peer.call(client, 'Ann', '{mime_type}').then((call) => {{ window.call = call }})"
        ))
        .await?;
    ann.event("connected").await?;
    flows_both_ways(&bench.page).await?;
    bench.page.run("call.hangUp()").await?;
    let ended = ann.end().await?;
    ensure!(ended.status == 0, "{ended:?}");
    decoded_by_vireo(&statistics, codec)
}

#[tokio::test]
async fn vireo_calls_a_browser_with_h264() -> Result<()> {
    vireo_calls("h264").await
}

#[tokio::test]
async fn vireo_calls_a_browser_with_vp8() -> Result<()> {
    vireo_calls("vp8").await
}

#[tokio::test]
async fn a_browser_calls_vireo_with_h264() -> Result<()> {
    browser_calls("h264", "video/H264").await
}

#[tokio::test]
async fn a_browser_calls_vireo_with_vp8() -> Result<()> {
    browser_calls("vp8", "video/VP8").await
}

/// A page where a new person of this name has signed in, all of it by what PROTOCOL.md says.
async fn person(browser: &Chromium, site: &str, server: &str, name: &str) -> Result<Page> {
    let page = browser.open(site).await?;
    let (server, name) = (Value::from(server), Value::from(name));
    page.run(&format!(
        "(async () => {{
            const headers = {{ 'Content-Type': 'application/json' }};
            const body = JSON.stringify({{ name: {name}, password: 'correct horse' }});
            const reply = await fetch({server} + '/api/register', {{ method: 'POST', headers, body }});
            if (!reply.ok) throw new Error(await reply.text());
            window.peer = await import('/peer.js');
            window.client = await peer.connect({server}, {name}, 'correct horse');
        }})()"
    ))
    .await?;
    Ok(page)
}

/// Two pages call each other through the server: whatever fails here is the server's fault or PROTOCOL.md's, not that of
/// Vireo's own client.
async fn pages_call_each_other(mime_type: &str) -> Result<()> {
    let server = Server::start(&[]).await?;
    let browser = Chromium::launch().await?;
    let site = pages::serve(axum::Router::new()).await?;
    let ann = person(&browser, &site, &server.url, "Ann").await?;
    let bob = person(&browser, &site, &server.url, "Bob").await?;
    ann.run("client.request({ type: 'contacts:add', name: 'Bob' }).then(() => 0)")
        .await?;
    bob.run("client.request({ type: 'contacts:add', name: 'Ann' }).then(() => 0)")
        .await?;
    bob.run("void (window.answered = peer.answer(client).then((call) => { window.call = call }))")
        .await?;
    ann.run(&format!(
        "peer.call(client, 'Bob', '{mime_type}').then((call) => {{ window.call = call }})"
    ))
    .await?;
    bob.run("window.answered").await?;
    for page in [&ann, &bob] {
        let figures = flows_both_ways(page).await?;
        ensure!(figures["videoCodec"] == mime_type, "{figures}");
    }
    ann.run("call.send('call:media-state', { mediaState: { microphone: false, camera: true } }).then(() => 0)")
        .await?;
    ann.run("call.hangUp()").await?;
    // The server has passed on what came before once it answers what came after.
    bob.run("client.request({ type: 'contacts:list' }).then(() => 0)")
        .await?;
    ensure!(
        bob.run("call.ended").await? == "hung-up",
        "Bob was not told"
    );
    let muted = bob.run("call.remoteMediaState.microphone").await?;
    ensure!(muted == false, "Bob did not see that Ann is muted");
    Ok(())
}

#[tokio::test]
async fn browsers_call_each_other_with_h264() -> Result<()> {
    pages_call_each_other("video/H264").await
}

#[tokio::test]
async fn browsers_call_each_other_with_vp8() -> Result<()> {
    pages_call_each_other("video/VP8").await
}
