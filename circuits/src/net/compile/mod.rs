//! Float network → integer net: calibrated ranges, integer weights, functions as tables.
//!
//! A tensor's integers stand for reals by a scale and a zero point, `real = scale·(u − zero)`. Weights are rounded per
//! output channel to the unit that lets all channels of a node share one table. A linear node takes the function that
//! follows it into its table.

pub mod architecture;
mod blame;
mod calibrate;
mod equalise;
mod kinds;
mod lower;
mod report;
mod room;
mod stated;

use serde::{Deserialize, Serialize};

use crate::float::{FloatNet, RunError};

use super::bounds::{self, Bounds, NetError};
use super::{Input, Net, Output, Privacy};
use crate::srs::MAX_K;
use calibrate::Calibration;
use equalise::Measure;

pub use blame::{Rounding, Share};
pub use report::{Answer, Equalised, Figure, Report, TensorReport};

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
    /// The circuit's table may have `2^largest` rows: what there is a set-up for. It says what is possible, not how a net was
    /// rounded, and so stands in no manifest.
    #[serde(skip, default = "built_in")]
    pub largest: u32,
}

/// Most rows of a function's table that are chosen unasked, for the built-in set-up.
const MOST_ROWS: usize = 20_480;

/// The built-in set-up's size.
fn built_in() -> u32 {
    MAX_K
}

impl Default for Options {
    fn default() -> Self {
        Self { input_bits: 8, activation_bits: 8, output_bits: 10, weight_bits: 10, table_rows: 2560, largest: MAX_K }
    }
}

impl Options {
    /// Rows of a table that numbers and outputs of these bits ask for: the default's, twice for each bit more, as far as
    /// a table of some functions goes in a circuit of `2^largest` rows.
    pub fn rows_for(activation_bits: u32, output_bits: u32, largest: u32) -> usize {
        let plain = Self::default();
        let more =
            activation_bits.saturating_sub(plain.activation_bits).max(output_bits.saturating_sub(plain.output_bits));
        // Whoever asks for a bit more doesn't want it lost to a table that is too coarse.
        let shift = if more == 0 { 0 } else { more.min(8) + 1 };
        let most = if largest < MAX_K { MOST_ROWS >> (MAX_K - largest) } else { MOST_ROWS << (largest - MAX_K).min(4) };
        (plain.table_rows << shift).min(most)
    }

    /// The same for a set-up of another size: tables that nobody gave a length to follow it.
    #[must_use]
    pub fn on(self, largest: u32) -> Self {
        let rows = |largest| Self::rows_for(self.activation_bits, self.output_bits, largest);
        let table_rows = if self.table_rows == rows(self.largest) { rows(largest) } else { self.table_rows };
        Self { table_rows, largest, ..self }
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
    /// What was rounded: the network, with its channels evened out if that helps.
    float: FloatNet,
    places: Vec<Place>,
    rounded: Vec<blame::Rounded>,
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
    /// Another network's sums leave the tables of the architecture that it is to fit.
    #[error(
        "tensor {tensor}: q ranges over {q_min} to {q_max}, the architecture's table over {low} to {high}; train with smaller weights"
    )]
    Reach {
        /// The tensor's name.
        tensor: String,
        /// Least `q`.
        q_min: i64,
        /// Largest `q`.
        q_max: i64,
        /// Least `q` of the table.
        low: i64,
        /// Largest `q` of the table.
        high: i64,
    },
    /// A network of another architecture.
    #[error("tensor {tensor}: the architecture has another step here; give a network with the same nodes and sizes")]
    Unlike {
        /// The tensor's name.
        tensor: String,
    },
    /// The lookups of a net fit no table.
    #[error(
        "the lookup table would have {rows} rows, more than {most}; {tensor} takes {own} of them: choose less {option}, or a larger set-up with --srs"
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
    check_bits(options)?;
    let calibration = Calibration::run(float, samples)?;
    let mut best = rounded(float, &calibration, options, Tables::Tight)?;
    let plain = best.report.error;
    let mut equalised: Option<Equalised> = None;
    for measure in [Measure::Numbers, Measure::Weights] {
        let Some((even, pairs)) = equalise::equalise(float, &calibration, measure) else { continue };
        // A net that even channels make too large is no reason to refuse the other.
        let Ok(even) = rounded(&even, &Calibration::run(&even, samples)?, options, Tables::Tight) else { continue };
        let error = even.report.error;
        if equalised.is_none_or(|e| error < e.errors.1) {
            equalised = Some(Equalised { pairs, errors: (plain, error), kept: error < plain });
        }
        if error < best.report.error {
            best = even;
        }
    }
    best.report.equalised = equalised;
    Ok(best)
}

fn check_bits(options: &Options) -> Result<(), CompileError> {
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
    Ok(())
}

/// Rounds a network as it is.
fn rounded(
    float: &FloatNet,
    calibration: &Calibration,
    options: &Options,
    tables: Tables<'_>,
) -> Result<Compiled, CompileError> {
    let mut lowered = lower::Lowered::new(float, calibration, options, tables)?;
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
    room::check(&lowered.net, &bounds, room::most(options))?;
    let (net, inputs, places, rounded) = (lowered.net, lowered.inputs, lowered.places, lowered.rounded);
    let report = report::report(float, &net, calibration, &inputs, &places)?;
    Ok(Compiled { net, bounds, inputs, outputs, report, float: float.clone(), places, rounded })
}

/// How long tables are.
#[derive(Clone, Copy)]
enum Tables<'a> {
    /// As the network's own sums need them.
    Tight,
    /// So many times as long, for other networks' sums.
    Roomy(u32),
    /// Another network's, with its scales and shifts.
    Of(&'a Compiled),
}

/// Where a float tensor is in the net, and what its integers mean.
pub(super) type Place = Option<(usize, Real)>;

/// The net's input for a float network's.
pub(super) fn input(name: &str, len: usize, bits: u32) -> Input {
    Input { name: name.to_owned(), len, bits }
}
