//! Where the product of a plane's polynomial and a kernel's stands: outputs and borders.
//!
//! Cell `(i, j)` of a plane stands at position `S·i + j`, tap `(a, b)` of a kernel (with dilation) at `S·a + b` from the
//! end. The product of both polynomials has a coefficient at every position below [`Planes::length`]; the outputs stand
//! at [`Planes::output`], everything else is a border value that padding cuts off. With `S ≥ W` cells do not meet; with
//! `S ≥ W' + max(left, right)`, where `left` and `right` count the border values beside an output line, a border never
//! meets an output.

use crate::net::Conv;

/// The geometry of one convolution.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Planes {
    /// Positions from one line to the next.
    pub stride: usize,
    /// Positions of an input plane: its last cell is at `cells − 1`.
    pub cells: usize,
    /// Positions of the product.
    pub length: usize,
    /// Whether an input cell stands at each of the first `cells` positions.
    pub is_cell: Vec<Option<usize>>,
    /// The output that stands at each position.
    pub outputs: Vec<Option<usize>>,
    /// Distance by which each tap moves the plane, ascending, with the tap's index.
    pub taps: Vec<(usize, usize)>,
}

impl Planes {
    /// The geometry of a convolution whose sizes have been checked.
    pub fn new(conv: &Conv) -> Self {
        let [_, height, width] = conv.input;
        let [kh, kw] = conv.extent();
        let [out_height, out_width] = conv.plane();
        let [top, left, _, right] = conv.pads;
        let beside = (kw - 1 - left.min(kw - 1)).max(kw - 1 - right.min(kw - 1));
        let stride = width.max(out_width + beside);
        let cells = stride * (height - 1) + width;
        let length = cells + stride * (kh - 1) + kw - 1;
        let mut is_cell = vec![None; cells];
        for i in 0..height {
            for j in 0..width {
                is_cell[stride * i + j] = Some(i * width + j);
            }
        }
        let mut outputs = vec![None; length];
        for i in 0..out_height {
            for j in 0..out_width {
                outputs[stride * (i + kh - 1 - top) + j + kw - 1 - left] = Some(i * out_width + j);
            }
        }
        let mut taps: Vec<(usize, usize)> = (0..conv.kernel[0] * conv.kernel[1])
            .map(|t| (stride * (t / conv.kernel[1]) * conv.dilation[0] + t % conv.kernel[1] * conv.dilation[1], t))
            .collect();
        taps.sort_unstable();
        Self { stride, cells, length, is_cell, outputs, taps }
    }

    /// Position at which cell position `cell` times the tap at `distance` stands.
    pub fn meets(&self, cell: usize, distance: usize) -> usize {
        cell + (self.length - self.cells) - distance
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Enumerates that each product lands on the output that the convolution says, and everything else on a border.
    #[test]
    fn products_land_on_their_outputs_or_on_borders() {
        for (size, kernel, pads, dilation) in [
            ([1, 28, 28], [5, 5], [2, 2, 2, 2], [1, 1]),
            ([1, 14, 14], [5, 5], [0; 4], [1, 1]),
            ([1, 8, 8], [3, 3], [1; 4], [1, 1]),
            ([1, 1, 20], [1, 5], [0, 2, 0, 1], [1, 1]),
            ([1, 6, 9], [2, 4], [1, 0, 0, 3], [2, 1]),
            ([1, 7, 5], [3, 2], [0, 1, 2, 0], [1, 3]),
            ([1, 1, 1], [1, 1], [0; 4], [1, 1]),
        ] {
            let conv = Conv {
                input: size,
                channels: 1,
                kernel,
                pads,
                dilation,
                groups: 1,
                weights: vec![0; kernel[0] * kernel[1]],
            };
            let planes = Planes::new(&conv);
            let [out_height, out_width] = conv.plane();
            assert_eq!(planes.outputs.iter().flatten().count(), out_height * out_width, "{conv:?}");
            for (position, cell) in planes.is_cell.iter().enumerate() {
                let Some(cell) = cell else { continue };
                let (i, j) = ((cell / size[2]) as i64, (cell % size[2]) as i64);
                for (distance, tap) in &planes.taps {
                    let down = (tap / kernel[1] * dilation[0]) as i64;
                    let across = (tap % kernel[1] * dilation[1]) as i64;
                    let (row, column) = (i - down + pads[0] as i64, j - across + pads[1] as i64);
                    let inside = (0..out_height as i64).contains(&row) && (0..out_width as i64).contains(&column);
                    let want = inside.then(|| row as usize * out_width + column as usize);
                    assert_eq!(
                        planes.outputs[planes.meets(position, *distance)],
                        want,
                        "{conv:?} cell {cell} tap {tap}"
                    );
                }
            }
        }
    }
}
