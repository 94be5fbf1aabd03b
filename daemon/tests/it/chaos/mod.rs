//! The binary itself, with real proofs, on a chain that misbehaves, and killed without warning. Whatever happens, at the end
//! each question has exactly one answer, and the account's nonces and the store tell the same story.
//!
//! `make chaos` runs these at full length and prints a line of a table by each; `make test` runs a short, fixed part.

mod disk;
mod faulty;
mod house;
mod kills;
mod players;
mod proxy;
mod reorgs;
mod tally;
mod twins;

pub(crate) use house::{House, Kept};
pub(crate) use players::Players;
pub(crate) use tally::Tally;
