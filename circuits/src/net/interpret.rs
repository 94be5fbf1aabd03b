//! Runs a net on integers: the reference that witness, gates and daemon follow.

use rayon::prelude::*;

use super::{Conv, Linear, Net, Node, Products, Sparse, Step, Table, bounds::NetError};

/// Everything that one run computes.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Trace {
    /// Every tensor.
    pub tensors: Vec<Vec<i64>>,
    /// `A` of each linear node, bias included; empty for others.
    pub accumulators: Vec<Vec<i64>>,
}

/// Runs `net` on `inputs`, one list for each of its inputs.
///
/// # Errors
/// Fails if an input has the wrong length or a number outside its bits, or if an accumulator leaves its table, which
/// [`super::bounds::check`] rules out beforehand.
pub fn run(net: &Net, inputs: &[Vec<i64>]) -> Result<Trace, NetError> {
    check_inputs(net, inputs)?;
    let mut trace = Trace { tensors: inputs.to_vec(), accumulators: Vec::new() };
    for node in &net.nodes {
        let (a, x) = evaluate(node, &net.tables, &trace.tensors)?;
        trace.accumulators.push(a);
        trace.tensors.push(x);
    }
    Ok(trace)
}

/// Accumulators (only of linear steps) and numbers of one node, given all tensors before it.
///
/// # Errors
/// Fails if an accumulator leaves the node's table.
pub(crate) fn evaluate(node: &Node, tables: &[Table], tensors: &[Vec<i64>]) -> Result<(Vec<i64>, Vec<i64>), NetError> {
    match &node.step {
        Step::Linear(linear, rescale) => {
            let a = accumulate(linear, &node.inputs, &rescale.bias, tensors);
            let table = &tables[rescale.table];
            let looked_up = a.iter().zip(&rescale.shift).map(|(a, s)| {
                let q = a >> s;
                table.get(q).ok_or_else(|| NetError::Range {
                    node: node.name.clone(),
                    q_min: q,
                    q_max: q,
                    low: table.low,
                    high: table.high(),
                })
            });
            let x = looked_up.collect::<Result<Vec<i64>, NetError>>()?;
            Ok((a, x))
        }
        Step::Max(windows) => {
            let source = &tensors[node.inputs[0]];
            let largest = |o: usize| windows.of(o).iter().map(|i| source[*i as usize]).max().unwrap_or(0);
            Ok((Vec::new(), (0..node.len()).map(largest).collect()))
        }
        Step::Move(from) => {
            let number = |[input, index]: &[u32; 2]| tensors[node.inputs[*input as usize]][*index as usize];
            Ok((Vec::new(), from.iter().map(number).collect()))
        }
    }
}

/// The accumulators of a linear step, bias included.
pub(crate) fn accumulate(linear: &Linear, inputs: &[usize], bias: &[i64], tensors: &[Vec<i64>]) -> Vec<i64> {
    let mut a = match linear {
        Linear::Conv(conv) => convolve(conv, &tensors[inputs[0]]),
        Linear::Sparse(sparse) => sparse_sums(sparse, inputs, tensors),
        Linear::Products(products) => product_sums(products, &tensors[inputs[0]], &tensors[inputs[1]]),
    };
    a.iter_mut().zip(bias).for_each(|(a, b)| *a += b);
    a
}

pub(super) fn check_inputs(net: &Net, inputs: &[Vec<i64>]) -> Result<(), NetError> {
    if inputs.len() != net.inputs.len() {
        return Err(NetError::Inputs { got: inputs.len(), want: net.inputs.len() });
    }
    for (values, input) in inputs.iter().zip(&net.inputs) {
        if values.len() != input.len {
            return Err(NetError::InputLength { input: input.name.clone(), got: values.len(), want: input.len });
        }
        let max = (1i64 << input.bits) - 1;
        if let Some((index, value)) = values.iter().enumerate().find(|(_, v)| !(0..=max).contains(*v)) {
            return Err(NetError::InputRange { input: input.name.clone(), index, value: *value, max });
        }
    }
    Ok(())
}

fn sparse_sums(sparse: &Sparse, inputs: &[usize], tensors: &[Vec<i64>]) -> Vec<i64> {
    let value = |o: usize| {
        sparse.of(o).iter().map(|t| t.weight * tensors[inputs[t.input as usize]][t.index as usize]).sum::<i64>()
    };
    (0..sparse.starts.len() - 1).map(value).collect()
}

fn product_sums(products: &Products, x: &[i64], y: &[i64]) -> Vec<i64> {
    let [left, right] = products.zeros;
    let value = |o: usize| products.of(o).iter().map(|[l, r]| (x[*l as usize] - left) * (y[*r as usize] - right)).sum();
    (0..products.starts.len() - 1).map(value).collect()
}

/// The sums of a convolution, without bias.
pub(crate) fn convolve(conv: &Conv, x: &[i64]) -> Vec<i64> {
    let [_, height, width] = conv.input;
    let [out_height, out_width] = conv.plane();
    let (ins, outs) = (conv.input[0] / conv.groups, conv.channels / conv.groups);
    let [kh, kw] = conv.kernel;
    let mut out = vec![0i64; conv.len()];
    out.par_chunks_mut((out_height * out_width).max(1)).enumerate().for_each(|(o, plane)| {
        let group = o / outs;
        for c in 0..ins {
            let source = &x[(group * ins + c) * height * width..][..height * width];
            let kernel = &conv.weights[(o * ins + c) * kh * kw..][..kh * kw];
            for (tap, w) in kernel.iter().enumerate().filter(|(_, w)| **w != 0) {
                let (down, across) = (tap / kw * conv.dilation[0], tap % kw * conv.dilation[1]);
                for i in 0..out_height {
                    let Some(row) = (i + down).checked_sub(conv.pads[0]).filter(|r| *r < height) else { continue };
                    for j in 0..out_width {
                        if let Some(column) = (j + across).checked_sub(conv.pads[1]).filter(|c| *c < width) {
                            plane[i * out_width + j] += w * source[row * width + column];
                        }
                    }
                }
            }
        }
    });
    out
}
