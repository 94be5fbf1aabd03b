//! What the chain says of offers and games for those who look on: sheets, moves, proofs. The arena's ABI for [`super::view`].

use alloy::{
    primitives::{B256, Bytes, U256, keccak256},
    sol_types::{SolCall, SolValue},
};
use zugzwang_contracts::{
    ChessArena::{self, ChessArenaEvents as Events},
    MoveWord, Position,
};

use super::arena::Arena;
use crate::chain::{
    ChainError, Client,
    bytecode::verify_call,
    client::Header,
    types::{Address, Log},
};
use crate::store::BlockRef;

/// Bits of a ranked index.
const BITS: usize = 13;
/// Indices of a ranking.
const RANKED: usize = 16;

/// An offer of games.
#[derive(Clone, Debug)]
pub(super) struct Offer {
    pub(super) id: u64,
    pub(super) host: Address,
    pub(super) verifier: Address,
    pub(super) model_id: B256,
    pub(super) stake: U256,
    pub(super) move_time: u64,
    pub(super) max_games: u64,
    pub(super) running: u64,
    pub(super) open: bool,
}

/// A game as the arena holds it, without its moves.
#[derive(Clone, Debug)]
pub(super) struct Sheet {
    pub(super) id: u64,
    pub(super) human: Address,
    pub(super) host: Address,
    pub(super) verifier: Address,
    pub(super) model_id: B256,
    pub(super) offer_id: U256,
    pub(super) stake: U256,
    pub(super) move_time: u64,
    pub(super) deadline: u64,
    pub(super) ply: u64,
    pub(super) human_is_white: bool,
    pub(super) human_to_move: bool,
    pub(super) outcome: Option<&'static str>,
    pub(super) reason: Option<&'static str>,
    pub(super) fen: String,
    /// The height at which it was first read like this, if it is over: then nothing changes but by a reorganisation.
    pub(super) over_since: Option<u64>,
}

/// A half-move that was made.
#[derive(Clone, Debug)]
pub(in crate::apps) struct Played {
    pub(in crate::apps) ply: u64,
    pub(in crate::apps) by_human: bool,
    pub(in crate::apps) uci: String,
    pub(in crate::apps) rank: Option<u64>,
    /// The position after it.
    after: Position,
    pub(in crate::apps) block: u64,
    pub(in crate::apps) tx: B256,
    /// Unix time of its block.
    pub(in crate::apps) at: u64,
}

/// The moves of a game up to a block.
#[derive(Clone, Debug)]
pub(in crate::apps) struct Record {
    upto: BlockRef,
    pub(in crate::apps) moves: Vec<Played>,
}

/// The proof of a move as it stands in its transaction.
#[derive(Clone, Debug)]
pub(in crate::apps) struct Shown {
    pub(in crate::apps) instances: Vec<B256>,
    pub(in crate::apps) proof: Bytes,
    pub(in crate::apps) calldata: Bytes,
    /// The ranked indices, best first.
    pub(in crate::apps) ranking: Vec<usize>,
    /// The position that it is about.
    pub(in crate::apps) before: Position,
    pub(in crate::apps) block: u64,
    pub(in crate::apps) submitter: Address,
}

/// Outcomes in the contract's order.
const OUTCOMES: [Option<&str>; 4] = [None, Some("human"), Some("npc"), Some("draw")];
/// Reasons in the contract's order.
const REASONS: [Option<&str>; 10] = [
    None,
    Some("checkmate"),
    Some("stalemate"),
    Some("resignation"),
    Some("timeout"),
    Some("fifty_moves"),
    Some("threefold"),
    Some("insufficient_material"),
    Some("seventy_five_moves"),
    Some("no_legal_choice"),
];

/// Who won, by the contract's number; `None` while it runs.
pub(in crate::apps) fn outcome_of(index: u8) -> Option<&'static str> {
    OUTCOMES.get(usize::from(index)).copied().flatten()
}

/// How a game ended, by the contract's number; `None` while it runs.
pub(in crate::apps) fn reason_of(index: u8) -> Option<&'static str> {
    REASONS.get(usize::from(index)).copied().flatten()
}

impl Played {
    /// A move that a log of an arena tells of, without the time of its block. `rank` is its place in a ranking, if it is the NPC's.
    pub(in crate::apps) fn new(log: &Log, ply: U256, word: U256, rank: Option<U256>, after: (U256, U256)) -> Self {
        Self {
            ply: ply.saturating_to(),
            by_human: rank.is_none(),
            uci: MoveWord::try_from(word).map(|word| word.to_string()).unwrap_or_default(),
            rank: rank.map(|rank| rank.saturating_to()),
            after: Position::from_words(after.0, after.1),
            block: log.block_number.unwrap_or_default(),
            tx: log.transaction_hash.unwrap_or_default(),
            at: log.block_timestamp.unwrap_or_default(),
        }
    }
}

impl Arena {
    /// How many offers and games there have been, which are also the last ones' numbers.
    pub(super) async fn counts(&self, at: B256) -> Result<(u64, u64), ChainError> {
        let offers = self.read(ChessArena::offerCountCall {}, "offerCount", Some(at)).await?;
        let games = self.read(ChessArena::gameCountCall {}, "gameCount", Some(at)).await?;
        Ok((offers.saturating_to(), games.saturating_to()))
    }

    /// An offer, from 1 to the count.
    pub(super) async fn offer(&self, id: u64, at: B256) -> Result<Offer, ChainError> {
        let offer = self.read(ChessArena::offerCall { offerId: U256::from(id) }, "offer", Some(at)).await?;
        Ok(Offer {
            id,
            host: offer.host,
            verifier: offer.verifier,
            model_id: offer.modelId,
            stake: U256::from(offer.stake),
            move_time: offer.moveTime.to(),
            max_games: offer.maxGames.into(),
            running: offer.running.into(),
            open: offer.open,
        })
    }

    /// A game, from 1 to the count; `before` is what was read earlier. One that was over `deep` blocks ago isn't read again.
    pub(super) async fn sheet(
        &self,
        id: u64,
        before: Option<&Sheet>,
        deep: u64,
        head: &Header,
    ) -> Result<Sheet, ChainError> {
        let over_since = before.and_then(|before| before.over_since);
        if let (Some(before), Some(since)) = (before, over_since)
            && head.block.number > since.saturating_add(deep)
        {
            return Ok(before.clone());
        }
        let at = Some(head.block.hash);
        let view = self.read(ChessArena::gameCall { gameId: U256::from(id) }, "game", at).await?;
        let outcome = outcome_of(view.outcome);
        Ok(Sheet {
            id,
            human: view.human,
            host: view.host,
            verifier: view.verifier,
            model_id: view.modelId,
            offer_id: view.offerId,
            stake: view.stake,
            move_time: view.moveTime.saturating_to(),
            deadline: view.deadline.saturating_to(),
            ply: view.ply.saturating_to(),
            human_is_white: view.humanIsWhite,
            human_to_move: view.humanToMove,
            outcome,
            reason: reason_of(view.reason),
            fen: Position::from_words(view.board, view.state).to_string(),
            over_since: outcome.map(|_| over_since.unwrap_or(head.block.number)),
        })
    }

    /// The moves of a game up to a block; `before` is what was read earlier, to which only newer blocks add. `start` is the
    /// block from which the arena's events count.
    pub(super) async fn record(
        &self,
        id: u64,
        before: Option<&Record>,
        start: u64,
        head: &Header,
    ) -> Result<Record, ChainError> {
        record_of((self.client(), self.address()), id, before, start, head, |log| self.played(log)).await
    }

    /// The move that a log tells of, if it does.
    fn played(&self, log: &Log) -> Result<Option<Played>, ChainError> {
        Ok(match self.decoded(log)? {
            Some(Events::HumanMoved(e)) => Some(Played::new(log, e.ply, e.r#move, None, (e.board, e.state))),
            Some(Events::NpcMoved(e)) => Some(Played::new(log, e.ply, e.r#move, Some(e.rank), (e.board, e.state))),
            _ => None,
        })
    }

    /// The proof of an NPC's move, see [`proof_of`].
    pub(super) async fn proof(&self, id: u64, record: &Record, played: &Played) -> Result<Option<Shown>, ChainError> {
        proof_of((self.client(), self.address()), id, record, played).await
    }
}

/// The moves of a game of an arena up to a block; `before` is what was read earlier, to which only newer blocks add. `start` is the
/// block from which the arena's events count, and `read` says which of them are moves.
pub(in crate::apps) async fn record_of(
    (client, arena): (&Client, Address),
    id: u64,
    before: Option<&Record>,
    start: u64,
    head: &Header,
    read: impl Fn(&Log) -> Result<Option<Played>, ChainError>,
) -> Result<Record, ChainError> {
    // What was read counts if its last block is still there: then all below it are.
    let mut record = Record { upto: head.block, moves: vec![] };
    let mut first = start;
    if let Some(before) = before
        && before.upto.number <= head.block.number
        && client.block(before.upto.number).await?.is_some_and(|block| block.block.hash == before.upto.hash)
    {
        record.moves.clone_from(&before.moves);
        first = before.upto.number + 1;
    }
    if first > head.block.number {
        return Ok(record);
    }
    let subject = B256::from(U256::from(id));
    let mut times: Vec<(u64, u64)> = Vec::new();
    for log in client.logs_about(arena, subject, first, head.block.number).await? {
        let Some(mut played) = read(&log)? else { continue };
        played.at = match log.block_timestamp.or_else(|| at_of(&times, played.block)) {
            Some(at) => at,
            None => client.known_block(played.block).await?.timestamp,
        };
        times.push((played.block, played.at));
        record.moves.push(played);
    }
    record.moves.sort_by_key(|played| played.ply);
    record.moves.dedup_by_key(|played| played.ply);
    Ok(record)
}

/// The proof of an NPC's move, read from the transaction that made it. `None` if the transaction called another contract, which then
/// called the arena: what that was given stands in no transaction. All arenas take the NPC's moves by the same call.
pub(in crate::apps) async fn proof_of(
    (client, arena): (&Client, Address),
    id: u64,
    record: &Record,
    played: &Played,
) -> Result<Option<Shown>, ChainError> {
    let Some(sent) = client.sent(played.tx).await? else { return Ok(None) };
    let call = ChessArena::playNpcCall::abi_decode(&sent.input).ok();
    let (subject, ply) = (U256::from(id), U256::from(played.ply));
    let ours = |call: &ChessArena::playNpcCall| sent.to == Some(arena) && call.gameId == subject && call.ply == ply;
    let Some(call) = call.filter(ours) else { return Ok(None) };
    let before = match played.ply.checked_sub(1) {
        None => Position::start(),
        Some(ply) => match record.moves.iter().find(|played| played.ply == ply) {
            Some(played) => played.after,
            None => return Ok(None),
        },
    };
    let chain = U256::from(client.chain_id());
    let request = keccak256((chain, arena, subject, ply, sent.from).abi_encode());
    let instances = instances(request, call.ranking, &before);
    let words: Vec<[u8; 32]> = instances.iter().map(|word| word.0).collect();
    Ok(Some(Shown {
        calldata: verify_call(&call.proof, &words),
        instances: instances.to_vec(),
        proof: call.proof,
        ranking: indices(call.ranking),
        before,
        block: sent.block,
        submitter: sent.from,
    }))
}

fn at_of(times: &[(u64, u64)], block: u64) -> Option<u64> {
    times.iter().find(|(known, _)| *known == block).map(|(_, at)| *at)
}

/// The seven public instances, as `chess/Inputs.sol` makes them of a position seen from the side to move.
fn instances(request: B256, ranking: U256, position: &Position) -> [B256; 7] {
    let request = U256::from_be_bytes(request.0);
    let low = U256::from(u128::MAX);
    let plane = U256::from(u64::MAX);
    let state = U256::from(position.state);
    let bit = |at: usize| U256::from(u8::from(state.bit(at)));
    let file = u64::from(position.state >> 4 & 15);
    let passing = if file == 0 { U256::ZERO } else { U256::from(1) << (60 + 4 * file) };
    [
        request >> 128,
        request & low,
        ranking,
        position.board & low,
        position.board >> 128,
        plane * (bit(0) | bit(1) << 64 | bit(2) << 128),
        (plane * bit(3)) | passing,
    ]
    .map(B256::from)
}

/// The 16 indices of a ranking.
fn indices(ranking: U256) -> Vec<usize> {
    let mask = U256::from((1u64 << BITS) - 1);
    (0..RANKED).map(|place| (ranking >> (place * BITS) & mask).to()).collect()
}

#[cfg(test)]
mod tests {
    use zugzwang_circuits::schema::to_be_bytes;

    use super::*;
    use crate::apps::chess::{pack, unpack};

    /// The circuit's own packing of a position, and the contract's, must be what is shown.
    #[test]
    fn instances_are_those_of_circuit_and_contract() {
        for fen in [
            "rnbqkbnr/pppppppp/8/8/8/8/PPPPPPPP/RNBQKBNR w KQkq - 0 1",
            "r3k2r/p1ppqpb1/bn2pnp1/3PN3/1p2P3/2N2Q1p/PPPBBPPP/R3K2R b Kq - 0 1",
            "rnbqkbnr/ppp1p1pp/8/3pPp2/8/8/PPPP1PPP/RNBQKBNR w KQkq f6 0 3",
            "rnbqkbnr/pppp1ppp/8/8/3Pp3/5N2/PPP1PPPP/RNBQKB1R b KQkq d3 0 3",
        ] {
            let position: Position = fen.parse().expect("a position");
            let chess = fen.parse::<shakmaty::fen::Fen>().expect("FEN");
            let chess: shakmaty::Chess = chess.into_position(shakmaty::CastlingMode::Standard).expect("legal");
            let shown = instances(B256::repeat_byte(0xab), U256::from(5), &position);
            let limbs = pack(&chess).to_limbs().map(|limb| B256::from(to_be_bytes(&limb)));
            assert_eq!(shown[3..], limbs, "{fen}");
            assert_eq!(shown[2], B256::from(U256::from(5)));
            assert!(unpack(&pack(&chess), shakmaty::Position::turn(&chess)).is_ok());
        }
        let request = instances(B256::repeat_byte(0xab), U256::ZERO, &Position::start());
        assert_eq!(request[0], request[1]);
        assert_eq!(request[0].0[15], 0);
        assert_eq!(request[0].0[16], 0xab);
    }

    #[test]
    fn rankings_are_unpacked() {
        let ranking = U256::from(4671) | U256::from(7) << 13 | U256::from(1) << 195;
        let indices = indices(ranking);
        assert_eq!((indices.len(), indices[0], indices[1], indices[15]), (16, 4671, 7, 1));
    }
}
