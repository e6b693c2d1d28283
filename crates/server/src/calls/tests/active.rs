//! Calls that have been answered.

use super::*;

#[test]
fn an_answered_call_has_no_time_limit() {
    let mut world = active();
    assert_eq!(world.calls.next_deadline(), None);
    assert_eq!(world.wait(TIMEOUT * 1000), []);
    assert_eq!(world.say(1, media("c")), says(&[(2, "media")]));
}

#[test]
fn both_sides_can_speak_of_a_restart_once_there_is_a_connection() {
    let mut world = World::new(&[("ann", 1), ("bob", 2)]);
    assert_eq!(world.call(1, "bob", "ab", "c"), says(&[(2, "offer")]));
    assert_eq!(world.say(1, restart("c", 1)), GONE);
    assert_eq!(world.say(2, restart("c", 0)), GONE);
    let mut world = active();
    assert_eq!(world.say(2, restart("c", 0)), says(&[(1, "restart 0")]));
    assert_eq!(world.say(1, restart("c", 1)), says(&[(2, "restart 1")]));
}

#[test]
fn each_restart_has_candidates_of_its_own() {
    let mut world = active();
    for _ in 0..MAX_CANDIDATES_PER_SIDE {
        world.say(1, candidate("c")).expect("forwarded");
    }
    world.say(1, restart("c", 0)).expect("forwarded");
    assert!(world.say(1, candidate("c")).is_err(), "asking brings none");
    world.say(1, restart("c", 1)).expect("forwarded");
    assert_eq!(world.say(1, candidate("c")), says(&[(2, "candidate")]));
}

#[test]
fn a_side_that_comes_back_hears_of_the_newest_restart_alone() {
    let mut world = active();
    world.lose(2, false);
    for attempt in 1..3 {
        assert_eq!(world.say(1, restart("c", attempt)), says(&[]));
        assert_eq!(world.say(1, candidate("c")), says(&[]));
    }
    let heard = world.connect("bob", 3);
    let heard: Vec<&str> = heard.iter().map(|(_, word)| word.as_str()).collect();
    assert_eq!(heard, ["restart 2", "candidate"]);
}

#[test]
fn candidates_are_counted_for_each_side() {
    let mut world = active();
    for _ in 0..MAX_CANDIDATES_PER_SIDE {
        world.say(1, candidate("c")).expect("forwarded");
    }
    assert_eq!(
        world.say(1, candidate("c")),
        Err(CallErrorCode::InvalidCandidate)
    );
    assert_eq!(world.say(2, candidate("c")), says(&[(1, "candidate")]));
}
