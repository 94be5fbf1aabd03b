//! Gemm and MatMul: with a constant side a 1×1 convolution whose channels are what is summed over.

use super::super::build::Value;
use super::super::lower::{Lowered, Lowering};
use super::super::shape::broadcast;
use super::super::tensor::Kind;
use crate::float::{Conv, FloatOp, MatMul};

/// `Gemm(a, b, c?)`: `alpha · a · b + beta · c`.
pub(crate) fn gemm(l: &mut Lowering<'_>) -> Lowered<Vec<Value>> {
    let (mut a, mut b, c) = (l.input(0)?, l.input(1)?, l.optional(2)?);
    let (alpha, beta) = (l.float("alpha", 1.0)?, l.float("beta", 1.0)?);
    if a.shape.len() != 2 || b.shape.len() != 2 {
        return Err(l.place.shape(format!("{:?} and {:?} aren't both matrices", a.shape, b.shape)));
    }
    if l.int("transA", 0)? != 0 {
        a = l.transposed(&a, &[1, 0])?;
    }
    if l.int("transB", 0)? != 0 {
        b = l.transposed(&b, &[1, 0])?;
    }
    let product = matrix_product(l, &a, &b)?;
    let sum = match c {
        Some(c) => {
            let c = l.expanded(&c, &product.shape)?;
            l.sum(&[(&product, alpha), (&c, beta)], 0.0)?
        }
        None => l.sum(&[(&product, alpha)], 0.0)?,
    };
    Ok(vec![sum])
}

/// `MatMul(a, b)` by numpy's rules for ranks and broadcasting.
pub(crate) fn mat_mul(l: &mut Lowering<'_>) -> Lowered<Vec<Value>> {
    let (a, b) = (l.input(0)?, l.input(1)?);
    if a.shape.is_empty() || b.shape.is_empty() {
        return Err(l.place.shape("an input has no dimensions"));
    }
    let (row, column) = (a.shape.len() == 1, b.shape.len() == 1);
    let a = if row { a.clone().shaped(vec![1, a.shape[0]]) } else { a };
    let b = if column { b.clone().shaped(vec![b.shape[0], 1]) } else { b };
    let product = matrix_product(l, &a, &b)?;
    let mut shape = product.shape.clone();
    if column {
        shape.pop();
    }
    if row {
        shape.remove(shape.len() - 1 - usize::from(!column));
    }
    Ok(vec![product.shaped(shape)])
}

/// Products of the matrices in the last two dimensions; those before are broadcast.
fn matrix_product(l: &mut Lowering<'_>, a: &Value, b: &Value) -> Lowered {
    let split = |v: &Value| {
        let (batch, matrix) = v.shape.split_at(v.shape.len() - 2);
        (batch.to_vec(), matrix[0], matrix[1])
    };
    let ((batch_a, m, k), (batch_b, rows, n)) = (split(a), split(b));
    let batch = broadcast(&batch_a, &batch_b).filter(|_| k == rows);
    let batch = batch.ok_or_else(|| l.place.shape(format!("{:?} and {:?} can't be multiplied", a.shape, b.shape)))?;
    let count = l.sized(&batch)?;
    if k == 0 {
        return Err(l.place.shape("it sums over nothing"));
    }
    let out = [&batch[..], &[m, n]].concat();
    l.sized(&out)?;
    let single = |list: &[usize]| list.iter().product::<usize>() == 1;
    if let Some(c) = b.constant()
        && a.constant().is_none()
    {
        if single(&batch_b) {
            // One matrix for all rows of all batches.
            let layer = Layer { groups: 1, rows: count * m, k, n, weights: transposed(c, 1, k, n) };
            return Ok(rows_first(l, a, layer)?.shaped(out));
        }
        let b = l.expanded(b, &[&batch[..], &[k, n]].concat())?;
        let a = l.expanded(a, &[&batch[..], &[m, k]].concat())?;
        let weights = transposed(b.constant().unwrap_or_default(), count, k, n);
        return Ok(rows_first(l, &a, Layer { groups: count, rows: m, k, n, weights })?.shaped(out));
    }
    let a = l.expanded(a, &[&batch[..], &[m, k]].concat())?;
    let b = l.expanded(b, &[&batch[..], &[k, n]].concat())?;
    if let Some(weights) = a.constant()
        && b.constant().is_none()
    {
        // The right matrix has its channels first already.
        let layer = Layer { groups: count, rows: n, k, n: m, weights: weights.to_vec() };
        return Ok(dense(l, &b, layer)?.shaped(out));
    }
    l.op(FloatOp::MatMul(MatMul { batch: count, m, k, n }), &[&a, &b], out, Kind::Float)
}

/// A grouped 1×1 convolution of `rows` positions, from `k` to `n` channels per group.
struct Layer {
    groups: usize,
    rows: usize,
    k: usize,
    n: usize,
    /// `[groups][n][k]`.
    weights: Vec<f32>,
}

/// Matrices `[count][k][n]` as `[count][n][k]`.
fn transposed(c: &[f32], count: usize, k: usize, n: usize) -> Vec<f32> {
    let column = |g: usize, j: usize| (0..k).map(move |i| c[(g * k + i) * n + j]);
    (0..count).flat_map(|g| (0..n).flat_map(move |j| column(g, j))).collect()
}

/// The layer on `[groups][rows][k]`, whose channels have to be moved first; the result `[groups][rows][n]`.
fn rows_first(l: &mut Lowering<'_>, x: &Value, layer: Layer) -> Lowered {
    let x = l.transposed(&x.clone().shaped(vec![layer.groups, layer.rows, layer.k]), &[0, 2, 1])?;
    let product = dense(l, &x, layer)?;
    l.transposed(&product, &[0, 2, 1])
}

/// The layer on `[groups][k][rows]`; the result `[groups][n][rows]`.
fn dense(l: &mut Lowering<'_>, x: &Value, layer: Layer) -> Lowered {
    let Layer { groups, rows, k, n, weights } = layer;
    l.sized(&[groups, k, n])?;
    let conv = Conv {
        channels: groups * k,
        height: 1,
        width: rows,
        out_channels: groups * n,
        kernel: [1, 1],
        stride: [1, 1],
        pads: [0; 4],
        dilation: [1, 1],
        groups,
        weights,
        bias: vec![0.0; groups * n],
    };
    l.op(FloatOp::Conv(conv), &[x], vec![groups, n, rows], Kind::Float)
}
