//! The fraud guard's network of `models/fraud` on accounts that it was not trained on: what rounding loses, what its thresholds
//! do, and that it reads the limbs as the contract packs them.

use std::path::PathBuf;

use rayon::prelude::*;
use zugzwang_circuits::{
    float::FloatNet,
    model::sha256_hex,
    net::{NetProver, interpret, package::Package},
    onnx,
    srs::Srs,
};
use zugzwang_tests::{cache, repository};

/// Bytes of a record of `evaluation.bin`: the label, then two limbs, their highest byte first.
const RECORD: usize = 1 + 2 * LIMB_BYTES;
const LIMB_BYTES: usize = 32;
/// Digits of 4 bits that a limb holds.
const DIGITS_A_LIMB: usize = 63;
/// Limbs of the request, before the features' and the score's.
const REQUEST_LIMBS: usize = 2;
/// The thresholds that `models/fraud/README.md` gives.
const RELEASE_BELOW: f64 = 720.0;
const PAUSE_AT: f64 = 780.0;
/// From this score on an account counts as fraud for F1.
const FRAUD_FROM: f64 = 730.0;

/// An account's features as public limbs, and what it is.
struct Account {
    fraud: bool,
    limbs: [[u8; LIMB_BYTES]; 2],
}

impl Account {
    /// Digits 0 to 15, the first lowest in the first limb.
    fn digits(&self) -> Vec<i64> {
        let digit = |limb: &[u8; LIMB_BYTES], i: usize| i64::from(limb[LIMB_BYTES - 1 - i / 2] >> (4 * (i % 2)) & 15);
        self.limbs.iter().flat_map(|limb| (0..DIGITS_A_LIMB).map(move |i| digit(limb, i))).collect()
    }

    fn float(&self, net: &FloatNet) -> f64 {
        let digits = self.digits().into_iter().map(|d| d as f32).collect();
        f64::from(net.run(&[digits]).expect("126 digits")[0][0])
    }

    fn integer(&self, package: &Package) -> f64 {
        let trace = interpret::run(&package.net, &[self.digits()]).expect("126 digits");
        trace.tensors[package.net.outputs[0].tensor][0] as f64
    }
}

/// Scores of honest accounts and of fraudulent ones, each ascending.
struct Scores {
    honest: Vec<f64>,
    fraud: Vec<f64>,
}

impl Scores {
    fn of(accounts: &[Account], score: impl Fn(&Account) -> f64 + Send + Sync) -> Self {
        let scores: Vec<f64> = accounts.par_iter().map(score).collect();
        let side = |fraud| {
            let mut side: Vec<f64> =
                accounts.iter().zip(&scores).filter(|(a, _)| a.fraud == fraud).map(|(_, s)| *s).collect();
            side.sort_by(f64::total_cmp);
            side
        };
        Self { honest: side(false), fraud: side(true) }
    }

    /// The area under the ROC curve; equal scores count half.
    fn area(&self) -> f64 {
        let above =
            |s: f64| (self.honest.partition_point(|h| *h < s) + self.honest.partition_point(|h| *h <= s)) as f64;
        self.fraud.iter().map(|s| above(*s) / 2.0).sum::<f64>() / (self.honest.len() * self.fraud.len()) as f64
    }

    /// Shares of the honest and of the fraudulent that score at least so much.
    fn from(&self, cut: f64) -> [f64; 2] {
        [&self.honest, &self.fraud].map(|side| 1.0 - side.partition_point(|s| *s < cut) as f64 / side.len() as f64)
    }

    fn f1(&self, cut: f64) -> f64 {
        let [false_share, recall] = self.from(cut);
        let (right, wrong) = (recall * self.fraud.len() as f64, false_share * self.honest.len() as f64);
        2.0 * right / (right + wrong + self.fraud.len() as f64)
    }

    /// The recall at the lowest score that at most this share of the honest reach.
    fn recall_at(&self, share: f64) -> f64 {
        let reached = self.honest[self.honest.len() - 1 - (share * self.honest.len() as f64) as usize];
        1.0 - self.fraud.partition_point(|s| *s <= reached) as f64 / self.fraud.len() as f64
    }

    fn check(&self, what: &str, cut: f64) {
        let (area, f1, recall) = (self.area(), self.f1(cut), self.recall_at(0.01));
        println!("{what}: AUC {area:.4}, F1 {f1:.3}, recall at 1 % false positives {recall:.3}");
        assert!(area >= 0.960, "{what}: area {area}");
        assert!(f1 >= 0.80, "{what}: F1 {f1}");
        assert!(recall >= 0.62, "{what}: recall {recall}");
    }
}

fn folder() -> PathBuf {
    repository().join("models/fraud")
}

fn package() -> Package {
    Package::load(&folder()).expect("models/fraud")
}

/// The accounts of `evaluation.bin`.
fn held_out() -> Vec<Account> {
    let bytes = std::fs::read(folder().join("evaluation.bin")).expect("accounts");
    let records = bytes.chunks_exact(RECORD);
    assert!(records.remainder().is_empty());
    let limb = |bytes: &[u8]| bytes.try_into().expect("32 bytes");
    records.map(|r| Account { fraud: r[0] == 1, limbs: [limb(&r[1..33]), limb(&r[33..])] }).collect()
}

#[test]
fn rounding_loses_little_on_accounts_held_out() {
    let (package, accounts) = (package(), held_out());
    assert!(accounts.len() > 3000, "{} accounts", accounts.len());
    let onnx = package.manifest.onnx.as_ref().expect("a public model");
    let file = folder().join(&onnx.file);
    assert_eq!(sha256_hex(&std::fs::read(&file).expect("ONNX")), onnx.sha256, "the package is of another ONNX file");
    let net = onnx::load(&file).expect("ONNX");
    let float = Scores::of(&accounts, |a| a.float(&net));
    let integer = Scores::of(&accounts, |a| a.integer(&package));
    let output = &package.manifest.outputs[0];
    float.check("float", output.scale * (FRAUD_FROM - output.zero as f64));
    integer.check("integer", FRAUD_FROM);
    assert!((float.area() - integer.area()).abs() <= 0.002);
    let [false_pauses, pauses] = integer.from(PAUSE_AT);
    let [kept, frauds_kept] = integer.from(RELEASE_BELOW);
    println!(
        "paused: {false_pauses:.4} of the honest, {pauses:.3} of the frauds; not released: {kept:.3}, {frauds_kept:.3}"
    );
    assert!(false_pauses <= 0.01, "false pauses: {false_pauses}");
    assert!(pauses >= 0.5, "pauses: {pauses}");
}

/// The limbs of `test_limbs` in `contracts/test/guard/Features.t.sol`, and the numbers that they were packed from.
#[test]
fn the_model_reads_the_limbs_that_the_contract_packs() {
    let hex = [
        "00000000050000000000baeb9100006acfc1000003d09000020000033fffffff",
        "01000000000003000000baeb940000baeb930000000001000100000200015180",
    ];
    let byte = |h: &str, i: usize| u8::from_str_radix(&h[2 * i..2 * i + 2], 16).expect("hex");
    let account = Account { fraud: false, limbs: hex.map(|h| std::array::from_fn(|i| byte(h, i))) };
    let digits = account.digits();
    let number = |at: usize, len: usize| (0..len).rev().fold(0, |n, i| 16 * n + digits[at + i]);
    let second = DIGITS_A_LIMB;
    for (what, at, len, value) in [
        ("received: time", 0, 8, (1 << 30) - 1),
        ("received: count", 8, 6, 3),
        ("received: counterparties", 14, 4, 2),
        ("received: smallest", 18, 10, 250_000),
        ("received: largest", 28, 10, 7_000_001),
        ("received: total", 38, 12, 12_250_001),
        ("created", 50, 4, 0),
        ("calls", 54, 6, 5),
        ("nothing", 60, 3, 0),
        ("sent: time", second, 8, 86_400),
        ("sent: count", second + 8, 6, 2),
        ("sent: counterparties", second + 14, 4, 1),
        ("sent: smallest", second + 18, 10, 1),
        ("sent: largest", second + 28, 10, 12_250_003),
        ("sent: total", second + 38, 12, 12_250_004),
        ("balance", second + 50, 12, 3),
        ("negative", second + 62, 1, 1),
    ] {
        assert_eq!(number(at, len), value, "{what}");
    }
    // What is public in a proof is these limbs themselves, between the request and the score.
    let package = package();
    let shape = package.manifest.circuit;
    let srs = Srs::load(shape.k, &cache()).expect("set-up");
    let prover = NetProver::of(&package, shape, srs, &cache()).expect("prover");
    let proof = prover.prove(std::slice::from_ref(&digits), [7; 32], &|_| ()).expect("proof").0;
    assert_eq!(proof.instances[REQUEST_LIMBS..REQUEST_LIMBS + 2], account.limbs);
    assert_eq!(proof.instances.len(), REQUEST_LIMBS + 3);
    let score = u64::from_be_bytes(proof.instances[REQUEST_LIMBS + 2][24..].try_into().expect("8 bytes"));
    assert_eq!(score as f64, account.integer(&package));
}
