//! Who and what is refused.

use super::*;

#[test]
fn nobody_is_sent_to_the_computer_its_network_or_its_metadata() {
    let mut world = World::new(RelayLimits::default());
    world.computer.own.push(at("203.0.113.200:0").ip());
    let (ann, _) = world.allocated("ann", ANN);
    for peer in [
        "127.0.0.1:5432",
        "169.254.169.254:80",
        "169.254.7.7:80",
        "224.0.0.251:5353",
        "0.0.0.0:80",
        "255.255.255.255:9",
        "192.168.1.1:53",
        "10.0.0.1:80",
        "172.16.0.1:80",
        "100.64.0.1:80",
        "203.0.113.200:22",
    ] {
        assert_eq!(ann.permit(&mut world, peer), Err(403), "{peer}");
        assert_eq!(ann.bind(&mut world, 0x4000, peer), Err(403), "{peer}");
        ann.send(&mut world, at(peer), b"x");
    }
    for peer in [
        "[::1]:80",
        "[::ffff:127.0.0.1]:80",
        "[fd00:ec2::254]:80",
        "[2001:db8::1]:80",
    ] {
        assert_eq!(
            ann.permit(&mut world, peer),
            Err(443),
            "{peer}: an IPv4 address cannot send there"
        );
    }
    assert!(world.computer.to_peers.is_empty());
    // One that is refused refuses the whole request.
    let both = |id| -> Attributes {
        let peer = |text| Box::new(XorPeerAddress::new(at(text), id));
        vec![peer(PEER), peer("10.0.0.1:80")]
    };
    assert_eq!(ann.ask(&mut world, CREATE_PERMISSION, both), Err(403));
    ann.send(&mut world, at(PEER), b"x");
    assert!(world.computer.to_peers.is_empty());
    assert_eq!(
        ann.ask(&mut world, CREATE_PERMISSION, |_| Vec::new()),
        Err(400)
    );
}

#[test]
fn on_ipv6_the_same_is_refused_in_every_form() {
    let mut world = World::new(RelayLimits::default());
    let server = at("[2001:db8::5]:3478");
    let mut ann = world.client("ann", "[2001:db8::7]:1000");
    let path = Path {
        client: ann.address,
        server,
    };
    let ask = |world: &mut World,
               ann: &Client,
               method,
               attributes: &dyn Fn(TransactionId) -> Attributes| {
        let request = ann.signed(method, attributes);
        world
            .core
            .client_sends(path, &request, world.now, &mut world.computer);
        code(&world.computer.to_clients.pop_back().expect("answered").1)
    };
    ann.learn_nonce(&mut world);
    assert_eq!(ask(&mut world, &ann, ALLOCATE, &udp), None);
    for peer in [
        "[::1]:80",
        "[::]:80",
        "[fe80::1]:80",
        "[ff02::1]:80",
        "[fd00:ec2::254]:80",
        "[fc00::1]:80",
        "[::ffff:127.0.0.1]:80",
        "[::ffff:169.254.169.254]:80",
        "[::ffff:10.0.0.1]:80",
        "[::ffff:198.51.100.1]:80",
        "[64:ff9b::7f00:1]:80",
        "[2002:7f00:1::]:80",
    ] {
        let permit = |id| -> Attributes { vec![Box::new(XorPeerAddress::new(at(peer), id))] };
        assert_eq!(
            ask(&mut world, &ann, CREATE_PERMISSION, &permit),
            Some(403),
            "{peer}"
        );
    }
    let permit =
        |id| -> Attributes { vec![Box::new(XorPeerAddress::new(at("[2001:db8::9]:1"), id))] };
    assert_eq!(ask(&mut world, &ann, CREATE_PERMISSION, &permit), None);
}

#[test]
fn only_those_with_credentials_that_are_good_get_in() {
    let mut world = World::new(RelayLimits::default());
    let refused = |world: &mut World, client: &Client| client.allocate(world).expect_err("refused");
    let mut wrong = world.client("ann", ANN);
    wrong.password = "south".into();
    assert_eq!(refused(&mut world, &wrong), 401);
    let mut forged = world.client("ann", ANN);
    forged.username = forged.username.replace("ann", "bob");
    assert_eq!(refused(&mut world, &forged), 401);
    let mut nobody = world.client("ann", ANN);
    nobody.username = "ann".into();
    assert_eq!(refused(&mut world, &nobody), 401);
    let mut elsewhere = world.client("ann", ANN);
    elsewhere.address = at("203.0.113.66:1000");
    assert_eq!(
        refused(&mut world, &elsewhere),
        438,
        "another address's nonce"
    );
    let mut late = world.client("ann", ANN);
    world.wait(3_600);
    assert_eq!(refused(&mut world, &late), 438);
    world.wait(86_400);
    late.learn_nonce(&mut world);
    assert_eq!(refused(&mut world, &late), 401, "expired");
    assert!(world.computer.open.is_empty());
}

#[test]
fn what_is_asked_badly_is_refused() {
    let mut world = World::new(RelayLimits::default());
    let ann = world.client("ann", ANN);
    assert_eq!(
        ann.ask(&mut world, ALLOCATE, |_| Vec::new()),
        Err(400),
        "no transport"
    );
    let tcp = |_| -> Attributes { vec![Box::new(RequestedTransport::new(6))] };
    assert_eq!(ann.ask(&mut world, ALLOCATE, tcp), Err(442));
    let strange = |_| -> Attributes {
        vec![
            Box::new(turn_types::attribute::DontFragment::new()),
            Box::new(RequestedTransport::new(17)),
        ]
    };
    assert_eq!(ann.ask(&mut world, ALLOCATE, strange), Err(420));
    assert_eq!(ann.permit(&mut world, PEER), Err(437), "no allocation");
    assert_eq!(ann.refresh(&mut world, 600), Err(437));
    let request = ann.signed(ALLOCATE, udp);
    let first = world.ask(at(ANN), &request).expect("answered");
    let again = world.ask(at(ANN), &request).expect("answered");
    assert_eq!(
        (code(&first), &first),
        (None, &again),
        "its answer may have got lost"
    );
    assert_eq!(ann.allocate(&mut world), Err(437), "there is one");
    let mut eve = world.client("eve", "203.0.113.66:1000");
    eve.address = at(ANN);
    eve.nonce = ann.nonce.clone();
    assert_eq!(eve.refresh(&mut world, 0), Err(441), "it is Ann's");
    for nonsense in [
        &b""[..],
        b"\0",
        b"\x40\0\0\xff",
        b"GET / HTTP/1.1\r\n\r\n",
        &[0; 20],
        &[0xff; 1500],
    ] {
        world.arrives(at(ANN), nonsense);
    }
    assert!(world.computer.to_clients.is_empty());
}
