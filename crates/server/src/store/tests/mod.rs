//! Each test runs on SQLite and on PostgreSQL.

mod accounts;
mod calls;
mod contacts;
mod invites;
mod keys;
mod sessions;

use tempfile::TempDir;

use super::{Database, Store};

/// Runs a test on an empty database of each kind.
pub async fn on_each(test: impl AsyncFn(Store)) {
    let directory = TempDir::new().expect("a temporary directory");
    let sqlite = Database::Sqlite(directory.path().join("test.sqlite"));
    run(&sqlite, &test).await;
    #[cfg(unix)]
    {
        use vireo_testing::{Durability, Postgres};
        let server = Postgres::start(Durability::ProcessOnly).expect("PostgreSQL");
        let address = server.database().expect("made");
        run(&Database::Postgres(address), &test).await;
    }
}

async fn run(database: &Database, test: &impl AsyncFn(Store)) {
    let store = Store::open(database).await.expect("opened");
    test(store.clone()).await;
    store.close().await;
    // What there is can be opened again, and need not be migrated.
    let again = Store::open(database).await.expect("opened again");
    again.check().await.expect("answers");
    again.close().await;
}
