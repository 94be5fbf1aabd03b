//! The dial between gas and time, and the errors of laying a graph out.

use serde::{Deserialize, Serialize};

/// Size of a circuit's table. More lanes and kernels a row make it lower and wider: faster to
/// prove, dearer to verify.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Shape {
    /// Activations a row; divides the board's width.
    pub lanes: usize,
    /// Kernels a row.
    pub kernels_per_row: usize,
    /// The table has `2^k` rows.
    pub k: u32,
}

impl std::fmt::Display for Shape {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "p={} kpr={} k={}", self.lanes, self.kernels_per_row, self.k)
    }
}

/// Why a graph can't be laid out in a shape, or a witness not be made.
#[derive(Debug, thiserror::Error)]
pub enum CircuitError {
    /// The lanes don't divide the board's width.
    #[error("{lanes} activations a row do not divide a board of width {width}; choose a divisor of {width}")]
    Lanes {
        /// Activations a row.
        lanes: usize,
        /// The board's width.
        width: usize,
    },
    /// The border monomials can't be covered by two groups of rows.
    #[error("no place for the border values with {lanes} activations a row; choose fewer")]
    Borders {
        /// Activations a row.
        lanes: usize,
    },
    /// The table is too low.
    #[error("the table needs {needed} rows, k = {k} has {available}; choose a larger k or more activations a row")]
    Rows {
        /// Rows needed.
        needed: usize,
        /// log2 of the table's height.
        k: u32,
        /// Rows that can be used.
        available: usize,
    },
    /// The lookup table has more entries than rows that can carry them.
    #[error(
        "the lookup table has {entries} entries, k = {k} leaves {available} rows for it; choose a larger k or narrower activations"
    )]
    Table {
        /// Entries of the table.
        entries: usize,
        /// log2 of the table's height.
        k: u32,
        /// Rows that can carry an entry.
        available: usize,
    },
    /// The graph has a form that the circuit doesn't prove.
    #[error("layer {layer}: {reason}")]
    Unsupported {
        /// The layer's name.
        layer: String,
        /// What is not supported and what to do.
        reason: String,
    },
    /// An input that is not of the graph's form.
    #[error("input cell {cell} of channel {channel} holds {value}, outside its digit of {bits} bits")]
    Input {
        /// Channel of the input tensor.
        channel: usize,
        /// Cell of the channel.
        cell: usize,
        /// What it holds.
        value: i64,
        /// Bits of the digit, 0 for a cell that must be 0.
        bits: u32,
    },
    /// A trace that doesn't come from this graph.
    #[error("the trace does not fit the graph: {reason}")]
    Trace {
        /// What doesn't fit.
        reason: String,
    },
}
