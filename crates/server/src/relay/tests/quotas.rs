//! How long, and how much.

use super::*;

#[test]
fn an_allocation_ends_when_it_is_given_back_runs_out_or_its_owner_goes() {
    let mut world = World::new(RelayLimits::default());
    let (ann, _) = world.allocated("ann", ANN);
    assert_eq!(ann.refresh(&mut world, 0), Ok(0));
    assert!(world.computer.open.is_empty());

    let (ann, _) = world.allocated("ann", ANN);
    assert_eq!(ann.refresh(&mut world, 1), Ok(600), "no shorter");
    assert_eq!(ann.refresh(&mut world, 99_999), Ok(3_600), "no longer");
    world.wait(3_599);
    assert_eq!(world.core.allocations.len(), 1);
    world.wait(1);
    assert_eq!(world.core.allocations.len(), 0);

    // The credentials are good for a minute more, so it lasts no longer.
    let mut short = world.client("ann", ANN);
    let until = UNIX_EPOCH + Duration::from_secs(world.now.unix + 60);
    (short.username, short.password) = world.secret.credentials(&UserId("ann".into()), until);
    short.allocate(&mut world).expect("allocated");
    world.wait(60);
    assert_eq!(world.core.allocations.len(), 0);

    let (ann, _) = world.allocated("ann", ANN);
    world.allocated("bob", BOB);
    world.core.end_person("ann", world.now, &mut world.computer);
    assert_eq!(world.core.allocations.len(), 1, "Bob's");
    assert_eq!(ann.allocate(&mut world), Err(401));
    world.wait(1);
    world.allocated("ann", ANN);
}

#[test]
fn there_is_so_much_for_a_person_and_for_all() {
    let limits = RelayLimits {
        allocations_per_person: 2,
        allocations: 3,
        permissions: 2,
        channels: 1,
        ..RelayLimits::default()
    };
    let mut world = World::new(limits);
    let (ann, _) = world.allocated("ann", "203.0.113.7:1");
    world.allocated("ann", "203.0.113.7:2");
    let third = world.client("ann", "203.0.113.7:3");
    assert_eq!(third.allocate(&mut world), Err(486));
    let (bob, _) = world.allocated("bob", BOB);
    let eve = world.client("eve", PEER);
    assert_eq!(eve.allocate(&mut world), Err(508));
    bob.refresh(&mut world, 0).expect("freed");
    eve.allocate(&mut world).expect("there is room again");
    ann.refresh(&mut world, 0).expect("freed");
    eve.refresh(&mut world, 0).expect("freed");
    third.allocate(&mut world).expect("there is room again");

    third
        .bind(&mut world, 0x4000, "203.0.113.9:1")
        .expect("the first channel");
    assert_eq!(third.bind(&mut world, 0x4001, "203.0.113.9:2"), Err(508));
    third
        .permit(&mut world, "203.0.113.10:1")
        .expect("the second address");
    assert_eq!(third.permit(&mut world, "203.0.113.11:1"), Err(508));
    third
        .permit(&mut world, "203.0.113.10:7")
        .expect("the second once more");
    world.wait(301);
    third
        .permit(&mut world, "203.0.113.11:1")
        .expect("the others have run out");
}

#[test]
fn bytes_beyond_the_quota_are_dropped_in_both_directions() {
    let limits = RelayLimits {
        bytes_per_second: 1_000,
        ..RelayLimits::default()
    };
    let mut world = World::new(limits);
    let (ann, relayed) = world.allocated("ann", ANN);
    ann.permit(&mut world, PEER).expect("permitted");
    for _ in 0..5 {
        ann.send(&mut world, at(PEER), &[0; 500]);
    }
    assert_eq!(world.computer.to_peers.len(), 4, "two seconds' worth");
    world
        .core
        .peer_sends(relayed, at(PEER), &[0; 500], world.now, &mut world.computer);
    assert!(world.computer.to_clients.is_empty());
    world.wait(1);
    for _ in 0..5 {
        world
            .core
            .peer_sends(relayed, at(PEER), &[0; 500], world.now, &mut world.computer);
    }
    assert_eq!(world.computer.to_clients.len(), 2);
}

#[test]
fn strangers_get_short_answers_and_few() {
    let mut world = World::new(RelayLimits::default());
    let asks = unsigned(ALLOCATE, udp).finish();
    let mut answers = 0;
    let victim = at(ANN);
    for _ in 0..10_000 {
        let Some(answer) = world.ask(victim, &asks) else {
            continue;
        };
        answers += 1;
        // With the headers of UDP and IPv4, not twice what was asked.
        assert!(
            answer.len() + 28 < 2 * (asks.len() + 28),
            "{} bytes",
            answer.len()
        );
    }
    assert_eq!(answers, 100);
    assert!(
        world.ask(at(BOB), &asks).is_some(),
        "others are not concerned"
    );
    let binding = Message::builder_request(BINDING, MessageWriteVec::new()).finish();
    assert_eq!(world.ask(victim, &binding), None);
    world.wait(1);
    assert!(
        world
            .ask(victim, &binding)
            .is_some_and(|answer| answer.len() <= 2 * binding.len())
    );
    assert_eq!(
        (world.core.allocations.len(), world.core.relayed.len()),
        (0, 0)
    );
}
