//! What a window that somebody has taken over could do: nothing but what its buttons do.
#![cfg(target_os = "linux")]

use serde_json::{Value, json};
use tokio::net::TcpListener;
use tokio_tungstenite::{
    connect_async,
    tungstenite::{Error, client::IntoClientRequest},
};
use vireo_tests::{
    display::Display,
    server::Server,
    window::{Window, WindowOptions},
};

/// Of Tauri itself, of plugins that are there and that might be some day, and of nobody.
fn beyond_reach() -> Vec<(&'static str, Value)> {
    vec![
        (
            "plugin:event|emit",
            json!({ "event": "view", "payload": {} }),
        ),
        (
            "plugin:event|emit_to",
            json!({ "target": { "kind": "Any" }, "event": "view", "payload": {} }),
        ),
        (
            "plugin:window|create",
            json!({ "options": { "label": "other" } }),
        ),
        ("plugin:window|get_all_windows", json!({})),
        ("plugin:window|close", json!({ "label": "main" })),
        ("plugin:window|hide", json!({ "label": "main" })),
        (
            "plugin:window|set_title",
            json!({ "label": "main", "value": "Bank" }),
        ),
        (
            "plugin:window|set_fullscreen",
            json!({ "label": "main", "value": true }),
        ),
        (
            "plugin:webview|create_webview_window",
            json!({ "options": { "label": "other" } }),
        ),
        (
            "plugin:webview|create_webview",
            json!({ "windowLabel": "main", "options": {} }),
        ),
        ("plugin:webview|print", json!({ "label": "main" })),
        (
            "plugin:webview|internal_toggle_devtools",
            json!({ "label": "main" }),
        ),
        ("plugin:app|version", json!({})),
        ("plugin:app|set_app_theme", json!({ "theme": "dark" })),
        ("plugin:path|resolve_directory", json!({ "directory": 21 })),
        ("plugin:resources|close", json!({ "rid": 1 })),
        ("plugin:image|from_path", json!({ "path": "/etc/passwd" })),
        ("plugin:menu|new", json!({ "kind": "Menu", "handler": 1 })),
        ("plugin:tray|new", json!({ "options": {}, "handler": 1 })),
        ("plugin:fs|read_text_file", json!({ "path": "/etc/passwd" })),
        (
            "plugin:shell|execute",
            json!({ "program": "id", "args": [] }),
        ),
        (
            "plugin:shell|open",
            json!({ "path": "https://example.org" }),
        ),
        (
            "plugin:opener|open_url",
            json!({ "url": "https://example.org" }),
        ),
        ("plugin:dialog|open", json!({ "options": {} })),
        ("plugin:clipboard-manager|read_text", json!({})),
        (
            "plugin:notification|notify",
            json!({ "options": { "title": "Bank" } }),
        ),
        ("plugin:autostart|enable", json!({})),
        (
            "plugin:global-shortcut|register",
            json!({ "shortcuts": ["A"], "handler": 1 }),
        ),
        ("plugin:deep-link|register", json!({ "protocol": "http" })),
        ("plugin:no-such-plugin|do", json!({})),
        ("no_such_command", json!({})),
        ("__proto__", json!({})),
    ]
}

/// Whether a command was carried out, and else why not.
async fn invoke(window: &Window, command: &str, arguments: &Value) -> anyhow::Result<Value> {
    let script = format!(
        "return window.__TAURI_INTERNALS__.invoke({}, {arguments}).then(
           (value) => ({{ value }}),
           (error) => ({{ error: typeof error === 'string' ? error : JSON.stringify(error) }}));",
        json!(command)
    );
    window.session().execute_async(&script).await
}

#[tokio::test]
async fn a_window_calls_its_own_commands_and_nothing_else() -> anyhow::Result<()> {
    let display = Display::start()?;
    let folder = tempfile::tempdir()?;
    let window = Window::open(&display, &WindowOptions::of(folder.path(), "anna")).await?;
    window.sign_up("Anna").await?;
    for (command, arguments) in beyond_reach() {
        let answer = invoke(&window, command, &arguments).await?;
        let refusal = answer["error"].as_str().unwrap_or_default();
        let words = ["not allowed", "not found", "No such"];
        let refused = words.iter().any(|word| refusal.contains(word));
        assert!(refused, "{command}: {answer}");
    }

    // Its own take sense only.
    let long = "x".repeat(1 << 20);
    let nonsense = [
        ("add_contact", json!({ "name": long })),
        ("add_contact", json!({ "name": "" })),
        ("add_contact", json!({ "name": 7 })),
        ("add_contact", json!({})),
        ("accept_contact", json!({ "userId": long })),
        ("block_contact", json!({ "userId": "../../etc" })),
        ("remove_contact", json!({ "userId": null })),
        ("test_server", json!({ "number": 99 })),
        ("test_server", json!({ "number": "http://127.0.0.1" })),
        (
            "set_ice_servers",
            json!({ "servers": [{ "urls": ["http://127.0.0.1"] }] }),
        ),
        ("set_relay_only", json!({ "relayOnly": "perhaps" })),
        ("set_avatar", json!({})),
        ("set_avatar", json!([0x89, 0x50, 0x4e, 0x47])),
        ("forget_account", json!({ "id": "" })),
        ("place_call", json!({ "chatId": "<b>", "camera": true })),
        ("place_call", json!({ "chatId": "chat", "camera": "yes" })),
        ("set_device", json!({ "device": "camera", "id": long })),
        ("set_device", json!({ "device": "screen", "id": null })),
        (
            "set_rotation",
            json!({ "camera": "none such", "rotation": "quarter" }),
        ),
        (
            "set_rotation",
            json!({ "camera": "pattern", "rotation": 45 }),
        ),
        ("set_status", json!({ "status": "asleep" })),
        (
            "set_voice",
            json!({ "voice": { "noiseSuppression": "total" } }),
        ),
    ];
    for (command, arguments) in nonsense {
        let answer = invoke(&window, command, &arguments).await?;
        assert!(answer["error"].is_string(), "{command}: {answer}");
    }
    // And it is still there and well.
    let view = invoke(&window, "view", &json!({})).await?;
    assert_eq!(view["value"]["screen"]["kind"], "home", "{view}");
    window.find("[data-contact='Echo test']").await?;
    window.close().await
}

/// Every way out of a page, to an address of this computer at which somebody counts who comes.
fn ways_out(port: u16) -> String {
    format!(
        "const there = '127.0.0.1:{port}';
         const tried = {{}};
         const settle = (name, promise) => promise.then(() => {{ tried[name] = 'open'; }}, () => {{ tried[name] = 'closed'; }});
         await settle('fetch', fetch('http://' + there));
         await settle('file', fetch('file:///etc/passwd').then((answer) => answer.text()));
         await settle('socket', new Promise((open, fail) => {{
           const socket = new WebSocket('ws://' + there);
           socket.onopen = open;
           socket.onerror = fail;
         }}));
         await settle('image', new Promise((open, fail) => {{
           const image = new Image();
           image.onload = open;
           image.onerror = fail;
           image.src = 'http://' + there + '/x.png';
         }}));
         await settle('picture', new Promise((open, fail) => {{
           const image = new Image();
           image.onload = open;
           image.onerror = fail;
           image.src = 'picture://localhost/a-stranger/anything';
         }}));
         await settle('script', new Promise((open, fail) => {{
           const script = document.createElement('script');
           script.onload = open;
           script.onerror = fail;
           script.src = 'http://' + there + '/x.js';
           document.head.append(script);
         }}));
         await settle('eval', (async () => (0, eval)('1'))());
         const inline = document.createElement('script');
         inline.textContent = 'window.taken = true';
         document.head.append(inline);
         const handler = document.createElement('div');
         handler.innerHTML = '<img src=data:, onerror=\"window.taken = true\">';
         document.body.append(handler);
         const frame = document.createElement('iframe');
         frame.src = 'http://' + there;
         document.body.append(frame);
         const form = document.createElement('form');
         form.action = 'http://' + there;
         document.body.append(form);
         form.submit();
         window.open('http://' + there);
         location.href = 'http://' + there;
         await new Promise((later) => setTimeout(later, 500));
         for (const part of [inline, handler, frame, form]) part.remove();
         tried.inline = window.taken === true ? 'open' : 'closed';
         tried.frozen = Object.isFrozen(Object.prototype);
         return tried;"
    )
}

#[tokio::test]
async fn a_page_reaches_nothing_outside_and_names_are_no_part_of_it() -> anyhow::Result<()> {
    let display = Display::start()?;
    let folder = tempfile::tempdir()?;
    let server = Server::start(&[]).await?;
    let options = WindowOptions {
        server: Some(server.url.clone()),
        ..WindowOptions::of(folder.path(), "anna")
    };
    let window = Window::open(&display, &options).await?;
    window.sign_up("Anna").await?;
    let name = "<img src=x onerror='window.taken = true'>";
    let stranger = server.register(name).await?;
    server.run(&stranger, &["contacts", "add", "Anna"]).await?;
    window.reads(name).await?;
    let image = window
        .session()
        .execute("return document.querySelector('img[src=x]')")
        .await?;
    assert_eq!(image, Value::Null, "a name became an image");

    let outside = TcpListener::bind("127.0.0.1:0").await?;
    let tried = window
        .session()
        .execute_async(&ways_out(outside.local_addr()?.port()))
        .await?;
    for way in [
        "fetch", "file", "socket", "image", "picture", "script", "eval", "inline",
    ] {
        assert_eq!(tried[way], "closed", "{way} in {tried}");
    }
    assert_eq!(tried["frozen"], true);
    let came = tokio::time::timeout(std::time::Duration::from_millis(500), outside.accept()).await;
    assert!(came.is_err(), "somebody came out");
    window.reads(name).await?;
    window.close().await
}

#[tokio::test]
async fn a_token_opens_the_socket_of_pictures_once_and_to_the_window_alone() -> anyhow::Result<()> {
    let display = Display::start()?;
    let folder = tempfile::tempdir()?;
    let window = Window::open(&display, &WindowOptions::of(folder.path(), "anna")).await?;
    window.sign_up("Anna").await?;
    let script = "
        const { url, token } = await window.__TAURI_INTERNALS__.invoke('media_socket');
        const knock = () => new Promise((answer) => {
          const socket = new WebSocket(url, ['vireo-media', token]);
          socket.onopen = () => { socket.close(); answer('open'); };
          socket.onerror = () => answer('closed');
        });
        const knocks = [await knock(), await knock()];
        const fresh = await window.__TAURI_INTERNALS__.invoke('media_socket');
        return { knocks, url, token: fresh.token };";
    let page = window.session().execute_async(script).await?;
    assert_eq!(page["knocks"], json!(["open", "closed"]));
    // A page of somebody else's that has got hold of a token, and a program without one.
    let url = page["url"].as_str().unwrap_or_default();
    let token = page["token"].as_str().unwrap_or_default();
    for (origin, token) in [
        ("https://example.org", token),
        ("null", token),
        ("tauri://localhost", "guessed"),
    ] {
        let mut request = url.into_client_request()?;
        let headers = request.headers_mut();
        headers.insert("Origin", origin.parse()?);
        headers.insert(
            "Sec-WebSocket-Protocol",
            format!("vireo-media, {token}").parse()?,
        );
        match connect_async(request).await {
            Err(Error::Http(answer)) => assert_eq!(answer.status(), 403, "{origin}"),
            other => panic!("{origin}: {other:?}"),
        }
    }
    window.close().await
}
