//! The public routes of chess: offers, games, moves with their proofs, and a stream of each game.

use axum::{extract::State, http::HeaderMap, response::Response};
use futures_util::stream::{self, StreamExt, TryStreamExt};
use serde::Deserialize;
use utoipa::{IntoParams, ToSchema};
use utoipa_axum::{router::OpenApiRouter, routes};

use super::{
    Chess,
    view::{GameSummary, GameView, MoveProof, OfferView, proof_view},
};
use crate::{
    chain::types::U256,
    http::{
        ApiError, Shared,
        answer::{List, PageQuery, Path, Query, Tag, before, limit},
        stream::{Event, Follower},
    },
};

/// Games that are looked through for one page of those that run or are over.
const LOOKED_THROUGH: u64 = 500;
/// Questions to the node at the same time, for one page.
const AT_ONCE: usize = 8;
/// Which games are listed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
enum Which {
    /// Those that run.
    #[default]
    Running,
    /// Those that are over.
    Over,
    /// All of them.
    All,
}

/// Which games are listed, and which page of them.
#[derive(Clone, Debug, Default, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
struct GamesQuery {
    /// `running` if left out.
    #[serde(default)]
    #[param(inline)]
    state: Which,
    /// `next` of the page before; none for the first page.
    cursor: Option<String>,
    /// Most rows of the page; 50 if left out. A page may hold fewer, though there are more.
    #[param(minimum = 1, maximum = 200)]
    limit: Option<u32>,
}

/// The routes of chess, below `/api/v1`.
pub(in crate::apps) fn routes() -> OpenApiRouter<Shared> {
    OpenApiRouter::new()
        .routes(routes!(offers))
        .routes(routes!(games))
        .routes(routes!(game))
        .routes(routes!(proof))
        .routes(routes!(follow))
}

/// Offers of games, newest first.
#[utoipa::path(get, path = "/chains/{chain}/offers", tag = "chess", params(("chain" = u64, Path, description = "Chain id"), PageQuery),
    responses((status = 200, body = List<OfferView>), (status = 304, description = "Unchanged")))]
async fn offers(
    State(shared): State<Shared>,
    Path(chain): Path<u64>,
    Query(page): Query<PageQuery>,
    headers: HeaderMap,
) -> Result<Response, ApiError> {
    let live = shared.chain(chain)?;
    let chess = live.app::<Chess>()?;
    let (limit, cursor) = (page.limit()?, page.before()?);
    let head = live.head().await?;
    let tag = live.tag(&head, &[&"offers", &limit, &format!("{cursor:?}")]);
    if tag.is_known(&headers) {
        return Ok(tag.unchanged());
    }
    let (count, _) = chess.counts(&head).await?;
    let (ids, next) = below(count, cursor, u64::from(limit));
    let read = |id| async move { Ok::<_, ApiError>(chess.offer_view(&*chess.offer(id, &head).await?)) };
    tag.on(&List { items: stream::iter(ids).map(read).buffered(AT_ONCE).try_collect().await?, next })
}

/// Games, newest first.
#[utoipa::path(get, path = "/chains/{chain}/games", tag = "chess", params(("chain" = u64, Path, description = "Chain id"), GamesQuery),
    responses((status = 200, body = List<GameSummary>), (status = 304, description = "Unchanged")))]
async fn games(
    State(shared): State<Shared>,
    Path(chain): Path<u64>,
    Query(query): Query<GamesQuery>,
    headers: HeaderMap,
) -> Result<Response, ApiError> {
    let live = shared.chain(chain)?;
    let chess = live.app::<Chess>()?;
    let (limit, cursor) = (limit(query.limit)?, before(query.cursor.as_deref())?);
    let head = live.head().await?;
    let tag = live.tag(&head, &[&"games", &limit, &format!("{cursor:?} {:?}", query.state)]);
    if tag.is_known(&headers) {
        return Ok(tag.unchanged());
    }
    let (_, count) = chess.counts(&head).await?;
    let most = if query.state == Which::All { u64::from(limit) } else { LOOKED_THROUGH };
    let (ids, mut next) = below(count, cursor, most);
    let mut sheets = stream::iter(ids).map(|id| chess.sheet(live, id, &head)).buffered(AT_ONCE);
    let mut items: Vec<GameSummary> = Vec::new();
    while let Some(sheet) = sheets.try_next().await? {
        let wanted = match query.state {
            Which::All => true,
            Which::Running => sheet.outcome.is_none(),
            Which::Over => sheet.outcome.is_some(),
        };
        if wanted {
            items.push(chess.summary(live, &sheet));
        }
        if items.len() >= limit as usize {
            next = (sheet.id > 1).then(|| sheet.id.to_string());
            break;
        }
    }
    drop(sheets);
    tag.on(&List { items, next })
}

/// A game with its moves.
#[utoipa::path(get, path = "/chains/{chain}/games/{id}", tag = "chess",
    params(("chain" = u64, Path, description = "Chain id"), ("id" = u64, Path, description = "The game's number")),
    responses((status = 200, body = GameView), (status = 304, description = "Unchanged")))]
async fn game(
    State(shared): State<Shared>,
    Path((chain, id)): Path<(u64, u64)>,
    headers: HeaderMap,
) -> Result<Response, ApiError> {
    let live = shared.chain(chain)?;
    let chess = live.app::<Chess>()?;
    let head = live.head().await?;
    let npc = live.progress(chess.arena.address(), U256::from(id)).await?;
    let tag = live.tag(&head, &[&"game", &id, &format!("{npc:?}")]);
    if tag.is_known(&headers) {
        return Ok(tag.unchanged());
    }
    tag.on(&chess.shown(live, id, &head, npc).await?)
}

/// The proof of an NPC's move, from its transaction, whoever sent it.
#[utoipa::path(get, path = "/chains/{chain}/games/{id}/moves/{ply}/proof", tag = "chess",
    params(("chain" = u64, Path, description = "Chain id"), ("id" = u64, Path, description = "The game's number"),
        ("ply" = u64, Path, description = "The half-move's number, from 0")),
    responses((status = 200, body = MoveProof), (status = 304, description = "Unchanged")))]
async fn proof(
    State(shared): State<Shared>,
    Path((chain, id, ply)): Path<(u64, u64, u64)>,
    headers: HeaderMap,
) -> Result<Response, ApiError> {
    let live = shared.chain(chain)?;
    let chess = live.app::<Chess>()?;
    let head = live.head().await?;
    let (sheet, record) = chess.both(live, id, &head).await?;
    let none = |why: &str| ApiError::not_there(format!("proof of move {ply} of game {id}: {why}"));
    let played = record.moves.iter().find(|played| played.ply == ply).ok_or_else(|| none("it isn't played"))?;
    if played.by_human {
        return Err(none("it is the human's"));
    }
    // Of a move in a block nothing changes but the block.
    let tag = Tag::of(&[&"proof", &chain, &chess.arena.address(), &id, &ply, &played.tx, &played.block]);
    if tag.is_known(&headers) {
        return Ok(tag.unchanged());
    }
    let shown = chess.arena.proof(id, &record, played).await?;
    let shown = shown.ok_or_else(|| none("its transaction called another contract than the arena"))?;
    let mined = live.client().mined(played.tx).await?.ok_or_else(|| none("its transaction is in no block"))?;
    tag.on(&proof_view(chess.arena.address(), (sheet.model_id, sheet.verifier), &shown, played, mined.gas_used)?)
}

/// A game as it goes on: the event `game` holds all of it whenever it has changed, `progress` how the NPC's answer is getting on.
#[utoipa::path(get, path = "/chains/{chain}/games/{id}/stream", tag = "chess",
    params(("chain" = u64, Path, description = "Chain id"), ("id" = u64, Path, description = "The game's number")),
    responses((status = 200, content_type = "text/event-stream", description = "Server-Sent Events", body = String)))]
async fn follow(
    State(shared): State<Shared>,
    Path((chain, id)): Path<(u64, u64)>,
    follower: Follower,
) -> Result<Response, ApiError> {
    let live = shared.chain(chain)?;
    live.app::<Chess>()?;
    shared
        .follow(live, follower, format!("chess/{id}"), move |live| async move {
            let chess = live.app::<Chess>()?;
            let head = live.head().await?;
            let npc = live.progress(chess.arena.address(), U256::from(id)).await?;
            let mut game = chess.shown(&live, id, &head, None).await?;
            let bare = Event::new("game", &game)?;
            game.npc.clone_from(&npc);
            // A step of the proof alone doesn't send all moves again.
            let mut events = vec![Event::new("game", &game)?.told_by(&bare)];
            if let Some(npc) = npc {
                events.push(Event::new("progress", &npc)?);
            }
            Ok(events)
        })
        .await
}

/// Numbers of a page, newest first, of those from 1 to `count` that are below the cursor; and the next page's cursor.
pub(in crate::apps) fn below(count: u64, cursor: Option<u64>, most: u64) -> (Vec<u64>, Option<String>) {
    let top = cursor.map_or(count, |cursor| cursor.saturating_sub(1).min(count));
    let least = top.saturating_sub(most);
    ((least + 1..=top).rev().collect(), (least > 0).then(|| (least + 1).to_string()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pages_go_down_and_meet() {
        let mut seen = Vec::new();
        let mut cursor = None;
        loop {
            let (ids, next) = below(7, cursor, 3);
            seen.extend(ids);
            match next {
                Some(next) => cursor = next.parse().ok(),
                None => break,
            }
        }
        assert_eq!(seen, [7, 6, 5, 4, 3, 2, 1]);
        assert_eq!(below(0, None, 3), (vec![], None));
        assert_eq!(below(7, Some(1), 3), (vec![], None));
        assert_eq!(below(7, Some(u64::MAX), 1), (vec![7], Some("7".into())));
    }
}
