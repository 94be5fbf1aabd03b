//! Provers that cheat. Each makes a complete witness, recomputes everything that runs, and is
//! rejected by the gates and, as a real proof, by the real verifier.

use halo2_proofs::halo2curves::bn256::Fr;
use halo2_proofs::halo2curves::ff::Field;
use zugzwang_circuits::bounds;
use zugzwang_circuits::circuit::{Entry, Layout, Program, Q0, Shape, Witness};
use zugzwang_circuits::graph::{Activation, Graph};
use zugzwang_circuits::interpret::{self, Trace};
use zugzwang_circuits::prover::Prover;
use zugzwang_circuits::srs::Srs;

use super::small::{self, Case, request};

mod ranking;

type Cheat = (&'static str, fn(&Case) -> Witness);

/// The cell `(row, lane)` of some activation of tensor `t` with a quotient that `wanted` takes.
fn find(case: &Case, t: usize, wanted: impl Fn(i64, i64) -> bool) -> (usize, usize) {
    let tensor = case.layout.tensors[t];
    let cells = case.graph.board.cells();
    let witness = case.witness();
    (0..tensor.channels * cells)
        .map(|i| case.layout.cell(t, i / cells, i % cells))
        .find(|&(row, lane)| wanted(witness.first.q[lane][row] - Q0, witness.first.r[lane][row]))
        .expect("a cell of that kind")
}

/// Places a trace that is not this graph's own.
fn placed(case: &Case, trace: &Trace) -> Witness {
    Witness::place(&case.layout, &case.graph, trace, request()).expect("a witness").0
}

/// The witness with one weight of `layer` changed: the first that this input makes matter.
fn weighted(case: &Case, layer: usize, add: i32) -> Witness {
    let input = &case.trace.tensors[0];
    let matters = |i: &usize| {
        let mut graph = case.graph.clone();
        graph.layers[layer].weights[*i] += add;
        interpret::run(&graph, input).is_ok_and(|t| t.accumulators != case.trace.accumulators)
    };
    let i = (0..case.graph.layers[layer].weights.len()).find(matters).expect("a weight that matters");
    swapped(case, |g| g.layers[layer].weights[i] += add)
}

/// The witness of another graph on the same input, in this graph's circuit.
fn swapped(case: &Case, change: impl FnOnce(&mut Graph)) -> Witness {
    let mut graph = case.graph.clone();
    change(&mut graph);
    let trace = interpret::run(&graph, &case.trace.tensors[0]).expect("a trace");
    let (witness, _) = Witness::place(&case.layout, &graph, &trace, request()).expect("a witness");
    let honest = case.witness().first;
    assert!(witness.first.q != honest.q || witness.first.r != honest.r, "the change must have an effect");
    witness
}

/// Counts a cell's pair as an entry of another part of the table, as if the tag were not there.
fn forged(case: &Case, mut witness: Witness, row: usize, lane: usize, tag: i64) -> Witness {
    let missing = witness.count(&case.layout);
    assert!(missing > 0, "the pair must not be allowed under its own tag");
    let entry = Entry { input: witness.first.q[lane][row], output: witness.first.x[lane][row], tag };
    let position = case.layout.table.position(&entry).expect("an entry under the other tag");
    witness.first.m[case.layout.table_rows[position]] += 1;
    witness
}

fn tag_of(layout: &Layout, t: usize) -> i64 {
    layout.fixed.tag[layout.tensors[t].first]
}

const CHEATS: &[Cheat] = &[
    ("an activation that is not its quotient's", |case| {
        let (row, lane) = find(case, 2, |q, _| q > 3);
        let mut w = case.witness();
        w.first.x[lane][row] += 1;
        w.count(&case.layout);
        w
    }),
    ("hole 1: an activation that passes as a ranked row's mark", |case| {
        let (row, lane) = find(case, 2, |q, _| q >= 2);
        let mut w = case.witness();
        w.first.x[lane][row] = 1;
        let tag = tag_of(&case.layout, case.graph.layers.len());
        forged(case, w, row, lane, tag)
    }),
    ("hole 1: a ranked row that passes as an activation", |case| {
        let n = case.graph.layers.len();
        let (row, lane) = find(case, n, |q, _| q > 0);
        let mut w = case.witness();
        w.first.x[lane][row] = w.first.q[lane][row] - Q0;
        let tag = tag_of(&case.layout, 2);
        forged(case, w, row, lane, tag)
    }),
    ("a remainder out of range, quotient less one", |case| {
        let (row, lane) = find(case, 2, |q, _| q > 3);
        let mut w = case.witness();
        w.first.q[lane][row] -= 1;
        w.first.x[lane][row] -= 1;
        w.first.r[lane][row] += case.layout.fixed.scale[row];
        w.count(&case.layout);
        w
    }),
    ("rounding towards zero: a negative remainder", |case| {
        let (row, lane) = find(case, 2, |q, r| q < 0 && r > 0);
        let mut w = case.witness();
        w.first.q[lane][row] += 1;
        w.first.r[lane][row] -= case.layout.fixed.scale[row];
        w.count(&case.layout);
        w
    }),
    ("a remainder of another layer's shift", |case| {
        let (row, lane) = find(case, 2, |q, r| q > 3 && r == 0);
        let mut w = case.witness();
        let scale = case.layout.fixed.scale[row];
        w.first.q[lane][row] -= 1;
        w.first.x[lane][row] -= 1;
        w.first.r[lane][row] = scale;
        w.count(&case.layout);
        // `scale` is a remainder under the ranking's larger shift.
        let other = 1 << case.graph.layers.last().expect("a layer").shift[0];
        let entry = Entry { input: scale, output: other, tag: 1 };
        let position = case.layout.table.position(&entry).expect("an entry");
        w.first.m[case.layout.table_rows[position]] += 1;
        w
    }),
    ("another weight", |case| weighted(case, 1, 1)),
    ("another weight of a 1×1 layer", |case| weighted(case, 3, -3)),
    ("another bias", |case| swapped(case, |g| g.layers[2].bias[30] += 64)),
    ("hole 6: the residual left out", |case| swapped(case, |g| g.layers[2].residual = None)),
    ("hole 6: the residual with other factors", |case| {
        swapped(case, |g| g.layers[2].residual.as_mut().expect("a residual").multiplier.rotate_left(1))
    }),
    ("a layer clipped lower", |case| swapped(case, |g| g.layers[1].activation = Activation::Relu { max: 1 })),
    ("a border value that changes an output", |case| {
        // Moves 1 from an output to the border value beside it, as if they shared a monomial.
        let g = &case.layout.geometry;
        let tensor = case.layout.tensors[2];
        let b = (0..g.block_rows).find(|b| g.begins_line(*b)).expect("a line");
        let row = tensor.first + b;
        let mut w = case.witness();
        w.first.e[0][row] += 1;
        w.first.r[0][row] = (w.first.r[0][row] + 1) % case.layout.fixed.scale[row];
        w.count(&case.layout);
        w
    }),
    ("an input limb's public value changed", |case| {
        let mut w = case.witness();
        w.instances[3] += Fr::ONE;
        w
    }),
    ("the input's limbs exchanged", |case| {
        let mut w = case.witness();
        w.instances.swap(3, 4);
        w
    }),
    ("a multiplicity on the end's row instead of its entry's", |case| {
        // Every cell is honest. Programmed rows carry no entry, so their `m` must count nothing.
        let (layout, mut w) = (&case.layout, case.witness());
        assert_eq!(layout.fixed.kernel[Program::End as usize][layout.end], 1);
        let counted = layout.table_rows.iter().copied().find(|row| w.first.m[*row] > 0).expect("an entry in use");
        w.first.m[counted] -= 1;
        w.first.m[layout.end] += 1;
        w
    }),
];

fn shapes() -> [Shape; 2] {
    [(1, 1), (4, 2)].map(|(lanes, kernels_per_row)| Shape { lanes, kernels_per_row, k: 13 })
}

fn cheats() -> impl Iterator<Item = &'static Cheat> {
    CHEATS.iter().chain(ranking::CHEATS)
}

fn case_of(name: &str, shape: Shape) -> Case {
    ranking::case_of(name, shape).unwrap_or_else(|| Case::new(small::graph(7), shape, 1))
}

#[test]
fn the_gates_reject_every_cheat() {
    for shape in shapes() {
        for (name, cheat) in cheats() {
            let case = case_of(name, shape);
            assert!(case.accepts(&case.witness()), "{shape}: {name}: the honest witness must pass");
            assert!(!case.accepts(&cheat(&case)), "{shape}: accepted {name}");
        }
    }
}

/// `create_proof` gives a proof for a wrong witness too: the verifier must reject it.
#[test]
fn the_verifier_rejects_real_proofs_of_every_cheat() {
    let folder = tempfile::tempdir().expect("a folder");
    let shape = shapes()[0];
    for (name, cheat) in cheats() {
        let case = case_of(name, shape);
        let bounds = bounds::check(&case.graph).expect("bounds");
        let srs = Srs::load(shape.k, folder.path()).expect("a set-up");
        let prover = Prover::with_srs(case.graph.clone(), &bounds, shape, srs, folder.path()).expect("a prover");
        let proof = prover.prove_witness(cheat(&case), vec![], &|_| ()).expect("a proof");
        assert!(!prover.verify(&proof), "the verifier accepted {name}");
    }
}

/// Hole 2: every digit of the input is bound to its limb.
#[test]
fn every_input_digit_is_bound_to_its_limb() {
    for shape in shapes() {
        let case = Case::new(small::graph(7), shape, 1);
        let honest = case.witness();
        let cells = case.graph.board.cells();
        let mut flipped = 0;
        for (c, channel) in case.graph.input.iter().enumerate() {
            for cell in 0..channel.cells.len() {
                if channel.cells[cell].is_none() {
                    continue;
                }
                let mut input = case.trace.tensors[0].clone();
                input.values[c * cells + cell] ^= 1;
                let trace = interpret::run(&case.graph, &input).expect("a trace");
                let mut witness = placed(&case, &trace);
                // The ranking's value is the other input's own; only the limbs are the old ones.
                witness.instances[3..].copy_from_slice(&honest.instances[3..]);
                assert!(!case.accepts(&witness), "{shape}: digit {cell} of channel {c} is free");
                flipped += 1;
            }
        }
        println!("{shape}: {flipped} digits, each bound");
    }
}

/// Hole 7: an honest proof always exists, whatever the digits are.
#[test]
fn an_honest_witness_exists_for_any_input() {
    let case = Case::new(small::graph(7), shapes()[0], 1);
    for seed in 0..200 {
        let mut input = small::input(&case.graph, seed);
        for (value, digit) in input.values.iter_mut().zip(case.graph.input.iter().flat_map(|c| &c.cells)) {
            let extreme = digit.map_or(0, |d| (1i64 << d.bits) - 1);
            *value = if seed % 2 == 0 { extreme } else { (*value * 7 + seed as i64) & extreme };
        }
        let trace = interpret::run(&case.graph, &input).expect("a trace");
        Witness::new(&case.layout, &case.graph, &trace, request()).expect("a witness for any input");
    }
}

/// Hole 5: the native verifier takes exactly the circuit's instances.
#[test]
fn further_or_missing_instances_are_refused() {
    let folder = tempfile::tempdir().expect("a folder");
    let shape = shapes()[0];
    let case = Case::new(small::graph(7), shape, 1);
    let bounds = bounds::check(&case.graph).expect("bounds");
    let srs = Srs::load(shape.k, folder.path()).expect("a set-up");
    let prover = Prover::with_srs(case.graph.clone(), &bounds, shape, srs, folder.path()).expect("a prover");
    let proof = prover.prove(&case.trace.tensors[0], [7; 32], &|_| ()).expect("a proof");
    assert!(prover.verify(&proof));
    let mut longer = proof.clone();
    longer.instances.push([0; 32]);
    assert!(!prover.verify(&longer));
    let mut shorter = proof.clone();
    shorter.instances.pop();
    assert!(!prover.verify(&shorter));
    for i in 0..proof.instances.len() {
        let mut changed = proof.clone();
        changed.instances[i][31] ^= 1;
        assert!(!prover.verify(&changed), "instance {i}");
    }
    let mut bytes = proof.clone();
    bytes.bytes.push(0);
    assert!(!prover.verify(&bytes));
}

/// Digits that share a bit could be split as the prover likes, so no such graph is accepted.
#[test]
fn overlapping_digits_are_refused() {
    let mut graph = small::graph(7);
    graph.input[1].limb = 0;
    graph.input[2].limb = 0;
    let error = bounds::check(&graph).expect_err("overlapping digits").to_string();
    assert!(error.contains("which is taken"), "{error}");
}

/// Beyond 15 lanes a digit's place value would wrap and leave it free.
#[test]
fn too_many_lanes_are_refused() {
    let mut graph = small::graph(7);
    graph.board.width = 32;
    let quotients = vec![(-1, 1); graph.layers.len()];
    let shape = Shape { lanes: 16, kernels_per_row: 1, k: 13 };
    assert!(Layout::new(&graph, &quotients, shape).is_err());
}
