//! Where on a polynomial in `z` each cell of a board stands, for a given number of lanes.
//!
//! A tensor is read by Horner's rule, row after row, `lanes` cells a row. Cell `(i, j)` of a channel
//! stands at exponent `stride·(H−1−i) + (W−1−j)` from the end of its block, and channels stand
//! `spacing` apart. With `stride = W + pad` and `spacing = stride·(H + pad)` the product of a
//! channel's polynomial and a kernel's has the outputs of the convolution at the same places, all
//! shifted by `centre`; every other coefficient is a border value that zero padding cuts off.

use super::{CircuitError, Shape};
use crate::graph::{Board, Graph};

/// A set of rows (within each block) whose `e` cells stand at border monomials.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BorderGroup {
    /// Distance in exponents from the row's own cells to the monomials that its `e` cells fill.
    pub shift: usize,
    /// Rows of the block that belong to the group.
    pub rows: Vec<usize>,
}

/// Exponents of one circuit: the same for all of its tensors.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Geometry {
    /// The board.
    pub board: Board,
    /// Cells a row.
    pub lanes: usize,
    /// Kernel taps a slot: 9 if any layer is 3×3, else 1.
    pub taps: usize,
    /// Exponents from one board row to the next.
    pub stride: usize,
    /// Exponents from one channel to the next.
    pub spacing: usize,
    /// Factor `z^block_step` from the last row of a block to the first row of the next.
    pub block_step: usize,
    /// Factor `z^line_step` to the first row of the next board row.
    pub line_step: usize,
    /// Exponent of the kernel's centre tap: products stand this far above the outputs.
    pub centre: usize,
    /// Rows of a block that hold activations.
    pub block_rows: usize,
    /// Border monomials above a block, in at most two groups.
    pub groups: Vec<BorderGroup>,
    /// Rows of the short block that ends a tensor and holds its last channel's bottom border.
    pub tail_rows: usize,
    /// Exponents that the tail adds below a tensor's last cell.
    pub tail_shift: usize,
}

impl Geometry {
    /// The geometry of `graph` for `shape`, or why there is none.
    pub fn new(graph: &Graph, shape: &Shape) -> Result<Self, CircuitError> {
        let board = graph.board;
        let lanes = shape.lanes;
        let taps = if graph.layers.iter().any(|l| l.kernel == 3) { 9 } else { 1 };
        let pad = usize::from(taps == 9);
        if lanes == 0 || !board.width.is_multiple_of(lanes) {
            return Err(CircuitError::Lanes { lanes, width: board.width });
        }
        let stride = board.width + pad;
        let spacing = stride * (board.height + pad);
        let mut geometry = Self {
            board,
            lanes,
            taps,
            stride,
            spacing,
            block_step: spacing - stride * (board.height - 1) - board.width + lanes,
            line_step: lanes + pad,
            centre: if pad == 1 { stride + 1 } else { 0 },
            block_rows: board.cells() / lanes,
            groups: Vec::new(),
            tail_rows: 0,
            tail_shift: 0,
        };
        if pad == 1 {
            geometry.groups = geometry.place_borders()?;
            let last = geometry.groups.iter().flat_map(|g| &g.rows).max().copied().unwrap_or(0);
            geometry.tail_rows = last + 1;
            geometry.tail_shift =
                geometry.block_step + geometry.exponent(0, lanes - 1) - geometry.exponent(last, lanes - 1);
            // The tail must reach below the lowest border monomial.
            if geometry.tail_shift < geometry.centre {
                return Err(CircuitError::Borders { lanes });
            }
        }
        Ok(geometry)
    }

    /// Exponent of a cell of row `row` of a block, counted from the block's last cell.
    pub fn exponent(&self, row: usize, lane: usize) -> usize {
        let cell = row * self.lanes + lane;
        let (i, j) = (cell / self.board.width, cell % self.board.width);
        self.stride * (self.board.height - 1 - i) + self.board.width - 1 - j
    }

    /// Whether row `row` of a block begins a board row other than the first.
    pub fn begins_line(&self, row: usize) -> bool {
        row > 0 && (row * self.lanes).is_multiple_of(self.board.width)
    }

    /// Exponent of tap `(a, b)` of a 3×3 kernel, or of the only tap.
    pub fn tap(&self, tap: usize) -> usize {
        if self.taps == 9 { self.stride * (tap / 3) + tap % 3 } else { 0 }
    }

    /// Factor `z^product_shift` that brings a product to the place of its outputs in `py`.
    pub fn product_shift(&self) -> usize {
        self.tail_shift - self.centre
    }

    /// Border exponents above a block: from its first cell up to the previous block's last.
    fn top_borders(&self) -> std::ops::Range<usize> {
        self.exponent(0, 0) + 1..self.spacing
    }

    /// Covers all border monomials above a block by rows whose every lane lands on one of them
    /// (an `e` cell is free, so it must never stand where an output stands). Rows that begin a
    /// line are left out: their first `e` cell fills the right border of the line above.
    fn place_borders(&self) -> Result<Vec<BorderGroup>, CircuitError> {
        let wanted = self.top_borders();
        let mut missing: Vec<usize> = wanted.clone().collect();
        let mut used = vec![false; self.block_rows];
        let mut groups: Vec<BorderGroup> = Vec::new();
        while !missing.is_empty() {
            let mut best: Option<(usize, BorderGroup)> = None;
            for shift in 1..2 * self.spacing {
                let rows: Vec<usize> = (0..self.block_rows)
                    .filter(|&row| !used[row] && !self.begins_line(row))
                    .filter(|&row| {
                        let lanes = || (0..self.lanes).map(|l| self.exponent(row, l) + shift);
                        lanes().all(|e| wanted.contains(&e)) && lanes().any(|e| missing.contains(&e))
                    })
                    .collect();
                let covered = missing
                    .iter()
                    .filter(|&&m| rows.iter().any(|&r| (0..self.lanes).any(|l| self.exponent(r, l) + shift == m)))
                    .count();
                // Fewest rows of the tail first among equals: later rows lengthen every tail.
                let key = |n: usize, rows: &[usize]| (n, usize::MAX - rows.last().copied().unwrap_or(0));
                if best.as_ref().is_none_or(|(n, g)| key(covered, &rows) > key(*n, &g.rows)) {
                    best = Some((covered, BorderGroup { shift, rows }));
                }
            }
            let Some((covered, group)) = best else { return Err(CircuitError::Borders { lanes: self.lanes }) };
            if covered == 0 || groups.len() == 2 {
                return Err(CircuitError::Borders { lanes: self.lanes });
            }
            for &row in &group.rows {
                used[row] = true;
                for lane in 0..self.lanes {
                    let exponent = self.exponent(row, lane) + group.shift;
                    missing.retain(|&m| m != exponent);
                }
            }
            groups.push(group);
        }
        Ok(groups)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Enumerates, for each shape, that outputs and borders never share a monomial and that every
    /// border monomial of a product of two neighbouring channels is covered.
    #[test]
    fn borders_are_covered_and_never_meet_an_output() {
        for (height, width, lanes) in [(8, 8, 1), (8, 8, 2), (8, 8, 4), (3, 8, 4), (5, 6, 1), (5, 6, 2), (4, 4, 1)] {
            let graph = Graph {
                board: Board { height, width },
                input: vec![],
                layers: vec![crate::graph::Layer {
                    name: String::new(),
                    in_channels: 1,
                    out_channels: 1,
                    kernel: 3,
                    weights: vec![0; 9],
                    bias: vec![],
                    residual: None,
                    shift: vec![0],
                    activation: crate::graph::Activation::Rank,
                }],
                top: 1,
            };
            let shape = Shape { lanes, kernels_per_row: 1, k: 16 };
            let g = Geometry::new(&graph, &shape).expect("a geometry");
            let outputs: Vec<usize> = (0..g.block_rows)
                .flat_map(|r| (0..lanes).map(move |l| (r, l)))
                .map(|(r, l)| g.exponent(r, l))
                .collect();
            let mut border = Vec::new();
            for row in 0..g.block_rows {
                if g.begins_line(row) {
                    border.push(g.exponent(row, 0) + 1);
                }
            }
            for group in &g.groups {
                for &row in &group.rows {
                    border.extend((0..lanes).map(|l| g.exponent(row, l) + group.shift));
                }
            }
            assert!(border.iter().all(|b| !outputs.contains(b)));
            // Products of any input with any kernel, modulo the channel spacing.
            for cell in &outputs {
                for tap in 0..9 {
                    let e = (cell + g.tap(tap) + g.spacing - g.centre) % g.spacing;
                    assert!(outputs.contains(&e) || border.contains(&e), "{height}x{width} p={lanes}: {e}");
                }
            }
        }
    }
}
