//! Float networks compiled to integer nets: they compute the same, nearly, and what can't be proven is refused.

use rand_chacha::ChaCha20Rng;
use rand_chacha::rand_core::SeedableRng;
use zugzwang_circuits::float::{
    Conv, FloatInput, FloatNet, FloatNode, FloatOp, FloatTensor, Function, MatMul, Product, Sparse, Term, Windows,
};
use zugzwang_circuits::net::circuit::{Shape, Witness};
use zugzwang_circuits::net::compile::{CompileError, Options, compile};
use zugzwang_circuits::net::{candidates, choose, interpret};
use zugzwang_circuits::srs::MAX_K;

use super::cases::{Case, pick, request};

/// A network that grows node by node, each reading the last.
pub(super) struct Growing {
    pub(super) net: FloatNet,
    rng: ChaCha20Rng,
}

impl Growing {
    pub(super) fn new(shape: &[usize]) -> Self {
        let tensors = vec![FloatTensor { name: "input".into(), shape: shape.to_vec() }];
        let inputs = vec![FloatInput { tensor: 0, integer: false }];
        Self { net: FloatNet { tensors, inputs, ..FloatNet::default() }, rng: ChaCha20Rng::seed_from_u64(3) }
    }

    fn real(&mut self) -> f32 {
        pick(&mut self.rng, -1000, 1000) as f32 / 1000.0
    }

    fn node(mut self, operator: &str, op: FloatOp, shape: &[usize]) -> Self {
        let output = self.net.tensors.len();
        let name = format!("{operator}_{output}");
        self.net.tensors.push(FloatTensor { name: name.clone(), shape: shape.to_vec() });
        let inputs = vec![output - 1];
        self.net.nodes.push(FloatNode { name, operator: operator.into(), op, inputs, output });
        self
    }

    pub(super) fn conv(
        mut self,
        input: [usize; 3],
        out_channels: usize,
        kernel: usize,
        pad: usize,
        stride: usize,
    ) -> Self {
        let taps = input[0] * kernel * kernel;
        let scale = (6.0 / taps as f32).sqrt();
        let weights = (0..out_channels * taps).map(|_| self.real() * scale).collect();
        let bias = (0..out_channels).map(|_| self.real() * 0.1).collect();
        let [channels, height, width] = input;
        let conv = Conv {
            channels,
            height,
            width,
            out_channels,
            kernel: [kernel; 2],
            stride: [stride; 2],
            pads: [pad; 4],
            dilation: [1, 1],
            groups: 1,
            weights,
            bias,
        };
        let [height, width] = conv.out_board().expect("a board");
        self.node("Conv", FloatOp::Conv(conv), &[1, out_channels, height, width])
    }

    pub(super) fn function(self, function: Function) -> Self {
        let shape = self.net.tensors.last().expect("a tensor").shape.clone();
        self.node("Function", FloatOp::Unary(function), &shape)
    }

    /// Maxima of pairs.
    pub(super) fn pairs(self) -> Self {
        let len = self.net.tensors.last().expect("a tensor").len() as u32;
        let windows = Windows { starts: (0..=len / 2).map(|i| 2 * i).collect(), indices: (0..len / 2 * 2).collect() };
        self.node("MaxPool", FloatOp::Max(windows), &[1, len as usize / 2])
    }

    pub(super) fn done(mut self) -> FloatNet {
        self.net.outputs.push(self.net.tensors.len() - 1);
        self.net.check().expect("a network");
        self.net
    }
}

/// Random inputs between −1 and 1.
pub(super) fn samples(net: &FloatNet, count: usize) -> Vec<Vec<Vec<f32>>> {
    let rng = &mut ChaCha20Rng::seed_from_u64(5);
    let len = net.tensors[net.inputs[0].tensor].len();
    (0..count).map(|_| vec![(0..len).map(|_| pick(rng, -1000, 1000) as f32 / 1000.0).collect()]).collect()
}

/// Compiles, compares with the float network, and has the gates accept a run.
fn check(name: &str, net: &FloatNet, tolerance: f64) {
    let samples = samples(net, 24);
    let compiled = compile(net, &samples, &Options::default()).expect(name);
    for tensor in &compiled.report.tensors {
        assert!(tensor.error < tolerance, "{name}: {} is off by {:.4}", tensor.name, tensor.error);
    }
    let shape = choose(&compiled.net, &compiled.bounds, MAX_K, Default::default()).expect("a shape").shape;
    let encoded = samples[0][0].iter().map(|v| compiled.inputs[0].encode(f64::from(*v))).collect();
    let trace = interpret::run(&compiled.net, &[encoded]).expect("a run");
    // Kernels a row change rows, not checks; a low table keeps the mock prover fast.
    let k = shape.k.max(12);
    let mut case = Case::new(compiled.net, Shape { k, ..shape }, 1);
    case.trace = trace;
    let witness = Witness::new(&case.layout, &case.net, &case.trace, request()).expect("a witness");
    assert!(case.accepts(&witness), "{name}");
}

#[test]
fn networks_compute_the_same_nearly() {
    let dense = Growing::new(&[1, 20]).conv([20, 1, 1], 12, 1, 0, 1).function(Function::Relu);
    check("dense", &dense.conv([12, 1, 1], 3, 1, 0, 1).done(), 0.03);
    let pooled = Growing::new(&[1, 2, 8, 8]).conv([2, 8, 8], 4, 3, 1, 1).function(Function::Relu).pairs();
    check("convolution, maxima", &pooled.conv([128, 1, 1], 4, 1, 0, 1).done(), 0.03);
    let strided = Growing::new(&[1, 2, 9, 10]).conv([2, 9, 10], 5, 3, 1, 2).function(Function::Tanh);
    check("strides", &strided.conv([5, 5, 5], 4, 2, 0, 3).done(), 0.03);
    for function in [
        Function::Sigmoid,
        Function::LeakyRelu(0.1),
        Function::Clip { min: -0.5, max: 0.75 },
        Function::HardSwish,
        Function::Gelu { tanh: false },
        Function::Softplus,
        Function::Elu(1.0),
        Function::Exp,
        Function::Erf,
        Function::Abs,
    ] {
        let name = format!("{function:?}");
        let net = Growing::new(&[1, 20]).conv([20, 1, 1], 8, 1, 0, 1).function(function);
        check(&name, &net.conv([8, 1, 1], 3, 1, 0, 1).done(), 0.05);
    }
    // A function of the input itself, and moves: reversed, with a constant.
    let reversed = Sparse {
        starts: vec![0, 1, 2, 3, 3],
        terms: (0..3).map(|i| Term { input: 0, index: 2 - i, weight: 1.0 }).collect(),
        bias: vec![0.0, 0.0, 0.0, 0.5],
    };
    // The same with a 0 takes no rows for what it moves.
    let padded = Sparse { bias: vec![0.0; 4], ..reversed.clone() };
    for (name, sparse) in [("moves and a constant", reversed), ("moves", padded)] {
        let moved = Growing::new(&[1, 3]).function(Function::Sigmoid).node("Concat", FloatOp::Sparse(sparse), &[1, 4]);
        check(name, &moved.conv([4, 1, 1], 2, 1, 0, 1).done(), 0.03);
    }
}

/// The last node reads these tensors.
fn reading(mut growing: Growing, tensors: &[usize]) -> Growing {
    if let Some(node) = growing.net.nodes.last_mut() {
        node.inputs = tensors.to_vec();
    }
    growing
}

#[test]
fn products_of_tensors_compute_the_same_nearly() {
    // x · sigmoid(x), and a matrix by itself.
    let all = |n: u32| Product { left: (0..n).collect(), right: (0..n).collect() };
    let gated = Growing::new(&[1, 12]).conv([12, 1, 1], 9, 1, 0, 1).function(Function::Sigmoid);
    let gated = reading(gated.node("Mul", FloatOp::Product(all(9)), &[1, 9]), &[1, 2]);
    check("gate", &gated.conv([9, 1, 1], 3, 1, 0, 1).done(), 0.05);
    let matrix = MatMul { batch: 1, m: 3, k: 3, n: 3 };
    let squared = Growing::new(&[1, 9]).conv([9, 1, 1], 9, 1, 0, 1);
    let squared = reading(squared.node("MatMul", FloatOp::MatMul(matrix), &[3, 3]), &[1, 1]);
    check("matrix", &squared.conv([9, 1, 1], 2, 1, 0, 1).done(), 0.05);
}

#[test]
fn what_can_not_be_compiled_is_refused_by_name() {
    let net = Growing::new(&[1, 4]).conv([4, 1, 1], 3, 1, 0, 1).function(Function::Relu).done();
    assert!(matches!(compile(&net, &[], &Options::default()), Err(CompileError::NoSamples)));
    let options = Options { weight_bits: 40, ..Options::default() };
    assert!(matches!(compile(&net, &samples(&net, 2), &options), Err(CompileError::Bits { .. })));
}

#[test]
fn wider_rows_make_lower_tables() {
    let wide = Growing::new(&[1, 300]).conv([300, 1, 1], 100, 1, 0, 1).function(Function::Relu);
    let net = wide.conv([100, 1, 1], 4, 1, 0, 1).done();
    let compiled = compile(&net, &samples(&net, 8), &Options::default()).expect("a net");
    let all = candidates(&compiled.net, &compiled.bounds, MAX_K).expect("candidates");
    assert!(all.len() > 1);
    assert!(all.windows(2).all(|w| w[0].shape.k > w[1].shape.k && w[0].shape.kernels <= w[1].shape.kernels));
    assert!(all.iter().all(|c| c.needs.fits(c.shape.k)));
}
