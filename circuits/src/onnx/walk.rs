//! The walk over an ONNX graph that builds the float network.

use std::cell::RefCell;
use std::collections::{HashMap, HashSet};

use tract_onnx::pb::tensor_shape_proto::dimension::Value as Dim;
use tract_onnx::pb::{GraphProto, ModelProto, NodeProto, ValueInfoProto, type_proto};
use tract_onnx::prelude::Framework;

use super::build::{Builder, Form, Place, Value};
use super::error::OnnxError;
use super::lower::Lowering;
use super::registry::{Operator, advice, find};
use super::shape::size;
use super::tensor::{Constant, Kind};
use super::{OPSETS, simplify};
use crate::float::{FloatNet, FloatOp, FloatTensor, Function, TensorId};
use crate::import::proto::name_of;

/// Reads a file.
pub(super) fn walk(bytes: &[u8]) -> Result<FloatNet, OnnxError> {
    let (graph, opset) = decode(bytes)?;
    // All operators are looked up first, so that one message comes before any work.
    let operators: Vec<&Operator> = graph.node.iter().map(|n| operator(n, opset)).collect::<Result<_, _>>()?;
    let mut builder = Builder::default();
    let mut values = HashMap::new();
    for t in &graph.initializer {
        let c = Constant::decode(&t.name, t)?;
        values.insert(t.name.clone(), Value { shape: c.shape, kind: c.kind, form: Form::Constant(c.values) });
    }
    let mut seen = HashSet::new();
    for info in &graph.input {
        if !seen.insert(&info.name) {
            return Err(input(info, "stands there twice", "export the model again"));
        }
        // Old files list initialisers among the inputs.
        if !values.contains_key(&info.name) {
            let (shape, kind) = interface(info)?;
            values.insert(info.name.clone(), builder.input(&info.name, shape, kind));
        }
    }
    for (node, operator) in graph.node.iter().zip(operators) {
        lower(node, operator, opset, &mut values, &mut builder)?;
    }
    finish(&graph, &values, builder)
}

/// The graph and its version of the operators.
fn decode(bytes: &[u8]) -> Result<(GraphProto, i64), OnnxError> {
    let bad = |why: String| OnnxError::NotOnnx { why };
    let mut reader = bytes;
    let model: ModelProto =
        tract_onnx::onnx().proto_model_for_read(&mut reader).map_err(|e| bad(e.to_string().replace('\n', " ")))?;
    let own = |domain: &str| domain.is_empty() || domain == "ai.onnx";
    let opset = model.opset_import.iter().find(|o| own(&o.domain)).map(|o| o.version);
    let graph = model.graph.ok_or_else(|| bad("it holds no graph".into()))?;
    match opset {
        Some(v) if OPSETS.contains(&v) => Ok((graph, v)),
        Some(v) => Err(OnnxError::Opset { what: format!("operator set {v}") }),
        None => Err(OnnxError::Opset { what: "no version of ONNX's operators".into() }),
    }
}

/// The node's entry in the registry.
fn operator(node: &NodeProto, opset: i64) -> Result<&'static Operator, OnnxError> {
    let refused = |operator: String, advice| Err(OnnxError::Operator { operator, node: name_of(node), advice });
    if !node.domain.is_empty() && node.domain != "ai.onnx" {
        return refused(format!("{}:{}", node.domain, node.op_type), advice(""));
    }
    match find(&node.op_type) {
        None => refused(node.op_type.clone(), advice(&node.op_type)),
        Some(o) if o.since > opset => {
            refused(o.name.into(), format!("export the model for operator set {} or later", o.since))
        }
        Some(o) => Ok(o),
    }
}

fn input(info: &ValueInfoProto, what: &str, advice: &'static str) -> OnnxError {
    OnnxError::Interface { part: "input", name: info.name.clone(), what: what.into(), advice }
}

/// Shape and kind of a graph input.
fn interface(info: &ValueInfoProto) -> Result<(Vec<usize>, Kind), OnnxError> {
    let Some(type_proto::Value::TensorType(t)) = info.r#type.as_ref().and_then(|t| t.value.as_ref()) else {
        return Err(input(info, "is no tensor", "give the model tensors as inputs"));
    };
    let kind = Kind::of(t.elem_type).ok_or_else(|| {
        input(info, &format!("has ONNX data type {}", t.elem_type), "use float32 or integers as inputs")
    })?;
    let fixed = "export the model with fixed shapes; only the first dimension may be open, and is taken as 1";
    let shape = t.shape.as_ref().ok_or_else(|| input(info, "has no shape", fixed))?;
    let mut dims = Vec::new();
    for (axis, d) in shape.dim.iter().enumerate() {
        dims.push(match &d.value {
            Some(Dim::DimValue(v)) if *v > 0 => usize::try_from(*v).unwrap_or(usize::MAX),
            // Some exporters write an open dimension as 0 or -1.
            _ if axis == 0 => 1,
            Some(Dim::DimParam(p)) => {
                return Err(input(info, &format!("dimension {axis} is dynamic ({p})"), fixed));
            }
            Some(Dim::DimValue(v)) => return Err(input(info, &format!("dimension {axis} is {v}"), fixed)),
            None => return Err(input(info, &format!("dimension {axis} is dynamic"), fixed)),
        });
    }
    match size(&dims) {
        Some(_) => Ok((dims, kind)),
        None => Err(input(info, &format!("has shape {dims:?}"), "use a smaller input")),
    }
}

/// Lowers one node and names its outputs.
fn lower(
    node: &NodeProto,
    operator: &Operator,
    opset: i64,
    values: &mut HashMap<String, Value>,
    builder: &mut Builder,
) -> Result<(), OnnxError> {
    let place = Place {
        operator: node.op_type.clone(),
        node: name_of(node),
        output: node.output.first().cloned().unwrap_or_default(),
    };
    let given = node.input.iter().rposition(|i| !i.is_empty()).map_or(0, |i| i + 1);
    if given < operator.inputs.0 || given > operator.inputs.1 {
        return Err(place.shape(format!("it has {given} inputs")));
    }
    let first = builder.net.tensors.len();
    let known = RefCell::new(HashSet::new());
    let mut lowering = Lowering { node, place, opset, values, builder, known };
    let results = (operator.lower)(&mut lowering)?;
    let Lowering { place, known, .. } = lowering;
    if let Some(a) = node.attribute.iter().find(|a| !known.borrow().contains(&a.name[..])) {
        let what = format!("attribute {} is unknown", a.name);
        return Err(place.setting(what, "leave it out, or export for another operator set"));
    }
    for (step, tensor) in builder.net.tensors[first..].iter_mut().enumerate() {
        tensor.name = format!("{}/{step}", place.output);
    }
    for (i, name) in node.output.iter().enumerate().filter(|(_, n)| !n.is_empty()) {
        let Some(value) = results.get(i) else {
            return Err(place.setting(format!("output {i} ({name}) can't be computed"), "leave it out"));
        };
        if let Form::Tensor(t) = value.form
            && t >= first
        {
            builder.net.tensors[t].name.clone_from(name);
        }
        if values.insert(name.clone(), value.clone()).is_some() {
            return Err(place.setting(format!("output {name} is computed twice"), "export the model again"));
        }
    }
    Ok(())
}

/// Names the outputs, simplifies, and checks what came out.
fn finish(graph: &GraphProto, values: &HashMap<String, Value>, mut builder: Builder) -> Result<FloatNet, OnnxError> {
    let fail = |name: &str, what: &str| OnnxError::Interface {
        part: "output",
        name: name.into(),
        what: what.into(),
        advice: "export the model again",
    };
    if graph.output.is_empty() {
        return Err(OnnxError::NotOnnx { why: "its graph has no outputs".into() });
    }
    let names: HashSet<&str> = graph.output.iter().map(|o| &o.name[..]).collect();
    if names.len() < graph.output.len() {
        return Err(fail(&graph.output[0].name, "or another one stands there twice"));
    }
    let mut taken: HashSet<TensorId> = builder.net.inputs.iter().map(|i| i.tensor).collect();
    for (i, info) in graph.output.iter().enumerate() {
        let name = &info.name;
        let value = values.get(name).ok_or_else(|| fail(name, "is computed by no node"))?;
        if value.len() == 0 {
            return Err(fail(name, "has no elements"));
        }
        let place = Place { operator: "output".into(), node: name.clone(), output: name.clone() };
        let tensor = builder.stored(&place, value)?;
        builder.net.outputs.push(tensor);
        let now = &builder.net.tensors[tensor].name;
        if !taken.insert(tensor) || (now != name && names.contains(&now[..])) {
            builder.net.outputs[i] = builder.copied(&place, tensor, &value.shape);
        } else {
            builder.net.tensors[tensor] = FloatTensor { name: name.clone(), shape: value.shape.clone() };
        }
    }
    let mut net = builder.net;
    simplify::simplify(&mut net);
    finite(&net)?;
    net.check().map_err(|e| OnnxError::NotOnnx { why: e.to_string() })?;
    Ok(net)
}

/// Refuses numbers that no integer can stand for.
fn finite(net: &FloatNet) -> Result<(), OnnxError> {
    for node in &net.nodes {
        let finite = |list: &[f32]| list.iter().all(|v| v.is_finite());
        let fine = match &node.op {
            FloatOp::Conv(c) => finite(&c.weights) && finite(&c.bias),
            FloatOp::Sparse(s) => finite(&s.bias) && s.terms.iter().all(|t| t.weight.is_finite()),
            FloatOp::Unary(Function::Table(t)) => finite(t),
            _ => true,
        };
        if !fine {
            return Err(OnnxError::Setting {
                operator: node.operator.clone(),
                node: node.name.clone(),
                what: "its constants are infinite or not a number".into(),
                advice: "use finite constants".into(),
            });
        }
    }
    Ok(())
}
