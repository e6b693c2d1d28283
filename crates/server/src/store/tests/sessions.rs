use std::collections::HashSet;

use vireo_protocol::{Role, SessionId, User};

use super::on_each;
use crate::store::{Refreshed, Store};

async fn ann(store: &Store) -> User {
    store.add_user("Ann", "hash").await.expect("added")
}

async fn stands(store: &Store, session: &SessionId) -> bool {
    let holder = store.session_holder(session).await.expect("read");
    holder.is_some()
}

/// Makes everything that is known of tokens and sessions older.
async fn time_passes(store: &Store, millis: i64) {
    for column in [
        "UPDATE refresh_tokens SET used_at = used_at - $1, expires_at = expires_at - $2",
        "UPDATE sessions SET revoked_at = revoked_at - $1, expires_at = expires_at - $2",
    ] {
        let update = sqlx::query(column).bind(millis).bind(millis);
        update.execute(&store.writers).await.expect("updated");
    }
}

#[tokio::test]
async fn a_refresh_token_is_good_once_and_a_little_longer() {
    on_each(async |store| {
        let ann = ann(&store).await;
        let session = store
            .open_session(&ann.id, "laptop", b"1")
            .await
            .expect("opened");
        let refreshed = store.refresh(b"1", b"2").await.expect("asked");
        let Refreshed::Done(holder) = refreshed else {
            panic!("{refreshed:?}");
        };
        assert_eq!((&holder.session, &holder.account.user), (&session, &ann));
        assert_eq!(holder.role, Role::Member);
        assert!(matches!(
            store.refresh(b"1", b"3").await,
            Ok(Refreshed::Done(_))
        ));
        time_passes(&store, 11_000).await;
        assert!(stands(&store, &session).await);
        assert!(matches!(
            store.refresh(b"x", b"4").await,
            Ok(Refreshed::Unknown)
        ));
        assert!(matches!(
            store.refresh(b"1", b"4").await,
            Ok(Refreshed::Reused(_))
        ));
        assert!(!stands(&store, &session).await);
        assert!(matches!(
            store.refresh(b"2", b"5").await,
            Ok(Refreshed::Unknown)
        ));
    })
    .await;
}

#[tokio::test]
async fn of_a_token_used_by_many_at_once_each_answer_is_good() {
    on_each(async |store| {
        let ann = ann(&store).await;
        store
            .open_session(&ann.id, "laptop", b"first")
            .await
            .expect("opened");
        let tries = (0..20u8).map(|n| {
            let store = store.clone();
            tokio::spawn(async move { store.refresh(b"first", &[n]).await })
        });
        for one in tries.collect::<Vec<_>>() {
            assert!(matches!(one.await.expect("ended"), Ok(Refreshed::Done(_))));
        }
    })
    .await;
}

#[tokio::test]
async fn sessions_end_one_by_one_or_all_but_one() {
    on_each(async |store| {
        let ann = ann(&store).await;
        let bob = store.add_user("Bob", "hash").await.expect("added");
        let mut sessions = Vec::new();
        for n in 0..4u8 {
            sessions.push(
                store
                    .open_session(&ann.id, "device", &[n])
                    .await
                    .expect("opened"),
            );
        }
        assert!(
            !store
                .end_session(Some(&bob.id), &sessions[0])
                .await
                .expect("asked")
        );
        assert!(
            store
                .end_session(Some(&ann.id), &sessions[0])
                .await
                .expect("asked")
        );
        assert!(
            !store
                .end_session(Some(&ann.id), &sessions[0])
                .await
                .expect("asked")
        );
        let of = store.end_session_of(&[1]).await.expect("asked");
        assert_eq!(of.as_ref(), Some(&sessions[1]));
        let ended = store
            .end_sessions(&ann.id, Some(&sessions[2]))
            .await
            .expect("asked");
        assert_eq!(ended, [sessions[3].clone()]);
        let left = store.sessions(&ann.id).await.expect("read");
        assert_eq!(left.len(), 1);
        assert_eq!(
            (&left[0].id, left[0].device.as_str()),
            (&sessions[2], "device")
        );
        let ended = store.sessions_ended_since(1).await.expect("read");
        let ended: HashSet<SessionId> = ended.into_iter().collect();
        assert_eq!(ended.len(), 3);
        assert!(!ended.contains(&sessions[2]));
    })
    .await;
}

#[tokio::test]
async fn what_has_expired_or_ended_long_ago_is_forgotten() {
    on_each(async |store| {
        let ann = ann(&store).await;
        let ended = store
            .open_session(&ann.id, "one", b"1")
            .await
            .expect("opened");
        store
            .end_session(Some(&ann.id), &ended)
            .await
            .expect("ended");
        let left = store
            .open_session(&ann.id, "two", b"2")
            .await
            .expect("opened");
        store.tidy().await.expect("tidied");
        assert_eq!(store.sessions_ended_since(1).await.expect("read"), [ended]);
        time_passes(&store, 2 * 60 * 60 * 1000).await;
        store.tidy().await.expect("tidied");
        assert_eq!(store.sessions_ended_since(1).await.expect("read"), []);
        assert!(stands(&store, &left).await);
        time_passes(&store, 60 * 24 * 60 * 60 * 1000).await;
        assert!(!stands(&store, &left).await);
        assert!(matches!(
            store.refresh(b"2", b"3").await,
            Ok(Refreshed::Unknown)
        ));
        store.tidy().await.expect("tidied");
        let rows: (i64,) = sqlx::query_as("SELECT COUNT(*) FROM refresh_tokens")
            .fetch_one(&store.readers)
            .await
            .expect("read");
        assert_eq!(rows, (0,));
    })
    .await;
}

#[tokio::test]
async fn whoever_arrives_is_asked_whether_the_session_still_stands() {
    on_each(async |store| {
        let ann = ann(&store).await;
        let bob = store.add_user("Bob", "hash").await.expect("added");
        let of = async |user: &User, session: &SessionId| {
            let read = store.watchers_and_session(&user.id, session).await;
            let (watchers, stands) = read.expect("read");
            assert_eq!(Ok(watchers), store.watchers(&user.id).await.map_err(drop));
            stands
        };
        let open = async |token: &'static [u8]| {
            let opened = store.open_session(&ann.id, "laptop", token).await;
            opened.expect("opened")
        };
        let (session, other) = (open(b"1").await, open(b"2").await);
        assert!(of(&ann, &session).await);
        assert!(!of(&bob, &session).await, "it is somebody else's");
        assert!(!of(&ann, &SessionId::random()).await);
        let ended = store.end_session(None, &session).await;
        assert!(ended.expect("asked"));
        assert!(!of(&ann, &session).await);
        assert!(of(&ann, &other).await);
        store.delete_user(&ann.id).await.expect("deleted");
        assert!(!of(&ann, &other).await);
    })
    .await;
}
