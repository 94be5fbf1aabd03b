//! Jobs: one for each question that the chain asked.

use std::{fmt, str::FromStr};

use sqlx::{Row, any::AnyRow};

use super::{BlockRef, Store, StoreError, Write, bytes, signed, unsigned};
use crate::chain::types::{Address, U256};

/// Where a job stands. `final`, `forfeited`, `moot` and `failed` are ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum State {
    /// The question was seen on the chain.
    Seen,
    /// A proof is being made.
    Proving,
    /// The proof is stored.
    Proved,
    /// A signed transaction is stored.
    Submitted,
    /// The answer is in a block.
    Included,
    /// The answer is in a block that is deep enough.
    Final,
    /// It ended without our answer: too late, or an answer that the contract is right not to take.
    Forfeited,
    /// The question no longer needs our answer.
    Moot,
    /// Reported to the operator: it needs a person.
    Failed,
}

impl State {
    const ALL: [(Self, &'static str); 9] = [
        (Self::Seen, "seen"),
        (Self::Proving, "proving"),
        (Self::Proved, "proved"),
        (Self::Submitted, "submitted"),
        (Self::Included, "included"),
        (Self::Final, "final"),
        (Self::Forfeited, "forfeited"),
        (Self::Moot, "moot"),
        (Self::Failed, "failed"),
    ];

    /// All states, in a job's order.
    pub fn all() -> impl Iterator<Item = Self> {
        Self::ALL.into_iter().map(|(state, _)| state)
    }

    /// Whether the daemon still has something to do for it.
    pub fn is_open(self) -> bool {
        matches!(self, Self::Seen | Self::Proving | Self::Proved | Self::Submitted | Self::Included)
    }
}

impl fmt::Display for State {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(Self::ALL.iter().find(|(s, _)| s == self).map_or("", |(_, name)| name))
    }
}

impl FromStr for State {
    type Err = StoreError;

    fn from_str(s: &str) -> Result<Self, StoreError> {
        Self::ALL
            .iter()
            .find(|(_, name)| *name == s)
            .map(|(state, _)| *state)
            .ok_or(StoreError::Corrupt { table: "jobs", column: "state" })
    }
}

/// What makes a question the same question.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct JobKey {
    /// Chain id.
    pub chain_id: u64,
    /// Whose question it is.
    pub contract: Address,
    /// What is asked about: a game, a request, a market, an incident.
    pub subject: U256,
    /// Which question about it: a ply, a round; 0 where there is only one.
    pub round: u64,
}

/// A job as stored, without its proof.
#[derive(Clone, Debug)]
pub struct Job {
    /// Row id.
    pub id: i64,
    /// What it answers.
    pub key: JobKey,
    /// The block that asked.
    pub block: BlockRef,
    /// Where it stands.
    pub state: State,
    /// Why, where that needs words.
    pub note: String,
    /// Proofs started.
    pub attempts: u32,
    /// Milliseconds that the stored proof took.
    pub proving_ms: Option<u64>,
    /// When the question was first stored, unix milliseconds.
    pub created_at: i64,
}

/// A proven answer: kept so that it can be sent again.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Answer {
    /// The outputs among the proof's instances, big-endian.
    pub outputs: Vec<[u8; 32]>,
    /// Proof bytes.
    pub proof: Vec<u8>,
}

pub(super) const COLUMNS: &str =
    "id, chain_id, contract, subject, round, block_number, block_hash, state, note, attempts, proving_ms, created_at";

pub(super) fn job(row: &AnyRow) -> Result<Job, StoreError> {
    let corrupt = |column| StoreError::Corrupt { table: "jobs", column };
    Ok(Job {
        id: row.get("id"),
        key: JobKey {
            chain_id: unsigned(row.get("chain_id"), "jobs", "chain_id")?,
            contract: Address::from(bytes::<20>(row.get("contract"), "jobs", "contract")?),
            subject: row.get::<&str, _>("subject").parse().map_err(|_| corrupt("subject"))?,
            round: unsigned(row.get("round"), "jobs", "round")?,
        },
        block: BlockRef {
            number: unsigned(row.get("block_number"), "jobs", "block_number")?,
            hash: bytes(row.get("block_hash"), "jobs", "block_hash")?.into(),
        },
        state: row.get::<&str, _>("state").parse()?,
        note: row.get("note"),
        attempts: u32::try_from(row.get::<i64, _>("attempts")).map_err(|_| corrupt("attempts"))?,
        proving_ms: row.get::<Option<i64>, _>("proving_ms").map(|ms| unsigned(ms, "jobs", "proving_ms")).transpose()?,
        created_at: row.get("created_at"),
    })
}

impl Store {
    /// All jobs of a chain that are not at an end, oldest first.
    pub async fn open_jobs(&self, chain_id: u64) -> Result<Vec<Job>, StoreError> {
        let sql = format!(
            "SELECT {COLUMNS} FROM jobs WHERE chain_id = $1 AND state IN ('seen', 'proving', 'proved', 'submitted', 'included') ORDER BY id"
        );
        sqlx::query(sqlx::AssertSqlSafe(sql))
            .bind(signed(chain_id))
            .fetch_all(&self.readers)
            .await?
            .iter()
            .map(job)
            .collect()
    }

    /// The oldest jobs of some contracts that are in a state, at most so many: what is to be done next must not cost more, the
    /// more there is to do.
    pub async fn oldest_jobs(
        &self,
        chain_id: u64,
        state: State,
        contracts: &[Address],
        most: usize,
    ) -> Result<Vec<Job>, StoreError> {
        let mut found = Vec::new();
        for contract in contracts {
            // The second condition is the index's own.
            let sql = format!(
                "SELECT {COLUMNS} FROM jobs WHERE chain_id = $1 AND state = $2 \
                 AND state IN ('seen', 'proving', 'proved', 'submitted', 'included') AND contract = $3 ORDER BY id LIMIT $4"
            );
            let rows = sqlx::query(sqlx::AssertSqlSafe(sql))
                .bind(signed(chain_id))
                .bind(state.to_string())
                .bind(contract.as_slice())
                .bind(i64::try_from(most).unwrap_or(i64::MAX))
                .fetch_all(&self.readers)
                .await?;
            for row in &rows {
                found.push(job(row)?);
            }
        }
        found.sort_unstable_by_key(|job: &Job| job.id);
        found.truncate(most);
        Ok(found)
    }

    /// All jobs, oldest first.
    pub async fn jobs(&self) -> Result<Vec<Job>, StoreError> {
        let sql = format!("SELECT {COLUMNS} FROM jobs ORDER BY id");
        sqlx::query(sqlx::AssertSqlSafe(sql)).fetch_all(&self.readers).await?.iter().map(job).collect()
    }

    /// One job by its row.
    pub async fn job_by_id(&self, id: i64) -> Result<Option<Job>, StoreError> {
        let sql = format!("SELECT {COLUMNS} FROM jobs WHERE id = $1");
        sqlx::query(sqlx::AssertSqlSafe(sql))
            .bind(id)
            .fetch_optional(&self.readers)
            .await?
            .as_ref()
            .map(job)
            .transpose()
    }

    /// One job by its key.
    pub async fn job_of(&self, key: &JobKey) -> Result<Option<Job>, StoreError> {
        let sql =
            format!("SELECT {COLUMNS} FROM jobs WHERE chain_id = $1 AND contract = $2 AND subject = $3 AND round = $4");
        let row = sqlx::query(sqlx::AssertSqlSafe(sql))
            .bind(signed(key.chain_id))
            .bind(key.contract.as_slice())
            .bind(key.subject.to_string())
            .bind(signed(key.round))
            .fetch_optional(&self.readers)
            .await?;
        row.as_ref().map(job).transpose()
    }

    /// The newest job of a subject: that of its highest round.
    pub async fn newest_job(&self, chain_id: u64, contract: Address, subject: U256) -> Result<Option<Job>, StoreError> {
        let sql = format!(
            "SELECT {COLUMNS} FROM jobs WHERE chain_id = $1 AND contract = $2 AND subject = $3 ORDER BY round DESC LIMIT 1"
        );
        let row = sqlx::query(sqlx::AssertSqlSafe(sql))
            .bind(signed(chain_id))
            .bind(contract.as_slice())
            .bind(subject.to_string())
            .fetch_optional(&self.readers)
            .await?;
        row.as_ref().map(job).transpose()
    }

    /// The stored answer of a job; none if there is no proof yet, or no longer ([`Store::prune`]).
    pub async fn answer(&self, id: i64) -> Result<Option<Answer>, StoreError> {
        let row = sqlx::query("SELECT outputs, proof FROM jobs WHERE id = $1 AND length(proof) > 0")
            .bind(id)
            .fetch_optional(&self.readers)
            .await?;
        row.map(|row| {
            let (words, rest) = row.get::<&[u8], _>("outputs").as_chunks::<32>();
            if !rest.is_empty() {
                return Err(StoreError::Corrupt { table: "jobs", column: "outputs" });
            }
            Ok(Answer { outputs: words.to_vec(), proof: row.get("proof") })
        })
        .transpose()
    }
}

impl Write {
    /// One job by its key.
    pub async fn job(&mut self, key: &JobKey) -> Result<Option<Job>, StoreError> {
        let sql =
            format!("SELECT {COLUMNS} FROM jobs WHERE chain_id = $1 AND contract = $2 AND subject = $3 AND round = $4");
        let row = sqlx::query(sqlx::AssertSqlSafe(sql))
            .bind(signed(key.chain_id))
            .bind(key.contract.as_slice())
            .bind(key.subject.to_string())
            .bind(signed(key.round))
            .fetch_optional(&mut *self.tx)
            .await?;
        row.as_ref().map(job).transpose()
    }

    /// One job by its row.
    pub async fn job_by_id(&mut self, id: i64) -> Result<Option<Job>, StoreError> {
        let sql = format!("SELECT {COLUMNS} FROM jobs WHERE id = $1");
        let row = sqlx::query(sqlx::AssertSqlSafe(sql)).bind(id).fetch_optional(&mut *self.tx).await?;
        row.as_ref().map(job).transpose()
    }

    /// All jobs of one subject, by round.
    pub async fn jobs_of(&mut self, chain_id: u64, contract: Address, subject: U256) -> Result<Vec<Job>, StoreError> {
        let sql =
            format!("SELECT {COLUMNS} FROM jobs WHERE chain_id = $1 AND contract = $2 AND subject = $3 ORDER BY round");
        sqlx::query(sqlx::AssertSqlSafe(sql))
            .bind(signed(chain_id))
            .bind(contract.as_slice())
            .bind(subject.to_string())
            .fetch_all(&mut *self.tx)
            .await?
            .iter()
            .map(job)
            .collect()
    }

    /// All jobs that a block above `number` asked for.
    pub async fn jobs_above(&mut self, chain_id: u64, number: u64) -> Result<Vec<Job>, StoreError> {
        let sql = format!("SELECT {COLUMNS} FROM jobs WHERE chain_id = $1 AND block_number > $2 ORDER BY id");
        sqlx::query(sqlx::AssertSqlSafe(sql))
            .bind(signed(chain_id))
            .bind(signed(number))
            .fetch_all(&mut *self.tx)
            .await?
            .iter()
            .map(job)
            .collect()
    }

    /// Notes where the cursor is in the jobs that have just ended without an answer.
    pub async fn note_ends(&mut self, chain_id: u64) -> Result<(), StoreError> {
        sqlx::query(
            "UPDATE jobs SET ended_at = coalesce((SELECT number FROM cursor WHERE chain_id = $1), 0) \
             WHERE chain_id = $1 AND state IN ('moot', 'forfeited') AND ended_at IS NULL",
        )
        .bind(signed(chain_id))
        .execute(&mut *self.tx)
        .await?;
        Ok(())
    }

    /// All jobs that a block up to `number` asked for, and that ended without an answer in a block above it.
    pub async fn jobs_ended_above(&mut self, chain_id: u64, number: u64) -> Result<Vec<Job>, StoreError> {
        let sql = format!(
            "SELECT {COLUMNS} FROM jobs WHERE chain_id = $1 AND block_number <= $2 AND ended_at > $3 \
             AND state IN ('moot', 'forfeited') ORDER BY id"
        );
        sqlx::query(sqlx::AssertSqlSafe(sql))
            .bind(signed(chain_id))
            .bind(signed(number))
            .bind(signed(number))
            .fetch_all(&mut *self.tx)
            .await?
            .iter()
            .map(job)
            .collect()
    }

    /// Stores a question, or asks one again after a reorganisation: the row is the same. An earlier
    /// proof stays in it until the new one takes its place.
    pub async fn ask(&mut self, key: &JobKey, block: BlockRef) -> Result<(), StoreError> {
        sqlx::query(
            "INSERT INTO jobs (chain_id, contract, subject, round, block_number, block_hash, state, created_at, updated_at) \
             VALUES ($1, $2, $3, $4, $5, $6, 'seen', $7, $8) \
             ON CONFLICT (chain_id, contract, subject, round) DO UPDATE SET block_number = excluded.block_number, \
             block_hash = excluded.block_hash, state = 'seen', note = 'asked again', attempts = 0, ended_at = NULL, updated_at = excluded.updated_at",
        )
        .bind(signed(key.chain_id))
        .bind(key.contract.as_slice())
        .bind(key.subject.to_string())
        .bind(signed(key.round))
        .bind(signed(block.number))
        .bind(block.hash.as_slice())
        .bind(self.clock.now_ms())
        .bind(self.clock.now_ms())
        .execute(&mut *self.tx)
        .await?;
        Ok(())
    }

    /// Moves a job to a state and says why.
    pub async fn set_state(&mut self, id: i64, state: State, note: &str) -> Result<(), StoreError> {
        sqlx::query(
            "UPDATE jobs SET state = $1, note = $2, attempts = attempts + CASE WHEN $1 = 'proving' THEN 1 ELSE 0 END, ended_at = NULL, updated_at = $3 WHERE id = $4",
        )
        .bind(state.to_string())
        .bind(note)
        .bind(self.clock.now_ms())
        .bind(id)
        .execute(&mut *self.tx)
        .await?;
        Ok(())
    }

    /// Stores a proof and with it the state `proved`.
    pub async fn set_proved(&mut self, id: i64, answer: &Answer, proving_ms: u64) -> Result<(), StoreError> {
        sqlx::query("UPDATE jobs SET state = 'proved', note = '', outputs = $1, proof = $2, proving_ms = $3, updated_at = $4 WHERE id = $5")
            .bind(answer.outputs.as_flattened())
            .bind(answer.proof.as_slice())
            .bind(signed(proving_ms))
            .bind(self.clock.now_ms())
            .bind(id)
            .execute(&mut *self.tx)
            .await?;
        Ok(())
    }
}
