//! Sending: simulate, sign and store, broadcast, follow. One at a time, one endpoint.
//!
//! ```text
//! simulate ─► price ─► [nonce row + signed bytes + job state: one database transaction] ─► broadcast
//! follow: mined? ─► included ─► final;  gone from its block? ─► signed;  nonce used? ─► dropped;  old? ─► bump
//! ```
//! Whatever is broadcast is stored first. A crash between the two leaves a `signed` row, which
//! [`Submitter::follow`] broadcasts.

use super::{
    client::{Client, Sent},
    error::ChainError,
    fees::{self, Fees},
    key::{Key, Plan},
    types::{Address, B256, Bytes, U256},
};
use crate::{
    config::SubmitConfig,
    store::{Attempt, Errand, Mined, Store, StoreError, Tx, TxState, Write},
};

/// What can go wrong while sending.
#[derive(Debug, thiserror::Error)]
pub enum SubmitError {
    /// The node.
    #[error(transparent)]
    Chain(#[from] ChainError),
    /// The store.
    #[error(transparent)]
    Store(#[from] StoreError),
}

crate::code::codes!(SubmitError { ; Chain, Store });

/// A call that is to be sent.
#[derive(Clone, Debug)]
pub struct Call {
    /// The contract.
    pub to: Address,
    /// Calldata.
    pub data: Bytes,
    /// Wei that goes along.
    pub value: U256,
}

/// What came of following a transaction.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Change {
    /// It is in a block.
    Included {
        /// Which version.
        hash: B256,
        /// Where and how.
        mined: Mined,
    },
    /// It fell out of its block.
    Unmined,
    /// Its block is deep enough.
    Final {
        /// Where and how.
        mined: Mined,
    },
    /// Somebody else used its nonce.
    Dropped,
}

/// What is to become of a live transaction that isn't in a block.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Wish {
    /// Get it into a block.
    Push,
    /// Leave it alone: its job is about to replace it.
    Hold,
    /// Replace it at once by a version that pays more, however old it is.
    Bump,
    /// Nobody wants it any more, but its nonce must not stay open: replace it by a payment of
    /// nothing to ourselves.
    Cancel,
}

/// The one sender of a (chain, key).
#[derive(Clone, Debug)]
pub struct Submitter {
    client: Client,
    store: Store,
    key: Key,
    config: SubmitConfig,
    finality: u64,
}

impl Submitter {
    /// A sender that keeps its transactions in `store`.
    pub fn new(client: Client, store: Store, key: Key, config: SubmitConfig, finality: u64) -> Self {
        Self { client, store, key, config, finality }
    }

    /// From now on with other prices and limits.
    pub fn set_policy(&mut self, config: SubmitConfig) {
        self.config = config;
    }

    /// The address that signs.
    pub fn address(&self) -> Address {
        self.key.address()
    }

    /// Runs the call without sending it. `Err(Refused { data, .. })` carries the contract's error.
    pub async fn simulate(&self, call: &Call) -> Result<u64, ChainError> {
        self.client.call(Some(self.address()), call.to, call.data.clone(), None).await?;
        self.client.estimate(self.address(), Some(call.to), call.data.clone(), call.value).await
    }

    /// Signs a simulated call for an errand and stores it; `also` runs in the same database
    /// transaction. If an earlier transaction for it is still unmined, it is replaced: same nonce,
    /// so that at most one of them can be mined.
    pub async fn sign_and_store(
        &self,
        errand: Errand,
        call: &Call,
        gas: u64,
        also: impl AsyncFnOnce(&mut Write) -> Result<(), StoreError>,
    ) -> Result<B256, SubmitError> {
        let plan = self.plan(call, gas);
        let (base_fee, tip) = self.market().await?;
        let earlier = self
            .store
            .transactions_of(errand)
            .await?
            .into_iter()
            .find(|tx| matches!(tx.state, TxState::Signed | TxState::Broadcast));
        let chain_nonce = self.client.nonce(self.address()).await?;
        let mut write = self.store.write().await?;
        let hash = match earlier {
            Some(tx) => {
                let old = tx.attempts.last().map(fees_of);
                let fees = match old {
                    Some(old) => fees::bumped(&self.config, old, base_fee, tip),
                    None => fees::first(&self.config, base_fee, tip),
                };
                let fees = fees.ok_or_else(|| self.above_cap(base_fee))?;
                let signed = self.key.sign(&plan, tx.nonce, fees).map_err(StoreError::Signing)?;
                write.add_attempt(tx.id, &signed).await?;
                signed.hash
            }
            None => {
                let fees = fees::first(&self.config, base_fee, tip).ok_or_else(|| self.above_cap(base_fee))?;
                let (_, nonce, hash) = write
                    .sign_next(self.client.chain_id(), self.address(), Some(errand), chain_nonce, |nonce| {
                        self.key.sign(&plan, nonce, fees)
                    })
                    .await?;
                tracing::debug!(nonce, %hash, ?errand, "signed");
                hash
            }
        };
        also(&mut write).await?;
        write.commit().await?;
        Ok(hash)
    }

    /// Sends the newest version of a stored transaction.
    pub async fn broadcast(&self, tx: &Tx) -> Result<(), SubmitError> {
        let Some(newest) = tx.attempts.last() else {
            return Ok(());
        };
        match self.client.send(&newest.raw).await? {
            Sent::Taken => {
                let mut write = self.store.write().await?;
                write.set_broadcast(tx.id, newest.hash).await?;
                write.commit().await?;
                tracing::info!(hash = %newest.hash, nonce = tx.nonce, "transaction sent");
            }
            // An older version is mined or another wallet used the nonce: the next look at the
            // receipts and at the account's nonce tells which.
            Sent::NonceTooLow => {
                tracing::debug!(nonce = tx.nonce, "the node says that the nonce is used")
            }
            Sent::Underpriced => tracing::warn!(nonce = tx.nonce, "the node keeps an earlier version; waiting to bump"),
        }
        Ok(())
    }

    /// Looks at a live transaction and tells what became of it, or does what is wished. Every
    /// change is stored by the caller through [`store_change`].
    pub async fn follow(&self, tx: &Tx, head: u64, wish: Wish) -> Result<Option<Change>, SubmitError> {
        let mut found = None;
        for attempt in tx.attempts.iter().rev() {
            if let Some(mined) = self.client.mined(attempt.hash).await? {
                found = Some((attempt.hash, mined));
                break;
            }
        }
        match (found, tx.state) {
            (Some((_, mined)), TxState::Included) if tx.mined == Some(mined) => {
                let deep = head >= mined.block.number.saturating_add(self.finality);
                Ok(deep.then_some(Change::Final { mined }))
            }
            (Some((hash, mined)), _) => Ok(Some(Change::Included { hash, mined })),
            (None, TxState::Included) => Ok(Some(Change::Unmined)),
            (None, _) => self.push(tx, head, wish).await,
        }
    }

    /// Whether a version is only there to use up the nonce.
    pub fn is_cancellation(&self, attempt: &Attempt) -> bool {
        super::key::plan_of(&attempt.raw).is_some_and(|plan| plan.to == Some(self.address()))
    }

    async fn push(&self, tx: &Tx, head: u64, wish: Wish) -> Result<Option<Change>, SubmitError> {
        if self.client.nonce(self.address()).await? > tx.nonce {
            // Perhaps by ours, whose receipt the node doesn't have yet: only a use that is final
            // and still has no receipt of ours is another wallet's.
            let deep = head.saturating_sub(self.finality.max(1));
            let lost = self.client.nonce_at(self.address(), deep).await? > tx.nonce;
            return Ok(lost.then_some(Change::Dropped));
        }
        let Some(newest) = tx.attempts.last() else {
            return Ok(Some(Change::Dropped));
        };
        let age = self.store.clock().now_ms().saturating_sub(newest.signed_at);
        let bump_after = i64::try_from(self.config.bump_after.as_millis()).unwrap_or(i64::MAX);
        match wish {
            Wish::Hold => {}
            Wish::Cancel if !self.is_cancellation(newest) => {
                let plan = Plan {
                    chain_id: self.client.chain_id(),
                    to: Some(self.address()),
                    data: Bytes::new(),
                    value: U256::ZERO,
                    gas_limit: 21_000,
                };
                self.replace(tx, newest, &plan).await?;
            }
            Wish::Bump => {
                if let Some(plan) = super::key::plan_of(&newest.raw) {
                    self.replace(tx, newest, &plan).await?;
                }
            }
            Wish::Push | Wish::Cancel if tx.state == TxState::Signed || newest.broadcast_at.is_none() => {
                self.broadcast(tx).await?
            }
            Wish::Push | Wish::Cancel if age >= bump_after => {
                if let Some(plan) = super::key::plan_of(&newest.raw) {
                    self.replace(tx, newest, &plan).await?;
                }
            }
            Wish::Push | Wish::Cancel => {}
        }
        Ok(None)
    }

    /// Replaces an unmined transaction by one with the same nonce that pays more.
    async fn replace(&self, tx: &Tx, newest: &Attempt, plan: &Plan) -> Result<(), SubmitError> {
        let (base_fee, tip) = self.market().await?;
        let Some(fees) = fees::bumped(&self.config, fees_of(newest), base_fee, tip) else {
            tracing::warn!(
                nonce = tx.nonce,
                max_fee = newest.max_fee,
                "not mined, and the cap leaves no room to pay more; raise submit.max_fee_gwei"
            );
            self.client.send(&newest.raw).await?;
            return Ok(());
        };
        let signed = self.key.sign(plan, tx.nonce, fees).map_err(StoreError::Signing)?;
        let mut write = self.store.write().await?;
        write.add_attempt(tx.id, &signed).await?;
        write.commit().await?;
        tracing::info!(nonce = tx.nonce, max_fee = fees.max_fee, hash = %signed.hash, "replaced by a version that pays more");
        let mut replaced = tx.clone();
        replaced.attempts.push(Attempt {
            hash: signed.hash,
            max_fee: signed.max_fee,
            max_priority: signed.max_priority,
            gas_limit: signed.gas_limit,
            raw: signed.raw,
            signed_at: self.store.clock().now_ms(),
            broadcast_at: None,
        });
        self.broadcast(&replaced).await
    }

    fn plan(&self, call: &Call, gas: u64) -> Plan {
        let gas_limit = gas.saturating_mul(100 + self.config.gas_margin_percent).div_ceil(100);
        Plan {
            chain_id: self.client.chain_id(),
            to: Some(call.to),
            data: call.data.clone(),
            value: call.value,
            gas_limit,
        }
    }

    async fn market(&self) -> Result<(u128, Option<u128>), ChainError> {
        Ok((self.client.head().await?.base_fee, self.client.suggested_tip().await))
    }

    fn above_cap(&self, base_fee: u128) -> ChainError {
        ChainError::FeeAboveCap { chain_id: self.client.chain_id(), base_fee, cap: self.config.max_fee }
    }
}

/// Stores what became of a transaction.
pub async fn store_change(write: &mut Write, tx: i64, change: &Change) -> Result<(), StoreError> {
    match change {
        Change::Included { mined, .. } => write.set_mined(tx, TxState::Included, *mined).await,
        Change::Final { mined } => write.set_mined(tx, TxState::Final, *mined).await,
        Change::Unmined => write.set_unmined(tx).await,
        Change::Dropped => write.set_dropped(tx, "another transaction used its nonce").await,
    }
}

fn fees_of(attempt: &Attempt) -> Fees {
    Fees { max_fee: attempt.max_fee, max_priority: attempt.max_priority }
}
