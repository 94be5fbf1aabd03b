//! Numbers by address: read as others, as those of other addresses, as themselves and others.

use zugzwang_circuits::net::circuit::{Def, START_ROW};

use super::{Cells, Force, Gate, Lie, Running, Trial, check, small};
use crate::net::operators::dense;

use Gate::{Lookups, Memory, Runs};

/// The rows on which numbers of the first layer are made public.
fn published(trial: &Trial, index: usize) -> Option<usize> {
    trial.case.layout.reads.iter().position(|read| *read == Some((1, index)))
}

const LIES: &[Lie] = &[
    Lie { about: "numbers read otherwise than defined", breaks: &[Memory], make: |t| t.misread(1, |x| x[0] ^= 1) },
    Lie {
        about: "one public input, another that the net runs on",
        breaks: &[Memory],
        make: |t| t.misread(0, |x| x.iter_mut().for_each(|x| *x = 15 - *x)),
    },
    Lie {
        about: "two numbers exchanged wherever they are read",
        breaks: &[Memory],
        make: |t| (1..6).find_map(|i| t.misread(0, |x| x.swap(0, i))),
    },
    Lie {
        about: "a stale number: the one that was read before",
        breaks: &[Memory],
        make: |t| (1..6).find_map(|i| t.misread(0, |x| x[i] = x[i - 1])),
    },
    Lie {
        about: "one number made public, another that the next layer reads",
        breaks: &[Memory],
        make: |t| {
            let mut lie = t.misread(1, |x| x[0] ^= 1)?;
            let (honest, row) = (t.honest(), published(t, 0)?);
            lie.y()[row] = honest.first.x[t.row(1, 0)];
            // The second output's limb is the last one.
            *lie.instances.last_mut()? = *honest.instances.last()?;
            Some(lie)
        },
    },
    Lie {
        about: "one number that the next layer reads, another made public",
        breaks: &[Memory],
        make: |t| {
            let mut lie = t.honest();
            let row = published(t, 0)?;
            Cells::add(lie.y(), row, 1);
            *lie.instances.last_mut()? += small(1);
            Some(lie)
        },
    },
    Lie {
        about: "a number read where none is",
        breaks: &[Memory],
        make: |t| {
            let reads = &t.case.layout.reads;
            let row = (START_ROW..t.end()).find(|row| reads[*row].is_none())?;
            let mut lie = t.honest();
            lie.y()[row] = small(1);
            Some(lie)
        },
    },
    Lie {
        about: "the number of the row that defines 0",
        breaks: &[Lookups],
        make: |t| {
            let mut lie = t.honest();
            lie.first.x[START_ROW] = small(1);
            for row in t.readers(0) {
                lie.y()[row] = small(1);
            }
            Some(lie)
        },
    },
    Lie {
        about: "a number defined on a row without one",
        breaks: &[Lookups],
        make: |t| {
            let mut lie = t.honest();
            let row = t.rows(|def| matches!(def, Def::Idle)).into_iter().find(|row| *row > START_ROW)?;
            lie.first.x[row] = small(1);
            Some(lie)
        },
    },
    Lie {
        about: "a read left out of the sum",
        breaks: &[Runs(Running::Reads), Memory],
        make: |t| Some(t.honest().force(Running::Reads, published(t, 0)?, Force::Stale)),
    },
    Lie {
        about: "a number's uses left out of the sum",
        breaks: &[Runs(Running::Defs), Memory],
        make: |t| Some(t.honest().force(Running::Defs, t.row(1, 0), Force::Stale)),
    },
    Lie {
        about: "numbers read otherwise than defined, made up for at the end",
        breaks: &[Runs(Running::Reads)],
        make: |t| {
            let lie = t.misread(1, |x| x[0] ^= 1)?;
            Some(lie.force(Running::Reads, t.end(), Force::Minus(Running::Defs)))
        },
    },
];

#[test]
fn lies_about_numbers_by_address_are_caught() {
    check(dense, LIES);
}
