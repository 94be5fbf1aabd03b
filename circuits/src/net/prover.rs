//! A net's circuit, set-up and keys in one: proves, verifies, and gives the contract that verifies.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use sha2::{Digest, Sha256};

use super::bounds::{self, Bounds, NetError};
use super::circuit::{Layout, NetCircuit, NetCircuitError, Shape, Witness};
use super::package::Package;
use super::{Net, interpret};
use crate::evm::{self, EvmError};
use crate::keys::{KeyError, KeyOrigin};
use crate::prove::{Profile, ProveError, Step};
use crate::proving::{Proven, Proving, request_limbs};
use crate::srs::Srs;

/// Changes with every change of gates or layout, so that cached keys are made anew.
const NET_VERSION: &[u8] = b"zugzwang net circuit 1";

/// Why there is no prover or no proof.
#[derive(Debug, thiserror::Error)]
pub enum NetProverError {
    /// The net or its input.
    #[error(transparent)]
    Net(#[from] NetError),
    /// The layout or the witness.
    #[error(transparent)]
    Circuit(#[from] NetCircuitError),
    /// The keys.
    #[error(transparent)]
    Keys(#[from] KeyError),
    /// The proof.
    #[error("the proof can't be made: {0}; report this as a bug")]
    Prove(#[from] ProveError),
    /// The verifier contract.
    #[error(transparent)]
    Evm(#[from] EvmError),
}

/// A proof and what it shows.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NetProof {
    /// What the verifier contract reads.
    pub bytes: Vec<u8>,
    /// Public instances, big-endian: request (2), input limbs, output limbs.
    pub instances: Vec<[u8; 32]>,
}

/// A net's circuit, set-up and keys.
#[derive(Debug)]
pub struct NetProver {
    net: Net,
    bounds: Bounds,
    layout: Arc<Layout>,
    proving: Proving,
    model_id: [u8; 32],
}

impl NetProver {
    /// Lays `net` out and loads or makes its keys under `cache_dir`.
    ///
    /// # Errors
    /// Fails if the net can't be proven in this shape, or keys can't be read or written.
    pub fn new(net: Net, shape: Shape, srs: Srs, cache_dir: &Path) -> Result<Self, NetProverError> {
        let bounds = bounds::check(&net)?;
        let layout = Arc::new(Layout::new(&net, &bounds, shape)?);
        let circuit = NetCircuit { layout: layout.clone(), witness: None, with_fixed: true };
        let fixed = circuit.fixed_columns();
        let proving = Proving::new(srs, &circuit, &fixed, layout.instances(), &digest(&net, shape), cache_dir)?;
        drop(fixed);
        let model_id = proving.vk_digest();
        Ok(Self { net, bounds, layout, proving, model_id })
    }

    /// The same for a compiled folder, with its model id.
    ///
    /// # Errors
    /// As [`NetProver::new`].
    pub fn of(package: &Package, shape: Shape, srs: Srs, cache_dir: &Path) -> Result<Self, NetProverError> {
        let mut prover = Self::new(package.net.clone(), shape, srs, cache_dir)?;
        prover.model_id = package.id(prover.model_id);
        Ok(prover)
    }

    /// Runs the net on `inputs` and proves its outputs, bound to `request` (a 256-bit hash). Also says how long each step
    /// took. The proof is not verified here.
    ///
    /// # Errors
    /// Fails if an input is not of the net's form.
    pub fn prove(
        &self,
        inputs: &[Vec<i64>],
        request: [u8; 32],
        on_step: &dyn Fn(Step),
    ) -> Result<(NetProof, interpret::Trace, Profile), NetProverError> {
        let trace = interpret::run(&self.net, inputs)?;
        let request = request_limbs(&request);
        let witness = Witness::new(&self.layout, &self.net, &trace, request)?;
        let (proof, profile) = self.prove_witness(witness, on_step)?;
        Ok((proof, trace, profile))
    }

    /// Proves any witness, right or wrong: a wrong one gives a proof too, which then does not verify.
    ///
    /// # Errors
    /// Only if the witness is not of the circuit's form.
    pub fn prove_witness(
        &self,
        witness: Witness,
        on_step: &dyn Fn(Step),
    ) -> Result<(NetProof, Profile), NetProverError> {
        let instances = witness.instances.clone();
        let circuit = NetCircuit { layout: self.layout.clone(), witness: Some(Arc::new(witness)), with_fixed: false };
        let Proven { bytes, instances, profile } = self.proving.prove(&instances, &circuit, on_step)?;
        Ok((NetProof { bytes, instances }, profile))
    }

    /// Whether a proof is right for the instances that it names.
    pub fn verify(&self, proof: &NetProof) -> bool {
        self.proving.verify(&proof.bytes, &proof.instances)
    }

    /// Solidity source of the contract that accepts these proofs.
    ///
    /// # Errors
    /// Fails if `name` is no contract name.
    pub fn solidity(&self, name: &str) -> Result<String, NetProverError> {
        Ok(self.proving.solidity(self.model_id, name)?)
    }

    /// Size of a proof and number of commitments.
    ///
    /// # Errors
    /// Fails if the verifier contract can't be made.
    pub fn evm_shape(&self) -> Result<evm::Shape, NetProverError> {
        Ok(self.proving.evm_shape()?)
    }

    /// What contracts pin: see [`Package::id`]; the verifying key's digest without a package.
    pub fn model_id(&self) -> [u8; 32] {
        self.model_id
    }

    /// The net.
    pub fn net(&self) -> &Net {
        &self.net
    }

    /// Its ranges.
    pub fn bounds(&self) -> &Bounds {
        &self.bounds
    }

    /// The table.
    pub fn layout(&self) -> &Arc<Layout> {
        &self.layout
    }

    /// Whether the keys were read or made.
    pub fn key_origin(&self) -> &KeyOrigin {
        &self.proving.key_origin
    }

    /// Name of the keys' cache file.
    pub fn key_id(&self) -> [u8; 32] {
        self.proving.key_id
    }

    /// How long it took to read or make the keys.
    pub fn keygen_time(&self) -> Duration {
        self.proving.keygen
    }
}

/// Everything that key generation reads.
fn digest(net: &Net, shape: Shape) -> [u8; 32] {
    let mut hash = Sha256::new();
    hash.update(NET_VERSION);
    hash.update((shape.kernels as u64).to_be_bytes());
    hash.update(shape.k.to_be_bytes());
    hash.update(super::binary::encode(net));
    hash.finalize().into()
}
