//! Invites, and what becomes of an account: its password and its end.

mod support;

use serde_json::{Value, json};
use support::{PASSWORD, Person, TestServer, text};

async fn invite(server: &TestServer, person: &Person, uses: u32) -> (String, String) {
    let body = json!({"uses": uses, "expiresInSeconds": 3600});
    let (status, made) = server
        .ask("POST", "/api/invites", &person.token, Some(&body))
        .await;
    assert_eq!(status, 201, "{made}");
    assert_eq!(made["invite"]["inviter"], person.name);
    let token = text(&made["token"]);
    let link = format!("{}/i#{token}", server.running.url());
    assert_eq!(made["link"], link, "nobody elsewhere reaches this one");
    (token, text(&made["invite"]["id"]))
}

/// The link that this person's client gets when it has reached the server by this host.
async fn link_by(server: &TestServer, person: &Person, host: &str) -> String {
    let request = server.http.post(server.url("/api/invites"));
    let request = request.bearer_auth(&person.token).header("Host", host);
    let request = request.json(&json!({"uses": 1, "expiresInSeconds": 60}));
    let made: Value = request
        .send()
        .await
        .expect("answered")
        .json()
        .await
        .expect("JSON");
    let (link, token) = (text(&made["link"]), text(&made["token"]));
    let address = link.strip_suffix(&format!("/i#{token}"));
    address.expect("the token is the link's end").to_owned()
}

#[tokio::test]
async fn a_link_leads_to_the_server_by_the_best_address_that_is_known() {
    let server = TestServer::start().await;
    let ann = server.register("Ann").await;
    let own = server.running.url().to_owned();
    for (host, expected) in [
        ("192.168.1.9:7450", "https://192.168.1.9:7450"),
        ("vireo.example:7450", "https://vireo.example:7450"),
        ("[fd00::9]:7450", "https://[fd00::9]:7450"),
        ("localhost:1", &own),
        ("[::1]:1", &own),
        ("eve@vireo.example", &own),
    ] {
        assert_eq!(link_by(&server, &ann, host).await, expected, "{host}");
    }
    let named = TestServer::start_with(|config| {
        config.public_url = Some("https://vireo.example.org".to_owned());
    })
    .await;
    let ann = named.register("Ann").await;
    let link = link_by(&named, &ann, "192.168.1.9:7450").await;
    assert_eq!(link, "https://vireo.example.org");
}

async fn register_with(server: &TestServer, name: &str, token: &str) -> (u16, Value) {
    let body = json!({"name": name, "password": PASSWORD, "invite": token});
    server.post("/api/register", &body).await
}

/// A server whose first person has come by its own invite.
async fn closed_server() -> (TestServer, Person) {
    let server = TestServer::start_with(|config| config.open_registration = false).await;
    let outdated = server.running.first_invite().await.expect("made");
    let first = server.running.first_invite().await.expect("made");
    let outdated = register_with(&server, "Ann", &outdated.expect("one")).await;
    assert_eq!(
        (outdated.0, &outdated.1["code"]),
        (404, &json!("invalid-invite"))
    );
    let (status, answer) = register_with(&server, "Ann", &first.expect("one")).await;
    assert_eq!(status, 201, "{answer}");
    assert_eq!(server.running.first_invite().await.expect("asked"), None);
    let ann = Person {
        id: text(&answer["user"]["id"]),
        name: "Ann".to_owned(),
        token: text(&answer["accessToken"]),
        refresh_token: text(&answer["refreshToken"]),
    };
    (server, ann)
}

#[tokio::test]
async fn an_invite_lets_so_many_people_in_and_makes_them_contacts() {
    let (server, ann) = closed_server().await;
    let mut at_ann = server.connect(&ann).await;
    let (token, _) = invite(&server, &ann, 2).await;
    let nobody = json!({"name": "Eve", "password": PASSWORD});
    let (status, answer) = server.post("/api/register", &nobody).await;
    assert_eq!(
        (status, &answer["code"]),
        (403, &json!("registration-closed"))
    );
    for _ in 0..3 {
        let (status, look) = server
            .post("/api/invites/look", &json!({"token": token}))
            .await;
        assert_eq!((status, &look["inviter"]), (200, &json!("Ann")));
    }
    // A name that is taken uses nothing up.
    assert_eq!(register_with(&server, "ann", &token).await.0, 409);
    for name in ["Bob", "Carol"] {
        assert_eq!(register_with(&server, name, &token).await.0, 201);
        let news = at_ann
            .expect_where("contact", |news| news["contact"]["name"] == name)
            .await;
        assert_eq!(news["contact"]["status"], "contact");
    }
    let (status, answer) = register_with(&server, "Dan", &token).await;
    assert_eq!((status, &answer["code"]), (404, &json!("invalid-invite")));
    let (status, _) = server
        .post("/api/invites/look", &json!({"token": token}))
        .await;
    assert_eq!(status, 404);
}

#[tokio::test]
async fn of_many_who_use_an_invite_at_once_as_many_get_in_as_it_is_for() {
    let (server, ann) = closed_server().await;
    let (token, _) = invite(&server, &ann, 3).await;
    let tries = (0..10).map(|n| {
        let (server, token) = (&server, &token);
        async move { register_with(server, &format!("person {n}"), token).await.0 }
    });
    let statuses = futures_util::future::join_all(tries).await;
    let made = statuses.iter().filter(|status| **status == 201).count();
    let refused = statuses.iter().filter(|status| **status == 404).count();
    assert_eq!((made, refused), (3, 7), "{statuses:?}");
}

#[tokio::test]
async fn whoever_has_an_account_redeems_an_invite_once() {
    let server = TestServer::start().await;
    let ann = server.register("Ann").await;
    let bob = server.register("Bob").await;
    let (token, id) = invite(&server, &ann, 1).await;
    let body = json!({"token": token});
    let redeem = async |person: &Person| {
        let answer = server.ask("POST", "/api/invites/redeem", &person.token, Some(&body));
        answer.await.0
    };
    assert_eq!(redeem(&ann).await, 409, "her own");
    let mut at_bob = server.connect(&bob).await;
    assert_eq!(redeem(&bob).await, 204);
    let news = at_bob.expect("contact").await;
    assert_eq!(news["contact"]["name"], "Ann");
    assert_eq!(
        redeem(&server.register("Carol").await).await,
        404,
        "used up"
    );
    let path = format!("/api/invites/{id}");
    assert_eq!(server.ask("DELETE", &path, &ann.token, None).await.0, 404);
}

#[tokio::test]
async fn invites_are_listed_and_revoked_by_their_maker_or_an_administrator() {
    let (server, ann) = closed_server().await;
    let (token, _) = invite(&server, &ann, 5).await;
    let (_, answer) = register_with(&server, "Bob", &token).await;
    let bob = text(&answer["accessToken"]);
    let list = async |token: &str| {
        let (status, answer) = server.ask("GET", "/api/invites", token, None).await;
        assert_eq!(status, 200, "{answer}");
        answer["invites"].as_array().expect("a list").clone()
    };
    assert_eq!(list(&bob).await, Vec::<Value>::new());
    let body = json!({"uses": 1, "expiresInSeconds": 60});
    let (_, made) = server.ask("POST", "/api/invites", &bob, Some(&body)).await;
    let all = list(&ann.token).await;
    assert_eq!(all.len(), 2);
    let of = |name: &str| all.iter().find(|invite| invite["inviter"] == name);
    assert_eq!(of("Ann").expect("listed")["usesLeft"], 4);
    let anns = format!("/api/invites/{}", text(&of("Ann").expect("listed")["id"]));
    assert_eq!(server.ask("DELETE", &anns, &bob, None).await.0, 404);
    let bobs = format!("/api/invites/{}", text(&made["invite"]["id"]));
    assert_eq!(server.ask("DELETE", &bobs, &ann.token, None).await.0, 204);
    assert_eq!(
        register_with(&server, "Eve", &text(&made["token"])).await.0,
        404
    );
    for (uses, seconds) in [(0, 60), (101, 60), (1, 59), (1, 30 * 24 * 60 * 60 + 1)] {
        let body = json!({"uses": uses, "expiresInSeconds": seconds});
        let answer = server.ask("POST", "/api/invites", &bob, Some(&body)).await;
        assert_eq!(answer.0, 400, "{body}");
    }
}

#[tokio::test]
async fn a_changed_password_ends_the_other_sessions() {
    let server = TestServer::start().await;
    let ann = server.register("Ann").await;
    let sign_in = async |password: &str| {
        let body = json!({"name": "Ann", "password": password});
        server.post("/api/sign-in", &body).await
    };
    let phone = text(&sign_in(PASSWORD).await.1["accessToken"]);
    let mut on_phone = server.open(&phone).await.expect("connected");
    on_phone.greet().await;
    let change = async |old: &str, new: &str| {
        let body = json!({"oldPassword": old, "newPassword": new});
        let answer = server.ask("POST", "/api/account/password", &ann.token, Some(&body));
        answer.await.0
    };
    assert_eq!(change("wrong horse", "battery staple").await, 401);
    assert_eq!(change(PASSWORD, "short").await, 400);
    assert_eq!(change(PASSWORD, "battery staple").await, 204);
    assert_eq!(on_phone.closed().await, Some(4001));
    assert_eq!(
        server.ask("GET", "/api/sessions", &ann.token, None).await.0,
        200
    );
    assert_eq!(sign_in(PASSWORD).await.0, 401);
    assert_eq!(sign_in("battery staple").await.0, 200);
}

#[tokio::test]
async fn a_deleted_account_is_gone_from_everywhere() {
    let server = TestServer::start().await;
    let (ann, bob) = (server.register("Ann").await, server.register("Bob").await);
    let mut a = server.connect(&ann).await;
    let mut b = server.connect(&bob).await;
    support::befriend(&mut a, &ann, &mut b, &bob).await;
    let delete = async |password: &str| {
        let body = json!({"password": password});
        let answer = server.ask("POST", "/api/account/delete", &ann.token, Some(&body));
        answer.await.0
    };
    assert_eq!(delete("wrong horse").await, 401);
    assert_eq!(delete(PASSWORD).await, 204);
    assert_eq!(a.closed().await, Some(4001));
    assert_eq!(b.expect("contact:removed").await["userId"], ann.id);
    let list = b.ask(json!({"type": "contacts:list"})).await;
    assert!(!list.to_string().contains("Ann"), "{list}");
    assert_eq!(
        server.ask("GET", "/api/sessions", &ann.token, None).await.0,
        401
    );
    // The name is free again.
    assert_ne!(server.register("Ann").await.id, ann.id);
}
