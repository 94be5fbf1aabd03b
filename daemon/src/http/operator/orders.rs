//! Orders: carried out by the service's loop between two turns, and answered with what came of them.

use axum::{extract::State, response::Response};
use serde::Deserialize;
use utoipa::ToSchema;

use super::{ChainQuery, panel};
use crate::{
    http::{
        answer::{self, ApiError, Body, Path, Query},
        routes::Shared,
    },
    service::{OrderDone, orders::Order},
};

/// Works on a job again that ended without an answer.
#[utoipa::path(post, path = "/jobs/{id}/retry", tag = "operator", params(("id" = i64, Path, description = "The job's row"), ChainQuery),
    responses((status = 200, body = OrderDone), (status = 409, description = "It is open, or has its answer")))]
pub(super) async fn retry(
    State(shared): State<Shared>,
    Path(job): Path<i64>,
    Query(query): Query<ChainQuery>,
) -> Result<Response, ApiError> {
    placed(&shared, query, Order::Retry { job }).await
}

/// Gives a job up.
#[utoipa::path(post, path = "/jobs/{id}/drop", tag = "operator", params(("id" = i64, Path, description = "The job's row"), ChainQuery),
    responses((status = 200, body = OrderDone), (status = 409, description = "It is at an end, or in a block")))]
pub(super) async fn drop_job(
    State(shared): State<Shared>,
    Path(job): Path<i64>,
    Query(query): Query<ChainQuery>,
) -> Result<Response, ApiError> {
    placed(&shared, query, Order::Drop { job }).await
}

/// Replaces a transaction at the next turn by a version that pays more, within the caps.
#[utoipa::path(post, path = "/transactions/{id}/bump", tag = "operator", params(("id" = i64, Path, description = "The transaction's row"), ChainQuery),
    responses((status = 200, body = OrderDone), (status = 409, description = "It is in a block, or lost")))]
pub(super) async fn bump(
    State(shared): State<Shared>,
    Path(tx): Path<i64>,
    Query(query): Query<ChainQuery>,
) -> Result<Response, ApiError> {
    placed(&shared, query, Order::Bump { tx }).await
}

/// Gives a transaction up, and with it the job that it answers: its nonce is used by a payment of nothing to ourselves.
#[utoipa::path(post, path = "/transactions/{id}/cancel", tag = "operator", params(("id" = i64, Path, description = "The transaction's row"), ChainQuery),
    responses((status = 200, body = OrderDone), (status = 409, description = "It is in a block, or lost")))]
pub(super) async fn cancel(
    State(shared): State<Shared>,
    Path(tx): Path<i64>,
    Query(query): Query<ChainQuery>,
) -> Result<Response, ApiError> {
    placed(&shared, query, Order::Cancel { tx }).await
}

/// Which block is read again.
#[derive(Clone, Copy, Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Replay {
    /// Its height.
    block: u64,
    /// Only say what its logs ask.
    #[serde(default)]
    dry_run: bool,
}

/// Reads a block's logs again, and does what they ask. What has a job already isn't doubled.
#[utoipa::path(post, path = "/replay", tag = "operator", params(ChainQuery), request_body = Replay,
    responses((status = 200, body = OrderDone), (status = 409, description = "The daemon hasn't read so far")))]
pub(super) async fn replay(
    State(shared): State<Shared>,
    Query(query): Query<ChainQuery>,
    Body(asked): Body<Replay>,
) -> Result<Response, ApiError> {
    placed(&shared, query, Order::Replay { block: asked.block, dry_run: asked.dry_run }).await
}

/// Places an order and answers with what came of it.
async fn placed(shared: &Shared, query: ChainQuery, order: Order) -> Result<Response, ApiError> {
    let panel = panel(shared, query.chain)?;
    let desk = panel.desk.get().ok_or_else(|| ApiError::NotReady { why: "/readyz says why".into() })?;
    answer::json(&desk.place(order).await?)
}
