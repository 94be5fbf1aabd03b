//! Opening: connections, the one owner, the schema.
//!
//! A file is owned by a lock file. A server's database is owned by a session lock of the one connection that writes: if the
//! connection goes, the lock goes with it, and no write can happen without it. A new connection takes the lock again, and goes
//! on only if nobody else owned the database in between, which a counter in the database tells.

use std::{
    fs::{File, OpenOptions},
    path::Path,
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicI64, Ordering},
    },
    time::{Duration, Instant},
};

use sqlx::{
    Any, AnyConnection, AnyPool, ConnectOptions, Connection, Executor, Row, SqlSafeStr, Transaction,
    any::{AnyConnectOptions, AnyPoolOptions},
    migrate::Migrator,
    pool::PoolOptions,
};

use super::{Place, StoreError};

static FILE_SCHEMA: Migrator = sqlx::migrate!("./migrations/sqlite");
static SERVER_SCHEMA: Migrator = sqlx::migrate!("./migrations/postgres");

/// Names the lock among a server's advisory locks: "zugzwang" as a number.
const LOCK: i64 = i64::from_be_bytes(*b"zugzwang");
/// Connections that read. The daemon is one loop, so that more than one is used by tools and the HTTP server only.
const READERS: u32 = 4;
/// Longest wait for a connection.
const WAIT: Duration = Duration::from_secs(10);
/// How long a server may take to notice that its last owner is gone.
const LET_GO: Duration = Duration::from_secs(2);

/// What a connection to a file is told first. The write-ahead log lets readers read while one writes; `FULL` makes a
/// commit survive a loss of power.
const FILE_WRITER: &str = "PRAGMA busy_timeout = 10000; PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; \
     PRAGMA foreign_keys = ON; PRAGMA journal_size_limit = 67108864;";
const FILE_READER: &str = "PRAGMA busy_timeout = 10000; PRAGMA query_only = ON;";
/// What a connection to a server is told first. A dead daemon's lock is free after a minute; no commit is answered before it
/// is on the disk, whatever the server's default is.
const SERVER_WRITER: &str = "SET synchronous_commit = on; SET lock_timeout = '10s'; SET statement_timeout = '60s'; \
     SET tcp_keepalives_idle = 30; SET tcp_keepalives_interval = 10; SET tcp_keepalives_count = 3;";
const SERVER_READER: &str = "SET default_transaction_read_only = on; SET statement_timeout = '60s';";

/// Who may write.
#[derive(Clone, Debug)]
pub(super) enum Owner {
    /// Nobody: it was opened to be read.
    Nobody,
    /// This process, as long as it has the lock file open.
    File { _lock: Arc<File> },
    /// This process, as long as its connection is there.
    Server(Arc<Session>),
}

/// What is known of the connection that writes to a server.
#[derive(Debug)]
pub(super) struct Session {
    /// The connection hasn't taken the lock yet.
    fresh: AtomicBool,
    /// How often the database had been opened when this process opened it, itself included.
    epoch: AtomicI64,
}

/// The connections of an open store.
#[derive(Debug)]
pub(super) struct Opened {
    pub(super) writer: AnyPool,
    pub(super) readers: AnyPool,
    pub(super) owner: Owner,
}

/// The newest version of a place's schema.
pub(super) fn newest(place: &Place) -> i64 {
    schema(place).iter().map(|migration| migration.version).max().unwrap_or_default()
}

fn schema(place: &Place) -> &'static Migrator {
    match place {
        Place::File(_) => &FILE_SCHEMA,
        Place::Server(_) => &SERVER_SCHEMA,
    }
}

/// Opens or makes a database to write to it, and brings its schema up to date.
pub(super) async fn own(place: &Place) -> Result<Opened, StoreError> {
    match place {
        Place::File(path) => {
            let lock = lock_file(path)?;
            let options = options(place, "rwc")?;
            // On a connection of its own, because the pool tells no errors of its first words.
            let mut first = options.connect().await?;
            first.execute(FILE_WRITER).await?;
            FILE_SCHEMA.run(&mut first).await?;
            first.close().await?;
            let writer = writers(FILE_WRITER, None)
                .before_acquire(|connection, _| Box::pin(is_idle(connection)))
                .connect_lazy_with(options.clone());
            Ok(Opened { writer, readers: readers(place, options), owner: Owner::File { _lock: Arc::new(lock) } })
        }
        Place::Server(_) => {
            let options = options(place, "")?;
            options.connect().await?.close().await?;
            let session = Arc::new(Session { fresh: AtomicBool::new(true), epoch: AtomicI64::new(0) });
            let writer = writers(SERVER_WRITER, Some(session.clone())).connect_lazy_with(options.clone());
            session.take(&writer, place).await?;
            Ok(Opened { writer, readers: readers(place, options), owner: Owner::Server(session) })
        }
    }
}

/// Opens a database to read it, while its owner goes on. The schema must be this program's.
pub(super) async fn read(place: &Place) -> Result<Opened, StoreError> {
    let path = || place.to_string();
    if place.file().is_some_and(|file| !file.exists()) {
        return Err(StoreError::Missing { path: path() });
    }
    let options = options(place, "rw")?;
    let mut first = options.connect().await?;
    let found = version(&mut first).await.map_err(|error| match error {
        // No such table.
        sqlx::Error::Database(no) if no.code().is_some_and(|code| code == "42P01" || code == "1") => {
            StoreError::Missing { path: path() }
        }
        error => error.into(),
    })?;
    first.close().await?;
    let wanted = newest(place);
    if found != wanted {
        return Err(StoreError::Schema { path: path(), found, wanted });
    }
    let readers = readers(place, options);
    Ok(Opened { writer: readers.clone(), readers, owner: Owner::Nobody })
}

/// A connection to a file beside those of the store.
pub(super) async fn beside(place: &Place) -> Result<AnyConnection, StoreError> {
    Ok(options(place, "rw")?.connect().await?)
}

/// The newest version that was applied.
pub(super) async fn version(connection: &mut AnyConnection) -> Result<i64, sqlx::Error> {
    let row =
        sqlx::query("SELECT max(version) AS top FROM _sqlx_migrations WHERE success").fetch_one(connection).await?;
    Ok(row.try_get::<Option<i64>, _>("top")?.unwrap_or_default())
}

/// Starts a transaction that may write.
pub(super) async fn begin(
    writer: &AnyPool,
    owner: &Owner,
    place: &Place,
) -> Result<Transaction<'static, Any>, StoreError> {
    match owner {
        Owner::Nobody => Err(StoreError::ReadOnly { path: place.to_string() }),
        // The lock at once: a transaction that starts by reading could not be sure to get it later.
        Owner::File { .. } => Ok(writer.begin_with("BEGIN IMMEDIATE").await?),
        Owner::Server(session) => {
            let mut tx = writer.begin_with("BEGIN ISOLATION LEVEL READ COMMITTED").await?;
            session.hold(&mut tx, place).await?;
            Ok(tx)
        }
    }
}

impl Session {
    /// Makes this process the owner.
    async fn take(&self, writer: &AnyPool, place: &Place) -> Result<(), StoreError> {
        let mut connection = writer.acquire().await?;
        let begun = Instant::now();
        while !try_lock(&mut connection).await? {
            if begun.elapsed() > LET_GO {
                return Err(StoreError::InUse { path: place.to_string() });
            }
            tokio::time::sleep(LET_GO / 20).await;
        }
        self.fresh.store(false, Ordering::SeqCst);
        SERVER_SCHEMA.run(&mut *connection).await?;
        let row = sqlx::query("UPDATE owner SET epoch = epoch + 1 RETURNING epoch").fetch_one(&mut *connection).await?;
        self.epoch.store(row.try_get("epoch")?, Ordering::SeqCst);
        Ok(())
    }

    /// Makes sure that the connection has the lock, and that it never was another's.
    async fn hold(&self, connection: &mut AnyConnection, place: &Place) -> Result<(), StoreError> {
        if !self.fresh.load(Ordering::SeqCst) {
            return Ok(());
        }
        // It stays with the connection, whatever becomes of the transaction.
        if !try_lock(connection).await? {
            return Err(StoreError::LockLost { path: place.to_string() });
        }
        let row = sqlx::query("SELECT epoch FROM owner").fetch_one(connection).await?;
        if row.try_get::<i64, _>("epoch")? != self.epoch.load(Ordering::SeqCst) {
            return Err(StoreError::TakenOver { path: place.to_string() });
        }
        self.fresh.store(false, Ordering::SeqCst);
        tracing::info!(store = %place, "connected again; the lock is still ours");
        Ok(())
    }
}

async fn try_lock(connection: &mut AnyConnection) -> Result<bool, sqlx::Error> {
    let row = sqlx::query("SELECT pg_try_advisory_lock($1) AS held").bind(LOCK).fetch_one(connection).await?;
    row.try_get("held")
}

/// The lock file beside a database file.
fn lock_file(path: &Path) -> Result<File, StoreError> {
    let shown = || path.display().to_string();
    let folder = |source| StoreError::Folder { path: shown(), source };
    if let Some(parent) = path.parent().filter(|p| !p.as_os_str().is_empty()) {
        std::fs::create_dir_all(parent).map_err(folder)?;
    }
    let name = path.with_extension("lock");
    let lock = OpenOptions::new().create(true).truncate(false).write(true).open(name).map_err(folder)?;
    lock.try_lock().map_err(|e| match e {
        std::fs::TryLockError::WouldBlock => StoreError::InUse { path: shown() },
        std::fs::TryLockError::Error(source) => folder(source),
    })?;
    Ok(lock)
}

/// What the driver is told of a place; `mode` is a file's.
fn options(place: &Place, mode: &str) -> Result<AnyConnectOptions, StoreError> {
    // A second call does nothing.
    sqlx::any::install_default_drivers();
    let url = match place {
        Place::File(path) => {
            let folder = |source| StoreError::Folder { path: path.display().to_string(), source };
            // An address has its own idea of `..`, so that it gets none.
            let parent = path.parent().filter(|p| !p.as_os_str().is_empty()).unwrap_or(Path::new("."));
            let full = parent.canonicalize().map_err(folder)?.join(path.file_name().unwrap_or_default());
            format!("sqlite:{}?mode={mode}", encoded(&full))
        }
        Place::Server(address) => address.secret().to_owned(),
    };
    Ok(url.parse::<AnyConnectOptions>()?.disable_statement_logging())
}

/// A path as it may stand in an address.
fn encoded(path: &Path) -> String {
    let plain = |byte: &u8| byte.is_ascii_alphanumeric() || b"/._-".contains(byte);
    let bytes = path.as_os_str().as_encoded_bytes().iter();
    bytes.map(|byte| if plain(byte) { char::from(*byte).to_string() } else { format!("%{byte:02X}") }).collect()
}

/// One connection, kept for as long as it works.
fn writers(first_words: &'static str, session: Option<Arc<Session>>) -> PoolOptions<Any> {
    let fresh = move || {
        if let Some(session) = &session {
            session.fresh.store(true, Ordering::SeqCst);
        }
    };
    pool(first_words, fresh).max_connections(1)
}

fn readers(place: &Place, options: AnyConnectOptions) -> AnyPool {
    let first_words = match place {
        Place::File(_) => FILE_READER,
        Place::Server(_) => SERVER_READER,
    };
    pool(first_words, || ()).max_connections(READERS).connect_lazy_with(options)
}

fn pool(first_words: &'static str, connected: impl Fn() + Send + Sync + 'static) -> PoolOptions<Any> {
    AnyPoolOptions::new().acquire_timeout(WAIT).idle_timeout(None).max_lifetime(None).after_connect(
        move |connection, _| {
            connected();
            Box::pin(async move { connection.execute(first_words.into_sql_str()).await.map(|_| ()) })
        },
    )
}

/// SQLite rolls back by itself when the disk is full. The driver doesn't notice, takes the next transaction for a nested one
/// and refuses it: such a connection is not used again.
async fn is_idle(connection: &mut AnyConnection) -> Result<bool, sqlx::Error> {
    match connection.begin_with("BEGIN").await {
        Ok(nothing) => nothing.rollback().await.map(|()| true),
        Err(sqlx::Error::InvalidSavePointStatement) => Ok(false),
        Err(error) => Err(error),
    }
}
