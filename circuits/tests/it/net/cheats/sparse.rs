//! Sums of few terms: additions, means, constants, and moves.

use zugzwang_circuits::net::{Linear, Net, Sparse, Step};

use super::{Cells, Force, Gate, Lie, Running, Trial, check, small};
use crate::net::operators::sparse;

use Gate::{Memory, Runs, Sides};

fn sums(net: &mut Net) -> &mut Sparse {
    match &mut net.nodes[0].step {
        Step::Linear(Linear::Sparse(sparse), _) => sparse,
        _ => panic!("the first node is sums"),
    }
}

fn moves(net: &mut Net) -> &mut Vec<[u32; 2]> {
    match &mut net.nodes[1].step {
        Step::Move(from) => from,
        _ => panic!("the second node is moves"),
    }
}

/// Some term of a sum read as another number, with what follows; the first of the candidates that gives another sum.
fn term_read_as(trial: &Trial, output: usize, term: usize, value: impl Fn(&[Vec<i64>]) -> i64) -> Option<Cells> {
    let tensors = &trial.case.trace.tensors;
    let of = sums(&mut trial.case.net.clone()).of(output).to_vec();
    let t = of.get(term)?;
    let (number, weight) = ((t.input as usize, t.index as usize), t.weight);
    let more = value(tensors) - tensors[number.0][number.1];
    let mut lie = trial.of(&trial.summed(0, |a| a[output] += weight * more)?)?;
    // A sum's terms stand on rows that follow one another.
    let numbers: Vec<Option<(usize, usize)>> = of.iter().map(|t| Some((t.input as usize, t.index as usize))).collect();
    let start = trial.case.layout.reads.windows(of.len()).position(|reads| *reads == numbers[..])?;
    Cells::add(lie.y(), start + term, more);
    Some(lie)
}

pub(crate) const LIES: &[Lie] = &[
    Lie {
        about: "another weight of a term",
        breaks: &[Sides],
        make: |t| t.swapped(|net| sums(net).terms[0].weight += 1),
    },
    Lie {
        about: "a difference instead of a sum",
        breaks: &[Sides],
        make: |t| t.swapped(|net| sums(net).terms[3].weight = -1),
    },
    Lie {
        about: "a term of another number of its tensor",
        breaks: &[Memory],
        make: |t| (1..5).find_map(|i| term_read_as(t, 0, 0, |x| x[0][i])),
    },
    Lie {
        about: "a term of another tensor's number",
        breaks: &[Memory],
        make: |t| (0..4).find_map(|i| term_read_as(t, 0, 0, |x| x[1][i])),
    },
    Lie { about: "a term left out", breaks: &[Memory], make: |t| (0..3).find_map(|i| term_read_as(t, 4, i, |_| 0)) },
    Lie {
        about: "a mean without its largest number, for which its least is read twice",
        breaks: &[Memory],
        make: |t| {
            let x = &t.case.trace.tensors[0];
            let most = (0..5).max_by_key(|i| x[*i])?;
            term_read_as(t, 2, most, |x| x[0].iter().min().copied().unwrap_or(0))
        },
    },
    Lie {
        about: "a mean rounded up",
        breaks: &[Sides],
        make: |t| {
            let Step::Linear(_, rescale) = &t.case.net.nodes[0].step else { return None };
            let s = rescale.shift[2];
            t.of(&t.summed(0, |a| a[2] = ((a[2] >> s) + 1) << s)?)
        },
    },
    Lie { about: "another sum of nothing", breaks: &[Sides], make: |t| t.of(&t.summed(0, |a| a[3] += 5)?) },
    Lie {
        about: "a moved number that is another",
        breaks: &[Memory],
        make: |t| (1..4).find_map(|i| t.swapped(|net| moves(net).swap(0, i))),
    },
    Lie {
        about: "a moved number that is no number of the net's",
        breaks: &[Memory],
        make: |t| t.of(&t.believed(3, |x| x[1] ^= 1)?),
    },
    Lie {
        about: "a term's product left out of the reading side",
        breaks: &[Runs(Running::Used), Sides],
        make: |t| {
            let row = t.case.layout.reads.iter().position(|read| *read == Some((1, 1)))?;
            Some(t.honest().force(Running::Used, row, Force::Stale))
        },
    },
    Lie {
        about: "a kernel left over from the sum before",
        breaks: &[Runs(Running::G), Sides],
        make: |t| {
            let row = t.case.layout.reads.iter().position(|read| *read == Some((0, 2)))?;
            Some(t.honest().force(Running::G, row, Force::Add(small(3))))
        },
    },
];

#[test]
fn lies_about_sums_and_moves_are_caught() {
    check(sparse, LIES);
}
