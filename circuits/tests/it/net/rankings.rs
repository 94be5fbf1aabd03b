//! Rankings: the integers rank as floats do, of equals the one that stands first, and the gates accept nothing else.

use rand_chacha::ChaCha20Rng;
use rand_chacha::rand_core::SeedableRng;
use zugzwang_circuits::float::{
    Conv, FloatInput, FloatNet, FloatNode, FloatOp, FloatTensor, Ranked, Sparse, Term, TopK, Windows,
};
use zugzwang_circuits::net::circuit::{Shape, Witness};
use zugzwang_circuits::net::compile::{CompileError, Compiled, Options, compile};
use zugzwang_circuits::net::interpret::{self, Trace};
use zugzwang_circuits::net::{Goal, Linear, Net, NetProver, Step, choose};
use zugzwang_circuits::srs::{MAX_K, Srs};

use super::cases::{Case, pick, request};

/// What is ranked, and how.
#[derive(Clone, Copy, Debug)]
struct Ranking {
    /// Lengths of the windows, side by side.
    windows: &'static [usize],
    k: usize,
    /// The smallest instead of the largest.
    smallest: bool,
    /// Of equals the last, positions counted from the front nevertheless.
    from_end: bool,
}

const RANKINGS: &[Ranking] = &[
    Ranking { windows: &[1], k: 1, smallest: false, from_end: false },
    Ranking { windows: &[2], k: 2, smallest: false, from_end: false },
    Ranking { windows: &[10], k: 1, smallest: false, from_end: false },
    Ranking { windows: &[10], k: 1, smallest: true, from_end: true },
    Ranking { windows: &[8], k: 8, smallest: false, from_end: false },
    Ranking { windows: &[7, 7], k: 3, smallest: true, from_end: false },
    Ranking { windows: &[5, 5, 5], k: 2, smallest: false, from_end: true },
    Ranking { windows: &[3, 9, 4], k: 3, smallest: false, from_end: false },
];

/// The nodes that the importer makes of a ranking: positions and values, both public.
fn float_net(r: Ranking, integer: bool) -> FloatNet {
    let len: usize = r.windows.iter().sum();
    let tensor = |name: &str, len: usize| FloatTensor { name: name.into(), shape: vec![1, len] };
    let mut net = FloatNet {
        tensors: vec![tensor("x", len)],
        inputs: vec![FloatInput { tensor: 0, integer }],
        ..FloatNet::default()
    };
    let mut add = |name: &str, op: FloatOp, input: usize, len: usize| {
        let output = net.tensors.len();
        net.tensors.push(tensor(name, len));
        net.nodes.push(FloatNode { name: name.into(), operator: "TopK".into(), op, inputs: vec![input], output });
        output
    };
    let signed = |weight: f32, bias: Vec<f32>| {
        let terms = (0..bias.len() as u32).map(|index| Term { input: 0, index, weight }).collect();
        FloatOp::Sparse(Sparse { starts: (0..=bias.len() as u32).collect(), terms, bias })
    };
    let ranked = if r.smallest { add("negated", signed(-1.0, vec![0.0; len]), 0, len) } else { 0 };
    let mut windows = Windows { starts: vec![0], indices: vec![] };
    for each in r.windows {
        let first = windows.indices.len() as u32;
        let mut window: Vec<u32> = (first..first + *each as u32).collect();
        if r.from_end {
            window.reverse();
        }
        windows.indices.extend(window);
        windows.starts.push(windows.indices.len() as u32);
    }
    let count = r.windows.len() * r.k;
    let top = |output| FloatOp::TopK(TopK { windows: windows.clone(), k: r.k, output });
    let mut positions = add("positions", top(Ranked::Positions), ranked, count);
    if r.from_end {
        let last = r.windows.iter().flat_map(|n| vec![*n as f32 - 1.0; r.k]).collect();
        positions = add("from the front", signed(-1.0, last), positions, count);
    }
    let mut values = add("values", top(Ranked::Values), ranked, count);
    if r.smallest {
        values = add("positive", signed(-1.0, vec![0.0; count]), values, count);
    }
    net.outputs = vec![positions, values];
    net.check().expect("a network");
    net
}

/// Inputs with ties at every place: of few different numbers, and of one alone.
fn tied(rng: &mut ChaCha20Rng, len: usize, integer: bool) -> Vec<f32> {
    let different = [1, 2, 3, 256][pick(rng, 0, 3) as usize];
    let number = |v: i64| if integer { v as f32 } else { (v - 100) as f32 / 100.0 };
    let first = pick(rng, 0, 256 - different);
    (0..len).map(|_| number(first + pick(rng, 0, different - 1))).collect()
}

fn compiled(net: &FloatNet, samples: &[Vec<Vec<f32>>]) -> Compiled {
    compile(net, samples, &Options::default()).expect("a net")
}

fn encoded(compiled: &Compiled, sample: &[Vec<f32>]) -> Vec<Vec<i64>> {
    let each = sample.iter().zip(&compiled.inputs);
    each.map(|(values, real)| values.iter().map(|v| real.encode(f64::from(*v))).collect()).collect()
}

#[test]
fn integers_rank_as_floats_do() {
    let rng = &mut ChaCha20Rng::seed_from_u64(21);
    let mut ties = 0;
    for ranking in RANKINGS {
        for integer in [true, false] {
            let float = float_net(*ranking, integer);
            let len = float.tensors[0].len();
            let mut samples: Vec<_> = (0..60).map(|_| vec![tied(rng, len, integer)]).collect();
            // The ends of the range, so that a step of the integers is a step of the samples.
            samples.push(vec![(0..len).map(|i| [-1.0, 1.55][i % 2]).collect()]);
            if integer {
                samples[60][0].fill(255.0);
            }
            let compiled = compiled(&float, &samples);
            let [positions, values] = [&compiled.outputs[0], &compiled.outputs[1]];
            assert_eq!((positions.scale, positions.zero), (1.0, 0), "{ranking:?}");
            assert_eq!(values, &compiled.inputs[0], "{ranking:?}: values are the ranked integers");
            for sample in &samples {
                let input = encoded(&compiled, sample);
                // The float network on the numbers that the integers stand for.
                let real: Vec<f32> = input[0].iter().map(|u| compiled.inputs[0].decode(*u) as f32).collect();
                let wanted = float.run(&[real]).expect("a run");
                let trace = interpret::run(&compiled.net, &input).expect("a run");
                for (n, want) in wanted.iter().enumerate() {
                    let got = &trace.tensors[compiled.net.outputs[n].tensor];
                    let got: Vec<f32> = got.iter().map(|u| compiled.outputs[n].decode(*u) as f32).collect();
                    assert_eq!(&got, want, "{ranking:?}, output {n} of {:?}", input[0]);
                }
                ties += usize::from(input[0].iter().enumerate().any(|(i, u)| input[0][..i].contains(u)));
            }
        }
    }
    assert!(ties > 500, "only {ties} inputs had equal numbers");
}

#[test]
fn gates_accept_every_ranking() {
    let rng = &mut ChaCha20Rng::seed_from_u64(22);
    for ranking in RANKINGS {
        let float = float_net(*ranking, true);
        let samples: Vec<_> = (0..3).map(|_| vec![tied(rng, float.tensors[0].len(), true)]).collect();
        let compiled = compiled(&float, &samples);
        let mut case = Case::new(compiled.net.clone(), Shape { kernels: 2, k: 12 }, 1);
        for sample in &samples {
            case.trace = interpret::run(&case.net, &encoded(&compiled, sample)).expect("a run");
            assert!(case.accepts(&case.witness()), "{ranking:?}");
        }
    }
}

/// The two best of eight numbers, of which 0, 3 and 6 are largest.
const NUMBERS: [i64; 8] = [200, 7, 199, 200, 0, 199, 200, 7];

fn case() -> Case {
    let float = float_net(Ranking { windows: &[8], k: 2, smallest: false, from_end: false }, true);
    let sample: Vec<f32> = NUMBERS.iter().map(|v| *v as f32).collect();
    let compiled = compiled(&float, &[vec![sample]]);
    let mut case = Case::new(compiled.net, Shape { kernels: 2, k: 12 }, 1);
    case.trace = interpret::run(&case.net, &[NUMBERS.to_vec()]).expect("a run");
    case
}

/// The number of the node whose name ends like this.
fn named(net: &Net, name: &str) -> usize {
    net.nodes.iter().position(|n| n.name.ends_with(name)).unwrap_or_else(|| panic!("no node {name}"))
}

/// Adds to the constant of one of a node's sums.
fn add(net: &mut Net, name: &str, row: usize, add: i64) {
    let node = named(net, name);
    match &mut net.nodes[node].step {
        Step::Linear(_, rescale) => rescale.bias[row] += add,
        _ => panic!("{name} has no constants"),
    }
}

/// What the prover claims: the net that it ran instead, and sums whose numbers are not the table's.
struct Cheat {
    name: &'static str,
    /// How the net that was run differs.
    net: fn(&mut Net),
    /// A node whose sums are stated as they should be, though its numbers don't follow from them.
    honest_sums: Option<&'static str>,
    /// Positions and values that it would prove.
    claims: ([i64; 2], [i64; 2]),
}

const CHEATS: &[Cheat] = &[
    Cheat {
        name: "a tie broken the other way",
        net: |net| add(net, "equal to the largest 1", 0, 1),
        honest_sums: None,
        claims: ([3, 0], [200, 200]),
    },
    Cheat {
        name: "a tie broken the other way, the sum honest",
        net: |net| add(net, "equal to the largest 1", 0, 1),
        honest_sums: Some("equal to the largest 1"),
        claims: ([3, 0], [200, 200]),
    },
    Cheat {
        name: "a tie broken the other way by the factors",
        net: |net| {
            let node = named(net, "places from the end 1");
            match &mut net.nodes[node].step {
                Step::Linear(Linear::Sparse(sparse), _) => sparse.terms[0].weight = 0,
                _ => panic!("no factors"),
            }
        },
        honest_sums: None,
        claims: ([3, 0], [200, 200]),
    },
    Cheat {
        name: "the second largest",
        net: |net| match &mut net.nodes[0].step {
            Step::Max(windows) => (windows.starts, windows.indices) = (vec![0, 2], vec![2, 5]),
            _ => panic!("no maximum"),
        },
        honest_sums: None,
        claims: ([2, 0], [199, 200]),
    },
    Cheat {
        name: "a position outside",
        net: |net| add(net, "position 1", 0, 8),
        honest_sums: None,
        claims: ([8, 0], [200, 200]),
    },
    Cheat {
        name: "a position outside, the sum honest",
        net: |net| add(net, "position 1", 0, 8),
        honest_sums: Some("position 1"),
        claims: ([8, 0], [200, 200]),
    },
    Cheat {
        name: "the same position twice",
        net: |net| add(net, "winner 1", 0, 1),
        honest_sums: None,
        claims: ([0, 0], [200, 200]),
    },
    Cheat {
        name: "the same position twice, the sum honest",
        net: |net| add(net, "winner 1", 0, 1),
        honest_sums: Some("winner 1"),
        claims: ([0, 0], [200, 200]),
    },
    Cheat {
        name: "the same position twice by what is left",
        net: |net| add(net, "left after 1", 0, 256),
        honest_sums: None,
        claims: ([0, 0], [200, 200]),
    },
    Cheat {
        name: "another one removed as well",
        net: |net| add(net, "winner 1", 3, 3),
        honest_sums: None,
        claims: ([0, 6], [200, 200]),
    },
    Cheat {
        name: "a value that is not the winner's",
        net: |net| add(net, "value 2", 0, 1),
        honest_sums: None,
        claims: ([0, 3], [200, 201]),
    },
    Cheat {
        name: "the ranks changed round",
        net: |net| {
            let node = named(net, "positions");
            match &mut net.nodes[node].step {
                Step::Move(from) => from.reverse(),
                _ => panic!("no moves"),
            }
        },
        honest_sums: None,
        claims: ([3, 0], [200, 200]),
    },
];

fn outputs(net: &Net, trace: &Trace) -> Vec<Vec<i64>> {
    net.outputs.iter().map(|o| trace.tensors[o.tensor].clone()).collect()
}

#[test]
fn the_gates_reject_every_other_ranking() {
    let case = case();
    assert_eq!(outputs(&case.net, &case.trace), [vec![0, 3], vec![200, 200]]);
    assert!(case.accepts(&case.witness()), "the honest witness must pass");
    for cheat in CHEATS {
        let mut net = case.net.clone();
        (cheat.net)(&mut net);
        let mut trace = interpret::run(&net, &[NUMBERS.to_vec()]).expect(cheat.name);
        assert_eq!(outputs(&net, &trace), [cheat.claims.0.to_vec(), cheat.claims.1.to_vec()], "{}", cheat.name);
        if let Some(name) = cheat.honest_sums {
            let node = named(&net, name);
            trace.accumulators[node].clone_from(&case.trace.accumulators[node]);
        }
        let mut witness = Witness::place(&case.layout, &case.net, &trace, request()).expect(cheat.name);
        witness.count(&case.layout);
        assert!(!case.accepts(&witness), "accepted {}", cheat.name);
    }
}

#[test]
fn a_real_proof_of_a_best_class_verifies() {
    let rng = &mut ChaCha20Rng::seed_from_u64(23);
    let mut float = float_net(Ranking { windows: &[10], k: 3, smallest: true, from_end: false }, false);
    // A dense layer before it.
    let weights = (0..10 * 10).map(|_| pick(rng, -100, 100) as f32 / 100.0).collect();
    let dense = Conv {
        channels: 10,
        height: 1,
        width: 1,
        out_channels: 10,
        kernel: [1, 1],
        stride: [1, 1],
        pads: [0; 4],
        dilation: [1, 1],
        groups: 1,
        weights,
        bias: vec![0.0; 10],
    };
    let logits = float.tensors.len();
    float.tensors.push(FloatTensor { name: "logits".into(), shape: vec![1, 10] });
    float.nodes[0].inputs = vec![logits];
    float.nodes.insert(
        0,
        FloatNode {
            name: "logits".into(),
            operator: "Gemm".into(),
            op: FloatOp::Conv(dense),
            inputs: vec![0],
            output: logits,
        },
    );
    float.check().expect("a network");
    let samples: Vec<_> = (0..8).map(|_| vec![(0..10).map(|_| pick(rng, -99, 99) as f32 / 50.0).collect()]).collect();
    let compiled = compiled(&float, &samples);
    let folder = tempfile::tempdir().expect("a folder");
    let shape = choose(&compiled.net, &compiled.bounds, MAX_K, Goal::Speed).expect("a shape").shape;
    let srs = Srs::load(shape.k, folder.path()).expect("a set-up");
    let prover = NetProver::new(compiled.net.clone(), shape, srs, folder.path()).expect("a prover");
    let (proof, trace, _) = prover.prove(&encoded(&compiled, &samples[0]), [9; 32], &|_| ()).expect("a proof");
    assert!(prover.verify(&proof));
    let positions = &trace.tensors[compiled.net.outputs[0].tensor];
    assert!(positions.iter().all(|p| (0..10).contains(p)));
    let mut other = proof;
    let at = other.instances.len() - 2;
    other.instances[at][31] ^= 1;
    assert!(!prover.verify(&other), "another ranking");
}

#[test]
fn a_ranking_of_too_wide_numbers_is_refused() {
    let float = float_net(RANKINGS[2], false);
    let sample: Vec<f32> = (0..10).map(|i| i as f32).collect();
    let options = Options { input_bits: 16, ..Options::default() };
    let error = compile(&float, &[vec![sample]], &options).expect_err("no table");
    assert!(matches!(error, CompileError::Entries { .. }), "{error}");
}
