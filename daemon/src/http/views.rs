//! Jobs and transactions as people and programs read them: the same from a running daemon and from a store.

use serde::{Deserialize, Serialize};

use crate::{
    config::Config,
    store::{Errand, Job, JobFilter, Store, StoreError, Tx, TxFilter, TxState, Which},
};

/// A job.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct JobView {
    /// Its row, by which commands name it.
    pub id: i64,
    /// Chain id.
    pub chain_id: u64,
    /// The contract that asks.
    pub contract: String,
    /// What is asked about.
    pub subject: String,
    /// Which question.
    pub round: u64,
    /// Where it stands.
    pub state: String,
    /// Why, where that needs words.
    pub note: String,
    /// Proofs started.
    pub attempts: u32,
    /// The block that asked.
    pub block: u64,
    /// Milliseconds that the stored proof took.
    pub proving_ms: Option<u64>,
    /// When it was first stored, unix milliseconds.
    pub created_at: i64,
}

impl From<&Job> for JobView {
    fn from(job: &Job) -> Self {
        Self {
            id: job.id,
            chain_id: job.key.chain_id,
            contract: job.key.contract.to_string(),
            subject: job.key.subject.to_string(),
            round: job.key.round,
            state: job.state.to_string(),
            note: job.note.clone(),
            attempts: job.attempts,
            block: job.block.number,
            proving_ms: job.proving_ms,
            created_at: job.created_at,
        }
    }
}

/// A transaction.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct TxView {
    /// Its row, by which commands name it.
    pub id: i64,
    /// Its nonce.
    pub nonce: u64,
    /// Where it stands.
    pub state: String,
    /// The job that it answers.
    pub job: Option<i64>,
    /// What it is for, in words.
    pub purpose: String,
    /// Hash of the newest version.
    pub hash: Option<String>,
    /// Signed versions.
    pub versions: usize,
    /// Highest fee per gas of the newest version, in wei.
    pub max_fee: Option<String>,
    /// Its tip per gas, in wei.
    pub max_priority: Option<String>,
    /// When the newest version was signed, unix milliseconds.
    pub signed_at: Option<i64>,
    /// The block that it is in.
    pub block: Option<u64>,
    /// Whether it succeeded there.
    pub ok: Option<bool>,
    /// Gas that it used.
    pub gas_used: Option<u64>,
    /// What the operator wants done with it at the next turn.
    pub wanted: Option<String>,
}

impl TxView {
    fn new(tx: &Tx) -> Self {
        let newest = tx.attempts.last();
        let (job, purpose) = match tx.errand {
            Some(Errand::Job(job)) => (Some(job), format!("answers job {job}")),
            Some(Errand::Claim(row)) => (None, format!("claims or ends subject {row}")),
            None => (None, "uses up its nonce".to_owned()),
        };
        Self {
            id: tx.id,
            nonce: tx.nonce,
            state: tx.state.name().to_owned(),
            job,
            purpose,
            hash: newest.map(|a| a.hash.to_string()),
            versions: tx.attempts.len(),
            max_fee: newest.map(|a| a.max_fee.to_string()),
            max_priority: newest.map(|a| a.max_priority.to_string()),
            signed_at: newest.map(|a| a.signed_at),
            block: tx.mined.map(|mined| mined.block.number),
            ok: tx.mined.map(|mined| mined.ok),
            gas_used: tx.mined.map(|mined| mined.gas_used),
            wanted: tx.wanted.map(|wanted| wanted.name().to_owned()),
        }
    }
}

/// Jobs of a chain, newest first.
pub async fn jobs(store: &Store, chain_id: u64, which: Which, limit: u32) -> Result<Vec<JobView>, StoreError> {
    let filter = JobFilter { chain_id: Some(chain_id), states: which.states(), limit, ..JobFilter::default() };
    let page = store.list_jobs(&filter).await?;
    Ok(page.entries.iter().map(|entry| JobView::from(&entry.job)).collect())
}

/// Transactions of a chain, newest first: those that aren't at an end, or all.
pub async fn transactions(store: &Store, chain_id: u64, all: bool, limit: u32) -> Result<Vec<TxView>, StoreError> {
    let under_way = TxState::all().filter(|state| !matches!(state, TxState::Final | TxState::Dropped));
    let states = if all { vec![] } else { under_way.collect() };
    let page =
        store.list_transactions(&TxFilter { chain_id: Some(chain_id), states, limit, ..TxFilter::default() }).await?;
    Ok(page.entries.iter().map(|entry| TxView::new(&entry.tx)).collect())
}

/// A job with its transactions, oldest first.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct JobDetail {
    /// The job.
    #[serde(flatten)]
    pub job: JobView,
    /// Its transactions.
    pub transactions: Vec<TxView>,
}

/// A job with its transactions, if there is such a job on the chain.
pub async fn job(store: &Store, chain_id: u64, id: i64) -> Result<Option<JobDetail>, StoreError> {
    let Some(job) = store.job_by_id(id).await?.filter(|job| job.key.chain_id == chain_id) else { return Ok(None) };
    let mut transactions = Vec::new();
    for tx in store.transactions_of(Errand::Job(id)).await? {
        transactions.push(TxView::new(&tx));
    }
    Ok(Some(JobDetail { job: JobView::from(&job), transactions }))
}

/// What is known of a chain whose daemon doesn't run.
pub async fn stopped(config: &Config, store: &Store) -> Result<crate::monitor::Status, StoreError> {
    let counts = store.counts(config.chain.chain_id).await?;
    Ok(crate::monitor::Status {
        chain_id: config.chain.chain_id,
        why: vec!["no daemon runs".into()],
        apps: config.contracts().iter().map(|(app, contract)| format!("{app} {contract}")).collect(),
        cursor: counts.cursor,
        alive_at: counts.alive_at,
        jobs: counts.jobs,
        transactions: counts.transactions,
        ..crate::monitor::Status::default()
    })
}
