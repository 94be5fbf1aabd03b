//! One model with its keys: proves, verifies, and writes its verifier contract.

use std::ops::ControlFlow;
use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

use sha2::{Digest, Sha256};

use crate::bounds::Bounds;
use crate::circuit::{CircuitError, Layout, ModelCircuit, Shape, Witness};
use crate::evm::{self, EvmError};
use crate::graph::{Graph, Tensor};
use crate::interpret::{self, InterpretError};
use crate::keys::{KeyError, KeyOrigin};
use crate::model::{Model, binary};
use crate::prove::{self, Answer, ProveError, Step};
pub use crate::proving::request_limbs;
use crate::proving::{Proven, Proving, to_word};
use crate::srs::{Srs, SrsError};

/// Changes with the gates or the layout, so that cached keys of an older circuit are not used.
const CIRCUIT_VERSION: &[u8] = b"zugzwang circuit 1";

/// Why there is no prover, or no proof.
#[derive(Debug, thiserror::Error)]
pub enum ProverError {
    /// The graph can't be laid out in this shape.
    #[error(transparent)]
    Circuit(#[from] CircuitError),
    /// The set-up.
    #[error(transparent)]
    Srs(#[from] SrsError),
    /// The keys.
    #[error(transparent)]
    Keys(#[from] KeyError),
    /// The input.
    #[error(transparent)]
    Input(#[from] InterpretError),
    /// The verifier contract.
    #[error(transparent)]
    Evm(#[from] EvmError),
    /// The proof.
    #[error("the proof could not be made: {0}")]
    Prove(#[from] ProveError),
}

/// Where a proof stands, in order.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Phase {
    /// The integer network runs.
    Inference,
    /// Its integers are committed.
    Witness,
    /// The running columns are computed and committed.
    Challenges,
    /// The quotient is computed and committed.
    Quotient,
    /// The columns are opened.
    Opening,
}

impl Phase {
    /// All phases, in order.
    pub const ALL: [Phase; 5] = [Phase::Inference, Phase::Witness, Phase::Challenges, Phase::Quotient, Phase::Opening];

    /// What people read while they wait.
    pub fn name(self) -> &'static str {
        match self {
            Phase::Inference => "running the network",
            Phase::Witness => "committing to its integers",
            Phase::Challenges => "checking every layer at a random point",
            Phase::Quotient => "dividing out the constraints",
            Phase::Opening => "opening the commitments",
        }
    }
}

/// A proof and what it shows.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Proof {
    /// What the verifier contract reads.
    pub bytes: Vec<u8>,
    /// Public instances, big-endian: request (2), ranking, input limbs.
    pub instances: Vec<[u8; 32]>,
    /// Indices of the listed outputs, best first.
    pub ranking: Vec<usize>,
}

/// Wall-clock seconds of a proof's steps. For people: nothing is decided by them.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Profile {
    /// Running the integer network.
    pub inference: f64,
    /// Putting its integers into columns.
    pub witness: f64,
    /// The proof itself.
    pub steps: prove::Profile,
}

/// A model's circuit, set-up and keys.
#[derive(Debug)]
pub struct Prover {
    graph: Graph,
    layout: Arc<Layout>,
    proving: Proving,
    model_id: [u8; 32],
}

impl Prover {
    /// Loads or generates the keys of `model` in `shape`, under `cache_dir`.
    ///
    /// # Errors
    /// Fails if the graph doesn't fit the shape, or set-up or keys can't be read or written.
    pub fn new(model: &Model, shape: Shape, cache_dir: &Path) -> Result<Self, ProverError> {
        Self::of(model, shape, Srs::load(shape.k, cache_dir)?, cache_dir)
    }

    /// The same with a set-up of the caller's choice.
    ///
    /// # Errors
    /// As [`Prover::new`].
    pub fn of(model: &Model, shape: Shape, srs: Srs, cache_dir: &Path) -> Result<Self, ProverError> {
        let mut prover = Self::with_srs(model.graph.clone(), &model.bounds, shape, srs, cache_dir)?;
        prover.model_id = model.id(prover.vk_digest());
        Ok(prover)
    }

    /// The same for a graph without a manifest and a set-up of the caller's choice; its model id is
    /// the verifying key's digest.
    ///
    /// # Errors
    /// As [`Prover::new`].
    pub fn with_srs(
        graph: Graph,
        bounds: &Bounds,
        shape: Shape,
        srs: Srs,
        cache_dir: &Path,
    ) -> Result<Self, ProverError> {
        let quotients: Vec<(i64, i64)> = bounds.layers.iter().map(|l| (l.q_min, l.q_max)).collect();
        let layout = Arc::new(Layout::new(&graph, &quotients, shape)?);
        let circuit = ModelCircuit { layout: layout.clone(), witness: None, with_fixed: true };
        let digest = circuit_digest(&graph, shape);
        let fixed = circuit.fixed_columns();
        let proving = Proving::new(srs, &circuit, &fixed, layout.instances(), &digest, cache_dir)?;
        drop(fixed);
        Ok(Self { graph, layout, model_id: proving.vk_digest(), proving })
    }

    /// Runs the model on `input` and proves its ranking, bound to `request` (a 256-bit hash).
    /// `on_phase` is called as each phase begins. The proof is not verified here.
    ///
    /// # Errors
    /// Fails if the input is not of the model's form, or `on_phase` stops it.
    pub fn prove<A: Answer>(
        &self,
        input: &Tensor,
        request: [u8; 32],
        on_phase: &dyn Fn(Phase) -> A,
    ) -> Result<Proof, ProverError> {
        self.profiled(input, request, on_phase).map(|(proof, _)| proof)
    }

    /// As [`Prover::prove`]; also says how long each step took.
    ///
    /// # Errors
    /// As [`Prover::prove`].
    pub fn profiled<A: Answer>(
        &self,
        input: &Tensor,
        request: [u8; 32],
        on_phase: &dyn Fn(Phase) -> A,
    ) -> Result<(Proof, Profile), ProverError> {
        prove::heard(&on_phase(Phase::Inference))?;
        let clock = Instant::now();
        let trace = interpret::run(&self.graph, input)?;
        let inference = clock.elapsed().as_secs_f64();
        prove::heard(&on_phase(Phase::Witness))?;
        let clock = Instant::now();
        let witness = Witness::new(&self.layout, &self.graph, &trace, request_limbs(&request))?;
        let placing = clock.elapsed().as_secs_f64();
        let ranking = trace.ranking.iter().map(|(i, _)| *i).collect();
        let (proof, steps) = self.made(witness, ranking, on_phase)?;
        Ok((proof, Profile { inference, witness: placing, steps }))
    }

    /// All public instances of a right proof for this input and request, and the ranking, without proving.
    ///
    /// # Errors
    /// Fails if the input is not of the model's form.
    pub fn expected(&self, input: &Tensor, request: [u8; 32]) -> Result<(Vec<[u8; 32]>, Vec<usize>), ProverError> {
        let trace = interpret::run(&self.graph, input)?;
        let witness = Witness::new(&self.layout, &self.graph, &trace, request_limbs(&request))?;
        Ok((witness.instances.iter().map(to_word).collect(), trace.ranking.iter().map(|(i, _)| *i).collect()))
    }

    /// Proves any witness, honest or not: a wrong one gives a proof too, which then does not verify.
    ///
    /// # Errors
    /// Only if the witness is not of the circuit's form.
    pub fn prove_witness<A: Answer>(
        &self,
        witness: Witness,
        ranking: Vec<usize>,
        on_phase: &dyn Fn(Phase) -> A,
    ) -> Result<Proof, ProverError> {
        self.made(witness, ranking, on_phase).map(|(proof, _)| proof)
    }

    fn made<A: Answer>(
        &self,
        witness: Witness,
        ranking: Vec<usize>,
        on_phase: &dyn Fn(Phase) -> A,
    ) -> Result<(Proof, prove::Profile), ProverError> {
        let on_step = |step| {
            let phase = match step {
                Step::Columns(0) => return ControlFlow::Continue(()),
                Step::Columns(_) => Phase::Challenges,
                Step::Quotient => Phase::Quotient,
                Step::Opening => Phase::Opening,
            };
            if on_phase(phase).goes_on() { ControlFlow::Continue(()) } else { ControlFlow::Break(()) }
        };
        let public = witness.instances.clone();
        let circuit = ModelCircuit { layout: self.layout.clone(), witness: Some(Arc::new(witness)), with_fixed: false };
        let Proven { bytes, instances, profile } = self.proving.prove(&public, &circuit, &on_step)?;
        Ok((Proof { bytes, instances, ranking }, profile))
    }

    /// Whether a proof is right for the instances that it names.
    pub fn verify(&self, proof: &Proof) -> bool {
        self.proving.verify(&proof.bytes, &proof.instances)
    }

    /// Solidity source of the contract that accepts these proofs.
    ///
    /// # Errors
    /// Fails if `name` is no contract name.
    pub fn solidity(&self, name: &str) -> Result<String, ProverError> {
        Ok(self.proving.solidity(self.model_id, name, None)?)
    }

    /// Size of proof and number of commitments.
    ///
    /// # Errors
    /// As [`Prover::solidity`].
    pub fn evm_shape(&self) -> Result<evm::Shape, ProverError> {
        Ok(self.proving.evm_shape()?)
    }

    /// What contracts pin: see [`crate::model::model_id`].
    pub fn model_id(&self) -> [u8; 32] {
        self.model_id
    }

    /// Digest of the verifying key, big-endian.
    pub fn vk_digest(&self) -> [u8; 32] {
        self.proving.vk_digest()
    }

    /// The integer graph.
    pub fn graph(&self) -> &Graph {
        &self.graph
    }

    /// The table.
    pub fn layout(&self) -> &Layout {
        &self.layout
    }

    /// Whether the keys were read or generated.
    pub fn key_origin(&self) -> &KeyOrigin {
        &self.proving.key_origin
    }

    /// Bytes of memory that the key takes, without the set-up.
    pub fn key_bytes(&self) -> usize {
        self.proving.key_bytes()
    }

    /// How long it took to read or generate the keys.
    pub fn keygen_time(&self) -> Duration {
        self.proving.keygen
    }

    /// Name of the keys' cache file.
    pub fn key_id(&self) -> [u8; 32] {
        self.proving.key_id
    }
}

/// Everything that key generation reads.
fn circuit_digest(graph: &Graph, shape: Shape) -> [u8; 32] {
    let mut hash = Sha256::new();
    hash.update(CIRCUIT_VERSION);
    hash.update((shape.lanes as u64).to_be_bytes());
    hash.update((shape.kernels_per_row as u64).to_be_bytes());
    hash.update(shape.k.to_be_bytes());
    hash.update(binary::encode(graph));
    hash.finalize().into()
}
