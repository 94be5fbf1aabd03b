//! What the float network's tensors hold for real inputs, and the integers that fit it.

use super::{CompileError, Real};
use crate::float::FloatNet;

/// Every tensor of every sample.
pub(super) struct Calibration {
    pub(super) samples: Vec<Vec<Vec<f32>>>,
}

/// Most values of a tensor that are sorted to choose its range.
const MOST_VALUES: usize = 1 << 18;

impl Calibration {
    pub(super) fn run(float: &FloatNet, samples: &[Vec<Vec<f32>>]) -> Result<Self, CompileError> {
        if samples.is_empty() {
            return Err(CompileError::NoSamples);
        }
        let run = |(sample, inputs): (usize, &Vec<Vec<f32>>)| {
            float.run_all(inputs).map_err(|source| CompileError::Sample { sample, source })
        };
        let samples = samples.iter().enumerate().map(run).collect::<Result<Vec<_>, _>>()?;
        for tensors in &samples {
            for (values, tensor) in tensors.iter().zip(&float.tensors) {
                if let Some(value) = values.iter().find(|v| !v.is_finite()) {
                    return Err(CompileError::NotFinite { tensor: tensor.name.clone(), value: *value });
                }
            }
        }
        Ok(Self { samples })
    }

    /// Values of a tensor over all samples.
    pub(super) fn values(&self, tensor: usize) -> impl Iterator<Item = f32> + '_ {
        self.samples.iter().flat_map(move |s| s[tensor].iter().copied())
    }

    /// Least and largest value.
    pub(super) fn range(&self, tensor: usize) -> (f64, f64) {
        self.values(tensor)
            .fold((f64::INFINITY, f64::NEG_INFINITY), |(low, high), v| (low.min(f64::from(v)), high.max(f64::from(v))))
    }

    /// The integers of `bits` bits that represent a tensor with the least squared error: of some percentiles, the range
    /// for which rounding within and clipping without together cost least.
    pub(super) fn real(&self, tensor: usize, bits: u32) -> Real {
        let count = self.values(tensor).count();
        let every = count.div_ceil(MOST_VALUES).max(1);
        let mut values: Vec<f64> = self.values(tensor).step_by(every).map(f64::from).collect();
        values.sort_by(f64::total_cmp);
        let at =
            |share: f64| values.get(((values.len() as f64 - 1.0) * share).round() as usize).copied().unwrap_or(0.0);
        let best = [0.0, 1e-5, 1e-4, 5e-4, 1e-3, 2e-3, 5e-3, 1e-2]
            .map(|cut| real_of(at(cut), at(1.0 - cut), bits))
            .into_iter()
            .map(|real| {
                let error: f64 = values.iter().map(|v| (v - real.decode(real.encode(*v))).powi(2)).sum();
                (error, real)
            })
            .min_by(|a, b| a.0.total_cmp(&b.0));
        best.map(|(_, real)| real).unwrap_or(Real { scale: 1.0, zero: 0, bits })
    }
}

/// The integers of `bits` bits that cover a range, 0 among them.
pub(super) fn real_of(low: f64, high: f64, bits: u32) -> Real {
    let steps = ((1i64 << bits) - 1) as f64;
    let (low, high) = (low.min(0.0), high.max(0.0));
    let scale = if high - low > 0.0 { (high - low) / steps } else { 1.0 };
    Real { scale, zero: (-low / scale).round() as i64, bits }
}
