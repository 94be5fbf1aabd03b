//! `zugzwang model`: compiles, inspects, proves and verifies.

use std::{path::PathBuf, sync::Arc, time::Instant};

use clap::{Args as ClapArgs, Subcommand};
use serde::{Deserialize, Serialize};
use shakmaty::{CastlingMode, Chess, fen::Fen};
use zugzwang_circuits::{graph::Tensor, model::Model};

use super::{
    CliError, Output,
    net::{self, Bits, Optimise},
    onchain,
    private::{self, Sides},
    srs,
};
use crate::{
    apps::chess,
    chain::types::{Address, B256, Bytes},
    config::ModelConfig,
    out,
    prover::{self, Proof, Prove, prove_and_check, prove_salted_and_check, verifier},
};

#[derive(Debug, Subcommand)]
pub(super) enum Command {
    /// Make a model's integer graph, keys and verifier from its ONNX file.
    Compile(Compile),
    /// Print what a model or an ONNX file is.
    Inspect(Inspect),
    /// Prove a model's answer on one chess position.
    Prove(ProveArgs),
    /// Check a proof that `model prove` wrote.
    Verify(Verify),
    /// Print the commitment to a private input.
    Commit(private::Commit),
    /// Write what others need to verify a private model's proofs.
    Publish(private::Publish),
}

#[derive(Debug, ClapArgs)]
pub(super) struct Place {
    /// The model's folder.
    pub(super) model: PathBuf,
    /// Shape of the circuit, as LANES,KERNELS,K for chess, KERNELS,K for others; the model's own if not given.
    #[arg(long, default_value = "")]
    pub(super) shape: String,
    /// Folder for cached keys.
    #[arg(long, default_value = ".zugzwang/cache")]
    pub(super) cache: PathBuf,
    #[command(flatten)]
    pub(super) srs: srs::Choice,
}

#[derive(Debug, ClapArgs)]
pub(super) struct Compile {
    #[command(flatten)]
    pub(super) place: Place,
    /// Quantise again, though the folder has an integer graph.
    #[arg(long)]
    pub(super) requantise: bool,
    /// Real inputs to calibrate on: for a chess model positions of 40 bytes (models/data/calibration.bin if not given), for
    /// an ONNX file .csv, .json or .jsonl.
    #[arg(long)]
    pub(super) calibration: Option<PathBuf>,
    /// Folder for the compiled model, if an ONNX file is compiled.
    #[arg(long)]
    pub(super) out: Option<PathBuf>,
    /// What the size of an ONNX file's circuit is chosen for.
    #[arg(long, value_enum, default_value_t)]
    pub(super) optimise: Optimise,
    #[command(flatten)]
    pub(super) sides: Sides,
    #[command(flatten)]
    pub(super) bits: Bits,
}

#[derive(Debug, ClapArgs)]
pub(super) struct Inspect {
    /// A model's folder or an ONNX file; the options below are for ONNX files.
    pub(super) model: PathBuf,
    /// Real inputs of an ONNX file, for better predictions.
    #[arg(long)]
    pub(super) calibration: Option<PathBuf>,
    /// Refuse an ONNX file whose proof takes more memory than this, in MiB.
    #[arg(long)]
    pub(super) max_memory: Option<f64>,
    #[command(flatten)]
    pub(super) bits: Bits,
    #[command(flatten)]
    pub(super) sides: Sides,
    #[command(flatten)]
    pub(super) srs: srs::Choice,
}

#[derive(Debug, ClapArgs)]
pub(super) struct ProveArgs {
    #[command(flatten)]
    place: Place,
    /// The position.
    #[arg(long, default_value = "rnbqkbnr/pppppppp/8/8/8/8/PPPPPPPP/RNBQKBNR w KQkq - 0 1")]
    fen: String,
    /// The input, if the model is no chess model: a .csv or .json file with one sample.
    #[arg(long, conflicts_with = "fen")]
    input: Option<PathBuf>,
    /// File of a private input's salt, 128 hex digits; made if it is not there. Keep it to yourself, and use it for one
    /// input only.
    #[arg(long)]
    salt: Option<PathBuf>,
    /// The request that the proof is bound to, 32 bytes in hex.
    #[arg(long, default_value_t = B256::ZERO)]
    request: B256,
    /// Where the proof goes; standard output if not given.
    #[arg(long)]
    out: Option<PathBuf>,
}

#[derive(Debug, ClapArgs)]
pub(super) struct Verify {
    #[command(flatten)]
    place: Place,
    /// The proof.
    proof: PathBuf,
    /// Also deploy the verifier contract on a local chain, and send it the proof in a transaction.
    #[arg(long, conflicts_with = "contract")]
    local_chain: bool,
    /// Also ask the verifier contract at this address, if its code is this model's.
    #[arg(long, requires = "rpc")]
    contract: Option<Address>,
    /// HTTP endpoint of a node of the contract's chain.
    #[arg(long, requires = "contract")]
    rpc: Option<String>,
}

/// A proof as a file.
#[derive(Serialize, Deserialize)]
struct ProofFile {
    model_id: B256,
    #[serde(default)]
    moves: Vec<String>,
    #[serde(default)]
    prove_s: f64,
    ranking: Vec<usize>,
    instances: Vec<B256>,
    proof: Bytes,
}

pub(super) async fn run(command: Command, output: Output) -> Result<(), CliError> {
    match command {
        Command::Compile(args) => compile(args, output).await,
        Command::Inspect(args) => inspect(args, output),
        Command::Prove(args) => prove(args, output).await,
        Command::Verify(args) => verify(args, output).await,
        Command::Commit(args) => private::commit(args, output),
        Command::Publish(args) => private::publish(args, output).await,
    }
}

impl Place {
    pub(super) fn config(&self) -> ModelConfig {
        ModelConfig {
            dir: self.model.clone(),
            shape: self.shape.clone(),
            cache: self.cache.clone(),
            srs: self.srs.source(),
        }
    }

    async fn load(&self) -> Result<Arc<dyn Prove>, CliError> {
        let config = self.config();
        let loaded = tokio::task::spawn_blocking(move || prover::load(&config, &|step| out::note(step))).await;
        Ok(loaded.map_err(|e| CliError::model(format!("the keys can't be loaded: {e}")))??)
    }
}

async fn compile(args: Compile, output: Output) -> Result<(), CliError> {
    #[derive(Serialize)]
    struct Compiled {
        model_id: B256,
        verifier: String,
        verifier_bytes: usize,
        #[serde(flatten)]
        facts: prover::Facts,
    }
    if args.place.model.is_file() {
        return net::compile(args, output).await;
    }
    let is_net = prover::is_net(&args.place.model);
    if !is_net && (args.requantise || !args.place.model.join(zugzwang_circuits::model::MANIFEST).is_file()) {
        let calibration = args.calibration.clone().unwrap_or_else(|| "models/data/calibration.bin".into());
        let (dir, shape) = (args.place.model.clone(), args.place.shape.clone());
        tokio::task::spawn_blocking(move || prover::quantise(&dir, &calibration, &shape))
            .await
            .map_err(|e| CliError::model(format!("{}: {e}", args.place.model.display())))??;
    }
    let prover = args.place.load().await?;
    let artifact = verifier::compile(prover.model_id(), &prover.solidity()?).await?;
    let place = verifier::store(&args.place.model, &artifact)?;
    let compiled = Compiled {
        model_id: artifact.model_id,
        verifier: place.display().to_string(),
        verifier_bytes: artifact.deployed_bytecode.len(),
        facts: prover.facts(),
    };
    output.print(&compiled, || {
        format!(
            "model id {}\nverifier {} ({} bytes of code)",
            compiled.model_id, compiled.verifier, compiled.verifier_bytes
        )
    })
}

fn inspect(args: Inspect, output: Output) -> Result<(), CliError> {
    #[derive(Serialize)]
    struct Layer {
        name: String,
        channels: String,
        kernel: usize,
        macs: usize,
    }
    #[derive(Serialize)]
    struct Inspected {
        name: String,
        board: String,
        inputs: usize,
        outputs: usize,
        parameters: usize,
        macs: usize,
        layers: Vec<Layer>,
    }
    if args.model.is_file() || prover::is_net(&args.model) {
        return net::inspect(&args, output);
    }
    let model = Model::load(&args.model).map_err(CliError::model)?;
    let graph = &model.graph;
    let cells = graph.board.cells();
    let layers: Vec<Layer> = graph
        .layers
        .iter()
        .map(|l| Layer {
            name: l.name.clone(),
            channels: format!("{} -> {}", l.in_channels, l.out_channels),
            kernel: l.kernel,
            macs: l.in_channels * l.out_channels * l.kernel * l.kernel * cells,
        })
        .collect();
    let inspected = Inspected {
        name: model.manifest.name.clone(),
        board: format!("{}x{}", graph.board.height, graph.board.width),
        inputs: graph.input.len() * cells,
        outputs: graph.outputs(),
        parameters: graph.layers.iter().map(|l| l.weights.len() + l.out_channels).sum(),
        macs: layers.iter().map(|l| l.macs).sum(),
        layers,
    };
    output.print(&inspected, || {
        let mut text = format!(
            "{}: {} board, {} inputs, {} outputs, {} parameters, {} multiply-accumulates",
            inspected.name, inspected.board, inspected.inputs, inspected.outputs, inspected.parameters, inspected.macs
        );
        for layer in &inspected.layers {
            text.push_str(&format!(
                "\n  {:<24} {:>12}  {}x{}  {:>10}",
                layer.name, layer.channels, layer.kernel, layer.kernel, layer.macs
            ));
        }
        text
    })
}

async fn prove(args: ProveArgs, output: Output) -> Result<(), CliError> {
    let wrong = |why: String| CliError::config(format!("--fen \"{}\": {why}; give a legal chess position", args.fen));
    if prover::is_net(&args.place.model) {
        let file = args.input.clone().ok_or_else(|| {
            CliError::config(format!(
                "{} is no chess model: give its input with --input FILE",
                args.place.model.display()
            ))
        })?;
        let samples = net::read_samples(&file)?;
        let input = prover::encode(&args.place.model, &samples.inputs[0])?;
        return proven(args, input, |index| index.to_string(), output).await;
    }
    let position: Chess = args
        .fen
        .parse::<Fen>()
        .map_err(|e| wrong(e.to_string()))?
        .into_position(CastlingMode::Standard)
        .map_err(|e| wrong(e.to_string()))?;
    let named = |index| {
        chess::move_of_index(&position, index).map_or_else(|| "illegal".to_owned(), |m| chess::san(&position, m))
    };
    let input = chess::pack(&position).to_tensor();
    proven(args, input, named, output).await
}

/// Proves, and writes or prints the proof with the answer in words.
async fn proven(
    args: ProveArgs,
    input: Tensor,
    named: impl Fn(usize) -> String,
    output: Output,
) -> Result<(), CliError> {
    let salt = args.salt.as_deref().map(private::salt).transpose()?;
    let prover = args.place.load().await?;
    let request = args.request.0;
    let (proof, seconds) = tokio::task::spawn_blocking({
        let prover = prover.clone();
        move || {
            let start = Instant::now();
            let say = |phase: &'static str| out::note(phase);
            let proof = match salt {
                Some(salt) => prove_salted_and_check(prover.as_ref(), &input, salt, request, &say),
                None => prove_and_check(prover.as_ref(), &input, request, &say),
            };
            proof.map(|proof| (proof, start.elapsed().as_secs_f64()))
        }
    })
    .await
    .map_err(|e| CliError::model(format!("the proof was not made: {e}")))??;
    let moves = proof.ranking.iter().map(|index| named(*index)).collect();
    let file = ProofFile {
        model_id: prover.model_id().into(),
        moves,
        prove_s: seconds,
        ranking: proof.ranking,
        instances: proof.instances.into_iter().map(B256::from).collect(),
        proof: proof.bytes.into(),
    };
    match args.out {
        None => output.print(&file, || {
            format!("{} in {:.2} s: {}", file.moves.first().map_or("", String::as_str), file.prove_s, file.proof)
        }),
        Some(path) => {
            let text = serde_json::to_string_pretty(&file).map_err(|e| CliError::failed(e.to_string()))?;
            std::fs::write(&path, text + "\n")
                .map_err(|e| CliError::failed(format!("{}: {e}; choose another --out", path.display())))?;
            output.print(&serde_json::json!({ "out": path, "prove_s": file.prove_s, "moves": file.moves }), || {
                format!("{}: ranked {}, proved in {:.2} s", path.display(), file.moves.join(" "), file.prove_s)
            })
        }
    }
}

async fn verify(args: Verify, output: Output) -> Result<(), CliError> {
    let wrong = |why: String| {
        CliError::failed(format!(
            "proof {}: {why}; give a file that `zugzwang model prove` wrote",
            args.proof.display()
        ))
    };
    let text = std::fs::read(&args.proof).map_err(|e| wrong(e.to_string()))?;
    let file: ProofFile = serde_json::from_slice(&text).map_err(|e| wrong(e.to_string()))?;
    let prover = args.place.load().await?;
    if file.model_id.0 != prover.model_id() {
        return Err(wrong(format!("it is of model {}, not {}", file.model_id, B256::from(prover.model_id()))));
    }
    let proof = Proof {
        bytes: file.proof.to_vec(),
        instances: file.instances.iter().map(|word| word.0).collect(),
        ranking: file.ranking,
    };
    if !prover.verify(&proof) {
        return Err(CliError::model(format!(
            "proof {}: it is wrong: it doesn't verify for these instances",
            args.proof.display()
        )));
    }
    let verdict = match (&args.contract, &args.rpc) {
        (Some(contract), Some(rpc)) => Some(onchain::at(rpc, *contract, prover.as_ref(), &proof).await?),
        _ if args.local_chain => Some(onchain::on_local_chain(prover.as_ref(), &proof).await?),
        _ => None,
    };
    if let Some(verdict) = verdict.as_ref().filter(|v| !v.valid) {
        return Err(CliError::model(format!(
            "contract {} does not take the proof, which is right; report this as a bug",
            verdict.contract
        )));
    }
    let report = serde_json::json!({ "valid": true, "model_id": file.model_id, "on_chain": verdict });
    output.print(&report, || {
        let mut text = format!("the proof is right, of model {}", file.model_id);
        if let Some(v) = &verdict {
            text.push_str(&format!("; contract {} ({} bytes of code) takes it", v.contract, v.code_bytes));
            if let Some(gas) = v.gas {
                text.push_str(&format!(", for {gas} gas"));
            }
        }
        text
    })
}
