//! Files that are refused, and in which words.

use expect_test::{Expect, expect};
use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha20Rng;
use tract_onnx::pb::ModelProto;
use tract_onnx::pb::tensor_proto::{DataLocation, DataType};
use zugzwang_circuits::float::{FloatNet, FloatTensor, RunError};
use zugzwang_circuits::onnx::{OPERATORS, OnnxError, load, parse};

use super::files::Setting::{Float, Int, Ints, Text};
use super::files::{bytes, file, floats, floats_of, integers, interface, node};

fn refused(model: &ModelProto, want: Expect) {
    want.assert_eq(&parse(&bytes(model)).unwrap_err().to_string());
}

fn x(dims: &[i64]) -> Vec<tract_onnx::pb::ValueInfoProto> {
    vec![interface("x", dims, DataType::Float)]
}

/// A convolution with a dense layer.
fn small() -> ModelProto {
    file(
        13,
        x(&[1, 2, 4, 4]),
        vec![floats("w", &[3, 2, 3, 3]), floats("b", &[3]), floats("v", &[12, 2])],
        vec![
            node("Conv", "x w b", "c", &[]),
            node("Relu", "c", "r", &[]),
            node("Flatten", "r", "f", &[]),
            node("MatMul", "f v", "y", &[]),
        ],
    )
}

#[test]
fn operators_are_refused_by_name() {
    let one = |operator: &str| file(13, x(&[1, 2, 4, 4]), vec![], vec![node(operator, "x", "up_1", &[])]);
    refused(
        &one("ConvTranspose"),
        expect![
            "operator ConvTranspose (node up_1) is not supported: use Conv after DepthToSpace, or a model without upsampling by weights"
        ],
    );
    refused(
        &one("Loop"),
        expect!["operator Loop (node up_1) is not supported: control flow can't be proven; unroll it when exporting"],
    );
    refused(
        &one("Gelu"),
        expect!["operator Gelu (node up_1) is not supported: export the model for operator set 20 or later"],
    );
    let error = parse(&bytes(&one("Einsum"))).unwrap_err().to_string();
    assert!(error.starts_with("operator Einsum (node up_1) is not supported: use only Abs, Add, "), "{error}");
    assert!(OPERATORS.iter().all(|o| error.contains(o.name)), "{error}");
    let mut other = one("Relu");
    other.graph.as_mut().unwrap().node[0].domain = "com.example".into();
    let error = parse(&bytes(&other)).unwrap_err().to_string();
    assert!(error.starts_with("operator com.example:Relu (node up_1) is not supported"), "{error}");
}

#[test]
fn settings_are_refused_by_name() {
    let conv = |settings: &[_]| {
        file(13, x(&[1, 2, 4, 4]), vec![floats("w", &[3, 2, 3, 3])], vec![node("Conv", "x w", "c", settings)])
    };
    refused(
        &conv(&[("strides", Ints(&[0, 1]))]),
        expect![
            "operator Conv (node c): strides [0, 1] don't suit 2 spatial dimensions; give one number per dimension, within reason"
        ],
    );
    refused(
        &conv(&[("pads", Ints(&[-1, 0, 0, 0]))]),
        expect![
            "operator Conv (node c): pads [-1, 0, 0, 0] don't suit 2 spatial dimensions; give one number per dimension, within reason"
        ],
    );
    refused(
        &conv(&[("dilations", Ints(&[4, 4]))]),
        expect![
            "operator Conv (node c): a kernel that reaches over 9 doesn't fit size 4 with pads [0, 0]; export the model again with fixed shapes"
        ],
    );
    refused(
        &conv(&[("group", Int(3))]),
        expect![
            "operator Conv (node c): 3 groups don't divide 2 and 3 channels; export the model again with fixed shapes"
        ],
    );
    refused(
        &conv(&[("kernel_shape", Ints(&[5, 5]))]),
        expect![
            "operator Conv (node c): kernel_shape [5, 5] isn't that of its weights [3, 3]; export the model again with fixed shapes"
        ],
    );
    refused(
        &conv(&[("auto_pad", Text("SAME"))]),
        expect![[r#"operator Conv (node c): auto_pad is "SAME"; use explicit pads"#]],
    );
    refused(
        &conv(&[("group", Float(1.0))]),
        expect!["operator Conv (node c): attribute group has another type; export the model again"],
    );
    refused(
        &conv(&[("colour", Int(1))]),
        expect![
            "operator Conv (node c): attribute colour is unknown; leave it out, or export for another operator set"
        ],
    );
    let unary = |operator, settings: &[_]| file(20, x(&[1, 2]), vec![], vec![node(operator, "x", "u", settings)]);
    refused(
        &unary("Gelu", &[("approximate", Text("quick"))]),
        expect![[r#"operator Gelu (node u): approximate is "quick"; use none or tanh"#]],
    );
    refused(
        &unary("Transpose", &[("perm", Ints(&[0, 0]))]),
        expect!["operator Transpose (node u): axis 0 is named twice; export the model again with fixed shapes"],
    );
    refused(
        &unary("Softmax", &[("axis", Int(2))]),
        expect![
            "operator Softmax (node u): axis 2 doesn't exist in 2 dimensions; export the model again with fixed shapes"
        ],
    );
    refused(
        &unary("Cast", &[("to", Int(8))]),
        expect!["operator Cast (node u): casts to ONNX type 8; use float32, integers or booleans"],
    );
}

#[test]
fn inputs_that_do_not_fit_are_refused() {
    let two = |operator: &str, a: &[i64], b: &[i64]| {
        let inputs = vec![interface("a", a, DataType::Float), interface("b", b, DataType::Float)];
        file(13, inputs, vec![], vec![node(operator, "a b", "y", &[])])
    };
    refused(
        &two("Add", &[2, 3], &[2, 4]),
        expect![
            "operator Add (node y): shapes [[2, 3], [2, 4]] can't be broadcast together; export the model again with fixed shapes"
        ],
    );
    refused(
        &two("MatMul", &[2, 3], &[2, 4]),
        expect![
            "operator MatMul (node y): [2, 3] and [2, 4] can't be multiplied; export the model again with fixed shapes"
        ],
    );
    refused(
        &two("Reshape", &[2, 3], &[2]),
        expect!["operator Reshape (node y): input 1 (b) is not a constant; store it in the file"],
    );
    refused(
        &two("Conv", &[1, 1, 3, 3], &[1, 1, 3, 3]),
        expect!["operator Conv (node y): input 1 (b) is not a constant; store it in the file"],
    );
    refused(
        &two("Relu", &[1], &[1]),
        expect!["operator Relu (node y): it has 2 inputs; export the model again with fixed shapes"],
    );
    let dynamic = file(13, x(&[1, 2, -1, 4]), vec![], vec![node("Relu", "x", "y", &[])]);
    refused(
        &dynamic,
        expect![
            "graph input x: dimension 2 is dynamic (n); export the model with fixed shapes; only the first dimension may be open, and is taken as 1"
        ],
    );
    let text = file(13, vec![interface("x", &[1], DataType::String)], vec![], vec![node("Identity", "x", "y", &[])]);
    refused(&text, expect!["graph input x: has ONNX data type 8; use float32 or integers as inputs"]);
    let outside = file(13, x(&[3]), vec![integers("i", &[3])], vec![node("Gather", "x i", "y", &[])]);
    refused(
        &outside,
        expect!["operator Gather (node y): index 3 is outside of 0..3; export the model again with fixed shapes"],
    );
}

#[test]
fn constants_that_cannot_be_used_are_refused() {
    let mut model = small();
    model.graph.as_mut().unwrap().initializer[0].float_data.pop();
    refused(
        &model,
        expect![
            "constant w: has 53 values for shape [3, 2, 3, 3]; store it inside the file as finite float32 or as integers"
        ],
    );
    let mut model = small();
    model.graph.as_mut().unwrap().initializer[1].float_data[0] = f32::NAN;
    refused(&model, expect!["constant b: holds NaN; store it inside the file as finite float32 or as integers"]);
    let mut model = small();
    model.graph.as_mut().unwrap().initializer[1].float_data[0] = f32::INFINITY;
    refused(
        &model,
        expect!["operator Conv (node c): its constants are infinite or not a number; use finite constants"],
    );
    let mut model = small();
    model.graph.as_mut().unwrap().initializer[0].data_location = Some(DataLocation::External as i32);
    refused(
        &model,
        expect!["constant w: is stored in another file; store it inside the file as finite float32 or as integers"],
    );
    let mut model = small();
    model.graph.as_mut().unwrap().initializer[0].dims = vec![1 << 40, 1 << 40];
    refused(
        &model,
        expect![
            "constant w: is too large with shape [1099511627776, 1099511627776]; store it inside the file as finite float32 or as integers"
        ],
    );
    let mut model = small();
    model.graph.as_mut().unwrap().initializer[0].dims = vec![-3, 2, 3, 3];
    refused(&model, expect!["constant w: has dimension -3; store it inside the file as finite float32 or as integers"]);
}

#[test]
fn graphs_that_are_no_order_of_computation_are_refused() {
    let cycle = file(13, x(&[2]), vec![], vec![node("Add", "x b", "a", &[]), node("Relu", "a", "b", &[])]);
    refused(
        &cycle,
        expect![
            "operator Add (node a): input 1 (b) is computed by no earlier node; export the model again; nodes stand in the order of computation, without cycles"
        ],
    );
    let itself = file(13, x(&[2]), vec![], vec![node("Relu", "a", "a", &[])]);
    refused(
        &itself,
        expect![
            "operator Relu (node a): input 0 (a) is computed by no earlier node; export the model again; nodes stand in the order of computation, without cycles"
        ],
    );
    let twice = file(13, x(&[2]), vec![], vec![node("Relu", "x", "a", &[]), node("Abs", "x", "a", &[])]);
    refused(&twice, expect!["operator Abs (node a): output a is computed twice; export the model again"]);
    let missing = file(13, x(&[2]), vec![], vec![node("Add", "x", "a", &[])]);
    refused(&missing, expect!["operator Add (node a): it has 1 inputs; export the model again with fixed shapes"]);
    let mut nothing = file(13, x(&[2]), vec![], vec![node("Relu", "x", "a", &[])]);
    nothing.graph.as_mut().unwrap().output[0].name = "b".into();
    refused(&nothing, expect!["graph output b: is computed by no node; export the model again"]);
    nothing.graph.as_mut().unwrap().output.clear();
    refused(&nothing, expect!["not a readable ONNX model: its graph has no outputs; export it again"]);
}

#[test]
fn absurd_sizes_are_refused() {
    let one = |operator: &str, dims: &[i64], list: &[i64]| {
        file(13, x(dims), vec![integers("n", list)], vec![node(operator, "x n", "y", &[])])
    };
    refused(
        &one("Expand", &[1], &[1 << 30, 1 << 30]),
        expect![
            "operator Expand (node y): a tensor of shape [1073741824, 1073741824] is too large; use a smaller model"
        ],
    );
    refused(
        &one("Tile", &[1 << 20], &[1 << 20]),
        expect!["operator Tile (node y): a tensor of shape [1099511627776] is too large; use a smaller model"],
    );
    refused(
        &one("Pad", &[2], &[1 << 40, 0]),
        expect![
            "operator Pad (node y): pads [1099511627776, 0] are out of range; export the model again with fixed shapes"
        ],
    );
    refused(
        &one("Relu", &[1 << 13, 1 << 13], &[]),
        expect!["graph input x: has shape [8192, 8192]; use a smaller input"],
    );
    let pool = node("MaxPool", "x", "y", &[("kernel_shape", Ints(&[4000, 4000])), ("pads", Ints(&[3999; 4]))]);
    refused(
        &file(13, x(&[1, 1, 100, 100]), vec![], vec![pool]),
        expect![
            "operator MaxPool (node y): a tensor of shape [1, 1, 4099, 4099, 4000, 4000] is too large; use a smaller model"
        ],
    );
    let far = node("MaxPool", "x", "y", &[("kernel_shape", Ints(&[3])), ("dilations", Ints(&[i64::MAX]))]);
    refused(
        &file(13, x(&[1, 1, 100]), vec![], vec![far]),
        expect![
            "operator MaxPool (node y): dilations [9223372036854775807] don't suit 1 spatial dimensions; give one number per dimension, within reason"
        ],
    );
    // Each is small enough, all together are not.
    let mut nodes = vec![node("ConstantOfShape", "n", "c0", &[])];
    nodes.extend((1..200).map(|i| node("Exp", &format!("c{}", i - 1), &format!("c{i}"), &[])));
    let many = file(13, x(&[1]), vec![integers("n", &[1 << 23])], nodes);
    refused(
        &many,
        expect![
            "operator Exp (node c16): the network has more than 134217728 values and terms here; use a smaller model"
        ],
    );
    let slow = file(
        13,
        x(&[1]),
        vec![integers("n", &[2048, 2048])],
        vec![node("ConstantOfShape", "n", "c", &[]), node("MatMul", "c c", "y", &[])],
    );
    refused(&slow, expect!["operator MatMul (node y): takes long, and its inputs are constants; use a smaller model"]);
}

#[test]
fn versions_are_refused() {
    refused(
        &file(10, x(&[1]), vec![], vec![node("Relu", "x", "y", &[])]),
        expect!["the file is written for operator set 10; export it for an operator set from 11 to 21"],
    );
    let mut none = small();
    none.opset_import.clear();
    refused(
        &none,
        expect!["the file is written for no version of ONNX's operators; export it for an operator set from 11 to 21"],
    );
}

/// Files with a few changed bytes import as something that runs, or are refused; nothing panics.
#[test]
fn mutated_files_are_harmless() {
    for (file, model) in
        [small(), super::operators::attention_file(), super::operators::ranking_file()].iter().enumerate()
    {
        let whole = bytes(model);
        let mut rng = ChaCha20Rng::seed_from_u64(file as u64);
        let mut read = 0;
        for _ in 0..1500 {
            let mut bytes = whole.clone();
            for _ in 0..rng.gen_range(1..4) {
                let at = rng.gen_range(0..bytes.len());
                match rng.gen_range(0..4) {
                    0 => bytes[at] ^= 1 << rng.gen_range(0..8),
                    1 => bytes[at] = rng.r#gen(),
                    2 => drop(bytes.remove(at)),
                    _ => bytes.insert(at, rng.r#gen()),
                }
            }
            let Ok(net) = parse(&bytes) else { continue };
            read += 1;
            if net.tensors.iter().map(FloatTensor::len).sum::<usize>() < 1 << 20 {
                runs(&net);
            }
        }
        assert!(read > 0, "no mutated file is read any more");
    }
}

/// Runs a network on made-up inputs; an index outside of a table is the only thing that may go wrong.
fn runs(net: &FloatNet) {
    let inputs: Vec<Vec<f32>> = net.inputs.iter().map(|i| vec![0.5; net.tensors[i.tensor].len()]).collect();
    match net.run(&inputs) {
        Ok(outputs) => assert_eq!(outputs.len(), net.outputs.len()),
        Err(e) => assert!(matches!(e, RunError::Index { .. }), "{e}"),
    }
}

#[test]
fn broken_bytes_are_refused() {
    let error = load(std::path::Path::new("/nonexistent/model.onnx")).unwrap_err();
    assert!(matches!(error, OnnxError::Read { .. }), "{error}");
    assert!(matches!(parse(b"no model at all"), Err(OnnxError::NotOnnx { .. })));
    let whole = bytes(&small());
    let read = parse(&whole).unwrap();
    for n in 0..whole.len() {
        // A cut is refused, unless it only loses what comes after the graph; the version comes after.
        assert!(parse(&whole[..n]).is_err(), "{n} bytes");
    }
    // A changed byte may mean another model, but nothing that the executor can't run.
    for n in 0..whole.len() {
        for change in [1u8, 0x80] {
            let mut bytes = whole.clone();
            bytes[n] ^= change;
            if let Ok(net) = parse(&bytes) {
                runs(&net);
            }
        }
    }
    let input = floats_of("x", &[32], super::files::numbers(32)).float_data;
    assert_eq!(read.run(&[input]).unwrap()[0].len(), 2);
}
