//! Which transactions can be left alone in a turn: a node that is asked about each of them each time is asked a great deal.

use super::{Service, ServiceError};
use crate::store::{Job, State, Tx, TxState};

impl Service {
    /// Whether a transaction is in a block that is followed, and not deep enough yet: then nothing can have become of it since
    /// the last turn. Before it is called final its receipt is asked for once more.
    ///
    /// A job that was asked anew meanwhile doesn't know of its transaction: it must hear of it again.
    pub(super) async fn is_quiet(&self, tx: &Tx, job: Option<&Job>, head: u64) -> Result<bool, ServiceError> {
        let (TxState::Included, Some(mined)) = (tx.state, tx.mined) else { return Ok(false) };
        let deep = head >= mined.block.number.saturating_add(self.config.chain.finality);
        let agreed = job.is_none_or(|job| job.state == State::Included);
        Ok(agreed && !deep && self.store.is_followed(self.config.chain.chain_id, mined.block).await?)
    }
}
