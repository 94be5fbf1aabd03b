//! ONNX file → integer graph → halo2 circuit → keys, proofs and Solidity verifier.
//! No network, and no clock decides anything.

pub mod bounds;
mod cache;
pub mod circuit;
pub mod evm;
pub mod float;
pub mod graph;
pub mod import;
pub mod interpret;
pub mod keys;
pub mod model;
pub mod net;
pub mod onnx;
pub mod poseidon;
pub mod prove;
pub mod prover;
mod proving;
pub mod quantise;
pub mod schema;
pub mod srs;
