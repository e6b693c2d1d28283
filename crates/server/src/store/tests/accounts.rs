use super::on_each;
use crate::store::AddUserError;

#[tokio::test]
async fn a_name_belongs_to_one_person_whatever_its_case() {
    on_each(async |store| {
        let ann = store.add_user("Ann", "hash").await.expect("added");
        for name in ["Ann", "ANN", "ann"] {
            let again = store.add_user(name, "hash").await;
            assert!(matches!(again, Err(AddUserError::NameTaken)), "{name}");
            let (user, hash) = store
                .user_by_name(name)
                .await
                .expect("read")
                .expect("there");
            assert_eq!((user, hash.as_deref()), (ann.clone(), Some("hash")));
        }
        assert_eq!(store.user_by_name("Anna").await.expect("read"), None);
    })
    .await;
}

#[tokio::test]
async fn of_many_who_want_a_name_at_once_one_gets_it() {
    on_each(async |store| {
        let tries = (0..20).map(|_| {
            let store = store.clone();
            tokio::spawn(async move { store.add_user("Ann", "hash").await.is_ok() })
        });
        let tries: Vec<_> = tries.collect();
        let mut got = 0;
        for one in tries {
            got += usize::from(one.await.expect("ended"));
        }
        assert_eq!(got, 1);
    })
    .await;
}

#[tokio::test]
async fn a_service_has_one_account_and_takes_nobodys() {
    on_each(async |store| {
        let echo = store.service("Echo test").await.expect("made");
        assert_eq!(store.service("Echo test").await.expect("found"), echo);
        store.add_user("Ann", "hash").await.expect("added");
        let taken = store.service("ann").await;
        assert!(matches!(taken, Err(AddUserError::NameTaken)));
    })
    .await;
}
