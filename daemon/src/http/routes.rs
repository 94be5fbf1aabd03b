//! What is answered to whom: the public part, the operator's part behind the token, health, metrics and pages.

use std::{hint::black_box, sync::Arc};

use axum::{
    Router,
    extract::{DefaultBodyLimit, Request, State},
    http::{
        HeaderMap, StatusCode,
        header::{AUTHORIZATION, CONTENT_TYPE},
    },
    middleware::{Next, from_fn, from_fn_with_state},
    response::{IntoResponse, Response},
    routing::get,
};
use metrics_exporter_prometheus::PrometheusHandle;
use serde_json::json;
use tokio::sync::watch;
use utoipa_axum::router::OpenApiRouter;

use super::{
    Panel, answer,
    answer::ApiError,
    clients::{Clients, limited},
    info,
    live::Live,
    openapi, operator, pages,
    stream::Streams,
};
use crate::{apps, chain::types::keccak256, config::WebLimits};

/// Most bytes of a request's body.
const BODY: usize = 16 << 10;

/// What the routes share. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Shared {
    pub(super) panels: Arc<Vec<Panel>>,
    pub(super) metrics: PrometheusHandle,
    /// The hash of the token: comparing hashes takes the same time for every token.
    token: [u8; 32],
    /// Whether metrics need it, too.
    guarded: bool,
    pub(super) clients: Clients,
    pub(super) streams: Streams,
    /// The pages' Content-Security-Policy.
    pub(super) policy: Arc<str>,
    pub(super) stop: watch::Receiver<bool>,
}

impl Shared {
    pub(super) fn new(
        panels: Vec<Panel>,
        metrics: PrometheusHandle,
        token: &str,
        guarded: bool,
        limits: WebLimits,
    ) -> Self {
        let policy = pages::policy_of(panels.iter().filter_map(|panel| panel.web.rpc_url.as_deref()));
        let (token, stop) = (keccak256(token.as_bytes()).0, watch::channel(false).1);
        let (clients, streams) = (Clients::new(limits), Streams::default());
        Self { panels: Arc::new(panels), metrics, token, guarded, clients, streams, policy, stop }
    }

    pub(super) fn with_stop(self, stop: watch::Receiver<bool>) -> Self {
        Self { stop, ..self }
    }

    pub(super) fn is_trusted(&self, headers: &HeaderMap) -> bool {
        let given = headers.get(AUTHORIZATION).and_then(|value| value.to_str().ok()?.strip_prefix("Bearer "));
        let given = keccak256(given.unwrap_or_default().trim().as_bytes()).0;
        let differ = given.iter().zip(&self.token).fold(0, |differ, (a, b)| black_box(differ | (a ^ b)));
        differ == 0
    }

    /// Whether anything is public.
    pub(super) fn is_public(&self) -> bool {
        self.panels.iter().any(|panel| panel.web.public)
    }

    /// A chain of which everybody may see something.
    ///
    /// # Errors
    /// [`ApiError::NotPublic`], also for a chain that isn't served at all; [`ApiError::NotReady`] before its service runs.
    pub fn chain(&self, chain_id: u64) -> Result<&Live, ApiError> {
        let public = self.panels.iter().find(|panel| panel.monitor.chain_id() == chain_id && panel.web.public);
        let panel = public.ok_or(ApiError::NotPublic { chain_id })?;
        panel.live.get().ok_or_else(|| ApiError::NotReady { why: "/readyz says why".into() })
    }
}

/// The API's routes with their document, all of them below `/api/v1`.
fn api() -> (OpenApiRouter<Shared>, OpenApiRouter<Shared>) {
    let public = OpenApiRouter::new().merge(info::routes()).merge(apps::routes());
    (public, operator::routes())
}

/// The document of the API.
pub fn document() -> utoipa::openapi::OpenApi {
    let (public, operator) = api();
    let whole =
        OpenApiRouter::with_openapi(openapi::frame()).nest("/api/v1", public).nest("/api/v1/operator", operator);
    openapi::finished(whole.into_openapi())
}

/// The routes.
pub(super) fn router(shared: Shared) -> Router {
    let (public, operator) = api();
    let operator = Router::from(operator).layer(from_fn_with_state(shared.clone(), trusted_only));
    let api = Router::from(public)
        .route("/openapi.json", get(openapi::served))
        .nest("/operator", operator)
        .fallback(|| async { ApiError::NoPath })
        .layer(from_fn_with_state(shared.clone(), limited));
    let metrics = Router::new().route("/metrics", get(metrics));
    let metrics =
        if shared.guarded { metrics.layer(from_fn_with_state(shared.clone(), trusted_only)) } else { metrics };
    Router::new()
        .route("/healthz", get(|| async { answer::json(&json!({ "alive": true })) }))
        .route("/readyz", get(readyz))
        .merge(metrics)
        .merge(pages::routes(&shared))
        .nest("/api/v1", api)
        .fallback(|| async { ApiError::NoPath })
        .method_not_allowed_fallback(|| async { ApiError::Method })
        .layer(DefaultBodyLimit::max(BODY))
        .layer(from_fn(counted))
        .with_state(shared)
}

/// Lets those pass who know the token.
async fn trusted_only(State(shared): State<Shared>, request: Request, next: Next) -> Response {
    if shared.is_trusted(request.headers()) { next.run(request).await } else { ApiError::Token.into_response() }
}

async fn counted(request: Request, next: Next) -> Response {
    let response = next.run(request).await;
    metrics::counter!("zugzwang_http_requests_total", "status" => response.status().as_u16().to_string()).increment(1);
    response
}

async fn readyz(State(shared): State<Shared>) -> Result<Response, ApiError> {
    let reports: Vec<_> =
        shared.panels.iter().map(|panel| (panel.monitor.chain_id(), panel.monitor.report())).collect();
    let ready = !reports.is_empty() && reports.iter().all(|(_, report)| report.is_ready());
    let chains: Vec<_> = reports
        .iter()
        .map(|(chain_id, report)| json!({ "chain_id": chain_id, "ready": report.is_ready(), "why": report.why }))
        .collect();
    let mut response = answer::json(&json!({ "ready": ready, "chains": chains }))?;
    if !ready {
        *response.status_mut() = StatusCode::SERVICE_UNAVAILABLE;
    }
    Ok(response)
}

async fn metrics(State(shared): State<Shared>) -> Response {
    // Histograms are gathered until somebody asks.
    shared.metrics.run_upkeep();
    ([(CONTENT_TYPE, "text/plain; version=0.0.4")], shared.metrics.render()).into_response()
}
