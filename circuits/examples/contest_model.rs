//! Rounds a contestant's network to a contest's architecture: its folder (a secret), what it enters with, and the source of
//! the verifier that all entries share.
//!
//! usage: contest_model CONTEST_DIR MODEL.onnx OUT_DIR CACHE_DIR
//!
//! CONTEST_DIR has the baseline (model.onnx) and calibration.csv, as models/contest. Writes OUT_DIR/secret (the private model),
//! OUT_DIR/commitments.hex (for `ModelContest.enter`) and OUT_DIR/ContestVerifier.sol.

use std::error::Error;
use std::path::Path;

use zugzwang_circuits::net::compile::{Options, architecture::Architecture};
use zugzwang_circuits::net::{Goal, NetProver, Privacy, Visibility, choose, package::Package};
use zugzwang_circuits::onnx;
use zugzwang_circuits::srs::{MAX_K, Srs};

/// How much longer than the baseline's tables are: the contest's README says so.
const HEADROOM: u32 = 3;

fn main() -> Result<(), Box<dyn Error>> {
    let args: Vec<String> = std::env::args().skip(1).collect();
    let [contest, model, out, cache] = &args[..] else {
        return Err("usage: contest_model CONTEST_DIR MODEL.onnx OUT_DIR CACHE_DIR".into());
    };
    let (contest, model, out, cache) = (Path::new(contest), Path::new(model), Path::new(out), Path::new(cache));
    let samples = samples(&std::fs::read_to_string(contest.join("calibration.csv"))?)?;
    let (baseline, options) = (onnx::load(&contest.join("model.onnx"))?, Options::default());
    let architecture = Architecture::new(&baseline, &samples, &options, HEADROOM)?;
    let file = std::fs::read(model)?;
    let privacy = Privacy { input: Visibility::Public, model: Visibility::Private };
    let compiled = architecture.fit(&onnx::parse(&file)?, &samples)?.with(privacy)?;
    let shape = choose(&compiled.net, &compiled.bounds, MAX_K, Goal::Balanced)?.shape;
    let secret = out.join("secret");
    Package::store(&secret, "contest", &file, &compiled, &options, shape)?;
    let package = Package::load(&secret)?;
    let prover = NetProver::of(&package, shape, Srs::load(shape.k, cache)?, cache)?;
    let commitments = prover.registered().map(|registered| registered.bytes()).unwrap_or_default();
    let text: String = commitments.iter().map(|byte| format!("{byte:02x}")).collect();
    std::fs::write(out.join("commitments.hex"), format!("0x{text}\n"))?;
    std::fs::write(out.join("ContestVerifier.sol"), prover.solidity_of_architecture("ContestVerifier")?)?;
    println!("{} columns, 2^{} rows; keep {} to yourself", shape.kernels, shape.k, secret.display());
    Ok(())
}

/// One sample a line, under a line of names.
fn samples(text: &str) -> Result<Vec<Vec<Vec<f32>>>, Box<dyn Error>> {
    let sample = |line: &str| Ok(vec![line.split(',').map(str::parse).collect::<Result<Vec<f32>, _>>()?]);
    text.lines().skip(1).map(sample).collect()
}
