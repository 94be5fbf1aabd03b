//! The first phase: an honest trace's integers in their cells.

use halo2_proofs::halo2curves::bn256::Fr;
use halo2_proofs::halo2curves::ff::Field;
use rayon::prelude::*;

use super::CircuitError;
use super::columns::First;
use super::field::small;
use super::layout::{BORDER_OFFSET, Layout, START_ROW};
use super::table::{Entry, Q0, TAG_REMAINDER};
use crate::graph::{Activation, Graph, Layer, Tensor};
use crate::interpret::Trace;

/// First-phase columns and public values of one proof.
#[derive(Clone, Debug)]
pub struct Witness {
    /// Columns, each `end + 1` long.
    pub first: First<Vec<i64>>,
    /// Public values.
    pub instances: Vec<Fr>,
}

impl Witness {
    /// Places `trace` and appends the multiplicities.
    ///
    /// # Errors
    /// Fails if the trace isn't of this graph, or a cell has no entry in the lookup table.
    pub fn new(layout: &Layout, graph: &Graph, trace: &Trace, request: [Fr; 2]) -> Result<Self, CircuitError> {
        let (witness, missing) = Self::place(layout, graph, trace, request)?;
        if missing > 0 {
            return Err(CircuitError::Trace { reason: format!("{missing} cells are outside the lookup table") });
        }
        Ok(witness)
    }

    /// As [`Witness::new`], for any trace of the right form, honest or not; also returns how many
    /// cells have no entry in the lookup table.
    ///
    /// # Errors
    /// Fails if the trace has another number of tensors or an input digit is too large.
    pub fn place(
        layout: &Layout,
        graph: &Graph,
        trace: &Trace,
        request: [Fr; 2],
    ) -> Result<(Self, usize), CircuitError> {
        let n = graph.layers.len();
        if trace.tensors.len() < n || trace.accumulators.len() != n || trace.ranking.len() != graph.top {
            return Err(CircuitError::Trace { reason: "wrong number of tensors".into() });
        }
        let height = layout.end + 1;
        let mut first = First::build(&layout.widths, || vec![0i64; height]);
        let mut instances = vec![Fr::ZERO; layout.instances()];
        instances[..2].copy_from_slice(&request);
        instances[START_ROW] = pack(&trace.ranking, layout.constants.index_bits);
        place_input(layout, graph, &trace.tensors[0], &mut first, &mut instances)?;
        for t in 1..n {
            place_activations(layout, &graph.layers[t - 1], t, trace, &mut first);
        }
        if layout.geometry.taps == 9 {
            for t in 1..n {
                place_borders(layout, graph, t, trace, &mut first);
            }
        }
        place_ranking(layout, graph, trace, &mut first)?;
        let mut witness = Self { first, instances };
        let missing = witness.count(layout);
        Ok((witness, missing))
    }

    /// Sets the multiplicities for the cells as they are; returns how many cells have no entry.
    pub fn count(&mut self, layout: &Layout) -> usize {
        let f = &layout.fixed;
        for &row in &layout.table_rows {
            self.first.m[row] = 0;
        }
        let mut missing = 0;
        let mut count = |entry: Entry, m: &mut Vec<i64>| match layout.table.position(&entry) {
            Some(i) => m[layout.table_rows[i]] += 1,
            None => missing += 1,
        };
        let First { x, q, r, m, .. } = &mut self.first;
        for row in START_ROW..=layout.end {
            for l in 0..x.len() {
                count(Entry { input: q[l][row], output: x[l][row], tag: f.tag[row] }, m);
                count(Entry { input: r[l][row], output: f.scale[row], tag: TAG_REMAINDER }, m);
            }
        }
        missing
    }
}

/// `Σ_k index_k · 2^(bits·k)`.
fn pack(ranking: &[(usize, i64)], bits: u32) -> Fr {
    let radix = Fr::from(1u64 << bits);
    ranking.iter().rev().fold(Fr::ZERO, |acc, (i, _)| acc * radix + Fr::from(*i as u64))
}

fn place_input(
    layout: &Layout,
    graph: &Graph,
    input: &Tensor,
    first: &mut First<Vec<i64>>,
    instances: &mut [Fr],
) -> Result<(), CircuitError> {
    let cells = graph.board.cells();
    for (c, channel) in graph.input.iter().enumerate() {
        for (cell, digit) in channel.cells.iter().enumerate() {
            let value = *input.values.get(c * cells + cell).unwrap_or(&0);
            let bits = digit.map_or(0, |d| d.bits);
            if value < 0 || value >> bits != 0 {
                return Err(CircuitError::Input { channel: c, cell, value, bits });
            }
            let Some(digit) = digit else { continue };
            let (row, lane) = layout.cell(0, c, cell);
            first.x[lane][row] = value;
            instances[START_ROW + 1 + channel.limb] += small(value) * Fr::from(2).pow([u64::from(digit.offset)]);
        }
    }
    Ok(())
}

fn place_activations(layout: &Layout, layer: &Layer, t: usize, trace: &Trace, first: &mut First<Vec<i64>>) {
    let cells = layout.geometry.board.cells();
    let (x, a) = (&trace.tensors[t], &trace.accumulators[t - 1]);
    for c in 0..layer.out_channels {
        let s = layer.shift[c];
        for cell in 0..cells {
            let (row, lane) = layout.cell(t, c, cell);
            let a = a.values[c * cells + cell];
            first.x[lane][row] = x.values[c * cells + cell];
            first.q[lane][row] = (a >> s) + Q0;
            first.r[lane][row] = a - ((a >> s) << s);
        }
    }
}

/// The coefficients of the product that stand where no output stands.
struct Borders {
    /// `[channel][line]`: between a board row and the next.
    between: Vec<Vec<i64>>,
    /// `[channel, and one more][place]`: above a channel's first cell, lowest exponent first.
    above: Vec<Vec<i64>>,
}

fn borders(graph: &Graph, layer: &Layer, input: &Tensor) -> Borders {
    let (h, w) = (graph.board.height as i64, graph.board.width as i64);
    let channels = layer.in_channels;
    // Inputs and kernels with the channel innermost: each border value is a few dot products.
    let cells = graph.board.cells();
    let mut x = vec![0i32; cells * channels];
    for c in 0..channels {
        for cell in 0..cells {
            x[cell * channels + c] = input.values[c * cells + cell] as i32;
        }
    }
    let places = (w + 2) as usize;
    let rows: Vec<(Vec<i64>, Vec<i64>, Vec<i64>)> = (0..layer.out_channels)
        .into_par_iter()
        .map(|o| {
            let mut taps = vec![0i32; 9 * channels];
            for c in 0..channels {
                for t in 0..9 {
                    taps[t * channels + c] = layer.weights[(o * channels + c) * 9 + t];
                }
            }
            let value = |i: i64, j: i64| -> i64 {
                let mut sum = 0i64;
                for a in 0..3 {
                    for b in 0..3 {
                        let (y, z) = (i + a - 1, j + b - 1);
                        if (0..h).contains(&y) && (0..w).contains(&z) {
                            let cell = (y * w + z) as usize * channels;
                            let tap = (3 * a + b) as usize * channels;
                            sum += dot(&x[cell..cell + channels], &taps[tap..tap + channels]);
                        }
                    }
                }
                sum
            };
            let between = (1..h).map(|i| value(i, -1) + value(i - 1, w)).collect();
            // Above the channel, from the right: column w first.
            // The first line's left border shares its lowest place, and the last line's right border
            // the highest place below.
            let mut above: Vec<i64> = (-1..=w).rev().map(|j| value(-1, j)).collect();
            let mut below: Vec<i64> = (-1..=w).rev().map(|j| value(h, j)).collect();
            above[0] += value(0, -1);
            below[places - 1] += value(h - 1, w);
            (between, above, below)
        })
        .collect();
    let mut above = vec![vec![0; places]; layer.out_channels + 1];
    let mut between = Vec::with_capacity(layer.out_channels);
    for (o, (b, top, bottom)) in rows.into_iter().enumerate() {
        between.push(b);
        for (sum, v) in above[o].iter_mut().zip(&top) {
            *sum += v;
        }
        for (sum, v) in above[o + 1].iter_mut().zip(&bottom) {
            *sum += v;
        }
    }
    Borders { between, above }
}

fn dot(a: &[i32], b: &[i32]) -> i64 {
    a.iter().zip(b).map(|(a, b)| i64::from(*a) * i64::from(*b)).sum()
}

fn place_borders(layout: &Layout, graph: &Graph, t: usize, trace: &Trace, first: &mut First<Vec<i64>>) {
    let layer = &graph.layers[t - 1];
    let g = &layout.geometry;
    let rows = layout.tensors[t];
    let borders = (layer.kernel == 3).then(|| borders(graph, layer, &trace.tensors[t - 1]));
    let lowest = g.exponent(0, 0) + 1;
    for c in 0..=rows.channels {
        let start = rows.first + c * rows.block;
        let length = if c == rows.channels { g.tail_rows } else { g.block_rows };
        let mut line = 0;
        for b in 0..length {
            if g.begins_line(b) {
                let value = borders.as_ref().and_then(|v| v.between.get(c)).map_or(0, |v| v[line]);
                first.e[0][start + b] = BORDER_OFFSET + value;
                line += 1;
            }
        }
        let mut filled = vec![false; g.spacing - lowest];
        for group in &g.groups {
            for &b in &group.rows {
                for l in 0..g.lanes {
                    let place = g.exponent(b, l) + group.shift - lowest;
                    let value = match (&borders, std::mem::replace(&mut filled[place], true)) {
                        (Some(v), false) => v.above[c][place],
                        _ => 0,
                    };
                    first.e[l][start + b] = BORDER_OFFSET + value;
                }
            }
        }
    }
}

fn place_ranking(
    layout: &Layout,
    graph: &Graph,
    trace: &Trace,
    first: &mut First<Vec<i64>>,
) -> Result<(), CircuitError> {
    let n = graph.layers.len();
    let s = layout.constants.rank_shift;
    let bits = layout.constants.index_bits;
    let Some(&(last_index, threshold)) = trace.ranking.last() else {
        return Err(CircuitError::Trace { reason: "nothing is ranked".into() });
    };
    let key = |(i, a): (usize, i64)| (a << bits) - i as i64;
    for (k, &entry) in trace.ranking.iter().enumerate() {
        let row = layout.list + 2 * k;
        for (l, q) in first.q.iter_mut().enumerate() {
            // Lanes without a limb hold the ranked pair (−1, 0); the first is marked.
            q[row] = Q0 - 1;
            if k + 1 < graph.top {
                q[row + 1] = Q0 - 1;
            }
            if l == 0 {
                first.x[0][row] = 1;
                if k + 1 < graph.top {
                    first.x[0][row + 1] = 1;
                }
            }
        }
        first.m[row] = key(entry);
        first.e[0][row] = entry.0 as i64;
        if k > 0 {
            let mut difference = key(trace.ranking[k - 1]) - key(entry) - 1;
            first.m[row - 1] = key(trace.ranking[k - 1]);
            for (row, last) in [(row, false), (row - 1, true)] {
                first.r[0][row] = difference & ((1 << s) - 1);
                difference >>= s;
                let q = if last { difference } else { difference & 2047 };
                first.q[0][row] = Q0 - 1 + q;
                difference >>= 11;
            }
        }
    }
    first.m[layout.threshold] = threshold;
    let lanes = layout.shape.lanes;
    first.e[lanes - 1][layout.threshold] = 1;
    let outputs = &trace.accumulators[n - 1].values;
    let cells = graph.board.cells();
    let mut listed = vec![false; outputs.len()];
    for &(i, _) in &trace.ranking {
        listed[i] = true;
    }
    debug_assert!(matches!(graph.layers[n - 1].activation, Activation::Rank));
    for (i, &a) in outputs.iter().enumerate() {
        let (row, lane) = layout.cell(n, i / cells, i % cells);
        let before = i64::from(i < last_index);
        let excess = a - (threshold + 1 - before);
        first.q[lane][row] = (excess >> s) + Q0;
        first.r[lane][row] = excess - ((excess >> s) << s);
        first.x[lane][row] = i64::from(listed[i]);
        first.e[lane][row] = before;
        first.m[row] = threshold;
    }
    Ok(())
}
