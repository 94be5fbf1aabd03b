//! Everything that can be wrong with an ONNX file.

use std::path::PathBuf;

/// Operators that can be imported, for messages.
pub(super) const SUPPORTED: &str = "Conv, Gemm, MatMul, BatchNormalization, Add, Relu, Flatten, \
     Reshape, Identity, Dropout, Cast, Constant and a last Softmax";

/// Why an ONNX file can't be imported. Each message is one line: what, where, what to do.
#[derive(Debug, thiserror::Error)]
pub enum ImportError {
    /// The file can't be read.
    #[error("can't read {}: {source}; check the path", path.display())]
    Read {
        /// The file.
        path: PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// The bytes are no ONNX model.
    #[error("{} is not a readable ONNX model: {why}; export it again", path.display())]
    NotOnnx {
        /// The file, empty if it was given as bytes.
        path: PathBuf,
        /// Why.
        why: String,
    },
    /// An operator that there is no layer for.
    #[error("operator {operator} (node {node}) is not supported; use only {SUPPORTED}")]
    Operator {
        /// The operator's name.
        operator: String,
        /// The node's name.
        node: String,
    },
    /// A supported operator with settings that are not.
    #[error("operator {operator} (node {node}): {what}; {advice}")]
    Setting {
        /// The operator's name.
        operator: String,
        /// The node's name.
        node: String,
        /// What is not supported.
        what: String,
        /// What to do.
        advice: String,
    },
    /// Shapes that don't fit together.
    #[error("operator {operator} (node {node}): {what}; export the model again with fixed shapes")]
    Shape {
        /// The operator's name.
        operator: String,
        /// The node's name.
        node: String,
        /// What doesn't fit.
        what: String,
    },
    /// The graph's input or output is not what is expected.
    #[error("graph {part} {name}: {what}; {advice}")]
    Interface {
        /// "input" or "output".
        part: &'static str,
        /// Its name.
        name: String,
        /// What is wrong.
        what: String,
        /// What to do.
        advice: &'static str,
    },
    /// A constant that can't be used.
    #[error("constant {name}: {what}; store it inside the file as finite float32")]
    Constant {
        /// Its name.
        name: String,
        /// What is wrong.
        what: String,
    },
}
