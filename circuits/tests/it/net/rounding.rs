//! What options of the compiler do, and what its report says.

use halo2_proofs::halo2curves::bn256::Fr;
use zugzwang_circuits::float::{Conv, FloatNet, FloatNode, FloatOp, FloatTensor, Function, Ranked, TopK, Windows};
use zugzwang_circuits::net::circuit::{Layout, Witness, second_phase};
use zugzwang_circuits::net::compile::{CompileError, Compiled, Options, Rounding, compile};
use zugzwang_circuits::net::{Goal, choose, interpret};
use zugzwang_circuits::srs::MAX_K;

use super::cases::request;
use super::compile::{Growing, samples};

fn compiled(net: &FloatNet, options: Options) -> Compiled {
    compile(net, &samples(net, 32), &options).expect("a net")
}

fn dense() -> FloatNet {
    let first = Growing::new(&[1, 20]).conv([20, 1, 1], 16, 1, 0, 1).function(Function::Relu);
    let second = first.conv([16, 1, 1], 12, 1, 0, 1).function(Function::Sigmoid);
    second.conv([12, 1, 1], 3, 1, 0, 1).done()
}

fn convs(net: &mut FloatNet) -> Vec<&mut Conv> {
    let ops = net.nodes.iter_mut().map(|n| &mut n.op);
    ops.filter_map(|op| if let FloatOp::Conv(conv) = op { Some(conv) } else { None }).collect()
}

/// Channels between the first two layers a hundred times apart, as training with weight decay never leaves them but
/// batch normalisation does.
fn uneven(mut net: FloatNet) -> FloatNet {
    let [first, second, ..] = &mut convs(&mut net)[..] else { panic!("no two layers") };
    let (taps, plane) = (first.taps(), second.channels / first.out_channels);
    for c in 0..first.out_channels {
        let factor = [0.01, 0.1, 1.0][c % 3];
        first.weights[c * taps..(c + 1) * taps].iter_mut().for_each(|w| *w *= factor);
        first.bias[c] *= factor;
        let ins = second.channels;
        for (i, w) in second.weights.iter_mut().enumerate() {
            if i % ins / plane == c {
                *w /= factor;
            }
        }
    }
    net
}

#[test]
fn channels_are_evened_out_where_that_helps() {
    let pooled = Growing::new(&[1, 2, 8, 8]).conv([2, 8, 8], 6, 3, 1, 1).function(Function::LeakyRelu(0.1)).pairs();
    let pooled = pooled.conv([192, 1, 1], 3, 1, 0, 1).done();
    for (name, net, pairs) in [("dense", dense(), 1), ("convolution, maxima", pooled, 1)] {
        let net = uneven(net);
        let report = compiled(&net, Options::default()).report;
        let equalised = report.equalised.expect("channels to even out");
        let (without, with) = equalised.errors;
        println!("{name}: outputs off by {without:.4} without, {with:.4} with");
        assert_eq!(equalised.pairs, pairs, "{name}");
        assert!(equalised.kept && report.error == with, "{name}");
        assert!(with < 0.5 * without, "{name}: {with} is not much less than {without}");
    }
    // What stands between is no function with f(s·x) = s·f(x), or is public.
    let bent = Growing::new(&[1, 20]).conv([20, 1, 1], 16, 1, 0, 1).function(Function::Tanh);
    let bent = uneven(bent.conv([16, 1, 1], 3, 1, 0, 1).done());
    let mut public = uneven(dense());
    public.outputs.insert(0, 2);
    for net in [bent, public] {
        assert_eq!(compiled(&net, Options::default()).report.equalised, None);
    }
}

#[test]
fn more_bits_cost_less_error() {
    let net = dense();
    let mut before = f64::INFINITY;
    for bits in [6, 8, 10] {
        let table_rows = Options::rows_for(bits, bits + 2, MAX_K);
        let (input_bits, output_bits, weight_bits) = (bits, bits + 2, bits.max(8));
        let plain = Options::default();
        let options = Options { input_bits, activation_bits: bits, output_bits, weight_bits, table_rows, ..plain };
        let error = compiled(&net, options).report.error;
        println!("{bits} bits: outputs off by {error:.5}");
        assert!(error < 0.6 * before, "{bits} bits: {error} after {before}");
        before = error;
    }
}

#[test]
fn bits_that_no_table_holds_are_refused_by_name() {
    let net = dense();
    let check = |options: Options, name: &str, option: &str| {
        let error = compile(&net, &samples(&net, 8), &options).expect_err(option);
        let known = matches!(error, CompileError::TableRows { .. } | CompileError::Entries { .. });
        let said = error.to_string();
        assert!(known && said.contains(name) && said.contains(option), "{said}");
    };
    let plain = Options::default();
    let wide = |activation_bits| Options { activation_bits, ..plain };
    check(wide(12), "Function_2", "--activation-bits");
    check(Options { table_rows: Options::rows_for(16, 10, MAX_K), ..wide(16) }, "Function_2", "--activation-bits");
    check(Options { output_bits: 14, ..plain }, "Conv_5", "--output-bits");
    check(Options { input_bits: 16, ..plain }, "input", "--input-bits");
    let error = compile(&net, &samples(&net, 8), &wide(17)).expect_err("17 bits");
    assert!(matches!(error, CompileError::Bits { bits: 17, most: 16, .. }), "{error}");
}

/// With a larger set-up numbers between layers have up to 16 bits: each witness is in the tables, and what runs over the
/// circuit's table meets.
#[test]
fn a_larger_set_up_has_room_for_wide_numbers() {
    let net = Growing::new(&[1, 20])
        .conv([20, 1, 1], 16, 1, 0, 1)
        .function(Function::Relu)
        .conv([16, 1, 1], 3, 1, 0, 1)
        .done();
    let samples = samples(&net, 8);
    let mut before = f64::INFINITY;
    for (bits, largest) in [(12, 17), (14, 19), (16, 20)] {
        // Finer weights and inputs than the command line offers, so that these bits are what limits.
        let plain =
            Options { activation_bits: bits, output_bits: 12, input_bits: 15, weight_bits: 16, ..Options::default() };
        let rows = |largest| Options::rows_for(bits, 12, largest);
        let options = Options { table_rows: rows(MAX_K), ..plain }.on(largest);
        assert_eq!((options.table_rows, options.largest), (rows(largest), largest));
        let compiled = compile(&net, &samples, &options).expect("a net");
        let wide = compiled.report.tensors.iter().find(|t| t.real.bits == bits && t.name.starts_with("Function"));
        let (error, outputs) = (wide.expect("the numbers between the layers").error, compiled.report.error);
        println!("{bits} bits, 2^{largest} rows: numbers off by {error:.6}, outputs by {outputs:.6}");
        assert!(error < 0.6 * before && outputs < 0.002, "{bits} bits: {error} after {before}, outputs {outputs}");
        before = error;
        let shape = choose(&compiled.net, &compiled.bounds, largest, Goal::Gas).expect("a shape").shape;
        assert!(shape.k <= largest, "{shape}");
        let layout = Layout::new(&compiled.net, &compiled.bounds, shape).expect("a layout");
        let inputs: Vec<Vec<i64>> = samples[0]
            .iter()
            .zip(&compiled.inputs)
            .map(|(values, real)| values.iter().map(|v| real.encode(f64::from(*v))).collect())
            .collect();
        let trace = interpret::run(&compiled.net, &inputs).expect("a run");
        let witness = Witness::new(&layout, &compiled.net, &trace, request()).expect("a witness");
        let second = second_phase(&layout, &witness, [3, 5, 7, 11].map(Fr::from));
        let end = layout.end;
        assert_eq!(second.defined[end], second.used[end]);
        assert_eq!(second.looked[end], -second.rested[end]);
    }
}

#[test]
fn the_worst_rounding_is_named() {
    let net = dense();
    let plain = Options::default();
    for (options, rounding, tensor, option) in [
        (Options { weight_bits: 4, ..plain }, Rounding::Weights, "", "--weight-bits"),
        (Options { activation_bits: 4, ..plain }, Rounding::Numbers, "Function", "--activation-bits"),
        (Options { input_bits: 2, ..plain }, Rounding::Numbers, "input", "--input-bits"),
        (Options { output_bits: 4, ..plain }, Rounding::Numbers, "Conv_5", "--output-bits"),
        (Options { table_rows: 64, ..plain }, Rounding::Steps, "", "--table-rows"),
    ] {
        let shares = compiled(&net, options).shares(&samples(&net, 32)).expect("shares");
        let worst = &shares[0];
        println!("{option}: {:?} of {} {:.2}", worst.rounding, worst.tensor, worst.share);
        assert_eq!((worst.rounding, worst.option), (rounding, option));
        assert!(worst.tensor.contains(tensor), "{option}: {}", worst.tensor);
        let sum: f64 = shares.iter().map(|s| s.share).sum();
        assert!((sum - 1.0).abs() < 1e-9 && shares.is_sorted_by(|a, b| a.share >= b.share), "{option}");
    }
}

#[test]
fn a_class_is_judged_by_what_was_ranked() {
    let mut net = Growing::new(&[1, 20]).conv([20, 1, 1], 3, 1, 0, 1).done();
    let (logits, class) = (net.outputs[0], net.tensors.len());
    net.tensors.push(FloatTensor { name: "class".into(), shape: vec![1] });
    let best =
        TopK { windows: Windows { starts: vec![0, 3], indices: vec![0, 1, 2] }, k: 1, output: Ranked::Positions };
    let (name, operator, op) = ("class".into(), "ArgMax".into(), FloatOp::TopK(best));
    net.nodes.push(FloatNode { name, operator, op, inputs: vec![logits], output: class });
    net.outputs = vec![class];
    let compiled = compiled(&net, Options { input_bits: 3, ..Options::default() });
    let classes: Vec<usize> = compiled.report.answers.iter().map(|a| a.class.0).collect();
    assert!(classes.iter().any(|c| *c != classes[0]), "the answer is the position: {classes:?}");
    let worst = &compiled.shares(&samples(&net, 32)).expect("shares")[0];
    assert_eq!((worst.rounding, worst.option), (Rounding::Numbers, "--input-bits"));
    assert!(worst.share > 0.5, "{worst:?}");
}

#[test]
fn figures_are_of_the_answers() {
    let two = Growing::new(&[1, 20]).conv([20, 1, 1], 8, 1, 0, 1).function(Function::Relu);
    let two = two.conv([8, 1, 1], 2, 1, 0, 1).done();
    let report = compiled(&two, Options::default()).report;
    // Labels that are what the float network says.
    let labels: Vec<usize> = report.answers.iter().map(|a| a.class.0).collect();
    assert!(labels.contains(&0) && labels.contains(&1), "both classes");
    let figures = report.figures(&labels);
    assert_eq!(figures.iter().map(|f| f.name).collect::<Vec<_>>(), ["accuracy", "macro F1", "AUC"]);
    assert!(figures.iter().all(|f| f.float == 1.0 && f.integer <= 1.0 && f.integer > 0.9), "{figures:?}");
    assert_eq!(figures[0].integer, report.agreement());
    // 2 bits of output: most answers are ties, and that is said.
    let coarse = compiled(&two, Options { output_bits: 4, activation_bits: 4, weight_bits: 4, ..Options::default() });
    assert!(coarse.report.agreement() < 0.99);
    assert!(!coarse.report.losses(&labels).is_empty());
    assert!(report.figures(&labels[1..]).is_empty(), "a label is missing");
    let three = dense();
    let report = compiled(&three, Options::default()).report;
    let labels: Vec<usize> = report.answers.iter().map(|a| a.class.0).collect();
    assert_eq!(report.figures(&labels).len(), 2, "no AUC for three classes");
}
