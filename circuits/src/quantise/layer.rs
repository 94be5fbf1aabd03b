//! One layer's integers: scales, shifts, weights, biases.

use rayon::prelude::*;

use super::{Front, Options, QuantiseError, Sample};
use crate::bounds::{MULTIPLIER_MAX, Q_MAX, Q_MIN, RANK_SPAN, Reach};
use crate::graph::{Activation, Graph, Layer, Residual, Tensor};
use crate::import::FloatLayer;
use crate::interpret::{accumulate, linear};

/// Attempts to bring a layer's worst case into range.
const ATTEMPTS: usize = 40;

/// Everything that is known before a layer is quantised.
pub(super) struct Job<'a> {
    pub(super) float: &'a FloatLayer,
    /// Index in the float graph.
    pub(super) index: usize,
    /// Layers of the encoding, in front of the network's.
    pub(super) encoders: usize,
    pub(super) front: &'a Front,
    /// Scale per channel of each tensor so far.
    pub(super) scales: &'a [Vec<f64>],
    pub(super) options: &'a Options,
    pub(super) graph: &'a Graph,
    pub(super) reach: &'a Reach,
}

impl Job<'_> {
    /// The integer layer, the scale per output channel of `x` (of `A` for the last layer), and the
    /// share of clipped activations. `reals` are the float layer's values before Relu, per sample.
    pub(super) fn fit(&self, samples: &[Sample], reals: &[Vec<f32>]) -> Result<(Layer, Vec<f64>, f64), QuantiseError> {
        let cells = self.graph.board.cells();
        let mut scale = self.first_scales(reals, cells);
        let mut correction = vec![0i64; self.float.out_channels];
        let mut corrected = false;
        for _ in 0..ATTEMPTS {
            let mut layer = self.build(&scale, cells);
            for (o, c) in correction.iter().enumerate() {
                layer.bias[o * cells..(o + 1) * cells].iter_mut().for_each(|b| *b += c);
            }
            let (least, most) = self.reach.accumulators(self.graph, &layer);
            if self.widen(&layer, &least, &most, &mut scale) {
                (correction, corrected) = (vec![0; self.float.out_channels], false);
                continue;
            }
            if corrected {
                let clipped = self.clipped(&layer, samples);
                return Ok((layer, scale, clipped));
            }
            correction = self.mean_errors(&layer, &scale, samples, reals);
            corrected = true;
        }
        Err(QuantiseError::Unprovable { layer: self.index, name: self.float.name.clone() })
    }

    /// Scales that calibration wants: of `x` per channel, or of `A`, one for all, in the last layer.
    fn first_scales(&self, reals: &[Vec<f32>], cells: usize) -> Vec<f64> {
        let out = self.float.out_channels;
        let weight_max = self.weight_max();
        let tops: Vec<f64> = (0..out).map(|o| self.largest_weight(o)).collect();
        if !self.float.relu {
            let top = tops.iter().copied().fold(0.0, f64::max);
            return vec![if top > 0.0 { top / weight_max } else { 1.0 }; out];
        }
        (0..out)
            .into_par_iter()
            .map(|o| {
                let mut values: Vec<f32> =
                    reals.iter().flat_map(|r| r[o * cells..(o + 1) * cells].iter().copied()).collect();
                let at = ((values.len() - 1) as f64 * self.options.percentile).round() as usize;
                let (_, top, _) = values.select_nth_unstable_by(at, f32::total_cmp);
                let wanted = f64::from(top.max(0.0)) / self.options.activation_max as f64;
                // A channel that is never active gets a scale at which its weights still count.
                let least = tops[o] / weight_max;
                if wanted.max(least) > 0.0 { wanted.max(least) } else { 1.0 }
            })
            .collect()
    }

    fn weight_max(&self) -> f64 {
        f64::from((1i32 << (self.options.weight_bits - 1)) - 1)
    }

    /// Largest |weight · input scale| of an output channel.
    fn largest_weight(&self, o: usize) -> f64 {
        let k = self.float.kernel * self.float.kernel;
        let taps = self.float.in_channels * k;
        let scales = &self.scales[self.index];
        let w = &self.float.weights[o * taps..(o + 1) * taps];
        w.iter().enumerate().map(|(i, w)| f64::from(w.abs()) * scales[i / k]).fold(0.0, f64::max)
    }

    /// Rounds the layer at the given scales. Shifts are the finest that the weights allow.
    fn build(&self, scale: &[f64], cells: usize) -> Layer {
        let f = self.float;
        let k = f.kernel * f.kernel;
        let taps = f.in_channels * k;
        let scales = &self.scales[self.index];
        let (mut weights, mut bias, mut shift, mut multiplier) = (vec![], vec![], vec![], vec![]);
        for (o, scale) in scale.iter().copied().enumerate() {
            let (s, a_scale) = if f.relu {
                let room = self.weight_max() * scale / self.largest_weight(o).max(1e-30);
                let s = room.log2().floor().clamp(0.0, f64::from(self.options.max_shift)) as u32;
                (s, scale / f64::from(1u32 << s))
            } else {
                (self.rank_shift(), scale)
            };
            for (i, w) in f.weights[o * taps..(o + 1) * taps].iter().enumerate() {
                let w = f64::from(*w) * scales[i / k] / a_scale;
                weights.push(w.round().clamp(-self.weight_max(), self.weight_max()) as i32);
            }
            let half = if f.relu && s > 0 { 1i64 << (s - 1) } else { 0 };
            let b = (f64::from(f.bias[o]) / a_scale).round() as i64 + half;
            bias.extend(std::iter::repeat_n(b, cells));
            if let Some(r) = f.residual {
                let m = (self.scales[r][o] / a_scale).round();
                multiplier.push(m.clamp(0.0, MULTIPLIER_MAX as f64) as i64);
            }
            shift.push(s);
        }
        if let (0, Some(zero)) = (self.index, self.front.zero_points()) {
            let zero: Vec<i64> = zero.iter().flat_map(|z| std::iter::repeat_n(*z, cells)).collect();
            let moved = linear(f.kernel, &weights, f.out_channels, self.graph.board, &Tensor { cells, values: zero });
            bias.iter_mut().zip(moved.values).for_each(|(b, m)| *b -= m);
        }
        let max = self.options.activation_max;
        Layer {
            name: f.name.clone(),
            in_channels: f.in_channels,
            out_channels: f.out_channels,
            kernel: f.kernel,
            weights,
            bias,
            residual: f.residual.map(|r| Residual { tensor: r + self.encoders, multiplier }),
            shift,
            activation: if f.relu { Activation::Relu { max } } else { Activation::Rank },
        }
    }

    /// The ranked layer's shift: one that the graph has already, so that it costs no more rows.
    fn rank_shift(&self) -> u32 {
        let used = self.graph.layers.iter().flat_map(|l| &l.shift).copied().max();
        used.filter(|s| *s > 0).unwrap_or(self.options.max_shift)
    }

    /// Widens the scales of channels whose worst case doesn't fit; true if any did not.
    fn widen(&self, layer: &Layer, least: &Tensor, most: &Tensor, scale: &mut [f64]) -> bool {
        let cells = least.cells;
        if layer.activation == Activation::Rank {
            let (lo, hi) = (least.values.iter().min(), most.values.iter().max());
            let span = hi.copied().unwrap_or(0) - lo.copied().unwrap_or(0) + 2;
            let room = RANK_SPAN << layer.shift[0];
            if span > room {
                let factor = span as f64 / room as f64 * 1.001;
                scale.iter_mut().for_each(|s| *s *= factor);
            }
            return span > room;
        }
        let mut any = false;
        for (o, s) in layer.shift.iter().enumerate() {
            let at = o * cells..(o + 1) * cells;
            let lo = least.values[at.clone()].iter().min().copied().unwrap_or(0) >> s;
            let hi = most.values[at].iter().max().copied().unwrap_or(0) >> s;
            if lo < Q_MIN || hi > Q_MAX {
                any = true;
                scale[o] *= (lo as f64 / Q_MIN as f64).max(hi as f64 / Q_MAX as f64) * 1.0005;
            }
        }
        any
    }

    /// Per channel, the mean over samples and cells of (wanted A − A).
    fn mean_errors(&self, layer: &Layer, scale: &[f64], samples: &[Sample], reals: &[Vec<f32>]) -> Vec<i64> {
        let cells = self.graph.board.cells();
        // Summed in the samples' order, so that every run gives the same integers.
        let errors: Vec<Vec<f64>> = samples
            .par_iter()
            .zip(reals)
            .map(|(s, real)| {
                let a = accumulate(layer, self.graph.board, &s.ints);
                let error = |o: usize| -> f64 {
                    let (steps, half) = match layer.activation {
                        Activation::Rank => (1.0, 0.0),
                        _ => (f64::from(1u32 << layer.shift[o]), f64::from((1u32 << layer.shift[o]) / 2)),
                    };
                    let at = o * cells..(o + 1) * cells;
                    let pairs = real[at.clone()].iter().zip(&a.values[at]);
                    pairs.map(|(r, a)| f64::from(*r) / scale[o] * steps + half - *a as f64).sum()
                };
                (0..layer.out_channels).map(error).collect()
            })
            .collect();
        let mean = |o: usize| {
            let sum: f64 = errors.iter().map(|e| e[o]).sum();
            (sum / (samples.len() * cells) as f64).round() as i64
        };
        (0..layer.out_channels).map(mean).collect()
    }

    /// Share of the samples' activations that are clipped from above.
    fn clipped(&self, layer: &Layer, samples: &[Sample]) -> f64 {
        let Activation::Relu { max } = layer.activation else {
            return 0.0;
        };
        let cells = self.graph.board.cells();
        let count: usize = samples
            .par_iter()
            .map(|s| {
                let a = accumulate(layer, self.graph.board, &s.ints);
                let over = |(i, a): (usize, &i64)| a >> layer.shift[i / cells] > max;
                a.values.iter().enumerate().filter(|v| over(*v)).count()
            })
            .sum();
        count as f64 / (samples.len() * cells * layer.out_channels) as f64
    }
}
