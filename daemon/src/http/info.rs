//! What this daemon serves: chains, apps, models.

use axum::{extract::State, http::HeaderMap, response::Response};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use utoipa_axum::{router::OpenApiRouter, routes};

use super::{
    answer::{ApiError, Query, Tag},
    live::Live,
    routes::Shared,
};
use crate::{chain::types::B256, prover::Prove};

/// What this daemon serves.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
pub struct Info {
    /// Its version.
    pub version: String,
    /// Whether anything is public.
    pub public: bool,
    /// The chains that everybody may see something of.
    pub chains: Vec<ChainInfo>,
    /// The models that it proves.
    pub models: Vec<ModelInfo>,
}

/// A chain.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
pub struct ChainInfo {
    /// Its id.
    pub chain_id: u64,
    /// Its newest block; null while its service isn't ready or its node doesn't answer.
    pub head: Option<HeadInfo>,
    /// Blocks on top of an event before it is acted on.
    pub confirmations: u64,
    /// Blocks on top of a transaction before it is final.
    pub finality: u64,
    /// A node that pages may ask.
    pub rpc_url: Option<String>,
    /// What a transaction's hash is appended to for a link.
    pub explorer: Option<String>,
    /// Whether it is a local demo chain.
    pub demo: bool,
    /// Its apps.
    pub apps: Vec<AppInfo>,
}

/// A block.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
pub struct HeadInfo {
    /// Its number.
    pub number: u64,
    /// Its hash.
    pub hash: String,
    /// Its Unix time.
    pub timestamp: u64,
}

/// An app.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
pub struct AppInfo {
    /// Which: `chess`, `world`, `market`, `board`, `guard` or `oracle`.
    pub kind: String,
    /// Its contract.
    pub contract: String,
}

/// A model.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct ModelInfo {
    /// What contracts pin.
    pub model_id: String,
    /// Its name.
    pub name: String,
    /// What it is for: `chess`, or `net` for a general network.
    pub kind: String,
    /// Its measured strength, for chess.
    pub elo: Option<u32>,
    /// Multiply-accumulates of one run.
    pub macs: Option<u64>,
    /// Seconds that its proofs took here, on average of the newest; null before the first.
    pub prove_s: Option<f64>,
    /// Gas of a transaction that verifies a proof, predicted.
    pub gas: Option<u64>,
}

impl ModelInfo {
    /// A model as it is known here.
    pub fn of(prover: &dyn Prove) -> Self {
        let facts = prover.facts();
        Self {
            model_id: B256::from(prover.model_id()).to_string(),
            name: facts.model,
            kind: if facts.is_chess { "chess" } else { "net" }.to_owned(),
            elo: facts.elo,
            macs: Some(facts.macs).filter(|macs| *macs > 0),
            prove_s: None,
            gas: Some(facts.gas).filter(|gas| *gas > 0),
        }
    }
}

/// Takes no parameters.
#[derive(Clone, Copy, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Nothing {}

pub(super) fn routes() -> OpenApiRouter<Shared> {
    OpenApiRouter::new().routes(routes!(info))
}

/// Chains, apps and models of this daemon. What isn't public isn't named.
#[utoipa::path(get, path = "/info", tag = "info", responses((status = 200, body = Info), (status = 304, description = "Unchanged")))]
async fn info(
    State(shared): State<Shared>,
    headers: HeaderMap,
    Query(_): Query<Nothing>,
) -> Result<Response, ApiError> {
    let mut chains = Vec::new();
    let mut models: Vec<ModelInfo> = Vec::new();
    let mut hashes = String::new();
    for panel in shared.panels.iter().filter(|panel| panel.web.public) {
        let live = panel.live.get();
        let head = match live {
            // A node that doesn't answer hides neither contracts nor models.
            Some(live) => live.head().await.ok(),
            None => None,
        };
        hashes += &head.map_or("none ".to_owned(), |head| head.block.hash.to_string());
        for model in live.into_iter().flat_map(models_of) {
            hashes += &format!("{:?}", model.prove_s);
            if !models.iter().any(|known| known.model_id == model.model_id) {
                models.push(model);
            }
        }
        chains.push(ChainInfo {
            chain_id: panel.monitor.chain_id(),
            head: head.map(|head| HeadInfo {
                number: head.block.number,
                hash: head.block.hash.to_string(),
                timestamp: head.timestamp,
            }),
            confirmations: panel.confirmations,
            finality: panel.finality,
            rpc_url: panel.web.rpc_url.clone(),
            explorer: panel.web.explorer.clone(),
            demo: panel.web.demo,
            apps: live.into_iter().flat_map(apps_of).collect(),
        });
    }
    let tag = Tag::of(&[&"info", &hashes, &models.len(), &shared.panels.len()]);
    if tag.is_known(&headers) {
        return Ok(tag.unchanged());
    }
    let version = env!("CARGO_PKG_VERSION").to_owned();
    tag.on(&Info { version, public: shared.is_public(), chains, models })
}

fn apps_of(live: &Live) -> Vec<AppInfo> {
    let info = |app: &std::sync::Arc<dyn crate::apps::App>| AppInfo {
        kind: app.name().to_owned(),
        contract: app.contract().to_string(),
    };
    live.all_apps().iter().map(info).collect()
}

/// The models of a chain, with how long their proofs take here.
pub(super) fn models_of(live: &Live) -> Vec<ModelInfo> {
    let of = |prover: &std::sync::Arc<dyn Prove>| {
        let id = prover.model_id();
        ModelInfo { prove_s: live.monitor().prove_seconds(&id), ..ModelInfo::of(prover.as_ref()) }
    };
    live.ground().models.provers().map(of).collect()
}
