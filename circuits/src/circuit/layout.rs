//! Which row and column each cell of a graph stands in: the fixed columns of its circuit.
//!
//! ```text
//! row 0, 1            request hash (instances only)
//! row 2               start; the packed ranking's instance
//! rows 3 …            one row per public limb
//! list rows           2 rows per listed output: key and index, then the limbs of the next difference
//! threshold row       the last listed accumulator
//! ranked rows         the last layer's outputs
//! close row
//! tensor n−1 … 1, 0   blocks of activations, each with its consumer's kernels; tails
//! end rows
//! ```
//! Tensors stand in reverse order, so that a layer's product is one `λ` behind its outputs.

use halo2_proofs::halo2curves::bn256::Fr;
use halo2_proofs::halo2curves::ff::Field;

use super::columns::{Fixed, Widths};
use super::field::small;
use super::geometry::Geometry;
use super::table::{LIMB_START, Q0, TAG_DIGIT, TAG_RANK, TAG_ZERO, Table, activation_tag};
use super::{CircuitError, Shape};
use crate::graph::{Activation, Graph, Layer};

/// Added to border values, which have either sign, so that they are committed as small integers.
pub const BORDER_OFFSET: i64 = 1 << 23;
/// Rows at the table's end that halo2 fills with blinding values (5 factors and 1).
const BLINDING: usize = 6;
/// Most lanes: `16^lanes`, a bound on a row's digits, must stay below 2^63.
const MAX_LANES: usize = 15;
/// Row of the ranking's instance, the first active row.
pub const START_ROW: usize = 2;

/// What a programmed row does: the kernel column that holds its coefficient.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Program {
    /// First active row: everything that runs is 0 before it.
    Start = 0,
    /// A listed output.
    Entry = 1,
    /// The key is less than the last row's.
    Descend = 2,
    /// The key is the last row's.
    Hold = 3,
    /// The last listed accumulator.
    Threshold = 4,
    /// After the ranked rows.
    Close = 5,
    /// Last active row: everything that runs has come to 0.
    End = 6,
}

/// Number of kernel columns that programmed rows need.
const PROGRAM_COLUMNS: usize = 7;

/// Numbers in the gates.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Constants {
    /// Tensors between a residual's source and its consumer's output, per residual column.
    pub residual_distances: Vec<usize>,
    /// Power of `λ` that brings the input's limbs to their instances.
    pub limb_distance: usize,
    /// Public limbs.
    pub limbs: usize,
    /// Place value of a lane's digit relative to the lane before.
    pub lane_radix: i64,
    /// Kernels a row.
    pub kernels_per_row: usize,
    /// Bits of an output's index.
    pub index_bits: u32,
    /// Shift of the ranked layer.
    pub rank_shift: u32,
}

/// Rows of one tensor.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TensorRows {
    /// First row.
    pub first: usize,
    /// Rows of one channel.
    pub block: usize,
    /// Channels.
    pub channels: usize,
}

/// The fixed part of a circuit.
#[derive(Debug)]
pub struct Layout {
    /// Size of the table.
    pub shape: Shape,
    /// Exponents.
    pub geometry: Geometry,
    /// Numbers in the gates.
    pub constants: Constants,
    /// Numbers of columns.
    pub widths: Widths,
    /// The lookup table.
    pub table: Table,
    /// Row that carries each entry of the lookup table.
    pub table_rows: Vec<usize>,
    /// Fixed columns as integers, each up to `end`; `index` is empty, see [`Layout::index`].
    pub fixed: Fixed<Vec<i64>>,
    /// The `index` column: indices, place values up to 2^253.
    pub index: Vec<Fr>,
    /// Rows of tensor 0 (the input) to n (the ranked outputs).
    pub tensors: Vec<TensorRows>,
    /// First row of the list.
    pub list: usize,
    /// The threshold row.
    pub threshold: usize,
    /// Last active row.
    pub end: usize,
}

fn unsupported(layer: &Layer, reason: impl Into<String>) -> CircuitError {
    CircuitError::Unsupported { layer: layer.name.clone(), reason: reason.into() }
}

impl Layout {
    /// Lays `graph` out in `shape`. `quotients[layer]` is the range of `q` (inclusive).
    pub fn new(graph: &Graph, quotients: &[(i64, i64)], shape: Shape) -> Result<Self, CircuitError> {
        let geometry = Geometry::new(graph, &shape)?;
        let Some(last) = graph.layers.last() else {
            return Err(CircuitError::Trace { reason: "the graph has no layer".into() });
        };
        check(graph, last, &geometry, shape)?;
        let layers = graph.layers.len();
        let mut distances: Vec<usize> = graph
            .layers
            .iter()
            .enumerate()
            .filter_map(|(i, l)| l.residual.as_ref().map(|r| i + 1 - r.tensor))
            .collect();
        distances.sort_unstable();
        distances.dedup();
        if distances.is_empty() {
            distances.push(1);
        }
        let constants = Constants {
            limb_distance: layers + 1,
            limbs: graph.limbs(),
            lane_radix: 16,
            kernels_per_row: shape.kernels_per_row,
            index_bits: graph.index_bits(),
            rank_shift: last.shift[0],
            residual_distances: distances,
        };
        let widths = Widths {
            lanes: shape.lanes,
            kernels: shape.kernels_per_row,
            taps: geometry.taps,
            residuals: constants.residual_distances.len(),
            borders: usize::from(geometry.taps == 9),
        };
        let height = 1 << shape.k;
        let mut layout = Self {
            shape,
            fixed: Fixed::build(&widths, || vec![0; height]),
            index: vec![Fr::ZERO; height],
            table: Table::new(graph, quotients),
            table_rows: Vec::new(),
            tensors: vec![TensorRows { first: 0, block: 0, channels: 0 }; layers + 1],
            list: 0,
            threshold: 0,
            end: 0,
            geometry,
            constants,
            widths,
        };
        let needed = layout.rows_needed(graph);
        if needed + BLINDING > height {
            return Err(CircuitError::Rows { needed, k: shape.k, available: height - BLINDING });
        }
        layout.fill(graph);
        layout.place_table(height - BLINDING)?;
        Ok(layout)
    }

    /// Public values of a proof, in order: request (2 limbs), ranking, input limbs.
    pub fn instances(&self) -> usize {
        START_ROW + 1 + self.constants.limbs
    }

    /// Row and lane of a cell.
    pub fn cell(&self, tensor: usize, channel: usize, cell: usize) -> (usize, usize) {
        let rows = self.tensors[tensor];
        (rows.first + channel * rows.block + cell / self.shape.lanes, cell % self.shape.lanes)
    }

    fn block_rows(&self, graph: &Graph, tensor: usize) -> usize {
        let kernels = graph.layers.get(tensor).map_or(0, |l| l.out_channels);
        self.geometry.block_rows.max(kernels.div_ceil(self.shape.kernels_per_row))
    }

    fn rows_needed(&self, graph: &Graph) -> usize {
        let tensors: usize = (0..=graph.layers.len())
            .map(|t| {
                let tail = if t == 0 || t == graph.layers.len() { 0 } else { self.geometry.tail_rows };
                channels(graph, t) * self.block_rows(graph, t) + tail
            })
            .sum();
        START_ROW + 1 + self.constants.limbs + 2 * graph.top + 2 + tensors + 2
    }

    fn fill(&mut self, graph: &Graph) {
        let layers = graph.layers.len();
        let mut row = START_ROW;
        self.program(row, TAG_ZERO, &[Program::Start]);
        row += 1;
        for _ in 0..self.constants.limbs {
            self.ordinary(row, TAG_ZERO);
            self.fixed.block[row] = 1;
            self.fixed.tensor[row] = 1;
            row += 1;
        }
        self.list = row;
        let radix = Fr::from(1u64 << self.constants.index_bits);
        let mut place = Fr::ONE;
        for k in 0..graph.top {
            let entry: &[Program] = if k == 0 { &[Program::Entry] } else { &[Program::Entry, Program::Descend] };
            self.list_row(row, entry);
            self.index[row] = place;
            place *= radix;
            row += 1;
            if k + 1 < graph.top {
                self.list_row(row, &[Program::Hold]);
                row += 1;
            }
        }
        self.threshold = row;
        self.program(row, TAG_ZERO, &[Program::Threshold]);
        row = self.ranked(graph, row + 1);
        self.program(row, TAG_ZERO, &[Program::Close]);
        row += 1;
        for t in (0..layers).rev() {
            row = self.tensor(graph, t, row);
        }
        self.ordinary(row, TAG_ZERO);
        self.fixed.block[row] = 1;
        self.fixed.tensor[row] = 1;
        self.program(row + 1, TAG_ZERO, &[Program::End]);
        self.end = row + 1;
    }

    fn ordinary(&mut self, row: usize, tag: i64) {
        self.fixed.ordinary[row] = 1;
        self.fixed.tag[row] = tag;
    }

    fn program(&mut self, row: usize, tag: i64, what: &[Program]) {
        self.fixed.program[row] = 1;
        self.fixed.tag[row] = tag;
        for &p in what {
            self.fixed.kernel[p as usize][row] = 1;
        }
    }

    fn list_row(&mut self, row: usize, what: &[Program]) {
        self.program(row, TAG_RANK, what);
        self.fixed.scale[row] = 1 << self.constants.rank_shift;
    }

    fn ranked(&mut self, graph: &Graph, first: usize) -> usize {
        let (n, block) = (graph.layers.len(), self.geometry.block_rows);
        let layer = &graph.layers[n - 1];
        self.tensors[n] = TensorRows { first, block, channels: layer.out_channels };
        for o in 0..layer.out_channels {
            for b in 0..block {
                let row = first + o * block + b;
                self.fixed.rank[row] = 1;
                self.fixed.tag[row] = TAG_RANK;
                self.fixed.scale[row] = 1 << layer.shift[o];
                // A − bias = (q + Q0)·2^s + r + threshold − before − (bias + Q0·2^s − 1).
                let bias = layer.bias[o * graph.board.cells() + b * self.shape.lanes];
                self.fixed.bias[row] = bias + (Q0 << layer.shift[o]) - 1;
                self.index[row] = small((o * graph.board.cells() + b * self.shape.lanes) as i64);
                let step = match (o, b) {
                    (0, 0) => None,
                    (_, 0) => Some(2),
                    _ => Some(usize::from(self.geometry.begins_line(b))),
                };
                if let Some(step) = step {
                    self.fixed.kernel[step][row] = 1;
                }
            }
        }
        first + layer.out_channels * block
    }

    fn tensor(&mut self, graph: &Graph, t: usize, first: usize) -> usize {
        let (block, channels) = (self.block_rows(graph, t), channels(graph, t));
        self.tensors[t] = TensorRows { first, block, channels };
        self.fixed.tensor[first] = 1;
        for c in 0..channels {
            let start = first + c * block;
            self.fixed.block[start] = 1;
            for b in 0..block {
                self.ordinary(start + b, TAG_ZERO);
            }
            if t == 0 {
                self.input_block(graph, c, start);
            } else {
                self.activation_block(graph, t, c, start);
            }
            self.kernels(&graph.layers[t], c, start + block);
        }
        let mut row = first + channels * block;
        if t > 0 && self.geometry.tail_rows > 0 {
            self.fixed.block[row] = 1;
            for b in 0..self.geometry.tail_rows {
                self.ordinary(row + b, TAG_ZERO);
                self.step(row + b, b);
            }
            row += self.geometry.tail_rows;
        }
        row
    }

    /// Steps and borders of row `b` of an activation block.
    fn step(&mut self, row: usize, b: usize) {
        if b > 0 {
            self.fixed.step[row] = if self.geometry.begins_line(b) { 2 } else { 1 };
        }
        for (i, group) in self.geometry.groups.iter().enumerate() {
            if group.rows.contains(&b) {
                self.fixed.border[0][row] = i as i64 + 1;
            }
        }
    }

    fn activation_block(&mut self, graph: &Graph, t: usize, c: usize, start: usize) {
        let layer = &graph.layers[t - 1];
        let cells = graph.board.cells();
        for b in 0..self.geometry.block_rows {
            let row = start + b;
            self.step(row, b);
            self.fixed.tag[row] = activation_tag(layer.activation);
            self.fixed.scale[row] = 1 << layer.shift[c];
            self.fixed.bias[row] = layer.bias[c * cells + b * self.shape.lanes] + (Q0 << layer.shift[c]);
            for (i, consumer) in graph.layers.iter().enumerate() {
                if let Some(r) = consumer.residual.as_ref().filter(|r| r.tensor == t) {
                    let column = self.constants.residual_distances.iter().position(|&d| d == i + 1 - t);
                    if let Some(column) = column {
                        self.fixed.residual[column][row] = r.multiplier[c];
                    }
                }
            }
        }
    }

    fn input_block(&mut self, graph: &Graph, c: usize, start: usize) {
        let block = self.block_rows(graph, 0);
        for b in 0..block {
            self.fixed.input[start + b] = 1;
        }
        if c > 0 && graph.input[c].limb != graph.input[c - 1].limb {
            self.fixed.scale[start] = LIMB_START;
        }
        for b in 0..self.geometry.block_rows {
            let row = start + b;
            if b > 0 {
                if self.geometry.begins_line(b) {
                    self.fixed.residual[0][row] = 1;
                } else {
                    self.fixed.bias[row] = 1;
                }
            }
            if let Some(digit) = graph.input[c].cells[b * self.shape.lanes] {
                self.fixed.tag[row] = TAG_DIGIT + i64::from(digit.bits);
                self.index[row] = Fr::from(2).pow([u64::from(digit.offset)]);
            }
        }
    }

    /// The kernels that read channel `c`, in the last rows before `end`.
    fn kernels(&mut self, layer: &Layer, c: usize, end: usize) {
        let per_row = self.shape.kernels_per_row;
        let taps = layer.kernel * layer.kernel;
        for o in 0..layer.out_channels {
            let from_end = layer.out_channels - 1 - o;
            let (row, slot) = (end - 1 - from_end / per_row, per_row - 1 - from_end % per_row);
            let weights = &layer.weights[(o * layer.in_channels + c) * taps..][..taps];
            for (t, &w) in weights.iter().enumerate() {
                let tap = if taps == self.geometry.taps { t } else { self.geometry.taps / 2 };
                self.fixed.kernel[slot * self.geometry.taps + tap][row] = i64::from(w);
            }
        }
    }

    /// Puts the lookup table beside the ordinary rows, after lengthening the table by rows without
    /// activations if there are too few; the remaining rows repeat the last entry.
    fn place_table(&mut self, available: usize) -> Result<(), CircuitError> {
        let entries = self.table.entries.clone();
        let ordinary = self.fixed.ordinary.iter().filter(|v| **v == 1).count();
        let missing = entries.len().saturating_sub(ordinary);
        if self.end + 1 + missing > available {
            let capacity = available - 1 - self.end + ordinary;
            return Err(CircuitError::Table { entries: entries.len(), k: self.shape.k, available: capacity });
        }
        // Neutral rows before the last: nothing runs any more, so they only carry entries.
        if missing > 0 {
            let to = self.end + missing;
            self.fixed.program.swap(self.end, to);
            self.fixed.kernel[Program::End as usize].swap(self.end, to);
            for row in self.end..to {
                self.ordinary(row, TAG_ZERO);
            }
            self.fixed.tag[to] = TAG_ZERO;
            self.end = to;
        }
        let mut next = entries.iter();
        for row in 0..=self.end {
            if self.fixed.ordinary[row] == 0 {
                continue;
            }
            let entry = match next.next() {
                Some(entry) => {
                    self.table_rows.push(row);
                    *entry
                }
                None => match entries.last() {
                    Some(entry) => *entry,
                    None => break,
                },
            };
            self.fixed.table_in[row] = entry.input;
            self.fixed.table_out[row] = entry.output;
            self.fixed.table_tag[row] = entry.tag;
        }
        Ok(())
    }
}

fn channels(graph: &Graph, tensor: usize) -> usize {
    match tensor {
        0 => graph.input.len(),
        t => graph.layers[t - 1].out_channels,
    }
}

/// What the gates take for granted of a graph.
fn check(graph: &Graph, last: &Layer, geometry: &Geometry, shape: Shape) -> Result<(), CircuitError> {
    if shape.lanes > MAX_LANES {
        return Err(unsupported(
            &graph.layers[0],
            format!("{} activations a row are too many; choose at most {MAX_LANES}", shape.lanes),
        ));
    }
    if shape.kernels_per_row * geometry.taps < PROGRAM_COLUMNS {
        return Err(unsupported(
            &graph.layers[0],
            format!("dense layers need at least {PROGRAM_COLUMNS} kernels a row; raise kernels_per_row"),
        ));
    }
    if last.activation != Activation::Rank || last.kernel != 1 {
        return Err(unsupported(last, "the last layer must be ranked and have 1×1 kernels; append a 1×1 layer"));
    }
    if graph.top == 0 || graph.top > graph.outputs() || graph.top as u32 * graph.index_bits() > 253 {
        return Err(unsupported(last, format!("{} listed outputs do not fit one public value; list fewer", graph.top)));
    }
    if graph.index_bits() > last.shift[0] + 11 {
        return Err(unsupported(last, "its shift is too small to compare keys; raise it"));
    }
    for (i, layer) in graph.layers.iter().enumerate() {
        if layer.activation == Activation::Rank && i + 1 != graph.layers.len() {
            return Err(unsupported(layer, "only the last layer can be ranked"));
        }
        if layer.residual.as_ref().is_some_and(|r| r.tensor == 0 || r.tensor > i) {
            return Err(unsupported(layer, "a residual must come from an earlier layer's output"));
        }
        let cells = graph.board.cells();
        let rows = layer.bias.chunks(shape.lanes);
        if rows.len() * shape.lanes != layer.out_channels * cells
            || layer.bias.chunks(shape.lanes).any(|r| r.iter().any(|b| *b != r[0]))
        {
            return Err(unsupported(
                layer,
                format!("its bias differs among {} cells of a row; choose p = 1", shape.lanes),
            ));
        }
    }
    for channel in &graph.input {
        for row in channel.cells.chunks(shape.lanes) {
            let regular = row.iter().enumerate().all(|(l, d)| match (row[0], d) {
                (None, None) => true,
                (Some(a), Some(b)) => a.bits == b.bits && b.offset == a.offset + 4 * l as u32,
                _ => false,
            });
            if !regular {
                return Err(unsupported(&graph.layers[0], "the digits of a row must stand 4 bits apart; choose p = 1"));
            }
        }
    }
    Ok(())
}
