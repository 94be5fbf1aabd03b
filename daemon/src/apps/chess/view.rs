//! What everybody may see of chess: offers, games, moves with their proofs, and a stream of each game. All of it is read from
//! the chain at its head, once for each block; only how the NPC's answer is getting on comes from this daemon.

use std::sync::Arc;

use axum::{extract::State, http::HeaderMap, response::Response};
use futures_util::stream::{self, StreamExt, TryStreamExt};
use serde::{Deserialize, Serialize};
use shakmaty::Color;
use utoipa::{IntoParams, ToSchema};
use utoipa_axum::{router::OpenApiRouter, routes};

use super::{
    Chess,
    arena::unpacked,
    move_of_index,
    record::{Offer, Played, Record, Sheet, Shown},
    unpack,
};
use crate::{
    chain::{
        client::Header,
        types::{Address, B256, U256},
    },
    http::{
        ApiError, Live, Shared,
        answer::{List, PageQuery, Path, Query, Tag, before, limit},
        live::Cache,
        stream::{Event, Follower},
    },
    monitor::Progress,
};
use shakmaty::uci::UciMove;

/// Games and offers that are remembered as of the newest block.
const REMEMBERED: usize = 4096;
/// Games that are looked through for one page of those that run or are over.
const LOOKED_THROUGH: u64 = 500;
/// Questions to the node at the same time, for one page.
const AT_ONCE: usize = 8;

/// What was read from the chain.
#[derive(Debug)]
pub(super) struct Read {
    counts: Cache<(), (u64, u64)>,
    offers: Cache<u64, Offer>,
    sheets: Cache<u64, Sheet>,
    records: Cache<u64, Record>,
}

impl Default for Read {
    fn default() -> Self {
        Self {
            counts: Cache::new(1),
            offers: Cache::new(REMEMBERED),
            sheets: Cache::new(REMEMBERED),
            records: Cache::new(REMEMBERED / 4),
        }
    }
}

/// An offer of games against a model.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
pub struct OfferView {
    /// Its number.
    pub offer_id: String,
    /// Who offers.
    pub host: String,
    /// The verifier contract.
    pub verifier: String,
    /// The model that plays.
    pub model_id: String,
    /// Wei that each side stakes.
    pub stake: String,
    /// Seconds for each move.
    pub move_time_s: u64,
    /// Games that may run at a time.
    pub max_games: u64,
    /// Games that run.
    pub running: u64,
    /// Whether it can be taken up.
    pub open: bool,
    /// Whether this daemon plays the NPC of its games.
    pub served: bool,
}

/// A game, without its moves.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct GameSummary {
    /// Its number.
    pub id: String,
    /// The arena.
    pub arena: String,
    /// The arena's chain.
    pub chain_id: u64,
    /// Who plays against the NPC.
    pub human: String,
    /// Who offered the game.
    pub host: String,
    /// The verifier contract.
    pub verifier: String,
    /// The model that plays.
    pub model_id: String,
    /// The offer that it came of.
    pub offer_id: String,
    /// Wei that each side staked.
    pub stake: String,
    /// Seconds for each move.
    pub move_time_s: u64,
    /// Unix time at which the side to move loses; means nothing once the game is over.
    pub deadline: u64,
    /// Half-moves played.
    pub ply: u64,
    /// The human's colour.
    pub human_is_white: bool,
    /// Whose turn it is.
    pub human_to_move: bool,
    /// Who won: `human`, `npc`, `draw`; null while it runs.
    pub outcome: Option<String>,
    /// How it ended: `checkmate`, `stalemate`, `resignation`, `timeout`, `fifty_moves`, `threefold`,
    /// `insufficient_material`, `seventy_five_moves`, `no_legal_choice`; null while it runs.
    pub reason: Option<String>,
    /// The position.
    pub fen: String,
}

/// A game with its moves.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct GameView {
    /// How it stands.
    #[serde(flatten)]
    pub game: GameSummary,
    /// Its moves, in order.
    pub moves: Vec<MoveView>,
    /// How the NPC's newest answer is getting on, if this daemon makes it.
    pub npc: Option<Progress>,
}

/// Who made a move.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Mover {
    /// The human.
    Human,
    /// The NPC.
    Npc,
}

/// A half-move.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct MoveView {
    /// Its number, from 0.
    pub ply: u64,
    /// Who made it.
    pub by: Mover,
    /// The move, as UCI writes it.
    pub uci: String,
    /// The block that it is in.
    pub block: u64,
    /// Its transaction.
    pub tx: String,
    /// Unix time of its block.
    pub at: u64,
    /// Of an NPC's move: its place in the proven ranking, 0 for the best.
    pub rank: Option<u64>,
}

/// The proof of an NPC's move, as its transaction holds it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct MoveProof {
    /// The model.
    pub model_id: String,
    /// The verifier contract.
    pub verifier: String,
    /// The public instances: request (2), ranking, board (2), rights (2); 32 bytes each.
    pub instances: Vec<String>,
    /// The proof.
    pub proof: String,
    /// Call data of `verifyProof(proof, instances)`, for an `eth_call` of the verifier.
    pub calldata: String,
    /// The ranked moves, best first.
    pub ranking: Vec<RankedMove>,
    /// Gas that the transaction used.
    pub gas_used: u64,
    /// The transaction.
    pub tx: String,
    /// Its block.
    pub block: u64,
    /// Who sent it: the proof is bound to this address.
    pub submitter: String,
}

/// A move of a ranking.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct RankedMove {
    /// Its place, 0 for the best.
    pub place: u64,
    /// Its number among the network's outputs.
    pub index: u64,
    /// The move, as UCI writes it; null for one that isn't legal.
    pub uci: Option<String>,
    /// Whether it is legal: the first one that is, is played.
    pub legal: bool,
}

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

/// A proof as it is shown, with the ranked moves that are legal named.
pub(in crate::apps) fn proof_view(
    arena: Address,
    (model_id, verifier): (B256, Address),
    shown: &Shown,
    played: &Played,
    gas_used: u64,
) -> Result<MoveProof, ApiError> {
    let board = unpacked(arena, shown.before.board, U256::from(shown.before.state))?;
    let position = unpack(&board, color(shown.before.white_to_move())).map_err(|e| ApiError::bug(&e))?;
    let ranked = |(place, index): (usize, &usize)| {
        let legal = move_of_index(&position, *index);
        let uci = legal.map(|m| UciMove::from_standard(m).to_string());
        RankedMove { place: place as u64, index: *index as u64, legal: uci.is_some(), uci }
    };
    Ok(MoveProof {
        model_id: model_id.to_string(),
        verifier: verifier.to_string(),
        instances: shown.instances.iter().map(ToString::to_string).collect(),
        proof: shown.proof.to_string(),
        calldata: shown.calldata.to_string(),
        ranking: shown.ranking.iter().enumerate().map(ranked).collect(),
        gas_used,
        tx: played.tx.to_string(),
        block: shown.block,
        submitter: shown.submitter.to_string(),
    })
}

/// The side to move.
pub(in crate::apps) fn color(white_to_move: bool) -> Color {
    if white_to_move { Color::White } else { Color::Black }
}

/// Numbers of a page, newest first, of those from 1 to `count` that are below the cursor; and the next page's cursor.
pub(in crate::apps) fn below(count: u64, cursor: Option<u64>, most: u64) -> (Vec<u64>, Option<String>) {
    let top = cursor.map_or(count, |cursor| cursor.saturating_sub(1).min(count));
    let least = top.saturating_sub(most);
    ((least + 1..=top).rev().collect(), (least > 0).then(|| (least + 1).to_string()))
}

impl Chess {
    async fn counts(&self, head: &Header) -> Result<(u64, u64), ApiError> {
        let at = head.block.hash;
        Ok(*self.read.counts.at(&(), at, async |_| self.arena.counts(at).await).await?)
    }

    async fn offer(&self, id: u64, head: &Header) -> Result<Arc<Offer>, ApiError> {
        let at = head.block.hash;
        Ok(self.read.offers.at(&id, at, async |_| self.arena.offer(id, at).await).await?)
    }

    async fn sheet(&self, live: &Live, id: u64, head: &Header) -> Result<Arc<Sheet>, ApiError> {
        let deep = live.config().chain.max_reorg;
        let read = async |before: Option<Arc<Sheet>>| self.arena.sheet(id, before.as_deref(), deep, head).await;
        Ok(self.read.sheets.at(&id, head.block.hash, read).await?)
    }

    /// A game and its moves, if there is such a game.
    async fn both(&self, live: &Live, id: u64, head: &Header) -> Result<(Arc<Sheet>, Arc<Record>), ApiError> {
        if id == 0 || id > self.counts(head).await?.1 {
            return Err(ApiError::not_there(format!("game {id}")));
        }
        let sheet = self.sheet(live, id, head).await?;
        let start = live.config().chain.start_block;
        let read = async |before: Option<Arc<Record>>| self.arena.record(id, before.as_deref(), start, head).await;
        Ok((sheet, self.read.records.at(&id, head.block.hash, read).await?))
    }

    async fn shown(&self, live: &Live, id: u64, head: &Header, npc: Option<Progress>) -> Result<GameView, ApiError> {
        let (sheet, record) = self.both(live, id, head).await?;
        Ok(GameView { game: self.summary(live, &sheet), moves: record.moves.iter().map(MoveView::from).collect(), npc })
    }

    fn offer_view(&self, offer: &Offer) -> OfferView {
        OfferView {
            offer_id: offer.id.to_string(),
            host: offer.host.to_string(),
            verifier: offer.verifier.to_string(),
            model_id: offer.model_id.to_string(),
            stake: offer.stake.to_string(),
            move_time_s: offer.move_time,
            max_games: offer.max_games,
            running: offer.running,
            open: offer.open,
            served: offer.host == self.host && self.models.get(offer.model_id.0).is_some(),
        }
    }

    fn summary(&self, live: &Live, sheet: &Sheet) -> GameSummary {
        GameSummary {
            id: sheet.id.to_string(),
            arena: self.arena.address().to_string(),
            chain_id: live.chain_id(),
            human: sheet.human.to_string(),
            host: sheet.host.to_string(),
            verifier: sheet.verifier.to_string(),
            model_id: sheet.model_id.to_string(),
            offer_id: sheet.offer_id.to_string(),
            stake: sheet.stake.to_string(),
            move_time_s: sheet.move_time,
            deadline: sheet.deadline,
            ply: sheet.ply,
            human_is_white: sheet.human_is_white,
            human_to_move: sheet.human_to_move,
            outcome: sheet.outcome.map(str::to_owned),
            reason: sheet.reason.map(str::to_owned),
            fen: sheet.fen.clone(),
        }
    }
}

impl From<&Played> for MoveView {
    fn from(played: &Played) -> Self {
        Self {
            ply: played.ply,
            by: if played.by_human { Mover::Human } else { Mover::Npc },
            uci: played.uci.clone(),
            block: played.block,
            tx: played.tx.to_string(),
            at: played.at,
            rank: played.rank,
        }
    }
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
