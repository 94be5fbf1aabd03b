//! Real weights and functions to integers and tables.

use super::super::{Compiled, room};
use super::*;
use crate::net::bounds::VALUE_MAX;

/// Bits that whole weights may have with their sign.
const EXACT_BITS: u32 = 20;

impl Lowered<'_> {
    /// Rounds a linear step and the function after it, which makes float tensor `tensor`.
    pub(super) fn linear(
        &mut self,
        step: Linearised<'_>,
        function: Option<&Function>,
        tensor: usize,
    ) -> Result<(), CompileError> {
        let public = self.float.outputs.contains(&tensor);
        if self.kinds.whole[tensor] && self.exact(&step, function, tensor)? {
            return Ok(());
        }
        // Moves of equal integers keep them.
        if let (Form::Sparse(sparse), None, Some(real)) = (&step.form, function, self.kept(&step))
            && (!public || self.kinds.passed[tensor] || self.kinds.whole[tensor])
        {
            let rows = 0..sparse.starts.len() - 1;
            let cells = rows.map(|o| sparse.of(o).first().map(|t| [t.input, t.index])).collect();
            let at = self.moved_from(step.name, step.inputs.clone(), cells, real)?;
            self.places[tensor] = Some((at, real));
            return Ok(());
        }
        if function.is_none() && (!public || self.kinds.passed[tensor]) && self.mirrored(&step, tensor)? {
            return Ok(());
        }
        if let Tables::Of(other) = self.tables {
            return self.fitted(step, tensor, other);
        }
        let mut out = self.out(function, tensor);
        let mut unit = match function {
            None => out.scale,
            Some(f) => self.unit(&step, f, out),
        };
        let first = unit;
        if let Form::Products(_) = &step.form {
            // Products have no weights to absorb a factor that is no power of two.
            let (least, most) = (step.weights[0], f64::from(1u32 << most_shift(self.options)));
            unit = least * (unit / least).log2().floor().exp2().clamp(1.0, most);
        }
        loop {
            let finest = Shift::Finest { bits: self.options.weight_bits, most: most_shift(self.options) };
            let (linear, mut bias, shift) = round(&step, unit, finest);
            let (least, most) = self.reached.quotients(&step.inputs, &linear, &bias, &shift);
            let rows = (most - least + 1) as usize;
            if rows > self.options.table_rows {
                if function.is_none_or(is_gentle) {
                    let name = &self.float.tensors[tensor].name;
                    room::fine_enough(self.options, name, public, unit / first, rows)?;
                }
                let wider = (rows as f64 / self.options.table_rows as f64 * 1.01).max(1.01);
                // A Relu's numbers get coarser with `q`, so that all of them share one table.
                if matches!(function, Some(Function::Relu)) && !public {
                    out.scale *= wider;
                }
                unit *= if let Form::Products(_) = &step.form { wider.log2().ceil().exp2() } else { wider };
                continue;
            }
            let plain = bias.clone();
            self.correct(&step, &linear, &mut bias, &shift, unit);
            let (least, most) = self.roomy(self.reached.quotients(&step.inputs, &linear, &bias, &shift));
            let value = |q: i64| {
                let x = q as f64 * unit;
                out.encode(function.map_or(x, |f| applied(f, x)))
            };
            let table = self.table(Table { low: least, values: (least..=most).map(value).collect() });
            let fine = unit / f64::from(1u32 << shift.first().copied().unwrap_or(0));
            let corrected = bias.iter().zip(&plain).map(|(b, p)| (b - p) as f64 * fine).collect();
            let (sums, coarse) = (step.target, unit > first);
            self.rounded.push(Rounded { made: tensor, sums, fine, unit, coarse, corrected });
            let rescale = Rescale { bias, shift, table };
            let name = step.name.to_owned();
            let at = self.push(Node { name, inputs: step.inputs, step: Step::Linear(linear, rescale) })?;
            self.places[tensor] = Some((at, out));
            return Ok(());
        }
    }

    /// A range with the room that is wanted for other networks' sums, on both sides alike.
    fn roomy(&self, (least, most): (i64, i64)) -> (i64, i64) {
        let Tables::Roomy(times) = self.tables else { return (least, most) };
        let more = (most - least + 1) * (i64::from(times.max(1)) - 1) / 2;
        (least - more, most + more)
    }

    /// Rounds a step as another network's was: its scale, shift and table.
    fn fitted(&mut self, step: Linearised<'_>, tensor: usize, other: &Compiled) -> Result<(), CompileError> {
        let name = || self.float.tensors[tensor].name.clone();
        let rounded = other.rounded.iter().find(|r| r.made == tensor);
        let node = other.net.nodes.get(self.net.nodes.len());
        let (Some(rounded), Some(Node { step: Step::Linear(_, theirs), .. }), Some((_, out))) =
            (rounded, node, other.places[tensor])
        else {
            return Err(CompileError::Unlike { tensor: name() });
        };
        let kept = Shift::Kept(theirs.shift.first().copied().unwrap_or(0));
        let (linear, mut bias, shift) = round(&step, rounded.unit, kept);
        let plain = bias.clone();
        self.correct(&step, &linear, &mut bias, &shift, rounded.unit);
        let (q_min, q_max) = self.reached.quotients(&step.inputs, &linear, &bias, &shift);
        let table = &other.net.tables[theirs.table];
        if q_min < table.low || q_max > table.high() {
            return Err(CompileError::Reach { tensor: name(), q_min, q_max, low: table.low, high: table.high() });
        }
        let corrected = bias.iter().zip(&plain).map(|(b, p)| (b - p) as f64 * rounded.fine).collect();
        self.rounded.push(Rounded { sums: step.target, corrected, ..rounded.clone() });
        let rescale = Rescale { bias, shift, table: theirs.table };
        let name = step.name.to_owned();
        let at = self.push(Node { name, inputs: step.inputs, step: Step::Linear(linear, rescale) })?;
        self.places[tensor] = Some((at, out));
        Ok(())
    }

    /// The integers that suit a tensor's values.
    fn out(&self, function: Option<&Function>, tensor: usize) -> Real {
        if function.is_some_and(is_bit) {
            return Real { scale: 1.0, zero: 0, bits: 1 };
        }
        let (low, high) = self.calibration.range(tensor);
        // Public numbers are not clipped, with room for inputs that calibration did not see.
        if self.float.outputs.contains(&tensor) {
            return real_of(low - (high - low) / 8.0, high + (high - low) / 8.0, self.options.output_bits);
        }
        let most = if self.kinds.compared[tensor] { self.options.output_bits } else { 0 };
        self.calibration.real(tensor, self.options.activation_bits.max(most))
    }

    /// Whole numbers of whole numbers, as they are: for those that a table has room for.
    fn exact(
        &mut self,
        step: &Linearised<'_>,
        function: Option<&Function>,
        tensor: usize,
    ) -> Result<bool, CompileError> {
        let whole = |at: &usize| self.means(*at).is_some_and(|real| real.scale == 1.0);
        let constants = step.weights.iter().chain(&step.bias).all(|v| v.fract() == 0.0);
        if matches!(step.form, Form::Conv(_)) || !constants || !step.inputs.iter().all(whole) {
            return Ok(false);
        }
        // A move of whole numbers with the same meaning takes no rows.
        if matches!(step.form, Form::Sparse(_)) && function.is_none() && self.kept(step).is_some() {
            return Ok(false);
        }
        let (linear, bias, shift) = round(step, 1.0, Shift::Finest { bits: EXACT_BITS, most: 0 });
        let (least, most) = self.reached.quotients(&step.inputs, &linear, &bias, &shift);
        if most - least >= self.options.table_rows as i64 {
            return Ok(false);
        }
        let value = |q: i64| function.map_or(q as f64, |f| applied(f, q as f64)).round() as i64;
        let values: Vec<i64> = (least..=most).map(value).collect();
        let low = values.iter().copied().min().unwrap_or(0).min(0);
        let high = values.iter().copied().max().unwrap_or(0).saturating_sub(low);
        if high > VALUE_MAX {
            return Ok(false);
        }
        let table = self.table(Table { low: least, values: values.iter().map(|v| v - low).collect() });
        let corrected = vec![0.0; bias.len()];
        let rounded = Rounded { made: tensor, sums: step.target, fine: 1.0, unit: 1.0, coarse: false, corrected };
        self.rounded.push(rounded);
        let step_of = Step::Linear(linear, Rescale { bias, shift, table });
        let at = self.push(Node { name: step.name.to_owned(), inputs: step.inputs.clone(), step: step_of })?;
        self.places[tensor] = Some((at, Real { scale: 1.0, zero: -low, bits: bits_of(high) }));
        Ok(true)
    }

    /// The negative of each number, exactly: the integers from the other end.
    fn mirrored(&mut self, step: &Linearised<'_>, tensor: usize) -> Result<bool, CompileError> {
        let Some(real) = step.inputs.first().and_then(|at| self.means(*at)) else { return Ok(false) };
        let same = step.inputs.iter().all(|at| self.means(*at) == Some(real));
        let negates = step.starts.windows(2).all(|w| w[1] - w[0] == 1)
            && step.weights.iter().all(|w| *w == -real.scale)
            && step.bias.iter().all(|b| *b == 0.0);
        let (Form::Sparse(sparse), true, true) = (&step.form, same, negates) else { return Ok(false) };
        let most = (1i64 << real.bits) - 1;
        let terms = sparse.terms.iter().map(|t| Term { weight: -1, ..*t }).collect();
        let linear = Linear::Sparse(Sparse { starts: sparse.starts.clone(), terms });
        let (bias, shift) = (vec![most; step.bias.len()], vec![0; step.bias.len()]);
        let (least, high) = self.reached.quotients(&step.inputs, &linear, &bias, &shift);
        let table = self.table(Table { low: least, values: (least..=high).map(|q| q.clamp(0, most)).collect() });
        let step_of = Step::Linear(linear, Rescale { bias, shift, table });
        let at = self.push(Node { name: step.name.to_owned(), inputs: step.inputs.clone(), step: step_of })?;
        self.places[tensor] = Some((at, Real { zero: most - real.zero, ..real }));
        Ok(true)
    }

    /// What the integers of one of the net's tensors mean.
    fn means(&self, at: usize) -> Option<Real> {
        self.places.iter().flatten().find(|(a, _)| *a == at).map(|p| p.1)
    }

    /// What the integers of a step's inputs mean, if it only moves them and all mean the same.
    fn kept(&self, step: &Linearised<'_>) -> Option<Real> {
        let first = self.means(*step.inputs.first()?)?;
        let same = step.inputs.iter().all(|at| self.means(*at) == Some(first));
        let moves = step.starts.windows(2).zip(&step.bias).all(|(w, b)| match w[1] - w[0] {
            0 => *b == 0.0,
            1 => *b == 0.0 && step.weights[w[0]] == first.scale,
            _ => false,
        });
        (same && moves).then_some(first)
    }

    /// The real value of one step of `q` that a function needs.
    fn unit(&self, step: &Linearised<'_>, function: &Function, out: Real) -> f64 {
        let place = step.inputs.first().and_then(|at| self.places.iter().flatten().find(|(a, _)| a == at));
        if let (Form::Sparse(sparse), Some((_, real))) = (&step.form, place)
            && sparse.terms.len() == step.bias.len()
            && step.weights.iter().all(|w| *w == real.scale)
        {
            return real.scale;
        }
        match function {
            Function::Table(_) | Function::IsZero | Function::Step | Function::StepOrEqual => {
                step.weights.iter().map(|w| w.abs()).filter(|w| *w > 0.0).fold(f64::INFINITY, f64::min).min(1.0)
            }
            f if is_gentle(f) => out.scale,
            _ => {
                let target = step.target.map(|t| self.calibration.range(t)).unwrap_or((0.0, 1.0));
                ((target.1 - target.0) / 2048.0).max(f64::MIN_POSITIVE)
            }
        }
    }

    /// Moves each row's bias by the mean error of its accumulators on the samples.
    fn correct(&self, step: &Linearised<'_>, linear: &Linear, bias: &mut [i64], shift: &[u32], unit: f64) {
        let Some(target) = step.target else { return };
        let rows = step.bias.len();
        let mut errors = vec![0f64; rows];
        for (trace, sample) in self.traces.iter().zip(&self.calibration.samples) {
            let a = accumulate(linear, &step.inputs, bias, trace);
            for (i, (a, wanted)) in a.iter().zip(&sample[target]).enumerate() {
                let half = if shift[i] > 0 { 0.5 } else { 0.0 };
                let real = (*a as f64 / f64::from(1u32 << shift[i]) - half) * unit;
                errors[i / step.cells] += real - f64::from(*wanted);
            }
        }
        let count = (self.traces.len() * step.cells).max(1) as f64;
        for (i, b) in bias.iter_mut().enumerate() {
            *b -= (errors[i / step.cells] / count / unit * f64::from(1u32 << shift[i])).round() as i64;
        }
    }
}

/// Whether a function is no steeper than 1, nearly: steps as fine as its results' lose nothing.
fn is_gentle(function: &Function) -> bool {
    matches!(
        function,
        Function::Relu
            | Function::LeakyRelu(_)
            | Function::Clip { .. }
            | Function::Sigmoid
            | Function::Tanh
            | Function::HardSigmoid { .. }
            | Function::HardSwish
            | Function::Gelu { .. }
            | Function::Softplus
            | Function::Elu(_)
            | Function::Abs
    )
}

/// A function's value at a number that it may have no value at: the nearest entry of an embedding, and 0 for what is no
/// number.
pub(in super::super) fn applied(function: &Function, x: f64) -> f64 {
    let y = match function {
        Function::Table(entries) => {
            let index = (x.round().max(0.0) as usize).min(entries.len().saturating_sub(1));
            entries.get(index).copied()
        }
        f => f.apply(x as f32),
    };
    y.filter(|y| !y.is_nan()).map_or(0.0, f64::from)
}

/// How much finer than `q` sums are.
enum Shift {
    /// As fine as weights of so many bits allow, at most so many bits.
    Finest { bits: u32, most: i32 },
    /// By so many bits.
    Kept(u32),
}

/// Integer weights, biases and shifts for a step of `q` of real value `unit`.
fn round(step: &Linearised<'_>, unit: f64, shift: Shift) -> (Linear, Vec<i64>, Vec<u32>) {
    if let Form::Products(products) = &step.form {
        let shift = (unit / step.weights[0]).log2().round().clamp(0.0, 20.0) as u32;
        let half = if shift > 0 { 1i64 << (shift - 1) } else { 0 };
        let outputs = step.bias.len();
        return (Linear::Products(products.clone()), vec![half; outputs], vec![shift; outputs]);
    }
    let shift = match shift {
        Shift::Kept(shift) => shift,
        Shift::Finest { bits, most: most_shift } => {
            let most = f64::from((1u32 << (bits - 1)) - 1);
            let whole = step.weights.iter().all(|w| (w / unit).fract() == 0.0 && (w / unit).abs() <= most);
            let largest = step.weights.iter().fold(0f64, |m, w| m.max(w.abs()));
            // One shift for all channels: each distinct one has its own remainders in the lookup table.
            let finest = (unit * most / largest).log2().floor() as i32;
            if whole { 0 } else { finest.clamp(0, most_shift) as u32 }
        }
    };
    let factor = f64::from(1u32 << shift) / unit;
    let weights: Vec<i64> = step.weights.iter().map(|w| (w * factor).round() as i64).collect();
    let half = if shift > 0 { 1i64 << (shift - 1) } else { 0 };
    let row_bias: Vec<i64> = step.bias.iter().map(|b| (b * factor).round() as i64 + half).collect();
    let (linear, zero_sums) = match &step.form {
        Form::Products(products) => (Linear::Products(products.clone()), vec![0; step.bias.len()]),
        Form::Conv(conv) => {
            let zero = step.zeros.first().copied().unwrap_or(0);
            let conv = Conv { weights, ..conv.clone() };
            // Padding stands for the real 0, which is no weight times the zero point.
            let sums = convolve(&conv, &vec![zero; conv.input.iter().product()]);
            (Linear::Conv(conv), sums)
        }
        Form::Sparse(sparse) => {
            let sums = step.starts.windows(2).map(|ends| (ends[0]..ends[1]).map(|t| weights[t] * step.zeros[t]).sum());
            let sums = sums.collect();
            let terms = sparse.terms.iter().zip(&weights).map(|(t, w)| Term { weight: *w, ..*t }).collect();
            (Linear::Sparse(Sparse { starts: sparse.starts.clone(), terms }), sums)
        }
    };
    let zero_sums: Vec<i64> = zero_sums;
    let bias = zero_sums.iter().enumerate().map(|(i, z)| row_bias[i / step.cells] - z).collect();
    let shift = vec![shift; zero_sums.len()];
    (linear, bias, shift)
}
