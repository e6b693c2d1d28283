//! What two people can be to each other.

use vireo_protocol::ContactStatus::{self, Blocked, Contact, Incoming, Requested};
use vireo_protocol::{ChatId, User, UserId};

use super::on_each;
use crate::store::{ContactError, Standing, Store};

struct Town {
    store: Store,
}

impl Town {
    async fn person(&self, name: &str) -> User {
        self.store.add_user(name, "hash").await.expect("added")
    }

    async fn pair(&self) -> (User, User) {
        (self.person("Ann").await, self.person("Bob").await)
    }

    async fn befriend(&self, one: &User, other: &User) {
        self.store
            .add_contact(&one.id, &other.name)
            .await
            .expect("added");
        self.store
            .accept_contact(&other.id, &one.id)
            .await
            .expect("accepted");
    }

    /// How the other stands in the list of the one.
    async fn status(&self, one: &User, other: &User) -> Option<ContactStatus> {
        let list = self.store.contact(&one.id, &other.id).await.expect("read");
        list.rows.first().map(|row| row.status)
    }

    async fn statuses(&self, one: &User, other: &User) -> [Option<ContactStatus>; 2] {
        [self.status(one, other).await, self.status(other, one).await]
    }

    async fn chat(&self, one: &User, other: &User) -> ChatId {
        let list = self.store.contact(&one.id, &other.id).await.expect("read");
        let chat = list.rows.first().and_then(|row| row.chat_id.clone());
        chat.expect("they are contacts")
    }

    async fn standing(&self, one: &User, chat: &ChatId) -> Standing {
        let partner = self.store.partner(chat, &one.id).await.expect("read");
        partner.expect("a member").standing
    }

    async fn watchers(&self, user: &User) -> Vec<UserId> {
        self.store.watchers(&user.id).await.expect("read").users
    }

    async fn versions(&self, users: [&User; 2]) -> [i64; 2] {
        let mut versions = [0; 2];
        for (version, user) in versions.iter_mut().zip(users) {
            *version = self.store.watchers(&user.id).await.expect("read").version;
            let list = self.store.contacts(&user.id).await.expect("read");
            assert_eq!(list.version, *version);
        }
        versions
    }
}

async fn two(store: &Store, round: usize) -> (User, User) {
    let one = store.add_user(&format!("Ann {round}"), "hash").await;
    let other = store.add_user(&format!("Bob {round}"), "hash").await;
    (one.expect("added"), other.expect("added"))
}

#[tokio::test]
async fn two_who_add_each_other_at_once_share_one_chat() {
    on_each(async |store| {
        for round in 0..20 {
            let (ann, bob) = two(&store, round).await;
            let (one, other) = tokio::join!(
                store.add_contact(&ann.id, &bob.name),
                store.add_contact(&bob.id, &ann.name)
            );
            assert!(one.is_ok() && other.is_ok());
            let row = store.contact(&ann.id, &bob.id).await.expect("read");
            let row = row.rows.into_iter().next().expect("in the list");
            assert_eq!(row.status, ContactStatus::Contact);
            let chat = row.chat_id.expect("a chat");
            let partner = store.partner(&chat, &bob.id).await.expect("read");
            assert_eq!(partner.expect("a member").account.user, ann);
        }
    })
    .await;
}

#[tokio::test]
async fn who_has_added_whom_is_in_both_lists_in_order() {
    on_each(async |store| {
        store.service("Echo test").await.expect("made");
        let (ann, bob) = two(&store, 0).await;
        let (carl, _) = two(&store, 1).await;
        store.add_contact(&carl.id, &bob.name).await.expect("added");
        store.add_contact(&bob.id, &ann.name).await.expect("added");
        let list = store.contacts(&bob.id).await.expect("read");
        let list: Vec<_> = list
            .rows
            .iter()
            .map(|row| (row.account.user.name.as_str(), row.status))
            .collect();
        let expected = [
            ("Ann 0", ContactStatus::Requested),
            ("Ann 1", ContactStatus::Incoming),
            ("Echo test", ContactStatus::Contact),
        ];
        assert_eq!(list, expected);
    })
    .await;
}

#[tokio::test]
async fn a_request_is_accepted_declined_or_withdrawn() {
    on_each(async |store| {
        let town = Town { store };
        let (ann, bob) = town.pair().await;
        let store = &town.store;
        let nothing = store.accept_contact(&bob.id, &ann.id).await;
        assert!(matches!(nothing, Err(ContactError::NoSuchRequest)));

        store.add_contact(&ann.id, "BOB").await.expect("added");
        assert_eq!(
            town.statuses(&ann, &bob).await,
            [Some(Requested), Some(Incoming)]
        );
        let own = store.accept_contact(&ann.id, &bob.id).await;
        assert!(matches!(own, Err(ContactError::NoSuchRequest)), "one's own");
        store
            .decline_contact(&bob.id, &ann.id)
            .await
            .expect("declined");
        assert_eq!(town.statuses(&ann, &bob).await, [None, None]);

        store.add_contact(&ann.id, "Bob").await.expect("added");
        store
            .remove_contact(&ann.id, &bob.id)
            .await
            .expect("removed");
        assert_eq!(town.statuses(&ann, &bob).await, [None, None]);
        let late = store.accept_contact(&bob.id, &ann.id).await;
        assert!(matches!(late, Err(ContactError::NoSuchRequest)));

        town.befriend(&ann, &bob).await;
        assert_eq!(
            town.statuses(&ann, &bob).await,
            [Some(Contact), Some(Contact)]
        );
        assert_eq!(town.watchers(&ann).await, std::slice::from_ref(&bob.id));
        store
            .accept_contact(&bob.id, &ann.id)
            .await
            .expect("harmless");
        store
            .decline_contact(&bob.id, &ann.id)
            .await
            .expect("harmless");
        assert_eq!(
            town.statuses(&ann, &bob).await,
            [Some(Contact), Some(Contact)]
        );
    })
    .await;
}

#[tokio::test]
async fn who_was_removed_may_not_call_until_they_are_contacts_again_in_the_same_chat() {
    on_each(async |store| {
        let town = Town { store };
        let (ann, bob) = town.pair().await;
        town.befriend(&ann, &bob).await;
        let chat = town.chat(&ann, &bob).await;
        assert_eq!(town.standing(&bob, &chat).await, Standing::Contact);
        town.store
            .remove_contact(&ann.id, &bob.id)
            .await
            .expect("removed");
        assert_eq!(town.statuses(&ann, &bob).await, [None, None]);
        assert!(town.watchers(&ann).await.is_empty() && town.watchers(&bob).await.is_empty());
        assert_eq!(town.standing(&ann, &chat).await, Standing::Stranger);
        assert_eq!(town.standing(&bob, &chat).await, Standing::Stranger);
        town.befriend(&bob, &ann).await;
        assert_eq!(town.chat(&bob, &ann).await, chat);
        assert_eq!(town.standing(&bob, &chat).await, Standing::Contact);
    })
    .await;
}

#[tokio::test]
async fn who_is_blocked_notices_nothing_and_is_back_when_unblocked() {
    on_each(async |store| {
        let town = Town { store };
        let (ann, bob) = town.pair().await;
        town.befriend(&ann, &bob).await;
        let chat = town.chat(&ann, &bob).await;
        town.store
            .set_last_seen(&[(ann.id.clone(), 7), (bob.id.clone(), 8)])
            .await
            .expect("set");
        town.store
            .block_contact(&ann.id, &bob.id)
            .await
            .expect("blocked");
        town.store
            .block_contact(&ann.id, &bob.id)
            .await
            .expect("harmless");
        assert_eq!(
            town.statuses(&ann, &bob).await,
            [Some(Blocked), Some(Contact)]
        );
        assert!(town.watchers(&ann).await.is_empty() && town.watchers(&bob).await.is_empty());
        assert_eq!(town.standing(&bob, &chat).await, Standing::Blocked);
        assert_eq!(town.standing(&ann, &chat).await, Standing::Stranger);
        for (viewer, other) in [(&ann, &bob), (&bob, &ann)] {
            let list = town
                .store
                .contact(&viewer.id, &other.id)
                .await
                .expect("read");
            assert_eq!(list.rows[0].last_seen_at, None);
        }
        assert_eq!(town.chat(&bob, &ann).await, chat);
        town.store
            .unblock_contact(&ann.id, &bob.id)
            .await
            .expect("unblocked");
        assert_eq!(
            town.statuses(&ann, &bob).await,
            [Some(Contact), Some(Contact)]
        );
        assert_eq!(town.watchers(&ann).await, std::slice::from_ref(&bob.id));
        let list = town.store.contact(&bob.id, &ann.id).await.expect("read");
        assert_eq!(list.rows[0].last_seen_at, Some(7));
    })
    .await;
}

#[tokio::test]
async fn what_the_blocked_do_shows_when_the_block_ends() {
    on_each(async |store| {
        let town = Town { store };
        let (ann, bob) = town.pair().await;
        let store = &town.store;
        store
            .block_contact(&ann.id, &bob.id)
            .await
            .expect("blocked");
        assert_eq!(town.statuses(&ann, &bob).await, [Some(Blocked), None]);
        let added = store.add_contact(&bob.id, "Ann").await.expect("added");
        assert!(added.mine && !added.theirs);
        assert_eq!(
            town.statuses(&ann, &bob).await,
            [Some(Blocked), Some(Requested)]
        );
        let unseen = store.accept_contact(&ann.id, &bob.id).await;
        assert!(matches!(unseen, Err(ContactError::NoSuchRequest)));
        store.add_contact(&ann.id, "Bob").await.expect("harmless");
        assert_eq!(
            town.statuses(&ann, &bob).await,
            [Some(Blocked), Some(Requested)]
        );
        store
            .unblock_contact(&ann.id, &bob.id)
            .await
            .expect("unblocked");
        assert_eq!(
            town.statuses(&ann, &bob).await,
            [Some(Incoming), Some(Requested)]
        );
        store
            .block_contact(&ann.id, &bob.id)
            .await
            .expect("blocked");
        store
            .remove_contact(&bob.id, &ann.id)
            .await
            .expect("removed");
        store
            .unblock_contact(&ann.id, &bob.id)
            .await
            .expect("unblocked");
        assert_eq!(town.statuses(&ann, &bob).await, [None, None]);
    })
    .await;
}

#[tokio::test]
async fn every_change_counts_for_both_and_is_one_only_once() {
    on_each(async |store| {
        let town = Town { store };
        let (ann, bob) = town.pair().await;
        let (a, b) = (&ann.id, &bob.id);
        let store = &town.store;
        for step in 0..6 {
            let before = town.versions([&ann, &bob]).await;
            for time in 0..2 {
                let change = match step {
                    0 => store.add_contact(a, "Bob").await,
                    1 => store.accept_contact(b, a).await,
                    2 => store.block_contact(b, a).await,
                    3 => store.unblock_contact(b, a).await,
                    4 => store.remove_contact(a, b).await,
                    _ => store.decline_contact(a, b).await,
                };
                let change = change.expect("possible");
                let changed = step < 5 && time == 0;
                let secret = step == 2 || step == 3;
                assert_eq!(change.mine, changed, "step {step}");
                assert_eq!(change.theirs, changed && !secret, "step {step}");
            }
            let after = before.map(|version| version + i64::from(step < 5));
            assert_eq!(town.versions([&ann, &bob]).await, after, "step {step}");
        }
    })
    .await;
}

#[tokio::test]
async fn nobody_changes_what_they_are_to_themselves_to_a_service_or_to_nobody() {
    on_each(async |store| {
        let town = Town { store };
        let ann = town.person("Ann").await;
        let echo = town.store.service("Echo test").await.expect("made");
        let nobody = UserId("nobody".to_owned());
        for other in [&echo.id, &nobody] {
            let blocked = town.store.block_contact(&ann.id, other).await;
            assert!(matches!(blocked, Err(ContactError::UnknownUser)));
            let removed = town.store.remove_contact(&ann.id, other).await;
            assert!(matches!(removed, Err(ContactError::UnknownUser)));
            let accepted = town.store.accept_contact(&ann.id, other).await;
            assert!(matches!(accepted, Err(ContactError::NoSuchRequest)));
        }
        let herself = town.store.block_contact(&ann.id, &ann.id).await;
        assert!(matches!(herself, Err(ContactError::Yourself)));
        town.store
            .add_contact(&ann.id, "Echo test")
            .await
            .expect("harmless");
        assert_eq!(town.status(&ann, &echo).await, Some(Contact));
    })
    .await;
}

#[tokio::test]
async fn only_so_many_may_be_asked_at_a_time() {
    on_each(async |store| {
        let town = Town { store };
        let ann = town.person("Ann").await;
        let bob = town.person("Bob").await;
        for n in 0..100 {
            town.person(&format!("Guest {n}")).await;
            let added = town.store.add_contact(&ann.id, &format!("Guest {n}")).await;
            added.expect("not too many yet");
        }
        let more = town.store.add_contact(&ann.id, "Bob").await;
        assert!(matches!(more, Err(ContactError::TooMany)));
        town.store
            .add_contact(&ann.id, "Guest 7")
            .await
            .expect("asked already");
        town.store.add_contact(&bob.id, "Ann").await.expect("added");
        town.store
            .accept_contact(&ann.id, &bob.id)
            .await
            .expect("an answer is no request");
    })
    .await;
}

#[tokio::test]
async fn only_so_many_may_wait_for_one_persons_answer() {
    on_each(async |store| {
        let town = Town { store };
        let (ann, bob) = town.pair().await;
        let mut first = None;
        for n in 0..200 {
            let guest = town.person(&format!("Guest {n}")).await;
            let added = town.store.add_contact(&guest.id, "Ann").await;
            added.expect("not too many yet");
            first.get_or_insert(guest);
        }
        let more = town.store.add_contact(&bob.id, "Ann").await;
        assert!(matches!(more, Err(ContactError::NotNow)), "{more:?}");
        assert_eq!(town.statuses(&ann, &bob).await, [None, None]);
        // Whoever is asked may ask, and one who is not heard does not wait for an answer.
        let first = first.expect("a guest");
        town.store
            .block_contact(&ann.id, &first.id)
            .await
            .expect("blocked");
        town.store.add_contact(&bob.id, "Ann").await.expect("added");
        let cem = town.person("Cem").await;
        assert!(town.store.add_contact(&cem.id, "Ann").await.is_err());
        town.store.add_contact(&ann.id, "Cem").await.expect("added");
        town.store
            .add_contact(&cem.id, "Ann")
            .await
            .expect("an answer is no request");
    })
    .await;
}

#[tokio::test]
async fn the_last_time_somebody_was_seen_only_moves_on() {
    on_each(async |store| {
        let town = Town { store };
        let (ann, bob) = town.pair().await;
        town.befriend(&ann, &bob).await;
        let seen = async |at: i64| {
            let people = [(bob.id.clone(), at), (UserId("gone".to_owned()), at)];
            town.store.set_last_seen(&people).await.expect("set");
            let list = town.store.contact(&ann.id, &bob.id).await.expect("read");
            list.rows[0].last_seen_at
        };
        assert_eq!(seen(5).await, Some(5));
        assert_eq!(seen(9).await, Some(9));
        assert_eq!(seen(7).await, Some(9));
    })
    .await;
}
