//! Cheats about which outputs are listed, in which order, and against which threshold.

use halo2_proofs::halo2curves::bn256::Fr;
use halo2_proofs::halo2curves::ff::Field;
use zugzwang_circuits::bounds;
use zugzwang_circuits::circuit::{Q0, Shape, Witness};
use zugzwang_circuits::graph::Graph;
use zugzwang_circuits::interpret;

use super::{Case, Cheat, placed, small};

/// Re-ranks with `change`, as if the prover could choose.
fn ranked(case: &Case, change: impl FnOnce(&mut Vec<(usize, i64)>, &[i64])) -> Witness {
    let mut trace = case.trace.clone();
    let outputs = trace.accumulators.last().expect("outputs").values.clone();
    change(&mut trace.ranking, &outputs);
    placed(case, &trace)
}

/// Compares every output with a threshold `raised` above the real one, under flags of the prover's choice for an index
/// and the last listed one. Everything that follows is computed anew, and every cell is in the table.
fn compared(case: &Case, raised: i64, flag: fn(i64, i64) -> i64) -> Witness {
    let (layout, n) = (&case.layout, case.graph.layers.len());
    let (cells, shift) = (case.graph.board.cells(), layout.constants.rank_shift);
    let &(last, value) = case.trace.ranking.last().expect("a ranking");
    let threshold = value + raised;
    let mut w = case.witness();
    w.first.m[layout.threshold] = threshold;
    for (i, a) in case.trace.accumulators[n - 1].values.iter().enumerate() {
        let (row, lane) = layout.cell(n, i / cells, i % cells);
        let flag = flag(i as i64, last as i64);
        let excess = a - (threshold + 1 - flag);
        w.first.q[lane][row] = (excess >> shift) + Q0;
        w.first.r[lane][row] = excess & ((1 << shift) - 1);
        w.first.e[lane][row] = flag;
        w.first.m[row] = threshold;
    }
    assert_eq!(w.count(layout), 0, "the cells must all be in the table");
    w
}

pub(super) const CHEATS: &[Cheat] = &[
    ("hole 3: a mark on a row that is no output", |case| {
        let mut w = case.witness();
        let row = case.layout.threshold;
        w.first.x[0][row] = 1;
        w.count(&case.layout);
        w
    }),
    ("the best output not listed", |case| {
        ranked(case, |ranking, outputs| {
            let mut order: Vec<usize> = (0..outputs.len()).collect();
            order.sort_by_key(|i| (-outputs[*i], *i));
            ranking.remove(0);
            let next = order[ranking.len() + 1];
            ranking.push((next, outputs[next]));
        })
    }),
    ("two listed outputs exchanged", |case| ranked(case, |ranking, _| ranking.swap(0, 1))),
    ("an output listed twice", |case| ranked(case, |ranking, _| ranking[1] = ranking[0])),
    ("a listed value that is not the output's", |case| ranked(case, |ranking, _| ranking[0].1 += 1)),
    ("an index beyond the outputs", |case| {
        let mut w = case.witness();
        w.first.e[0][case.layout.list] = case.graph.outputs() as i64;
        w
    }),
    ("hole 4: of two equal outputs the later one listed", |case| {
        // The first listed output and an unlisted one are made equal in a graph of their own.
        let mut trace = case.trace.clone();
        let last = trace.ranking.len() - 1;
        let (index, value) = trace.ranking[last];
        let outputs = &trace.accumulators.last().expect("outputs").values;
        let tie = (0..outputs.len()).find(|i| *i > index && outputs[*i] == value);
        let tie = tie.expect("the tied case has equal outputs at the threshold");
        trace.ranking[last] = (tie, value);
        placed(case, &trace)
    }),
    ("a threshold one above the last listed output", |case| compared(case, 1, |i, last| i64::from(i < last))),
    ("a threshold one below the last listed output", |case| compared(case, -1, |i, last| i64::from(i < last))),
    ("the flag falls one output early", |case| compared(case, 0, |i, last| i64::from(i < last - 1))),
    ("the flag falls one output late", |case| compared(case, 0, |i, last| i64::from(i <= last))),
    ("the flag never falls", |case| compared(case, 0, |_, _| 1)),
    ("the flag rises again", |case| {
        // Late by as much as it was early, so that the place where it falls comes out right.
        compared(case, 0, |i, last| i64::from(i < last - 1 || i == last + 3))
    }),
    ("a flag of −1 makes up for a late fall", |case| {
        compared(case, 0, |i, last| i64::from(i <= last) - i64::from(i == last + 3))
    }),
    ("a flag of 2 makes up for an early fall", |case| {
        compared(case, 0, |i, last| i64::from(i < last - 1) + i64::from(i == last - 3))
    }),
    ("the ranking's public value changed", |case| {
        let mut w = case.witness();
        w.instances[2] += Fr::ONE;
        w
    }),
];

/// A case of its own, where the cheat needs one.
pub(super) fn case_of(name: &str, shape: Shape) -> Option<Case> {
    if name.starts_with("hole 4") {
        Some(tied(shape))
    } else if name == "the flag never falls" {
        Some(first_listed_last(shape))
    } else {
        None
    }
}

/// A case whose last listed output has an equal among the unlisted.
fn tied(shape: Shape) -> Case {
    let mut graph = small::graph(7);
    // Equal kernels and biases give equal outputs, cell by cell.
    let last = graph.layers.last_mut().expect("a layer");
    let (ins, cells) = (last.in_channels, 24);
    for o in 1..last.out_channels {
        last.weights.copy_within(0..ins, o * ins);
        last.bias.copy_within(0..cells, o * cells);
    }
    Case::new(graph, shape, 1)
}

/// A case whose last listed output has index 0: there the flag is never up, and as far as the place where it falls goes
/// it might as well never fall.
fn first_listed_last(shape: Shape) -> Case {
    let lists_it = |graph: &Graph| {
        let trace = interpret::run(graph, &small::input(graph, 1)).expect("a trace");
        trace.ranking.last().is_some_and(|(index, _)| *index == 0) && bounds::check(graph).is_ok()
    };
    let graph = (0..10_000).map(small::graph).find(lists_it).expect("such a graph");
    Case::new(graph, shape, 1)
}
