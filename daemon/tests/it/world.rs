//! An arena on a stage, with a scripted opponent and a stand-in for the prover.

use std::{
    ops::{Deref, DerefMut},
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use alloy::sol_types::SolCall;
use shakmaty::{Chess, Color, Move, Position};
use zugzwang::{
    apps::chess::{
        self, Terms,
        arena::{self, Arena, ArenaEvent},
    },
    chain::{
        Client, Wallet, bytecode,
        types::{Address, Bytes, U256},
        watcher::found,
    },
    config::RawConfig,
    prover::{Facts, Models, Phase, Proof, Prove, ProveError},
    service::ServiceError,
};
use zugzwang_circuits::{graph::Tensor, schema::PackedBoard};
use zugzwang_contracts::ChessArena;

pub(crate) use crate::stage::{Daemon, Stage, prices};

pub(crate) const MODEL: [u8; 32] = [0x5a; 32];

/// Plays the first legal move by index and "proves" it with the request's low half.
#[derive(Debug, Default)]
pub(crate) struct StandIn {
    pub(crate) delay: Duration,
    pub(crate) made: AtomicU64,
    /// The proof is about nothing.
    pub(crate) lies: bool,
}

impl Prove for StandIn {
    fn prove(&self, input: &Tensor, request: [u8; 32], on_phase: &dyn Fn(Phase)) -> Result<Proof, ProveError> {
        self.made.fetch_add(1, Ordering::SeqCst);
        on_phase("pretending");
        std::thread::sleep(self.delay);
        let board = PackedBoard::from_tensor(input).map_err(|e| ProveError::Circuit(e.to_string()))?;
        let position = chess::unpack(&board, Color::White).map_err(|e| ProveError::Circuit(e.to_string()))?;
        let mut ranking: Vec<usize> = (0..4672).filter(|i| chess::move_of_index(&position, *i).is_some()).collect();
        ranking.extend((0..4672).filter(|i| chess::move_of_index(&position, *i).is_none()).take(16));
        ranking.truncate(16);
        let mut packed = U256::ZERO;
        for (place, index) in ranking.iter().enumerate() {
            packed |= U256::from(*index) << (13 * place);
        }
        let mut instances = vec![[0u8; 32]; 7];
        instances[0][16..].copy_from_slice(&request[..16]);
        instances[1][16..].copy_from_slice(&request[16..]);
        instances[2] = packed.to_be_bytes();
        let bytes = if self.lies { vec![1; 32] } else { instances[1].to_vec() };
        Ok(Proof { bytes, instances, ranking })
    }

    fn verify(&self, _: &Proof) -> bool {
        true
    }

    fn model_id(&self) -> [u8; 32] {
        MODEL
    }

    fn solidity(&self) -> Result<String, ProveError> {
        Err(ProveError::Verifier("a stand-in has none".into()))
    }

    fn facts(&self) -> Facts {
        Facts::default()
    }

    fn example(&self, _: u64) -> Tensor {
        Tensor::default()
    }
}

/// A contract whose `verifyProof` says yes if the proof's first word is the second instance, and
/// whose `modelId` is [`MODEL`].
pub(crate) fn stand_in_verifier() -> Bytes {
    let mut code = vec![0x5f, 0x35, 0x60, 0xe0, 0x1c]; // selector
    code.push(0x63);
    code.extend(bytecode::model_id_selector());
    code.extend([0x14, 0x60, 0x1b, 0x57]); // modelId? jump
    code.extend([0x60, 0x64, 0x35, 0x60, 0xc4, 0x35, 0x14]); // proof[0] == instances[1]
    code.extend([0x5f, 0x52, 0x60, 0x20, 0x5f, 0xf3]); // return it
    code.extend([0x5b, 0x7f]);
    code.extend(MODEL);
    code.extend([0x5f, 0x52, 0x60, 0x20, 0x5f, 0xf3]);
    let mut init = vec![0x60, code.len() as u8, 0x80, 0x60, 0x09, 0x5f, 0x39, 0x5f, 0xf3];
    init.extend(code);
    init.into()
}

/// A stage with an arena, its host's offer and a human.
pub(crate) struct World {
    stage: Stage,
    pub(crate) arena: Arena,
    pub(crate) human: Wallet,
    pub(crate) offer: U256,
    /// What each side puts into a game.
    pub(crate) stake: U256,
}

impl Deref for World {
    type Target = Stage;

    fn deref(&self) -> &Stage {
        &self.stage
    }
}

impl DerefMut for World {
    fn deref_mut(&mut self) -> &mut Stage {
        &mut self.stage
    }
}

impl World {
    /// With the stand-in's verifier and without money.
    pub(crate) async fn new() -> Self {
        Self::with(stand_in_verifier(), MODEL, U256::ZERO).await
    }

    /// With any verifier's init code, and a stake in each game, which the host has to deposit.
    pub(crate) async fn with(verifier: Bytes, model: [u8; 32], stake: U256) -> Self {
        let deploy = async |_: &Client, npc: &Wallet| {
            let verifier = npc.deploy("verifier", verifier).await.expect("verifier").contract;
            let arena = npc.deploy("arena", bytecode::arena()).await.expect("arena").contract;
            let terms = Terms { verifier, model_id: model.into(), stake, move_time: 3600, max_games: 100 };
            (arena, npc.open_offer(arena, &terms).await.expect("offer").0)
        };
        let configure = |(arena, _): &(Address, U256), raw: &mut RawConfig| raw.chess.arena = arena.to_string();
        let (stage, (arena, offer)) = Stage::new(deploy, configure).await;
        let human = stage.account(0x22).await.speaking(arena::words);
        let arena = Arena::open(stage.client.clone(), arena).await.expect("arena");
        Self { stage, arena, human, offer, stake }
    }

    /// The host puts its side of the stakes of so many games into the arena.
    pub(crate) async fn deposit(&self, games: u64) {
        let deposit = ChessArena::depositCall {}.abi_encode();
        let money = self.stake * U256::from(games);
        self.npc.call("deposit", self.arena.address(), deposit.into(), money).await.expect("deposit");
    }

    /// What an account can withdraw from the arena.
    pub(crate) async fn credit(&self, account: Address) -> U256 {
        self.arena.read(ChessArena::balanceOfCall { account }, "balanceOf", None).await.expect("balance")
    }

    pub(crate) async fn start(&self, prover: Arc<StandIn>) -> Daemon {
        self.stage.start_with(&Models::of([prover as Arc<dyn Prove>])).await
    }

    pub(crate) async fn try_start(&self, prover: Arc<StandIn>) -> Result<Daemon, ServiceError> {
        self.start_with(prover).await
    }

    pub(crate) async fn start_with(&self, prover: Arc<dyn Prove>) -> Result<Daemon, ServiceError> {
        self.stage.try_start_with(&Models::of([prover])).await
    }

    pub(crate) async fn new_game(&self, human_is_white: bool) -> U256 {
        self.human.create_game(self.arena.address(), self.offer, human_is_white, self.stake).await.expect("game").0
    }

    /// The human plays the move `nth` of its legal ones.
    pub(crate) async fn human_moves(&self, game: U256, nth: usize) {
        self.human_chooses(game, |position| {
            let legal = position.legal_moves();
            legal[nth % legal.len()]
        })
        .await;
    }

    /// The human plays what `choose` says; gives the position after it.
    pub(crate) async fn human_chooses(&self, game: U256, choose: impl FnOnce(&Chess) -> Move) -> Chess {
        let state = self.arena.game(game, None).await.expect("game");
        assert!(state.human_to_move, "not the human's turn at ply {}", state.ply);
        let color = if state.white_to_move() { Color::White } else { Color::Black };
        let mut position: Chess = chess::unpack(&state.board, color).expect("position");
        let m = choose(&position);
        self.human.play_human(self.arena.address(), game, state.ply, chess::word(m)).await.expect("human's move");
        position.play_unchecked(m);
        position
    }

    /// Waits until the game has so many half-moves.
    pub(crate) async fn reaches(&self, game: U256, ply: u64) {
        self.until(&format!("game {game} at ply {ply}"), async || {
            self.arena.game(game, None).await.is_ok_and(|g| g.ply >= ply)
        })
        .await;
    }

    /// How many NPC moves the arena's events tell of, by (game, ply).
    pub(crate) async fn answers(&self) -> Vec<(U256, u64)> {
        let head = self.client.head().await.expect("head").block.number;
        let logs = self.client.logs_between(&[self.arena.address()], 0, head).await.expect("logs");
        found(logs)
            .filter_map(|found| match self.arena.event(&found.log).expect("event") {
                Some((game, ArenaEvent::NpcMoved { ply })) => Some((game, ply)),
                _ => None,
            })
            .collect()
    }
}
