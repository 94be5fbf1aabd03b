//! `A = q·2^s + r`: quotients off by one, remainders out of range, fractions of the field.

use super::{Cells, Gate, Lie, Split, Trial, check, small};
use crate::net::operators::{rescale_of, shifts};

use Gate::{Lookups, Sides};

/// A number whose quotient is more by `add` and whose remainder makes up for it, with what follows from the new number;
/// the first for which `wanted` takes quotient, remainder and scale.
fn requotient(trial: &Trial, add: i64, wanted: fn(Split) -> bool) -> Option<(usize, Cells)> {
    let clip = |q: i64| q.clamp(0, 15);
    let (i, row) = trial.find(1, wanted)?;
    let scale = trial.case.layout.fixed.scale[row];
    let q = trial.case.witness().first.q[row] - trial.case.layout.table.offset;
    let trace = trial.believed(1, |x| x[i] = clip(q + add));
    let mut lie = trace.map_or_else(|| Some(trial.honest()), |trace| trial.of(&trace))?;
    Cells::add(&mut lie.first.q, row, add);
    Cells::add(&mut lie.first.r, row, -add * scale);
    Some((row, lie))
}

/// A remainder of the prover's choice, and the field element that is then the quotient: the number's own if nothing else
/// is said.
fn divided(trial: &Trial, remainder: impl Fn(i64, i64) -> i64) -> Option<(usize, Cells)> {
    let (_, row) = trial.find(1, |a| a.q > 0 && a.s > 1 && remainder(a.r, a.s) != a.r)?;
    let witness = trial.case.witness();
    let (r, s) = (witness.first.r[row], trial.case.layout.fixed.scale[row]);
    let mut lie = trial.honest();
    lie.first.r[row] = small(remainder(r, s));
    lie.first.q[row] += small(r - remainder(r, s)) * small(s).invert().unwrap_or(small(0));
    Some((row, lie))
}

const LIES: &[Lie] = &[
    Lie {
        about: "a quotient less one, with a remainder of 2^s and more",
        breaks: &[Lookups],
        make: |t| Some(requotient(t, -1, |a| (1..=15).contains(&a.q))?.1),
    },
    Lie {
        about: "a quotient more by one, with a negative remainder",
        breaks: &[Lookups],
        make: |t| Some(requotient(t, 1, |a| (0..15).contains(&a.q))?.1),
    },
    Lie {
        about: "rounding to nearest",
        breaks: &[Lookups],
        make: |t| Some(requotient(t, 1, |a| (0..15).contains(&a.q) && 2 * a.r >= a.s)?.1),
    },
    Lie {
        about: "rounding towards 0",
        breaks: &[Lookups],
        make: |t| Some(requotient(t, 1, |a| a.q < 0 && a.r > 0)?.1),
    },
    Lie {
        about: "the remainder's sign wrong",
        breaks: &[Sides, Lookups],
        make: |t| {
            let (_, row) = t.find(1, |a| a.r > 0)?;
            let mut lie = t.honest();
            lie.first.r[row] = -lie.first.r[row];
            Some(lie)
        },
    },
    Lie {
        about: "a remainder of the next larger shift, counted there",
        breaks: &[Lookups],
        make: |t| {
            let (row, mut lie) = requotient(t, -1, |a| (1..=15).contains(&a.q) && a.s <= 8)?;
            let (r, s) = (t.case.witness().first.r[row], t.case.layout.fixed.scale[row]);
            (t.count(&mut lie) == 1).then_some(())?;
            Cells::add(&mut lie.first.m, t.entry([r + s, 2 * s, 1])?, 1);
            lie.keep_counts = true;
            Some(lie)
        },
    },
    Lie {
        about: "a remainder more by one",
        breaks: &[Sides],
        make: |t| {
            let (_, row) = t.find(1, |a| a.r + 1 < a.s)?;
            let mut lie = t.honest();
            Cells::add(&mut lie.first.r, row, 1);
            Some(lie)
        },
    },
    Lie { about: "an accumulator more by one", breaks: &[Sides], make: |t| t.one_more(0) },
    Lie {
        // p is 1 modulo 2^28, so the accumulator and p together leave the next remainder.
        about: "the accumulator and p together: a remainder in range, a quotient of 250 bits",
        breaks: &[Lookups],
        make: |t| Some(divided(t, |r, s| (r + 1) % s)?.1),
    },
    Lie {
        about: "a remainder of 0, and a fraction of the field for a quotient",
        breaks: &[Lookups],
        make: |t| Some(divided(t, |_, _| 0)?.1),
    },
    Lie {
        about: "a quotient of 0, and everything in the remainder",
        breaks: &[Lookups],
        make: |t| {
            let (i, row) = t.find(1, |a| (1..=15).contains(&a.q))?;
            let (scale, offset) = (t.case.layout.fixed.scale[row], t.case.layout.table.offset);
            let mut lie = t.of(&t.believed(1, |x| x[i] = 0)?)?;
            let q = t.case.witness().first.q[row] - offset;
            Cells::add(&mut lie.first.q, row, -q);
            Cells::add(&mut lie.first.r, row, q * scale);
            Some(lie)
        },
    },
    Lie {
        about: "a shift more by one: a remainder of up to twice the scale",
        breaks: &[Lookups],
        make: |t| {
            (0..6).find_map(|i| {
                let lie = t.swapped(|net| rescale_of(net, 0).shift[i] += 1)?;
                // Of these numbers one is all remainder.
                (t.count(&mut lie.clone()) == 1).then_some(lie)
            })
        },
    },
    Lie { about: "another bias", breaks: &[Sides], make: |t| t.swapped(|net| rescale_of(net, 0).bias[0] += 1) },
];

#[test]
fn lies_about_quotients_and_remainders_are_caught() {
    check(shifts, LIES);
}
