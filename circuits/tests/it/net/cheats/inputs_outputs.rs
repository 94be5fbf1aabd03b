//! Public values: digits, limbs, places, and everything else that could pay for another one.

use halo2_proofs::halo2curves::bn256::Fr;
use halo2_proofs::halo2curves::ff::{Field, PrimeField};
use zugzwang_circuits::net::circuit::START_ROW;
use zugzwang_circuits::net::{Step, interpret};

use super::{Cells, Force, Gate, Lie, Running, Trial, check};
use crate::net::operators::limbs;

use Gate::{Lookups, Runs, Sides};

/// Digits of four bits that a limb has room for.
const PER_LIMB: usize = 63;

/// The run on other digits of an input, under the honest public limbs.
fn digits(trial: &Trial, input: usize, change: impl FnOnce(&mut Vec<i64>)) -> Option<Cells> {
    let mut lie = trial.of(&trial.believed(input, change)?)?;
    trial.keep_inputs(&mut lie);
    Some(lie)
}

/// The digits of the first limb and p together, as an integer; the last one takes what is left.
fn limb_and_modulus(trial: &Trial) -> Vec<i64> {
    let limb = trial.case.witness().instances[START_ROW].to_repr();
    // p − 1 is −1 in the field.
    let below = (-Fr::ONE).to_repr();
    let (mut carry, mut sum) = (1u16, [0u8; 32]);
    for (i, byte) in sum.iter_mut().enumerate() {
        carry += u16::from(limb[i]) + u16::from(below[i]);
        *byte = carry as u8;
        carry >>= 8;
    }
    let nibbles: Vec<i64> = sum.iter().flat_map(|byte| [i64::from(byte & 15), i64::from(byte >> 4)]).collect();
    let (low, high) = nibbles.split_at(PER_LIMB - 1);
    let rest = high.iter().rev().fold(0, |rest, digit| 16 * rest + digit);
    low.iter().copied().chain([rest]).collect()
}

const LIES: &[Lie] = &[
    Lie { about: "a digit that is not its limb's", breaks: &[Sides], make: |t| digits(t, 0, |x| x[0] ^= 1) },
    Lie { about: "the last digit of the second limb", breaks: &[Sides], make: |t| digits(t, 0, |x| x[69] ^= 1) },
    Lie { about: "a digit of the other input", breaks: &[Sides], make: |t| digits(t, 1, |x| x[2] ^= 32) },
    Lie {
        about: "two digits exchanged",
        breaks: &[Sides],
        make: |t| (1..PER_LIMB).find_map(|i| digits(t, 0, |x| x.swap(0, i))),
    },
    Lie {
        about: "a digit moved to the other limb",
        breaks: &[Sides],
        make: |t| {
            digits(t, 0, |x| {
                let moved = if x[0] > 0 && x[PER_LIMB] < 15 { 1 } else { -1 };
                (x[0], x[PER_LIMB]) = (x[0] - moved, x[PER_LIMB] + moved);
            })
        },
    },
    Lie {
        about: "a digit of 16 and more, the next one less by one: the same limb",
        breaks: &[Lookups],
        make: |t| {
            (0..PER_LIMB - 1).find_map(|i| {
                digits(t, 0, |x| {
                    if x[i + 1] > 0 {
                        (x[i], x[i + 1]) = (x[i] + 16, x[i + 1] - 1);
                    }
                })
            })
        },
    },
    Lie {
        about: "a digit of 16 and more, counted as the other input's",
        breaks: &[Lookups],
        make: |t| {
            let x = &t.case.trace.tensors[0];
            let i = (0..PER_LIMB - 1).find(|i| x[i + 1] > 0)?;
            let mut lie = digits(t, 0, |x| (x[i], x[i + 1]) = (x[i] + 16, x[i + 1] - 1))?;
            (t.count(&mut lie) == 1).then_some(())?;
            let tag = t.case.layout.fixed.tag[t.row(1, 0)];
            Cells::add(&mut lie.first.m, t.entry([0, x[i] + 16, tag])?, 1);
            lie.keep_counts = true;
            Some(lie)
        },
    },
    Lie {
        about: "the digits of limb + p",
        breaks: &[Lookups],
        make: |t| digits(t, 0, |x| x[..PER_LIMB].copy_from_slice(&limb_and_modulus(t))),
    },
    Lie {
        about: "another public input",
        breaks: &[Sides],
        make: |t| {
            let mut lie = t.honest();
            lie.instances[START_ROW] += Fr::ONE;
            Some(lie)
        },
    },
    Lie {
        about: "public input limbs exchanged",
        breaks: &[Sides],
        make: |t| {
            let mut lie = t.honest();
            lie.instances.swap(START_ROW, START_ROW + 1);
            Some(lie)
        },
    },
    Lie {
        about: "another public output",
        breaks: &[Sides],
        make: |t| {
            let mut lie = t.honest();
            *lie.instances.last_mut()? += Fr::ONE;
            Some(lie)
        },
    },
    Lie {
        about: "two public outputs exchanged within their limb",
        breaks: &[Sides],
        make: |t| {
            (1..PER_LIMB).find_map(|i| {
                let mut net = t.case.net.clone();
                let Step::Move(from) = &mut net.nodes[0].step else { return None };
                from.swap(0, i);
                let trace = interpret::run(&net, &t.case.trace.tensors[..2]).ok()?;
                let mut lie = t.honest();
                let other = t.placed(&net, &trace)?.instances;
                (other != lie.instances).then(|| lie.instances = other)?;
                Some(lie)
            })
        },
    },
    Lie {
        about: "an output moved from one public limb to the other",
        breaks: &[Sides],
        make: |t| {
            let (mut lie, first) = (t.honest(), START_ROW + t.case.layout.limbs[0]);
            lie.instances[first] += Fr::ONE;
            lie.instances[first + 1] -= Fr::ONE;
            Some(lie)
        },
    },
    Lie {
        about: "a remainder on an input's row that pays for another public input",
        breaks: &[Lookups],
        make: |t| {
            let mut lie = t.honest();
            Cells::add(&mut lie.first.r, t.row(0, 0), 1);
            lie.instances[START_ROW] += Fr::ONE;
            Some(lie)
        },
    },
    Lie {
        about: "a public limb left out of the reading side",
        breaks: &[Runs(Running::Used), Sides],
        make: |t| Some(t.honest().force(Running::Used, START_ROW + 1, Force::Stale)),
    },
    Lie {
        about: "an input's digit left out of the defining side",
        breaks: &[Runs(Running::Defined), Sides],
        make: |t| Some(t.honest().force(Running::Defined, t.find(0, |a| a.x > 0)?.1, Force::Stale)),
    },
];

#[test]
fn lies_about_public_values_are_caught() {
    check(limbs, LIES);
}
