//! Calls between clients over a real server and real peer connections.

mod support;

use std::{sync::Arc, time::Duration};

use support::{PASSWORD, Person, TestMedia, TestServer, befriend, connect, credentials};
use vireo_call::{CallView, EndedReason, Phase};
use vireo_client::{Client, ClientError, ClientOptions, ConnectionState, Reflect, Session};
use vireo_protocol::{CallId, ChatId, ContactStatus, User, UserId};

#[tokio::test(flavor = "multi_thread")]
async fn two_people_call_see_and_hear_each_other_and_either_hangs_up() {
    let server = TestServer::start().await;
    let (mut alice, mut bob) = server.couple().await;
    connect(&alice, &bob, true).await;
    assert!(alice.frame().await.key_frame);
    assert!(bob.frame().await.key_frame);

    alice.client.set_microphone_muted(true);
    bob.until_call("silence there", |call| !call.remote.microphone)
        .await;
    bob.client.set_camera_enabled(false);
    alice
        .until_call("no camera there", |call| !call.remote.camera)
        .await;
    let stats = alice.client.call_stats().await.expect("a call");
    assert_eq!(stats.state, "connected");
    assert!(stats.setup.ring_ms.is_some() && stats.setup.accept_to_first_frame_ms.is_some());

    bob.client.end();
    alice.until_ended(EndedReason::RemoteHungUp).await;
    bob.until_ended(EndedReason::HungUp).await;
    bob.client.dismiss();
    bob.until("an empty line", |view| view.call.is_none()).await;

    connect(&bob, &alice, true).await;
    bob.client.end();
    alice.until_ended(EndedReason::RemoteHungUp).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn declining_cancelling_and_not_answering() {
    let server = TestServer::with_answer_timeout(Duration::from_secs(1)).await;
    let (alice, bob) = server.couple().await;

    alice.call("Bob", true).await;
    alice.until_phase(Phase::Ringing).await;
    bob.client.decline();
    alice.until_ended(EndedReason::Declined).await;
    bob.until_ended(EndedReason::DeclinedHere).await;

    alice.call("Bob", true).await;
    bob.until_phase(Phase::Incoming).await;
    alice.client.end();
    alice.until_ended(EndedReason::Cancelled).await;
    bob.until_ended(EndedReason::CallerCancelled).await;

    alice.call("Bob", true).await;
    alice.until_phase(Phase::Ringing).await;
    alice.until_ended(EndedReason::NoAnswer).await;
    bob.until_ended(EndedReason::Missed).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn whoever_cannot_be_called_is_said_why() {
    let server = TestServer::start().await;
    let (alice, bob) = server.couple().await;
    let stranger = server.register("Carol").await;

    let nobody = alice.client.add_contact("Nobody").await;
    assert_eq!(nobody, Err(ClientError::UnknownUser("Nobody".to_owned())));
    let herself = alice.client.add_contact("alice").await;
    assert_eq!(herself, Err(ClientError::OwnName));
    let carol = alice.client.add_contact("Carol").await.expect("she exists");
    assert_eq!(
        (carol.status, carol.chat_id),
        (ContactStatus::Requested, None)
    );
    let no_chat = alice
        .client
        .place_call(ChatId("guessed".to_owned()), true)
        .await;
    assert_eq!(no_chat, Err(ClientError::AccessDenied));

    let chat = alice.chat_with("Bob");
    bob.client.close().await;
    alice.call("Bob", true).await;
    alice.until_ended(EndedReason::Offline).await;
    drop(stranger);

    // The client knows only what it was told; the server checks for itself.
    let outsider = server.person("Mallory").await;
    let placed = outsider.client.place_call(chat, true).await;
    assert_eq!(placed, Err(ClientError::AccessDenied));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_third_caller_hears_busy_and_the_call_goes_on() {
    let server = TestServer::start().await;
    let (mut alice, mut bob) = server.couple().await;
    let mut carol = server.person("Carol").await;
    befriend(&mut carol, &mut bob).await;
    connect(&alice, &bob, true).await;
    carol.call("Bob", true).await;
    carol.until_ended(EndedReason::Busy).await;
    let again = alice.client.place_call(alice.chat_with("Bob"), true).await;
    assert_eq!(again, Err(ClientError::AlreadyInCall));
    alice.new_frame().await;
    bob.new_frame().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn two_people_who_call_each_other_at_once_get_one_call() {
    let server = TestServer::start().await;
    let (mut alice, mut bob) = server.couple().await;
    let (chat, same) = (alice.chat_with("Bob"), bob.chat_with("Alice"));
    let (a, b) = tokio::join!(
        alice.client.place_call(chat, true),
        bob.client.place_call(same, true)
    );
    let winner = [a, b].into_iter().filter_map(Result::ok).min();
    for person in [&mut alice, &mut bob] {
        let call = person.until_phase(Phase::Connected).await;
        assert_eq!(Some(call.call_id), winner);
        person.frame().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_double_click_places_one_call() {
    let server = TestServer::start().await;
    let (alice, bob) = server.couple().await;
    let place = || alice.client.place_call(alice.chat_with("Bob"), false);
    let (first, second) = tokio::join!(place(), place());
    assert_eq!(second, Err(ClientError::AlreadyInCall));
    let call = bob.until_phase(Phase::Incoming).await;
    assert_eq!(Ok(call.call_id), first);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_call_outlives_the_server_and_finds_it_again() {
    let server = TestServer::start().await;
    let (mut alice, mut bob) = server.couple().await;
    connect(&alice, &bob, true).await;
    let server = server
        .restart(async || {
            for person in [&mut alice, &mut bob] {
                person
                    .until_call("the server's absence", |call| !call.server_reachable)
                    .await;
                person.until_connection(ConnectionState::Unreachable).await;
                person.new_frame().await;
            }
            let added = alice.client.add_contact("Bob").await;
            assert_eq!(added, Err(ClientError::ServerUnreachable));
            // Nobody but the two is there to say it.
            alice.client.end();
            bob.until_ended(EndedReason::RemoteHungUp).await;
            alice.until_ended(EndedReason::HungUp).await;
            let placed = alice.client.place_call(alice.chat_with("Bob"), true).await;
            assert_eq!(placed, Err(ClientError::ServerUnreachable));
        })
        .await;
    alice.until_connection(ConnectionState::Online).await;
    bob.until_connection(ConnectionState::Online).await;
    connect(&bob, &alice, true).await;
    drop(server);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_ringing_call_ends_with_the_server() {
    let server = TestServer::start().await;
    let (alice, bob) = server.couple().await;
    alice.call("Bob", true).await;
    alice.until_phase(Phase::Ringing).await;
    server.running.shutdown().await;
    // Whose connection the server closes first is chance; the other side may still hear of that.
    for person in [&alice, &bob] {
        let call = person
            .until_call("the end", |call| call.phase.is_ended())
            .await;
        let Phase::Ended { reason } = call.phase else {
            unreachable!("it has ended")
        };
        let heard = [
            EndedReason::ServerUnreachable,
            EndedReason::Offline,
            EndedReason::CallerCancelled,
        ];
        assert!(heard.contains(&reason), "{reason:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn closing_a_client_ends_its_call() {
    let server = TestServer::start().await;
    let (alice, bob) = server.couple().await;
    connect(&alice, &bob, false).await;
    alice.client.close().await;
    bob.until_ended(EndedReason::RemoteHungUp).await;
    assert_eq!(
        alice.client.add_contact("Bob").await,
        Err(ClientError::Closed)
    );
    drop(alice);
    bob.until("Alice has left", |view| {
        view.contacts.iter().any(|contact| {
            contact.name == "Alice" && contact.presence == vireo_protocol::Presence::Offline
        })
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn every_device_rings_and_the_first_answer_silences_the_others() {
    let server = TestServer::start().await;
    let (mut alice, bob) = server.couple().await;
    let second = bob.other_device().await;
    alice.call("Bob", true).await;
    bob.until_phase(Phase::Incoming).await;
    second.until_phase(Phase::Incoming).await;
    bob.client.accept(true);
    second.until_ended(EndedReason::AnsweredElsewhere).await;
    alice.until_phase(Phase::Connected).await;
    alice.frame().await;
    alice.client.end();
    bob.until_ended(EndedReason::RemoteHungUp).await;
    alice.until_ended(EndedReason::HungUp).await;

    alice.call("Bob", true).await;
    second.until_phase(Phase::Incoming).await;
    second.client.decline();
    bob.until_ended(EndedReason::DeclinedElsewhere).await;
    alice.until_ended(EndedReason::Declined).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_reflecting_service_takes_several_calls_and_no_more() {
    let server = TestServer::start().await;
    let longest = Duration::from_secs(3600);
    let echo = service(&server, Reflect { calls: 2, longest }).await;
    let mut people = Vec::new();
    for name in ["Alice", "Bob", "Carol"] {
        people.push(server.person(name).await);
    }
    for person in &mut people[..2] {
        call_echo(person).await;
        person.until_phase(Phase::Connected).await;
        person.frame().await;
    }
    call_echo(&people[2]).await;
    people[2].until_ended(EndedReason::Busy).await;
    people[0].client.end();
    people[0].until_ended(EndedReason::HungUp).await;
    // The line is free as soon as the service has heard of it.
    loop {
        let call_id = call_echo(&people[2]).await;
        let settled = |call: &CallView| {
            call.call_id == call_id && (call.phase == Phase::Connected || call.phase.is_ended())
        };
        if people[2].until_call("an answer", settled).await.phase == Phase::Connected {
            break;
        }
    }
    people[2].frame().await;
    echo.close().await;
    people[2].until_ended(EndedReason::RemoteHungUp).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_reflecting_service_hangs_up_in_the_end() {
    let server = TestServer::start().await;
    let longest = Duration::from_millis(500);
    let _echo = service(&server, Reflect { calls: 1, longest }).await;
    let mut alice = server.person("Alice").await;
    call_echo(&alice).await;
    alice.frame().await;
    alice.until_ended(EndedReason::RemoteHungUp).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn somebody_who_signs_in_again_finds_everything_as_it_was() {
    let server = TestServer::start().await;
    let (alice, mut bob) = server.couple().await;
    alice.client.close().await;
    let session = Client::sign_in(server.url(), credentials("Alice", PASSWORD))
        .await
        .expect("her password");
    let alice = Person::connect(session).await;
    connect(&alice, &bob, true).await;
    bob.frame().await;
}

async fn service(server: &TestServer, reflect: Reflect) -> Client {
    let nobody = User {
        id: UserId(String::new()),
        name: String::new(),
    };
    let token = server.running.service_token().await.expect("a token");
    let session = Session::resume(server.url(), nobody, token);
    let options = ClientOptions {
        reflect: Some(reflect),
        ..ClientOptions::default()
    };
    let client = Client::connect(session, Arc::new(TestMedia::new().0), options);
    client.ready().await.expect("the server is there");
    client
}

async fn call_echo(person: &Person) -> CallId {
    person
        .until("the service", |view| {
            view.contacts.iter().any(|contact| {
                contact.service && contact.presence == vireo_protocol::Presence::Online
            })
        })
        .await;
    person.call(vireo_server::ECHO_NAME, true).await
}
