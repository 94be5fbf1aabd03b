//! Reductions along axes.

use super::super::build::Value;
use super::super::lower::{Lowered, Lowering};
use super::super::shape::Groups;
use super::super::tensor::Kind;
use crate::float::Function;

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
