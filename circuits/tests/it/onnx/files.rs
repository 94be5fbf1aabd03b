//! Makes ONNX files.

use prost::Message;
use tract_onnx::pb::attribute_proto::AttributeType;
use tract_onnx::pb::tensor_proto::DataType;
use tract_onnx::pb::tensor_shape_proto::{Dimension, dimension};
use tract_onnx::pb::{
    AttributeProto, GraphProto, ModelProto, NodeProto, OperatorSetIdProto, TensorProto, TensorShapeProto, TypeProto,
    ValueInfoProto, type_proto,
};

/// A setting of a node.
#[derive(Clone, Debug)]
pub(crate) enum Setting {
    Int(i64),
    Ints(&'static [i64]),
    Float(f32),
    Text(&'static str),
}

/// A node `operator(inputs)` with the name of its first output as its own; inputs and outputs are separated by
/// spaces, and `_` leaves one out.
pub(crate) fn node(operator: &str, inputs: &str, outputs: &str, settings: &[(&'static str, Setting)]) -> NodeProto {
    let names =
        |list: &str| list.split_whitespace().map(|n| if n == "_" { "" } else { n }.into()).collect::<Vec<String>>();
    let attribute = |(name, setting): &(&'static str, Setting)| {
        let mut a = AttributeProto { name: (*name).into(), ..Default::default() };
        match setting {
            Setting::Int(i) => (a.r#type, a.i) = (AttributeType::Int as i32, *i),
            Setting::Ints(list) => (a.r#type, a.ints) = (AttributeType::Ints as i32, list.to_vec()),
            Setting::Float(f) => (a.r#type, a.f) = (AttributeType::Float as i32, *f),
            Setting::Text(s) => (a.r#type, a.s) = (AttributeType::String as i32, s.as_bytes().to_vec()),
        }
        a
    };
    let output = names(outputs);
    NodeProto {
        op_type: operator.into(),
        name: output.first().cloned().unwrap_or_default(),
        input: names(inputs),
        output,
        attribute: settings.iter().map(attribute).collect(),
        ..Default::default()
    }
}

/// Made-up weights between −1 and 1.
pub(crate) fn numbers(count: usize) -> Vec<f32> {
    (0..count).map(|i| ((i * 37 + 11) % 17) as f32 / 8.0 - 1.0).collect()
}

/// A float constant with made-up values.
pub(crate) fn floats(name: &str, dims: &[i64]) -> TensorProto {
    let count = dims.iter().product::<i64>() as usize;
    floats_of(name, dims, numbers(count))
}

/// A float constant.
pub(crate) fn floats_of(name: &str, dims: &[i64], values: Vec<f32>) -> TensorProto {
    TensorProto {
        name: name.into(),
        dims: dims.to_vec(),
        data_type: DataType::Float as i32,
        float_data: values,
        ..Default::default()
    }
}

/// An integer constant of one dimension.
pub(crate) fn integers(name: &str, values: &[i64]) -> TensorProto {
    TensorProto {
        name: name.into(),
        dims: vec![values.len() as i64],
        data_type: DataType::Int64 as i32,
        int64_data: values.to_vec(),
        ..Default::default()
    }
}

/// A graph input or output; dimension −1 is dynamic.
pub(crate) fn interface(name: &str, dims: &[i64], kind: DataType) -> ValueInfoProto {
    let dim = |d: &i64| Dimension {
        value: Some(if *d >= 0 { dimension::Value::DimValue(*d) } else { dimension::Value::DimParam("n".into()) }),
        ..Default::default()
    };
    let tensor = type_proto::Tensor {
        elem_type: kind as i32,
        shape: Some(TensorShapeProto { dim: dims.iter().map(dim).collect() }),
    };
    ValueInfoProto {
        name: name.into(),
        r#type: Some(TypeProto { value: Some(type_proto::Value::TensorType(tensor)), ..Default::default() }),
        ..Default::default()
    }
}

/// A file whose last node's first output is its own.
pub(crate) fn file(
    opset: i64,
    inputs: Vec<ValueInfoProto>,
    constants: Vec<TensorProto>,
    nodes: Vec<NodeProto>,
) -> ModelProto {
    let output = nodes.last().and_then(|n| n.output.first()).cloned().unwrap_or_default();
    let graph = GraphProto {
        node: nodes,
        initializer: constants,
        input: inputs,
        output: vec![ValueInfoProto { name: output, ..Default::default() }],
        ..Default::default()
    };
    ModelProto {
        ir_version: 8,
        graph: Some(graph),
        opset_import: vec![OperatorSetIdProto { version: opset, ..Default::default() }],
        ..Default::default()
    }
}

/// The file's bytes.
pub(crate) fn bytes(model: &ModelProto) -> Vec<u8> {
    model.encode_to_vec()
}
