//! Integration tests of `zugzwang-circuits`.

mod chain;
mod circuit;
mod evm;
mod fuzz;
mod import;
mod integers;
mod judges;
mod keys;
mod net;
mod onnx;
mod oracle;
mod privacy;
mod prove;
mod srs;
mod toy;
mod words;
