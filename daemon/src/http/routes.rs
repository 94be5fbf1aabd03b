//! What is answered to whom.

use std::{collections::VecDeque, convert::Infallible, hint::black_box, sync::Arc, time::Duration};

use axum::{
    Extension, Json, Router,
    extract::{DefaultBodyLimit, Path, RawQuery, Request, State},
    http::{
        HeaderMap, StatusCode,
        header::{AUTHORIZATION, CONTENT_TYPE, WWW_AUTHENTICATE},
    },
    middleware::{Next, from_fn, from_fn_with_state},
    response::{
        IntoResponse, Response,
        sse::{Event, KeepAlive, Sse},
    },
    routing::{get, post},
};
use futures_util::stream::{self, SelectAll, StreamExt};
use metrics_exporter_prometheus::PrometheusHandle;
use serde::Deserialize;
use serde_json::json;
use tokio::sync::{
    OwnedSemaphorePermit, Semaphore,
    broadcast::{Receiver, error::RecvError},
    watch,
};

use super::{
    Panel,
    serve::{Listened, Listening},
    views,
};
use crate::{
    chain::types::keccak256,
    code::{Code, Coded},
    service::{OrderError, orders::Order},
    store::{State as JobState, Which},
};

/// Most bytes of a request's body.
const BODY: usize = 16 << 10;
/// Event streams at the same time.
const FOLLOWERS: usize = 16;
/// Silence after which a follower is sent a comment.
const KEEP_ALIVE: Duration = Duration::from_secs(15);
/// Most rows of a list.
const MOST_ROWS: u32 = 10_000;

/// What a request asks for, or why it can't be had.
type Asked<T> = Result<T, Box<Response>>;

/// What the routes share.
#[derive(Clone, Debug)]
pub(super) struct Shared {
    panels: Arc<Vec<Panel>>,
    metrics: PrometheusHandle,
    /// The hash of the token: comparing hashes takes the same time for every token.
    token: [u8; 32],
    /// Whether metrics need it, too.
    guarded: bool,
    followers: Arc<Semaphore>,
    stop: watch::Receiver<bool>,
}

impl Shared {
    pub(super) fn new(panels: Vec<Panel>, metrics: PrometheusHandle, token: &str, guarded: bool) -> Self {
        let followers = Arc::new(Semaphore::new(FOLLOWERS));
        let (token, stop) = (keccak256(token.as_bytes()).0, watch::channel(false).1);
        Self { panels: Arc::new(panels), metrics, token, guarded, followers, stop }
    }

    pub(super) fn with_stop(self, stop: watch::Receiver<bool>) -> Self {
        Self { stop, ..self }
    }

    fn is_trusted(&self, headers: &HeaderMap) -> bool {
        let given = headers.get(AUTHORIZATION).and_then(|value| value.to_str().ok()?.strip_prefix("Bearer "));
        let given = keccak256(given.unwrap_or_default().trim().as_bytes()).0;
        let differ = given.iter().zip(&self.token).fold(0, |differ, (a, b)| black_box(differ | (a ^ b)));
        differ == 0
    }
}

/// The routes.
pub(super) fn router(shared: Shared) -> Router {
    let api = Router::new()
        .route("/status", get(status))
        .route("/events", get(events))
        .route("/jobs", get(jobs))
        .route("/jobs/{id}", get(job))
        .route("/jobs/{id}/{order}", post(order_job))
        .route("/transactions", get(transactions))
        .route("/transactions/{id}/{order}", post(order_transaction))
        .route("/replay", post(replay))
        .layer(from_fn_with_state(shared.clone(), trusted_only));
    let metrics = Router::new().route("/metrics", get(metrics));
    let metrics =
        if shared.guarded { metrics.layer(from_fn_with_state(shared.clone(), trusted_only)) } else { metrics };
    Router::new()
        .route("/healthz", get(|| async { answer(StatusCode::OK, &json!({ "alive": true })) }))
        .route("/readyz", get(readyz))
        .merge(metrics)
        .nest("/api", api)
        .fallback(|| async { refused(StatusCode::NOT_FOUND, Code::ARGUMENT, "there is no such path") })
        .layer(DefaultBodyLimit::max(BODY))
        .layer(from_fn(counted))
        .with_state(shared)
}

fn answer(status: StatusCode, body: &impl serde::Serialize) -> Response {
    match serde_json::to_string(body) {
        Ok(text) => (status, [(CONTENT_TYPE, "application/json")], text + "\n").into_response(),
        Err(error) => refused(StatusCode::INTERNAL_SERVER_ERROR, Code::BUG, &error.to_string()),
    }
}

fn refused(status: StatusCode, code: Code, message: &str) -> Response {
    let body = json!({ "error": { "code": code.to_string(), "message": message } });
    (status, [(CONTENT_TYPE, "application/json")], format!("{body}\n")).into_response()
}

/// Lets those pass who know the token.
async fn trusted_only(State(shared): State<Shared>, request: Request, next: Next) -> Response {
    if shared.is_trusted(request.headers()) {
        return next.run(request).await;
    }
    let why = "send the token as `Authorization: Bearer …`: that of http.token_file, or of the file beside the store";
    ([(WWW_AUTHENTICATE, "Bearer")], refused(StatusCode::UNAUTHORIZED, Code::new(802), why)).into_response()
}

async fn counted(request: Request, next: Next) -> Response {
    let response = next.run(request).await;
    metrics::counter!("zugzwang_http_requests_total", "status" => response.status().as_u16().to_string()).increment(1);
    response
}

async fn readyz(State(shared): State<Shared>) -> Response {
    let reports: Vec<_> =
        shared.panels.iter().map(|panel| (panel.monitor.chain_id(), panel.monitor.report())).collect();
    let ready = !reports.is_empty() && reports.iter().all(|(_, report)| report.is_ready());
    let chains: Vec<_> = reports
        .iter()
        .map(|(chain_id, report)| json!({ "chain_id": chain_id, "ready": report.is_ready(), "why": report.why }))
        .collect();
    let status = if ready { StatusCode::OK } else { StatusCode::SERVICE_UNAVAILABLE };
    answer(status, &json!({ "ready": ready, "chains": chains }))
}

async fn metrics(State(shared): State<Shared>) -> Response {
    // Histograms are gathered until somebody asks.
    shared.metrics.run_upkeep();
    ([(CONTENT_TYPE, "text/plain; version=0.0.4")], shared.metrics.render()).into_response()
}

async fn status(State(shared): State<Shared>) -> Response {
    let all: Vec<_> = shared.panels.iter().map(|panel| panel.monitor.status()).collect();
    answer(StatusCode::OK, &all)
}

/// A value of the query.
fn value<'a>(query: &'a RawQuery, key: &str) -> Option<&'a str> {
    let pairs = query.0.iter().flat_map(|query| query.split('&'));
    pairs.filter_map(|pair| pair.split_once('=')).find(|(k, _)| *k == key).map(|(_, value)| value)
}

/// The chain that a request names; where there is one only, it needs no name.
fn panel<'a>(shared: &'a Shared, query: &RawQuery) -> Asked<&'a Panel> {
    let bad = |why: &str| Box::new(refused(StatusCode::BAD_REQUEST, Code::ARGUMENT, why));
    match (value(query, "chain"), shared.panels.as_slice()) {
        (None, [only]) => Ok(only),
        (None, _) => Err(bad("there are several chains: say which, with ?chain=ID")),
        (Some(id), panels) => panels
            .iter()
            .find(|panel| panel.monitor.chain_id().to_string() == id)
            .ok_or_else(|| bad("no service of this process follows this chain")),
    }
}

fn failed(error: &impl Coded) -> Box<Response> {
    Box::new(refused(StatusCode::INTERNAL_SERVER_ERROR, error.code(), &error.to_string()))
}

fn limit(query: &RawQuery) -> Asked<u32> {
    match value(query, "limit").map(str::parse::<u32>) {
        None => Ok(100),
        Some(Ok(limit)) => Ok(limit.min(MOST_ROWS)),
        Some(Err(_)) => Err(refused(StatusCode::BAD_REQUEST, Code::ARGUMENT, "limit is a number of rows").into()),
    }
}

async fn jobs(State(shared): State<Shared>, query: RawQuery) -> Response {
    let asked = async || {
        let (panel, limit) = (panel(&shared, &query)?, limit(&query)?);
        let which = match value(&query, "state") {
            None if value(&query, "all") == Some("true") => Which::All,
            None => Which::Live,
            Some(state) => {
                let why = "there is no such state of jobs";
                let wrong = |_| Box::new(refused(StatusCode::BAD_REQUEST, Code::ARGUMENT, why));
                Which::In(state.parse::<JobState>().map_err(wrong)?)
            }
        };
        let found = views::jobs(&panel.store, panel.monitor.chain_id(), which, limit).await.map_err(|e| failed(&e))?;
        Ok(answer(StatusCode::OK, &found))
    };
    asked().await.unwrap_or_else(|response: Box<Response>| *response)
}

async fn job(State(shared): State<Shared>, Path(id): Path<String>, query: RawQuery) -> Response {
    let asked = async || {
        let (panel, id) = (panel(&shared, &query)?, number(&id)?);
        match views::job(&panel.store, panel.monitor.chain_id(), id).await.map_err(|e| failed(&e))? {
            Some(job) => Ok(answer(StatusCode::OK, &job)),
            None => Err(not_done(&OrderError::NoJob { job: id }).into()),
        }
    };
    asked().await.unwrap_or_else(|response: Box<Response>| *response)
}

async fn transactions(State(shared): State<Shared>, query: RawQuery) -> Response {
    let asked = async || {
        let (panel, limit) = (panel(&shared, &query)?, limit(&query)?);
        let all = value(&query, "all") == Some("true");
        let chain_id = panel.monitor.chain_id();
        let found = views::transactions(&panel.store, chain_id, all, limit).await.map_err(|e| failed(&e))?;
        Ok(answer(StatusCode::OK, &found))
    };
    asked().await.unwrap_or_else(|response: Box<Response>| *response)
}

fn number(text: &str) -> Asked<i64> {
    text.parse().map_err(|_| refused(StatusCode::BAD_REQUEST, Code::ARGUMENT, "a row is named by its number").into())
}

async fn order_job(
    State(shared): State<Shared>,
    Path((id, order)): Path<(String, String)>,
    query: RawQuery,
) -> Response {
    let order = number(&id).and_then(|job| match order.as_str() {
        "retry" => Ok(Order::Retry { job }),
        "drop" => Ok(Order::Drop { job }),
        _ => Err(refused(StatusCode::NOT_FOUND, Code::ARGUMENT, "jobs take retry and drop").into()),
    });
    placed(&shared, &query, order).await
}

async fn order_transaction(
    State(shared): State<Shared>,
    Path((id, order)): Path<(String, String)>,
    query: RawQuery,
) -> Response {
    let order = number(&id).and_then(|tx| match order.as_str() {
        "bump" => Ok(Order::Bump { tx }),
        "cancel" => Ok(Order::Cancel { tx }),
        _ => Err(refused(StatusCode::NOT_FOUND, Code::ARGUMENT, "transactions take bump and cancel").into()),
    });
    placed(&shared, &query, order).await
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Replay {
    block: u64,
    #[serde(default)]
    dry_run: bool,
}

async fn replay(State(shared): State<Shared>, query: RawQuery, Json(asked): Json<Replay>) -> Response {
    placed(&shared, &query, Ok(Order::Replay { block: asked.block, dry_run: asked.dry_run })).await
}

/// Places an order and answers with what came of it.
async fn placed(shared: &Shared, query: &RawQuery, order: Asked<Order>) -> Response {
    let (panel, order) = match (panel(shared, query), order) {
        (Ok(panel), Ok(order)) => (panel, order),
        (Err(response), _) | (_, Err(response)) => return *response,
    };
    let Some(desk) = panel.desk.get() else {
        let why = "the service isn't ready yet; /readyz says why";
        return refused(StatusCode::SERVICE_UNAVAILABLE, Code::new(627), why);
    };
    match desk.place(order).await {
        Ok(done) => answer(StatusCode::OK, &done),
        Err(error) => not_done(&error),
    }
}

fn not_done(error: &OrderError) -> Response {
    let status = match error {
        OrderError::NoJob { .. } | OrderError::NoTransaction { .. } => StatusCode::NOT_FOUND,
        OrderError::NotEnded { .. }
        | OrderError::NotOpen { .. }
        | OrderError::NotLive { .. }
        | OrderError::NotRead { .. } => StatusCode::CONFLICT,
        OrderError::Stopping => StatusCode::SERVICE_UNAVAILABLE,
        OrderError::Service(_) => StatusCode::BAD_GATEWAY,
    };
    refused(status, error.code(), &error.to_string())
}

/// Somebody who follows what happens.
struct Follower {
    events: SelectAll<stream::BoxStream<'static, String>>,
    waiting: VecDeque<String>,
    stop: watch::Receiver<bool>,
    _listened: Listened,
    _permit: OwnedSemaphorePermit,
}

async fn events(State(shared): State<Shared>, Extension(listening): Extension<Listening>) -> Response {
    let Ok(permit) = shared.followers.clone().try_acquire_owned() else {
        return refused(
            StatusCode::SERVICE_UNAVAILABLE,
            Code::new(803),
            "there are too many followers; try again later",
        );
    };
    let hello = shared.panels.iter().map(|panel| {
        let report = panel.monitor.report();
        let chain_id = panel.monitor.chain_id();
        json!({ "event": "following", "chain_id": chain_id, "ready": report.is_ready(), "why": report.why }).to_string()
    });
    let streams = shared.panels.iter().map(|panel| told(panel.monitor.events()).boxed());
    let follower = Follower {
        waiting: hello.collect(),
        events: stream::select_all(streams),
        stop: shared.stop.clone(),
        _listened: listening.begin(),
        _permit: permit,
    };
    let stream = stream::unfold(follower, |mut follower| async {
        let text = match follower.waiting.pop_front() {
            Some(text) => text,
            None => tokio::select! {
                text = follower.events.next() => text?,
                _ = follower.stop.wait_for(|stop| *stop) => return None,
            },
        };
        Some((Ok::<_, Infallible>(Event::default().data(text)), follower))
    });
    Sse::new(stream).keep_alive(KeepAlive::new().interval(KEEP_ALIVE)).into_response()
}

/// A chain's events. A follower who is too slow is told how many he has missed.
fn told(events: Receiver<Arc<str>>) -> impl stream::Stream<Item = String> + Send {
    stream::unfold(events, |mut events| async {
        let text = match events.recv().await {
            Ok(text) => text.to_string(),
            Err(RecvError::Lagged(count)) => json!({ "event": "missed", "count": count }).to_string(),
            Err(RecvError::Closed) => return None,
        };
        Some((text, events))
    })
}
