//! How far integers can be from the float network on one sample: half a step of everything that is rounded, carried on.
//!
//! For each number `v` of a tensor there is a bound `e` with `|decode(u) − v| ≤ e`. A sum's is `Σ |w'|·e + Σ |w' − w|·|v|`,
//! where `w'` is what the integer weight stands for, plus half a step of its constant, what bias correction added, and half a
//! step of the table. The numbers that a table makes of all `q` within that are known, so functions, however steep, and
//! clipping need no estimate.

use super::Compiled;
use super::blame::Rounded;
use super::lower::round::applied;
use crate::float::{Conv, FloatNode, FloatOp, Function, Ranked, RunError, Sparse, TopK};

/// Most steps of a table that are tried one by one; beyond, only this many between the ends.
const STEPS: f64 = 4096.0;

impl Compiled {
    /// For each output and each of its numbers the largest difference from the float network's that rounding explains.
    ///
    /// # Errors
    /// Fails if the sample doesn't fit the network.
    pub fn stated_errors(&self, sample: &[Vec<f32>]) -> Result<Vec<Vec<f64>>, RunError> {
        let values = self.float.run_all(sample)?;
        let mut errors: Vec<Vec<f64>> = vec![Vec::new(); values.len()];
        for input in &self.float.inputs {
            let Some((_, real)) = self.places[input.tensor] else { continue };
            let error = |v: &f32| (real.decode(real.encode(f64::from(*v))) - f64::from(*v)).abs();
            errors[input.tensor] = values[input.tensor].iter().map(error).collect();
        }
        for node in &self.float.nodes {
            let sums = self.rounded.iter().find(|r| r.sums == Some(node.output));
            let made = self.rounded.iter().find(|r| r.made == node.output);
            errors[node.output] = match (&node.op, sums, made) {
                // A function is in the table of the step whose sums it reads, or of its own.
                (FloatOp::Unary(f), _, Some(step)) => {
                    let identity = if step.sums.is_none() { self.identity(step, node) } else { 0.0 };
                    let read = values[node.inputs[0]].iter().zip(&errors[node.inputs[0]]);
                    let own = read.map(|(v, e)| e + identity * (f64::from(v.abs()) + e) + self.half(step)).collect();
                    let given = if step.sums.is_none() { own } else { errors[node.inputs[0]].clone() };
                    self.looked_up(step, Some(f), &values[node.inputs[0]], &given, &values[node.output])
                }
                (_, Some(step), _) => {
                    let sums = self.sums(step, node, &values, &errors);
                    // Without a function after it the step makes the tensor itself.
                    match step.made == node.output {
                        true => self.looked_up(step, None, &values[node.output], &sums, &values[node.output]),
                        false => sums,
                    }
                }
                // Numbers that are kept, or taken from the other end.
                (FloatOp::Sparse(s), None, _) => sparse_errors(s, |input, index| errors[node.inputs[input]][index]),
                (FloatOp::Max(w), ..) => {
                    let error =
                        |o: usize| w.row(o).iter().map(|i| errors[node.inputs[0]][*i as usize]).fold(0.0, f64::max);
                    (0..w.len()).map(error).collect()
                }
                (FloatOp::TopK(t), ..) => ranked(t, &values[node.inputs[0]], &errors[node.inputs[0]]),
                _ => vec![f64::INFINITY; values[node.output].len()],
            };
        }
        Ok(self.float.outputs.iter().map(|t| errors[*t].clone()).collect())
    }

    /// Half a step of the table, if sums are finer.
    fn half(&self, step: &Rounded) -> f64 {
        if step.fine < step.unit { step.unit / 2.0 } else { 0.0 }
    }

    /// How far the integer weight of a function's own input is from 1.
    fn identity(&self, step: &Rounded, node: &FloatNode) -> f64 {
        let weight = self.places[node.inputs[0]].map_or(1.0, |p| p.1.scale) / step.fine;
        ((weight.round() - weight) / weight).abs()
    }

    /// Bounds of a step's sums.
    fn sums(&self, step: &Rounded, node: &FloatNode, values: &[Vec<f32>], errors: &[Vec<f64>]) -> Vec<f64> {
        let (value, error) = (&values[node.inputs[0]], &errors[node.inputs[0]]);
        let rounded = self.with_rounded_weights(step);
        let mut sums = match (&node.op, rounded.as_ref().map(|n| &n.op)) {
            (FloatOp::Conv(plain), Some(FloatOp::Conv(rounded))) => {
                let carried = Conv { bias: vec![0.0; plain.bias.len()], ..rounded.clone() };
                let mut lost = carried.clone();
                lost.weights.iter_mut().zip(&plain.weights).for_each(|(r, p)| *r = (*r - p).abs());
                let magnitude: Vec<f32> = value.iter().map(|v| v.abs()).collect();
                let error: Vec<f32> = error.iter().map(|e| *e as f32).collect();
                let run = |conv: Conv, x: &[f32]| FloatOp::Conv(conv).run(&node.name, &[x]).unwrap_or_default();
                let absolute = Conv { weights: carried.weights.iter().map(|w| w.abs()).collect(), ..carried };
                let sums = run(absolute, &error).into_iter().zip(run(lost, &magnitude));
                sums.map(|(a, b)| f64::from(a) + f64::from(b)).collect::<Vec<f64>>()
            }
            (FloatOp::Sparse(plain), Some(FloatOp::Sparse(rounded))) => {
                let mut lost = rounded.clone();
                lost.terms.iter_mut().zip(&plain.terms).for_each(|(r, p)| r.weight -= p.weight);
                let carried = sparse_errors(rounded, |input, index| errors[node.inputs[input]][index]);
                let lost = sparse_errors(&lost, |input, index| f64::from(values[node.inputs[input]][index].abs()));
                carried.iter().zip(lost).map(|(a, b)| a + b).collect()
            }
            (FloatOp::Product(p), _) => {
                let second = (&values[node.inputs[1]], &errors[node.inputs[1]]);
                let pairs = p.left.iter().zip(&p.right);
                pairs.map(|(l, r)| product((value, error), *l as usize, second, *r as usize)).collect()
            }
            (FloatOp::MatMul(m), _) => {
                let second = (&values[node.inputs[1]], &errors[node.inputs[1]]);
                let sum = |o: usize| {
                    let (batch, i, j) = (o / (m.m * m.n), o / m.n % m.m, o % m.n);
                    let pair = |k: usize| ((batch * m.m + i) * m.k + k, (batch * m.k + k) * m.n + j);
                    (0..m.k).map(pair).map(|(l, r)| product((value, error), l, second, r)).sum()
                };
                (0..m.batch * m.m * m.n).map(sum).collect()
            }
            _ => Vec::new(),
        };
        // Products are exact; other constants are rounded.
        let constant = if rounded.is_some() { step.fine / 2.0 } else { 0.0 };
        for (sum, corrected) in sums.iter_mut().zip(&step.corrected) {
            *sum += constant + corrected.abs() + self.half(step);
        }
        sums
    }

    /// Bounds of what a table makes of sums: the worst of all `q` that they can be.
    fn looked_up(
        &self,
        step: &Rounded,
        function: Option<&Function>,
        sums: &[f32],
        errors: &[f64],
        wanted: &[f32],
    ) -> Vec<f64> {
        let Some((_, real)) = self.places[step.made] else { return errors.to_vec() };
        let worst = |((sum, error), wanted): ((&f32, &f64), &f32)| {
            let (sum, wanted) = (f64::from(*sum), f64::from(*wanted));
            // A sum that is exact but for the float network's own rounding is one `q`.
            let slack = error + 1e-6 * sum.abs() + 1e-9 * step.unit;
            let (low, high) = (((sum - slack) / step.unit).ceil(), ((sum + slack) / step.unit).floor());
            let stride = ((high - low) / STEPS).max(1.0);
            let mut worst = 0f64;
            let mut q = low;
            loop {
                let x = q.min(high) * step.unit;
                let got = real.decode(real.encode(function.map_or(x, |f| applied(f, x))));
                worst = worst.max((got - wanted).abs());
                if q >= high {
                    break worst;
                }
                q += stride;
            }
        };
        sums.iter().zip(errors).zip(wanted).map(worst).collect()
    }
}

/// `Σ |w|·e` of each output.
fn sparse_errors(sparse: &Sparse, error: impl Fn(usize, usize) -> f64) -> Vec<f64> {
    let term = |t: &crate::float::Term| f64::from(t.weight.abs()) * error(t.input as usize, t.index as usize);
    (0..sparse.outputs()).map(|o| sparse.row(o).iter().map(term).sum()).collect()
}

/// Bound of a product of two numbers.
fn product(x: (&Vec<f32>, &Vec<f64>), l: usize, y: (&Vec<f32>, &Vec<f64>), r: usize) -> f64 {
    let (v, w, e, f) = (f64::from(x.0[l].abs()), f64::from(y.0[r].abs()), x.1[l], y.1[r]);
    v * f + w * e + e * f
}

/// Bounds of a ranking: a value is off by no more than the numbers are; a position can be any that could be the winner's.
fn ranked(t: &TopK, values: &[f32], errors: &[f64]) -> Vec<f64> {
    let mut bounds = Vec::new();
    for window in (0..t.windows.len()).map(|w| t.windows.row(w)) {
        let most = window.iter().map(|i| errors[*i as usize]).fold(0.0, f64::max);
        let number = |i: usize| f64::from(values[window[i] as usize]);
        let mut order: Vec<usize> = (0..window.len()).collect();
        order.sort_by(|a, b| number(*b).total_cmp(&number(*a)));
        for winner in order.iter().take(t.k) {
            let could = |i: &usize| most > 0.0 && (number(*i) - number(*winner)).abs() <= 2.0 * most;
            let away = (0..window.len()).filter(could).map(|i| i.abs_diff(*winner)).max().unwrap_or(0);
            bounds.push(if t.output == Ranked::Values { most } else { away as f64 });
        }
    }
    bounds
}
