//! What operators ask of the store: how much of what it holds, lists, and wishes that the daemon carries out.

use std::{collections::BTreeMap, str::FromStr};

use sqlx::Row;

use super::{State, Store, StoreError, TxState, Write, signed, unsigned};

/// How much of what the store holds for a chain.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Counts {
    /// Jobs by state; every state is there.
    pub jobs: BTreeMap<String, u64>,
    /// Transactions by state; every state is there.
    pub transactions: BTreeMap<String, u64>,
    /// Signed versions of transactions.
    pub versions: u64,
    /// When the oldest job was asked that waits for a proof or for sending, unix milliseconds.
    pub oldest: Option<i64>,
    /// The last block whose events are stored.
    pub cursor: Option<u64>,
    /// When a daemon last wrote its heartbeat, unix milliseconds.
    pub alive_at: Option<i64>,
}

/// What the operator wants done with a transaction.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Wanted {
    /// Replace it now by a version that pays more.
    Bump,
    /// Use its nonce up otherwise.
    Cancel,
}

impl Wanted {
    /// Its name in the store and in what people read.
    pub fn name(self) -> &'static str {
        match self {
            Self::Bump => "bump",
            Self::Cancel => "cancel",
        }
    }
}

impl FromStr for Wanted {
    type Err = StoreError;

    fn from_str(name: &str) -> Result<Self, StoreError> {
        [Self::Bump, Self::Cancel]
            .into_iter()
            .find(|wanted| wanted.name() == name)
            .ok_or(StoreError::Corrupt { table: "wanted", column: "what" })
    }
}

impl Store {
    /// Counts what there is of a chain.
    pub async fn counts(&self, chain_id: u64) -> Result<Counts, StoreError> {
        let by_state = async |sql: &'static str, states: Vec<String>| -> Result<BTreeMap<String, u64>, StoreError> {
            let mut counts: BTreeMap<String, u64> = states.into_iter().map(|state| (state, 0)).collect();
            for row in sqlx::query(sql).bind(signed(chain_id)).fetch_all(&self.readers).await? {
                counts.insert(row.get("state"), unsigned(row.get("n"), "jobs", "state")?);
            }
            Ok(counts)
        };
        let jobs = by_state(
            "SELECT state, count(*) AS n FROM jobs WHERE chain_id = $1 GROUP BY state",
            State::all().map(|state| state.to_string()).collect(),
        )
        .await?;
        let transactions = by_state(
            "SELECT state, count(*) AS n FROM transactions WHERE chain_id = $1 GROUP BY state",
            TxState::all().map(|state| state.name().to_owned()).collect(),
        )
        .await?;
        let row = sqlx::query(
            "SELECT (SELECT count(*) FROM attempts JOIN transactions ON attempts.tx = transactions.id \
             WHERE transactions.chain_id = $1) AS versions, \
             (SELECT min(created_at) FROM jobs WHERE chain_id = $1 AND state IN ('seen', 'proving', 'proved')) AS oldest, \
             (SELECT at FROM heartbeat WHERE chain_id = $1) AS alive_at",
        )
        .bind(signed(chain_id))
        .fetch_one(&self.readers)
        .await?;
        Ok(Counts {
            jobs,
            transactions,
            versions: unsigned(row.get("versions"), "attempts", "tx")?,
            oldest: row.get("oldest"),
            cursor: self.cursor(chain_id).await?.map(|cursor| cursor.number),
            alive_at: row.get("alive_at"),
        })
    }

    /// Writes that the daemon lives: fails where nothing can be written.
    pub async fn beat(&self, chain_id: u64) -> Result<(), StoreError> {
        let mut write = self.write().await?;
        let now = write.clock.now_ms();
        sqlx::query(
            "INSERT INTO heartbeat (chain_id, at) VALUES ($1, $2) ON CONFLICT (chain_id) DO UPDATE SET at = excluded.at",
        )
        .bind(signed(chain_id))
        .bind(now)
        .execute(&mut *write.tx)
        .await?;
        write.commit().await
    }

    /// Tries to write, and changes nothing.
    pub async fn try_write(&self, chain_id: u64) -> Result<(), StoreError> {
        let mut write = self.write().await?;
        let now = write.clock.now_ms();
        sqlx::query("INSERT INTO heartbeat (chain_id, at) VALUES ($1, $2) ON CONFLICT (chain_id) DO NOTHING")
            .bind(signed(chain_id))
            .bind(now)
            .execute(&mut *write.tx)
            .await?;
        // Dropped without a commit.
        Ok(())
    }
}

/// Which jobs are listed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Which {
    /// All of them.
    All,
    /// Those that are open, and those that need a person.
    Live,
    /// Those of one state.
    In(State),
}

impl Which {
    /// The states that it stands for; none for all of them.
    pub fn states(self) -> Vec<State> {
        match self {
            Self::All => vec![],
            Self::Live => State::all().filter(|state| state.is_open() || *state == State::Failed).collect(),
            Self::In(state) => vec![state],
        }
    }
}

impl Write {
    /// The operator wants something done with a transaction.
    pub async fn want(&mut self, tx: i64, what: Wanted) -> Result<(), StoreError> {
        sqlx::query(
            "INSERT INTO wanted (tx, what, asked_at) VALUES ($1, $2, $3) \
             ON CONFLICT (tx) DO UPDATE SET what = excluded.what, asked_at = excluded.asked_at",
        )
        .bind(tx)
        .bind(what.name())
        .bind(self.clock.now_ms())
        .execute(&mut *self.tx)
        .await?;
        Ok(())
    }

    /// It is done, or can't be any more.
    pub async fn forget_wish(&mut self, tx: i64) -> Result<(), StoreError> {
        sqlx::query("DELETE FROM wanted WHERE tx = $1").bind(tx).execute(&mut *self.tx).await?;
        Ok(())
    }
}
