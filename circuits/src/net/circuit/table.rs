//! The lookup table: which `(q, x)` each kind of row may hold, and which remainders.
//!
//! An entry is `(input, output, tag)`. The tag is a component of its own, a fixed column on both sides, so that no cell
//! of one kind of row can pass for another kind.

use std::collections::{BTreeSet, HashMap};

use crate::net::{Net, Step, bounds::Bounds};

/// Tag of rows without a number: only `(0, 0)`.
pub(super) const TAG_IDLE: i64 = 0;
/// Tag of remainders `(r, 2^s)`; a constant in the remainder's lookup.
pub(super) const TAG_REMAINDER: i64 = 1;
/// Tag of numbers that are read by address; no entry of the table has it.
pub(super) const TAG_MEMORY: i64 = 2;
/// Tag of inputs of one bit; wider ones follow. Tables follow after 16 bits.
const TAG_INPUT: i64 = 3;

/// The table of one net.
#[derive(Clone, Debug)]
pub struct Table {
    /// Entries, each once.
    pub entries: Vec<[i64; 3]>,
    /// Added to `q` so that it is not negative.
    pub offset: i64,
    index: HashMap<[i64; 3], usize>,
}

/// The tag of an input's rows.
pub(super) fn input_tag(bits: u32) -> i64 {
    TAG_INPUT + i64::from(bits) - 1
}

/// The tag of rows that a net's table makes.
pub(super) fn table_tag(table: usize) -> i64 {
    TAG_INPUT + 16 + table as i64
}

impl Table {
    /// The entries that `net` can need; `singles`: whether there are borders that stand alone in a row.
    pub(super) fn new(net: &Net, bounds: &Bounds, singles: bool) -> Self {
        let offset = net.tables.iter().map(|t| -t.low).max().unwrap_or(0).max(0);
        let mut set: BTreeSet<[i64; 3]> = BTreeSet::from([[0, 0, TAG_IDLE], [0, 0, TAG_REMAINDER]]);
        let mut widths: BTreeSet<u32> = BTreeSet::new();
        if singles {
            widths.insert(0);
        }
        for input in &net.inputs {
            set.extend((0..1 << input.bits).map(|x| [0, x, input_tag(input.bits)]));
        }
        let mut ranges: Vec<Option<(i64, i64)>> = vec![None; net.tables.len()];
        for (node, (low, high)) in net.nodes.iter().zip(&bounds.quotients) {
            match &node.step {
                Step::Linear(_, rescale) => {
                    widths.extend(&rescale.shift);
                    let range = ranges[rescale.table].get_or_insert((*low, *high));
                    *range = (range.0.min(*low), range.1.max(*high));
                }
                Step::Move(_) => {}
                Step::Max(_) => {
                    widths.insert(distance_bits(bounds, node.inputs[0]));
                }
            }
        }
        for (id, table) in net.tables.iter().enumerate() {
            let Some((low, high)) = ranges[id] else { continue };
            set.extend((low..=high).filter_map(|q| Some([q + offset, table.get(q)?, table_tag(id)])));
        }
        for s in widths {
            set.extend((0..1i64 << s).map(|r| [r, 1 << s, TAG_REMAINDER]));
        }
        let entries: Vec<[i64; 3]> = set.into_iter().collect();
        let index = entries.iter().enumerate().map(|(i, e)| (*e, i)).collect();
        Self { entries, offset, index }
    }

    /// Where an entry stands, if it is one.
    pub fn position(&self, entry: &[i64; 3]) -> Option<usize> {
        self.index.get(entry).copied()
    }
}

/// Bits of the distance between two numbers of a tensor.
pub(super) fn distance_bits(bounds: &Bounds, tensor: usize) -> u32 {
    let (low, high) = bounds.tensors[tensor];
    u64::BITS - ((high - low).max(0) as u64).leading_zeros()
}
