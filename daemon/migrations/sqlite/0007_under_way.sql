-- Read before each signature: it must not grow with what was ever sent.
CREATE INDEX transactions_under_way ON transactions (chain_id, signer) WHERE state IN ('signed', 'broadcast');
-- What was mined before that was noted.
UPDATE transactions SET spent_at = updated_at WHERE spent_at IS NULL AND state IN ('included', 'final');
