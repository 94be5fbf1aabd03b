//! Convolutions with strides.

use crate::float;
use crate::net::Conv;

/// A convolution with strides as one without: the padded input split into phases, each a channel of its own.
pub(super) struct Phases {
    /// Where each cell of the phases stands in the input; `None` in the padding.
    pub(super) cells: Vec<Option<u32>>,
    /// The convolution over them, without its weights.
    pub(super) conv: Conv,
    /// Its real weights.
    pub(super) weights: Vec<f64>,
}

impl Phases {
    pub(super) fn new(conv: &float::Conv) -> Option<Self> {
        let [out_height, out_width] = conv.out_board()?;
        let extent = [0, 1].map(|i| (conv.kernel[i] - 1) * conv.dilation[i] + 1);
        let [down, across] = conv.stride;
        let kernel = [extent[0].div_ceil(down), extent[1].div_ceil(across)];
        let (height, width) = (out_height + kernel[0] - 1, out_width + kernel[1] - 1);
        let mut cells = Vec::new();
        for c in 0..conv.channels {
            for phase in 0..down * across {
                for i in 0..height {
                    for j in 0..width {
                        let row = (i * down + phase / across).checked_sub(conv.pads[0]).filter(|r| *r < conv.height);
                        let column =
                            (j * across + phase % across).checked_sub(conv.pads[1]).filter(|c| *c < conv.width);
                        let cell = row.zip(column).map(|(r, w)| ((c * conv.height + r) * conv.width + w) as u32);
                        cells.push(cell);
                    }
                }
            }
        }
        let ins = conv.channels / conv.groups;
        let mut weights = Vec::new();
        for o in 0..conv.out_channels {
            for c in 0..ins {
                for phase in 0..down * across {
                    for tap in 0..kernel[0] * kernel[1] {
                        let at = [tap / kernel[1] * down + phase / across, tap % kernel[1] * across + phase % across];
                        let fits = |i: usize| at[i] < extent[i] && at[i].is_multiple_of(conv.dilation[i]);
                        let old = at[0] / conv.dilation[0] * conv.kernel[1] + at[1] / conv.dilation[1];
                        let old = (o * ins + c) * conv.kernel[0] * conv.kernel[1] + old;
                        weights.push(if fits(0) && fits(1) { f64::from(conv.weights[old]) } else { 0.0 });
                    }
                }
            }
        }
        let form = Conv {
            input: [conv.channels * down * across, height, width],
            channels: conv.out_channels,
            kernel,
            pads: [0; 4],
            dilation: [1, 1],
            groups: conv.groups,
            weights: vec![],
        };
        Some(Self { cells, conv: form, weights })
    }
}
