-- What a transaction cost per gas, and when that was first known; both NULL while it is in no block.
ALTER TABLE transactions ADD COLUMN gas_price TEXT;
ALTER TABLE transactions ADD COLUMN spent_at BIGINT;
-- Wei that go along.
ALTER TABLE attempts ADD COLUMN value TEXT NOT NULL DEFAULT '0';

CREATE INDEX transactions_spent ON transactions (chain_id, signer, spent_at);
