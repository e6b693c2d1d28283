//! Several servers over one PostgreSQL and one Redis work as one.
#![cfg(unix)]

mod support;

use std::time::Duration;

use serde_json::json;
use support::{Client, Person, TestServer, answer, befriend, initiate, text};
use tokio::time::{Instant, sleep};
use vireo_server::BusConfig;
use vireo_testing::{Durability, Postgres, Redis};

/// What several servers share.
struct Town {
    postgres: Postgres,
    redis: Redis,
    database: String,
}

impl Town {
    fn start() -> Self {
        tracing_subscriber::fmt()
            .with_env_filter("vireo=debug")
            .init();
        let postgres = Postgres::start(Durability::ProcessOnly).expect("PostgreSQL");
        let database = postgres.database().expect("made");
        let redis = Redis::start().expect("Redis");
        Self {
            postgres,
            redis,
            database,
        }
    }

    async fn server(&self) -> TestServer {
        self.server_at(None).await
    }

    async fn server_at(&self, public_url: Option<&str>) -> TestServer {
        let bus = BusConfig {
            redis: self.redis.address(),
            public_url: public_url.map(str::to_owned),
        };
        let database = self.database.parse().expect("an address");
        TestServer::start_with(|config| {
            config.database = Some(database);
            config.bus = Some(bus);
        })
        .await
    }
}

/// Two people, each at a server of their own, who see each other online.
async fn pair(one: &TestServer, other: &TestServer) -> (Client, Client, String, [Person; 2]) {
    let (ann, bob) = (one.register("Ann").await, other.register("Bob").await);
    let mut a = one.connect(&ann).await;
    let mut b = other.connect(&bob).await;
    let chat = befriend(&mut a, &ann, &mut b, &bob).await;
    until_online(&mut a, &bob).await;
    until_online(&mut b, &ann).await;
    (a, b, chat, [ann, bob])
}

/// Waits until one person is online in the other's list. Servers need a moment to find each other.
async fn until_online(client: &mut Client, person: &Person) {
    until(client, person, "online").await;
}

async fn until(client: &mut Client, person: &Person, presence: &str) {
    let start = Instant::now();
    loop {
        let list = client.ask(json!({"type": "contacts:list"})).await;
        let contacts = list["contacts"].as_array().cloned().unwrap_or_default();
        let found = contacts.iter().find(|c| c["userId"] == person.id.as_str());
        if found.is_some_and(|contact| contact["presence"] == presence) {
            return;
        }
        assert!(start.elapsed() < Duration::from_secs(30), "{list}");
        sleep(Duration::from_millis(50)).await;
    }
}

async fn call(a: &mut Client, b: &mut Client, id: &str, chat: &str) {
    a.ok(initiate(id, chat)).await;
    b.expect("call:offer").await;
    b.ok(json!({"type": "call:ringing", "callId": id, "chatId": chat}))
        .await;
    a.expect("call:ringing").await;
    b.ok(answer(id, chat)).await;
    a.expect("call:answer").await;
}

async fn hang_up(a: &mut Client, b: &mut Client, id: &str, chat: &str) {
    let end = json!({"type": "call:end", "callId": id, "chatId": chat, "reason": "hung-up"});
    a.ok(end).await;
    let ended = b.expect_where("call:end", |m| m["callId"] == id).await;
    assert_eq!(text(&ended["reason"]), "hung-up");
}

#[tokio::test]
async fn people_at_different_servers_see_and_call_each_other() {
    let town = Town::start();
    let (one, other) = (town.server().await, town.server().await);
    let (mut a, mut b, chat, [_, bob]) = pair(&one, &other).await;
    call(&mut a, &mut b, "c1", &chat).await;
    hang_up(&mut a, &mut b, "c1", &chat).await;
    call(&mut b, &mut a, "c2", &chat).await;
    hang_up(&mut a, &mut b, "c2", &chat).await;
    drop(b);
    until(&mut a, &bob, "offline").await;
}

#[tokio::test]
async fn calls_outlive_the_server_that_leads() {
    let town = Town::start();
    let first = town.server().await;
    let (second, third) = (town.server().await, town.server().await);
    let (mut a, mut b, chat, _) = pair(&second, &third).await;
    call(&mut a, &mut b, "c1", &chat).await;
    // The first to come leads. It stops, and one of the others takes over.
    first.running.shutdown().await;
    hang_up(&mut a, &mut b, "c1", &chat).await;
    call(&mut a, &mut b, "c2", &chat).await;
    hang_up(&mut b, &mut a, "c2", &chat).await;
}

#[tokio::test]
async fn redis_restarted_heals_by_itself() {
    let mut town = Town::start();
    let (one, other) = (town.server().await, town.server().await);
    let (mut a, mut b, chat, [ann, bob]) = pair(&one, &other).await;
    call(&mut a, &mut b, "c1", &chat).await;
    town.redis.kill().expect("killed");
    // Everyone is alone after a while, and works on: people of one server can call each other.
    until(&mut a, &bob, "offline").await;
    let (carl, dora) = (one.register("Carl").await, one.register("Dora").await);
    let (mut c, mut d) = (one.connect(&carl).await, one.connect(&dora).await);
    let near = befriend(&mut c, &carl, &mut d, &dora).await;
    call(&mut c, &mut d, "c2", &near).await;
    hang_up(&mut c, &mut d, "c2", &near).await;
    town.redis.start_again().expect("started");
    until(&mut b, &ann, "in-call").await;
    hang_up(&mut a, &mut b, "c1", &chat).await;
    call(&mut a, &mut b, "c3", &chat).await;
    hang_up(&mut a, &mut b, "c3", &chat).await;
}

#[tokio::test]
async fn a_database_that_comes_back_loses_nothing_that_was_confirmed() {
    let mut town = Town::start();
    let one = town.server().await;
    let (mut a, mut b, chat, _) = pair(&one, &one).await;
    call(&mut a, &mut b, "c1", &chat).await;
    town.postgres.kill().expect("killed");
    town.postgres.start_again().expect("started");
    hang_up(&mut a, &mut b, "c1", &chat).await;
    let history = a.ask(json!({"type": "calls:history"})).await;
    assert_eq!(history["calls"][0]["outcome"], "completed", "{history}");
}

fn about(kind: &str, person: &Person) -> serde_json::Value {
    json!({"type": kind, "userId": person.id})
}

#[tokio::test]
async fn what_people_are_to_each_other_is_heard_at_every_server() {
    let town = Town::start();
    let [one, other] = [town.server().await, town.server().await];
    let (ann, bob) = (one.register("Ann").await, other.register("Bob").await);
    let (mut a, mut b) = (one.connect(&ann).await, other.connect(&bob).await);
    let mut phone = one.connect(&bob).await;
    // Until the servers have found each other, each has only its own people.
    let see_each_other = json!({"type": "presence:do-not-disturb", "enabled": true});
    let start = Instant::now();
    loop {
        b.ok(see_each_other.clone()).await;
        b.ok(json!({"type": "presence:do-not-disturb", "enabled": false}))
            .await;
        let heard = tokio::time::timeout(Duration::from_millis(500), phone.read()).await;
        if heard.is_ok_and(|news| news.is_some_and(|news| news["type"] == "do-not-disturb")) {
            break;
        }
        assert!(start.elapsed() < Duration::from_secs(30));
    }
    // A request, turned down; and one that is accepted.
    let add = json!({"type": "contacts:add", "name": "Bob"});
    a.ask(add.clone()).await;
    for device in [&mut b, &mut phone] {
        let asked = |news: &serde_json::Value| news["contact"]["status"] == "incoming";
        device.expect_where("contact", asked).await;
    }
    b.ok(about("contacts:decline", &ann)).await;
    assert_eq!(a.expect("contact:removed").await["userId"], bob.id);
    phone.expect("contact:removed").await;
    a.ask(add).await;
    b.ask(about("contacts:accept", &ann)).await;
    let contact = |news: &serde_json::Value| news["contact"]["status"] == "contact";
    for device in [&mut a, &mut b, &mut phone] {
        device.expect_where("contact", contact).await;
    }
    // Presence, do not disturb and a name.
    a.forget();
    let says = |status: &str| json!({"type": "presence:set", "status": status});
    b.ok(says("away")).await;
    phone.ok(says("away")).await;
    b.ok(says("online")).await;
    let is = |presence: &'static str| move |news: &serde_json::Value| news["presence"] == presence;
    a.expect_where("presence", is("away")).await;
    a.expect_where("presence", is("online")).await;
    phone.forget();
    b.ok(see_each_other).await;
    a.expect_where("presence", is("do-not-disturb")).await;
    phone
        .expect_where("do-not-disturb", |news| news["enabled"] == true)
        .await;
    let name = json!({"displayName": "Robert"});
    let renamed = other
        .ask("PUT", "/api/profile", &bob.token, Some(&name))
        .await;
    assert_eq!(renamed.0, 200);
    a.expect_where("contact", |news| news["contact"]["displayName"] == "Robert")
        .await;
    // Blocked: gone. Removed: gone from the list as well.
    b.ask(about("contacts:block", &ann)).await;
    a.expect_where("presence", is("offline")).await;
    b.ask(about("contacts:unblock", &ann)).await;
    a.expect_where("presence", is("do-not-disturb")).await;
    a.ok(about("contacts:remove", &bob)).await;
    b.expect("contact:removed").await;
    phone.expect("contact:removed").await;
    // An account that goes, and a session that ends.
    let path = "/api/sessions";
    let (_, list) = one.ask("GET", path, &ann.token, None).await;
    let path = format!("{path}/{}", text(&list["sessions"][0]["id"]));
    assert_eq!(other.ask("DELETE", &path, &ann.token, None).await.0, 204);
    assert_eq!(a.closed().await, Some(4001));
}
