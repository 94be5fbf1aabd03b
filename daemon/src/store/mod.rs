//! What must survive a crash: the cursor, the jobs, the proofs and every signed transaction.
//!
//! SQLite in WAL mode with one writer. Rules that the schema enforces: a job is one row for each
//! (chain, contract, subject, round); no job is `proved` or further without its proof; a nonce is taken
//! in the very transaction that stores the signed bytes; at most one live transaction per job;
//! of a feed's sequence there is one bulletin.

mod blocks;
mod bulletins;
mod hook;
mod jobs;
mod transactions;
mod watched;

use std::{
    fs::{File, OpenOptions},
    path::{Path, PathBuf},
    time::Duration,
};

use sqlx::{
    Sqlite, SqlitePool, Transaction,
    sqlite::{SqliteConnectOptions, SqliteJournalMode, SqlitePoolOptions, SqliteSynchronous},
};

pub use blocks::BlockRef;
pub use hook::{CommitHook, Moment};
pub use jobs::{Answer, Job, JobKey, State};
pub use transactions::{Attempt, Errand, Mined, Signed, Tx, TxState};
pub use watched::Watched;

use crate::clock::Clock;

/// What can go wrong with the store.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// The folder or lock file can't be made.
    #[error("store {path}: {source}; choose another store.path or fix its permissions")]
    Folder {
        /// The database file.
        path: String,
        /// Why.
        source: std::io::Error,
    },
    /// Another process has the database.
    #[error("store {path}: another zugzwang is using it; stop that one, or give this one a store.path of its own")]
    InUse {
        /// The database file.
        path: String,
    },
    /// SQLite said no.
    #[error("store: {0}; check the disk and the file, then start again: nothing is lost that was committed")]
    Database(#[from] sqlx::Error),
    /// The schema can't be brought up to date.
    #[error("store: schema: {0}; was the file made by a newer zugzwang?")]
    Migration(#[from] sqlx::migrate::MigrateError),
    /// The database belongs to another chain.
    #[error(
        "store: it holds chain {chain_id} with genesis {stored}, the node says genesis {found}: the chain was reset or is another one; use a new store.path"
    )]
    OtherChain {
        /// Chain id.
        chain_id: u64,
        /// Genesis hash that is stored.
        stored: String,
        /// Genesis hash of the node.
        found: String,
    },
    /// A value in the database isn't what this program writes.
    #[error("store: {table}.{column} holds an unexpected value; was the file edited?")]
    Corrupt {
        /// Table.
        table: &'static str,
        /// Column.
        column: &'static str,
    },
    /// The signing closure refused.
    #[error("store: signing failed: {0}; check the key")]
    Signing(String),
}

/// An open store. Cloning shares the connection.
#[derive(Clone, Debug)]
pub struct Store {
    pool: SqlitePool,
    path: PathBuf,
    clock: Clock,
    hook: CommitHook,
    _lock: std::sync::Arc<File>,
}

/// A write in progress: dropped without [`Write::commit`], nothing of it happened.
#[derive(Debug)]
pub struct Write {
    tx: Transaction<'static, Sqlite>,
    clock: Clock,
    hook: CommitHook,
}

impl Store {
    /// Opens or makes the database, takes its lock and brings the schema up to date.
    pub async fn open(path: &Path) -> Result<Self, StoreError> {
        let shown = || path.display().to_string();
        let folder = |source| StoreError::Folder { path: shown(), source };
        if let Some(parent) = path.parent().filter(|p| !p.as_os_str().is_empty()) {
            std::fs::create_dir_all(parent).map_err(folder)?;
        }
        let lock = OpenOptions::new()
            .create(true)
            .truncate(false)
            .write(true)
            .open(path.with_extension("lock"))
            .map_err(folder)?;
        lock.try_lock().map_err(|e| match e {
            std::fs::TryLockError::WouldBlock => StoreError::InUse { path: shown() },
            std::fs::TryLockError::Error(source) => folder(source),
        })?;
        let options = SqliteConnectOptions::new()
            .filename(path)
            .create_if_missing(true)
            .foreign_keys(true)
            .journal_mode(SqliteJournalMode::Wal)
            .synchronous(SqliteSynchronous::Full)
            .busy_timeout(Duration::from_secs(10));
        let pool = SqlitePoolOptions::new().max_connections(1).connect_with(options).await?;
        sqlx::migrate!("./migrations").run(&pool).await?;
        Ok(Self {
            pool,
            path: path.to_owned(),
            clock: Clock::system(),
            hook: CommitHook::default(),
            _lock: std::sync::Arc::new(lock),
        })
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

    /// The database file.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Starts a write. Everything until [`Write::commit`] happens as one or not at all.
    pub async fn write(&self) -> Result<Write, StoreError> {
        let tx = self.pool.begin_with("BEGIN IMMEDIATE").await?;
        Ok(Write { tx, clock: self.clock.clone(), hook: self.hook.clone() })
    }

    /// Closes the database after the last write.
    pub async fn close(&self) {
        self.pool.close().await;
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

/// SQLite integers are signed; ours are counts.
fn unsigned(value: i64, table: &'static str, column: &'static str) -> Result<u64, StoreError> {
    u64::try_from(value).map_err(|_| StoreError::Corrupt { table, column })
}

/// A count as SQLite stores it. Block numbers, plies and nonces stay far below 2^63.
fn signed(value: u64) -> i64 {
    i64::try_from(value).unwrap_or(i64::MAX)
}

#[cfg(test)]
mod tests;
