//! What can be left out or merged once the whole network is known.

use std::collections::HashMap;

use crate::float::{FloatNet, FloatOp, TensorId, Term};

/// Removes what no output needs, and folds factors and summands per channel into the convolutions before them.
pub(super) fn simplify(net: &mut FloatNet) {
    drop_unused(net);
    let mut readers = readers(net);
    for at in 0..net.nodes.len() {
        let list = readers.remove(&net.nodes[at].output).unwrap_or_default();
        fold_into_conv(net, at, &list);
    }
    drop_copies(net);
    drop_unused(net);
}

/// The nodes that read each tensor.
fn readers(net: &FloatNet) -> HashMap<TensorId, Vec<usize>> {
    let mut readers: HashMap<TensorId, Vec<usize>> = HashMap::new();
    for (i, node) in net.nodes.iter().enumerate() {
        for t in &node.inputs {
            let list = readers.entry(*t).or_default();
            if list.last() != Some(&i) {
                list.push(i);
            }
        }
    }
    readers
}

/// Removes nodes that no output depends on, and tensors that nothing writes; inputs stay.
fn drop_unused(net: &mut FloatNet) {
    let mut needed = vec![false; net.tensors.len()];
    net.outputs.iter().for_each(|o| needed[*o] = true);
    for node in net.nodes.iter().rev() {
        if needed[node.output] {
            node.inputs.iter().for_each(|i| needed[*i] = true);
        }
    }
    net.nodes.retain(|n| needed[n.output]);
    net.inputs.iter().for_each(|i| needed[i.tensor] = true);
    let renamed: Vec<TensorId> = needed
        .iter()
        .scan(0, |next, needed| {
            let place = *next;
            *next += usize::from(*needed);
            Some(place)
        })
        .collect();
    let mut keep = needed.iter();
    net.tensors.retain(|_| keep.next().is_some_and(|k| *k));
    let rename = |t: &mut TensorId| *t = renamed[*t];
    net.inputs.iter_mut().for_each(|i| rename(&mut i.tensor));
    net.outputs.iter_mut().for_each(rename);
    net.flags.iter_mut().for_each(rename);
    for node in &mut net.nodes {
        node.inputs.iter_mut().for_each(rename);
        rename(&mut node.output);
    }
}

/// If only sums read a convolution, a factor that they all have for a channel goes into its weights, and a constant
/// that they all add to it into its bias: batch normalisation, biases of dense layers, scales.
fn fold_into_conv(net: &mut FloatNet, at: usize, readers: &[usize]) {
    let FloatOp::Conv(conv) = &net.nodes[at].op else { return };
    let tensor = net.nodes[at].output;
    let (channels, taps) = (conv.out_channels, conv.taps());
    let Some(cells) = net.tensors[tensor].len().checked_div(channels) else { return };
    if cells == 0 || net.outputs.contains(&tensor) {
        return;
    }
    // For each channel the factor, and the constant, that all sums agree on.
    let mut factors: Vec<Option<f32>> = vec![None; channels];
    let mut summands: Vec<Option<f32>> = vec![None; channels];
    let (mut one_factor, mut one_summand) = (vec![true; channels], vec![true; channels]);
    for reader in readers {
        let FloatOp::Sparse(rows) = &net.nodes[*reader].op else { return };
        let own = |t: &&Term| net.nodes[*reader].inputs[t.input as usize] == tensor;
        for i in 0..rows.outputs() {
            let count = rows.row(i).iter().filter(own).count();
            for t in rows.row(i).iter().filter(own) {
                let channel = t.index as usize / cells;
                one_factor[channel] &= *factors[channel].get_or_insert(t.weight) == t.weight;
                let agrees = *summands[channel].get_or_insert(rows.bias[i]) == rows.bias[i];
                one_summand[channel] &= count == 1 && agrees;
            }
        }
    }
    let usable = |v: &Option<f32>, one: bool| v.filter(|v| one && v.is_finite() && *v != 0.0);
    let factors: Vec<f32> = (0..channels).map(|c| usable(&factors[c], one_factor[c]).unwrap_or(1.0)).collect();
    let summands: Vec<f32> =
        (0..channels).map(|c| usable(&summands[c], one_summand[c] && one_factor[c]).unwrap_or(0.0)).collect();
    for reader in readers {
        let inputs = net.nodes[*reader].inputs.clone();
        let FloatOp::Sparse(rows) = &mut net.nodes[*reader].op else { continue };
        for i in 0..rows.outputs() {
            let row = rows.starts[i] as usize..rows.starts[i + 1] as usize;
            for t in rows.terms[row].iter_mut().filter(|t| inputs[t.input as usize] == tensor) {
                let channel = t.index as usize / cells;
                t.weight /= factors[channel];
                if summands[channel] != 0.0 {
                    rows.bias[i] = 0.0;
                }
            }
        }
    }
    let FloatOp::Conv(conv) = &mut net.nodes[at].op else { return };
    for c in 0..channels {
        conv.weights[c * taps..(c + 1) * taps].iter_mut().for_each(|w| *w *= factors[c]);
        conv.bias[c] = conv.bias[c] * factors[c] + summands[c];
    }
}

/// Lets readers of a tensor that copies another one whole read that one. Outputs keep their names: an output that
/// copies what nothing else names takes its place.
fn drop_copies(net: &mut FloatNet) {
    let mut stands_for: Vec<TensorId> = (0..net.tensors.len()).collect();
    for at in 0..net.nodes.len() {
        net.nodes[at].inputs.iter_mut().for_each(|i| *i = stands_for[*i]);
        let node = &net.nodes[at];
        let (FloatOp::Sparse(rows), [source]) = (&node.op, &node.inputs[..]) else { continue };
        let (source, output) = (*source, node.output);
        let copies = rows.outputs() == net.tensors[source].len()
            && rows.is_move()
            && (0..rows.outputs()).all(|i| matches!(rows.row(i), [t] if t.index as usize == i));
        if !copies {
            continue;
        }
        let named = net.outputs.contains(&source) || net.inputs.iter().any(|i| i.tensor == source);
        if !net.outputs.contains(&output) {
            if !named {
                net.tensors[source] = net.tensors[output].clone();
            }
            stands_for[output] = source;
        } else if !named {
            // The output's name and shape move to the source, and the copy is left for nobody.
            net.tensors[source] = net.tensors[output].clone();
            net.outputs.iter_mut().filter(|o| **o == output).for_each(|o| *o = source);
            stands_for[output] = source;
        }
    }
}
