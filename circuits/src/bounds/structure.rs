//! Whether the parts of a graph fit together.

use super::{ACCUMULATOR_MAX, ACTIVATION_MAX, GraphError, MULTIPLIER_MAX};
use crate::graph::{Activation, Digit, Graph};

/// Checks lengths, indices and orders, so that nothing that evaluates the graph can go out of range.
///
/// # Errors
/// [`GraphError::Structure`] names the first layer that doesn't fit.
pub fn check_structure(graph: &Graph) -> Result<(), GraphError> {
    let cells = graph.board.cells();
    let last = graph.layers.len().wrapping_sub(1);
    let fail = |layer: usize, what: String| {
        let name = graph.layers.get(layer).map_or("graph", |l| l.name.as_str()).to_owned();
        Err(GraphError::Structure { layer, name, what })
    };
    let whole = graph.layers.len();
    if cells == 0 || cells > 1 << 16 || graph.input.is_empty() || graph.layers.is_empty() {
        return fail(whole, "a graph needs a board, an input and a layer".into());
    }
    let mut limb = 0;
    // Two digits over one bit would leave the prover the choice of how to split it.
    let mut taken: Vec<[u64; 4]> = Vec::new();
    for (c, channel) in graph.input.iter().enumerate() {
        if channel.cells.len() != cells || channel.limb < limb || channel.limb > limb + 1 {
            return fail(
                whole,
                format!("input channel {c} has {} cells in limb {}", channel.cells.len(), channel.limb),
            );
        }
        limb = channel.limb;
        let bad = |d: &Digit| ![1, 4, 8].contains(&d.bits) || d.offset > 253 - d.bits;
        if let Some(d) = channel.cells.iter().flatten().find(|d| bad(d)) {
            return fail(whole, format!("input channel {c} has a digit of {} bits at bit {}", d.bits, d.offset));
        }
        taken.resize(taken.len().max(limb + 1), [0; 4]);
        for bit in channel.cells.iter().flatten().flat_map(|d| d.offset..d.offset + d.bits) {
            let (word, mask) = (&mut taken[limb][(bit / 64) as usize], 1u64 << (bit % 64));
            if *word & mask != 0 {
                return fail(
                    whole,
                    format!("input channel {c} has a digit over bit {bit} of limb {limb}, which is taken"),
                );
            }
            *word |= mask;
        }
    }
    if graph.input[0].limb != 0 {
        return fail(whole, "the first input channel must stand in limb 0".into());
    }
    let mut channels = vec![graph.input.len()];
    for (i, l) in graph.layers.iter().enumerate() {
        let expected = l.out_channels * l.in_channels * l.kernel * l.kernel;
        if l.in_channels != channels[i] || l.out_channels == 0 {
            return fail(i, format!("reads {} channels, but its input has {}", l.in_channels, channels[i]));
        }
        if l.kernel != 1 && l.kernel != 3 || l.weights.len() != expected {
            return fail(i, format!("has {} weights for a {}×{} kernel", l.weights.len(), l.kernel, l.kernel));
        }
        if l.bias.len() != l.out_channels * cells || l.shift.len() != l.out_channels {
            return fail(i, format!("has {} biases and {} shifts", l.bias.len(), l.shift.len()));
        }
        if let Some(b) = l.bias.iter().find(|b| b.unsigned_abs() > ACCUMULATOR_MAX as u64) {
            return fail(i, format!("has a bias of {b}"));
        }
        if let Some(s) = l.shift.iter().find(|s| **s > 20) {
            return fail(i, format!("has a shift of {s}, more than 20"));
        }
        if let Some(r) = &l.residual {
            let fits = r.tensor <= i && channels[r.tensor] == l.out_channels && r.multiplier.len() == l.out_channels;
            if !fits || r.multiplier.iter().any(|m| !(0..=MULTIPLIER_MAX).contains(m)) {
                return fail(i, format!("has a residual of tensor {} that doesn't fit", r.tensor));
            }
        }
        match l.activation {
            Activation::Relu { max } if !(1..=ACTIVATION_MAX).contains(&max) => {
                return fail(i, format!("clips at {max}, outside 1 to {ACTIVATION_MAX}"));
            }
            Activation::Rank if i != last => return fail(i, "ranks before the last layer".into()),
            Activation::Relu { .. } | Activation::IsZero if i == last => {
                return fail(i, "is the last layer but doesn't rank".into());
            }
            Activation::Rank if l.shift.iter().any(|s| *s != l.shift[0]) => {
                return fail(i, "ranks with more than one shift".into());
            }
            _ => {}
        }
        channels.push(l.out_channels);
    }
    if !(1..=16).contains(&graph.top) || graph.top > graph.outputs() {
        return fail(whole, format!("publishes {} of {} outputs", graph.top, graph.outputs()));
    }
    Ok(())
}
