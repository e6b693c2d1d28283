//! What is passed on, and where to.

use super::*;

#[test]
fn anybody_learns_their_own_address() {
    let mut world = World::new(RelayLimits::default());
    let asks = Message::builder_request(BINDING, MessageWriteVec::new()).finish();
    let answer = world.ask(at(ANN), &asks).expect("answered");
    let message = Message::from_bytes(&answer).expect("STUN");
    let mapped = message.attribute::<XorMappedAddress>().expect("an address");
    assert_eq!(mapped.addr(message.transaction_id()), at(ANN));
}

#[test]
fn a_packet_goes_out_and_one_comes_back() {
    let mut world = World::new(RelayLimits::default());
    let (ann, relayed) = world.allocated("ann", ANN);
    ann.permit(&mut world, PEER).expect("permitted");
    ann.send(&mut world, at(PEER), b"there");
    assert_eq!(
        world.computer.to_peers.pop_back(),
        Some((relayed, at(PEER), b"there".to_vec()))
    );
    let (core, computer) = (&mut world.core, &mut world.computer);
    core.peer_sends(relayed, at(PEER), b"back", world.now, computer);
    let (to, packet) = computer.to_clients.pop_back().expect("passed on");
    assert_eq!(
        (to, heard(&packet)),
        (at(ANN), (at(PEER), b"back".to_vec()))
    );
    // Another port of the same address is permitted as well, another address is not.
    core.peer_sends(relayed, at("203.0.113.9:1"), b"x", world.now, computer);
    assert!(computer.to_clients.pop_back().is_some());
    core.peer_sends(relayed, at("203.0.113.10:3000"), b"x", world.now, computer);
    assert!(computer.to_clients.is_empty());
    ann.send(&mut world, at("203.0.113.10:3000"), b"x");
    assert!(world.computer.to_peers.is_empty());
    assert_eq!(world.computer.passed, 10);
}

#[test]
fn a_channel_carries_both_ways() {
    let mut world = World::new(RelayLimits::default());
    let (ann, relayed) = world.allocated("ann", ANN);
    ann.bind(&mut world, 0x4000, PEER).expect("bound");
    world.arrives(at(ANN), &channel_data(0x4000, b"there"));
    assert_eq!(
        world.computer.to_peers.pop_back(),
        Some((relayed, at(PEER), b"there".to_vec()))
    );
    world
        .core
        .peer_sends(relayed, at(PEER), b"back", world.now, &mut world.computer);
    let (_, packet) = world.computer.to_clients.pop_back().expect("passed on");
    assert_eq!(packet, channel_data(0x4000, b"back"));
    // The same again keeps it; a number or a peer has one channel only; only 0x4000 to 0x4FFF are for clients to bind.
    assert_eq!(ann.bind(&mut world, 0x4000, PEER), Ok(()));
    assert_eq!(ann.bind(&mut world, 0x4001, PEER), Err(400));
    assert_eq!(ann.bind(&mut world, 0x4000, "203.0.113.9:1"), Err(400));
    assert_eq!(ann.bind(&mut world, 0x5000, "203.0.113.9:1"), Err(400));
    world.wait(599);
    world.arrives(at(ANN), &channel_data(0x4000, b"late"));
    assert!(
        world.computer.to_peers.is_empty(),
        "its permission has run out"
    );
}

#[test]
fn two_clients_of_the_relay_meet_inside_it() {
    let mut world = World::new(RelayLimits::default());
    let (ann, at_ann) = world.allocated("ann", ANN);
    let (bob, at_bob) = world.allocated("bob", BOB);
    ann.permit(&mut world, &at_bob.to_string())
        .expect("permitted");
    ann.send(&mut world, at_bob, b"early");
    assert!(
        world.computer.to_clients.is_empty(),
        "Bob has not permitted it"
    );
    bob.bind(&mut world, 0x4001, &at_ann.to_string())
        .expect("bound");
    ann.send(&mut world, at_bob, b"hello");
    assert_eq!(
        world.computer.to_clients.pop_back(),
        Some((at(BOB), channel_data(0x4001, b"hello")))
    );
    world.arrives(at(BOB), &channel_data(0x4001, b"yes"));
    let (to, packet) = world.computer.to_clients.pop_back().expect("passed on");
    assert_eq!((to, heard(&packet)), (at(ANN), (at_bob, b"yes".to_vec())));
    // Another port of the computer is nobody's: no packet leaves for it.
    let service = SocketAddr::new(at_bob.ip(), 22);
    ann.send(&mut world, service, b"x");
    bob.refresh(&mut world, 0).expect("freed");
    ann.send(&mut world, at_bob, b"x");
    assert!(world.computer.to_peers.is_empty() && world.computer.to_clients.is_empty());
}

#[test]
fn peers_see_the_address_that_the_router_has() {
    let public = at("192.0.2.200:0").ip();
    let mut world = World::with(Rules {
        public: Some(public),
        ..Rules::default()
    });
    let (ann, at_ann) = world.allocated("ann", ANN);
    let (bob, at_bob) = world.allocated("bob", BOB);
    assert_eq!(
        (at_ann.ip(), world.computer.open[0].ip()),
        (public, at(RELAY).ip())
    );
    ann.permit(&mut world, &at_bob.to_string())
        .expect("permitted");
    bob.permit(&mut world, &at_ann.to_string())
        .expect("permitted");
    ann.send(&mut world, at_bob, b"hello");
    let (_, packet) = world.computer.to_clients.pop_back().expect("passed on");
    assert_eq!(heard(&packet), (at_ann, b"hello".to_vec()));
    ann.send(&mut world, SocketAddr::new(public, 80), b"x");
    assert!(world.computer.to_peers.is_empty(), "the router is no peer");
    for ended in [ann, bob] {
        ended.refresh(&mut world, 0).expect("freed");
    }
    assert!(world.core.relayed.is_empty() && world.computer.open.is_empty());
}
