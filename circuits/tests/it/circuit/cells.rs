//! Random changes of single cells of a valid witness: every one must be caught.

use std::collections::BTreeMap;
use std::sync::Arc;

use halo2_proofs::dev::MockProver;
use rand_chacha::ChaCha20Rng;
use rand_chacha::rand_core::SeedableRng;
use zugzwang_circuits::circuit::{Layout, ModelCircuit, Program, START_ROW, Shape, small};

use super::patched::{Patch, Patched};
use super::small::{self as cases, Case, pick};

/// Names of the advice columns, in the order of a patch's numbers.
fn names(layout: &Layout) -> Vec<(&'static str, usize)> {
    let lanes = layout.shape.lanes;
    let each = |name| (0..lanes).map(move |l| (name, l));
    let mut names: Vec<_> = each("x").chain(each("q")).chain(each("r")).chain(each("e")).collect();
    names.push(("m", 0));
    names.extend((0..2 * lanes).map(|i| ("sum", i)));
    names.extend((2..lanes).map(|l| ("ranked", l)));
    names.extend([("px", 0), ("py", 0), ("g", 0), ("total", 0)]);
    names
}

/// Whether a cell means anything. What is left out is read by no gate:
/// `e` where no border, mark or index stands; `m` on rows that neither count entries nor hold a
/// key or threshold; `g` outside ordinary rows unless it carries a lane of the ranking.
fn means(layout: &Layout, name: &str, lane: usize, row: usize) -> bool {
    let (f, g) = (&layout.fixed, &layout.geometry);
    let does = |p: Program| f.program[row] == 1 && f.kernel[p as usize][row] == 1;
    match name {
        "e" => {
            f.rank[row] == 1
                || (lane == 0 && does(Program::Entry))
                || (lane + 1 == layout.shape.lanes && does(Program::Threshold))
                || (g.taps == 9 && (f.border[0][row] > 0 || (lane == 0 && f.step[row] == 2)))
        }
        "m" => {
            f.ordinary[row] == 1
                || f.rank[row] == 1
                || does(Program::Entry)
                || does(Program::Hold)
                || does(Program::Threshold)
        }
        "g" => f.ordinary[row] == 1 || layout.shape.lanes >= 2,
        _ => true,
    }
}

fn check(shape: Shape, cells: usize) -> usize {
    let case = Case::new(cases::graph(7), shape, 1);
    let witness = Arc::new(case.witness());
    let circuit = ModelCircuit { layout: case.layout.clone(), witness: None, with_fixed: true };
    let names = names(&case.layout);
    let mut rng = ChaCha20Rng::seed_from_u64(11);
    let mut caught: BTreeMap<&str, usize> = BTreeMap::new();
    for i in 0..cells {
        let column = i % names.len();
        let (name, lane) = names[column];
        let row = loop {
            let row = pick(&mut rng, START_ROW as i64, case.layout.end as i64) as usize;
            if means(&case.layout, name, lane, row) {
                break row;
            }
        };
        let add = match pick(&mut rng, 0, 3) {
            0 => small(1),
            1 => -small(1),
            2 => small(1 << pick(&mut rng, 1, 40)),
            _ => small(3) * halo2_proofs::halo2curves::bn256::Fr::from(2).invert().unwrap(),
        };
        let patch = Patch { column, row, add };
        let patched = Patched { circuit: circuit.clone(), witness: witness.clone(), patch };
        let prover = MockProver::run(shape.k, &patched, vec![witness.instances.clone()]).unwrap();
        // Gates reach one row back, so a change of one cell can only fail here and one row on.
        let rows = row..(row + 2);
        let ok = prover.verify_at_rows(rows, 0..0).is_ok();
        assert!(!ok, "{shape}: {name}[{lane}] row {row} + {add:?} was accepted");
        *caught.entry(name).or_default() += 1;
    }
    println!("{shape}: {cells} single-cell changes, all caught: {caught:?}");
    cells
}

#[test]
fn every_change_of_a_single_cell_is_caught() {
    let total: usize = [(1, 1, 300), (2, 1, 150), (4, 2, 150)]
        .map(|(lanes, kernels_per_row, cells)| check(Shape { lanes, kernels_per_row, k: 13 }, cells))
        .iter()
        .sum();
    assert!(total >= 500);
}

/// A first-phase cell changed before the challenges are drawn, with multiplicities and everything
/// that runs computed anew: no change may pass.
#[test]
fn every_recomputed_change_is_caught() {
    for (lanes, kernels_per_row, changes) in [(1, 1, 40), (4, 2, 40)] {
        let case = Case::new(cases::graph(7), Shape { lanes, kernels_per_row, k: 13 }, 1);
        let layout = &case.layout;
        let names = names(layout);
        let mut rng = ChaCha20Rng::seed_from_u64(12);
        for i in 0..changes {
            let column = i % (4 * lanes + 1);
            let (name, lane) = names[column];
            let row = loop {
                let row = pick(&mut rng, START_ROW as i64, layout.end as i64) as usize;
                let listed = (layout.list..layout.threshold).contains(&row);
                // On the list's rows only the first lane's limbs are read, and on the first not even they.
                let read = !listed || name == "m" || (lane == 0 && row > layout.list);
                // Multiplicities are computed anew on ordinary rows.
                let kept = name != "m" || layout.fixed.ordinary[row] == 0;
                if means(layout, name, lane, row) && read && kept {
                    break row;
                }
            };
            let mut witness = case.witness();
            let value = witness.first.all_mut().nth(column).and_then(|c| c.get_mut(row)).expect("a cell");
            *value += if i % 2 == 0 { 1 } else { -1 };
            witness.count(layout);
            assert!(!case.accepts(&witness), "p={lanes}: {name}[{lane}] row {row} was accepted");
        }
        println!("p={lanes}: {changes} recomputed changes, all caught");
    }
}
