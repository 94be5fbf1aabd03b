//! Nodes of the float network to nodes of the net, one by one.

use super::calibrate::{Calibration, real_of};
use super::{CompileError, Options, Place, Real, input};
use crate::float::{self, FloatNet, FloatNode, FloatOp, Function};
use crate::net::bounds::Reached;
use crate::net::interpret::{accumulate, convolve, evaluate};
use crate::net::{Conv, Linear, Net, Node, Products, Rescale, Sparse, Step, Table, Term, Windows};

/// Largest shift that is chosen: its remainders take that many rows of the lookup table.
const SHIFT: i32 = 10;
/// Samples on which biases are corrected.
const CORRECTED: usize = 64;

/// The net so far.
pub(super) struct Lowered<'a> {
    float: &'a FloatNet,
    calibration: &'a Calibration,
    options: &'a Options,
    pub(super) net: Net,
    pub(super) places: Vec<Place>,
    pub(super) inputs: Vec<Real>,
    reached: Reached,
    /// Every tensor of the first samples.
    traces: Vec<Vec<Vec<i64>>>,
    /// Nodes whose function is in another node's table.
    fused: Vec<bool>,
}

/// A linear step before rounding: real weights per step of the inputs' integers.
struct Linearised<'a> {
    name: &'a str,
    inputs: Vec<usize>,
    /// The step with its weights still to be filled in.
    form: Form,
    /// Real weights, row by row, times their inputs' scales.
    weights: Vec<f64>,
    /// First weight of each row, and their number.
    starts: Vec<usize>,
    /// Zero point of each weight's input.
    zeros: Vec<i64>,
    /// Real constant of each row.
    bias: Vec<f64>,
    /// Outputs per row.
    cells: usize,
    /// The float tensor that the accumulators stand for, if there is one.
    target: Option<usize>,
}

enum Form {
    Conv(Conv),
    Sparse(Sparse),
    Products(Products),
}

impl<'a> Lowered<'a> {
    pub(super) fn new(
        float: &'a FloatNet,
        calibration: &'a Calibration,
        options: &'a Options,
    ) -> Result<Self, CompileError> {
        let mut net = Net::default();
        let mut places = vec![None; float.tensors.len()];
        let mut inputs = Vec::new();
        for (i, given) in float.inputs.iter().enumerate() {
            let tensor = &float.tensors[given.tensor];
            let real = if given.integer {
                let most = calibration.range(given.tensor).1.max(255.0) as u64;
                Real { scale: 1.0, zero: 0, bits: (u64::BITS - most.leading_zeros()).min(16) }
            } else {
                let (low, high) = calibration.range(given.tensor);
                real_of(low, high, options.input_bits)
            };
            net.inputs.push(input(&tensor.name, tensor.len(), real.bits));
            places[given.tensor] = Some((i, real));
            inputs.push(real);
        }
        let encoded = |sample: &Vec<Vec<f32>>| {
            let encode = |(given, real): (&float::FloatInput, &Real)| {
                sample[given.tensor].iter().map(|v| real.encode(f64::from(*v))).collect()
            };
            float.inputs.iter().zip(&inputs).map(encode).collect()
        };
        let traces = calibration.samples.iter().take(CORRECTED).map(encoded).collect();
        let reached = Reached::inputs(&net);
        let fused = vec![false; float.nodes.len()];
        Ok(Self { float, calibration, options, net, places, inputs, reached, traces, fused })
    }

    /// Where a float tensor is in the net.
    pub(super) fn at(&self, tensor: usize) -> Result<usize, CompileError> {
        Ok(self.place(tensor)?.0)
    }

    /// What an output's integers mean.
    pub(super) fn output(&self, tensor: usize) -> Result<Real, CompileError> {
        Ok(self.place(tensor)?.1)
    }

    fn place(&self, tensor: usize) -> Result<(usize, Real), CompileError> {
        self.places[tensor].ok_or_else(|| CompileError::Unsupported {
            operator: "?".into(),
            node: self.float.tensors[tensor].name.clone(),
            what: "a tensor that nothing computes",
        })
    }

    /// Lowers node `n`, whose inputs are there.
    pub(super) fn node(&mut self, n: usize) -> Result<(), CompileError> {
        if self.fused[n] {
            return Ok(());
        }
        let node = &self.float.nodes[n];
        match &node.op {
            FloatOp::Conv(conv) => self.conv(n, node, conv),
            FloatOp::Sparse(sparse) => self.sparse(n, node, sparse),
            FloatOp::Unary(function) => {
                let len = self.float.tensors[node.output].len();
                let identity = float::Sparse {
                    starts: (0..=len as u32).collect(),
                    terms: (0..len as u32).map(|index| float::Term { input: 0, index, weight: 1.0 }).collect(),
                    bias: vec![0.0; len],
                };
                let step = self.sparse_step(node, &identity)?;
                self.linear(step, Some(function), node.output)
            }
            FloatOp::Max(windows) => {
                let (source, real) = self.place(node.inputs[0])?;
                let windows = Windows { starts: windows.starts.clone(), indices: windows.indices.clone() };
                let at = self.push(Node { name: node.name.clone(), inputs: vec![source], step: Step::Max(windows) })?;
                self.places[node.output] = Some((at, real));
                Ok(())
            }
            FloatOp::Product(product) => {
                let pairs = product.left.iter().zip(&product.right).map(|(l, r)| [*l, *r]).collect();
                self.products(node, (0..=product.left.len() as u32).collect(), pairs)
            }
            FloatOp::MatMul(m) => {
                let mut pairs = Vec::new();
                for batch in 0..m.batch {
                    for (i, j) in (0..m.m).flat_map(|i| (0..m.n).map(move |j| (i, j))) {
                        let pair =
                            |k: usize| [((batch * m.m + i) * m.k + k) as u32, ((batch * m.k + k) * m.n + j) as u32];
                        pairs.extend((0..m.k).map(pair));
                    }
                }
                let outputs = m.batch * m.m * m.n;
                self.products(node, (0..=outputs).map(|o| (o * m.k) as u32).collect(), pairs)
            }
            FloatOp::TopK(_) => self.unsupported(node, "a ranking"),
        }
    }

    fn unsupported(&self, node: &FloatNode, what: &'static str) -> Result<(), CompileError> {
        Err(CompileError::Unsupported { operator: node.operator.clone(), node: node.name.clone(), what })
    }

    /// The function that alone reads a tensor, and the tensor that it makes.
    fn following(&mut self, tensor: usize) -> Option<(&'a Function, usize)> {
        if self.float.outputs.contains(&tensor) {
            return None;
        }
        let float = self.float;
        let mut readers = float.nodes.iter().enumerate().filter(|(_, n)| n.inputs.contains(&tensor));
        match (readers.next(), readers.next()) {
            (Some((i, FloatNode { op: FloatOp::Unary(function), output, .. })), None) => {
                self.fused[i] = true;
                Some((function, *output))
            }
            _ => None,
        }
    }

    fn sparse(&mut self, n: usize, node: &'a FloatNode, sparse: &float::Sparse) -> Result<(), CompileError> {
        let step = self.sparse_step(node, sparse)?;
        match self.following(self.float.nodes[n].output) {
            Some((function, tensor)) => self.linear(step, Some(function), tensor),
            None => self.linear(step, None, node.output),
        }
    }

    fn sparse_step(&self, node: &'a FloatNode, sparse: &float::Sparse) -> Result<Linearised<'a>, CompileError> {
        let places = node.inputs.iter().map(|t| self.place(*t)).collect::<Result<Vec<_>, _>>()?;
        let real = |t: &float::Term| places[t.input as usize].1;
        let terms = sparse.terms.iter().map(|t| Term { input: t.input, index: t.index, weight: 0 }).collect();
        Ok(Linearised {
            name: &node.name,
            inputs: places.iter().map(|p| p.0).collect(),
            form: Form::Sparse(Sparse { starts: sparse.starts.clone(), terms }),
            weights: sparse.terms.iter().map(|t| f64::from(t.weight) * real(t).scale).collect(),
            starts: sparse.starts.iter().map(|s| *s as usize).collect(),
            zeros: sparse.terms.iter().map(|t| real(t).zero).collect(),
            bias: sparse.bias.iter().map(|b| f64::from(*b)).collect(),
            cells: 1,
            target: matches!(node.op, FloatOp::Sparse(_)).then_some(node.output),
        })
    }

    fn conv(&mut self, n: usize, node: &'a FloatNode, conv: &float::Conv) -> Result<(), CompileError> {
        let (source, real) = self.place(node.inputs[0])?;
        let extent = [0, 1].map(|i| (conv.kernel[i] - 1) * conv.dilation[i] + 1);
        let [top, left, bottom, right] = conv.pads;
        let plain = conv.stride == [1, 1] && top.max(bottom) < extent[0] && left.max(right) < extent[1];
        let (source, form, weights) = if plain {
            let form = Conv {
                input: [conv.channels, conv.height, conv.width],
                channels: conv.out_channels,
                kernel: conv.kernel,
                pads: conv.pads,
                dilation: conv.dilation,
                groups: conv.groups,
                weights: vec![],
            };
            (source, form, conv.weights.iter().map(|w| f64::from(*w)).collect())
        } else {
            let phases = Phases::new(conv).ok_or_else(|| CompileError::Unsupported {
                operator: node.operator.clone(),
                node: node.name.clone(),
                what: "a kernel larger than its input",
            })?;
            (self.moved(&node.name, source, &phases.cells, real)?, phases.conv, phases.weights)
        };
        let taps = weights.len() / conv.out_channels;
        let [height, width] = form.plane();
        let step = Linearised {
            name: &node.name,
            inputs: vec![source],
            cells: height * width,
            form: Form::Conv(form),
            starts: (0..=conv.out_channels).map(|o| o * taps).collect(),
            zeros: vec![real.zero; weights.len()],
            weights: weights.iter().map(|w: &f64| w * real.scale).collect(),
            bias: conv.bias.iter().map(|b| f64::from(*b)).collect(),
            target: Some(node.output),
        };
        match self.following(self.float.nodes[n].output) {
            Some((function, tensor)) => self.linear(step, Some(function), tensor),
            None => self.linear(step, None, node.output),
        }
    }

    /// Sums of products: their unit is that of both factors, and a power of two.
    fn products(&mut self, node: &'a FloatNode, starts: Vec<u32>, pairs: Vec<[u32; 2]>) -> Result<(), CompileError> {
        let (left, right) = (self.place(node.inputs[0])?, self.place(node.inputs[1])?);
        let outputs = starts.len() - 1;
        let step = Linearised {
            name: &node.name,
            inputs: vec![left.0, right.0],
            form: Form::Products(Products { starts, pairs, zeros: [left.1.zero, right.1.zero] }),
            weights: vec![left.1.scale * right.1.scale],
            starts: vec![],
            zeros: vec![],
            bias: vec![0.0; outputs],
            cells: 1,
            target: Some(node.output),
        };
        match self.following(node.output) {
            Some((function, tensor)) => self.linear(step, Some(function), tensor),
            None => self.linear(step, None, node.output),
        }
    }

    /// A tensor laid out anew; `None` stands for 0.
    fn moved(&mut self, name: &str, source: usize, cells: &[Option<u32>], real: Real) -> Result<usize, CompileError> {
        self.moved_from(name, vec![source], cells.iter().map(|c| c.map(|index| [0, index])).collect(), real)
    }

    /// Numbers of several tensors that mean the same; `None` stands for 0, which a node of its own makes.
    fn moved_from(
        &mut self,
        name: &str,
        mut sources: Vec<usize>,
        cells: Vec<Option<[u32; 2]>>,
        real: Real,
    ) -> Result<usize, CompileError> {
        let zero = [sources.len() as u32, 0];
        if cells.iter().any(Option::is_none) {
            let table = self.table(Table { low: 0, values: (0..1 << real.bits).collect() });
            let rescale = Rescale { bias: vec![real.zero], shift: vec![0], table };
            let constant = Linear::Sparse(Sparse { starts: vec![0, 0], terms: vec![] });
            let inputs = vec![sources[0]];
            sources.push(self.push(Node {
                name: format!("{name}, zero"),
                inputs,
                step: Step::Linear(constant, rescale),
            })?);
        }
        let from = cells.into_iter().map(|cell| cell.unwrap_or(zero)).collect();
        self.push(Node { name: name.to_owned(), inputs: sources, step: Step::Move(from) })
    }

    /// The number of a table: of one that is there already, lengthened, if both agree where they overlap. Fewer tables
    /// are fewer rows of the circuit.
    fn table(&mut self, table: Table) -> usize {
        let agrees = |t: &Table| {
            let (low, high) = (t.low.max(table.low), t.high().min(table.high()));
            low <= high && (low..=high).all(|q| t.get(q) == table.get(q))
        };
        let Some(at) = self.net.tables.iter().position(agrees) else {
            self.net.tables.push(table);
            return self.net.tables.len() - 1;
        };
        let old = &self.net.tables[at];
        let (low, high) = (old.low.min(table.low), old.high().max(table.high()));
        let values = (low..=high).filter_map(|q| old.get(q).or(table.get(q))).collect();
        self.net.tables[at] = Table { low, values };
        at
    }

    /// Adds a node; its tensor.
    fn push(&mut self, node: Node) -> Result<usize, CompileError> {
        self.reached.push(&node, &self.net.tables)?;
        for trace in &mut self.traces {
            let (_, x) = evaluate(&node, &self.net.tables, trace)?;
            trace.push(x);
        }
        self.net.nodes.push(node);
        Ok(self.net.tensors() - 1)
    }

    /// Rounds a linear step and the function after it, which makes float tensor `tensor`.
    fn linear(&mut self, step: Linearised<'_>, function: Option<&Function>, tensor: usize) -> Result<(), CompileError> {
        let public = self.float.outputs.contains(&tensor);
        // Moves of equal integers keep them.
        if let (Form::Sparse(sparse), None, false) = (&step.form, function, public)
            && let Some(real) = self.kept(&step)
        {
            let rows = 0..sparse.starts.len() - 1;
            let cells = rows.map(|o| sparse.of(o).first().map(|t| [t.input, t.index])).collect();
            let at = self.moved_from(step.name, step.inputs.clone(), cells, real)?;
            self.places[tensor] = Some((at, real));
            return Ok(());
        }
        let (low, high) = self.calibration.range(tensor);
        // Public numbers are not clipped, with room for inputs that calibration did not see.
        let mut out = if public {
            real_of(low - (high - low) / 8.0, high + (high - low) / 8.0, self.options.output_bits)
        } else {
            self.calibration.real(tensor, self.options.activation_bits)
        };
        let mut unit = match function {
            None => out.scale,
            Some(f) => self.unit(&step, f, out),
        };
        if let Form::Products(_) = &step.form {
            // Products have no weights to absorb a factor that is no power of two.
            let (least, most) = (step.weights[0], f64::from(1u32 << SHIFT));
            unit = least * (unit / least).log2().floor().exp2().clamp(1.0, most);
        }
        loop {
            let (linear, mut bias, shift) = round(&step, unit, self.options.weight_bits);
            let (least, most) = self.reached.quotients(&step.inputs, &linear, &bias, &shift);
            let rows = (most - least + 1) as usize;
            if rows > self.options.table_rows {
                let wider = (rows as f64 / self.options.table_rows as f64 * 1.01).max(1.01);
                // A Relu's numbers get coarser with `q`, so that all of them share one table.
                if matches!(function, Some(Function::Relu)) && !public {
                    out.scale *= wider;
                }
                unit *= if let Form::Products(_) = &step.form { wider.log2().ceil().exp2() } else { wider };
                continue;
            }
            self.correct(&step, &linear, &mut bias, &shift, unit);
            let (least, most) = self.reached.quotients(&step.inputs, &linear, &bias, &shift);
            let value = |q: i64| {
                let x = q as f64 * unit;
                let y = match function {
                    None => x,
                    // Tables of embeddings take whole numbers.
                    Some(Function::Table(entries)) => {
                        let index = (x.round().max(0.0) as usize).min(entries.len().saturating_sub(1));
                        f64::from(entries.get(index).copied().unwrap_or(0.0))
                    }
                    Some(f) => f.apply(x as f32).map(f64::from).unwrap_or(0.0),
                };
                out.encode(if y.is_nan() { 0.0 } else { y })
            };
            let table = self.table(Table { low: least, values: (least..=most).map(value).collect() });
            let rescale = Rescale { bias, shift, table };
            let name = step.name.to_owned();
            let at = self.push(Node { name, inputs: step.inputs, step: Step::Linear(linear, rescale) })?;
            self.places[tensor] = Some((at, out));
            return Ok(());
        }
    }

    /// What the integers of a step's inputs mean, if it only moves them and all mean the same.
    fn kept(&self, step: &Linearised<'_>) -> Option<Real> {
        let place = |at: &usize| self.places.iter().flatten().find(|(a, _)| a == at).map(|p| p.1);
        let first = place(step.inputs.first()?)?;
        let same = step.inputs.iter().all(|at| place(at) == Some(first));
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
            // No steeper than 1, nearly.
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
            | Function::Abs => out.scale,
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

/// Integer weights, biases and shifts for a step of `q` of real value `unit`.
fn round(step: &Linearised<'_>, unit: f64, bits: u32) -> (Linear, Vec<i64>, Vec<u32>) {
    if let Form::Products(products) = &step.form {
        let shift = (unit / step.weights[0]).log2().round().clamp(0.0, 20.0) as u32;
        let half = if shift > 0 { 1i64 << (shift - 1) } else { 0 };
        let outputs = step.bias.len();
        return (Linear::Products(products.clone()), vec![half; outputs], vec![shift; outputs]);
    }
    let most = f64::from((1u32 << (bits - 1)) - 1);
    let whole = step.weights.iter().all(|w| (w / unit).fract() == 0.0 && (w / unit).abs() <= most);
    let largest = step.weights.iter().fold(0f64, |m, w| m.max(w.abs()));
    // One shift for all channels: each distinct one has its own remainders in the lookup table.
    let shift = if whole { 0 } else { ((unit * most / largest).log2().floor() as i32).clamp(0, SHIFT) as u32 };
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

/// A convolution with strides as one without: the padded input split into phases, each a channel of its own.
struct Phases {
    cells: Vec<Option<u32>>,
    conv: Conv,
    weights: Vec<f64>,
}

impl Phases {
    fn new(conv: &float::Conv) -> Option<Self> {
        let [out_height, out_width] = conv.out_board()?;
        let extent = [0, 1].map(|i| (conv.kernel[i] - 1) * conv.dilation[i] + 1);
        let [down, across] = conv.stride;
        let kernel = [extent[0].div_ceil(down), extent[1].div_ceil(across)];
        let (height, width) = (out_height + kernel[0] - 1, out_width + kernel[1] - 1);
        let mut cells = Vec::new();
        for c in 0..conv.channels {
            for phase in 0..down * across {
                for i in 0..height {
                    for j in 0..width {
                        let row = (i * down + phase / across).checked_sub(conv.pads[0]).filter(|r| *r < conv.height);
                        let column =
                            (j * across + phase % across).checked_sub(conv.pads[1]).filter(|c| *c < conv.width);
                        let cell = row.zip(column).map(|(r, w)| ((c * conv.height + r) * conv.width + w) as u32);
                        cells.push(cell);
                    }
                }
            }
        }
        let ins = conv.channels / conv.groups;
        let mut weights = Vec::new();
        for o in 0..conv.out_channels {
            for c in 0..ins {
                for phase in 0..down * across {
                    for tap in 0..kernel[0] * kernel[1] {
                        let at = [tap / kernel[1] * down + phase / across, tap % kernel[1] * across + phase % across];
                        let fits = |i: usize| at[i] < extent[i] && at[i].is_multiple_of(conv.dilation[i]);
                        let old = at[0] / conv.dilation[0] * conv.kernel[1] + at[1] / conv.dilation[1];
                        let old = (o * ins + c) * conv.kernel[0] * conv.kernel[1] + old;
                        weights.push(if fits(0) && fits(1) { f64::from(conv.weights[old]) } else { 0.0 });
                    }
                }
            }
        }
        let form = Conv {
            input: [conv.channels * down * across, height, width],
            channels: conv.out_channels,
            kernel,
            pads: [0; 4],
            dilation: [1, 1],
            groups: conv.groups,
            weights: vec![],
        };
        Some(Self { cells, conv: form, weights })
    }
}
