//! Transactions: a nonce is a row, taken where the signed bytes are stored.

use std::str::FromStr;

use sqlx::{Row, any::AnyRow};

use super::{BlockRef, Store, StoreError, Write, bytes, signed, unsigned};
use crate::chain::types::{Address, B256};

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
}

/// A transaction with its signed versions, newest last.
#[derive(Clone, Debug)]
pub struct Tx {
    /// Row id.
    pub id: i64,
    /// Its nonce.
    pub nonce: u64,
    /// What it is for.
    pub errand: Option<Errand>,
    /// Where it stands.
    pub state: TxState,
    /// Set once it is in a block.
    pub mined: Option<Mined>,
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
        }),
    };
    Ok(Tx {
        id: row.get("id"),
        nonce: unsigned(row.get("nonce"), "transactions", "nonce")?,
        errand: row
            .get::<Option<i64>, _>("job")
            .map(Errand::Job)
            .or(row.get::<Option<i64>, _>("watched").map(Errand::Claim)),
        state: row.get::<&str, _>("state").parse()?,
        mined,
        attempts: Vec::new(),
    })
}

fn attempt(row: &AnyRow) -> Result<Attempt, StoreError> {
    let wei = |column: &'static str| {
        row.get::<&str, _>(column).parse().map_err(|_| StoreError::Corrupt { table: "attempts", column })
    };
    Ok(Attempt {
        hash: bytes(row.get("hash"), "attempts", "hash")?.into(),
        max_fee: wei("max_fee")?,
        max_priority: wei("max_priority")?,
        gas_limit: unsigned(row.get("gas_limit"), "attempts", "gas_limit")?,
        raw: row.get("raw"),
        signed_at: row.get("signed_at"),
        broadcast_at: row.get("broadcast_at"),
    })
}

pub(super) const COLUMNS: &str = "id, nonce, job, watched, state, mined_number, mined_hash, mined_ok, gas_used";

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
                sqlx::query("SELECT * FROM attempts WHERE tx = $1 ORDER BY signed_at, length(max_fee), max_fee")
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
    /// Takes the next nonce, has the transaction signed with it and stores both as one. `chain_nonce`
    /// is the account's nonce at the head: the row is never below it.
    pub async fn sign_next(
        &mut self,
        chain_id: u64,
        signer: Address,
        errand: Option<Errand>,
        chain_nonce: u64,
        sign: impl FnOnce(u64) -> Result<Signed, String>,
    ) -> Result<(i64, u64, B256), StoreError> {
        let row = sqlx::query(
            "SELECT max(nonce) AS top FROM transactions WHERE chain_id = $1 AND signer = $2 AND state <> 'dropped'",
        )
        .bind(signed(chain_id))
        .bind(signer.as_slice())
        .fetch_one(&mut *self.tx)
        .await?;
        let next = match row.get::<Option<i64>, _>("top") {
            Some(top) => unsigned(top, "transactions", "nonce")?.saturating_add(1).max(chain_nonce),
            None => chain_nonce,
        };
        let made = sign(next).map_err(StoreError::Signing)?;
        let (job, watched) = Errand::columns(errand);
        let id: i64 = sqlx::query("INSERT INTO transactions (chain_id, signer, nonce, job, watched, state, created_at, updated_at) VALUES ($1, $2, $3, $4, $5, 'signed', $6, $7) RETURNING id")
            .bind(signed(chain_id))
            .bind(signer.as_slice())
            .bind(signed(next))
            .bind(job)
            .bind(watched)
            .bind(self.clock.now_ms())
            .bind(self.clock.now_ms())
            .fetch_one(&mut *self.tx)
            .await?
            .get("id");
        self.add_attempt(id, &made).await?;
        Ok((id, next, made.hash))
    }

    /// Stores a replacement of a transaction: same nonce, higher fee, perhaps other content.
    pub async fn add_attempt(&mut self, tx: i64, made: &Signed) -> Result<(), StoreError> {
        sqlx::query("INSERT INTO attempts (hash, tx, max_fee, max_priority, gas_limit, raw, signed_at) VALUES ($1, $2, $3, $4, $5, $6, $7) ON CONFLICT DO NOTHING")
            .bind(made.hash.as_slice())
            .bind(tx)
            .bind(made.max_fee.to_string())
            .bind(made.max_priority.to_string())
            .bind(signed(made.gas_limit))
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
        sqlx::query("UPDATE transactions SET state = $1, mined_number = $2, mined_hash = $3, mined_ok = $4, gas_used = $5, updated_at = $6 WHERE id = $7")
            .bind(state.name())
            .bind(signed(mined.block.number))
            .bind(mined.block.hash.as_slice())
            .bind(i64::from(mined.ok))
            .bind(signed(mined.gas_used))
            .bind(self.clock.now_ms())
            .bind(tx)
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
        sqlx::query("UPDATE transactions SET state = 'signed', mined_number = NULL, mined_hash = NULL, mined_ok = NULL, gas_used = NULL, updated_at = $1 WHERE id = $2")
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
