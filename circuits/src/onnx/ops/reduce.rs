//! Reductions along axes, softmax and normalisation.

use super::super::build::Value;
use super::super::lower::{Lowered, Lowering};
use super::super::shape::Groups;
use super::super::tensor::Kind;
use crate::float::{Function, Sparse};

/// The value in groups along the operator's axes, and the result's shape.
fn reduced(l: &mut Lowering<'_>) -> Lowered<Option<(Value, Groups, Vec<usize>)>> {
    let x = l.input(0)?;
    let keep = l.int("keepdims", 1)? != 0;
    let nothing = l.int("noop_with_empty_axes", 0)? != 0;
    let axes = l.list_or(1, "axes")?.unwrap_or_default();
    if axes.is_empty() && nothing {
        return Ok(None);
    }
    let axes = if axes.is_empty() { (0..x.shape.len()).collect() } else { l.axes(&axes, x.shape.len())? };
    let groups = l.groups(&x, &axes)?;
    let shape = if keep {
        groups.kept.clone()
    } else {
        let rest = groups.kept.iter().enumerate().filter(|(i, _)| !axes.contains(i));
        rest.map(|(_, d)| *d).collect()
    };
    Ok(Some((x, groups, shape)))
}

/// A weighted sum of each group.
fn linear(l: &mut Lowering<'_>, weight: impl Fn(usize) -> f32) -> Lowered<Vec<Value>> {
    let Some((x, groups, shape)) = reduced(l)? else { return Ok(vec![l.input(0)?]) };
    let weights = vec![weight(groups.each); groups.windows.len()];
    Ok(vec![l.totals(&x, &groups.windows, &weights, shape)?])
}

/// `ReduceSum(x, axes?)`.
pub(crate) fn sum(l: &mut Lowering<'_>) -> Lowered<Vec<Value>> {
    linear(l, |_| 1.0)
}

/// `ReduceMean(x, axes?)`.
pub(crate) fn mean(l: &mut Lowering<'_>) -> Lowered<Vec<Value>> {
    if l.input(0)?.kind != Kind::Float && l.input(0)?.constant().is_none() {
        return Err(l.place.setting("averages integers", "cast them to float before"));
    }
    linear(l, |n| 1.0 / n as f32)
}

/// `ReduceMax(x, axes?)`.
pub(crate) fn max(l: &mut Lowering<'_>) -> Lowered<Vec<Value>> {
    let Some((x, groups, shape)) = reduced(l)? else { return Ok(vec![l.input(0)?]) };
    Ok(vec![l.largest(&x, &groups.windows, shape)?])
}

/// `ReduceMin(x, axes?)`: the largest of the negated.
pub(crate) fn min(l: &mut Lowering<'_>) -> Lowered<Vec<Value>> {
    let Some((x, groups, shape)) = reduced(l)? else { return Ok(vec![l.input(0)?]) };
    let negated = l.sum(&[(&x, -1.0)], 0.0)?;
    let largest = l.largest(&negated, &groups.windows, shape)?;
    Ok(vec![l.sum(&[(&largest, -1.0)], 0.0)?.of_kind(x.kind)])
}

/// `ReduceL1(x, axes?)`.
pub(crate) fn l1(l: &mut Lowering<'_>) -> Lowered<Vec<Value>> {
    let reduced = reduced(l)?;
    let x = l.input(0)?;
    let sizes = l.unary(Function::Abs, &x)?;
    let Some((_, groups, shape)) = reduced else { return Ok(vec![sizes]) };
    let weights = vec![1.0; groups.windows.len()];
    Ok(vec![l.totals(&sizes, &groups.windows, &weights, shape)?])
}

/// `ReduceSumSquare(x, axes?)`.
pub(crate) fn sum_square(l: &mut Lowering<'_>) -> Lowered<Vec<Value>> {
    let reduced = reduced(l)?;
    let x = l.input(0)?;
    let squares = l.product(&x, &x)?;
    let Some((_, groups, shape)) = reduced else { return Ok(vec![squares]) };
    let weights = vec![1.0; groups.windows.len()];
    Ok(vec![l.totals(&squares, &groups.windows, &weights, shape)?])
}

/// `ReduceL2(x, axes?)`.
pub(crate) fn l2(l: &mut Lowering<'_>) -> Lowered<Vec<Value>> {
    let squares = sum_square(l)?;
    squares.iter().map(|s| l.unary(Function::Sqrt, s)).collect()
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
    let masked = if (0..groups.windows.len()).any(whole) { vec![false; x.len()] } else { masked };
    // The elements that take part, in the groups' order.
    let mut windows = crate::float::Windows { starts: vec![0], indices: Vec::new() };
    let mut slot = vec![None; x.len()];
    let mut kept = Vec::new();
    for i in 0..groups.windows.len() {
        for j in groups.windows.row(i).iter().filter(|j| !masked[**j as usize]) {
            windows.indices.push(*j);
            slot[*j as usize] = Some(kept.len() as u32);
            kept.push((*j, i as u32));
        }
        windows.starts.push(kept.len() as u32);
    }
    if masked.iter().all(|m| !m) {
        // Nothing is left out, so that everything stays in its place.
        kept = groups.of.iter().enumerate().map(|(j, g)| (j as u32, *g)).collect();
        (0..x.len()).for_each(|j| slot[j] = Some(j as u32));
    }
    let largest = l.largest(&x, &windows, groups.kept.clone())?;
    let mut rows = Sparse::empty();
    kept.iter().for_each(|(j, g)| rows.add(0.0, [(0, *j, 1.0), (1, *g, -1.0)]));
    let apart = l.sparse(&[&x, &largest], rows, vec![kept.len()], Kind::Float)?;
    let powers = l.unary(Function::Exp, &apart)?;
    let mut rows = Sparse::empty();
    for i in 0..groups.windows.len() {
        rows.add(0.0, windows.row(i).iter().filter_map(|j| slot[*j as usize]).map(|s| (0, s, 1.0)));
    }
    let total = l.sparse(&[&powers], rows, groups.kept.clone(), Kind::Float)?;
    let inverse = l.unary(Function::Reciprocal, &total)?;
    let (left, right) = ((0..kept.len() as u32).collect(), kept.iter().map(|(_, g)| *g).collect());
    let shares = l.product_of(&powers, &inverse, left, right, vec![kept.len()])?;
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
