//! The walk over an ONNX graph's nodes that builds a [`FloatGraph`].

use std::collections::HashMap;

use tract_onnx::pb::NodeProto;

use super::error::ImportError;
use super::float::{FloatGraph, FloatLayer};
use super::proto::{Constant, File, int, name_of};
use crate::graph::Board;

mod linear;
mod other;

/// What a name of the ONNX graph stands for.
#[derive(Clone, Debug)]
struct Value {
    /// Tensor of the float graph; for a linear value that of the layer still being built.
    tensor: usize,
    /// Shape without the batch dimension.
    shape: Vec<usize>,
    /// Whether the layer is still linear (no Relu yet).
    linear: bool,
    /// Whether nothing may follow any more (after Softmax, or a flattened board).
    last: bool,
}

/// A float constant: its shape and its values.
type Floats<'a> = (&'a [usize], &'a [f32]);

struct Walk<'a> {
    values: HashMap<String, Value>,
    constants: HashMap<String, Constant>,
    uses: HashMap<&'a str, usize>,
    input_shape: Vec<usize>,
    board: Option<Board>,
    in_channels: usize,
    layers: Vec<FloatLayer>,
}

/// Builds the float graph of a decoded file.
pub(super) fn walk(file: &File) -> Result<FloatGraph, ImportError> {
    let (input, shape) = file.input()?;
    let output = file.output()?;
    let mut uses: HashMap<&str, usize> = HashMap::new();
    for name in file.graph.node.iter().flat_map(|n| &n.input) {
        *uses.entry(name).or_default() += 1;
    }
    *uses.entry(&output).or_default() += 1;
    let shape = shape[1..].to_vec();
    let value = Value { tensor: 0, shape: shape.clone(), linear: false, last: false };
    let mut walk = Walk {
        values: HashMap::from([(input, value)]),
        constants: file.constants.clone(),
        uses,
        input_shape: shape,
        board: None,
        in_channels: 0,
        layers: Vec::new(),
    };
    for node in &file.graph.node {
        walk.node(node)?;
    }
    walk.finish(&output)
}

impl Walk<'_> {
    fn node(&mut self, node: &NodeProto) -> Result<(), ImportError> {
        if !node.domain.is_empty() && node.domain != "ai.onnx" {
            return Err(ImportError::Operator {
                operator: format!("{}:{}", node.domain, node.op_type),
                node: name_of(node),
            });
        }
        let value = match node.op_type.as_str() {
            "Constant" => return self.constant(node),
            "Conv" => self.conv(node)?,
            "Gemm" | "MatMul" => self.dense(node)?,
            "BatchNormalization" => self.batch_norm(node)?,
            "Add" => self.add(node)?,
            "Relu" => self.relu(node)?,
            "Flatten" | "Reshape" => self.reshape(node)?,
            "Identity" | "Dropout" => {
                if let Some(c) = node.input.first().and_then(|n| self.constants.get(n)).cloned() {
                    self.constants.extend(node.output.first().map(|o| (o.clone(), c)));
                    return Ok(());
                }
                self.value(node, 0)?
            }
            "Cast" => match int(node, "to") {
                Some(1) => self.value(node, 0)?,
                to => {
                    return Err(setting(node, format!("casts to ONNX type {to:?}"), "export a float32 model"));
                }
            },
            "Softmax" | "LogSoftmax" => {
                let v = self.value(node, 0)?;
                let axis = int(node, "axis").unwrap_or(-1);
                if v.shape.len() != 1 || ![-1, 1].contains(&axis) || !v.linear {
                    return Err(setting(
                        node,
                        "is not over all outputs at the end".into(),
                        "leave it out; ranking doesn't need it",
                    ));
                }
                Value { last: true, ..v }
            }
            operator => {
                return Err(ImportError::Operator { operator: operator.into(), node: name_of(node) });
            }
        };
        if let Some(name) = node.output.first() {
            self.values.insert(name.clone(), value);
        }
        Ok(())
    }

    fn constant(&mut self, node: &NodeProto) -> Result<(), ImportError> {
        let tensor = node.attribute.iter().find(|a| a.name == "value").and_then(|a| a.t.as_ref());
        let (Some(t), Some(name)) = (tensor, node.output.first()) else {
            return Err(setting(node, "has no tensor value".into(), "export the constant as an initialiser"));
        };
        let c = Constant::decode(name, t)?;
        self.constants.insert(name.clone(), c);
        Ok(())
    }

    /// The value that input `i` of the node names.
    fn value(&self, node: &NodeProto, i: usize) -> Result<Value, ImportError> {
        let name = node.input.get(i).map_or("", String::as_str);
        match self.values.get(name) {
            Some(v)
                if v.last
                    && !matches!(node.op_type.as_str(), "Identity" | "Flatten" | "Reshape" | "Dropout" | "Cast") =>
            {
                Err(setting(node, "follows the end of the network".into(), "end the model at its logits"))
            }
            Some(v) => Ok(v.clone()),
            None => Err(shape(node, format!("input {i} ({name}) is not computed by an earlier supported node"))),
        }
    }

    /// Input `i` of the node as a float constant with its shape.
    fn floats(&self, node: &NodeProto, i: usize) -> Result<Option<Floats<'_>>, ImportError> {
        let Some(name) = node.input.get(i).filter(|n| !n.is_empty()) else {
            return Ok(None);
        };
        match self.constants.get(name) {
            Some(c) => match c.floats() {
                Some(v) => Ok(Some((&c.shape, v))),
                None => Err(setting(node, format!("input {i} ({name}) is not float32"), "export a float32 model")),
            },
            None => {
                Err(setting(node, format!("input {i} ({name}) is not a constant"), "export the weights as constants"))
            }
        }
    }

    /// The newest tensor is the only one that a linear layer can read.
    fn newest(&self, node: &NodeProto, v: &Value) -> Result<(), ImportError> {
        if v.linear {
            let advice = "put a Relu between two linear layers, or merge them";
            return Err(setting(node, "reads a layer that has no Relu".into(), advice));
        }
        if v.tensor != self.layers.len() {
            let what = "reads a tensor that is not the newest".to_string();
            return Err(setting(node, what, "use one chain of layers; only Add may reach back"));
        }
        Ok(())
    }

    fn push(&mut self, layer: FloatLayer, shape: Vec<usize>) -> Value {
        self.layers.push(layer);
        Value { tensor: self.layers.len(), shape, linear: true, last: false }
    }

    /// The first linear layer fixes the board; later ones must agree.
    fn on_board(&mut self, node: &NodeProto, board: Board, channels: usize) -> Result<(), ImportError> {
        match self.board {
            None => (self.board, self.in_channels) = (Some(board), channels),
            Some(b) if b == board => {}
            Some(b) => {
                let what = format!(
                    "needs a {}×{} board after layers on a {}×{} board",
                    board.height, board.width, b.height, b.width
                );
                return Err(setting(node, what, "keep one board size; make a dense head of 1×1 convolutions"));
            }
        }
        Ok(())
    }

    /// The layer that a linear value belongs to, if nothing else reads it.
    fn building(&mut self, node: &NodeProto, i: usize, v: &Value) -> Result<&mut FloatLayer, ImportError> {
        let shared = node.input.get(i).and_then(|n| self.uses.get(n.as_str())).is_some_and(|u| *u > 1);
        if !v.linear || v.tensor != self.layers.len() || shared {
            let what = "doesn't directly follow the linear layer that it changes".to_string();
            return Err(setting(node, what, "put it right after Conv, Gemm or MatMul"));
        }
        let last = self.layers.len() - 1;
        Ok(&mut self.layers[last])
    }

    fn finish(self, output: &str) -> Result<FloatGraph, ImportError> {
        let fail = |what: String, advice| ImportError::Interface { part: "output", name: output.into(), what, advice };
        let Some(v) = self.values.get(output) else {
            return Err(fail("is computed by no node".into(), "export the model again"));
        };
        let Some(board) = self.board.filter(|_| v.tensor == self.layers.len() && !self.layers.is_empty()) else {
            return Err(fail("is not the last layer's".into(), "leave out layers that the output doesn't use"));
        };
        if self.layers.last().is_some_and(|l| l.relu) {
            return Err(fail("comes after a Relu".into(), "end the model at its logits"));
        }
        if self.in_channels * board.cells() != self.input_shape.iter().product::<usize>() {
            return Err(fail("doesn't depend on the whole input".into(), "export the model again"));
        }
        Ok(FloatGraph { board, in_channels: self.in_channels, layers: self.layers })
    }
}

fn setting(node: &NodeProto, what: String, advice: &str) -> ImportError {
    ImportError::Setting { operator: node.op_type.clone(), node: name_of(node), what, advice: advice.into() }
}

fn shape(node: &NodeProto, what: String) -> ImportError {
    ImportError::Shape { operator: node.op_type.clone(), node: name_of(node), what }
}
