//! `zugzwang bench`: keys, proofs, memory and gas, each model in a process of its own so that its
//! peak of memory is its own.

use std::{path::PathBuf, process::Stdio, sync::Arc, time::Instant};

use clap::Args as ClapArgs;
use serde::{Deserialize, Serialize};
use tokio::process::Command;

use super::{
    CliError, Output,
    net::{Bits, Optimise},
    onchain, srs,
};
use crate::{
    chain::bytecode,
    config::ModelConfig,
    out,
    prover::{self, Privacy, Prove, Visibility, prove_and_check},
};

#[derive(Clone, Debug, ClapArgs)]
pub(super) struct Args {
    /// A model's folder; may be given more than once. All of models/chess-* if not given.
    #[arg(long)]
    model: Vec<PathBuf>,
    /// An ONNX file to quantise and measure, whatever it computes.
    #[arg(long, value_name = "FILE")]
    onnx: Vec<PathBuf>,
    /// Proofs of which the median counts.
    #[arg(long, default_value_t = 5, value_parser = clap::value_parser!(u32).range(1..))]
    runs: u32,
    /// Shape of the circuit; the model's own if not given.
    #[arg(long, default_value = "")]
    shape: String,
    /// What the size of an ONNX file's circuit is chosen for.
    #[arg(long, value_enum, default_value_t)]
    optimise: Optimise,
    #[command(flatten)]
    bits: Bits,
    /// Sides of an ONNX file's proofs that are private: input, model.
    #[arg(long, value_name = "SIDE", value_parser = ["input", "model"])]
    private: Vec<String>,
    /// Folder for cached keys. The keys are always made anew, to be measured.
    #[arg(long, default_value = ".zugzwang/cache")]
    cache: PathBuf,
    #[command(flatten)]
    srs: srs::Choice,
    /// Also make one more proof and say how many seconds each of its steps took.
    #[arg(long)]
    profile: bool,
    /// Measure in this process.
    #[arg(long, hide = true)]
    here: bool,
}

/// What is measured.
#[derive(Clone, Debug, Serialize, Deserialize)]
struct Measured {
    model: String,
    shape: String,
    k: u32,
    rows: usize,
    columns: usize,
    keygen_s: f64,
    /// Of the key's file: it holds the verifying key, all else is computed from the model.
    pk_bytes: u64,
    /// Of the key in memory, without the set-up.
    key_memory_bytes: u64,
    /// Median, inference and check included.
    prove_s: f64,
    prove_cpu_s: f64,
    /// Of the whole process, key generation included.
    peak_rss_mib: f64,
    /// Of proving with the keys in memory.
    prove_rss_mib: f64,
    verify_ms: f64,
    proof_bytes: usize,
    calldata_bytes: usize,
    /// Gas of a transaction that calls the verifier; absent without anvil or compiler.
    verify_gas: Option<u64>,
    verifier_bytes: Option<usize>,
    instances: usize,
    runs: u32,
    /// The steps of one more proof in order, if they were asked for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    profile: Option<Vec<Timed>>,
}

/// One step of a proof.
#[derive(Clone, Debug, Serialize, Deserialize)]
struct Timed {
    step: String,
    seconds: f64,
}

pub(super) async fn run(args: Args, output: Output) -> Result<(), CliError> {
    if args.here {
        return here(args, output).await;
    }
    let mut models = args.model.clone();
    if models.is_empty() && args.onnx.is_empty() {
        models = ["s", "m", "l"].map(|level| PathBuf::from(format!("models/chess-{level}"))).into();
    }
    let folders = models.iter().map(|m| ("--model", m));
    let files = args.onnx.iter().map(|m| ("--onnx", m));
    let mut missing = None;
    for (flag, path) in folders.chain(files) {
        match child(&args, flag, path).await {
            Ok(measured) => output.print(&measured, || words(&measured))?,
            Err(error) => {
                error.report(output);
                missing = Some(path.display().to_string());
            }
        }
    }
    missing.map_or(Ok(()), |path| {
        Err(CliError::model(format!("not every model was measured; the last one that wasn't is {path}")))
    })
}

/// Measures one model in a child process.
async fn child(args: &Args, flag: &str, path: &PathBuf) -> Result<Measured, CliError> {
    let failed = |why: String| CliError::model(format!("{}: {why}", path.display()));
    let program = std::env::current_exe().map_err(|e| failed(e.to_string()))?;
    let made = Command::new(program)
        .args(["bench", "--here", "--json", "--runs", &args.runs.to_string(), "--shape", &args.shape])
        .arg("--cache")
        .arg(&args.cache)
        .args(args.srs.arguments())
        .args(args.profile.then_some("--profile"))
        .args(["--optimise", args.optimise.name()])
        .args(args.bits.flags())
        .args(args.private.iter().flat_map(|side| ["--private", side]))
        .arg(flag)
        .arg(path)
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::inherit())
        .kill_on_drop(true)
        .spawn()
        .map_err(|e| failed(e.to_string()))?
        // `output` would take standard error too, and with it the reason of a failure.
        .wait_with_output()
        .await
        .map_err(|e| failed(e.to_string()))?;
    if !made.status.success() {
        return Err(failed(format!("measuring ended with {}", made.status)));
    }
    serde_json::from_slice(&made.stdout).map_err(|e| failed(format!("the result can't be read: {e}")))
}

async fn here(args: Args, output: Output) -> Result<(), CliError> {
    let scratch = args.cache.join(format!("bench-{}", std::process::id()));
    let source = match (args.model.first(), args.onnx.first()) {
        (Some(path), _) | (None, Some(path)) => ModelConfig {
            dir: path.clone(),
            shape: args.shape.clone(),
            cache: args.cache.clone(),
            srs: args.srs.source(),
        },
        (None, None) => {
            return Err(CliError::config("bench: name a model with --model or --onnx"));
        }
    };
    let (is_file, optimise) = (args.model.is_empty(), args.optimise);
    let keys = scratch.clone();
    let side = |name: &str| match args.private.iter().any(|side| side == name) {
        true => Visibility::Private,
        false => Visibility::Public,
    };
    let options = args.bits.into();
    let privacy = Privacy { input: side("input"), model: side("model") };
    let prover: Arc<dyn Prove> = tokio::task::spawn_blocking(move || {
        let progress = |step: &str| out::note(step);
        if is_file {
            prover::load_onnx(&source, &keys, optimise.into(), &options, privacy, &progress)
        } else {
            prover::load_anew(&source, &keys, &progress)
        }
    })
    .await
    .map_err(CliError::model)??;
    let (runs, with_profile) = (args.runs, args.profile);
    let (measured, sample) = tokio::task::spawn_blocking({
        let prover = prover.clone();
        move || measure(prover.as_ref(), runs, with_profile)
    })
    .await
    .map_err(CliError::model)??;
    // Scratch keys are only made to be measured.
    let _ = std::fs::remove_dir_all(&scratch);
    let mut measured = measured;
    match onchain::on_local_chain(prover.as_ref(), &sample).await {
        Ok(v) if v.valid => (measured.verify_gas, measured.verifier_bytes) = (v.gas, Some(v.code_bytes)),
        Ok(_) => return Err(CliError::model("the verifier contract does not accept the proof; report this as a bug")),
        Err(error) => out::note(&format!("{}: no gas measured: {}", measured.model, error)),
    }
    output.print(&measured, || words(&measured))
}

fn measure(prover: &dyn Prove, runs: u32, with_profile: bool) -> Result<(Measured, prover::Proof), CliError> {
    let facts = prover.facts();
    let mut request = [0u8; 32];
    let mut walls = Vec::new();
    let mut cpus = Vec::new();
    let mut sample = None;
    let before = peak_rss_mib();
    // Linux starts the peak anew; elsewhere both figures are the same.
    let _ = std::fs::write("/proc/self/clear_refs", "5");
    for run in 0..runs {
        request[31] = run as u8;
        let input = prover.example(u64::from(run));
        let (wall, cpu) = (Instant::now(), cpu_seconds());
        let proof = prove_and_check(prover, &input, request, &|_| ())?;
        walls.push(wall.elapsed().as_secs_f64());
        cpus.push(cpu_seconds() - cpu);
        out::note(&format!(
            "{}: proof {} of {runs}: {:.2} s",
            facts.model,
            run + 1,
            walls.last().copied().unwrap_or_default()
        ));
        sample = Some(proof);
    }
    let proving = peak_rss_mib();
    let sample = sample.ok_or_else(|| CliError::config("bench: --runs must be at least 1"))?;
    let mut verifies = Vec::new();
    for _ in 0..10 {
        let start = Instant::now();
        if !prover.verify(&sample) {
            return Err(CliError::model(prover::ProveError::DoesNotVerify));
        }
        verifies.push(start.elapsed().as_secs_f64() * 1000.0);
    }
    let profile = if with_profile {
        let steps = prover.profile(&prover.example(0), request)?;
        Some(
            steps.into_iter().map(|(step, seconds)| Timed { step: step.to_owned(), seconds: round(seconds) }).collect(),
        )
    } else {
        None
    };
    let measured = Measured {
        model: facts.model,
        shape: facts.shape,
        k: facts.k,
        rows: facts.rows,
        columns: facts.columns,
        keygen_s: round(facts.keygen_s),
        pk_bytes: facts.pk_bytes,
        key_memory_bytes: facts.key_memory_bytes,
        prove_s: round(median(walls)),
        prove_cpu_s: round(median(cpus)),
        peak_rss_mib: before.max(proving),
        prove_rss_mib: proving,
        verify_ms: round(median(verifies)),
        proof_bytes: sample.bytes.len(),
        calldata_bytes: bytecode::verify_call(&sample.bytes, &sample.instances).len(),
        verify_gas: None,
        verifier_bytes: None,
        instances: sample.instances.len(),
        runs,
        profile,
    };
    Ok((measured, sample))
}

fn words(m: &Measured) -> String {
    let mut text = format!(
        "{}: k {}, {} rows, {} columns; keys {:.2} s, {:.1} KiB ({:.1} MiB in memory); proof {:.2} s ({:.2} CPU s), {:.0} MiB; verify {:.1} ms, {} bytes, {} gas",
        m.model,
        m.k,
        m.rows,
        m.columns,
        m.keygen_s,
        m.pk_bytes as f64 / 1024.0,
        m.key_memory_bytes as f64 / f64::from(1 << 20),
        m.prove_s,
        m.prove_cpu_s,
        m.prove_rss_mib,
        m.verify_ms,
        m.proof_bytes,
        m.verify_gas.map_or("no".to_owned(), |gas| gas.to_string())
    );
    for Timed { step, seconds } in m.profile.iter().flatten() {
        text.push_str(&format!("\n  {step:<20} {seconds:.3} s"));
    }
    text
}

fn median(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    values.get(values.len() / 2).copied().unwrap_or_default()
}

fn round(value: f64) -> f64 {
    (value * 1000.0).round() / 1000.0
}

/// CPU seconds of this process so far, in Linux's ticks of 10 ms; 0 elsewhere.
fn cpu_seconds() -> f64 {
    let stat = std::fs::read_to_string("/proc/self/stat").unwrap_or_default();
    // The fields after the command's closing bracket; user and system time are the 12th and 13th.
    let ticks: u64 = stat
        .rsplit(')')
        .next()
        .unwrap_or_default()
        .split_whitespace()
        .skip(11)
        .take(2)
        .filter_map(|t| t.parse::<u64>().ok())
        .sum();
    ticks as f64 / 100.0
}

/// Most memory that this process has had, in MiB; 0 where Linux's /proc is missing.
fn peak_rss_mib() -> f64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let kib = status
        .lines()
        .find_map(|line| line.strip_prefix("VmHWM:")?.trim().strip_suffix("kB")?.trim().parse::<f64>().ok());
    round(kib.unwrap_or_default() / 1024.0)
}
