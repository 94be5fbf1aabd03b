//! Which transactions can be left alone in a turn: a node that is asked about each of them each time is asked a great deal.

use super::{Service, ServiceError};
use crate::{
    chain::submit::Wish,
    store::{BlockRef, Tx, TxState},
};

impl Service {
    /// Whether nothing can have become of a transaction since the last turn, so that the node needn't be asked:
    /// - it is in a block that is followed, and not deep enough yet (before it is called final its receipt is asked for again);
    /// - it waits for a block, there is none since it was looked at last, and it isn't old enough to be replaced.
    ///
    /// What is to be cancelled, or an operator wants something of, is never left alone.
    pub(super) async fn is_quiet(&self, tx: &Tx, wish: Wish, head: BlockRef) -> Result<bool, ServiceError> {
        if wish == Wish::Cancel || tx.wanted.is_some() {
            return Ok(false);
        }
        match (tx.state, tx.mined, tx.attempts.last()) {
            (TxState::Included, Some(mined), _) => {
                let deep = head.number >= mined.block.number.saturating_add(self.config.chain.finality);
                Ok(!deep && self.store.is_followed(self.config.chain.chain_id, mined.block).await?)
            }
            (TxState::Broadcast, _, Some(newest)) if newest.broadcast_at.is_some() && self.looked_at == Some(head) => {
                let age = self.clock.now_ms().saturating_sub(newest.signed_at);
                Ok(age < i64::try_from(self.config.submit.bump_after.as_millis()).unwrap_or(i64::MAX))
            }
            _ => Ok(false),
        }
    }
}
