//! What a claim of threefold repetition is made of.

use alloy::{
    primitives::{B256, keccak256},
    sol_types::SolValue,
};

use crate::Position;

/// The hash that two positions share just if they count as the same for threefold repetition: same board, side to
/// move, castling rights and legal en-passant capture.
pub fn position_hash(position: Position) -> B256 {
    let state = position.state & 0xff | (position.ply() & 1) << 8;
    keccak256((position.board, state).abi_encode())
}

/// The arena's chain of position hashes, rebuilt from a game's events.
///
/// Feed it every position in order: the first one, from `GameCreated`, then those of `HumanMoved` and `NpcMoved`.
/// [`History::value`] must equal the `history` that the arena shows.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct History {
    human_is_white: bool,
    value: B256,
    /// The position that waits for the human's move, if it is the human's turn.
    pending: Option<B256>,
    pairs: Vec<[B256; 2]>,
}

impl History {
    /// The chain's value before the first pair, the `start` of a claim.
    pub const START: B256 = B256::with_last_byte(1);

    /// The history of a game that has just been created.
    pub fn new(first: Position, human_is_white: bool) -> Self {
        let mut history = Self { human_is_white, value: Self::START, pending: Some(B256::ZERO), pairs: Vec::new() };
        history.push(first);
        history
    }

    /// Adds the position after a move.
    pub fn push(&mut self, position: Position) {
        let hash = position_hash(position);
        if position.white_to_move() == self.human_is_white {
            self.pending = Some(hash);
        } else {
            let before = self.pending.take().unwrap_or_default();
            self.value = keccak256((self.value, before, hash).abi_encode());
            self.pairs.push([before, hash]);
        }
    }

    /// The chain's value, as the arena stores it.
    pub const fn value(&self) -> B256 {
        self.value
    }

    /// How often the present position has been on the board, this time included.
    pub fn repetitions(&self) -> usize {
        let seen = self.pairs.as_flattened();
        match (self.pending, seen.last()) {
            (Some(hash), _) => 1 + seen.iter().filter(|&&h| h == hash).count(),
            (None, Some(hash)) => seen.iter().filter(|&h| h == hash).count(),
            (None, None) => 0,
        }
    }

    /// The arguments of `claimThreefold` besides the game: `start` and `pairs`.
    pub fn claim(&self) -> (B256, Vec<[B256; 2]>) {
        (Self::START, self.pairs.clone())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(fen: &str) -> Position {
        fen.parse().unwrap()
    }

    const DANCE: [&str; 4] = [
        "rnbqkbnr/pppppppp/8/8/8/8/PPPPPPPP/RNBQKBNR w KQkq - 0 1",
        "rnbqkbnr/pppppppp/8/8/8/5N2/PPPPPPPP/RNBQKB1R b KQkq - 1 1",
        "rnbqkb1r/pppppppp/5n2/8/8/5N2/PPPPPPPP/RNBQKB1R w KQkq - 2 2",
        "rnbqkb1r/pppppppp/5n2/8/8/8/PPPPPPPP/RNBQKBNR b KQkq - 3 2",
    ];

    #[test]
    fn repetitions_are_counted_for_both_colours() {
        for human_is_white in [true, false] {
            let mut history = History::new(at(DANCE[0]), human_is_white);
            assert_eq!(history.repetitions(), 1);
            for ply in 1..9 {
                history.push(at(DANCE[ply % 4]));
                assert_eq!(history.repetitions(), ply / 4 + 1, "ply {ply}");
            }
            let (start, pairs) = history.claim();
            let value = pairs.iter().fold(start, |v, [a, b]| keccak256((v, *a, *b).abi_encode()));
            assert_eq!(value, history.value());
        }
    }

    #[test]
    fn side_to_move_tells_positions_apart() {
        let white = at(DANCE[0]);
        let black = at("rnbqkbnr/pppppppp/8/8/8/8/PPPPPPPP/RNBQKBNR b KQkq - 0 1");
        assert_ne!(position_hash(white), position_hash(black));
    }
}
