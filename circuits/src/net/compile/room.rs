//! Whether the lookup table has room for what a net looks up.

use std::collections::BTreeMap;

use super::{CompileError, Options};
use crate::net::bounds::Bounds;
use crate::net::{Linear, Net, Step};

/// Most entries: those of the highest table that there is a set-up for, less its last rows and a few entries of its own. A
/// function has `2^20` at most.
pub(super) fn most(options: &Options) -> usize {
    (1usize << options.largest.min(20)) - 16
}

/// Refuses a net whose lookups fit no table, by the name of what takes most of it.
pub(super) fn check(net: &Net, bounds: &Bounds, most: usize) -> Result<(), CompileError> {
    // What is looked up: its entries, and the tensor that needs them.
    let mut needed: BTreeMap<(&'static str, u64), (usize, String)> = BTreeMap::new();
    let mut need = |option, key, entries, name: &str| {
        let known = needed.entry((option, key)).or_insert((0, name.to_owned()));
        if entries > known.0 {
            *known = (entries, name.to_owned());
        }
    };
    for input in &net.inputs {
        need("--input-bits", u64::from(input.bits), 1 << input.bits, &input.name);
    }
    for (node, (least, most)) in net.nodes.iter().zip(&bounds.quotients) {
        match &node.step {
            Step::Linear(linear, rescale) => {
                for shift in &rescale.shift {
                    let option =
                        if matches!(linear, Linear::Products(_)) { "--activation-bits" } else { "--weight-bits" };
                    need(option, 64 + u64::from(*shift), 1 << shift, &node.name);
                }
                need("--table-rows", rescale.table as u64, (most - least + 1) as usize, &node.name);
            }
            Step::Max(_) => {
                let (low, high) = bounds.tensors[node.inputs[0]];
                let bits = u64::BITS - ((high - low).max(0) as u64).leading_zeros();
                need("--activation-bits", u64::from(bits), 1 << bits, &node.name);
            }
            Step::Move(_) => {}
        }
    }
    let rows: usize = needed.values().map(|n| n.0).sum();
    match needed.into_iter().max_by_key(|(_, n)| n.0) {
        Some(((option, _), (own, tensor))) if rows > most => {
            Err(CompileError::Entries { tensor, own, rows, most, option })
        }
        _ => Ok(()),
    }
}

/// Refuses a tensor whose numbers would be coarser than its bits say by more than one bit, where more bits were asked
/// for than tables have by default. `rows` are the entries of its table, `coarser` what it is too coarse by already.
pub(super) fn fine_enough(
    options: &Options,
    tensor: &str,
    public: bool,
    coarser: f64,
    rows: usize,
) -> Result<(), CompileError> {
    let (option, bits, default) = if public {
        ("--output-bits", options.output_bits, Options::default().output_bits)
    } else {
        ("--activation-bits", options.activation_bits, Options::default().activation_bits)
    };
    let most = options.table_rows;
    if bits <= default || coarser * rows as f64 <= 2.0 * most as f64 {
        return Ok(());
    }
    let needed = (coarser * rows as f64).ceil() as usize;
    Err(CompileError::TableRows { tensor: tensor.to_owned(), bits, needed, most, option })
}
