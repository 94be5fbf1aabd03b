//! Import: what is read, and what is refused in which words.

use std::path::{Path, PathBuf};

use expect_test::{Expect, expect};
use tract_onnx::pb::attribute_proto::AttributeType;
use tract_onnx::pb::tensor_proto::DataType;
use tract_onnx::pb::tensor_shape_proto::{Dimension, dimension};
use tract_onnx::pb::{
    AttributeProto, GraphProto, ModelProto, NodeProto, TensorProto, TensorShapeProto, TypeProto, ValueInfoProto,
    type_proto,
};
use tract_onnx::prelude::*;
use zugzwang_circuits::import::{FloatGraph, ImportError, load, parse};

/// The folder of a committed model.
pub(crate) fn model_dir(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../models").join(name)
}

fn attribute(name: &str, ints: &[i64]) -> AttributeProto {
    let mut a = AttributeProto { name: name.into(), ..Default::default() };
    match (name, ints) {
        ("axis" | "group" | "transB", [i]) => (a.r#type, a.i) = (AttributeType::Int as i32, *i),
        _ => (a.r#type, a.ints) = (AttributeType::Ints as i32, ints.to_vec()),
    }
    a
}

fn node(op: &str, name: &str, inputs: &[&str], attributes: &[(&str, &[i64])]) -> NodeProto {
    NodeProto {
        op_type: op.into(),
        name: name.into(),
        input: inputs.iter().map(|s| s.to_string()).collect(),
        output: vec![name.into()],
        attribute: attributes.iter().map(|(n, v)| attribute(n, v)).collect(),
        ..Default::default()
    }
}

fn constant(name: &str, dims: &[i64]) -> TensorProto {
    let count = dims.iter().product::<i64>();
    TensorProto {
        name: name.into(),
        dims: dims.to_vec(),
        data_type: DataType::Float as i32,
        float_data: (0..count).map(|i| ((i * 37 + 11) % 17) as f32 / 8.0 - 1.0).collect(),
        ..Default::default()
    }
}

fn interface(name: &str, dims: &[i64]) -> ValueInfoProto {
    let dim = |d: &i64| Dimension {
        value: Some(if *d > 0 { dimension::Value::DimValue(*d) } else { dimension::Value::DimParam("n".into()) }),
        ..Default::default()
    };
    let tensor = type_proto::Tensor {
        elem_type: DataType::Float as i32,
        shape: Some(TensorShapeProto { dim: dims.iter().map(dim).collect() }),
    };
    ValueInfoProto {
        name: name.into(),
        r#type: Some(TypeProto { value: Some(type_proto::Value::TensorType(tensor)), ..Default::default() }),
        ..Default::default()
    }
}

/// A network with input `x` whose last node is the output.
fn network(input: &[i64], constants: &[(&str, &[i64])], nodes: Vec<NodeProto>) -> ModelProto {
    let output = nodes.last().map_or(String::new(), |n| n.output[0].clone());
    let graph = GraphProto {
        node: nodes,
        initializer: constants.iter().map(|(n, d)| constant(n, d)).collect(),
        input: vec![interface("x", input)],
        output: vec![ValueInfoProto { name: output, ..Default::default() }],
        ..Default::default()
    };
    ModelProto {
        ir_version: 8,
        graph: Some(graph),
        opset_import: vec![tract_onnx::pb::OperatorSetIdProto { version: 13, ..Default::default() }],
        ..Default::default()
    }
}

fn bytes(model: &ModelProto) -> Vec<u8> {
    use prost::Message;
    model.encode_to_vec()
}

/// Our reading of the network and tract's give the same numbers.
fn agrees_with_tract(model: &ModelProto, shape: &[usize]) -> FloatGraph {
    let ours = parse(&bytes(model)).unwrap();
    let input: Vec<f32> = (0..ours.inputs()).map(|i| ((i * 29) % 13) as f32 / 6.0 - 1.0).collect();
    let theirs = tract_onnx::onnx()
        .model_for_proto_model(model)
        .unwrap()
        .with_input_fact(0, f32::fact(shape).into())
        .unwrap()
        .into_optimized()
        .unwrap()
        .into_runnable()
        .unwrap();
    let tensor = tract_onnx::tract_core::ndarray::ArrayD::from_shape_vec(shape, input.clone()).unwrap();
    let want = theirs.run(tvec!(Tensor::from(tensor).into())).unwrap();
    let got = ours.run(&input).unwrap();
    let want = want[0].view();
    let want = want.as_slice::<f32>().unwrap();
    assert_eq!(got.len(), want.len());
    for (g, w) in got.iter().zip(want) {
        assert!((g - w).abs() <= 1e-3 * w.abs().max(1.0), "{g} instead of {w}");
    }
    ours
}

const CONV: &[(&str, &[i64])] = &[("kernel_shape", &[3, 3]), ("pads", &[1, 1, 1, 1])];

/// Conv, batch norm, residual, 1×1 conv, flatten.
fn residual_network() -> ModelProto {
    let constants: &[(&str, &[i64])] = &[
        ("w1", &[3, 2, 3, 3]),
        ("b1", &[3]),
        ("w2", &[3, 3, 3, 3]),
        ("gamma", &[3]),
        ("beta", &[3]),
        ("mean", &[3]),
        ("w3", &[4, 3, 1, 1]),
    ];
    let mut model = network(
        &[1, 2, 4, 5],
        constants,
        vec![
            node("Conv", "c1", &["x", "w1", "b1"], CONV),
            node("Relu", "r1", &["c1"], &[]),
            node("Conv", "c2", &["r1", "w2"], CONV),
            node("BatchNormalization", "n2", &["c2", "gamma", "beta", "mean", "var"], &[]),
            node("Add", "a2", &["r1", "n2"], &[]),
            node("Relu", "r2", &["a2"], &[]),
            node("Conv", "c3", &["r2", "w3"], &[("kernel_shape", &[1, 1])]),
            node("Flatten", "f", &["c3"], &[("axis", &[1])]),
        ],
    );
    let mut variance = constant("var", &[3]);
    variance.float_data = vec![0.5, 1.0, 2.0];
    model.graph.as_mut().unwrap().initializer.push(variance);
    model
}

#[test]
fn a_residual_network_means_what_tract_says() {
    let graph = agrees_with_tract(&residual_network(), &[1, 2, 4, 5]);
    assert_eq!(graph.layers.iter().map(|l| l.residual).collect::<Vec<_>>(), [None, Some(1), None]);
    assert_eq!(graph.outputs(), 80);
}

#[test]
fn a_dense_network_means_what_tract_says() {
    let model = network(
        &[1, 2, 3],
        &[("w1", &[4, 6]), ("b1", &[4]), ("w2", &[4, 3]), ("b2", &[3])],
        vec![
            node("Flatten", "f", &["x"], &[("axis", &[1])]),
            node("Gemm", "g1", &["f", "w1", "b1"], &[("transB", &[1])]),
            node("Relu", "r1", &["g1"], &[]),
            node("MatMul", "m2", &["r1", "w2"], &[]),
            node("Add", "a2", &["m2", "b2"], &[]),
        ],
    );
    agrees_with_tract(&model, &[1, 2, 3]);
}

#[test]
fn the_committed_networks_are_read() {
    for (name, macs) in [("chess-s", 4_000_000), ("chess-m", 29_000_000)] {
        let graph = load(&model_dir(name).join("model.onnx")).unwrap();
        assert!(graph.macs() > macs, "{name}: {} MACs", graph.macs());
    }
}

fn refused(model: &ModelProto, want: Expect) {
    want.assert_eq(&parse(&bytes(model)).unwrap_err().to_string());
}

#[test]
fn what_cannot_be_proven_is_refused_by_name() {
    let conv = |attributes: &[(&str, &[i64])]| {
        network(&[1, 2, 4, 4], &[("w", &[3, 2, 3, 3])], vec![node("Conv", "c", &["x", "w"], attributes)])
    };
    let pool = network(&[1, 2, 4, 4], &[], vec![node("MaxPool", "pool_3", &["x"], &[])]);
    refused(
        &pool,
        expect![
            "operator MaxPool (node pool_3) is not supported; use only Conv, Gemm, MatMul, BatchNormalization, Add, Relu, Flatten, Reshape, Identity, Dropout, Cast, Constant and a last Softmax"
        ],
    );
    refused(
        &conv(&[("strides", &[2, 2])]),
        expect!["operator Conv (node c): has a stride or dilation other than 1; use stride 1 and dilation 1"],
    );
    refused(&conv(&[("group", &[2])]), expect!["operator Conv (node c): is grouped; use group = 1"]);
    refused(
        &conv(&[]),
        expect!["operator Conv (node c): changes the board's size; use padding 1 for 3×3 and 0 for 1×1"],
    );
    let mut head = residual_network();
    let graph = head.graph.as_mut().unwrap();
    graph.initializer.push(constant("w4", &[80, 10]));
    graph.node.push(node("Gemm", "head", &["f", "w4"], &[]));
    graph.output[0].name = "head".into();
    refused(&head, expect!["operator Gemm (node head): follows the end of the network; end the model at its logits"]);
    let dynamic = network(&[1, 2, -1, 4], &[], vec![]);
    refused(&dynamic, expect!["graph input x: dimension 2 is dynamic (n); export the model with fixed shapes"]);
    let narrow = network(&[1, 5, 4, 4], &[("w", &[3, 2, 3, 3])], vec![node("Conv", "c", &["x", "w"], CONV)]);
    refused(
        &narrow,
        expect![
            "operator Conv (node c): weights read 2 channels, but the input has 5; export the model again with fixed shapes"
        ],
    );
    let mut cut = conv(CONV);
    cut.graph.as_mut().unwrap().initializer[0].float_data.pop();
    refused(
        &cut,
        expect!["constant w: has 53 values for shape [3, 2, 3, 3]; store it inside the file as finite float32"],
    );
}

#[test]
fn broken_files_are_refused() {
    let error = load(Path::new("/nonexistent/model.onnx")).unwrap_err();
    assert!(matches!(error, ImportError::Read { .. }), "{error}");
    assert!(matches!(parse(b"no model at all"), Err(ImportError::NotOnnx { .. })));
    let whole = bytes(&residual_network());
    for n in 0..whole.len() {
        // A cut is refused, unless it only loses what comes after the graph.
        if let Ok(graph) = parse(&whole[..n]) {
            assert_eq!(Ok(graph), parse(&whole).map_err(|e| e.to_string()), "{n} bytes");
        }
    }
}
