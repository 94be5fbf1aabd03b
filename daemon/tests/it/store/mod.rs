//! The store on both databases: each test runs on a SQLite file and on a PostgreSQL server.

mod daemon;
mod disk;
mod lessons;
mod promises;
mod schema;
mod upkeep;

use std::path::PathBuf;

use sqlx::{AnyConnection, AssertSqlSafe, Connection, Executor, Row};
use tempfile::TempDir;
use zugzwang::{
    chain::types::{Address, B256, U256},
    store::{BlockRef, Job, JobKey, Place, Signed, Store},
};

use crate::servers::{Server, shared_postgres};

const CHAIN: u64 = 31337;
const SIGNER: Address = Address::repeat_byte(7);

/// Makes a test of each function for each database.
macro_rules! on_both {
    ($($name:ident),* $(,)?) => {
        mod sqlite {
            $(#[tokio::test(flavor = "multi_thread")]
            async fn $name() {
                super::$name($crate::store::Ground::file()).await;
            })*
        }
        mod postgres {
            $(#[tokio::test(flavor = "multi_thread")]
            async fn $name() {
                super::$name($crate::store::Ground::server().await).await;
            })*
        }
    };
}
use on_both;

/// A place for a store that nobody has used.
#[derive(Debug)]
struct Ground {
    place: Place,
    /// What a driver calls the place.
    url: String,
    _folder: Option<TempDir>,
}

impl Ground {
    /// A file in a folder whose name an address must not take literally.
    fn file() -> Self {
        let folder = tempfile::Builder::new().prefix("a store? 100%#").tempdir().expect("folder");
        let ground = Self::file_in(folder.path().join("z.db"));
        Self { _folder: Some(folder), ..ground }
    }

    fn file_in(path: PathBuf) -> Self {
        let written = path.display().to_string().replace('%', "%25").replace('?', "%3F").replace('#', "%23");
        Self { url: format!("sqlite:{written}?mode=rw"), place: Place::File(path), _folder: None }
    }

    /// A database of the shared server.
    async fn server() -> Self {
        Self::server_of(shared_postgres()).await
    }

    async fn server_of(server: &Server) -> Self {
        let url = server.database().await;
        Self { place: Place::parse(&url).expect("an address"), url, _folder: None }
    }

    fn is_server(&self) -> bool {
        self.place.file().is_none()
    }

    /// Opens it, for one chain.
    async fn open(&self) -> Store {
        let store = Store::open(&self.place).await.expect("open");
        store.claim_chain(CHAIN, B256::repeat_byte(1)).await.expect("chain");
        store
    }

    /// A connection past the store.
    async fn connection(&self) -> AnyConnection {
        sqlx::any::install_default_drivers();
        AnyConnection::connect(&self.url).await.expect("a connection")
    }

    /// Does something to the database past the store.
    async fn edit(&self, sql: &str) -> Result<u64, sqlx::Error> {
        let mut connection = self.connection().await;
        let done = connection.execute(AssertSqlSafe(sql.to_owned())).await?;
        Ok(done.rows_affected())
    }

    /// A number out of the database, past the store.
    async fn count(&self, sql: &str) -> i64 {
        let mut connection = self.connection().await;
        sqlx::query(AssertSqlSafe(sql.to_owned())).fetch_one(&mut connection).await.expect("a row").get(0)
    }
}

fn block(number: u64) -> BlockRef {
    BlockRef { number, hash: B256::repeat_byte(number as u8) }
}

fn key(round: u64) -> JobKey {
    JobKey { chain_id: CHAIN, contract: Address::repeat_byte(9), subject: U256::MAX, round }
}

fn signed_as(name: u8) -> Signed {
    Signed {
        hash: B256::repeat_byte(name),
        raw: vec![name],
        max_fee: u128::MAX,
        max_priority: 1,
        gas_limit: 21_000,
        value: zugzwang::chain::types::U256::ZERO,
    }
}

async fn with_job(store: &Store) -> Job {
    let mut write = store.write().await.expect("write");
    write.ask(&key(1), block(5)).await.expect("ask");
    let job = write.job(&key(1)).await.expect("query").expect("job");
    write.commit().await.expect("commit");
    job
}
