//! Operators that move numbers: transposes, cuts, joins, borders.

use super::super::build::Value;
use super::super::lower::{Lowered, Lowering};
use super::super::shape::{strides, walk};
use crate::float::Sparse;

/// `Transpose(x)`.
pub(crate) fn transpose(l: &mut Lowering<'_>) -> Lowered<Vec<Value>> {
    let x = l.input(0)?;
    let rank = x.shape.len();
    let order = match l.ints("perm")? {
        Some(p) if p.len() == rank => l.axes(p, rank)?,
        Some(p) => return Err(l.place.shape(format!("perm {p:?} doesn't fit shape {:?}", x.shape))),
        None => (0..rank).rev().collect(),
    };
    Ok(vec![l.transposed(&x, &order)?])
}

/// `Concat(a, b, …)`.
pub(crate) fn concat(l: &mut Lowering<'_>) -> Lowered<Vec<Value>> {
    let values: Vec<Value> = (0..l.node.input.len()).map(|i| l.input(i)).collect::<Result<_, _>>()?;
    let first = values.first().ok_or_else(|| l.place.shape("it has no inputs"))?.shape.clone();
    let axis = l.int_if("axis")?.ok_or_else(|| l.place.shape("it has no axis"))?;
    let axis = l.axis(axis, first.len())?;
    let mut shape = first.clone();
    shape[axis] = 0;
    for v in &values {
        let agrees = v.shape.len() == first.len() && (0..first.len()).all(|i| i == axis || v.shape[i] == first[i]);
        if !agrees {
            return Err(l.place.shape(format!("shapes {first:?} and {:?} can't be joined along {axis}", v.shape)));
        }
        shape[axis] = shape[axis].saturating_add(v.shape[axis]);
    }
    l.sized(&shape)?;
    let outer: usize = first[..axis].iter().product();
    let inner: usize = first[axis + 1..].iter().product();
    let mut order = Vec::new();
    for o in 0..outer {
        for (input, v) in values.iter().enumerate() {
            let block = v.shape[axis] * inner;
            order.extend((o * block..(o + 1) * block).map(|i| (input as u32, i as u32)));
        }
    }
    Ok(vec![l.joined(&values.iter().collect::<Vec<_>>(), &order, shape)?])
}

/// `Split(x, sizes?)`.
pub(crate) fn split(l: &mut Lowering<'_>) -> Lowered<Vec<Value>> {
    let x = l.input(0)?;
    let axis = l.axis(l.int("axis", 0)?, x.shape.len())?;
    let size = x.shape[axis];
    let parts = l.int_if("num_outputs")?.and_then(|n| usize::try_from(n).ok()).unwrap_or(l.node.output.len());
    let sizes: Vec<usize> = match l.list_or(1, "split")? {
        Some(list) => list.iter().map(|s| usize::try_from(*s).unwrap_or(usize::MAX)).collect(),
        None => {
            let each = size.div_ceil(parts.max(1));
            (0..l.node.output.len()).map(|i| size.saturating_sub(i * each).min(each)).collect()
        }
    };
    if sizes.iter().try_fold(0usize, |a, s| a.checked_add(*s)) != Some(size) {
        return Err(l.place.shape(format!("parts {sizes:?} don't add up to {size}")));
    }
    let own = strides(&x.shape);
    let mut first = 0;
    let mut out = Vec::new();
    for s in sizes {
        let mut shape = x.shape.clone();
        shape[axis] = s;
        out.push(l.strided(&x, shape, &own, first as isize * own[axis])?);
        first += s;
    }
    Ok(out)
}

/// `Slice(x, starts, ends, axes?, steps?)`.
pub(crate) fn slice(l: &mut Lowering<'_>) -> Lowered<Vec<Value>> {
    let x = l.input(0)?;
    let rank = x.shape.len();
    let (starts, ends) = (l.list(1)?.unwrap_or_default(), l.list(2)?.unwrap_or_default());
    let axes = l.list(3)?.unwrap_or_else(|| (0..starts.len() as i64).collect());
    let steps = l.list(4)?.unwrap_or_else(|| vec![1; starts.len()]);
    let axes = l.axes(&axes, rank)?;
    if [ends.len(), axes.len(), steps.len()] != [starts.len(); 3] {
        return Err(l.place.shape("starts, ends, axes and steps differ in length"));
    }
    let mut shape = x.shape.clone();
    let mut stride = strides(&x.shape);
    let mut offset = 0;
    for (i, axis) in axes.into_iter().enumerate() {
        let size = x.shape[axis] as i64;
        let from_front = |v: i64| if v < 0 { v.saturating_add(size) } else { v };
        let step = steps[i].clamp(-i64::from(i32::MAX), i64::from(i32::MAX));
        let (start, end) = (from_front(starts[i]), from_front(ends[i]));
        let (start, count) = match step {
            0 => return Err(l.place.shape("a step is 0")),
            1.. => {
                let (start, end) = (start.clamp(0, size), end.clamp(0, size));
                (start, (end - start).max(0).unsigned_abs().div_ceil(step.unsigned_abs()))
            }
            _ => {
                let (start, end) = (start.clamp(-1, size - 1), end.clamp(-1, size - 1));
                (start, (start - end).max(0).unsigned_abs().div_ceil(step.unsigned_abs()))
            }
        };
        offset += start as isize * stride[axis];
        shape[axis] = count as usize;
        stride[axis] = stride[axis].saturating_mul(step as isize);
    }
    if shape.contains(&0) {
        return Ok(vec![l.constant(shape, x.kind, Vec::new())]);
    }
    Ok(vec![l.strided(&x, shape, &stride, offset)?])
}

/// `Pad(x, pads, value?, axes?)`.
pub(crate) fn pad(l: &mut Lowering<'_>) -> Lowered<Vec<Value>> {
    let x = l.input(0)?;
    let rank = x.shape.len();
    let mode = l.string("mode", "constant")?;
    let pads = l.list(1)?.ok_or_else(|| l.place.shape("it has no pads"))?;
    let value = l.scalar(2)?.unwrap_or(0.0);
    let axes = match l.list(3)? {
        Some(axes) => l.axes(&axes, rank)?,
        None => (0..rank).collect(),
    };
    if pads.len() != 2 * axes.len() || x.len() == 0 {
        return Err(l.place.shape(format!("pads {pads:?} don't fit shape {:?}", x.shape)));
    }
    // For each axis the source of every position, or none in a constant border.
    let mut sources: Vec<Vec<Option<usize>>> = x.shape.iter().map(|d| (0..*d).map(Some).collect()).collect();
    for (i, axis) in axes.iter().enumerate() {
        let (before, after) = (pads[i], pads[axes.len() + i]);
        let size = x.shape[*axis] as i64;
        let total = size.checked_add(before).and_then(|s| s.checked_add(after)).filter(|t| (0..1 << 24).contains(t));
        let total = total.ok_or_else(|| l.place.shape(format!("pads {pads:?} are out of range")))?;
        let source = |at: i64| {
            let at = at - before;
            let inside = match mode.as_str() {
                "edge" => at.clamp(0, size - 1),
                "wrap" => at.rem_euclid(size),
                "reflect" if size == 1 => 0,
                "reflect" => {
                    let turn = at.rem_euclid(2 * (size - 1));
                    turn.min(2 * (size - 1) - turn)
                }
                _ => at,
            };
            usize::try_from(inside).ok().filter(|i| *i < size as usize)
        };
        sources[*axis] = (0..total).map(source).collect();
    }
    if !["constant", "edge", "wrap", "reflect"].contains(&mode.as_str()) {
        return Err(l.place.setting(format!("mode is {mode:?}"), "use constant, edge, reflect or wrap"));
    }
    let shape: Vec<usize> = sources.iter().map(Vec::len).collect();
    l.sized(&shape)?;
    let mut places = vec![Some(0usize)];
    for (axis, stride) in sources.iter().zip(strides(&x.shape)) {
        let step = |p: &Option<usize>, s: &Option<usize>| Some((*p)? + (*s)? * stride as usize);
        places = places.iter().flat_map(|p| axis.iter().map(move |s| step(p, s))).collect();
    }
    let mut rows = Sparse::empty();
    for p in places {
        rows.add(if p.is_some() { 0.0 } else { value }, p.map(|p| (0, p as u32, 1.0)));
    }
    Ok(vec![l.sparse(&[&x], rows, shape, x.kind)?])
}

/// `Tile(x, repeats)`.
pub(crate) fn tile(l: &mut Lowering<'_>) -> Lowered<Vec<Value>> {
    let x = l.input(0)?;
    let repeats = l.list(1)?.unwrap_or_default();
    if repeats.len() != x.shape.len() || repeats.iter().any(|r| !(0..1 << 24).contains(r)) {
        return Err(l.place.shape(format!("repeats {repeats:?} don't fit shape {:?}", x.shape)));
    }
    let shape: Vec<usize> = x.shape.iter().zip(&repeats).map(|(d, r)| d.saturating_mul(*r as usize)).collect();
    // Each axis as two: copies, which don't move, and the original.
    let split: Vec<usize> = x.shape.iter().zip(&repeats).flat_map(|(d, r)| [*r as usize, *d]).collect();
    let steps: Vec<isize> = strides(&x.shape).into_iter().flat_map(|s| [0, s]).collect();
    l.sized(&shape)?;
    let map = walk(&split, &steps, 0);
    Ok(vec![l.moved(&x, &map, shape)?])
}

/// `DepthToSpace(x)`.
pub(crate) fn depth_to_space(l: &mut Lowering<'_>) -> Lowered<Vec<Value>> {
    let x = l.input(0)?;
    let block = l.int("blocksize", 0)?;
    let mode = l.string("mode", "DCR")?;
    let (&[n, c, h, w], Ok(b @ 1..)) = (&x.shape[..], usize::try_from(block)) else {
        return Err(l.place.shape(format!("blocks of {block} don't fit shape {:?}", x.shape)));
    };
    let area = b.saturating_mul(b);
    if c == 0 || !c.is_multiple_of(area) {
        return Err(l.place.shape(format!("{c} channels aren't a multiple of {area}")));
    }
    let out = vec![n, c / area, h.saturating_mul(b), w.saturating_mul(b)];
    let (split, order) = match mode.as_str() {
        "DCR" => (vec![n, b, b, c / area, h, w], [0, 3, 4, 1, 5, 2]),
        "CRD" => (vec![n, c / area, b, b, h, w], [0, 1, 4, 2, 5, 3]),
        other => return Err(l.place.setting(format!("mode is {other:?}"), "use DCR or CRD")),
    };
    Ok(vec![l.transposed(&x.shaped(split), &order)?.shaped(out)])
}

/// `SpaceToDepth(x)`.
pub(crate) fn space_to_depth(l: &mut Lowering<'_>) -> Lowered<Vec<Value>> {
    let x = l.input(0)?;
    let block = l.int("blocksize", 0)?;
    let (&[n, c, h, w], Ok(b @ 1..)) = (&x.shape[..], usize::try_from(block)) else {
        return Err(l.place.shape(format!("blocks of {block} don't fit shape {:?}", x.shape)));
    };
    if x.len() == 0 || !h.is_multiple_of(b) || !w.is_multiple_of(b) {
        return Err(l.place.shape(format!("blocks of {b} don't divide {h}×{w}")));
    }
    let split = vec![n, c, h / b, b, w / b, b];
    let out = vec![n, c * b * b, h / b, w / b];
    Ok(vec![l.transposed(&x.shaped(split), &[0, 3, 5, 1, 2, 4])?.shaped(out)])
}
