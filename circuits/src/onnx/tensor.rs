//! Constants and element types of ONNX.

use std::sync::Arc;

use tract_onnx::pb::TensorProto;
use tract_onnx::pb::tensor_proto::{DataLocation, DataType};

use super::error::OnnxError;
use super::shape::size;
use crate::import::proto::words;

/// What the numbers of a value are. Widths don't matter: no sum is taken modulo one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    /// Floating point.
    Float,
    /// Integers.
    Integer,
    /// 0 and 1.
    Bool,
}

impl Kind {
    /// The kind of an ONNX element type; `None` for strings, complex numbers and types of 8 bits or fewer that
    /// aren't integers.
    pub(super) fn of(code: i32) -> Option<Self> {
        use DataType::*;
        Some(match DataType::try_from(code).ok()? {
            Float | Float16 | Bfloat16 | Double => Self::Float,
            Uint8 | Int8 | Uint16 | Int16 | Int32 | Int64 | Uint32 | Uint64 => Self::Integer,
            Bool => Self::Bool,
            _ => return None,
        })
    }
}

/// A constant tensor. Integers are kept as floats, exact up to 2^24 and close beyond, where they only mean "to the
/// end".
#[derive(Clone, Debug)]
pub(super) struct Constant {
    pub(super) shape: Vec<usize>,
    pub(super) kind: Kind,
    pub(super) values: Arc<Vec<f32>>,
}

impl Constant {
    /// Decodes an initialiser or the value of a constant node, called `name` in messages.
    pub(super) fn decode(name: &str, t: &TensorProto) -> Result<Self, OnnxError> {
        let fail = |what: String| OnnxError::Constant { name: name.into(), what };
        if t.data_location == Some(DataLocation::External as i32) {
            return Err(fail("is stored in another file".into()));
        }
        if t.segment.is_some() {
            return Err(fail("is stored in segments".into()));
        }
        let dim = |d: &i64| usize::try_from(*d).map_err(|_| fail(format!("has dimension {d}")));
        let shape = t.dims.iter().map(dim).collect::<Result<Vec<usize>, _>>()?;
        let size = size(&shape).ok_or_else(|| fail(format!("is too large with shape {:?}", t.dims)))?;
        let kind = Kind::of(t.data_type).ok_or_else(|| fail(format!("has ONNX data type {}", t.data_type)))?;
        let values = numbers(t).ok_or_else(|| fail("is cut short".into()))?;
        if values.len() != size {
            return Err(fail(format!("has {} values for shape {shape:?}", values.len())));
        }
        if values.iter().any(|v| v.is_nan()) {
            return Err(fail("holds NaN".into()));
        }
        Ok(Self { shape, kind, values: Arc::new(values) })
    }
}

/// The numbers, from the field where their type puts them; `None` if bytes are left over.
fn numbers(t: &TensorProto) -> Option<Vec<f32>> {
    use DataType::*;
    let raw = &t.raw_data[..];
    let kind = DataType::try_from(t.data_type).ok()?;
    if raw.is_empty() {
        let narrow = || t.int32_data.iter();
        return Some(match kind {
            Float => t.float_data.clone(),
            Double => t.double_data.iter().map(|v| *v as f32).collect(),
            Int64 => t.int64_data.iter().map(|v| *v as f32).collect(),
            Uint32 | Uint64 => t.uint64_data.iter().map(|v| *v as f32).collect(),
            Float16 => narrow().map(|v| half(*v as u16)).collect(),
            Bfloat16 => narrow().map(|v| f32::from_bits(u32::from(*v as u16) << 16)).collect(),
            _ => narrow().map(|v| *v as f32).collect(),
        });
    }
    Some(match kind {
        Float => words(raw)?.map(f32::from_le_bytes).collect(),
        Double => words(raw)?.map(|b| f64::from_le_bytes(b) as f32).collect(),
        Float16 => words(raw)?.map(|b| half(u16::from_le_bytes(b))).collect(),
        Bfloat16 => words(raw)?.map(|b| f32::from_bits(u32::from(u16::from_le_bytes(b)) << 16)).collect(),
        Int64 => words(raw)?.map(|b| i64::from_le_bytes(b) as f32).collect(),
        Uint64 => words(raw)?.map(|b| u64::from_le_bytes(b) as f32).collect(),
        Int32 => words(raw)?.map(|b| i32::from_le_bytes(b) as f32).collect(),
        Uint32 => words(raw)?.map(|b| u32::from_le_bytes(b) as f32).collect(),
        Int16 => words(raw)?.map(|b| f32::from(i16::from_le_bytes(b))).collect(),
        Uint16 => words(raw)?.map(|b| f32::from(u16::from_le_bytes(b))).collect(),
        Int8 => raw.iter().map(|b| f32::from(*b as i8)).collect(),
        _ => raw.iter().map(|b| f32::from(*b)).collect(),
    })
}

/// A 16-bit float's value.
fn half(bits: u16) -> f32 {
    let (sign, exponent, fraction) = (bits >> 15, bits >> 10 & 31, f32::from(bits & 1023));
    let size = match exponent {
        0 => fraction * 2f32.powi(-24),
        31 if fraction == 0.0 => f32::INFINITY,
        31 => f32::NAN,
        e => (1024.0 + fraction) * 2f32.powi(i32::from(e) - 25),
    };
    if sign == 1 { -size } else { size }
}
