//! Calls that ring.

use super::*;

#[test]
fn every_device_rings_and_the_first_to_answer_wins() {
    let mut world = World::new(&[("ann", 1), ("bob", 2), ("bob", 3), ("bob", 4)]);
    let offers = says(&[(2, "offer"), (3, "offer"), (4, "offer")]);
    assert_eq!(world.call(1, "bob", "ab", "c"), offers);
    assert_eq!(world.say(2, ringing("c")), says(&[(1, "ringing")]));
    assert_eq!(
        world.say(3, ringing("c")),
        says(&[]),
        "the caller heard it already"
    );
    let both = says(&[(2, "candidate"), (3, "candidate"), (4, "candidate")]);
    assert_eq!(world.say(1, candidate("c")), both);
    let answered = says(&[
        (1, "answer"),
        (2, "end AnsweredElsewhere"),
        (4, "end AnsweredElsewhere"),
    ]);
    assert_eq!(world.say(3, answer("c")), answered);
    // What the others still say changes nothing.
    for message in [
        answer("c"),
        reject("c", false),
        candidate("c"),
        media("c"),
        end("c", EndReason::HungUp),
    ] {
        assert_eq!(world.say(2, message), GONE);
    }
    assert_eq!(world.say(1, candidate("c")), says(&[(3, "candidate")]));
    assert_eq!(
        world.say(3, end("c", EndReason::HungUp)),
        says(&[(1, "end HungUp")])
    );
    assert!(world.calls.calls.is_empty() && world.calls.by_user.is_empty());
}

#[test]
fn a_device_that_comes_while_it_rings_rings_too() {
    let mut world = World::new(&[("ann", 1), ("bob", 2)]);
    world.call(1, "bob", "ab", "c").expect("rings");
    for message in [media("c"), candidate("c"), media("c")] {
        world.say(1, message).expect("forwarded");
    }
    let heard = says(&[(3, "offer"), (3, "candidate"), (3, "media")]);
    assert_eq!(Ok(world.connect("bob", 3)), heard);
    assert_eq!(world.connect("ann", 4), [], "the caller's do not");
    assert_eq!(world.disconnect(2), [], "the new one rings on");
    assert_eq!(world.say(3, answer("c")), says(&[(1, "answer")]));
}

#[test]
fn declining_stops_every_device_and_being_busy_only_one() {
    let mut world = World::new(&[("ann", 1), ("bob", 2), ("bob", 3)]);
    world.call(1, "bob", "ab", "c").expect("rings");
    assert_eq!(
        world.say(2, reject("c", false)),
        says(&[(3, "end DeclinedElsewhere"), (1, "rejected")])
    );
    world.call(1, "bob", "ab", "d").expect("rings");
    assert_eq!(world.say(2, reject("d", true)), says(&[]));
    assert_eq!(
        world.say(3, reject("d", true)),
        says(&[(1, "error UserBusy")])
    );
    assert_eq!(world.say(3, answer("d")), GONE);
}

#[test]
fn a_callee_that_fails_while_accepting_says_so() {
    let mut world = World::new(&[("ann", 1), ("bob", 2), ("bob", 3)]);
    world.call(1, "bob", "ab", "c").expect("rings");
    let failed = says(&[(3, "end DeclinedElsewhere"), (1, "end ConnectionFailed")]);
    assert_eq!(world.say(2, end("c", EndReason::ConnectionFailed)), failed);
    world.call(1, "bob", "ab", "d").expect("rings");
    let declined = says(&[(3, "end DeclinedElsewhere"), (1, "rejected")]);
    assert_eq!(world.say(2, end("d", EndReason::HungUp)), declined);
}

#[test]
fn the_caller_cancels() {
    for reason in [
        EndReason::HungUp,
        EndReason::ConnectionFailed,
        EndReason::AnsweredElsewhere,
    ] {
        let mut world = World::new(&[("ann", 1), ("bob", 2)]);
        world.call(1, "bob", "ab", "c").expect("rings");
        assert_eq!(
            world.say(1, end("c", reason)),
            says(&[(2, "end Cancelled")])
        );
        assert_eq!(world.say(2, answer("c")), GONE);
    }
}

#[test]
fn a_call_that_nobody_answers_ends() {
    let mut world = World::new(&[("ann", 1), ("bob", 2), ("bob", 3)]);
    world.call(1, "bob", "ab", "c").expect("rings");
    assert_eq!(world.calls.next_deadline(), Some(world.now + TIMEOUT));
    assert_eq!(world.wait(TIMEOUT - Duration::from_millis(1)), []);
    let news = world.wait(Duration::from_millis(1));
    assert_eq!(
        Ok(news),
        says(&[
            (2, "end NoAnswer"),
            (3, "end NoAnswer"),
            (1, "error NoAnswer")
        ])
    );
    assert_eq!(world.calls.next_deadline(), None);
    assert_eq!(world.say(2, answer("c")), GONE);
}

#[test]
fn a_connection_lost_while_it_rings_ends_the_call() {
    let mut world = World::new(&[("ann", 1), ("bob", 2), ("bob", 3)]);
    world.call(1, "bob", "ab", "c").expect("rings");
    assert_eq!(world.disconnect(2), [], "another one rings on");
    assert_eq!(Ok(world.disconnect(3)), says(&[(1, "error UserOffline")]));
    world.connect("bob", 4);
    world.call(1, "bob", "ab", "d").expect("rings");
    assert_eq!(Ok(world.disconnect(1)), says(&[(4, "end Cancelled")]));
    assert!(world.calls.calls.is_empty() && world.calls.deadlines.is_empty());
}

#[test]
fn a_caller_who_is_back_before_the_loss_is_noticed_cancels() {
    let mut world = World::new(&[("ann", 1), ("bob", 2), ("bob", 3)]);
    world.call(1, "bob", "ab", "c").expect("rings");
    assert_eq!(world.connect("ann", 4), []);
    assert_eq!(world.say(4, candidate("c")), GONE);
    let cancelled = says(&[(2, "end Cancelled"), (3, "end Cancelled")]);
    assert_eq!(world.say(4, end("c", EndReason::HungUp)), cancelled);
    // And may call again.
    let offers = says(&[(2, "offer"), (3, "offer")]);
    assert_eq!(world.call(4, "bob", "ab", "d"), offers);
}

#[test]
fn a_side_says_only_what_is_its_to_say() {
    let mut world = World::new(&[("ann", 1), ("ann", 5), ("bob", 2)]);
    world.call(1, "bob", "ab", "c").expect("rings");
    for message in [ringing("c"), answer("c"), reject("c", false)] {
        assert_eq!(world.say(1, message), GONE, "the caller's own call");
    }
    for message in [candidate("c"), media("c")] {
        assert_eq!(world.say(2, message), GONE, "before the answer");
    }
    assert_eq!(
        world.say(5, candidate("c")),
        GONE,
        "not the device that calls"
    );
    assert_eq!(world.say(5, end("c", EndReason::HungUp)), GONE);
    assert_eq!(world.say(2, candidate("unknown")), GONE);
    world.say(2, answer("c")).expect("answered");
    for message in [ringing("c"), answer("c"), reject("c", false)] {
        assert_eq!(world.say(2, message), GONE, "too late");
    }
}
