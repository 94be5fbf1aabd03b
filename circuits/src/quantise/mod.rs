//! Float graph + calibration inputs → integer [`Graph`].
//!
//! Layer by layer: a channel's scale is the larger of what calibration wants (its largest usual
//! value becomes `activation_max`) and what provability wants (the worst case over *all* inputs
//! stays inside the circuit's table of `q`, see [`crate::bounds`]). Weights take the finest shift
//! that fits them. Rounding is `2^(s−1)` in the bias, and the mean error that a channel still
//! shows on the calibration inputs is taken out of its bias.

mod front;
mod layer;

pub use front::{Front, encode_layer};

use rand::rngs::StdRng;
use rand::{Rng, SeedableRng};
use rayon::prelude::*;

use crate::bounds::{ACTIVATION_MAX, Bounds, GraphError, Reach, check};
use crate::graph::{Graph, Tensor};
use crate::import::FloatGraph;
use crate::interpret::{accumulate, activate, check_input};

/// How a network is rounded.
#[derive(Clone, Copy, Debug, PartialEq, serde::Serialize, serde::Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Options {
    /// Bits of a weight, sign included: 8 to 12.
    pub weight_bits: u32,
    /// Largest activation, 127 to 4095; one for all layers, so that they share a table.
    pub activation_max: i64,
    /// Share of a channel's calibration values that must not be clipped, in (0.5, 1].
    pub percentile: f64,
    /// Largest shift, 1 to 10; a finer one keeps more of the weights.
    pub max_shift: u32,
    /// Ranked outputs that become public, 1 to 16.
    pub top: usize,
}

impl Default for Options {
    fn default() -> Self {
        Options { weight_bits: 12, activation_max: 255, percentile: 1.0, max_shift: 10, top: 16 }
    }
}

/// What quantisation did.
#[derive(Clone, Debug, PartialEq)]
pub struct Report {
    /// The options used.
    pub options: Options,
    /// Calibration inputs used.
    pub samples: usize,
    /// The provable ranges of the result.
    pub bounds: Bounds,
    /// Per network layer: share of calibration accumulators whose activation was clipped from above.
    pub clipped: Vec<f64>,
    /// What a person should know about the result, a line each.
    pub warnings: Vec<String>,
}

/// Why a network can't be quantised.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
pub enum QuantiseError {
    /// An option is out of range.
    #[error("quantisation option {name} is {value}, outside {range}")]
    Option {
        /// The option.
        name: &'static str,
        /// Its value.
        value: String,
        /// What is allowed.
        range: &'static str,
    },
    /// The network doesn't fit the input encoding.
    #[error("the {front} input encoding doesn't fit the network: {what}")]
    Front {
        /// Name of the encoding.
        front: &'static str,
        /// What doesn't fit.
        what: String,
    },
    /// No calibration inputs, or one that doesn't fit.
    #[error("calibration input {index}: {what}")]
    Sample {
        /// Index of the input.
        index: usize,
        /// What is wrong.
        what: String,
    },
    /// A layer can't be brought into the provable range.
    #[error("layer {layer} ({name}): no scale makes its worst case fit; retrain it with smaller weights")]
    Unprovable {
        /// Index of the network's layer.
        layer: usize,
        /// Its name.
        name: String,
    },
    /// The result is not provable.
    #[error(transparent)]
    Graph(#[from] GraphError),
}

/// One calibration input on its way through both networks.
struct Sample {
    /// Float tensors; emptied when nothing reads them any more.
    floats: Vec<Vec<f32>>,
    /// Integer tensors of the graph; emptied likewise.
    ints: Vec<Tensor>,
}

/// Quantises `float` behind the input encoding `front`, calibrating on `inputs` (integer input
/// tensors as `front` encodes them; a few hundred typical ones are enough).
///
/// # Errors
/// Fails if an option is out of range, the encoding or an input doesn't fit the network, or no
/// scale makes the worst case provable.
pub fn quantise(
    float: &FloatGraph,
    front: &Front,
    inputs: &[Tensor],
    options: &Options,
) -> Result<(Graph, Report), QuantiseError> {
    check_options(options)?;
    let mut graph = front.graph(float, options.top)?;
    let encoders = graph.layers.len();
    if inputs.is_empty() {
        return Err(QuantiseError::Sample { index: 0, what: "none were given".into() });
    }
    for (index, input) in inputs.iter().enumerate() {
        check_input(&graph, input).map_err(|e| QuantiseError::Sample { index, what: e.to_string() })?;
    }
    let mut samples: Vec<Sample> = inputs
        .par_iter()
        .map(|input| {
            let mut ints = vec![input.clone()];
            for l in &graph.layers {
                let a = accumulate(l, graph.board, &ints);
                ints.push(activate(l, &a));
            }
            Sample { floats: vec![front.decode(&ints[encoders])], ints }
        })
        .collect();
    let mut reach = Reach::of_input(&graph);
    for l in graph.layers.clone() {
        reach.layer(&graph, &l);
    }
    // Scale per channel of each tensor of the float graph: real value = scale · integer.
    let mut scales = vec![front.scales(float)];
    let mut clipped = Vec::new();
    for (i, fl) in float.layers.iter().enumerate() {
        let reals: Vec<Vec<f32>> = samples.par_iter().map(|s| fl.linear(float.board, &s.floats)).collect();
        let job =
            layer::Job { float: fl, index: i, encoders, front, scales: &scales, options, graph: &graph, reach: &reach };
        let (layer, out_scales, share) = job.fit(&samples, &reals)?;
        reach.layer(&graph, &layer);
        let done = |t: usize| float.layers[i + 1..].iter().all(|l| l.residual != Some(t));
        samples.par_iter_mut().zip(reals).for_each(|(s, mut real)| {
            let x = activate(&layer, &accumulate(&layer, graph.board, &s.ints));
            real.iter_mut().for_each(|v| *v = v.max(0.0));
            for t in (0..=i).filter(|t| done(*t)) {
                s.floats[t] = Vec::new();
                s.ints[t + encoders] = Tensor::default();
            }
            s.floats.push(real);
            s.ints.push(x);
        });
        graph.layers.push(layer);
        scales.push(out_scales);
        clipped.push(share);
    }
    let bounds = check(&graph)?;
    let report = Report { options: *options, samples: inputs.len(), bounds, clipped, warnings: Vec::new() };
    Ok((graph, report))
}

/// Random inputs of a calibration without data, and their range.
const RANDOM_SAMPLES: usize = 512;
const RANDOM_RANGE: f32 = 3.0;

/// Quantises a dense network behind a byte per input, whose ranges are those of `samples` (real
/// inputs). Without samples it uses seeded random ones and says so in the report's warnings.
///
/// # Errors
/// As [`quantise`].
pub fn quantise_bytes(
    float: &FloatGraph,
    samples: &[Vec<f32>],
    options: &Options,
) -> Result<(Graph, Front, Report), QuantiseError> {
    let mut random = Vec::new();
    if samples.is_empty() {
        let mut rng = StdRng::seed_from_u64(1);
        let sample = |_| (0..float.inputs()).map(|_| rng.gen_range(-RANDOM_RANGE..RANDOM_RANGE)).collect();
        random = (0..RANDOM_SAMPLES).map(sample).collect();
    }
    let samples = if samples.is_empty() { &random } else { samples };
    let front = Front::bytes_for(samples)?;
    let encode = |(index, s): (usize, &Vec<f32>)| {
        let what = || format!("it has {} values, not {}", s.len(), float.inputs());
        front.encode(s).ok_or_else(|| QuantiseError::Sample { index, what: what() })
    };
    let inputs = samples.iter().enumerate().map(encode).collect::<Result<Vec<Tensor>, _>>()?;
    let (graph, mut report) = quantise(float, &front, &inputs, options)?;
    if !random.is_empty() {
        report.warnings.push(format!(
            "calibrated on random inputs in ±{RANDOM_RANGE}; give samples of real inputs for a model that you mean to use"
        ));
    }
    Ok((graph, front, report))
}

fn check_options(o: &Options) -> Result<(), QuantiseError> {
    let fail = |name, value: String, range| Err(QuantiseError::Option { name, value, range });
    if !(8..=12).contains(&o.weight_bits) {
        return fail("weight_bits", o.weight_bits.to_string(), "8 to 12");
    }
    if !(127..=ACTIVATION_MAX).contains(&o.activation_max) {
        return fail("activation_max", o.activation_max.to_string(), "127 to 4095");
    }
    if !(o.percentile > 0.5 && o.percentile <= 1.0) {
        return fail("percentile", o.percentile.to_string(), "0.5 to 1");
    }
    if !(1..=10).contains(&o.max_shift) {
        return fail("max_shift", o.max_shift.to_string(), "1 to 10");
    }
    if !(1..=16).contains(&o.top) {
        return fail("top", o.top.to_string(), "1 to 16");
    }
    Ok(())
}
