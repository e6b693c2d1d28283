//! `GET /i`: what a browser shows of an invitation. The secret stands in the link's fragment, which browsers keep to
//! themselves: the page is the same for everybody, asks nobody for anything, and uses nothing up.

mod words;

use axum::extract::State;
use axum::http::header::{
    ACCEPT_LANGUAGE, CACHE_CONTROL, CONTENT_LANGUAGE, CONTENT_SECURITY_POLICY, HOST,
    REFERRER_POLICY, VARY, X_CONTENT_TYPE_OPTIONS, X_FRAME_OPTIONS,
};
use axum::http::{HeaderMap, HeaderValue};
use axum::response::{Html, IntoResponse, Response};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use sha2::{Digest, Sha256};

use crate::config::DEFAULT_NAME;
use crate::state::AppState;
use words::Words;

const SCRIPT: &str = include_str!("script.js");
const STYLE: &str = include_str!("style.css");
const LOGO: &str = include_str!("../../../../assets/icons/icon.svg");

/// `GET /i`
pub async fn page(State(state): State<AppState>, headers: HeaderMap) -> Response {
    let accepted = headers.get(ACCEPT_LANGUAGE);
    let accepted = accepted.and_then(|accepted| accepted.to_str().ok());
    let words = Words::liked(accepted.unwrap_or_default());
    let who = who(&state.name, &headers);
    let say = HeaderValue::from_static;
    let answer = [
        (CONTENT_SECURITY_POLICY, policy()),
        (CONTENT_LANGUAGE, say(words.language)),
        (VARY, say("accept-language")),
        (CACHE_CONTROL, say("no-store")),
        (REFERRER_POLICY, say("no-referrer")),
        (X_CONTENT_TYPE_OPTIONS, say("nosniff")),
        (X_FRAME_OPTIONS, say("DENY")),
    ];
    (answer, Html(written(&words, who))).into_response()
}

/// The server's name; where it has been given none, the address that the browser asked for.
fn who<'a>(name: &'a str, headers: &'a HeaderMap) -> &'a str {
    let host = headers.get(HOST).and_then(|host| host.to_str().ok());
    match host {
        Some(host) if name == DEFAULT_NAME => host,
        _ => name,
    }
}

/// Nothing but the page's own script and style; nobody may show it inside of theirs.
fn policy() -> HeaderValue {
    let policy = format!(
        "default-src 'none'; script-src '{}'; style-src '{}'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
        hash(SCRIPT),
        hash(STYLE)
    );
    HeaderValue::from_str(&policy).expect("words and base64")
}

/// By what a content security policy knows a script or a style (CSP 3 §2.3.1).
fn hash(text: &str) -> String {
    format!("sha256-{}", STANDARD.encode(Sha256::digest(text)))
}

fn written(words: &Words, name: &str) -> String {
    format!(
        include_str!("page.html"),
        style = STYLE,
        script = SCRIPT,
        logo = LOGO,
        name = escaped(name),
        language = words.language,
        title = words.title,
        server = words.server,
        what = words.what,
        incomplete = words.incomplete,
        open = words.open,
        copy = words.copy,
        copied = words.copied,
        how = words.how,
        install = words.install,
        paste = words.paste,
        confirm = words.confirm,
        note = words.note,
    )
}

/// A name as HTML's text.
fn escaped(name: &str) -> String {
    let mut escaped = String::with_capacity(name.len());
    for c in name.chars() {
        match c {
            '&' => escaped.push_str("&amp;"),
            '<' => escaped.push_str("&lt;"),
            '>' => escaped.push_str("&gt;"),
            c => escaped.push(c),
        }
    }
    escaped
}
