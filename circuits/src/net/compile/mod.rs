//! Float network → integer net: calibrated ranges, integer weights, functions as tables.
//!
//! A tensor's integers stand for reals by a scale and a zero point, `real = scale·(u − zero)`. Weights are rounded per
//! output channel to the unit that lets all channels of a node share one table. A linear node takes the function that
//! follows it into its table.

mod calibrate;
mod kinds;
mod lower;
mod room;

use serde::{Deserialize, Serialize};

use crate::float::{FloatNet, RunError};

use super::bounds::{self, Bounds, NetError};
use super::interpret;
use super::{Input, Net, Output, Privacy};
use calibrate::Calibration;

/// How a network is rounded.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Options {
    /// Bits of real inputs, 1 to 16.
    pub input_bits: u32,
    /// Bits of numbers between nodes, 4 to 16.
    pub activation_bits: u32,
    /// Bits of real outputs, 4 to 16.
    pub output_bits: u32,
    /// Bits of weights with their sign, 4 to 16.
    pub weight_bits: u32,
    /// Most entries of one function's table.
    pub table_rows: usize,
}

impl Default for Options {
    fn default() -> Self {
        Self { input_bits: 8, activation_bits: 8, output_bits: 10, weight_bits: 10, table_rows: 2560 }
    }
}

/// What the integers of a tensor mean: `real = scale·(u − zero)`, `0 ≤ u < 2^bits`.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Real {
    /// Real value of one step.
    pub scale: f64,
    /// The integer that stands for 0.
    pub zero: i64,
    /// Width of the integers.
    pub bits: u32,
}

impl Real {
    /// The nearest integer, within the range.
    pub fn encode(&self, real: f64) -> i64 {
        // Casting saturates, so that infinities end at the range's ends.
        ((real / self.scale).round() as i64).saturating_add(self.zero).clamp(0, (1 << self.bits) - 1)
    }

    /// The real value.
    pub fn decode(&self, u: i64) -> f64 {
        self.scale * (u - self.zero) as f64
    }
}

/// How well one tensor is represented, on the calibration set.
#[derive(Clone, Debug, PartialEq)]
pub struct TensorReport {
    /// The tensor's name.
    pub name: String,
    /// Least and largest float value.
    pub range: (f64, f64),
    /// Its integers.
    pub real: Real,
    /// Root of the mean squared error, relative to that of the values.
    pub error: f64,
}

/// What compiling found.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Report {
    /// Each integer tensor.
    pub tensors: Vec<TensorReport>,
    /// Samples of the calibration set.
    pub samples: usize,
    /// The index of the first output's largest number, float and integer, for each sample.
    pub tops: Vec<(usize, usize)>,
}

impl Compiled {
    /// The same net with what its proofs show; the ranges of a private model are what its tables allow.
    ///
    /// # Errors
    /// As [`bounds::check`], which a compiled net passes.
    pub fn with(mut self, privacy: Privacy) -> Result<Self, NetError> {
        self.net.privacy = privacy;
        self.bounds = bounds::check(&self.net)?;
        Ok(self)
    }
}

impl Report {
    /// The share of samples with the same largest output, float and integer.
    pub fn agreement(&self) -> f64 {
        let same = self.tops.iter().filter(|(float, integer)| float == integer).count();
        same as f64 / self.tops.len().max(1) as f64
    }

    /// The shares of samples whose largest output is the label's, float and integer.
    pub fn accuracy(&self, labels: &[usize]) -> (f64, f64) {
        let share = |of: fn(&(usize, usize)) -> usize| {
            let right = self.tops.iter().zip(labels).filter(|(tops, label)| of(tops) == **label).count();
            right as f64 / labels.len().max(1) as f64
        };
        (share(|t| t.0), share(|t| t.1))
    }
}

/// A compiled network.
#[derive(Clone, Debug)]
pub struct Compiled {
    /// The integer net.
    pub net: Net,
    /// Its ranges.
    pub bounds: Bounds,
    /// What the inputs' integers mean.
    pub inputs: Vec<Real>,
    /// What the outputs' integers mean.
    pub outputs: Vec<Real>,
    /// How good it is.
    pub report: Report,
}

/// Why a network can't be compiled.
#[derive(Debug, thiserror::Error)]
pub enum CompileError {
    /// A calibration sample doesn't fit the network.
    #[error("calibration sample {sample}: {source}")]
    Sample {
        /// Which sample, from 0.
        sample: usize,
        /// Why.
        source: RunError,
    },
    /// There is nothing to calibrate on.
    #[error("there is no calibration sample; give real inputs with --calibration")]
    NoSamples,
    /// A tensor becomes infinite or no number.
    #[error("tensor {tensor} holds {value} for a calibration sample; check the sample and the network")]
    NotFinite {
        /// The tensor's name.
        tensor: String,
        /// What it holds.
        value: f32,
    },
    /// A kind of node that there is no circuit for.
    #[error("operator {operator} (node {node}): {what} can't be proven yet; replace it in the network")]
    Unsupported {
        /// The ONNX operator.
        operator: String,
        /// The node's name.
        node: String,
        /// What kind of step it takes.
        what: &'static str,
    },
    /// A width out of range.
    #[error("{what} bits {bits}: choose {least} to {most}")]
    Bits {
        /// Bits of what.
        what: &'static str,
        /// The width.
        bits: u32,
        /// Least width.
        least: u32,
        /// Largest width.
        most: u32,
    },
    /// A tensor's table would be too coarse for its bits.
    #[error(
        "tensor {tensor}: {bits} bits need a table of {needed} rows, more than {most}; choose fewer {option}, or more --table-rows if {needed} are less than 65000"
    )]
    TableRows {
        /// The tensor's name.
        tensor: String,
        /// Its bits.
        bits: u32,
        /// Rows that they need.
        needed: usize,
        /// Rows that a table may have.
        most: usize,
        /// The option that asked for the bits.
        option: &'static str,
    },
    /// The lookups of a net fit no table.
    #[error(
        "the lookup table would have {rows} rows, more than {most}; {tensor} takes {own} of them: choose less {option}"
    )]
    Entries {
        /// What takes most.
        tensor: String,
        /// Its rows.
        own: usize,
        /// All rows.
        rows: usize,
        /// Most rows.
        most: usize,
        /// The option to turn down.
        option: &'static str,
    },
    /// The net that came out can't be proven or run.
    #[error(transparent)]
    Net(#[from] NetError),
}

/// Rounds `float` on `samples`: real inputs, one list of values per input each.
///
/// # Errors
/// Fails without samples, for samples that don't fit, and for nodes that there is no circuit for.
pub fn compile(float: &FloatNet, samples: &[Vec<Vec<f32>>], options: &Options) -> Result<Compiled, CompileError> {
    for (what, bits, least, most) in [
        ("input", options.input_bits, 1, 16),
        ("activation", options.activation_bits, 4, 16),
        ("output", options.output_bits, 4, 16),
        ("weight", options.weight_bits, 4, 16),
    ] {
        if !(least..=most).contains(&bits) {
            return Err(CompileError::Bits { what, bits, least, most });
        }
    }
    let calibration = Calibration::run(float, samples)?;
    let mut lowered = lower::Lowered::new(float, &calibration, options)?;
    for node in 0..float.nodes.len() {
        lowered.node(node)?;
    }
    let outputs: Vec<Real> = float.outputs.iter().map(|t| lowered.output(*t)).collect::<Result<_, _>>()?;
    for (tensor, real) in float.outputs.iter().zip(&outputs) {
        let output =
            Output { name: float.tensors[*tensor].name.clone(), tensor: lowered.at(*tensor)?, bits: real.bits };
        lowered.net.outputs.push(output);
    }
    let bounds = super::bounds::check(&lowered.net)?;
    room::check(&lowered.net, &bounds)?;
    let (net, inputs, places) = (lowered.net, lowered.inputs, lowered.places);
    let report = report(float, &net, &calibration, &inputs, &places)?;
    Ok(Compiled { net, bounds, inputs, outputs, report })
}

/// Where a float tensor is in the net, and what its integers mean.
pub(super) type Place = Option<(usize, Real)>;

fn report(
    float: &FloatNet,
    net: &Net,
    calibration: &Calibration,
    inputs: &[Real],
    places: &[Place],
) -> Result<Report, CompileError> {
    let mut errors = vec![(0f64, 0f64); places.len()];
    let mut report = Report { samples: calibration.samples.len(), ..Report::default() };
    let top = |values: &mut dyn Iterator<Item = f64>| {
        values.enumerate().fold((0, f64::NEG_INFINITY), |best, (i, v)| if v > best.1 { (i, v) } else { best }).0
    };
    for sample in &calibration.samples {
        let encoded: Vec<Vec<i64>> = float
            .inputs
            .iter()
            .zip(inputs)
            .map(|(input, real)| sample[input.tensor].iter().map(|v| real.encode(f64::from(*v))).collect())
            .collect();
        let trace = interpret::run(net, &encoded)?;
        for (tensor, place) in places.iter().enumerate() {
            let Some((at, real)) = place else { continue };
            for (v, u) in sample[tensor].iter().zip(&trace.tensors[*at]) {
                errors[tensor].0 += (f64::from(*v) - real.decode(*u)).powi(2);
                errors[tensor].1 += f64::from(*v).powi(2);
            }
        }
        if let Some(first) = float.outputs.first()
            && let Some((at, real)) = places[*first]
        {
            let wanted = top(&mut sample[*first].iter().map(|v| f64::from(*v)));
            report.tops.push((wanted, top(&mut trace.tensors[at].iter().map(|u| real.decode(*u)))));
        }
    }
    for (tensor, (place, (error, power))) in places.iter().zip(errors).enumerate() {
        if let Some((_, real)) = place {
            report.tensors.push(TensorReport {
                name: float.tensors[tensor].name.clone(),
                range: calibration.range(tensor),
                real: *real,
                error: (error / power.max(f64::MIN_POSITIVE)).sqrt(),
            });
        }
    }
    Ok(report)
}

/// The net's input for a float network's.
pub(super) fn input(name: &str, len: usize, bits: u32) -> Input {
    Input { name: name.to_owned(), len, bits }
}
