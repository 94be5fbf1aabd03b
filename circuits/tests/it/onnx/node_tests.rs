//! The ONNX project's own cases for the operators that can be imported.
//!
//! Most cases give every tensor as a graph input, weights and shapes too. Where the importer wants a constant, the
//! case's value is stored in the file, as an exporter would.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use prost::Message;
use tract_onnx::pb::tensor_proto::DataType;
use tract_onnx::pb::{ModelProto, TensorProto, ValueInfoProto, type_proto};
use zugzwang_circuits::onnx::{OPERATORS, OPSETS, OnnxError, parse};

use super::files::bytes;

/// Largest difference from an expected value of this type, relative to it or to 1. Narrow floats are computed as
/// wide ones here, so that their own rounding is what differs.
fn tolerance(kind: i32) -> f32 {
    match DataType::try_from(kind) {
        Ok(DataType::Bfloat16) => 1e-2,
        Ok(DataType::Float16) => 1e-3,
        _ => 1e-4,
    }
}

/// How cases of an operator went.
#[derive(Clone, Debug, Default)]
pub(super) struct Counts {
    pub(super) passed: usize,
    /// Name and difference of each.
    pub(super) failed: Vec<String>,
    /// Name and message of each.
    pub(super) refused: Vec<(String, String)>,
}

/// Where `scripts/onnx-node-tests` puts the cases.
fn cases() -> Vec<PathBuf> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../.zugzwang/onnx-node-tests");
    let list = std::fs::read_dir(&folder).unwrap_or_else(|e| {
        panic!("no ONNX node tests in {} ({e}); run scripts/onnx-node-tests, which fetches them", folder.display())
    });
    let mut list: Vec<PathBuf> = list.map(|e| e.unwrap().path()).collect();
    list.sort();
    assert!(list.len() > 1000, "only {} ONNX node tests; run scripts/onnx-node-tests again", list.len());
    list
}

/// A stored tensor's numbers; `None` for types that the importer doesn't read either.
fn values(t: &TensorProto) -> Option<Vec<f32>> {
    let raw = &t.raw_data[..];
    macro_rules! words {
        ($kind:ty) => {
            raw.chunks(size_of::<$kind>()).map(|b| <$kind>::from_le_bytes(b.try_into().unwrap()) as f32).collect()
        };
    }
    let kind = DataType::try_from(t.data_type).ok()?;
    Some(match kind {
        DataType::Float if raw.is_empty() => t.float_data.clone(),
        DataType::Int64 if raw.is_empty() => t.int64_data.iter().map(|v| *v as f32).collect(),
        DataType::Int32 | DataType::Bool if raw.is_empty() => t.int32_data.iter().map(|v| *v as f32).collect(),
        _ if raw.is_empty() && t.dims.iter().product::<i64>() != 0 => return None,
        DataType::Float16 => raw.chunks(2).map(|b| half(u16::from_le_bytes(b.try_into().unwrap()))).collect(),
        DataType::Bfloat16 => raw.chunks(2).map(|b| f32::from_bits(u32::from_le_bytes([0, 0, b[0], b[1]]))).collect(),
        DataType::Float => words!(f32),
        DataType::Double => words!(f64),
        DataType::Int8 => words!(i8),
        DataType::Int16 => words!(i16),
        DataType::Int32 => words!(i32),
        DataType::Int64 => words!(i64),
        DataType::Uint8 | DataType::Bool => words!(u8),
        DataType::Uint16 => words!(u16),
        DataType::Uint32 => words!(u32),
        DataType::Uint64 => words!(u64),
        _ => return None,
    })
}

/// A 16-bit float's value, for those that occur: finite and not tiny.
fn half(bits: u16) -> f32 {
    f32::from_bits(u32::from(bits & 0x8000) << 16 | u32::from(bits & 0x7fff) << 13) * 2f32.powi(112)
}

/// A stored tensor; 16-bit brain floats are stored as their bits, which only the graph's own types tell.
fn tensor(path: &Path, info: Option<&ValueInfoProto>) -> TensorProto {
    let mut t = TensorProto::decode(&std::fs::read(path).unwrap()[..]).unwrap();
    if let Some(type_proto::Value::TensorType(kind)) = info.and_then(|i| i.r#type.as_ref()?.value.as_ref()) {
        t.data_type = kind.elem_type;
    }
    t
}

/// What became of a case.
enum Outcome {
    Passed,
    Failed(String),
    Refused(String),
}

/// Imports, runs and compares one case.
fn run(case: &Path, model: &mut ModelProto) -> Outcome {
    let data = case.join("test_data_set_0");
    let mut given: Vec<(String, TensorProto)> = Vec::new();
    for (i, input) in model.graph.as_ref().unwrap().input.iter().enumerate() {
        given.push((input.name.clone(), tensor(&data.join(format!("input_{i}.pb")), Some(input))));
    }
    let net = loop {
        match parse(&bytes(model)) {
            Ok(net) => break net,
            Err(OnnxError::NotConstant { name, .. }) if given.iter().any(|(n, _)| *n == name) => {
                let at = given.iter().position(|(n, _)| *n == name).unwrap();
                let (_, tensor) = given.remove(at);
                let graph = model.graph.as_mut().unwrap();
                graph.input.retain(|i| i.name != name);
                graph.initializer.push(TensorProto { name, ..tensor });
            }
            Err(e) => return Outcome::Refused(e.to_string()),
        }
    };
    let mut inputs = Vec::new();
    for (name, tensor) in &given {
        let Some(v) = values(tensor) else { return Outcome::Refused(format!("input {name} has another type")) };
        inputs.push(v);
    }
    let outputs = match net.run(&inputs) {
        Ok(o) => o,
        Err(e) => return Outcome::Failed(e.to_string()),
    };
    let names: Vec<&str> = net.outputs.iter().map(|o| &net.tensors[*o].name[..]).collect();
    let wanted: Vec<&str> = model.graph.as_ref().unwrap().output.iter().map(|o| &o.name[..]).collect();
    if names != wanted {
        return Outcome::Failed(format!("outputs {names:?} instead of {wanted:?}"));
    }
    for (i, got) in outputs.iter().enumerate() {
        let want = tensor(&data.join(format!("output_{i}.pb")), model.graph.as_ref().unwrap().output.get(i));
        let tolerance = tolerance(want.data_type);
        let dims: Vec<i64> = net.tensors[net.outputs[i]].shape.iter().map(|d| *d as i64).collect();
        if dims != want.dims {
            return Outcome::Failed(format!("shape {dims:?} instead of {:?}", want.dims));
        }
        let Some(want) = values(&want) else { return Outcome::Refused(format!("output {i} has another type")) };
        let close =
            |(g, w): (&f32, &f32)| g == w || g.is_nan() && w.is_nan() || (g - w).abs() <= tolerance * w.abs().max(1.0);
        if let Some(at) = got.iter().zip(&want).position(|p| !close(p)) {
            return Outcome::Failed(format!("value {at} is {} instead of {}", got[at], want[at]));
        }
    }
    Outcome::Passed
}

/// Runs all cases; those of several operators, which spell out a newer operator's definition, count as
/// "definitions".
pub(super) fn run_all() -> BTreeMap<String, Counts> {
    let known = |name: &str| OPERATORS.iter().any(|o| o.name == name);
    let mut counts: BTreeMap<String, Counts> = BTreeMap::new();
    for case in cases() {
        let mut model = ModelProto::decode(&std::fs::read(case.join("model.onnx")).unwrap()[..]).unwrap();
        // A case names the version that last changed its operator; what holds since one before 11 holds in 11.
        for o in model.opset_import.iter_mut().filter(|o| o.domain.is_empty()) {
            o.version = o.version.max(*OPSETS.start());
        }
        let nodes = &model.graph.as_ref().unwrap().node;
        if !nodes.iter().all(|n| known(&n.op_type) && n.domain.is_empty()) {
            continue;
        }
        let operator = if let [one] = &nodes[..] { one.op_type.clone() } else { "definitions".into() };
        let name = case.file_name().unwrap().to_string_lossy().into_owned();
        let counts = counts.entry(operator).or_default();
        match run(&case, &mut model) {
            Outcome::Passed => counts.passed += 1,
            Outcome::Failed(why) => counts.failed.push(format!("{name}: {why}")),
            Outcome::Refused(why) => counts.refused.push((name, why)),
        }
    }
    counts
}
