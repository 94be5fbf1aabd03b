//! The smallest nets in which each kind of operator has its own kinds of rows: what cheats and changed cells are tried on.

use rand_chacha::ChaCha20Rng;
use rand_chacha::rand_core::SeedableRng;
use zugzwang_circuits::net::{
    Conv, Input, Linear, Net, Node, Output, Products, Rescale, Sparse, Step, Table, Term, Windows,
};

use super::cases::{Form, PLAIN, pick, weighted};

/// Bits of inputs and of the numbers between nodes.
const BITS: u32 = 4;
/// Quotients stay below this in absolute value, and so does the table.
const QUOTIENTS: i64 = 24;
/// Largest weight.
const WEIGHT: i64 = 3;

/// A net that grows node by node; tensors are numbered as they are added.
struct Growing {
    net: Net,
    rng: ChaCha20Rng,
}

impl Growing {
    /// Inputs of so many numbers, each of [`BITS`] bits, and a table that clips.
    fn new(seed: u64, lengths: &[usize]) -> Self {
        let input = |(i, len): (usize, &usize)| Input { name: format!("x{i}"), len: *len, bits: BITS };
        let clip = (-QUOTIENTS..=QUOTIENTS).map(|q| q.clamp(0, 15)).collect();
        let tables = vec![Table { low: -QUOTIENTS, values: clip }];
        let net = Net { inputs: lengths.iter().enumerate().map(input).collect(), tables, ..Net::default() };
        Self { net, rng: ChaCha20Rng::seed_from_u64(seed) }
    }

    fn push(&mut self, name: &str, inputs: &[usize], step: Step) -> usize {
        self.net.nodes.push(Node { name: name.into(), inputs: inputs.to_vec(), step });
        self.net.tensors() - 1
    }

    /// Adds a node whose shift brings every accumulator into the table.
    fn linear(&mut self, name: &str, inputs: &[usize], linear: Linear) -> usize {
        let (len, reach) = reach(&linear);
        let shift = (0..20).find(|s| (reach + 8) >> s < QUOTIENTS).expect("a shift");
        let bias = (0..len).map(|_| pick(&mut self.rng, -8, 8)).collect();
        self.push(name, inputs, Step::Linear(linear, Rescale { bias, shift: vec![shift; len], table: 0 }))
    }

    fn conv(
        &mut self,
        name: &str,
        from: usize,
        input: [usize; 3],
        channels: usize,
        kernel: [usize; 2],
        form: Form,
    ) -> usize {
        let step = weighted(&mut self.rng, WEIGHT, input, channels, kernel, form);
        self.linear(name, &[from], step)
    }

    fn done(mut self, outputs: &[usize]) -> Net {
        let output = |t: &usize| Output { name: format!("y{t}"), tensor: *t, bits: BITS };
        self.net.outputs = outputs.iter().map(output).collect();
        self.net
    }
}

/// Numbers of a step, and how large its accumulators can get.
fn reach(linear: &Linear) -> (usize, i64) {
    let most = (1 << BITS) - 1;
    let heaviest = |sums: &mut dyn Iterator<Item = i64>| sums.max().unwrap_or(0);
    match linear {
        Linear::Conv(c) => {
            let kernels = c.weights.chunks(c.weights.len() / c.channels);
            (c.len(), most * heaviest(&mut kernels.map(|k| k.iter().map(|w| w.abs()).sum())))
        }
        Linear::Sparse(s) => {
            let rows = s.starts.len() - 1;
            (rows, most * heaviest(&mut (0..rows).map(|o| s.of(o).iter().map(|t| t.weight.abs()).sum())))
        }
        Linear::Products(p) => {
            let rows = p.starts.len() - 1;
            (rows, most * most * heaviest(&mut (0..rows).map(|o| p.of(o).len() as i64)))
        }
    }
}

/// Sums of `(input, index, weight)`.
fn sums(rows: &[&[(u32, u32, i64)]]) -> Linear {
    let mut sparse = Sparse { starts: vec![0], terms: vec![] };
    for row in rows {
        sparse.terms.extend(row.iter().map(|&(input, index, weight)| Term { input, index, weight }));
        sparse.starts.push(sparse.terms.len() as u32);
    }
    Linear::Sparse(sparse)
}

/// Two dense layers, each number on the row where it is read: no addresses.
pub(crate) fn chain() -> Net {
    let mut net = Growing::new(1, &[6]);
    let first = net.conv("first", 0, [6, 1, 1], 5, [1, 1], PLAIN);
    let second = net.conv("second", first, [5, 1, 1], 3, [1, 1], PLAIN);
    net.done(&[second])
}

/// Dense layers, the first in two groups, both public: numbers have addresses, and nothing has planes.
pub(crate) fn dense() -> Net {
    let mut net = Growing::new(2, &[6]);
    let first = net.conv("grouped", 0, [6, 1, 1], 4, [1, 1], Form { groups: 2, ..PLAIN });
    let second = net.conv("dense", first, [4, 1, 1], 3, [1, 1], PLAIN);
    net.done(&[second, first])
}

/// 3×3 over two planes of 4×3, padded by one on all sides.
pub(crate) fn padded() -> Net {
    let mut net = Growing::new(3, &[24]);
    let out = net.conv("padded", 0, [2, 4, 3], 2, [3, 3], Form { pads: [1; 4], ..PLAIN });
    net.done(&[out])
}

/// What a 4×4 kernel of stride 2 over a plane of 6×4 is made of: four phases, 2×2 over them.
pub(crate) fn strided() -> Net {
    let mut net = Growing::new(4, &[24]);
    let mut phases = vec![];
    for (a, b) in [(0, 0), (0, 1), (1, 0), (1, 1)] {
        for (i, j) in (0..3).flat_map(|i| (0..2).map(move |j| (i, j))) {
            phases.push([0, ((2 * i + a) * 4 + 2 * j + b) as u32]);
        }
    }
    let split = net.push("phases", &[0], Step::Move(phases));
    let out = net.conv("strided", split, [4, 3, 2], 2, [2, 2], PLAIN);
    net.done(&[out])
}

/// A kernel of 2×2 for each of three planes of 4×3, every other line, padded unevenly.
pub(crate) fn depthwise() -> Net {
    let mut net = Growing::new(5, &[36]);
    let form = Form { pads: [0, 1, 2, 0], dilation: [2, 1], groups: 3 };
    let out = net.conv("depthwise", 0, [3, 4, 3], 3, [2, 2], form);
    net.done(&[out])
}

/// Weighted sums over two tensors, a mean, a sum of nothing, and moves of all that.
pub(crate) fn sparse() -> Net {
    let mut net = Growing::new(6, &[5, 4]);
    let mean = (0..5).map(|i| (0, i, 1)).collect::<Vec<_>>();
    let rows: [&[(u32, u32, i64)]; 5] =
        [&[(0, 0, 3), (1, 1, -2)], &[(0, 2, 1), (1, 1, 1)], &mean, &[], &[(1, 3, 2), (1, 0, -3), (0, 0, 1)]];
    let out = net.linear("sums", &[0, 1], sums(&rows));
    let moved = net.push("moves", &[out, 1], Step::Move(vec![[0, 4], [1, 2], [0, 0], [0, 2], [0, 3], [1, 2], [0, 1]]));
    net.done(&[moved])
}

/// Sums of products of two tensors with zero points, one of nothing, and squares of those.
pub(crate) fn products() -> Net {
    let mut net = Growing::new(7, &[4, 3]);
    let pairs = vec![[0, 1], [1, 2], [2, 0], [3, 0], [0, 2]];
    let step = Products { starts: vec![0, 1, 3, 3, 5], pairs, zeros: [6, 5] };
    let out = net.linear("products", &[0, 1], Linear::Products(step));
    let step = Products { starts: (0..=4).collect(), pairs: (0..4).map(|i| [i, i]).collect(), zeros: [4, 4] };
    let squares = net.linear("squares", &[out, out], Linear::Products(step));
    net.done(&[squares, out])
}

/// Maxima of 2×2 cells, overlapping, of a plane of 3×4, and a dense layer over them.
pub(crate) fn maxima() -> Net {
    let mut net = Growing::new(8, &[12]);
    let mut windows = Windows { starts: vec![0], indices: vec![] };
    for (i, j) in (0..2).flat_map(|i| (0..3).map(move |j| (i, j))) {
        windows.indices.extend([(0, 0), (0, 1), (1, 0), (1, 1)].map(|(a, b)| 4 * (i + a) + j + b));
        windows.starts.push(windows.indices.len() as u32);
    }
    let largest = net.push("maxima", &[0], Step::Max(windows));
    let out = net.conv("dense", largest, [6, 1, 1], 3, [1, 1], PLAIN);
    net.done(&[out, largest])
}

type Function = (&'static str, fn(f64) -> f64);

/// What the float network's functions become: each a table of its own, over the same quotients.
pub(crate) const FUNCTIONS: [Function; 9] = [
    ("Relu", |v| v.max(0.0)),
    ("LeakyRelu", |v| if v < 0.0 { 0.1 * v } else { v }),
    ("Sigmoid", |v| 1.0 / (1.0 + (-v).exp())),
    ("Tanh", f64::tanh),
    ("HardSwish", |v| v * (v / 6.0 + 0.5).clamp(0.0, 1.0)),
    ("Softplus", |v| v.exp().ln_1p()),
    ("Exp", f64::exp),
    ("Abs", f64::abs),
    ("Sign", |v| if v < 0.0 { -1.0 } else { 1.0 }),
];

/// Every function by a table, of the same numbers.
pub(crate) fn functions() -> Net {
    let mut net = Growing::new(9, &[4]);
    net.net.tables.clear();
    let mut outputs = vec![];
    for (name, function) in FUNCTIONS {
        let values: Vec<f64> = (-8..=8).map(|q| function(f64::from(q) / 4.0)).collect();
        let (low, high) = values.iter().fold((f64::MAX, f64::MIN), |(l, h), v| (l.min(*v), h.max(*v)));
        let values = values.iter().map(|v| ((v - low) / (high - low) * 15.0).round() as i64).collect();
        net.net.tables.push(Table { low: -8, values });
        let rows: Vec<[(u32, u32, i64); 1]> = (0..4).map(|i| [(0, i, 2)]).collect();
        let linear = sums(&rows.iter().map(|row| &row[..]).collect::<Vec<_>>());
        let rescale = Rescale { bias: vec![-16; 4], shift: vec![1; 4], table: net.net.tables.len() - 1 };
        outputs.push(net.push(name, &[0], Step::Linear(linear, rescale)));
    }
    net.done(&outputs)
}

/// A dense layer whose channels have shifts of their own, 1 to 4, and a dense layer over it.
pub(crate) fn shifts() -> Net {
    let mut net = Growing::new(10, &[5]);
    let first = net.conv("shifts", 0, [5, 1, 1], 6, [1, 1], PLAIN);
    if let Step::Linear(Linear::Conv(conv), rescale) = &mut net.net.nodes[0].step {
        let heaviest = |kernel: &[i64]| 15 * kernel.iter().map(|w| w.abs()).sum::<i64>() + 8;
        let least = |kernel| (0..20).find(|s| heaviest(kernel) >> s < QUOTIENTS).expect("a shift");
        rescale.shift = conv.weights.chunks(5).zip(0..).map(|(kernel, i)| least(kernel) + i % 2).collect();
    }
    let out = net.conv("dense", first, [6, 1, 1], 2, [1, 1], PLAIN);
    net.done(&[out, first])
}

/// Inputs of two limbs and of one, with other bits, and outputs of two limbs and of one.
pub(crate) fn limbs() -> Net {
    let mut net = Growing::new(11, &[70, 3]);
    net.net.inputs[1].bits = 6;
    let moved = net.push("moves", &[0], Step::Move((0..66).map(|i| [0, (i * 3 + 1) % 70]).collect()));
    let rows: [&[(u32, u32, i64)]; 2] = [&[(0, 65, 2), (0, 0, 1), (1, 2, -1)], &[(0, 61, 1), (0, 63, 1), (0, 1, 2)]];
    let out = net.linear("sums", &[0, 1], sums(&rows));
    net.done(&[moved, out])
}

/// A net and its name.
pub(crate) type Named = (&'static str, fn() -> Net);

/// Every net here.
pub(crate) fn all() -> [Named; 11] {
    [
        ("chain", chain),
        ("dense", dense),
        ("padded", padded),
        ("strided", strided),
        ("depthwise", depthwise),
        ("sparse", sparse),
        ("products", products),
        ("maxima", maxima),
        ("functions", functions),
        ("shifts", shifts),
        ("limbs", limbs),
    ]
}

/// The convolution of a node.
pub(crate) fn conv_of(net: &mut Net, node: usize) -> &mut Conv {
    match &mut net.nodes[node].step {
        Step::Linear(Linear::Conv(conv), _) => conv,
        _ => panic!("node {node} is no convolution"),
    }
}

/// Biases, shifts and table of a node.
pub(crate) fn rescale_of(net: &mut Net, node: usize) -> &mut Rescale {
    match &mut net.nodes[node].step {
        Step::Linear(_, rescale) => rescale,
        _ => panic!("node {node} is not linear"),
    }
}
