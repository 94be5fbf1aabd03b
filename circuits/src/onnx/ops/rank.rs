//! ArgMax, ArgMin and TopK.

use super::super::build::Value;
use super::super::lower::{Lowered, Lowering};
use super::super::tensor::Kind;
use crate::float::{FloatOp, Ranked, Sparse, TopK};

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
