//! Puts a float network together, node by node, and folds what is constant.

use std::collections::HashMap;
use std::sync::Arc;

use super::error::OnnxError;
use super::shape::size;
use super::tensor::Kind;
use crate::float::{FloatInput, FloatNet, FloatNode, FloatOp, FloatTensor, Sparse, TensorId, Term};

/// Most numbers, indices and terms that all nodes and constants together may make beyond those of the file.
const BUDGET: usize = 1 << 27;

/// Most multiplications that are done to fold constants.
const FOLDING: usize = 1 << 28;

/// What a name of the ONNX graph stands for.
#[derive(Clone, Debug)]
pub(super) struct Value {
    /// Its ONNX shape.
    pub(super) shape: Vec<usize>,
    /// What its numbers are.
    pub(super) kind: Kind,
    /// Where they are.
    pub(super) form: Form,
}

/// Where a value's numbers are.
#[derive(Clone, Debug)]
pub(super) enum Form {
    /// Known now.
    Constant(Arc<Vec<f32>>),
    /// Computed by the network.
    Tensor(TensorId),
}

impl Value {
    /// How many numbers.
    pub(super) fn len(&self) -> usize {
        self.shape.iter().product()
    }

    /// The numbers, if they are known.
    pub(super) fn constant(&self) -> Option<&[f32]> {
        match &self.form {
            Form::Constant(c) => Some(c),
            Form::Tensor(_) => None,
        }
    }

    /// The same numbers as another kind.
    pub(super) fn of_kind(self, kind: Kind) -> Self {
        Self { kind, ..self }
    }

    /// The same numbers under a shape of the same size.
    pub(super) fn shaped(self, shape: Vec<usize>) -> Self {
        debug_assert_eq!(self.len(), shape.iter().product::<usize>());
        Self { shape, ..self }
    }
}

/// The node that is being lowered, for names and messages.
#[derive(Clone, Debug)]
pub(super) struct Place {
    pub(super) operator: String,
    pub(super) node: String,
    /// Name of its first output.
    pub(super) output: String,
}

impl Place {
    pub(super) fn setting(&self, what: impl Into<String>, advice: impl Into<String>) -> OnnxError {
        let (operator, node) = (self.operator.clone(), self.node.clone());
        OnnxError::Setting { operator, node, what: what.into(), advice: advice.into() }
    }

    pub(super) fn shape(&self, what: impl Into<String>) -> OnnxError {
        OnnxError::Shape { operator: self.operator.clone(), node: self.node.clone(), what: what.into() }
    }

    fn large(&self, what: String) -> OnnxError {
        self.setting(what, "use a smaller model")
    }
}

/// A tensor, one of its elements, and the factor that it is read with.
type Source = (TensorId, u32, f32);

/// A float network under construction.
#[derive(Debug, Default)]
pub(super) struct Builder {
    pub(super) net: FloatNet,
    /// The node that computes each tensor; inputs have none.
    producer: Vec<Option<usize>>,
    spent: usize,
}

impl Builder {
    /// A new graph input.
    pub(super) fn input(&mut self, name: &str, shape: Vec<usize>, kind: Kind) -> Value {
        let tensor = self.tensor(name.into(), shape.clone());
        self.net.inputs.push(FloatInput { tensor, integer: kind != Kind::Float });
        self.net.flags.extend((kind == Kind::Bool).then_some(tensor));
        Value { shape, kind, form: Form::Tensor(tensor) }
    }

    fn tensor(&mut self, name: String, shape: Vec<usize>) -> TensorId {
        self.net.tensors.push(FloatTensor { name, shape });
        self.producer.push(None);
        self.net.tensors.len() - 1
    }

    /// Number of elements of a shape that is about to be made; refuses absurd ones.
    pub(super) fn sized(&mut self, place: &Place, shape: &[usize]) -> Result<usize, OnnxError> {
        let size = size(shape).ok_or_else(|| place.large(format!("a tensor of shape {shape:?} is too large")))?;
        self.spend(place, size)?;
        Ok(size)
    }

    /// Counts numbers that are about to be made.
    pub(super) fn spend(&mut self, place: &Place, count: usize) -> Result<(), OnnxError> {
        self.spent = self.spent.saturating_add(count);
        if self.spent > BUDGET {
            return Err(place.large(format!("the network has more than {BUDGET} values and terms here")));
        }
        Ok(())
    }

    /// A constant.
    pub(super) fn constant(&mut self, shape: Vec<usize>, kind: Kind, values: Vec<f32>) -> Value {
        Value { shape, kind, form: Form::Constant(Arc::new(values)) }
    }

    /// Adds a node, or computes it now if all its inputs are constants.
    pub(super) fn node(
        &mut self,
        place: &Place,
        op: FloatOp,
        inputs: &[&Value],
        shape: Vec<usize>,
        kind: Kind,
    ) -> Result<Value, OnnxError> {
        let sizes: Vec<usize> = inputs.iter().map(|v| v.len()).collect();
        let written = op.outputs(&sizes).map_err(|what| place.shape(what))?;
        if written != self.sized(place, &shape)? {
            return Err(place.shape(format!("{written} values don't fill shape {shape:?}")));
        }
        let constants: Option<Vec<&[f32]>> = inputs.iter().map(|v| v.constant()).collect();
        if let Some(constants) = constants {
            if work(&op) > FOLDING {
                return Err(place.large("takes long, and its inputs are constants".into()));
            }
            let values = op.run(&place.node, &constants).map_err(|e| place.shape(e.to_string()))?;
            return Ok(self.constant(shape, kind, values));
        }
        if written == 0 {
            return Err(place.setting("writes a tensor without elements", "leave it out of the model"));
        }
        let read: Vec<TensorId> = inputs.iter().map(|v| self.stored(place, v)).collect::<Result<_, _>>()?;
        let tensor = self.push(place, op, read, shape.clone());
        Ok(Value { shape, kind, form: Form::Tensor(tensor) })
    }

    fn push(&mut self, place: &Place, op: FloatOp, inputs: Vec<TensorId>, shape: Vec<usize>) -> TensorId {
        let output = self.tensor(place.output.clone(), shape);
        let (name, operator) = (place.node.clone(), place.operator.clone());
        self.producer[output] = Some(self.net.nodes.len());
        self.net.nodes.push(FloatNode { name, operator, op, inputs, output });
        output
    }

    /// The value's tensor; a constant is written into one.
    pub(super) fn stored(&mut self, place: &Place, value: &Value) -> Result<TensorId, OnnxError> {
        match &value.form {
            Form::Tensor(t) => Ok(*t),
            Form::Constant(c) => {
                self.spend(place, c.len())?;
                let rows = Sparse { starts: vec![0; c.len() + 1], terms: Vec::new(), bias: c.to_vec() };
                Ok(self.push(place, FloatOp::Sparse(rows), Vec::new(), value.shape.clone()))
            }
        }
    }

    /// A tensor of its own for numbers that another tensor holds already.
    pub(super) fn copied(&mut self, place: &Place, from: TensorId, shape: &[usize]) -> TensorId {
        let mut rows = Sparse::empty();
        (0..self.net.tensors[from].len()).for_each(|i| rows.add(0.0, [(0, i as u32, 1.0)]));
        self.push(place, FloatOp::Sparse(rows), vec![from], shape.to_vec())
    }

    /// Adds weighted sums. Constants join the bias, and sums of one term only are read through: a move after a move
    /// is one move, and one that moves nothing is none.
    pub(super) fn sparse(
        &mut self,
        place: &Place,
        inputs: &[&Value],
        rows: Sparse,
        shape: Vec<usize>,
        kind: Kind,
    ) -> Result<Value, OnnxError> {
        let sizes: Vec<usize> = inputs.iter().map(|v| v.len()).collect();
        rows.fits(&sizes).map_err(|what| place.shape(what))?;
        self.spend(place, rows.terms.len())?;
        let (sources, rows) = self.through(inputs, &rows);
        if sources.is_empty() {
            self.sized(place, &shape)?;
            return Ok(self.constant(shape, kind, rows.bias));
        }
        if let [only] = sources[..]
            && self.net.tensors[only].len() == rows.outputs()
            && rows.is_move()
            && (0..rows.outputs()).all(|i| matches!(rows.row(i), [t] if t.index as usize == i))
        {
            return Ok(Value { shape, kind, form: Form::Tensor(only) });
        }
        let read: Vec<Value> = sources
            .iter()
            .map(|t| Value { shape: self.net.tensors[*t].shape.clone(), kind, form: Form::Tensor(*t) })
            .collect();
        self.node(place, FloatOp::Sparse(rows), &read.iter().collect::<Vec<_>>(), shape, kind)
    }

    /// The sums over the tensors that they really depend on.
    fn through(&self, inputs: &[&Value], rows: &Sparse) -> (Vec<TensorId>, Sparse) {
        let mut sources: Vec<TensorId> = Vec::new();
        let mut places: HashMap<TensorId, u32> = HashMap::new();
        let mut out = Sparse { starts: vec![0], terms: Vec::with_capacity(rows.terms.len()), bias: Vec::new() };
        for i in 0..rows.outputs() {
            let mut bias = f64::from(rows.bias[i]);
            let mut constant = |factor: f32, value: f32| bias += f64::from(factor) * f64::from(value);
            let first = out.terms.len();
            for t in rows.row(i).iter().filter(|t| t.weight != 0.0) {
                let (tensor, index, weight) = match &inputs[t.input as usize].form {
                    Form::Constant(c) => {
                        constant(t.weight, c[t.index as usize]);
                        continue;
                    }
                    Form::Tensor(tensor) => match self.one_term(*tensor, t.index) {
                        Some((value, None)) => {
                            constant(t.weight, value);
                            continue;
                        }
                        Some((value, Some((tensor, index, weight)))) => {
                            constant(t.weight, value);
                            (tensor, index, t.weight * weight)
                        }
                        None => (*tensor, t.index, t.weight),
                    },
                };
                let input = *places.entry(tensor).or_insert_with(|| {
                    sources.push(tensor);
                    sources.len() as u32 - 1
                });
                out.terms.push(Term { input, index, weight });
            }
            merge(&mut out.terms, first);
            out.push(bias as f32);
        }
        // Terms that cancelled may have been a source's only ones.
        let mut used = vec![false; sources.len()];
        out.terms.iter().for_each(|t| used[t.input as usize] = true);
        let renamed: Vec<u32> = used
            .iter()
            .scan(0, |kept, used| {
                let place = *kept;
                *kept += u32::from(*used);
                Some(place)
            })
            .collect();
        out.terms.iter_mut().for_each(|t| t.input = renamed[t.input as usize]);
        let sources = sources.into_iter().zip(used).filter(|(_, u)| *u).map(|(s, _)| s).collect();
        (sources, out)
    }

    /// The constant and the only term of an element that is a sum of at most one term.
    fn one_term(&self, tensor: TensorId, index: u32) -> Option<(f32, Option<Source>)> {
        let node = &self.net.nodes[self.producer[tensor]?];
        let FloatOp::Sparse(rows) = &node.op else { return None };
        let bias = rows.bias[index as usize];
        match rows.row(index as usize) {
            [] => Some((bias, None)),
            [t] => Some((bias, Some((node.inputs[t.input as usize], t.index, t.weight)))),
            _ => None,
        }
    }

    /// The tensor that all these elements are copies from, and which of its elements they are.
    pub(super) fn through_moves(&self, value: &Value, indices: &[u32]) -> Option<(Value, Vec<u32>)> {
        let Form::Tensor(tensor) = value.form else { return None };
        let mut source = None;
        let mut moved = Vec::with_capacity(indices.len());
        for i in indices {
            let (from, index) = match self.one_term(tensor, *i)? {
                (0.0, Some((from, index, 1.0))) => (from, index),
                _ => return None,
            };
            if *source.get_or_insert(from) != from {
                return None;
            }
            moved.push(index);
        }
        let from = source?;
        let shape = self.net.tensors[from].shape.clone();
        Some((Value { shape, kind: value.kind, form: Form::Tensor(from) }, moved))
    }

    /// The constant that is added to each element where it is computed, for values that are sums.
    pub(super) fn offsets(&self, value: &Value) -> Option<&[f32]> {
        let Form::Tensor(tensor) = value.form else { return None };
        match &self.net.nodes[self.producer[tensor]?].op {
            FloatOp::Sparse(rows) => Some(&rows.bias),
            _ => None,
        }
    }
}

/// Adds up the terms from `first` on that read the same element.
fn merge(terms: &mut Vec<Term>, first: usize) {
    let row = &mut terms[first..];
    if row.len() < 2 {
        return;
    }
    row.sort_by_key(|t| (t.input, t.index));
    let mut last = first;
    for i in first + 1..terms.len() {
        let t = terms[i];
        if (terms[last].input, terms[last].index) == (t.input, t.index) {
            terms[last].weight += t.weight;
        } else {
            last += usize::from(terms[last].weight != 0.0);
            terms[last] = t;
        }
    }
    last += usize::from(terms[last].weight != 0.0);
    terms.truncate(last);
}

/// Multiplications, about.
fn work(op: &FloatOp) -> usize {
    match op {
        FloatOp::Conv(c) => {
            let cells = c.out_board().map_or(0, |[h, w]| h.saturating_mul(w));
            cells.saturating_mul(c.weights.len())
        }
        FloatOp::MatMul(m) => m.batch.saturating_mul(m.m).saturating_mul(m.k).saturating_mul(m.n),
        _ => 0,
    }
}

impl Sparse {
    /// Ends a row whose terms have been pushed.
    fn push(&mut self, bias: f32) {
        self.bias.push(bias);
        self.starts.push(self.terms.len() as u32);
    }

    /// No rows yet.
    pub(super) fn empty() -> Self {
        Self { starts: vec![0], ..Self::default() }
    }

    /// Adds a row of terms `(input, index, weight)`.
    pub(super) fn add(&mut self, bias: f32, terms: impl IntoIterator<Item = (u32, u32, f32)>) {
        self.terms.extend(terms.into_iter().map(|(input, index, weight)| Term { input, index, weight }));
        self.push(bias);
    }
}
