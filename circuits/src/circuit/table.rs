//! The lookup table: which (input, output) pairs each kind of row may hold.
//!
//! An entry is `(input, output, tag)`. The tag is a component of its own, a fixed column on both
//! sides, so that no cell of one kind of row can pass for another kind. `input` is `q + Q0` for
//! activations, `r` for remainders.

use std::collections::{BTreeSet, HashMap};

use crate::graph::{Activation, Graph};

/// Offset that keeps `q` non-negative: `−Q0 ≤ q < Q0`.
pub const Q0: i64 = 4096;
/// Half the range of the ranking's quotient: `−RANK ≤ q < RANK`.
pub const RANK: i64 = 2048;

/// Tag of remainders `(r, 2^s)`; a constant in the remainder's lookup.
pub(super) const TAG_REMAINDER: i64 = 1;
/// Tag of rows without an activation: only `(0, 0)`.
pub(super) const TAG_ZERO: i64 = 2;
/// Tag of one-hot planes: `(q, [q = 0])`.
pub(super) const TAG_IS_ZERO: i64 = 3;
/// Tag of ranked rows: `(q < 0, 0)` unlisted, `(q ≥ −1, 1)` listed.
pub(super) const TAG_RANK: i64 = 4;
/// Tag of digits of one bit; wider digits follow as `TAG_DIGIT + bits`.
pub(super) const TAG_DIGIT: i64 = 8;
/// Tag of `clamp(q, 0, max)`: `TAG_RELU + max`.
pub(super) const TAG_RELU: i64 = 32;
/// Second component that marks the first row of a limb, paired with `r = 0` only.
pub const LIMB_START: i64 = -1;

/// One entry.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Entry {
    /// Input component.
    pub input: i64,
    /// Output component.
    pub output: i64,
    /// Kind of row.
    pub tag: i64,
}

/// The table of one graph.
#[derive(Clone, Debug)]
pub struct Table {
    /// Entries, each once.
    pub entries: Vec<Entry>,
    index: HashMap<Entry, usize>,
}

/// The tag of rows with this activation.
pub(super) fn activation_tag(activation: Activation) -> i64 {
    match activation {
        Activation::Relu { max } => TAG_RELU + max,
        Activation::IsZero => TAG_IS_ZERO,
        Activation::Rank => TAG_RANK,
    }
}

impl Table {
    /// The table of `graph`, whose layers' quotients lie in `quotients[layer]` (inclusive).
    pub fn new(graph: &Graph, quotients: &[(i64, i64)]) -> Self {
        let mut set = BTreeSet::new();
        let mut add = |input, output, tag| {
            set.insert(Entry { input, output, tag });
        };
        add(0, 0, TAG_ZERO);
        add(0, 0, TAG_REMAINDER);
        add(0, LIMB_START, TAG_REMAINDER);
        for digit in graph.input.iter().flat_map(|c| c.cells.iter().flatten()) {
            for x in 0..1 << digit.bits {
                add(0, x, TAG_DIGIT + i64::from(digit.bits));
            }
        }
        for (layer, &(low, high)) in graph.layers.iter().zip(quotients) {
            for &s in &layer.shift {
                for r in 0..1i64 << s {
                    add(r, 1 << s, TAG_REMAINDER);
                }
            }
            let tag = activation_tag(layer.activation);
            match layer.activation {
                Activation::Relu { max } => (low..=high).for_each(|q| add(q + Q0, q.clamp(0, max), tag)),
                Activation::IsZero => (low..=high).for_each(|q| add(q + Q0, i64::from(q == 0), tag)),
                Activation::Rank => {
                    (-RANK..0).for_each(|q| add(q + Q0, 0, tag));
                    (-1..RANK).for_each(|q| add(q + Q0, 1, tag));
                }
            }
        }
        let entries: Vec<Entry> = set.into_iter().collect();
        let index = entries.iter().enumerate().map(|(i, e)| (*e, i)).collect();
        Self { entries, index }
    }

    /// Where an entry stands, if it is one.
    pub fn position(&self, entry: &Entry) -> Option<usize> {
        self.index.get(entry).copied()
    }
}
