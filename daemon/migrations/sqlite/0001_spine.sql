-- Every amount of 32 bytes is a BLOB, every game id a decimal TEXT, every time unix milliseconds.

CREATE TABLE chain (
    chain_id INTEGER NOT NULL PRIMARY KEY,
    genesis  BLOB    NOT NULL CHECK (length(genesis) = 32)
) STRICT;

-- The last block whose events are in this database.
CREATE TABLE cursor (
    chain_id INTEGER NOT NULL PRIMARY KEY REFERENCES chain (chain_id),
    number   INTEGER NOT NULL,
    hash     BLOB    NOT NULL CHECK (length(hash) = 32)
) STRICT;

-- The blocks that were followed, as deep as a reorganisation may be undone.
CREATE TABLE blocks (
    chain_id INTEGER NOT NULL REFERENCES chain (chain_id),
    number   INTEGER NOT NULL,
    hash     BLOB    NOT NULL CHECK (length(hash) = 32),
    PRIMARY KEY (chain_id, number)
) STRICT;

-- One row for each question that the chain asked: "it is your move in this game at this ply".
CREATE TABLE jobs (
    id           INTEGER NOT NULL PRIMARY KEY,
    chain_id     INTEGER NOT NULL REFERENCES chain (chain_id),
    contract     BLOB    NOT NULL CHECK (length(contract) = 20),
    game         TEXT    NOT NULL,
    ply          INTEGER NOT NULL,
    block_number INTEGER NOT NULL,
    block_hash   BLOB    NOT NULL CHECK (length(block_hash) = 32),
    state        TEXT    NOT NULL CHECK (state IN
        ('seen', 'proving', 'proved', 'submitted', 'included', 'final', 'forfeited', 'moot', 'failed')),
    note         TEXT    NOT NULL DEFAULT '',
    attempts     INTEGER NOT NULL DEFAULT 0,
    ranking      BLOB,
    proof        BLOB,
    proving_ms   INTEGER,
    created_at   INTEGER NOT NULL,
    updated_at   INTEGER NOT NULL,
    UNIQUE (chain_id, contract, game, ply),
    CHECK (state <> 'proved' OR proof IS NOT NULL),
    CHECK (state NOT IN ('submitted', 'included', 'final') OR proof IS NOT NULL),
    CHECK ((proof IS NULL) = (ranking IS NULL))
) STRICT;

CREATE INDEX jobs_open ON jobs (chain_id, state) WHERE state IN ('seen', 'proving', 'proved', 'submitted', 'included');

-- A nonce is a row here, taken in the transaction that stores the signed bytes.
CREATE TABLE transactions (
    id           INTEGER NOT NULL PRIMARY KEY,
    chain_id     INTEGER NOT NULL REFERENCES chain (chain_id),
    signer       BLOB    NOT NULL CHECK (length(signer) = 20),
    nonce        INTEGER NOT NULL,
    job          INTEGER REFERENCES jobs (id),
    state        TEXT    NOT NULL CHECK (state IN ('signed', 'broadcast', 'included', 'final', 'dropped')),
    note         TEXT    NOT NULL DEFAULT '',
    mined_number INTEGER,
    mined_hash   BLOB,
    mined_ok     INTEGER,
    gas_used     INTEGER,
    created_at   INTEGER NOT NULL,
    updated_at   INTEGER NOT NULL,
    CHECK (state NOT IN ('included', 'final') OR (mined_number IS NOT NULL AND mined_hash IS NOT NULL AND mined_ok IS NOT NULL))
) STRICT;

-- A nonce that another wallet used is dropped and never ours again; of the rest each is unique.
CREATE UNIQUE INDEX transactions_nonce ON transactions (chain_id, signer, nonce) WHERE state <> 'dropped';
-- At most one live transaction answers a job.
CREATE UNIQUE INDEX transactions_job ON transactions (job)
    WHERE state IN ('signed', 'broadcast', 'included') AND coalesce(mined_ok, 1) = 1;

-- Each signed version of a transaction: the first one and its replacements.
CREATE TABLE attempts (
    hash         BLOB    NOT NULL PRIMARY KEY CHECK (length(hash) = 32),
    tx           INTEGER NOT NULL REFERENCES transactions (id),
    max_fee      TEXT    NOT NULL,
    max_priority TEXT    NOT NULL,
    gas_limit    INTEGER NOT NULL,
    raw          BLOB    NOT NULL,
    signed_at    INTEGER NOT NULL,
    broadcast_at INTEGER
) STRICT, WITHOUT ROWID;

CREATE INDEX attempts_tx ON attempts (tx);
