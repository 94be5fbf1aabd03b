//! Softmax, and normalisation over batches, layers and channels.

use super::super::build::Value;
use super::super::lower::{Lowered, Lowering};
use super::super::shape::Groups;
use super::super::tensor::Kind;
use crate::float::{Function, Sparse, Windows};

/// `BatchNormalization(x, scale, bias, mean, variance)`: one factor and one summand per channel.
pub(crate) fn batch_norm(l: &mut Lowering<'_>) -> Lowered<Vec<Value>> {
    let x = l.input(0)?;
    let constants = [l.floats(1)?.1, l.floats(2)?.1, l.floats(3)?.1, l.floats(4)?.1];
    let epsilon = l.float("epsilon", 1e-5)?;
    l.float("momentum", 0.9)?;
    if l.int("training_mode", 0)? != 0 {
        return Err(l.place.setting("is in training mode", "export the model for inference"));
    }
    let channels = if x.shape.len() > 1 { x.shape[1] } else { 1 };
    if constants.iter().any(|c| c.len() != channels) {
        return Err(l.place.shape(format!("its constants don't fit {channels} channels")));
    }
    let [scale, bias, mean, variance] = &constants;
    let mut shape = vec![1; x.shape.len()];
    if let Some(d) = shape.get_mut(1) {
        *d = channels;
    }
    let factor: Vec<f64> =
        (0..channels).map(|c| f64::from(scale[c]) / (f64::from(variance[c]) + f64::from(epsilon)).sqrt()).collect();
    let summand = (0..channels).map(|c| (f64::from(bias[c]) - f64::from(mean[c]) * factor[c]) as f32).collect();
    let factor = l.constant(shape.clone(), Kind::Float, factor.iter().map(|f| *f as f32).collect());
    let summand = l.constant(shape, Kind::Float, summand);
    let scaled = l.product(&x, &factor)?;
    Ok(vec![l.sum(&[(&scaled, 1.0), (&summand, 1.0)], 0.0)?])
}

/// Summands from which on a logit is masked: e to their power is 0, whatever is added that a network computes.
const MASKED: f32 = -1e4;

/// What a softmax sums over: along one axis, or from it on in versions before 13.
fn softmax_groups(l: &mut Lowering<'_>, x: &Value) -> Lowered<Groups> {
    let rank = x.shape.len();
    let axes = if l.opset >= 13 {
        vec![l.axis(l.int("axis", -1)?, rank)?]
    } else {
        (l.axis(l.int("axis", 1)?, rank)?..rank).collect()
    };
    l.groups(x, &axes)
}

/// `Softmax(x)`: largest, difference, exponential, sum, reciprocal, product. Logits that a constant mask puts far
/// below all others take no part and give 0.
pub(crate) fn softmax(l: &mut Lowering<'_>) -> Lowered<Vec<Value>> {
    let x = l.input(0)?;
    let groups = softmax_groups(l, &x)?;
    let masked: Vec<bool> = match l.builder.offsets(&x) {
        Some(offsets) => offsets.iter().map(|b| *b <= MASKED).collect(),
        None => vec![false; x.len()],
    };
    let whole = |i: usize| groups.windows.row(i).iter().all(|j| masked[*j as usize]);
    let some = masked.contains(&true) && !(0..groups.windows.len()).any(whole);
    let kept: Vec<u32> = (0..x.len() as u32).filter(|i| !some || !masked[*i as usize]).collect();
    let part = if some { l.moved(&x, &kept, vec![kept.len()])? } else { x.clone() };
    // Where each element went, and the groups of what is left.
    let mut slot = vec![None; x.len()];
    kept.iter().enumerate().for_each(|(s, i)| slot[*i as usize] = Some(s as u32));
    let of: Vec<u32> = kept.iter().map(|i| groups.of[*i as usize]).collect();
    let mut windows = Windows { starts: vec![0], indices: Vec::new() };
    for i in 0..groups.windows.len() {
        windows.indices.extend(groups.windows.row(i).iter().filter_map(|j| slot[*j as usize]));
        windows.starts.push(windows.indices.len() as u32);
    }
    let left = Groups { windows, of, kept: groups.kept, each: groups.each };
    let largest = l.largest(&part, &left.windows, left.kept.clone())?;
    let apart = minus_group(l, &part, &largest, &left)?;
    let powers = l.unary(Function::Exp, &apart)?;
    let total = l.totals(&powers, &left.windows, &vec![1.0; left.windows.len()], left.kept.clone())?;
    let inverse = l.unary(Function::Reciprocal, &total)?;
    let places = (0..kept.len() as u32).collect();
    let shares = l.product_of(&powers, &inverse, places, left.of, part.shape.clone())?;
    let mut rows = Sparse::empty();
    slot.iter().for_each(|s| rows.add(0.0, s.map(|s| (0, s, 1.0))));
    Ok(vec![l.sparse(&[&shares], rows, x.shape.clone(), Kind::Float)?])
}

/// `LogSoftmax(x)`: difference from the largest, less the logarithm of the sum of exponentials.
pub(crate) fn log_softmax(l: &mut Lowering<'_>) -> Lowered<Vec<Value>> {
    let x = l.input(0)?;
    let groups = softmax_groups(l, &x)?;
    let largest = l.largest(&x, &groups.windows, groups.kept.clone())?;
    let apart = minus_group(l, &x, &largest, &groups)?;
    let powers = l.unary(Function::Exp, &apart)?;
    let total = l.totals(&powers, &groups.windows, &vec![1.0; groups.windows.len()], groups.kept.clone())?;
    let log = l.unary(Function::Log, &total)?;
    Ok(vec![minus_group(l, &apart, &log, &groups)?])
}

/// Every element less its group's value.
fn minus_group(l: &mut Lowering<'_>, x: &Value, per_group: &Value, groups: &Groups) -> Lowered {
    let mut rows = Sparse::empty();
    groups.of.iter().enumerate().for_each(|(i, g)| rows.add(0.0, [(0, i as u32, 1.0), (1, *g, -1.0)]));
    l.sparse(&[x, per_group], rows, x.shape.clone(), Kind::Float)
}

/// A value moved and scaled to mean 0 and variance 1 in each group; mean and scale of each group.
fn normalised(l: &mut Lowering<'_>, x: &Value, groups: &Groups, epsilon: f32) -> Lowered<[Value; 3]> {
    let weights = vec![1.0 / groups.each as f32; groups.windows.len()];
    let mean = l.totals(x, &groups.windows, &weights, groups.kept.clone())?;
    let apart = minus_group(l, x, &mean, groups)?;
    let squares = l.product(&apart, &apart)?;
    let variance = l.totals(&squares, &groups.windows, &weights, groups.kept.clone())?;
    let scale = l.unary(Function::Rsqrt { epsilon }, &variance)?;
    let left = (0..x.len() as u32).collect();
    let out = l.product_of(&apart, &scale, left, groups.of.clone(), x.shape.clone())?;
    Ok([out, mean, scale])
}

/// `LayerNormalization(x, scale, bias?)`.
pub(crate) fn layer_norm(l: &mut Lowering<'_>) -> Lowered<Vec<Value>> {
    let (x, scale, bias) = (l.input(0)?, l.input(1)?, l.optional(2)?);
    let first = l.axis(l.int("axis", -1)?, x.shape.len())?;
    let epsilon = l.float("epsilon", 1e-5)?;
    l.int("stash_type", 1)?;
    let groups = l.groups(&x, &(first..x.shape.len()).collect::<Vec<_>>())?;
    let [out, mean, inverse] = normalised(l, &x, &groups, epsilon)?;
    let scale = l.expanded(&scale, &x.shape)?;
    let scaled = l.product(&out, &scale)?;
    let out = match bias {
        Some(bias) => {
            let bias = l.expanded(&bias, &x.shape)?;
            l.sum(&[(&scaled, 1.0), (&bias, 1.0)], 0.0)?
        }
        None => scaled,
    };
    Ok(vec![out, mean, inverse])
}

/// `InstanceNormalization(x, scale, bias)`.
pub(crate) fn instance_norm(l: &mut Lowering<'_>) -> Lowered<Vec<Value>> {
    let (x, scale, bias) = (l.input(0)?, l.input(1)?, l.input(2)?);
    let epsilon = l.float("epsilon", 1e-5)?;
    let groups = l.groups(&x, &(2..x.shape.len()).collect::<Vec<_>>())?;
    let [out, _, _] = normalised(l, &x, &groups, epsilon)?;
    let channels = x.shape.get(1).copied().unwrap_or(0);
    if scale.shape != [channels] || bias.shape != [channels] {
        return Err(l.place.shape(format!("scale and bias don't fit {channels} channels")));
    }
    let mut shape = vec![1; x.shape.len()];
    shape[1] = channels;
    let scaled = l.product(&out, &scale.shaped(shape.clone()))?;
    Ok(vec![l.sum(&[(&scaled, 1.0), (&bias.shaped(shape), 1.0)], 0.0)?])
}
