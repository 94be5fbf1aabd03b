//! Ties a proof's private columns to the commitments that were registered for a model.
//!
//! A private column has two commitments: the registered `C`, made once, and the proof's `C'`, made anew each time so that
//! what is opened of it says nothing about the weights. Both hold the same weights if they differ only in the last two
//! rows, which are blinding. With `λ` drawn after all of the proof, the prover shows that it knows `δ` with
//! `Σ λ^j·(C'_j − C_j) = δ_0·L_(n−2) + δ_1·L_(n−1)`: a proof of knowledge of a representation (Okamoto, CRYPTO '92), made
//! non-interactive by Keccak. `docs/privacy.md` has the argument.

use halo2_proofs::halo2curves::bn256::{Fr, G1, G1Affine};
use halo2_proofs::halo2curves::ff::{Field, FromUniformBytes};
use halo2_proofs::halo2curves::group::Curve;
use halo2_proofs::transcript::EncodedChallenge;
use rand::rngs::OsRng;
use rand::{CryptoRng, RngCore};
use sha2::Sha512;
use sha3::{Digest, Keccak256};

use crate::evm::transcript::{EvmChallenge, WORD, point_bytes, point_from_words, scalar_from_word, scalar_word};

/// What is appended to a proof: a point and two scalars.
pub const LINK_BYTES: usize = 4 * WORD;

/// What hides a model's registered commitments: 32 random bytes, kept as long as the model is used.
pub type Seed = [u8; 32];

/// A model's commitments, and all that a verifier needs for the link.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Registered {
    /// One for each private column.
    pub points: Vec<G1Affine>,
    /// `L_(n−2)`, `L_(n−1)`.
    pub bases: [G1Affine; 2],
    /// Where the private columns' commitments begin in a proof, in bytes.
    pub offset: usize,
    /// The model's commitment: `keccak256(digest of the verifying key ‖ points)`.
    pub commitment: [u8; 32],
}

/// A new seed.
pub fn random_seed() -> Seed {
    let mut seed = [0; 32];
    OsRng.fill_bytes(&mut seed);
    seed
}

/// The blinding rows of the registered columns.
pub fn blinding(seed: &Seed, columns: usize) -> Vec<[Fr; 2]> {
    let element = |column: usize, row: u8| {
        let mut hash = Sha512::new();
        hash.update(b"zugzwang private column");
        hash.update(seed);
        hash.update((column as u64).to_be_bytes());
        hash.update([row]);
        Fr::from_uniform_bytes(&hash.finalize().into())
    };
    (0..columns).map(|column| [element(column, 0), element(column, 1)]).collect()
}

impl Registered {
    /// The commitments `points` of a circuit.
    pub fn new(points: Vec<G1Affine>, bases: [G1Affine; 2], offset: usize, vk_digest: [u8; 32]) -> Self {
        let mut hash = Keccak256::new();
        hash.update(vk_digest);
        for point in &points {
            // The identity, which has no form, is no honest column's commitment.
            hash.update(point_bytes(point).unwrap_or([0; 2 * WORD]));
        }
        Self { points, bases, offset, commitment: hash.finalize().into() }
    }

    /// The id of this model of an architecture: `keccak256(architecture's id ‖ commitment)`. Contracts make it too.
    pub fn model_id(&self, architecture_id: [u8; 32]) -> [u8; 32] {
        Keccak256::new().chain_update(architecture_id).chain_update(self.commitment).finalize().into()
    }

    /// The commitments as a contract takes them: x and y of each point, big-endian.
    pub fn bytes(&self) -> Vec<u8> {
        self.points.iter().flat_map(|p| point_bytes(p).unwrap_or([0; 2 * WORD])).collect()
    }

    /// `λ`.
    fn joining(&self, proof: &[u8], instances: &[[u8; 32]]) -> Fr {
        let mut hash = Keccak256::new();
        hash.update(self.commitment);
        instances.iter().for_each(|word| hash.update(word));
        hash.update(proof);
        EvmChallenge::new(&hash.finalize().into()).get_scalar()
    }

    /// `Σ λ^j·(C'_j − C_j)`; none if a point of the proof is malformed.
    fn difference(&self, lambda: Fr, proof: &[u8]) -> Option<G1> {
        let mut sum = G1::default();
        for (j, registered) in self.points.iter().enumerate().rev() {
            let at = self.offset + 2 * WORD * j;
            let (x, y) = (proof.get(at..at + WORD)?, proof.get(at + WORD..at + 2 * WORD)?);
            let fresh = point_from_words(x.try_into().ok()?, y.try_into().ok()?)?;
            sum = sum * lambda + fresh - registered;
        }
        Some(sum)
    }

    /// The link of a proof whose private columns end in `fresh`, where the registered ones end in `kept`.
    pub fn prove(
        &self,
        proof: &[u8],
        instances: &[[u8; 32]],
        fresh: &[[Fr; 2]],
        kept: &[[Fr; 2]],
        mut rng: impl RngCore + CryptoRng,
    ) -> [u8; LINK_BYTES] {
        let lambda = self.joining(proof, instances);
        let delta =
            fresh.iter().zip(kept).rev().fold([Fr::ZERO; 2], |sum, (fresh, kept)| {
                std::array::from_fn(|i| sum[i] * lambda + fresh[i] - kept[i])
            });
        let nonce = [Fr::random(&mut rng), Fr::random(&mut rng)];
        let point = (self.bases[0] * nonce[0] + self.bases[1] * nonce[1]).to_affine();
        // The identity has no form, and a chance of 2^-254.
        let point = point_bytes(&point).unwrap_or([0; 2 * WORD]);
        let challenge = answer(lambda, &point);
        let mut link = [0; LINK_BYTES];
        link[..2 * WORD].copy_from_slice(&point);
        for i in 0..2 {
            link[(2 + i) * WORD..][..WORD].copy_from_slice(&scalar_word(&(nonce[i] + challenge * delta[i])));
        }
        link
    }

    /// Whether `link` ties `proof` to these commitments.
    pub fn verify(&self, proof: &[u8], instances: &[[u8; 32]], link: &[u8; LINK_BYTES]) -> bool {
        let word = |i: usize| -> [u8; WORD] { std::array::from_fn(|b| link[i * WORD + b]) };
        let (Some(first), Some(second)) = (scalar_from_word(word(2)), scalar_from_word(word(3))) else { return false };
        let Some(point) = point_from_words(word(0), word(1)) else { return false };
        let lambda = self.joining(proof, instances);
        let Some(difference) = self.difference(lambda, proof) else { return false };
        let challenge = answer(lambda, &link[..2 * WORD]);
        self.bases[0] * first + self.bases[1] * second == difference * challenge + point
    }
}

/// The challenge that answers to the prover's point.
fn answer(lambda: Fr, point: &[u8]) -> Fr {
    let mut hash = Keccak256::new();
    hash.update(scalar_word(&lambda));
    hash.update(point);
    EvmChallenge::new(&hash.finalize().into()).get_scalar()
}
