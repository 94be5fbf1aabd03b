//! Blocks, forks and the pool of transactions that wait. Signed transactions are decoded from their bytes, and their senders
//! recovered; users' deeds need no key.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

use alloy::{
    consensus::{Transaction, TxEnvelope},
    eips::eip2718::Decodable2718,
};
use zugzwang::chain::types::{Address, B256, Bytes, keccak256};

use super::{
    desk::{CHAIN, DESK, Deed, Desk, Event, Frame, Refusal},
    dice::Dice,
};

/// Gas of a plain payment, and of a call of the desk.
const PAYMENT: u64 = 21_000;
const CALL: u64 = 90_000;

/// A signed transaction.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Signed {
    pub(super) hash: B256,
    pub(super) from: Address,
    pub(super) nonce: u64,
    pub(super) to: Option<Address>,
    pub(super) data: Bytes,
    pub(super) gas_limit: u64,
    pub(super) max_fee: u128,
    pub(super) tip: u128,
}

impl Signed {
    /// Decodes what a node is sent.
    pub(super) fn decode(raw: &[u8]) -> Result<Self, String> {
        let envelope = TxEnvelope::decode_2718_exact(raw).map_err(|e| format!("rlp: {e}"))?;
        if envelope.chain_id() != Some(CHAIN) {
            return Err("invalid chain id for signer".into());
        }
        let signed = envelope.signature_hash();
        let from = envelope.signature().recover_address_from_prehash(&signed);
        let from = from.map_err(|e| format!("invalid sender: {e}"))?;
        Ok(Self {
            hash: *envelope.tx_hash(),
            from,
            nonce: envelope.nonce(),
            to: envelope.to(),
            data: envelope.input().clone(),
            gas_limit: envelope.gas_limit(),
            max_fee: envelope.max_fee_per_gas(),
            tip: envelope.max_priority_fee_per_gas().unwrap_or_default(),
        })
    }

    pub(super) fn gas(&self) -> u64 {
        gas_of(self.to)
    }
}

pub(super) fn gas_of(to: Option<Address>) -> u64 {
    if to == Some(DESK) { CALL } else { PAYMENT }
}

/// What is in a block.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Item {
    Signed(Signed),
    Deed(B256, Deed),
}

impl Item {
    pub(super) fn hash(&self) -> B256 {
        match self {
            Self::Signed(tx) => tx.hash,
            Self::Deed(hash, _) => *hash,
        }
    }
}

/// An item with what came of it.
#[derive(Clone, Debug)]
pub(super) struct Included {
    pub(super) item: Item,
    pub(super) ok: bool,
    pub(super) events: Vec<Event>,
    /// Number of the first of its events in the block.
    pub(super) first_log: usize,
}

/// What a block leaves behind.
#[derive(Clone, Debug, Default)]
pub(super) struct State {
    pub(super) desk: Desk,
    pub(super) nonces: BTreeMap<Address, u64>,
}

impl State {
    pub(super) fn nonce(&self, account: Address) -> u64 {
        self.nonces.get(&account).copied().unwrap_or_default()
    }
}

/// A block.
#[derive(Clone, Debug)]
pub(super) struct Block {
    pub(super) number: u64,
    pub(super) hash: B256,
    pub(super) parent: B256,
    pub(super) time: u64,
    pub(super) base_fee: u128,
    pub(super) txs: Vec<Included>,
    pub(super) state: State,
}

/// Why a node doesn't take a transaction, in geth's words.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum NotTaken {
    AlreadyKnown,
    NonceTooLow { next: u64, nonce: u64 },
    Underpriced,
    Invalid(String),
}

impl NotTaken {
    pub(super) fn message(&self) -> String {
        match self {
            Self::AlreadyKnown => "already known".into(),
            Self::NonceTooLow { next, nonce } => format!("nonce too low: next nonce {next}, tx nonce {nonce}"),
            Self::Underpriced => "replacement transaction underpriced".into(),
            Self::Invalid(why) => why.clone(),
        }
    }
}

/// All blocks that ever were, and which of them is the head.
#[derive(Debug)]
pub(super) struct Chain {
    blocks: BTreeMap<B256, Arc<Block>>,
    pub(super) head: B256,
    pub(super) genesis: B256,
    pub(super) pool: BTreeMap<(Address, u64), Signed>,
    pub(super) deeds: Vec<(B256, Deed)>,
    salt: u64,
}

impl Chain {
    pub(super) fn new(time: u64) -> Self {
        let hash = keccak256(b"genesis");
        let genesis = Block {
            number: 0,
            hash,
            parent: B256::ZERO,
            time,
            base_fee: 1_000_000_000,
            txs: Vec::new(),
            state: State::default(),
        };
        Self {
            blocks: BTreeMap::from([(hash, Arc::new(genesis))]),
            head: hash,
            genesis: hash,
            pool: BTreeMap::new(),
            deeds: Vec::new(),
            salt: 0,
        }
    }

    pub(super) fn block(&self, hash: B256) -> Option<&Arc<Block>> {
        self.blocks.get(&hash)
    }

    pub(super) fn head(&self) -> &Arc<Block> {
        &self.blocks[&self.head]
    }

    /// The block of this height below (or at) another one.
    pub(super) fn below(&self, top: B256, number: u64) -> Option<&Arc<Block>> {
        let mut block = self.blocks.get(&top)?;
        while block.number > number {
            block = self.blocks.get(&block.parent)?;
        }
        (block.number == number).then_some(block)
    }

    /// All blocks below (and with) this one, the newest first.
    pub(super) fn line(&self, top: B256) -> impl Iterator<Item = &Arc<Block>> {
        let mut next = self.blocks.get(&top);
        std::iter::from_fn(move || {
            let block = next?;
            next = self.blocks.get(&block.parent);
            Some(block)
        })
    }

    /// A user's deed waits for a block.
    pub(super) fn announce(&mut self, deed: Deed) {
        self.salt += 1;
        let hash = keccak256([b"deed".as_slice(), &self.salt.to_be_bytes()].concat());
        self.deeds.push((hash, deed));
    }

    /// A node whose head is `top` is offered a transaction.
    pub(super) fn offer(&mut self, tx: Signed, top: B256) -> Result<(), NotTaken> {
        let next = self.blocks[&top].state.nonce(tx.from);
        if tx.nonce < next {
            return Err(NotTaken::NonceTooLow { next, nonce: tx.nonce });
        }
        if tx.tip > tx.max_fee {
            return Err(NotTaken::Invalid("max priority fee per gas higher than max fee per gas".into()));
        }
        if tx.gas_limit < PAYMENT {
            return Err(NotTaken::Invalid("intrinsic gas too low".into()));
        }
        if let Some(waiting) = self.pool.get(&(tx.from, tx.nonce)) {
            if waiting.hash == tx.hash {
                return Err(NotTaken::AlreadyKnown);
            }
            let enough = |new: u128, old: u128| new >= old + old.div_ceil(10);
            if !enough(tx.max_fee, waiting.max_fee) || !enough(tx.tip, waiting.tip) {
                return Err(NotTaken::Underpriced);
            }
        }
        self.pool.insert((tx.from, tx.nonce), tx);
        Ok(())
    }

    /// Makes a block on another one out of what waits, without any of it leaving the pool. Each item is left out so often in
    /// a thousand.
    pub(super) fn build(&mut self, parent: B256, time: u64, base_fee: u128, left_out: u32, dice: &mut Dice) -> B256 {
        let below = self.blocks[&parent].clone();
        self.salt += 1;
        let hash = keccak256([b"block".as_slice(), parent.as_slice(), &self.salt.to_be_bytes()].concat());
        let time = time.max(below.time + 1);
        let mut block = Block {
            number: below.number + 1,
            hash,
            parent,
            time,
            base_fee,
            txs: Vec::new(),
            state: below.state.clone(),
        };
        let mut items: Vec<Item> = self.deeds.iter().map(|(hash, deed)| Item::Deed(*hash, deed.clone())).collect();
        items.extend(self.pool.values().cloned().map(Item::Signed));
        dice.shuffle(&mut items);
        items.retain(|_| !dice.permille(left_out));
        // A transaction may have to wait for one of a lower nonce, which comes later in this order.
        loop {
            let before = items.len();
            items.retain(|item| !block.include(item));
            if items.len() == before {
                break;
            }
        }
        self.blocks.insert(hash, Arc::new(block));
        hash
    }

    /// Makes a block the head. What only blocks above the common ancestor held waits again, but for what `lost` names;
    /// what is in the new ones waits no more.
    pub(super) fn adopt(&mut self, head: B256, mut lost: impl FnMut(&Item) -> bool) {
        let line: BTreeSet<B256> = self.line(head).map(|block| block.hash).collect();
        let gone: Vec<Arc<Block>> =
            self.line(self.head).take_while(|block| !line.contains(&block.hash)).cloned().collect();
        let common = gone.last().map_or(self.head, |block| block.parent);
        let new: Vec<Arc<Block>> = self.line(head).take_while(|block| block.hash != common).cloned().collect();
        self.head = head;
        for included in gone.iter().rev().flat_map(|block| &block.txs).filter(|included| !lost(&included.item)) {
            match &included.item {
                Item::Signed(tx) => {
                    self.pool.entry((tx.from, tx.nonce)).or_insert_with(|| tx.clone());
                }
                Item::Deed(hash, deed) => self.deeds.push((*hash, deed.clone())),
            }
        }
        let known: BTreeSet<B256> = new.iter().flat_map(|block| &block.txs).map(|tx| tx.item.hash()).collect();
        self.deeds.retain(|(hash, _)| !known.contains(hash));
        let state = self.blocks[&head].state.clone();
        self.pool.retain(|(from, nonce), _| *nonce >= state.nonce(*from));
    }

    /// Where a transaction is, in the line of blocks below this one.
    pub(super) fn find(&self, hash: B256, top: B256) -> Option<(&Arc<Block>, usize)> {
        self.line(top).find_map(|block| Some((block, block.txs.iter().position(|tx| tx.item.hash() == hash)?)))
    }
}

impl Block {
    /// Runs an item, if it can be in this block.
    fn include(&mut self, item: &Item) -> bool {
        let frame = Frame { time: self.time, parent: self.parent, tx: item.hash() };
        let (ok, events) = match item {
            Item::Deed(_, deed) => match self.state.desk.does(deed, frame) {
                Some(events) => (true, events),
                None => return false,
            },
            Item::Signed(tx) => {
                if tx.nonce != self.state.nonce(tx.from) || tx.max_fee < self.base_fee {
                    return false;
                }
                self.state.nonces.insert(tx.from, tx.nonce + 1);
                match self.run(tx, frame) {
                    Ok(events) => (true, events),
                    Err(_) => (false, Vec::new()),
                }
            }
        };
        let first_log = self.txs.iter().map(|tx| tx.events.len()).sum();
        self.txs.push(Included { item: item.clone(), ok, events, first_log });
        true
    }

    fn run(&mut self, tx: &Signed, frame: Frame) -> Result<Vec<Event>, Option<Refusal>> {
        if tx.gas_limit < tx.gas() {
            return Err(None);
        }
        if tx.to != Some(DESK) {
            return Ok(Vec::new());
        }
        // A refusal leaves nothing behind.
        let mut desk = self.state.desk.clone();
        let events = desk.call(tx.from, &tx.data, frame)?;
        self.state.desk = desk;
        Ok(events)
    }
}
