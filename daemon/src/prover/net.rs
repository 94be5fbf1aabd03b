//! Any compiled net with its keys: loaded, and proven.

use std::path::{Path, PathBuf};

use zugzwang_circuits::{
    graph::Tensor,
    keys::{KeyOrigin, key_path},
    net::{
        self, Goal, NetProver, NetProverError, Privacy, Weights,
        circuit::Shape,
        compile::{Options, Real, compile},
        link::random_seed,
        package::{MANIFEST, Package},
    },
    poseidon::{Salt, random_salt},
    prove::{self, Step},
};

use super::{
    Expected, Facts, Noise, Phase, Proof, Prove, ProveError,
    circuit::answer,
    circuit::proof_memory,
    compile::{compile_for, made_up, read},
    make_folder, said, set_up,
};
use crate::{chain::error::one_line, config::ModelConfig};

/// A net's prover with what benchmarks want to know of it.
#[derive(Debug)]
struct NetCircuitProver {
    name: String,
    prover: NetProver,
    inputs: Vec<Real>,
    cache: PathBuf,
}

/// Whether a folder holds a compiled net.
pub fn is_net(dir: &Path) -> bool {
    dir.join(MANIFEST).is_file()
}

/// Loads a compiled net and its keys, which are made if they aren't cached.
pub(super) fn load_net(config: &ModelConfig, say: &dyn Fn(&str)) -> Result<std::sync::Arc<dyn Prove>, ProveError> {
    let (package, prover) = load_package(config, say)?;
    let name = package.manifest.name.clone();
    let seconds = prover.keygen_time().as_secs_f64();
    match prover.key_origin() {
        KeyOrigin::Cached => say(&format!("model {name}: keys read in {seconds:.1} s")),
        KeyOrigin::Generated => say(&format!("model {name}: keys made in {seconds:.1} s")),
        KeyOrigin::Replaced(why) => {
            say(&format!("model {name}: keys made anew in {seconds:.1} s, because {}", one_line(&why.to_string())))
        }
    }
    let inputs = package.manifest.inputs;
    Ok(std::sync::Arc::new(NetCircuitProver { name, prover, inputs, cache: config.cache.clone() }))
}

/// A compiled net's name, and the height and the columns of its table.
pub(super) fn table(config: &ModelConfig) -> Result<(String, u32, usize), ProveError> {
    let package = Package::load(&config.dir).map_err(said)?;
    let shape = match config.shape.as_str() {
        "" => package.manifest.circuit,
        text => parse_shape(text)?,
    };
    let layout = net::circuit::Layout::new(&package.net, &package.bounds, shape).map_err(said)?;
    let (fixed, advice) = layout.columns();
    Ok((package.manifest.name, shape.k, fixed + advice[0] + advice[1]))
}

/// A folder, and its circuit with keys.
fn load_package(config: &ModelConfig, say: &dyn Fn(&str)) -> Result<(Package, NetProver), ProveError> {
    let package = Package::load(&config.dir).map_err(said)?;
    let shape = match config.shape.as_str() {
        "" => package.manifest.circuit,
        text => parse_shape(text)?,
    };
    let name = package.manifest.name.clone();
    make_folder(&config.cache)?;
    say(&format!("model {name}: loading the trusted set-up and the keys for {shape}"));
    let srs = set_up(config, shape.k, &config.cache, say)?;
    let prover = NetProver::of(&package, shape, srs, &config.cache).map_err(said)?;
    Ok((package, prover))
}

/// Compiles any ONNX file on made-up inputs and makes keys for it: good for costs, not for answers.
pub(super) fn load_onnx(
    config: &ModelConfig,
    keys: &Path,
    goal: Goal,
    options: &Options,
    privacy: Privacy,
    say: &dyn Fn(&str),
) -> Result<std::sync::Arc<dyn Prove>, ProveError> {
    let (name, float) = read(&config.dir)?;
    say(&format!("model {name}: compiling {} nodes on made-up inputs", float.nodes.len()));
    let (compiled, shape) = match config.shape.as_str() {
        "" => {
            let largest = config.srs.largest().map_err(said)?;
            let (compiled, chosen, _) = compile_for(&float, &made_up(&float).inputs, options, privacy, goal, largest)?;
            (compiled, chosen.shape)
        }
        text => {
            let options = options.on(config.srs.largest().map_err(said)?);
            let compiled = compile(&float, &made_up(&float).inputs, &options).map_err(said)?;
            (compiled.with(privacy).map_err(said)?, parse_shape(text)?)
        }
    };
    say(&format!("model {name}: making keys for {shape}"));
    make_folder(keys)?;
    let srs = set_up(config, shape.k, keys, say)?;
    // Nobody else is to trust these commitments: they are made to be measured.
    let weights = if privacy.model.is_private() { Weights::Private(random_seed()) } else { Weights::Public };
    let prover = NetProver::with(compiled.net, weights, shape, srs, keys).map_err(said)?;
    Ok(std::sync::Arc::new(NetCircuitProver { name, prover, inputs: compiled.inputs, cache: keys.to_owned() }))
}

/// The commitment that is public in place of a private input.
pub fn commit(dir: &Path, input: &Tensor, salt: Salt) -> Result<[u8; 32], ProveError> {
    let package = Package::load(dir).map_err(said)?;
    if !package.net.privacy.input.is_private() {
        return Err(ProveError::Circuit("the model's input is public: there is nothing to commit to".into()));
    }
    package.commit(&split(&package.net, input)?, salt).map_err(said)
}

/// Writes what others need to verify a private model's proofs; the model's id and the commitment to its weights.
pub fn publish(config: &ModelConfig, out: &Path, say: &dyn Fn(&str)) -> Result<[[u8; 32]; 2], ProveError> {
    let (package, prover) = load_package(config, say)?;
    let public = || ProveError::Circuit("the model is public: give its folder away as it is".into());
    let registered = prover.registered().ok_or_else(public)?;
    package.publish(out, prover.layout().shape, registered).map_err(said)?;
    Ok([prover.model_id(), registered.commitment])
}

/// Reads `KERNELS,K`, such as `8,14`.
fn parse_shape(text: &str) -> Result<Shape, ProveError> {
    let numbers: Vec<usize> = text.split(',').filter_map(|part| part.trim().parse().ok()).collect();
    match (&numbers[..], text.split(',').count()) {
        ([kernels, k], 2) if *k <= 28 && *kernels > 0 => Ok(Shape { kernels: *kernels, k: *k as u32 }),
        _ => Err(ProveError::Circuit(format!("shape \"{text}\" is none; write KERNELS,K such as 8,14"))),
    }
}

/// The integers of real inputs, as one tensor.
pub fn encode(dir: &Path, sample: &[Vec<f32>]) -> Result<Tensor, ProveError> {
    let package = Package::load(dir).map_err(said)?;
    let lengths = package.net.inputs.iter().map(|i| i.len);
    if !sample.iter().map(Vec::len).eq(lengths.clone()) {
        let (got, want) = (sample.iter().map(Vec::len).collect::<Vec<_>>(), lengths.collect::<Vec<_>>());
        return Err(ProveError::Circuit(format!("the input has {got:?} numbers, the model reads {want:?}")));
    }
    let reals = sample.iter().zip(&package.manifest.inputs);
    let values: Vec<i64> = reals.flat_map(|(values, real)| values.iter().map(|v| real.encode(f64::from(*v)))).collect();
    Ok(Tensor { cells: values.len(), values })
}

/// How many numbers of how many bits each input and each output of a compiled net has, as contracts are told.
pub fn schema(dir: &Path) -> Result<[Vec<(u32, u8)>; 2], ProveError> {
    let Package { net, .. } = Package::load(dir).map_err(said)?;
    let entry = |len: usize, bits: u32| (len as u32, bits as u8);
    let inputs = net.inputs.iter().map(|input| entry(input.len, input.bits)).collect();
    let outputs = net.outputs.iter().map(|output| entry(net.len(output.tensor), output.bits)).collect();
    Ok([inputs, outputs])
}

/// An input's integers, tensor by tensor.
fn split(net: &net::Net, input: &Tensor) -> Result<Vec<Vec<i64>>, ProveError> {
    let inputs = &net.inputs;
    if input.values.len() != inputs.iter().map(|i| i.len).sum::<usize>() {
        return Err(ProveError::Circuit("the input is not of this model's length".into()));
    }
    let mut rest = &input.values[..];
    let mut take = |len: usize| {
        let (head, tail) = rest.split_at(len.min(rest.len()));
        rest = tail;
        head.to_vec()
    };
    Ok(inputs.iter().map(|i| take(i.len)).collect())
}

impl NetCircuitProver {
    fn salt(&self) -> Option<Salt> {
        self.prover.net().privacy.input.is_private().then(random_salt)
    }

    fn answer(
        &self,
        input: &Tensor,
        salt: Option<Salt>,
        request: [u8; 32],
        goes_on: &dyn Fn(Phase) -> bool,
    ) -> Result<Proof, ProveError> {
        if !goes_on("running the network") {
            return Err(ProveError::Stopped);
        }
        let on_step = |step| {
            answer(goes_on(match step {
                Step::Columns(0) => "committing to its integers",
                Step::Columns(_) => "checking every layer at a random point",
                Step::Quotient => "dividing out the constraints",
                Step::Opening => "opening the commitments",
            }))
        };
        let inputs = split(self.prover.net(), input)?;
        let (proof, trace, _) = match self.prover.prove_salted(&inputs, salt, request, &on_step) {
            Err(NetProverError::Prove(prove::ProveError::Stopped)) => return Err(ProveError::Stopped),
            made => made.map_err(said)?,
        };
        Ok(Proof { bytes: proof.bytes, instances: proof.instances, ranking: self.ranking(&trace) })
    }

    /// The best outputs of the first output tensor.
    fn ranking(&self, trace: &net::interpret::Trace) -> Vec<usize> {
        let output = self.prover.net().outputs.first().map(|o| &trace.tensors[o.tensor]);
        let mut ranking: Vec<usize> = (0..output.map_or(0, Vec::len)).collect();
        ranking.sort_by_key(|i| (std::cmp::Reverse(output.map_or(0, |o| o[*i])), *i));
        ranking.truncate(16);
        ranking
    }
}

/// A listener that stops nothing.
fn always(on_phase: &dyn Fn(Phase)) -> impl Fn(Phase) -> bool + '_ {
    move |phase| {
        on_phase(phase);
        true
    }
}

impl Prove for NetCircuitProver {
    fn prove(&self, input: &Tensor, request: [u8; 32], on_phase: &dyn Fn(Phase)) -> Result<Proof, ProveError> {
        self.answer(input, self.salt(), request, &always(on_phase))
    }

    fn prove_while(
        &self,
        input: &Tensor,
        request: [u8; 32],
        goes_on: &dyn Fn(Phase) -> bool,
    ) -> Result<Proof, ProveError> {
        self.answer(input, self.salt(), request, goes_on)
    }

    fn expected(&self, input: &Tensor, request: [u8; 32]) -> Result<Expected, ProveError> {
        let inputs = split(self.prover.net(), input)?;
        let (instances, trace) = self.prover.expected(&inputs, request).map_err(said)?;
        Ok(Expected { instances, ranking: self.ranking(&trace) })
    }

    fn prove_salted(
        &self,
        input: &Tensor,
        salt: Salt,
        request: [u8; 32],
        on_phase: &dyn Fn(Phase),
    ) -> Result<Proof, ProveError> {
        self.answer(input, Some(salt), request, &always(on_phase))
    }

    fn profile(&self, input: &Tensor, request: [u8; 32]) -> Result<Vec<(&'static str, f64)>, ProveError> {
        let inputs = split(self.prover.net(), input)?;
        let (_, _, p) = self.prover.prove_salted(&inputs, self.salt(), request, &|_| ()).map_err(said)?;
        Ok(super::steps(&p))
    }

    fn unpack(&self, limbs: &[[u8; 32]]) -> Result<Tensor, ProveError> {
        if self.prover.net().privacy.input.is_private() {
            return Err(ProveError::Circuit("the model's input is private: limbs say nothing about it".into()));
        }
        let values = self.prover.net().unpack(limbs).map_err(said)?.concat();
        Ok(Tensor { cells: values.len(), values })
    }

    fn infer(&self, input: &Tensor) -> Result<Vec<Vec<i64>>, ProveError> {
        let net = self.prover.net();
        let trace = net::interpret::run(net, &split(net, input)?).map_err(said)?;
        Ok(net.outputs.iter().map(|output| trace.tensors[output.tensor].clone()).collect())
    }

    fn verify(&self, proof: &Proof) -> bool {
        let Proof { bytes, instances, .. } = proof.clone();
        self.prover.verify(&net::NetProof { bytes, instances })
    }

    fn model_id(&self) -> [u8; 32] {
        self.prover.model_id()
    }

    fn solidity(&self) -> Result<String, ProveError> {
        self.prover.solidity("Verifier").map_err(said)
    }

    fn facts(&self) -> Facts {
        let layout = self.prover.layout();
        let (fixed, advice) = layout.columns();
        let keys = key_path(&self.cache, &self.prover.key_id());
        Facts {
            model: self.name.clone(),
            shape: layout.shape.to_string(),
            k: layout.shape.k,
            rows: layout.end + 1,
            columns: fixed + advice[0] + advice[1] + 1,
            keygen_s: self.prover.keygen_time().as_secs_f64(),
            pk_bytes: std::fs::metadata(keys).map_or(0, |m| m.len()),
            key_memory_bytes: self.prover.key_bytes() as u64,
            proof_memory_bytes: proof_memory(layout.shape.k, fixed + advice[0] + advice[1], self.prover.key_bytes()),
            instances: layout.instances(),
            gas: net::gas_of(layout) as u64,
            macs: self.prover.net().macs() as u64,
            is_chess: false,
            elo: None,
        }
    }

    fn example(&self, seed: u64) -> Tensor {
        let mut noise = Noise(seed.wrapping_add(1));
        let bits = self.inputs.iter().zip(&self.prover.net().inputs).flat_map(|(r, i)| vec![r.bits; i.len]);
        let values: Vec<i64> = bits.map(|bits| (noise.next() & ((1 << bits) - 1)) as i64).collect();
        Tensor { cells: values.len(), values }
    }
}
