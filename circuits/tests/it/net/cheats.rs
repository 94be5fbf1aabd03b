//! Provers that cheat: each makes a complete witness, recomputes everything that runs, and is rejected by the gates.

use zugzwang_circuits::net::circuit::{Def, Shape, Witness};
use zugzwang_circuits::net::interpret;
use zugzwang_circuits::net::{Linear, Net, Step};

use super::cases::{Case, mixed, request};

type Cheat = (&'static str, fn(&Case) -> Option<Witness>);

/// A row that defines a number of tensor `t` with a quotient and remainder that `wanted` takes.
fn find(case: &Case, t: usize, wanted: impl Fn(i64, i64) -> bool) -> Option<usize> {
    let w = case.witness();
    let offset = case.layout.table.offset;
    case.layout.defs.iter().enumerate().position(|(row, def)| {
        matches!(def, Def::Number { tensor, .. } if *tensor == t) && wanted(w.first.q[row] - offset, w.first.r[row])
    })
}

/// The honest witness, changed and counted anew.
fn changed(case: &Case, change: impl FnOnce(&mut Witness)) -> Option<Witness> {
    let mut witness = case.witness();
    change(&mut witness);
    witness.count(&case.layout);
    Some(witness)
}

/// The witness of another net on the same input, in this net's circuit.
fn swapped(case: &Case, change: impl FnOnce(&mut Net)) -> Option<Witness> {
    let mut net = case.net.clone();
    change(&mut net);
    let trace = interpret::run(&net, &case.trace.tensors[..net.inputs.len()]).ok()?;
    if trace == case.trace {
        return None;
    }
    let mut witness = Witness::place(&case.layout, &net, &trace, request()).ok()?;
    witness.count(&case.layout);
    Some(witness)
}

fn weights(net: &mut Net, node: usize) -> &mut Vec<i64> {
    match &mut net.nodes[node].step {
        Step::Linear(Linear::Conv(conv), _) => &mut conv.weights,
        _ => panic!("no convolution"),
    }
}

/// The rows of the first window of which some cell is less than the maximum.
fn window(case: &Case) -> Option<Vec<usize>> {
    let first = &case.witness().first;
    let rows = |wanted: usize| {
        let is = |def: &Def| matches!(def, Def::Window { window, .. } if *window == wanted);
        (0..case.layout.defs.len()).filter(|r| is(&case.layout.defs[*r])).collect::<Vec<usize>>()
    };
    (0..20).map(rows).find(|rows| rows.iter().any(|r| first.r[*r] > 0) && rows.iter().all(|r| first.x[*r] < 255))
}

/// Every row on which the number that row `def` defines is read.
fn readers(case: &Case, def: usize) -> Vec<usize> {
    let read = case.layout.fixed.memory.as_ref().map(|m| &m.read);
    (0..=case.layout.end).filter(|r| read.is_some_and(|read| read[*r] == def as i64)).collect()
}

fn read(witness: &mut Witness, row: usize) -> Option<&mut i64> {
    witness.first.y.as_mut().map(|y| &mut y[row])
}

const CHEATS: &[Cheat] = &[
    ("a number that is not its quotient's", |case| {
        let row = find(case, 2, |q, _| q > 3)?;
        changed(case, |w| w.first.x[row] += 1)
    }),
    ("a number that is not its quotient's, changed where it is read", |case| {
        let row = find(case, 2, |q, _| q > 3)?;
        changed(case, |w| {
            w.first.x[row] += 1;
            for reader in readers(case, row) {
                read(w, reader).into_iter().for_each(|y| *y += 1);
            }
        })
    }),
    ("a remainder out of range, quotient less one", |case| {
        let row = find(case, 2, |q, _| q > 3 && q < 255)?;
        changed(case, |w| {
            w.first.q[row] -= 1;
            w.first.x[row] -= 1;
            w.first.r[row] += case.layout.fixed.scale[row];
        })
    }),
    ("rounding towards zero: a negative remainder", |case| {
        let row = find(case, 2, |q, r| q < 0 && r > 0)?;
        changed(case, |w| {
            w.first.q[row] += 1;
            w.first.r[row] -= case.layout.fixed.scale[row];
        })
    }),
    ("another weight of a convolution", |case| (0..72).find_map(|i| swapped(case, |net| weights(net, 0)[i] += 16))),
    ("another weight of the other group", |case| {
        (24..48).find_map(|i| swapped(case, |net| weights(net, 2)[i % 48] += 16))
    }),
    ("another weight of a dense layer", |case| (0..100).find_map(|i| swapped(case, |net| weights(net, 4)[i] += 16))),
    ("another weight of a sum", |case| {
        (0..38).find_map(|i| {
            swapped(case, |net| {
                if let Step::Linear(Linear::Sparse(sparse), _) = &mut net.nodes[3].step {
                    sparse.terms[i].weight += 8;
                }
            })
        })
    }),
    ("another bias", |case| {
        swapped(case, |net| {
            if let Step::Linear(_, rescale) = &mut net.nodes[0].step {
                rescale.bias.iter_mut().for_each(|b| *b += 600);
            }
        })
    }),
    ("a number read as another than was defined", |case| {
        let row = find(case, 2, |_, _| true)?;
        let reader = *readers(case, row).first()?;
        changed(case, |w| read(w, reader).into_iter().for_each(|y| *y += 1))
    }),
    ("two numbers exchanged where they are read", |case| {
        let w = case.witness();
        let rows: Vec<usize> = (0..case.layout.reads.len()).filter(|r| case.layout.reads[*r].is_some()).collect();
        let y = w.first.y.as_ref()?;
        let pair = rows.windows(2).find(|p| y[p[0]] != y[p[1]])?.to_vec();
        changed(case, |w| w.first.y.iter_mut().for_each(|y| y.swap(pair[0], pair[1])))
    }),
    ("a number on a row that reads nothing", |case| {
        let row = (3..case.layout.end).find(|r| case.layout.reads[*r].is_none())?;
        changed(case, |w| read(w, row).into_iter().for_each(|y| *y = 1))
    }),
    ("a maximum that no cell has", |case| {
        let rows = window(case)?;
        changed(case, |w| {
            rows.iter().for_each(|r| (w.first.x[*r], w.first.r[*r]) = (w.first.x[*r] + 1, w.first.r[*r] + 1))
        })
    }),
    ("a maximum that is too small", |case| {
        let rows = window(case)?;
        let w = case.witness();
        let less = rows.iter().filter(|r| w.first.r[**r] > 0).map(|r| w.first.r[*r]).min()?;
        changed(case, |w| {
            rows.iter().for_each(|r| (w.first.x[*r], w.first.r[*r]) = (w.first.x[*r] - less, w.first.r[*r] - less))
        })
    }),
    ("a maximum that differs within its window", |case| {
        let rows = window(case)?;
        let w = case.witness();
        let row = *rows.iter().skip(1).find(|r| w.first.r[**r] > 0)?;
        changed(case, |w| (w.first.x[row], w.first.r[row]) = (w.first.x[row] - w.first.r[row], 0))
    }),
    ("a border value that changes an output", |case| {
        // Moves 1 from an output to the border beside it, as if they shared a power of z.
        let defs = &case.layout.defs;
        let row = (3..defs.len()).find(|r| {
            matches!(defs[*r], Def::Number { tensor: 2, .. })
                && matches!(defs[r + 1], Def::Pair { .. } | Def::Single { .. })
        })?;
        changed(case, |w| {
            let scale = case.layout.fixed.scale[row];
            w.first.r[row] = (w.first.r[row] + 1) % scale;
            w.first.q[row + 1] -= 1;
        })
    }),
    ("an input that is not its limb's", |case| {
        let row = find(case, 0, |_, _| true)?;
        changed(case, |w| {
            let add = if w.first.x[row] == 0 { 1 } else { -1 };
            w.first.x[row] += add;
            for reader in readers(case, row) {
                read(w, reader).into_iter().for_each(|y| *y += add);
            }
        })
    }),
    ("an input of more bits than it has", |case| {
        // 256 in the lowest number, 1 less in the next: the same limb.
        let row = find(case, 0, |_, _| true)?;
        let second = row + 1;
        changed(case, |w| {
            w.first.x[row] += 256;
            w.first.x[second] -= 1;
            for (def, add) in [(row, 256), (second, -1)] {
                for reader in readers(case, def) {
                    read(w, reader).into_iter().for_each(|y| *y += add);
                }
            }
        })
    }),
];

#[test]
fn the_gates_reject_every_cheat() {
    let mut made = 0;
    for kernels in [1, 4] {
        for (name, cheat) in CHEATS {
            let case = Case::new(mixed(), Shape { kernels, k: 12 }, 1);
            assert!(case.accepts(&case.witness()), "{name}: the honest witness must pass");
            let witness = cheat(&case).unwrap_or_else(|| panic!("{name}: this net has no place for it"));
            assert!(!case.accepts(&witness), "{kernels} kernels: accepted {name}");
            made += 1;
        }
    }
    println!("{made} cheats caught");
}
