//! What happens to bytes from anywhere: one function for each kind of file. None may panic, take long or take more memory
//! than the bytes could ask for, whatever they are. libFuzzer calls these functions, and so do the plain tests.

use std::io::Cursor;
use std::path::Path;
use std::sync::{Arc, OnceLock};

use zugzwang_circuits::float::FloatNet;
use zugzwang_circuits::keys;
use zugzwang_circuits::net::circuit::{Layout, NetCircuit, Shape};
use zugzwang_circuits::net::compile::{Options, compile};
use zugzwang_circuits::net::package::{MANIFEST, Package};
use zugzwang_circuits::net::{
    Conv, Input, Linear, Net, NetProof, NetProver, Node, Output, Privacy, Rescale, Step, Table, binary, bounds,
    candidates,
};
use zugzwang_circuits::srs::{MAX_K, Srs, import};

/// A proof that [`prover`] made: the one input of [`proof`] that verifies.
pub const GOOD_PROOF: &[u8] = include_bytes!("../corpus/proof/good");
/// Networks with more numbers than this are read, but not compiled: that takes time, as it should.
const LARGEST: usize = 1 << 12;
/// Bytes of gnark's τG2.
const G2: usize = 64;

/// An ONNX file. What can be read is also compiled.
pub fn onnx(bytes: &[u8]) {
    let Ok(float) = zugzwang_circuits::onnx::parse(bytes) else { return };
    let numbers = float.tensors.iter().fold(0usize, |all, t| all.saturating_add(t.len()));
    if numbers > LARGEST || float.nodes.len() > 64 {
        return;
    }
    let samples: Vec<_> = (0..3).map(|seed| sample(&float, seed)).collect();
    if let Ok(compiled) = compile(&float, &samples, &Options::default()) {
        net(&binary::encode(&compiled.net), true);
    }
}

/// Inputs between −1 and 1; bytes where integers are wanted.
fn sample(float: &FloatNet, seed: usize) -> Vec<Vec<f32>> {
    let value = |i: usize, integer| match integer {
        true => ((i * 7 + seed) % 256) as f32,
        false => ((i * 37 + seed * 11) % 17) as f32 / 8.0 - 1.0,
    };
    float
        .inputs
        .iter()
        .map(|input| (0..float.tensors[input.tensor].len()).map(|i| value(i, input.integer)).collect())
        .collect()
}

/// A model's files, by the first byte: `k`ey file (its hash, which everybody can compute, is put behind it), `n`et,
/// `p`ackage (the manifest; the net beside it is [`small`]).
pub fn keys(bytes: &[u8]) {
    match bytes.split_first() {
        Some((b'k', content)) => key(content),
        Some((b'n', content)) => net(content, false),
        Some((b'p', content)) => package(content),
        _ => {}
    }
}

fn key(content: &[u8]) {
    let file = keys::with_hash(content);
    // The name that the file says is its own.
    let id = content.get(32..64).and_then(|id| id.try_into().ok()).unwrap_or([0; 32]);
    let circuit = circuit();
    let _ = keys::parse(Path::new("key"), &file, &id, SHAPE.k, &circuit);
}

fn net(bytes: &[u8], must_be: bool) {
    let net = match binary::decode(bytes) {
        Ok(net) => net,
        Err(error) => return assert!(!must_be, "{error}"),
    };
    assert!(binary::decode(&binary::encode(&net)).is_ok_and(|again| again == net), "a net changes in its file");
    let numbers = (0..net.tensors()).fold(0usize, |all, t| all.saturating_add(net.len(t)));
    if numbers > LARGEST {
        return;
    }
    if let Ok(bounds) = bounds::check(&net) {
        let _ = candidates(&net, &bounds, MAX_K);
    }
}

fn package(manifest: &[u8]) {
    static FOLDER: OnceLock<tempfile::TempDir> = OnceLock::new();
    let folder = FOLDER.get_or_init(|| {
        let folder = tempfile::tempdir().expect("a folder");
        std::fs::write(folder.path().join("net.bin"), binary::encode(&small())).expect("a file");
        folder
    });
    std::fs::write(folder.path().join(MANIFEST), manifest).expect("a file");
    if let Ok(package) = Package::load(folder.path()) {
        let _ = package.id([0; 32], None);
    }
}

/// Number of instances, the instances, a proof. Only [`GOOD_PROOF`] is one.
pub fn proof(bytes: &[u8]) {
    let Some((count, rest)) = bytes.split_first() else { return };
    let Some((instances, proof)) = rest.split_at_checked(32 * usize::from(*count)) else { return };
    let instances = instances.chunks_exact(32).filter_map(|word| word.try_into().ok()).collect();
    let verifies = prover().verify(&NetProof { bytes: proof.to_vec(), instances });
    assert!(!verifies || bytes == GOOD_PROOF, "another proof than the prover's verifies");
}

/// A set-up: alone, and as gnark's powers behind their τG2.
pub fn ptau(bytes: &[u8]) {
    let _ = import::read(&mut Cursor::new(bytes), None, None);
    if let Some((g2, g1)) = bytes.split_at_checked(G2) {
        let _ = import::read(&mut Cursor::new(g1), Some(g2), None);
    }
}

/// The table of [`small`].
pub const SHAPE: Shape = Shape { kernels: 1, k: 8 };

/// Four numbers to three, whose key takes no time to make.
pub fn small() -> Net {
    let weights = (0..12).map(|i| i % 5 - 2).collect();
    let dense =
        Conv { input: [4, 1, 1], channels: 3, kernel: [1, 1], pads: [0; 4], dilation: [1, 1], groups: 1, weights };
    let rescale = Rescale { bias: vec![3, -4, 5], shift: vec![1; 3], table: 0 };
    Net {
        privacy: Privacy::default(),
        inputs: vec![Input { name: "x".into(), len: 4, bits: 3 }],
        nodes: vec![Node { name: "dense".into(), inputs: vec![0], step: Step::Linear(Linear::Conv(dense), rescale) }],
        tables: vec![Table { low: -30, values: (-30..=30).map(|q: i64| q.clamp(0, 15)).collect() }],
        outputs: vec![Output { name: "y".into(), tensor: 1, bits: 4 }],
    }
}

/// The circuit of [`small`].
pub fn circuit() -> NetCircuit {
    static LAYOUT: OnceLock<Arc<Layout>> = OnceLock::new();
    let layout = LAYOUT.get_or_init(|| {
        let bounds = bounds::check(&small()).expect("bounds");
        Arc::new(Layout::new(&small(), &bounds, SHAPE).expect("a layout"))
    });
    NetCircuit { layout: layout.clone(), witness: None, with_fixed: true }
}

/// The prover of [`small`] with the built-in set-up.
pub fn prover() -> &'static NetProver {
    static PROVER: OnceLock<NetProver> = OnceLock::new();
    PROVER.get_or_init(|| {
        let cache = tempfile::tempdir().expect("a folder");
        let srs = Srs::load(SHAPE.k, cache.path()).expect("a set-up");
        NetProver::new(small(), SHAPE, srs, cache.path()).expect("a prover")
    })
}
