//! The public routes of guarded vaults: vaults, their flagged withdrawals, and a stream of each vault.

use axum::{extract::State, http::HeaderMap, response::Response};
use utoipa_axum::{router::OpenApiRouter, routes};

use super::{
    FraudGuard,
    view::{GuardView, IncidentView},
};
use crate::{
    apps::views,
    chain::types::{Address, U256},
    http::{
        Live, Shared,
        answer::{ApiError, List, PageQuery, Path, Query},
        stream::{Event, Follower},
    },
};

/// The routes, below `/api/v1`.
pub(in crate::apps) fn routes() -> OpenApiRouter<Shared> {
    OpenApiRouter::new()
        .routes(routes!(guards))
        .routes(routes!(guard))
        .routes(routes!(incidents))
        .routes(routes!(incident))
        .routes(routes!(guard_stream))
}

/// The guarded vaults that this daemon watches.
#[utoipa::path(
    get, path = "/chains/{chain}/guards", tag = "guard",
    params(("chain" = u64, Path, description = "Chain id"), PageQuery),
    responses((status = 200, body = List<GuardView>), (status = 304, description = "Unchanged"))
)]
async fn guards(
    State(shared): State<Shared>,
    headers: HeaderMap,
    Path(chain): Path<u64>,
    Query(page): Query<PageQuery>,
) -> Result<Response, ApiError> {
    let live = shared.chain(chain)?;
    let (first, limit) = (page.before()?.unwrap_or(0) as usize, page.limit()? as usize);
    let head = live.head().await?;
    let mut items = Vec::new();
    // They are as many as the configuration names: the cursor is a place in its list.
    for app in live.apps::<FraudGuard>().skip(first).take(limit) {
        items.push(app.view(live, &head).await?);
    }
    let last = first.saturating_add(limit);
    let next = (live.apps::<FraudGuard>().count() > last).then(|| last.to_string());
    views::answer(live, &head, &headers, &List { items, next })
}

/// One vault.
#[utoipa::path(
    get, path = "/chains/{chain}/guards/{vault}", tag = "guard",
    params(("chain" = u64, Path, description = "Chain id"), ("vault" = String, Path, description = "The vault's address")),
    responses((status = 200, body = GuardView), (status = 304, description = "Unchanged"))
)]
async fn guard(
    State(shared): State<Shared>,
    headers: HeaderMap,
    Path((chain, vault)): Path<(u64, String)>,
) -> Result<Response, ApiError> {
    let live = shared.chain(chain)?;
    let head = live.head().await?;
    let view = app_of(live, &vault)?.view(live, &head).await?;
    views::answer(live, &head, &headers, &view)
}

/// A vault's flagged withdrawals, newest first.
#[utoipa::path(
    get, path = "/chains/{chain}/guards/{vault}/incidents", tag = "guard",
    params(("chain" = u64, Path, description = "Chain id"), ("vault" = String, Path, description = "The vault's address"), PageQuery),
    responses((status = 200, body = List<IncidentView>), (status = 304, description = "Unchanged"))
)]
async fn incidents(
    State(shared): State<Shared>,
    headers: HeaderMap,
    Path((chain, vault)): Path<(u64, String)>,
    Query(page): Query<PageQuery>,
) -> Result<Response, ApiError> {
    let live = shared.chain(chain)?;
    let app = app_of(live, &vault)?;
    let (before, limit) = (page.before()?.map(U256::from), page.limit()? as usize);
    let head = live.head().await?;
    let files = app.files(live, &head).await?;
    let newest = files.iter().rev().filter(|(id, _)| before.is_none_or(|before| **id < before));
    let chosen: Vec<_> = newest.take(limit + 1).collect();
    let mut items = Vec::with_capacity(chosen.len().min(limit));
    for (id, file) in chosen.iter().take(limit) {
        items.push(app.incident_view(live, &head, **id, file).await?);
    }
    let next = items.last().filter(|_| chosen.len() > limit).map(|last| last.id.clone());
    views::answer(live, &head, &headers, &List { items, next })
}

/// One flagged withdrawal.
#[utoipa::path(
    get, path = "/chains/{chain}/guards/{vault}/incidents/{id}", tag = "guard",
    params(
        ("chain" = u64, Path, description = "Chain id"),
        ("vault" = String, Path, description = "The vault's address"),
        ("id" = String, Path, description = "The incident's number")
    ),
    responses((status = 200, body = IncidentView), (status = 304, description = "Unchanged"))
)]
async fn incident(
    State(shared): State<Shared>,
    headers: HeaderMap,
    Path((chain, vault, id)): Path<(u64, String, String)>,
) -> Result<Response, ApiError> {
    let live = shared.chain(chain)?;
    let (app, id) = (app_of(live, &vault)?, views::number(&id, "an incident")?);
    let head = live.head().await?;
    let files = app.files(live, &head).await?;
    let file = files.get(&id).ok_or_else(|| ApiError::not_there(format!("incident {id}")))?;
    let view = app.incident_view(live, &head, id, file).await?;
    views::answer(live, &head, &headers, &view)
}

/// A vault as it changes: the event `guard` holds all of it, `incident` the newest flagged withdrawal.
#[utoipa::path(
    get, path = "/chains/{chain}/guards/{vault}/stream", tag = "guard",
    params(("chain" = u64, Path, description = "Chain id"), ("vault" = String, Path, description = "The vault's address")),
    responses((
        status = 200, description = "Server-Sent Events `guard` and `incident`", content_type = "text/event-stream", body = GuardView
    ))
)]
async fn guard_stream(
    State(shared): State<Shared>,
    Path((chain, vault)): Path<(u64, String)>,
    follower: Follower,
) -> Result<Response, ApiError> {
    let live = shared.chain(chain)?;
    let vault = app_of(live, &vault)?.guard.address();
    let look = move |live: Live| async move {
        let app = of_contract(&live, vault)?;
        let head = live.head().await?;
        let mut found = vec![Event::new("guard", &app.view(&live, &head).await?)?];
        let files = app.files(&live, &head).await?;
        if let Some((id, file)) = files.last_key_value() {
            found.push(Event::new("incident", &app.incident_view(&live, &head, *id, file).await?)?);
        }
        Ok(found)
    };
    shared.follow(live, follower, format!("guards/{vault}"), look).await
}

fn app_of<'a>(live: &'a Live, vault: &str) -> Result<&'a FraudGuard, ApiError> {
    let wrong = |_| ApiError::Malformed("a vault is an address, 0x and 40 hex digits".into());
    of_contract(live, vault.parse::<Address>().map_err(wrong)?)
}

fn of_contract(live: &Live, vault: Address) -> Result<&FraudGuard, ApiError> {
    let found = live.apps::<FraudGuard>().find(|app| app.guard.address() == vault);
    found.ok_or_else(|| ApiError::not_there(format!("guarded vault {vault}")))
}
