//! Staying signed in, and being signed out: refresh tokens, the list of sessions, and connections that end with them.

mod support;

use serde_json::{Value, json};
use support::{PASSWORD, Person, TestServer, text};

async fn sign_in(server: &TestServer, name: &str, device: &str) -> Person {
    let body = json!({"name": name, "password": PASSWORD, "device": device});
    let (status, answer) = server.post("/api/sign-in", &body).await;
    assert_eq!(status, 200, "{answer}");
    Person {
        id: text(&answer["user"]["id"]),
        name: name.to_owned(),
        token: text(&answer["accessToken"]),
        refresh_token: text(&answer["refreshToken"]),
    }
}

async fn refresh(server: &TestServer, token: &str) -> Result<Value, u16> {
    let body = json!({"refreshToken": token});
    match server.post("/api/refresh", &body).await {
        (200, answer) => Ok(answer),
        (status, answer) => {
            assert_eq!(answer["code"], "unauthorized", "{answer}");
            Err(status)
        }
    }
}

async fn devices(server: &TestServer, person: &Person) -> Vec<Value> {
    let (status, answer) = server
        .ask("GET", "/api/sessions", &person.token, None)
        .await;
    assert_eq!(status, 200, "{answer}");
    answer["sessions"].as_array().expect("a list").clone()
}

/// Makes what the database has written down of refresh tokens a minute older.
async fn a_minute_passes(server: &TestServer) {
    let query = "UPDATE refresh_tokens SET used_at = used_at - 60000";
    server.change_database(query).await;
}

#[tokio::test]
async fn each_refresh_token_gets_the_next_pair_once() {
    let server = TestServer::start().await;
    let ann = server.register("Ann").await;
    let next = refresh(&server, &ann.refresh_token)
        .await
        .expect("new tokens");
    assert_eq!(next["user"]["id"], ann.id);
    assert_eq!(next["expiresInSeconds"], 600);
    let (access, next) = (text(&next["accessToken"]), text(&next["refreshToken"]));
    assert_ne!(next, ann.refresh_token);
    let mut client = server.open(&access).await.expect("a good token");
    client.greet().await;
    // The answer was lost, so the client asks again: it gets another pair, and nobody is signed out.
    let again = refresh(&server, &ann.refresh_token)
        .await
        .expect("new tokens");
    let again = text(&again["refreshToken"]);
    assert_ne!(again, next);
    assert!(refresh(&server, &next).await.is_ok());
    assert_eq!(refresh(&server, "nonsense").await, Err(401));
    // One that comes again later has been copied: the session ends for whoever holds it, at once.
    a_minute_passes(&server).await;
    assert_eq!(refresh(&server, &ann.refresh_token).await, Err(401));
    assert_eq!(client.closed().await, Some(4001));
    assert_eq!(refresh(&server, &again).await, Err(401));
    assert!(server.open(&access).await.is_err());
    // The person's other devices are none of its business.
    let phone = sign_in(&server, "Ann", "phone").await;
    assert_eq!(devices(&server, &phone).await.len(), 1);
}

#[tokio::test]
async fn sessions_are_listed_and_a_revoked_one_is_gone_at_once() {
    let server = TestServer::start().await;
    server.register("Ann").await;
    let laptop = sign_in(&server, "Ann", "Ann's laptop").await;
    let phone = sign_in(&server, "Ann", "  \u{7} ").await;
    let bob = server.register("Bob").await;
    let mut on_laptop = server.connect(&laptop).await;
    let mut on_phone = server.connect(&phone).await;
    let list = devices(&server, &phone).await;
    let names: Vec<&Value> = list.iter().map(|session| &session["device"]).collect();
    assert_eq!(names, ["Unnamed device", "Ann's laptop", "Unnamed device"]);
    let current: Vec<&Value> = list.iter().map(|session| &session["current"]).collect();
    assert_eq!(current, [true, false, false]);
    let id = text(&list[1]["id"]);
    let path = format!("/api/sessions/{id}");
    // Nobody else's hands reach it.
    let (status, answer) = server.ask("DELETE", &path, &bob.token, None).await;
    assert_eq!((status, &answer["code"]), (404, &json!("not-found")));
    assert_eq!(server.ask("DELETE", &path, &phone.token, None).await.0, 204);
    assert_eq!(on_laptop.closed().await, Some(4001));
    assert!(server.open(&laptop.token).await.is_err());
    assert_eq!(
        server
            .ask("GET", "/api/sessions", &laptop.token, None)
            .await
            .0,
        401
    );
    assert_eq!(refresh(&server, &laptop.refresh_token).await, Err(401));
    assert_eq!(server.ask("DELETE", &path, &phone.token, None).await.0, 404);
    let contacts = on_phone.ask(json!({"type": "contacts:list"})).await;
    assert_eq!(contacts["type"], "contacts");
    assert_eq!(devices(&server, &phone).await.len(), 2);
}

#[tokio::test]
async fn signing_out_ends_the_session_and_is_no_error_twice() {
    let server = TestServer::start().await;
    let ann = server.register("Ann").await;
    let mut client = server.connect(&ann).await;
    for _ in 0..2 {
        let body = json!({"refreshToken": ann.refresh_token});
        assert_eq!(
            server.ask("POST", "/api/sign-out", "", Some(&body)).await.0,
            204
        );
    }
    assert_eq!(client.closed().await, Some(4001));
    assert_eq!(refresh(&server, &ann.refresh_token).await, Err(401));
}

#[tokio::test]
async fn a_session_that_another_process_ends_is_gone_within_seconds() {
    let server = TestServer::start().await;
    let ann = server.register("Ann").await;
    let mut client = server.connect(&ann).await;
    // It ended a moment after it began, as the database's clock has it.
    let query = "UPDATE sessions SET revoked_at = created_at + 1";
    server.change_database(query).await;
    let start = std::time::Instant::now();
    assert_eq!(client.closed().await, Some(4001));
    assert!(start.elapsed().as_secs() < 5, "{:?}", start.elapsed());
}

#[tokio::test]
async fn a_person_who_signs_in_again_and_again_has_a_hundred_sessions_at_most() {
    let server = TestServer::start().await;
    let first = server.register("Ann").await;
    let mut last = None;
    for n in 0..100 {
        last = Some(sign_in(&server, "Ann", &format!("device {n}")).await);
    }
    let list = devices(&server, &last.expect("signed in")).await;
    assert_eq!(list.len(), 100);
    assert_eq!(refresh(&server, &first.refresh_token).await, Err(401));
}
