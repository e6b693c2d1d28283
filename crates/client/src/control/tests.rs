//! Both ends in one process.

use super::*;

fn profile() -> (tempfile::TempDir, Profile) {
    let folder = tempfile::tempdir().expect("a folder");
    let profile = Profile::open(Some(folder.path())).expect("a profile");
    (folder, profile)
}

fn state() -> CallState {
    CallState {
        phase: "connected".to_owned(),
        microphone: false,
        camera: true,
    }
}

#[tokio::test]
async fn an_order_gets_there_and_its_answer_back() {
    let (_folder, profile) = profile();
    assert!(matches!(
        give(&profile, Order::Mute).await,
        Err(Unheard::NotRunning)
    ));
    let control = Control::listen(&profile).expect("a socket");
    assert!(Control::listen(&profile).is_err(), "one for each profile");
    let mut orders = Vec::new();
    let serve = control.serve(async |order| {
        orders.push(order);
        match order {
            Order::HangUp => Err(Refusal::NoCall),
            _ => Ok(state()),
        }
    });
    tokio::select! {
        () = serve => panic!("it goes on for ever"),
        () = async {
            let muted = give(&profile, Order::ToggleMute).await.expect("heard");
            assert_eq!(muted, Ok(state()));
            let none = give(&profile, Order::HangUp).await.expect("heard");
            assert_eq!(none, Err(Refusal::NoCall));
        } => {}
    }
    assert_eq!(orders, [Order::ToggleMute, Order::HangUp]);
    let after = give(&profile, Order::Mute).await;
    assert!(matches!(after, Err(Unheard::NotRunning)), "nothing is left");
}

#[cfg(unix)]
#[tokio::test]
async fn nonsense_is_refused_and_holds_nobody_up() {
    let (_folder, profile) = profile();
    let control = Control::listen(&profile).expect("a socket");
    let said = async |text: Vec<u8>| {
        let name = profile_name(&profile);
        let mut connection = local::connect(&name, profile.directory())
            .await
            .expect("somebody listens");
        // One that says too much is not heard to its end.
        let _ = connection.write_all(&text).await;
        let _ = connection.shutdown().await;
        line::<Answer>(&mut connection).await.ok().flatten()
    };
    tokio::select! {
        () = control.serve(async |_| Ok(state())) => panic!("it goes on for ever"),
        () = async {
            assert_eq!(said(b"\"dance\"\n".to_vec()).await, Some(Err(Refusal::UnknownOrder)));
            assert_eq!(said(b"{}\n".to_vec()).await, Some(Err(Refusal::UnknownOrder)));
            assert_eq!(said(b"mute\n".to_vec()).await, None);
            assert_eq!(said(Vec::new()).await, None);
            assert_eq!(said(vec![b'['; 1 << 20]).await, None);
            assert_eq!(said(b"\"mute\"\n".to_vec()).await, Some(Ok(state())));
        } => {}
    }
}

#[cfg(unix)]
#[tokio::test]
async fn only_the_owner_may_touch_the_socket_and_one_left_behind_gives_way() {
    use std::os::unix::fs::PermissionsExt;
    let (folder, profile) = profile();
    let name = "vireo-left-behind";
    let control = local::Listener::bind(name, folder.path()).expect("a socket");
    let path = local::path(name, folder.path());
    let mode = std::fs::metadata(&path)
        .expect("it is there")
        .permissions()
        .mode();
    assert_eq!(mode & 0o777, 0o600);
    // A crash: the file stays, nobody listens.
    let copy = folder.path().join("copy");
    std::fs::rename(&path, &copy).expect("renamed");
    drop(control);
    std::fs::rename(&copy, &path).expect("renamed back");
    let again = local::Listener::bind(name, profile.directory()).expect("it gives way");
    assert!(path.exists());
    drop(again);
    assert!(!path.exists(), "nothing is left");
}
