//! Channels of one range: factors moved from a layer into the next.
//!
//! A tensor's channels share one scale, so a channel that is a hundred times smaller than another has few of its integers
//! left. Where only functions with `f(s·x) = s·f(x)` for `s > 0` stand between two layers, channel `c` may be divided by `s_c`
//! in the first one and multiplied by it in the second. With `w_c` the largest weight that reads the channel and `a_c` the
//! largest that makes it, or its largest number, `s_c = √(a_c / w_c)` shares the difference out between both sides (Nagel et
//! al. 2019). Factors are powers of two: the float network computes exactly the same.
//!
//! Numbers say best what their own rounding costs. Weights say more of what inputs could make of a channel at most, for
//! which the table must have rows, however small it stays on real ones.

use super::calibrate::Calibration;
use crate::float::{FloatNet, FloatNode, FloatOp, Function};

/// Powers of two that a channel may be moved by.
const MOST: i32 = 12;
/// A layer stands in two pairs, so that its weights' ranges settle after some rounds.
const SWEEPS: usize = 4;

/// Two layers, and which of the first one's channels each number between them belongs to.
struct Pair {
    first: usize,
    second: usize,
    /// The tensor that the second one reads.
    between: usize,
    channels: Vec<usize>,
}

/// What a channel's range is taken from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Measure {
    /// Its numbers on the samples.
    Numbers,
    /// The weights that make it.
    Weights,
}

/// The network with its channels' ranges evened out, and how many pairs of layers that took; `None` without such pairs.
pub(super) fn equalise(float: &FloatNet, calibration: &Calibration, measure: Measure) -> Option<(FloatNet, usize)> {
    let pairs: Vec<Pair> = (0..float.nodes.len()).filter_map(|first| pair(float, first)).collect();
    let mut net = float.clone();
    let mut ranges: Vec<Vec<f64>> = pairs.iter().map(|p| ranges(float, calibration, p, measure)).collect();
    let mut changed = vec![false; pairs.len()];
    for _ in 0..SWEEPS {
        for ((pair, ranges), changed) in pairs.iter().zip(&mut ranges).zip(&mut changed) {
            let weights = largest_weights(&net, pair, ranges.len());
            // A factor that all channels share changes nothing.
            let wanted: Vec<f64> = ranges.iter().zip(&weights).map(|(a, w)| (a / w).log2() / 2.0).collect();
            let known: Vec<f64> = wanted.iter().copied().filter(|p| p.is_finite()).collect();
            let mean = known.iter().sum::<f64>() / known.len().max(1) as f64;
            let power = |p: &f64| if p.is_finite() { ((p - mean).round() as i32).clamp(-MOST, MOST) } else { 0 };
            let powers: Vec<i32> = wanted.iter().map(power).collect();
            if powers.iter().all(|p| *p == 0) {
                continue;
            }
            *changed = true;
            ranges.iter_mut().zip(&powers).for_each(|(a, p)| *a /= f64::from(*p).exp2());
            divide(&mut net.nodes[pair.first], &powers);
            multiply(&mut net.nodes[pair.second], pair, &powers);
        }
    }
    let count = changed.iter().filter(|c| **c).count();
    (count > 0).then_some((net, count))
}

/// The pair that a layer is the first of, if there is one.
fn pair(float: &FloatNet, first: usize) -> Option<Pair> {
    let FloatOp::Conv(conv) = &float.nodes[first].op else { return None };
    let mut between = float.nodes[first].output;
    let cells = float.tensors[between].len() / conv.out_channels.max(1);
    let mut channels: Vec<usize> = (0..conv.out_channels).flat_map(|c| vec![c; cells]).collect();
    loop {
        let mut readers = float.nodes.iter().enumerate().filter(|(_, n)| n.inputs.contains(&between));
        let (Some((second, reader)), None, false) = (readers.next(), readers.next(), float.outputs.contains(&between))
        else {
            return None;
        };
        // The channel of all of a node's terms, if it is one.
        let one = |list: Vec<u32>| {
            let mut of = list.iter().map(|i| channels[*i as usize]);
            let first = of.next()?;
            of.all(|c| c == first).then_some(first)
        };
        let passed: Option<Vec<usize>> = match &reader.op {
            FloatOp::Unary(Function::Relu | Function::LeakyRelu(_) | Function::Abs) => Some(channels.clone()),
            FloatOp::Max(w) => (0..w.len()).map(|o| one(w.row(o).to_vec())).collect(),
            FloatOp::Sparse(s) if reader.inputs.len() == 1 && s.bias.iter().all(|b| *b == 0.0) => {
                (0..s.outputs()).map(|o| one(s.row(o).iter().map(|t| t.index).collect())).collect()
            }
            _ => None,
        };
        if let Some(passed) = passed {
            (channels, between) = (passed, reader.output);
            continue;
        }
        let fits = match &reader.op {
            FloatOp::Conv(c) => channels.chunks(c.height * c.width).all(|plane| plane.iter().all(|p| *p == plane[0])),
            // Moves are free, but not with factors.
            FloatOp::Sparse(s) => !s.is_move(),
            _ => false,
        };
        return fits.then_some(Pair { first, second, between, channels });
    }
}

/// Each channel's range.
fn ranges(float: &FloatNet, calibration: &Calibration, pair: &Pair, measure: Measure) -> Vec<f64> {
    let FloatOp::Conv(conv) = &float.nodes[pair.first].op else { return Vec::new() };
    if measure == Measure::Weights {
        let largest = |row: &[f32]| f64::from(row.iter().fold(0f32, |m, w| m.max(w.abs())));
        return conv.weights.chunks(conv.taps().max(1)).map(largest).collect();
    }
    let mut ranges = vec![0f64; conv.out_channels];
    let values = calibration.values(pair.between).zip(pair.channels.iter().cycle());
    values.for_each(|(v, c)| ranges[*c] = ranges[*c].max(f64::from(v.abs())));
    ranges
}

/// Calls `each` with every weight of the second layer that reads the numbers between, and the channel that it reads.
fn weights(node: &mut FloatNode, pair: &Pair, mut each: impl FnMut(&mut f32, usize)) {
    match &mut node.op {
        FloatOp::Conv(conv) => {
            let (ins, outs) = (conv.channels / conv.groups, conv.out_channels / conv.groups);
            let (area, plane) = (conv.kernel[0] * conv.kernel[1], conv.height * conv.width);
            for (i, w) in conv.weights.iter_mut().enumerate() {
                let (output, input) = (i / area / ins, i / area % ins);
                each(w, pair.channels[(output / outs * ins + input) * plane]);
            }
        }
        FloatOp::Sparse(sparse) => {
            for term in &mut sparse.terms {
                if node.inputs[term.input as usize] == pair.between {
                    each(&mut term.weight, pair.channels[term.index as usize]);
                }
            }
        }
        _ => {}
    }
}

fn largest_weights(net: &FloatNet, pair: &Pair, channels: usize) -> Vec<f64> {
    let mut largest = vec![0f64; channels];
    weights(&mut net.nodes[pair.second].clone(), pair, |w, c| largest[c] = largest[c].max(f64::from(w.abs())));
    largest
}

fn divide(node: &mut FloatNode, powers: &[i32]) {
    let FloatOp::Conv(conv) = &mut node.op else { return };
    let taps = conv.taps();
    for (c, power) in powers.iter().enumerate() {
        let factor = (-*power as f32).exp2();
        conv.weights[c * taps..(c + 1) * taps].iter_mut().for_each(|w| *w *= factor);
        conv.bias[c] *= factor;
    }
}

fn multiply(node: &mut FloatNode, pair: &Pair, powers: &[i32]) {
    weights(node, pair, |w, c| *w *= (powers[c] as f32).exp2());
}
