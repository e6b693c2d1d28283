-- Times are milliseconds since the Unix epoch. Identifiers are made by the server, except a call's.

CREATE TABLE users (
    id            TEXT COLLATE "C" PRIMARY KEY,
    name          TEXT NOT NULL,
    name_key      TEXT COLLATE "C" NOT NULL UNIQUE, -- the name in lower case: "Ann" and "ann" are one person
    password_hash TEXT,                 -- PHC string; null where nobody can sign in with a password
    service       BIGINT NOT NULL DEFAULT 0,
    created_at    BIGINT NOT NULL
);

-- Tokens are stored as SHA-256 only, so that a copy of the database signs nobody in.
CREATE TABLE tokens (
    hash       BYTEA PRIMARY KEY,
    user_id    TEXT COLLATE "C" NOT NULL REFERENCES users (id) ON DELETE CASCADE,
    created_at BIGINT NOT NULL,
    expires_at BIGINT NOT NULL
);
CREATE INDEX tokens_by_user ON tokens (user_id);
CREATE INDEX tokens_by_expiry ON tokens (expires_at);

-- A row says: user_id has added other_id. Two rows, one each way, make two people contacts.
CREATE TABLE contacts (
    user_id    TEXT COLLATE "C" NOT NULL REFERENCES users (id) ON DELETE CASCADE,
    other_id   TEXT COLLATE "C" NOT NULL REFERENCES users (id) ON DELETE CASCADE,
    created_at BIGINT NOT NULL,
    PRIMARY KEY (user_id, other_id)
);
CREATE INDEX contacts_by_other ON contacts (other_id);

CREATE TABLE chats (
    id         TEXT COLLATE "C" PRIMARY KEY,
    pair_key   TEXT COLLATE "C" UNIQUE, -- the two members' ids, sorted, so that two people share one chat; null for a room
    created_at BIGINT NOT NULL
);

CREATE TABLE chat_members (
    chat_id TEXT COLLATE "C" NOT NULL REFERENCES chats (id) ON DELETE CASCADE,
    user_id TEXT COLLATE "C" NOT NULL REFERENCES users (id) ON DELETE CASCADE,
    PRIMARY KEY (chat_id, user_id)
);
CREATE INDEX chat_members_by_user ON chat_members (user_id);
