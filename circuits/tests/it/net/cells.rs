//! Changed cells of a valid witness, one at a time and several that may make up for one another: each change is caught, or
//! it is free for a reason that has a name.

use std::collections::BTreeMap;

use halo2_proofs::halo2curves::bn256::Fr;
use halo2_proofs::halo2curves::ff::Field;
use rand_chacha::ChaCha20Rng;
use rand_chacha::rand_core::SeedableRng;
use rayon::prelude::*;
use zugzwang_circuits::circuit::small;
use zugzwang_circuits::net::circuit::{Def, START_ROW, Witness, second_phase};

use super::cases::{mixed, pick, products};
use super::cheats::Trial;
use super::gates::Assignment;
use super::operators;

/// A column of the first phase.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Column {
    X,
    Q,
    R,
    M,
    Y,
}

use Column::{M, Q, R, X, Y};

/// What is added to a cell.
type Change = (Column, usize, i64);

/// Why a change may pass: nothing reads what is changed. `docs/net.md` lists these.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Free {
    /// `q` of a window is in no table, and its accumulator enters nothing.
    QuotientOfWindow,
    /// A border value that stands alone is `q`; its `x` is in no table and read by nobody.
    OtherHalfOfBorder,
    /// Where the table repeats an entry, only the sum of its counts matters.
    EqualEntries,
}

/// Why all of these changes together may pass, if they may.
fn why_free(trial: &Trial, changes: &[Change]) -> Option<Free> {
    let layout = &trial.case.layout;
    let mut counts: BTreeMap<[i64; 3], i64> = BTreeMap::new();
    let mut why = Free::EqualEntries;
    for (column, row, add) in changes {
        match (column, layout.defs[*row]) {
            (Q, Def::Window { .. }) => why = Free::QuotientOfWindow,
            (X, Def::Single { .. }) => why = Free::OtherHalfOfBorder,
            (M, _) => {
                let entry = [0, 1, 2].map(|i| layout.fixed.table[i][*row]);
                *counts.entry(entry).or_default() += add;
            }
            _ => return None,
        }
    }
    counts.values().all(|sum| *sum == 0).then_some(why)
}

fn cell(witness: &mut Witness, column: Column, row: usize) -> Option<&mut i64> {
    let first = &mut witness.first;
    match column {
        X => first.x.get_mut(row),
        Q => first.q.get_mut(row),
        R => first.r.get_mut(row),
        M => first.m.get_mut(row),
        Y => first.y.as_mut()?.get_mut(row),
    }
}

/// The witness with its cells changed; lookups are counted anew before counts are changed, too.
fn changed(trial: &Trial, honest: &Witness, changes: &[Change]) -> Option<Witness> {
    let mut witness = honest.clone();
    for (column, row, add) in changes.iter().filter(|(column, ..)| *column != M) {
        *cell(&mut witness, *column, *row)? += add;
    }
    witness.count(&trial.case.layout);
    for (_, row, add) in changes.iter().filter(|(column, ..)| *column == M) {
        *cell(&mut witness, M, *row)? += add;
    }
    Some(witness)
}

fn assigned(trial: &Trial, witness: &Witness) -> Assignment {
    let challenges = Trial::challenges();
    let second = second_phase(&trial.case.layout, witness, challenges);
    let first = witness.first.all().map(|column| column.iter().map(|v| small(*v)).collect());
    let advice = first.chain(second.all().cloned()).collect();
    Assignment { advice, instances: witness.instances.clone(), challenges }
}

/// Has every change caught or explained; returns how many were caught, and how many were free, by reason.
fn judge(name: &str, trial: &Trial, lists: &[Vec<Change>]) -> (usize, BTreeMap<Free, usize>) {
    let honest = trial.case.witness();
    let verdict = |changes: &Vec<Change>| {
        let witness = changed(trial, &honest, changes).expect("these cells are there");
        if !trial.gates.hold(&assigned(trial, &witness)) {
            return None;
        }
        let defs: Vec<Def> = changes.iter().map(|(_, row, _)| trial.case.layout.defs[*row]).collect();
        Some(why_free(trial, changes).unwrap_or_else(|| panic!("{name}: {changes:?} passes, on {defs:?}")))
    };
    let verdicts: Vec<Option<Free>> = lists.par_iter().map(verdict).collect();
    let mut free = BTreeMap::new();
    verdicts.iter().flatten().for_each(|why| *free.entry(*why).or_insert(0) += 1);
    (verdicts.iter().filter(|v| v.is_none()).count(), free)
}

/// A witness whose cells are to be changed, and what to choose them by.
struct Choice<'a> {
    trial: &'a Trial,
    honest: Witness,
    rng: ChaCha20Rng,
}

impl Choice<'_> {
    fn column(&mut self) -> Column {
        let columns = if self.honest.first.y.is_some() { 4 } else { 3 };
        [X, Q, R, M, Y][pick(&mut self.rng, 0, columns) as usize]
    }

    fn row(&mut self) -> usize {
        pick(&mut self.rng, START_ROW as i64, self.trial.end() as i64) as usize
    }

    fn amount(&mut self) -> i64 {
        let size = [1, 1, 2, 1 << pick(&mut self.rng, 1, 20)][pick(&mut self.rng, 0, 3) as usize];
        if pick(&mut self.rng, 0, 1) == 0 { size } else { -size }
    }

    fn of<T: Clone>(&mut self, list: &[T]) -> Option<T> {
        let last = list.len().checked_sub(1)?;
        list.get(pick(&mut self.rng, 0, last as i64) as usize).cloned()
    }

    fn number(&mut self) -> Option<usize> {
        let rows = self.trial.rows(|def| matches!(def, Def::Number { .. } | Def::Window { element: 0, .. }));
        self.of(&rows)
    }

    fn window(&mut self) -> Option<Vec<usize>> {
        let starts = self.trial.rows(|def| matches!(def, Def::Window { element: 0, .. }));
        let start = self.of(&starts)?;
        let Def::Window { window: wanted, .. } = self.trial.case.layout.defs[start] else { return None };
        Some(self.trial.rows(|def| matches!(def, Def::Window { window, .. } if *window == wanted)))
    }

    /// Every reader of a row's number, and that row.
    fn readers(&mut self) -> Option<(usize, Vec<usize>)> {
        let row = self.number()?;
        let readers = self.trial.readers(row);
        (!readers.is_empty()).then_some((row, readers))
    }
}

type Kind = (&'static str, fn(&mut Choice) -> Option<Vec<Change>>);

/// Changes that belong together. None: this net has no such cells, or this time there were none.
const KINDS: &[Kind] = &[
    ("two cells of a row", |c| {
        let (row, first, second) = (c.row(), c.column(), c.column());
        (first != second).then(|| vec![(first, row, c.amount()), (second, row, c.amount())])
    }),
    ("two cells of a row, one as much more as the other is less", |c| {
        let (row, first, second, add) = (c.row(), c.column(), c.column(), c.amount());
        (first != second).then(|| vec![(first, row, add), (second, row, -add)])
    }),
    ("a cell and the one below it, by the same", |c| {
        let (row, column, add) = (c.row().min(c.trial.end() - 1), c.column(), c.amount());
        Some(vec![(column, row, add), (column, row + 1, add)])
    }),
    ("a cell and the one below it, one as much more as the other is less", |c| {
        let (row, column, add) = (c.row().min(c.trial.end() - 1), c.column(), c.amount());
        Some(vec![(column, row, add), (column, row + 1, -add)])
    }),
    ("two cells of a column, one as much more as the other is less", |c| {
        let (first, second, column, add) = (c.row(), c.row(), c.column(), c.amount());
        (first != second).then(|| vec![(column, first, add), (column, second, -add)])
    }),
    ("two cells of a column exchanged", |c| {
        let (first, second, column) = (c.row(), c.row(), c.column());
        let [a, b] = [first, second].map(|row| cell(&mut c.honest, column, row).map_or(0, |v| *v));
        (a != b).then(|| vec![(column, first, b - a), (column, second, a - b)])
    }),
    ("two cells anywhere", |c| {
        let (first, second) = ((c.column(), c.row(), c.amount()), (c.column(), c.row(), c.amount()));
        ((first.0, first.1) != (second.0, second.1)).then(|| vec![first, second])
    }),
    ("a quotient and a remainder that keep q·2^s + r", |c| {
        let (row, add) = (c.number()?, c.amount());
        Some(vec![(Q, row, add), (R, row, -add * c.trial.case.layout.fixed.scale[row])])
    }),
    ("a quotient, its remainder and its number, all as much", |c| {
        let (row, add) = (c.number()?, c.amount());
        Some(vec![(Q, row, add), (R, row, -add * c.trial.case.layout.fixed.scale[row]), (X, row, add)])
    }),
    ("a number and one that reads it", |c| {
        let (row, readers) = c.readers()?;
        let (reader, add) = (c.of(&readers)?, c.amount());
        Some(vec![(X, row, add), (Y, reader, add)])
    }),
    ("a number and all that read it", |c| {
        let ((row, readers), add) = (c.readers()?, c.amount());
        Some(readers.into_iter().map(|reader| (Y, reader, add)).chain([(X, row, add)]).collect())
    }),
    ("two reads of one number, one as much more as the other is less", |c| {
        let (_, readers) = c.readers()?;
        let (first, second, add) = (c.of(&readers)?, c.of(&readers)?, c.amount());
        (first != second).then(|| vec![(Y, first, add), (Y, second, -add)])
    }),
    ("a maximum and its distances", |c| {
        let (rows, add) = (c.window()?, c.amount());
        Some(rows.into_iter().flat_map(|row| [(X, row, add), (R, row, add)]).collect())
    }),
    ("a maximum and its cells", |c| {
        let (rows, add) = (c.window()?, c.amount());
        Some(rows.into_iter().flat_map(|row| [(X, row, add), (Y, row, add)]).collect())
    }),
    ("a cell of a window and its distance", |c| {
        let (rows, add) = (c.window()?, c.amount());
        let row = c.of(&rows)?;
        Some(vec![(Y, row, add), (R, row, -add)])
    }),
    ("a border value and the remainder beside it", |c| {
        let rows = c.trial.rows(|def| matches!(def, Def::Pair { .. } | Def::Single { .. }));
        let (row, add, below) = (c.of(&rows)?, c.amount(), pick(&mut c.rng, 0, 1) == 0);
        let beside = if below { row + 1 } else { row - 1 };
        let column = if matches!(c.trial.case.layout.defs[row], Def::Pair { .. }) && below { X } else { Q };
        Some(vec![(column, row, add), (R, beside, -add)])
    }),
    ("a number and a count", |c| {
        let (row, entry, add) = (c.number()?, c.row(), c.amount());
        Some(vec![(X, row, add), (M, entry, 1)])
    }),
    ("two counts, of an entry that the table repeats", |c| {
        let end = c.trial.end();
        Some(vec![(M, end, c.amount()), (M, end - 1, c.amount())])
    }),
    ("two counts, of an entry that the table repeats, one as much more as the other is less", |c| {
        let (end, add) = (c.trial.end(), c.amount());
        Some(vec![(M, end, add), (M, end - 1, -add)])
    }),
];

/// The nets of each operator, and the two that have many.
fn trials() -> impl Iterator<Item = (&'static str, Trial)> {
    operators::all()
        .into_iter()
        .chain([("mixed", mixed as fn() -> _), ("all products", products)])
        .zip([1, 3].into_iter().cycle())
        .map(|((name, net), kernels)| (name, Trial::new(net(), kernels)))
}

#[test]
fn every_changed_cell_is_caught_or_free_by_name() {
    let (mut caught, mut free) = (0, BTreeMap::new());
    for (name, trial) in trials() {
        let columns = if trial.case.witness().first.y.is_some() { &[X, Q, R, M, Y][..] } else { &[X, Q, R, M] };
        // All rows of the small nets, some of the others.
        let rows = (START_ROW..=trial.end()).step_by(if trial.end() < 800 { 1 } else { 17 });
        let cells = rows.flat_map(|row| columns.iter().map(move |column| (*column, row)));
        let lists: Vec<Vec<Change>> = cells
            .enumerate()
            .flat_map(|(n, (column, row))| [[1, -1][n % 2], 1 << (1 + n % 20)].map(|add| vec![(column, row, add)]))
            .collect();
        let (net_caught, net_free) = judge(name, &trial, &lists);
        println!("{name}: {net_caught} changed cells caught, free {net_free:?}");
        caught += net_caught;
        net_free.into_iter().for_each(|(why, n)| *free.entry(why).or_insert(0) += n);
    }
    println!("{caught} changed cells caught, free {free:?}");
    assert!(caught > 12_000, "{caught}");
    // What is said to be free is.
    assert!(free.contains_key(&Free::QuotientOfWindow) && free.contains_key(&Free::OtherHalfOfBorder), "{free:?}");
}

#[test]
fn every_set_of_changed_cells_is_caught_or_free_by_name() {
    const EACH: usize = 60;
    let (mut caught, mut free) = (BTreeMap::new(), BTreeMap::new());
    for (nth, (name, trial)) in trials().enumerate() {
        let rng = ChaCha20Rng::seed_from_u64(nth as u64);
        let mut choice = Choice { trial: &trial, honest: trial.case.witness(), rng };
        for (kind, make) in KINDS {
            let lists: Vec<Vec<Change>> = (0..EACH).filter_map(|_| make(&mut choice)).collect();
            let (net_caught, net_free) = judge(&format!("{name}, {kind}"), &trial, &lists);
            *caught.entry(kind).or_insert(0) += net_caught;
            net_free.into_iter().for_each(|(why, n)| *free.entry(why).or_insert(0) += n);
        }
    }
    println!("free {free:?}, caught {caught:#?}");
    let repeated_and_balanced = KINDS.last().expect("kinds").0;
    for (kind, _) in KINDS.iter().filter(|(kind, _)| *kind != repeated_and_balanced) {
        assert!(caught.get(kind).is_some_and(|n| *n >= 60), "{kind}: {caught:?}");
    }
    assert!(free.contains_key(&Free::EqualEntries), "{free:?}");
}

/// A running column that does not follow from its row fails there or one row on.
#[test]
fn every_changed_running_cell_is_caught() {
    for (name, trial) in trials() {
        let honest = assigned(&trial, &trial.case.witness());
        let columns = trial.gates.first..trial.gates.advice;
        let cells: Vec<(usize, usize)> =
            columns.flat_map(|column| (START_ROW..=trial.end()).map(move |row| (column, row))).collect();
        let caught = cells.par_chunks(64).map(|cells| {
            let mut all = honest.clone();
            let caught = cells.iter().filter(|(column, row)| {
                let old = all.advice[*column][*row];
                all.advice[*column][*row] = old + Fr::ONE;
                let broken = trial.gates.broken_on(&all, [*row, *row + 1]);
                all.advice[*column][*row] = old;
                assert!(!broken.is_empty(), "{name}: running column {column}, row {row} passes");
                !broken.is_empty()
            });
            caught.count()
        });
        assert_eq!(caught.sum::<usize>(), cells.len());
    }
}

/// The mock prover has the same verdicts.
#[test]
fn the_mock_prover_agrees_about_changed_cells() {
    for (name, trial) in trials().step_by(3) {
        let honest = trial.case.witness();
        let mut choice = Choice { trial: &trial, honest: honest.clone(), rng: ChaCha20Rng::seed_from_u64(5) };
        assert!(trial.case.accepts(&honest), "{name}");
        for _ in 0..6 {
            let changes = vec![(choice.column(), choice.row(), choice.amount())];
            let witness = changed(&trial, &honest, &changes).expect("a witness");
            let fast = trial.gates.hold(&assigned(&trial, &witness));
            assert_eq!(trial.case.accepts(&witness), fast, "{name}: {changes:?}");
        }
    }
}
