use std::time::Duration;

use vireo_protocol::{ContactStatus, Role};

use super::on_each;
use crate::store::InviteError;

const HOUR: Duration = Duration::from_secs(3600);

#[tokio::test]
async fn an_invite_is_used_up_listed_and_revoked() {
    on_each(async |store| {
        assert!(store.create_first_invite(b"first").await.expect("made"));
        let first = store.add_invited_user("Ann", "hash", b"first").await;
        let (ann, inviter) = first.expect("added");
        assert_eq!(inviter, None);
        assert!(!store.create_first_invite(b"again").await.expect("asked"));
        let session = store.open_session(&ann.id, "laptop", b"1").await;
        let holder = store.session_holder(&session.expect("opened")).await;
        assert_eq!(holder.expect("read").expect("stands").role, Role::Admin);

        let invite = store.create_invite(&ann.id, b"two", 2, HOUR).await;
        let invite = invite.expect("made");
        assert_eq!(
            (invite.inviter.as_deref(), invite.uses_left),
            (Some("Ann"), 2)
        );
        let bob = store.add_invited_user("Bob", "hash", b"two").await;
        let (bob, inviter) = bob.expect("added");
        assert_eq!(inviter.as_ref(), Some(&ann.id));
        let list = store.contacts(&bob.id).await.expect("read");
        assert_eq!(list.rows[0].status, ContactStatus::Contact);
        assert!(list.rows[0].chat_id.is_some());
        let taken = store.add_invited_user("ann", "hash", b"two").await;
        assert!(matches!(taken, Err(InviteError::NameTaken)));
        // Contacts already: nothing is used up.
        store
            .redeem_invite(&bob.id, b"two")
            .await
            .expect("redeemed");
        let own = store.redeem_invite(&ann.id, b"two").await;
        assert!(matches!(own, Err(InviteError::Own)));
        let left = store.look_invite(b"two").await.expect("read");
        assert_eq!(left.expect("valid").uses_left, 1);

        assert_eq!(store.invites(Some(&bob.id)).await.expect("read"), []);
        assert_eq!(store.invites(None).await.expect("read").len(), 1);
        let revoked = store.revoke_invite(Some(&bob.id), &invite.id).await;
        assert!(!revoked.expect("asked"));
        let revoked = store.revoke_invite(None, &invite.id).await;
        assert!(revoked.expect("asked"));
        assert_eq!(store.look_invite(b"two").await.expect("read"), None);
        let late = store
            .create_invite(&ann.id, b"late", 1, Duration::ZERO)
            .await;
        assert!(matches!(late, Err(InviteError::Invalid)), "over at once");
    })
    .await;
}

#[tokio::test]
async fn nothing_is_left_of_a_deleted_account() {
    on_each(async |store| {
        let ann = store.add_user("Ann", "hash").await.expect("added");
        let bob = store.add_user("Bob", "hash").await.expect("added");
        store
            .create_invite(&ann.id, b"1", 1, HOUR)
            .await
            .expect("made");
        store.redeem_invite(&bob.id, b"1").await.expect("redeemed");
        let session = store.open_session(&ann.id, "laptop", b"1").await;
        let before = store.contacts_version(&bob.id).await.expect("read");
        let gone = store.delete_user(&ann.id).await.expect("deleted");
        assert_eq!(gone.sessions, [session.expect("opened")]);
        assert_eq!(gone.contacts, std::slice::from_ref(&bob.id));
        assert_eq!(store.contacts(&bob.id).await.expect("read").rows, []);
        assert!(store.contacts_version(&bob.id).await.expect("read") > before);
        for table in [
            "chats",
            "chat_members",
            "contacts",
            "sessions",
            "refresh_tokens",
            "invites",
        ] {
            let count = sqlx::AssertSqlSafe(format!("SELECT COUNT(*) FROM {table}"));
            let rows: (i64,) = sqlx::query_as(count)
                .fetch_one(&store.readers)
                .await
                .expect("read");
            assert_eq!(rows, (0,), "{table}");
        }
    })
    .await;
}

#[tokio::test]
async fn another_password_ends_all_sessions_but_one() {
    on_each(async |store| {
        let ann = store.add_user("Ann", "hash").await.expect("added");
        let one = store
            .open_session(&ann.id, "one", b"1")
            .await
            .expect("opened");
        let two = store
            .open_session(&ann.id, "two", b"2")
            .await
            .expect("opened");
        let ended = store.set_password(&ann.id, "new", Some(&one)).await;
        assert_eq!(ended.expect("set"), [two]);
        let (_, hash) = store
            .user_by_name("Ann")
            .await
            .expect("read")
            .expect("there");
        assert_eq!(hash.as_deref(), Some("new"));
    })
    .await;
}

#[tokio::test]
async fn what_nobody_can_use_any_more_is_not_kept() {
    on_each(async |store| {
        let ann = store.add_user("Ann", "hash").await.expect("added");
        let of = async |token: &'static [u8], lasts| {
            let made = store.create_invite(&ann.id, token, 1, lasts).await;
            made.map(|made| made.id)
        };
        let good = of(b"good", HOUR).await.expect("made");
        let revoked = of(b"revoked", HOUR).await.expect("made");
        of(b"used up", HOUR).await.expect("made");
        of(b"over", Duration::ZERO).await.expect_err("over at once");
        let gone = store.revoke_invite(None, &revoked).await;
        assert!(gone.expect("asked"));
        let bob = store.add_invited_user("Bob", "hash", b"used up").await;
        bob.expect("added");
        store.tidy().await.expect("tidied");
        let kept: Vec<(String,)> = sqlx::query_as("SELECT id FROM invites")
            .fetch_all(&store.readers)
            .await
            .expect("read");
        assert_eq!(kept, [(good.0,)]);
    })
    .await;
}
