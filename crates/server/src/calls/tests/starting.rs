//! Who may call whom.

use super::*;

#[test]
fn whoever_is_in_a_call_is_busy() {
    let mut world = World::new(&[("ann", 1), ("bob", 2), ("eve", 3)]);
    world.call(1, "bob", "ab", "c").expect("rings");
    let busy = Err(CallErrorCode::UserBusy);
    assert_eq!(world.call(3, "bob", "be", "d"), busy);
    assert_eq!(world.call(3, "ann", "ae", "e"), busy);
    assert_eq!(
        world.call(1, "eve", "ae", "f"),
        busy,
        "the caller is in a call"
    );
    assert_eq!(
        world.call(2, "eve", "be", "g"),
        busy,
        "the callee is being rung"
    );
    world.say(2, answer("c")).expect("answered");
    assert_eq!(world.call(3, "bob", "be", "d"), busy);
    assert_eq!(
        world.call(2, "ann", "ab", "h"),
        busy,
        "only a pending call is glare"
    );
    world.say(1, end("c", EndReason::HungUp)).expect("ended");
    assert_eq!(world.call(3, "bob", "be", "d"), says(&[(2, "offer")]));
}

#[test]
fn whoever_was_busy_hears_who_has_called() {
    let mut world = World::new(&[("ann", 1), ("bob", 2), ("eve", 3)]);
    let heard = |user: &str, caller: &str| vec![(user.to_owned(), caller.to_owned())];
    world.call(1, "bob", "ab", "c").expect("rings");
    world.say(2, answer("c")).expect("answered");
    assert_eq!(world.missed(), []);
    let busy = Err(CallErrorCode::UserBusy);
    assert_eq!(world.call(3, "bob", "be", "d"), busy);
    assert_eq!(world.missed(), heard("bob", "eve"));
    assert_eq!(world.call(1, "eve", "ae", "e"), busy);
    assert_eq!(world.missed(), [], "the caller alone was busy");

    world.say(1, end("c", EndReason::HungUp)).expect("ended");
    world.call(1, "bob", "ab", "f").expect("rings");
    world.say(2, reject("f", true)).expect("busy by itself");
    assert_eq!(world.missed(), heard("bob", "ann"));
    world.call(1, "bob", "ab", "g").expect("rings");
    world.say(2, reject("g", false)).expect("declined");
    assert_eq!(world.missed(), []);
}

#[test]
fn glare_is_left_to_the_clients() {
    let mut world = World::new(&[("ann", 1), ("bob", 2)]);
    world.call(1, "bob", "ab", "a").expect("rings");
    assert_eq!(world.call(2, "ann", "ab", "b"), says(&[(1, "offer")]));
    assert_eq!(
        world.call(1, "bob", "ab", "x"),
        Err(CallErrorCode::UserBusy),
        "no third"
    );
    assert_eq!(
        world.say(2, end("b", EndReason::HungUp)),
        says(&[(1, "end Cancelled")])
    );
    assert_eq!(world.say(2, answer("a")), says(&[(1, "answer")]));
    assert_eq!(world.say(1, media("a")), says(&[(2, "media")]));
}

#[test]
fn a_service_takes_as_many_as_it_likes() {
    let mut world = World::new(&[("ann", 1), ("bob", 2), ("echo", 3)]);
    assert_eq!(world.call(1, "echo", "ae", "c"), says(&[(3, "offer")]));
    assert_eq!(world.call(2, "echo", "be", "d"), says(&[(3, "offer")]));
    assert_eq!(
        world.call(1, "echo", "ae", "e"),
        Err(CallErrorCode::UserBusy)
    );
}

#[test]
fn ids_are_checked() {
    let mut world = World::new(&[("ann", 1), ("bob", 2), ("eve", 3), ("dan", 4)]);
    world.call(1, "bob", "ab", "c").expect("rings");
    let invalid = Err(CallErrorCode::InvalidCall);
    assert_eq!(world.call(3, "dan", "de", "c"), invalid, "taken");
    for bad in ["", "a b", "ü", &"x".repeat(65)] {
        assert_eq!(world.call(3, "dan", "de", bad), invalid);
    }
    assert_eq!(
        world.call(3, "nobody", "en", "d"),
        Err(CallErrorCode::UserOffline)
    );
    assert_eq!(
        world.say(3, end("c", EndReason::HungUp)),
        Err(CallErrorCode::AccessDenied)
    );
    let elsewhere = ClientMessage::CallEnd {
        call_id: CallId("c".into()),
        chat_id: ChatId("other".into()),
        reason: EndReason::HungUp,
    };
    assert_eq!(world.say(1, elsewhere), GONE);
}
