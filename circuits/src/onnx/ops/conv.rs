//! Conv: 1-D and 2-D convolutions with constant weights.

use super::super::build::Value;
use super::super::lower::{Lowered, Lowering};
use super::super::tensor::Kind;
use super::window::{Axis, axes, kernel};
use crate::float::{Conv, FloatOp};

/// `Conv(x, weights, bias?)`.
pub(crate) fn conv(l: &mut Lowering<'_>) -> Lowered<Vec<Value>> {
    let x = l.input(0)?;
    let (shape, weights) = l.floats(1)?;
    let bias = l.constant_if(2)?.map(|b| b.constant().unwrap_or_default().to_vec());
    let spatial = x.shape.len().saturating_sub(2);
    if !(1..=2).contains(&spatial) {
        return Err(l.place.setting(format!("has an input of shape {:?}", x.shape), "use 1-D or 2-D convolutions"));
    }
    if shape.len() != spatial + 2 {
        return Err(l.place.shape(format!("weights of shape {shape:?} don't fit an input of shape {:?}", x.shape)));
    }
    let kernel = kernel(l, spatial, Some(&shape[2..]))?;
    let axes = axes(l, &x.shape[2..], &kernel, false)?;
    let groups = usize::try_from(l.int("group", 1)?).unwrap_or(0);
    let (batch, channels, out_channels) = (x.shape[0], x.shape[1], shape[0]);
    if groups == 0 || !channels.is_multiple_of(groups) || !out_channels.is_multiple_of(groups) {
        return Err(l.place.shape(format!("{groups} groups don't divide {channels} and {out_channels} channels")));
    }
    if shape[1] != channels / groups {
        let what = format!("weights read {} channels, but the input has {channels} in {groups} groups", shape[1]);
        return Err(l.place.shape(what));
    }
    let bias = bias.unwrap_or_else(|| vec![0.0; out_channels]);
    if bias.len() != out_channels {
        return Err(l.place.shape(format!("{} biases don't fit {out_channels} channels", bias.len())));
    }
    let unit = Axis { size: 1, kernel: 1, stride: 1, dilation: 1, pads: [0, 0], out: 1 };
    let (y, x_axis) = if spatial == 2 { (axes[0], axes[1]) } else { (unit, axes[0]) };
    let conv = Conv {
        channels,
        height: y.size,
        width: x_axis.size,
        out_channels,
        kernel: [y.kernel, x_axis.kernel],
        stride: [y.stride, x_axis.stride],
        pads: [y.pads[0], x_axis.pads[0], y.pads[1], x_axis.pads[1]],
        dilation: [y.dilation, x_axis.dilation],
        groups,
        weights,
        bias,
    };
    let mut out = vec![1, out_channels];
    out.extend(axes.iter().map(|a| a.out));
    Ok(vec![batched(l, &x, conv, batch, out)?])
}

/// The convolution of each sample of a batch; `shape` is one sample's output.
fn batched(l: &mut Lowering<'_>, x: &Value, conv: Conv, batch: usize, mut shape: Vec<usize>) -> Lowered {
    if batch == 1 {
        return l.op(FloatOp::Conv(conv), &[x], shape, Kind::Float);
    }
    let mut samples = Vec::new();
    let each = x.len() / batch.max(1);
    for i in 0..batch {
        let mut one = x.shape.clone();
        one[0] = 1;
        l.builder.spend(&l.place, conv.weights.len() + each)?;
        let map: Vec<u32> = (i * each..(i + 1) * each).map(|j| j as u32).collect();
        let sample = l.moved(x, &map, one)?;
        samples.push(l.op(FloatOp::Conv(conv.clone()), &[&sample], shape.clone(), Kind::Float)?);
    }
    let each = samples.first().map_or(0, Value::len);
    shape[0] = batch;
    l.sized(&shape)?;
    let order: Vec<(u32, u32)> = (0..batch * each).map(|i| ((i / each) as u32, (i % each) as u32)).collect();
    l.joined(&samples.iter().collect::<Vec<_>>(), &order, shape)
}
