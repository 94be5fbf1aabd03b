//! The walk over an ONNX graph's nodes that builds a [`FloatGraph`].

use std::collections::HashMap;

use tract_onnx::pb::NodeProto;

use super::error::ImportError;
use super::float::{FloatGraph, FloatLayer};
use super::proto::{Constant, Data, File, float, int, ints, name_of, string};
use crate::graph::Board;

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
    let value = Value {
        tensor: 0,
        shape: shape.clone(),
        linear: false,
        last: false,
    };
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
                if let Some(c) = node
                    .input
                    .first()
                    .and_then(|n| self.constants.get(n))
                    .cloned()
                {
                    self.constants
                        .extend(node.output.first().map(|o| (o.clone(), c)));
                    return Ok(());
                }
                self.value(node, 0)?
            }
            "Cast" => match int(node, "to") {
                Some(1) => self.value(node, 0)?,
                to => {
                    return Err(setting(
                        node,
                        format!("casts to ONNX type {to:?}"),
                        "export a float32 model",
                    ));
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
                return Err(ImportError::Operator {
                    operator: operator.into(),
                    node: name_of(node),
                });
            }
        };
        if let Some(name) = node.output.first() {
            self.values.insert(name.clone(), value);
        }
        Ok(())
    }

    fn constant(&mut self, node: &NodeProto) -> Result<(), ImportError> {
        let tensor = node
            .attribute
            .iter()
            .find(|a| a.name == "value")
            .and_then(|a| a.t.as_ref());
        let (Some(t), Some(name)) = (tensor, node.output.first()) else {
            return Err(setting(
                node,
                "has no tensor value".into(),
                "export the constant as an initialiser",
            ));
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
                    && !matches!(
                        node.op_type.as_str(),
                        "Identity" | "Flatten" | "Reshape" | "Dropout" | "Cast"
                    ) =>
            {
                Err(setting(
                    node,
                    "follows the end of the network".into(),
                    "end the model at its logits",
                ))
            }
            Some(v) => Ok(v.clone()),
            None => Err(shape(
                node,
                format!("input {i} ({name}) is not computed by an earlier supported node"),
            )),
        }
    }

    /// Input `i` of the node as a float constant with its shape.
    fn floats(
        &self,
        node: &NodeProto,
        i: usize,
    ) -> Result<Option<(&[usize], &[f32])>, ImportError> {
        let Some(name) = node.input.get(i).filter(|n| !n.is_empty()) else {
            return Ok(None);
        };
        match self.constants.get(name) {
            Some(c) => match c.floats() {
                Some(v) => Ok(Some((&c.shape, v))),
                None => Err(setting(
                    node,
                    format!("input {i} ({name}) is not float32"),
                    "export a float32 model",
                )),
            },
            None => Err(setting(
                node,
                format!("input {i} ({name}) is not a constant"),
                "export the weights as constants",
            )),
        }
    }

    /// The newest tensor is the only one that a linear layer can read.
    fn newest(&self, node: &NodeProto, v: &Value) -> Result<(), ImportError> {
        if v.linear {
            let advice = "put a Relu between two linear layers, or merge them";
            return Err(setting(
                node,
                "reads a layer that has no Relu".into(),
                advice,
            ));
        }
        if v.tensor != self.layers.len() {
            let what = "reads a tensor that is not the newest".to_string();
            return Err(setting(
                node,
                what,
                "use one chain of layers; only Add may reach back",
            ));
        }
        Ok(())
    }

    fn push(&mut self, layer: FloatLayer, shape: Vec<usize>) -> Value {
        self.layers.push(layer);
        Value {
            tensor: self.layers.len(),
            shape,
            linear: true,
            last: false,
        }
    }

    fn conv(&mut self, node: &NodeProto) -> Result<Value, ImportError> {
        let v = self.value(node, 0)?;
        self.newest(node, &v)?;
        let (&[channels, height, width], Some((ws, w))) = (&v.shape[..], self.floats(node, 1)?)
        else {
            return Err(shape(
                node,
                format!(
                    "input of shape {:?} is not channels × height × width",
                    v.shape
                ),
            ));
        };
        let &[out, inp, kh, kw] = ws else {
            return Err(shape(node, format!("weights have shape {ws:?}")));
        };
        if int(node, "group").unwrap_or(1) != 1 {
            return Err(setting(node, "is grouped".into(), "use group = 1"));
        }
        if kh != kw || kh != 1 && kh != 3 {
            return Err(setting(
                node,
                format!("has a {kh}×{kw} kernel"),
                "use 3×3 with padding 1, or 1×1",
            ));
        }
        let all =
            |name: &str, want: i64| ints(node, name).is_none_or(|v| v.iter().all(|v| *v == want));
        if !all("strides", 1) || !all("dilations", 1) {
            return Err(setting(
                node,
                "has a stride or dilation other than 1".into(),
                "use stride 1 and dilation 1",
            ));
        }
        let padded = match string(node, "auto_pad").as_deref() {
            None | Some("NOTSET" | "") => ints(node, "pads")
                .unwrap_or(&[0; 4])
                .iter()
                .all(|p| *p == (kh / 2) as i64),
            Some("SAME_UPPER" | "SAME_LOWER") => true,
            Some(_) => kh == 1,
        };
        if !padded {
            return Err(setting(
                node,
                "changes the board's size".into(),
                "use padding 1 for 3×3 and 0 for 1×1",
            ));
        }
        if inp != channels {
            return Err(shape(
                node,
                format!("weights read {inp} channels, but the input has {channels}"),
            ));
        }
        let bias = match self.floats(node, 2)? {
            Some((_, b)) if b.len() == out => b.to_vec(),
            Some((_, b)) => {
                return Err(shape(
                    node,
                    format!("{} biases for {out} channels", b.len()),
                ));
            }
            None => vec![0.0; out],
        };
        let layer = FloatLayer {
            name: name_of(node),
            in_channels: inp,
            out_channels: out,
            kernel: kh,
            weights: w.to_vec(),
            bias,
            residual: None,
            relu: false,
        };
        self.on_board(node, Board { height, width }, channels)?;
        Ok(self.push(layer, vec![out, height, width]))
    }

    fn dense(&mut self, node: &NodeProto) -> Result<Value, ImportError> {
        let v = self.value(node, 0)?;
        self.newest(node, &v)?;
        let &[n] = &v.shape[..] else {
            return Err(shape(
                node,
                format!("input of shape {:?} is not flat", v.shape),
            ));
        };
        let Some((ws, w)) = self.floats(node, 1)? else {
            return Err(shape(node, "has no weights".into()));
        };
        let gemm = node.op_type == "Gemm";
        let flag = |name| gemm && int(node, name).unwrap_or(0) != 0;
        let factor = |name| {
            if gemm {
                float(node, name).unwrap_or(1.0)
            } else {
                1.0
            }
        };
        let &[rows, cols] = ws else {
            return Err(shape(node, format!("weights have shape {ws:?}")));
        };
        let (inp, out) = if flag("transB") {
            (cols, rows)
        } else {
            (rows, cols)
        };
        if flag("transA") {
            return Err(setting(
                node,
                "transposes its input".into(),
                "use transA = 0",
            ));
        }
        if inp != n {
            return Err(shape(
                node,
                format!("weights read {inp} values, but the input has {n}"),
            ));
        }
        let alpha = factor("alpha");
        let at = |o: usize, i: usize| {
            alpha
                * if flag("transB") {
                    w[o * inp + i]
                } else {
                    w[i * out + o]
                }
        };
        let weights = (0..out)
            .flat_map(|o| (0..inp).map(move |i| (o, i)))
            .map(|(o, i)| at(o, i))
            .collect();
        let bias = match if gemm { self.floats(node, 2)? } else { None } {
            Some((_, b)) if b.len() == out => b.iter().map(|b| b * factor("beta")).collect(),
            Some((_, [b])) => vec![b * factor("beta"); out],
            Some((_, b)) => {
                return Err(shape(node, format!("{} biases for {out} outputs", b.len())));
            }
            None => vec![0.0; out],
        };
        let layer = FloatLayer {
            name: name_of(node),
            in_channels: inp,
            out_channels: out,
            kernel: 1,
            weights,
            bias,
            residual: None,
            relu: false,
        };
        self.on_board(
            node,
            Board {
                height: 1,
                width: 1,
            },
            n,
        )?;
        Ok(self.push(layer, vec![out]))
    }

    /// The first linear layer fixes the board; later ones must agree.
    fn on_board(
        &mut self,
        node: &NodeProto,
        board: Board,
        channels: usize,
    ) -> Result<(), ImportError> {
        match self.board {
            None => (self.board, self.in_channels) = (Some(board), channels),
            Some(b) if b == board => {}
            Some(b) => {
                let what = format!(
                    "needs a {}×{} board after layers on a {}×{} board",
                    board.height, board.width, b.height, b.width
                );
                return Err(setting(
                    node,
                    what,
                    "keep one board size; make a dense head of 1×1 convolutions",
                ));
            }
        }
        Ok(())
    }

    /// The layer that a linear value belongs to, if nothing else reads it.
    fn building(
        &mut self,
        node: &NodeProto,
        i: usize,
        v: &Value,
    ) -> Result<&mut FloatLayer, ImportError> {
        let shared = node
            .input
            .get(i)
            .and_then(|n| self.uses.get(n.as_str()))
            .is_some_and(|u| *u > 1);
        if !v.linear || v.tensor != self.layers.len() || shared {
            let what = "doesn't directly follow the linear layer that it changes".to_string();
            return Err(setting(
                node,
                what,
                "put it right after Conv, Gemm or MatMul",
            ));
        }
        let last = self.layers.len() - 1;
        Ok(&mut self.layers[last])
    }

    fn batch_norm(&mut self, node: &NodeProto) -> Result<Value, ImportError> {
        let v = self.value(node, 0)?;
        let mut p = Vec::new();
        for i in 1..5 {
            p.push(
                self.floats(node, i)?
                    .map_or(Vec::new(), |(_, v)| v.to_vec()),
            );
        }
        let epsilon = float(node, "epsilon").unwrap_or(1e-5);
        let layer = self.building(node, 0, &v)?;
        if layer.residual.is_some() {
            return Err(setting(
                node,
                "follows an Add".into(),
                "put it right after the convolution",
            ));
        }
        if p.iter().any(|p| p.len() != layer.out_channels) {
            return Err(shape(
                node,
                format!("parameters don't fit {} channels", layer.out_channels),
            ));
        }
        let taps = layer.weights.len() / layer.out_channels;
        for o in 0..layer.out_channels {
            let factor = p[0][o] / (p[3][o] + epsilon).sqrt();
            if !factor.is_finite() {
                return Err(setting(
                    node,
                    format!("channel {o} has variance {}", p[3][o]),
                    "train it again",
                ));
            }
            layer.weights[o * taps..(o + 1) * taps]
                .iter_mut()
                .for_each(|w| *w *= factor);
            layer.bias[o] = (layer.bias[o] - p[2][o]) * factor + p[1][o];
        }
        Ok(v)
    }

    fn add(&mut self, node: &NodeProto) -> Result<Value, ImportError> {
        if let Some(i) = (0..2).find(|i| {
            node.input
                .get(*i)
                .is_some_and(|n| self.constants.contains_key(n))
        }) {
            return self.add_constant(node, i);
        }
        let (a, b) = (self.value(node, 0)?, self.value(node, 1)?);
        let (i, v, skip) = if a.linear { (0, a, b) } else { (1, b, a) };
        if skip.linear {
            return Err(setting(
                node,
                "adds two linear layers".into(),
                "put a Relu on the branch that is added",
            ));
        }
        if v.shape != skip.shape {
            return Err(shape(
                node,
                format!("adds shapes {:?} and {:?}", v.shape, skip.shape),
            ));
        }
        let layer = self.building(node, i, &v)?;
        if layer.residual.replace(skip.tensor).is_some() {
            return Err(setting(
                node,
                "adds a second residual to one layer".into(),
                "use one residual per layer",
            ));
        }
        Ok(v)
    }

    fn add_constant(&mut self, node: &NodeProto, i: usize) -> Result<Value, ImportError> {
        let v = self.value(node, 1 - i)?;
        let (cs, c) = self
            .floats(node, i)?
            .map_or((vec![], vec![]), |(s, c)| (s.to_vec(), c.to_vec()));
        let layer = self.building(node, 1 - i, &v)?;
        // Per channel: [1, C, 1, 1] and shorter forms for boards, [C] or [1, C] for flat values.
        let tail = &cs[cs.len().saturating_sub(v.shape.len())..];
        let channel_only = tail.len() == v.shape.len() && tail[1..].iter().all(|d| *d == 1);
        match c.len() {
            1 => layer.bias.iter_mut().for_each(|b| *b += c[0]),
            n if n == layer.out_channels && channel_only => {
                layer.bias.iter_mut().zip(&c).for_each(|(b, c)| *b += c)
            }
            _ => {
                return Err(setting(
                    node,
                    format!("adds a constant of shape {cs:?}"),
                    "add one number per channel",
                ));
            }
        }
        Ok(v)
    }

    fn relu(&mut self, node: &NodeProto) -> Result<Value, ImportError> {
        let v = self.value(node, 0)?;
        if !v.linear && v.tensor > 0 {
            return Ok(v);
        }
        self.building(node, 0, &v)?.relu = true;
        Ok(Value { linear: false, ..v })
    }

    /// Flatten, or a Reshape that keeps the order of values.
    fn reshape(&mut self, node: &NodeProto) -> Result<Value, ImportError> {
        let v = self.value(node, 0)?;
        let size: usize = v.shape.iter().product();
        let flat = vec![size];
        let target = if node.op_type == "Flatten" {
            if int(node, "axis").unwrap_or(1) != 1 {
                return Err(setting(
                    node,
                    "flattens another axis than 1".into(),
                    "use axis = 1",
                ));
            }
            flat
        } else {
            match node
                .input
                .get(1)
                .and_then(|n| self.constants.get(n))
                .map(|c| &c.data)
            {
                Some(Data::Int(dims)) => reshaped(dims, &v.shape).ok_or_else(|| {
                    shape(node, format!("can't reshape {:?} to {dims:?}", v.shape))
                })?,
                _ => {
                    return Err(setting(
                        node,
                        "has no constant shape".into(),
                        "export the model with fixed shapes",
                    ));
                }
            }
        };
        let one_cell = self.board.is_some_and(|b| b.cells() == 1);
        if target == v.shape || v.tensor == 0 || one_cell {
            // The layout of the input is free until the first linear layer fixes the board.
            return Ok(Value { shape: target, ..v });
        }
        let used_as_output = v.linear && target.len() == 1;
        if !used_as_output {
            let what = format!(
                "reshapes {:?} to {target:?} in the middle of the network",
                v.shape
            );
            return Err(setting(
                node,
                what,
                "keep the board up to the output; make a dense head of 1×1 convolutions",
            ));
        }
        Ok(Value {
            shape: target,
            last: true,
            ..v
        })
    }

    fn finish(self, output: &str) -> Result<FloatGraph, ImportError> {
        let fail = |what: String, advice| ImportError::Interface {
            part: "output",
            name: output.into(),
            what,
            advice,
        };
        let Some(v) = self.values.get(output) else {
            return Err(fail(
                "is computed by no node".into(),
                "export the model again",
            ));
        };
        let Some(board) = self
            .board
            .filter(|_| v.tensor == self.layers.len() && !self.layers.is_empty())
        else {
            return Err(fail(
                "is not the last layer's".into(),
                "leave out layers that the output doesn't use",
            ));
        };
        if self.layers.last().is_some_and(|l| l.relu) {
            return Err(fail(
                "comes after a Relu".into(),
                "end the model at its logits",
            ));
        }
        if self.in_channels * board.cells() != self.input_shape.iter().product::<usize>() {
            return Err(fail(
                "doesn't depend on the whole input".into(),
                "export the model again",
            ));
        }
        Ok(FloatGraph {
            board,
            in_channels: self.in_channels,
            layers: self.layers,
        })
    }
}

/// The shape, without its batch dimension, that ONNX `Reshape` gives.
fn reshaped(dims: &[i64], from: &[usize]) -> Option<Vec<usize>> {
    let size: usize = from.iter().product();
    let source = |i: usize| {
        if i == 0 {
            Some(1)
        } else {
            from.get(i - 1).copied()
        }
    };
    let mut out = Vec::new();
    let mut known = 1usize;
    for (i, d) in dims.iter().enumerate() {
        let d = match d {
            0 => source(i)?,
            -1 => 0,
            d => usize::try_from(*d).ok()?,
        };
        known = known.checked_mul(d.max(1))?;
        out.push(d);
    }
    if known == 0 || !size.is_multiple_of(known) {
        return None;
    }
    out.iter_mut()
        .filter(|d| **d == 0)
        .for_each(|d| *d = size / known);
    (out.first() == Some(&1) && out.iter().product::<usize>() == size).then(|| out[1..].to_vec())
}

fn setting(node: &NodeProto, what: String, advice: &str) -> ImportError {
    ImportError::Setting {
        operator: node.op_type.clone(),
        node: name_of(node),
        what,
        advice: advice.into(),
    }
}

fn shape(node: &NodeProto, what: String) -> ImportError {
    ImportError::Shape {
        operator: node.op_type.clone(),
        node: name_of(node),
        what,
    }
}
