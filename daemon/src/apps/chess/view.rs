//! What everybody may see of chess. All of it is read from the chain at its head, once for each block; only how the NPC's answer
//! is getting on comes from this daemon.

use std::sync::Arc;

use serde::{Deserialize, Serialize};
use shakmaty::{Color, uci::UciMove};
use utoipa::ToSchema;

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
    http::{ApiError, Live, live::Cache},
    monitor::Progress,
};

/// Games and offers that are remembered as of the newest block.
const REMEMBERED: usize = 4096;

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

impl Chess {
    pub(super) async fn counts(&self, head: &Header) -> Result<(u64, u64), ApiError> {
        let at = head.block.hash;
        Ok(*self.read.counts.at(&(), at, async |_| self.arena.counts(at).await).await?)
    }

    pub(super) async fn offer(&self, id: u64, head: &Header) -> Result<Arc<Offer>, ApiError> {
        let at = head.block.hash;
        Ok(self.read.offers.at(&id, at, async |_| self.arena.offer(id, at).await).await?)
    }

    pub(super) async fn sheet(&self, live: &Live, id: u64, head: &Header) -> Result<Arc<Sheet>, ApiError> {
        let deep = live.config().chain.max_reorg;
        let read = async |before: Option<Arc<Sheet>>| self.arena.sheet(id, before.as_deref(), deep, head).await;
        Ok(self.read.sheets.at(&id, head.block.hash, read).await?)
    }

    /// A game and its moves, if there is such a game.
    pub(super) async fn both(
        &self,
        live: &Live,
        id: u64,
        head: &Header,
    ) -> Result<(Arc<Sheet>, Arc<Record>), ApiError> {
        if id == 0 || id > self.counts(head).await?.1 {
            return Err(ApiError::not_there(format!("game {id}")));
        }
        let sheet = self.sheet(live, id, head).await?;
        let start = live.config().chain.start_block;
        let read = async |before: Option<Arc<Record>>| self.arena.record(id, before.as_deref(), start, head).await;
        Ok((sheet, self.read.records.at(&id, head.block.hash, read).await?))
    }

    pub(super) async fn shown(
        &self,
        live: &Live,
        id: u64,
        head: &Header,
        npc: Option<Progress>,
    ) -> Result<GameView, ApiError> {
        let (sheet, record) = self.both(live, id, head).await?;
        Ok(GameView { game: self.summary(live, &sheet), moves: record.moves.iter().map(MoveView::from).collect(), npc })
    }

    pub(super) fn offer_view(&self, offer: &Offer) -> OfferView {
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

    pub(super) fn summary(&self, live: &Live, sheet: &Sheet) -> GameSummary {
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
