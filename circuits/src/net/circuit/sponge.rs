//! The commitment to a private input: which row proves which step of the sponge.
//!
//! A row holds a state `(t, a, b)` whose front has its constant already, and `t²`, `t⁴`. Steps run *upwards*: row `r` says what
//! stands on row `r − 1`, so that the commitment comes out on the first row, where its instance is, and gates look at no
//! row but the one before. The state before the first step is on the region's last row: its front is fixed by the row
//! below it, its other two numbers are the salt.

use halo2_proofs::halo2curves::bn256::Fr;
use halo2_proofs::halo2curves::ff::Field;

use super::layout::START_ROW;
use crate::poseidon::{Mix, RATE, STEPS, Salt, permutation};

/// One item per advice column of the sponge.
#[derive(Clone, Debug)]
pub struct State<T> {
    /// The number that is raised, with its constant.
    pub t: T,
    /// The other two.
    pub others: [T; 2],
    /// `t²`, `t⁴`.
    pub powers: [T; 2],
}

impl<T> State<T> {
    /// Makes each column with `make`, in the order of [`State::all`].
    pub fn build(mut make: impl FnMut() -> T) -> Self {
        Self { t: make(), others: [make(), make()], powers: [make(), make()] }
    }

    /// All columns, in order.
    pub fn all(&self) -> impl Iterator<Item = &T> {
        std::iter::once(&self.t).chain(&self.others).chain(&self.powers)
    }
}

/// One item per fixed column of the sponge.
#[derive(Clone, Debug)]
pub struct Rounds<T> {
    /// 1: the front of the row before is what the step says; 2: it has a limb added.
    pub turn: T,
    /// 1 on the last step of a full round.
    pub full: T,
    /// 1 on a partial round.
    pub partial: T,
    /// Part of the front of the row before.
    pub constant: T,
}

/// A step on a row.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Round {
    pub(super) mix: Mix,
    /// A limb is added to the front of the row before.
    pub(super) limb: bool,
    /// The constant that the front of the row before has.
    pub(super) constant: Fr,
}

/// Permutations for so many limbs: one for the salt, then one for each pair.
fn permutations(limbs: usize) -> usize {
    1 + limbs.div_ceil(RATE)
}

/// Which limb a step takes in, counted from the last; the first permutation takes in the salt instead.
fn taken(step: usize, limbs: usize) -> Option<usize> {
    let (permutation, at) = (step / STEPS, step % STEPS);
    let from_end = (permutation.checked_sub(1)?) * RATE + at;
    (at < RATE && from_end < limbs).then_some(from_end)
}

/// The steps, by row from [`START_ROW`] on; none on the first row. Also the constant below the region's last row.
pub(super) fn rounds(limbs: usize) -> (Vec<Option<Round>>, Fr) {
    let steps = &permutation().steps;
    let total = STEPS * permutations(limbs);
    let round = |step: usize| Round {
        mix: steps[step % STEPS].mix,
        limb: taken(step, limbs).is_some(),
        constant: if step + 1 == total { Fr::ZERO } else { steps[(step + 1) % STEPS].constant },
    };
    let rounds = std::iter::once(None).chain((0..total).rev().map(|step| Some(round(step)))).collect();
    (rounds, Fr::from(limbs as u64) + steps[0].constant)
}

/// The columns' values for a salt and limbs, each as long as the region ends.
pub(super) fn witness(salt: Salt, limbs: &[Fr]) -> State<Vec<Fr>> {
    let (rounds, start) = rounds(limbs.len());
    let mut columns = State::build(|| vec![Fr::ZERO; START_ROW + rounds.len()]);
    let mut state = [start, salt[0], salt[1]];
    for (step, round) in std::iter::once(None).chain(rounds.into_iter().rev()).enumerate() {
        // `step` states have been left behind; the first item of the list is no step.
        if let Some(Round { mix, constant, .. }) = round {
            state = permutation().after(mix, state);
            state[0] += constant;
            if let Some(from_end) = taken(step - 1, limbs.len()) {
                state[0] += limbs[limbs.len() - 1 - from_end];
            }
        } else if step > 0 {
            break;
        }
        let row = columns.t.len() - 1 - step;
        columns.t[row] = state[0];
        (columns.others[0][row], columns.others[1][row]) = (state[1], state[2]);
        columns.powers[0][row] = state[0].square();
        columns.powers[1][row] = state[0].square().square();
    }
    columns
}
