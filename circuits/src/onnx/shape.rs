//! Arithmetic of shapes and flat indices.

use crate::float::{MAX_ELEMENTS, Windows};

/// Most dimensions of a tensor.
pub(super) const MAX_RANK: usize = 32;

/// Number of elements, if it isn't absurd, not even along the other dimensions of an empty tensor.
pub(super) fn size(shape: &[usize]) -> Option<usize> {
    let size = shape.iter().try_fold(1usize, |a, d| a.checked_mul(*d.max(&1)))?;
    let fits = size <= MAX_ELEMENTS && shape.len() <= MAX_RANK;
    fits.then_some(if shape.contains(&0) { 0 } else { size })
}

/// How far apart neighbours along each axis are.
pub(super) fn strides(shape: &[usize]) -> Vec<isize> {
    let mut strides = vec![1isize; shape.len()];
    for i in (1..shape.len()).rev() {
        strides[i - 1] = strides[i].saturating_mul(shape[i] as isize);
    }
    strides
}

/// The index at every element of `shape` when a step along axis `i` moves by `strides[i]`, starting at `offset`.
/// The caller has checked that `shape` has a [`size`] and that no index is negative.
pub(super) fn walk(shape: &[usize], strides: &[isize], offset: isize) -> Vec<u32> {
    let mut out = vec![offset];
    for (d, s) in shape.iter().zip(strides) {
        out = out.iter().flat_map(|at| (0..*d as isize).map(move |i| at + i * s)).collect();
    }
    out.into_iter().map(|i| i as u32).collect()
}

/// The common shape of two by ONNX's rules.
pub(super) fn broadcast(a: &[usize], b: &[usize]) -> Option<Vec<usize>> {
    let rank = a.len().max(b.len());
    let dim = |s: &[usize], i: usize| (i + s.len()).checked_sub(rank).map_or(1, |i| s[i]);
    (0..rank)
        .map(|i| match (dim(a, i), dim(b, i)) {
            (x, y) if x == y || y == 1 => Some(x),
            (1, y) => Some(y),
            _ => None,
        })
        .collect()
}

/// For each element of `to` the element of `from` that is broadcast to it.
pub(super) fn spread(from: &[usize], to: &[usize]) -> Vec<u32> {
    let skipped = to.len().saturating_sub(from.len());
    let own = strides(from);
    let step = |i: usize| match i.checked_sub(skipped) {
        Some(i) if from[i] != 1 => own[i],
        _ => 0,
    };
    walk(to, &(0..to.len()).map(step).collect::<Vec<_>>(), 0)
}

/// A tensor cut into groups of elements that differ only along some axes.
pub(super) struct Groups {
    /// Elements of each group, in their order.
    pub(super) windows: Windows,
    /// The group of each element.
    pub(super) of: Vec<u32>,
    /// The tensor's shape with length 1 along the axes: one element per group.
    pub(super) kept: Vec<usize>,
    /// Elements of one group.
    pub(super) each: usize,
}

impl Groups {
    /// The axes are below the rank and differ. The caller has checked that `shape` has a [`size`] other than 0.
    pub(super) fn new(shape: &[usize], axes: &[usize]) -> Self {
        let part = |inside: bool| -> Vec<usize> {
            let dim = |(i, d): (usize, &usize)| if axes.contains(&i) == inside { *d } else { 1 };
            shape.iter().enumerate().map(dim).collect()
        };
        let (kept, within) = (part(false), part(true));
        let own = strides(shape);
        let (firsts, offsets) = (walk(&kept, &own, 0), walk(&within, &own, 0));
        let each = offsets.len();
        let indices: Vec<u32> = firsts.iter().flat_map(|f| offsets.iter().map(move |o| f + o)).collect();
        let mut of = vec![0; indices.len()];
        for (at, index) in indices.iter().enumerate() {
            of[*index as usize] = (at / each.max(1)) as u32;
        }
        let starts = (0..=firsts.len()).map(|i| (i * each) as u32).collect();
        Self { windows: Windows { starts, indices }, of, kept, each }
    }
}
