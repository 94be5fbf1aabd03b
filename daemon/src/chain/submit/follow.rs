//! What becomes of a transaction: looks for its receipt, sends it again, bumps it, withdraws it.

use super::{Attempt, Change, Fees, Held, Plan, SubmitError, Submitter, fees, fees_of, gaps, is_cancellation};
use crate::{
    chain::{ChainError, key},
    store::{Tx, TxState, Wanted},
};

/// What is to become of a live transaction that isn't in a block.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Wish {
    /// Get it into a block.
    Push,
    /// Leave it alone: its job is about to replace it.
    Hold,
    /// Nobody wants it any more, but its nonce must not stay open: replace it by a payment of
    /// nothing to ourselves.
    Cancel,
}

/// How an account and its unmined transactions stand, read once for all of them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Standing {
    /// Height of the head.
    pub head: u64,
    /// Transactions of the account in blocks.
    pub nonce: u64,
    /// Our unmined ones.
    pub unmined: usize,
}

impl Submitter {
    /// Reads how the account stands. To be read before its transactions are followed: a receipt that is looked for after it
    /// is at least as new. `live` are the signed, broadcast and included transactions.
    ///
    /// # Errors
    /// If the node doesn't say.
    pub async fn standing(&self, live: &[Tx], head: u64) -> Result<Standing, SubmitError> {
        let nonce = self.client.nonce(self.address()).await?;
        let unmined = live.iter().filter(|tx| tx.signer == self.address() && tx.state != TxState::Included).count();
        metrics::gauge!("zugzwang_submit_unmined_transactions", "chain" => self.client.chain_id().to_string())
            .set(unmined as f64);
        Ok(Standing { head, nonce, unmined })
    }

    /// Looks at a live transaction and tells what became of it, or does what is wished. Every
    /// change is stored by the caller through [`super::store_change`].
    ///
    /// # Errors
    /// [`Held::Stuck`] if it is first in line and may not pay more; what the node says otherwise.
    pub async fn follow(&self, tx: &Tx, standing: Standing, wish: Wish) -> Result<Option<Change>, SubmitError> {
        if let Some(change) = self.watch(tx, standing.head).await? {
            return Ok(Some(change));
        }
        match tx.state {
            TxState::Signed | TxState::Broadcast => self.push(tx, standing, wish).await,
            TxState::Included | TxState::Final | TxState::Dropped => Ok(None),
        }
    }

    /// Looks for a receipt of any version, whoever signed it.
    ///
    /// # Errors
    /// If the node doesn't say.
    pub async fn watch(&self, tx: &Tx, head: u64) -> Result<Option<Change>, SubmitError> {
        let mut found = None;
        for attempt in tx.attempts.iter().rev() {
            if let Some(mined) = self.client.mined(attempt.hash).await? {
                found = Some((attempt.hash, mined));
                break;
            }
        }
        Ok(match (found, tx.state) {
            (Some((_, mined)), TxState::Included) if tx.mined == Some(mined) => {
                let deep = head >= mined.block.number.saturating_add(self.finality);
                deep.then_some(Change::Final { mined })
            }
            (Some((hash, mined)), _) => Some(Change::Included { hash, mined }),
            (None, TxState::Included) => Some(Change::Unmined),
            (None, _) => None,
        })
    }

    /// No version has a receipt.
    async fn push(&self, tx: &Tx, standing: Standing, wish: Wish) -> Result<Option<Change>, SubmitError> {
        if standing.nonce > tx.nonce {
            return self.is_lost(tx, standing.head).await;
        }
        self.memory().doubted.remove(&tx.id);
        let Some(newest) = tx.attempts.last() else {
            return Ok(Some(Change::Dropped));
        };
        let wish = match tx.wanted {
            Some(Wanted::Cancel) => Wish::Cancel,
            _ => wish,
        };
        match wish {
            Wish::Hold => {}
            Wish::Cancel if !is_cancellation(tx, newest) => self.cancel(tx, newest).await?,
            Wish::Push | Wish::Cancel => {
                let asked = tx.wanted == Some(Wanted::Bump);
                // Those behind the first in line can't be mined before it, whatever they pay.
                let first = standing.nonce == tx.nonce;
                let sent = tx.state != TxState::Signed && newest.broadcast_at.is_some();
                if !sent && self.broadcast(tx).await? {
                    return Ok(None);
                }
                // One that no node takes at its price is no better than one that isn't mined.
                if asked || (first && self.is_old(newest.signed_at)) {
                    self.bump(tx, newest, standing, asked).await?;
                } else if self.is_old(self.last_sent(tx, newest)) {
                    // Mempools forget.
                    self.broadcast(tx).await?;
                }
            }
        }
        Ok(None)
    }

    /// The account's nonce is above the transaction's. Perhaps by ours, whose receipt the node doesn't have yet: only a use
    /// that is final, and still has no receipt of ours at a second look, is another wallet's.
    async fn is_lost(&self, tx: &Tx, head: u64) -> Result<Option<Change>, SubmitError> {
        let deep = head.saturating_sub(self.finality.max(1));
        if self.client.nonce_at(tx.signer, deep).await? <= tx.nonce {
            return Ok(None);
        }
        // Nor does a node that has lost its receipts, but knows one of ours, say that another's was mined.
        for attempt in &tx.attempts {
            if self.client.knows(attempt.hash).await? {
                return Ok(None);
            }
        }
        let seen_before = self.memory().doubted.insert(tx.id, self.now()).is_some();
        if !seen_before {
            return Ok(None);
        }
        self.memory().doubted.remove(&tx.id);
        Ok(Some(Change::Dropped))
    }

    /// Replaces an unmined transaction by one that does the same and pays more. One that may not pay more is sent again as it
    /// is, from time to time, and told.
    async fn bump(&self, tx: &Tx, newest: &Attempt, standing: Standing, asked: bool) -> Result<(), SubmitError> {
        let Some(plan) = key::plan_of(&newest.raw) else { return Ok(()) };
        let market = self.market().await?;
        let behind = standing.unmined.saturating_sub(1);
        let replaced = match fees::bumped(&self.config, fees_of(newest), market.base_fee, market.tip) {
            Some(fees) => self.replace(tx, &plan, fees).await,
            None => Err(self.cap_is_full(tx, newest, market.base_fee, behind)),
        };
        let told = match replaced {
            Ok(()) if asked => {
                let mut write = self.store.write().await?;
                write.forget_wish(tx.id).await?;
                return Ok(write.commit().await?);
            }
            Err(SubmitError::Chain(ChainError::Held(held))) => match *held {
                held @ Held::Stuck { .. } => held,
                why @ (Held::OverLimit { .. } | Held::Balance { .. }) => {
                    self.stuck(tx, newest, market.base_fee, behind, why.to_string())
                }
                other => return Err(self.held(other)),
            },
            done => return done,
        };
        if self.is_old(self.last_sent(tx, newest)) {
            self.broadcast(tx).await?;
        }
        Err(self.held(told))
    }

    /// Replaces what nobody wants any more. Where the cap leaves no room to pay more than it, the same price is offered: nodes
    /// that have forgotten the other one take it.
    async fn cancel(&self, tx: &Tx, newest: &Attempt) -> Result<(), SubmitError> {
        let market = self.market().await?;
        let old = fees_of(newest);
        let fees = fees::bumped(&self.config, old, market.base_fee, market.tip).unwrap_or(Fees {
            max_fee: old.max_fee.min(self.config.max_fee),
            max_priority: old.max_priority.min(self.config.max_fee),
        });
        self.replace(tx, &self.nothing(), fees).await
    }

    /// Signs, stores and sends another version.
    async fn replace(&self, tx: &Tx, plan: &Plan, fees: Fees) -> Result<(), SubmitError> {
        self.afford(plan, fees, Some(tx)).await?;
        let signed = self.signer.sign(plan, tx.nonce, fees).await.map_err(|e| self.held(e))?;
        let mut write = self.store.write().await?;
        write.add_attempt(tx.id, &signed).await?;
        write.commit().await?;
        metrics::counter!("zugzwang_submit_replaced_total", "chain" => self.client.chain_id().to_string()).increment(1);
        tracing::info!(nonce = tx.nonce, max_fee = fees.max_fee, hash = %signed.hash, "replaced by a version that pays more");
        let mut replaced = tx.clone();
        replaced.attempts.push(Attempt {
            hash: signed.hash,
            max_fee: signed.max_fee,
            max_priority: signed.max_priority,
            gas_limit: signed.gas_limit,
            value: signed.value,
            raw: signed.raw,
            signed_at: self.now(),
            broadcast_at: None,
        });
        self.broadcast(&replaced).await?;
        Ok(())
    }

    /// Fills nonces below ours that nothing of ours has, by payments of nothing to ourselves; tells which ones. Gives the rows
    /// that are to be given up instead, because they are too far above the account's nonce.
    ///
    /// # Errors
    /// If the node, the store or the signer fails.
    pub async fn repair(&self, live: &[Tx], standing: Standing) -> Result<Repaired, SubmitError> {
        let unmined: Vec<&Tx> = live
            .iter()
            .filter(|tx| tx.signer == self.address() && matches!(tx.state, TxState::Signed | TxState::Broadcast))
            .collect();
        let nonces: Vec<u64> = unmined.iter().map(|tx| tx.nonce).collect();
        let ours = self.store.nonces_from(self.client.chain_id(), self.address(), standing.nonce).await?;
        let found = gaps::gap(standing.nonce, &ours, &nonces);
        let since = match found {
            gaps::Gap::None => None,
            _ => Some(self.memory().gap_since.unwrap_or_else(|| self.now())),
        };
        self.memory().gap_since = since;
        let Some(since) = since else { return Ok(Repaired::default()) };
        // A node that is behind shows a gap, too, for a while.
        if !self.is_old(since) {
            return Ok(Repaired::default());
        }
        self.memory().gap_since = None;
        match found {
            gaps::Gap::None => Ok(Repaired::default()),
            gaps::Gap::Fill(missing) => {
                for nonce in &missing {
                    self.fill(*nonce).await?;
                }
                Ok(Repaired { filled: missing, given_up: vec![] })
            }
            gaps::Gap::Renumber { from } => {
                let given_up = unmined.iter().filter(|tx| tx.nonce >= from).map(|tx| tx.id).collect();
                Ok(Repaired { filled: vec![], given_up })
            }
        }
    }

    async fn fill(&self, nonce: u64) -> Result<(), SubmitError> {
        let market = self.market().await?;
        let fees =
            fees::first(&self.config, market.base_fee, market.tip).ok_or_else(|| self.above_cap(market.base_fee))?;
        let plan = self.nothing();
        self.afford(&plan, fees, None).await?;
        let signed = self.signer.sign(&plan, nonce, fees).await.map_err(|e| self.held(e))?;
        let mut write = self.store.write().await?;
        self.take(&mut write, nonce, None, &signed).await?;
        write.commit().await?;
        // The next turn follows it, and sends it again if this fails.
        if let Some(tx) = self.store.transaction_by_hash(signed.hash).await? {
            self.broadcast(&tx).await?;
        }
        Ok(())
    }

    fn last_sent(&self, tx: &Tx, newest: &Attempt) -> i64 {
        self.memory().resent.get(&tx.id).copied().unwrap_or(0).max(newest.signed_at)
    }

    /// Whether a time is so long ago that something is to be done; or still to come, because the clock was set back.
    fn is_old(&self, time: i64) -> bool {
        let bump_after = i64::try_from(self.config.bump_after.as_millis()).unwrap_or(i64::MAX);
        let age = self.now().saturating_sub(time);
        age >= bump_after || age < 0
    }
}

/// What was done about a gap below our nonces.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Repaired {
    /// Nonces that payments of nothing have now.
    pub filled: Vec<u64>,
    /// Rows that are to be dropped, so that what they are about gets lower nonces.
    pub given_up: Vec<i64>,
}
