//! Poseidon over BN254's scalar field: the commitment to a private input.
//!
//! Width 3, `x^5`, 8 full and 57 partial rounds (Grassi, Khovratovich, Rechberger, Roy, Schofnegger: "Poseidon", USENIX
//! Security 2021), with the round constants and the matrix that its reference script derives, which circom uses too:
//! a test compares with another implementation.
//!
//! Inside, a permutation is a list of [`Step`]s of one S-box each, which is how the circuit proves it. In a partial round the
//! constants of the two numbers without an S-box are moved through the matrix to the next round, so that each step adds
//! one constant, to the number that is raised.

use std::sync::LazyLock;

use halo2_proofs::halo2curves::bn256::Fr;
use halo2_proofs::halo2curves::ff::Field;
use poseidon_primitives::poseidon::primitives::Spec;
use rand::rngs::OsRng;

use crate::evm::transcript::{scalar_from_word, scalar_word};

/// Numbers of a state.
pub const WIDTH: usize = 3;
/// Numbers that one permutation absorbs.
pub const RATE: usize = 2;
const FULL_ROUNDS: usize = 8;
const PARTIAL_ROUNDS: usize = 57;
/// Steps of a permutation: an S-box each.
pub const STEPS: usize = WIDTH * FULL_ROUNDS + PARTIAL_ROUNDS;

/// What makes a commitment hide what it commits to: both numbers must be random, used once, and kept.
pub type Salt = [Fr; RATE];

/// A salt of random numbers.
pub fn random_salt() -> Salt {
    std::array::from_fn(|_| Fr::random(OsRng))
}

/// A salt's bytes: its two numbers, big-endian.
pub fn salt_bytes(salt: &Salt) -> [u8; 64] {
    let mut bytes = [0; 64];
    for (to, number) in bytes.chunks_mut(32).zip(salt) {
        to.copy_from_slice(&scalar_word(number));
    }
    bytes
}

/// The salt of [`salt_bytes`]; none if a number is not below the field's order.
pub fn salt_from_bytes(bytes: &[u8; 64]) -> Option<Salt> {
    let number = |from: usize| scalar_from_word(std::array::from_fn(|i| bytes[from + i]));
    Some([number(0)?, number(32)?])
}

/// What happens to a state `(front, a, b)` after `w = (front + constant)^5`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mix {
    /// `(a, b, w)`: two of three steps of a full round.
    Turn,
    /// `M·(a, b, w)`: the last step of a full round.
    Full,
    /// `M·(w, a, b)`: a partial round.
    Partial,
}

/// One S-box.
#[derive(Clone, Copy, Debug)]
pub struct Step {
    /// Added to the front before it is raised.
    pub constant: Fr,
    /// What follows.
    pub mix: Mix,
}

/// All of a permutation's constants.
#[derive(Debug)]
pub struct Permutation {
    /// Its steps.
    pub steps: Vec<Step>,
    /// The matrix, row by row.
    pub matrix: [[Fr; WIDTH]; WIDTH],
}

#[derive(Debug)]
struct Parameters;

impl Spec<Fr, WIDTH, RATE> for Parameters {
    fn full_rounds() -> usize {
        FULL_ROUNDS
    }

    fn partial_rounds() -> usize {
        PARTIAL_ROUNDS
    }

    fn sbox(v: Fr) -> Fr {
        v.square().square() * v
    }

    fn secure_mds() -> usize {
        0
    }
}

/// The permutation's constants, derived once.
pub fn permutation() -> &'static Permutation {
    static DERIVED: LazyLock<Permutation> = LazyLock::new(|| {
        let (rounds, matrix, _) = Parameters::constants();
        let mut steps = Vec::with_capacity(STEPS);
        let mut moved = [Fr::ZERO; WIDTH];
        for (round, constants) in rounds.iter().enumerate() {
            let mut constants = *constants;
            constants.iter_mut().zip(moved).for_each(|(c, m)| *c += m);
            moved = [Fr::ZERO; WIDTH];
            if (FULL_ROUNDS / 2..FULL_ROUNDS / 2 + PARTIAL_ROUNDS).contains(&round) {
                steps.push(Step { constant: constants[0], mix: Mix::Partial });
                moved = product(&matrix, [Fr::ZERO, constants[1], constants[2]]);
            } else {
                steps.push(Step { constant: constants[0], mix: Mix::Turn });
                steps.push(Step { constant: constants[1], mix: Mix::Turn });
                steps.push(Step { constant: constants[2], mix: Mix::Full });
            }
        }
        Permutation { steps, matrix }
    });
    &DERIVED
}

impl Permutation {
    /// The state after `step`, whose constant has been added to the front already.
    pub fn after(&self, mix: Mix, [front, a, b]: [Fr; WIDTH]) -> [Fr; WIDTH] {
        let w = Parameters::sbox(front);
        match mix {
            Mix::Turn => [a, b, w],
            Mix::Full => product(&self.matrix, [a, b, w]),
            Mix::Partial => product(&self.matrix, [w, a, b]),
        }
    }
}

fn product(matrix: &[[Fr; WIDTH]; WIDTH], v: [Fr; WIDTH]) -> [Fr; WIDTH] {
    matrix.map(|row| row.iter().zip(v).map(|(m, v)| *m * v).sum())
}

/// The permutation.
pub fn permute(mut state: [Fr; WIDTH]) -> [Fr; WIDTH] {
    let permutation = permutation();
    for step in &permutation.steps {
        state[0] += step.constant;
        state = permutation.after(step.mix, state);
    }
    state
}

/// The commitment to `limbs`: a sponge that begins with `(number of limbs, salt)`, absorbs the limbs from the last to the
/// first, two at a time (0 in place of a missing one), and gives the first number of its last state.
pub fn commit(salt: Salt, limbs: &[Fr]) -> Fr {
    let mut state = permute([Fr::from(limbs.len() as u64), salt[0], salt[1]]);
    let reversed: Vec<Fr> = limbs.iter().rev().copied().collect();
    for pair in reversed.chunks(RATE) {
        state[1..].iter_mut().zip(pair).for_each(|(s, limb)| *s += limb);
        state = permute(state);
    }
    state[0]
}
