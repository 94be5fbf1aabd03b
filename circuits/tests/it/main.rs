//! Integration tests of `zugzwang-circuits`.

mod circuit;
mod chain;
mod evm;
mod import;
mod integers;
mod keys;
mod oracle;
mod srs;
mod toy;
