//! What must survive a crash: the cursor, the jobs, the proofs and every signed transaction.
//!
//! SQLite in WAL mode with one writer, or a database on a PostgreSQL server: the same queries, and one schema in two dialects
//! (`migrations`). Rules that the schema enforces: a job is one row for each (chain, contract, subject, round); no job is
//! `proved` or further without its proof; a nonce is taken in the very transaction that stores the signed bytes; at most one
//! live transaction per job; of a feed's sequence there is one bulletin.
//!
//! Reads see what is committed, never what a [`Write`] in progress has done. A store has one owner, see `open`.

mod blocks;
mod bulletins;
mod check;
mod copy;
mod error;
mod hook;
mod jobs;
mod keep;
mod list;
mod open;
mod operator;
mod place;
mod spending;
mod transactions;
mod watched;

use sqlx::{Any, AnyPool, Transaction};

pub use blocks::BlockRef;
pub use check::Health;
pub use error::StoreError;
pub use hook::{CommitHook, Moment};
pub use jobs::{Answer, Job, JobKey, State};
pub use keep::{Pruned, Stats};
pub use list::{JobEntry, JobFilter, MOST_LISTED, Page, TxEntry, TxFilter};
pub use operator::{Counts, Wanted, Which};
pub use place::{Place, PlaceError};
pub use spending::{Spending, Spent};
pub use transactions::{Attempt, Errand, Mined, Signed, Tx, TxState};
pub use watched::Watched;

use crate::clock::Clock;

/// An open store. Cloning shares the connections.
#[derive(Clone, Debug)]
pub struct Store {
    writer: AnyPool,
    readers: AnyPool,
    place: Place,
    owner: open::Owner,
    clock: Clock,
    hook: CommitHook,
}

/// A write in progress: dropped without [`Write::commit`], nothing of it happened.
#[derive(Debug)]
pub struct Write {
    tx: Transaction<'static, Any>,
    clock: Clock,
    hook: CommitHook,
}

impl Store {
    /// Opens or makes the database, takes its lock and brings the schema up to date.
    pub async fn open(place: impl Into<Place>) -> Result<Self, StoreError> {
        let place = place.into();
        Ok(Self::of(open::own(&place).await?, place))
    }

    /// Opens a database to look into it, while its owner goes on. Every write is refused.
    pub async fn open_to_read(place: impl Into<Place>) -> Result<Self, StoreError> {
        let place = place.into();
        Ok(Self::of(open::read(&place).await?, place))
    }

    fn of(opened: open::Opened, place: Place) -> Self {
        let open::Opened { writer, readers, owner } = opened;
        Self { writer, readers, place, owner, clock: Clock::system(), hook: CommitHook::default() }
    }

    /// The same store, whose daemon lives by another clock.
    pub fn with_clock(self, clock: Clock) -> Self {
        Self { clock, ..self }
    }

    /// The same store, with a hook around each commit.
    pub fn with_hook(self, hook: CommitHook) -> Self {
        Self { hook, ..self }
    }

    /// The clock of the daemon that has this store: what is stored with a time, and whoever waits, goes by the same one.
    pub fn clock(&self) -> &Clock {
        &self.clock
    }

    /// Where it is.
    pub fn place(&self) -> &Place {
        &self.place
    }

    /// Starts a write. Everything until [`Write::commit`] happens as one or not at all. One at a time: the next one waits.
    pub async fn write(&self) -> Result<Write, StoreError> {
        let tx = open::begin(&self.writer, &self.owner, &self.place).await?;
        Ok(Write { tx, clock: self.clock.clone(), hook: self.hook.clone() })
    }

    /// Closes the database after the last write.
    pub async fn close(&self) {
        self.readers.close().await;
        self.writer.close().await;
    }
}

impl Write {
    /// Makes it durable.
    pub async fn commit(self) -> Result<(), StoreError> {
        self.hook.at(Moment::BeforeCommit).await;
        self.tx.commit().await?;
        self.hook.at(Moment::AfterCommit).await;
        Ok(())
    }
}

/// A fixed-size column.
fn bytes<const N: usize>(value: &[u8], table: &'static str, column: &'static str) -> Result<[u8; N], StoreError> {
    value.try_into().map_err(|_| StoreError::Corrupt { table, column })
}

/// The databases' integers are signed; ours are counts.
fn unsigned(value: i64, table: &'static str, column: &'static str) -> Result<u64, StoreError> {
    u64::try_from(value).map_err(|_| StoreError::Corrupt { table, column })
}

/// A count as it is stored. Block numbers, plies and nonces stay far below 2^63.
fn signed(value: u64) -> i64 {
    i64::try_from(value).unwrap_or(i64::MAX)
}
