//! The integer network against the circuit, on real positions.

use halo2_proofs::halo2curves::ff::PrimeField;
use rayon::prelude::*;
use zugzwang_circuits::{
    circuit::{Layout, Shape, Witness},
    interpret,
    model::Model,
    prover::{Prover, request_limbs},
    schema::{self, Limb, Record},
};
use zugzwang_tests::{cache, proofs, repository};

/// Positions whose witness is made.
const WITNESSES: usize = 240;
/// The shape in which chess-s is proven fastest.
const FASTEST: Shape = Shape { lanes: 2, kernels_per_row: 1, k: 14 };

pub(crate) fn model(name: &str) -> (Model, Shape) {
    let model = Model::load(&repository().join("models").join(name)).expect("model");
    let shape = model.manifest.circuit;
    let shape = Shape { lanes: shape.p, kernels_per_row: shape.kernels_per_row, k: shape.k };
    (model, shape)
}

/// Positions from all over the evaluation set.
fn records(count: usize) -> Vec<Record> {
    let bytes = std::fs::read(repository().join("models/data/evaluation.bin")).expect("positions");
    let all = Record::parse_all(&bytes).expect("records");
    let step = all.len() / count;
    all.into_iter().step_by(step).take(count).collect()
}

fn request(seed: u8) -> [u8; 32] {
    std::array::from_fn(|i| (i as u8).wrapping_mul(37) ^ seed)
}

/// The seven instances of a proof about `record`, made without the circuit.
fn expected(model: &Model, record: &Record, request: [u8; 32]) -> Vec<[u8; 32]> {
    let trace = interpret::run(&model.graph, &record.board.to_tensor()).expect("trace");
    // The ranking once more, by sorting everything.
    let outputs = &trace.accumulators.last().expect("layers").values;
    let mut order: Vec<usize> = (0..outputs.len()).collect();
    order.sort_by_key(|i| (std::cmp::Reverse(outputs[*i]), *i));
    let ranked: Vec<(usize, i64)> = order.iter().take(model.graph.top).map(|i| (*i, outputs[*i])).collect();
    assert_eq!(trace.ranking, ranked);

    let half = |half: &[u8]| {
        let mut word = [0; 32];
        word[16..].copy_from_slice(half);
        word
    };
    let limbs: [Limb; 4] = record.board.to_limbs();
    let ranking = schema::pack_ranking(&model.graph, &ranked);
    let mut words = vec![half(&request[..16]), half(&request[16..]), schema::to_be_bytes(&ranking)];
    words.extend(limbs.iter().map(schema::to_be_bytes));
    words
}

#[test]
fn every_cell_of_a_real_positions_witness_is_in_the_table() {
    for name in ["chess-s", "chess-m"] {
        let (model, shape) = model(name);
        let quotients: Vec<(i64, i64)> = model.bounds.layers.iter().map(|l| (l.q_min, l.q_max)).collect();
        let layout = Layout::new(&model.graph, &quotients, shape).expect("layout");
        let records = records(WITNESSES);
        records.par_iter().enumerate().for_each(|(i, record)| {
            let request = request(i as u8);
            let trace = interpret::run(&model.graph, &record.board.to_tensor()).expect("trace");
            let witness = Witness::new(&layout, &model.graph, &trace, request_limbs(&request))
                .unwrap_or_else(|e| panic!("{name}, position {i}: {e}"));
            let instances: Vec<[u8; 32]> = witness
                .instances
                .iter()
                .map(|value| {
                    let mut word = value.to_repr();
                    word.reverse();
                    word
                })
                .collect();
            assert_eq!(instances, expected(&model, record, request), "{name}, position {i}");
        });
        println!("{name}: witnesses and instances of {} real positions agree with the integer network", records.len());
    }
}

/// Proves labelled positions, has the native verifier judge each proof, and compares all that is public with what the
/// integer network says.
fn check(name: &str, shape: Option<Shape>, count: usize) {
    let (model, own) = model(name);
    let shape = shape.unwrap_or(own);
    let prover = Prover::new(&model, shape, &cache()).expect("prover");
    let records = records(count);
    for (i, record) in records.iter().enumerate() {
        let request = request(i as u8);
        let mut proof = prover.prove(&record.board.to_tensor(), request, &|_| ()).expect("proof");
        assert_eq!(proof.instances, expected(&model, record, request), "{name}, position {i}");
        assert!(prover.verify(&proof), "{name}, position {i}");
        // About nothing else than this.
        for instance in 0..proof.instances.len() {
            proof.instances[instance][31] ^= 1;
            assert!(!prover.verify(&proof), "{name}, position {i}, instance {instance}");
            proof.instances[instance][31] ^= 1;
        }
    }
    println!(
        "{name}, shape {shape}: the proofs of {} labelled positions verify, rank as the integer network does, and none \
         verifies with an instance changed",
        records.len()
    );
}

#[test]
fn what_the_integer_network_says_is_proven() {
    check("chess-s", Some(FASTEST), proofs());
}

#[test]
fn so_is_what_the_larger_networks_say() {
    check("chess-m", None, 2);
    check("chess-l", None, 1);
}
