//! The integer interpreter: the reference that the circuit and the daemon follow.
//!
//! [`run`] evaluates a [`Graph`] exactly and keeps every tensor and accumulator, because the
//! witness is made of them. Products are taken in `i16 × i16 → i32` where the numbers at hand
//! prove that no sum can overflow, else in `i64`.

use rayon::prelude::*;

use crate::bounds::{GraphError, check_structure};
use crate::graph::{Activation, Board, Graph, Layer, Tensor};

/// Everything that one evaluation computes.
#[derive(Clone, Debug, PartialEq, Eq, Default)]
pub struct Trace {
    /// Tensor 0 is the input, tensor `i` the output `x` of layer `i − 1`. The last layer ranks and
    /// has no `x`, so there are as many tensors as layers.
    pub tensors: Vec<Tensor>,
    /// `A` of each layer, bias and residual included: `out_channels × cells`.
    pub accumulators: Vec<Tensor>,
    /// The first `graph.top` outputs as (index, A): largest first, ties to the lowest index.
    pub ranking: Vec<(usize, i64)>,
}

/// Why an input can't be evaluated.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum InterpretError {
    /// The graph's parts don't fit together.
    #[error(transparent)]
    Graph(#[from] GraphError),
    /// The input tensor hasn't the graph's shape.
    #[error(
        "input tensor has {values} values in channels of {cells} cells, but the graph reads \
         {want_channels} channels of {want_cells}; pack the input for this model"
    )]
    Shape {
        /// Values given.
        values: usize,
        /// Cells per channel given.
        cells: usize,
        /// Channels wanted.
        want_channels: usize,
        /// Cells per channel wanted.
        want_cells: usize,
    },
    /// An input cell holds a number that its digit has no room for.
    #[error(
        "input channel {channel}, cell {cell} holds {value}, outside 0 to {max}; \
         check how the input was packed"
    )]
    Range {
        /// Channel of the cell.
        channel: usize,
        /// Cell within the channel.
        cell: usize,
        /// The number found.
        value: i64,
        /// The largest number that fits.
        max: i64,
    },
}

/// Evaluates `graph` on `input` (`channels × cells`, each cell within its digit's range).
///
/// # Errors
/// Fails if the graph's parts don't fit together, or the input's shape or range is wrong.
pub fn run(graph: &Graph, input: &Tensor) -> Result<Trace, InterpretError> {
    check_structure(graph)?;
    check_input(graph, input)?;
    let mut trace = Trace { tensors: vec![input.clone()], ..Trace::default() };
    for (i, layer) in graph.layers.iter().enumerate() {
        let a = accumulate(layer, graph.board, &trace.tensors);
        match layer.activation {
            Activation::Rank => trace.ranking = rank(&a, graph.top),
            _ => trace.tensors.push(activate(layer, &a)),
        }
        trace.accumulators.push(a);
        debug_assert_eq!(trace.accumulators.len(), i + 1);
    }
    Ok(trace)
}

/// Checks that `input` has the graph's shape and that every cell fits its digit.
///
/// # Errors
/// Names the first cell that doesn't fit.
pub fn check_input(graph: &Graph, input: &Tensor) -> Result<(), InterpretError> {
    let cells = graph.board.cells();
    if input.cells != cells || input.values.len() != graph.input.len() * cells {
        return Err(InterpretError::Shape {
            values: input.values.len(),
            cells: input.cells,
            want_channels: graph.input.len(),
            want_cells: cells,
        });
    }
    for (channel, c) in graph.input.iter().enumerate() {
        for (cell, digit) in c.cells.iter().enumerate() {
            let max = digit.map_or(0, |d| (1i64 << d.bits) - 1);
            let value = input.values[channel * cells + cell];
            if !(0..=max).contains(&value) {
                return Err(InterpretError::Range { channel, cell, value, max });
            }
        }
    }
    Ok(())
}

/// `A` of one layer, given all tensors so far (the last one is what it reads).
pub(crate) fn accumulate(layer: &Layer, board: Board, tensors: &[Tensor]) -> Tensor {
    let cells = board.cells();
    let mut a = linear(layer.kernel, &layer.weights, layer.out_channels, board, &tensors[tensors.len() - 1]);
    for (v, b) in a.values.iter_mut().zip(&layer.bias) {
        *v += b;
    }
    if let Some(r) = &layer.residual {
        let skip = &tensors[r.tensor];
        for (o, m) in r.multiplier.iter().enumerate() {
            let at = o * cells..(o + 1) * cells;
            for (v, x) in a.values[at.clone()].iter_mut().zip(&skip.values[at]) {
                *v += m * x;
            }
        }
    }
    a
}

/// `x = act(floor(A / 2^s))` of every cell.
pub(crate) fn activate(layer: &Layer, a: &Tensor) -> Tensor {
    let values = a
        .values
        .chunks(a.cells.max(1))
        .zip(&layer.shift)
        .flat_map(|(row, s)| row.iter().map(move |v| apply(layer.activation, v >> s)))
        .collect();
    Tensor { cells: a.cells, values }
}

/// The activation of one `q`.
pub(crate) fn apply(activation: Activation, q: i64) -> i64 {
    match activation {
        Activation::Relu { max } => q.clamp(0, max),
        Activation::IsZero => i64::from(q == 0),
        Activation::Rank => q,
    }
}

/// Multiply-accumulate work below which a layer is not spread over threads.
const PARALLEL_MACS: usize = 1 << 18;

/// The linear part alone: a correlation of `x` with `[out][in][kernel²]` weights, zero padding.
pub(crate) fn linear(kernel: usize, weights: &[i32], out_channels: usize, board: Board, x: &Tensor) -> Tensor {
    let cells = board.cells();
    let taps = x.values.len() / cells.max(1) * kernel * kernel;
    let mut values = vec![0i64; out_channels * cells];
    if taps == 0 || values.is_empty() {
        return Tensor { cells, values };
    }
    let x_max = x.values.iter().map(|v| v.unsigned_abs()).max().unwrap_or(0);
    let w_max = weights.iter().map(|w| w.unsigned_abs()).max().unwrap_or(0);
    let small = x_max < 1 << 15
        && w_max < 1 << 15
        && weights.chunks(taps).all(|row| {
            let sum: u64 = row.iter().map(|w| u64::from(w.unsigned_abs())).sum();
            sum.saturating_mul(x_max) < 1 << 31
        });
    let rows = values.par_chunks_mut(cells).with_min_len(if out_channels * cells * taps < PARALLEL_MACS {
        out_channels
    } else {
        1
    });
    let rows = rows.zip(weights.par_chunks(taps));
    if small {
        let columns: Vec<i16> = columns(kernel, board, x, |v| v as i16);
        rows.for_each(|(out, w)| {
            let w: Vec<i16> = w.iter().map(|&w| w as i16).collect();
            for (a, column) in out.iter_mut().zip(columns.chunks(taps)) {
                let sum: i32 = w.iter().zip(column).map(|(&w, &x)| i32::from(w) * i32::from(x)).sum();
                *a = i64::from(sum);
            }
        });
    } else {
        let columns: Vec<i64> = columns(kernel, board, x, |v| v);
        rows.for_each(|(out, w)| {
            for (a, column) in out.iter_mut().zip(columns.chunks(taps)) {
                *a = w.iter().zip(column).map(|(&w, &x)| i64::from(w) * x).sum();
            }
        });
    }
    Tensor { cells, values }
}

/// What each cell's window sees: `[cell][channel][kernel²]`, zero outside of the board.
pub(crate) fn columns<S: Copy, T: Copy + Default>(
    kernel: usize,
    board: Board,
    x: &impl Cells<S>,
    convert: impl Fn(S) -> T,
) -> Vec<T> {
    let cells = board.cells();
    let channels = x.slice().len() / cells.max(1);
    let pad = kernel / 2;
    let taps = channels * kernel * kernel;
    let mut columns = vec![T::default(); cells * taps];
    for (c, plane) in x.slice().chunks(cells).enumerate() {
        for i in 0..board.height {
            for j in 0..board.width {
                let at = (i * board.width + j) * taps + c * kernel * kernel;
                for a in 0..kernel {
                    let Some(row) = (i + a).checked_sub(pad).filter(|r| *r < board.height) else {
                        continue;
                    };
                    for b in 0..kernel {
                        if let Some(col) = (j + b).checked_sub(pad).filter(|c| *c < board.width) {
                            columns[at + a * kernel + b] = convert(plane[row * board.width + col]);
                        }
                    }
                }
            }
        }
    }
    columns
}

/// Values in `channels × cells` order, integers or floats.
pub(crate) trait Cells<T> {
    /// All values, row-major.
    fn slice(&self) -> &[T];
}

impl Cells<i64> for Tensor {
    fn slice(&self) -> &[i64] {
        &self.values
    }
}

impl Cells<f32> for Vec<f32> {
    fn slice(&self) -> &[f32] {
        self
    }
}

/// The first `top` of the accumulators: largest first, ties to the lowest index.
fn rank(a: &Tensor, top: usize) -> Vec<(usize, i64)> {
    let mut all: Vec<(usize, i64)> = a.values.iter().copied().enumerate().collect();
    let order = |l: &(usize, i64), r: &(usize, i64)| r.1.cmp(&l.1).then(l.0.cmp(&r.0));
    if top < all.len() {
        all.select_nth_unstable_by(top, order);
        all.truncate(top);
    }
    all.sort_unstable_by(order);
    all
}
