//! Lists for people and tools: jobs and transactions by what they are, page by page, newest first.
//!
//! A page goes on where the one before it ended, by row id, so that rows which come or change meanwhile are neither repeated
//! nor left out, and the last page costs as much as the first.

use sqlx::{
    Any, Row,
    any::{AnyArguments, AnyRow},
    query::Query,
};

use super::{Job, State, Store, StoreError, Tx, TxState, bytes, jobs, signed, transactions, unsigned};
use crate::chain::types::{Address, U256};

/// Most rows of a page.
pub const MOST_LISTED: u32 = 1000;

/// Which jobs are listed. The default is all of them, on pages of no rows.
#[derive(Clone, Debug, Default)]
pub struct JobFilter {
    /// Of this chain only.
    pub chain_id: Option<u64>,
    /// Of one of these contracts only, such as an app's; of all if empty.
    pub contracts: Vec<Address>,
    /// About this subject only.
    pub subject: Option<U256>,
    /// In one of these states only; in any if empty.
    pub states: Vec<State>,
    /// Older than this row, which was the last one of the page before.
    pub before: Option<i64>,
    /// Most rows, at most [`MOST_LISTED`].
    pub limit: u32,
}

/// Which transactions are listed. The default is all of them, on pages of no rows.
#[derive(Clone, Debug, Default)]
pub struct TxFilter {
    /// Of this chain only.
    pub chain_id: Option<u64>,
    /// Of this key only.
    pub signer: Option<Address>,
    /// In one of these states only; in any if empty.
    pub states: Vec<TxState>,
    /// Older than this row, which was the last one of the page before.
    pub before: Option<i64>,
    /// Most rows, at most [`MOST_LISTED`].
    pub limit: u32,
}

/// A job as it is listed.
#[derive(Clone, Debug)]
pub struct JobEntry {
    /// The job.
    pub job: Job,
    /// Bytes of the stored proof; 0 without one.
    pub proof_bytes: u64,
    /// When it last changed, unix milliseconds.
    pub updated_at: i64,
}

/// A transaction as it is listed.
#[derive(Clone, Debug)]
pub struct TxEntry {
    /// The transaction with its signed versions.
    pub tx: Tx,
    /// Its chain.
    pub chain_id: u64,
    /// Whose nonce it has.
    pub signer: Address,
    /// Why, where that needs words.
    pub note: String,
    /// When it was first signed, unix milliseconds.
    pub created_at: i64,
    /// When it last changed, unix milliseconds.
    pub updated_at: i64,
}

/// Some rows, and whether there are more.
#[derive(Clone, Debug)]
pub struct Page<T> {
    /// The rows, newest first.
    pub entries: Vec<T>,
    /// What the next page is asked with as `before`; none if this is the last one.
    pub next: Option<i64>,
}

impl Store {
    /// A page of jobs.
    pub async fn list_jobs(&self, filter: &JobFilter) -> Result<Page<JobEntry>, StoreError> {
        let mut conditions = Conditions::default();
        conditions.one("chain_id = ", filter.chain_id.map(|id| Value::Number(signed(id))));
        conditions.any("contract IN ", filter.contracts.iter().map(|contract| Value::Bytes(contract.to_vec())));
        conditions.one("subject = ", filter.subject.map(|subject| Value::Text(subject.to_string())));
        conditions.any("state IN ", filter.states.iter().map(|state| Value::Text(state.to_string())));
        let columns = format!("{}, updated_at, coalesce(length(proof), 0) AS proof_bytes", jobs::COLUMNS);
        let (rows, next) = self.page("jobs", &columns, conditions, filter.before, filter.limit).await?;
        let entries = rows.iter().map(job_entry).collect::<Result<_, _>>()?;
        Ok(Page { entries, next })
    }

    /// A page of transactions.
    pub async fn list_transactions(&self, filter: &TxFilter) -> Result<Page<TxEntry>, StoreError> {
        let mut conditions = Conditions::default();
        conditions.one("chain_id = ", filter.chain_id.map(|id| Value::Number(signed(id))));
        conditions.one("signer = ", filter.signer.map(|signer| Value::Bytes(signer.to_vec())));
        conditions.any("state IN ", filter.states.iter().map(|state| Value::Text(state.name().to_owned())));
        let (rows, next) = self.page("transactions", &tx_columns(), conditions, filter.before, filter.limit).await?;
        Ok(Page { entries: self.tx_entries(&rows).await?, next })
    }

    async fn tx_entries(&self, rows: &[AnyRow]) -> Result<Vec<TxEntry>, StoreError> {
        let txs = self.with_attempts(rows).await?;
        rows.iter()
            .zip(txs)
            .map(|(row, tx)| {
                Ok(TxEntry {
                    tx,
                    chain_id: unsigned(row.get("chain_id"), "transactions", "chain_id")?,
                    signer: Address::from(bytes::<20>(row.get("signer"), "transactions", "signer")?),
                    note: row.get("note"),
                    created_at: row.get("created_at"),
                    updated_at: row.get("updated_at"),
                })
            })
            .collect()
    }

    async fn page(
        &self,
        table: &str,
        columns: &str,
        mut conditions: Conditions,
        before: Option<i64>,
        limit: u32,
    ) -> Result<(Vec<AnyRow>, Option<i64>), StoreError> {
        conditions.one("id < ", before.map(Value::Number));
        let limit = limit.min(MOST_LISTED);
        let sql = format!("SELECT {columns} FROM {table}{} ORDER BY id DESC LIMIT {}", conditions.sql, limit + 1);
        let query = sqlx::query(sqlx::AssertSqlSafe(sql));
        let mut rows = conditions.values.into_iter().fold(query, Value::bind).fetch_all(&self.readers).await?;
        let most = usize::try_from(limit).unwrap_or(usize::MAX);
        let more = rows.len() > most;
        rows.truncate(most);
        let next = if more { rows.last().map(|row| row.get("id")) } else { None };
        Ok((rows, next))
    }
}

fn job_entry(row: &AnyRow) -> Result<JobEntry, StoreError> {
    Ok(JobEntry {
        job: jobs::job(row)?,
        proof_bytes: unsigned(row.get("proof_bytes"), "jobs", "proof")?,
        updated_at: row.get("updated_at"),
    })
}

fn tx_columns() -> String {
    format!("{}, chain_id, note, created_at, updated_at", transactions::COLUMNS)
}

/// What goes where a `$1` stands.
enum Value {
    Number(i64),
    Text(String),
    Bytes(Vec<u8>),
}

impl Value {
    fn bind(query: Query<'_, Any, AnyArguments>, value: Self) -> Query<'_, Any, AnyArguments> {
        match value {
            Self::Number(number) => query.bind(number),
            Self::Text(text) => query.bind(text),
            Self::Bytes(bytes) => query.bind(bytes),
        }
    }
}

/// A `WHERE` that is put together, with its values.
#[derive(Default)]
struct Conditions {
    sql: String,
    values: Vec<Value>,
}

impl Conditions {
    /// One value, if there is one.
    fn one(&mut self, what: &str, value: Option<Value>) {
        if let Some(value) = value {
            let place = self.place(value);
            self.and(&format!("{what}{place}"));
        }
    }

    /// One of several values, if there are any.
    fn any(&mut self, what: &str, values: impl Iterator<Item = Value>) {
        let places: Vec<String> = values.map(|value| self.place(value)).collect();
        if !places.is_empty() {
            self.and(&format!("{what}({})", places.join(", ")));
        }
    }

    fn place(&mut self, value: Value) -> String {
        self.values.push(value);
        format!("${}", self.values.len())
    }

    fn and(&mut self, condition: &str) {
        self.sql += if self.sql.is_empty() { " WHERE " } else { " AND " };
        self.sql += condition;
    }
}
