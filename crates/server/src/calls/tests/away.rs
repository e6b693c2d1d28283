//! Calls of which a side has lost its connection.

use super::*;

#[test]
fn an_active_call_outlives_a_connection() {
    let mut world = active();
    assert_eq!(world.disconnect(2), []);
    assert_eq!(world.say(1, media("c")), says(&[]));
    assert_eq!(world.say(1, media("c")), says(&[]));
    assert_eq!(world.say(1, candidate("c")), says(&[]));
    // Only the newest state is kept.
    assert_eq!(
        Ok(world.connect("bob", 7)),
        says(&[(7, "candidate"), (7, "media")])
    );
    assert_eq!(world.say(7, media("c")), says(&[(1, "media")]));
    assert_eq!(world.say(1, media("c")), says(&[(7, "media")]));
    assert_eq!(
        world.say(1, end("c", EndReason::HungUp)),
        says(&[(7, "end HungUp")])
    );
}

#[test]
fn a_side_that_is_back_hears_all_before_it_speaks() {
    let mut world = active();
    world.connect("bob", 6); // It may be the one that comes back: it is told as well until one of them speaks.
    assert_eq!(
        world.say(1, candidate("c")),
        says(&[(2, "candidate"), (6, "candidate")])
    );
    world.disconnect(2);
    assert_eq!(world.say(1, media("c")), says(&[(6, "media")]));
    assert_eq!(Ok(world.connect("bob", 7)), says(&[(7, "media")]));
    assert_eq!(world.say(7, media("c")), says(&[(1, "media")]));
    assert_eq!(world.say(6, media("c")), GONE);
    assert_eq!(
        world.say(1, end("c", EndReason::HungUp)),
        says(&[(7, "end HungUp")])
    );
}

#[test]
fn a_side_is_believed_to_be_back_before_its_loss_is_noticed() {
    let mut world = active();
    world.connect("bob", 7);
    assert_eq!(world.say(7, media("c")), says(&[(1, "media")]));
    assert_eq!(world.disconnect(2), []);
    assert_eq!(world.say(1, media("c")), says(&[(7, "media")]));
}

#[test]
fn the_end_waits_for_a_side_that_is_away() {
    let mut world = active();
    world.disconnect(2);
    assert_eq!(world.say(1, end("c", EndReason::HungUp)), says(&[]));
    assert_eq!(world.say(1, media("c")), GONE);
    let others = says(&[(1, "offer")]);
    world.connect("eve", 3);
    assert_eq!(
        world.call(3, "ann", "ae", "d"),
        others,
        "nobody is busy with a call that is over"
    );
    assert_eq!(Ok(world.connect("bob", 7)), says(&[(7, "end HungUp")]));
    assert_eq!(world.say(7, media("c")), GONE);
    world.wait(FORGET_AFTER);
    assert_eq!(world.connect("bob", 8), []);
    assert!(!world.calls.calls.contains_key(&CallId("c".into())));
}

#[test]
fn a_call_that_both_have_left_is_forgotten() {
    let mut world = active();
    world.disconnect(1);
    world.disconnect(2);
    world.wait(FORGET_AFTER - Duration::from_secs(1));
    assert_eq!(world.calls.calls.len(), 1);
    world.wait(Duration::from_secs(1));
    assert!(world.calls.calls.is_empty() && world.calls.by_user.is_empty());
}

#[test]
fn a_call_that_one_returns_to_is_not() {
    let mut world = active();
    world.disconnect(1);
    world.disconnect(2);
    world.connect("bob", 7);
    world.say(7, media("c")).expect("kept");
    world.wait(FORGET_AFTER);
    assert_eq!(Ok(world.connect("ann", 8)), says(&[(8, "media")]));
}

#[test]
fn whoever_lost_a_call_is_free_again() {
    let mut world = active();
    world.connect("eve", 3);
    world.disconnect(2);
    world.connect("bob", 7);
    assert_eq!(
        world.call(3, "bob", "be", "d"),
        Err(CallErrorCode::UserBusy)
    );
    world.wait(BUSY_AFTER_LOSS);
    assert_eq!(world.call(3, "bob", "be", "d"), says(&[(7, "offer")]));
    // A new call of one's own says that the old one is lost, and the other side hears it.
    let mut world = active();
    world.disconnect(2);
    world.connect("bob", 7);
    let called = world.call(7, "ann", "ab", "d");
    assert_eq!(called, says(&[(1, "end ConnectionFailed"), (1, "offer")]));
}

#[test]
fn a_refused_call_costs_nobody_the_old_one() {
    let mut world = active();
    world.connect("eve", 3);
    world.connect("dan", 4);
    world.call(3, "dan", "de", "other").expect("rings");
    world.disconnect(2);
    world.connect("bob", 7);
    assert_eq!(
        world.call(7, "nobody", "bn", "d"),
        Err(CallErrorCode::UserOffline)
    );
    assert_eq!(
        world.call(7, "eve", "be", "d"),
        Err(CallErrorCode::UserBusy)
    );
    // Bob is still the one whom Ann is talking to.
    assert_eq!(world.say(7, media("c")), says(&[(1, "media")]));
    assert_eq!(
        world.say(1, end("c", EndReason::HungUp)),
        says(&[(7, "end HungUp")])
    );
}

#[test]
fn somebody_who_is_away_hears_later_that_the_other_has_given_up() {
    let mut world = active();
    world.connect("eve", 3);
    world.disconnect(1);
    world.disconnect(2);
    world.connect("bob", 7);
    assert_eq!(world.call(7, "eve", "be", "d"), says(&[(3, "offer")]));
    assert_eq!(
        Ok(world.connect("ann", 8)),
        says(&[(8, "end ConnectionFailed")])
    );
}

/// What the other side hears of it.
const BOB_IS_GONE: &[(u64, &str)] = &[(1, "error UserOffline")];

#[test]
fn whoever_closes_the_application_and_does_not_come_back_is_gone() {
    const SECOND: Duration = Duration::from_secs(1);
    let mut world = active();
    world.disconnect(2);
    assert_eq!(world.wait(BUSY_AFTER_LOSS - SECOND), []);
    assert_eq!(Ok(world.wait(SECOND)), says(BOB_IS_GONE));
    assert_eq!(world.wait(GONE_AFTER_SILENCE), [], "it is said once");
    // The call goes on: media may still flow.
    world.connect("bob", 7);
    assert_eq!(world.say(7, media("c")), says(&[(1, "media")]));

    // The application was started anew and knows of no call.
    let mut world = active();
    world.disconnect(2);
    world.connect("bob", 7);
    assert_eq!(Ok(world.wait(BUSY_AFTER_LOSS)), says(BOB_IS_GONE));

    // Back in the call in time.
    let mut world = active();
    world.disconnect(2);
    world.connect("bob", 7);
    world.say(7, media("c")).expect("there again");
    assert_eq!(world.wait(GONE_AFTER_SILENCE), []);
}

#[test]
fn whoever_has_no_network_is_waited_for_much_longer() {
    let mut world = active();
    world.lose(2, false);
    assert_eq!(world.wait(GONE_AFTER_SILENCE / 2), []);
    assert_eq!(Ok(world.wait(GONE_AFTER_SILENCE / 2)), says(BOB_IS_GONE));
}

#[test]
fn a_side_that_is_back_hears_that_the_other_one_is_gone() {
    let mut world = active();
    world.disconnect(2);
    world.lose(1, false);
    world.connect("ann", 8);
    world.say(8, media("c")).expect("there again");
    let gone = says(&[(8, "error UserOffline")]);
    assert_eq!(Ok(world.wait(BUSY_AFTER_LOSS)), gone);
    world.lose(8, false);
    assert_eq!(
        Ok(world.connect("ann", 9)),
        says(&[(9, "error UserOffline")])
    );
}
