//! Input encodings: what stands between the public limbs and a network's first layer.

use super::QuantiseError;
use crate::graph::{Activation, Board, Digit, Graph, InputChannel, Layer, Tensor};
use crate::import::FloatGraph;
use crate::schema::{CHESS_BOARD, MOVE_PLANES, chess_input};

/// Bytes that one public limb holds.
const BYTES_PER_LIMB: usize = 31;
/// Planes that a chess network reads.
const PLANES: usize = 18;

/// An input encoding.
#[derive(Clone, Debug, PartialEq)]
pub enum Front {
    /// The packed board of [`crate::schema::PackedBoard`], turned into 18 planes by a first layer.
    Chess,
    /// A byte per input of a dense network: `byte = clamp(round(x / scale) + zero_point, 0, 255)`.
    Bytes {
        /// Real value of one step, per input; positive.
        scale: Vec<f32>,
        /// The byte that stands for 0, per input; may lie outside 0 to 255.
        zero_point: Vec<i64>,
    },
}

impl Front {
    /// Byte encoding whose 256 steps span what the samples (each with the network's inputs) span,
    /// input by input.
    ///
    /// # Errors
    /// Fails if there is no sample, they differ in length, or a value is not finite.
    pub fn bytes_for(samples: &[Vec<f32>]) -> Result<Front, QuantiseError> {
        let Some(first) = samples.first() else {
            return Err(QuantiseError::Sample { index: 0, what: "none were given".into() });
        };
        let (mut lo, mut hi) = (first.clone(), first.clone());
        for (index, s) in samples.iter().enumerate() {
            if s.len() != first.len() || s.iter().any(|v| !v.is_finite()) {
                let what = format!("{} values, all of which must be finite, instead of {}", s.len(), first.len());
                return Err(QuantiseError::Sample { index, what });
            }
            for (i, v) in s.iter().enumerate() {
                (lo[i], hi[i]) = (lo[i].min(*v), hi[i].max(*v));
            }
        }
        let step = |(lo, hi): (&f32, &f32)| {
            if hi - lo > 1e-9 { (hi - lo) / 255.0 } else { 1.0 }
        };
        let scale: Vec<f32> = lo.iter().zip(&hi).map(step).collect();
        let zero_point = lo.iter().zip(&scale).map(|(lo, s)| (-lo / s).round().clamp(-1e6, 1e6) as i64).collect();
        Ok(Front::Bytes { scale, zero_point })
    }

    /// Name for manifests and messages.
    pub fn name(&self) -> &'static str {
        match self {
            Front::Chess => "chess",
            Front::Bytes { .. } => "bytes",
        }
    }

    /// The byte tensor of real inputs. `None` for a chess front or a wrong number of inputs.
    pub fn encode(&self, real: &[f32]) -> Option<Tensor> {
        let Front::Bytes { scale, zero_point } = self else {
            return None;
        };
        if real.len() != scale.len() {
            return None;
        }
        let byte = |((x, s), z): ((&f32, &f32), &i64)| ((x / s).round() as i64).saturating_add(*z).clamp(0, 255);
        let values = real.iter().zip(scale).zip(zero_point).map(byte).collect();
        Some(Tensor { cells: 1, values })
    }

    /// The real values that the tensor in front of the network's first layer stands for.
    pub(super) fn decode(&self, x: &Tensor) -> Vec<f32> {
        match self {
            Front::Chess => x.values.iter().map(|v| *v as f32).collect(),
            Front::Bytes { scale, zero_point } => {
                let real = |((v, s), z): ((&i64, &f32), &i64)| (v - z) as f32 * s;
                x.values.iter().zip(scale).zip(zero_point).map(real).collect()
            }
        }
    }

    /// Scale per channel of the tensor in front of the network's first layer.
    pub(super) fn scales(&self, float: &FloatGraph) -> Vec<f64> {
        match self {
            Front::Chess => vec![1.0; float.in_channels],
            Front::Bytes { scale, .. } => scale.iter().map(|s| f64::from(*s)).collect(),
        }
    }

    /// What stands for 0 in that tensor, per channel.
    pub(super) fn zero_points(&self) -> Option<&[i64]> {
        match self {
            Front::Chess => None,
            Front::Bytes { zero_point, .. } => Some(zero_point),
        }
    }

    /// The graph's input and the layers of the encoding, without the network's.
    pub(super) fn graph(&self, float: &FloatGraph, top: usize) -> Result<Graph, QuantiseError> {
        let fail = |what: String| Err(QuantiseError::Front { front: self.name(), what });
        let top = top.min(float.outputs());
        match self {
            Front::Chess => {
                if float.board != CHESS_BOARD || float.in_channels != PLANES {
                    let b = float.board;
                    return fail(format!("it reads {}×{}×{}, not {PLANES}×8×8", float.in_channels, b.height, b.width));
                }
                if float.outputs() != MOVE_PLANES * 64 {
                    return fail(format!("it has {} outputs, not {}", float.outputs(), MOVE_PLANES * 64));
                }
                Ok(Graph { board: CHESS_BOARD, input: chess_input(), layers: vec![encode_layer()], top })
            }
            Front::Bytes { scale, zero_point } => {
                if float.board.cells() != 1 {
                    return fail("it has convolutions on a board; only dense networks can read bytes".into());
                }
                if scale.len() != float.in_channels || zero_point.len() != scale.len() {
                    return fail(format!("it reads {} inputs, the encoding has {}", float.in_channels, scale.len()));
                }
                if scale.iter().any(|s| !s.is_finite() || *s <= 0.0) || zero_point.iter().any(|z| z.abs() > 1 << 20) {
                    return fail("a scale is not positive or a zero point is too far from 0".into());
                }
                let input = (0..float.in_channels).map(|i| InputChannel {
                    limb: i / BYTES_PER_LIMB,
                    cells: vec![Some(Digit { bits: 8, offset: 8 * (i % BYTES_PER_LIMB) as u32 })],
                });
                let board = Board { height: 1, width: 1 };
                Ok(Graph { board, input: input.collect(), layers: Vec::new(), top })
            }
        }
    }
}

/// The layer that turns the seven channels of a packed board into 18 planes: plane `c < 12` is 1
/// where the nibble is `c + 1`, planes 12 to 15 are the castling rights, 16 the en-passant file,
/// 17 is all ones.
pub fn encode_layer() -> Layer {
    let channels = 7;
    let mut weights = vec![0; PLANES * channels];
    let mut bias = vec![0; PLANES * 64];
    for plane in 0..PLANES {
        let (read, code): (&[usize], i64) = match plane {
            0..12 => (&[0, 1], plane as i64 + 1),
            12..16 => (&[2, 3, 4, 5][plane - 12..plane - 11], 1),
            16 => (&[6], 1),
            _ => (&[], 0),
        };
        read.iter().for_each(|c| weights[plane * channels + c] = 1);
        bias[plane * 64..(plane + 1) * 64].fill(-code);
    }
    Layer {
        name: "encode".into(),
        in_channels: channels,
        out_channels: PLANES,
        kernel: 1,
        weights,
        bias,
        residual: None,
        shift: vec![0; PLANES],
        activation: Activation::IsZero,
    }
}
