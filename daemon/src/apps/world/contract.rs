//! The World arena: its calls, its events, its errors in words.

use alloy::sol_types::{SolCall, SolInterface};
use zugzwang_circuits::schema::PackedBoard;
use zugzwang_contracts::{
    Position,
    WorldArena::{self as abi, WorldArenaErrors as Errors, WorldArenaEvents as Events},
};

use crate::{
    apps::chess::{
        arena::{HUMAN_WON, RUNNING, TIMEOUT, ending_of, unpacked},
        record::{Played, Record, record_of},
        turn::Turn,
    },
    chain::{
        ChainError, Client, Contract,
        client::Header,
        policy::Permit,
        submit::Call,
        types::{Address, B256, Bytes, Log, U256},
    },
};

/// What the arena tells of a game.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum WorldEvent {
    /// It began; the NPC plays White if the World doesn't.
    Opened {
        /// Whether the first move is the NPC's.
        npc_is_white: bool,
    },
    /// Somebody staked on a move.
    Voted {
        /// The half-move's number, from 0.
        ply: u64,
        /// The move, as arenas write moves.
        word: u16,
        /// Everything behind that move now, in wei.
        weight: U256,
        /// Unix time of the window's last second.
        closes: u64,
    },
    /// A round was closed, and the World made this half-move.
    Moved {
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
    /// Who opened it.
    pub host: Address,
    /// The verifier contract.
    pub verifier: Address,
    /// The model that plays.
    pub model_id: B256,
    /// What the host put up, in wei.
    pub pot: U256,
    /// The least that a vote must bring, in wei.
    pub least_stake: U256,
    /// Seconds of a window, unless its end is put off.
    pub window: u64,
    /// Seconds for each move of the NPC.
    pub move_time: u64,
    /// Half-moves played.
    pub ply: u64,
    /// Unix time of the last second of the side to move.
    pub deadline: u64,
    /// Unix time past which this window's end can't be put off; 0 when no window is open.
    pub limit: u64,
    /// The World's colour.
    pub world_is_white: bool,
    /// Whose turn it is.
    pub world_to_move: bool,
    /// The leading move of this window, as arenas write moves; 0, which is no move, without votes.
    pub leader: u16,
    /// What the leading move of this window has behind it, in wei; zero without votes.
    pub leading: U256,
    /// How many moves the World has played.
    pub rounds: u64,
    /// What was staked on them, in wei.
    pub in_play: U256,
    /// `Outcome` and `Reason` of `chess/GameWord.sol`.
    pub ending: (u8, u8),
    /// `None` while it runs, else how it ended.
    pub ended: Option<String>,
    /// The position, seen from the side to move.
    pub board: PackedBoard,
    /// The position in Forsyth-Edwards notation.
    pub fen: String,
}

impl Game {
    /// Whether White is to move.
    pub fn white_to_move(&self) -> bool {
        self.world_is_white == self.world_to_move
    }

    /// The game as far as the NPC's turn goes.
    pub(super) fn turn(&self) -> Turn<'_> {
        Turn {
            ended: self.ended.as_deref(),
            ply: self.ply,
            npc_to_move: !self.world_to_move,
            white_to_move: self.white_to_move(),
            model_id: self.model_id,
            host: self.host,
            board: &self.board,
        }
    }
}

/// What is behind a move in a round.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Tally {
    /// The stakes, in wei.
    pub weight: U256,
    /// How many accounts have staked on it.
    pub voters: u64,
}

/// The arena at an address.
#[derive(Clone, Debug)]
pub struct Arena(Contract);

impl Arena {
    /// Makes sure that there is such an arena.
    pub async fn open(client: Client, address: Address) -> Result<Self, ChainError> {
        const NAME: &str = "World arena";
        let arena = Self(Contract::open(client, address, NAME, "world.contract", words).await?);
        // Both kinds of arenas count games; only this one knows of votes.
        let call = abi::dueOfCall { gameId: U256::ZERO, ply: U256::ZERO, r#move: U256::ZERO, account: Address::ZERO };
        arena.read(call, "dueOf", None).await.map_err(|e| match e {
            ChainError::Refused { .. } | ChainError::Undecodable { .. } | ChainError::Reverts { .. } => {
                let why = "the contract there is no WorldArena".into();
                ChainError::NoContract { name: NAME, address, key: "world.contract", why }
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
    pub fn client(&self) -> &Client {
        self.0.client()
    }

    async fn read<C: SolCall>(&self, call: C, name: &str, at: Option<B256>) -> Result<C::Return, ChainError> {
        self.0.read(call, name, at).await
    }

    /// The game and what a log tells of it; `None` for events that don't matter here.
    pub fn event(&self, log: &Log) -> Result<Option<(U256, WorldEvent)>, ChainError> {
        Ok(self.0.event::<Events>(log)?.and_then(|event| match event {
            Events::GameOpened(e) => Some((e.gameId, WorldEvent::Opened { npc_is_white: !e.worldIsWhite })),
            Events::Voted(e) => {
                let (ply, closes) = (e.ply.saturating_to(), e.closes.saturating_to());
                Some((e.gameId, WorldEvent::Voted { ply, word: e.r#move.saturating_to(), weight: e.weight, closes }))
            }
            Events::WorldMoved(e) => Some((e.gameId, WorldEvent::Moved { ply: e.ply.saturating_to() })),
            Events::NpcMoved(e) => Some((e.gameId, WorldEvent::NpcMoved { ply: e.ply.saturating_to() })),
            Events::GameOver(e) => {
                let forfeited = e.outcome == HUMAN_WON && e.reason == TIMEOUT;
                Some((e.gameId, WorldEvent::Over { forfeited, how: ending_of("the World", e.outcome, e.reason) }))
            }
            _ => None,
        }))
    }

    /// How many games there have been, at a block or at the head.
    pub async fn count(&self, at: Option<B256>) -> Result<U256, ChainError> {
        self.read(abi::gameCountCall {}, "gameCount", at).await
    }

    /// How a game stands, at a block or at the head.
    pub async fn game(&self, id: U256, at: Option<B256>) -> Result<Game, ChainError> {
        let view = self.read(abi::gameCall { gameId: id }, "game", at).await?;
        let (outcome, reason) = (view.outcome, view.reason);
        Ok(Game {
            host: view.host,
            verifier: view.verifier,
            model_id: view.modelId,
            pot: view.pot,
            least_stake: view.leastStake,
            window: view.window.saturating_to(),
            move_time: view.moveTime.saturating_to(),
            ply: view.ply.saturating_to(),
            deadline: view.deadline.saturating_to(),
            limit: view.limit.saturating_to(),
            world_is_white: view.worldIsWhite,
            world_to_move: view.worldToMove,
            leader: view.leader.saturating_to(),
            leading: view.leaderWeight,
            rounds: view.rounds.saturating_to(),
            in_play: view.inPlay,
            ending: (outcome, reason),
            ended: (outcome != RUNNING).then(|| ending_of("the World", outcome, reason)),
            board: unpacked(self.address(), view.board, view.state)?,
            fen: Position::from_words(view.board, view.state).to_string(),
        })
    }

    /// What is behind moves in a round.
    pub async fn tally(&self, game: U256, ply: u64, words: &[u16], at: Option<B256>) -> Result<Vec<Tally>, ChainError> {
        let moves = words.iter().map(|word| U256::from(*word)).collect();
        let call = abi::tallyCall { gameId: game, ply: U256::from(ply), moves };
        let behind = self.read(call, "tally", at).await?;
        let rows = behind.weights.into_iter().zip(behind.voters);
        Ok(rows.map(|(weight, voters)| Tally { weight, voters: voters.saturating_to() }).collect())
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
        Ok(match self.0.event::<Events>(log)? {
            Some(Events::WorldMoved(e)) => Some(Played::new(log, e.ply, e.r#move, None, (e.board, e.state))),
            Some(Events::NpcMoved(e)) => Some(Played::new(log, e.ply, e.r#move, Some(e.rank), (e.board, e.state))),
            _ => None,
        })
    }

    /// The public instances that a proof for this submitter must have now, without the ranking.
    pub(super) async fn instances(&self, id: U256, submitter: Address) -> Result<[[u8; 32]; 7], ChainError> {
        let words = self.read(abi::instancesCall { gameId: id, submitter }, "instances", None).await?;
        Ok(words.map(|word| word.to_be_bytes()))
    }

    /// The transaction that plays a proven ranking.
    pub(super) fn play_npc(&self, game: U256, ply: u64, ranking: [u8; 32], proof: Vec<u8>) -> Call {
        let (ply, ranking) = (U256::from(ply), U256::from_be_bytes(ranking));
        self.call(&abi::playNpcCall { gameId: game, ply, ranking, proof: proof.into() })
    }

    /// The transaction that plays the leading move of a window that is over.
    pub(super) fn close_round(&self, game: U256, ply: u64) -> Call {
        self.call(&abi::closeRoundCall { gameId: game, ply: U256::from(ply) })
    }

    /// The transaction that ends a game whose side to move has exceeded its time.
    pub(super) fn claim_timeout(&self, game: U256) -> Call {
        self.call(&abi::claimTimeoutCall { gameId: game })
    }

    fn call(&self, call: &impl SolCall) -> Call {
        Call { to: self.address(), data: call.abi_encode().into(), value: U256::ZERO }
    }
}

/// Every call that the app makes.
pub(super) fn permits() -> Vec<Permit> {
    vec![
        Permit::of(abi::playNpcCall::SELECTOR, "playNpc"),
        Permit::of(abi::closeRoundCall::SELECTOR, "closeRound"),
        Permit::of(abi::claimTimeoutCall::SELECTOR, "claimTimeout"),
    ]
}

/// The arena's own errors in words; `None` for data that is none of them.
pub fn words(data: &Bytes) -> Option<String> {
    let error = Errors::abi_decode(data).ok()?;
    Some(match error {
        Errors::NoSuchGame(e) => format!("NoSuchGame: there is no game {}", e.gameId),
        Errors::GameIsOver(e) => format!("GameIsOver: game {} has ended", e.gameId),
        Errors::WrongPly(e) => format!("WrongPly: the game is at ply {}", e.ply),
        Errors::NotNpcTurn(_) => "NotNpcTurn: it is the World's turn".into(),
        Errors::NotWorldTurn(_) => "NotWorldTurn: it is the NPC's turn".into(),
        Errors::TimeIsUp(e) => format!("TimeIsUp: the deadline was at {}", e.deadline),
        Errors::TimeIsNotUp(e) => format!("TimeIsNotUp: the deadline is at {}", e.deadline),
        Errors::IllegalMove(e) => format!("IllegalMove: move {} is against the rules of chess", e.r#move),
        Errors::MalformedRanking(_) => "MalformedRanking: the ranking isn't 16 move indices".into(),
        Errors::ProofRejected(_) => "ProofRejected: the verifier doesn't accept the proof".into(),
        Errors::ClaimRefused(_) => "ClaimRefused: the claimed end of the game isn't one".into(),
        Errors::NotAVerifier(e) => format!("NotAVerifier: {} has no code or verifies another model", e.verifier),
        Errors::BadTerms(_) => "BadTerms: window, time per move, least stake or pot out of range".into(),
        Errors::StakeTooSmall(e) => format!("StakeTooSmall: a vote brings at least {} wei", e.leastStake),
        Errors::StakeTooLarge(_) => "StakeTooLarge: a move can have less than 2^96 wei behind it".into(),
        Errors::NoVotes(e) => format!("NoVotes: nobody has voted for ply {}", e.ply),
        Errors::RoundHasVotes(e) => format!("RoundHasVotes: the round of ply {} is to be closed", e.ply),
        Errors::NothingToClaim(e) => format!("NothingToClaim: game {} owes nothing for these votes now", e.gameId),
        Errors::InsufficientBalance(e) => format!("InsufficientBalance: the balance is {} wei", e.balance),
        Errors::PaymentFailed(_) => "PaymentFailed: the receiver refused the payment".into(),
    })
}
