//! Distinct positions from seeded random games that look for the rare rules.

use std::collections::HashSet;

use rand::{Rng, SeedableRng, seq::SliceRandom};
use rand_chacha::ChaCha8Rng;
use shakmaty::{CastlingMode, Chess, EnPassantMode, Move, Position as _, fen::Fen};
use zugzwang_contracts::Position;

/// Where games begin: the start, and positions near castling, en passant, promotion, mate, stalemate and bare kings.
const OPENINGS: [&str; 16] = [
    "rnbqkbnr/pppppppp/8/8/8/8/PPPPPPPP/RNBQKBNR w KQkq - 0 1",
    "rnbqkbnr/pppppppp/8/8/8/8/PPPPPPPP/RNBQKBNR w KQkq - 0 1",
    "r3k2r/p1ppqpb1/bn2pnp1/3PN3/1p2P3/2N2Q1p/PPPBBPPP/R3K2R w KQkq - 0 1",
    "r3k2r/8/8/8/8/8/8/R3K2R b KQkq - 0 1",
    "r3k2r/pppppppp/8/8/8/8/PPPPPPPP/R3K2R w KQkq - 0 1",
    "8/2p5/3p4/KP5r/1R3p1k/8/4P1P1/8 w - - 0 1",
    "4k3/pppppppp/8/8/8/8/PPPPPPPP/4K3 w - - 0 1",
    "r3k2r/Pppp1ppp/1b3nbN/nP6/BBP1P3/q4N2/Pp1P2PP/R2Q1RK1 w kq - 0 1",
    "n1n5/PPPk4/8/8/8/8/4Kppp/5N1N b - - 0 1",
    "8/8/8/4k3/8/1Q6/8/4K3 w - - 0 1",
    "8/8/8/4k3/8/8/1R5R/4K3 w - - 0 1",
    "8/5pk1/8/8/8/8/1PK5/8 w - - 90 60",
    "4k3/8/8/8/8/8/8/2B1KN2 w - - 0 1",
    "2b1k3/8/8/8/8/8/8/2B1K3 b - - 250 200",
    "k7/p7/8/8/8/8/7Q/K6R w - - 0 1",
    "rnbq1k1r/pp1Pbppp/2p5/8/2B5/8/PPP1NnPP/RNBQK2R w KQ - 1 8",
];

/// A position in both worlds.
#[derive(Clone, Debug)]
pub(crate) struct Pair {
    pub(crate) chess: Chess,
    pub(crate) words: Position,
}

/// A position as the contract writes it, by way of its FEN.
pub(crate) fn words(chess: &Chess) -> Position {
    let fen = Fen::from_position(chess, EnPassantMode::Legal).to_string();
    fen.parse().unwrap_or_else(|e| panic!("{fen}: {e}"))
}

pub(crate) fn at(fen: &str) -> Pair {
    let chess = fen.parse::<Fen>().expect("fen").into_position(CastlingMode::Standard).expect("position");
    let words = words(&chess);
    Pair { chess, words }
}

/// Whether the rules have a chapter of their own for this move.
pub(crate) fn is_rare(position: &Chess, m: Move) -> bool {
    m.is_castle() || m.is_en_passant() || m.is_promotion() || {
        let mut next = position.clone();
        next.play_unchecked(m);
        next.is_check() || next.legal_ep_square().is_some() || next.legal_moves().is_empty()
    }
}

/// Whether the move leaves the other side without a legal move.
fn ends(position: &Chess, m: Move) -> bool {
    let mut next = position.clone();
    next.play_unchecked(m);
    next.legal_moves().is_empty()
}

/// At least `count` positions that differ in board, rights or en-passant file as the mover sees them.
pub(crate) fn distinct(count: usize, seed: u64) -> Vec<Pair> {
    let mut rng = ChaCha8Rng::seed_from_u64(seed);
    let mut seen = HashSet::new();
    let mut found = Vec::new();
    while found.len() < count {
        let Pair { mut chess, .. } = at(OPENINGS.choose(&mut rng).expect("openings"));
        for _ in 0..120 {
            let words = words(&chess);
            if seen.insert((words.board, words.state & 0xff)) {
                found.push(Pair { chess: chess.clone(), words });
            }
            let legal = chess.legal_moves();
            let rare: Vec<Move> = legal.iter().copied().filter(|m| is_rare(&chess, *m)).collect();
            // Random games seldom end in mate or stalemate, so an end that is to be had is taken.
            let ending: Vec<Move> = rare.iter().copied().filter(|m| ends(&chess, *m)).collect();
            let candidates = match (ending.is_empty(), rng.gen_bool(0.4) && !rare.is_empty()) {
                (false, _) => &ending[..],
                (_, true) => &rare[..],
                _ => &legal[..],
            };
            let Some(m) = candidates.choose(&mut rng) else { break };
            chess.play_unchecked(*m);
        }
    }
    found
}
