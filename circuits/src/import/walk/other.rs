//! What changes a layer that is being built, or only the shape.

use tract_onnx::pb::NodeProto;

use super::{Value, Walk, setting, shape};
use crate::import::error::ImportError;
use crate::import::proto::{Data, float, int};

impl Walk<'_> {
    pub(super) fn batch_norm(&mut self, node: &NodeProto) -> Result<Value, ImportError> {
        let v = self.value(node, 0)?;
        let mut p = Vec::new();
        for i in 1..5 {
            p.push(self.floats(node, i)?.map_or(Vec::new(), |(_, v)| v.to_vec()));
        }
        let epsilon = float(node, "epsilon").unwrap_or(1e-5);
        let layer = self.building(node, 0, &v)?;
        if layer.residual.is_some() {
            return Err(setting(node, "follows an Add".into(), "put it right after the convolution"));
        }
        if p.iter().any(|p| p.len() != layer.out_channels) {
            return Err(shape(node, format!("parameters don't fit {} channels", layer.out_channels)));
        }
        let taps = layer.weights.len() / layer.out_channels;
        let [gamma, beta, mean, variance] = [0, 1, 2, 3].map(|i| p[i].iter());
        let channels = layer.weights.chunks_mut(taps).zip(&mut layer.bias);
        let parameters = gamma.zip(beta).zip(mean.zip(variance));
        for ((weights, bias), ((gamma, beta), (mean, variance))) in channels.zip(parameters) {
            let factor = gamma / (variance + epsilon).sqrt();
            if !factor.is_finite() {
                let what = format!("a channel has variance {variance}");
                return Err(setting(node, what, "train it again"));
            }
            weights.iter_mut().for_each(|w| *w *= factor);
            *bias = (*bias - mean) * factor + beta;
        }
        Ok(v)
    }

    pub(super) fn add(&mut self, node: &NodeProto) -> Result<Value, ImportError> {
        if let Some(i) = (0..2).find(|i| node.input.get(*i).is_some_and(|n| self.constants.contains_key(n))) {
            return self.add_constant(node, i);
        }
        let (a, b) = (self.value(node, 0)?, self.value(node, 1)?);
        let (i, v, skip) = if a.linear { (0, a, b) } else { (1, b, a) };
        if skip.linear {
            return Err(setting(node, "adds two linear layers".into(), "put a Relu on the branch that is added"));
        }
        if v.shape != skip.shape {
            return Err(shape(node, format!("adds shapes {:?} and {:?}", v.shape, skip.shape)));
        }
        let layer = self.building(node, i, &v)?;
        if layer.residual.replace(skip.tensor).is_some() {
            return Err(setting(node, "adds a second residual to one layer".into(), "use one residual per layer"));
        }
        Ok(v)
    }

    fn add_constant(&mut self, node: &NodeProto, i: usize) -> Result<Value, ImportError> {
        let v = self.value(node, 1 - i)?;
        let (cs, c) = self.floats(node, i)?.map_or((vec![], vec![]), |(s, c)| (s.to_vec(), c.to_vec()));
        let layer = self.building(node, 1 - i, &v)?;
        // Per channel: [1, C, 1, 1] and shorter forms for boards, [C] or [1, C] for flat values.
        let tail = &cs[cs.len().saturating_sub(v.shape.len())..];
        let channel_only = tail.len() == v.shape.len() && tail[1..].iter().all(|d| *d == 1);
        match c.len() {
            1 => layer.bias.iter_mut().for_each(|b| *b += c[0]),
            n if n == layer.out_channels && channel_only => layer.bias.iter_mut().zip(&c).for_each(|(b, c)| *b += c),
            _ => {
                return Err(setting(node, format!("adds a constant of shape {cs:?}"), "add one number per channel"));
            }
        }
        Ok(v)
    }

    pub(super) fn relu(&mut self, node: &NodeProto) -> Result<Value, ImportError> {
        let v = self.value(node, 0)?;
        if !v.linear && v.tensor > 0 {
            return Ok(v);
        }
        self.building(node, 0, &v)?.relu = true;
        Ok(Value { linear: false, ..v })
    }

    /// Flatten, or a Reshape that keeps the order of values.
    pub(super) fn reshape(&mut self, node: &NodeProto) -> Result<Value, ImportError> {
        let v = self.value(node, 0)?;
        let size: usize = v.shape.iter().product();
        let flat = vec![size];
        let target = if node.op_type == "Flatten" {
            if int(node, "axis").unwrap_or(1) != 1 {
                return Err(setting(node, "flattens another axis than 1".into(), "use axis = 1"));
            }
            flat
        } else {
            match node.input.get(1).and_then(|n| self.constants.get(n)).map(|c| &c.data) {
                Some(Data::Int(dims)) => reshaped(dims, &v.shape)
                    .ok_or_else(|| shape(node, format!("can't reshape {:?} to {dims:?}", v.shape)))?,
                _ => {
                    return Err(setting(node, "has no constant shape".into(), "export the model with fixed shapes"));
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
            let what = format!("reshapes {:?} to {target:?} in the middle of the network", v.shape);
            return Err(setting(node, what, "keep the board up to the output; make a dense head of 1×1 convolutions"));
        }
        Ok(Value { shape: target, last: true, ..v })
    }
}

/// The shape, without its batch dimension, that ONNX `Reshape` gives.
fn reshaped(dims: &[i64], from: &[usize]) -> Option<Vec<usize>> {
    let size: usize = from.iter().product();
    let source = |i: usize| {
        if i == 0 { Some(1) } else { from.get(i - 1).copied() }
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
    out.iter_mut().filter(|d| **d == 0).for_each(|d| *d = size / known);
    (out.first() == Some(&1) && out.iter().product::<usize>() == size).then(|| out[1..].to_vec())
}
