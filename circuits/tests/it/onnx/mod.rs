//! Any ONNX file to the float network.

mod bad;
pub(crate) mod files;
mod node_tests;
mod operators;
mod page;
mod rounding;
