//! Comparisons, logic, and Where.

use super::super::build::Value;
use super::super::lower::{Lowered, Lowering};
use super::super::shape::spread;
use super::super::tensor::Kind;
use crate::float::Function;

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
