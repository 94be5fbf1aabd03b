//! What can go wrong with the store, and which of it passes.

use sqlx::error::DatabaseError;

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
    #[error(
        "store {path}: another zugzwang is using it; stop that one, or give this one a store.path or store.url of its own"
    )]
    InUse {
        /// The database.
        path: String,
    },
    /// The connection that held a server's database as ours is gone, and it can't be had again yet.
    #[error("store {path}: its lock was lost with the connection and isn't free yet; nothing is written until it is")]
    LockLost {
        /// The database.
        path: String,
    },
    /// Another process had the database while our connection to it was gone.
    #[error("store {path}: another zugzwang took it over; stop that one, then start this one again")]
    TakenOver {
        /// The database.
        path: String,
    },
    /// It was opened to be read.
    #[error("store {path}: it was opened to be read, so nothing is written; this is a bug, please report it")]
    ReadOnly {
        /// The database.
        path: String,
    },
    /// There is no store to be read.
    #[error("store {path}: there is none; name it with store.path or store.url, or let `zugzwang run` make it")]
    Missing {
        /// The database.
        path: String,
    },
    /// The schema is another one.
    #[error(
        "store {path}: its schema has version {found}, this zugzwang's is {wanted}; run `zugzwang db migrate` with the newer of the two"
    )]
    Schema {
        /// The database.
        path: String,
        /// Version in the database.
        found: i64,
        /// Version of this program.
        wanted: i64,
    },
    /// The database said no.
    #[error("store: {0}; check the disk and the database, then start again: nothing is lost that was committed")]
    Database(#[from] sqlx::Error),
    /// The schema can't be brought up to date.
    #[error("store: schema: {0}; was it made by a newer zugzwang?")]
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
    #[error("store: {table}.{column} holds an unexpected value; was the database edited?")]
    Corrupt {
        /// Table.
        table: &'static str,
        /// Column.
        column: &'static str,
    },
    /// A check found what should not be.
    #[error("store {path}: {findings} things are wrong; see above, and docs/store.md for how a backup is restored")]
    Unsound {
        /// The database.
        path: String,
        /// How many.
        findings: usize,
    },
    /// Another store's rows can't be taken over.
    #[error("store: copying from {path}: {problem}")]
    Copy {
        /// The other database.
        path: String,
        /// What is wrong, and what to do.
        problem: String,
    },
    /// A copy can't be written.
    #[error("store: backup to {path}: {problem}")]
    Backup {
        /// The file.
        path: String,
        /// What is wrong, and what to do.
        problem: String,
    },
}

crate::code::codes!(StoreError {
    Folder = 301,
    InUse = 302,
    Database = 303,
    Migration = 304,
    OtherChain = 305,
    Corrupt = 306,
    LockLost = 307,
    TakenOver = 308,
    ReadOnly = 309,
    Missing = 310,
    Schema = 311,
    Unsound = 312,
    Copy = 313,
    Backup = 314,
});

impl StoreError {
    /// Whether it may be gone when the same is tried again: a server that restarts, a full disk that is tidied, a lock that
    /// somebody holds for a moment. What was being written is not committed, except that of a commit whose connection broke
    /// nobody knows: whoever tries again must read first what is there.
    pub fn is_passing(&self) -> bool {
        match self {
            Self::LockLost { .. } => true,
            Self::Database(error) => passes(error),
            _ => false,
        }
    }
}

fn passes(error: &sqlx::Error) -> bool {
    match error {
        sqlx::Error::Io(_)
        | sqlx::Error::PoolTimedOut
        | sqlx::Error::WorkerCrashed
        | sqlx::Error::BeginFailed
        // A broken connection shows as an answer that makes no sense.
        | sqlx::Error::Protocol(_) => true,
        sqlx::Error::Database(error) => says_later(&**error),
        _ => false,
    }
}

fn says_later(error: &dyn DatabaseError) -> bool {
    let Some(code) = error.code() else { return false };
    if error.try_downcast_ref::<sqlx::sqlite::SqliteError>().is_some() {
        // Busy, locked, out of memory, interrupted, input or output, disk full, can't open, locking protocol. The kind is in
        // the low byte of an extended code.
        return code.parse::<u32>().is_ok_and(|code| matches!(code & 0xff, 5 | 6 | 7 | 9 | 10 | 13 | 14 | 15));
    }
    // Connection, transaction rolled back, resources (disk full, too many connections), the server stopping or starting.
    ["08", "40", "53", "57P"].iter().any(|class| code.starts_with(class))
        // A standby during a failover, a lock or a statement that took too long, input or output.
        || ["25006", "55P03", "57014", "58030"].contains(&&*code)
}
