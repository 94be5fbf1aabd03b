//! Sending: simulate, sign and store, broadcast, follow. One at a time, one endpoint.
//!
//! ```text
//! simulate ─► price ─► afford ─► allow ─► [nonce row + signed bytes + job state: one database transaction] ─► broadcast
//! follow: mined? ─► included ─► final;  gone from its block? ─► signed;  nonce used? ─► dropped;  old? ─► bump
//! ```
//! Whatever is broadcast is stored first. A crash between the two leaves a `signed` row, which
//! [`Submitter::follow`] broadcasts. What may not be sent now, because of a price, a limit or the balance, takes no nonce.

mod follow;
mod gaps;

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use super::{
    client::{Client, Sent},
    error::ChainError,
    fees::{self, Fees},
    held::{self, Held},
    key::Plan,
    limits,
    policy::PolicySigner,
    types::{Address, B256, Bytes, U256},
};
use crate::{
    config::{SpendLimits, SubmitConfig},
    store::{Attempt, Errand, Mined, Spent, Store, StoreError, Tx, TxState, Write},
};

pub use follow::{Repaired, Standing, Wish};
pub use gaps::{Gap, gap};

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

/// The one sender of a (chain, key).
#[derive(Clone, Debug)]
pub struct Submitter {
    client: Client,
    store: Store,
    signer: PolicySigner,
    config: SubmitConfig,
    limits: SpendLimits,
    finality: u64,
    /// What need not survive a restart: when something was last done, so that it isn't done all the time.
    memory: Arc<Mutex<Memory>>,
}

/// See [`Submitter`]. Times are unix milliseconds.
#[derive(Debug, Default)]
struct Memory {
    /// When a transaction was last sent again as it is.
    resent: BTreeMap<i64, i64>,
    /// Transactions whose nonce seems to be used by another, each seen so once.
    doubted: BTreeMap<i64, i64>,
    /// Since when there has been a gap below our nonces.
    gap_since: Option<i64>,
}

impl Submitter {
    /// A sender that keeps its transactions in `store` and spends what `limits` allow.
    pub fn new(
        client: Client,
        store: Store,
        signer: PolicySigner,
        config: SubmitConfig,
        limits: SpendLimits,
        finality: u64,
    ) -> Self {
        Self { client, store, signer, config, limits, finality, memory: Arc::default() }
    }

    /// From now on with other prices and limits.
    pub fn set_policy(&mut self, config: SubmitConfig, limits: SpendLimits) {
        self.signer.set_limits(&config);
        self.config = config;
        self.limits = limits;
    }

    /// The address that signs.
    pub fn address(&self) -> Address {
        self.signer.address()
    }

    /// Runs the call without sending it. `Err(Refused { data, .. })` carries the contract's error.
    ///
    /// # Errors
    /// The node's or the contract's refusal; [`Held::GasAboveCap`] for what needs more gas than is allowed.
    pub async fn simulate(&self, call: &Call) -> Result<u64, ChainError> {
        self.client.call(Some(self.address()), call.to, call.data.clone(), None).await?;
        let gas = self.client.estimate(self.address(), Some(call.to), call.data.clone(), call.value).await?;
        if gas > self.config.max_gas {
            return Err(Held::GasAboveCap { gas, cap: self.config.max_gas }.into());
        }
        Ok(gas)
    }

    /// Signs a simulated call for an errand and stores it; `also` runs in the same database
    /// transaction. If an earlier transaction for it is still unmined, it is replaced: same nonce,
    /// so that at most one of them can be mined.
    ///
    /// # Errors
    /// [`ChainError::FeeAboveCap`] and [`ChainError::Held`] say that it has to wait; then nothing is signed, or at least
    /// nothing that is kept.
    pub async fn sign_and_store(
        &self,
        errand: Errand,
        call: &Call,
        gas: u64,
        also: impl AsyncFnOnce(&mut Write) -> Result<(), StoreError>,
    ) -> Result<B256, SubmitError> {
        let plan = self.plan(call, gas);
        let market = self.market().await?;
        let earlier = self
            .store
            .transactions_of(errand)
            .await?
            .into_iter()
            .find(|tx| matches!(tx.state, TxState::Signed | TxState::Broadcast));
        if let Some(tx) = earlier.as_ref().filter(|tx| tx.signer != self.address()) {
            let hash = tx.attempts.last().map(|attempt| attempt.hash).unwrap_or_default();
            return Err(self.held(Held::OtherKey { hash, nonce: tx.nonce, account: tx.signer }));
        }
        let fees = match earlier.as_ref().and_then(|tx| Some((tx, tx.attempts.last()?))) {
            Some((tx, newest)) => fees::bumped(&self.config, fees_of(newest), market.base_fee, market.tip)
                .ok_or_else(|| self.cap_is_full(tx, newest, market.base_fee, 0))?,
            None => fees::first(&self.config, market.base_fee, market.tip)
                .ok_or_else(|| SubmitError::Chain(self.above_cap(market.base_fee)))?,
        };
        self.afford(&plan, fees, earlier.as_ref()).await?;
        let nonce = match &earlier {
            Some(tx) => tx.nonce,
            None => {
                let chain_nonce = self.client.nonce(self.address()).await?;
                self.store.next_nonce(self.client.chain_id(), self.address(), chain_nonce).await?
            }
        };
        let signed = self.signer.sign(&plan, nonce, fees).await.map_err(|e| self.held(e))?;
        let mut write = self.store.write().await?;
        match &earlier {
            Some(tx) => {
                write.add_attempt(tx.id, &signed).await?;
                write.forget_wish(tx.id).await?;
            }
            None => self.take(&mut write, nonce, Some(errand), &signed).await?,
        }
        also(&mut write).await?;
        write.commit().await?;
        metrics::counter!("zugzwang_submit_signed_total", "chain" => self.client.chain_id().to_string()).increment(1);
        tracing::debug!(nonce, hash = %signed.hash, ?errand, max_fee = fees.max_fee, "signed");
        Ok(signed.hash)
    }

    /// Sends the newest version of a stored transaction; whether a node has it now.
    ///
    /// # Errors
    /// If no node takes it. Then it is stored as it was, and sent again later.
    pub async fn broadcast(&self, tx: &Tx) -> Result<bool, SubmitError> {
        let Some(newest) = tx.attempts.last() else {
            return Ok(false);
        };
        self.memory().resent.insert(tx.id, self.now());
        match self.client.send(&newest.raw).await? {
            Sent::Taken => {
                let mut write = self.store.write().await?;
                write.set_broadcast(tx.id, newest.hash).await?;
                write.commit().await?;
                tracing::info!(hash = %newest.hash, nonce = tx.nonce, "transaction sent");
                return Ok(true);
            }
            // An older version is mined or another wallet used the nonce: the next look at the
            // receipts and at the account's nonce tells which.
            Sent::NonceTooLow => {
                tracing::debug!(nonce = tx.nonce, "the node says that the nonce is used")
            }
            Sent::Underpriced => tracing::warn!(
                nonce = tx.nonce,
                "the node keeps an earlier version, or takes nothing at this price; waiting to bump"
            ),
        }
        Ok(false)
    }

    /// Wei that are left of the limits per hour and per day, where there are any; as metrics, too.
    ///
    /// # Errors
    /// If the store can't be read.
    pub async fn left(&self) -> Result<(Option<U256>, Option<U256>), StoreError> {
        if self.limits == SpendLimits::default() {
            return Ok((None, None));
        }
        let now = self.now();
        let spending = self.store.spending(self.client.chain_id(), self.address(), now - limits::DAY).await?;
        let (hour, day) = limits::left(self.limits, &spending, now);
        for (left, window) in [(hour, "hour"), (day, "day")] {
            if let Some(ether) = left.and_then(|wei| held::ether(wei).parse::<f64>().ok()) {
                let labels = [
                    ("chain", self.client.chain_id().to_string()),
                    ("key", self.address().to_string()),
                    ("window", window.to_owned()),
                ];
                metrics::gauge!("zugzwang_submit_spend_left_ether", &labels).set(ether);
            }
        }
        Ok((hour, day))
    }

    /// Makes sure that the key may spend what a transaction may cost, and that the account has it.
    async fn afford(&self, plan: &Plan, fees: Fees, replaces: Option<&Tx>) -> Result<(), SubmitError> {
        let cost = worst(plan.gas_limit, fees.max_fee, plan.value);
        let dearest = replaces.map(|tx| (tx.id, tx.attempts.iter().map(dearest_of).max().unwrap_or_default()));
        if dearest.is_some_and(|(_, dearest)| cost <= dearest) {
            return Ok(());
        }
        let now = self.now();
        let spending =
            self.store.spending(self.client.chain_id(), self.address(), limits::since(self.limits, now)).await?;
        limits::check(self.limits, self.address(), &spending, now, cost, dearest).map_err(|e| self.held(*e))?;
        let others =
            spending.iter().filter(|row| row.spent == Spent::UnderWay && Some(row.tx) != replaces.map(|tx| tx.id));
        let need = others.fold(cost, |sum, row| sum.saturating_add(row.wei));
        let balance = self.client.balance(self.address()).await?;
        if balance < need {
            return Err(self.held(Held::Balance { account: self.address(), balance, need }));
        }
        Ok(())
    }

    /// Takes a nonce for what was signed with it.
    async fn take(
        &self,
        write: &mut Write,
        nonce: u64,
        errand: Option<Errand>,
        signed: &crate::store::Signed,
    ) -> Result<(), SubmitError> {
        let account = self.address();
        match write.take_nonce(self.client.chain_id(), account, nonce, errand, signed).await? {
            Some(_) => Ok(()),
            None => Err(self.held(Held::NonceTaken { nonce, account })),
        }
    }

    fn plan(&self, call: &Call, gas: u64) -> Plan {
        let with_margin = gas.saturating_mul(100 + self.config.gas_margin_percent).div_ceil(100);
        Plan {
            chain_id: self.client.chain_id(),
            to: Some(call.to),
            data: call.data.clone(),
            value: call.value,
            gas_limit: with_margin.min(self.config.max_gas.max(gas)),
        }
    }

    /// A payment of nothing to ourselves, which only uses up a nonce.
    fn nothing(&self) -> Plan {
        Plan {
            chain_id: self.client.chain_id(),
            to: Some(self.address()),
            data: Bytes::new(),
            value: U256::ZERO,
            gas_limit: 21_000,
        }
    }

    async fn market(&self) -> Result<Market, ChainError> {
        Ok(Market { base_fee: self.client.head().await?.base_fee, tip: self.client.suggested_tip().await })
    }

    fn above_cap(&self, base_fee: u128) -> ChainError {
        ChainError::FeeAboveCap { chain_id: self.client.chain_id(), base_fee, cap: self.config.max_fee }
    }

    /// An earlier version is under way, and the cap leaves no room for one that pays more.
    fn cap_is_full(&self, tx: &Tx, newest: &Attempt, base_fee: u128, behind: usize) -> SubmitError {
        let cap = held::gwei(self.config.max_fee);
        let why = format!("submit.max_fee_gwei = {cap} leaves no room to pay more; raise it, or wait for cheaper gas");
        self.held(self.stuck(tx, newest, base_fee, behind, why))
    }

    fn stuck(&self, tx: &Tx, newest: &Attempt, base_fee: u128, behind: usize, why: String) -> Held {
        let since = tx.attempts.iter().map(|attempt| attempt.signed_at).min().unwrap_or(newest.signed_at);
        Held::Stuck {
            hash: newest.hash,
            nonce: tx.nonce,
            account: tx.signer,
            age_s: u64::try_from(self.now().saturating_sub(since) / 1000).unwrap_or(0),
            behind,
            max_fee: newest.max_fee,
            base_fee,
            why,
        }
    }

    fn held(&self, held: Held) -> SubmitError {
        SubmitError::Chain(held.into())
    }

    /// Unix milliseconds.
    fn now(&self) -> i64 {
        self.store.clock().now_ms()
    }

    fn memory(&self) -> MutexGuard<'_, Memory> {
        self.memory.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// What gas costs now.
#[derive(Clone, Copy, Debug)]
struct Market {
    base_fee: u128,
    tip: Option<u128>,
}

/// The most that a transaction may cost, in wei.
fn worst(gas_limit: u64, max_fee: u128, value: U256) -> U256 {
    U256::from(gas_limit).saturating_mul(U256::from(max_fee)).saturating_add(value)
}

fn dearest_of(attempt: &Attempt) -> U256 {
    worst(attempt.gas_limit, attempt.max_fee, attempt.value)
}

/// Whether a version is only there to use up the nonce.
pub fn is_cancellation(tx: &Tx, attempt: &Attempt) -> bool {
    super::key::plan_of(&attempt.raw).is_some_and(|plan| plan.to == Some(tx.signer))
}

/// Stores what became of a transaction.
pub async fn store_change(write: &mut Write, tx: i64, change: &Change) -> Result<(), StoreError> {
    if !matches!(change, Change::Unmined) {
        // It was about a transaction that is in no block.
        write.forget_wish(tx).await?;
    }
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
