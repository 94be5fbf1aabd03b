//! A net's circuit, set-up and keys in one: proves, verifies, and gives the contract that verifies.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use halo2_proofs::halo2curves::bn256::{Fr, G1Affine};
use halo2_proofs::halo2curves::ff::Field;
use rand::rngs::OsRng;
use sha2::{Digest, Sha256};

use super::bounds::{self, Bounds, NetError};
use super::circuit::{Layout, NetCircuit, NetCircuitError, Shape, Witness, input_limbs, output_limbs};
use super::link::{self, LINK_BYTES, Registered, Seed};
use super::package::Package;
use super::{Net, interpret};
use crate::evm::transcript::WORD;
use crate::evm::{self, EvmError};
use crate::keys::{KeyError, KeyOrigin};
use crate::poseidon::Salt;
use crate::prove::{Answer, Profile, ProveError, Step};
use crate::proving::{Proven, Proving, request_limbs, to_word};
use crate::srs::Srs;

/// Changes with every change of gates or layout, so that cached keys are made anew.
const NET_VERSION: &[u8] = b"zugzwang net circuit 2";

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
    /// A private model whose weights are not here.
    #[error("the model is private and its weights are not here: proofs are made where it was compiled")]
    NoWeights,
    /// Weights are given in another way than the net says.
    #[error("the net's model is {}, its weights were given as the other", if *private { "private" } else { "public" })]
    Visibility {
        /// Whether the net's model is private.
        private: bool,
    },
    /// The wrong number of registered commitments.
    #[error(
        "{got} registered commitments, the circuit has {want} private columns; choose the shape they were made for"
    )]
    Commitments {
        /// How many there are.
        got: usize,
        /// How many private columns there are.
        want: usize,
    },
}

/// Where a model's weights are.
#[derive(Clone, Debug)]
pub enum Weights {
    /// In the verifying key.
    Public,
    /// In the net, which is the prover's alone; the seed hides their commitments.
    Private(Seed),
    /// Elsewhere: the net has zeros, and these are the commitments. Proofs can be verified, not made.
    Registered(Vec<G1Affine>),
}

/// A proof and what it shows.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NetProof {
    /// What the verifier contract reads.
    pub bytes: Vec<u8>,
    /// Public instances, big-endian: request (2), input limbs or the commitment to them, output limbs.
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
    /// A private model's id without its weights.
    architecture_id: [u8; 32],
    registered: Option<Registered>,
    /// Blinding rows of the registered columns; none where the weights aren't.
    kept: Option<Vec<[Fr; 2]>>,
}

/// The public instances that a right proof must have; `None` where a commitment stands that each proof makes anew.
pub(super) type Expected = Vec<Option<[u8; 32]>>;

impl NetProver {
    /// Lays `net` out and loads or makes its keys under `cache_dir`.
    ///
    /// # Errors
    /// Fails if the net can't be proven in this shape, its model is private, or keys can't be read or written.
    pub fn new(net: Net, shape: Shape, srs: Srs, cache_dir: &Path) -> Result<Self, NetProverError> {
        Self::with(net, Weights::Public, shape, srs, cache_dir)
    }

    /// The same for a net whose weights may be private.
    ///
    /// # Errors
    /// As [`NetProver::new`]; fails if `weights` are not as the net says.
    pub fn with(net: Net, weights: Weights, shape: Shape, srs: Srs, cache_dir: &Path) -> Result<Self, NetProverError> {
        let private = net.privacy.model.is_private();
        if private == matches!(weights, Weights::Public) {
            return Err(NetProverError::Visibility { private });
        }
        let elsewhere = matches!(weights, Weights::Registered(_));
        let bounds = if elsewhere { bounds::declared(&net)? } else { bounds::check(&net)? };
        let layout = Arc::new(Layout::new(&net, &bounds, shape)?);
        let circuit = NetCircuit { layout: layout.clone(), witness: None, with_fixed: true };
        let fixed = circuit.fixed_columns();
        let proving = Proving::new(srs, &circuit, &fixed, layout.instances(), &digest(&net, shape), cache_dir)?;
        drop(fixed);
        let (points, kept) = match weights {
            Weights::Public => (None, None),
            Weights::Private(seed) => {
                let kept = link::blinding(&seed, layout.secret_columns());
                let columns = layout.blinded(&kept).into_iter().map(|c| proving.points().of_column(c));
                (Some(columns.collect()), Some(kept))
            }
            Weights::Registered(points) => (Some(points), None),
        };
        let registered = points.map(|points| registered(points, &layout, &proving)).transpose()?;
        let architecture_id = proving.vk_digest();
        let model_id = registered.as_ref().map_or(architecture_id, |r| r.model_id(architecture_id));
        Ok(Self { net, bounds, layout, proving, model_id, architecture_id, registered, kept })
    }

    /// The same for a compiled folder, with its model id.
    ///
    /// # Errors
    /// As [`NetProver::with`].
    pub fn of(package: &Package, shape: Shape, srs: Srs, cache_dir: &Path) -> Result<Self, NetProverError> {
        let mut prover = Self::with(package.net.clone(), package.weights.clone(), shape, srs, cache_dir)?;
        let digest = prover.proving.vk_digest();
        prover.architecture_id = package.architecture_id(digest);
        prover.model_id = package.id(digest, prover.registered.as_ref());
        Ok(prover)
    }

    /// Runs the net on `inputs` and proves its outputs, bound to `request` (a 256-bit hash). Also says how long each step
    /// took. The proof is not verified here.
    ///
    /// # Errors
    /// Fails if an input is not of the net's form, or `on_step` stops it.
    pub fn prove<A: Answer>(
        &self,
        inputs: &[Vec<i64>],
        request: [u8; 32],
        on_step: &dyn Fn(Step) -> A,
    ) -> Result<(NetProof, interpret::Trace, Profile), NetProverError> {
        self.prove_salted(inputs, None, request, on_step)
    }

    /// The same; a private input is committed to with `salt`, which must be random and used for this input only.
    ///
    /// # Errors
    /// As [`NetProver::prove`]; fails if there is a salt too many or too few, or the weights are elsewhere.
    pub fn prove_salted<A: Answer>(
        &self,
        inputs: &[Vec<i64>],
        salt: Option<Salt>,
        request: [u8; 32],
        on_step: &dyn Fn(Step) -> A,
    ) -> Result<(NetProof, interpret::Trace, Profile), NetProverError> {
        if self.registered.is_some() && self.kept.is_none() {
            return Err(NetProverError::NoWeights);
        }
        let trace = interpret::run(&self.net, inputs)?;
        let request = request_limbs(&request);
        let witness = Witness::salted(&self.layout, &self.net, &trace, request, salt)?;
        let (proof, profile) = self.prove_witness(witness, on_step)?;
        Ok((proof, trace, profile))
    }

    /// All public instances of a right proof for these inputs and this request, without proving; `None` stands for the
    /// commitment to a private input, which is another one with each salt.
    ///
    /// # Errors
    /// Fails if an input is not of the net's form, or the weights are elsewhere.
    pub fn expected(
        &self,
        inputs: &[Vec<i64>],
        request: [u8; 32],
    ) -> Result<(Expected, interpret::Trace), NetProverError> {
        if self.registered.is_some() && self.kept.is_none() {
            return Err(NetProverError::NoWeights);
        }
        let trace = interpret::run(&self.net, inputs)?;
        let known = |limbs: Vec<Fr>| limbs.iter().map(|limb| Some(to_word(limb))).collect::<Vec<_>>();
        let inputs = match self.net.privacy.input.is_private() {
            true => vec![None],
            false => known(input_limbs(&self.net, &trace.tensors)),
        };
        let limbs = [known(request_limbs(&request).to_vec()), inputs, known(output_limbs(&self.net, &trace))];
        Ok((limbs.concat(), trace))
    }

    /// Proves any witness, right or wrong: a wrong one gives a proof too, which then does not verify.
    ///
    /// # Errors
    /// Only if the witness is not of the circuit's form.
    pub fn prove_witness<A: Answer>(
        &self,
        mut witness: Witness,
        on_step: &dyn Fn(Step) -> A,
    ) -> Result<(NetProof, Profile), NetProverError> {
        let instances = witness.instances.clone();
        // Two random rows for each private column: one for its commitment, one for its evaluation.
        let fresh: Vec<[Fr; 2]> =
            (0..self.layout.secret_columns()).map(|_| [Fr::random(OsRng), Fr::random(OsRng)]).collect();
        witness.blinding.clone_from(&fresh);
        let circuit = NetCircuit { layout: self.layout.clone(), witness: Some(Arc::new(witness)), with_fixed: false };
        let Proven { mut bytes, instances, profile } = self.proving.prove(&instances, &circuit, on_step)?;
        if let (Some(registered), Some(kept)) = (&self.registered, &self.kept) {
            let link = registered.prove(&bytes, &instances, &fresh, kept, OsRng);
            bytes.extend(link);
        }
        Ok((NetProof { bytes, instances }, profile))
    }

    /// Whether a proof is right for the instances that it names.
    pub fn verify(&self, proof: &NetProof) -> bool {
        let Some(registered) = &self.registered else {
            return self.proving.verify(&proof.bytes, &proof.instances);
        };
        let Some((bytes, link)) = proof.bytes.split_last_chunk::<LINK_BYTES>() else { return false };
        self.proving.verify(bytes, &proof.instances) && registered.verify(bytes, &proof.instances, link)
    }

    /// The commitments of a private model.
    pub fn registered(&self) -> Option<&Registered> {
        self.registered.as_ref()
    }

    /// Solidity source of the contract that accepts these proofs.
    ///
    /// # Errors
    /// Fails if `name` is no contract name.
    pub fn solidity(&self, name: &str) -> Result<String, NetProverError> {
        Ok(self.proving.solidity(self.model_id, name, self.registered.as_ref())?)
    }

    /// Solidity source of the contract that accepts the proofs of every model of this architecture, each through an
    /// account of its own: see [`evm::solidity_of_architecture`].
    ///
    /// # Errors
    /// Fails if the model is public, or `name` is no contract name.
    pub fn solidity_of_architecture(&self, name: &str) -> Result<String, NetProverError> {
        let registered = self.registered.as_ref().ok_or(NetProverError::Visibility { private: false })?;
        Ok(self.proving.solidity_of_architecture(self.architecture_id, name, registered)?)
    }

    /// What all private models of this architecture have in common; without a package the verifying key's digest.
    pub fn architecture_id(&self) -> [u8; 32] {
        self.architecture_id
    }

    /// Size of a proof and number of commitments.
    ///
    /// # Errors
    /// Fails if the verifier contract can't be made.
    pub fn evm_shape(&self) -> Result<evm::Shape, NetProverError> {
        let mut shape = self.proving.evm_shape()?;
        if let Some(registered) = &self.registered {
            // One for each private column, two for the link's own points and one for its answer.
            shape.commitments += registered.points.len() + 2;
            shape.proof_bytes += LINK_BYTES;
        }
        Ok(shape)
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

    /// Bytes of memory that the key takes, without the set-up.
    pub fn key_bytes(&self) -> usize {
        self.proving.key_bytes()
    }

    /// How long it took to read or make the keys.
    pub fn keygen_time(&self) -> Duration {
        self.proving.keygen
    }
}

/// A private model's commitments, checked against its circuit.
fn registered(points: Vec<G1Affine>, layout: &Layout, proving: &Proving) -> Result<Registered, NetProverError> {
    let want = layout.secret_columns();
    if points.len() != want {
        return Err(NetProverError::Commitments { got: points.len(), want });
    }
    let rows = 1usize << layout.shape.k;
    let bases = [rows - 2, rows - 1].map(|row| proving.points().of_row(row));
    // Private columns come after the first phase's others, a point of two words each.
    Ok(Registered::new(points, bases, 2 * WORD * layout.columns_before_secret(), proving.vk_digest()))
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
