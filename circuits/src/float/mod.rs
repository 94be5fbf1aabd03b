//! The float network: what an ONNX file computes, in eight kinds of nodes, before anything is rounded.
//!
//! ```text
//!  model.onnx ──onnx──► FloatNet ──calibrate, quantise──► integer network ──► circuit
//!                          │
//!                          └─run─► every tensor's float values
//! ```
//!
//! A tensor is a flat row-major list of numbers; its shape is for messages only. Operators of ONNX that move, add,
//! average or scale by constants are one kind of node here ([`Sparse`]), so that later stages see few kinds.

mod check;
mod function;
mod run;

pub use check::NetError;
pub use function::Function;
pub use run::RunError;

/// Index into [`FloatNet::tensors`].
pub type TensorId = usize;

/// Most elements of a tensor, weights of a node, and terms of a node.
pub const MAX_ELEMENTS: usize = 1 << 24;

/// One tensor: a graph input, or what one node computes.
#[derive(Clone, Debug, PartialEq)]
pub struct FloatTensor {
    /// The ONNX name; for a step inside an operator that name with a suffix.
    pub name: String,
    /// Its ONNX shape, batch included where the file has one. The product is the number of values.
    pub shape: Vec<usize>,
}

impl FloatTensor {
    /// How many numbers it holds.
    pub fn len(&self) -> usize {
        self.shape.iter().product()
    }

    /// Whether it holds no number.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }
}

/// A network of float nodes.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct FloatNet {
    /// All tensors.
    pub tensors: Vec<FloatTensor>,
    /// Those that the caller gives, in the file's order.
    pub inputs: Vec<FloatInput>,
    /// Inputs that hold 0 and 1 alone.
    pub flags: Vec<TensorId>,
    /// The nodes in topological order; each tensor but the inputs is computed by exactly one.
    pub nodes: Vec<FloatNode>,
    /// Tensors that are the answer, in the file's order, under the file's names.
    pub outputs: Vec<TensorId>,
}

/// A graph input.
#[derive(Clone, Debug, PartialEq)]
pub struct FloatInput {
    /// Its tensor.
    pub tensor: TensorId,
    /// Whether it holds integers only: token ids, bytes, flags.
    pub integer: bool,
}

/// One computation.
#[derive(Clone, Debug, PartialEq)]
pub struct FloatNode {
    /// Name of the ONNX node that it comes from; of its first output if the node has none.
    pub name: String,
    /// That node's ONNX operator.
    pub operator: String,
    /// What is computed.
    pub op: FloatOp,
    /// What it reads.
    pub inputs: Vec<TensorId>,
    /// What it writes.
    pub output: TensorId,
}

/// The kinds of nodes.
#[derive(Clone, Debug, PartialEq)]
pub enum FloatOp {
    /// A convolution with constant weights; dense layers are 1×1 convolutions on a 1×1 board, and 1-D
    /// convolutions have height 1. One input `[channels, height, width]`, output `[out_channels, height', width']`.
    Conv(Conv),
    /// Every output is a constant and a few weighted inputs: moves, sums, constants, means. Any number of inputs.
    Sparse(Sparse),
    /// `out[i] = a[left[i]] · b[right[i]]` with `a`, `b` the two inputs, which may be the same tensor.
    Product(Product),
    /// Matrix product of two tensors, neither constant.
    MatMul(MatMul),
    /// `out[i] = f(x[i])` of the one input.
    Unary(Function),
    /// `out[w]` is the largest of window `w` of the one input.
    Max(Windows),
    /// The `k` largest of each window of the one input.
    TopK(TopK),
}

/// Settings and weights of a convolution.
#[derive(Clone, Debug, PartialEq)]
pub struct Conv {
    /// Channels read.
    pub channels: usize,
    /// Rows of the input.
    pub height: usize,
    /// Columns of the input.
    pub width: usize,
    /// Channels written.
    pub out_channels: usize,
    /// Rows and columns of the kernel.
    pub kernel: [usize; 2],
    /// Steps down and right.
    pub stride: [usize; 2],
    /// Zeros added at the top, left, bottom, right.
    pub pads: [usize; 4],
    /// Distances of a kernel's taps, down and right.
    pub dilation: [usize; 2],
    /// Groups that channels are split into, dividing `channels` and `out_channels`.
    pub groups: usize,
    /// `[out_channels][channels / groups][kernel rows · kernel columns]`.
    pub weights: Vec<f32>,
    /// One per output channel.
    pub bias: Vec<f32>,
}

impl Conv {
    /// Rows and columns of the output; `None` if the kernel is larger than the padded board or a setting is 0.
    pub fn out_board(&self) -> Option<[usize; 2]> {
        let side = |size: usize, before: usize, after: usize, axis: usize| {
            let reach = self.dilation[axis].checked_mul(self.kernel[axis].checked_sub(1)?)?.checked_add(1)?;
            let room = size.checked_add(before)?.checked_add(after)?.checked_sub(reach)?;
            room.checked_div(self.stride[axis])?.checked_add(1)
        };
        let [top, left, bottom, right] = self.pads;
        Some([side(self.height, top, bottom, 0)?, side(self.width, left, right, 1)?])
    }

    /// Weights of one output channel.
    pub fn taps(&self) -> usize {
        self.channels / self.groups.max(1) * self.kernel[0] * self.kernel[1]
    }
}

/// Weighted sums of few inputs each, in compressed rows.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Sparse {
    /// Output `i` has the terms `starts[i] .. starts[i + 1]`; one more than there are outputs.
    pub starts: Vec<u32>,
    /// The terms of all outputs.
    pub terms: Vec<Term>,
    /// The constant of each output.
    pub bias: Vec<f32>,
}

impl Sparse {
    /// The terms of output `i`.
    pub fn row(&self, i: usize) -> &[Term] {
        &self.terms[self.starts[i] as usize..self.starts[i + 1] as usize]
    }

    /// How many outputs there are.
    pub fn outputs(&self) -> usize {
        self.bias.len()
    }

    /// Whether every output is a copy of one input or a constant.
    pub fn is_move(&self) -> bool {
        (0..self.outputs()).all(|i| match self.row(i) {
            [] => true,
            [t] => t.weight == 1.0 && self.bias[i] == 0.0,
            _ => false,
        })
    }
}

/// One summand `weight · inputs[input][index]`.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Term {
    /// Which of the node's inputs.
    pub input: u32,
    /// Which of its values.
    pub index: u32,
    /// The constant factor.
    pub weight: f32,
}

/// Factors of an elementwise product; broadcasting is in the indices.
#[derive(Clone, Debug, PartialEq)]
pub struct Product {
    /// Index into the first input, for each output.
    pub left: Vec<u32>,
    /// Index into the second input, for each output.
    pub right: Vec<u32>,
}

/// `batch` products of `[m, k]` with `[k, n]`, row-major, the batch outermost.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct MatMul {
    /// Number of products.
    pub batch: usize,
    /// Rows of the left matrix.
    pub m: usize,
    /// Columns of the left, rows of the right matrix.
    pub k: usize,
    /// Columns of the right matrix.
    pub n: usize,
}

/// Lists of input indices, in compressed rows; none is empty.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Windows {
    /// Window `i` has the indices `starts[i] .. starts[i + 1]`; one more than there are windows.
    pub starts: Vec<u32>,
    /// The indices of all windows.
    pub indices: Vec<u32>,
}

impl Windows {
    /// The indices of window `i`.
    pub fn row(&self, i: usize) -> &[u32] {
        &self.indices[self.starts[i] as usize..self.starts[i + 1] as usize]
    }

    /// How many windows there are.
    pub fn len(&self) -> usize {
        self.starts.len().saturating_sub(1)
    }

    /// Whether there is no window.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }
}

/// The largest of each window, best first; of equal values the one that stands first in the window. Output
/// `[window][rank]`. The smallest are the largest of the negated input.
#[derive(Clone, Debug, PartialEq)]
pub struct TopK {
    /// What is ranked: at least `k` values each.
    pub windows: Windows,
    /// How many are wanted.
    pub k: usize,
    /// What is written of each.
    pub output: Ranked,
}

/// What [`TopK`] writes of a winner.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ranked {
    /// Its position in the window, counted from 0.
    Positions,
    /// Its value.
    Values,
}
