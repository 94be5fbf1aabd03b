//! How inputs become public limbs, and outputs become moves.
//!
//! [`limbs`] and [`from_limbs`] work for any graph. [`PackedBoard`] is the chess input as
//! `ARCHITECTURE.md` lays it out: seven input channels in four limbs, seen from the side to move.

use crate::graph::{Board, Digit, Graph, InputChannel, Tensor};
use crate::interpret::{InterpretError, check_input};

/// A 256-bit number, least significant word first; always below 2^253.
pub type Limb = [u64; 4];

/// Squares of a chess board.
pub const SQUARES: usize = 64;
/// Bytes of a labelled position.
pub const RECORD_BYTES: usize = 40;
/// Move planes of a chess network.
pub const MOVE_PLANES: usize = 73;

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
    #[error(
        "input limb {limb} has bit {bit} set, where no digit stands; pack the input for this model"
    )]
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
        return Err(SchemaError::LimbCount {
            got: limbs.len(),
            want: graph.limbs(),
        });
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
    graph
        .input
        .iter()
        .enumerate()
        .flat_map(move |(c, channel)| {
            channel
                .cells
                .iter()
                .enumerate()
                .filter_map(move |(i, d)| d.map(|d| (channel.limb, d, c * cells + i)))
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
    (0..graph.top as u32)
        .map(|k| bits(limb, width * k, width) as usize)
        .collect()
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
    let word = |i: usize| {
        bytes[24 - 8 * i..32 - 8 * i]
            .iter()
            .fold(0u64, |w, b| w << 8 | u64::from(*b))
    };
    [word(0), word(1), word(2), word(3)]
}

/// `width ≤ 64` bits of a limb from bit `offset` on.
fn bits(limb: &Limb, offset: u32, width: u32) -> u64 {
    let (word, shift) = ((offset / 64) as usize, offset % 64);
    let low = limb.get(word).map_or(0, |w| w >> shift);
    let high = if shift == 0 {
        0
    } else {
        limb.get(word + 1).map_or(0, |w| w << (64 - shift))
    };
    let mask = if width >= 64 {
        u64::MAX
    } else {
        (1 << width) - 1
    };
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

/// The input channels of a chess network: two of nibbles, four castling rights, en passant.
pub fn chess_input() -> Vec<InputChannel> {
    let channel = |limb, digit: &dyn Fn(u32) -> Option<Digit>| InputChannel {
        limb,
        cells: (0..SQUARES as u32).map(digit).collect(),
    };
    let nibble = |offset| Some(Digit { bits: 4, offset });
    let right = |base: u32| {
        move |cell: u32| {
            Some(Digit {
                bits: 1,
                offset: base + cell,
            })
        }
    };
    vec![
        channel(0, &|cell| nibble(4 * cell).filter(|_| cell < 32)),
        channel(1, &|cell| cell.checked_sub(32).and_then(|c| nibble(4 * c))),
        channel(2, &right(0)),
        channel(2, &right(64)),
        channel(2, &right(128)),
        channel(3, &right(0)),
        channel(3, &|cell| {
            (40..48).contains(&cell).then(|| Digit {
                bits: 4,
                offset: 64 + 4 * (cell - 40),
            })
        }),
    ]
}

/// The board that all chess tensors live on.
pub const CHESS_BOARD: Board = Board {
    height: 8,
    width: 8,
};

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
    pub fn new(
        squares: [u8; SQUARES],
        castling: [bool; 4],
        en_passant: Option<u8>,
    ) -> Result<Self, SchemaError> {
        for (square, piece) in squares.iter().enumerate() {
            in_range(&format!("the piece on square {square}"), *piece, 12)?;
        }
        if let Some(file) = en_passant {
            in_range("the en-passant file", file, 7)?;
        }
        Ok(PackedBoard {
            squares,
            castling,
            en_passant,
        })
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
        Tensor {
            cells: SQUARES,
            values,
        }
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
            in_range(
                "an en-passant cell",
                u8::try_from(value).unwrap_or(u8::MAX),
                1,
            )?;
            if value == 1 {
                if let Some(first) = en_passant.replace(file as u8) {
                    return Err(SchemaError::EnPassant {
                        first: usize::from(first),
                        second: file,
                    });
                }
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
                    or_bits(
                        &mut limbs[channel.limb],
                        d.offset,
                        tensor.values[c * SQUARES + i] as u64,
                    );
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

fn in_range(what: &str, value: u8, max: u8) -> Result<(), SchemaError> {
    if value > max {
        return Err(SchemaError::Range {
            what: what.to_owned(),
            value: value.into(),
            max: max.into(),
        });
    }
    Ok(())
}

/// What a pawn becomes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Promotion {
    /// A knight, 2 in a record.
    Knight,
    /// A bishop, 3.
    Bishop,
    /// A rook, 4.
    Rook,
    /// A queen, 5.
    Queen,
}

/// A move between mover-relative squares.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Move {
    /// Square left, 0 to 63.
    pub from: u8,
    /// Square reached, 0 to 63. Castling is the king's two-square move.
    pub to: u8,
    /// Promotion, if any.
    pub promotion: Option<Promotion>,
}

/// Queen directions as (file, rank) steps; plane = 7·direction + distance − 1.
const DIRECTIONS: [(i8, i8); 8] = [
    (0, 1),
    (1, 1),
    (1, 0),
    (1, -1),
    (0, -1),
    (-1, -1),
    (-1, 0),
    (-1, 1),
];
/// Knight steps of planes 56 to 63.
const KNIGHT: [(i8, i8); 8] = [
    (1, 2),
    (2, 1),
    (2, -1),
    (1, -2),
    (-1, -2),
    (-2, -1),
    (-2, 1),
    (-1, 2),
];
/// Under-promotions of planes 64 to 72, three per file step.
const UNDER: [Promotion; 3] = [Promotion::Knight, Promotion::Bishop, Promotion::Rook];

impl Move {
    /// The output index (plane·64 + from) of this move, 0 to 4,671. A queen promotion has the
    /// index of the plain move. `None` if no plane holds such a move.
    pub fn index(&self) -> Option<usize> {
        let (from, to) = (self.from as i8, self.to as i8);
        if self.from > 63 || self.to > 63 {
            return None;
        }
        let step = (to % 8 - from % 8, to / 8 - from / 8);
        let plane = match self.promotion {
            Some(p) if p != Promotion::Queen => {
                let kind = UNDER.iter().position(|u| *u == p)?;
                if from / 8 != 6 || step.1 != 1 || step.0.abs() > 1 {
                    return None;
                }
                64 + 3 * (step.0 + 1) as usize + kind
            }
            _ => match KNIGHT.iter().position(|k| *k == step) {
                Some(k) => 56 + k,
                None => {
                    let distance = step.0.abs().max(step.1.abs());
                    let unit = (step.0.signum(), step.1.signum());
                    let straight = step == (unit.0 * distance, unit.1 * distance);
                    let direction = DIRECTIONS.iter().position(|d| *d == unit && straight)?;
                    7 * direction + distance as usize - 1
                }
            },
        };
        Some(plane * SQUARES + usize::from(self.from))
    }

    /// The move of an output index. Queen promotions come out as plain moves; see
    /// [`PackedBoard::choice`]. `None` if the move would leave the board or the index is too large.
    pub fn from_index(index: usize) -> Option<Move> {
        let (plane, from) = (index / SQUARES, (index % SQUARES) as i8);
        let (step, promotion) = match plane {
            0..56 => {
                let (d, n) = (DIRECTIONS[plane / 7], (plane % 7 + 1) as i8);
                ((d.0 * n, d.1 * n), None)
            }
            56..64 => (KNIGHT[plane - 56], None),
            64..MOVE_PLANES => {
                if from / 8 != 6 {
                    return None;
                }
                (
                    ((plane - 64) as i8 / 3 - 1, 1),
                    Some(UNDER[(plane - 64) % 3]),
                )
            }
            _ => return None,
        };
        let (file, rank) = (from % 8 + step.0, from / 8 + step.1);
        let on_board = (0..8).contains(&file) && (0..8).contains(&rank);
        on_board.then(|| Move {
            from: from as u8,
            to: (8 * rank + file) as u8,
            promotion,
        })
    }
}

/// A labelled position.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Record {
    /// The position.
    pub board: PackedBoard,
    /// The teacher's move.
    pub best: Move,
    /// The teacher's score in centipawns, from the mover's side.
    pub score: i16,
    /// Half-moves since the start, at most 255.
    pub ply: u8,
}

impl Record {
    /// Reads one 40-byte record: 32 bytes of nibbles, castling bits, 1 + en-passant file or 0,
    /// from, to, promotion, score (little-endian), ply.
    ///
    /// # Errors
    /// Fails if it is cut short or a part is out of range.
    pub fn parse(bytes: &[u8]) -> Result<Record, SchemaError> {
        let b: &[u8; RECORD_BYTES] = bytes
            .try_into()
            .map_err(|_| SchemaError::RecordLength { got: bytes.len() })?;
        let mut squares = [0; SQUARES];
        for (square, piece) in squares.iter_mut().enumerate() {
            *piece = b[square / 2] >> (4 * (square % 2)) & 15;
        }
        in_range("the castling byte", b[32], 15)?;
        in_range("the en-passant byte", b[33], 8)?;
        in_range("the from-square", b[34], 63)?;
        in_range("the to-square", b[35], 63)?;
        let promotion = match b[36] {
            0 => None,
            2 => Some(Promotion::Knight),
            3 => Some(Promotion::Bishop),
            4 => Some(Promotion::Rook),
            5 => Some(Promotion::Queen),
            value => {
                return Err(SchemaError::Range {
                    what: "the promotion byte".into(),
                    value: value.into(),
                    max: 5,
                });
            }
        };
        let castling = [0, 1, 2, 3].map(|k| b[32] >> k & 1 == 1);
        Ok(Record {
            board: PackedBoard::new(squares, castling, b[33].checked_sub(1))?,
            best: Move {
                from: b[34],
                to: b[35],
                promotion,
            },
            score: i16::from_le_bytes([b[37], b[38]]),
            ply: b[39],
        })
    }

    /// Reads a file of records.
    ///
    /// # Errors
    /// Fails if the last record is cut short or one is out of range.
    pub fn parse_all(bytes: &[u8]) -> Result<Vec<Record>, SchemaError> {
        bytes.chunks(RECORD_BYTES).map(Record::parse).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_move_index_round_trips() {
        let moves: Vec<usize> = (0..4672)
            .filter(|i| Move::from_index(*i).is_some())
            .collect();
        for i in &moves {
            assert_eq!(
                Move::from_index(*i).and_then(|m| m.index()),
                Some(*i),
                "{i}"
            );
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
        assert_eq!(
            error.to_string(),
            "the piece on square 9 is 13, outside 0 to 12"
        );
        assert!(PackedBoard::new([0; SQUARES], [false; 4], Some(8)).is_err());
        assert_eq!(
            Record::parse(&[0; 39]),
            Err(SchemaError::RecordLength { got: 39 })
        );
    }
}
