//! Nodes of the float network to nodes of the net, one by one.

mod phases;
mod rank;
pub(super) mod round;

use super::blame::Rounded;
use super::calibrate::{Calibration, real_of};
use super::kinds::{Kinds, is_bit};
use super::{CompileError, Options, Place, Real, Tables, input};
use crate::float::{self, FloatNet, FloatNode, FloatOp, Function};
use crate::net::bounds::Reached;
use crate::net::interpret::{accumulate, convolve, evaluate};
use crate::net::{Conv, Linear, Net, Node, Products, Rescale, Sparse, Step, Table, Term, Windows};
use phases::Phases;
use rank::{Ranking, bits_of};

/// Largest shift that is chosen: its remainders take `2^shift` rows of the lookup table. Weights of numbers that are finer
/// than usual need as many bits more, or they lose them.
fn most_shift(options: &Options) -> i32 {
    10 + options.activation_bits.saturating_sub(10).min(6) as i32
}
/// Samples on which biases are corrected.
const CORRECTED: usize = 64;

/// The net so far.
pub(super) struct Lowered<'a> {
    float: &'a FloatNet,
    calibration: &'a Calibration,
    options: &'a Options,
    tables: Tables<'a>,
    pub(super) net: Net,
    pub(super) places: Vec<Place>,
    pub(super) inputs: Vec<Real>,
    /// What was rounded how.
    pub(super) rounded: Vec<Rounded>,
    reached: Reached,
    /// Every tensor of the first samples.
    traces: Vec<Vec<Vec<i64>>>,
    /// Nodes whose function is in another node's table.
    fused: Vec<bool>,
    kinds: Kinds,
    /// Rankings so far: values and positions are two nodes of the float network.
    rankings: Vec<Ranking>,
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
        tables: Tables<'a>,
    ) -> Result<Self, CompileError> {
        let mut net = Net::default();
        if let Tables::Of(other) = tables {
            net.tables.clone_from(&other.net.tables);
        }
        let mut places = vec![None; float.tensors.len()];
        let mut inputs = Vec::new();
        for (i, given) in float.inputs.iter().enumerate() {
            let tensor = &float.tensors[given.tensor];
            let real = if float.flags.contains(&given.tensor) {
                Real { scale: 1.0, zero: 0, bits: 1 }
            } else if given.integer {
                let most = calibration.range(given.tensor).1.max(255.0) as u64;
                Real { scale: 1.0, zero: 0, bits: (u64::BITS - most.leading_zeros()).min(16) }
            } else {
                let (low, high) = calibration.range(given.tensor);
                real_of(low, high, options.input_bits)
            };
            // Another network's inputs mean what they mean there.
            let real = match tables {
                Tables::Of(other) => other.inputs.get(i).copied().unwrap_or(real),
                _ => real,
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
        let kinds = Kinds::of(float);
        let (rankings, rounded) = (Vec::new(), Vec::new());
        Ok(Self {
            rounded,
            float,
            calibration,
            options,
            tables,
            net,
            places,
            inputs,
            reached,
            traces,
            fused,
            kinds,
            rankings,
        })
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
            FloatOp::TopK(wanted) => self.rank(node, wanted),
        }
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
        if let Tables::Of(other) = self.tables
            && let Some(Node { step: Step::Linear(_, rescale), .. }) = other.net.nodes.get(self.net.nodes.len())
        {
            // Whether it is the same function is seen in the end: nothing of a table depends on weights that are private.
            return rescale.table;
        }
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
}
