//! What a contract has told so far, for views: read once, and then block by block.

use std::sync::Arc;

use tokio::sync::Mutex;

use crate::{
    chain::{
        ChainError, Client,
        types::{Address, B256, Log},
    },
    config::Config,
    store::BlockRef,
};

/// All that a contract has told up to a block, in order. What lies deeper than reorganisations reach is kept; what is newer is read
/// anew for each block.
#[derive(Debug)]
pub struct History<E> {
    contract: Address,
    /// The block from which it is read, and how deep a reorganisation may be.
    reach: (u64, u64),
    known: Mutex<Known<E>>,
}

#[derive(Debug)]
struct Known<E> {
    head: Option<B256>,
    all: Arc<Vec<Arc<Chapter<E>>>>,
    /// How many of them can't be undone any more.
    settled: usize,
    /// The first block that isn't read for good.
    next: u64,
}

/// One event with where it stands.
#[derive(Debug)]
pub struct Chapter<E> {
    /// The block.
    pub block: u64,
    /// Its Unix time, if the node says so with its logs.
    pub time: Option<u64>,
    /// The transaction.
    pub tx: B256,
    /// What happened.
    pub event: E,
}

impl<E> History<E> {
    /// A history that begins at a block. Nothing is read yet.
    pub fn new(contract: Address, first: u64, deepest: u64) -> Self {
        let known = Known { head: None, all: Arc::default(), settled: 0, next: first };
        Self { contract, reach: (first, deepest), known: Mutex::new(known) }
    }

    /// A contract's history from where the configuration begins to read the chain.
    pub fn of(config: &Config, contract: Address) -> Self {
        Self::new(contract, config.chain.start_block, config.chain.max_reorg)
    }

    /// All that was told up to the head. `parse` reads an event of a log; `None` for one that doesn't matter.
    ///
    /// # Errors
    /// The node's, and those of `parse`: what was known stays.
    pub async fn up_to(
        &self,
        client: &Client,
        head: BlockRef,
        parse: impl Fn(&Log) -> Result<Option<E>, ChainError>,
    ) -> Result<Arc<Vec<Arc<Chapter<E>>>>, ChainError> {
        // Whoever comes meanwhile waits for the one reading.
        let mut known = self.known.lock().await;
        if known.head == Some(head.hash) {
            return Ok(known.all.clone());
        }
        let (first, deepest) = self.reach;
        if head.number < known.next.saturating_sub(1) {
            // Deeper than any reorganisation that is served: another chain, so all is read again.
            (known.settled, known.next) = (0, first);
        }
        let mut all: Vec<_> = known.all.iter().take(known.settled).cloned().collect();
        if known.next <= head.number {
            let mut logs = client.logs_between(&[self.contract], known.next, head.number).await?;
            logs.sort_by_key(|log| (log.block_number, log.log_index));
            for log in &logs {
                let Some(event) = parse(log)? else { continue };
                let (block, time) = (log.block_number.unwrap_or_default(), log.block_timestamp);
                let tx = log.transaction_hash.unwrap_or_default();
                all.push(Arc::new(Chapter { block, time, tx, event }));
            }
        }
        let deep = head.number.saturating_sub(deepest);
        known.settled = all.iter().take_while(|chapter| chapter.block <= deep).count();
        known.next = known.next.max(deep + 1);
        known.all = Arc::new(all);
        known.head = Some(head.hash);
        Ok(known.all.clone())
    }
}
