//! The chess input: seven channels in four limbs, seen from the side to move.

use super::moves::{Move, Promotion};
use super::{Limb, SchemaError, or_bits};
use crate::graph::{Board, Digit, InputChannel, Tensor};

/// Squares of a chess board.
pub const SQUARES: usize = 64;

/// The input channels of a chess network: two of nibbles, four castling rights, en passant.
pub fn chess_input() -> Vec<InputChannel> {
    let channel = |limb, digit: &dyn Fn(u32) -> Option<Digit>| InputChannel {
        limb,
        cells: (0..SQUARES as u32).map(digit).collect(),
    };
    let nibble = |offset| Some(Digit { bits: 4, offset });
    // A right is a plane of 64 equal bits, so their order in the limb is free: neighbours stand 4
    // bits apart like nibbles do, so that one place value serves a whole row of the circuit.
    let right = |base: u32| {
        move |cell: u32| {
            let (four, lane) = (cell / 4, cell % 4);
            Some(Digit { bits: 1, offset: base + 16 * (four / 4) + four % 4 + 4 * lane })
        }
    };
    vec![
        channel(0, &|cell| nibble(4 * cell).filter(|_| cell < 32)),
        channel(1, &|cell| cell.checked_sub(32).and_then(|c| nibble(4 * c))),
        channel(2, &right(0)),
        channel(2, &right(64)),
        channel(2, &right(128)),
        channel(3, &right(0)),
        channel(3, &|cell| (40..48).contains(&cell).then(|| Digit { bits: 4, offset: 64 + 4 * (cell - 40) })),
    ]
}

/// The board that all chess tensors live on.
pub const CHESS_BOARD: Board = Board { height: 8, width: 8 };

/// A position seen from the side to move: if Black is to move, ranks are flipped and colours
/// swapped. Square = 8·rank + file, a1 = 0.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PackedBoard {
    /// 0 empty, 1–6 own P N B R Q K, 7–12 theirs.
    pub squares: [u8; SQUARES],
    /// Own king side, own queen side, their king side, their queen side.
    pub castling: [bool; 4],
    /// File (0 to 7) of a legal en-passant capture.
    pub en_passant: Option<u8>,
}

impl PackedBoard {
    /// Checks the ranges of the parts; says nothing about whether the position is legal.
    ///
    /// # Errors
    /// Names the square or file that is out of range.
    pub fn new(squares: [u8; SQUARES], castling: [bool; 4], en_passant: Option<u8>) -> Result<Self, SchemaError> {
        for (square, piece) in squares.iter().enumerate() {
            in_range(&format!("the piece on square {square}"), *piece, 12)?;
        }
        if let Some(file) = en_passant {
            in_range("the en-passant file", file, 7)?;
        }
        Ok(PackedBoard { squares, castling, en_passant })
    }

    /// The input tensor of a chess graph: 7 channels × 64 cells.
    pub fn to_tensor(&self) -> Tensor {
        let mut values = vec![0; 7 * SQUARES];
        for (square, piece) in self.squares.iter().enumerate() {
            values[square / 32 * SQUARES + square] = i64::from(*piece);
        }
        for (k, right) in self.castling.iter().enumerate() {
            values[(2 + k) * SQUARES..(3 + k) * SQUARES].fill(i64::from(*right));
        }
        if let Some(file) = self.en_passant {
            values[6 * SQUARES + 40 + usize::from(file.min(7))] = 1;
        }
        Tensor { cells: SQUARES, values }
    }

    /// The position of an input tensor.
    ///
    /// # Errors
    /// Fails if the tensor isn't one that [`PackedBoard::to_tensor`] can make.
    pub fn from_tensor(tensor: &Tensor) -> Result<Self, SchemaError> {
        let v = &tensor.values;
        if v.len() != 7 * SQUARES {
            return Err(SchemaError::NotChess { values: v.len() });
        }
        let mut squares = [0; SQUARES];
        for (square, piece) in squares.iter_mut().enumerate() {
            let value = v[square / 32 * SQUARES + square];
            *piece = u8::try_from(value).unwrap_or(u8::MAX);
        }
        let mut castling = [false; 4];
        for (plane, right) in castling.iter_mut().enumerate() {
            let cells = &v[(2 + plane) * SQUARES..(3 + plane) * SQUARES];
            *right = cells[0] == 1;
            if cells.iter().any(|c| *c != i64::from(*right)) {
                return Err(SchemaError::Castling { plane });
            }
        }
        let mut en_passant = None;
        for file in 0..8usize {
            let value = v[6 * SQUARES + 40 + file];
            in_range("an en-passant cell", u8::try_from(value).unwrap_or(u8::MAX), 1)?;
            let before = if value == 1 { en_passant.replace(file as u8) } else { None };
            if let Some(first) = before {
                return Err(SchemaError::EnPassant { first: usize::from(first), second: file });
            }
        }
        PackedBoard::new(squares, castling, en_passant)
    }

    /// The four public limbs `board_lo`, `board_hi`, `rights_a`, `rights_b`.
    pub fn to_limbs(&self) -> [Limb; 4] {
        let tensor = self.to_tensor();
        let mut limbs = [[0; 4]; 4];
        for (c, channel) in chess_input().iter().enumerate() {
            for (i, d) in channel.cells.iter().enumerate() {
                if let Some(d) = d {
                    or_bits(&mut limbs[channel.limb], d.offset, tensor.values[c * SQUARES + i] as u64);
                }
            }
        }
        limbs
    }

    /// The move of an output index on this board: like [`Move::from_index`], but a pawn that
    /// reaches the last rank by a queen move promotes to a queen.
    pub fn choice(&self, index: usize) -> Option<Move> {
        let mut m = Move::from_index(index)?;
        if m.promotion.is_none() && m.to >= 56 && self.squares[usize::from(m.from)] == 1 {
            m.promotion = Some(Promotion::Queen);
        }
        Some(m)
    }
}

pub(super) fn in_range(what: &str, value: u8, max: u8) -> Result<(), SchemaError> {
    if value > max {
        return Err(SchemaError::Range { what: what.to_owned(), value: value.into(), max: max.into() });
    }
    Ok(())
}
