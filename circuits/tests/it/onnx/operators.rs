//! Whole networks mean what tract says, and become few nodes.

use tract_onnx::pb::ModelProto;
use tract_onnx::pb::tensor_proto::DataType;
use tract_onnx::prelude::*;
use tract_onnx::tract_core::ndarray::ArrayD;
use zugzwang_circuits::float::{FloatNet, FloatOp};
use zugzwang_circuits::onnx::{load, parse};

use super::files::Setting::{Float, Int, Ints};
use super::files::{bytes, file, floats, floats_of, integers, interface, node};
use crate::import::model_dir;

/// Runs the file here and in tract, on made-up inputs: floats, or small integers where the input is of those.
fn agrees(name: &str, model: &ModelProto) -> FloatNet {
    let net = parse(&bytes(model)).unwrap_or_else(|e| panic!("{name}: {e}"));
    agrees_with(name, &net, model);
    net
}

fn agrees_with(name: &str, net: &FloatNet, model: &ModelProto) {
    let mut theirs = tract_onnx::onnx().model_for_proto_model(model).unwrap();
    let (mut ours, mut given) = (Vec::new(), tvec!());
    for (i, input) in net.inputs.iter().enumerate() {
        let shape = &net.tensors[input.tensor].shape;
        let count = net.tensors[input.tensor].len();
        if input.integer {
            let values: Vec<i64> = (0..count).map(|i| (i as i64 * 5 + 2) % 7).collect();
            ours.push(values.iter().map(|v| *v as f32).collect());
            theirs = theirs.with_input_fact(i, i64::fact(shape).into()).unwrap();
            given.push(Tensor::from(ArrayD::from_shape_vec(&shape[..], values).unwrap()).into());
        } else {
            let values: Vec<f32> = (0..count).map(|i| ((i * 29) % 13) as f32 / 6.0 - 1.0).collect();
            ours.push(values.clone());
            theirs = theirs.with_input_fact(i, f32::fact(shape).into()).unwrap();
            given.push(Tensor::from(ArrayD::from_shape_vec(&shape[..], values).unwrap()).into());
        }
    }
    let theirs = theirs.into_optimized().unwrap().into_runnable().unwrap().run(given).unwrap();
    let ours = net.run(&ours).unwrap();
    assert_eq!(ours.len(), theirs.len(), "{name}");
    for ((got, want), tensor) in ours.iter().zip(theirs.iter()).zip(&net.outputs) {
        assert_eq!(want.shape(), &net.tensors[*tensor].shape[..], "{name}");
        let want = want.cast_to::<f32>().unwrap();
        let want = want.view();
        let want = want.as_slice::<f32>().unwrap();
        let scale = want.iter().fold(1f32, |a, w| a.max(w.abs()));
        for (g, w) in got.iter().zip(want) {
            assert!((g - w).abs() <= 1e-4 * scale, "{name}: {g} instead of {w}");
        }
    }
}

/// The kinds of the network's nodes, in order.
fn kinds(net: &FloatNet) -> String {
    let kind = |op: &FloatOp| match op {
        FloatOp::Conv(_) => "conv",
        FloatOp::Sparse(s) if s.is_move() => "move",
        FloatOp::Sparse(_) => "sum",
        FloatOp::Product(_) => "product",
        FloatOp::MatMul(_) => "matmul",
        FloatOp::Unary(_) => "unary",
        FloatOp::Max(_) => "max",
        FloatOp::TopK(_) => "topk",
    };
    net.nodes.iter().map(|n| kind(&n.op)).collect::<Vec<_>>().join(" ")
}

fn x(dims: &[i64]) -> Vec<tract_onnx::pb::ValueInfoProto> {
    vec![interface("x", dims, DataType::Float)]
}

#[test]
fn the_committed_networks_mean_what_tract_says() {
    for (name, least) in [("chess-s", 5), ("chess-m", 20)] {
        let path = model_dir(name).join("model.onnx");
        let net = load(&path).unwrap();
        assert!(net.nodes.len() > least, "{name}: {} nodes", net.nodes.len());
        let folded = !kinds(&net).contains("sum sum");
        assert!(folded, "{name}: {}", kinds(&net));
        agrees_with(name, &net, &tract_onnx::onnx().proto_model_for_path(&path).unwrap());
    }
}

#[test]
fn dense_networks() {
    let model = file(
        13,
        x(&[-1, 2, 3]),
        vec![floats("w1", &[4, 6]), floats("b1", &[4]), floats("w2", &[4, 3]), floats("b2", &[3])],
        vec![
            node("Flatten", "x", "f", &[]),
            node("Gemm", "f w1 b1", "g", &[("transB", Int(1)), ("alpha", Float(0.5)), ("beta", Float(2.0))]),
            node("Relu", "g", "r", &[]),
            node("MatMul", "r w2", "m", &[]),
            node("Add", "m b2", "logits", &[]),
        ],
    );
    let net = agrees("dense", &model);
    assert_eq!(kinds(&net), "conv unary conv", "scales, biases and reshapes are folded");
    assert_eq!(net.tensors[net.outputs[0]].name, "logits");
    assert_eq!(net.tensors[net.inputs[0].tensor].name, "x");
}

#[test]
fn convolutions_and_pools() {
    let model = file(
        13,
        x(&[-1, 1, 12, 11]),
        vec![
            floats("w1", &[4, 1, 5, 3]),
            floats("w2", &[4, 1, 3, 3]),
            floats("w3", &[6, 2, 1, 1]),
            floats("scale", &[6]),
            floats("bias", &[6]),
            floats("mean", &[6]),
            floats_of("variance", &[6], vec![0.5, 1.0, 2.0, 1.5, 0.25, 3.0]),
            floats("w4", &[12, 5]),
        ],
        vec![
            node("Conv", "x w1", "c1", &[("pads", Ints(&[2, 1, 1, 0])), ("strides", Ints(&[1, 2]))]),
            node("Relu", "c1", "r1", &[]),
            node("MaxPool", "r1", "p1", &[("kernel_shape", Ints(&[2, 2])), ("strides", Ints(&[2, 1]))]),
            node("Conv", "p1 w2", "c2", &[("group", Int(4)), ("pads", Ints(&[2; 4])), ("dilations", Ints(&[2, 2]))]),
            node("Conv", "c2 w3", "c3", &[("group", Int(2))]),
            node("BatchNormalization", "c3 scale bias mean variance", "n", &[]),
            node("AveragePool", "n", "p2", &[("kernel_shape", Ints(&[3, 3])), ("strides", Ints(&[2, 2]))]),
            node("Flatten", "p2", "f", &[]),
            node("MatMul", "f w4", "y", &[]),
        ],
    );
    let net = agrees("convolutions", &model);
    assert_eq!(kinds(&net), "conv unary max conv conv sum conv");
}

#[test]
fn one_dimensional_convolutions() {
    let model = file(
        11,
        x(&[1, 3, 10]),
        vec![floats("w1", &[4, 3, 3]), floats("b1", &[4])],
        vec![
            node(
                "Conv",
                "x w1 b1",
                "c",
                &[("auto_pad", super::files::Setting::Text("SAME_UPPER")), ("strides", Ints(&[2]))],
            ),
            node("Elu", "c", "e", &[]),
            node("GlobalMaxPool", "e", "y", &[]),
        ],
    );
    assert_eq!(kinds(&agrees("conv1d", &model)), "conv unary max");
}

#[test]
fn residual_blocks_fold_their_normalisation() {
    let model = file(
        13,
        x(&[1, 3, 4, 4]),
        vec![
            floats("w1", &[3, 3, 3, 3]),
            floats("scale", &[3]),
            floats("bias", &[3]),
            floats("mean", &[3]),
            floats_of("variance", &[3], vec![0.5, 1.0, 2.0]),
        ],
        vec![
            node("Conv", "x w1", "c", &[("pads", Ints(&[1; 4]))]),
            node("BatchNormalization", "c scale bias mean variance", "n", &[]),
            node("Add", "x n", "a", &[]),
            node("Relu", "a", "y", &[]),
        ],
    );
    let net = agrees("residual", &model);
    assert_eq!(kinds(&net), "conv sum unary");
    let FloatOp::Sparse(sum) = &net.nodes[1].op else { panic!("{:?}", net.nodes[1]) };
    assert!(sum.terms.iter().all(|t| t.weight == 1.0) && sum.bias.iter().all(|b| *b == 0.0));
}

#[test]
fn embeddings() {
    let model = file(
        13,
        vec![interface("tokens", &[-1, 5], DataType::Int64)],
        vec![floats("table", &[7, 4]), floats("w", &[4, 3])],
        vec![
            node("Gather", "table tokens", "e", &[]),
            node("ReduceMean", "e", "m", &[("axes", Ints(&[1])), ("keepdims", Int(0))]),
            node("Gemm", "m w", "y", &[]),
        ],
    );
    let net = agrees("embeddings", &model);
    assert!(net.inputs[0].integer);
    assert_eq!(kinds(&net), "unary unary unary unary sum conv", "one table per column, and the mean reads through");
    let error = net.run(&[vec![0.0, 1.0, 2.0, 3.0, 7.0]]).unwrap_err();
    assert!(error.to_string().contains("7 is no index into a table of 7"), "{error}");
}

/// A block of two heads of attention over four tokens, with a causal mask.
pub(super) fn attention_file() -> ModelProto {
    let mask = (0..16).map(|i| if i % 4 > i / 4 { -1e9 } else { 0.0 }).collect();
    file(
        17,
        x(&[1, 4, 6]),
        vec![
            floats("scale", &[6]),
            floats("shift", &[6]),
            floats("wq", &[6, 6]),
            floats("wk", &[6, 6]),
            floats("wv", &[6, 6]),
            floats("bv", &[6]),
            integers("heads", &[0, 0, 2, 3]),
            integers("joined", &[0, 0, -1]),
            floats_of("root", &[], vec![1.7]),
            floats_of("mask", &[4, 4], mask),
            floats("w1", &[6, 8]),
            floats_of("half", &[], vec![0.5]),
            floats_of("one", &[], vec![1.0]),
            floats_of("root2", &[], vec![std::f32::consts::SQRT_2]),
        ],
        vec![
            node("LayerNormalization", "x scale shift", "n", &[]),
            node("MatMul", "n wq", "q", &[]),
            node("MatMul", "n wk", "k", &[]),
            node("MatMul", "n wv", "v0", &[]),
            node("Add", "v0 bv", "v", &[]),
            node("Reshape", "q heads", "q2", &[]),
            node("Reshape", "k heads", "k2", &[]),
            node("Reshape", "v heads", "v2", &[]),
            node("Transpose", "q2", "q3", &[("perm", Ints(&[0, 2, 1, 3]))]),
            node("Transpose", "k2", "k3", &[("perm", Ints(&[0, 2, 3, 1]))]),
            node("Transpose", "v2", "v3", &[("perm", Ints(&[0, 2, 1, 3]))]),
            node("MatMul", "q3 k3", "s", &[]),
            node("Div", "s root", "s2", &[]),
            node("Add", "s2 mask", "s3", &[]),
            node("Softmax", "s3", "p", &[]),
            node("MatMul", "p v3", "o", &[]),
            node("Transpose", "o", "o2", &[("perm", Ints(&[0, 2, 1, 3]))]),
            node("Reshape", "o2 joined", "o3", &[]),
            node("Add", "o3 x", "r", &[]),
            node("MatMul", "r w1", "h", &[]),
            node("Div", "h root2", "g1", &[]),
            node("Erf", "g1", "g2", &[]),
            node("Add", "g2 one", "g3", &[]),
            node("Mul", "h g3", "g4", &[]),
            node("Mul", "g4 half", "y", &[]),
        ],
    )
}

#[test]
fn attention() {
    let model = attention_file();
    let net = agrees("attention", &model);
    let largest = net.nodes.iter().flat_map(|n| match &n.op {
        FloatOp::Sparse(s) => s.bias.clone(),
        _ => Vec::new(),
    });
    assert!(largest.fold(0f32, |a, b| a.max(b.abs())) < 100.0, "masked logits are left out");
}

/// A choice between two tensors, and its three largest values and their places.
pub(super) fn ranking_file() -> ModelProto {
    let mut model = file(
        13,
        x(&[1, 8]),
        vec![floats("other", &[8]), integers("k", &[3])],
        vec![
            node("Greater", "x other", "g", &[]),
            node("Where", "g x other", "w", &[]),
            node("TopK", "w k", "values places", &[]),
        ],
    );
    let second = interface("places", &[1, 3], DataType::Int64);
    model.graph.as_mut().unwrap().output.push(second);
    model
}

#[test]
fn choices_and_rankings() {
    let model = ranking_file();
    let net = agrees("ranking", &model);
    let names: Vec<&str> = net.outputs.iter().map(|o| &net.tensors[*o].name[..]).collect();
    assert_eq!(names, ["values", "places"]);
}

#[test]
fn squeeze_and_excitation() {
    let model = file(
        14,
        x(&[1, 4, 3, 3]),
        vec![floats("w1", &[2, 4, 1, 1]), floats("w2", &[4, 2, 1, 1])],
        vec![
            node("GlobalAveragePool", "x", "p", &[]),
            node("Conv", "p w1", "c1", &[]),
            node("HardSwish", "c1", "h", &[]),
            node("Conv", "h w2", "c2", &[]),
            node("HardSigmoid", "c2", "s", &[]),
            node("Mul", "x s", "y", &[]),
        ],
    );
    assert_eq!(kinds(&agrees("squeeze", &model)), "sum conv unary conv unary product");
}

#[test]
fn shapes_that_are_computed_are_constants() {
    let model = file(
        13,
        x(&[-1, 4, 6]),
        vec![integers("first", &[0]), integers("rest", &[-1])],
        vec![
            node("Shape", "x", "s", &[]),
            node("Gather", "s first", "batch", &[]),
            node("Concat", "batch rest", "shape", &[("axis", Int(0))]),
            node("Reshape", "x shape", "y", &[]),
        ],
    );
    let net = agrees("shapes", &model);
    assert_eq!(kinds(&net), "move", "an output that is the input is a copy under its own name");
    assert_eq!(net.tensors[net.outputs[0]].shape, [1, 24]);
}
