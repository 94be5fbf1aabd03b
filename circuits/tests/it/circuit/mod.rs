//! The circuit: honest proofs of every shape, and provers that cheat.

mod cells;
mod cheats;
mod honest;
mod patched;
pub(crate) mod small;
