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
