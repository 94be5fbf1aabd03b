//! Interval arithmetic, cell by cell.

use super::LayerBounds;
use crate::graph::{Activation, Digit, Graph, Layer, Tensor};
use crate::interpret::{apply, columns, linear};

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
        let top = |d: &Option<Digit>| d.map_or(0, |d| (1i64 << d.bits) - 1);
        let hi: Vec<i64> = graph.input.iter().flat_map(|c| c.cells.iter().map(top)).collect();
        let lo = Tensor { cells, values: vec![0; hi.len()] };
        Reach { tensors: vec![(lo, Tensor { cells, values: hi })], exclusive: Vec::new() }
    }

    /// The range of the accumulators of `layer`, which reads the last tensor, cell by cell.
    pub(crate) fn accumulators(&self, graph: &Graph, layer: &Layer) -> (Tensor, Tensor) {
        let (lo, hi) = &self.tensors[self.tensors.len() - 1];
        let cells = graph.board.cells();
        let plus: Vec<i32> = layer.weights.iter().map(|w| *w.max(&0)).collect();
        let minus: Vec<i32> = layer.weights.iter().map(|w| *w.min(&0)).collect();
        let conv = |w: &[i32], x: &Tensor| linear(layer.kernel, w, layer.out_channels, graph.board, x);
        let (mut least, mut most) = if self.exclusive.is_empty() {
            (sum(conv(&plus, lo), &conv(&minus, hi)), sum(conv(&plus, hi), &conv(&minus, lo)))
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
        let los = columns(k, board, lo, |v: i64| v);
        let his = columns(k, board, hi, |v: i64| v);
        let mut out = (vec![0; layer.out_channels * cells], vec![0; layer.out_channels * cells]);
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
        (Tensor { cells, values: out.0 }, Tensor { cells, values: out.1 })
    }

    /// Adds the tensor that `layer` writes and gives the layer's bounds.
    pub(crate) fn layer(&mut self, graph: &Graph, layer: &Layer) -> LayerBounds {
        let cells = graph.board.cells();
        let (least, most) = self.accumulators(graph, layer);
        let by_channel = |t: &Tensor, f: fn(i64, i64) -> i64| -> Vec<i64> {
            t.values.chunks(cells).map(|c| c.iter().copied().reduce(f).unwrap_or(0)).collect()
        };
        let (a_min, a_max) = (by_channel(&least, i64::min), by_channel(&most, i64::max));
        let q = |a: &[i64]| -> Vec<i64> { a.iter().zip(&layer.shift).map(|(a, s)| a >> s).collect() };
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
                Activation::IsZero => (i64::from(lo == 0 && hi == 0), i64::from(lo <= 0 && hi >= 0)),
                act => (apply(act, lo), apply(act, hi)),
            }
        };
        let (lo, hi) = (0..least.values.len()).map(image).unzip();
        self.tensors.push((Tensor { cells, values: lo }, Tensor { cells, values: hi }));
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
            && bias(a).iter().zip(bias(b)).all(|(x, y)| (x - y).abs() >= 1 << layer.shift[a])
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
    a.values.iter_mut().zip(&b.values).for_each(|(a, b)| *a += b);
    a
}
