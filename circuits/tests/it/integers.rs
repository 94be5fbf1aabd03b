//! The integer interpreter, the provable bounds and the committed models.

use std::fs;

use zugzwang_circuits::bounds::{GraphError, check};
use zugzwang_circuits::graph::{Activation, Board, Digit, Graph, InputChannel, Layer, Residual, Tensor};
use zugzwang_circuits::interpret::{InterpretError, run};
use zugzwang_circuits::model::{CircuitShape, Model, ModelError, binary, compile_chess, model_id};
use zugzwang_circuits::quantise::{Front, Options, QuantiseError, quantise, quantise_bytes};
use zugzwang_circuits::schema::{PackedBoard, Record, SchemaError, from_limbs, limbs, pack_ranking, unpack_ranking};

use crate::import::model_dir;

/// A small generator, so that tests need no seed file.
struct Numbers(u64);

impl Numbers {
    fn next(&mut self, below: u64) -> i64 {
        self.0 = self.0.wrapping_mul(6364136223846793005).wrapping_add(1442695040888963407);
        ((self.0 >> 33) % below) as i64
    }
}

/// Two nibble channels on a 3×4 board, 3×3 convolutions, a residual, per-cell biases.
fn small_graph() -> Graph {
    let mut n = Numbers(7);
    let board = Board { height: 3, width: 4 };
    let channel = |limb| InputChannel {
        limb,
        cells: (0..12).map(|i| (i != 5).then_some(Digit { bits: 4, offset: 4 * i })).collect(),
    };
    let mut layer = |in_channels: usize, out_channels: usize, kernel: usize, shift: u32, activation| Layer {
        name: format!("l{in_channels}-{out_channels}"),
        in_channels,
        out_channels,
        kernel,
        weights: (0..in_channels * out_channels * kernel * kernel).map(|_| n.next(61) as i32 - 30).collect(),
        bias: (0..out_channels * 12).map(|_| n.next(900) - 450).collect(),
        residual: None,
        shift: vec![shift; out_channels],
        activation,
    };
    let mut layers = vec![
        layer(2, 3, 3, 3, Activation::Relu { max: 255 }),
        layer(3, 3, 3, 5, Activation::Relu { max: 255 }),
        layer(3, 2, 1, 6, Activation::Rank),
    ];
    layers[1].residual = Some(Residual { tensor: 1, multiplier: vec![32, 0, 7] });
    layers[0].shift = vec![3, 2, 4];
    Graph { board, input: vec![channel(0), channel(1)], layers, top: 5 }
}

fn small_input(seed: u64) -> Tensor {
    let mut n = Numbers(seed);
    let value = |i: usize, v: i64| if i % 12 == 5 { 0 } else { v };
    Tensor { cells: 12, values: (0..24).map(|i| value(i, n.next(16))).collect() }
}

/// `A` written out by the book.
fn naive(l: &Layer, board: Board, tensors: &[Tensor]) -> Vec<i64> {
    let (cells, x) = (board.cells(), tensors.last().unwrap());
    let pad = l.kernel as i64 / 2;
    let mut out = Vec::new();
    for o in 0..l.out_channels {
        for i in 0..board.height as i64 {
            for j in 0..board.width as i64 {
                let cell = i as usize * board.width + j as usize;
                let mut a = l.bias[o * cells + cell];
                for c in 0..l.in_channels {
                    for (k, w) in l.weights[(o * l.in_channels + c) * l.kernel * l.kernel..][..l.kernel * l.kernel]
                        .iter()
                        .enumerate()
                    {
                        let (r, s) = (i + k as i64 / l.kernel as i64 - pad, j + k as i64 % l.kernel as i64 - pad);
                        if (0..board.height as i64).contains(&r) && (0..board.width as i64).contains(&s) {
                            a += i64::from(*w) * x.values[c * cells + r as usize * board.width + s as usize];
                        }
                    }
                }
                if let Some(r) = &l.residual {
                    a += r.multiplier[o] * tensors[r.tensor].values[o * cells + cell];
                }
                out.push(a);
            }
        }
    }
    out
}

#[test]
fn the_interpreter_computes_what_the_book_says() {
    let graph = small_graph();
    for seed in 0..20 {
        let trace = run(&graph, &small_input(seed)).unwrap();
        for (i, l) in graph.layers.iter().enumerate() {
            let a = naive(l, graph.board, &trace.tensors[..=i]);
            assert_eq!(trace.accumulators[i].values, a);
            if let Activation::Relu { max } = l.activation {
                for (k, a) in a.iter().enumerate() {
                    let q = a.div_euclid(1 << l.shift[k / 12]);
                    assert_eq!(trace.tensors[i + 1].values[k], q.clamp(0, max));
                }
            }
        }
        let last = &trace.accumulators[2].values;
        let mut order: Vec<usize> = (0..last.len()).collect();
        order.sort_by_key(|i| (-last[*i], *i));
        let ranked: Vec<usize> = trace.ranking.iter().map(|r| r.0).collect();
        assert_eq!(ranked, order[..5]);
        assert_eq!(unpack_ranking(&graph, &pack_ranking(&graph, &trace.ranking)), ranked);
    }
}

#[test]
fn wide_numbers_take_the_slow_path_and_agree() {
    let mut graph = small_graph();
    graph.layers[2].weights.iter_mut().for_each(|w| *w *= 2_000_000);
    let trace = run(&graph, &small_input(3)).unwrap();
    assert_eq!(trace.accumulators[2].values, naive(&graph.layers[2], graph.board, &trace.tensors));
}

#[test]
fn ties_go_to_the_lowest_index() {
    let mut graph = small_graph();
    let last = &mut graph.layers[2];
    last.weights.fill(0);
    last.bias.fill(0);
    last.bias[17] = 1;
    let ranking = run(&graph, &small_input(1)).unwrap().ranking;
    assert_eq!(ranking, [(17, 1), (0, 0), (1, 0), (2, 0), (3, 0)]);
}

#[test]
fn inputs_out_of_range_are_refused() {
    let graph = small_graph();
    let mut input = small_input(1);
    input.values[14] = 16;
    let error = run(&graph, &input).unwrap_err();
    assert_eq!(error, InterpretError::Range { channel: 1, cell: 2, value: 16, max: 15 });
    input.values.pop();
    assert!(matches!(run(&graph, &input), Err(InterpretError::Shape { .. })));
}

#[test]
fn limbs_round_trip_and_stray_bits_are_named() {
    let graph = small_graph();
    let input = small_input(9);
    let mut packed = limbs(&graph, &input).unwrap();
    assert_eq!(from_limbs(&graph, &packed).as_ref(), Ok(&input));
    packed[1][0] |= 1 << 21;
    assert_eq!(from_limbs(&graph, &packed), Err(SchemaError::StrayBit { limb: 1, bit: 21 }));
    assert_eq!(from_limbs(&graph, &packed[1..]), Err(SchemaError::LimbCount { got: 1, want: 2 }));
}

#[test]
fn bounds_hold_and_are_attained_or_wider() {
    let graph = small_graph();
    let bounds = check(&graph).unwrap();
    assert_eq!((bounds.shifts.clone(), bounds.remainder_rows()), (vec![2, 3, 4, 5, 6], 124));
    for seed in 0..200 {
        let trace = run(&graph, &small_input(seed)).unwrap();
        for (b, a) in bounds.layers.iter().zip(&trace.accumulators) {
            for (k, a) in a.values.iter().enumerate() {
                assert!((b.a_min[k / 12]..=b.a_max[k / 12]).contains(a));
            }
        }
    }
}

#[test]
fn graphs_without_an_honest_proof_are_refused() {
    let mut graph = small_graph();
    graph.layers[1].shift[2] = 0;
    let error = check(&graph).unwrap_err();
    assert!(matches!(error, GraphError::Q { layer: 1, channel: 2, .. }), "{error}");
    let mut graph = small_graph();
    graph.layers[0].weights[3] = 2048;
    assert!(matches!(check(&graph), Err(GraphError::Weight { layer: 0, weight: 2048, .. })));
    let mut graph = small_graph();
    graph.layers[2].bias[0] = 1 << 18;
    assert!(matches!(check(&graph), Err(GraphError::Span { layer: 2, shift: 6, .. })));
    let mut graph = small_graph();
    graph.layers[0].shift = vec![11, 3, 3];
    assert!(matches!(check(&graph), Err(GraphError::Shifts { .. })));
    let mut graph = small_graph();
    graph.layers[1].residual.as_mut().unwrap().tensor = 0;
    assert!(matches!(check(&graph), Err(GraphError::Structure { layer: 1, .. })));
}

#[test]
fn graph_files_round_trip_and_broken_ones_are_refused() {
    let graph = small_graph();
    let bytes = binary::encode(&graph);
    assert_eq!(binary::decode(&bytes).as_ref(), Ok(&graph));
    for n in 0..bytes.len() {
        assert!(binary::decode(&bytes[..n]).is_err(), "{n} bytes");
        let mut changed = bytes.clone();
        changed[n] ^= 0x80;
        let _ = binary::decode(&changed);
    }
}

fn positions(file: &str, count: usize) -> Vec<Record> {
    let bytes = fs::read(model_dir("data").join(file)).unwrap();
    let records = Record::parse_all(&bytes).unwrap();
    let step = records.len() / count;
    records.into_iter().step_by(step).take(count).collect()
}

#[test]
fn the_encoding_layer_makes_the_eighteen_planes() {
    let model = Model::load(&model_dir("chess-s")).unwrap();
    for r in positions("evaluation.bin", 100) {
        let input = r.board.to_tensor();
        let packed = limbs(&model.graph, &input).unwrap();
        assert_eq!(packed, r.board.to_limbs());
        assert_eq!(PackedBoard::from_tensor(&from_limbs(&model.graph, &packed).unwrap()), Ok(r.board));
        let planes = &run(&model.graph, &input).unwrap().tensors[1];
        for (i, v) in planes.values.iter().enumerate() {
            let (plane, square) = (i / 64, i % 64);
            let want = match plane {
                0..12 => usize::from(r.board.squares[square]) == plane + 1,
                12..16 => r.board.castling[plane - 12],
                16 => r.board.en_passant.is_some_and(|f| 40 + usize::from(f) == square),
                _ => true,
            };
            assert_eq!(*v, i64::from(want), "plane {plane}, square {square}");
        }
    }
}

#[test]
fn bounds_hold_on_real_positions() {
    let model = Model::load(&model_dir("chess-s")).unwrap();
    for r in positions("evaluation.bin", 100) {
        let trace = run(&model.graph, &r.board.to_tensor()).unwrap();
        for (b, a) in model.bounds.layers.iter().zip(&trace.accumulators) {
            for (k, a) in a.values.iter().enumerate() {
                assert!((b.a_min[k / 64]..=b.a_max[k / 64]).contains(a));
            }
        }
    }
}

#[test]
fn the_committed_models_play_like_their_teacher() {
    for (name, least) in [("chess-s", 26), ("chess-m", 35)] {
        let model = Model::load(&model_dir(name)).unwrap();
        model.check_onnx().unwrap();
        assert_eq!(model.manifest.name, name);
        let records = positions("evaluation.bin", 500);
        let hit = |r: &&Record| {
            let trace = run(&model.graph, &r.board.to_tensor()).unwrap();
            Some(trace.ranking[0].0) == r.best.index()
        };
        let hits = records.iter().filter(hit).count();
        assert!(hits * 100 >= least * records.len(), "{name}: {hits} of {}", records.len());
    }
}

#[test]
fn a_changed_model_folder_is_noticed() {
    let dir = tempfile::tempdir().unwrap();
    for file in ["model.toml", "graph.bin"] {
        fs::copy(model_dir("chess-s").join(file), dir.path().join(file)).unwrap();
    }
    let model = Model::load(dir.path()).unwrap();
    assert!(matches!(model.check_onnx(), Err(ModelError::File { .. })));
    let id = model_id([1; 32], &model.manifest);
    assert_ne!(id, model_id([2; 32], &model.manifest));
    let path = dir.path().join("graph.bin");
    let mut bytes = fs::read(&path).unwrap();
    bytes[5000] ^= 1;
    fs::write(&path, bytes).unwrap();
    assert!(matches!(Model::load(dir.path()), Err(ModelError::Hash { .. })));
    fs::write(dir.path().join("model.toml"), "name = \"x\"\nwhat = 1\n").unwrap();
    let error = Model::load(dir.path()).unwrap_err().to_string();
    assert!(error.contains("line 2") && !error.contains('\n'), "{error}");
}

#[test]
fn dense_networks_are_quantised_behind_bytes() {
    use zugzwang_circuits::import::{FloatGraph, FloatLayer};
    let mut n = Numbers(11);
    let mut layer = |in_channels: usize, out_channels: usize, relu| FloatLayer {
        name: "dense".into(),
        in_channels,
        out_channels,
        kernel: 1,
        weights: (0..in_channels * out_channels).map(|_| n.next(2001) as f32 / 1000.0 - 1.0).collect(),
        bias: (0..out_channels).map(|_| n.next(2001) as f32 / 2000.0 - 0.5).collect(),
        residual: None,
        relu,
    };
    let board = Board { height: 1, width: 1 };
    let layers = vec![layer(40, 24, true), layer(24, 16, true), layer(16, 3, false)];
    let float = FloatGraph { board, in_channels: 40, layers };
    let samples: Vec<Vec<f32>> =
        (0..400).map(|_| (0..40).map(|_| n.next(6001) as f32 / 1000.0 - 2.0).collect()).collect();
    let front = Front::bytes_for(&samples).unwrap();
    let inputs: Vec<Tensor> = samples.iter().map(|s| front.encode(s).unwrap()).collect();
    let (graph, report) = quantise(&float, &front, &inputs[..200], &Options::default()).unwrap();
    assert_eq!((graph.limbs(), graph.top, report.samples), (2, 3, 200));
    let best = |v: &[f32]| (0..3).fold(0, |b, i| if v[i] > v[b] { i } else { b });
    let same = |(s, i): &(&Vec<f32>, &Tensor)| run(&graph, i).unwrap().ranking[0].0 == best(&float.run(s).unwrap());
    let agree = samples.iter().zip(&inputs).skip(200).filter(same).count();
    assert!(agree >= 190, "{agree} of 200");
    let error = quantise(&float, &Front::Chess, &inputs, &Options::default()).unwrap_err();
    assert!(matches!(error, QuantiseError::Front { .. }), "{error}");
    let error = quantise(&float, &front, &[], &Options::default()).unwrap_err();
    assert_eq!(error.to_string(), "calibration input 0: none were given");
    let (again, _, report) = quantise_bytes(&float, &samples[..200], &Options::default()).unwrap();
    assert_eq!((again.layers.len(), report.warnings.len()), (3, 0));
    let (_, _, report) = quantise_bytes(&float, &[], &Options::default()).unwrap();
    assert!(report.warnings[0].starts_with("calibrated on random inputs"), "{report:?}");
    let short = [samples[0].clone(), vec![1.0]];
    let error = quantise_bytes(&float, &short, &Options::default()).unwrap_err();
    assert!(matches!(error, QuantiseError::Sample { index: 1, .. }), "{error}");
}

#[test]
fn a_chess_model_compiles_to_the_same_files_again() {
    let dir = tempfile::tempdir().unwrap();
    fs::copy(model_dir("chess-s").join("model.onnx"), dir.path().join("model.onnx")).unwrap();
    let shape = CircuitShape { p: 2, kernels_per_row: 1, k: 14 };
    let calibration = positions("calibration.bin", 40);
    let compile = || compile_chess(dir.path(), "x", &calibration, &Options::default(), shape).unwrap();
    let (first, report) = compile();
    assert_eq!(report.samples, 40);
    assert_eq!(compile().0.manifest, first.manifest);
    let loaded = Model::load(dir.path()).unwrap();
    assert_eq!((&loaded.graph, &loaded.bounds), (&first.graph, &report.bounds));
}
