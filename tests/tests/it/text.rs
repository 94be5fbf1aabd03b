//! The text networks of `models` on texts that they were not trained on: the public values that a contract reads, what rounding
//! loses, and proofs.

use std::path::PathBuf;

use rayon::prelude::*;
use zugzwang_circuits::{
    float::FloatNet,
    model::sha256_hex,
    net::{NetProof, NetProver, interpret, package::Package},
    onnx,
    srs::Srs,
};
use zugzwang_tests::{cache, repository};

/// Bytes of a text, and of those a limb holds.
const LENGTH: usize = 248;
const LIMB_BYTES: usize = 31;
/// Where the public values are: the request, the text, the class, the margin.
const TEXT_LIMB: usize = 2;
const CLASS_LIMB: usize = TEXT_LIMB + LENGTH / LIMB_BYTES;
const MARGIN_LIMB: usize = CLASS_LIMB + 1;
/// Texts of each model that are proven.
const PROOFS: usize = 2;

/// Margins, in integers, that are asked for.
const MARGINS: [i64; 7] = [0, 60, 80, 110, 150, 200, 250];

/// A folder in `models`, and files of texts with the least share of each that has to be right, in floats and in integers.
struct Model {
    folder: &'static str,
    classes: usize,
    accuracy: &'static [(&'static str, f64)],
}

const MODELS: [Model; 3] = [
    Model {
        folder: "football",
        classes: 4,
        accuracy: &[(HELD_OUT, 0.97), ("reserved.bin", 0.95), ("blind.bin", 0.83)],
    },
    Model { folder: "weather", classes: 2, accuracy: &[(HELD_OUT, 0.88)] },
    Model { folder: "spam", classes: 2, accuracy: &[(HELD_OUT, 0.975)] },
];

/// Texts that were held out of the training.
const HELD_OUT: &str = "evaluation.bin";

/// A text and what it says.
struct Text {
    class: usize,
    bytes: Vec<u8>,
}

impl Text {
    fn numbers(&self) -> Vec<i64> {
        self.bytes.iter().map(|b| i64::from(*b)).collect()
    }

    /// Class and margin of the integer network, as a contract reads them.
    fn integer(&self, package: &Package) -> [i64; 2] {
        let trace = interpret::run(&package.net, &[self.numbers()]).expect("248 bytes");
        [0, 1].map(|i| trace.tensors[package.net.outputs[i].tensor][0])
    }

    /// The float network's class.
    fn float(&self, net: &FloatNet) -> usize {
        let bytes = self.bytes.iter().map(|b| f32::from(*b)).collect();
        net.run(&[bytes]).expect("248 bytes")[0][0] as usize
    }
}

/// What both networks say of a text, the integer network's margin, and what is right.
struct Answer {
    float: usize,
    integer: usize,
    margin: i64,
    right: usize,
}

impl Answer {
    fn of(text: &Text, net: &FloatNet, package: &Package) -> Self {
        let [class, margin] = text.integer(package);
        Self { float: text.float(net), integer: class as usize, margin, right: text.class }
    }
}

impl Model {
    fn folder(&self) -> PathBuf {
        repository().join("models").join(self.folder)
    }

    fn package(&self) -> Package {
        Package::load(&self.folder()).expect(self.folder)
    }

    /// The texts of a file of the folder: the class, then 248 bytes.
    fn texts(&self, file: &str) -> Vec<Text> {
        let bytes = std::fs::read(self.folder().join(file)).expect(file);
        let records = bytes.chunks_exact(1 + LENGTH);
        assert!(records.remainder().is_empty(), "{}", self.folder);
        records.map(|r| Text { class: r[0].into(), bytes: r[1..].to_vec() }).collect()
    }
}

#[test]
fn public_values_are_a_text_a_class_and_a_margin() {
    for model in &MODELS {
        let package = model.package();
        let [input] = &package.net.inputs[..] else { panic!("{}: not one input", model.folder) };
        assert_eq!((input.len, input.bits), (LENGTH, 8), "{}", model.folder);
        let text = &package.manifest.inputs[0];
        assert_eq!((text.scale, text.zero), (1.0, 0), "{}: a byte is not its own integer", model.folder);
        let [class, margin] = &package.manifest.outputs[..] else { panic!("{}: not two outputs", model.folder) };
        assert_eq!((class.scale, class.zero), (1.0, 0), "{}: a class is not its own index", model.folder);
        assert!(model.classes <= 1 << class.bits && margin.scale > 0.0, "{}", model.folder);
        for text in model.accuracy.iter().flat_map(|(file, _)| model.texts(file)) {
            assert!(text.class < model.classes, "{}: class {}", model.folder, text.class);
            let end = text.bytes.iter().position(|b| *b == 0).unwrap_or(LENGTH);
            let (said, rest) = text.bytes.split_at(end);
            assert!(said.iter().all(|b| (b' '..=b'~').contains(b)) && rest.iter().all(|b| *b == 0), "{}", model.folder);
        }
    }
}

#[test]
fn rounding_loses_little_on_texts_held_out() {
    for model in &MODELS {
        let package = model.package();
        let source = package.manifest.onnx.as_ref().expect("a public model");
        let path = model.folder().join(&source.file);
        let bytes = std::fs::read(&path).expect("ONNX");
        assert_eq!(sha256_hex(&bytes), source.sha256, "{}: the package is of another ONNX file", model.folder);
        let net = onnx::load(&path).expect("ONNX");
        for (file, least) in model.accuracy {
            let what = format!("{} {file}", model.folder);
            let answers: Vec<Answer> =
                model.texts(file).par_iter().map(|text| Answer::of(text, &net, &package)).collect();
            let share =
                |holds: &dyn Fn(&&Answer) -> bool| answers.iter().filter(holds).count() as f64 / answers.len() as f64;
            let (float, integer) = (share(&|a| a.float == a.right), share(&|a| a.integer == a.right));
            println!(
                "{what}: float {float:.4}, integer {integer:.4}, same answer {:.4}",
                share(&|a| a.float == a.integer)
            );
            for margin in MARGINS {
                let decided = share(&|a| a.margin >= margin);
                let right = share(&|a| a.margin >= margin && a.integer == a.right) / decided;
                println!("  margin at least {margin}: {decided:.4} decided, {right:.4} right of those");
            }
            assert!(float >= *least, "{what}, float: {float}");
            assert!(integer >= *least, "{what}, integer: {integer}");
        }
    }
}

/// A limb's number, if it is a small one.
fn small(limb: &[u8; 32]) -> i64 {
    let (high, low) = limb.split_at(24);
    assert!(high.iter().all(|b| *b == 0), "{limb:?}");
    i64::from_be_bytes(low.try_into().expect("8 bytes"))
}

/// The public value of a limb of text: first byte lowest.
fn limb(bytes: &[u8]) -> [u8; 32] {
    let mut limb = [0; 32];
    limb.iter_mut().rev().zip(bytes).for_each(|(to, from)| *to = *from);
    limb
}

#[test]
fn texts_held_out_are_proven() {
    for model in &MODELS {
        let package = model.package();
        let shape = package.manifest.circuit;
        let srs = Srs::load(shape.k, &cache()).expect("set-up");
        let prover = NetProver::of(&package, shape, srs, &cache()).expect("prover");
        for (n, text) in model.texts(HELD_OUT).iter().take(PROOFS).enumerate() {
            let what = format!("{} {n}", model.folder);
            let request = std::array::from_fn(|i| (i as u8).wrapping_mul(29) ^ n as u8);
            let proof = prover.prove(&[text.numbers()], request, &|_| ()).expect("proof").0;
            assert!(prover.verify(&proof), "{what}");
            assert_eq!(proof.instances.len(), MARGIN_LIMB + 1, "{what}");
            assert_eq!([&proof.instances[0][16..], &proof.instances[1][16..]].concat(), request, "{what}");
            for (at, bytes) in text.bytes.chunks(LIMB_BYTES).enumerate() {
                assert_eq!(proof.instances[TEXT_LIMB + at], limb(bytes), "{what}: limb {at}");
            }
            let [class, margin] = text.integer(&package);
            assert_eq!(small(&proof.instances[CLASS_LIMB]), class, "{what}");
            assert_eq!(small(&proof.instances[MARGIN_LIMB]), margin, "{what}");
            // One bit of the text, of the class or of the margin.
            for place in [TEXT_LIMB, CLASS_LIMB, MARGIN_LIMB] {
                let mut lie: NetProof = proof.clone();
                lie.instances[place][31] ^= 1;
                assert!(!prover.verify(&lie), "{what}: public value {place} altered");
            }
        }
    }
}
