//! What an operator's lowering sees: one node, its settings and inputs, and the network under construction.

use std::cell::RefCell;
use std::collections::{HashMap, HashSet};

use tract_onnx::pb::attribute_proto::AttributeType;
use tract_onnx::pb::{AttributeProto, NodeProto};

use super::build::{Builder, Place, Value};
use super::error::OnnxError;
use super::shape::{Groups, broadcast, size, spread, walk};
use super::tensor::Kind;
use crate::float::{FloatOp, Function, Product, Sparse, Windows};

/// A result of lowering.
pub(super) type Lowered<T = Value> = Result<T, OnnxError>;

/// One node on its way into the network.
#[derive(Debug)]
pub(super) struct Lowering<'a> {
    pub(super) node: &'a NodeProto,
    pub(super) place: Place,
    /// The file's version of ONNX's operators.
    pub(super) opset: i64,
    pub(super) values: &'a HashMap<String, Value>,
    pub(super) builder: &'a mut Builder,
    /// Attributes that the lowering knows; others are refused afterwards.
    pub(super) known: RefCell<HashSet<&'static str>>,
}

/// Settings.
impl<'a> Lowering<'a> {
    fn attribute(&self, name: &'static str, kind: AttributeType) -> Lowered<Option<&'a AttributeProto>> {
        self.known.borrow_mut().insert(name);
        let Some(a) = self.node.attribute.iter().find(|a| a.name == name) else { return Ok(None) };
        if a.r#type != kind as i32 && a.r#type != AttributeType::Undefined as i32 {
            return Err(self.place.setting(format!("attribute {name} has another type"), "export the model again"));
        }
        Ok(Some(a))
    }

    /// An integer attribute.
    pub(super) fn int(&self, name: &'static str, default: i64) -> Lowered<i64> {
        Ok(self.attribute(name, AttributeType::Int)?.map_or(default, |a| a.i))
    }

    /// An integer attribute that has no default.
    pub(super) fn int_if(&self, name: &'static str) -> Lowered<Option<i64>> {
        Ok(self.attribute(name, AttributeType::Int)?.map(|a| a.i))
    }

    /// A float attribute.
    pub(super) fn float(&self, name: &'static str, default: f32) -> Lowered<f32> {
        let v = self.attribute(name, AttributeType::Float)?.map_or(default, |a| a.f);
        if v.is_nan() {
            return Err(self.place.setting(format!("attribute {name} is NaN"), "export the model again"));
        }
        Ok(v)
    }

    /// A list of integers; `None` if it is left out.
    pub(super) fn ints(&self, name: &'static str) -> Lowered<Option<&'a [i64]>> {
        Ok(self.attribute(name, AttributeType::Ints)?.map(|a| &a.ints[..]))
    }

    /// A string attribute.
    pub(super) fn string(&self, name: &'static str, default: &str) -> Lowered<String> {
        let a = self.attribute(name, AttributeType::String)?;
        Ok(a.map_or(default.into(), |a| String::from_utf8_lossy(&a.s).into_owned()))
    }

    /// An attribute as it stands in the file, if it is there.
    pub(super) fn raw(&self, name: &'static str, kind: AttributeType) -> Lowered<Option<&'a AttributeProto>> {
        self.attribute(name, kind)
    }

    /// An axis counted from the front; −1 is the last of `rank`.
    pub(super) fn axis(&self, axis: i64, rank: usize) -> Lowered<usize> {
        let from_front = if axis < 0 { axis.saturating_add(rank as i64) } else { axis };
        match usize::try_from(from_front) {
            Ok(a) if a < rank => Ok(a),
            _ => Err(self.place.shape(format!("axis {axis} doesn't exist in {rank} dimensions"))),
        }
    }

    /// Several axes, each once.
    pub(super) fn axes(&self, axes: &[i64], rank: usize) -> Lowered<Vec<usize>> {
        let list: Vec<usize> = axes.iter().map(|a| self.axis(*a, rank)).collect::<Result<_, _>>()?;
        let mut seen = vec![false; rank];
        for a in &list {
            if std::mem::replace(&mut seen[*a], true) {
                return Err(self.place.shape(format!("axis {a} is named twice")));
            }
        }
        Ok(list)
    }
}

/// Inputs.
impl Lowering<'_> {
    /// An input that may be left out.
    pub(super) fn optional(&self, index: usize) -> Lowered<Option<Value>> {
        match self.node.input.get(index).map(String::as_str) {
            None | Some("") => Ok(None),
            Some(name) => match self.values.get(name) {
                Some(v) => Ok(Some(v.clone())),
                None => Err(self.place.setting(
                    format!("input {index} ({name}) is computed by no earlier node"),
                    "export the model again; nodes stand in the order of computation, without cycles",
                )),
            },
        }
    }

    /// An input.
    pub(super) fn input(&self, index: usize) -> Lowered {
        self.optional(index)?.ok_or_else(|| self.place.shape(format!("input {index} is missing")))
    }

    /// An input that must be constant; `None` if it is left out.
    pub(super) fn constant_if(&self, index: usize) -> Lowered<Option<Value>> {
        match self.optional(index)? {
            Some(v) if v.constant().is_none() => {
                let (operator, node) = (self.place.operator.clone(), self.place.node.clone());
                Err(OnnxError::NotConstant { operator, node, index, name: self.node.input[index].clone() })
            }
            v => Ok(v),
        }
    }

    /// The numbers of an input that must be constant, and its shape.
    pub(super) fn floats(&self, index: usize) -> Lowered<(Vec<usize>, Vec<f32>)> {
        let v = self.constant_if(index)?.ok_or_else(|| self.place.shape(format!("input {index} is missing")))?;
        let values = v.constant().unwrap_or_default().to_vec();
        Ok((v.shape, values))
    }

    /// One number of an input that must be constant; `None` if it is left out.
    pub(super) fn scalar(&self, index: usize) -> Lowered<Option<f32>> {
        let Some(v) = self.constant_if(index)? else { return Ok(None) };
        match v.constant() {
            Some([x]) => Ok(Some(*x)),
            _ => Err(self.place.shape(format!("input {index} isn't one number"))),
        }
    }

    /// The integers of an input that must be constant; `None` if it is left out.
    pub(super) fn list(&self, index: usize) -> Lowered<Option<Vec<i64>>> {
        let Some(v) = self.constant_if(index)? else { return Ok(None) };
        // Beyond 2^24 the numbers only say "to the end", and the conversion stops at the ends of i64.
        Ok(v.constant().map(|c| c.iter().map(|x| *x as i64).collect()))
    }

    /// A list that older versions have as an attribute and newer ones as an input.
    pub(super) fn list_or(&self, index: usize, attribute: &'static str) -> Lowered<Option<Vec<i64>>> {
        let given = self.ints(attribute)?.map(<[i64]>::to_vec);
        Ok(self.list(index)?.or(given))
    }
}

/// Steps that many operators are made of.
impl Lowering<'_> {
    /// A tensor's number of elements, if it can be made.
    pub(super) fn sized(&mut self, shape: &[usize]) -> Lowered<usize> {
        self.builder.sized(&self.place, shape)
    }

    /// A constant.
    pub(super) fn constant(&mut self, shape: Vec<usize>, kind: Kind, values: Vec<f32>) -> Value {
        self.builder.constant(shape, kind, values)
    }

    /// Any node.
    pub(super) fn op(&mut self, op: FloatOp, inputs: &[&Value], shape: Vec<usize>, kind: Kind) -> Lowered {
        self.builder.node(&self.place, op, inputs, shape, kind)
    }

    /// Weighted sums.
    pub(super) fn sparse(&mut self, inputs: &[&Value], rows: Sparse, shape: Vec<usize>, kind: Kind) -> Lowered {
        self.builder.sparse(&self.place, inputs, rows, shape, kind)
    }

    /// A function of every element.
    pub(super) fn unary(&mut self, f: Function, x: &Value) -> Lowered {
        self.op(FloatOp::Unary(f), &[x], x.shape.clone(), x.kind)
    }

    /// Element `map[i]` of the input at every place `i`.
    pub(super) fn moved(&mut self, x: &Value, map: &[u32], shape: Vec<usize>) -> Lowered {
        let mut rows = Sparse::empty();
        map.iter().for_each(|i| rows.add(0.0, [(0, *i, 1.0)]));
        self.sparse(&[x], rows, shape, x.kind)
    }

    /// The input read with other strides.
    pub(super) fn strided(&mut self, x: &Value, shape: Vec<usize>, strides: &[isize], offset: isize) -> Lowered {
        self.sized(&shape)?;
        let map = walk(&shape, strides, offset);
        self.moved(x, &map, shape)
    }

    /// The dimensions in another order: axis `i` of the result is axis `order[i]` of the input.
    pub(super) fn transposed(&mut self, x: &Value, order: &[usize]) -> Lowered {
        let own = super::shape::strides(&x.shape);
        let shape = order.iter().map(|a| x.shape[*a]).collect();
        self.strided(x, shape, &order.iter().map(|a| own[*a]).collect::<Vec<_>>(), 0)
    }

    /// Copies along new and unit axes until the value has this shape.
    pub(super) fn expanded(&mut self, x: &Value, shape: &[usize]) -> Lowered {
        if x.shape == shape {
            return Ok(x.clone());
        }
        self.sized(shape)?;
        if broadcast(&x.shape, shape).is_none_or(|s| s != shape) {
            return Err(self.place.shape(format!("shape {:?} can't be broadcast to {shape:?}", x.shape)));
        }
        self.moved(x, &spread(&x.shape, shape), shape.to_vec())
    }

    /// The shape that all values are broadcast to.
    pub(super) fn common(&mut self, values: &[&Value]) -> Lowered<Vec<usize>> {
        let mut shape = Vec::new();
        for v in values {
            let wider = broadcast(&shape, &v.shape);
            shape = wider.ok_or_else(|| {
                self.place.shape(format!(
                    "shapes {:?} can't be broadcast together",
                    values.iter().map(|v| &v.shape).collect::<Vec<_>>()
                ))
            })?;
        }
        self.sized(&shape)?;
        Ok(shape)
    }

    /// The sum of `weight · value` and a constant, broadcast.
    pub(super) fn sum(&mut self, terms: &[(&Value, f32)], bias: f32) -> Lowered {
        let values: Vec<&Value> = terms.iter().map(|(v, _)| *v).collect();
        let shape = self.common(&values)?;
        let maps: Vec<Vec<u32>> = values.iter().map(|v| spread(&v.shape, &shape)).collect();
        let mut rows = Sparse::empty();
        for i in 0..size(&shape).unwrap_or(0) {
            rows.add(bias, maps.iter().zip(terms).enumerate().map(|(input, (m, t))| (input as u32, m[i], t.1)));
        }
        let kind = values.iter().map(|v| v.kind).find(|k| *k == Kind::Float).unwrap_or(Kind::Integer);
        self.sparse(&values, rows, shape, kind)
    }

    /// The product of two values, broadcast.
    pub(super) fn product(&mut self, a: &Value, b: &Value) -> Lowered {
        let shape = self.common(&[a, b])?;
        let (left, right) = (spread(&a.shape, &shape), spread(&b.shape, &shape));
        self.product_of(a, b, left, right, shape)
    }

    /// The product of chosen elements of two values.
    pub(super) fn product_of(
        &mut self,
        a: &Value,
        b: &Value,
        left: Vec<u32>,
        right: Vec<u32>,
        shape: Vec<usize>,
    ) -> Lowered {
        let kind = if a.kind == Kind::Float || b.kind == Kind::Float { Kind::Float } else { Kind::Integer };
        let scaled = |indices: &[u32], factors: &[u32], constant: &[f32]| {
            let mut rows = Sparse::empty();
            let factor = |i: &u32| constant.get(*i as usize).copied().unwrap_or(0.0);
            indices.iter().zip(factors).for_each(|(i, f)| rows.add(0.0, [(0, *i, factor(f))]));
            rows
        };
        if let Some(c) = b.constant() {
            let rows = scaled(&left, &right, c);
            return self.sparse(&[a], rows, shape, kind);
        }
        if let Some(c) = a.constant() {
            let rows = scaled(&right, &left, c);
            return self.sparse(&[b], rows, shape, kind);
        }
        let (a, left) = self.builder.through_moves(a, &left).unwrap_or((a.clone(), left));
        let (b, right) = self.builder.through_moves(b, &right).unwrap_or((b.clone(), right));
        self.builder.spend(&self.place, 2 * left.len())?;
        self.op(FloatOp::Product(Product { left, right }), &[&a, &b], shape, kind)
    }

    /// The largest of each window.
    pub(super) fn largest(&mut self, x: &Value, windows: &Windows, shape: Vec<usize>) -> Lowered {
        self.builder.spend(&self.place, windows.indices.len())?;
        let (source, indices) =
            self.builder.through_moves(x, &windows.indices).unwrap_or_else(|| (x.clone(), windows.indices.clone()));
        let windows = Windows { starts: windows.starts.clone(), indices };
        self.op(FloatOp::Max(windows), &[&source], shape, x.kind)
    }

    /// The weighted sum of each window.
    pub(super) fn totals(&mut self, x: &Value, windows: &Windows, weights: &[f32], shape: Vec<usize>) -> Lowered {
        let mut rows = Sparse::empty();
        for (i, weight) in weights.iter().enumerate() {
            rows.add(0.0, windows.row(i).iter().map(|j| (0, *j, *weight)));
        }
        self.sparse(&[x], rows, shape, x.kind)
    }

    /// The value cut into groups along axes.
    pub(super) fn groups(&mut self, x: &Value, axes: &[usize]) -> Lowered<Groups> {
        if self.sized(&x.shape)? == 0 {
            return Err(self.place.shape("its input has no elements"));
        }
        Ok(Groups::new(&x.shape, axes))
    }

    /// Values one after the other, each flat.
    pub(super) fn joined(&mut self, values: &[&Value], order: &[(u32, u32)], shape: Vec<usize>) -> Lowered {
        let mut rows = Sparse::empty();
        order.iter().for_each(|(input, index)| rows.add(0.0, [(*input, *index, 1.0)]));
        let kind = values.first().map_or(Kind::Float, |v| v.kind);
        self.sparse(values, rows, shape, kind)
    }
}
