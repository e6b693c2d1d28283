//! Every end point.

use std::collections::BTreeSet;

use serde_json::{Value, json};

use crate::people::{KINDS, Kind, Town, handshake, sign_in};
use crate::support::{PASSWORD, Person, TestServer, text};

const ROUTER: &str = include_str!("../../src/router.rs");

/// A PNG file of one transparent pixel.
const PICTURE: &[u8] = b"\x89PNG\r\n\x1a\n\x00\x00\x00\rIHDR\x00\x00\x00\x01\x00\x00\x00\x01\x08\x06\x00\x00\x00\x1f\x15\xc4\x89\x00\x00\x00\x0bIDATx\xdac`\x00\x02\x00\x00\x05\x00\x01\xe9\xfa\xdc\xd8\x00\x00\x00\x00IEND\xaeB`\x82";

/// Without a good token nobody is let in.
const NO: &str = "401 unauthorized";

/// Method, path, and what each kind of person hears. Where it is about somebody's own, it is Mia's; she is the member then.
#[rustfmt::skip]
const TABLE: &[(&str, &str, [&str; 8])] = &[
    //                                          stranger expired forged revoked | non-member, blocked, member, administrator
    ("POST", "/api/register",                   ["201", "201", "201", "201", "201", "201", "201", "201"]),
    ("POST", "/api/sign-in",                    ["200", "200", "200", "200", "200", "200", "200", "200"]),
    ("POST", "/api/refresh",                    [NO, NO, NO, NO, "200", "200", "200", "200"]),
    ("POST", "/api/sign-out",                   ["204", "204", "204", "204", "204", "204", "204", "204"]),
    ("GET", "/api/sessions",                    [NO, NO, NO, NO, "200", "200", "200", "200"]),
    ("DELETE", "/api/sessions/{id}",            [NO, NO, NO, NO, "404 not-found", "404 not-found", "204", "404 not-found"]),
    ("POST", "/api/account/password",           [NO, NO, NO, NO, "204", "204", "204", "204"]),
    ("POST", "/api/account/delete",             [NO, NO, NO, NO, "204", "204", "204", "409 last-admin"]),
    ("POST", "/api/invites",                    [NO, NO, NO, NO, "201", "201", "201", "201"]),
    ("GET", "/api/invites",                     [NO, NO, NO, NO, "200", "200", "200", "200"]),
    ("POST", "/api/invites/look",               ["200", "200", "200", "200", "200", "200", "200", "200"]),
    ("POST", "/api/invites/redeem",             [NO, NO, NO, NO, "204", "204", "409 own-name", "204"]),
    ("DELETE", "/api/invites/{id}",             [NO, NO, NO, NO, "404 not-found", "404 not-found", "204", "204"]),
    ("GET", "/i",                               ["200", "200", "200", "200", "200", "200", "200", "200"]),
    ("GET", "/api/profile",                     [NO, NO, NO, NO, "200", "200", "200", "200"]),
    ("PUT", "/api/profile",                     [NO, NO, NO, NO, "200", "200", "200", "200"]),
    ("PUT", "/api/profile/avatar",              [NO, NO, NO, NO, "200", "200", "200", "200"]),
    ("DELETE", "/api/profile/avatar",           [NO, NO, NO, NO, "200", "200", "200", "200"]),
    ("GET", "/api/users",                       [NO, NO, NO, NO, "403 forbidden", "403 forbidden", "403 forbidden", "200"]),
    // A block is not told: whoever is blocked sees the picture as before.
    ("GET", "/api/users/{id}/avatar",           [NO, NO, NO, NO, "404 not-found", "200", "200", "404 not-found"]),
    ("PUT", "/api/users/{id}/role",             [NO, NO, NO, NO, "403 forbidden", "403 forbidden", "403 forbidden", "204"]),
    ("DELETE", "/api/users/{id}/sessions",      [NO, NO, NO, NO, "403 forbidden", "403 forbidden", "403 forbidden", "204"]),
    ("GET", "/api/health",                      ["200", "200", "200", "200", "200", "200", "200", "200"]),
    ("GET", "/api/ready",                       ["200", "200", "200", "200", "200", "200", "200", "200"]),
    ("GET", "/api/ws",                          ["401", "401", "401", "401", "101", "101", "101", "101"]),
    ("GET", "/metrics",                         ["200", "200", "200", "200", "200", "200", "200", "200"]),
];

/// After these somebody is not who they were, or something is used up.
const USES_UP: &[&str] = &[
    "/api/refresh",
    "/api/sign-out",
    "/api/sessions/{id}",
    "/api/account/password",
    "/api/account/delete",
    "/api/invites/redeem",
    "/api/invites/{id}",
    "/api/users/{id}/sessions",
];

#[tokio::test]
async fn everybody_hears_what_they_are_to_hear() {
    let server = TestServer::start().await;
    let mut number = 0;
    let mut town = Town::build(&server, number).await;
    let mut used_up = false;
    for (method, path, expected) in TABLE {
        for (kind, expected) in KINDS.into_iter().zip(expected) {
            if used_up {
                number += 1;
                // One administrator at a time, who is the last one.
                let query = "UPDATE users SET role = 'member' WHERE service = 0";
                server.change_database(query).await;
                town = Town::build(&server, number).await;
            }
            let heard = ask(&server, &town, method, path, kind).await;
            assert_eq!(&heard, expected, "{kind:?}: {method} {path}");
            used_up = heard.starts_with('2') && USES_UP.contains(path);
        }
    }
}

/// Asks as somebody of this kind. Returns the status and the code.
async fn ask(server: &TestServer, town: &Town, method: &str, path: &str, kind: Kind) -> String {
    let own = path.starts_with("/api/sessions/") || path.starts_with("/api/invites/");
    let person = match kind {
        Kind::Member if own => Some(&town.mia),
        kind => town.person(kind),
    };
    if path == "/api/ws" {
        return handshake(server, person).await.0.to_string();
    }
    let (filled, body) = subject(server, town, path, person).await;
    let token = person.map(|person| person.token.as_str());
    let method = method.parse().expect("a method");
    let mut request = server.http.request(method, server.url(&filled));
    if let Some(token) = token {
        request = request.bearer_auth(token);
    }
    request = match (path, &body) {
        ("/api/profile/avatar", _) => request.body(PICTURE),
        (_, Value::Null) => request,
        (_, body) => request.json(body),
    };
    let answer = request.send().await.expect("answered");
    let status = answer.status();
    let answer: Value = answer.json().await.unwrap_or_default();
    match status.is_success() {
        true => status.as_u16().to_string(),
        false => format!("{} {}", status.as_u16(), text(&answer["code"])),
    }
}

/// The path with what it is about, and what to send there.
async fn subject(
    server: &TestServer,
    town: &Town,
    path: &str,
    person: Option<&Person>,
) -> (String, Value) {
    let filled = |id: &str| path.replace("{id}", id);
    let refresh = person.map_or("nonsense", |person| &person.refresh_token);
    let body = match path {
        "/api/register" => {
            json!({"name": format!("New {}", uuid::Uuid::new_v4()), "password": PASSWORD})
        }
        "/api/sign-in" => json!({"name": town.mia.name, "password": PASSWORD}),
        "/api/refresh" | "/api/sign-out" => json!({"refreshToken": refresh}),
        "/api/account/password" => {
            json!({"oldPassword": PASSWORD, "newPassword": "a kingdom by the sea"})
        }
        "/api/account/delete" => json!({"password": PASSWORD}),
        "/api/invites" => json!({"uses": 1, "expiresInSeconds": 60}),
        "/api/invites/look" | "/api/invites/redeem" => {
            json!({"token": invite(server, town).await.0})
        }
        "/api/profile" => json!({"displayName": "Somebody"}),
        "/api/users/{id}/role" => json!({"role": "member"}),
        _ => Value::Null,
    };
    let filled = match path {
        "/api/sessions/{id}" => filled(&session(server, town).await),
        "/api/invites/{id}" => filled(&invite(server, town).await.1),
        _ => filled(&town.mia.id),
    };
    (filled, body)
}

/// An invite of Mia's: its token and its id.
async fn invite(server: &TestServer, town: &Town) -> (String, String) {
    let body = json!({"uses": 1, "expiresInSeconds": 60});
    let path = "/api/invites";
    let (_, made) = server.ask("POST", path, &town.mia.token, Some(&body)).await;
    (text(&made["token"]), text(&made["invite"]["id"]))
}

/// A session of Mia's.
async fn session(server: &TestServer, town: &Town) -> String {
    let other = sign_in(server, &town.mia).await;
    let (_, list) = server.ask("GET", "/api/sessions", &other.token, None).await;
    text(&list["sessions"][0]["id"])
}

#[test]
fn no_end_point_is_missing() {
    let rows = TABLE
        .iter()
        .map(|(method, path, _)| (method.to_lowercase(), (*path).to_owned()));
    assert_eq!(rows.collect::<BTreeSet<_>>(), routes());
}

/// What the router's source says that there is.
fn routes() -> BTreeSet<(String, String)> {
    let (_, source) = ROUTER.split_once("Router::new()").expect("a router");
    let (source, _) = source.split_once(".fallback(").expect("an end");
    let mut routes = BTreeSet::new();
    for route in source.split(".route(").skip(1) {
        let path = route.split('"').nth(1).expect("a path");
        for method in ["get", "post", "put", "delete", "patch", "any"] {
            let is_there = [" ", ".", "\n"]
                .iter()
                .any(|before| route.contains(&format!("{before}{method}(")));
            if is_there {
                routes.insert((method.to_owned(), path.to_owned()));
            }
        }
    }
    assert!(routes.len() > 20, "the router is written in another way");
    routes
}
