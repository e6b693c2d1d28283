//! Contacts and presence, as the client shows them.

mod support;

use support::{Person, TestServer, befriend};
use vireo_client::{ClientError, ClientView, OwnStatus};
use vireo_protocol::{ContactStatus, Presence, UserId};

/// Waits until the other one is shown so, or not at all.
async fn sees(viewer: &Person, other: &Person, status: Option<ContactStatus>, presence: Presence) {
    let id = other.session.user.id.clone();
    let shown = move |view: &ClientView| {
        let found = view.contacts.iter().find(|contact| contact.user_id == id);
        match (found, status) {
            (Some(contact), Some(status)) => {
                contact.status == status && contact.presence == presence
            }
            (found, status) => found.is_none() && status.is_none(),
        }
    };
    let what = format!("{status:?}, {presence:?}");
    viewer.until(&what, shown).await;
}

const CONTACT: Option<ContactStatus> = Some(ContactStatus::Contact);

#[tokio::test(flavor = "multi_thread")]
async fn requests_blocks_and_removals_show_on_both_sides() {
    let server = TestServer::start().await;
    let (alice, bob) = (server.person("Alice").await, server.person("Bob").await);
    let (a, b) = (alice.session.user.id.clone(), bob.session.user.id.clone());
    let incoming = Some(ContactStatus::Incoming);
    for declined in [true, false] {
        alice.client.add_contact("Bob").await.expect("he exists");
        sees(&bob, &alice, incoming, Presence::Offline).await;
        if declined {
            bob.client.decline_contact(a.clone()).await.expect("asked");
            sees(&bob, &alice, None, Presence::Offline).await;
            sees(&alice, &bob, None, Presence::Offline).await;
        }
    }
    bob.client.accept_contact(a.clone()).await.expect("asked");
    sees(&bob, &alice, CONTACT, Presence::Online).await;
    sees(&alice, &bob, CONTACT, Presence::Online).await;

    alice.client.block_contact(b.clone()).await.expect("exists");
    let blocked = Some(ContactStatus::Blocked);
    sees(&alice, &bob, blocked, Presence::Offline).await;
    sees(&bob, &alice, CONTACT, Presence::Offline).await;
    alice.client.unblock_contact(b).await.expect("exists");
    sees(&alice, &bob, CONTACT, Presence::Online).await;
    sees(&bob, &alice, CONTACT, Presence::Online).await;

    bob.client.remove_contact(a.clone()).await.expect("exists");
    assert!(
        bob.view()
            .contacts
            .iter()
            .all(|contact| contact.user_id != a)
    );
    sees(&alice, &bob, None, Presence::Offline).await;
    let gone = bob.client.accept_contact(a).await;
    assert_eq!(gone, Err(ClientError::NoSuchRequest));
    let nobody = bob.client.block_contact(UserId("nobody".to_owned())).await;
    assert!(
        matches!(nobody, Err(ClientError::UnknownUser(_))),
        "{nobody:?}"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn what_somebody_says_of_themselves_outlives_the_connection() {
    let server = TestServer::start().await;
    let (mut alice, mut bob) = (server.person("Alice").await, server.person("Bob").await);
    befriend(&mut alice, &mut bob).await;
    bob.client.set_status(OwnStatus::Away);
    sees(&alice, &bob, CONTACT, Presence::Away).await;
    bob.client.set_status(OwnStatus::DoNotDisturb);
    sees(&alice, &bob, CONTACT, Presence::DoNotDisturb).await;
    assert_eq!(bob.view().status, OwnStatus::DoNotDisturb);
    let _server = server.restart(async || {}).await;
    sees(&alice, &bob, CONTACT, Presence::DoNotDisturb).await;
    bob.client.set_status(OwnStatus::Online);
    sees(&alice, &bob, CONTACT, Presence::Online).await;
    // Who is not to be disturbed can be called: the call is shown without a sound.
    bob.client.set_status(OwnStatus::DoNotDisturb);
    sees(&alice, &bob, CONTACT, Presence::DoNotDisturb).await;
    alice.call("Bob", false).await;
    bob.until_phase(vireo_call::Phase::Incoming).await;
}
