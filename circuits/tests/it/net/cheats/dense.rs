//! Dense layers, their groups, and rows on which nothing is defined.

use halo2_proofs::halo2curves::bn256::Fr;
use halo2_proofs::halo2curves::ff::Field;
use zugzwang_circuits::net::circuit::{Def, START_ROW};

use super::{Cells, Force, Gate, Lie, Running, check};
use crate::net::operators::{conv_of, dense, rescale_of};

use Gate::{Lookups, Memory, Runs, Sides};

const LIES: &[Lie] = &[
    Lie {
        about: "another weight",
        breaks: &[Sides],
        make: |t| (0..12).find_map(|i| t.swapped(|net| conv_of(net, 1).weights[i] += 1)),
    },
    Lie {
        about: "a weight of the wrong sign",
        breaks: &[Sides],
        make: |t| {
            (0..12).find_map(|i| {
                t.swapped(|net| {
                    let weight = &mut conv_of(net, 1).weights[i];
                    *weight = -*weight;
                })
            })
        },
    },
    Lie {
        about: "a weight of the other group",
        breaks: &[Sides],
        make: |t| {
            t.swapped(|net| {
                let conv = conv_of(net, 0);
                let own = std::mem::take(&mut conv.weights);
                conv.weights = vec![0; 24];
                for o in 0..4 {
                    let first = 6 * o + 3 * (o / 2);
                    conv.weights[first..first + 3].copy_from_slice(&own[3 * o..3 * o + 3]);
                }
                // The first output also reads the second group's numbers.
                conv.weights[3..6].fill(1);
                conv.groups = 1;
            })
        },
    },
    Lie { about: "biases left out", breaks: &[Sides], make: |t| t.swapped(|net| rescale_of(net, 0).bias.fill(0)) },
    Lie { about: "two outputs exchanged", breaks: &[Sides], make: |t| t.of(&t.summed(0, |a| a.swap(0, 1))?) },
    Lie { about: "an accumulator more by one, rescaled as it should be", breaks: &[Sides], make: |t| t.one_more(1) },
    Lie {
        about: "a number left out of every sum",
        breaks: &[Memory],
        make: |t| (0..4).find_map(|i| t.misread(1, |x| x[i] = 0)),
    },
    Lie {
        about: "a remainder on a row without a number that pays for another public output",
        breaks: &[Lookups],
        make: |t| {
            let mut lie = t.honest();
            let (ends, limbs) = (&t.case.layout.fixed.ends, t.case.layout.limbs);
            // The outputs' steps come after the inputs.
            let row = t.rows(|def| matches!(def, Def::Idle)).into_iter().find(|r| ends[*r] == 1)?;
            Cells::add(&mut lie.first.r, row, 1);
            lie.instances[START_ROW + limbs[0]] += Fr::ONE;
            Some(lie)
        },
    },
    Lie {
        about: "a quotient on a row without a number",
        breaks: &[Lookups],
        make: |t| {
            let mut lie = t.honest();
            Cells::add(&mut lie.first.q, t.rows(|def| matches!(def, Def::Idle))[1], 1);
            Some(lie)
        },
    },
    Lie {
        about: "an equation's step of the reading side left out",
        breaks: &[Runs(Running::Used), Sides],
        make: |t| {
            let row = t.case.layout.fixed.moves.iter().position(|moves| *moves == 2)?;
            Some(t.honest().force(Running::Used, row, Force::Stale))
        },
    },
    Lie {
        about: "a number's sum left out of the defining side",
        breaks: &[Runs(Running::Defined), Sides],
        make: |t| {
            let row = t.row(t.tensor(1), 0);
            Some(t.honest().force(Running::Defined, row, Force::Stale))
        },
    },
    Lie {
        about: "a defining side that does not begin at 0",
        breaks: &[Gate::Starts, Sides],
        make: |t| Some(t.honest().force(Running::Defined, START_ROW - 1, Force::Set(Fr::ONE))),
    },
];

#[test]
fn lies_about_dense_layers_are_caught() {
    check(dense, LIES);
}
