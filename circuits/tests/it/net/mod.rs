//! Any net's circuit: honest witnesses, cheating provers, changed cells, real proofs, and the compiler before it.

pub(crate) mod cases;
mod cells;
mod cheats;
mod compile;
mod gates;
mod honest;
mod operators;
mod private;
mod rankings;
