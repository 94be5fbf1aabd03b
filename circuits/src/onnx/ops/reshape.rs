//! Operators that only say how the same numbers are arranged, and constants.

use tract_onnx::pb::attribute_proto::AttributeType;

use super::super::build::Value;
use super::super::lower::{Lowered, Lowering};
use super::super::shape::size;
use super::super::tensor::{Constant, Kind};

/// A list of sizes from a file.
fn sizes(l: &Lowering<'_>, list: &[i64]) -> Lowered<Vec<usize>> {
    let size = |d: &i64| usize::try_from(*d).map_err(|_| l.place.shape(format!("{d} is no size")));
    list.iter().map(size).collect()
}

/// `Identity(x)`.
pub(crate) fn identity(l: &mut Lowering<'_>) -> Lowered<Vec<Value>> {
    Ok(vec![l.input(0)?])
}

/// `Dropout(x, ratio?, training?)`: nothing, and a mask of ones.
pub(crate) fn dropout(l: &mut Lowering<'_>) -> Lowered<Vec<Value>> {
    let x = l.input(0)?;
    l.int_if("seed")?;
    l.float("ratio", 0.5)?;
    let trains = l.scalar(2)?.is_some_and(|t| t != 0.0);
    if trains && l.scalar(1)?.unwrap_or(0.5) != 0.0 {
        return Err(l.place.setting("drops values at random", "export the model for inference"));
    }
    if l.node.output.get(1).is_none_or(String::is_empty) {
        return Ok(vec![x]);
    }
    let ones = l.sized(&x.shape)?;
    let mask = l.constant(x.shape.clone(), Kind::Bool, vec![1.0; ones]);
    Ok(vec![x, mask])
}

/// `Reshape(x, shape)`.
pub(crate) fn reshape(l: &mut Lowering<'_>) -> Lowered<Vec<Value>> {
    let x = l.input(0)?;
    let wanted = l.list(1)?.ok_or_else(|| l.place.shape("it has no shape"))?;
    let literal = l.int("allowzero", 0)? != 0;
    let mut shape = Vec::new();
    let mut open = None;
    for (i, d) in wanted.iter().enumerate() {
        shape.push(match d {
            0 if !literal => {
                *x.shape.get(i).ok_or_else(|| l.place.shape(format!("shape {wanted:?} copies a missing dimension")))?
            }
            -1 if open.is_none() => {
                open = Some(i);
                1
            }
            d => sizes(l, &[*d])?[0],
        });
    }
    let rest = size(&shape).ok_or_else(|| l.place.shape(format!("shape {wanted:?} is too large")))?;
    if let Some(i) = open {
        shape[i] = x.len().checked_div(rest).unwrap_or(0);
    }
    same_size(l, x, shape)
}

fn same_size(l: &Lowering<'_>, x: Value, shape: Vec<usize>) -> Lowered<Vec<Value>> {
    if size(&shape) != Some(x.len()) {
        return Err(l.place.shape(format!("shape {:?} can't become {shape:?}", x.shape)));
    }
    Ok(vec![x.shaped(shape)])
}

/// `Flatten(x)`: two dimensions.
pub(crate) fn flatten(l: &mut Lowering<'_>) -> Lowered<Vec<Value>> {
    let x = l.input(0)?;
    let axis = l.int("axis", 1)?;
    let at = if axis == x.shape.len() as i64 { x.shape.len() } else { l.axis(axis, x.shape.len())? };
    let shape = vec![x.shape[..at].iter().product(), x.shape[at..].iter().product()];
    same_size(l, x, shape)
}

/// `Squeeze(x, axes?)`.
pub(crate) fn squeeze(l: &mut Lowering<'_>) -> Lowered<Vec<Value>> {
    let x = l.input(0)?;
    let axes = match l.list_or(1, "axes")? {
        Some(axes) => l.axes(&axes, x.shape.len())?,
        None => (0..x.shape.len()).filter(|i| x.shape[*i] == 1).collect(),
    };
    let shape = x.shape.iter().enumerate().filter(|(i, _)| !axes.contains(i)).map(|(_, d)| *d).collect();
    same_size(l, x, shape)
}

/// `Unsqueeze(x, axes)`.
pub(crate) fn unsqueeze(l: &mut Lowering<'_>) -> Lowered<Vec<Value>> {
    let x = l.input(0)?;
    let axes = l.list_or(1, "axes")?.ok_or_else(|| l.place.shape("it has no axes"))?;
    let rank = x.shape.len() + axes.len();
    let axes = l.axes(&axes, rank)?;
    let mut old = x.shape.iter();
    let shape = (0..rank).map(|i| if axes.contains(&i) { 1 } else { old.next().copied().unwrap_or(1) }).collect();
    same_size(l, x, shape)
}

/// `Constant()`.
pub(crate) fn constant(l: &mut Lowering<'_>) -> Lowered<Vec<Value>> {
    if let Some(t) = l.raw("value", AttributeType::Tensor)?.and_then(|a| a.t.as_ref()) {
        let c = Constant::decode(&l.place.output, t)?;
        return Ok(vec![l.constant(c.shape, c.kind, c.values.to_vec())]);
    }
    let (shape, kind, values) = if let Some(a) = l.raw("value_float", AttributeType::Float)? {
        (vec![], Kind::Float, vec![a.f])
    } else if let Some(a) = l.raw("value_floats", AttributeType::Floats)? {
        (vec![a.floats.len()], Kind::Float, a.floats.clone())
    } else if let Some(i) = l.int_if("value_int")? {
        (vec![], Kind::Integer, vec![i as f32])
    } else if let Some(list) = l.ints("value_ints")? {
        (vec![list.len()], Kind::Integer, list.iter().map(|i| *i as f32).collect())
    } else {
        return Err(l.place.setting("has no numbers as value", "store the constant as a tensor of numbers"));
    };
    Ok(vec![l.constant(shape, kind, values)])
}

/// `ConstantOfShape(shape)`.
pub(crate) fn constant_of_shape(l: &mut Lowering<'_>) -> Lowered<Vec<Value>> {
    let list = l.list(0)?.unwrap_or_default();
    let shape = sizes(l, &list)?;
    let (kind, value) = match l.raw("value", AttributeType::Tensor)?.and_then(|a| a.t.as_ref()) {
        None => (Kind::Float, 0.0),
        Some(t) => {
            let c = Constant::decode(&l.place.output, t)?;
            let [v] = c.values[..] else { return Err(l.place.shape("its value isn't one number")) };
            (c.kind, v)
        }
    };
    let count = l.sized(&shape)?;
    Ok(vec![l.constant(shape, kind, vec![value; count])])
}

/// `Shape(x)`: a constant, since all shapes are.
pub(crate) fn shape(l: &mut Lowering<'_>) -> Lowered<Vec<Value>> {
    let x = l.input(0)?;
    let rank = x.shape.len() as i64;
    let clamp = |i: i64| if i < 0 { i.saturating_add(rank).max(0) } else { i.min(rank) } as usize;
    let (start, end) = (clamp(l.int("start", 0)?), clamp(l.int("end", rank)?));
    let dims: Vec<f32> = x.shape.get(start..end).unwrap_or_default().iter().map(|d| *d as f32).collect();
    Ok(vec![l.constant(vec![dims.len()], Kind::Integer, dims)])
}

/// `Size(x)`.
pub(crate) fn size_of(l: &mut Lowering<'_>) -> Lowered<Vec<Value>> {
    let x = l.input(0)?;
    Ok(vec![l.constant(vec![], Kind::Integer, vec![x.len() as f32])])
}

/// `Range(start, limit, step)`.
pub(crate) fn range(l: &mut Lowering<'_>) -> Lowered<Vec<Value>> {
    let kind = l.input(0)?.kind;
    let number = |i| l.scalar(i)?.ok_or_else(|| l.place.shape(format!("input {i} is missing")));
    let (start, limit, step) = (number(0)?, number(1)?, number(2)?);
    let count = ((f64::from(limit) - f64::from(start)) / f64::from(step)).ceil().max(0.0);
    if !count.is_finite() {
        return Err(l.place.shape("its step is 0"));
    }
    let count = l.sized(&[count as usize])?;
    let values = (0..count).map(|i| (f64::from(start) + i as f64 * f64::from(step)) as f32).collect();
    Ok(vec![l.constant(vec![count], kind, values)])
}

/// `Expand(x, shape)`.
pub(crate) fn expand(l: &mut Lowering<'_>) -> Lowered<Vec<Value>> {
    let x = l.input(0)?;
    let list = l.list(1)?.unwrap_or_default();
    let wanted = sizes(l, &list)?;
    let shape = super::super::shape::broadcast(&x.shape, &wanted)
        .ok_or_else(|| l.place.shape(format!("shape {:?} can't be expanded to {wanted:?}", x.shape)))?;
    Ok(vec![l.expanded(&x, &shape)?])
}
