//! Subjects that are to be looked at again at a time of the chain's clock: a game that its human has left, a market whose
//! deadline has passed.

use sqlx::Row;

use super::{Store, StoreError, Write, bytes, signed};
use crate::chain::types::{Address, U256};

/// Most subjects that are looked at in one turn.
const DUE: i64 = 32;

/// A subject whose time to be looked at has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Watched {
    /// Row id.
    pub id: i64,
    /// What is looked at.
    pub subject: U256,
    /// Whether a transaction of ours about it is under way, other than an answer.
    pub claimed: bool,
}

impl Store {
    /// The subjects to be looked at when the chain's clock shows `now`, the longest due first.
    pub async fn due(&self, chain_id: u64, contract: Address, now: u64) -> Result<Vec<Watched>, StoreError> {
        let rows = sqlx::query(
            "SELECT id, subject, CASE WHEN EXISTS (SELECT 1 FROM transactions WHERE transactions.watched = watched.id \
             AND state IN ('signed', 'broadcast', 'included') AND coalesce(mined_ok, 1) = 1) THEN 1 ELSE 0 END AS claimed \
             FROM watched WHERE chain_id = $1 AND contract = $2 AND look_at <= $3 ORDER BY look_at, id LIMIT $4",
        )
        .bind(signed(chain_id))
        .bind(contract.as_slice())
        .bind(signed(now))
        .bind(DUE)
        .fetch_all(&self.readers)
        .await?;
        rows.iter()
            .map(|row| {
                let subject = row.get::<&str, _>("subject").parse();
                Ok(Watched {
                    id: row.get("id"),
                    subject: subject.map_err(|_| StoreError::Corrupt { table: "watched", column: "subject" })?,
                    claimed: row.get::<i64, _>("claimed") != 0,
                })
            })
            .collect()
    }

    /// The number of the block whose event last said when a subject is to be looked at.
    pub async fn watched_since(
        &self,
        chain_id: u64,
        contract: Address,
        subject: U256,
    ) -> Result<Option<u64>, StoreError> {
        let row =
            sqlx::query("SELECT block_number FROM watched WHERE chain_id = $1 AND contract = $2 AND subject = $3")
                .bind(signed(chain_id))
                .bind(contract.as_slice())
                .bind(subject.to_string())
                .fetch_optional(&self.readers)
                .await?;
        Ok(row.map(|row| row.get::<i64, _>("block_number").unsigned_abs()))
    }

    /// The contract and the subject of a row.
    pub async fn watched_by_id(&self, id: i64) -> Result<(Address, U256), StoreError> {
        let row = sqlx::query("SELECT contract, subject FROM watched WHERE id = $1")
            .bind(id)
            .fetch_one(&self.readers)
            .await?;
        let subject = row.get::<&str, _>("subject").parse();
        Ok((
            Address::from(bytes::<20>(row.get("contract"), "watched", "contract")?),
            subject.map_err(|_| StoreError::Corrupt { table: "watched", column: "subject" })?,
        ))
    }
}

impl Write {
    /// An event of a block says when the subject is to be looked at; `None` if it needs no more looks.
    pub async fn watch(
        &mut self,
        chain_id: u64,
        contract: Address,
        subject: U256,
        block: u64,
        look_at: Option<u64>,
    ) -> Result<(), StoreError> {
        sqlx::query(
            "INSERT INTO watched (chain_id, contract, subject, block_number, look_at) VALUES ($1, $2, $3, $4, $5) \
             ON CONFLICT (chain_id, contract, subject) DO UPDATE SET block_number = excluded.block_number, \
             look_at = excluded.look_at",
        )
        .bind(signed(chain_id))
        .bind(contract.as_slice())
        .bind(subject.to_string())
        .bind(signed(block))
        .bind(look_at.map(signed))
        .execute(&mut *self.tx)
        .await?;
        Ok(())
    }

    /// Sets the time of a subject's next look.
    pub async fn look_again(&mut self, id: i64, look_at: Option<u64>) -> Result<(), StoreError> {
        sqlx::query("UPDATE watched SET look_at = $1 WHERE id = $2")
            .bind(look_at.map(signed))
            .bind(id)
            .execute(&mut *self.tx)
            .await?;
        Ok(())
    }

    /// What the blocks above a height said no longer counts: their subjects, and those of jobs that were asked in them, are
    /// looked at anew.
    pub async fn look_above(&mut self, chain_id: u64, number: u64) -> Result<(), StoreError> {
        sqlx::query(
            "UPDATE watched SET look_at = 0 WHERE chain_id = $1 AND (block_number > $2 OR EXISTS (SELECT 1 FROM jobs \
             WHERE jobs.chain_id = $1 AND jobs.contract = watched.contract AND jobs.subject = watched.subject \
             AND jobs.block_number > $2))",
        )
        .bind(signed(chain_id))
        .bind(signed(number))
        .execute(&mut *self.tx)
        .await?;
        Ok(())
    }

    /// Something new from outside the chain: every subject of a contract that is still looked at is looked at now.
    pub async fn look_now(&mut self, chain_id: u64, contract: Address) -> Result<(), StoreError> {
        sqlx::query("UPDATE watched SET look_at = 0 WHERE chain_id = $1 AND contract = $2 AND look_at IS NOT NULL")
            .bind(signed(chain_id))
            .bind(contract.as_slice())
            .execute(&mut *self.tx)
            .await?;
        Ok(())
    }
}
