//! Runs a float network.

use rayon::prelude::*;

use super::{Conv, FloatNet, FloatNode, FloatOp, Function, MatMul, Ranked, Sparse, TopK, Windows};

/// Why a network can't run on some inputs.
#[derive(Debug, thiserror::Error, PartialEq)]
pub enum RunError {
    /// Another number of inputs.
    #[error("{given} inputs were given to a network with {wanted}; give one list per input")]
    Inputs {
        /// How many there are.
        wanted: usize,
        /// How many were given.
        given: usize,
    },
    /// An input of another size.
    #[error("input {name} has {given} values instead of {wanted}; give one value per element of its shape")]
    Size {
        /// The input's name.
        name: String,
        /// Its size.
        wanted: usize,
        /// How many were given.
        given: usize,
    },
    /// A value that a table has no entry for.
    #[error("node {node}: {value} is no index into a table of {entries}; check the input's integers")]
    Index {
        /// The node that looks up.
        node: String,
        /// The value.
        value: f32,
        /// How many entries there are.
        entries: usize,
    },
}

impl FloatNet {
    /// The outputs for these inputs, each a flat list in the order of [`FloatNet::inputs`].
    ///
    /// # Errors
    /// As [`FloatNet::run_all`].
    pub fn run(&self, inputs: &[Vec<f32>]) -> Result<Vec<Vec<f32>>, RunError> {
        let tensors = self.run_all(inputs)?;
        Ok(self.outputs.iter().map(|o| tensors[*o].clone()).collect())
    }

    /// The values of every tensor, by [`super::TensorId`]. The network must satisfy [`FloatNet::check`].
    ///
    /// # Errors
    /// Fails if number or sizes of the inputs are wrong, or if a value is no index into a table that it looks up.
    pub fn run_all(&self, inputs: &[Vec<f32>]) -> Result<Vec<Vec<f32>>, RunError> {
        if inputs.len() != self.inputs.len() {
            return Err(RunError::Inputs { wanted: self.inputs.len(), given: inputs.len() });
        }
        let mut tensors: Vec<Vec<f32>> = vec![Vec::new(); self.tensors.len()];
        for (given, input) in inputs.iter().zip(&self.inputs) {
            let tensor = &self.tensors[input.tensor];
            if given.len() != tensor.len() {
                let (name, wanted) = (tensor.name.clone(), tensor.len());
                return Err(RunError::Size { name, wanted, given: given.len() });
            }
            tensors[input.tensor].clone_from(given);
        }
        for node in &self.nodes {
            tensors[node.output] = node.run(&tensors)?;
        }
        Ok(tensors)
    }

    /// Computes again what depends on a tensor that was changed; all others are as [`Self::run_all`] gave them.
    pub(crate) fn run_again(&self, tensors: &mut [Vec<f32>], changed: super::TensorId) -> Result<(), RunError> {
        let mut stale = vec![false; tensors.len()];
        stale[changed] = true;
        for node in self.nodes.iter().filter(|n| n.output != changed) {
            if node.inputs.iter().any(|t| stale[*t]) {
                tensors[node.output] = node.run(tensors)?;
                stale[node.output] = true;
            }
        }
        Ok(())
    }
}

impl FloatNode {
    /// What the node writes, given all tensors before it.
    pub(crate) fn run(&self, tensors: &[Vec<f32>]) -> Result<Vec<f32>, RunError> {
        let read: Vec<&[f32]> = self.inputs.iter().map(|t| &tensors[*t][..]).collect();
        self.op.run(&self.name, &read)
    }
}

impl FloatOp {
    /// What the node writes.
    pub(crate) fn run(&self, node: &str, inputs: &[&[f32]]) -> Result<Vec<f32>, RunError> {
        Ok(match self {
            Self::Conv(c) => conv(c, inputs[0]),
            Self::Sparse(s) => sparse(s, inputs),
            Self::Product(p) => {
                let factors = p.left.iter().zip(&p.right);
                factors.map(|(l, r)| inputs[0][*l as usize] * inputs[1][*r as usize]).collect()
            }
            Self::MatMul(m) => mat_mul(m, inputs[0], inputs[1]),
            Self::Unary(f) => unary(f, node, inputs[0])?,
            Self::Max(w) => max(w, inputs[0]),
            Self::TopK(t) => top_k(t, inputs[0]),
        })
    }
}

/// Output cells that share one copy of the input's taps.
const CHUNK: usize = 128;

fn conv(c: &Conv, x: &[f32]) -> Vec<f32> {
    let Some([height, width]) = c.out_board() else { return Vec::new() };
    let (cells, taps) = (height * width, c.taps());
    let (per_group, out_per_group) = (c.channels / c.groups, c.out_channels / c.groups);
    let blocks: Vec<(usize, usize)> =
        (0..c.groups).flat_map(|g| (0..cells).step_by(CHUNK).map(move |first| (g, first))).collect();
    let done: Vec<Vec<f32>> = blocks
        .par_iter()
        .map(|(g, first)| {
            let chunk = CHUNK.min(cells - first);
            let mut columns = vec![0f32; chunk * taps];
            for (column, cell) in columns.chunks_mut(taps.max(1)).zip(*first..) {
                fill(c, &x[g * per_group * c.height * c.width..], [cell / width, cell % width], column);
            }
            let rows = (g * out_per_group..(g + 1) * out_per_group).flat_map(|o| {
                let weights = &c.weights[o * taps..(o + 1) * taps];
                columns.chunks(taps.max(1)).map(move |column| c.bias[o] + dot(weights, column))
            });
            rows.collect()
        })
        .collect();
    let mut out = vec![0f32; c.out_channels * cells];
    for ((g, first), block) in blocks.iter().zip(done) {
        let chunk = CHUNK.min(cells - first);
        for (o, row) in block.chunks(chunk).enumerate() {
            let at = (g * out_per_group + o) * cells + first;
            out[at..at + chunk].copy_from_slice(row);
        }
    }
    out
}

/// Copies what the kernel sees from one output cell; what lies in the padding stays 0.
fn fill(c: &Conv, x: &[f32], [row, col]: [usize; 2], column: &mut [f32]) {
    let area = c.kernel[0] * c.kernel[1];
    for i in 0..c.kernel[0] {
        let y = (row * c.stride[0] + i * c.dilation[0]).wrapping_sub(c.pads[0]);
        if y >= c.height {
            continue;
        }
        for j in 0..c.kernel[1] {
            let z = (col * c.stride[1] + j * c.dilation[1]).wrapping_sub(c.pads[1]);
            if z >= c.width {
                continue;
            }
            let (from, to) = (y * c.width + z, i * c.kernel[1] + j);
            for channel in 0..c.channels / c.groups {
                column[channel * area + to] = x[channel * c.height * c.width + from];
            }
        }
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

fn sparse(s: &Sparse, inputs: &[&[f32]]) -> Vec<f32> {
    let value = |i: usize| {
        let terms =
            s.row(i).iter().map(|t| f64::from(t.weight) * f64::from(inputs[t.input as usize][t.index as usize]));
        (f64::from(s.bias[i]) + terms.sum::<f64>()) as f32
    };
    (0..s.outputs()).map(value).collect()
}

fn mat_mul(m: &MatMul, a: &[f32], b: &[f32]) -> Vec<f32> {
    let mut out = vec![0f32; m.batch * m.m * m.n];
    if out.is_empty() || m.k == 0 {
        return out;
    }
    out.par_chunks_mut(m.n).zip(a.par_chunks(m.k)).enumerate().for_each(|(row, (out, a))| {
        let batch = row / m.m;
        for (a, b) in a.iter().zip(b[batch * m.k * m.n..].chunks(m.n)) {
            out.iter_mut().zip(b).for_each(|(o, b)| *o += a * b);
        }
    });
    out
}

fn unary(f: &Function, node: &str, x: &[f32]) -> Result<Vec<f32>, RunError> {
    let lookup = |x: &f32| {
        f.apply(*x).ok_or_else(|| {
            let entries = if let Function::Table(t) = f { t.len() } else { 0 };
            RunError::Index { node: node.into(), value: *x, entries }
        })
    };
    x.iter().map(lookup).collect()
}

fn max(w: &Windows, x: &[f32]) -> Vec<f32> {
    (0..w.len()).map(|i| w.row(i).iter().fold(f32::NEG_INFINITY, |m, j| m.max(x[*j as usize]))).collect()
}

fn top_k(t: &TopK, x: &[f32]) -> Vec<f32> {
    let mut out = Vec::with_capacity(t.windows.len() * t.k);
    for i in 0..t.windows.len() {
        let row = t.windows.row(i);
        let mut order: Vec<usize> = (0..row.len()).collect();
        // A stable sort keeps equal values in the window's order; adding 0 makes the two zeros equal.
        order.sort_by(|a, b| (x[row[*b] as usize] + 0.0).total_cmp(&(x[row[*a] as usize] + 0.0)));
        out.extend(order.iter().take(t.k).map(|p| match t.output {
            Ranked::Positions => *p as f32,
            Ranked::Values => x[row[*p] as usize],
        }));
    }
    out
}
