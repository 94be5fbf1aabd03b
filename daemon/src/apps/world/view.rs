//! What everybody may see of the World's games: how they stand, the votes of the open window, moves with their proofs, and a
//! stream of each game. All of it is read from the chain at its head, once for each block; only how the NPC's answer is getting
//! on comes from this daemon.

use std::sync::Arc;

use axum::{extract::State, http::HeaderMap, response::Response};
use futures_util::stream::{self, StreamExt, TryStreamExt};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use utoipa_axum::{router::OpenApiRouter, routes};

use super::{Game, World};
use crate::{
    apps::chess::{
        MoveProof, MoveView,
        record::{Record, outcome_of, proof_of, reason_of},
        routes::below,
        unpack,
        view::{color, proof_view},
        word,
    },
    chain::{
        client::Header,
        types::{B256, U256},
    },
    http::{
        ApiError, Live, Shared,
        answer::{List, PageQuery, Path, Query},
        live::Cache,
        stream::{Event, Follower},
    },
    monitor::Progress,
};
use shakmaty::{Position, uci::UciMove};

/// Games that are remembered as of the newest block.
const REMEMBERED: usize = 1024;
/// Questions to the node at the same time, for one page.
const AT_ONCE: usize = 8;
/// The part of a window that a change of the leader leaves at least: `LAST_CALL` of the contract.
const LAST_CALL: u64 = 8;

/// What was read from the chain.
#[derive(Debug)]
pub(super) struct Read {
    count: Cache<(), u64>,
    games: Cache<u64, Game>,
    votes: Cache<u64, Vec<TallyView>>,
    records: Cache<u64, Record>,
}

impl Default for Read {
    fn default() -> Self {
        Self {
            count: Cache::new(1),
            games: Cache::new(REMEMBERED),
            votes: Cache::new(REMEMBERED),
            records: Cache::new(REMEMBERED),
        }
    }
}

/// A game of the World, without its moves. The World is the human side.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct WorldSummary {
    /// Its number.
    pub id: String,
    /// The arena.
    pub arena: String,
    /// The arena's chain.
    pub chain_id: u64,
    /// Who opened the game.
    pub host: String,
    /// The verifier contract.
    pub verifier: String,
    /// The model that plays.
    pub model_id: String,
    /// Wei that the host put up.
    pub pot: String,
    /// The least that a vote must bring, in wei.
    pub least_stake: String,
    /// Seconds of a window, unless its end is put off.
    pub window_s: u64,
    /// Seconds that a change of the leader leaves at least, but for the window's latest end.
    pub last_call_s: u64,
    /// Seconds for each move of the NPC.
    pub move_time_s: u64,
    /// Unix time of the last second of the side to move; means nothing once the game is over.
    pub deadline: u64,
    /// Half-moves played.
    pub ply: u64,
    /// The World's colour.
    pub human_is_white: bool,
    /// Whose turn it is.
    pub human_to_move: bool,
    /// Who won: `human` for the World, `npc`, `draw`; null while it runs.
    pub outcome: Option<String>,
    /// How it ended, as of games of chess; null while it runs.
    pub reason: Option<String>,
    /// The position.
    pub fen: String,
    /// How many moves the World has played: each has an equal part of the pot, if it wins.
    pub rounds: u64,
    /// Wei that were staked on them.
    pub in_play: String,
}

/// A game with its moves and votes.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct WorldView {
    /// How it stands.
    #[serde(flatten)]
    pub world: WorldSummary,
    /// Its moves, in order.
    pub moves: Vec<MoveView>,
    /// How the NPC's newest answer is getting on, if this daemon makes it.
    pub npc: Option<Progress>,
    /// The voting window, if one is open or waits to be closed.
    pub window: Option<WindowView>,
    /// What is behind the moves of this window, the leader first.
    pub votes: Vec<TallyView>,
}

/// A voting window.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct WindowView {
    /// Unix time at which it opened.
    pub opens: u64,
    /// Unix time of its last second, as it is now.
    pub closes: u64,
    /// Unix time past which its end can't be put off.
    pub latest: u64,
    /// The half-move that is voted on.
    pub round: u64,
}

/// What is behind a move.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct TallyView {
    /// The move, as UCI writes it.
    pub uci: String,
    /// Wei that were staked on it.
    pub weight: String,
    /// How many accounts staked on it.
    pub voters: u64,
}

/// The routes of the World's games, below `/api/v1`.
pub(in crate::apps) fn routes() -> OpenApiRouter<Shared> {
    OpenApiRouter::new()
        .routes(routes!(worlds))
        .routes(routes!(world))
        .routes(routes!(world_proof))
        .routes(routes!(follow_world))
}

/// Games of the World, newest first.
#[utoipa::path(get, path = "/chains/{chain}/worlds", tag = "world", params(("chain" = u64, Path, description = "Chain id"), PageQuery),
    responses((status = 200, body = List<WorldSummary>), (status = 304, description = "Unchanged")))]
async fn worlds(
    State(shared): State<Shared>,
    Path(chain): Path<u64>,
    Query(page): Query<PageQuery>,
    headers: HeaderMap,
) -> Result<Response, ApiError> {
    let live = shared.chain(chain)?;
    let app = live.app::<World>()?;
    let (limit, cursor) = (page.limit()?, page.before()?);
    let head = live.head().await?;
    let tag = live.tag(&head, &[&"worlds", &limit, &format!("{cursor:?}")]);
    if tag.is_known(&headers) {
        return Ok(tag.unchanged());
    }
    let (ids, next) = below(app.count(&head).await?, cursor, u64::from(limit));
    let read = |id| async move { Ok::<_, ApiError>(app.summary(live, id, &*app.known(id, &head).await?)) };
    tag.on(&List { items: stream::iter(ids).map(read).buffered(AT_ONCE).try_collect().await?, next })
}

/// A game of the World with its moves and the votes of the open window.
#[utoipa::path(get, path = "/chains/{chain}/worlds/{id}", tag = "world",
    params(("chain" = u64, Path, description = "Chain id"), ("id" = u64, Path, description = "The game's number")),
    responses((status = 200, body = WorldView), (status = 304, description = "Unchanged")))]
async fn world(
    State(shared): State<Shared>,
    Path((chain, id)): Path<(u64, u64)>,
    headers: HeaderMap,
) -> Result<Response, ApiError> {
    let live = shared.chain(chain)?;
    let app = live.app::<World>()?;
    let head = live.head().await?;
    let npc = live.progress(app.arena.address(), U256::from(id)).await?;
    let tag = live.tag(&head, &[&"world", &id, &format!("{npc:?}")]);
    if tag.is_known(&headers) {
        return Ok(tag.unchanged());
    }
    tag.on(&app.shown(live, id, &head, npc).await?)
}

/// The proof of an NPC's move against the World, from its transaction, whoever sent it.
#[utoipa::path(get, path = "/chains/{chain}/worlds/{id}/moves/{ply}/proof", tag = "world",
    params(("chain" = u64, Path, description = "Chain id"), ("id" = u64, Path, description = "The game's number"),
        ("ply" = u64, Path, description = "The half-move's number, from 0")),
    responses((status = 200, body = MoveProof), (status = 304, description = "Unchanged")))]
async fn world_proof(
    State(shared): State<Shared>,
    Path((chain, id, ply)): Path<(u64, u64, u64)>,
    headers: HeaderMap,
) -> Result<Response, ApiError> {
    let live = shared.chain(chain)?;
    let app = live.app::<World>()?;
    let head = live.head().await?;
    let (game, record) = app.both(live, id, &head).await?;
    let none = |why: &str| ApiError::not_there(format!("proof of move {ply} of game {id} of the World: {why}"));
    let played = record.moves.iter().find(|played| played.ply == ply).ok_or_else(|| none("it isn't played"))?;
    if played.by_human {
        return Err(none("it is the World's"));
    }
    let tag = live.tag(&head, &[&"world proof", &id, &ply]);
    if tag.is_known(&headers) {
        return Ok(tag.unchanged());
    }
    let shown = proof_of((live.client(), app.arena.address()), id, &record, played).await?;
    let shown = shown.ok_or_else(|| none("its transaction called another contract than the arena"))?;
    let mined = live.client().mined(played.tx).await?.ok_or_else(|| none("its transaction is in no block"))?;
    tag.on(&proof_view(app.arena.address(), (game.model_id, game.verifier), &shown, played, mined.gas_used)?)
}

/// A game of the World as it goes on: the event `world` holds all of it whenever it has changed, `progress` how the NPC's answer is
/// getting on.
#[utoipa::path(get, path = "/chains/{chain}/worlds/{id}/stream", tag = "world",
    params(("chain" = u64, Path, description = "Chain id"), ("id" = u64, Path, description = "The game's number")),
    responses((status = 200, content_type = "text/event-stream", description = "Server-Sent Events", body = String)))]
async fn follow_world(
    State(shared): State<Shared>,
    Path((chain, id)): Path<(u64, u64)>,
    follower: Follower,
) -> Result<Response, ApiError> {
    let live = shared.chain(chain)?;
    live.app::<World>()?;
    shared
        .follow(live, follower, format!("world/{id}"), move |live| async move {
            let app = live.app::<World>()?;
            let head = live.head().await?;
            let npc = live.progress(app.arena.address(), U256::from(id)).await?;
            let mut world = app.shown(&live, id, &head, None).await?;
            let bare = Event::new("world", &world)?;
            world.npc.clone_from(&npc);
            // A step of the proof alone doesn't send all moves again.
            let mut events = vec![Event::new("world", &world)?.told_by(&bare)];
            if let Some(npc) = npc {
                events.push(Event::new("progress", &npc)?);
            }
            Ok(events)
        })
        .await
}

impl World {
    async fn count(&self, head: &Header) -> Result<u64, ApiError> {
        let at = head.block.hash;
        let read = async |_| Ok::<_, ApiError>(self.arena.count(Some(at)).await?.saturating_to());
        Ok(*self.read.count.at(&(), at, read).await?)
    }

    /// A game, from 1 to the count.
    async fn known(&self, id: u64, head: &Header) -> Result<Arc<Game>, ApiError> {
        let at = head.block.hash;
        Ok(self.read.games.at(&id, at, async |_| self.arena.game(U256::from(id), Some(at)).await).await?)
    }

    /// A game and its moves, if there is such a game.
    async fn both(&self, live: &Live, id: u64, head: &Header) -> Result<(Arc<Game>, Arc<Record>), ApiError> {
        if id == 0 || id > self.count(head).await? {
            return Err(ApiError::not_there(format!("game {id} of the World")));
        }
        let game = self.known(id, head).await?;
        let start = live.config().chain.start_block;
        let read = async |before: Option<Arc<Record>>| self.arena.record(id, before.as_deref(), start, head).await;
        Ok((game, self.read.records.at(&id, head.block.hash, read).await?))
    }

    async fn shown(&self, live: &Live, id: u64, head: &Header, npc: Option<Progress>) -> Result<WorldView, ApiError> {
        let (game, record) = self.both(live, id, head).await?;
        let window = (game.limit != 0).then(|| WindowView {
            opens: game.limit.saturating_sub(game.window.saturating_mul(2)),
            closes: game.deadline,
            latest: game.limit,
            round: game.ply,
        });
        Ok(WorldView {
            world: self.summary(live, id, &game),
            moves: record.moves.iter().map(MoveView::from).collect(),
            npc,
            window,
            votes: self.votes(id, &game, head.block.hash).await?,
        })
    }

    /// What is behind the moves of the open window: every legal move is asked about, in one call.
    async fn votes(&self, id: u64, game: &Game, at: B256) -> Result<Vec<TallyView>, ApiError> {
        if game.limit == 0 || game.leading.is_zero() {
            return Ok(vec![]);
        }
        let read = async |_| {
            let position = unpack(&game.board, color(game.white_to_move())).map_err(|e| ApiError::bug(&e))?;
            let legal = position.legal_moves();
            let words: Vec<u16> = legal.iter().map(|m| word(*m)).collect();
            let tallies = self.arena.tally(U256::from(id), game.ply, &words, Some(at)).await?;
            let mut rows: Vec<_> = legal.iter().zip(words).zip(tallies).filter(|(_, t)| !t.weight.is_zero()).collect();
            // Of moves with as much behind them, the one that leads had it first.
            rows.sort_by_key(|((_, word), tally)| (std::cmp::Reverse(tally.weight), *word != game.leader, *word));
            Ok::<_, ApiError>(
                rows.iter()
                    .map(|((m, _), tally)| TallyView {
                        uci: UciMove::from_standard(**m).to_string(),
                        weight: tally.weight.to_string(),
                        voters: tally.voters,
                    })
                    .collect(),
            )
        };
        Ok(self.read.votes.at(&id, at, read).await?.to_vec())
    }

    fn summary(&self, live: &Live, id: u64, game: &Game) -> WorldSummary {
        let (outcome, reason) = game.ending;
        WorldSummary {
            id: id.to_string(),
            arena: self.arena.address().to_string(),
            chain_id: live.chain_id(),
            host: game.host.to_string(),
            verifier: game.verifier.to_string(),
            model_id: game.model_id.to_string(),
            pot: game.pot.to_string(),
            least_stake: game.least_stake.to_string(),
            window_s: game.window,
            last_call_s: game.window.div_ceil(LAST_CALL),
            move_time_s: game.move_time,
            deadline: game.deadline,
            ply: game.ply,
            human_is_white: game.world_is_white,
            human_to_move: game.world_to_move,
            outcome: outcome_of(outcome).map(str::to_owned),
            reason: reason_of(reason).map(str::to_owned),
            fen: game.fen.clone(),
            rounds: game.rounds,
            in_play: game.in_play.to_string(),
        }
    }
}
