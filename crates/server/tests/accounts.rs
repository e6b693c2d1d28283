//! Registering, signing in, tokens and the handshake.

mod support;

use std::time::{Duration, Instant};

use serde_json::{Value, json};
use support::{PASSWORD, TestServer};
use tokio_tungstenite::tungstenite::client::IntoClientRequest;
use tokio_tungstenite::tungstenite::{self, http};

#[tokio::test]
async fn names_are_unique_whatever_their_case() {
    let server = TestServer::start().await;
    server.register("Ann").await;
    for name in ["Ann", "ANN", "ann", "echo TEST"] {
        let (status, answer) = server
            .post(
                "/api/register",
                &json!({"name": name, "password": PASSWORD}),
            )
            .await;
        assert_eq!(
            (status, &answer["code"]),
            (409, &json!("name-taken")),
            "{name}"
        );
    }
    let (status, answer) = server
        .post(
            "/api/sign-in",
            &json!({"name": "aNN", "password": PASSWORD}),
        )
        .await;
    assert_eq!(status, 200);
    assert_eq!(answer["user"]["name"], "Ann");
}

#[tokio::test]
async fn bad_registrations_say_why() {
    let server = TestServer::start().await;
    let long = "x".repeat(65);
    for (name, password, code) in [
        ("", PASSWORD, "invalid-name"),
        (" Ann", PASSWORD, "invalid-name"),
        ("A\u{7}nn", PASSWORD, "invalid-name"),
        (long.as_str(), PASSWORD, "invalid-name"),
        ("Ann", "short", "invalid-password"),
        ("Ann", &"x".repeat(257), "invalid-password"),
    ] {
        let (status, answer) = server
            .post(
                "/api/register",
                &json!({"name": name, "password": password}),
            )
            .await;
        assert_eq!((status, &answer["code"]), (400, &json!(code)));
    }
    for body in [
        json!({}),
        json!([]),
        json!({"name": "Ann"}),
        json!({"name": 1, "password": 2}),
    ] {
        let (status, answer) = server.post("/api/register", &body).await;
        assert_eq!(
            (status, &answer["code"]),
            (422, &json!("invalid-message")),
            "{body}"
        );
    }
    let huge = json!({"name": "Ann", "password": "x".repeat(100_000)});
    assert_eq!(server.post("/api/register", &huge).await.0, 413);
    let plain = server
        .http
        .post(server.url("/api/sign-in"))
        .body("name=Ann")
        .send()
        .await;
    assert_eq!(plain.expect("answered").status(), 415);
}

#[tokio::test]
async fn every_failure_has_a_code_and_a_sentence() {
    let server = TestServer::start().await;
    let json = ("content-type", "application/json");
    let origin = ("origin", "http://localhost:1420");
    for (method, path, header, status) in [
        ("POST", "/api/register", json, 400), // An empty body is not JSON.
        ("POST", "/api/sign-in", json, 400),
        ("POST", "/api/sign-in", origin, 415),
        ("GET", "/", origin, 404),
        ("GET", "/api/nothing", origin, 404),
        ("GET", "/api/sign-in", origin, 405),
        ("DELETE", "/api/health", origin, 405),
        ("GET", "/api/ws", origin, 400),
        ("POST", "/api/ws", origin, 405),
        ("GET", "/api/health", ("origin", "https://example.com"), 403),
    ] {
        let method = method.parse().expect("a method");
        let request = server.http.request(method, server.url(path));
        let answer = request.header(header.0, header.1).send().await;
        let answer = answer.expect("answered");
        assert_eq!(answer.status(), status, "{path}");
        assert_eq!(answer.headers().contains_key("allow"), status == 405);
        let body: Value = answer.json().await.expect("JSON");
        let code = match status {
            403 => "unauthorized",
            _ => "invalid-message",
        };
        assert_eq!(body["code"], code, "{path}");
        assert!(support::text(&body["message"]).ends_with('.'), "{body}");
    }
}

#[tokio::test]
async fn registration_can_be_closed() {
    let server = TestServer::start_with(|config| config.open_registration = false).await;
    let (status, answer) = server
        .post(
            "/api/register",
            &json!({"name": "Ann", "password": PASSWORD}),
        )
        .await;
    assert_eq!(
        (status, &answer["code"]),
        (403, &json!("registration-closed"))
    );
}

#[tokio::test]
async fn wrong_passwords_are_refused_and_then_throttled() {
    let server = TestServer::start().await;
    server.register("Ann").await;
    let wrong = json!({"name": "Ann", "password": "wrong horse"});
    for body in [
        &wrong,
        &json!({"name": "Nobody", "password": PASSWORD}),
        &json!({"name": "Echo test", "password": PASSWORD}),
    ] {
        let (status, answer) = server.post("/api/sign-in", body).await;
        assert_eq!((status, &answer["code"]), (401, &json!("wrong-password")));
    }
    let mut throttled = None;
    for _ in 0..30 {
        let response = server
            .http
            .post(server.url("/api/sign-in"))
            .json(&wrong)
            .send()
            .await;
        let response = response.expect("answered");
        if response.status() == 429 {
            throttled = Some(response);
            break;
        }
    }
    let throttled = throttled.expect("throttled in the end");
    assert!(throttled.headers().contains_key("retry-after"));
    let answer: Value = throttled.json().await.expect("JSON");
    assert_eq!(answer["code"], "rate-limited");
    // Others are not held up.
    server.register("Bob").await;
    let (status, _) = server
        .post(
            "/api/sign-in",
            &json!({"name": "Bob", "password": PASSWORD}),
        )
        .await;
    assert_eq!(status, 200);
}

/// The statuses that so many sign-ins at once are answered with.
async fn sign_in_at_once(
    server: &TestServer,
    name: &str,
    password: &str,
    count: usize,
) -> Vec<u16> {
    let body = json!({"name": name, "password": password});
    let attempts = (0..count).map(|_| server.post("/api/sign-in", &body));
    let answers = futures_util::future::join_all(attempts).await;
    answers.into_iter().map(|(status, _)| status).collect()
}

#[tokio::test]
async fn guesses_that_come_together_are_no_more_than_ten() {
    let server = TestServer::start().await;
    server.register("Ann").await;
    let start = Instant::now();
    let statuses = sign_in_at_once(&server, "Ann", "wrong horse", 50).await;
    let looked_at = statuses.iter().filter(|status| **status == 401).count();
    let refused = statuses.iter().filter(|status| **status == 429).count();
    assert_eq!(looked_at + refused, 50, "{statuses:?}");
    // One more every five seconds.
    let most = 10 + start.elapsed().as_secs() as usize / 5;
    assert!((10..=most).contains(&looked_at), "{looked_at}");
    // So many guesses do not hold up whoever knows the password for longer than ten do.
    let body = json!({"name": "Ann", "password": PASSWORD});
    let request = server.http.post(server.url("/api/sign-in")).json(&body);
    let answer = request.send().await.expect("answered");
    let wait = answer.headers().get("retry-after").cloned();
    let seconds = wait.map(|wait| wait.to_str().expect("text").parse::<u32>());
    match answer.status().as_u16() {
        200 => assert_eq!(seconds, None),
        429 => assert!(matches!(seconds, Some(Ok(..=6))), "{seconds:?}"),
        other => panic!("answered with {other}"),
    }
}

#[tokio::test]
async fn right_passwords_cost_nothing() {
    let server = TestServer::start().await;
    server.register("Ann").await;
    for _ in 0..4 {
        let statuses = sign_in_at_once(&server, "Ann", PASSWORD, 10).await;
        assert_eq!(statuses, [200; 10]);
    }
}

async fn handshake(server: &TestServer, headers: &[(&'static str, &str)]) -> Result<String, u16> {
    let mut request = server.ws_url().into_client_request().expect("a URL");
    for (name, value) in headers {
        request
            .headers_mut()
            .insert(*name, value.parse().expect("a header"));
    }
    match tokio_tungstenite::connect_async(request).await {
        Ok((_, response)) => Ok(header(&response)),
        Err(tungstenite::Error::Http(response)) => Err(response.status().as_u16()),
        Err(error) => panic!("{error}"),
    }
}

fn header(response: &http::Response<Option<Vec<u8>>>) -> String {
    let protocol = response.headers().get("sec-websocket-protocol");
    protocol
        .map(|value| value.to_str().expect("text").to_owned())
        .unwrap_or_default()
}

#[tokio::test]
async fn the_handshake_takes_a_valid_token_only() {
    let server = TestServer::start().await;
    let ann = server.register("Ann").await;
    let bearer = format!("Bearer {}", ann.token);
    let protocols = format!("vireo, vireo.token.{}", ann.token);
    assert_eq!(
        handshake(&server, &[("authorization", &bearer)]).await,
        Ok(String::new())
    );
    assert_eq!(
        handshake(&server, &[("sec-websocket-protocol", &protocols)]).await,
        Ok("vireo".to_owned())
    );
    for headers in [
        &[][..],
        &[("authorization", "Bearer nonsense")],
        &[("authorization", "Basic YTpi")],
        &[("authorization", "Bearer")],
        &[("sec-websocket-protocol", "vireo")],
        &[("sec-websocket-protocol", "vireo, vireo.token.nonsense")],
    ] {
        assert_eq!(handshake(&server, headers).await, Err(401), "{headers:?}");
    }
}

#[tokio::test]
async fn pages_from_elsewhere_are_refused() {
    let server = TestServer::start().await;
    let ann = server.register("Ann").await;
    let bearer = format!("Bearer {}", ann.token);
    for (origin, expected) in [
        ("https://example.com", Err(403)),
        ("null", Err(403)),
        ("tauri://localhost", Ok(String::new())),
        ("http://localhost:1420", Ok(String::new())),
    ] {
        let headers = [("authorization", bearer.as_str()), ("origin", origin)];
        assert_eq!(handshake(&server, &headers).await, expected, "{origin}");
    }
    let post = |origin: &'static str| {
        let body = json!({"name": "Ann", "password": PASSWORD});
        let request = server.http.post(server.url("/api/sign-in")).json(&body);
        request.header("origin", origin).send()
    };
    assert_eq!(
        post("https://example.com")
            .await
            .expect("answered")
            .status(),
        403
    );
    let allowed = post("http://127.0.0.1:9").await.expect("answered");
    assert_eq!(allowed.status(), 200);
    assert_eq!(
        allowed.headers()["access-control-allow-origin"],
        "http://127.0.0.1:9"
    );
    let preflight = server
        .http
        .request(reqwest::Method::OPTIONS, server.url("/api/sign-in"))
        .header("origin", "http://127.0.0.1:9")
        .header("access-control-request-method", "POST")
        .header("access-control-request-headers", "content-type")
        .send()
        .await
        .expect("answered");
    assert_eq!(preflight.status(), 204);
    assert!(
        preflight
            .headers()
            .contains_key("access-control-allow-headers")
    );
}

#[tokio::test]
async fn the_greeting_hands_out_ice_servers() {
    let server = TestServer::start_with(|config| {
        config.answer_timeout = Duration::from_millis(1500);
        config.ice.stun = vec!["192.0.2.1:3478".into()];
        config.ice.turn = vec!["192.0.2.1:3478".into()];
        config.ice.turn_secret = Some("north".into());
    })
    .await;
    let ann = server.register("Ann").await;
    let mut client = server.open(&ann.token).await.expect("connected");
    let hello = client
        .ask(json!({"type": "hello", "version": 2, "client": "test"}))
        .await;
    assert_eq!(hello["user"]["name"], "Ann");
    assert_eq!(hello["answerTimeoutSeconds"], 2);
    assert_eq!(
        hello["iceServers"][0],
        json!({"urls": ["stun:192.0.2.1:3478"]})
    );
    let turn = &hello["iceServers"][1];
    assert_eq!(turn["urls"], json!(["turn:192.0.2.1:3478?transport=udp"]));
    assert!(support::text(&turn["username"]).ends_with(&ann.id));
    assert!(!support::text(&turn["credential"]).is_empty());
}

#[tokio::test]
async fn nothing_secret_is_stored_in_the_clear() {
    let server = TestServer::start().await;
    let ann = server.register("Ann").await;
    let TestServer { running, data, .. } = server;
    running.shutdown().await;
    for entry in std::fs::read_dir(data.path()).expect("readable") {
        let bytes = std::fs::read(entry.expect("an entry").path()).expect("readable");
        for secret in [PASSWORD, &ann.token, &ann.refresh_token] {
            assert!(
                !bytes
                    .windows(secret.len())
                    .any(|window| window == secret.as_bytes())
            );
        }
    }
}
