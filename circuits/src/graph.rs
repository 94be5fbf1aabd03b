//! The integer graph: the one definition of what a committed model computes.
//!
//! Every tensor is `channels × cells` of small integers on one board geometry. A layer is linear
//! (a 3×3 or 1×1 convolution with zero padding, or a dense layer, which is a 1×1 convolution on a
//! 1×1 board), gives an accumulator `A`, splits it `A = q·2^s + r` with `0 ≤ r < 2^s` (floor, also
//! for negative `A`) and applies an activation to `q`. The last layer has no activation: its
//! accumulators are ranked, largest first, ties to the lowest index.
//!
//! The interpreter, the circuit and the daemon all follow this file.

use serde::{Deserialize, Serialize};

/// Height and width that all tensors of a graph share.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Board {
    /// Rows of the board, 1 for dense graphs.
    pub height: usize,
    /// Columns of the board, 1 for dense graphs.
    pub width: usize,
}

impl Board {
    /// Cells of one channel.
    pub fn cells(&self) -> usize {
        self.height * self.width
    }
}

/// One public digit: a cell of the input tensor that is a part of a public limb.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Digit {
    /// Width in bits: the cell holds `0 ≤ x < 2^bits`; 1, 4 or 8.
    pub bits: u32,
    /// Position of the digit's lowest bit within its limb.
    pub offset: u32,
}

/// One channel of the input tensor.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct InputChannel {
    /// The public limb that all digits of this channel belong to.
    pub limb: usize,
    /// A digit per cell (row-major); `None` is a cell that is always 0.
    pub cells: Vec<Option<Digit>>,
}

/// What a layer does with `q`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Activation {
    /// `x = clamp(q, 0, max)`.
    Relu {
        /// Largest activation, at most 4095.
        max: i64,
    },
    /// `x = 1` if `q = 0`, else `0`: turns a code into a one-hot plane.
    IsZero,
    /// No activation: the accumulators themselves are ranked. Only the last layer.
    Rank,
}

/// A residual term: `multiplier[o] · x[tensor][o][cell]` is added to the accumulator.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Residual {
    /// Which tensor is added: 0 is the input, `i` the output of layer `i − 1`.
    pub tensor: usize,
    /// Non-negative factor per output channel.
    pub multiplier: Vec<i64>,
}

/// One linear layer with its rescaling and activation. Layer `i` reads tensor `i` (the input for
/// `i = 0`, else the output of layer `i − 1`) and writes tensor `i + 1`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Layer {
    /// The name of the ONNX node that it came from, for messages.
    pub name: String,
    /// Channels read.
    pub in_channels: usize,
    /// Channels written.
    pub out_channels: usize,
    /// Kernel height and width: 3 (padding 1) or 1 (padding 0).
    pub kernel: usize,
    /// `[out][in][kernel·kernel]`, row-major, as a correlation (ONNX `Conv` order).
    pub weights: Vec<i32>,
    /// `[out][cell]`: a bias may differ from cell to cell.
    pub bias: Vec<i64>,
    /// At most one residual term.
    pub residual: Option<Residual>,
    /// `s` per output channel, in `A = q·2^s + r`; all equal in a `Rank` layer.
    pub shift: Vec<u32>,
    /// What becomes of `q`.
    pub activation: Activation,
}

/// A whole committed function: from public limbs to the ranking of the last layer.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Graph {
    /// Geometry of every tensor.
    pub board: Board,
    /// The input tensor, channel by channel; limbs appear in ascending order.
    pub input: Vec<InputChannel>,
    /// The layers, in order.
    pub layers: Vec<Layer>,
    /// How many of the ranked outputs are public, 1 to 16.
    pub top: usize,
}

/// `channels × cells` integers, row-major.
#[derive(Clone, Debug, PartialEq, Eq, Default)]
pub struct Tensor {
    /// Cells of one channel.
    pub cells: usize,
    /// `values[channel · cells + cell]`.
    pub values: Vec<i64>,
}

impl Graph {
    /// Outputs that are ranked: channels × cells of the last layer.
    pub fn outputs(&self) -> usize {
        self.layers.last().map_or(0, |l| l.out_channels) * self.board.cells()
    }

    /// Bits of an output index in the packed ranking: 13 for 4,672 outputs.
    pub fn index_bits(&self) -> u32 {
        usize::BITS - self.outputs().saturating_sub(1).leading_zeros()
    }

    /// Number of public input limbs.
    pub fn limbs(&self) -> usize {
        self.input.last().map_or(0, |c| c.limb + 1)
    }
}
