//! Moves as the arena writes them.

use std::{fmt, str::FromStr};

use alloy::primitives::U256;

/// What a pawn becomes on the last rank.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Promotion {
    /// A knight, 2.
    Knight = 2,
    /// A bishop, 3.
    Bishop = 3,
    /// A rook, 4.
    Rook = 4,
    /// A queen, 5.
    Queen = 5,
}

/// A move by absolute squares (a1 = 0, h1 = 7, h8 = 63): `from | to << 6 | promotion << 12`.
///
/// Castling is the king's move by two squares. Whether a move is legal, or possible at all, is not known here.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct MoveWord(u16);

/// Why a text or a word is no move.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ParseMoveError {
    /// The text isn't two squares and perhaps one of `n b r q`.
    #[error("`{text}` is no move: expected one like e2e4 or a7a8q")]
    Text {
        /// What was read.
        text: String,
    },
    /// The word has a promotion that is none, or bits above the promotion.
    #[error("{word} is no move word")]
    Word {
        /// What was read.
        word: U256,
    },
}

impl MoveWord {
    /// The move between two squares.
    ///
    /// Squares are taken modulo 64.
    pub const fn new(from: u8, to: u8, promotion: Option<Promotion>) -> Self {
        let promotion = match promotion {
            None => 0,
            Some(p) => p as u16,
        };
        Self((from & 63) as u16 | ((to & 63) as u16) << 6 | promotion << 12)
    }

    /// The square that the piece leaves.
    pub const fn from(self) -> u8 {
        (self.0 & 63) as u8
    }

    /// The square that it goes to.
    pub const fn to(self) -> u8 {
        (self.0 >> 6 & 63) as u8
    }

    /// What it becomes.
    pub const fn promotion(self) -> Option<Promotion> {
        match self.0 >> 12 {
            2 => Some(Promotion::Knight),
            3 => Some(Promotion::Bishop),
            4 => Some(Promotion::Rook),
            5 => Some(Promotion::Queen),
            _ => None,
        }
    }

    /// The word itself.
    pub const fn bits(self) -> u16 {
        self.0
    }

    /// The word as the arena takes it.
    pub fn word(self) -> U256 {
        U256::from(self.0)
    }

    /// The same move seen from the other side: ranks flipped.
    #[must_use]
    pub const fn flipped(self) -> Self {
        Self(self.0 ^ (56 | 56 << 6))
    }
}

impl TryFrom<U256> for MoveWord {
    type Error = ParseMoveError;

    fn try_from(word: U256) -> Result<Self, ParseMoveError> {
        match u16::try_from(word) {
            Ok(bits) if matches!(bits >> 12, 0 | 2..=5) => Ok(Self(bits)),
            _ => Err(ParseMoveError::Word { word }),
        }
    }
}

/// UCI, such as `e2e4` or `a7a8q`.
impl fmt::Display for MoveWord {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for square in [self.from(), self.to()] {
            write!(f, "{}{}", char::from(b'a' + square % 8), square / 8 + 1)?;
        }
        match self.promotion() {
            None => Ok(()),
            Some(Promotion::Knight) => f.write_str("n"),
            Some(Promotion::Bishop) => f.write_str("b"),
            Some(Promotion::Rook) => f.write_str("r"),
            Some(Promotion::Queen) => f.write_str("q"),
        }
    }
}

impl FromStr for MoveWord {
    type Err = ParseMoveError;

    fn from_str(text: &str) -> Result<Self, ParseMoveError> {
        let read = || {
            let (squares, promotion) = match text.as_bytes() {
                [squares @ .., b'n'] => (squares, Some(Promotion::Knight)),
                [squares @ .., b'r'] => (squares, Some(Promotion::Rook)),
                [squares @ .., b'q'] => (squares, Some(Promotion::Queen)),
                // `b` alone could be a file's letter, but squares end in a digit.
                [squares @ .., b'b'] => (squares, Some(Promotion::Bishop)),
                squares => (squares, None),
            };
            let &[f0 @ b'a'..=b'h', r0 @ b'1'..=b'8', f1 @ b'a'..=b'h', r1 @ b'1'..=b'8'] = squares else {
                return None;
            };
            Some(Self::new(f0 - b'a' + 8 * (r0 - b'1'), f1 - b'a' + 8 * (r1 - b'1'), promotion))
        };
        read().ok_or_else(|| ParseMoveError::Text { text: text.to_owned() })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_and_back() {
        for text in ["e2e4", "a1h8", "h8a1", "a7a8q", "b2a1n", "g7h8r", "c7c8b"] {
            let word: MoveWord = text.parse().unwrap();
            assert_eq!(word.to_string(), text);
            assert_eq!(MoveWord::try_from(word.word()), Ok(word));
            assert_eq!(word.flipped().flipped(), word);
        }
        assert_eq!("e2e4".parse::<MoveWord>().unwrap().bits(), 12 | 28 << 6);
        assert_eq!("e7e5".parse::<MoveWord>().unwrap().flipped(), "e2e4".parse().unwrap());
    }

    #[test]
    fn nonsense_is_refused() {
        for text in ["", "e2", "e2e9", "i2e4", "e2e4k", "e2e4qq", "0-0", "é2e4"] {
            assert!(text.parse::<MoveWord>().is_err(), "{text}");
        }
        for word in [1 << 12, 6 << 12, 1 << 16] {
            assert!(MoveWord::try_from(U256::from(word)).is_err(), "{word}");
        }
    }
}
