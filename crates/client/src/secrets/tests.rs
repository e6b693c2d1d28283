use std::collections::HashMap;
use std::sync::LazyLock;

use super::*;

type Entries = Mutex<HashMap<String, Vec<u8>>>;

/// A store in memory, shared by the tests; each uses names of its own.
#[derive(Default)]
struct InMemory(Entries);

static STORE: LazyLock<Arc<InMemory>> = LazyLock::new(Arc::default);

impl InMemory {
    fn entries(&self) -> MutexGuard<'_, HashMap<String, Vec<u8>>> {
        self.0.lock().expect("no test panics with it")
    }
}

impl KeyStore for InMemory {
    fn read(&self, name: &str) -> Result<Option<Vec<u8>>, String> {
        Ok(self.entries().get(name).cloned())
    }

    fn write(&self, name: &str, key: &[u8]) -> Result<(), String> {
        self.entries().insert(name.to_owned(), key.to_vec());
        Ok(())
    }

    fn delete(&self, name: &str) {
        self.entries().remove(name);
    }
}

struct Locked;

impl KeyStore for Locked {
    fn read(&self, _: &str) -> Result<Option<Vec<u8>>, String> {
        Err("it is locked".to_owned())
    }

    fn write(&self, _: &str, _: &[u8]) -> Result<(), String> {
        Err("it is locked".to_owned())
    }

    fn delete(&self, _: &str) {}
}

fn unlocked() -> Keeper {
    Keeper::with(|| Some(STORE.clone()))
}

fn secrets() -> Secrets {
    Secrets {
        password: "correct horse".to_owned(),
        refresh_token: Some("token".to_owned()),
    }
}

fn written(kept: &Kept) -> String {
    serde_json::to_string(kept).expect("plain data")
}

fn read(text: &str) -> Kept {
    serde_json::from_str(text).expect("well-formed")
}

#[test]
fn what_is_sealed_opens_in_the_next_run() {
    let keeper = unlocked();
    let text = written(&keeper.keep(&secrets()));
    assert!(!text.contains("horse") && !text.contains("token"), "{text}");
    assert_eq!(keeper.secrets_in(), SecretsIn::KeyStore);
    let next = unlocked();
    assert!(next.open(read(&text)) == Ok(Some(secrets())));
    let Kept::Sealed { key, .. } = read(&text) else {
        panic!("it is sealed");
    };
    // The same key seals what changes.
    let again = written(&next.keep(&secrets()));
    assert!(again.contains(&key) && again != text);
    next.forget();
    assert!(!STORE.entries().contains_key(&key));
    assert!(unlocked().open(read(&text)) == Ok(None), "its key is gone");
}

#[test]
fn without_a_store_secrets_are_kept_as_they_are() {
    for keeper in [
        Keeper::with(|| None),
        Keeper::with(|| Some(Arc::new(Locked))),
    ] {
        let text = written(&keeper.keep(&secrets()));
        assert_eq!(keeper.secrets_in(), SecretsIn::File);
        assert!(keeper.open(read(&text)) == Ok(Some(secrets())));
        assert!(unlocked().open(read(&text)) == Ok(Some(secrets())));
    }
}

#[test]
fn a_locked_store_is_no_reason_to_forget_the_account() {
    let text = written(&unlocked().keep(&secrets()));
    for keeper in [
        Keeper::with(|| None),
        Keeper::with(|| Some(Arc::new(Locked))),
    ] {
        assert!(keeper.open(read(&text)) == Err(ClientError::KeyStore));
    }
}
