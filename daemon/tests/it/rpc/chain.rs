//! A real chain with a contract that logs, and what follows it.

use std::time::Duration;

use serde_json::{Value, json};
use tempfile::TempDir;
use zugzwang::{
    chain::{
        Client,
        rpc::EndpointUrl,
        types::{Address, B256},
        watcher::{Batch, WatchError, Watcher},
    },
    config::{ChainConfig, EndpointConfig},
    demo::anvil::Anvil,
    store::{BlockRef, Store},
};

/// An account of anvil's that is unlocked.
const SENDER: &str = "0xf39Fd6e51aad88F6F4ce6aB8827279cffFb92266";

/// A chain that mines each transaction at once.
pub(super) struct Chain {
    pub(super) anvil: Anvil,
    /// Straight to the node.
    pub(super) client: Client,
    /// Each call to it makes a log.
    pub(super) contract: Address,
}

impl Chain {
    pub(super) async fn new() -> Self {
        let anvil = Anvil::start(None, &[]).await.expect("anvil");
        let client = Client::connect(&anvil.url, Duration::from_secs(600)).await.expect("client");
        // PUSH0 PUSH0 LOG0 STOP, after the code that returns it.
        let code = "0x6004806009".to_owned() + "5f395ff3" + "5f5fa000";
        let hash = client.raw("eth_sendTransaction", json!([{"from": SENDER, "data": code}])).await.expect("deployed");
        let receipt = mined(&client, hash).await;
        let contract = receipt["contractAddress"].as_str().expect("a contract").parse().expect("address");
        Self { anvil, client, contract }
    }

    /// Empty blocks.
    pub(super) async fn mine(&self, blocks: u64) {
        self.client.raw("anvil_mine", json!([format!("{blocks:#x}")])).await.expect("mined");
    }

    /// Blocks with one log each.
    pub(super) async fn log(&self, blocks: u64) {
        for _ in 0..blocks {
            let call = json!([{"from": SENDER, "to": self.contract}]);
            let hash = self.client.raw("eth_sendTransaction", call).await.expect("logged");
            mined(&self.client, hash).await;
        }
    }

    pub(super) async fn head(&self) -> u64 {
        self.client.head().await.expect("head").block.number
    }

    /// Takes so many of the newest blocks back and makes as many others.
    pub(super) async fn reorganise(&self, depth: u64) {
        self.client.raw("anvil_reorg", json!([depth, []])).await.expect("reorganised");
    }

    /// The logs of the contract, by block, as the node has them.
    pub(super) async fn logs(&self) -> Vec<(u64, B256)> {
        let logs = self.client.logs_between(&[self.contract], 0, self.head().await).await.expect("logs");
        logs.iter().map(|log| (log.block_number.expect("number"), log.block_hash.expect("hash"))).collect()
    }

    pub(super) async fn snapshot(&self) -> Value {
        self.client.raw("evm_snapshot", json!([])).await.expect("snapshot")
    }

    pub(super) async fn revert(&self, snapshot: Value) {
        self.client.raw("evm_revert", json!([snapshot])).await.expect("reverted");
    }
}

/// The receipt of a transaction, once there is one.
async fn mined(client: &Client, hash: Value) -> Value {
    for _ in 0..3000 {
        let receipt = client.raw("eth_getTransactionReceipt", json!([hash])).await.expect("receipt");
        if !receipt.is_null() {
            return receipt;
        }
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    panic!("{hash} was not mined");
}

/// The configuration of one who follows the chain over these endpoints.
pub(super) fn config(urls: &[&str]) -> ChainConfig {
    let endpoint =
        |url: &&str| EndpointConfig { url: EndpointUrl::parse(url, &["http"]).expect("address"), rate: None };
    ChainConfig {
        rpc: urls.iter().map(endpoint).collect(),
        ws: None,
        quorum: 1,
        max_lag: 5,
        probe: Duration::from_secs(15),
        max_answer: 1 << 20,
        chain_id: 31337,
        start_block: 0,
        confirmations: 0,
        finality: 2,
        max_reorg: 16,
        batch: 1000,
        poll: Duration::from_millis(20),
        timeout: Duration::from_secs(120),
    }
}

/// One who follows the chain, and what he has stored.
pub(super) struct Follower {
    config: ChainConfig,
    store: Store,
    watcher: Watcher,
    contract: Address,
    _dir: TempDir,
    /// The logs so far, without those that were undone.
    pub(super) logs: Vec<(u64, B256)>,
}

impl Follower {
    pub(super) async fn new(chain: &Chain, config: ChainConfig) -> Self {
        let dir = tempfile::tempdir().expect("folder");
        let store = Store::open(&dir.path().join("follower.db")).await.expect("store");
        let client = Client::open(&config).await.expect("client");
        store
            .claim_chain(config.chain_id, client.known_block(0).await.expect("genesis").block.hash)
            .await
            .expect("claimed");
        let watcher = Watcher::new(client, config.clone());
        Self { config, store, watcher, contract: chain.contract, _dir: dir, logs: Vec::new() }
    }

    /// Another depth, as after a restart with another configuration.
    pub(super) async fn allow(&mut self, max_reorg: u64) {
        self.config.max_reorg = max_reorg;
        self.watcher = Watcher::new(Client::open(&self.config).await.expect("client"), self.config.clone());
    }

    /// One poll, stored as the service does.
    pub(super) async fn poll(&mut self) -> Result<Batch, WatchError> {
        let batch = self.watcher.poll(&[self.contract], &self.store).await?;
        let mut write = self.store.write().await.expect("write");
        if let Some(ancestor) = batch.undo {
            write.undo_to(self.config.chain_id, ancestor).await.expect("undone");
            self.logs.retain(|(number, _)| *number <= ancestor.number);
        }
        for block in &batch.blocks {
            write.advance(self.config.chain_id, *block, self.watcher.remembered()).await.expect("advanced");
        }
        write.commit().await.expect("committed");
        self.logs.extend(batch.logs.iter().map(|found| (found.block.number, found.block.hash)));
        Ok(batch)
    }

    /// Polls until there is nothing more to read; how many polls that took, with those that failed.
    pub(super) async fn catch_up(&mut self, at_most: usize) -> (usize, usize) {
        let mut failed = 0;
        for polls in 1..=at_most {
            match self.poll().await {
                Ok(batch) if batch.caught_up => return (polls, failed),
                Ok(_) => {}
                Err(WatchError::Chain(error)) if error.is_passing() => failed += 1,
                Err(error) => panic!("{error}"),
            }
        }
        panic!("not caught up after {at_most} polls: {:?}", self.cursor().await);
    }

    pub(super) async fn cursor(&self) -> Option<BlockRef> {
        self.store.cursor(self.config.chain_id).await.expect("cursor")
    }
}
