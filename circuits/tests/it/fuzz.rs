//! The fuzz targets of `circuits/fuzz` as plain tests: every file of the saved corpus, and mutations of each.
//!
//! With `ZUGZWANG_BLESS=1` the corpus' good files are written anew; a changed circuit asks for that.

// Public for the fuzz targets.
#[allow(unreachable_pub)]
#[path = "../../fuzz/src/lib.rs"]
mod targets;

use std::fs;
use std::io::Cursor;
use std::path::{Path, PathBuf};

use halo2_proofs::poly::commitment::Params;
use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha20Rng;
use tract_onnx::pb::tensor_proto::DataType;
use zugzwang_circuits::keys::{key_path, load};
use zugzwang_circuits::net::package::{MANIFEST, Package};
use zugzwang_circuits::net::{NetProof, NetProver, binary};
use zugzwang_circuits::srs::{Srs, import};

use crate::net::cases::{chain, mixed};
use crate::onnx::files::Setting::{Int, Ints};
use crate::onnx::files::{bytes, file, floats, integers, interface, node};

type Target = fn(&[u8]);

fn corpus(target: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("fuzz/corpus").join(target)
}

/// Names the input that a target is at when it panics.
struct At<'a>(&'a Path, u64);

impl Drop for At<'_> {
    fn drop(&mut self) {
        if std::thread::panicking() {
            eprintln!("{}, mutation {}", self.0.display(), self.1);
        }
    }
}

/// Runs a target on its corpus and on `mutations` of each file.
fn check(name: &str, target: Target, mutations: u64) {
    let mut files: Vec<PathBuf> =
        fs::read_dir(corpus(name)).expect("a corpus").map(|entry| entry.expect("an entry").path()).collect();
    files.sort();
    assert!(!files.is_empty(), "no corpus for {name}");
    let all: Vec<Vec<u8>> = files.iter().map(|file| fs::read(file).expect("a file")).collect();
    for (index, (path, whole)) in files.iter().zip(&all).enumerate() {
        for mutation in 0..=mutations {
            let _at = At(path, mutation);
            match mutation {
                0 => target(whole),
                seed => {
                    let rng = &mut ChaCha20Rng::seed_from_u64(seed << 16 | index as u64);
                    let mut bytes = whole.clone();
                    for _ in 0..rng.gen_range(1..4) {
                        mutate(&mut bytes, &all, rng);
                    }
                    target(&bytes);
                }
            }
        }
    }
}

/// One change of the kinds that break readers: bits, lengths, cuts, repeats, and pieces of other files.
fn mutate(bytes: &mut Vec<u8>, others: &[Vec<u8>], rng: &mut ChaCha20Rng) {
    if bytes.is_empty() {
        return bytes.push(rng.r#gen());
    }
    let at = rng.gen_range(0..bytes.len());
    let end = (at + rng.gen_range(1..=64)).min(bytes.len());
    match rng.gen_range(0..8) {
        0 => bytes[at] ^= 1 << rng.gen_range(0..8),
        1 => bytes[at] = [0, 1, 0x7f, 0x80, 0xff][rng.gen_range(0..5)],
        2 => bytes[at..end].fill([0, 0xff][rng.gen_range(0..2)]),
        3 => bytes.truncate(at),
        4 => drop(bytes.drain(at..end)),
        5 => {
            let piece = bytes[at..end].to_vec();
            bytes.splice(at..at, piece);
        }
        6 => {
            // A length, in the form of most formats.
            let number = [1u64 << 31, 1 << 62, u64::MAX, 0, 1 << 20][rng.gen_range(0..5)].to_le_bytes();
            let width = [1, 2, 4, 8][rng.gen_range(0..4)].min(bytes.len() - at);
            bytes[at..at + width].copy_from_slice(&number[..width]);
        }
        _ => {
            let other = &others[rng.gen_range(0..others.len())];
            let from = rng.gen_range(0..=other.len());
            let to = (from + 64).min(other.len());
            bytes.splice(at..end, other[from..to].iter().copied());
        }
    }
}

#[test]
fn onnx_files() {
    check("onnx", targets::onnx, 150);
}

#[test]
fn keys_nets_and_packages() {
    check("keys", targets::keys, 150);
}

#[test]
fn proofs() {
    check("proof", targets::proof, 200);
}

#[test]
fn set_ups() {
    check("ptau", targets::ptau, 60);
}

/// The corpus' good files are what they seem, or the targets would not get far.
#[test]
fn good_files_are_accepted() {
    if std::env::var_os("ZUGZWANG_BLESS").is_some() {
        bless();
    }
    let read = |target: &str, name: &str| fs::read(corpus(target).join(name)).expect("a file of the corpus");
    for name in ["cnn", "mixer", "tables"] {
        let net = zugzwang_circuits::onnx::parse(&read("onnx", name));
        assert!(net.is_ok(), "{name}: {:?}", net.err());
    }
    let folder = tempfile::tempdir().expect("a folder");
    let key = read("keys", "key");
    let file = zugzwang_circuits::keys::with_hash(&key[1..]);
    let id = key[33..65].try_into().expect("32 bytes");
    let parsed = zugzwang_circuits::keys::parse(folder.path(), &file, id, targets::SHAPE.k, &targets::circuit());
    assert!(parsed.is_ok(), "{:?}", parsed.err());
    for name in ["small", "chain", "mixed"] {
        assert!(binary::decode(&read("keys", &format!("net-{name}"))[1..]).is_ok(), "{name}");
    }
    fs::write(folder.path().join(MANIFEST), &read("keys", "package")[1..]).expect("a file");
    fs::write(folder.path().join("net.bin"), binary::encode(&targets::small())).expect("a file");
    Package::load(folder.path()).expect("a package");
    assert!(targets::prover().verify(&split(&read("proof", "good"))), "the circuit has changed: write the corpus anew");
    for name in ["prepared", "halo2"] {
        let srs = import::read(&mut Cursor::new(read("ptau", name)), None, None);
        assert!(srs.is_ok(), "{name}: {:?}", srs.err());
    }
    let gnark = read("ptau", "gnark");
    assert!(import::read(&mut Cursor::new(&gnark[64..]), Some(&gnark[..64]), None).is_ok());
}

fn split(bytes: &[u8]) -> NetProof {
    let (instances, proof) = bytes[1..].split_at(32 * usize::from(bytes[0]));
    let instances = instances.chunks(32).map(|word| word.try_into().expect("32 bytes")).collect();
    NetProof { bytes: proof.to_vec(), instances }
}

/// Writes the good files; the small `.ptau` is snarkjs's (see `circuits/fuzz/README.md`).
fn bless() {
    let write = |target: &str, name: &str, bytes: &[u8]| fs::write(corpus(target).join(name), bytes).expect("a file");
    let x = |dims: &[i64]| vec![interface("x", dims, DataType::Float)];
    let cnn = file(
        13,
        x(&[1, 2, 4, 4]),
        vec![floats("w", &[3, 2, 3, 3]), floats("b", &[3]), floats("v", &[3, 2])],
        vec![
            node("Conv", "x w b", "c", &[("pads", Ints(&[1, 1, 1, 1]))]),
            node("Relu", "c", "r", &[]),
            node("MaxPool", "r", "m", &[("kernel_shape", Ints(&[4, 4]))]),
            node("Flatten", "m", "f", &[]),
            node("MatMul", "f v", "y", &[]),
        ],
    );
    let mixer = file(
        13,
        x(&[1, 3, 4]),
        vec![floats("w", &[4, 4]), integers("i", &[2, 0])],
        vec![
            node("MatMul", "x w", "a", &[]),
            node("Transpose", "a", "t", &[("perm", Ints(&[0, 2, 1]))]),
            node("MatMul", "a t", "s", &[]),
            node("Gather", "s i", "g", &[("axis", Int(2))]),
            node("Softmax", "g", "y", &[("axis", Int(-1))]),
        ],
    );
    let tables = file(
        13,
        x(&[1, 4]),
        vec![floats("w", &[4]), integers("n", &[2, 2])],
        vec![
            node("Add", "x w", "a", &[]),
            node("Sigmoid", "a", "s", &[]),
            node("Mul", "s x", "m", &[]),
            node("Reshape", "m n", "h", &[]),
            node("ReduceSum", "h", "r", &[]),
            node("Concat", "h h", "c", &[("axis", Int(0))]),
            node("Tanh", "c", "y", &[]),
        ],
    );
    for (name, model) in [("cnn", cnn), ("mixer", mixer), ("tables", tables)] {
        write("onnx", name, &bytes(&model));
    }
    let folder = tempfile::tempdir().expect("a folder");
    let small = targets::small();
    let srs = Srs::load(targets::SHAPE.k, folder.path()).expect("a set-up");
    let prover = NetProver::new(small.clone(), targets::SHAPE, srs, folder.path()).expect("a prover");
    let path = key_path(folder.path(), &prover.key_id());
    assert!(matches!(load(&path, &prover.key_id(), targets::SHAPE.k, &targets::circuit()), Ok(Some(_))));
    let key = fs::read(path).expect("a key");
    write("keys", "key", &[b"k", &key[..key.len() - 32]].concat());
    for (name, net) in [("small", small), ("chain", chain()), ("mixed", mixed())] {
        write("keys", &format!("net-{name}"), &[b"n", &binary::encode(&net)[..]].concat());
    }
    write(
        "keys",
        "package",
        &[b"p", MANIFEST_OF_SMALL.replace("{sha256}", &sha256(&binary::encode(&targets::small()))).as_bytes()].concat(),
    );
    let (proof, ..) = prover.prove(&[vec![1, 2, 3, 7]], [9; 32], &|_| ()).expect("a proof");
    write("proof", "good", &[&[proof.instances.len() as u8], &proof.instances.concat()[..], &proof.bytes].concat());
    let small_ptau = fs::read(corpus("ptau").join("prepared")).expect("snarkjs's file");
    let srs = import::read(&mut Cursor::new(small_ptau), None, None).expect("a set-up");
    let srs = srs.into_srs(folder.path()).expect("a set-up");
    let mut raw = vec![];
    srs.params().write(&mut raw).expect("memory");
    write("ptau", "halo2", &raw);
    let data = Path::new(env!("CARGO_MANIFEST_DIR")).join("srs");
    let [g1, g2] = ["g1_65536.point", "g2.point.powerOf2"].map(|name| fs::read(data.join(name)).expect("a file"));
    write("ptau", "gnark", &[&g2[..64], &g1[..4 * 32]].concat());
}

fn sha256(bytes: &[u8]) -> String {
    use sha2::{Digest, Sha256};
    zugzwang_circuits::srs::hex(&Sha256::digest(bytes))
}

const MANIFEST_OF_SMALL: &str = r#"name = "small"
onnx = { file = "model.onnx", sha256 = "" }
net = { file = "net.bin", sha256 = "{sha256}" }
quantisation = { input_bits = 8, activation_bits = 8, output_bits = 10, weight_bits = 10, table_rows = 2560 }
circuit = { kernels = 1, k = 8 }
inputs = [{ scale = 0.5, zero = 0, bits = 3 }]
outputs = [{ scale = 0.25, zero = 1, bits = 4 }]
"#;
