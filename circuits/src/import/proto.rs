//! The ONNX file as nodes and constants, decoded by tract's protobuf types.

use std::collections::HashMap;

use tract_onnx::pb::tensor_proto::{DataLocation, DataType};
use tract_onnx::pb::tensor_shape_proto::dimension::Value as Dim;
use tract_onnx::pb::{GraphProto, ModelProto, NodeProto, TensorProto, ValueInfoProto, type_proto};
use tract_onnx::prelude::Framework;

use super::error::ImportError;

/// A decoded file.
#[derive(Debug)]
pub(super) struct File {
    /// The graph with its nodes in order.
    pub(super) graph: GraphProto,
    /// Initialisers by name; constant nodes join while walking.
    pub(super) constants: HashMap<String, Constant>,
}

/// A constant tensor.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Constant {
    /// Its shape.
    pub(super) shape: Vec<usize>,
    /// Its values.
    pub(super) data: Data,
}

/// Values of a constant.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Data {
    /// 32-bit floats: weights.
    Float(Vec<f32>),
    /// 64-bit integers: shapes.
    Int(Vec<i64>),
}

impl File {
    pub(super) fn decode(bytes: &[u8]) -> Result<Self, ImportError> {
        let bad = |why: String| ImportError::NotOnnx { path: Default::default(), why };
        let mut reader = bytes;
        let model: ModelProto =
            tract_onnx::onnx().proto_model_for_read(&mut reader).map_err(|e| bad(e.to_string().replace('\n', " ")))?;
        let graph = model.graph.ok_or_else(|| bad("it holds no graph".into()))?;
        let mut constants = HashMap::new();
        for t in &graph.initializer {
            constants.insert(t.name.clone(), Constant::decode(&t.name, t)?);
        }
        Ok(File { graph, constants })
    }

    /// The one input that isn't an initialiser, with its shape.
    pub(super) fn input(&self) -> Result<(String, Vec<usize>), ImportError> {
        let inputs: Vec<&ValueInfoProto> =
            self.graph.input.iter().filter(|i| !self.constants.contains_key(&i.name)).collect();
        let fail = |name: &str, what: String, advice| {
            Err(ImportError::Interface { part: "input", name: name.into(), what, advice })
        };
        let [input] = inputs[..] else {
            let names: Vec<&str> = inputs.iter().map(|i| i.name.as_str()).collect();
            return fail(
                &format!("[{}]", names.join(", ")),
                format!("there are {} inputs", inputs.len()),
                "export a model with one input",
            );
        };
        let Some(type_proto::Value::TensorType(t)) = input.r#type.as_ref().and_then(|t| t.value.as_ref()) else {
            return fail(&input.name, "has no tensor type".into(), "export the model again");
        };
        if t.elem_type != DataType::Float as i32 {
            return fail(&input.name, "is not float32".into(), "export a float32 model");
        }
        let Some(shape) = &t.shape else {
            return fail(&input.name, "has no shape".into(), "export the model with fixed shapes");
        };
        let mut dims = Vec::new();
        for (axis, d) in shape.dim.iter().enumerate() {
            match &d.value {
                Some(Dim::DimValue(v)) if (1..1 << 24).contains(v) => dims.push(*v as usize),
                _ if axis == 0 && shape.dim.len() > 1 => dims.push(1),
                Some(Dim::DimParam(p)) => {
                    return fail(
                        &input.name,
                        format!("dimension {axis} is dynamic ({p})"),
                        "export the model with fixed shapes",
                    );
                }
                _ => {
                    return fail(
                        &input.name,
                        format!("dimension {axis} is dynamic"),
                        "export the model with fixed shapes",
                    );
                }
            }
        }
        let size = dims.iter().try_fold(1usize, |a, d| a.checked_mul(*d));
        if size.is_none_or(|s| s > 1 << 24) {
            return fail(&input.name, format!("has shape {dims:?}"), "use a smaller input");
        }
        if dims.len() < 2 || dims[0] != 1 {
            return fail(&input.name, format!("has shape {dims:?}"), "export the model with batch size 1 first");
        }
        Ok((input.name.clone(), dims))
    }

    /// The one output's name.
    pub(super) fn output(&self) -> Result<String, ImportError> {
        match &self.graph.output[..] {
            [output] => Ok(output.name.clone()),
            outputs => {
                let names: Vec<&str> = outputs.iter().map(|o| o.name.as_str()).collect();
                Err(ImportError::Interface {
                    part: "output",
                    name: format!("[{}]", names.join(", ")),
                    what: format!("there are {} outputs", outputs.len()),
                    advice: "export a model with one output",
                })
            }
        }
    }
}

impl Constant {
    /// Decodes an initialiser or the value of a constant node, called `name` in messages.
    pub(super) fn decode(name: &str, t: &TensorProto) -> Result<Self, ImportError> {
        let fail = |what: String| ImportError::Constant { name: name.into(), what };
        if t.data_location == Some(DataLocation::External as i32) {
            return Err(fail("is stored in another file".into()));
        }
        let mut shape = Vec::new();
        let mut size = 1usize;
        for d in &t.dims {
            let d = usize::try_from(*d).map_err(|_| fail(format!("has dimension {d}")))?;
            size = size.checked_mul(d).ok_or_else(|| fail("is too large".into()))?;
            shape.push(d);
        }
        let data = if t.data_type == DataType::Float as i32 {
            let values = if t.raw_data.is_empty() {
                t.float_data.clone()
            } else {
                words(&t.raw_data).ok_or_else(|| fail("is cut short".into()))?.map(f32::from_le_bytes).collect()
            };
            if values.is_empty() {
                return Err(fail("is empty".into()));
            }
            if let Some(v) = values.iter().find(|v: &&f32| !v.is_finite()) {
                return Err(fail(format!("holds {v}")));
            }
            Data::Float(values)
        } else if t.data_type == DataType::Int64 as i32 {
            Data::Int(if t.raw_data.is_empty() {
                t.int64_data.clone()
            } else {
                words(&t.raw_data).ok_or_else(|| fail("is cut short".into()))?.map(i64::from_le_bytes).collect()
            })
        } else {
            return Err(fail(format!("has ONNX data type {}", t.data_type)));
        };
        let len = match &data {
            Data::Float(v) => v.len(),
            Data::Int(v) => v.len(),
        };
        if len != size {
            return Err(fail(format!("has {len} values for shape {shape:?}")));
        }
        Ok(Constant { shape, data })
    }

    pub(super) fn floats(&self) -> Option<&[f32]> {
        match &self.data {
            Data::Float(v) => Some(v),
            Data::Int(_) => None,
        }
    }
}

/// Little-endian words of `N` bytes; `None` if some are left over.
pub(crate) fn words<const N: usize>(raw: &[u8]) -> Option<impl Iterator<Item = [u8; N]> + '_> {
    let whole = raw.len().is_multiple_of(N);
    whole.then(|| raw.chunks_exact(N).filter_map(|c| c.try_into().ok()))
}

/// The node's name, or that of its first output.
pub(crate) fn name_of(node: &NodeProto) -> String {
    match node.output.first() {
        Some(o) if node.name.is_empty() => o.clone(),
        _ => node.name.clone(),
    }
}

/// Integer attribute.
pub(super) fn int(node: &NodeProto, name: &str) -> Option<i64> {
    node.attribute.iter().find(|a| a.name == name).map(|a| a.i)
}

/// Integer list attribute.
pub(super) fn ints<'a>(node: &'a NodeProto, name: &str) -> Option<&'a [i64]> {
    node.attribute.iter().find(|a| a.name == name).map(|a| &a.ints[..])
}

/// Float attribute.
pub(super) fn float(node: &NodeProto, name: &str) -> Option<f32> {
    node.attribute.iter().find(|a| a.name == name).map(|a| a.f)
}

/// String attribute.
pub(super) fn string(node: &NodeProto, name: &str) -> Option<String> {
    let a = node.attribute.iter().find(|a| a.name == name)?;
    Some(String::from_utf8_lossy(&a.s).into_owned())
}
