-- Times are milliseconds since the Unix epoch. Identifiers are made by the server, except a call's.

CREATE TABLE users (
    id            TEXT PRIMARY KEY,
    name          TEXT NOT NULL,
    name_key      TEXT NOT NULL UNIQUE, -- the name in lower case: "Ann" and "ann" are one person
    password_hash TEXT,                 -- PHC string; null where nobody can sign in with a password
    service       INTEGER NOT NULL DEFAULT 0,
    created_at    INTEGER NOT NULL
) STRICT;

-- Tokens are stored as SHA-256 only, so that a copy of the database signs nobody in.
CREATE TABLE tokens (
    hash       BLOB PRIMARY KEY,
    user_id    TEXT NOT NULL REFERENCES users (id) ON DELETE CASCADE,
    created_at INTEGER NOT NULL,
    expires_at INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
CREATE INDEX tokens_by_user ON tokens (user_id);
CREATE INDEX tokens_by_expiry ON tokens (expires_at);

-- A row says: user_id has added other_id. Two rows, one each way, make two people contacts.
CREATE TABLE contacts (
    user_id    TEXT NOT NULL REFERENCES users (id) ON DELETE CASCADE,
    other_id   TEXT NOT NULL REFERENCES users (id) ON DELETE CASCADE,
    created_at INTEGER NOT NULL,
    PRIMARY KEY (user_id, other_id)
) STRICT, WITHOUT ROWID;
CREATE INDEX contacts_by_other ON contacts (other_id);

CREATE TABLE chats (
    id         TEXT PRIMARY KEY,
    pair_key   TEXT UNIQUE, -- the two members' ids, sorted, so that two people share one chat; null for a room
    created_at INTEGER NOT NULL
) STRICT;

CREATE TABLE chat_members (
    chat_id TEXT NOT NULL REFERENCES chats (id) ON DELETE CASCADE,
    user_id TEXT NOT NULL REFERENCES users (id) ON DELETE CASCADE,
    PRIMARY KEY (chat_id, user_id)
) STRICT, WITHOUT ROWID;
CREATE INDEX chat_members_by_user ON chat_members (user_id);
