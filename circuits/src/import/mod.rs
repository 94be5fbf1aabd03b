//! ONNX file → float graph.
//!
//! tract reads the file; the walk over its nodes is ours, so that node names survive and everything
//! that can't be proven is refused by name instead of being approximated.

mod error;
mod float;
pub(crate) mod proto;
mod walk;

pub use error::ImportError;
pub use float::{FloatGraph, FloatLayer};

use std::path::Path;

/// Reads an ONNX file.
///
/// # Errors
/// Fails if the file can't be read, isn't ONNX, or holds something that can't be proven; the
/// message names the file, the node, its operator, and what to do.
pub fn load(path: &Path) -> Result<FloatGraph, ImportError> {
    let bytes = std::fs::read(path).map_err(|source| ImportError::Read { path: path.to_owned(), source })?;
    parse(&bytes).map_err(|e| match e {
        ImportError::NotOnnx { why, .. } => ImportError::NotOnnx { path: path.to_owned(), why },
        e => e,
    })
}

/// Reads the bytes of an ONNX file.
///
/// # Errors
/// As [`load`], without the reading.
pub fn parse(bytes: &[u8]) -> Result<FloatGraph, ImportError> {
    walk::walk(&proto::File::decode(bytes)?)
}
