use vireo_protocol::{ContactStatus, User};

use super::on_each;
use crate::store::Store;

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
            let row = row.expect("in the list");
            assert_eq!(row.status, ContactStatus::Contact);
            let chat = row.chat_id.expect("a chat");
            let partner = store.partner(&chat, &bob.id).await.expect("read");
            assert_eq!(partner.expect("a member").user, ann);
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
        let list: Vec<_> = store.contacts(&bob.id).await.expect("read");
        let list: Vec<_> = list
            .iter()
            .map(|row| (row.account.user.name.as_str(), row.status))
            .collect();
        let expected = [
            ("Ann 0", ContactStatus::Requested),
            ("Ann 1", ContactStatus::Incoming),
            ("Echo test", ContactStatus::Contact),
        ];
        assert_eq!(list, expected);
        let (nobody, before) = store.watchers(&bob.id).await.expect("read");
        assert!(nobody.is_empty());
        store.add_contact(&ann.id, &bob.name).await.expect("added");
        let (watchers, after) = store.watchers(&bob.id).await.expect("read");
        assert_eq!(watchers, [ann.id]);
        assert!(after > before);
    })
    .await;
}
