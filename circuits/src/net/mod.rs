//! Any network: a graph of integer operators, its interpreter, its ranges, and its circuit.
//!
//! [`graph`](crate::graph) describes networks on one board, such as chess, for a circuit that is made for them. A [`Net`]
//! is general: tensors of any length, convolutions of any form, sums and moves, maxima, and any function by table.

pub mod binary;
pub mod bounds;
mod choose;
pub mod circuit;
pub mod compile;
mod graph;
pub mod interpret;
pub mod link;
pub mod package;
mod prover;

pub use choose::{Candidate, Goal, PROCESS_MIB, candidates, choose, gas_of, memory_mib};
pub(crate) use graph::per_limb;
pub use graph::{
    Conv, Input, Linear, Net, Node, Output, Privacy, Products, Rescale, Sparse, Step, Table, Term, Visibility, Windows,
    packing,
};
pub use prover::{NetProof, NetProver, NetProverError, Weights};
