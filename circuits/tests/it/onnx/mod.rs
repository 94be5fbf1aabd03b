//! Any ONNX file to the float network.

mod bad;
mod files;
mod node_tests;
mod operators;
mod page;
