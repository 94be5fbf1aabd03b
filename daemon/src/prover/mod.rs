//! Proofs: a model with its keys, and workshops that make proofs without holding up the rest.

mod circuit;
mod compile;
mod figures;
mod memory;
mod models;
mod net;
mod pool;
pub mod verifier;
mod workshop;

use std::{fmt, path::Path, sync::Arc};

use serde::Serialize;
use zugzwang_circuits::graph::Tensor;

pub use circuit::quantise;
use circuit::{Noise, make_folder, said, set_up, steps};
pub use compile::{Inspected, Predicted, Samples, compile_net, compile_private, inspect_folder, inspect_net};
pub use memory::Memory;
pub use models::Models;
pub use net::{commit, encode, is_net, publish, schema};
pub use pool::Pool;
pub use workshop::{Made, Making, Order, Place, Progress, Tell, Ticket, Workshop};
pub use zugzwang_circuits::net::{
    Goal, Privacy, Visibility,
    compile::{Options, Rounding, Share},
};
pub use zugzwang_circuits::poseidon::{Salt, random_salt, salt_bytes, salt_from_bytes};
pub use zugzwang_circuits::srs::Source;

use crate::config::{ModelConfig, ProverConfig};

/// Loads a model's folder, chess or any net, and its keys, which are made if they aren't cached. `say` is told what takes
/// time.
pub fn load(config: &ModelConfig, say: &dyn Fn(&str)) -> Result<Arc<dyn Prove>, ProveError> {
    if is_net(&config.dir) { net::load_net(config, say) } else { circuit::load(config, say) }
}

/// Makes sure that there is the memory for a model's keys and a proof, before they are loaded or made.
///
/// # Errors
/// [`ProveError::TooLarge`] with the numbers, if there isn't.
pub fn check_memory(model: &ModelConfig, prover: &ProverConfig) -> Result<(), ProveError> {
    let Some(limit) = prover.memory.or_else(memory::available) else { return Ok(()) };
    let (name, k, columns) = if is_net(&model.dir) { net::table(model)? } else { circuit::table(model)? };
    let needs = zugzwang_circuits::net::memory_mib(k, columns);
    if needs * f64::from(1u32 << 20) <= limit as f64 {
        return Ok(());
    }
    Err(ProveError::TooLarge { model: name, needs: needs.ceil() as u64, limit: limit >> 20 })
}

/// Loads a model and makes its keys in a folder of their own, to measure that.
pub fn load_anew(config: &ModelConfig, keys: &Path, say: &dyn Fn(&str)) -> Result<Arc<dyn Prove>, ProveError> {
    load(&ModelConfig { cache: keys.to_owned(), ..config.clone() }, say)
}

/// Compiles an ONNX file on made-up inputs and makes keys for it, to measure its costs: chess networks for their own
/// circuit, others for the general one.
pub fn load_onnx(
    config: &ModelConfig,
    keys: &Path,
    goal: Goal,
    options: &Options,
    privacy: Privacy,
    say: &dyn Fn(&str),
) -> Result<Arc<dyn Prove>, ProveError> {
    let general = || net::load_onnx(config, keys, goal, options, privacy, say);
    if privacy != Privacy::default() {
        return general();
    }
    circuit::load_board(config, keys, goal, say).unwrap_or_else(general)
}

/// Where a proof stands. The names are what people read while they wait.
pub type Phase = &'static str;

/// A proof with what it shows.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Proof {
    /// What the verifier reads.
    pub bytes: Vec<u8>,
    /// Public instances, big-endian: request, ranking, input.
    pub instances: Vec<[u8; 32]>,
    /// Indices of the best outputs, best first.
    pub ranking: Vec<usize>,
}

/// Why there is no proof.
#[derive(Debug, thiserror::Error)]
pub enum ProveError {
    /// The circuit crate's words, one line.
    #[error("{0}")]
    Circuit(String),
    /// The proof that was made does not verify.
    #[error(
        "prover: the proof that was made doesn't verify; the keys in model.cache may be damaged: delete them and start again"
    )]
    DoesNotVerify,
    /// The proof is about something else than was asked.
    #[error("prover: the proof is about another request than was asked; report this as a bug")]
    OtherRequest,
    /// The verifier contract can't be had.
    #[error("verifier contract: {0}")]
    Verifier(String),
    /// Proving panicked.
    #[error("prover: it stopped unexpectedly: {0}; report this as a bug")]
    Panicked(String),
    /// It was cancelled, and ended between two of its phases.
    #[error("prover: the proof was stopped because nobody wants it any more")]
    Stopped,
    /// It took too long, and ended between two of its phases.
    #[error(
        "prover: the proof was not done within prover.budget_s = {seconds}; raise it, give the machine more cores or choose a smaller model"
    )]
    OverBudget {
        /// Seconds that it had.
        seconds: f64,
    },
    /// It took too long and can't be stopped.
    #[error(
        "prover: the proof doesn't end after {seconds} s and can't be stopped; its place is given to others, its memory is not: restart the daemon when it suits, and raise prover.budget_s if the machine is only slow"
    )]
    RunsAway {
        /// Seconds that it had.
        seconds: f64,
    },
    /// A proof that takes more memory than there is for all.
    #[error(
        "model {model}: a proof takes {} MiB, prover.memory_mb leaves {} MiB for proofs; raise it or choose a smaller model",
        needs.div_ceil(1 << 20), limit >> 20
    )]
    Memory {
        /// The model.
        model: String,
        /// Bytes that a proof takes.
        needs: u64,
        /// Bytes that there are.
        limit: u64,
    },
    /// A worker of the fleet reports that it has no proof.
    #[error("worker {worker}: {why}")]
    Worker {
        /// The worker.
        worker: String,
        /// Its words.
        why: String,
    },
    /// Workers of the fleet sent nothing but wrong proofs.
    #[error(
        "fleet: {wrong} wrong proofs of one question, the last from worker {worker}; look at its machine, and at who may join the fleet"
    )]
    Wrong {
        /// The last one.
        worker: String,
        /// How many.
        wrong: usize,
    },
    /// A model that is too large for this machine, found before its keys are loaded or made.
    #[error(
        "model {model}: with its keys a proof is predicted to take {needs} MiB, and there are {limit} MiB; raise prover.memory_mb (0 takes what the machine or its control group has), or choose a smaller table or model"
    )]
    TooLarge {
        /// The model.
        model: String,
        /// MiB that it takes.
        needs: u64,
        /// MiB that there are.
        limit: u64,
    },
    /// The configured models never fit.
    #[error(
        "model {model}: a proof takes {proof} MiB, the keys of all models and the process {keys} MiB, and there are {limit} MiB; raise prover.memory_mb (0 takes what the machine or its control group has), name fewer models or choose a smaller table"
    )]
    NeverFits {
        /// The model.
        model: String,
        /// MiB of one proof.
        proof: u64,
        /// MiB of all keys and the process.
        keys: u64,
        /// MiB that there are.
        limit: u64,
    },
}

crate::code::codes!(ProveError { Circuit = 501, DoesNotVerify = 502, OtherRequest = 503, Verifier = 504, Panicked = 505, Stopped = 506, RunsAway = 507, Memory = 508, NeverFits = 509, OverBudget = 510, TooLarge = 512, Worker = 711, Wrong = 712 });

/// Something that proves: a model's keys, or a stand-in in tests.
pub trait Prove: Send + Sync + fmt::Debug {
    /// Runs the model on an input and proves the ranking, bound to a request. A private input is committed to with a salt that
    /// is forgotten: nobody can show later what the commitment is to.
    fn prove(&self, input: &Tensor, request: [u8; 32], on_phase: &dyn Fn(Phase)) -> Result<Proof, ProveError>;

    /// The same; as each phase begins, `goes_on` is asked whether the proof is still wanted. Where nobody can stop it, it ends
    /// as if it were.
    ///
    /// # Errors
    /// [`ProveError::Stopped`] if it isn't.
    fn prove_while(
        &self,
        input: &Tensor,
        request: [u8; 32],
        goes_on: &dyn Fn(Phase) -> bool,
    ) -> Result<Proof, ProveError> {
        self.prove(input, request, &|phase| {
            goes_on(phase);
        })
    }

    /// What a right proof for this input and request shows, without proving: with it a proof of somebody else's making is
    /// checked.
    fn expected(&self, _input: &Tensor, _request: [u8; 32]) -> Result<Expected, ProveError> {
        Err(ProveError::Circuit("the model can't be run here, so nobody else's proofs of it can be checked".into()))
    }

    /// The same for a private input, committed to with `salt`.
    fn prove_salted(
        &self,
        _input: &Tensor,
        _salt: Salt,
        _request: [u8; 32],
        _on_phase: &dyn Fn(Phase),
    ) -> Result<Proof, ProveError> {
        Err(ProveError::Circuit("the model's input is public: leave --salt out".into()))
    }

    /// The input that public limbs stand for. A contract that asks packs its inputs in such limbs.
    fn unpack(&self, _limbs: &[[u8; 32]]) -> Result<Tensor, ProveError> {
        Err(ProveError::Circuit("the model's input is a chess board: only an arena asks it".into()))
    }

    /// Runs the model and proves nothing: the integers of each output, in order.
    fn infer(&self, _input: &Tensor) -> Result<Vec<Vec<i64>>, ProveError> {
        Err(ProveError::Circuit("only general nets are run without a proof".into()))
    }

    /// Makes a proof and says how many seconds each of its steps took. Empty where nobody measures.
    fn profile(&self, _input: &Tensor, _request: [u8; 32]) -> Result<Vec<(&'static str, f64)>, ProveError> {
        Ok(vec![])
    }

    /// Whether a proof is right.
    fn verify(&self, proof: &Proof) -> bool;

    /// The model's commitment.
    fn model_id(&self) -> [u8; 32];

    /// Source of the contract that accepts these proofs.
    fn solidity(&self) -> Result<String, ProveError>;

    /// Sizes, for people and benchmarks.
    fn facts(&self) -> Facts;

    /// An input that the model takes, the same for the same seed.
    fn example(&self, seed: u64) -> Tensor;
}

/// What a right proof shows.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Expected {
    /// Its instances; `None` stands for the commitment to a private input, which is another one each time.
    pub instances: Vec<Option<[u8; 32]>>,
    /// Indices of the best outputs, best first.
    pub ranking: Vec<usize>,
}

impl Expected {
    /// Whether a proof's instances are these.
    pub fn is_shown_by(&self, instances: &[[u8; 32]]) -> bool {
        self.instances.len() == instances.len()
            && self.instances.iter().zip(instances).all(|(want, got)| want.is_none_or(|want| want == *got))
    }
}

/// What a model's circuit is like.
#[derive(Clone, Debug, Default, Serialize)]
pub struct Facts {
    /// The model's name.
    pub model: String,
    /// Shape of the circuit.
    pub shape: String,
    /// The table has 2^k rows.
    pub k: u32,
    /// Rows in use.
    pub rows: usize,
    /// Columns: advice, fixed and instance.
    pub columns: usize,
    /// Seconds that key generation took; 0 if the keys were cached.
    pub keygen_s: f64,
    /// Bytes of the cached key on disk.
    pub pk_bytes: u64,
    /// Bytes of memory that the key takes, without the set-up.
    pub key_memory_bytes: u64,
    /// Bytes of memory that one proof takes on top of that, predicted.
    pub proof_memory_bytes: u64,
    /// Public instances.
    pub instances: usize,
    /// Gas of a transaction that verifies a proof, predicted or measured; 0 if nobody knows.
    pub gas: u64,
    /// Multiply-accumulates of one run.
    pub macs: u64,
    /// Whether it plays chess.
    pub is_chess: bool,
    /// Its measured strength, for chess.
    pub elo: Option<u32>,
}

/// Proves, then makes sure of it: a wrong witness gives a proof too, only not one that verifies.
pub fn prove_and_check(
    prover: &dyn Prove,
    input: &Tensor,
    request: [u8; 32],
    on_phase: &dyn Fn(Phase),
) -> Result<Proof, ProveError> {
    checked(prover, prover.prove(input, request, on_phase)?, request, on_phase)
}

/// The same for a proof that can be stopped as a phase begins.
///
/// # Errors
/// [`ProveError::Stopped`] if `goes_on` says no.
pub fn prove_while_and_check(
    prover: &dyn Prove,
    input: &Tensor,
    request: [u8; 32],
    goes_on: &dyn Fn(Phase) -> bool,
) -> Result<Proof, ProveError> {
    let proof = prover.prove_while(input, request, goes_on)?;
    checked(prover, proof, request, &|phase| {
        goes_on(phase);
    })
}

/// The same for a private input.
pub fn prove_salted_and_check(
    prover: &dyn Prove,
    input: &Tensor,
    salt: Salt,
    request: [u8; 32],
    on_phase: &dyn Fn(Phase),
) -> Result<Proof, ProveError> {
    checked(prover, prover.prove_salted(input, salt, request, on_phase)?, request, on_phase)
}

fn checked(prover: &dyn Prove, proof: Proof, request: [u8; 32], on_phase: &dyn Fn(Phase)) -> Result<Proof, ProveError> {
    on_phase("verifying");
    let mut limbs = [[0u8; 32]; 2];
    limbs[0][16..].copy_from_slice(&request[..16]);
    limbs[1][16..].copy_from_slice(&request[16..]);
    if proof.instances.get(..2) != Some(&limbs[..]) {
        return Err(ProveError::OtherRequest);
    }
    if prover.verify(&proof) { Ok(proof) } else { Err(ProveError::DoesNotVerify) }
}
