ALTER TABLE users ADD COLUMN display_name TEXT;        -- null: the name they sign in with
ALTER TABLE users ADD COLUMN role TEXT NOT NULL DEFAULT 'member' CHECK (role IN ('member', 'admin'));
ALTER TABLE users ADD COLUMN contacts_version INTEGER NOT NULL DEFAULT 0; -- grows with every change of their contacts and blocks
ALTER TABLE users ADD COLUMN last_seen_at INTEGER;
ALTER TABLE users ADD COLUMN password_changed_at INTEGER;

CREATE TABLE avatars (
    user_id    TEXT PRIMARY KEY REFERENCES users (id) ON DELETE CASCADE,
    image      BLOB NOT NULL, -- as the server has written it, never as it was sent
    etag       TEXT NOT NULL,
    changed_at INTEGER NOT NULL
) STRICT;

-- One signed-in device each.
CREATE TABLE sessions (
    id           TEXT PRIMARY KEY,
    user_id      TEXT NOT NULL REFERENCES users (id) ON DELETE CASCADE,
    device       TEXT NOT NULL, -- the name shown to the person
    created_at   INTEGER NOT NULL,
    last_used_at INTEGER NOT NULL,
    expires_at   INTEGER NOT NULL,
    revoked_at   INTEGER
) STRICT, WITHOUT ROWID;
CREATE INDEX sessions_by_user ON sessions (user_id);
CREATE INDEX sessions_by_expiry ON sessions (expires_at);
CREATE INDEX sessions_by_revocation ON sessions (revoked_at) WHERE revoked_at IS NOT NULL;

-- Stored as SHA-256 only, so that a copy of the database signs nobody in. A used one that comes again revokes its session.
CREATE TABLE refresh_tokens (
    hash       BLOB PRIMARY KEY,
    session_id TEXT NOT NULL REFERENCES sessions (id) ON DELETE CASCADE,
    created_at INTEGER NOT NULL,
    expires_at INTEGER NOT NULL,
    used_at    INTEGER
) STRICT, WITHOUT ROWID;
CREATE INDEX refresh_tokens_by_session ON refresh_tokens (session_id);
CREATE INDEX refresh_tokens_by_expiry ON refresh_tokens (expires_at);

CREATE TABLE invites (
    id         TEXT PRIMARY KEY,
    token_hash BLOB NOT NULL UNIQUE,
    inviter_id TEXT REFERENCES users (id) ON DELETE CASCADE, -- null: the server's own, which makes an admin
    created_at INTEGER NOT NULL,
    expires_at INTEGER NOT NULL,
    uses_left  INTEGER NOT NULL,
    uses_total INTEGER NOT NULL,
    revoked_at INTEGER
) STRICT, WITHOUT ROWID;
CREATE INDEX invites_by_inviter ON invites (inviter_id);

-- A row says: user_id wants to hear nothing of other_id.
CREATE TABLE blocks (
    user_id    TEXT NOT NULL REFERENCES users (id) ON DELETE CASCADE,
    other_id   TEXT NOT NULL REFERENCES users (id) ON DELETE CASCADE,
    created_at INTEGER NOT NULL,
    PRIMARY KEY (user_id, other_id)
) STRICT, WITHOUT ROWID;
CREATE INDEX blocks_by_other ON blocks (other_id);

-- The history. Nothing refers to accounts and chats: calls are written many at once, and one whose caller has just left
-- must not keep the others out.
CREATE TABLE calls (
    id          TEXT PRIMARY KEY, -- UUIDv7: sorts by time
    call_id     TEXT NOT NULL,    -- as the caller's client named it
    chat_id     TEXT NOT NULL,
    caller_id   TEXT NOT NULL,
    callee_id   TEXT NOT NULL,
    started_at  INTEGER NOT NULL,
    answered_at INTEGER,
    ended_at    INTEGER,
    outcome     TEXT
) STRICT, WITHOUT ROWID;
CREATE INDEX calls_by_caller ON calls (caller_id, id);
CREATE INDEX calls_by_callee ON calls (callee_id, id);
CREATE INDEX calls_unfinished ON calls (id) WHERE ended_at IS NULL;

-- Secrets that the server has made for itself, shared by all its instances.
CREATE TABLE keys (
    name  TEXT PRIMARY KEY,
    value BLOB NOT NULL
) STRICT, WITHOUT ROWID;

-- Single facts about the server, such as when it was last alive.
CREATE TABLE state (
    name  TEXT PRIMARY KEY,
    value TEXT NOT NULL
) STRICT, WITHOUT ROWID;
