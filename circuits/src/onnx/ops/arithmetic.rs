//! Sums, products and quotients of whole tensors.

use super::super::build::Value;
use super::super::lower::{Lowered, Lowering};
use super::super::shape::spread;
use super::super::tensor::Kind;
use crate::float::{Function, Sparse, Windows};

/// `Add(a, b)`.
pub(crate) fn add(l: &mut Lowering<'_>) -> Lowered<Vec<Value>> {
    let (a, b) = (l.input(0)?, l.input(1)?);
    Ok(vec![l.sum(&[(&a, 1.0), (&b, 1.0)], 0.0)?])
}

/// `Sub(a, b)`.
pub(crate) fn sub(l: &mut Lowering<'_>) -> Lowered<Vec<Value>> {
    let (a, b) = (l.input(0)?, l.input(1)?);
    Ok(vec![l.sum(&[(&a, 1.0), (&b, -1.0)], 0.0)?])
}

/// `Neg(x)`.
pub(crate) fn neg(l: &mut Lowering<'_>) -> Lowered<Vec<Value>> {
    let x = l.input(0)?;
    Ok(vec![l.sum(&[(&x, -1.0)], 0.0)?])
}

fn all(l: &Lowering<'_>) -> Lowered<Vec<Value>> {
    (0..l.node.input.len()).map(|i| l.input(i)).collect()
}

/// `Sum(a, b, …)`.
pub(crate) fn sum(l: &mut Lowering<'_>) -> Lowered<Vec<Value>> {
    let values = all(l)?;
    Ok(vec![l.sum(&values.iter().map(|v| (v, 1.0)).collect::<Vec<_>>(), 0.0)?])
}

/// `Mean(a, b, …)`.
pub(crate) fn mean(l: &mut Lowering<'_>) -> Lowered<Vec<Value>> {
    let values = all(l)?;
    let weight = 1.0 / values.len() as f32;
    Ok(vec![l.sum(&values.iter().map(|v| (v, weight)).collect::<Vec<_>>(), 0.0)?])
}

/// `Mul(a, b)`.
pub(crate) fn mul(l: &mut Lowering<'_>) -> Lowered<Vec<Value>> {
    let (a, b) = (l.input(0)?, l.input(1)?);
    Ok(vec![l.product(&a, &b)?])
}

/// `Div(a, b)`: a product with the reciprocal, which is a constant if `b` is.
pub(crate) fn div(l: &mut Lowering<'_>) -> Lowered<Vec<Value>> {
    let (a, b) = (l.input(0)?, l.input(1)?);
    let whole = a.kind != Kind::Float && b.kind != Kind::Float;
    if b.constant().is_some_and(|c| c.contains(&0.0)) {
        return Err(l.place.setting("divides by 0", "correct the constant"));
    }
    if let (Some(x), Some(y)) = (a.constant(), b.constant()) {
        let shape = l.common(&[&a, &b])?;
        let of = |v: &Value| spread(&v.shape, &shape);
        let quotient = |(i, j): (u32, u32)| {
            let q = x[i as usize] / y[j as usize];
            if whole { q.trunc() } else { q }
        };
        let values = of(&a).into_iter().zip(of(&b)).map(quotient).collect();
        return Ok(vec![l.constant(shape, a.kind, values)]);
    }
    if whole {
        return Err(l.place.setting("divides integers", "cast them to float before"));
    }
    let inverse = l.unary(Function::Reciprocal, &b)?.of_kind(Kind::Float);
    Ok(vec![l.product(&a, &inverse)?])
}

/// `Pow(x, exponent)` with one constant exponent.
pub(crate) fn pow(l: &mut Lowering<'_>) -> Lowered<Vec<Value>> {
    let x = l.input(0)?;
    let (shape, exponents) = l.floats(1)?;
    let [first, rest @ ..] = &exponents[..] else { return Err(l.place.shape("the exponent has no elements")) };
    if let Some(values) = x.constant() {
        let out = l.common(&[&x, &Value { shape: shape.clone(), ..x.clone() }])?;
        let maps = spread(&x.shape, &out).into_iter().zip(spread(&shape, &out));
        let powers = maps.map(|(i, j)| f64::from(values[i as usize]).powf(f64::from(exponents[j as usize])) as f32);
        let powers = powers.collect();
        return Ok(vec![l.constant(out, x.kind, powers)]);
    }
    if rest.iter().any(|e| e != first) {
        return Err(l.place.setting("has several exponents", "use one for all elements"));
    }
    let out = l.common(&[&x, &Value { shape, ..x.clone() }])?;
    let x = l.expanded(&x, &out)?;
    Ok(vec![match *first {
        1.0 => x,
        2.0 => l.product(&x, &x)?,
        3.0 => {
            let square = l.product(&x, &x)?;
            l.product(&square, &x)?
        }
        0.5 => l.unary(Function::Sqrt, &x)?,
        -1.0 => l.unary(Function::Reciprocal, &x)?,
        e => l.unary(Function::Power(e), &x)?,
    }])
}

/// `Max(a, b, …)`.
pub(crate) fn max(l: &mut Lowering<'_>) -> Lowered<Vec<Value>> {
    Ok(vec![extreme(l, 1.0)?])
}

/// `Min(a, b, …)`: the largest of the negated.
pub(crate) fn min(l: &mut Lowering<'_>) -> Lowered<Vec<Value>> {
    let negated = extreme(l, -1.0)?;
    Ok(vec![l.sum(&[(&negated, -1.0)], 0.0)?])
}

/// The largest of all inputs times a sign, broadcast.
fn extreme(l: &mut Lowering<'_>, sign: f32) -> Lowered {
    let values = all(l)?;
    let shape = l.common(&values.iter().collect::<Vec<_>>())?;
    let count = values.len();
    let each = l.sized(&[&shape[..], &[count]].concat())? / count.max(1);
    let mut rows = Sparse::empty();
    for (input, v) in values.iter().enumerate() {
        let map = spread(&v.shape, &shape);
        map.iter().for_each(|i| rows.add(0.0, [(input as u32, *i, sign)]));
    }
    let kind = values.first().map_or(Kind::Float, |v| v.kind);
    let stacked = l.sparse(&values.iter().collect::<Vec<_>>(), rows, vec![count, each], kind)?;
    let indices = (0..each).flat_map(|i| (0..count).map(move |c| (c * each + i) as u32)).collect();
    let windows = Windows { starts: (0..=each).map(|i| (i * count) as u32).collect(), indices };
    l.largest(&stacked, &windows, shape)
}
