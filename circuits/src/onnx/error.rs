//! Everything that can be wrong with an ONNX file.

use std::path::PathBuf;

/// Why an ONNX file can't be imported. Each message is one line: what, where, what to do.
#[derive(Debug, thiserror::Error)]
pub enum OnnxError {
    /// The file can't be read.
    #[error("can't read {}: {source}; check the path", path.display())]
    Read {
        /// The file.
        path: PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// The bytes are no ONNX model.
    #[error("not a readable ONNX model: {why}; export it again")]
    NotOnnx {
        /// Why.
        why: String,
    },
    /// The file's version of the operator set isn't one that can be read.
    #[error(
        "the file is written for {what}; export it for an operator set from {} to {}", super::OPSETS.start(), super::OPSETS.end()
    )]
    Opset {
        /// What the file says.
        what: String,
    },
    /// An operator that nothing here computes.
    #[error("operator {operator} (node {node}) is not supported: {advice}")]
    Operator {
        /// The operator's name.
        operator: String,
        /// The node's name.
        node: String,
        /// What to do; for an unknown operator which ones there are.
        advice: String,
    },
    /// A supported operator with a setting that isn't.
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
    /// An input that is computed, where only a constant can be used.
    #[error("operator {operator} (node {node}): input {index} ({name}) is not a constant; store it in the file")]
    NotConstant {
        /// The operator's name.
        operator: String,
        /// The node's name.
        node: String,
        /// Which of the node's inputs.
        index: usize,
        /// The input's name.
        name: String,
    },
    /// Shapes or indices that don't fit together.
    #[error("operator {operator} (node {node}): {what}; export the model again with fixed shapes")]
    Shape {
        /// The operator's name.
        operator: String,
        /// The node's name.
        node: String,
        /// What doesn't fit.
        what: String,
    },
    /// A graph input or output that can't be used.
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
    #[error("constant {name}: {what}; store it inside the file as finite float32 or as integers")]
    Constant {
        /// Its name.
        name: String,
        /// What is wrong.
        what: String,
    },
}
