//! Follows the chain by block hash: finds the common ancestor, then reads what came after it.
//!
//! A poll gives one [`Batch`]; the caller stores its undo, its blocks and the consequences of its
//! events in one database transaction, so that a crash repeats the whole batch or none of it.
//! Near the head blocks are read one by one by hash; a long gap is read in ranges.

use super::{
    client::{Client, Header},
    error::ChainError,
    types::{Address, B256, Log},
};
use crate::{
    config::ChainConfig,
    store::{BlockRef, Store, StoreError},
};

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

/// Logs with their places; those of blocks that are gone, or of none, are left out.
pub fn found(logs: Vec<Log>) -> impl Iterator<Item = Found> {
    logs.into_iter().filter(|log| !log.removed).filter_map(|log| {
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

/// Reads what is new since the stored cursor.
pub async fn poll(
    client: &Client,
    config: &ChainConfig,
    contracts: &[Address],
    store: &Store,
) -> Result<Batch, WatchError> {
    let head = client.head().await?;
    let mut batch = Batch { time: head.timestamp, ..Batch::default() };
    let from = match store.cursor(config.chain_id).await? {
        Some(cursor) => {
            let ancestor = common_ancestor(client, config, store, cursor, head.block).await?;
            if ancestor != cursor {
                batch.undo = Some(ancestor);
            }
            ancestor
        }
        None => {
            // The block before the first one counts as followed; of block 0 there is none before.
            let first = client.known_block(config.start_block.saturating_sub(1)).await?.block;
            batch.blocks.push(first);
            if config.start_block == 0 {
                batch.logs.extend(logs_in(client, contracts, first).await?);
            }
            first
        }
    };
    let target = head.block.number.saturating_sub(config.confirmations);
    let gap = target.saturating_sub(from.number);
    if gap > config.max_reorg {
        let last = (target - config.max_reorg).min(from.number.saturating_add(config.batch));
        read_range(client, contracts, from, last, &mut batch).await?;
    } else {
        read_blocks(client, contracts, from, target, &mut batch).await?;
        batch.caught_up = true;
    }
    Ok(batch)
}

/// The newest followed block that is still on the chain.
async fn common_ancestor(
    client: &Client,
    config: &ChainConfig,
    store: &Store,
    cursor: BlockRef,
    head: BlockRef,
) -> Result<BlockRef, WatchError> {
    let below = store.blocks_below(config.chain_id, cursor.number).await?;
    // A node that is behind, or has just been started anew, is no reorganisation: only another hash is evidence of one.
    if head.number < cursor.number && below.contains(&head) {
        return Err(client.behind(head.number, cursor.number).into());
    }
    let on_chain = async |block: BlockRef| -> Result<bool, ChainError> {
        match client.block(block.number).await? {
            Some(header) => Ok(header.block.hash == block.hash),
            None if block.number <= head.number => Err(client.behind(block.number, head.number)),
            None => Ok(false),
        }
    };
    if on_chain(cursor).await? {
        return Ok(cursor);
    }
    let mut oldest = cursor.number;
    for block in below.into_iter().filter(|block| block.number.saturating_add(config.max_reorg) >= cursor.number) {
        oldest = block.number;
        if on_chain(block).await? {
            tracing::warn!(from = cursor.number, to = block.number, "reorganisation: blocks are undone");
            return Ok(block);
        }
    }
    Err(ChainError::TooDeep { chain_id: config.chain_id, oldest, depth: config.max_reorg }.into())
}

/// Reads block after block, each by its hash. A block that doesn't follow its parent ends the
/// batch: the next poll sees the reorganisation.
async fn read_blocks(
    client: &Client,
    contracts: &[Address],
    mut parent: BlockRef,
    target: u64,
    batch: &mut Batch,
) -> Result<(), WatchError> {
    for number in parent.number.saturating_add(1)..=target {
        let Some(header) = client.block(number).await? else {
            return Ok(());
        };
        if !follows(&header, parent) {
            return Ok(());
        }
        batch.logs.extend(logs_in(client, contracts, header.block).await?);
        batch.blocks.push(header.block);
        parent = header.block;
    }
    Ok(())
}

/// The logs of one contract up to the cursor, a batch of blocks at a time: for a contract that is followed from now on.
pub async fn past(
    client: &Client,
    config: &ChainConfig,
    contract: Address,
    cursor: BlockRef,
) -> Result<Vec<Found>, ChainError> {
    let is_there = async || -> Result<bool, ChainError> {
        Ok(client.block(cursor.number).await?.is_some_and(|header| header.block.hash == cursor.hash))
    };
    let mut all = Vec::new();
    let mut first = config.start_block;
    while first <= cursor.number {
        let last = cursor.number.min(first.saturating_add(config.batch - 1));
        all.extend(found(client.logs_between(&[contract], first, last).await?));
        first = last.saturating_add(1);
    }
    if !is_there().await? {
        return Err(client.behind(cursor.number, cursor.number));
    }
    Ok(all)
}

/// Reads a range in one query, and makes sure that it was one chain from end to end.
async fn read_range(
    client: &Client,
    contracts: &[Address],
    from: BlockRef,
    last: u64,
    batch: &mut Batch,
) -> Result<(), WatchError> {
    let first = from.number.saturating_add(1);
    if !follows(&client.known_block(first).await?, from) {
        return Ok(());
    }
    let before = client.known_block(last).await?;
    let logs = client.logs_between(contracts, first, last).await?;
    if client.known_block(last).await? != before {
        return Ok(());
    }
    batch.logs.extend(found(logs));
    batch.blocks.push(before.block);
    tracing::info!(first, last, logs = batch.logs.len(), "catching up");
    Ok(())
}

fn follows(header: &Header, parent: BlockRef) -> bool {
    header.parent == parent.hash && header.block.number == parent.number.saturating_add(1)
}

async fn logs_in(
    client: &Client,
    contracts: &[Address],
    block: BlockRef,
) -> Result<impl Iterator<Item = Found>, ChainError> {
    Ok(found(client.logs_in(contracts, block.hash).await?))
}
