//! A circuit's set-up and keys: what every kind of circuit proves and verifies with.

use std::path::Path;
use std::time::{Duration, Instant};

use halo2_proofs::halo2curves::bn256::{Bn256, Fr};
use halo2_proofs::halo2curves::ff::PrimeField;
use halo2_proofs::plonk::{Circuit, verify_proof};
use halo2_proofs::poly::commitment::ParamsProver;
use halo2_proofs::poly::kzg::commitment::KZGCommitmentScheme;
use halo2_proofs::poly::kzg::multiopen::VerifierSHPLONK;
use halo2_proofs::poly::kzg::strategy::SingleStrategy;
use rand::rngs::OsRng;

use crate::evm::transcript::{EvmChallenge, EvmReader, EvmWriter};
use crate::evm::{self, EvmError};
use crate::keys::{self, KeyError, KeyOrigin};
use crate::net::link::Registered;
use crate::prove::{self, Advice, Answer, Column, Key, Points, Profile, ProveError, Step};
use crate::srs::Srs;

/// A proof, its public values as big-endian words, and how long its steps took.
pub(crate) struct Proven {
    pub(crate) bytes: Vec<u8>,
    pub(crate) instances: Vec<[u8; 32]>,
    pub(crate) profile: Profile,
}

/// A circuit's set-up and keys.
#[derive(Debug)]
pub(crate) struct Proving {
    srs: Srs,
    key: Key,
    instances: usize,
    /// Name of the keys' cache file.
    pub(crate) key_id: [u8; 32],
    /// Whether the keys were read or made.
    pub(crate) key_origin: KeyOrigin,
    /// How long that took.
    pub(crate) keygen: Duration,
}

impl Proving {
    /// Loads or makes the keys of a circuit with these fixed columns and number of public values. `digest` covers
    /// everything that the fixed columns and gates depend on.
    pub(crate) fn new<C: Circuit<Fr>>(
        srs: Srs,
        circuit: &C,
        fixed: &[Column<'_>],
        instances: usize,
        digest: &[u8; 32],
        cache_dir: &Path,
    ) -> Result<Self, KeyError> {
        let clock = Instant::now();
        let points = Points::new(srs.params());
        let keys = keys::load_or_generate(&srs, &points, circuit, fixed, digest, cache_dir)?;
        let key = Key::new(points, keys.vk, fixed)?;
        Ok(Self { srs, key, instances, key_id: keys.id, key_origin: keys.origin, keygen: clock.elapsed() })
    }

    /// A proof of any witness, right or wrong, with its public values as words.
    pub(crate) fn prove<A: Answer>(
        &self,
        instances: &[Fr],
        advice: &impl Advice,
        on_step: &dyn Fn(Step) -> A,
    ) -> Result<Proven, ProveError> {
        let mut transcript = EvmWriter::new();
        let profile = prove::prove(&self.key, &[instances], advice, OsRng, &mut transcript, on_step)?;
        Ok(Proven { bytes: transcript.finish(), instances: instances.iter().map(to_word).collect(), profile })
    }

    /// Whether a proof is right for these public values.
    pub(crate) fn verify(&self, proof: &[u8], instances: &[[u8; 32]]) -> bool {
        let instances: Option<Vec<Fr>> = instances.iter().map(from_word).collect();
        let Some(instances) = instances.filter(|i| i.len() == self.instances) else { return false };
        let mut transcript = EvmReader::new(proof);
        let params = self.srs.params().verifier_params();
        verify_proof::<KZGCommitmentScheme<Bn256>, VerifierSHPLONK<'_, Bn256>, EvmChallenge, _, _>(
            params,
            self.key.vk(),
            SingleStrategy::new(params),
            &[&[&instances]],
            &mut transcript,
        )
        .is_ok()
            && transcript.finish().is_ok()
    }

    /// Source of the contract that accepts these proofs; with private columns those that are tied to `registered`.
    pub(crate) fn solidity(
        &self,
        model_id: [u8; 32],
        name: &str,
        registered: Option<&Registered>,
    ) -> Result<String, EvmError> {
        evm::solidity_linked(self.key.vk(), self.srs.params(), self.instances, model_id, name, registered)
    }

    /// Source of the contract for every model of an architecture; `registered` is any model's.
    pub(crate) fn solidity_of_architecture(
        &self,
        id: [u8; 32],
        name: &str,
        registered: &Registered,
    ) -> Result<String, EvmError> {
        evm::solidity_of_architecture(self.key.vk(), self.srs.params(), self.instances, id, name, registered)
    }

    /// The set-up's points.
    pub(crate) fn points(&self) -> &Points {
        self.key.points()
    }

    /// Size of a proof and number of commitments.
    pub(crate) fn evm_shape(&self) -> Result<evm::Shape, EvmError> {
        evm::shape(self.key.vk(), self.instances)
    }

    /// Bytes of memory that the key takes, without the set-up.
    pub(crate) fn key_bytes(&self) -> usize {
        self.key.bytes()
    }

    /// Digest of the verifying key, big-endian.
    pub(crate) fn vk_digest(&self) -> [u8; 32] {
        to_word(&self.key.vk().transcript_repr())
    }
}

/// The two 128-bit limbs of a request hash, high first.
pub fn request_limbs(request: &[u8; 32]) -> [Fr; 2] {
    [&request[..16], &request[16..]].map(|half| {
        let mut bytes = [0u8; 16];
        bytes.copy_from_slice(half);
        Fr::from_u128(u128::from_be_bytes(bytes))
    })
}

pub(crate) fn to_word(v: &Fr) -> [u8; 32] {
    let mut bytes: [u8; 32] = v.to_repr();
    bytes.reverse();
    bytes
}

fn from_word(word: &[u8; 32]) -> Option<Fr> {
    let mut bytes = *word;
    bytes.reverse();
    Fr::from_repr(bytes).into()
}
