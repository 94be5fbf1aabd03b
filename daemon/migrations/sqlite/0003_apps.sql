-- Chess is one app of several: a job is a round of a subject (a game, a request, a market, an incident) of one contract.
ALTER TABLE jobs RENAME COLUMN game TO subject;
ALTER TABLE jobs RENAME COLUMN ply TO round;
-- The outputs of the proof that the contract takes, 32 bytes each.
ALTER TABLE jobs RENAME COLUMN ranking TO outputs;

-- Where the cursor was when it came to be moot or forfeited: if that block is undone, it is open again.
ALTER TABLE jobs ADD COLUMN ended_at INTEGER;

ALTER TABLE games RENAME TO watched;
ALTER TABLE watched RENAME COLUMN game TO subject;
ALTER TABLE transactions RENAME COLUMN game TO watched;

-- What publishers have signed. The first text of a sequence stays; another one is reported and not stored.
CREATE TABLE bulletins (
    publisher   BLOB    NOT NULL CHECK (length(publisher) = 20),
    feed        BLOB    NOT NULL CHECK (length(feed) = 32),
    sequence    INTEGER NOT NULL,
    timestamp   INTEGER NOT NULL,
    text        BLOB    NOT NULL CHECK (length(text) BETWEEN 1 AND 248),
    signature   BLOB    NOT NULL CHECK (length(signature) = 65),
    received_at INTEGER NOT NULL,
    PRIMARY KEY (publisher, feed, sequence)
) STRICT, WITHOUT ROWID;

-- The contracts whose events up to the cursor are in this database. One that is configured later is read from the start first.
CREATE TABLE contracts (
    chain_id INTEGER NOT NULL REFERENCES chain (chain_id),
    contract BLOB    NOT NULL CHECK (length(contract) = 20),
    PRIMARY KEY (chain_id, contract)
) STRICT, WITHOUT ROWID;

INSERT INTO contracts SELECT DISTINCT chain_id, contract FROM watched;
