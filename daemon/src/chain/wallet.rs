//! Sends a transaction and waits for it: for deployments and for the demo's human, where a person
//! looks on. The daemon's own answers go through [`super::submit`], which stores them first.

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use super::{
    Client,
    contract::{self, Words},
    error::ChainError,
    fees,
    held::Held,
    key::Plan,
    signer::{self, Signer, Unsigned},
    types::{Address, B256, Bytes, Log, U256},
};
use crate::{config::SubmitConfig, store::Mined};

/// How long a transaction is waited for.
const PATIENCE: Duration = Duration::from_secs(120);

/// A key on a chain.
#[derive(Clone, Debug)]
pub struct Wallet {
    /// The node.
    pub client: Client,
    key: Arc<dyn Signer>,
    prices: SubmitConfig,
    words: Words,
}

/// A transaction that was mined and succeeded.
#[derive(Clone, Debug)]
pub struct Receipt {
    /// Its hash.
    pub hash: B256,
    /// Where.
    pub mined: Mined,
    /// The address of the contract that it made, if it made one.
    pub contract: Address,
    /// Its logs.
    pub logs: Vec<Log>,
}

impl Wallet {
    /// A wallet that pays at most what the configuration allows.
    pub fn new(client: Client, key: impl Into<Arc<dyn Signer>>, prices: SubmitConfig) -> Self {
        Self { client, key: key.into(), prices, words: |_| None }
    }

    /// The same wallet, which puts a contract's refusals in these words.
    pub fn speaking(self, words: Words) -> Self {
        Self { words, ..self }
    }

    /// The address.
    pub fn address(&self) -> Address {
        self.key.address()
    }

    /// Deploys a contract.
    pub async fn deploy(&self, what: &str, init_code: Bytes) -> Result<Receipt, ChainError> {
        self.send(what, None, init_code, U256::ZERO).await
    }

    /// Calls a contract.
    pub async fn call(&self, what: &str, to: Address, data: Bytes, value: U256) -> Result<Receipt, ChainError> {
        self.send(what, Some(to), data, value).await
    }

    async fn send(&self, what: &str, to: Option<Address>, data: Bytes, value: U256) -> Result<Receipt, ChainError> {
        let reverts = |error: ChainError| match contract::refusal(&error, self.words) {
            Some(why) => ChainError::Reverts { what: what.to_owned(), why },
            None => error,
        };
        let gas = self.client.estimate(self.address(), to, data.clone(), value).await.map_err(reverts)?;
        self.send_with(what, to, data, value, gas.saturating_mul(100 + self.prices.gas_margin_percent).div_ceil(100))
            .await
    }

    /// Calls a contract with a gas limit of the caller's: for contracts that answer otherwise, but
    /// don't revert, when gas runs short, so that an estimate would be too low.
    pub async fn call_with_gas(&self, what: &str, to: Address, data: Bytes, gas: u64) -> Result<Receipt, ChainError> {
        self.send_with(what, Some(to), data, U256::ZERO, gas).await
    }

    async fn send_with(
        &self,
        what: &str,
        to: Option<Address>,
        data: Bytes,
        value: U256,
        gas_limit: u64,
    ) -> Result<Receipt, ChainError> {
        let head = self.client.head().await?;
        let fees = fees::first(&self.prices, head.base_fee, self.client.suggested_tip().await).ok_or(
            ChainError::FeeAboveCap {
                chain_id: self.client.chain_id(),
                base_fee: head.base_fee,
                cap: self.prices.max_fee,
            },
        )?;
        let nonce = self.client.nonce(self.address()).await?;
        let plan = Plan { chain_id: self.client.chain_id(), to, data, value, gas_limit };
        let unsigned = Unsigned::new(&plan, nonce, fees);
        let failed = |source| Held::Signer { account: self.address(), source };
        let signature = self.key.sign(&unsigned).await.map_err(failed)?;
        let signed = signer::seal(unsigned, signature, self.address()).map_err(failed)?;
        self.client.send(&signed.raw).await?;
        let started = Instant::now();
        let mut pause = Duration::from_millis(20);
        while started.elapsed() < PATIENCE {
            if let Some(mined) = self.client.mined(signed.hash).await? {
                if !mined.ok {
                    return Err(ChainError::Reverts {
                        what: what.to_owned(),
                        why: format!("it was mined in block {} but reverted", mined.block.number),
                    });
                }
                let logs = self.client.logs_of(signed.hash).await?;
                return Ok(Receipt { hash: signed.hash, mined, contract: self.address().create(nonce), logs });
            }
            tokio::time::sleep(pause).await;
            pause = (pause * 2).min(Duration::from_secs(2));
        }
        Err(ChainError::NotMined { hash: signed.hash.to_string(), seconds: PATIENCE.as_secs() })
    }
}
