//! Chains of dense layers, whose numbers stand where they are read.

use halo2_proofs::halo2curves::bn256::Fr;
use halo2_proofs::halo2curves::ff::Field;
use zugzwang_circuits::net::circuit::{Def, START_ROW};

use super::{Cells, Force, Gate, Lie, Running, check, small};
use crate::net::operators::{chain, conv_of, rescale_of};

use Gate::{Lookups, Runs, Sides};

pub(crate) const LIES: &[Lie] = &[
    Lie {
        about: "another weight of the first layer",
        breaks: &[Sides],
        make: |t| (0..30).find_map(|i| t.swapped(|net| conv_of(net, 0).weights[i] += 1)),
    },
    Lie {
        about: "another weight of the last layer",
        breaks: &[Sides],
        make: |t| (0..15).find_map(|i| t.swapped(|net| conv_of(net, 1).weights[i] += 1)),
    },
    Lie { about: "another bias", breaks: &[Sides], make: |t| t.swapped(|net| rescale_of(net, 1).bias[2] -= 1) },
    Lie {
        about: "a hidden accumulator more by one, rescaled as it should be",
        breaks: &[Sides],
        make: |t| t.one_more(0),
    },
    Lie { about: "two outputs exchanged", breaks: &[Sides], make: |t| t.of(&t.summed(1, |a| a.swap(0, 1))?) },
    Lie {
        about: "a hidden number that is not its quotient's",
        breaks: &[Lookups],
        make: |t| t.of(&t.believed(1, |x| x[0] ^= 1)?),
    },
    Lie {
        about: "an output that is not its quotient's",
        breaks: &[Lookups],
        make: |t| t.of(&t.believed(2, |x| x[1] ^= 1)?),
    },
    Lie {
        about: "a quotient less one, with a remainder of 2^s and more",
        breaks: &[Lookups],
        make: |t| {
            let (i, row) = t.find(1, |a| (1..=15).contains(&a.q))?;
            let mut lie = t.of(&t.believed(1, |x| x[i] -= 1)?)?;
            Cells::add(&mut lie.first.q, row, -1);
            Cells::add(&mut lie.first.r, row, t.case.layout.fixed.scale[row]);
            Some(lie)
        },
    },
    Lie {
        about: "an input that is not its limb's",
        breaks: &[Sides],
        make: |t| {
            let mut lie = t.of(&t.believed(0, |x| x[3] ^= 1)?)?;
            t.keep_inputs(&mut lie);
            Some(lie)
        },
    },
    Lie {
        about: "an input of more bits than it has, the same limb",
        breaks: &[Lookups],
        make: |t| {
            (0..5).find_map(|i| {
                let digits = t.believed(0, |x| {
                    if x[i + 1] > 0 {
                        (x[i], x[i + 1]) = (x[i] + 16, x[i + 1] - 1);
                    }
                })?;
                let mut lie = t.of(&digits)?;
                t.keep_inputs(&mut lie);
                Some(lie)
            })
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
        about: "a remainder on a row without a number that pays for another public output",
        breaks: &[Lookups],
        make: |t| {
            let (mut lie, ends) = (t.honest(), &t.case.layout.fixed.ends);
            let row = t.rows(|def| matches!(def, Def::Idle)).into_iter().find(|row| ends[*row] == 1)?;
            Cells::add(&mut lie.first.r, row, 1);
            *lie.instances.last_mut()? += Fr::ONE;
            Some(lie)
        },
    },
    Lie {
        about: "a number on a row without one",
        breaks: &[Lookups],
        make: |t| {
            let mut lie = t.honest();
            lie.first.x[*t.rows(|def| matches!(def, Def::Idle)).last()?] = small(1);
            Some(lie)
        },
    },
    Lie {
        about: "an input left out of every sum",
        breaks: &[Runs(Running::Used), Sides],
        make: |t| Some(t.honest().force(Running::Used, t.find(0, |a| a.x > 0)?.1, Force::Stale)),
    },
    Lie {
        about: "a kernel left over from the number before",
        breaks: &[Runs(Running::G), Sides],
        make: |t| Some(t.honest().force(Running::G, t.find(0, |a| a.x > 0)?.1, Force::Add(small(1)))),
    },
    Lie {
        about: "a reading side that does not begin at 0",
        breaks: &[Gate::Starts, Sides],
        make: |t| Some(t.honest().force(Running::Used, START_ROW - 1, Force::Set(Fr::ONE))),
    },
    Lie {
        about: "another weight, and the difference taken off at the end",
        breaks: &[Runs(Running::Used)],
        make: |t| {
            let lie = (0..30).find_map(|i| t.swapped(|net| conv_of(net, 0).weights[i] += 1))?;
            Some(lie.force(Running::Used, t.end(), Force::As(Running::Defined)))
        },
    },
];

#[test]
fn lies_about_chains_are_caught() {
    check(chain, LIES);
}
