//! Output indices of a chess network: plane·64 + from-square, 73 planes.

use super::chess::SQUARES;

/// Move planes of a chess network.
pub const MOVE_PLANES: usize = 73;

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
const DIRECTIONS: [(i8, i8); 8] = [(0, 1), (1, 1), (1, 0), (1, -1), (0, -1), (-1, -1), (-1, 0), (-1, 1)];
/// Knight steps of planes 56 to 63.
const KNIGHT: [(i8, i8); 8] = [(1, 2), (2, 1), (2, -1), (1, -2), (-1, -2), (-2, -1), (-2, 1), (-1, 2)];
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
                (((plane - 64) as i8 / 3 - 1, 1), Some(UNDER[(plane - 64) % 3]))
            }
            _ => return None,
        };
        let (file, rank) = (from % 8 + step.0, from / 8 + step.1);
        let on_board = (0..8).contains(&file) && (0..8).contains(&rank);
        on_board.then(|| Move { from: from as u8, to: (8 * rank + file) as u8, promotion })
    }
}
