//! What administrators may do that members may not.

mod support;

use serde_json::{Value, json};
use support::{Person, TestServer, text};

/// Ann, whom the database calls an administrator, and Bob, whom it does not.
async fn town() -> (TestServer, Person, Person) {
    let server = TestServer::start().await;
    let ann = server.register("Ann").await;
    server
        .change_database("UPDATE users SET role = 'admin' WHERE name = 'Ann'")
        .await;
    let bob = server.register("Bob").await;
    (server, ann, bob)
}

async fn people(server: &TestServer, who: &Person, after: &str) -> Value {
    let path = format!("/api/users{after}");
    let (status, answer) = server.ask("GET", &path, &who.token, None).await;
    assert_eq!(status, 200, "{answer}");
    answer["users"].clone()
}

#[tokio::test]
async fn an_administrator_sees_everybody_and_makes_others_administrators() {
    let (server, ann, bob) = town().await;
    let list = people(&server, &ann, "").await;
    let names: Vec<&str> = list
        .as_array()
        .expect("a list")
        .iter()
        .filter_map(|person| person["name"].as_str())
        .collect();
    assert_eq!(names, ["Ann", "Bob"]);
    assert_eq!(list[0]["role"], "admin");
    assert_eq!(
        (&list[1]["role"], &list[1]["displayName"]),
        (&json!("member"), &Value::Null)
    );
    assert_eq!(people(&server, &ann, "?after=aNN").await[0]["name"], "Bob");
    let role = |id: &str| format!("/api/users/{id}/role");
    let (admin, member) = (json!({"role": "admin"}), json!({"role": "member"}));
    let put = async |who: &Person, id: &str, body: &Value| {
        let (status, answer) = server.ask("PUT", &role(id), &who.token, Some(body)).await;
        (status, text(&answer["code"]))
    };
    let forbidden = (403, "forbidden".to_owned());
    assert_eq!(put(&bob, &bob.id, &admin).await, forbidden);
    assert_eq!(
        put(&ann, "nobody", &admin).await,
        (404, "not-found".to_owned())
    );
    let last = (409, "last-admin".to_owned());
    assert_eq!(put(&ann, &ann.id, &member).await, last);
    let body = json!({"password": support::PASSWORD});
    let (status, answer) = server
        .ask("POST", "/api/account/delete", &ann.token, Some(&body))
        .await;
    assert_eq!((status, text(&answer["code"])), last);
    assert_eq!(put(&ann, &bob.id, &admin).await.0, 204);
    // At once, by the token that was made before.
    assert_eq!(people(&server, &bob, "").await[1]["role"], "admin");
    assert_eq!(put(&bob, &ann.id, &member).await.0, 204);
    assert_eq!(put(&ann, &ann.id, &admin).await, forbidden);
    let (status, _) = server
        .ask("POST", "/api/account/delete", &ann.token, Some(&body))
        .await;
    assert_eq!(status, 204);
}

#[tokio::test]
async fn an_administrator_signs_somebody_out_everywhere() {
    let (server, ann, bob) = town().await;
    let mut client = server.connect(&bob).await;
    let path = format!("/api/users/{}/sessions", bob.id);
    assert_eq!(server.ask("DELETE", &path, &bob.token, None).await.0, 403);
    assert_eq!(server.ask("DELETE", &path, &ann.token, None).await.0, 204);
    assert_eq!(client.closed().await, Some(4001));
    assert!(server.open(&bob.token).await.is_err());
    let nobody = "/api/users/nobody/sessions";
    assert_eq!(server.ask("DELETE", nobody, &ann.token, None).await.0, 404);
}

/// Two administrators who take each other's role away at once: one of them stays.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn somebody_always_runs_the_server() {
    let (server, ann, bob) = town().await;
    let body = json!({"role": "member"});
    for _ in 0..5 {
        server
            .change_database("UPDATE users SET role = 'admin' WHERE service = 0")
            .await;
        let role = |id: &str| format!("/api/users/{id}/role");
        let (by_ann, by_bob) = (role(&bob.id), role(&ann.id));
        let (one, other) = tokio::join!(
            server.ask("PUT", &by_ann, &ann.token, Some(&body)),
            server.ask("PUT", &by_bob, &bob.token, Some(&body)),
        );
        let mut done = [one.0, other.0];
        done.sort_unstable();
        assert!(done == [204, 403] || done == [204, 409], "{done:?}");
    }
}
