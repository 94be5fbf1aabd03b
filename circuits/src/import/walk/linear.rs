//! Convolutions and dense layers.

use tract_onnx::pb::NodeProto;

use super::{Value, Walk, setting, shape};
use crate::graph::Board;
use crate::import::error::ImportError;
use crate::import::float::FloatLayer;
use crate::import::proto::{float, int, ints, name_of, string};

impl Walk<'_> {
    pub(super) fn conv(&mut self, node: &NodeProto) -> Result<Value, ImportError> {
        let v = self.value(node, 0)?;
        self.newest(node, &v)?;
        let (&[channels, height, width], Some((ws, w))) = (&v.shape[..], self.floats(node, 1)?) else {
            return Err(shape(node, format!("input of shape {:?} is not channels × height × width", v.shape)));
        };
        let &[out, inp, kh, kw] = ws else {
            return Err(shape(node, format!("weights have shape {ws:?}")));
        };
        if int(node, "group").unwrap_or(1) != 1 {
            return Err(setting(node, "is grouped".into(), "use group = 1"));
        }
        if kh != kw || kh != 1 && kh != 3 {
            return Err(setting(node, format!("has a {kh}×{kw} kernel"), "use 3×3 with padding 1, or 1×1"));
        }
        let all = |name: &str, want: i64| ints(node, name).is_none_or(|v| v.iter().all(|v| *v == want));
        if !all("strides", 1) || !all("dilations", 1) {
            return Err(setting(node, "has a stride or dilation other than 1".into(), "use stride 1 and dilation 1"));
        }
        let padded = match string(node, "auto_pad").as_deref() {
            None | Some("NOTSET" | "") => ints(node, "pads").unwrap_or(&[0; 4]).iter().all(|p| *p == (kh / 2) as i64),
            Some("SAME_UPPER" | "SAME_LOWER") => true,
            Some(_) => kh == 1,
        };
        if !padded {
            return Err(setting(node, "changes the board's size".into(), "use padding 1 for 3×3 and 0 for 1×1"));
        }
        if inp != channels {
            return Err(shape(node, format!("weights read {inp} channels, but the input has {channels}")));
        }
        let bias = match self.floats(node, 2)? {
            Some((_, b)) if b.len() == out => b.to_vec(),
            Some((_, b)) => {
                return Err(shape(node, format!("{} biases for {out} channels", b.len())));
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

    pub(super) fn dense(&mut self, node: &NodeProto) -> Result<Value, ImportError> {
        let v = self.value(node, 0)?;
        self.newest(node, &v)?;
        let &[n] = &v.shape[..] else {
            return Err(shape(node, format!("input of shape {:?} is not flat", v.shape)));
        };
        let Some((ws, w)) = self.floats(node, 1)? else {
            return Err(shape(node, "has no weights".into()));
        };
        let gemm = node.op_type == "Gemm";
        let flag = |name| gemm && int(node, name).unwrap_or(0) != 0;
        let factor = |name| {
            if gemm { float(node, name).unwrap_or(1.0) } else { 1.0 }
        };
        let &[rows, cols] = ws else {
            return Err(shape(node, format!("weights have shape {ws:?}")));
        };
        let (inp, out) = if flag("transB") { (cols, rows) } else { (rows, cols) };
        if flag("transA") {
            return Err(setting(node, "transposes its input".into(), "use transA = 0"));
        }
        if inp != n {
            return Err(shape(node, format!("weights read {inp} values, but the input has {n}")));
        }
        let alpha = factor("alpha");
        let at = |o: usize, i: usize| alpha * if flag("transB") { w[o * inp + i] } else { w[i * out + o] };
        let weights = (0..out).flat_map(|o| (0..inp).map(move |i| (o, i))).map(|(o, i)| at(o, i)).collect();
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
        self.on_board(node, Board { height: 1, width: 1 }, n)?;
        Ok(self.push(layer, vec![out]))
    }
}
