//! A position as the arena stores it.

use std::{fmt, str::FromStr};

use alloy::primitives::U256;

/// The letters of the codes 1 to 12 when White is to move: own pieces, then the opponent's.
const LETTERS: &[u8; 12] = b"PNBRQKpnbrqk";

/// A board word and the low 32 bits of a state word, both seen from the side to move.
///
/// `board` holds square s (8·rank + file, a1 = 0) at bits 4s: 0 empty, 1 to 6 own P N B R Q K, 7 to 12 theirs. When
/// Black is to move, ranks are flipped (s xor 56) and colours swapped.
///
/// `state`: bits 0 to 3 castling rights (own king side, own queen side, their king side, their queen side), bits 4
/// to 7 1 + file of a legal en-passant capture or 0, bits 8 to 15 the half-move clock (255 at most), bits 16 to 31
/// the ply, even when White is to move.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Position {
    /// The board word.
    pub board: U256,
    /// The state word.
    pub state: u32,
}

/// Why a FEN couldn't be read.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("`{fen}` is no FEN: {what}")]
pub struct ParseFenError {
    /// What was read.
    pub fen: String,
    /// What is wrong with it.
    pub what: &'static str,
}

impl Position {
    /// The position before the first move.
    pub fn start() -> Self {
        let ranks: [u64; 4] = [0x1111_1111_4236_5324, 0, 0, 0xa89c_b98a_7777_7777];
        Self { board: U256::from_limbs(ranks), state: 15 }
    }

    /// The position that the arena's words tell of. Bits of `state` above the lower 32 are dropped.
    pub fn from_words(board: U256, state: U256) -> Self {
        Self { board, state: state.as_limbs()[0] as u32 }
    }

    /// How many half-moves were played.
    pub const fn ply(self) -> u32 {
        self.state >> 16
    }

    /// Whether White is to move.
    pub const fn white_to_move(self) -> bool {
        self.ply().is_multiple_of(2)
    }

    /// Half-moves since the last capture or pawn move.
    pub const fn halfmove_clock(self) -> u32 {
        self.state >> 8 & 255
    }

    /// The file (a = 0) on which an en-passant capture is legal.
    pub const fn en_passant_file(self) -> Option<u8> {
        match self.state >> 4 & 15 {
            0 => None,
            file => Some(file as u8 - 1),
        }
    }

    /// Castling rights in the order of a FEN: White's king side, White's queen side, then Black's.
    pub const fn castling(self) -> [bool; 4] {
        let s = self.state;
        let [a, b, c, d] = [s & 1 != 0, s & 2 != 0, s & 4 != 0, s & 8 != 0];
        if self.white_to_move() { [a, b, c, d] } else { [c, d, a, b] }
    }

    /// The code (0 to 12) on a square seen from the side to move.
    pub fn at(self, square: u8) -> u8 {
        (self.board.as_limbs()[usize::from(square & 63) / 16] >> (4 * (square % 16)) & 15) as u8
    }

    /// The FEN letter on an absolute square.
    pub fn letter(self, square: u8) -> Option<char> {
        let white = self.white_to_move();
        let code = self.at(if white { square } else { square ^ 56 });
        let letter = char::from(*LETTERS.get(usize::from(code.checked_sub(1)?))?);
        Some(match (white, letter.is_ascii_uppercase()) {
            (true, _) => letter,
            (false, true) => letter.to_ascii_lowercase(),
            (false, false) => letter.to_ascii_uppercase(),
        })
    }
}

/// FEN with six fields; the en-passant square only if the capture is legal.
impl fmt::Display for Position {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for rank in (0..8).rev() {
            let mut empty = 0;
            for file in 0..8 {
                let Some(letter) = self.letter(8 * rank + file) else {
                    empty += 1;
                    continue;
                };
                if empty > 0 {
                    write!(f, "{empty}")?;
                }
                empty = 0;
                write!(f, "{letter}")?;
            }
            if empty > 0 {
                write!(f, "{empty}")?;
            }
            if rank > 0 {
                f.write_str("/")?;
            }
        }
        f.write_str(if self.white_to_move() { " w " } else { " b " })?;
        let castling = self.castling();
        for (letter, has) in "KQkq".chars().zip(castling) {
            if has {
                write!(f, "{letter}")?;
            }
        }
        if castling == [false; 4] {
            f.write_str("-")?;
        }
        match self.en_passant_file() {
            None => f.write_str(" -")?,
            Some(file) => {
                let rank = if self.white_to_move() { 6 } else { 3 };
                write!(f, " {}{rank}", char::from(b'a' + file))?;
            }
        }
        write!(f, " {} {}", self.halfmove_clock(), self.ply() / 2 + 1)
    }
}

/// Reads a FEN with six fields. The en-passant square is taken at its word: it must be there only if a capture on
/// it is legal.
impl FromStr for Position {
    type Err = ParseFenError;

    fn from_str(fen: &str) -> Result<Self, ParseFenError> {
        let error = |what| ParseFenError { fen: fen.to_owned(), what };
        let fields: Vec<&str> = fen.split(' ').collect();
        let [pieces, turn, castling, en_passant, clock, number] = fields[..] else {
            return Err(error("six fields expected"));
        };
        let black = match turn {
            "w" => false,
            "b" => true,
            _ => return Err(error("the side to move must be w or b")),
        };
        let mut limbs = [0u64; 4];
        let mut ranks = 0;
        for (row, text) in pieces.split('/').enumerate() {
            let mut file = 0;
            for letter in text.bytes() {
                if let b'1'..=b'8' = letter {
                    file += usize::from(letter - b'0');
                    continue;
                }
                let code = LETTERS.iter().position(|&l| l == letter).ok_or_else(|| error("unknown piece"))?;
                if row > 7 || file > 7 {
                    return Err(error("8 ranks of 8 squares expected"));
                }
                let (square, code) =
                    if black { (8 * row + file, (code + 6) % 12 + 1) } else { (8 * (7 - row) + file, code + 1) };
                limbs[square / 16] |= (code as u64) << (4 * (square % 16));
                file += 1;
            }
            if file != 8 {
                return Err(error("8 ranks of 8 squares expected"));
            }
            ranks += 1;
        }
        if ranks != 8 {
            return Err(error("8 ranks of 8 squares expected"));
        }
        let mut state = 0;
        if castling != "-" {
            for letter in castling.bytes() {
                let bit = b"KQkq".iter().position(|&l| l == letter).ok_or_else(|| error("unknown castling right"))?;
                state |= 1 << if black { bit ^ 2 } else { bit };
            }
        }
        match en_passant.as_bytes() {
            b"-" => {}
            [file @ b'a'..=b'h', rank] if *rank == if black { b'3' } else { b'6' } => {
                state |= u32::from(file - b'a' + 1) << 4;
            }
            _ => return Err(error("bad en-passant square")),
        }
        let clock: u32 = clock.parse().map_err(|_| error("bad half-move clock"))?;
        let number: u32 = number.parse().map_err(|_| error("bad move number"))?;
        if !(1..=1 << 15).contains(&number) {
            return Err(error("bad move number"));
        }
        state |= clock.min(255) << 8 | (2 * (number - 1) + u32::from(black)) << 16;
        Ok(Self { board: U256::from_limbs(limbs), state })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn start_and_its_words() {
        let start: Position = "rnbqkbnr/pppppppp/8/8/8/8/PPPPPPPP/RNBQKBNR w KQkq - 0 1".parse().unwrap();
        assert_eq!(start, Position::start());
        let black: Position = "rnbqkbnr/pppppppp/8/8/8/8/PPPPPPPP/RNBQKBNR b KQkq - 0 1".parse().unwrap();
        assert_eq!(black.board, start.board, "the same from both sides");
    }

    #[test]
    fn fen_and_back() {
        for fen in [
            "rnbqkbnr/pppppppp/8/8/8/8/PPPPPPPP/RNBQKBNR w KQkq - 0 1",
            "r3k2r/p1ppqpb1/bn2pnp1/3PN3/1p2P3/2N2Q1p/PPPBBPPP/R3K2R b Kq - 7 31",
            "8/8/8/2k5/3Pp3/8/8/4K3 b - d3 0 1",
            "4k3/8/8/3pP3/8/8/8/4K2R w K d6 0 20",
            "4nr2/1N6/8/PN5p/3p3P/3P1k1P/2r5/K2q4 w - - 0 79",
        ] {
            let position: Position = fen.parse().unwrap();
            assert_eq!(position.to_string(), fen);
            assert_eq!(Position::from_words(position.board, U256::from(position.state)), position);
        }
    }

    #[test]
    fn bad_fens_are_refused() {
        for fen in [
            "",
            "8/8/8/8/8/8/8/8 w - -",
            "8/8/8/8/8/8/8 w - - 0 1",
            "9/8/8/8/8/8/8/8 w - - 0 1",
            "8/8/8/8/8/8/8/7 w - - 0 1",
            "8/8/8/8/8/8/8/8/8 w - - 0 1",
            "8/8/8/8/8/8/8/8/P w - - 0 1",
            "ppppppppp/8/8/8/8/8/8/8 w - - 0 1",
            "8/8/8/8/8/8/8/8 x - - 0 1",
            "8/8/8/8/8/8/8/8 w X - 0 1",
            "8/8/8/8/8/8/8/8 w - e3 0 1",
            "8/8/8/8/8/8/8/8 w - - x 1",
            "8/8/8/8/8/8/8/8 w - - 0 0",
            "8/8/8/8/8/8/8/8 w - - 0 40000",
        ] {
            assert!(fen.parse::<Position>().is_err(), "{fen}");
        }
    }
}
