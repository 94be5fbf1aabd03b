//! Jobs and transactions, page by page, as JSON or as CSV.

use axum::{
    extract::State,
    http::HeaderMap,
    response::{IntoResponse, Response},
};
use serde::Deserialize;
use utoipa::IntoParams;

use super::{ChainQuery, panel};
use crate::{
    chain::types::U256,
    http::{
        Panel,
        answer::{self, ApiError, List, Path, Query, Tag, cell, csv},
        routes::Shared,
        views::{self, JobDetail, JobView, TxView},
    },
    service::OrderError,
    store::{JobFilter, State as JobState, TxFilter, TxState, Which},
};

/// Most rows of an export.
const MOST_EXPORTED: usize = 100_000;

/// Which jobs are listed.
#[derive(Clone, Debug, Default, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(super) struct JobsQuery {
    /// The chain's id; needed where the process serves several.
    chain: Option<u64>,
    /// A state; `live` for those that are open or need a person, which is what is listed if left out; or `all`.
    state: Option<String>,
    /// Of this app only.
    app: Option<String>,
    /// About this subject only.
    subject: Option<String>,
    /// `next` of the page before.
    cursor: Option<String>,
    /// Most rows of the page; 50 if left out.
    #[param(minimum = 1, maximum = 200)]
    limit: Option<u32>,
    /// `csv` for all rows as a file.
    #[param(inline)]
    format: Option<Format>,
}

/// Which transactions are listed.
#[derive(Clone, Debug, Default, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(super) struct TxQuery {
    /// The chain's id; needed where the process serves several.
    chain: Option<u64>,
    /// All of them, not only those that aren't at an end.
    all: Option<bool>,
    /// In this state only.
    state: Option<String>,
    /// `next` of the page before.
    cursor: Option<String>,
    /// Most rows of the page; 50 if left out.
    #[param(minimum = 1, maximum = 200)]
    limit: Option<u32>,
    /// `csv` for all rows as a file.
    #[param(inline)]
    format: Option<Format>,
}

/// How a list is given.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "snake_case")]
enum Format {
    /// A page of JSON.
    Json,
    /// A file of comma-separated values.
    Csv,
}

impl JobsQuery {
    fn filter(&self, panel: &Panel) -> Result<JobFilter, ApiError> {
        let which = match self.state.as_deref() {
            None | Some("live") => Which::Live,
            Some("all") => Which::All,
            Some(state) => {
                let wrong = |_| ApiError::Malformed(format!("state = {state}: there is no such state of jobs"));
                Which::In(state.parse::<JobState>().map_err(wrong)?)
            }
        };
        let subject = match self.subject.as_deref() {
            None => None,
            Some(text) => Some(subject(text)?),
        };
        let contracts: Vec<_> = match self.app.as_deref() {
            None => vec![],
            Some(app) => {
                let of_app = panel.contracts.iter().filter(|(name, _)| *name == app).map(|(_, contract)| *contract);
                let found: Vec<_> = of_app.collect();
                if found.is_empty() {
                    let wrong = format!("app = {app}: chain {} has none", panel.monitor.chain_id());
                    return Err(ApiError::Malformed(wrong));
                }
                found
            }
        };
        Ok(JobFilter {
            chain_id: Some(panel.monitor.chain_id()),
            contracts,
            subject,
            states: which.states(),
            before: row(self.cursor.as_deref())?,
            limit: answer::limit(self.limit)?,
        })
    }
}

/// A subject's number, as a decimal or as hex.
fn subject(text: &str) -> Result<U256, ApiError> {
    text.parse().map_err(|_| ApiError::Malformed("subject is the number of a game, a market or an incident".into()))
}

fn row(cursor: Option<&str>) -> Result<Option<i64>, ApiError> {
    Ok(answer::before(cursor)?.and_then(|row| i64::try_from(row).ok()))
}

/// Jobs of a chain, newest first.
#[utoipa::path(get, path = "/jobs", tag = "operator", params(JobsQuery), responses((
    status = 200, content((List<JobView> = "application/json"), (String = "text/csv"))
)))]
pub(super) async fn jobs(State(shared): State<Shared>, Query(query): Query<JobsQuery>) -> Result<Response, ApiError> {
    let panel = panel(&shared, query.chain)?;
    let mut filter = query.filter(panel)?;
    if query.format != Some(Format::Csv) {
        return answer::json(&views::list_jobs(&panel.store, &filter, &panel.contracts).await?);
    }
    filter.limit = crate::store::MOST_LISTED;
    let mut text =
        "id,chain_id,app,contract,subject,round,state,attempts,block,proving_ms,created_at,updated_at,note\n"
            .to_owned();
    let mut rows = 0;
    loop {
        let page = views::list_jobs(&panel.store, &filter, &panel.contracts).await?;
        rows += page.items.len();
        for job in &page.items {
            text += &job_line(job);
        }
        filter.before = row(page.next.as_deref())?;
        if filter.before.is_none() || rows >= MOST_EXPORTED {
            return Ok(csv("jobs", text));
        }
    }
}

fn job_line(job: &JobView) -> String {
    let JobView { id, chain_id, contract, subject, round, state, attempts, block, created_at, updated_at, .. } = job;
    let app = job.app.as_deref().unwrap_or_default();
    let ms = job.proving_ms.map(|ms| ms.to_string()).unwrap_or_default();
    let note = cell(&job.note);
    format!(
        "{id},{chain_id},{app},{contract},{subject},{round},{state},{attempts},{block},{ms},{created_at},{updated_at},{note}\n"
    )
}

/// A job with its time line and its transactions.
#[utoipa::path(get, path = "/jobs/{id}", tag = "operator", params(("id" = i64, Path, description = "The job's row"), ChainQuery),
    responses((status = 200, body = JobDetail), (status = 304, description = "Unchanged")))]
pub(super) async fn job(
    State(shared): State<Shared>,
    Path(id): Path<i64>,
    Query(query): Query<ChainQuery>,
    headers: HeaderMap,
) -> Result<Response, ApiError> {
    let panel = panel(&shared, query.chain)?;
    let found = views::job(&panel.store, panel.monitor.chain_id(), id).await?;
    let mut found = found.ok_or(OrderError::NoJob { job: id })?;
    found.job.app = views::app_of(&panel.contracts, &found.job.contract);
    if let Some(job) = panel.store.job_by_id(id).await? {
        let progress = panel.monitor.progress(&panel.store, &job).await?;
        (found.times, found.step) = (progress.times, progress.step);
    }
    let states: Vec<String> = found.transactions.iter().map(|tx| format!("{} {:?}", tx.state, tx.hash)).collect();
    let tag = Tag::of(&[&id, &found.job.updated_at, &format!("{:?} {:?} {states:?}", found.times, found.step)]);
    if tag.is_known(&headers) { Ok(tag.unchanged()) } else { tag.on(&found) }
}

/// Transactions of a chain, newest first.
#[utoipa::path(get, path = "/transactions", tag = "operator", params(TxQuery), responses((
    status = 200, content((List<TxView> = "application/json"), (String = "text/csv"))
)))]
pub(super) async fn transactions(
    State(shared): State<Shared>,
    Query(query): Query<TxQuery>,
) -> Result<Response, ApiError> {
    let panel = panel(&shared, query.chain)?;
    let states = match query.state.as_deref() {
        None => views::states(query.all == Some(true)),
        Some(name) => {
            let state = TxState::all().find(|state| state.name() == name);
            vec![state.ok_or_else(|| {
                ApiError::Malformed(format!("state = {name}: there is no such state of transactions"))
            })?]
        }
    };
    let mut filter = TxFilter {
        chain_id: Some(panel.monitor.chain_id()),
        states,
        before: row(query.cursor.as_deref())?,
        limit: answer::limit(query.limit)?,
        ..TxFilter::default()
    };
    if query.format != Some(Format::Csv) {
        return answer::json(&views::list_transactions(&panel.store, &filter).await?);
    }
    filter.limit = crate::store::MOST_LISTED;
    let mut text =
        "id,signer,nonce,state,job,purpose,hash,versions,max_fee,max_priority,signed_at,block,ok,gas_used\n".to_owned();
    let mut rows = 0;
    loop {
        let page = views::list_transactions(&panel.store, &filter).await?;
        rows += page.items.len();
        for tx in &page.items {
            text += &tx_line(tx);
        }
        filter.before = row(page.next.as_deref())?;
        if filter.before.is_none() || rows >= MOST_EXPORTED {
            return Ok(csv("transactions", text).into_response());
        }
    }
}

fn tx_line(tx: &TxView) -> String {
    fn shown<T: std::fmt::Display>(value: &Option<T>) -> String {
        value.as_ref().map(T::to_string).unwrap_or_default()
    }
    let TxView { id, nonce, state, versions, .. } = tx;
    let (signer, purpose) = (shown(&tx.signer), cell(&tx.purpose));
    let (job, hash, fee, tip) = (shown(&tx.job), shown(&tx.hash), shown(&tx.max_fee), shown(&tx.max_priority));
    let (signed, block, ok, gas) = (shown(&tx.signed_at), shown(&tx.block), shown(&tx.ok), shown(&tx.gas_used));
    format!("{id},{signer},{nonce},{state},{job},{purpose},{hash},{versions},{fee},{tip},{signed},{block},{ok},{gas}\n")
}
