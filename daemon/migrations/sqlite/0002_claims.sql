-- One row for each game that the chain told of, so that one that its human has left is claimed in the end.
CREATE TABLE games (
    id           INTEGER NOT NULL PRIMARY KEY,
    chain_id     INTEGER NOT NULL REFERENCES chain (chain_id),
    contract     BLOB    NOT NULL CHECK (length(contract) = 20),
    game         TEXT    NOT NULL,
    -- The block of the last event that set look_at; if it is undone, the game is looked at anew.
    block_number INTEGER NOT NULL,
    -- Seconds of the chain's own clock from which the game is to be looked at; NULL for a game that needs no more looks.
    look_at      INTEGER,
    UNIQUE (chain_id, contract, game)
) STRICT;

CREATE INDEX games_due ON games (chain_id, contract, look_at) WHERE look_at IS NOT NULL;

-- A transaction answers a job, or claims a game, or neither.
ALTER TABLE transactions ADD COLUMN game INTEGER REFERENCES games (id) CHECK (game IS NULL OR job IS NULL);
-- At most one live transaction claims a game.
CREATE UNIQUE INDEX transactions_game ON transactions (game)
    WHERE state IN ('signed', 'broadcast', 'included') AND coalesce(mined_ok, 1) = 1;
