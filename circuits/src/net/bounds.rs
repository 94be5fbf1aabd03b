//! Whether a net's parts fit together, and what it can compute at all: interval arithmetic over every input.
//!
//! A `q` outside its table has no proof, so a net in which some input could make one is refused when it is compiled:
//! nobody can stop the prover by choosing an input.

use super::{Conv, Linear, Net, Node, Products, Rescale, Sparse, Step, Table, interpret::convolve};

/// Bound on the absolute value of accumulators and biases; keeps every sum far below the field's size.
pub const ACCUMULATOR_MAX: i64 = 1 << 40;
/// Bound on the absolute value of weights.
pub const WEIGHT_MAX: i64 = 1 << 20;
/// Largest shift.
pub const SHIFT_MAX: u32 = 20;
/// Largest number in a table.
pub const VALUE_MAX: i64 = 65_535;
/// Most cells of a tensor, terms of a sum, weights of a layer.
const SIZE_MAX: usize = 1 << 24;

/// Why a net can't be proven or run.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NetError {
    /// The parts of the net don't fit together.
    #[error("node {node}: {what}; compile the model again")]
    Structure {
        /// The node's name.
        node: String,
        /// What is wrong.
        what: String,
    },
    /// An accumulator could leave its table.
    #[error(
        "node {node}: q ranges over {q_min} to {q_max}, its table over {low} to {high}; compile with a larger shift or a wider table"
    )]
    Range {
        /// The node's name.
        node: String,
        /// Least `q`.
        q_min: i64,
        /// Largest `q`.
        q_max: i64,
        /// Least `q` of the table.
        low: i64,
        /// Largest `q` of the table.
        high: i64,
    },
    /// An accumulator could become too large.
    #[error("node {node}: accumulators reach {reach}, beyond ±2^40; use narrower weights or activations")]
    Accumulator {
        /// The node's name.
        node: String,
        /// The largest absolute value.
        reach: i64,
    },
    /// The wrong number of inputs.
    #[error("{got} inputs were given, the model reads {want}")]
    Inputs {
        /// Number given.
        got: usize,
        /// Number wanted.
        want: usize,
    },
    /// An input of the wrong length.
    #[error("input {input} has {got} numbers, the model reads {want}")]
    InputLength {
        /// The input's name.
        input: String,
        /// Numbers given.
        got: usize,
        /// Numbers wanted.
        want: usize,
    },
    /// A number that an input has no room for.
    #[error("input {input}: number {index} is {value}, outside 0 to {max}")]
    InputRange {
        /// The input's name.
        input: String,
        /// Which number.
        index: usize,
        /// What it is.
        value: i64,
        /// The largest that fits.
        max: i64,
    },
}

/// The provable ranges of a net.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Bounds {
    /// Least and largest `q` of each node; (0, 0) for maxima and moves.
    pub quotients: Vec<(i64, i64)>,
    /// Least and largest number of each tensor.
    pub tensors: Vec<(i64, i64)>,
}

/// Per number of a tensor: the least and the largest value.
#[derive(Clone, Debug)]
struct Reach {
    low: Vec<i64>,
    high: Vec<i64>,
}

/// What each number of the tensors so far can be.
#[derive(Clone, Debug, Default)]
pub(crate) struct Reached(Vec<Reach>);

impl Reached {
    /// The ranges of a net's inputs.
    pub(crate) fn inputs(net: &Net) -> Self {
        let reach = |len, bits| Reach { low: vec![0; len], high: vec![(1i64 << bits) - 1; len] };
        Self(net.inputs.iter().map(|i| reach(i.len, i.bits)).collect())
    }

    /// Least and largest number of the last tensor.
    fn last(&self) -> (i64, i64) {
        let last = self.0.last();
        let ends = last.and_then(|r| Some((*r.low.iter().min()?, *r.high.iter().max()?)));
        ends.unwrap_or((0, 0))
    }

    /// The largest number of a tensor.
    pub(crate) fn most(&self, tensor: usize) -> i64 {
        self.0[tensor].high.iter().copied().max().unwrap_or(0)
    }

    fn accumulators(&self, inputs: &[usize], linear: &Linear) -> Reach {
        match linear {
            Linear::Conv(conv) => conv_reach(conv, &self.0[inputs[0]]),
            Linear::Sparse(sparse) => sparse_reach(sparse, inputs, &self.0),
            Linear::Products(products) => {
                let same = inputs[0] == inputs[1];
                product_reach(products, &self.0[inputs[0]], &self.0[inputs[1]], same)
            }
        }
    }

    /// Least and largest `q` that a linear step can give.
    pub(crate) fn quotients(&self, inputs: &[usize], linear: &Linear, bias: &[i64], shift: &[u32]) -> (i64, i64) {
        let a = self.accumulators(inputs, linear);
        let q = |a: i64, i: usize| a.saturating_add(bias[i]) >> shift[i];
        let low = a.low.iter().enumerate().map(|(i, a)| q(*a, i)).min().unwrap_or(0);
        (low, a.high.iter().enumerate().map(|(i, a)| q(*a, i)).max().unwrap_or(0))
    }

    /// Adds a node's tensor; says what its `q` can be.
    ///
    /// # Errors
    /// Fails if a `q` leaves its table or an accumulator is too large.
    pub(crate) fn push(&mut self, node: &Node, tables: &[Table]) -> Result<(i64, i64), NetError> {
        let (reach, quotients) = match &node.step {
            Step::Linear(linear, rescale) => {
                looked_up(node, self.accumulators(&node.inputs, linear), rescale, &tables[rescale.table])?
            }
            Step::Max(windows) => {
                let source = &self.0[node.inputs[0]];
                let largest = |values: &[i64]| {
                    let of = |o: usize| windows.of(o).iter().map(|i| values[*i as usize]).max().unwrap_or(0);
                    (0..node.len()).map(of).collect::<Vec<i64>>()
                };
                (Reach { low: largest(&source.low), high: largest(&source.high) }, (0, 0))
            }
            Step::Move(from) => {
                let reach = |[input, index]: &[u32; 2]| {
                    let source = &self.0[node.inputs[*input as usize]];
                    (source.low[*index as usize], source.high[*index as usize])
                };
                let (low, high) = from.iter().map(reach).unzip();
                (Reach { low, high }, (0, 0))
            }
        };
        self.0.push(reach);
        Ok(quotients)
    }
}

/// Checks a net's structure and computes its ranges; those of a private model are what its tables allow.
///
/// # Errors
/// Names the first node that doesn't fit or whose range leaves its table.
pub fn check(net: &Net) -> Result<Bounds, NetError> {
    structure(net)?;
    let mut reached = Reached::inputs(net);
    let mut bounds = Bounds::default();
    bounds.tensors.extend(net.inputs.iter().map(|i| (0, (1 << i.bits) - 1)));
    for node in &net.nodes {
        bounds.quotients.push(reached.push(node, &net.tables)?);
        bounds.tensors.push(reached.last());
    }
    if net.privacy.model.is_private() {
        return declared(net);
    }
    outputs_fit(net, bounds)
}

/// Checks a net's structure, and gives the ranges that its tables allow, whatever the weights are: all that a private model
/// shows.
///
/// # Errors
/// Names the first node that doesn't fit.
pub fn declared(net: &Net) -> Result<Bounds, NetError> {
    structure(net)?;
    let mut bounds = Bounds::default();
    bounds.tensors.extend(net.inputs.iter().map(|i| (0, (1 << i.bits) - 1)));
    for node in &net.nodes {
        let join = |a: (i64, i64), b: (i64, i64)| (a.0.min(b.0), a.1.max(b.1));
        let sources = node.inputs.iter().map(|t| bounds.tensors[*t]).reduce(join).unwrap_or((0, 0));
        let (quotients, reach) = match &node.step {
            Step::Linear(_, rescale) => {
                let Table { low, values } = &net.tables[rescale.table];
                let most = values.iter().copied().max().unwrap_or(0);
                ((*low, net.tables[rescale.table].high()), (values.iter().copied().min().unwrap_or(0), most))
            }
            Step::Max(_) => ((0, 0), bounds.tensors[node.inputs[0]]),
            Step::Move(_) => ((0, 0), sources),
        };
        bounds.quotients.push(quotients);
        bounds.tensors.push(reach);
    }
    outputs_fit(net, bounds)
}

fn outputs_fit(net: &Net, bounds: Bounds) -> Result<Bounds, NetError> {
    for output in &net.outputs {
        let (_, high) = bounds.tensors[output.tensor];
        if high >= 1 << output.bits {
            let what = format!("reaches {high}, which does not fit {} bits", output.bits);
            return Err(NetError::Structure { node: output.name.clone(), what });
        }
    }
    Ok(bounds)
}

fn conv_reach(conv: &Conv, x: &Reach) -> Reach {
    let part = |sign: fn(i64) -> i64| Conv { weights: conv.weights.iter().map(|w| sign(*w)).collect(), ..conv.clone() };
    let (up, down) = (part(|w| w.max(0)), part(|w| w.min(0)));
    let sum = |a: &[i64], b: &[i64]| {
        let mut sum = convolve(&up, a);
        sum.iter_mut().zip(convolve(&down, b)).for_each(|(s, v)| *s += v);
        sum
    };
    Reach { low: sum(&x.low, &x.high), high: sum(&x.high, &x.low) }
}

fn sparse_reach(sparse: &Sparse, inputs: &[usize], reached: &[Reach]) -> Reach {
    let sum = |o: usize, largest: bool| {
        let term = |t: &super::Term| {
            let x = &reached[inputs[t.input as usize]];
            let end = if (t.weight > 0) == largest { &x.high } else { &x.low };
            t.weight.saturating_mul(end[t.index as usize])
        };
        sparse.of(o).iter().map(term).fold(0i64, i64::saturating_add)
    };
    let outputs = 0..sparse.starts.len() - 1;
    Reach { low: outputs.clone().map(|o| sum(o, false)).collect(), high: outputs.map(|o| sum(o, true)).collect() }
}

/// Ends of a product are among the products of ends; a square is not negative.
fn product_reach(products: &Products, x: &Reach, y: &Reach, same: bool) -> Reach {
    let [left, right] = products.zeros;
    let (mut low, mut high) = (Vec::new(), Vec::new());
    for o in 0..products.starts.len() - 1 {
        let (mut least, mut most) = (0i64, 0i64);
        for [l, r] in products.of(o) {
            let (l, r) = (*l as usize, *r as usize);
            let (a, b) = ([x.low[l] - left, x.high[l] - left], [y.low[r] - right, y.high[r] - right]);
            let ends = [a[0] * b[0], a[0] * b[1], a[1] * b[0], a[1] * b[1]];
            let square = same && l == r && left == right;
            let floor = if square { 0 } else { i64::MIN };
            least = least.saturating_add(ends.iter().min().copied().unwrap_or(0).max(floor));
            most = most.saturating_add(ends.iter().max().copied().unwrap_or(0));
        }
        low.push(least);
        high.push(most);
    }
    Reach { low, high }
}

fn looked_up(node: &Node, mut a: Reach, rescale: &Rescale, table: &Table) -> Result<(Reach, (i64, i64)), NetError> {
    let monotone = table.values.is_sorted() || table.values.is_sorted_by(|a, b| a >= b);
    let (mut least, mut most) = (i64::MAX, i64::MIN);
    for i in 0..a.low.len() {
        let (low, high) = (a.low[i].saturating_add(rescale.bias[i]), a.high[i].saturating_add(rescale.bias[i]));
        let reach = low.saturating_abs().max(high.saturating_abs());
        if reach > ACCUMULATOR_MAX {
            return Err(NetError::Accumulator { node: node.name.clone(), reach });
        }
        let (low, high) = (low >> rescale.shift[i], high >> rescale.shift[i]);
        (least, most) = (least.min(low), most.max(high));
        if low < table.low || high > table.high() {
            continue;
        }
        let part = &table.values[(low - table.low) as usize..=(high - table.low) as usize];
        let ends = [part[0], part[part.len() - 1]];
        let part = if monotone { &ends[..] } else { part };
        a.low[i] = part.iter().min().copied().unwrap_or(0);
        a.high[i] = part.iter().max().copied().unwrap_or(0);
    }
    if least < table.low || most > table.high() {
        let (low, high) = (table.low, table.high());
        return Err(NetError::Range { node: node.name.clone(), q_min: least, q_max: most, low, high });
    }
    Ok((a, (least, most)))
}

/// Checks lengths, indices and orders, so that nothing that runs the net can go out of range.
pub(super) fn structure(net: &Net) -> Result<(), NetError> {
    let fail = |node: &str, what: String| Err(NetError::Structure { node: node.to_owned(), what });
    if net.inputs.is_empty() || net.nodes.is_empty() || net.outputs.is_empty() {
        return fail("net", "a net needs an input, a node and an output".into());
    }
    for input in &net.inputs {
        if input.len == 0 || input.len > SIZE_MAX || !(1..=16).contains(&input.bits) {
            return fail(&input.name, format!("has {} numbers of {} bits", input.len, input.bits));
        }
    }
    for (i, table) in net.tables.iter().enumerate() {
        let valued = table.values.iter().all(|v| (0..=VALUE_MAX).contains(v));
        if table.values.is_empty() || table.values.len() > 1 << 20 || !valued || table.low.abs() > 1 << 20 {
            return fail("net", format!("table {i} is empty, too long, or has a value outside 0 to {VALUE_MAX}"));
        }
    }
    for (i, node) in net.nodes.iter().enumerate() {
        let own = net.inputs.len() + i;
        if node.inputs.is_empty() || node.inputs.iter().any(|t| *t >= own) {
            return fail(&node.name, "reads a tensor that is not there yet".into());
        }
        match &node.step {
            Step::Linear(linear, rescale) => {
                match linear {
                    Linear::Conv(conv) => conv_fits(net, node, conv)?,
                    Linear::Sparse(sparse) => sparse_fits(net, node, sparse)?,
                    Linear::Products(products) => products_fit(net, node, products)?,
                }
                let len = node.len();
                if rescale.bias.len() != len || rescale.shift.len() != len || rescale.table >= net.tables.len() {
                    return fail(&node.name, "has biases or shifts of another length, or no table".into());
                }
                if rescale.shift.iter().any(|s| *s > SHIFT_MAX) {
                    return fail(&node.name, format!("has a shift above {SHIFT_MAX}"));
                }
            }
            Step::Move(from) => {
                let known = |[input, index]: &[u32; 2]| {
                    node.inputs.get(*input as usize).is_some_and(|t| (*index as usize) < net.len(*t))
                };
                if from.is_empty() || from.len() > SIZE_MAX || !from.iter().all(known) {
                    return fail(&node.name, "moves nothing, or a number outside of its inputs".into());
                }
            }
            Step::Max(windows) => {
                let len = net.len(node.inputs[0]);
                let inside = windows.indices.iter().all(|i| (*i as usize) < len);
                if !csr(&windows.starts, windows.indices.len())
                    || !inside
                    || windows.starts.windows(2).any(|w| w[0] == w[1])
                {
                    return fail(&node.name, "has a window that is empty or outside of its input".into());
                }
            }
        }
    }
    for output in &net.outputs {
        if output.tensor >= net.tensors() || !(1..=16).contains(&output.bits) {
            return fail(&output.name, "is no tensor, or wider than 16 bits".into());
        }
    }
    Ok(())
}

fn csr(starts: &[u32], len: usize) -> bool {
    starts.len() > 1 && starts[0] == 0 && starts.is_sorted() && starts[starts.len() - 1] as usize == len
}

fn sparse_fits(net: &Net, node: &Node, sparse: &Sparse) -> Result<(), NetError> {
    let known = |t: &super::Term| {
        let input = node.inputs.get(t.input as usize);
        input.is_some_and(|i| (t.index as usize) < net.len(*i)) && t.weight.abs() <= WEIGHT_MAX
    };
    if csr(&sparse.starts, sparse.terms.len()) && sparse.terms.iter().all(known) {
        return Ok(());
    }
    Err(NetError::Structure { node: node.name.clone(), what: "has a term outside of its inputs".into() })
}

fn products_fit(net: &Net, node: &Node, products: &Products) -> Result<(), NetError> {
    if let [left, right] = node.inputs[..] {
        let known = |[l, r]: &[u32; 2]| (*l as usize) < net.len(left) && (*r as usize) < net.len(right);
        let zeros = products.zeros.iter().all(|z| (0..=VALUE_MAX).contains(z));
        if zeros && csr(&products.starts, products.pairs.len()) && products.pairs.iter().all(known) {
            return Ok(());
        }
    }
    Err(NetError::Structure { node: node.name.clone(), what: "has a factor outside of its two inputs".into() })
}

fn conv_fits(net: &Net, node: &Node, conv: &Conv) -> Result<(), NetError> {
    let fail = |what: &str| Err(NetError::Structure { node: node.name.clone(), what: what.into() });
    let sizes = conv.input.iter().chain(&conv.kernel).chain(&conv.dilation).chain([&conv.channels, &conv.groups]);
    if sizes.clone().any(|s| *s == 0 || *s > 1 << 16) || conv.pads.iter().any(|p| *p > 1 << 16) {
        return fail("has a size of 0, or beyond 65536");
    }
    let product = |sizes: &[usize]| sizes.iter().try_fold(1usize, |a, s| a.checked_mul(*s)).filter(|p| *p <= SIZE_MAX);
    if product(&conv.input) != Some(net.len(node.inputs[0])) {
        return fail("reads planes of another size than its input's");
    }
    if !conv.input[0].is_multiple_of(conv.groups) || !conv.channels.is_multiple_of(conv.groups) {
        return fail("has channels that its groups do not divide");
    }
    let [kh, kw] = conv.extent();
    let [top, left, bottom, right] = conv.pads;
    if kh > conv.input[1] + top + bottom || kw > conv.input[2] + left + right {
        return fail("has a kernel larger than its padded input");
    }
    // A pad as large as the kernel would give outputs that see nothing; no exporter makes them.
    if top.max(bottom) >= kh || left.max(right) >= kw {
        return fail("has a padding as large as its kernel");
    }
    let want = product(&[conv.channels, conv.input[0] / conv.groups, conv.kernel[0], conv.kernel[1]]);
    if want != Some(conv.weights.len()) || conv.weights.iter().any(|w| w.abs() > WEIGHT_MAX) {
        return fail("has the wrong number of weights, or one that is too wide");
    }
    let [h, w] = conv.plane();
    if product(&[conv.channels, h, w]).is_none() {
        return fail("writes too many numbers");
    }
    Ok(())
}
