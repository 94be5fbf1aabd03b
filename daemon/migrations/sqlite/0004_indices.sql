-- What the daemon asks in each turn, and what an operator asks of months of jobs, is found without reading every row.
CREATE INDEX transactions_live ON transactions (chain_id, signer, nonce) WHERE state IN ('signed', 'broadcast', 'included');
CREATE INDEX transactions_of_job ON transactions (job);
CREATE INDEX transactions_of_watched ON transactions (watched);
CREATE INDEX transactions_state ON transactions (state, id);
CREATE INDEX jobs_block ON jobs (chain_id, block_number);
CREATE INDEX jobs_state ON jobs (state, id);
CREATE INDEX jobs_ended_at ON jobs (chain_id, ended_at) WHERE ended_at IS NOT NULL;
CREATE INDEX jobs_unnoted ON jobs (chain_id) WHERE state IN ('moot', 'forfeited') AND ended_at IS NULL;
CREATE INDEX jobs_old ON jobs (updated_at) WHERE state IN ('final', 'forfeited', 'moot', 'failed');
