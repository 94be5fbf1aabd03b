//! Any net's circuit: honest witnesses, cheating provers, changed cells, real proofs, and the compiler before it.

mod architecture;
pub(crate) mod cases;
mod cells;
pub(crate) mod cheats;
mod compile;
pub(crate) mod gates;
mod honest;
pub(crate) mod operators;
mod private;
mod rankings;
mod rounding;
