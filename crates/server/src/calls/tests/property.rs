//! Whatever happens to calls, in whatever order.

use proptest::prelude::*;

use super::*;

#[derive(Debug, Clone)]
enum Step {
    Connect(usize),
    Disconnect(usize),
    Call(usize, usize, u8),
    Say(usize, u8, u8),
    Wait(u64),
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        (0..3usize).prop_map(Step::Connect),
        (0..8usize).prop_map(Step::Disconnect),
        (0..8usize, 0..3usize, 0..4u8).prop_map(|(d, u, c)| Step::Call(d, u, c)),
        (0..8usize, 0..4u8, 0..7u8).prop_map(|(d, c, m)| Step::Say(d, c, m)),
        (0..200u64).prop_map(Step::Wait),
    ]
}

fn message(call: &str, chat: &str, kind: u8) -> ClientMessage {
    let message = match kind {
        0 => ringing(call),
        1 => answer(call),
        2 => candidate(call),
        3 => media(call),
        4 => end(call, EndReason::HungUp),
        5 => reject(call, false),
        _ => reject(call, true),
    };
    let mut json = serde_json::to_value(message).expect("JSON");
    json["chatId"] = chat.into();
    serde_json::from_value(json).expect("a message")
}

/// Each pair of people has one chat.
fn chat_of(one: &str, other: &str) -> String {
    let mut pair = [one, other];
    pair.sort_unstable();
    pair.concat()
}

proptest! {
    /// Whatever happens: nothing panics, nobody hears of a call they are not in, the indexes agree, and when everyone has
    /// left, nothing remains.
    #[test]
    fn no_sequence_of_events_leaves_anything_behind(steps in proptest::collection::vec(step(), 0..60)) {
        let users = ["ann", "bob", "eve"];
        let mut world = World::new(&[]);
        let mut next = 1;
        for step in steps {
            let device = |world: &World, at: usize| world.devices.get(at).map(|(user, d)| (*user, d.0));
            let heard = match step {
                Step::Connect(user) => {
                    next += 1;
                    world.connect(users[user], next)
                }
                Step::Disconnect(at) => match device(&world, at) {
                    Some((_, device)) => world.disconnect(device),
                    None => continue,
                },
                Step::Call(at, callee, call) => match device(&world, at) {
                    Some((user, device)) if user != users[callee] => {
                        let chat = chat_of(user, users[callee]);
                        world.call(device, users[callee], &chat, &call.to_string()).unwrap_or_default()
                    }
                    _ => continue,
                },
                Step::Say(at, call, kind) => match device(&world, at) {
                    Some((_, device)) => {
                        let known = world.calls.calls.get(&CallId(call.to_string()));
                        let chat = known.map_or("none".to_owned(), |call| call.chat.0.clone());
                        world.say(device, message(&call.to_string(), &chat, kind)).unwrap_or_default()
                    }
                    None => continue,
                },
                Step::Wait(seconds) => world.wait(Duration::from_secs(seconds)),
            };
            for (to, _) in heard {
                prop_assert!(world.devices.iter().any(|(_, device)| device.0 == to), "told somebody who is gone");
            }
            let indexed: usize = world.calls.by_user.values().map(HashSet::len).sum();
            prop_assert_eq!(indexed, world.calls.calls.len() * 2);
            let timed = world.calls.calls.values().filter(|call| call.deadline.is_some()).count();
            prop_assert_eq!(timed, world.calls.deadlines.len());
        }
        while let Some((_, device)) = world.devices.first().copied() {
            world.disconnect(device.0);
        }
        world.wait(FORGET_AFTER + TIMEOUT);
        prop_assert!(world.calls.calls.is_empty());
        prop_assert!(world.calls.by_user.is_empty());
        prop_assert!(world.calls.deadlines.is_empty());
    }
}
