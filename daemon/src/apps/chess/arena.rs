//! The arena: its calls, its events, its errors in words.

use alloy::{
    primitives::TxHash,
    sol_types::{SolCall, SolInterface},
};
use zugzwang_circuits::schema::PackedBoard;
use zugzwang_contracts::ChessArena::{self, ChessArenaErrors as Errors, ChessArenaEvents as Events};

use super::turn::Turn;
use crate::chain::{
    ChainError, Client, Contract, contract,
    policy::Permit,
    submit::Call,
    types::{Address, B256, Bytes, Log, U256},
};

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
        self.turn().asks(ply)
    }

    /// The game as far as the NPC's turn goes.
    pub(super) fn turn(&self) -> Turn<'_> {
        Turn {
            ended: self.ended.as_deref(),
            ply: self.ply,
            npc_to_move: !self.human_to_move,
            white_to_move: self.white_to_move(),
            model_id: self.model_id,
            host: self.host,
            board: &self.board,
        }
    }

    /// Whether White is to move.
    pub fn white_to_move(&self) -> bool {
        self.human_is_white == self.human_to_move
    }
}

/// The arena at an address.
#[derive(Clone, Debug)]
pub struct Arena(Contract);

impl Arena {
    /// Makes sure that there is an arena.
    pub async fn open(client: Client, address: Address) -> Result<Self, ChainError> {
        let arena = Self(Contract::open(client, address, "arena", "chess.arena", words).await?);
        arena.read(ChessArena::gameCountCall {}, "gameCount", None).await.map_err(|e| match e {
            ChainError::Refused { .. } | ChainError::Undecodable { .. } | ChainError::Reverts { .. } => {
                let why = "the contract there is no arena".into();
                ChainError::NoContract { name: "arena", address, key: "chess.arena", why }
            }
            other => other,
        })?;
        Ok(arena)
    }

    /// Its address.
    pub fn address(&self) -> Address {
        self.0.address()
    }

    /// The node.
    pub(super) fn client(&self) -> &Client {
        self.0.client()
    }

    /// One of its events.
    pub(super) fn decoded(&self, log: &Log) -> Result<Option<Events>, ChainError> {
        self.0.event(log)
    }

    /// Any view of it.
    pub async fn read<C: SolCall>(&self, call: C, name: &str, at: Option<B256>) -> Result<C::Return, ChainError> {
        self.0.read(call, name, at).await
    }

    /// The game and what a log tells of it; `None` for events that don't matter here.
    pub fn event(&self, log: &Log) -> Result<Option<(U256, ArenaEvent)>, ChainError> {
        Ok(self.0.event::<Events>(log)?.and_then(|event| match event {
            Events::GameCreated(e) => Some((e.gameId, ArenaEvent::Created { npc_is_white: !e.humanIsWhite })),
            Events::HumanMoved(e) => Some((e.gameId, ArenaEvent::HumanMoved { ply: e.ply.saturating_to() })),
            Events::NpcMoved(e) => Some((e.gameId, ArenaEvent::NpcMoved { ply: e.ply.saturating_to() })),
            Events::GameOver(e) => {
                let (outcome, reason) = (e.outcome, e.reason);
                let forfeited = outcome == HUMAN_WON && reason == TIMEOUT;
                Some((e.gameId, ArenaEvent::Over { forfeited, how: ending(outcome, reason) }))
            }
            _ => None,
        }))
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
            board: unpacked(self.address(), view.board, view.state)?,
        })
    }

    /// The public instances that a proof for this submitter must have now, without the ranking.
    pub async fn instances(&self, id: U256, submitter: Address) -> Result<[[u8; 32]; 7], ChainError> {
        let words = self.read(ChessArena::instancesCall { gameId: id, submitter }, "instances", None).await?;
        Ok(words.map(|word| word.to_be_bytes()))
    }

    /// The NPC's move in a transaction, as the arena writes moves.
    pub async fn npc_move_in(&self, tx: TxHash) -> Result<Option<u16>, ChainError> {
        let logs = self.0.client().logs_of(tx).await?;
        let moved = logs
            .iter()
            .filter(|log| log.address() == self.address())
            .find_map(|log| log.log_decode::<ChessArena::NpcMoved>().ok());
        Ok(moved.map(|log| log.inner.r#move.wrapping_to()))
    }

    /// The transaction that plays a proven ranking.
    pub fn play_npc(&self, game: U256, ply: u64, ranking: [u8; 32], proof: Vec<u8>) -> Call {
        let call = ChessArena::playNpcCall {
            gameId: game,
            ply: U256::from(ply),
            ranking: U256::from_be_bytes(ranking),
            proof: proof.into(),
        };
        Call { to: self.address(), data: call.abi_encode().into(), value: U256::ZERO }
    }

    /// The transaction that ends a game whose side to move has exceeded its time.
    pub fn claim_timeout(&self, game: U256) -> Call {
        let call = ChessArena::claimTimeoutCall { gameId: game };
        Call { to: self.address(), data: call.abi_encode().into(), value: U256::ZERO }
    }
}

/// Unpacks a board word and the state's rights of an arena, as `chess/Moves.sol` lays them out.
pub(in crate::apps) fn unpacked(arena: Address, board: U256, state: U256) -> Result<PackedBoard, ChainError> {
    let bits: u64 = state.wrapping_to();
    let squares = std::array::from_fn(|square| (board.wrapping_shr(4 * square)).wrapping_to::<u64>() as u8 & 15);
    let castling = std::array::from_fn(|right| bits >> right & 1 == 1);
    let file = (bits >> 4 & 15) as u8;
    let en_passant = file.checked_sub(1);
    PackedBoard::new(squares, castling, en_passant).map_err(|e| ChainError::Undecodable {
        name: "arena",
        address: arena,
        what: "the board".into(),
        why: e.to_string(),
    })
}

/// `Outcome` and `Reason` of `chess/GameWord.sol`.
pub(in crate::apps) const RUNNING: u8 = 0;
pub(in crate::apps) const TIMEOUT: u8 = 4;
pub(in crate::apps) const HUMAN_WON: u8 = 1;

/// How a game ended, in words.
fn ending(outcome: u8, reason: u8) -> String {
    ending_of("the human", outcome, reason)
}

/// The same, with a name for the side that isn't the NPC.
pub(in crate::apps) fn ending_of(human: &str, outcome: u8, reason: u8) -> String {
    let won = format!("{human} won");
    let who =
        ["still running", won.as_str(), "the NPC won", "drawn"].get(usize::from(outcome)).copied().unwrap_or("ended");
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

/// Every call that the app makes.
pub fn permits() -> Vec<Permit> {
    vec![
        Permit::of(ChessArena::playNpcCall::SELECTOR, "playNpc"),
        Permit::of(ChessArena::claimTimeoutCall::SELECTOR, "claimTimeout"),
    ]
}

/// The arena's own errors in words; `None` for data that is none of them.
pub fn words(data: &Bytes) -> Option<String> {
    let error = Errors::abi_decode(data).ok()?;
    Some(match error {
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
    })
}

/// What a refused call says, if the arena refused it: its words, or `None` if the node did.
pub fn refusal(error: &ChainError) -> Option<String> {
    contract::refusal(error, words)
}

/// Whether a refusal says that the mover's time ran out.
pub fn is_time_up(words: &str) -> bool {
    words.starts_with("TimeIsUp")
}

#[cfg(test)]
mod tests {
    use alloy::sol_types::{Revert, SolError};

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
            assert_eq!(contract::in_words(&data, words), expected);
        }
        assert_eq!(ending(3, 6), "drawn by threefold repetition");
        assert_eq!(ending(9, 9), "ended because none of the 16 ranked moves is legal");
    }
}
