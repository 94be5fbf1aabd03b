//! Honest witnesses satisfy every gate, in every shape.

use zugzwang_circuits::circuit::Shape;

use super::small::{self, Case};

fn check(graph: zugzwang_circuits::graph::Graph, lanes: usize, kernels_per_row: usize, k: u32) {
    for seed in 0..2 {
        let case = Case::new(graph.clone(), Shape { lanes, kernels_per_row, k }, seed);
        let failures = case.failures(&case.witness());
        assert!(
            failures.is_empty(),
            "p={lanes} kpr={kernels_per_row}: {} {:#?}",
            failures.len(),
            &failures[..failures.len().min(4)]
        );
    }
}

#[test]
fn boards_of_every_shape() {
    for (lanes, kernels_per_row) in [(1, 1), (1, 3), (2, 1), (2, 2), (4, 1), (4, 2)] {
        check(small::graph(7), lanes, kernels_per_row, 14);
    }
}

#[test]
fn dense_graphs() {
    for kernels_per_row in [7, 9, 16] {
        check(small::dense(3), 1, kernels_per_row, 14);
    }
}
