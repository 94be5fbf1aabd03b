//! Real proofs of chess-s on a real local chain: the right one is played, and everything near it is refused.

use alloy::{
    primitives::{U256, keccak256},
    sol_types::{SolCall, SolValue},
};
use zugzwang::{
    apps::chess::{self, arena::Arena},
    chain::types::{Address, Bytes},
};
use zugzwang_circuits::{
    bounds,
    circuit::Shape,
    prover::{Proof, Prover},
    schema,
    srs::Srs,
};
use zugzwang_contracts::ChessArena;
use zugzwang_tests::cache;

use crate::{
    integers::model,
    table::{Question, Table, prove},
};

/// Most gas that an NPC's move may cost, the whole transaction.
const GAS_LIMIT: u64 = 650_000;

/// A call that plays a proof.
#[derive(Clone)]
struct Play {
    from: Address,
    arena: Address,
    game: U256,
    ply: u64,
    ranking: U256,
    proof: Vec<u8>,
}

impl Play {
    fn new(from: Address, arena: &Arena, game: U256, ply: u64, proof: &Proof) -> Self {
        let ranking = U256::from_be_bytes(proof.instances[2]);
        Self { from, arena: arena.address(), game, ply, ranking, proof: proof.bytes.clone() }
    }

    fn data(&self) -> Bytes {
        let (game, ply) = (self.game, U256::from(self.ply));
        let call =
            ChessArena::playNpcCall { gameId: game, ply, ranking: self.ranking, proof: self.proof.clone().into() };
        call.abi_encode().into()
    }
}

/// What the arena says to this call, up to the colon; `accepted` if it takes it.
async fn verdict(table: &Table, play: &Play) -> String {
    match table.call(play.from, play.arena, play.data()).await {
        Ok(_) => "accepted".into(),
        Err(why) => why.split(':').next().unwrap_or_default().to_owned(),
    }
}

async fn check(table: &Table, cases: &[(&str, Play, &str)]) {
    for (what, play, expected) in cases {
        assert_eq!(verdict(table, play).await, *expected, "{what}");
    }
    println!("the arena judged {} calls as it should", cases.len());
}

/// `request` of `ARCHITECTURE.md`, made here once more.
fn request(chain: u64, arena: Address, game: U256, ply: u64, submitter: Address) -> [u8; 32] {
    keccak256((U256::from(chain), arena, game, U256::from(ply), submitter).abi_encode()).0
}

/// chess-s with a single weight changed by one, or in a table of another height: proofs of the same length.
fn other_prover(changed: bool) -> Prover {
    let (mut model, shape) = model("chess-s");
    let shape = if changed { shape } else { Shape { k: shape.k + 1, ..shape } };
    if changed {
        let weight = model.graph.layers[1].weights.iter_mut().find(|w| **w > 1).expect("a weight");
        *weight -= 1;
        model.bounds = bounds::check(&model.graph).expect("bounds");
    }
    let srs = Srs::load(shape.k, &cache()).expect("set-up");
    Prover::with_srs(model.graph, &model.bounds, shape, srs, &cache()).expect("prover")
}

/// The ranking with two of its choices exchanged.
fn exchanged(ranking: U256, a: usize, b: usize) -> U256 {
    let field = |k: usize| (ranking >> (13 * k)) & U256::from(0x1fff);
    let difference = field(a) ^ field(b);
    ranking ^ (difference << (13 * a)) ^ (difference << (13 * b))
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn only_the_proof_that_was_asked_for_is_played() {
    let table = Table::new().await;
    let (npc, human, chain) = (table.npc.address(), table.human.address(), table.chain.client.chain_id());
    let arena = &table.arena;
    let (other_arena, other_offer) = table.other_arena().await;
    let game = table.game(arena, table.offer).await;
    let same = table.game(arena, table.offer).await;
    let elsewhere = table.game(&other_arena, other_offer).await;
    assert_eq!(elsewhere, game, "only the arena's address differs");

    let question = table.question(arena, game, npc).await;
    assert_eq!(question.request, request(chain, arena.address(), game, 1, npc));
    let honest = prove(table.prover, &question);
    let listed: Vec<(usize, i64)> = honest.ranking.iter().map(|index| (*index, 0)).collect();
    assert_eq!(honest.instances[2], schema::to_be_bytes(&schema::pack_ranking(table.prover.graph(), &listed)));
    let good = Play::new(npc, arena, game, 1, &honest);
    let with = |change: &dyn Fn(&mut Play)| {
        let mut play = good.clone();
        change(&mut play);
        play
    };
    let for_request = |request| {
        let proof = prove(table.prover, &Question { request, ..question.clone() });
        Play::new(npc, arena, game, 1, &proof)
    };
    let other_board = {
        let (mut position, _) = table.position(arena, game).await;
        use shakmaty::Position;
        position.play_unchecked(chess::parse(&position, "e7e5").expect("legal"));
        Question { board: chess::pack(&position), ..question.clone() }
    };
    let other_models = tokio::task::block_in_place(|| [true, false].map(other_prover));
    let [changed, higher] = other_models.each_ref().map(|prover| prove(prover, &question));
    assert_eq!((changed.bytes.len(), higher.bytes.len()), (honest.bytes.len(), honest.bytes.len()));

    let flip = |at: usize| with(&|p| p.proof[at] ^= 1);
    let last = honest.bytes.len() - 1;
    check(
        &table,
        &[
            ("the honest proof", good.clone(), "accepted"),
            ("first byte changed", flip(0), "ProofRejected"),
            ("a byte in the middle changed", flip(last / 2), "ProofRejected"),
            ("last byte changed", flip(last), "ProofRejected"),
            ("no proof", with(&|p| p.proof.clear()), "ProofRejected"),
            ("a byte missing", with(&|p| p.proof.truncate(last)), "ProofRejected"),
            ("a word missing", with(&|p| p.proof.truncate(last - 31)), "ProofRejected"),
            ("a byte more", with(&|p| p.proof.push(0)), "ProofRejected"),
            ("a word more", with(&|p| p.proof.extend([0; 32])), "ProofRejected"),
            ("this proof in another game on the same board", with(&|p| p.game = same), "ProofRejected"),
            ("this proof in another arena", with(&|p| p.arena = other_arena.address()), "ProofRejected"),
            ("this proof from another submitter", with(&|p| p.from = human), "ProofRejected"),
            ("no such game", with(&|p| p.game = U256::from(99)), "NoSuchGame"),
            ("an earlier ply", with(&|p| p.ply = 0), "WrongPly"),
            ("a later ply", with(&|p| p.ply = 3), "WrongPly"),
            ("a proof for another game", for_request(request(chain, arena.address(), same, 1, npc)), "ProofRejected"),
            ("a proof for another ply", for_request(request(chain, arena.address(), game, 3, npc)), "ProofRejected"),
            (
                "a proof for another submitter",
                for_request(request(chain, arena.address(), game, 1, human)),
                "ProofRejected",
            ),
            (
                "a proof for another chain",
                for_request(request(chain + 1, arena.address(), game, 1, npc)),
                "ProofRejected",
            ),
            (
                "a proof about another board",
                Play::new(npc, arena, game, 1, &prove(table.prover, &other_board)),
                "ProofRejected",
            ),
            ("a proof with one weight changed", Play::new(npc, arena, game, 1, &changed), "ProofRejected"),
            ("a proof of the model in another shape", Play::new(npc, arena, game, 1, &higher), "ProofRejected"),
            ("best two exchanged", with(&|p| p.ranking = exchanged(p.ranking, 0, 1)), "ProofRejected"),
            ("last two exchanged", with(&|p| p.ranking = exchanged(p.ranking, 14, 15)), "ProofRejected"),
            ("ends exchanged", with(&|p| p.ranking = exchanged(p.ranking, 0, 15)), "ProofRejected"),
            ("a bit above the ranking", with(&|p| p.ranking |= U256::from(1) << 208), "MalformedRanking"),
            ("the highest bit", with(&|p| p.ranking |= U256::from(1) << 255), "MalformedRanking"),
            ("an index too large", with(&|p| p.ranking |= U256::from(0x1fff) << 13), "MalformedRanking"),
            ("an empty ranking", with(&|p| p.ranking = U256::ZERO), "ProofRejected"),
        ],
    )
    .await;

    // An offer can't name a model that isn't its verifier's.
    let offer = ChessArena::openOfferCall {
        verifier: table.verifier,
        modelId: other_models[0].model_id().into(),
        stake: U256::ZERO,
        moveTime: U256::from(60),
        maxGames: U256::from(1),
    };
    let refused = table.call(npc, arena.address(), offer.abi_encode().into()).await.expect_err("another model");
    assert!(refused.starts_with("NotAVerifier"), "{refused}");

    // Play it in earnest.
    let (position, _) = table.position(arena, game).await;
    let receipt = table.npc.call("playNpc", arena.address(), good.data(), U256::ZERO).await.expect("played");
    let played = arena.npc_move_in(receipt.hash).await.expect("receipt").expect("event");
    let chosen = chess::choose(&position, &honest.ranking).expect("a legal choice");
    assert_eq!(played, chess::word(chosen), "the first legal choice");
    let gas = receipt.mined.gas_used;
    println!(
        "chess-s answers 1. e4 with {}: {gas} gas, proof of {} bytes",
        chess::san(&position, chosen),
        honest.bytes.len()
    );
    assert!(gas <= GAS_LIMIT, "{gas} gas");

    check(
        &table,
        &[
            ("the same call again", good.clone(), "WrongPly"),
            ("the same proof at the human's turn", with(&|p| p.ply = 2), "NotNpcTurn"),
        ],
    )
    .await;
    table.human_plays(arena, game, "b1a3").await;
    let next = prove(table.prover, &table.question(arena, game, npc).await);
    check(
        &table,
        &[
            ("the same call at the NPC's next turn", good.clone(), "WrongPly"),
            ("the same proof at the NPC's next turn", with(&|p| p.ply = 3), "ProofRejected"),
            ("the next proof", Play::new(npc, arena, game, 3, &next), "accepted"),
        ],
    )
    .await;
}
