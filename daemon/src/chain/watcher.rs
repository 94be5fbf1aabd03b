//! Follows the chain by block hash: finds the common ancestor, then reads what came after it.
//!
//! A poll gives one [`Batch`]; the caller stores its undo, its blocks and the consequences of its
//! events in one database transaction, so that a crash repeats the whole batch or none of it.
//! Near the head blocks are read one by one by hash; a long gap is read in ranges, whose size a [`Span`] fits to what the
//! node answers. Each poll that reads anything moves the cursor, so that trouble in the middle of a gap repeats nothing.
//!
//! What is believed: a block's hash, if it follows its parent's; a log, if its block is one that is followed; no logs, if the
//! block's bloom filter has none or a second look finds none. Only another hash is evidence of a reorganisation: a node that
//! is behind, or was started anew, is waited for.

use super::{
    client::{Client, Header},
    error::ChainError,
    span::Span,
    types::{Address, B256, Log},
};
use crate::{
    config::ChainConfig,
    store::{BlockRef, Store, StoreError},
};

/// Followed blocks that are remembered, at least: deeper ones than may be undone, so that a person can allow it.
const REMEMBERED: u64 = 4096;

/// A log with its place on the chain.
#[derive(Clone, Debug)]
pub struct Found {
    /// The block.
    pub block: BlockRef,
    /// The transaction.
    pub tx: B256,
    /// The log.
    pub log: Log,
}

/// Logs with their places, each once, in the chain's order; those of blocks that are gone, or of none, are left out.
pub fn found(mut logs: Vec<Log>) -> impl Iterator<Item = Found> {
    logs.retain(|log| !log.removed);
    logs.sort_by_key(|log| (log.block_number, log.log_index));
    logs.dedup_by_key(|log| (log.block_hash, log.log_index, log.transaction_hash));
    logs.into_iter().filter_map(|log| {
        let block = BlockRef { number: log.block_number?, hash: log.block_hash? };
        Some(Found { block, tx: log.transaction_hash?, log })
    })
}

/// What a poll found.
#[derive(Debug, Default)]
pub struct Batch {
    /// The common ancestor, where followed blocks are gone from the chain.
    pub undo: Option<BlockRef>,
    /// Blocks to remember, ascending; the last one is the new cursor.
    pub blocks: Vec<BlockRef>,
    /// The contracts' logs in them, in order.
    pub logs: Vec<Found>,
    /// Unix time of the chain's newest block.
    pub time: u64,
    /// Its height.
    pub head: u64,
    /// Whether there is nothing more to read for now.
    pub caught_up: bool,
}

impl Batch {
    /// Whether there is anything to store.
    pub fn is_empty(&self) -> bool {
        self.undo.is_none() && self.blocks.is_empty()
    }
}

/// What can go wrong while watching.
#[derive(Debug, thiserror::Error)]
pub enum WatchError {
    /// The node.
    #[error(transparent)]
    Chain(#[from] ChainError),
    /// The store.
    #[error(transparent)]
    Store(#[from] StoreError),
}

crate::code::codes!(WatchError { ; Chain, Store });

/// Follows one chain.
#[derive(Clone, Debug)]
pub struct Watcher {
    client: Client,
    config: ChainConfig,
    span: Span,
}

impl Watcher {
    /// A watcher that reads as the configuration says. What it has read is in the store, not here.
    pub fn new(client: Client, config: ChainConfig) -> Self {
        let span = Span::new(config.batch);
        Self { client, config, span }
    }

    /// How many followed blocks are to be remembered below the cursor.
    pub fn remembered(&self) -> u64 {
        self.config.max_reorg.max(REMEMBERED)
    }

    /// Reads what is new since the stored cursor.
    ///
    /// # Errors
    /// Nothing could be read; or the chain has changed deeper than may be undone, which doesn't pass.
    pub async fn poll(&mut self, contracts: &[Address], store: &Store) -> Result<Batch, WatchError> {
        let head = self.client.head().await?;
        let mut batch = Batch { time: head.timestamp, head: head.block.number, ..Batch::default() };
        let from = match store.cursor(self.config.chain_id).await? {
            Some(cursor) => {
                let ancestor = self.common_ancestor(store, cursor, head.block).await?;
                if ancestor != cursor {
                    batch.undo = Some(ancestor);
                }
                ancestor
            }
            None => {
                // The block before the first one counts as followed; of block 0 there is none before.
                let first = self.client.known_block(self.config.start_block.saturating_sub(1)).await?;
                if self.config.start_block == 0 {
                    batch.logs.extend(self.logs_in(contracts, &first).await?);
                }
                batch.blocks.push(first.block);
                first.block
            }
        };
        let target = head.block.number.saturating_sub(self.config.confirmations);
        match self.read_to(contracts, from, target, &mut batch).await {
            Ok(caught_up) => batch.caught_up = caught_up,
            // What was read before it counts: else a node that fails now and then would never let a long batch through.
            Err(error) if error.is_passing() && !batch.is_empty() => tracing::debug!("read on later: {error}"),
            Err(error) => return Err(error.into()),
        }
        self.measure(head.block.number, from.number, &batch);
        Ok(batch)
    }

    fn measure(&self, head: u64, from: u64, batch: &Batch) {
        let labels = [("chain", self.config.chain_id.to_string())];
        let cursor = batch.blocks.last().map_or(from, |block| block.number);
        metrics::gauge!("zugzwang_watcher_head_blocks", &labels).set(head as f64);
        metrics::gauge!("zugzwang_watcher_cursor_blocks", &labels).set(cursor as f64);
        metrics::gauge!("zugzwang_watcher_range_blocks", &labels).set(self.span.blocks() as f64);
        metrics::counter!("zugzwang_watcher_logs_total", &labels).increment(batch.logs.len() as u64);
    }

    /// The newest followed block that is still on the chain.
    async fn common_ancestor(&self, store: &Store, cursor: BlockRef, head: BlockRef) -> Result<BlockRef, WatchError> {
        if head.number >= cursor.number && self.is_on_chain(cursor, head).await? {
            return Ok(cursor);
        }
        let below = store.blocks_below(self.config.chain_id, cursor.number).await?;
        if head.number < cursor.number {
            // A node that is behind knows the followed blocks up to where it is.
            let differs = match below.iter().find(|block| block.number <= head.number) {
                Some(block) if block.number == head.number => block.hash != head.hash,
                Some(block) => !self.is_on_chain(*block, head).await?,
                None => false,
            };
            if !differs {
                return Err(self.client.behind(head.number, cursor.number).into());
            }
        }
        let near = |block: &&BlockRef| block.number.saturating_add(self.config.max_reorg) >= cursor.number;
        for block in below.iter().filter(near) {
            if self.is_on_chain(*block, head).await? {
                let undone = cursor.number - block.number;
                tracing::warn!(from = cursor.number, to = block.number, "reorganisation: blocks are undone");
                let labels = [("chain", self.config.chain_id.to_string())];
                metrics::counter!("zugzwang_watcher_undone_blocks_total", &labels).increment(undone);
                return Ok(*block);
            }
        }
        Err(self.too_deep(cursor, &below, head).await?.into())
    }

    /// Why nothing is undone: the endpoints don't agree, or the reorganisation is too deep, which stops the daemon.
    async fn too_deep(&self, cursor: BlockRef, below: &[BlockRef], head: BlockRef) -> Result<ChainError, ChainError> {
        // Not on the word of one endpoint.
        if self.client.hashes_at(cursor.number).await?.contains(&cursor.hash) {
            let why =
                format!("they don't agree about block {}, which is followed with hash {}", cursor.number, cursor.hash);
            return Ok(ChainError::Disagree { method: "eth_getBlockByNumber", why });
        }
        // Newest first: those that are gone, then those that are still there.
        let (mut gone, mut there) = (0, below.len());
        while gone < there {
            let middle = gone + (there - gone) / 2;
            if self.is_on_chain(below[middle], head).await? {
                there = middle;
            } else {
                gone = middle + 1;
            }
        }
        let left = match below.get(gone) {
            Some(block) => {
                format!("block {} is the newest one left, {} below", block.number, cursor.number - block.number)
            }
            None => {
                let oldest = below.last().map_or(cursor.number, |block| block.number);
                format!("none that is remembered is left, down to block {oldest}")
            }
        };
        Ok(ChainError::TooDeep {
            chain_id: self.config.chain_id,
            cursor: cursor.number,
            depth: self.config.max_reorg,
            left,
        })
    }

    async fn is_on_chain(&self, block: BlockRef, head: BlockRef) -> Result<bool, ChainError> {
        match self.client.block(block.number).await? {
            Some(header) => Ok(header.block.hash == block.hash),
            None if block.number <= head.number => Err(self.client.behind(block.number, head.number)),
            None => Ok(false),
        }
    }

    /// Reads what is after `from`; whether that was all up to `target`.
    async fn read_to(
        &mut self,
        contracts: &[Address],
        mut from: BlockRef,
        target: u64,
        batch: &mut Batch,
    ) -> Result<bool, ChainError> {
        // Blocks that may still be undone aren't read in ranges.
        let far = target.saturating_sub(self.config.max_reorg);
        if from.number < far {
            match self.read_range(contracts, from, far, batch).await? {
                // On to the head in the same poll: blocks that come meanwhile would make a new gap, again and again.
                Some(end) if end.number == far => from = end,
                _ => return Ok(false),
            }
        }
        self.read_blocks(contracts, from, target, batch).await
    }

    /// Reads block after block, each by its hash; whether that was all. A block that doesn't follow its parent ends the
    /// batch: the next poll sees the reorganisation.
    async fn read_blocks(
        &self,
        contracts: &[Address],
        mut parent: BlockRef,
        target: u64,
        batch: &mut Batch,
    ) -> Result<bool, ChainError> {
        for number in parent.number.saturating_add(1)..=target {
            let Some(header) = self.client.block(number).await? else {
                break;
            };
            if !follows(&header, parent) {
                break;
            }
            let logs = self.logs_in(contracts, &header).await?;
            batch.logs.extend(logs);
            batch.blocks.push(header.block);
            parent = header.block;
        }
        Ok(true)
    }

    /// The logs in one block, checked against its header.
    async fn logs_in(&self, contracts: &[Address], header: &Header) -> Result<Vec<Found>, ChainError> {
        let mut logs = self.client.logs_in(contracts, header.block.hash).await?;
        if logs.is_empty() && header.may_hold_logs_of(contracts) {
            // Nodes index logs a moment after the block. Mostly the filter is wrong, and there are none.
            logs = self.client.logs_in_by_all(contracts, header.block.hash).await?;
        }
        match logs.iter().find(|log| !header.can_hold(log)) {
            Some(log) => Err(self.client.false_log(log.address(), header.block)),
            None => Ok(found(logs).collect()),
        }
    }

    /// Reads the next range up to `last`, and makes sure that it was one chain from end to end; gives its end, or nothing if
    /// the chain has changed meanwhile.
    async fn read_range(
        &mut self,
        contracts: &[Address],
        from: BlockRef,
        last: u64,
        batch: &mut Batch,
    ) -> Result<Option<BlockRef>, ChainError> {
        let first = from.number.saturating_add(1);
        if !follows(&self.client.known_block(first).await?, from) {
            return Ok(None);
        }
        loop {
            let last = last.min(first.saturating_add(self.span.blocks() - 1));
            let end = self.client.known_block(last).await?;
            let blocks = last - first + 1;
            let logs = match self.client.logs_in_range(contracts, first, last).await {
                Ok(logs) => logs,
                Err(error) if error.asks_for_less() => {
                    let less = self.span.refuse(blocks);
                    tracing::debug!(first, last, "a smaller range is tried: {error}");
                    if less {
                        continue;
                    }
                    // By its hash it isn't a range, which some limit more.
                    self.client.logs_in(contracts, end.block.hash).await?
                }
                Err(error) => {
                    // A node that breaks over a large range may not over a smaller one, at the next poll.
                    if matches!(error, ChainError::Unreachable { .. }) {
                        self.span.doubt(blocks);
                    }
                    return Err(error);
                }
            };
            let logs: Vec<Found> = found(logs).collect();
            if !self.is_one_chain(&logs, end.block).await? {
                return Ok(None);
            }
            self.span.accept(blocks);
            tracing::info!(first, last, logs = logs.len(), "catching up");
            batch.logs.extend(logs);
            batch.blocks.push(end.block);
            return Ok(Some(end.block));
        }
    }

    /// Whether the blocks of some logs and the last block of their range are on the chain, all of them, now.
    async fn is_one_chain(&self, logs: &[Found], end: BlockRef) -> Result<bool, ChainError> {
        let mut blocks: Vec<BlockRef> = logs.iter().map(|found| found.block).filter(|block| *block != end).collect();
        blocks.dedup();
        for block in blocks {
            let header = self.client.known_block(block.number).await?;
            if header.block.hash != block.hash {
                return Err(self.client.stale_log(block, header.block.hash));
            }
        }
        // Last, so that nothing has changed in between.
        Ok(self.client.known_block(end.number).await?.block == end)
    }
}

/// The logs of one contract up to the cursor, a batch of blocks at a time: for a contract that is followed from now on.
pub async fn past(
    client: &Client,
    config: &ChainConfig,
    contract: Address,
    cursor: BlockRef,
) -> Result<Vec<Found>, ChainError> {
    let watcher = Watcher::new(client.clone(), config.clone());
    let (mut all, mut span) = (Vec::new(), watcher.span.clone());
    let mut first = config.start_block;
    while first <= cursor.number {
        let last = cursor.number.min(first.saturating_add(span.blocks() - 1));
        let blocks = last - first + 1;
        match client.logs_in_range(&[contract], first, last).await {
            Ok(logs) => {
                span.accept(blocks);
                all.extend(found(logs));
                first = last.saturating_add(1);
            }
            Err(error) if error.asks_for_less() && span.refuse(blocks) => {}
            Err(error) => return Err(error),
        }
    }
    if !watcher.is_one_chain(&all, cursor).await? {
        return Err(client.behind(cursor.number, cursor.number));
    }
    Ok(all)
}

fn follows(header: &Header, parent: BlockRef) -> bool {
    header.parent == parent.hash && header.block.number == parent.number.saturating_add(1)
}
