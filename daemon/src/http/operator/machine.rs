//! What the process has: its chains, their endpoints, its keys, models, workers and alerts.

use axum::{extract::State, response::Response};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::{
    alerts::Delivery,
    chain::{limits, types::U256},
    http::{
        answer::{self, ApiError, List},
        info,
        live::Live,
        routes::Shared,
    },
    monitor::Status,
};

/// An endpoint of a chain.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
pub struct EndpointView {
    /// Whose.
    pub chain_id: u64,
    /// Scheme and host.
    pub endpoint: String,
    /// `well`, `resting`, `throttled`, `behind` or `excluded`.
    pub condition: String,
    /// The newest block that it has told of.
    pub head: Option<u64>,
    /// How many blocks that is behind the best head.
    pub lag: u64,
    /// Requests since the start.
    pub requests: u64,
    /// Requests that failed.
    pub errors: u64,
    /// Milliseconds that the latest answer took.
    pub latency_ms: u64,
    /// The latest failure.
    pub trouble: Option<String>,
}

/// A key that signs.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
pub struct KeyView {
    /// On which chain.
    pub chain_id: u64,
    /// Its name, by which an app chooses it.
    pub name: String,
    /// Its address.
    pub address: String,
    /// Its wei; null while the node doesn't answer.
    pub balance: Option<String>,
    /// Most wei in any hour; null for no limit.
    pub hour_limit: Option<String>,
    /// Wei that the last hour cost, and that what is under way may cost.
    pub hour_spent: String,
    /// Most wei in any 24 hours; null for no limit.
    pub day_limit: Option<String>,
    /// Wei that the last 24 hours cost, and that what is under way may cost.
    pub day_spent: String,
}

/// A worker of the fleet.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
pub struct WorkerView {
    /// Its id.
    pub worker: String,
    /// The release that it runs.
    pub release: String,
    /// The models that it has loaded.
    pub models: Vec<String>,
    /// Proofs that it makes now.
    pub busy: usize,
    /// Proofs that it makes at the same time.
    pub slots: usize,
    /// Its machine's cores.
    pub cores: usize,
}

/// A model with what a proof of it takes.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
pub struct LoadedModel {
    /// What everybody may know of it.
    #[serde(flatten)]
    pub model: info::ModelInfo,
    /// Rows of its table in use.
    pub rows: usize,
    /// Columns of its table.
    pub columns: usize,
    /// Bytes of memory that its keys take.
    pub key_bytes: u64,
    /// Bytes of memory that one proof takes on top of that, predicted.
    pub memory_bytes: u64,
}

/// An alert that was told.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
pub struct AlertView {
    /// When, Unix milliseconds.
    pub at: i64,
    /// Which chain's.
    pub chain_id: u64,
    /// What it is about.
    pub kind: String,
    /// Its words.
    pub text: String,
    /// Whether it is open still.
    pub open: bool,
    /// Whether every webhook took it; null while that is under way, or without a webhook.
    pub delivered: Option<bool>,
}

/// Every chain's daemon: health, head, counts of jobs and transactions.
#[utoipa::path(get, path = "/status", tag = "operator", responses((status = 200, body = List<Status>)))]
pub(super) async fn status(State(shared): State<Shared>) -> Result<Response, ApiError> {
    answer::json(&List::whole(shared.panels.iter().map(|panel| panel.monitor.status()).collect()))
}

fn lives(shared: &Shared) -> impl Iterator<Item = &Live> {
    shared.panels.iter().filter_map(|panel| panel.live.get())
}

/// The nodes that are asked, and how they do.
#[utoipa::path(get, path = "/endpoints", tag = "operator", responses((status = 200, body = List<EndpointView>)))]
pub(super) async fn endpoints(State(shared): State<Shared>) -> Result<Response, ApiError> {
    let mut all = Vec::new();
    for live in lives(&shared) {
        all.extend(live.client().health().into_iter().map(|health| EndpointView {
            chain_id: live.chain_id(),
            endpoint: health.name,
            condition: health.condition.name().to_owned(),
            head: health.head,
            lag: health.lag,
            requests: health.requests,
            errors: health.errors,
            latency_ms: health.latency_ms,
            trouble: health.trouble,
        }));
    }
    answer::json(&List::whole(all))
}

/// The keys that sign: what they have, and what they may spend.
#[utoipa::path(get, path = "/keys", tag = "operator", responses((status = 200, body = List<KeyView>)))]
pub(super) async fn keys(State(shared): State<Shared>) -> Result<Response, ApiError> {
    let mut all = Vec::new();
    for live in lives(&shared) {
        let now = live.store().clock().now_ms();
        for key in &live.config().keys {
            let Some(address) = live.ground().signers.get(&key.name).copied() else { continue };
            let since = now.saturating_sub(limits::DAY);
            let spending = live.store().spending(live.chain_id(), address, since).await?;
            let (hour, day) = limits::spent(&spending, now);
            let text = |wei: U256| wei.to_string();
            all.push(KeyView {
                chain_id: live.chain_id(),
                name: key.name.clone(),
                address: address.to_string(),
                balance: live.client().balance(address).await.ok().map(text),
                hour_limit: key.limits.hour.map(text),
                hour_spent: text(hour),
                day_limit: key.limits.day.map(text),
                day_spent: text(day),
            });
        }
    }
    answer::json(&List::whole(all))
}

/// The machines that make proofs for this daemon, beside its own.
#[utoipa::path(get, path = "/workers", tag = "operator", responses((status = 200, body = List<WorkerView>)))]
pub(super) async fn workers(State(shared): State<Shared>) -> Result<Response, ApiError> {
    // All chains share one workshop.
    let present = lives(&shared).next().map(|live| live.workshop().workers()).unwrap_or_default();
    let view = |worker: crate::fleet::Presence| WorkerView {
        worker: worker.worker,
        release: worker.release,
        models: worker.models.iter().map(ToString::to_string).collect(),
        busy: worker.busy,
        slots: worker.slots,
        cores: worker.cores,
    };
    answer::json(&List::whole(present.into_iter().map(view).collect()))
}

/// The networks that are loaded, and what a proof of each takes.
#[utoipa::path(get, path = "/models", tag = "operator", responses((status = 200, body = List<LoadedModel>)))]
pub(super) async fn models(State(shared): State<Shared>) -> Result<Response, ApiError> {
    let mut all: Vec<LoadedModel> = Vec::new();
    for live in lives(&shared) {
        for (model, prover) in info::models_of(live).into_iter().zip(live.ground().models.provers()) {
            if all.iter().any(|known| known.model.model_id == model.model_id) {
                continue;
            }
            let facts = prover.facts();
            all.push(LoadedModel {
                model,
                rows: facts.rows,
                columns: facts.columns,
                key_bytes: facts.key_memory_bytes,
                memory_bytes: facts.proof_memory_bytes,
            });
        }
    }
    answer::json(&List::whole(all))
}

/// What needed attention lately, newest first, and whether webhooks took it.
#[utoipa::path(get, path = "/alerts", tag = "operator", responses((status = 200, body = List<AlertView>)))]
pub(super) async fn alerts(State(shared): State<Shared>) -> Result<Response, ApiError> {
    let mut all = Vec::new();
    for panel in shared.panels.iter() {
        all.extend(panel.monitor.recent_alerts().into_iter().map(|(told, open)| AlertView {
            at: told.at_ms,
            chain_id: panel.monitor.chain_id(),
            kind: told.kind.name().to_owned(),
            text: told.text,
            open,
            delivered: match told.delivery {
                Delivery::Nobody | Delivery::UnderWay => None,
                Delivery::Taken => Some(true),
                Delivery::Lost => Some(false),
            },
        }));
    }
    all.sort_by_key(|alert| std::cmp::Reverse(alert.at));
    answer::json(&List::whole(all))
}
