//! Handwritten digits that the network of `models/mnist` was not trained on: what rounding loses, and proofs of its answers
//! on a real local chain.

use std::path::PathBuf;

use rayon::prelude::*;
use zugzwang::{
    chain::{
        Wallet, bytecode,
        types::{Address, U256},
    },
    prover::verifier,
};
use zugzwang_circuits::{
    float::FloatNet,
    model::sha256_hex,
    net::{NetProof, NetProver, interpret, package::Package},
    onnx,
    srs::Srs,
};
use zugzwang_tests::{Chain, cache, proofs, repository};

const PIXELS: usize = 28 * 28;
/// Ample: a verifier that runs short of gas answers no.
const GAS_LIMIT: u64 = 10_000_000;
/// Limbs of the request, before the pixels' and the scores'.
const REQUEST_LIMBS: usize = 2;
/// Bits of a limb that hold numbers.
const LIMB_BITS: usize = 253;

/// A digit and what it is.
struct Digit {
    label: usize,
    pixels: Vec<u8>,
}

impl Digit {
    /// The network's answer in floats.
    fn float(&self, net: &FloatNet) -> usize {
        let pixels = self.pixels.iter().map(|p| f32::from(*p)).collect();
        largest(&net.run(&[pixels]).expect("784 pixels")[0])
    }

    /// The inputs' integers.
    fn encoded(&self, package: &Package) -> Vec<i64> {
        let real = &package.manifest.inputs[0];
        self.pixels.iter().map(|p| real.encode(f64::from(*p))).collect()
    }

    /// The scores of the integer network.
    fn scores(&self, package: &Package) -> Vec<i64> {
        let trace = interpret::run(&package.net, &[self.encoded(package)]).expect("784 pixels");
        trace.tensors[package.net.outputs[0].tensor].clone()
    }
}

fn folder() -> PathBuf {
    repository().join("models/mnist")
}

fn package() -> Package {
    Package::load(&folder()).expect("models/mnist")
}

/// The 1,000 digits of `evaluation.bin`: the label, then the pixels.
fn held_out() -> Vec<Digit> {
    let bytes = std::fs::read(folder().join("evaluation.bin")).expect("digits");
    let records = bytes.chunks_exact(1 + PIXELS);
    assert!(records.remainder().is_empty());
    let digits: Vec<Digit> = records.map(|r| Digit { label: r[0].into(), pixels: r[1..].to_vec() }).collect();
    assert_eq!(digits.len(), 1000);
    digits
}

/// The first of the largest values.
fn largest<T: PartialOrd>(values: &[T]) -> usize {
    (1..values.len()).fold(0, |best, i| if values[i] > values[best] { i } else { best })
}

#[test]
fn rounding_loses_little_on_digits_held_out() {
    let (package, digits) = (package(), held_out());
    let onnx = package.manifest.onnx.as_ref().expect("a public model");
    let file = folder().join(&onnx.file);
    let bytes = std::fs::read(&file).expect("ONNX");
    assert_eq!(sha256_hex(&bytes), onnx.sha256, "the package is of another ONNX file");
    let net = onnx::load(&file).expect("ONNX");
    let answers: Vec<[usize; 3]> =
        digits.par_iter().map(|d| [d.float(&net), largest(&d.scores(&package)), d.label]).collect();
    let share = |same: &dyn Fn(&&[usize; 3]) -> bool| answers.iter().filter(same).count() as f64 / 1000.0;
    let (float, integer) = (share(&|[f, _, label]| f == label), share(&|[_, i, label]| i == label));
    println!("float {float:.3}, integer {integer:.3}, same answer {:.3}", share(&|[f, i, _]| f == i));
    assert!(float >= 0.98, "float: {float}");
    assert!((float - integer).abs() <= 0.005, "float {float}, integer {integer}");
}

/// The verifier on a local chain.
struct Judge {
    chain: Chain,
    wallet: Wallet,
    verifier: Address,
}

impl Judge {
    async fn of(prover: &NetProver) -> Self {
        let chain = Chain::start().await;
        let wallet = chain.wallet(0x33).await;
        let source = prover.solidity("DigitVerifier").expect("source");
        let code = verifier::compile(prover.model_id(), &source).await.expect("npm ci in contracts/");
        let verifier = wallet.deploy("verifier", code.bytecode).await.expect("verifier").contract;
        Self { chain, wallet, verifier }
    }

    /// Whether the contract takes the proof.
    async fn accepts(&self, proof: &NetProof) -> bool {
        let call = bytecode::verify_call(&proof.bytes, &proof.instances);
        let answer = self.chain.client.call(None, self.verifier, call, None).await.expect("an answer");
        U256::try_from_be_slice(&answer) == Some(U256::from(1))
    }
}

/// Where a list of numbers stands among the public values.
#[derive(Clone, Copy)]
struct Place {
    /// Its first limb.
    limb: usize,
    bits: usize,
    len: usize,
}

impl Place {
    /// The pixels' place and the scores', by the words of `docs/net.md`.
    fn of(package: &Package) -> [Self; 2] {
        let (input, output) = (&package.net.inputs[0], &package.net.outputs[0]);
        let pixels = Self { limb: REQUEST_LIMBS, bits: input.bits as usize, len: input.len };
        let limb = pixels.limb + pixels.len.div_ceil(LIMB_BITS / pixels.bits);
        [pixels, Self { limb, bits: output.bits as usize, len: package.net.len(output.tensor) }]
    }

    /// Limb and lowest bit of a number.
    fn at(&self, i: usize) -> (usize, usize) {
        let per = LIMB_BITS / self.bits;
        (self.limb + i / per, i % per * self.bits)
    }

    fn read(&self, instances: &[[u8; 32]]) -> Vec<i64> {
        let mask = (U256::from(1) << self.bits) - U256::from(1);
        let number = |i| {
            let (limb, bit) = self.at(i);
            i64::try_from((U256::from_be_bytes(instances[limb]) >> bit) & mask).expect("a few bits")
        };
        (0..self.len).map(number).collect()
    }

    fn write(&self, instances: &mut [[u8; 32]], i: usize, value: i64) {
        let (limb, bit) = self.at(i);
        let change = U256::from(self.read(instances)[i] ^ value) << bit;
        instances[limb] = (U256::from_be_bytes(instances[limb]) ^ change).to_be_bytes();
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn digits_held_out_are_proven_on_chain() {
    let package = package();
    let [pixels, scores] = Place::of(&package);
    let prover = tokio::task::block_in_place(|| {
        let shape = package.manifest.circuit;
        let srs = Srs::load(shape.k, &cache()).expect("set-up");
        NetProver::of(&package, shape, srs, &cache()).expect("prover")
    });
    let judge = Judge::of(&prover).await;
    let count = proofs();
    let (mut right, mut gas) = (0, 0);
    for (n, digit) in held_out().iter().take(count).enumerate() {
        let request = std::array::from_fn(|i| (i as u8).wrapping_mul(41) ^ n as u8);
        let inputs = digit.encoded(&package);
        let prove = || prover.prove(std::slice::from_ref(&inputs), request, &|_| ()).expect("proof").0;
        let proof = tokio::task::block_in_place(prove);
        // What a contract reads: whose answer, to what, and which.
        let public = &proof.instances;
        assert_eq!([&public[0][16..], &public[1][16..]].concat(), request, "digit {n}");
        assert_eq!(pixels.read(public), inputs, "digit {n}");
        let said = scores.read(public);
        assert_eq!(said, digit.scores(&package), "digit {n}");
        let answer = largest(&said);
        right += usize::from(answer == digit.label);
        assert!(judge.accepts(&proof).await, "digit {n}: an honest proof is refused");

        // Another answer: the scores of the best and of the next digit exchanged; nine for each digit would say the same.
        let other = (answer + 1) % 10;
        let mut lie = proof.clone();
        scores.write(&mut lie.instances, answer, said[other]);
        scores.write(&mut lie.instances, other, said[answer]);
        if said[answer] != said[other] {
            assert_eq!(largest(&scores.read(&lie.instances)), other);
            assert!(!judge.accepts(&lie).await, "digit {n}: another answer is accepted");
        }
        // One score off by one, one pixel off by one, another request.
        for (what, place, i) in [("score", scores, n % 10), ("pixel", pixels, 7 * n)] {
            let mut lie = proof.clone();
            let old = place.read(&lie.instances)[i];
            place.write(&mut lie.instances, i, old ^ 1);
            assert!(!judge.accepts(&lie).await, "digit {n}: another {what} is accepted");
        }
        let mut lie = proof.clone();
        lie.instances[n % REQUEST_LIMBS][31] ^= 1;
        assert!(!judge.accepts(&lie).await, "digit {n}: the proof is accepted for another request");
        if n == 0 {
            let call = bytecode::verify_call(&proof.bytes, &proof.instances);
            let sent = judge.wallet.call_with_gas("verifyProof", judge.verifier, call, GAS_LIMIT).await.expect("mined");
            gas = sent.mined.gas_used;
        }
    }
    println!("{count} digits proven on chain, {right} of them right, {gas} gas each; no altered one is accepted");
    assert!(right >= count * 95 / 100, "{right} right");
}
