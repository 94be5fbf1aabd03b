-- What the operator wants done with a transaction at the next turn; the row goes once it is done.
CREATE TABLE wanted (
    tx       BIGINT NOT NULL PRIMARY KEY REFERENCES transactions (id) ON DELETE CASCADE,
    what     TEXT    NOT NULL CHECK (what IN ('bump', 'cancel')),
    asked_at BIGINT NOT NULL
);

-- When a daemon last wrote here: that it can, and that it lives.
CREATE TABLE heartbeat (
    chain_id BIGINT NOT NULL PRIMARY KEY,
    at       BIGINT NOT NULL
);
