use super::on_each;

#[tokio::test]
async fn a_key_is_made_once() {
    on_each(async |store| {
        let made = store.key("signing", || vec![0, 1, 255]).await;
        assert_eq!(made.expect("made"), [0, 1, 255]);
        let found = store.key("signing", || panic!("made twice")).await;
        assert_eq!(found.expect("found"), [0, 1, 255]);
        let other = store.key("turn", || vec![7]).await;
        assert_eq!(other.expect("made"), [7]);
    })
    .await;
}

#[tokio::test]
async fn instances_that_start_at_once_share_it() {
    on_each(async |store| {
        let asked = (0..16).map(|number| {
            let store = store.clone();
            tokio::spawn(async move { store.key("signing", || vec![number]).await })
        });
        let asked: Vec<_> = asked.collect();
        let mut got = Vec::new();
        for one in asked {
            got.push(one.await.expect("ended").expect("a key"));
        }
        got.dedup();
        assert_eq!(got.len(), 1);
    })
    .await;
}
