//! MaxPool, AveragePool and their global forms.

use super::super::build::Value;
use super::super::lower::{Lowered, Lowering};
use super::super::tensor::Kind;
use super::window::{axes, kernel, windows};
use crate::float::{FloatOp, Function, Ranked, Sparse, TopK, Windows};

/// A pool's windows over all channels.
struct Pool {
    windows: Windows,
    /// Shape of the output.
    shape: Vec<usize>,
    /// Taps of the kernel, including those that a window at the border leaves out.
    kernel: usize,
    /// Elements of one channel's board.
    board: usize,
}

fn pool(l: &mut Lowering<'_>, x: &Value) -> Lowered<Pool> {
    let spatial = x.shape.len().saturating_sub(2);
    if spatial == 0 {
        return Err(l.place.shape(format!("an input of shape {:?} has no board", x.shape)));
    }
    let kernel = kernel(l, spatial, None)?;
    let ceil = l.int("ceil_mode", 0)? != 0;
    let axes = axes(l, &x.shape[2..], &kernel, ceil)?;
    let mut shape = x.shape[..2].to_vec();
    shape.extend(axes.iter().map(|a| a.out));
    l.sized(&[&shape[..], &kernel].concat())?;
    let one = windows(l, &axes)?;
    if one.iter().any(Vec::is_empty) {
        return Err(l.place.setting("a window lies in the padding alone", "use less padding"));
    }
    let board: usize = x.shape[2..].iter().product();
    let mut all = Windows { starts: vec![0], indices: Vec::new() };
    for channel in 0..shape[0] * shape[1] {
        for taps in &one {
            all.indices.extend(taps.iter().map(|t| (channel * board) as u32 + t));
            all.starts.push(all.indices.len() as u32);
        }
    }
    Ok(Pool { windows: all, shape, kernel: kernel.iter().product(), board })
}

/// `MaxPool(x)`, with the positions of the largest as second output if it is used.
pub(crate) fn max_pool(l: &mut Lowering<'_>) -> Lowered<Vec<Value>> {
    let x = l.input(0)?;
    let pool = pool(l, &x)?;
    let column_major = l.int("storage_order", 0)? != 0;
    let values = l.largest(&x, &pool.windows, pool.shape.clone())?;
    if l.node.output.get(1).is_none_or(String::is_empty) {
        return Ok(vec![values]);
    }
    let positions = positions(l, &x, &pool, column_major)?;
    Ok(vec![values, positions])
}

/// Where each window's largest stands in the whole input. Windows of one form share a table from the position in the
/// window to the distance from its first element.
fn positions(l: &mut Lowering<'_>, x: &Value, pool: &Pool, column_major: bool) -> Lowered {
    let (height, width) = match x.shape[2..] {
        [h, w] => (h, w),
        _ if column_major => return Err(l.place.setting("storage_order is 1 without two axes", "leave it out")),
        _ => (1, pool.board),
    };
    let place = |index: u32| {
        let (channel, cell) = (index as usize / pool.board, index as usize % pool.board);
        let cell = if column_major { cell % width * height + cell / width } else { cell };
        (channel * pool.board + cell) as i64
    };
    let mut forms: Vec<(Vec<i64>, Vec<usize>)> = Vec::new();
    for i in 0..pool.windows.len() {
        let row = pool.windows.row(i);
        let form: Vec<i64> = row.iter().map(|j| place(*j) - place(row[0])).collect();
        match forms.iter_mut().find(|(f, _)| *f == form) {
            Some((_, members)) => members.push(i),
            None => forms.push((form, vec![i])),
        }
    }
    let mut parts = Vec::new();
    let mut order = vec![(0u32, 0u32); pool.windows.len()];
    for (part, (form, members)) in forms.iter().enumerate() {
        let mut windows = Windows { starts: vec![0], indices: Vec::new() };
        for (at, i) in members.iter().enumerate() {
            order[*i] = (part as u32, at as u32);
            windows.indices.extend(pool.windows.row(*i));
            windows.starts.push(windows.indices.len() as u32);
        }
        l.builder.spend(&l.place, windows.indices.len())?;
        let best = TopK { windows, k: 1, output: Ranked::Positions };
        let best = l.op(FloatOp::TopK(best), &[x], vec![members.len()], Kind::Integer)?;
        let table = Function::Table(form.iter().map(|d| *d as f32).collect());
        parts.push(l.unary(table, &best)?);
    }
    let mut rows = Sparse::empty();
    for (i, (part, at)) in order.iter().enumerate() {
        rows.add(place(pool.windows.row(i)[0]) as f32, [(*part, *at, 1.0)]);
    }
    l.sparse(&parts.iter().collect::<Vec<_>>(), rows, pool.shape.clone(), Kind::Integer)
}

/// `AveragePool(x)`: sums with constant weights.
pub(crate) fn average_pool(l: &mut Lowering<'_>) -> Lowered<Vec<Value>> {
    let x = l.input(0)?;
    let pool = pool(l, &x)?;
    let include = l.int("count_include_pad", 0)? != 0;
    // With padding, what ceil_mode adds behind it counts too: the divisor is the whole kernel.
    let count = |i| if include { pool.kernel } else { pool.windows.row(i).len() };
    let weights: Vec<f32> = (0..pool.windows.len()).map(|i| 1.0 / count(i) as f32).collect();
    Ok(vec![l.totals(&x, &pool.windows, &weights, pool.shape)?])
}

/// `GlobalMaxPool(x)`.
pub(crate) fn global_max(l: &mut Lowering<'_>) -> Lowered<Vec<Value>> {
    let x = l.input(0)?;
    let groups = l.groups(&x, &(2..x.shape.len()).collect::<Vec<_>>())?;
    Ok(vec![l.largest(&x, &groups.windows, groups.kept)?])
}

/// `GlobalAveragePool(x)`.
pub(crate) fn global_average(l: &mut Lowering<'_>) -> Lowered<Vec<Value>> {
    let x = l.input(0)?;
    let groups = l.groups(&x, &(2..x.shape.len()).collect::<Vec<_>>())?;
    let weights = vec![1.0 / groups.each as f32; groups.windows.len()];
    Ok(vec![l.totals(&x, &groups.windows, &weights, groups.kept)?])
}
