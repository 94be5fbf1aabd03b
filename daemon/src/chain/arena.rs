//! The arena: its calls, its events, its errors in words.

use alloy::{
    primitives::TxHash,
    rpc::types::Log,
    sol_types::{Panic, Revert, SolCall, SolError, SolEventInterface, SolInterface},
};
use zugzwang_circuits::schema::PackedBoard;

use super::{
    bindings::ChessArena::{self, ChessArenaErrors as Errors, ChessArenaEvents as Events},
    client::Client,
    error::{ChainError, one_line},
    submit::Call,
    types::{Address, B256, Bytes, U256},
};
use crate::store::BlockRef;

/// An event with its place on the chain.
#[derive(Clone, Debug)]
pub struct Seen {
    /// The block.
    pub block: BlockRef,
    /// The transaction.
    pub tx: TxHash,
    /// The game.
    pub game: U256,
    /// What happened.
    pub event: ArenaEvent,
}

/// What the arena tells of a game.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ArenaEvent {
    /// It began; the NPC plays White if the human doesn't.
    Created {
        /// Whether the first move is the NPC's.
        npc_is_white: bool,
    },
    /// The human made this half-move.
    HumanMoved {
        /// Its number, from 0.
        ply: u64,
    },
    /// The NPC made this half-move.
    NpcMoved {
        /// Its number, from 0.
        ply: u64,
    },
    /// It ended.
    Over {
        /// Whether the NPC's time ran out.
        forfeited: bool,
        /// How, in words.
        how: String,
    },
}

/// How a game stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Game {
    /// Who plays against the NPC.
    pub human: Address,
    /// Who offered the game.
    pub host: Address,
    /// The verifier contract.
    pub verifier: Address,
    /// The model that plays.
    pub model_id: B256,
    /// Half-moves played.
    pub ply: u64,
    /// Unix time at which the side to move loses.
    pub deadline: u64,
    /// The human's colour.
    pub human_is_white: bool,
    /// Whose turn it is.
    pub human_to_move: bool,
    /// `None` while it runs, else how it ended.
    pub ended: Option<String>,
    /// The position, seen from the side to move.
    pub board: PackedBoard,
}

impl Game {
    /// Whether the NPC is to make this half-move.
    pub fn asks(&self, ply: u64) -> bool {
        self.ended.is_none() && !self.human_to_move && self.ply == ply
    }

    /// Whether White is to move.
    pub fn white_to_move(&self) -> bool {
        self.human_is_white == self.human_to_move
    }
}

/// The arena at an address.
#[derive(Clone, Debug)]
pub struct Arena {
    client: Client,
    address: Address,
}

impl Arena {
    /// Makes sure that there is an arena.
    pub async fn open(client: Client, address: Address) -> Result<Self, ChainError> {
        if client.code(address).await?.is_empty() {
            return Err(ChainError::NoArena {
                address,
                why: format!("there is no contract on chain {}", client.chain_id()),
            });
        }
        let arena = Self { client, address };
        arena.read(ChessArena::gameCountCall {}, "gameCount", None).await.map_err(|e| match e {
            ChainError::Refused { .. } | ChainError::Undecodable { .. } => {
                ChainError::NoArena { address, why: "the contract there is no arena".into() }
            }
            other => other,
        })?;
        Ok(arena)
    }

    /// Its address.
    pub fn address(&self) -> Address {
        self.address
    }

    /// How a game stands, at a block or at the head.
    pub async fn game(&self, id: U256, at: Option<B256>) -> Result<Game, ChainError> {
        let view = self.read(ChessArena::gameCall { gameId: id }, "game", at).await?;
        let (outcome, reason) = (view.outcome, view.reason);
        Ok(Game {
            human: view.human,
            host: view.host,
            verifier: view.verifier,
            model_id: view.modelId,
            ply: view.ply.saturating_to(),
            deadline: view.deadline.saturating_to(),
            human_is_white: view.humanIsWhite,
            human_to_move: view.humanToMove,
            ended: (outcome != RUNNING).then(|| ending(outcome, reason)),
            board: self.board(view.board, view.state)?,
        })
    }

    /// The public instances that a proof for this submitter must have now, without the ranking.
    pub async fn instances(&self, id: U256, submitter: Address) -> Result<[[u8; 32]; 7], ChainError> {
        let words = self.read(ChessArena::instancesCall { gameId: id, submitter }, "instances", None).await?;
        Ok(words.map(|word| word.to_be_bytes()))
    }

    /// The NPC's move in a transaction, as the arena writes moves.
    pub async fn npc_move_in(&self, tx: B256) -> Result<Option<u16>, ChainError> {
        let logs = self.client.logs_of(tx).await?;
        let moved = logs
            .iter()
            .filter(|log| log.address() == self.address)
            .find_map(|log| log.log_decode::<ChessArena::NpcMoved>().ok());
        Ok(moved.map(|log| log.inner.r#move.wrapping_to()))
    }

    /// Any view of the arena.
    pub async fn read<C: SolCall>(&self, call: C, name: &str, at: Option<B256>) -> Result<C::Return, ChainError> {
        let answer = self.client.call(None, self.address, call.abi_encode().into(), at).await.map_err(|e| match e {
            ChainError::Refused { data: Some(data), .. } if !data.is_empty() => {
                ChainError::Reverts { what: format!("arena {}: {name}", self.address), why: words(&data) }
            }
            other => other,
        })?;
        C::abi_decode_returns_validate(&answer).map_err(|e| ChainError::Undecodable {
            address: self.address,
            what: name.to_owned(),
            why: one_line(&e.to_string()),
        })
    }

    /// The transaction that plays a proven ranking.
    pub fn play_npc(&self, game: U256, ply: u64, ranking: [u8; 32], proof: Vec<u8>) -> Call {
        let call = ChessArena::playNpcCall {
            gameId: game,
            ply: U256::from(ply),
            ranking: U256::from_be_bytes(ranking),
            proof: proof.into(),
        };
        Call { to: self.address, data: call.abi_encode().into(), value: U256::ZERO }
    }

    /// The transaction that ends a game whose side to move has exceeded its time.
    pub fn claim_timeout(&self, game: U256) -> Call {
        let call = ChessArena::claimTimeoutCall { gameId: game };
        Call { to: self.address, data: call.abi_encode().into(), value: U256::ZERO }
    }

    /// Unpacks a board word and the state's rights, as `chess/Moves.sol` lays them out.
    fn board(&self, board: U256, state: U256) -> Result<PackedBoard, ChainError> {
        let bits: u64 = state.wrapping_to();
        let squares = std::array::from_fn(|square| (board.wrapping_shr(4 * square)).wrapping_to::<u64>() as u8 & 15);
        let castling = std::array::from_fn(|right| bits >> right & 1 == 1);
        let file = (bits >> 4 & 15) as u8;
        let en_passant = file.checked_sub(1);
        PackedBoard::new(squares, castling, en_passant).map_err(|e| ChainError::Undecodable {
            address: self.address,
            what: "the board".into(),
            why: e.to_string(),
        })
    }
}

const RUNNING: u8 = 0;
const TIMEOUT: u8 = 4;
const HUMAN_WON: u8 = 1;

/// How a game ended, in words.
fn ending(outcome: u8, reason: u8) -> String {
    let who = ["still running", "the human won", "the NPC won", "drawn"].get(usize::from(outcome)).unwrap_or(&"ended");
    let why = [
        "",
        "by checkmate",
        "by stalemate",
        "by resignation",
        "on time",
        "by the fifty-move rule",
        "by threefold repetition",
        "for lack of material",
        "by the seventy-five-move rule",
        "because none of the 16 ranked moves is legal",
    ];
    format!("{who} {}", why.get(usize::from(reason)).unwrap_or(&"")).trim().to_owned()
}

/// Decodes logs; events of the arena that don't matter here are left out.
pub fn decode_all(arena: Address, logs: &[Log]) -> Result<Vec<Seen>, ChainError> {
    let mut seen = Vec::new();
    for log in logs.iter().filter(|log| log.address() == arena && !log.removed) {
        let (Some(number), Some(hash), Some(tx)) = (log.block_number, log.block_hash, log.transaction_hash) else {
            continue;
        };
        let event = Events::decode_log(&log.inner).map_err(|e| ChainError::Undecodable {
            address: arena,
            what: format!("an event of block {number}"),
            why: one_line(&e.to_string()),
        })?;
        let (game, event) = match event.data {
            Events::GameCreated(e) => (e.gameId, ArenaEvent::Created { npc_is_white: !e.humanIsWhite }),
            Events::HumanMoved(e) => (e.gameId, ArenaEvent::HumanMoved { ply: e.ply.saturating_to() }),
            Events::NpcMoved(e) => (e.gameId, ArenaEvent::NpcMoved { ply: e.ply.saturating_to() }),
            Events::GameOver(e) => {
                let (outcome, reason) = (e.outcome, e.reason);
                (
                    e.gameId,
                    ArenaEvent::Over {
                        forfeited: outcome == HUMAN_WON && reason == TIMEOUT,
                        how: ending(outcome, reason),
                    },
                )
            }
            _ => continue,
        };
        seen.push(Seen { block: BlockRef { number, hash }, tx, game, event });
    }
    Ok(seen)
}

/// The contract's own word for why it refused, with its numbers.
pub fn words(data: &Bytes) -> String {
    if let Ok(error) = Errors::abi_decode(data) {
        return match error {
            Errors::NoSuchGame(e) => format!("NoSuchGame: there is no game {}", e.gameId),
            Errors::GameIsOver(e) => format!("GameIsOver: game {} has ended", e.gameId),
            Errors::WrongPly(e) => format!("WrongPly: the game is at ply {}", e.ply),
            Errors::NotNpcTurn(_) => "NotNpcTurn: it is the human's turn".into(),
            Errors::NotHumanTurn(_) => "NotHumanTurn: it is the NPC's turn".into(),
            Errors::NotYourGame(_) => "NotYourGame: this account has no part in the game that would allow this".into(),
            Errors::TimeIsUp(e) => format!("TimeIsUp: the deadline was at {}", e.deadline),
            Errors::TimeIsNotUp(e) => format!("TimeIsNotUp: the deadline is at {}", e.deadline),
            Errors::IllegalMove(e) => format!("IllegalMove: move {} is against the rules of chess", e.r#move),
            Errors::MalformedRanking(_) => "MalformedRanking: the ranking isn't 16 move indices".into(),
            Errors::ProofRejected(_) => "ProofRejected: the verifier doesn't accept the proof".into(),
            Errors::ClaimRefused(_) => "ClaimRefused: the claimed end of the game isn't one".into(),
            Errors::NotAVerifier(e) => format!("NotAVerifier: {} has no code or verifies another model", e.verifier),
            Errors::BadTerms(_) => "BadTerms: time per move, stake or number of games out of range".into(),
            Errors::OfferUnavailable(e) => {
                format!("OfferUnavailable: offer {} is closed, full or doesn't exist", e.offerId)
            }
            Errors::WrongStake(e) => format!("WrongStake: the stake is {} wei", e.stake),
            Errors::InsufficientBalance(e) => {
                format!("InsufficientBalance: the balance is {} wei", e.balance)
            }
            Errors::PaymentFailed(_) => "PaymentFailed: the receiver refused the payment".into(),
        };
    }
    if let Ok(revert) = Revert::abi_decode(data) {
        return one_line(&revert.reason);
    }
    if let Ok(panic) = Panic::abi_decode(data) {
        return one_line(&panic.to_string());
    }
    if data.is_empty() { "no reason given".into() } else { one_line(&format!("unknown error {data}")) }
}

/// What a refused call says, if the contract refused it: its words, or `None` if the node did.
pub fn refusal(error: &ChainError) -> Option<String> {
    match error {
        ChainError::Refused { data: Some(data), .. } => Some(words(data)),
        ChainError::Refused { message, .. } if message.to_lowercase().contains("revert") => Some(one_line(message)),
        _ => None,
    }
}

/// Whether a refusal says that the mover's time ran out.
pub fn is_time_up(words: &str) -> bool {
    words.starts_with("TimeIsUp")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn errors_are_put_in_words() {
        let cases: [(Bytes, &str); 5] = [
            (ChessArena::WrongPly { ply: U256::from(7) }.abi_encode().into(), "WrongPly: the game is at ply 7"),
            (ChessArena::ProofRejected {}.abi_encode().into(), "ProofRejected: the verifier doesn't accept the proof"),
            (Revert::from("nope\nnever").abi_encode().into(), "nope never"),
            (Bytes::new(), "no reason given"),
            (Bytes::from_static(&[1, 2, 3, 4]), "unknown error 0x01020304"),
        ];
        for (data, expected) in cases {
            assert_eq!(words(&data), expected);
        }
        assert_eq!(ending(3, 6), "drawn by threefold repetition");
        assert_eq!(ending(9, 9), "ended because none of the 16 ranked moves is legal");
    }
}
