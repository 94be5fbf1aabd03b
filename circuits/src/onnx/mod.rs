//! ONNX file → float network.
//!
//! ```text
//!  bytes ──protobuf──► nodes ──registry──► one lowering per operator ──► FloatNet ──simplify──► FloatNet
//! ```
//!
//! tract decodes the file; the walk over its nodes is ours, so that names survive, and whatever can't be proven is
//! refused by name before any work. Every shape is known while walking: a dynamic batch is bound to 1, and nodes
//! whose inputs are constants are computed right away.

mod build;
mod error;
mod lower;
mod ops;
mod registry;
mod shape;
mod simplify;
mod tensor;
mod walk;

pub use error::OnnxError;
pub use registry::{OPERATORS, Operator, REFUSED};

use std::ops::RangeInclusive;
use std::path::Path;

use crate::float::FloatNet;

/// Versions of ONNX's operator set that can be read.
pub const OPSETS: RangeInclusive<i64> = 11..=21;

/// Reads an ONNX file.
///
/// # Errors
/// Fails if the file can't be read, isn't ONNX, or holds something that can't be proven; the message names node and
/// operator, and what to do.
pub fn load(path: &Path) -> Result<FloatNet, OnnxError> {
    let bytes = std::fs::read(path).map_err(|source| OnnxError::Read { path: path.to_owned(), source })?;
    parse(&bytes)
}

/// Reads the bytes of an ONNX file.
///
/// # Errors
/// As [`load`], without the reading.
pub fn parse(bytes: &[u8]) -> Result<FloatNet, OnnxError> {
    walk::walk(bytes)
}
