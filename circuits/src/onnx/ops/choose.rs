//! Operators that look up, compare, choose and rank.

use super::super::build::Value;
use super::super::lower::{Lowered, Lowering};
use super::super::shape::{size, spread};
use super::super::tensor::Kind;
use crate::float::{FloatOp, Function, Ranked, Sparse, TopK};

/// `Gather(data, indices)`: moves if the indices are constant; tables, one per column, if the data are.
pub(crate) fn gather(l: &mut Lowering<'_>) -> Lowered<Vec<Value>> {
    let (data, indices) = (l.input(0)?, l.input(1)?);
    let axis = l.axis(l.int("axis", 0)?, data.shape.len())?;
    let depth = data.shape[axis];
    let (before, after) = (data.shape[..axis].to_vec(), data.shape[axis + 1..].to_vec());
    let shape = [&before[..], &indices.shape[..], &after[..]].concat();
    l.sized(&shape)?;
    let (outer, inner) = (before.iter().product::<usize>(), after.iter().product::<usize>());
    if let Some(list) = indices.constant() {
        let place = |i: &f32| {
            let i = if *i < 0.0 { *i + depth as f32 } else { *i };
            let inside = i >= 0.0 && i.fract() == 0.0 && i < depth as f32;
            if inside { Ok(i as usize) } else { Err(l.place.shape(format!("index {i} is outside of 0..{depth}"))) }
        };
        let rows: Vec<usize> = list.iter().map(place).collect::<Result<_, _>>()?;
        let block = |o: usize, r: usize| ((o * depth + r) * inner..(o * depth + r + 1) * inner).map(|i| i as u32);
        let map: Vec<u32> = (0..outer).flat_map(|o| rows.iter().flat_map(move |r| block(o, *r))).collect();
        return Ok(vec![l.moved(&data, &map, shape)?]);
    }
    let Some(values) = data.constant() else {
        // The message asks for constant indices: those are what a model can do without.
        l.constant_if(1)?;
        return Err(l.place.shape("neither data nor indices are constant"));
    };
    let columns = outer * inner;
    l.sized(&[columns, indices.len()])?;
    let mut parts = Vec::new();
    for column in 0..columns {
        let (o, i) = (column / inner, column % inner);
        let table = (0..depth).map(|r| values[(o * depth + r) * inner + i]).collect();
        parts.push(l.unary(Function::Table(table), &indices)?);
    }
    let mut order = Vec::new();
    for o in 0..outer {
        for at in 0..indices.len() {
            order.extend((0..inner).map(|i| ((o * inner + i) as u32, at as u32)));
        }
    }
    Ok(vec![l.joined(&parts.iter().collect::<Vec<_>>(), &order, shape)?.of_kind(data.kind)])
}

/// `OneHot(indices, depth, values)`: one test for zero per class; indices below 0 count from the end.
pub(crate) fn one_hot(l: &mut Lowering<'_>) -> Lowered<Vec<Value>> {
    let indices = l.input(0)?;
    let depth = l.scalar(1)?.filter(|d| *d >= 1.0 && *d < (1 << 24) as f32);
    let depth = depth.ok_or_else(|| l.place.shape("its depth is no positive number"))? as usize;
    let values = l.constant_if(2)?.ok_or_else(|| l.place.shape("it has no values"))?;
    let Some(&[off, on]) = values.constant() else { return Err(l.place.shape("its values aren't two numbers")) };
    let rank = indices.shape.len() + 1;
    let axis = l.axis(l.int("axis", -1)?, rank)?;
    let (before, after) = (&indices.shape[..axis], &indices.shape[axis..]);
    let shape = [before, &[depth], after].concat();
    let whole = if indices.kind == Kind::Float { l.unary(Function::Trunc, &indices)? } else { indices.clone() };
    let not_negative = l.unary(Function::StepOrEqual, &whole)?;
    l.sized(&shape)?;
    let inner: usize = after.iter().product();
    let mut rows = Sparse::empty();
    for i in 0..size(&shape).unwrap_or(0) {
        let (class, at) = (i / inner % depth, i / inner / depth * inner + i % inner);
        // index + depth · (1 − not_negative) − class.
        let bias = depth as f32 - class as f32;
        rows.add(bias, [(0, at as u32, 1.0), (1, at as u32, -(depth as f32))]);
    }
    let apart = l.sparse(&[&whole, &not_negative], rows, shape, Kind::Integer)?;
    let hot = l.unary(Function::IsZero, &apart)?;
    Ok(vec![l.sum(&[(&hot, on - off)], off)?.of_kind(values.kind)])
}

/// A test of `sign · (a − b)`.
fn compare(l: &mut Lowering<'_>, sign: f32, test: Function) -> Lowered<Vec<Value>> {
    let (a, b) = (l.input(0)?, l.input(1)?);
    let apart = l.sum(&[(&a, sign), (&b, -sign)], 0.0)?;
    Ok(vec![l.unary(test, &apart)?.of_kind(Kind::Bool)])
}

/// `Greater(a, b)`.
pub(crate) fn greater(l: &mut Lowering<'_>) -> Lowered<Vec<Value>> {
    compare(l, 1.0, Function::Step)
}

/// `GreaterOrEqual(a, b)`.
pub(crate) fn greater_or_equal(l: &mut Lowering<'_>) -> Lowered<Vec<Value>> {
    compare(l, 1.0, Function::StepOrEqual)
}

/// `Less(a, b)`.
pub(crate) fn less(l: &mut Lowering<'_>) -> Lowered<Vec<Value>> {
    compare(l, -1.0, Function::Step)
}

/// `LessOrEqual(a, b)`.
pub(crate) fn less_or_equal(l: &mut Lowering<'_>) -> Lowered<Vec<Value>> {
    compare(l, -1.0, Function::StepOrEqual)
}

/// `Equal(a, b)`.
pub(crate) fn equal(l: &mut Lowering<'_>) -> Lowered<Vec<Value>> {
    compare(l, 1.0, Function::IsZero)
}

/// `Not(x)`.
pub(crate) fn not(l: &mut Lowering<'_>) -> Lowered<Vec<Value>> {
    let x = l.input(0)?;
    Ok(vec![l.sum(&[(&x, -1.0)], 1.0)?.of_kind(Kind::Bool)])
}

/// `And(a, b)`.
pub(crate) fn and(l: &mut Lowering<'_>) -> Lowered<Vec<Value>> {
    let (a, b) = (l.input(0)?, l.input(1)?);
    Ok(vec![l.product(&a, &b)?.of_kind(Kind::Bool)])
}

/// `Or(a, b)`.
pub(crate) fn or(l: &mut Lowering<'_>) -> Lowered<Vec<Value>> {
    either(l, -1.0)
}

/// `Xor(a, b)`.
pub(crate) fn xor(l: &mut Lowering<'_>) -> Lowered<Vec<Value>> {
    either(l, -2.0)
}

fn either(l: &mut Lowering<'_>, both: f32) -> Lowered<Vec<Value>> {
    let (a, b) = (l.input(0)?, l.input(1)?);
    let product = l.product(&a, &b)?;
    Ok(vec![l.sum(&[(&a, 1.0), (&b, 1.0), (&product, both)], 0.0)?.of_kind(Kind::Bool)])
}

/// `Where(condition, a, b)`: moves under a constant condition, else `b + condition · (a − b)`.
pub(crate) fn where_(l: &mut Lowering<'_>) -> Lowered<Vec<Value>> {
    let (condition, a, b) = (l.input(0)?, l.input(1)?, l.input(2)?);
    if let Some(choice) = condition.constant() {
        let shape = l.common(&[&condition, &a, &b])?;
        let maps = [&condition, &a, &b].map(|v| spread(&v.shape, &shape));
        let order: Vec<(u32, u32)> = (0..maps[0].len())
            .map(|i| if choice[maps[0][i] as usize] != 0.0 { (0, maps[1][i]) } else { (1, maps[2][i]) })
            .collect();
        return Ok(vec![l.joined(&[&a, &b], &order, shape)?.of_kind(a.kind)]);
    }
    if [&a, &b].iter().filter_map(|v| v.constant()).flatten().any(|v| v.is_infinite()) {
        return Err(l.place.setting("chooses an infinite constant", "use a finite one, such as -10000"));
    }
    let apart = l.sum(&[(&a, 1.0), (&b, -1.0)], 0.0)?;
    let chosen = l.product(&condition, &apart)?;
    Ok(vec![l.sum(&[(&b, 1.0), (&chosen, 1.0)], 0.0)?.of_kind(a.kind)])
}

/// The places of the `k` largest of `sign · x` along an axis, the last of equals first if `from_end`; values too if
/// they are wanted.
fn ranked(l: &mut Lowering<'_>, x: &Value, axis: usize, k: usize, sign: f32, from_end: bool) -> Lowered<[Value; 2]> {
    let depth = x.shape[axis];
    if k == 0 || k > depth {
        return Err(l.place.shape(format!("k = {k} isn't between 1 and the axis' {depth}")));
    }
    let mut groups = l.groups(x, &[axis])?;
    if from_end {
        groups.windows.indices.chunks_mut(depth).for_each(<[u32]>::reverse);
    }
    let signed = if sign == 1.0 { x.clone() } else { l.sum(&[(x, sign)], 0.0)? };
    let mut shape = x.shape.clone();
    shape[axis] = k;
    let inner: usize = x.shape[axis + 1..].iter().product();
    let count = l.sized(&shape)?;
    let mut write = |output, weight, bias, kind| {
        l.builder.spend(&l.place, groups.windows.indices.len())?;
        let op = FloatOp::TopK(TopK { windows: groups.windows.clone(), k, output });
        let best = l.op(op, &[&signed], vec![groups.windows.len(), k], kind)?;
        let mut rows = Sparse::empty();
        for i in 0..count {
            let (outer, rank, at) = (i / inner / k, i / inner % k, i % inner);
            rows.add(bias, [(0, ((outer * inner + at) * k + rank) as u32, weight)]);
        }
        l.sparse(&[&best], rows, shape.clone(), kind)
    };
    let positions = if from_end {
        write(Ranked::Positions, -1.0, depth as f32 - 1.0, Kind::Integer)?
    } else {
        write(Ranked::Positions, 1.0, 0.0, Kind::Integer)?
    };
    let values = write(Ranked::Values, sign, 0.0, x.kind)?;
    Ok([values, positions])
}

fn arg(l: &mut Lowering<'_>, sign: f32) -> Lowered<Vec<Value>> {
    let x = l.input(0)?;
    let axis = l.axis(l.int("axis", 0)?, x.shape.len())?;
    let keep = l.int("keepdims", 1)? != 0;
    let from_end = l.int("select_last_index", 0)? != 0;
    let [_, positions] = ranked(l, &x, axis, 1, sign, from_end)?;
    let mut shape = positions.shape.clone();
    if !keep {
        shape.remove(axis);
    }
    Ok(vec![positions.shaped(shape)])
}

/// `ArgMax(x)`.
pub(crate) fn arg_max(l: &mut Lowering<'_>) -> Lowered<Vec<Value>> {
    arg(l, 1.0)
}

/// `ArgMin(x)`.
pub(crate) fn arg_min(l: &mut Lowering<'_>) -> Lowered<Vec<Value>> {
    arg(l, -1.0)
}

/// `TopK(x, k)`.
pub(crate) fn top_k(l: &mut Lowering<'_>) -> Lowered<Vec<Value>> {
    let x = l.input(0)?;
    let k = l.scalar(1)?.ok_or_else(|| l.place.shape("it has no k"))? as usize;
    let axis = l.axis(l.int("axis", -1)?, x.shape.len())?;
    let largest = l.int("largest", 1)? != 0;
    // Sorted is one of the orders that unsorted allows.
    l.int("sorted", 1)?;
    let [values, positions] = ranked(l, &x, axis, k, if largest { 1.0 } else { -1.0 }, false)?;
    Ok(vec![values, positions])
}
