//! What a graph can compute at all: interval arithmetic over the whole input domain.
//!
//! The circuit has no way to say "q left the lookup table", so an input that makes it do that has
//! no proof. [`check`] therefore demands that the provable range of every `q` fits; then an honest
//! proof exists for every input, also for one that an opponent made up.

use std::collections::BTreeSet;

use crate::graph::{Activation, Graph, Layer};

mod reach;
mod structure;

pub(crate) use reach::Reach;
pub use structure::check_structure;

/// Weights lie in `−WEIGHT_MAX ..= WEIGHT_MAX` (12 bits, signed).
pub const WEIGHT_MAX: i32 = 2047;
/// Activations are at most this (12 bits, unsigned).
pub const ACTIVATION_MAX: i64 = 4095;
/// `q` of a Relu or IsZero layer is at least this.
pub const Q_MIN: i64 = -4096;
/// `q` of a Relu or IsZero layer is at most this.
pub const Q_MAX: i64 = 4095;
/// A ranked layer's accumulators span less than this times `2^s`.
pub const RANK_SPAN: i64 = 2048;
/// Remainder rows that a graph may use: the sum of `2^s` over its distinct shifts.
pub const REMAINDER_ROWS: u64 = 2048;
/// Largest residual multiplier and largest shift; keeps every number far below the field's size.
pub const MULTIPLIER_MAX: i64 = 1 << 20;
/// Bound on the absolute value of every accumulator and bias.
pub const ACCUMULATOR_MAX: i64 = 1 << 40;

/// The provable range of one layer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LayerBounds {
    /// Least `A` per output channel, over all cells and inputs.
    pub a_min: Vec<i64>,
    /// Largest `A` per output channel.
    pub a_max: Vec<i64>,
    /// Least `q` of the layer.
    pub q_min: i64,
    /// Largest `q` of the layer.
    pub q_max: i64,
}

/// The provable ranges of a graph.
#[derive(Clone, Debug, PartialEq, Eq, Default)]
pub struct Bounds {
    /// One entry per layer.
    pub layers: Vec<LayerBounds>,
    /// The distinct shifts of all layers, ascending.
    pub shifts: Vec<u32>,
}

impl Bounds {
    /// Rows of the remainder table: the sum of `2^s` over the distinct shifts.
    pub fn remainder_rows(&self) -> u64 {
        self.shifts.iter().map(|s| 1u64 << s).sum()
    }
}

/// Why a graph can't be proven.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum GraphError {
    /// The parts of a graph don't fit together.
    #[error("layer {layer} ({name}): {what}; compile the model again")]
    Structure {
        /// Index of the layer, or the number of layers for the graph as a whole.
        layer: usize,
        /// Its name.
        name: String,
        /// What is wrong.
        what: String,
    },
    /// A weight is too wide.
    #[error("layer {layer} ({name}): weight {weight} is outside ±{WEIGHT_MAX}; quantise to 12 bits or fewer")]
    Weight {
        /// Index of the layer.
        layer: usize,
        /// Its name.
        name: String,
        /// The weight.
        weight: i32,
    },
    /// `q` can leave the lookup table for some input.
    #[error(
        "layer {layer} ({name}), channel {channel}: q can reach {q_min} to {q_max}, outside \
         {Q_MIN} to {Q_MAX}; use a larger shift"
    )]
    Q {
        /// Index of the layer.
        layer: usize,
        /// Its name.
        name: String,
        /// Output channel.
        channel: usize,
        /// Least `q` of that channel.
        q_min: i64,
        /// Largest `q` of that channel.
        q_max: i64,
    },
    /// The ranked accumulators can spread too far.
    #[error(
        "layer {layer} ({name}): ranked values can span {span}, more than {RANK_SPAN}·2^{shift} − 2; \
         use a larger shift"
    )]
    Span {
        /// Index of the layer.
        layer: usize,
        /// Its name.
        name: String,
        /// Largest possible difference of two accumulators.
        span: i64,
        /// The layer's shift.
        shift: u32,
    },
    /// The distinct shifts need too many rows.
    #[error(
        "the graph's shifts {shifts:?} need {rows} remainder rows, more than {REMAINDER_ROWS}; use fewer or smaller shifts"
    )]
    Shifts {
        /// The distinct shifts.
        shifts: Vec<u32>,
        /// Rows that they need.
        rows: u64,
    },
}

/// Checks that every input within its digits has a proof, and gives the provable ranges.
///
/// # Errors
/// Names the first layer and channel whose range doesn't fit, with the numbers.
pub fn check(graph: &Graph) -> Result<Bounds, GraphError> {
    check_structure(graph)?;
    for (i, l) in graph.layers.iter().enumerate() {
        if let Some(w) = l.weights.iter().find(|w| w.unsigned_abs() > WEIGHT_MAX as u32) {
            return Err(GraphError::Weight { layer: i, name: l.name.clone(), weight: *w });
        }
    }
    let mut reach = Reach::of_input(graph);
    let mut bounds = Bounds::default();
    for (i, l) in graph.layers.iter().enumerate() {
        let found = reach.layer(graph, l);
        fits(i, l, &found)?;
        bounds.layers.push(found);
    }
    let shifts: BTreeSet<u32> = graph.layers.iter().flat_map(|l| l.shift.iter().copied()).collect();
    bounds.shifts = shifts.into_iter().collect();
    if bounds.remainder_rows() > REMAINDER_ROWS {
        return Err(GraphError::Shifts { rows: bounds.remainder_rows(), shifts: bounds.shifts });
    }
    Ok(bounds)
}

/// Whether one layer's range fits the circuit's tables.
fn fits(i: usize, l: &Layer, b: &LayerBounds) -> Result<(), GraphError> {
    let name = || l.name.clone();
    if l.activation == Activation::Rank {
        let least = b.a_min.iter().min().copied().unwrap_or(0);
        let most = b.a_max.iter().max().copied().unwrap_or(0);
        let shift = l.shift[0];
        if (RANK_SPAN << shift) < most - least + 2 {
            return Err(GraphError::Span { layer: i, name: name(), span: most - least, shift });
        }
        return Ok(());
    }
    for (channel, s) in l.shift.iter().enumerate() {
        let (q_min, q_max) = (b.a_min[channel] >> s, b.a_max[channel] >> s);
        if q_min < Q_MIN || q_max > Q_MAX {
            return Err(GraphError::Q { layer: i, name: name(), channel, q_min, q_max });
        }
    }
    Ok(())
}
