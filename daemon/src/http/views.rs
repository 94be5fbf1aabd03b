//! Jobs and transactions as people and programs read them: the same from a running daemon and from a store.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::answer::List;
use crate::{
    chain::types::Address,
    config::Config,
    monitor::Times,
    store::{Errand, Job, JobFilter, Store, StoreError, Tx, TxFilter, TxState, Which},
};

/// A job.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct JobView {
    /// Its row, by which commands name it.
    pub id: i64,
    /// Chain id.
    pub chain_id: u64,
    /// The app whose contract asks; null where the caller has no configuration.
    #[serde(default)]
    pub app: Option<String>,
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
    /// When it last changed, unix milliseconds.
    #[serde(default)]
    pub updated_at: i64,
}

impl From<&Job> for JobView {
    fn from(job: &Job) -> Self {
        Self {
            id: job.id,
            chain_id: job.key.chain_id,
            app: None,
            contract: job.key.contract.to_string(),
            subject: job.key.subject.to_string(),
            round: job.key.round,
            state: job.state.to_string(),
            note: job.note.clone(),
            attempts: job.attempts,
            block: job.block.number,
            proving_ms: job.proving_ms,
            created_at: job.created_at,
            updated_at: job.created_at,
        }
    }
}

/// A transaction.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct TxView {
    /// Its row, by which commands name it.
    pub id: i64,
    /// Whose nonce it has; null where it is shown with its job.
    #[serde(default)]
    pub signer: Option<String>,
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
            signer: None,
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

/// The app of a contract.
pub fn app_of(contracts: &[(&'static str, Address)], contract: &str) -> Option<String> {
    contracts.iter().find(|(_, known)| known.to_string() == contract).map(|(app, _)| (*app).to_owned())
}

/// A page of jobs, newest first.
pub async fn list_jobs(
    store: &Store,
    filter: &JobFilter,
    contracts: &[(&'static str, Address)],
) -> Result<List<JobView>, StoreError> {
    let page = store.list_jobs(filter).await?;
    let view = |entry: &crate::store::JobEntry| {
        let view = JobView { updated_at: entry.updated_at, ..JobView::from(&entry.job) };
        JobView { app: app_of(contracts, &view.contract), ..view }
    };
    Ok(List { items: page.entries.iter().map(view).collect(), next: page.next.map(|row| row.to_string()) })
}

/// A page of transactions, newest first.
pub async fn list_transactions(store: &Store, filter: &TxFilter) -> Result<List<TxView>, StoreError> {
    let page = store.list_transactions(filter).await?;
    let view =
        |entry: &crate::store::TxEntry| TxView { signer: Some(entry.signer.to_string()), ..TxView::new(&entry.tx) };
    Ok(List { items: page.entries.iter().map(view).collect(), next: page.next.map(|row| row.to_string()) })
}

/// The states of transactions that aren't at an end, or none for all.
pub fn states(all: bool) -> Vec<TxState> {
    let under_way = TxState::all().filter(|state| !matches!(state, TxState::Final | TxState::Dropped));
    if all { vec![] } else { under_way.collect() }
}

/// Jobs of a chain, newest first.
pub async fn jobs(store: &Store, config: &Config, which: Which, limit: u32) -> Result<Vec<JobView>, StoreError> {
    let chain_id = Some(config.chain.chain_id);
    let filter = JobFilter { chain_id, states: which.states(), limit, ..JobFilter::default() };
    Ok(list_jobs(store, &filter, &config.contracts()).await?.items)
}

/// Transactions of a chain, newest first: those that aren't at an end, or all.
pub async fn transactions(store: &Store, chain_id: u64, all: bool, limit: u32) -> Result<Vec<TxView>, StoreError> {
    let filter = TxFilter { chain_id: Some(chain_id), states: states(all), limit, ..TxFilter::default() };
    Ok(list_transactions(store, &filter).await?.items)
}

/// A job with its transactions, oldest first.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct JobDetail {
    /// The job.
    #[serde(flatten)]
    pub job: JobView,
    /// Its transactions.
    pub transactions: Vec<TxView>,
    /// When it came to what.
    #[serde(default)]
    pub times: Times,
    /// The step of the proof in the making, in words.
    #[serde(default)]
    pub step: Option<String>,
}

/// A job with its transactions, if there is such a job on the chain.
pub async fn job(store: &Store, chain_id: u64, id: i64) -> Result<Option<JobDetail>, StoreError> {
    let Some(job) = store.job_by_id(id).await?.filter(|job| job.key.chain_id == chain_id) else { return Ok(None) };
    let mut transactions = Vec::new();
    for tx in store.transactions_of(Errand::Job(id)).await? {
        transactions.push(TxView::new(&tx));
    }
    let times = Times { seen_ms: Some(job.created_at), ..Times::default() };
    Ok(Some(JobDetail { job: JobView::from(&job), transactions, times, step: None }))
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
