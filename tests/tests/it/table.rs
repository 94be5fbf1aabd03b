//! A real chain with an arena, chess-s's real verifier, a prover and two players.

use std::sync::OnceLock;

use shakmaty::{Chess, Color};
use zugzwang::{
    apps::chess::{
        self, Terms,
        arena::{Arena, refusal},
    },
    chain::{
        Wallet, bytecode,
        types::{Address, B256, Bytes, U256},
    },
    prover::verifier,
};
use zugzwang_circuits::{
    prover::{Proof, Prover},
    schema::PackedBoard,
};
use zugzwang_tests::{Chain, cache};

use crate::integers::model;

/// chess-s with its keys, loaded once for all tests.
pub(crate) fn chess_s() -> &'static Prover {
    static PROVER: OnceLock<Prover> = OnceLock::new();
    PROVER.get_or_init(|| {
        let (model, shape) = model("chess-s");
        Prover::new(&model, shape, &cache()).expect("prover")
    })
}

/// Proves on this thread, which may take its time.
pub(crate) fn prove(prover: &Prover, question: &Question) -> Proof {
    tokio::task::block_in_place(|| {
        let proof = prover.prove(&question.board.to_tensor(), question.request, &|_| ()).expect("proof");
        assert!(prover.verify(&proof), "the prover doubts its own proof");
        proof
    })
}

/// What a proof is asked for.
#[derive(Clone, Debug)]
pub(crate) struct Question {
    pub(crate) board: PackedBoard,
    pub(crate) request: [u8; 32],
}

pub(crate) struct Table {
    pub(crate) chain: Chain,
    pub(crate) prover: &'static Prover,
    pub(crate) npc: Wallet,
    pub(crate) human: Wallet,
    pub(crate) verifier: Address,
    pub(crate) arena: Arena,
    pub(crate) offer: U256,
}

impl Table {
    pub(crate) async fn new() -> Self {
        let prover = tokio::task::block_in_place(chess_s);
        let chain = Chain::start().await;
        let (npc, human) = (chain.wallet(0x11).await, chain.wallet(0x22).await);
        let source = prover.solidity("ChessVerifier").expect("source");
        let code = verifier::compile(prover.model_id(), &source).await.expect("npm ci in contracts/");
        let verifier = npc.deploy("verifier", code.bytecode).await.expect("verifier").contract;
        let (arena, offer) = arena(&npc, verifier, prover.model_id().into()).await;
        Self { chain, prover, npc, human, verifier, arena, offer }
    }

    /// Another arena with the same verifier.
    pub(crate) async fn other_arena(&self) -> (Arena, U256) {
        arena(&self.npc, self.verifier, self.prover.model_id().into()).await
    }

    /// A game in which the human has played 1. e4.
    pub(crate) async fn game(&self, arena: &Arena, offer: U256) -> U256 {
        let (game, _) = self.human.create_game(arena.address(), offer, true, U256::ZERO).await.expect("game");
        self.human_plays(arena, game, "e2e4").await;
        game
    }

    pub(crate) async fn human_plays(&self, arena: &Arena, game: U256, uci: &str) {
        let (position, ply) = self.position(arena, game).await;
        let m = chess::parse(&position, uci).expect("legal");
        self.human.play_human(arena.address(), game, ply, chess::word(m)).await.expect("human's move");
    }

    pub(crate) async fn position(&self, arena: &Arena, game: U256) -> (Chess, u64) {
        let state = arena.game(game, None).await.expect("game");
        let color = if state.white_to_move() { Color::White } else { Color::Black };
        (chess::unpack(&state.board, color).expect("position"), state.ply)
    }

    /// What the arena wants proven of `submitter` now.
    pub(crate) async fn question(&self, arena: &Arena, game: U256, submitter: Address) -> Question {
        let words = arena.instances(game, submitter).await.expect("instances");
        let mut request = [0; 32];
        request[..16].copy_from_slice(&words[0][16..]);
        request[16..].copy_from_slice(&words[1][16..]);
        let board = arena.game(game, None).await.expect("game").board;
        Question { board, request }
    }

    /// The answer to a call that changes nothing, or what it was refused with.
    pub(crate) async fn call(&self, from: Address, to: Address, data: Bytes) -> Result<Bytes, String> {
        let answer = self.chain.client.call(Some(from), to, data, None).await;
        answer.map_err(|error| refusal(&error).unwrap_or_else(|| panic!("the node doesn't answer: {error}")))
    }
}

async fn arena(host: &Wallet, verifier: Address, model_id: B256) -> (Arena, U256) {
    let address = host.deploy("arena", bytecode::arena()).await.expect("arena").contract;
    let terms = Terms { verifier, model_id, stake: U256::ZERO, move_time: 3600, max_games: 100 };
    let (offer, _) = host.open_offer(address, &terms).await.expect("offer");
    (Arena::open(host.client.clone(), address).await.expect("arena"), offer)
}
