//! The page that a browser shows of an invitation, by real HTTP over TLS.

mod support;

use std::net::Ipv4Addr;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use rustls::version::TLS13;
use serde_json::json;
use sha2::{Digest, Sha256};
use support::TestServer;
use support::tls::{connect, get};
use vireo_protocol::ServerAddress;

async fn named(name: &str) -> TestServer {
    TestServer::start_with(|config| {
        config.listen = vec![(Ipv4Addr::UNSPECIFIED, 0).into()];
        config.name = name.to_owned();
    })
    .await
}

/// The page's head and the page, for a browser with these headers.
async fn page(server: &TestServer, headers: &str) -> (String, String) {
    let address: ServerAddress = server.running.url().parse().expect("an address");
    let (_, address) = address.url.split_once("://").expect("a scheme");
    let address = address.parse().expect("an address");
    let (stream, _) = connect(address, &TLS13).await.expect("a handshake");
    let answer = get(stream, "/i?fp=anything", headers).await;
    let (head, page) = answer.split_once("\r\n\r\n").expect("a head");
    assert!(head.starts_with("HTTP/1.1 200 "), "{head}");
    (head.to_owned(), page.to_owned())
}

fn header(head: &str, name: &str) -> String {
    let mut lines = head.lines().filter_map(|line| line.split_once(": "));
    let found = lines.find(|(key, _)| key.eq_ignore_ascii_case(name));
    found
        .unwrap_or_else(|| panic!("no {name}: {head}"))
        .1
        .to_owned()
}

#[tokio::test]
async fn it_runs_nothing_but_its_own_and_asks_nobody_for_anything() {
    let server = named("Smith family").await;
    let (head, page) = page(&server, "").await;
    assert!(page.contains("<strong>Smith family</strong>"), "{page}");
    let policy = header(&head, "content-security-policy");
    assert!(policy.starts_with("default-src 'none'; "), "{policy}");
    for rule in [
        "base-uri 'none'",
        "form-action 'none'",
        "frame-ancestors 'none'",
    ] {
        assert!(policy.contains(rule), "{policy}");
    }
    assert!(!policy.contains("unsafe"), "{policy}");
    for (name, expected) in [
        ("referrer-policy", "no-referrer"),
        ("x-content-type-options", "nosniff"),
        ("x-frame-options", "DENY"),
        ("cache-control", "no-store"),
        ("vary", "accept-language"),
        ("content-type", "text/html; charset=utf-8"),
    ] {
        assert_eq!(header(&head, name), expected);
    }
    for (begin, end) in [("<script>", "</script>"), ("<style>", "</style>")] {
        let (_, rest) = page.split_once(begin).expect(begin);
        let (content, rest) = rest.split_once(end).expect(end);
        assert!(!rest.contains(begin), "one is enough");
        let hash = STANDARD.encode(Sha256::digest(content));
        assert!(policy.contains(&format!("'sha256-{hash}'")), "{begin}");
    }
    let (markup, _) = page.split_once("<script>").expect("a script");
    for elsewhere in [" src=", " href=", " style=", "<link", "url(h", "@import"] {
        assert!(!markup.contains(elsewhere), "{elsewhere}");
    }
}

#[tokio::test]
async fn it_speaks_the_languages_that_people_here_speak() {
    let server = named("Дом <b>&</b>").await;
    let russian = "Accept-Language: ru-RU,ru;q=0.9,en;q=0.8\r\n";
    let (head, page_ru) = page(&server, russian).await;
    assert_eq!(header(&head, "content-language"), "ru");
    assert!(page_ru.contains("<html lang=\"ru\">") && page_ru.contains("Вас пригласили"));
    // A name is text, whatever it looks like.
    let name = "<strong>Дом &lt;b&gt;&amp;&lt;/b&gt;</strong>";
    assert!(page_ru.contains(name), "{page_ru}");
    let (head, page_en) = page(&server, "Accept-Language: de\r\n").await;
    assert_eq!(header(&head, "content-language"), "en");
    assert!(page_en.contains("<html lang=\"en\">") && page_en.contains("You are invited"));
}

#[tokio::test]
async fn a_server_without_a_name_is_known_by_its_address() {
    let server = named(vireo_server::DEFAULT_NAME).await;
    let (_, page) = page(&server, "").await;
    assert!(
        page.contains("<strong>vireo</strong>"),
        "the Host that was asked for: {page}"
    );
}

#[tokio::test]
async fn looking_at_it_uses_nothing_up() {
    let server = named("Smith family").await;
    let token = server.running.first_invite().await.expect("made");
    let token = token.expect("nobody has an account yet");
    for _ in 0..3 {
        page(&server, "").await;
    }
    let service = server.running.service_url();
    let look = server.http.post(format!("{service}/api/invites/look"));
    let look = look.json(&json!({ "token": token })).send().await;
    let look = look.expect("answered");
    assert_eq!(look.status(), 200);
    let look: serde_json::Value = look.json().await.expect("JSON");
    assert_eq!(look["server"], "Smith family");
}
