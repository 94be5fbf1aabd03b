//! Any ONNX model: compiled to a net, and inspected, before there are keys.

use std::{path::Path, sync::LazyLock, time::Instant};

use serde::Serialize;
use zugzwang_circuits::{
    float::FloatNet,
    net::{
        self, Candidate, Goal, Privacy, Visibility,
        bounds::Bounds,
        compile::{Compiled, Options, Report, Share, compile},
        package::Package,
    },
    onnx,
    prove::{REFERENCE_SECONDS, reference_work},
    srs::Source,
};

use super::{Noise, ProveError, said};

/// Real inputs, and what they are if somebody said.
#[derive(Clone, Debug, Default)]
pub struct Samples {
    /// One list of values per input of the network, for each sample.
    pub inputs: Vec<Vec<Vec<f32>>>,
    /// The index of the right answer, for each sample or not at all.
    pub labels: Vec<usize>,
}

/// What a network is and costs, before any key exists.
#[derive(Clone, Debug, Serialize)]
pub struct Inspected {
    /// The model's name.
    pub name: String,
    /// ONNX operators, or a compiled net's steps, and how often each stands in the file.
    pub operators: Vec<(String, usize)>,
    /// Weights and biases.
    pub parameters: usize,
    /// Multiply-accumulate operations.
    pub macs: usize,
    /// Sizes that fit, lowest table last.
    pub frontier: Vec<Predicted>,
}

/// One size of table with what it is predicted to cost.
#[derive(Clone, Copy, Debug, Serialize)]
pub struct Predicted {
    /// Kernels a row.
    pub kernels: usize,
    /// The table has 2^k rows.
    pub k: u32,
    /// Rows in use.
    pub rows: usize,
    /// Fixed columns.
    pub fixed: usize,
    /// Columns of the first and of the second phase.
    pub advice: [usize; 2],
    /// Seconds of a proof.
    pub prove_s: f64,
    /// Seconds to make the keys.
    pub keygen_s: f64,
    /// Peak of memory.
    pub memory_mib: f64,
    /// Bytes of a proof.
    pub proof_bytes: usize,
    /// Gas of a transaction that verifies one.
    pub gas: u64,
}

/// How many times as long as the machine that predictions were fitted on this one takes. Measured once, the best of a few
/// tries; it is for people, and decides nothing.
fn pace() -> f64 {
    static PACE: LazyLock<f64> = LazyLock::new(|| {
        let seconds = |_| {
            let clock = Instant::now();
            std::hint::black_box(reference_work());
            clock.elapsed().as_secs_f64()
        };
        (0..4).map(seconds).fold(f64::INFINITY, f64::min) / REFERENCE_SECONDS
    });
    *PACE
}

impl From<Candidate> for Predicted {
    fn from(c: Candidate) -> Self {
        Self {
            kernels: c.shape.kernels,
            k: c.shape.k,
            rows: c.needs.rows,
            fixed: c.fixed,
            advice: c.advice,
            prove_s: c.seconds * pace(),
            keygen_s: c.keygen_seconds * pace(),
            memory_mib: c.memory_mib,
            proof_bytes: c.proof_bytes,
            gas: c.gas as u64,
        }
    }
}

/// Compiles an ONNX file into a folder, for a table that `srs` has points for; what it found, and what costs most if integers
/// lose something.
pub fn compile_net(
    file: &Path,
    samples: &Samples,
    out: &Path,
    options: &Options,
    privacy: Privacy,
    goal: Goal,
    srs: &Source,
) -> Result<(Report, Vec<Share>, Candidate), ProveError> {
    let largest = srs.largest().map_err(said)?;
    let (name, float) = read(file)?;
    let (compiled, candidate, options) = compile_for(&float, &samples.inputs, options, privacy, goal, largest)?;
    let bytes = std::fs::read(file).map_err(|e| said(format!("{}: {e}", file.display())))?;
    Package::store(out, &name, &bytes, &compiled, &options, candidate.shape).map_err(said)?;
    let lost = !compiled.report.losses(&samples.labels).is_empty();
    let shares = if lost { compiled.shares(&samples.inputs).map_err(said)? } else { Vec::new() };
    Ok((compiled.report, shares, candidate))
}

/// Fewest rows of a table that is shortened to prove faster.
const SHORTEST: usize = 512;
/// The share of samples with another first answer that shorter tables may cost.
const TOLERATED: f64 = 0.005;

/// A compiled network, the size chosen for it, and how it was rounded.
type Made = (Compiled, Candidate, Options);

/// Compiles for a goal. For speed, tables of functions are shortened where they alone keep the circuit's from half the
/// height, unless that changes answers.
pub(super) fn compile_for(
    float: &FloatNet,
    samples: &[Vec<Vec<f32>>],
    options: &Options,
    privacy: Privacy,
    goal: Goal,
    largest: u32,
) -> Result<Made, ProveError> {
    let made = |options: &Options| {
        let compiled = compile(float, samples, options).map_err(said)?.with(privacy).map_err(said)?;
        let chosen = net::choose(&compiled.net, &compiled.bounds, largest, goal).map_err(said)?;
        Ok::<Made, ProveError>((compiled, chosen, *options))
    };
    let options = &options.on(largest);
    let plain = made(options)?;
    let (compiled, chosen, _) = &plain;
    let needs = chosen.needs;
    if goal != Goal::Speed || needs.entries <= needs.defining.max(needs.reading) {
        return Ok(plain);
    }
    // What a table takes depends on the ranges it has to cover, so lengths are tried from long to short.
    let lengths = std::iter::successors(Some(options.table_rows), |rows| Some(rows * 17 / 20));
    for table_rows in lengths.skip(1).take_while(|rows| *rows >= SHORTEST) {
        // Tables can be too short for what is asked of them; then they stay as they are.
        let Ok(other) = made(&Options { table_rows, ..*options }) else { break };
        if other.1.shape.k < chosen.shape.k {
            let kept = other.0.report.agreement() + TOLERATED >= compiled.report.agreement();
            return Ok(if kept && other.1.seconds < chosen.seconds { other } else { plain });
        }
    }
    Ok(plain)
}

/// What an ONNX file holds and costs. Costs depend a little on the ranges that calibration finds; without samples they
/// are made up. Sizes are those that `srs` has points for.
pub fn inspect_net(
    file: &Path,
    samples: Option<&Samples>,
    options: &Options,
    privacy: Privacy,
    srs: &Source,
) -> Result<Inspected, ProveError> {
    let largest = srs.largest().map_err(said)?;
    let (name, float) = read(file)?;
    let made_up = if samples.is_none() { made_up(&float) } else { Samples::default() };
    let samples = samples.unwrap_or(&made_up);
    let mut operators: Vec<(String, usize)> = Vec::new();
    let mut seen: Vec<(&str, &str)> = Vec::new();
    for node in float.nodes.iter().map(|n| (n.operator.as_str(), n.name.as_str())) {
        // One ONNX node can be several of the network's.
        if seen.contains(&node) {
            continue;
        }
        seen.push(node);
        match operators.iter_mut().find(|(name, _)| name == node.0) {
            Some((_, count)) => *count += 1,
            None => operators.push((node.0.to_owned(), 1)),
        }
    }
    let compiled = compile(&float, &samples.inputs, &options.on(largest)).map_err(said)?;
    let compiled = compiled.with(privacy).map_err(said)?;
    let frontier = frontier(&compiled.net, &compiled.bounds, largest)?;
    Ok(Inspected { name, operators, parameters: compiled.net.parameters(), macs: compiled.net.macs(), frontier })
}

/// What a compiled folder holds and costs.
pub fn inspect_folder(dir: &Path, srs: &Source) -> Result<Inspected, ProveError> {
    let package = Package::load(dir).map_err(said)?;
    let mut operators: Vec<(String, usize)> = Vec::new();
    for kind in package.net.nodes.iter().map(|node| node.step.kind()) {
        match operators.iter_mut().find(|(name, _)| name == kind) {
            Some((_, count)) => *count += 1,
            None => operators.push((kind.to_owned(), 1)),
        }
    }
    let frontier = frontier(&package.net, &package.bounds, srs.largest().map_err(said)?)?;
    let (parameters, macs) = (package.net.parameters(), package.net.macs());
    Ok(Inspected { name: package.manifest.name, operators, parameters, macs, frontier })
}

fn frontier(net: &net::Net, bounds: &Bounds, largest: u32) -> Result<Vec<Predicted>, ProveError> {
    Ok(net::candidates(net, bounds, largest).map_err(said)?.into_iter().map(Predicted::from).collect())
}

pub(super) fn read(file: &Path) -> Result<(String, FloatNet), ProveError> {
    let name = file.file_stem().map_or_else(|| "model".to_owned(), |s| s.to_string_lossy().into_owned());
    Ok((name, onnx::load(file).map_err(said)?))
}

/// Inputs between −1 and 1; bytes where integers are wanted.
pub(super) fn made_up(float: &FloatNet) -> Samples {
    let mut noise = Noise(1);
    let mut value = |integer: bool| match integer {
        true => (noise.next() % 256) as f32,
        false => (noise.next() % 2001) as f32 / 1000.0 - 1.0,
    };
    let mut sample = || {
        let inputs = float.inputs.iter();
        inputs.map(|i| (0..float.tensors[i.tensor].len()).map(|_| value(i.integer)).collect()).collect()
    };
    Samples { inputs: (0..16).map(|_| sample()).collect(), labels: vec![] }
}

/// Compiles the ONNX file of a public model's folder anew as a private model, rounded as it was.
pub fn compile_private(dir: &Path, samples: &Samples, out: &Path) -> Result<(), ProveError> {
    let package = Package::load(dir).map_err(said)?;
    let onnx = package.manifest.onnx.as_ref();
    let file =
        onnx.map(|onnx| dir.join(&onnx.file)).ok_or_else(|| said(format!("{}: it has no ONNX file", dir.display())))?;
    let privacy = Privacy { input: Visibility::Public, model: Visibility::Private };
    compile_net(&file, samples, out, &package.manifest.quantisation, privacy, Goal::Speed, &Source::BuiltIn)?;
    Ok(())
}
