//! Looking up by index: Gather and OneHot.

use super::super::build::Value;
use super::super::lower::{Lowered, Lowering};
use super::super::shape::size;
use super::super::tensor::Kind;
use crate::float::{Function, Sparse};

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
