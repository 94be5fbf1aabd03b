//! Maxima over windows.

use zugzwang_circuits::net::circuit::Def;
use zugzwang_circuits::net::interpret;

use super::{Cells, Force, Gate, Lie, Running, Trial, check, small};
use crate::net::operators::maxima;

use Gate::{Distance, Lookups, Memory, OneMaximum, Reached, Runs};

/// Rows of a window.
fn rows(trial: &Trial, wanted: usize) -> Vec<usize> {
    trial.rows(|def| matches!(def, Def::Window { window, .. } if *window == wanted))
}

/// The cells of a window, in order.
fn cells(trial: &Trial, window: usize) -> Vec<i64> {
    let y = trial.case.witness().first.y.unwrap_or_default();
    rows(trial, window).iter().map(|row| y[*row]).collect()
}

/// The first lie about a window that can be told.
fn of_some(trial: &Trial, lie: impl Fn(usize, &[i64], i64) -> Option<Cells>) -> Option<Cells> {
    (0..6).find_map(|window| {
        let cells = cells(trial, window);
        lie(window, &cells, *cells.iter().max()?)
    })
}

/// A maximum that no cell has: one more.
fn above(trial: &Trial) -> Option<(usize, Cells)> {
    let window = (0..6).find(|w| cells(trial, *w).iter().all(|cell| *cell < 15))?;
    Some((window, trial.of(&trial.believed(1, |x| x[window] += 1)?)?))
}

pub(crate) const LIES: &[Lie] = &[
    Lie {
        about: "the second largest cell: the distance to the largest is negative",
        breaks: &[Lookups],
        make: |t| {
            of_some(t, |w, cells, most| {
                let second = cells.iter().filter(|cell| **cell < most).max()?;
                t.of(&t.believed(1, |x| x[w] = *second)?)
            })
        },
    },
    Lie {
        about: "the least cell",
        breaks: &[Lookups],
        make: |t| of_some(t, |w, cells, _| t.of(&t.believed(1, |x| x[w] = *cells.iter().min().unwrap_or(&0))?)),
    },
    Lie { about: "a maximum that no cell has", breaks: &[Reached], make: |t| Some(above(t)?.1) },
    Lie {
        about: "a maximum that no cell has, with a distance of 0 beside a smaller cell",
        breaks: &[Distance],
        make: |t| {
            let (window, mut lie) = above(t)?;
            lie.first.r[rows(t, window)[2]] = small(0);
            Some(lie)
        },
    },
    Lie {
        about: "a maximum that no cell has, with a product of distances of 0",
        breaks: &[Runs(Running::Px)],
        make: |t| {
            let (window, lie) = above(t)?;
            Some(lie.force(Running::Px, *rows(t, window).last()?, Force::Set(small(0))))
        },
    },
    Lie {
        about: "the maximum exchanged for the first cell, on the row that others read",
        breaks: &[OneMaximum],
        make: |t| {
            of_some(t, |w, cells, most| {
                let first = *cells.first().filter(|cell| **cell < most)?;
                let mut lie = t.of(&t.believed(1, |x| x[w] = first)?)?;
                for (row, cell) in rows(t, w).into_iter().zip(cells).skip(1) {
                    (lie.first.x[row], lie.first.r[row]) = (small(most), small(most - cell));
                }
                Some(lie)
            })
        },
    },
    Lie {
        about: "a window that takes its largest cell for its least one",
        breaks: &[Memory],
        make: |t| {
            of_some(t, |w, cells, most| {
                let second = *cells.iter().filter(|cell| **cell < most).max()?;
                let mut lie = t.of(&t.believed(1, |x| x[w] = second)?)?;
                for (row, _) in rows(t, w).into_iter().zip(cells).filter(|(_, cell)| **cell == most) {
                    (lie.y()[row], lie.first.r[row]) = (small(second), small(0));
                }
                Some(lie)
            })
        },
    },
    Lie {
        about: "the maximum of the window beside it",
        breaks: &[Memory],
        make: |t| {
            // Windows 0 and 3 are above one another: the upper one reads the lower one's cells.
            let other = cells(t, 3);
            let most = *other.iter().max()?;
            let mut lie = t.of(&t.believed(1, |x| x[0] = most)?)?;
            for (row, cell) in rows(t, 0).into_iter().zip(other) {
                (lie.y()[row], lie.first.r[row]) = (small(cell), small(most - cell));
            }
            Some(lie)
        },
    },
    Lie { about: "a maximum read as another", breaks: &[Memory], make: |t| t.misread(1, |x| x[0] ^= 1) },
    Lie {
        about: "distances that are fractions",
        breaks: &[Lookups, Reached, Memory],
        make: |t| {
            let half = small(2).invert().unwrap_or(small(0));
            let mut lie = t.honest();
            for row in rows(t, 0) {
                lie.first.x[row] += half;
                lie.first.r[row] += half;
            }
            Some(lie)
        },
    },
];

#[test]
fn lies_about_maxima_are_caught() {
    check(maxima, LIES);
}

/// Of equal cells none is named as the largest, so there is nothing to choose.
#[test]
fn ties_are_no_choice() {
    for cell in [0, 7, 15] {
        let mut trial = Trial::new(maxima(), 4);
        trial.case.trace = interpret::run(&trial.case.net, &[vec![cell; 12]]).expect("a run");
        let honest = trial.honest();
        assert!(trial.breaks(&honest).is_empty());
        for row in trial.rows(|def| matches!(def, Def::Window { .. })) {
            assert_eq!((honest.first.x[row], honest.first.r[row]), (small(cell), small(0)));
        }
    }
}
