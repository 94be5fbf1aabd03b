//! Calls to the chain's endpoints, with typed answers and errors that name the endpoint.

use std::{fmt, sync::Arc, time::Duration};

use alloy::{
    consensus::Transaction,
    eips::{BlockId, BlockNumberOrTag},
    network::TransactionBuilder,
    primitives::{Bloom, BloomInput},
    providers::{Provider, RootProvider},
    rpc::{
        client::RpcClient,
        types::{Block, Filter, Log, TransactionRequest},
    },
};
use serde::de::DeserializeOwned;
use serde_json::Value;

use super::{
    error::ChainError,
    rpc::{EndpointUrl, Endpoints, Health, Http, Policy, Wire},
    types::{Address, B256, Bytes, U256},
};
use crate::{
    clock::Clock,
    config::{ChainConfig, EndpointConfig},
    store::{BlockRef, Mined},
};

/// Most bytes of an answer where no configuration says so.
const MAX_ANSWER: usize = 32 << 20;

/// A block's header, as far as it matters here.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Header {
    /// Number and hash.
    pub block: BlockRef,
    /// Hash of the block below.
    pub parent: B256,
    /// Base fee per gas in wei, 0 before EIP-1559.
    pub base_fee: u128,
    /// Unix time.
    pub timestamp: u64,
    /// Which contracts may have logs in it; empty where the chain doesn't say.
    bloom: Bloom,
}

impl Header {
    /// Whether logs of one of these contracts may be in it. Often it may, and there are none.
    pub(super) fn may_hold_logs_of(&self, contracts: &[Address]) -> bool {
        !self.bloom.is_zero() && contracts.iter().any(|contract| self.may_hold(*contract))
    }

    /// Whether a log can be in it at all. Some chains leave the filter empty.
    pub(super) fn can_hold(&self, log: &Log) -> bool {
        self.bloom.is_zero() || self.may_hold(log.address())
    }

    fn may_hold(&self, contract: Address) -> bool {
        self.bloom.contains_input(BloomInput::Raw(contract.as_slice()))
    }
}

/// A transaction in a block: who sent what to whom.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Sender {
    /// Whose.
    pub from: Address,
    /// The contract that was called; `None` for a deployment.
    pub to: Option<Address>,
    /// Its call data.
    pub input: Bytes,
    /// The block that it is in.
    pub block: u64,
}

/// What a node said of a transaction that was sent.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Sent {
    /// It has it, now or already before.
    Taken,
    /// The nonce is used: look for our own hashes first.
    NonceTooLow,
    /// Another version with this nonce pays nearly as much or more.
    Underpriced,
}

/// A chain, by its endpoints. Cheap to clone.
#[derive(Clone)]
pub struct Client {
    provider: RootProvider,
    endpoints: Endpoints,
    chain_id: u64,
}

impl fmt::Debug for Client {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Client").field("url", &self.url()).field("chain_id", &self.chain_id).finish()
    }
}

impl Client {
    /// Connects to the configured endpoints.
    ///
    /// # Errors
    /// None answers, or none of those that do is on the configured chain.
    pub async fn open(config: &ChainConfig) -> Result<Self, ChainError> {
        let policy = Policy {
            chain_id: Some(config.chain_id),
            quorum: config.quorum,
            max_lag: config.max_lag,
            probe: config.probe,
            patience: config.timeout,
        };
        let wire = |endpoint: &EndpointConfig| -> Result<(Arc<dyn Wire>, _), ChainError> {
            Ok((Arc::new(Http::new(endpoint.url.clone(), config.timeout, config.max_answer)?), endpoint.rate))
        };
        let wires = config.rpc.iter().map(wire).collect::<Result<Vec<_>, _>>()?;
        Self::over(Endpoints::limited(wires, policy, Clock::system())).await
    }

    /// A client over endpoints of any kind.
    ///
    /// # Errors
    /// None answers, or none of those that do is on the right chain.
    pub async fn over(endpoints: Endpoints) -> Result<Self, ChainError> {
        let chain_id =
            endpoints.verify().await.map_err(|e| ChainError::from_rpc(&endpoints.label(), "eth_chainId", e))?;
        let provider = RootProvider::new(RpcClient::new(endpoints.clone(), true));
        Ok(Self { provider, endpoints, chain_id })
    }

    /// Connects to one endpoint on whatever chain.
    pub async fn connect(url: &str, timeout: Duration) -> Result<Self, ChainError> {
        Self::over(one(url, None, timeout)?).await
    }

    /// Connects to one endpoint and insists on a chain id.
    pub async fn connect_to(url: &str, chain_id: u64, timeout: Duration) -> Result<Self, ChainError> {
        Self::over(one(url, Some(chain_id), timeout)?).await
    }

    /// Chain id of the endpoints.
    pub fn chain_id(&self) -> u64 {
        self.chain_id
    }

    /// The endpoints, for people: scheme and host.
    pub fn url(&self) -> String {
        self.endpoints.label()
    }

    /// How each endpoint is doing.
    pub fn health(&self) -> Vec<Health> {
        self.endpoints.health()
    }

    fn error(&self, method: &'static str, error: alloy::transports::TransportError) -> ChainError {
        ChainError::from_rpc(&self.url(), method, error)
    }

    /// The newest block.
    pub async fn head(&self) -> Result<Header, ChainError> {
        self.header(BlockId::Number(BlockNumberOrTag::Latest)).await?.ok_or_else(|| self.missing("newest block"))
    }

    /// A block by number, if there is one.
    pub async fn block(&self, number: u64) -> Result<Option<Header>, ChainError> {
        self.header(BlockId::number(number)).await
    }

    /// A block by number that must exist.
    pub async fn known_block(&self, number: u64) -> Result<Header, ChainError> {
        self.block(number).await?.ok_or_else(|| self.missing(&format!("block {number}")))
    }

    /// The node doesn't have a block that it should have, or that it had.
    pub(super) fn behind(&self, has: u64, had: u64) -> ChainError {
        self.missing(&format!("block up to {had} that it had before (it is at {has}); it is behind"))
    }

    /// A log that can't be in its block.
    pub(super) fn false_log(&self, contract: Address, block: BlockRef) -> ChainError {
        let why = format!("a log of {contract} in block {}, whose bloom filter has none of it", block.number);
        ChainError::FalseLog { url: self.url(), why }
    }

    /// A log of a block that isn't on the chain.
    pub(super) fn stale_log(&self, block: BlockRef, hash: B256) -> ChainError {
        let why =
            format!("a log of block {} with hash {}, which on the chain has hash {hash}", block.number, block.hash);
        ChainError::FalseLog { url: self.url(), why }
    }

    fn missing(&self, what: &str) -> ChainError {
        ChainError::Missing { url: self.url(), what: what.to_owned() }
    }

    async fn header(&self, id: BlockId) -> Result<Option<Header>, ChainError> {
        let block = self.provider.get_block(id).await.map_err(|e| self.error("eth_getBlockByNumber", e))?;
        Ok(block.map(|block| Header {
            block: BlockRef { number: block.header.number, hash: block.header.hash },
            parent: block.header.parent_hash,
            base_fee: block.header.base_fee_per_gas.unwrap_or(0).into(),
            timestamp: block.header.timestamp,
            bloom: block.header.logs_bloom,
        }))
    }

    /// Logs of some contracts in exactly this block.
    pub async fn logs_in(&self, contracts: &[Address], block: B256) -> Result<Vec<Log>, ChainError> {
        let filter = Filter::new().address(contracts.to_vec()).at_block_hash(block);
        self.provider.get_logs(&filter).await.map_err(|e| self.error("eth_getLogs", e))
    }

    /// Logs of some contracts in exactly this block, by everybody who can be asked: the answer that has the most.
    pub(super) async fn logs_in_by_all(&self, contracts: &[Address], block: B256) -> Result<Vec<Log>, ChainError> {
        let params = serde_json::json!([{"address": contracts, "blockHash": block}]);
        let answers = self.each::<Vec<Log>>("eth_getLogs", params).await?;
        Ok(answers.into_iter().max_by_key(Vec::len).unwrap_or_default())
    }

    /// The hashes that the endpoints give for a height.
    pub(super) async fn hashes_at(&self, number: u64) -> Result<Vec<B256>, ChainError> {
        let params = serde_json::json!([format!("{number:#x}"), false]);
        let answers = self.each::<Option<Block>>("eth_getBlockByNumber", params).await?;
        Ok(answers.into_iter().flatten().map(|block| block.header.hash).collect())
    }

    /// What each endpoint that can be asked says; at least one must.
    async fn each<T: DeserializeOwned>(&self, method: &'static str, params: Value) -> Result<Vec<T>, ChainError> {
        let answers = self.endpoints.each(method, &params).await.map_err(|e| self.error(method, e))?;
        let read = answers.iter().filter_map(|answer| serde_json::from_str(answer).ok());
        let read: Vec<T> = read.collect();
        if read.is_empty() {
            return Err(self.missing(&format!("answer to {method}")));
        }
        Ok(read)
    }

    /// Logs of some contracts in a range of blocks, both ends included, in one query.
    pub(super) async fn logs_in_range(
        &self,
        contracts: &[Address],
        first: u64,
        last: u64,
    ) -> Result<Vec<Log>, ChainError> {
        let filter = Filter::new().address(contracts.to_vec()).from_block(first).to_block(last);
        self.provider.get_logs(&filter).await.map_err(|e| self.error("eth_getLogs", e))
    }

    /// Logs of some contracts in a range of blocks, both ends included. A range that the node finds too large is read in
    /// halves.
    pub async fn logs_between(&self, contracts: &[Address], first: u64, last: u64) -> Result<Vec<Log>, ChainError> {
        let (mut all, mut ranges) = (Vec::new(), vec![(first, last)]);
        while let Some((first, last)) = ranges.pop() {
            match self.logs_in_range(contracts, first, last).await {
                Ok(logs) => all.extend(logs),
                Err(error) if error.asks_for_less() && first < last => {
                    let middle = first + (last - first) / 2;
                    ranges.extend([(middle + 1, last), (first, middle)]);
                }
                Err(error) => return Err(error),
            }
        }
        Ok(all)
    }

    /// Logs of one contract whose second topic, the first indexed argument of its events, is this word, in a range of blocks,
    /// both ends included, oldest first. A range that the node finds too large is read in halves.
    pub async fn logs_about(
        &self,
        contract: Address,
        subject: B256,
        first: u64,
        last: u64,
    ) -> Result<Vec<Log>, ChainError> {
        let (mut all, mut ranges) = (Vec::new(), vec![(first, last)]);
        while let Some((first, last)) = ranges.pop() {
            let filter = Filter::new().address(contract).topic1(subject).from_block(first).to_block(last);
            match self.provider.get_logs(&filter).await.map_err(|e| self.error("eth_getLogs", e)) {
                Ok(logs) => all.extend(logs),
                Err(error) if error.asks_for_less() && first < last => {
                    let middle = first + (last - first) / 2;
                    ranges.extend([(middle + 1, last), (first, middle)]);
                }
                Err(error) => return Err(error),
            }
        }
        Ok(all)
    }

    /// A transaction that is in a block, as it was sent.
    pub async fn sent(&self, hash: B256) -> Result<Option<Sender>, ChainError> {
        let found =
            self.provider.get_transaction_by_hash(hash).await.map_err(|e| self.error("eth_getTransactionByHash", e))?;
        Ok(found.and_then(|found| {
            let (from, block) = (found.inner.signer(), found.block_number?);
            Some(Sender { from, to: found.to(), input: found.input().clone(), block })
        }))
    }

    /// Calls a contract at a block, or at the head.
    pub async fn call(
        &self,
        from: Option<Address>,
        to: Address,
        data: Bytes,
        at: Option<B256>,
    ) -> Result<Bytes, ChainError> {
        let mut request = TransactionRequest::default().with_to(to).with_input(data);
        if let Some(from) = from {
            request = request.with_from(from);
        }
        let at = at.map_or(BlockId::latest(), BlockId::from);
        self.provider.call(request).block(at).await.map_err(|e| self.error("eth_call", e))
    }

    /// Gas that a call would use; `to` is `None` for a deployment.
    pub async fn estimate(
        &self,
        from: Address,
        to: Option<Address>,
        data: Bytes,
        value: U256,
    ) -> Result<u64, ChainError> {
        let mut request = TransactionRequest::default().with_from(from).with_input(data).with_value(value);
        request = match to {
            Some(to) => request.with_to(to),
            None => request.into_create(),
        };
        self.provider.estimate_gas(request).await.map_err(|e| self.error("eth_estimateGas", e))
    }

    /// Sends signed bytes. "Already known" is success.
    pub async fn send(&self, raw: &[u8]) -> Result<Sent, ChainError> {
        let error = match self.provider.send_raw_transaction(raw).await {
            Ok(_) => return Ok(Sent::Taken),
            Err(error) => self.error("eth_sendRawTransaction", error),
        };
        match &error {
            ChainError::Refused { message, .. } => match classify(message) {
                Some(sent) => Ok(sent),
                None => Err(error),
            },
            _ => Err(error),
        }
    }

    /// Where a transaction was mined, if it was.
    pub async fn mined(&self, hash: B256) -> Result<Option<Mined>, ChainError> {
        let receipt = self
            .provider
            .get_transaction_receipt(hash)
            .await
            .map_err(|e| self.error("eth_getTransactionReceipt", e))?;
        Ok(receipt.and_then(|receipt| {
            let block = BlockRef { number: receipt.block_number?, hash: receipt.block_hash? };
            let gas_price = receipt.effective_gas_price;
            Some(Mined { block, ok: receipt.status(), gas_used: receipt.gas_used, gas_price })
        }))
    }

    /// Whether the node knows a transaction, in a block or waiting for one.
    pub async fn knows(&self, hash: B256) -> Result<bool, ChainError> {
        Ok(!self.raw("eth_getTransactionByHash", serde_json::json!([hash])).await?.is_null())
    }

    /// Logs of a mined transaction.
    pub async fn logs_of(&self, hash: B256) -> Result<Vec<Log>, ChainError> {
        let receipt = self
            .provider
            .get_transaction_receipt(hash)
            .await
            .map_err(|e| self.error("eth_getTransactionReceipt", e))?;
        Ok(receipt.map(|receipt| receipt.logs().to_vec()).unwrap_or_default())
    }

    /// Transactions of an account in blocks.
    pub async fn nonce(&self, account: Address) -> Result<u64, ChainError> {
        self.provider.get_transaction_count(account).await.map_err(|e| self.error("eth_getTransactionCount", e))
    }

    /// Transactions of an account in blocks up to a height.
    pub async fn nonce_at(&self, account: Address, number: u64) -> Result<u64, ChainError> {
        self.provider
            .get_transaction_count(account)
            .block_id(BlockId::number(number))
            .await
            .map_err(|e| self.error("eth_getTransactionCount", e))
    }

    /// Wei of an account.
    pub async fn balance(&self, account: Address) -> Result<U256, ChainError> {
        self.provider.get_balance(account).await.map_err(|e| self.error("eth_getBalance", e))
    }

    /// Code at an address.
    pub async fn code(&self, account: Address) -> Result<Bytes, ChainError> {
        self.provider.get_code_at(account).await.map_err(|e| self.error("eth_getCode", e))
    }

    /// The tip that the node suggests; `None` where it doesn't say.
    pub async fn suggested_tip(&self) -> Option<u128> {
        self.provider.get_max_priority_fee_per_gas().await.ok()
    }

    /// Any other method, for a local chain's own ones.
    pub async fn raw(&self, method: &'static str, params: serde_json::Value) -> Result<serde_json::Value, ChainError> {
        self.provider.raw_request(method.into(), params).await.map_err(|e| self.error(method, e))
    }
}

fn one(url: &str, chain_id: Option<u64>, timeout: Duration) -> Result<Endpoints, ChainError> {
    let url = EndpointUrl::parse(url, &["http", "https"])
        .map_err(|why| ChainError::BadUrl { url: "as given".into(), why })?;
    let wire: Arc<dyn Wire> = Arc::new(Http::new(url, timeout, MAX_ANSWER)?);
    let policy = Policy { chain_id, patience: timeout, ..Policy::default() };
    Ok(Endpoints::new(vec![wire], policy, Clock::system()))
}

/// Reads a node's refusal. The wordings are those of geth, reth, Nethermind, Besu, Erigon and anvil.
fn classify(message: &str) -> Option<Sent> {
    let message = message.to_lowercase();
    let says = |words: &[&str]| words.iter().any(|w| message.contains(w));
    if says(&[
        "already known",
        "already imported",
        "known transaction",
        "alreadyknown",
        "already exists",
        "already in mempool",
    ]) {
        Some(Sent::Taken)
    } else if says(&["nonce too low", "nonce_too_low", "oldnonce", "invalid nonce; got", "nonce is too low"]) {
        Some(Sent::NonceTooLow)
    } else if says(&["underpriced", "fee too low to replace", "replacement fee too low", "less than block base fee"]) {
        Some(Sent::Underpriced)
    } else {
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn refusals_are_read() {
        let cases = [
            ("already known", Some(Sent::Taken)),
            ("transaction already imported", Some(Sent::Taken)),
            ("AlreadyKnown", Some(Sent::Taken)),
            ("nonce too low: next nonce 5, tx nonce 3", Some(Sent::NonceTooLow)),
            ("OldNonce, Current nonce: 4, nonce of rejected tx: 3", Some(Sent::NonceTooLow)),
            ("replacement transaction underpriced", Some(Sent::Underpriced)),
            ("max fee per gas less than block base fee", Some(Sent::Underpriced)),
            ("insufficient funds for gas * price + value", None),
        ];
        for (message, expected) in cases {
            assert_eq!(classify(message), expected, "{message}");
        }
    }
}
