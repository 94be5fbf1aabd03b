//! How inputs become public limbs, and outputs become moves.
//!
//! [`limbs`] and [`from_limbs`] work for any graph. [`PackedBoard`] is the chess input as
//! `ARCHITECTURE.md` lays it out: seven input channels in four limbs, seen from the side to move.

use crate::graph::{Digit, Graph, Tensor};
use crate::interpret::{InterpretError, check_input};

mod chess;
mod moves;
mod record;

pub use chess::{CHESS_BOARD, PackedBoard, SQUARES, chess_input};
pub use moves::{MOVE_PLANES, Move, Promotion};
pub use record::{RECORD_BYTES, Record};

/// A 256-bit number, least significant word first; always below 2^253.
pub type Limb = [u64; 4];

/// Why something can't be packed or unpacked.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SchemaError {
    /// The tensor doesn't fit the graph.
    #[error(transparent)]
    Input(#[from] InterpretError),
    /// A wrong number of limbs.
    #[error("{got} input limbs given, but the model reads {want}")]
    LimbCount {
        /// Limbs given.
        got: usize,
        /// Limbs wanted.
        want: usize,
    },
    /// A bit is set where no digit stands.
    #[error("input limb {limb} has bit {bit} set, where no digit stands; pack the input for this model")]
    StrayBit {
        /// Index of the limb.
        limb: usize,
        /// The lowest such bit.
        bit: u32,
    },
    /// A number on the board or in a record is out of range.
    #[error("{what} is {value}, outside 0 to {max}")]
    Range {
        /// What it is.
        what: String,
        /// The value found.
        value: usize,
        /// The largest value allowed.
        max: usize,
    },
    /// A castling right must be the same in all cells.
    #[error("castling plane {plane} is neither all 0 nor all 1")]
    Castling {
        /// Which right, 0 to 3.
        plane: usize,
    },
    /// More than one en-passant file.
    #[error("en passant is set on files {first} and {second}; at most one is possible")]
    EnPassant {
        /// Lower file.
        first: usize,
        /// Higher file.
        second: usize,
    },
    /// A record is cut short.
    #[error("a position record has {got} bytes, but needs {RECORD_BYTES}")]
    RecordLength {
        /// Bytes found.
        got: usize,
    },
    /// The input tensor isn't the seven channels of a chess board.
    #[error("the tensor is no chess input: it has {values} values, not {}", 7 * SQUARES)]
    NotChess {
        /// Values found.
        values: usize,
    },
}

/// Packs an input tensor into the graph's public limbs.
///
/// # Errors
/// Fails if the tensor's shape or a cell's range is wrong.
pub fn limbs(graph: &Graph, input: &Tensor) -> Result<Vec<Limb>, SchemaError> {
    check_input(graph, input)?;
    let mut limbs = vec![[0; 4]; graph.limbs()];
    for (limb, d, at) in digits(graph) {
        or_bits(&mut limbs[limb], d.offset, input.values[at] as u64);
    }
    Ok(limbs)
}

/// Unpacks public limbs into the input tensor.
///
/// # Errors
/// Fails if the number of limbs is wrong or a bit is set where no digit stands.
pub fn from_limbs(graph: &Graph, limbs: &[Limb]) -> Result<Tensor, SchemaError> {
    if limbs.len() != graph.limbs() {
        return Err(SchemaError::LimbCount { got: limbs.len(), want: graph.limbs() });
    }
    let cells = graph.board.cells();
    let mut values = vec![0; graph.input.len() * cells];
    let mut rest = limbs.to_vec();
    for (limb, d, at) in digits(graph) {
        let digit = bits(&limbs[limb], d.offset, d.bits);
        values[at] = digit as i64;
        let keep = bits(&rest[limb], d.offset, d.bits) ^ digit;
        clear_bits(&mut rest[limb], d.offset, d.bits);
        or_bits(&mut rest[limb], d.offset, keep);
    }
    for (limb, left) in rest.iter().enumerate() {
        if let Some(word) = left.iter().position(|w| *w != 0) {
            let bit = 64 * word as u32 + left[word].trailing_zeros();
            return Err(SchemaError::StrayBit { limb, bit });
        }
    }
    Ok(Tensor { cells, values })
}

/// Every digit of the input with its limb and the index of its cell in the tensor.
fn digits(graph: &Graph) -> impl Iterator<Item = (usize, Digit, usize)> + '_ {
    let cells = graph.board.cells();
    graph.input.iter().enumerate().flat_map(move |(c, channel)| {
        channel.cells.iter().enumerate().filter_map(move |(i, d)| d.map(|d| (channel.limb, d, c * cells + i)))
    })
}

/// Packs ranked indices (best first), `bits` each, the first one lowest.
pub fn pack_ranking(graph: &Graph, ranking: &[(usize, i64)]) -> Limb {
    let mut limb = [0; 4];
    for (k, (index, _)) in ranking.iter().enumerate().take(graph.top) {
        or_bits(&mut limb, graph.index_bits() * k as u32, *index as u64);
    }
    limb
}

/// Unpacks the `graph.top` ranked indices, best first.
pub fn unpack_ranking(graph: &Graph, limb: &Limb) -> Vec<usize> {
    let width = graph.index_bits();
    (0..graph.top as u32).map(|k| bits(limb, width * k, width) as usize).collect()
}

/// The limb as 32 bytes, most significant first, as Solidity's `uint256`.
pub fn to_be_bytes(limb: &Limb) -> [u8; 32] {
    let mut bytes = [0; 32];
    for (chunk, word) in bytes.chunks_mut(8).zip(limb.iter().rev()) {
        chunk.copy_from_slice(&word.to_be_bytes());
    }
    bytes
}

/// The limb of 32 bytes, most significant first.
pub fn from_be_bytes(bytes: &[u8; 32]) -> Limb {
    let word = |i: usize| bytes[24 - 8 * i..32 - 8 * i].iter().fold(0u64, |w, b| w << 8 | u64::from(*b));
    [word(0), word(1), word(2), word(3)]
}

/// `width ≤ 64` bits of a limb from bit `offset` on.
fn bits(limb: &Limb, offset: u32, width: u32) -> u64 {
    let (word, shift) = ((offset / 64) as usize, offset % 64);
    let low = limb.get(word).map_or(0, |w| w >> shift);
    let high = if shift == 0 { 0 } else { limb.get(word + 1).map_or(0, |w| w << (64 - shift)) };
    let mask = if width >= 64 { u64::MAX } else { (1 << width) - 1 };
    (low | high) & mask
}

fn or_bits(limb: &mut Limb, offset: u32, value: u64) {
    let (word, shift) = ((offset / 64) as usize, offset % 64);
    if let Some(w) = limb.get_mut(word) {
        *w |= value << shift;
    }
    if let (true, Some(w)) = (shift > 0, limb.get_mut(word + 1)) {
        *w |= value >> (64 - shift);
    }
}

fn clear_bits(limb: &mut Limb, offset: u32, width: u32) {
    for bit in offset..(offset + width).min(256) {
        limb[(bit / 64) as usize] &= !(1 << (bit % 64));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_move_index_round_trips() {
        let moves: Vec<usize> = (0..4672).filter(|i| Move::from_index(*i).is_some()).collect();
        for i in &moves {
            assert_eq!(Move::from_index(*i).and_then(|m| m.index()), Some(*i), "{i}");
        }
        // 1,456 queen moves, 336 knight moves, 3 × 22 under-promotions.
        assert_eq!(moves.len(), 1456 + 336 + 66);
        assert_eq!(Move::from_index(4672), None);
    }

    #[test]
    fn boards_round_trip_through_tensor_and_limbs() {
        let mut squares = [0; SQUARES];
        (squares[4], squares[60], squares[12], squares[33]) = (6, 12, 1, 7);
        let board = PackedBoard::new(squares, [true, false, false, true], Some(3)).unwrap();
        assert_eq!(PackedBoard::from_tensor(&board.to_tensor()), Ok(board));
        let [lo, hi, a, b] = board.to_limbs();
        assert_eq!(lo, [6 << 16 | 1 << 48, 0, 0, 0]);
        assert_eq!(hi, [7 << 4, 12 << 48, 0, 0]);
        assert_eq!(a, [u64::MAX, 0, 0, 0]);
        assert_eq!(b, [u64::MAX, 1 << 12, 0, 0]);
        assert_eq!(from_be_bytes(&to_be_bytes(&hi)), hi);
    }

    #[test]
    fn bad_boards_are_refused() {
        let mut squares = [0; SQUARES];
        squares[9] = 13;
        let error = PackedBoard::new(squares, [false; 4], None).unwrap_err();
        assert_eq!(error.to_string(), "the piece on square 9 is 13, outside 0 to 12");
        assert!(PackedBoard::new([0; SQUARES], [false; 4], Some(8)).is_err());
        assert_eq!(Record::parse(&[0; 39]), Err(SchemaError::RecordLength { got: 39 }));
    }
}
