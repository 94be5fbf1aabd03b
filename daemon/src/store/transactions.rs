//! Transactions: a nonce is a row, taken where the signed bytes are stored.

use std::str::FromStr;

use sqlx::{Row, any::AnyRow};

use super::{BlockRef, Store, StoreError, Wanted, Write, bytes, signed, unsigned};
use crate::chain::types::{Address, B256, U256};

/// Where a transaction stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TxState {
    /// Stored, perhaps not yet sent.
    Signed,
    /// A node took it.
    Broadcast,
    /// It is in a block.
    Included,
    /// It is in a block that is deep enough.
    Final,
    /// Another transaction used its nonce: it can't be mined any more.
    Dropped,
}

impl TxState {
    /// All states, in a transaction's order.
    pub fn all() -> impl Iterator<Item = Self> {
        [Self::Signed, Self::Broadcast, Self::Included, Self::Final, Self::Dropped].into_iter()
    }

    /// As it is stored.
    pub fn name(self) -> &'static str {
        match self {
            Self::Signed => "signed",
            Self::Broadcast => "broadcast",
            Self::Included => "included",
            Self::Final => "final",
            Self::Dropped => "dropped",
        }
    }
}

impl FromStr for TxState {
    type Err = StoreError;

    fn from_str(s: &str) -> Result<Self, StoreError> {
        Self::all()
            .find(|state| state.name() == s)
            .ok_or(StoreError::Corrupt { table: "transactions", column: "state" })
    }
}

/// What a transaction is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Errand {
    /// It answers this job.
    Job(i64),
    /// It does something about the watched subject of this row: claims a game, ends a market.
    Claim(i64),
}

impl Errand {
    /// As the columns `job` and `watched`.
    fn columns(errand: Option<Self>) -> (Option<i64>, Option<i64>) {
        match errand {
            Some(Self::Job(job)) => (Some(job), None),
            Some(Self::Claim(watched)) => (None, Some(watched)),
            None => (None, None),
        }
    }
}

/// Where and how a transaction was mined.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Mined {
    /// The block.
    pub block: BlockRef,
    /// Whether it succeeded.
    pub ok: bool,
    /// Gas that it used.
    pub gas_used: u64,
    /// Wei that it paid per gas.
    pub gas_price: u128,
}

/// A transaction with its signed versions, newest last.
#[derive(Clone, Debug)]
pub struct Tx {
    /// Row id.
    pub id: i64,
    /// Whose it is.
    pub signer: Address,
    /// Its nonce.
    pub nonce: u64,
    /// What it is for.
    pub errand: Option<Errand>,
    /// Where it stands.
    pub state: TxState,
    /// Set once it is in a block.
    pub mined: Option<Mined>,
    /// What the operator wants done with it, until it is.
    pub wanted: Option<Wanted>,
    /// Signed versions, oldest first.
    pub attempts: Vec<Attempt>,
}

/// One signed version of a transaction.
#[derive(Clone, Debug)]
pub struct Attempt {
    /// Its hash.
    pub hash: B256,
    /// Highest fee per gas, in wei.
    pub max_fee: u128,
    /// Tip per gas, in wei.
    pub max_priority: u128,
    /// Gas limit.
    pub gas_limit: u64,
    /// Wei that go along.
    pub value: U256,
    /// The signed bytes.
    pub raw: Vec<u8>,
    /// When it was signed, unix milliseconds.
    pub signed_at: i64,
    /// When a node took it.
    pub broadcast_at: Option<i64>,
}

/// What signing a transaction gives.
#[derive(Clone, Debug)]
pub struct Signed {
    /// Its hash.
    pub hash: B256,
    /// The signed bytes.
    pub raw: Vec<u8>,
    /// Highest fee per gas, in wei.
    pub max_fee: u128,
    /// Tip per gas, in wei.
    pub max_priority: u128,
    /// Gas limit.
    pub gas_limit: u64,
    /// Wei that go along.
    pub value: U256,
}

fn tx(row: &AnyRow) -> Result<Tx, StoreError> {
    let mined = match row.get::<Option<i64>, _>("mined_number") {
        None => None,
        Some(number) => Some(Mined {
            block: BlockRef {
                number: unsigned(number, "transactions", "mined_number")?,
                hash: bytes(row.get("mined_hash"), "transactions", "mined_hash")?.into(),
            },
            ok: row.get::<i64, _>("mined_ok") != 0,
            gas_used: unsigned(row.get("gas_used"), "transactions", "gas_used")?,
            // Unknown of those that an earlier version stored: then it is read and stored once more.
            gas_price: match row.get::<Option<&str>, _>("gas_price") {
                Some(price) => decimal(price, "transactions", "gas_price")?,
                None => 0,
            },
        }),
    };
    Ok(Tx {
        id: row.get("id"),
        signer: Address::from(bytes::<20>(row.get("signer"), "transactions", "signer")?),
        nonce: unsigned(row.get("nonce"), "transactions", "nonce")?,
        errand: row
            .get::<Option<i64>, _>("job")
            .map(Errand::Job)
            .or(row.get::<Option<i64>, _>("watched").map(Errand::Claim)),
        state: row.get::<&str, _>("state").parse()?,
        mined,
        wanted: row.get::<Option<&str>, _>("wanted").map(str::parse).transpose()?,
        attempts: Vec::new(),
    })
}

fn attempt(row: &AnyRow) -> Result<Attempt, StoreError> {
    let wei = |column: &'static str| decimal(row.get::<&str, _>(column), "attempts", column);
    Ok(Attempt {
        hash: bytes(row.get("hash"), "attempts", "hash")?.into(),
        max_fee: wei("max_fee")?,
        max_priority: wei("max_priority")?,
        gas_limit: unsigned(row.get("gas_limit"), "attempts", "gas_limit")?,
        value: decimal(row.get::<&str, _>("value"), "attempts", "value")?,
        raw: row.get("raw"),
        signed_at: row.get("signed_at"),
        broadcast_at: row.get("broadcast_at"),
    })
}

/// A number that is stored as decimal text, since it may exceed the database's integers.
pub(super) fn decimal<T: FromStr>(text: &str, table: &'static str, column: &'static str) -> Result<T, StoreError> {
    text.parse().map_err(|_| StoreError::Corrupt { table, column })
}

pub(super) const COLUMNS: &str = "id, signer, nonce, job, watched, state, mined_number, mined_hash, mined_ok, gas_used, gas_price, \
     (SELECT what FROM wanted WHERE wanted.tx = transactions.id) AS wanted";

impl Store {
    /// Transactions that are signed, broadcast or included, by nonce.
    pub async fn live_transactions(&self, chain_id: u64, signer: Address) -> Result<Vec<Tx>, StoreError> {
        let sql = format!(
            "SELECT {COLUMNS} FROM transactions WHERE chain_id = $1 AND signer = $2 AND state IN ('signed', 'broadcast', 'included') ORDER BY nonce"
        );
        let rows = sqlx::query(sqlx::AssertSqlSafe(sql))
            .bind(signed(chain_id))
            .bind(signer.as_slice())
            .fetch_all(&self.readers)
            .await?;
        self.with_attempts(&rows).await
    }

    /// As [`Store::live_transactions`], whoever signed them.
    pub async fn all_live_transactions(&self, chain_id: u64) -> Result<Vec<Tx>, StoreError> {
        let sql = format!(
            "SELECT {COLUMNS} FROM transactions WHERE chain_id = $1 AND state IN ('signed', 'broadcast', 'included') ORDER BY signer, nonce"
        );
        let rows = sqlx::query(sqlx::AssertSqlSafe(sql)).bind(signed(chain_id)).fetch_all(&self.readers).await?;
        self.with_attempts(&rows).await
    }

    /// One transaction by its row.
    pub async fn transaction(&self, id: i64) -> Result<Option<Tx>, StoreError> {
        let sql = format!("SELECT {COLUMNS} FROM transactions WHERE id = $1");
        let rows = sqlx::query(sqlx::AssertSqlSafe(sql)).bind(id).fetch_all(&self.readers).await?;
        Ok(self.with_attempts(&rows).await?.pop())
    }

    /// One transaction by the hash of any of its versions.
    pub async fn transaction_by_hash(&self, hash: B256) -> Result<Option<Tx>, StoreError> {
        let row = sqlx::query("SELECT tx FROM attempts WHERE hash = $1")
            .bind(hash.as_slice())
            .fetch_optional(&self.readers)
            .await?;
        match row {
            Some(row) => self.transaction(row.get("tx")).await,
            None => Ok(None),
        }
    }

    /// The nonces from `first` on that are ours: signed, in a block or final.
    pub async fn nonces_from(&self, chain_id: u64, signer: Address, first: u64) -> Result<Vec<u64>, StoreError> {
        let rows = sqlx::query(
            "SELECT nonce FROM transactions WHERE chain_id = $1 AND signer = $2 AND nonce >= $3 AND state <> 'dropped' ORDER BY nonce",
        )
        .bind(signed(chain_id))
        .bind(signer.as_slice())
        .bind(signed(first))
        .fetch_all(&self.readers)
        .await?;
        rows.iter().map(|row| unsigned(row.get("nonce"), "transactions", "nonce")).collect()
    }

    /// The nonce that the next transaction takes: above all that are ours, and not below `chain_nonce`, the account's nonce at
    /// the head.
    pub async fn next_nonce(&self, chain_id: u64, signer: Address, chain_nonce: u64) -> Result<u64, StoreError> {
        let row = sqlx::query(
            "SELECT max(nonce) AS top FROM transactions WHERE chain_id = $1 AND signer = $2 AND state <> 'dropped'",
        )
        .bind(signed(chain_id))
        .bind(signer.as_slice())
        .fetch_one(&self.readers)
        .await?;
        Ok(match row.get::<Option<i64>, _>("top") {
            Some(top) => unsigned(top, "transactions", "nonce")?.saturating_add(1).max(chain_nonce),
            None => chain_nonce,
        })
    }

    /// All transactions of an errand, oldest first.
    pub async fn transactions_of(&self, errand: Errand) -> Result<Vec<Tx>, StoreError> {
        let (column, id) = match errand {
            Errand::Job(id) => ("job", id),
            Errand::Claim(id) => ("watched", id),
        };
        let sql = format!("SELECT {COLUMNS} FROM transactions WHERE {column} = $1 ORDER BY id");
        let rows = sqlx::query(sqlx::AssertSqlSafe(sql)).bind(id).fetch_all(&self.readers).await?;
        self.with_attempts(&rows).await
    }

    pub(super) async fn with_attempts(&self, rows: &[AnyRow]) -> Result<Vec<Tx>, StoreError> {
        let mut found = Vec::with_capacity(rows.len());
        for row in rows {
            let mut tx = tx(row)?;
            let attempts =
                sqlx::query("SELECT * FROM attempts WHERE tx = $1 ORDER BY length(max_fee), max_fee, signed_at")
                    .bind(tx.id)
                    .fetch_all(&self.readers)
                    .await?;
            tx.attempts = attempts.iter().map(attempt).collect::<Result<_, _>>()?;
            found.push(tx);
        }
        Ok(found)
    }
}

impl Write {
    /// Takes a nonce by storing what was signed with it, both as one. Gives the row, or `None` if the nonce is taken: then
    /// nothing is stored, and what was signed must not be sent.
    pub async fn take_nonce(
        &mut self,
        chain_id: u64,
        signer: Address,
        nonce: u64,
        errand: Option<Errand>,
        made: &Signed,
    ) -> Result<Option<i64>, StoreError> {
        let taken = sqlx::query(
            "SELECT 1 AS one FROM transactions WHERE chain_id = $1 AND signer = $2 AND nonce = $3 AND state <> 'dropped'",
        )
        .bind(signed(chain_id))
        .bind(signer.as_slice())
        .bind(signed(nonce))
        .fetch_optional(&mut *self.tx)
        .await?;
        if taken.is_some() {
            return Ok(None);
        }
        let (job, watched) = Errand::columns(errand);
        let row = sqlx::query("INSERT INTO transactions (chain_id, signer, nonce, job, watched, state, created_at, updated_at) VALUES ($1, $2, $3, $4, $5, 'signed', $6, $7) RETURNING id")
            .bind(signed(chain_id))
            .bind(signer.as_slice())
            .bind(signed(nonce))
            .bind(job)
            .bind(watched)
            .bind(self.clock.now_ms())
            .bind(self.clock.now_ms())
            .fetch_one(&mut *self.tx)
            .await?;
        let id = row.get("id");
        self.add_attempt(id, made).await?;
        Ok(Some(id))
    }

    /// Stores a replacement of a transaction: same nonce, higher fee, perhaps other content.
    pub async fn add_attempt(&mut self, tx: i64, made: &Signed) -> Result<(), StoreError> {
        sqlx::query("INSERT INTO attempts (hash, tx, max_fee, max_priority, gas_limit, value, raw, signed_at) VALUES ($1, $2, $3, $4, $5, $6, $7, $8) ON CONFLICT DO NOTHING")
            .bind(made.hash.as_slice())
            .bind(tx)
            .bind(made.max_fee.to_string())
            .bind(made.max_priority.to_string())
            .bind(signed(made.gas_limit))
            .bind(made.value.to_string())
            .bind(made.raw.as_slice())
            .bind(self.clock.now_ms())
            .execute(&mut *self.tx)
            .await?;
        Ok(())
    }

    /// Whether a transaction of the chain is one that we signed.
    pub async fn is_ours(&mut self, hash: B256) -> Result<bool, StoreError> {
        Ok(sqlx::query("SELECT 1 FROM attempts WHERE hash = $1")
            .bind(hash.as_slice())
            .fetch_optional(&mut *self.tx)
            .await?
            .is_some())
    }

    /// A node took this version.
    pub async fn set_broadcast(&mut self, tx: i64, hash: B256) -> Result<(), StoreError> {
        sqlx::query("UPDATE attempts SET broadcast_at = coalesce(broadcast_at, $1) WHERE hash = $2")
            .bind(self.clock.now_ms())
            .bind(hash.as_slice())
            .execute(&mut *self.tx)
            .await?;
        sqlx::query("UPDATE transactions SET state = 'broadcast', updated_at = $1 WHERE id = $2 AND state = 'signed'")
            .bind(self.clock.now_ms())
            .bind(tx)
            .execute(&mut *self.tx)
            .await?;
        Ok(())
    }

    /// It is in a block (`included`) or deep enough in one (`final`).
    pub async fn set_mined(&mut self, tx: i64, state: TxState, mined: Mined) -> Result<(), StoreError> {
        sqlx::query("UPDATE transactions SET state = $1, mined_number = $2, mined_hash = $3, mined_ok = $4, gas_used = $5, gas_price = $6, spent_at = coalesce(spent_at, $7), updated_at = $8 WHERE id = $9")
            .bind(state.name())
            .bind(signed(mined.block.number))
            .bind(mined.block.hash.as_slice())
            .bind(i64::from(mined.ok))
            .bind(signed(mined.gas_used))
            .bind(mined.gas_price.to_string())
            .bind(self.clock.now_ms())
            .bind(self.clock.now_ms())
            .bind(tx)
            .execute(&mut *self.tx)
            .await?;
        Ok(())
    }

    /// The blocks above a height are undone: what was final in one of them is to be looked at again.
    pub async fn reopen_above(&mut self, chain_id: u64, number: u64) -> Result<(), StoreError> {
        let other = |column: &str| {
            format!(
                "NOT EXISTS (SELECT 1 FROM transactions o WHERE o.{column} = transactions.{column} AND o.id <> transactions.id \
                 AND o.state IN ('signed', 'broadcast', 'included') AND coalesce(o.mined_ok, 1) = 1)"
            )
        };
        let sql = format!(
            "UPDATE transactions SET state = 'included', updated_at = $1 WHERE chain_id = $2 AND state = 'final' \
             AND mined_number > $3 AND {} AND {}",
            other("job"),
            other("watched")
        );
        sqlx::query(sqlx::AssertSqlSafe(sql))
            .bind(self.clock.now_ms())
            .bind(signed(chain_id))
            .bind(signed(number))
            .execute(&mut *self.tx)
            .await?;
        Ok(())
    }

    /// It only used up its nonce: it is about nothing any more, so that another may be.
    pub async fn detach(&mut self, tx: i64) -> Result<(), StoreError> {
        sqlx::query("UPDATE transactions SET job = NULL, watched = NULL, updated_at = $1 WHERE id = $2")
            .bind(self.clock.now_ms())
            .bind(tx)
            .execute(&mut *self.tx)
            .await?;
        Ok(())
    }

    /// It fell out of its block: it is to be sent again.
    pub async fn set_unmined(&mut self, tx: i64) -> Result<(), StoreError> {
        sqlx::query("UPDATE transactions SET state = 'signed', mined_number = NULL, mined_hash = NULL, mined_ok = NULL, gas_used = NULL, gas_price = NULL, spent_at = NULL, updated_at = $1 WHERE id = $2")
            .bind(self.clock.now_ms())
            .bind(tx)
            .execute(&mut *self.tx)
            .await?;
        Ok(())
    }

    /// Its nonce was used by a transaction that isn't ours.
    pub async fn set_dropped(&mut self, tx: i64, note: &str) -> Result<(), StoreError> {
        sqlx::query("UPDATE transactions SET state = 'dropped', note = $1, updated_at = $2 WHERE id = $3")
            .bind(note)
            .bind(self.clock.now_ms())
            .bind(tx)
            .execute(&mut *self.tx)
            .await?;
        Ok(())
    }
}
