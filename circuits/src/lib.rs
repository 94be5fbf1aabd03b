//! ONNX file → integer graph → halo2 circuit → keys, proofs and Solidity verifier.
//! No network, no clock.

pub mod graph;
