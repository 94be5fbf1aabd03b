//! What a graph can compute at all: interval arithmetic over the whole input domain.
//!
//! The circuit has no way to say "q left the lookup table", so an input that makes it do that has
//! no proof. [`check`] therefore demands that the provable range of every `q` fits; then an honest
//! proof exists for every input, also for one that an opponent made up.

use std::collections::BTreeSet;

use crate::graph::{Activation, Graph, Layer, Tensor};
use crate::interpret::{apply, linear};

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
    #[error(
        "layer {layer} ({name}): weight {weight} is outside ±{WEIGHT_MAX}; quantise to 12 bits or fewer"
    )]
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

/// Checks lengths, indices and orders, so that nothing that evaluates the graph can go out of range.
///
/// # Errors
/// [`GraphError::Structure`] names the first layer that doesn't fit.
pub fn check_structure(graph: &Graph) -> Result<(), GraphError> {
    let cells = graph.board.cells();
    let last = graph.layers.len().wrapping_sub(1);
    let fail = |layer: usize, what: String| {
        let name = graph
            .layers
            .get(layer)
            .map_or("graph", |l| l.name.as_str())
            .to_owned();
        Err(GraphError::Structure { layer, name, what })
    };
    let whole = graph.layers.len();
    if cells == 0 || cells > 1 << 16 || graph.input.is_empty() || graph.layers.is_empty() {
        return fail(whole, "a graph needs a board, an input and a layer".into());
    }
    let mut limb = 0;
    for (c, channel) in graph.input.iter().enumerate() {
        if channel.cells.len() != cells || channel.limb < limb || channel.limb > limb + 1 {
            return fail(
                whole,
                format!(
                    "input channel {c} has {} cells in limb {}",
                    channel.cells.len(),
                    channel.limb
                ),
            );
        }
        limb = channel.limb;
        let bad = |d: &crate::graph::Digit| ![1, 4, 8].contains(&d.bits) || d.offset > 253 - d.bits;
        if let Some(d) = channel.cells.iter().flatten().find(|d| bad(d)) {
            return fail(
                whole,
                format!(
                    "input channel {c} has a digit of {} bits at bit {}",
                    d.bits, d.offset
                ),
            );
        }
    }
    if graph.input[0].limb != 0 {
        return fail(whole, "the first input channel must stand in limb 0".into());
    }
    let mut channels = vec![graph.input.len()];
    for (i, l) in graph.layers.iter().enumerate() {
        let expected = l.out_channels * l.in_channels * l.kernel * l.kernel;
        if l.in_channels != channels[i] || l.out_channels == 0 {
            return fail(
                i,
                format!(
                    "reads {} channels, but its input has {}",
                    l.in_channels, channels[i]
                ),
            );
        }
        if l.kernel != 1 && l.kernel != 3 || l.weights.len() != expected {
            return fail(
                i,
                format!(
                    "has {} weights for a {}×{} kernel",
                    l.weights.len(),
                    l.kernel,
                    l.kernel
                ),
            );
        }
        if l.bias.len() != l.out_channels * cells || l.shift.len() != l.out_channels {
            return fail(
                i,
                format!("has {} biases and {} shifts", l.bias.len(), l.shift.len()),
            );
        }
        if let Some(b) = l
            .bias
            .iter()
            .find(|b| b.unsigned_abs() > ACCUMULATOR_MAX as u64)
        {
            return fail(i, format!("has a bias of {b}"));
        }
        if let Some(s) = l.shift.iter().find(|s| **s > 20) {
            return fail(i, format!("has a shift of {s}, more than 20"));
        }
        if let Some(r) = &l.residual {
            let fits = r.tensor <= i
                && channels[r.tensor] == l.out_channels
                && r.multiplier.len() == l.out_channels;
            if !fits
                || r.multiplier
                    .iter()
                    .any(|m| !(0..=MULTIPLIER_MAX).contains(m))
            {
                return fail(
                    i,
                    format!("has a residual of tensor {} that doesn't fit", r.tensor),
                );
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
        return fail(
            whole,
            format!("publishes {} of {} outputs", graph.top, graph.outputs()),
        );
    }
    Ok(())
}

/// Checks that every input within its digits has a proof, and gives the provable ranges.
///
/// # Errors
/// Names the first layer and channel whose range doesn't fit, with the numbers.
pub fn check(graph: &Graph) -> Result<Bounds, GraphError> {
    check_structure(graph)?;
    for (i, l) in graph.layers.iter().enumerate() {
        if let Some(w) = l
            .weights
            .iter()
            .find(|w| w.unsigned_abs() > WEIGHT_MAX as u32)
        {
            return Err(GraphError::Weight {
                layer: i,
                name: l.name.clone(),
                weight: *w,
            });
        }
    }
    let mut reach = Reach::of_input(graph);
    let mut bounds = Bounds::default();
    for (i, l) in graph.layers.iter().enumerate() {
        let found = reach.layer(graph, l);
        fits(i, l, &found)?;
        bounds.layers.push(found);
    }
    let shifts: BTreeSet<u32> = graph
        .layers
        .iter()
        .flat_map(|l| l.shift.iter().copied())
        .collect();
    bounds.shifts = shifts.into_iter().collect();
    if bounds.remainder_rows() > REMAINDER_ROWS {
        return Err(GraphError::Shifts {
            rows: bounds.remainder_rows(),
            shifts: bounds.shifts,
        });
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
            return Err(GraphError::Span {
                layer: i,
                name: name(),
                span: most - least,
                shift,
            });
        }
        return Ok(());
    }
    for (channel, s) in l.shift.iter().enumerate() {
        let (q_min, q_max) = (b.a_min[channel] >> s, b.a_max[channel] >> s);
        if q_min < Q_MIN || q_max > Q_MAX {
            return Err(GraphError::Q {
                layer: i,
                name: name(),
                channel,
                q_min,
                q_max,
            });
        }
    }
    Ok(())
}

/// The range of every tensor so far, cell by cell; grows by a layer at a time.
#[derive(Clone, Debug)]
pub(crate) struct Reach {
    /// Least and largest value per tensor.
    tensors: Vec<(Tensor, Tensor)>,
    /// Channel groups of the last tensor of which at most one channel is 1 in any cell, if it has any.
    exclusive: Vec<Vec<usize>>,
}

impl Reach {
    /// The input's range: each digit's.
    pub(crate) fn of_input(graph: &Graph) -> Self {
        let cells = graph.board.cells();
        let top = |d: &Option<crate::graph::Digit>| d.map_or(0, |d| (1i64 << d.bits) - 1);
        let hi: Vec<i64> = graph
            .input
            .iter()
            .flat_map(|c| c.cells.iter().map(top))
            .collect();
        let lo = Tensor {
            cells,
            values: vec![0; hi.len()],
        };
        Reach {
            tensors: vec![(lo, Tensor { cells, values: hi })],
            exclusive: Vec::new(),
        }
    }

    /// The range of the accumulators of `layer`, which reads the last tensor, cell by cell.
    pub(crate) fn accumulators(&self, graph: &Graph, layer: &Layer) -> (Tensor, Tensor) {
        let (lo, hi) = &self.tensors[self.tensors.len() - 1];
        let cells = graph.board.cells();
        let plus: Vec<i32> = layer.weights.iter().map(|w| *w.max(&0)).collect();
        let minus: Vec<i32> = layer.weights.iter().map(|w| *w.min(&0)).collect();
        let conv =
            |w: &[i32], x: &Tensor| linear(layer.kernel, w, layer.out_channels, graph.board, x);
        let (mut least, mut most) = if self.exclusive.is_empty() {
            (
                sum(conv(&plus, lo), &conv(&minus, hi)),
                sum(conv(&plus, hi), &conv(&minus, lo)),
            )
        } else {
            self.exclusive_range(graph, layer)
        };
        for (i, b) in layer.bias.iter().enumerate() {
            least.values[i] += b;
            most.values[i] += b;
        }
        if let Some(r) = &layer.residual {
            let (lo, hi) = &self.tensors[r.tensor];
            for i in 0..least.values.len() {
                least.values[i] += r.multiplier[i / cells] * lo.values[i];
                most.values[i] += r.multiplier[i / cells] * hi.values[i];
            }
        }
        (least, most)
    }

    /// Like the plain range, but of each exclusive group at most one channel counts per cell.
    fn exclusive_range(&self, graph: &Graph, layer: &Layer) -> (Tensor, Tensor) {
        let (lo, hi) = &self.tensors[self.tensors.len() - 1];
        let board = graph.board;
        let (cells, k) = (board.cells(), layer.kernel);
        let taps = layer.in_channels * k * k;
        let los = crate::interpret::columns(k, board, lo, |v: i64| v);
        let his = crate::interpret::columns(k, board, hi, |v: i64| v);
        let mut out = (
            vec![0; layer.out_channels * cells],
            vec![0; layer.out_channels * cells],
        );
        for (o, w) in layer.weights.chunks(taps).enumerate() {
            for cell in 0..cells {
                let (lo, hi) = (&los[cell * taps..][..taps], &his[cell * taps..][..taps]);
                let (mut least, mut most) = (0, 0);
                for tap in 0..k * k {
                    for group in &self.exclusive {
                        let at = |c: &usize| c * k * k + tap;
                        let (mut low, mut high) = (0, 0);
                        match group.iter().find(|c| lo[at(c)] == 1) {
                            Some(c) => (low, high) = (i64::from(w[at(c)]), i64::from(w[at(c)])),
                            None => {
                                for c in group.iter().filter(|c| hi[at(c)] > 0) {
                                    low = low.min(i64::from(w[at(c)]));
                                    high = high.max(i64::from(w[at(c)]));
                                }
                            }
                        }
                        least += low;
                        most += high;
                    }
                }
                out.0[o * cells + cell] = least;
                out.1[o * cells + cell] = most;
            }
        }
        (
            Tensor {
                cells,
                values: out.0,
            },
            Tensor {
                cells,
                values: out.1,
            },
        )
    }

    /// Adds the tensor that `layer` writes and gives the layer's bounds.
    pub(crate) fn layer(&mut self, graph: &Graph, layer: &Layer) -> LayerBounds {
        let cells = graph.board.cells();
        let (least, most) = self.accumulators(graph, layer);
        let by_channel = |t: &Tensor, f: fn(i64, i64) -> i64| -> Vec<i64> {
            t.values
                .chunks(cells)
                .map(|c| c.iter().copied().reduce(f).unwrap_or(0))
                .collect()
        };
        let (a_min, a_max) = (by_channel(&least, i64::min), by_channel(&most, i64::max));
        let q =
            |a: &[i64]| -> Vec<i64> { a.iter().zip(&layer.shift).map(|(a, s)| a >> s).collect() };
        let bounds = LayerBounds {
            q_min: q(&a_min).into_iter().min().unwrap_or(0),
            q_max: q(&a_max).into_iter().max().unwrap_or(0),
            a_min,
            a_max,
        };
        let image = |i: usize| {
            let s = layer.shift[i / cells];
            let (lo, hi) = (least.values[i] >> s, most.values[i] >> s);
            match layer.activation {
                Activation::IsZero => {
                    (i64::from(lo == 0 && hi == 0), i64::from(lo <= 0 && hi >= 0))
                }
                act => (apply(act, lo), apply(act, hi)),
            }
        };
        let (lo, hi) = (0..least.values.len()).map(image).unzip();
        self.tensors
            .push((Tensor { cells, values: lo }, Tensor { cells, values: hi }));
        self.exclusive = match layer.activation {
            Activation::IsZero => exclusive(layer, cells),
            _ => Vec::new(),
        };
        bounds
    }
}

/// Groups the channels of an IsZero layer: two channels with the same weights, whose biases differ
/// in every cell by at least `2^s`, can't both give `q = 0`.
fn exclusive(layer: &Layer, cells: usize) -> Vec<Vec<usize>> {
    let taps = layer.weights.len() / layer.out_channels.max(1);
    let weights = |c: usize| &layer.weights[c * taps..][..taps];
    let bias = |c: usize| &layer.bias[c * cells..][..cells];
    let apart = |a: usize, b: usize| {
        layer.residual.is_none()
            && layer.shift[a] == layer.shift[b]
            && weights(a) == weights(b)
            && bias(a)
                .iter()
                .zip(bias(b))
                .all(|(x, y)| (x - y).abs() >= 1 << layer.shift[a])
    };
    let mut groups: Vec<Vec<usize>> = Vec::new();
    for c in 0..layer.out_channels {
        match groups.iter_mut().find(|g| g.iter().all(|m| apart(*m, c))) {
            Some(group) => group.push(c),
            None => groups.push(vec![c]),
        }
    }
    groups
}

fn sum(mut a: Tensor, b: &Tensor) -> Tensor {
    a.values
        .iter_mut()
        .zip(&b.values)
        .for_each(|(a, b)| *a += b);
    a
}
