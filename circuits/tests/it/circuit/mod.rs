//! The circuit: honest proofs of every shape, and provers that cheat.

mod honest;
pub(crate) mod small;
