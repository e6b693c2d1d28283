//! What contacts see of each other, over real connections.

mod support;

use std::collections::HashMap;
use std::sync::Arc;
use std::time::{Duration, Instant};

use serde_json::{Value, json};
use support::{Client, Person, TestServer, befriend, end, initiate, text};

fn says(status: &str) -> Value {
    json!({"type": "presence:set", "status": status})
}

fn do_not_disturb(enabled: bool) -> Value {
    json!({"type": "presence:do-not-disturb", "enabled": enabled})
}

/// The next presence that the viewer hears of.
async fn next(viewer: &mut Client) -> String {
    text(&viewer.expect("presence").await["presence"])
}

/// Ann, who watches, and Bob, who is watched.
async fn two(server: &TestServer) -> (Client, Person, Client, String) {
    let (ann, bob) = (server.register("Ann").await, server.register("Bob").await);
    let mut a = server.connect(&ann).await;
    let mut b = server.connect(&bob).await;
    let chat = befriend(&mut a, &ann, &mut b, &bob).await;
    a.forget();
    (a, bob, b, chat)
}

#[tokio::test]
async fn the_most_telling_of_all_devices_counts() {
    let server = TestServer::start().await;
    let (mut a, bob, mut b, _) = two(&server).await;
    b.ok(says("away")).await;
    assert_eq!(next(&mut a).await, "away");
    let mut phone = server.connect(&bob).await;
    assert_eq!(next(&mut a).await, "online", "one device is in use");
    phone.ok(says("away")).await;
    assert_eq!(next(&mut a).await, "away");
    b.ok(says("online")).await;
    assert_eq!(next(&mut a).await, "online");
    b.socket.close(None).await.expect("closed");
    assert_eq!(next(&mut a).await, "away", "one device remains");
    drop(phone);
    let gone = a.expect("presence").await;
    assert_eq!(gone["presence"], "offline");
    let at = gone["lastSeenAt"].as_i64().expect("a time");
    let list = a.ask(json!({"type": "contacts:list"})).await;
    let contacts = list["contacts"].as_array().expect("a list");
    let bob_now = contacts.iter().find(|contact| contact["userId"] == bob.id);
    assert_eq!(bob_now.expect("in the list")["presence"], "offline");
    let now = std::time::SystemTime::now()
        .duration_since(std::time::UNIX_EPOCH)
        .expect("after 1970");
    let now = i64::try_from(now.as_millis()).expect("before the year 292 million");
    assert!((0..60_000).contains(&(now - at)), "{at} and now {now}");
    let _back = server.connect(&bob).await;
    let back = a.expect("presence").await;
    assert_eq!(back["presence"], "online");
    assert_eq!(back.get("lastSeenAt"), None);
}

#[tokio::test]
async fn who_does_not_wish_to_be_disturbed_does_not_on_any_device_until_they_do() {
    let server = TestServer::start().await;
    let (mut a, bob, mut b, _) = two(&server).await;
    let mut phone = server.connect(&bob).await;
    b.ok(do_not_disturb(true)).await;
    assert_eq!(next(&mut a).await, "do-not-disturb");
    for device in [&mut b, &mut phone] {
        assert_eq!(device.expect("do-not-disturb").await["enabled"], true);
    }
    // Nothing that a device says of itself changes it, nor that one comes or all go.
    phone.ok(says("away")).await;
    phone.ok(says("online")).await;
    b.ok(do_not_disturb(true)).await;
    a.expect_no("presence").await;
    drop((b, phone));
    assert_eq!(next(&mut a).await, "offline");
    let mut back = server.open(&bob.token).await.expect("connected");
    let hello = json!({"type": "hello", "version": 2, "client": "test"});
    assert_eq!(back.ask(hello.clone()).await["doNotDisturb"], true);
    assert_eq!(next(&mut a).await, "do-not-disturb");
    back.ok(do_not_disturb(false)).await;
    assert_eq!(next(&mut a).await, "online");
    assert_eq!(back.expect("do-not-disturb").await["enabled"], false);
    let mut again = server.open(&bob.token).await.expect("connected");
    assert_eq!(again.ask(hello).await["doNotDisturb"], false);
    a.expect_no("do-not-disturb").await;
}

#[tokio::test]
async fn a_call_shows_while_it_goes_on() {
    let server = TestServer::start().await;
    let (mut a, _, mut b, chat) = two(&server).await;
    let (cem, ann) = (server.register("Cem").await, "Ann");
    let mut c = server.connect(&cem).await;
    c.ask(json!({"type": "contacts:add", "name": ann})).await;
    let accept = json!({"type": "contacts:add", "name": "Cem"});
    a.ask(accept).await;
    c.forget();
    a.ok(initiate("call-1", &chat)).await;
    b.expect("call:offer").await;
    assert_eq!(next(&mut a).await, "in-call", "it rings");
    b.ok(do_not_disturb(true)).await;
    b.ok(support::answer("call-1", &chat)).await;
    // Whoever is not in the call sees it too.
    let in_call = |news: &Value| news["presence"] == "in-call";
    c.expect_where("presence", in_call).await;
    c.forget();
    b.ok(end("call-1", &chat)).await;
    assert_eq!(next(&mut a).await, "do-not-disturb");
    assert_eq!(next(&mut c).await, "online");
}

#[tokio::test]
async fn a_call_rings_everywhere_in_spite_of_do_not_disturb_and_stops_everywhere() {
    let server = TestServer::start().await;
    let (mut a, bob, mut b, chat) = two(&server).await;
    let mut phone = server.connect(&bob).await;
    b.ok(do_not_disturb(true)).await;
    for (call, answer, reason) in [
        (
            "call-1",
            support::answer("call-1", &chat),
            "answered-elsewhere",
        ),
        (
            "call-2",
            support::about("call:reject", "call-2", &chat),
            "declined-elsewhere",
        ),
    ] {
        a.ok(initiate(call, &chat)).await;
        for device in [&mut b, &mut phone] {
            let offered = device.expect("call:offer").await;
            assert_eq!(offered["callId"], call);
            device.ok(support::about("call:ringing", call, &chat)).await;
        }
        phone.ok(answer).await;
        let over = b.expect("call:end").await;
        assert_eq!(
            (&over["callId"], &over["reason"]),
            (&json!(call), &json!(reason))
        );
        b.fails(support::answer(call, &chat), "no-such-call").await;
        phone.expect_no("call:end").await;
        if reason == "answered-elsewhere" {
            a.expect("call:answer").await;
            a.ok(end(call, &chat)).await;
            phone.expect("call:end").await;
        } else {
            a.expect("call:rejected").await;
        }
    }
}

/// What one client believes of the others, by the messages it got in their order.
#[derive(Debug, Default, PartialEq)]
struct Picture(HashMap<String, (String, String)>);

impl Picture {
    fn hear(&mut self, message: &Value) {
        let entry = |contact: &Value| {
            let id = text(&contact["userId"]);
            (id, (text(&contact["status"]), text(&contact["presence"])))
        };
        match message["type"].as_str() {
            Some("contacts") => {
                let contacts = message["contacts"].as_array().expect("a list");
                self.0 = contacts.iter().map(entry).collect();
            }
            Some("contact") => self.0.extend([entry(&message["contact"])]),
            Some("contact:removed") => drop(self.0.remove(&text(&message["userId"]))),
            Some("presence") => {
                if let Some((_, presence)) = self.0.get_mut(&text(&message["userId"])) {
                    *presence = text(&message["presence"]);
                }
            }
            _ => {}
        }
    }
}

/// Numbers that look like chance and are the same in each run (xorshift).
struct Chance(u64);

impl Chance {
    fn below(&mut self, limit: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        usize::try_from(self.0 % 1_000_003).unwrap_or_default() % limit
    }
}

/// Does something that others see, and reads on until it is answered.
async fn act(
    client: &mut Client,
    picture: &mut Picture,
    people: &[Person],
    chance: &mut Chance,
    number: u64,
) {
    let other = &people[chance.below(people.len())];
    let kinds = ["accept", "decline", "remove", "block", "unblock"];
    let mut message = match chance.below(8) {
        0 | 1 => json!({"type": "contacts:add", "name": other.name}),
        2 => match chance.below(4) {
            n @ 0..2 => says(["online", "away"][n]),
            n => do_not_disturb(n == 2),
        },
        3 => json!({"type": "contacts:list"}),
        n => json!({"type": format!("contacts:{}", kinds[n - 3]), "userId": other.id}),
    };
    message["id"] = json!(number);
    client.send(&message.to_string()).await;
    catch_up(client, picture, number).await;
}

async fn catch_up(client: &mut Client, picture: &mut Picture, number: u64) {
    loop {
        let message = client.read().await.expect("connected");
        picture.hear(&message);
        if message["id"] == number {
            return;
        }
    }
}

const PEOPLE: usize = 6;
const DEVICES: usize = 12;

/// One device that comes and goes and changes what there is to change.
async fn live(server: &TestServer, people: &[Person], device: usize) -> (usize, Client, Picture) {
    let who = device % PEOPLE;
    let mut chance = Chance(0x9E37_79B9 + device as u64);
    let mut picture = Picture::default();
    let mut client = server.connect(&people[who]).await;
    for number in 1000..1028 {
        if number == 1000 || chance.below(10) == 0 {
            client = server.connect(&people[who]).await;
            client.send(r#"{"id":1,"type":"contacts:list"}"#).await;
            catch_up(&mut client, &mut picture, 1).await;
        }
        act(&mut client, &mut picture, people, &mut chance, number).await;
    }
    (who, client, picture)
}

/// Many people change what they are to each other at the same time, from several devices, some of which come and go.
/// Afterwards each device's picture, made of nothing but the messages it got, is the truth.
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn whatever_happens_at_once_everybody_ends_up_with_the_truth() {
    let server = Arc::new(TestServer::start().await);
    let mut people = Vec::new();
    let mut observers = Vec::new();
    for n in 0..PEOPLE {
        let person = server.register(&format!("Person {n}")).await;
        // One more device of each, which says of itself what changes nothing, and is asked for the truth.
        let mut observer = server.connect(&person).await;
        observer.ok(says("away")).await;
        observers.push(observer);
        people.push(person);
    }
    let people = Arc::new(people);
    let lives = (0..DEVICES).map(|device| {
        let (server, people) = (server.clone(), people.clone());
        tokio::spawn(async move { live(&server, &people, device).await })
    });
    let lives: Vec<_> = lives.collect();
    let mut devices = Vec::new();
    for life in lives {
        devices.push(life.await.expect("nothing went wrong"));
    }
    // The connections that were dropped are noticed by and by; then everything has been said, and stays so.
    let deadline = Instant::now() + Duration::from_secs(20);
    let mut agreed = 0;
    while agreed < 3 {
        assert!(Instant::now() < deadline, "{:#?}", devices[0].2);
        let mut truth = Vec::new();
        for observer in &mut observers {
            let mut picture = Picture::default();
            picture.hear(&observer.ask(json!({"type": "contacts:list"})).await);
            truth.push(picture);
        }
        for (_, client, picture) in &mut devices {
            let soon = Duration::from_millis(20);
            while let Ok(message) = tokio::time::timeout(soon, client.read()).await {
                picture.hear(&message.expect("connected"));
            }
        }
        let agree = devices.iter().all(|(who, _, known)| *known == truth[*who]);
        agreed = if agree { agreed + 1 } else { 0 };
    }
    let acquainted = devices.iter().filter(|(_, _, picture)| picture.0.len() > 1);
    assert!(acquainted.count() > DEVICES / 2, "too little has happened");
}
