//! Integration tests of `zugzwang-circuits`.

mod chain;
mod evm;
mod toy;
