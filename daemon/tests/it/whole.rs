//! Whole games for money, proven in earnest, from the first move to the withdrawn stakes.

use std::{path::Path, sync::Arc, time::Duration};

use alloy::sol_types::SolCall;
use shakmaty::{Chess, Color, Position};
use zugzwang::{
    apps::chess::{self, Ending},
    chain::types::{Address, B256, U256},
    config::ModelConfig,
    prover::{self, Prove, verifier},
    store::State,
};
use zugzwang_circuits::{interpret, model::Model};
use zugzwang_contracts::ChessArena;

use crate::world::World;

/// The shape in which chess-s is proven fastest.
const SHAPE: &str = "2,1,14";
const STAKE: u64 = 1_000_000_000;

/// chess-s: its integer network, and the prover as the daemon loads it.
pub(crate) fn chess_s() -> (Model, Arc<dyn Prove>) {
    let dir = Path::new(env!("CARGO_MANIFEST_DIR")).join("../models/chess-s");
    let model = Model::load(&dir).expect("model");
    // Where the tests over several crates keep their keys, too.
    let cache = Path::new(env!("CARGO_TARGET_TMPDIR")).with_file_name("zugzwang-cache");
    let config = ModelConfig { dir, shape: SHAPE.into(), cache, srs: Default::default() };
    (model, prover::load(&config, &|_| ()).expect("prover"))
}

/// The position after the NPC's move: the integer network's first choice that is legal.
fn answered(model: &Model, position: &Chess) -> (String, Chess) {
    let trace = interpret::run(&model.graph, &chess::pack(position).to_tensor()).expect("trace");
    let ranking: Vec<usize> = trace.ranking.iter().map(|(index, _)| *index).collect();
    let m = chess::choose(position, &ranking).expect("a legal choice");
    let mut after = position.clone();
    after.play_unchecked(m);
    (chess::san(position, m), after)
}

/// Plays a game with these moves of the human, which is all it takes, as the NPC always answers the same. It ends in mate,
/// which the human claims, and the winner takes the stakes.
async fn check(human: Color, moves: &[&str], ended: &str) {
    let (model, prover) = tokio::task::block_in_place(chess_s);
    let code = verifier::compile(prover.model_id(), &prover.solidity().expect("source")).await.expect("verifier");
    let world = World::with(code.bytecode, prover.model_id(), U256::from(STAKE)).await;
    world.deposit(1).await;
    let daemon = world.start_with(prover).await.expect("daemon");
    let arena = world.arena.address();
    let game = world.new_game(human == Color::White).await;

    let mut position = Chess::default();
    let mut played: Vec<String> = Vec::new();
    let (mut moves, mut answers) = (moves.iter(), 0);
    while !position.is_game_over() {
        let text;
        if position.turn() == human {
            let m = chess::parse(&position, moves.next().expect("a move")).expect("a legal move");
            text = chess::san(&position, m);
            position = world.human_chooses(game, |_| m).await;
        } else {
            (text, position) = answered(&model, &position);
            answers += 1;
            world.reaches(game, played.len() as u64 + 1).await;
        }
        played.push(text);
        let state = world.arena.game(game, None).await.expect("game");
        assert_eq!(state.board, chess::pack(&position), "after {}", played.join(" "));
    }
    assert!(position.is_checkmate() && moves.next().is_none(), "{}", played.join(" "));

    world.human.end(arena, game, Ending::Mate).await.expect("the claim of mate");
    assert_eq!(world.arena.game(game, None).await.expect("game").ended.as_deref(), Some(ended));
    // Every answer becomes final; the question that mate left without one is moot.
    world.mine(4).await;
    tokio::time::sleep(Duration::from_millis(400)).await;
    daemon.stop().await.expect("clean stop");
    let states: Vec<State> = world.jobs().await.iter().map(|job| job.state).collect();
    let mut expected = vec![State::Final; answers];
    expected.extend((position.turn() != human).then_some(State::Moot));
    assert_eq!(states, expected);

    let winner = if position.turn() == human { &world.npc } else { &world.human };
    let purse = Address::from_word(B256::repeat_byte(0x77));
    let amount = world.credit(winner.address()).await;
    assert_eq!(amount, U256::from(2 * STAKE));
    let withdraw = ChessArena::withdrawCall { to: purse, amount }.abi_encode();
    winner.call("withdraw", arena, withdraw.into(), U256::ZERO).await.expect("withdrawn");
    assert_eq!(world.client.balance(purse).await.expect("balance"), amount);
    assert_eq!(world.client.balance(arena).await.expect("balance"), U256::ZERO);
    println!("{}: {answers} proven moves, {ended}, {amount} wei paid out", played.join(" "));
}

#[tokio::test(flavor = "multi_thread")]
async fn the_npc_mates_and_takes_the_stakes() {
    check(Color::White, &["f3", "g4", "h3"], "the NPC won by checkmate").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_human_mates_and_takes_the_stakes() {
    check(Color::White, &["Nf3", "Ne5", "e3", "Qh5", "Qxf7"], "the human won by checkmate").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn so_does_a_human_with_the_black_pieces() {
    check(Color::Black, &["e6", "Nf6", "Ne4", "Qh4", "Qxf2"], "the human won by checkmate").await;
}
