//! A small graph with every kind of layer, on a 3×8 board: proofs of it take little time.

use std::sync::Arc;

use halo2_proofs::dev::MockProver;
use halo2_proofs::halo2curves::bn256::Fr;
use rand_chacha::ChaCha20Rng;
use rand_chacha::rand_core::{RngCore, SeedableRng};
use zugzwang_circuits::bounds;
use zugzwang_circuits::circuit::{Layout, ModelCircuit, Shape, Witness};
use zugzwang_circuits::graph::{Activation, Board, Digit, Graph, InputChannel, Layer, Residual, Tensor};
use zugzwang_circuits::interpret::{self, Trace};

const BOARD: Board = Board { height: 3, width: 8 };
const CELLS: usize = 24;

/// Uniform in `low..=high`.
pub(crate) fn pick(rng: &mut ChaCha20Rng, low: i64, high: i64) -> i64 {
    low + (rng.next_u64() % (high - low + 1) as u64) as i64
}

/// Encode, 3×3, 3×3 with a residual, 1×1, ranked 1×1: 6 × 24 outputs, the first 5 are listed.
pub(crate) fn graph(seed: u64) -> Graph {
    let mut rng = ChaCha20Rng::seed_from_u64(seed);
    let channel = |limb: usize| InputChannel {
        limb,
        cells: (0..CELLS).map(|i| Some(Digit { bits: 4, offset: 4 * i as u32 })).collect(),
    };
    let half = InputChannel {
        limb: 1,
        cells: (0..CELLS).map(|i| (i < 8).then_some(Digit { bits: 4, offset: 96 + 4 * i as u32 })).collect(),
    };
    let mut layer = |name: &str, ins: usize, outs: usize, kernel: usize, shift: u32, activation| Layer {
        name: name.into(),
        in_channels: ins,
        out_channels: outs,
        kernel,
        weights: (0..ins * outs * kernel * kernel).map(|_| pick(&mut rng, -40, 40) as i32).collect(),
        bias: (0..outs).flat_map(|_| vec![pick(&mut rng, -300, 300); CELLS]).collect(),
        residual: None,
        shift: vec![shift; outs],
        activation,
    };
    let relu = Activation::Relu { max: 255 };
    let mut encode = layer("encode", 3, 4, 1, 0, Activation::IsZero);
    encode.weights = vec![1, 0, 0, 1, 0, 0, 0, 1, 0, 0, 1, 1];
    encode.bias = [-1, -2, -1, -1].iter().flat_map(|b| vec![*b; CELLS]).collect();
    let first = layer("conv1", 4, 6, 3, 1, relu);
    let mut second = layer("conv2", 6, 6, 3, 7, relu);
    second.residual = Some(Residual { tensor: 2, multiplier: (0..6).map(|i| 20 + i).collect() });
    let mut shifts = layer("narrow", 6, 5, 1, 4, relu);
    shifts.shift = vec![4, 5, 4, 5, 4];
    let ranked = layer("policy", 5, 6, 1, 6, Activation::Rank);
    Graph {
        board: BOARD,
        input: vec![channel(0), channel(1), half],
        layers: vec![encode, first, second, shifts, ranked],
        top: 5,
    }
}

/// A dense graph: 40 bytes → 12 → 7 classes, the first 3 listed.
pub(crate) fn dense(seed: u64) -> Graph {
    let mut rng = ChaCha20Rng::seed_from_u64(seed);
    let mut layer = |ins: usize, outs: usize, shift: u32, activation| Layer {
        name: format!("dense{outs}"),
        in_channels: ins,
        out_channels: outs,
        kernel: 1,
        weights: (0..ins * outs).map(|_| pick(&mut rng, -30, 30) as i32).collect(),
        bias: (0..outs).map(|_| pick(&mut rng, -300, 300)).collect(),
        residual: None,
        shift: vec![shift; outs],
        activation,
    };
    Graph {
        board: Board { height: 1, width: 1 },
        input: (0..40)
            .map(|i| InputChannel { limb: i / 31, cells: vec![Some(Digit { bits: 8, offset: 8 * (i % 31) as u32 })] })
            .collect(),
        layers: vec![layer(40, 12, 7, Activation::Relu { max: 255 }), layer(12, 7, 6, Activation::Rank)],
        top: 3,
    }
}

/// Random digits for `graph`.
pub(crate) fn input(graph: &Graph, seed: u64) -> Tensor {
    let mut rng = ChaCha20Rng::seed_from_u64(seed);
    let values = graph
        .input
        .iter()
        .flat_map(|c| &c.cells)
        .map(|d| d.map_or(0, |d| if d.bits == 4 { pick(&mut rng, 0, 4) } else { pick(&mut rng, 0, (1 << d.bits) - 1) }))
        .collect();
    Tensor { cells: graph.board.cells(), values }
}

pub(crate) fn request() -> [Fr; 2] {
    [Fr::from(0x1234), Fr::from(0x5678)]
}

/// A graph laid out, with an honest trace.
pub(crate) struct Case {
    pub(crate) graph: Graph,
    pub(crate) layout: Arc<Layout>,
    pub(crate) trace: Trace,
}

impl Case {
    pub(crate) fn new(graph: Graph, shape: Shape, seed: u64) -> Self {
        let quotients: Vec<(i64, i64)> =
            bounds::check(&graph).expect("bounds").layers.iter().map(|l| (l.q_min, l.q_max)).collect();
        let layout = Arc::new(Layout::new(&graph, &quotients, shape).expect("a layout"));
        let trace = interpret::run(&graph, &input(&graph, seed)).expect("a trace");
        Self { graph, layout, trace }
    }

    pub(crate) fn witness(&self) -> Witness {
        Witness::new(&self.layout, &self.graph, &self.trace, request()).expect("a witness")
    }

    /// Whether every gate holds.
    pub(crate) fn accepts(&self, witness: &Witness) -> bool {
        self.failures(witness).is_empty()
    }

    /// The gates that do not hold.
    pub(crate) fn failures(&self, witness: &Witness) -> Vec<String> {
        let circuit =
            ModelCircuit { layout: self.layout.clone(), witness: Some(Arc::new(witness.clone())), with_fixed: true };
        let prover = MockProver::run(self.layout.shape.k, &circuit, vec![witness.instances.clone()])
            .expect("the circuit synthesises");
        match prover.verify() {
            Ok(()) => vec![],
            Err(e) => e.iter().map(|e| format!("{e:?}").chars().take(300).collect()).collect(),
        }
    }
}
