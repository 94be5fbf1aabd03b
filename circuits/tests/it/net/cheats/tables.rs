//! Functions by table: another row, another function's, another kind of row's, and what counts them.

use halo2_proofs::halo2curves::bn256::Fr;
use halo2_proofs::halo2curves::ff::Field;
use zugzwang_circuits::net::interpret;

use super::{Cells, Force, Gate, Lie, Running, Trial, check, small};
use crate::net::operators::{FUNCTIONS, functions};

use Gate::{Lookups, Runs, Sides};

fn tensor(name: &str) -> usize {
    1 + FUNCTIONS.iter().position(|(function, _)| *function == name).expect("a function")
}

/// A number of `function` that is `value`, with one lookup of `entry` more: as if the tag were not there. The input's
/// numbers are all `input`, so that the number's own quotient suits that entry.
fn forged(trial: &Trial, function: &str, input: i64, value: i64, entry: [i64; 3]) -> Option<Cells> {
    let mut trace = interpret::run(&trial.case.net, &[vec![input; 4]]).ok()?;
    let (tensor, row) = (tensor(function), trial.row(tensor(function), 0));
    if trace.tensors[tensor][0] == value {
        return None;
    }
    trace.tensors[tensor][0] = value;
    let mut lie = trial.of(&trace)?;
    (trial.count(&mut lie) == 1).then_some(())?;
    if lie.first.q[row] != small(entry[0]) || lie.first.x[row] != small(entry[1]) {
        return None;
    }
    Cells::add(&mut lie.first.m, trial.entry(entry)?, 1);
    lie.keep_counts = true;
    Some(lie)
}

fn tag(trial: &Trial, tensor: usize) -> i64 {
    trial.case.layout.fixed.tag[trial.row(tensor, 0)]
}

/// The honest witness with other counts.
fn counted(trial: &Trial, change: impl FnOnce(&mut Vec<Fr>, usize, usize)) -> Option<Cells> {
    let mut lie = trial.honest();
    let m = &mut lie.first.m;
    let used = m.iter().position(|m| *m != Fr::ZERO)?;
    let unused = (used..m.len()).find(|row| m[*row] == Fr::ZERO)?;
    change(m, used, unused);
    lie.keep_counts = true;
    Some(lie)
}

const LIES: &[Lie] = &[
    Lie {
        about: "the number of the quotient after it",
        breaks: &[Lookups],
        make: |t| {
            let table = &t.case.net.tables[tensor("Sigmoid") - 1];
            let (i, row) = t.find(tensor("Sigmoid"), |a| table.get(a.q + 1).is_some_and(|x| x != a.x))?;
            let q = t.case.witness().first.q[row] - t.case.layout.table.offset;
            t.of(&t.believed(tensor("Sigmoid"), |x| x[i] = table.get(q + 1).unwrap_or(0))?)
        },
    },
    Lie {
        about: "another function of the same quotient",
        breaks: &[Lookups],
        make: |t| {
            let other = t.case.trace.tensors[tensor("Abs")].clone();
            t.of(&t.believed(tensor("Relu"), |x| *x = other)?)
        },
    },
    Lie {
        about: "another function's entry, counted",
        breaks: &[Lookups],
        make: |t| {
            (0..16).find_map(|input| {
                let x = interpret::run(&t.case.net, &[vec![input; 4]]).ok()?.tensors[tensor("Abs")][0];
                // q = input − 8, and the offset is 8.
                forged(t, "Relu", input, x, [input, x, tag(t, tensor("Abs"))])
            })
        },
    },
    Lie {
        about: "an input's entry, counted",
        breaks: &[Lookups],
        make: |t| (0..16).find_map(|x| forged(t, "Abs", 0, x, [0, x, tag(t, 0)])),
    },
    Lie {
        about: "a remainder's entry, counted",
        breaks: &[Lookups],
        // (r, 2^s) = (1, 2) taken for a quotient of 1 − 8 and its number.
        make: |t| forged(t, "Sign", 1, 2, [1, 2, 1]),
    },
    Lie {
        about: "the entry of rows without a number, counted",
        breaks: &[Lookups],
        make: |t| forged(t, "Abs", 0, 0, [0, 0, 0]),
    },
    Lie {
        about: "the right number for another quotient",
        breaks: &[Sides],
        make: |t| t.of(&t.summed(tensor("Tanh") - 1, |a| a[0] += if a[0] > 0 { -2 } else { 2 })?),
    },
    Lie { about: "a count too many", breaks: &[Lookups], make: |t| counted(t, |m, used, _| m[used] += Fr::ONE) },
    Lie {
        about: "a count on another entry",
        breaks: &[Lookups],
        make: |t| {
            counted(t, |m, used, unused| {
                m[used] -= Fr::ONE;
                m[unused] += Fr::ONE;
            })
        },
    },
    Lie {
        about: "a negative count, made up for elsewhere",
        breaks: &[Lookups],
        make: |t| {
            counted(t, |m, used, unused| {
                m[used] += Fr::ONE;
                m[unused] -= Fr::ONE;
            })
        },
    },
    Lie {
        about: "counts that are fractions and come to the same sum",
        breaks: &[Lookups],
        make: |t| {
            let half = small(2).invert().unwrap_or(Fr::ZERO);
            counted(t, |m, used, unused| {
                m[used] -= half;
                m[unused] += half;
            })
        },
    },
    Lie {
        about: "a count after the table's end",
        breaks: &[Lookups],
        make: |t| {
            counted(t, |m, used, _| {
                m[used] -= Fr::ONE;
                m.push(Fr::ONE);
            })
        },
    },
    Lie {
        about: "a lookup left out of the sum",
        breaks: &[Runs(Running::Looked), Lookups],
        make: |t| Some(t.honest().force(Running::Looked, t.row(tensor("Exp"), 0), Force::Stale)),
    },
    Lie {
        about: "a wrong number, and its lookup made up for at the end",
        breaks: &[Runs(Running::Looked)],
        make: |t| {
            let lie = t.of(&t.believed(tensor("Exp"), |x| x[0] ^= 1)?)?;
            Some(lie.force(Running::Looked, t.end(), Force::Minus(Running::Rested)))
        },
    },
];

#[test]
fn lies_about_tables_are_caught() {
    check(functions, LIES);
}

/// Every number but the right one, for every function.
#[test]
fn a_quotient_has_one_number() {
    let trial = Trial::new(functions(), 1);
    for (name, _) in FUNCTIONS {
        let (tensor, mut lies) = (tensor(name), 0);
        for value in 0..16 {
            let Some(trace) = trial.believed(tensor, |x| x[1] = value) else { continue };
            let mut lie = trial.of(&trace).expect("a witness");
            trial.count(&mut lie);
            assert_eq!(trial.breaks(&lie), [Lookups].into(), "{name}: {value}");
            lies += 1;
        }
        assert_eq!(lies, 15, "{name}");
    }
}
