//! The rules on chain against shakmaty.

use std::{collections::BTreeMap, sync::Arc};

use alloy::{primitives::U256, sol_types::SolCall};
use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;
use shakmaty::{Color, Move, Position as _};
use zugzwang::{
    apps::chess,
    chain::types::{Address, Bytes},
};
use zugzwang_contracts::testing::ChessHarness::{
    applyMoveCall, cannotMateCall, legalMoveCall, legalMovesCall, statusCall,
};
use zugzwang_tests::{Chain, Many};

use crate::games::{Pair, at, distinct, is_rare, words};

/// Positions asked about in one request.
const BATCH: usize = 50;
/// Requests under way at a time.
const WORKERS: usize = 3;
/// One position in so many is asked about words that are no legal move as well.
const WORDS_EVERY: usize = 8;

/// How often what was seen.
type Counts = BTreeMap<&'static str, usize>;

/// Positions that random games don't reach, or reached once and were wrong somewhere.
const KNOWN: [&str; 10] = [
    "4nr2/1N6/8/PN5p/3p3P/3P1k1P/2r5/K2q4 w - - 0 79",
    "r4rk1/1pp1qppp/p1np1n2/2b1p1B1/2B1P1b1/P1NP1N2/1PP1QPPP/R4RK1 w - - 0 10",
    "8/8/3p4/KPp4r/1R3p1k/8/4P1P1/8 w - c6 0 2",
    "8/8/8/8/k2Pp2Q/8/8/3K4 b - d3 0 1",
    "4r1k1/8/8/3pP3/8/8/8/4K3 w - d6 0 2",
    "r3k3/1K6/8/8/8/8/8/8 b q - 0 1",
    "4k3/8/8/8/8/8/5r2/R3K2R w KQ - 0 1",
    "4k3/8/8/8/8/8/1r6/R3K2R w KQ - 0 1",
    "kb6/8/8/8/8/8/8/K1B1B3 w - - 0 1",
    "R6R/3Q4/1Q4Q1/4Q3/2Q4Q/Q4Q2/pp1Q4/kBNN1KB1 w - - 0 1",
];

/// One question, and the answer that shakmaty gives.
struct Question {
    call: Bytes,
    expected: Expected,
}

enum Expected {
    /// In no order.
    Moves(Vec<U256>),
    /// These words.
    Words(Vec<U256>),
}

/// A legal move as the mover sees it.
fn seen(position: &Pair, m: Move) -> U256 {
    let word = chess::word(m);
    U256::from(if position.chess.turn() == Color::White { word } else { word ^ (56 | 56 << 6) })
}

fn truth(value: bool) -> U256 {
    U256::from(u8::from(value))
}

/// What is asked about one position.
fn questions(position: &Pair, thorough: bool, rng: &mut ChaCha8Rng, counts: &mut Counts) -> Vec<Question> {
    let (board, state) = (position.words.board, U256::from(position.words.state));
    let chess = &position.chess;
    let legal = chess.legal_moves();
    let mut count = |what, times: usize| *counts.entry(what).or_default() += times;
    let mut asked = Vec::new();
    let mut ask = |call: Vec<u8>, expected| asked.push(Question { call: call.into(), expected });

    let moves: Vec<U256> = legal.iter().map(|m| seen(position, *m)).collect();
    ask(legalMovesCall { board, state }.abi_encode(), Expected::Moves(moves.clone()));
    count("positions", 1);
    count("legal moves", legal.len());

    let verdict = [chess.is_check(), chess.is_checkmate(), chess.is_stalemate(), chess.is_insufficient_material()];
    ask(statusCall { board, state }.abi_encode(), Expected::Words(verdict.map(truth).to_vec()));
    for (what, is) in ["in check", "mate", "stalemate", "insufficient material"].into_iter().zip(verdict) {
        count(what, is.into());
    }
    let cannot = chess.has_insufficient_material(chess.turn());
    ask(cannotMateCall { board }.abi_encode(), Expected::Words(vec![truth(cannot)]));
    count("mover can't mate", cannot.into());

    // Every rare move, and one other.
    let mut played: Vec<Move> = legal.iter().copied().filter(|m| is_rare(chess, *m)).collect();
    if !legal.is_empty() {
        played.push(legal[rng.gen_range(0..legal.len())]);
    }
    for m in played {
        let mut next = chess.clone();
        next.play_unchecked(m);
        let after = words(&next);
        ask(
            applyMoveCall { board, state, r#move: seen(position, m) }.abi_encode(),
            Expected::Words(vec![truth(true), after.board, U256::from(after.state)]),
        );
        count("moves played", 1);
        count("castlings", m.is_castle().into());
        count("en passant", m.is_en_passant().into());
        count("promotions", m.is_promotion().into());
        count("allow en passant", next.legal_ep_square().is_some().into());
    }

    if thorough {
        // One move's squares with every promotion code, and words that mean nothing.
        let squares = if legal.is_empty() { 0 } else { moves[rng.gen_range(0..moves.len())].to::<u64>() & 0xfff };
        let mut words: Vec<u64> = (0..16).map(|promotion| squares | promotion << 12).collect();
        words.extend((0..16).map(|_| rng.gen_range(0..1 << 16)));
        words.push(squares | 1 << 16);
        for word in words.into_iter().map(U256::from) {
            let expected = Expected::Words(vec![truth(moves.contains(&word))]);
            ask(legalMoveCall { board, state, r#move: word }.abi_encode(), expected);
            count("single words", 1);
        }
    }
    asked
}

fn check(position: &Pair, question: &Question, answer: &[u8]) {
    let fail = |got: &[U256], want: &[U256]| {
        panic!("{}\ncall {}\nthe contract says {got:?}\nshakmaty says     {want:?}", position.words, question.call)
    };
    let words: Vec<U256> = answer.chunks(32).map(U256::from_be_slice).collect();
    match &question.expected {
        Expected::Words(want) if words != *want => fail(&words, want),
        Expected::Words(_) => {}
        Expected::Moves(want) => {
            let (mut got, mut want) = (words[2..].to_vec(), want.clone());
            got.sort();
            want.sort();
            if got != want {
                fail(&got, &want);
            }
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_contract_and_shakmaty_agree() {
    let chain = Chain::start().await;
    let wallet = chain.wallet(1).await;
    let code = zugzwang_contracts::testing::ChessHarness::BYTECODE.clone();
    let harness: Address = wallet.deploy("harness", code).await.expect("harness").contract;
    let many = Many::deploy(&wallet).await;

    let mut positions: Vec<Pair> = KNOWN.iter().map(|fen| at(fen)).collect();
    positions.extend(distinct(10_000, 79));
    let batches: Arc<Vec<Vec<Pair>>> = Arc::new(positions.chunks(BATCH).map(<[Pair]>::to_vec).collect());
    let workers: Vec<_> = (0..WORKERS)
        .map(|worker| {
            let (batches, many) = (batches.clone(), many.clone());
            tokio::spawn(async move {
                let mut counts = Counts::new();
                for (number, batch) in batches.iter().enumerate().skip(worker).step_by(WORKERS) {
                    let mut rng = ChaCha8Rng::seed_from_u64(number as u64);
                    let asked: Vec<(&Pair, Question)> = batch
                        .iter()
                        .enumerate()
                        .flat_map(|(i, p)| {
                            let thorough = number == 0 || i % WORDS_EVERY == 0;
                            questions(p, thorough, &mut rng, &mut counts).into_iter().map(move |q| (p, q))
                        })
                        .collect();
                    let answers = many.ask(harness, asked.iter().map(|(_, q)| q.call.clone()).collect()).await;
                    assert_eq!(answers.len(), asked.len());
                    for ((position, question), answer) in asked.iter().zip(&answers) {
                        check(position, question, answer);
                    }
                }
                counts
            })
        })
        .collect();
    let mut counts = Counts::new();
    for worker in workers {
        for (what, times) in worker.await.expect("a worker's checks") {
            *counts.entry(what).or_default() += times;
        }
    }
    println!("the contract and shakmaty agree on: {counts:?}");
    for (what, least) in [
        ("positions", 10_000),
        ("in check", 1_000),
        ("mate", 30),
        ("stalemate", 10),
        ("insufficient material", 30),
        ("castlings", 100),
        ("en passant", 50),
        ("promotions", 100),
        ("allow en passant", 100),
    ] {
        assert!(counts[what] >= least, "only {} of {least}: {what}; change the openings", counts[what]);
    }
}
