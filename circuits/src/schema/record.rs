//! Labelled positions, 40 bytes each.

use super::SchemaError;
use super::chess::{PackedBoard, SQUARES, in_range};
use super::moves::{Move, Promotion};

/// Bytes of a labelled position.
pub const RECORD_BYTES: usize = 40;

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
        let b: &[u8; RECORD_BYTES] = bytes.try_into().map_err(|_| SchemaError::RecordLength { got: bytes.len() })?;
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
                return Err(SchemaError::Range { what: "the promotion byte".into(), value: value.into(), max: 5 });
            }
        };
        let castling = [0, 1, 2, 3].map(|k| b[32] >> k & 1 == 1);
        Ok(Record {
            board: PackedBoard::new(squares, castling, b[33].checked_sub(1))?,
            best: Move { from: b[34], to: b[35], promotion },
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
