//! The float graph: what an ONNX file means, before anything is rounded.

use rayon::prelude::*;

use crate::graph::Board;
use crate::interpret::columns;

/// One linear layer with batch normalisation folded in, then maybe a residual term, then maybe Relu.
#[derive(Clone, Debug, PartialEq)]
pub struct FloatLayer {
    /// Name of the ONNX node that the weights came from.
    pub name: String,
    /// Channels read.
    pub in_channels: usize,
    /// Channels written.
    pub out_channels: usize,
    /// 3 (padding 1) or 1 (padding 0).
    pub kernel: usize,
    /// `[out][in][kernel²]`.
    pub weights: Vec<f32>,
    /// One per output channel.
    pub bias: Vec<f32>,
    /// Tensor added before the activation: 0 is the input, `i` the output of layer `i − 1`.
    pub residual: Option<usize>,
    /// Whether a Relu follows; all layers but the last have one.
    pub relu: bool,
}

/// A chain of layers on one board. Layer `i` reads tensor `i`.
#[derive(Clone, Debug, PartialEq)]
pub struct FloatGraph {
    /// Geometry of every tensor.
    pub board: Board,
    /// Channels of the input.
    pub in_channels: usize,
    /// The layers, in order.
    pub layers: Vec<FloatLayer>,
}

impl FloatLayer {
    /// The layer's value before Relu, given all tensors so far (`channels × cells` each).
    pub(crate) fn linear(&self, board: Board, tensors: &[Vec<f32>]) -> Vec<f32> {
        let cells = board.cells();
        let taps = self.in_channels * self.kernel * self.kernel;
        let x = &tensors[tensors.len() - 1];
        let columns: Vec<f32> = columns(self.kernel, board, x, |v| v);
        let mut out = vec![0f32; self.out_channels * cells];
        out.par_chunks_mut(cells).zip(self.weights.par_chunks(taps)).enumerate().for_each(|(o, (out, w))| {
            for (a, column) in out.iter_mut().zip(columns.chunks(taps)) {
                *a = self.bias[o] + dot(w, column);
            }
        });
        if let Some(r) = self.residual {
            out.iter_mut().zip(&tensors[r]).for_each(|(a, x)| *a += x);
        }
        out
    }
}

/// A dot product in eight independent sums, so that it vectorises.
fn dot(a: &[f32], b: &[f32]) -> f32 {
    let mut sums = [0f32; 8];
    let (ca, cb) = (a.chunks_exact(8), b.chunks_exact(8));
    let rest: f32 = ca.remainder().iter().zip(cb.remainder()).map(|(x, y)| x * y).sum();
    for (x, y) in ca.zip(cb) {
        for i in 0..8 {
            sums[i] += x[i] * y[i];
        }
    }
    rest + sums.iter().sum::<f32>()
}

impl FloatGraph {
    /// Values of the input: channels × cells.
    pub fn inputs(&self) -> usize {
        self.in_channels * self.board.cells()
    }

    /// Values of the output: channels × cells of the last layer.
    pub fn outputs(&self) -> usize {
        self.layers.last().map_or(0, |l| l.out_channels) * self.board.cells()
    }

    /// Multiply-accumulate operations of one evaluation, padding included.
    pub fn macs(&self) -> usize {
        self.layers.iter().map(|l| l.weights.len()).sum::<usize>() * self.board.cells()
    }

    /// Evaluates the graph. `None` if `input` hasn't [`FloatGraph::inputs`] values.
    pub fn run(&self, input: &[f32]) -> Option<Vec<f32>> {
        if input.len() != self.inputs() {
            return None;
        }
        let mut tensors = vec![input.to_vec()];
        for l in &self.layers {
            let mut a = l.linear(self.board, &tensors);
            if l.relu {
                a.iter_mut().for_each(|v| *v = v.max(0.0));
            }
            tensors.push(a);
        }
        tensors.pop()
    }
}
