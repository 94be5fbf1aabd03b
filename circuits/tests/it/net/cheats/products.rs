//! Sums of products of two numbers, neither of which is fixed.

use zugzwang_circuits::net::{Linear, Net, Products, Step};

use super::{Cells, Force, Gate, Lie, Running, Trial, check};
use crate::net::operators::products;

use Gate::{Memory, Runs, Sides};

fn step(net: &mut Net) -> &mut Products {
    match &mut net.nodes[0].step {
        Step::Linear(Linear::Products(products), _) => products,
        _ => panic!("the first node is products"),
    }
}

/// The rows on which the first pair of the first node is read: left, right, left by the right one's zero point, right by
/// the left one's.
fn pair(trial: &Trial) -> Option<[usize; 4]> {
    let reads = [(0, 0), (1, 1), (0, 0), (1, 1)].map(Some);
    let start = trial.case.layout.reads.windows(4).position(|rows| *rows == reads)?;
    Some([0, 1, 2, 3].map(|i| start + i))
}

/// The first product with one of its four reads more by `add`, and what that makes of its sum.
fn read_more(trial: &Trial, read: usize, add: i64) -> Option<Cells> {
    let (row, x) = (pair(trial)?[read], &trial.case.trace.tensors);
    let [left_zero, right_zero] = step(&mut trial.case.net.clone()).zeros;
    let factor = [x[1][1], x[0][0], -right_zero, -left_zero][read];
    let mut lie = trial.of(&trial.summed(0, |a| a[0] += factor * add)?)?;
    Cells::add(lie.y(), row, add);
    Some(lie)
}

pub(crate) const LIES: &[Lie] = &[
    Lie {
        about: "another left number",
        breaks: &[Memory],
        make: |t| [1, -1].into_iter().find_map(|add| read_more(t, 0, add)),
    },
    Lie {
        about: "another right number",
        breaks: &[Memory],
        make: |t| [1, -1].into_iter().find_map(|add| read_more(t, 1, add)),
    },
    Lie {
        about: "another left number where it meets the zero point",
        breaks: &[Memory],
        make: |t| [1, -1].into_iter().find_map(|add| read_more(t, 2, add)),
    },
    Lie {
        about: "another right number where it meets the zero point",
        breaks: &[Memory],
        make: |t| [1, -1].into_iter().find_map(|add| read_more(t, 3, add)),
    },
    Lie {
        about: "a number that differs from itself in its square",
        breaks: &[Memory],
        make: |t| {
            // (x + 1)·(x − 1) instead of x².
            let number = Some((2, 0));
            let row = t.case.layout.reads.windows(2).position(|reads| reads == [number, number])?;
            let mut lie = t.of(&t.summed(1, |a| a[0] -= 1)?)?;
            Cells::add(lie.y(), row, 1);
            Cells::add(lie.y(), row + 1, -1);
            Some(lie)
        },
    },
    Lie { about: "another zero point", breaks: &[Sides], make: |t| t.swapped(|net| step(net).zeros[0] += 1) },
    Lie {
        about: "pairs exchanged between two sums",
        breaks: &[Sides],
        make: |t| t.swapped(|net| step(net).pairs.swap(0, 3)),
    },
    Lie {
        about: "the factors of two pairs exchanged",
        breaks: &[Sides],
        make: |t| {
            t.swapped(|net| {
                let pairs = &mut step(net).pairs;
                (pairs[1][1], pairs[2][1]) = (pairs[2][1], pairs[1][1]);
            })
        },
    },
    Lie {
        about: "a pair left out",
        breaks: &[Sides],
        make: |t| {
            t.swapped(|net| {
                let products = step(net);
                products.pairs.pop();
                products.starts[4] -= 1;
            })
        },
    },
    Lie { about: "an accumulator more by one, rescaled as it should be", breaks: &[Sides], make: |t| t.one_more(0) },
    Lie {
        about: "the left number of the pair before",
        breaks: &[Runs(Running::Px), Sides],
        make: |t| {
            let row = t.case.layout.reads.windows(2).position(|reads| reads == [Some((0, 1)), Some((1, 2))])?;
            Some(t.honest().force(Running::Px, row, Force::Stale))
        },
    },
    Lie {
        about: "a factor that is not the number read",
        breaks: &[Runs(Running::G), Sides],
        make: |t| Some(t.honest().force(Running::G, pair(t)?[1], Force::Stale)),
    },
    Lie {
        about: "a product left out",
        breaks: &[Runs(Running::Used), Sides],
        make: |t| Some(t.honest().force(Running::Used, pair(t)?[1], Force::Stale)),
    },
];

#[test]
fn lies_about_products_are_caught() {
    check(products, LIES);
}
