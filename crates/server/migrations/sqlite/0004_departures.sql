-- Accounts deleted of late, so that every server ends their connections and tells those in whose lists they were.
CREATE TABLE departures (
    user_id     TEXT PRIMARY KEY,
    sessions    TEXT NOT NULL, -- JSON: ids of the sessions that ended with the account
    contacts    TEXT NOT NULL, -- JSON: ids of the people to tell
    departed_at INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
