//! Small nets with every kind of step, on which proofs take little time.

use std::sync::Arc;

use halo2_proofs::dev::MockProver;
use halo2_proofs::halo2curves::bn256::Fr;
use rand_chacha::ChaCha20Rng;
use rand_chacha::rand_core::{RngCore, SeedableRng};
use zugzwang_circuits::net::bounds;
use zugzwang_circuits::net::circuit::{Layout, NetCircuit, Shape, Witness};
use zugzwang_circuits::net::interpret::{self, Trace};
use zugzwang_circuits::net::{
    Conv, Input, Linear, Net, Node, Output, Products, Rescale, Sparse, Step, Table, Term, Windows,
};

/// Uniform in `low..=high`.
pub(crate) fn pick(rng: &mut ChaCha20Rng, low: i64, high: i64) -> i64 {
    low + (rng.next_u64() % (high - low + 1) as u64) as i64
}

/// Adds a linear node: the net's one table clips at 255, and the shift brings any input into it.
fn linear(net: &mut Net, rng: &mut ChaCha20Rng, name: &str, inputs: &[usize], linear: Linear) -> usize {
    let heaviest = |rows: &mut dyn Iterator<Item = i64>| rows.max().unwrap_or(0) * 255;
    let (len, reach) = match &linear {
        Linear::Conv(c) => {
            let per = c.weights.len() / c.channels;
            (c.len(), heaviest(&mut c.weights.chunks(per).map(|k| k.iter().map(|w| w.abs()).sum())))
        }
        Linear::Sparse(s) => {
            let rows = s.starts.len() - 1;
            (rows, heaviest(&mut (0..rows).map(|o| s.of(o).iter().map(|t| t.weight.abs()).sum())))
        }
        Linear::Products(p) => {
            let rows = p.starts.len() - 1;
            (rows, heaviest(&mut (0..rows).map(|o| 255 * p.of(o).len() as i64)))
        }
    };
    let bias = (0..len).map(|_| pick(rng, -200, 200)).collect();
    let shift = (0..20).find(|s| (reach + 200) >> s < 600).expect("a shift");
    if net.tables.is_empty() {
        net.tables.push(Table { low: -601, values: (-601..=601).map(|q: i64| q.clamp(0, 255)).collect() });
    }
    let step = Step::Linear(linear, Rescale { bias, shift: vec![shift; len], table: 0 });
    net.nodes.push(Node { name: name.into(), inputs: inputs.to_vec(), step });
    net.tensors() - 1
}

fn conv(rng: &mut ChaCha20Rng, input: [usize; 3], channels: usize, kernel: [usize; 2], form: Form) -> Linear {
    weighted(rng, 60, input, channels, kernel, form)
}

/// A convolution with random weights of at most `most`.
pub(crate) fn weighted(
    rng: &mut ChaCha20Rng,
    most: i64,
    input: [usize; 3],
    channels: usize,
    kernel: [usize; 2],
    form: Form,
) -> Linear {
    let Form { pads, dilation, groups } = form;
    let count = channels * input[0] / groups * kernel[0] * kernel[1];
    let weights = (0..count).map(|_| pick(rng, -most, most)).collect();
    Linear::Conv(Conv { input, channels, kernel, pads, dilation, groups, weights })
}

#[derive(Clone, Copy)]
pub(crate) struct Form {
    pub(crate) pads: [usize; 4],
    pub(crate) dilation: [usize; 2],
    pub(crate) groups: usize,
}

pub(crate) const PLAIN: Form = Form { pads: [0; 4], dilation: [1, 1], groups: 1 };

/// 40 bytes → 13 → 9 → 3: no number is read by address.
pub(crate) fn chain() -> Net {
    let rng = &mut ChaCha20Rng::seed_from_u64(1);
    let mut net = Net { inputs: vec![Input { name: "x".into(), len: 40, bits: 8 }], ..Net::default() };
    for (i, sizes) in [40, 13, 9, 3].windows(2).enumerate() {
        let step = conv(rng, [sizes[0], 1, 1], sizes[1], [1, 1], PLAIN);
        linear(&mut net, rng, &format!("dense{i}"), &[i], step);
    }
    net.outputs.push(Output { name: "y".into(), tensor: 3, bits: 8 });
    net
}

/// Windows of `size × size` cells, side by side.
fn pool([channels, height, width]: [usize; 3], size: usize) -> Windows {
    let mut windows = Windows { starts: vec![0], indices: vec![] };
    for c in 0..channels {
        for (i, j) in (0..height / size).flat_map(|i| (0..width / size).map(move |j| (i, j))) {
            for cell in 0..size * size {
                let (row, column) = (i * size + cell / size, j * size + cell % size);
                windows.indices.push(((c * height + row) * width + column) as u32);
            }
            windows.starts.push(windows.indices.len() as u32);
        }
    }
    windows
}

/// Convolution, maxima, a grouped convolution with uneven padding and dilation, sums over two tensors, a dense layer, moves; two
/// inputs, two outputs of several limbs.
pub(crate) fn mixed() -> Net {
    let rng = &mut ChaCha20Rng::seed_from_u64(2);
    let input = |name: &str, len, bits| Input { name: name.into(), len, bits };
    let mut net = Net { inputs: vec![input("x", 2 * 8 * 6, 8), input("more", 3, 4)], ..Net::default() };
    let step = conv(rng, [2, 8, 6], 4, [3, 3], Form { pads: [1; 4], ..PLAIN });
    let first = linear(&mut net, rng, "conv1", &[0], step);
    net.nodes.push(Node { name: "pool".into(), inputs: vec![first], step: Step::Max(pool([4, 8, 6], 2)) });
    let pooled = net.tensors() - 1;
    let form = Form { pads: [0, 1, 2, 0], dilation: [2, 1], groups: 2 };
    let step = conv(rng, [4, 4, 3], 6, [2, 2], form);
    let second = linear(&mut net, rng, "conv2", &[pooled], step);
    let len = net.len(second);
    let mut sums = Sparse { starts: vec![0], terms: vec![] };
    for o in 0..20 {
        // One output is a constant.
        if o != 7 {
            sums.terms.push(Term { input: 0, index: (o * 3 % len) as u32, weight: 5 });
            sums.terms.push(Term { input: 1, index: (o % 3) as u32, weight: -7 });
        }
        sums.starts.push(sums.terms.len() as u32);
    }
    let summed = linear(&mut net, rng, "sums", &[second, 1], Linear::Sparse(sums));
    let step = conv(rng, [20, 1, 1], 5, [1, 1], PLAIN);
    let last = linear(&mut net, rng, "dense", &[summed], step);
    let moves = vec![[0, 4], [1, 1], [0, 0], [0, 0], [1, 2]];
    net.nodes.push(Node { name: "moves".into(), inputs: vec![last, 1], step: Step::Move(moves) });
    net.outputs.push(Output { name: "y".into(), tensor: net.tensors() - 1, bits: 8 });
    net.outputs.push(Output { name: "z".into(), tensor: second, bits: 9 });
    net
}

/// A dense layer, sums of products of two tensors with zero points, squares, a dense layer.
pub(crate) fn products() -> Net {
    let rng = &mut ChaCha20Rng::seed_from_u64(3);
    let input = |name: &str, len| Input { name: name.into(), len, bits: 8 };
    let mut net = Net { inputs: vec![input("x", 12), input("y", 6)], ..Net::default() };
    let step = conv(rng, [12, 1, 1], 8, [1, 1], PLAIN);
    let first = linear(&mut net, rng, "dense1", &[0], step);
    let pairs = (0..12u32).map(|i| [i % 8, i * 5 % 6]).collect();
    // The third output has no pair.
    let step = Products { starts: vec![0, 1, 4, 4, 9, 12], pairs, zeros: [128, 100] };
    let second = linear(&mut net, rng, "products", &[first, 1], Linear::Products(step));
    let step = Products { starts: (0..=5).collect(), pairs: (0..5).map(|i| [i, i]).collect(), zeros: [7, 7] };
    let third = linear(&mut net, rng, "squares", &[second, second], Linear::Products(step));
    let step = conv(rng, [5, 1, 1], 3, [1, 1], PLAIN);
    let last = linear(&mut net, rng, "dense2", &[third], step);
    net.outputs.push(Output { name: "z".into(), tensor: last, bits: 8 });
    net
}

/// A net laid out, with an honest run.
pub(crate) struct Case {
    pub(crate) net: Net,
    pub(crate) layout: Arc<Layout>,
    pub(crate) trace: Trace,
}

pub(crate) fn request() -> [Fr; 2] {
    [Fr::from(5), Fr::from(6)]
}

impl Case {
    pub(crate) fn new(net: Net, shape: Shape, seed: u64) -> Self {
        let bounds = bounds::check(&net).expect("bounds");
        let layout = Arc::new(Layout::new(&net, &bounds, shape).expect("a layout"));
        let trace = interpret::run(&net, &inputs(&net, seed)).expect("a run");
        Self { net, layout, trace }
    }

    pub(crate) fn witness(&self) -> Witness {
        Witness::new(&self.layout, &self.net, &self.trace, request()).expect("a witness")
    }

    /// Whether every gate holds.
    pub(crate) fn accepts(&self, witness: &Witness) -> bool {
        let (layout, with) = (self.layout.clone(), Arc::new(witness.clone()));
        let circuit = NetCircuit { layout, witness: Some(with), with_fixed: true };
        let k = self.layout.shape.k;
        let prover = MockProver::run(k, &circuit, vec![witness.instances.clone()]).expect("the circuit synthesises");
        prover.verify().is_ok()
    }
}

/// Random inputs.
pub(crate) fn inputs(net: &Net, seed: u64) -> Vec<Vec<i64>> {
    let rng = &mut ChaCha20Rng::seed_from_u64(seed);
    net.inputs.iter().map(|i| (0..i.len).map(|_| pick(rng, 0, (1 << i.bits) - 1)).collect()).collect()
}

/// Shapes for each net.
pub(crate) fn cases() -> impl Iterator<Item = (&'static str, Case)> {
    let all =
        [("chain", chain as fn() -> Net, [1, 4, 16]), ("mixed", mixed, [1, 3, 8]), ("products", products, [1, 2, 5])];
    all.into_iter().flat_map(|(name, net, kernels)| {
        kernels.into_iter().map(move |kernels| (name, Case::new(net(), Shape { kernels, k: 12 }, 1)))
    })
}
