//! Which rounding costs how much: the float network with one of them at a time.

use super::{Compiled, Real};
use crate::float::{FloatNet, FloatNode, FloatOp, RunError, TensorId};

/// Samples on which costs are measured.
const SAMPLES: usize = 32;

/// What is rounded of a step.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Rounding {
    /// A tensor's numbers, to its integers.
    Numbers,
    /// A layer's weights.
    Weights,
    /// The sums before a function, to the steps of its table.
    Steps,
}

/// What one rounding costs.
#[derive(Clone, Debug, PartialEq)]
pub struct Share {
    /// The tensor that the step makes.
    pub tensor: String,
    /// What is rounded.
    pub rounding: Rounding,
    /// Its part of the squared error that all roundings cause in the outputs when each is alone.
    pub share: f64,
    /// The option that makes it finer.
    pub option: &'static str,
}

/// How one linear step was rounded.
#[derive(Clone, Debug)]
pub(super) struct Rounded {
    /// The float tensor that its numbers stand for.
    pub(super) made: TensorId,
    /// The one that its sums stand for; `None` if it is a function of a tensor that is there.
    pub(super) sums: Option<TensorId>,
    /// Real value of a step of the sums.
    pub(super) fine: f64,
    /// Real value of a step of the table.
    pub(super) unit: f64,
    /// Whether the table has fewer steps than the numbers' bits ask for.
    pub(super) coarse: bool,
    /// What bias correction added to each sum.
    pub(super) corrected: Vec<f64>,
}

impl Compiled {
    /// What each rounding costs, the worst first: measured on some of the samples that the net was compiled on.
    ///
    /// # Errors
    /// Fails if a sample doesn't fit the network.
    pub fn shares(&self, samples: &[Vec<Vec<f32>>]) -> Result<Vec<Share>, RunError> {
        let float = &self.float;
        let samples = samples.iter().take(SAMPLES).map(|s| float.run_all(s)).collect::<Result<Vec<_>, _>>()?;
        let mut shares: Vec<Share> = Vec::new();
        let judged = judged(float);
        let mut add = |tensor: TensorId, rounding, option, change: &Change<'_>| {
            let share: f64 = samples.iter().filter_map(|s| error(float, &judged, s, tensor, change(s)?)).sum();
            shares.push(Share { tensor: float.tensors[tensor].name.clone(), rounding, share, option });
        };
        for (tensor, place) in self.places.iter().enumerate() {
            let Some((_, real)) = place else { continue };
            let option = if float.inputs.iter().any(|i| i.tensor == tensor) {
                "--input-bits"
            } else if float.outputs.contains(&tensor) || judged.contains(&tensor) {
                "--output-bits"
            } else {
                "--activation-bits"
            };
            add(tensor, Rounding::Numbers, option, &|tensors| Some(rounded(&tensors[tensor], *real)));
        }
        for step in &self.rounded {
            let Some(sums) = step.sums else { continue };
            if let Some(node) = self.with_rounded_weights(step) {
                add(sums, Rounding::Weights, "--weight-bits", &|tensors| node.run(tensors).ok());
            }
            let option = if step.coarse { "--table-rows" } else { "--activation-bits" };
            let steps = |v: &f32| ((f64::from(*v) / step.unit).round() * step.unit) as f32;
            add(sums, Rounding::Steps, option, &|tensors| Some(tensors[sums].iter().map(steps).collect()));
        }
        let all: f64 = shares.iter().map(|s| s.share).sum();
        shares.iter_mut().for_each(|s| s.share /= all.max(f64::MIN_POSITIVE));
        shares.sort_by(|a, b| b.share.total_cmp(&a.share));
        Ok(shares)
    }

    /// The node that computes a step's sums, with weights that its integers stand for; `None` if it has no weights.
    pub(super) fn with_rounded_weights(&self, step: &Rounded) -> Option<FloatNode> {
        let mut node = self.float.nodes.iter().find(|n| Some(n.output) == step.sums)?.clone();
        let scales: Vec<f64> = node.inputs.iter().map(|t| self.places[*t].map_or(1.0, |p| p.1.scale)).collect();
        let round = |w: &mut f32, scale: f64| {
            let weight = step.fine / scale;
            *w = ((f64::from(*w) / weight).round() * weight) as f32;
        };
        match &mut node.op {
            FloatOp::Conv(conv) => conv.weights.iter_mut().for_each(|w| round(w, scales[0])),
            FloatOp::Sparse(s) => s.terms.iter_mut().for_each(|t| round(&mut t.weight, scales[t.input as usize])),
            _ => return None,
        }
        Some(node)
    }
}

/// What a rounding makes of a tensor, given all of them.
type Change<'a> = dyn Fn(&[Vec<f32>]) -> Option<Vec<f32>> + 'a;

/// What the error is measured on: the outputs, or the numbers that a ranking reads whose positions or values they are,
/// since those hardly say how close it was.
fn judged(float: &FloatNet) -> Vec<TensorId> {
    let of = |output: &TensorId| {
        let mut at = *output;
        while let Some(node) = float.nodes.iter().find(|n| n.output == at) {
            match &node.op {
                FloatOp::TopK(_) => return node.inputs[0],
                FloatOp::Sparse(_) if node.inputs.len() == 1 => at = node.inputs[0],
                _ => break,
            }
        }
        *output
    };
    float.outputs.iter().map(of).collect()
}

fn rounded(values: &[f32], real: Real) -> Vec<f32> {
    values.iter().map(|v| real.decode(real.encode(f64::from(*v))) as f32).collect()
}

/// The squared error of what is judged, relative to its values, if a tensor holds something else.
fn error(
    float: &FloatNet,
    judged: &[TensorId],
    tensors: &[Vec<f32>],
    tensor: TensorId,
    values: Vec<f32>,
) -> Option<f64> {
    let mut changed = tensors.to_vec();
    changed[tensor] = values;
    float.run_again(&mut changed, tensor).ok()?;
    let squares = |values: &mut dyn Iterator<Item = f32>| values.map(|v| f64::from(v).powi(2)).sum::<f64>();
    let of = |output: &TensorId| {
        let (was, is) = (&tensors[*output], &changed[*output]);
        let error = squares(&mut was.iter().zip(is).map(|(a, b)| a - b));
        error / squares(&mut was.iter().copied()).max(f64::MIN_POSITIVE)
    };
    Some(judged.iter().map(of).sum::<f64>()).filter(|e| e.is_finite())
}
