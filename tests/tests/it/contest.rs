//! A contest between private models on the data of `models/contest`, with real proofs on a real local chain. The weights are
//! trained here and thrown away.

use std::path::Path;

use alloy::{primitives::keccak256, sol_types::SolValue};
use rand::{Rng, SeedableRng, rngs::StdRng, seq::SliceRandom};
use zugzwang::chain::{
    Wallet,
    types::{Address, B256, Bytes, U256, random},
};
use zugzwang_circuits::{
    float::{FloatNet, FloatOp},
    net::{
        Goal, NetProver, Privacy, Visibility, choose,
        compile::{CompileError, Compiled, Options, architecture::Architecture},
        interpret,
        package::Package,
    },
    onnx,
    srs::{MAX_K, Srs},
};
use zugzwang_contracts::{
    InferenceOracle,
    ModelContest::{self, askCall, enterCall, openCall, proveCall, revealCall},
};
use zugzwang_tests::{cache, repository};

use crate::steps::{Steps, pack, prove, unpack};

const ROWS: usize = 64;
const FEATURES: usize = 17;
const HIDDEN: usize = 16;
/// How much longer than the baseline's the architecture's tables are.
const HEADROOM: u32 = 3;
/// The first row of the test set.
const FIRST: usize = 128;
/// Room for every entry, and for the reveal.
const HOUR: u64 = 3600;

/// Accounts and whether each is a fraud's.
#[derive(Default)]
struct Rows {
    features: Vec<Vec<i64>>,
    labels: Vec<i64>,
}

fn folder() -> std::path::PathBuf {
    repository().join("models/contest")
}

/// Rows to train on, and rows held out.
fn rows() -> [Rows; 2] {
    let text = std::fs::read_to_string(folder().join("rows.csv")).expect("rows");
    let mut parts = [Rows::default(), Rows::default()];
    for line in text.lines().skip(1) {
        let numbers: Vec<i64> = line.split(',').map(|n| n.parse().expect("a number")).collect();
        let part = &mut parts[numbers[0] as usize];
        part.features.push(numbers[1..=FEATURES].to_vec());
        part.labels.push(numbers[FEATURES + 1]);
    }
    parts
}

/// The baseline and the samples that make the architecture.
fn architecture() -> (FloatNet, Vec<Vec<Vec<f32>>>, Architecture) {
    let float = onnx::load(&folder().join("model.onnx")).expect("ONNX");
    let text = std::fs::read_to_string(folder().join("calibration.csv")).expect("samples");
    let sample = |line: &str| vec![line.split(',').map(|n| n.parse().expect("a byte")).collect()];
    let samples: Vec<Vec<Vec<f32>>> = text.lines().skip(1).map(sample).collect();
    let architecture = Architecture::new(&float, &samples, &Options::default(), HEADROOM).expect("an architecture");
    (float, samples, architecture)
}

/// The weights of both layers, `[out][in]`, and their biases.
struct Weights {
    layers: [Vec<f32>; 2],
    biases: [Vec<f32>; 2],
}

/// Stochastic gradient descent on the cross entropy, with weights that decay.
fn train(rows: &Rows, seed: u64, epochs: usize) -> Weights {
    let mut rng = StdRng::seed_from_u64(seed);
    let mut new = |inputs: usize, outputs: usize| -> Vec<f32> {
        let scale = (2.0 / inputs as f32).sqrt() * 1.7;
        (0..inputs * outputs).map(|_| rng.gen_range(-scale..scale)).collect()
    };
    let mut layers = [new(FEATURES, HIDDEN), new(HIDDEN, 2)];
    let mut biases = [vec![0f32; HIDDEN], vec![0f32; 2]];
    let mut order: Vec<usize> = (0..rows.labels.len()).collect();
    for epoch in 0..epochs {
        order.shuffle(&mut rng);
        let rate = 0.05 / (1.0 + epoch as f32 / 5.0);
        for row in &order {
            let x: Vec<f32> = rows.features[*row].iter().map(|v| *v as f32 / 255.0).collect();
            let sums = |layer: &[f32], bias: &[f32], x: &[f32]| -> Vec<f32> {
                let dot = |o: usize| layer[o * x.len()..][..x.len()].iter().zip(x).map(|(w, x)| w * x).sum::<f32>();
                bias.iter().enumerate().map(|(o, b)| b + dot(o)).collect()
            };
            let hidden: Vec<f32> = sums(&layers[0], &biases[0], &x).iter().map(|v| v.max(0.0)).collect();
            let scores = sums(&layers[1], &biases[1], &hidden);
            let fraud = 1.0 / (1.0 + (scores[0] - scores[1]).exp());
            let error = fraud - rows.labels[*row] as f32;
            let grad = [-error, error];
            let back: Vec<f32> = (0..HIDDEN)
                .map(|h| if hidden[h] > 0.0 { (0..2).map(|o| grad[o] * layers[1][o * HIDDEN + h]).sum() } else { 0.0 })
                .collect();
            let mut step = |layer: usize, grad: &[f32], x: &[f32]| {
                for (o, g) in grad.iter().enumerate() {
                    biases[layer][o] -= rate * g;
                    for (w, x) in layers[layer][o * x.len()..][..x.len()].iter_mut().zip(x) {
                        *w -= rate * (g * x + 1e-4 * *w);
                    }
                }
            };
            step(1, &grad, &hidden);
            step(0, &back, &x);
        }
    }
    Weights { layers, biases }
}

/// The baseline's network with other weights. The difference of the two scores is where the import has moved the second
/// layer's biases and the sign of the first score.
fn with(float: &FloatNet, weights: &Weights) -> FloatNet {
    let mut float = float.clone();
    let (mut layer, mut differences) = (0, 0);
    for node in &mut float.nodes {
        match &mut node.op {
            FloatOp::Conv(conv) => {
                let new = &weights.layers[layer];
                assert_eq!(conv.weights.len(), new.len(), "layer {layer}");
                // The file's first layer reads bytes; the second one's first score is subtracted.
                let honest = new.len() / conv.out_channels;
                let factor = |i: usize| match layer {
                    0 => 1.0 / 255.0,
                    _ if i < honest => -1.0,
                    _ => 1.0,
                };
                conv.weights = new.iter().enumerate().map(|(i, w)| factor(i) * w).collect();
                if layer == 0 {
                    conv.bias.clone_from(&weights.biases[0]);
                } else {
                    assert!(conv.bias.iter().all(|b| *b == 0.0), "its biases stand elsewhere");
                }
                layer += 1;
            }
            FloatOp::Sparse(sparse) if node.operator == "Greater" => {
                let [honest, guilty] = weights.biases[1][..] else { panic!("two scores") };
                sparse.bias.fill(guilty - honest);
                differences += 1;
            }
            _ => {}
        }
    }
    assert_eq!((layer, differences), (2, 1), "two layers and a comparison");
    float
}

const PRIVACY: Privacy = Privacy { input: Visibility::Public, model: Visibility::Private };

/// A contestant's compiled model, as a folder that is its alone.
fn owned(compiled: Compiled, folder: &Path) -> NetProver {
    let compiled = compiled.with(PRIVACY).expect("ranges");
    let shape = choose(&compiled.net, &compiled.bounds, MAX_K, Goal::Balanced).expect("a shape").shape;
    let file = std::fs::read(self::folder().join("model.onnx")).expect("ONNX");
    Package::store(folder, "contest", &file, &compiled, &Options::default(), shape).expect("a folder");
    let package = Package::load(folder).expect("the folder");
    NetProver::of(&package, shape, Srs::load(shape.k, &cache()).expect("set-up"), &cache()).expect("prover")
}

/// What the integer network answers to a batch.
fn answers(prover: &NetProver, batch: &[i64]) -> Vec<i64> {
    let trace = interpret::run(prover.net(), &[batch.to_vec()]).expect("a batch");
    trace.tensors[prover.net().outputs[0].tensor].clone()
}

fn right(answers: &[i64], labels: &[i64]) -> usize {
    answers.iter().zip(labels).filter(|(a, l)| a == l).count()
}

/// What `Architecture` is for: other weights, the same everything else.
#[test]
fn models_of_an_architecture_differ_in_weights_alone() {
    let (float, samples, architecture) = architecture();
    let [training, held_out] = rows();
    let baseline = architecture.fit(&float, &samples).expect("itself");
    assert_eq!(baseline.net, architecture.compiled().net, "the baseline is itself");
    let (_, _, again) = self::architecture();
    assert_eq!(again.compiled().net, baseline.net, "everybody makes the same");
    let batch = |n: usize| held_out.features[n * ROWS..][..ROWS].concat();
    for seed in 1..=3 {
        let other = with(&float, &train(&training, seed, 8));
        let fitted =
            architecture.fit(&other, &samples).expect("a model of the architecture").with(PRIVACY).expect("ranges");
        assert_ne!(fitted.net, baseline.net);
        assert_eq!(fitted.net.architecture(), architecture.net(PRIVACY), "seed {seed}");
        let (mut same, mut good) = (0, 0);
        for n in 0..8 {
            let integers = interpret::run(&fitted.net, &[batch(n)]).expect("a batch");
            let integers = &integers.tensors[fitted.net.outputs[0].tensor];
            let floats = other.run(&[batch(n).iter().map(|v| *v as f32).collect()]).expect("a batch");
            same += integers.iter().zip(&floats[0]).filter(|(i, f)| **i as f32 == **f).count();
            good += right(integers, &held_out.labels[n * ROWS..][..ROWS]);
        }
        println!("seed {seed}: {good} of 512 right, {same} as the float network");
        assert!(same >= 500 && good >= 384, "seed {seed}: {same} the same, {good} right");
    }
    // Weights that the tables have no room for, and a network of another form.
    let mut large = train(&training, 1, 1);
    large.layers[0].iter_mut().for_each(|w| *w *= 1000.0);
    let refused = architecture.fit(&with(&float, &large), &samples);
    assert!(matches!(refused, Err(CompileError::Reach { .. })), "{:?}", refused.err());
    let mut other = float.clone();
    other.tensors[1].name.push('x');
    assert!(matches!(architecture.fit(&other, &samples), Err(CompileError::Unlike { .. })));
}

/// A contest with all who take part in it.
struct Contest {
    steps: Steps,
    oracle: Address,
    contests: Address,
    input: Vec<U256>,
    labels: Vec<U256>,
}

impl Contest {
    async fn open(organiser: &Wallet, steps: Steps, prover: &NetProver, batch: &[i64], labels: &[i64]) -> (Self, B256) {
        let source = prover.solidity_of_architecture("ContestVerifier").expect("source");
        let architecture = steps.verifier(organiser, "the architecture's verifier is deployed", &source).await;
        let oracle = steps.deploy(organiser, "the oracle is deployed", InferenceOracle::BYTECODE.clone()).await;
        let code: Bytes = [ModelContest::BYTECODE.to_vec(), oracle.abi_encode()].concat().into();
        let contests = steps.deploy(organiser, "the contests' contract is deployed", code).await;
        let (input, labels, salt) = (pack(batch, 8), pack(labels, 1), random());
        let test_set = keccak256((salt, input.clone(), labels.clone()).abi_encode_params());
        let code = serde_json::json!([architecture, "latest"]);
        let code = steps.chain.client.raw("eth_getCode", code).await.expect("code");
        let code: Bytes = code.as_str().expect("code").parse().expect("hex");
        let now = steps.now().await;
        let terms = ModelContest::Terms {
            architecture,
            codeHash: keccak256(&code),
            input: ModelContest::Tensor { count: batch.len() as u32, bits: 8 },
            output: ModelContest::Tensor { count: ROWS as u32, bits: 1 },
            testSet: test_set,
            entriesUntil: now + HOUR,
            revealUntil: now + 2 * HOUR,
            provingTime: HOUR,
            uri: "models/contest".into(),
        };
        let prize = U256::from(10).pow(U256::from(18));
        steps
            .pay(organiser, "the contest opens, its test set is committed to", contests, openCall { terms }, prize)
            .await;
        (Self { steps, oracle, contests, input, labels }, salt)
    }

    async fn enter(&self, who: &Wallet, what: &str, commitments: &[u8]) {
        let call = enterCall { contest: U256::from(1), commitments: commitments.to_vec().into() };
        self.steps.send(who, what, self.contests, call).await;
    }

    /// Asks about an entry, and proves what the model answers as its owner does: the call that hands it in.
    async fn asked(&self, who: &Wallet, entry: u64, prover: &NetProver, batch: &[i64]) -> proveCall {
        let (contest, entry) = (U256::from(1), U256::from(entry));
        let ask = askCall { contest, entry, input: self.input.clone() };
        self.steps.send(who, "it asks the oracle about its model", self.contests, ask).await;
        let id = self.steps.view(self.oracle, InferenceOracle::requestCountCall {}).await;
        let (request, limbs) = self.steps.instances(self.oracle, id, &self.input, self.contests).await;
        assert_eq!(limbs, self.input);
        let (proof, output) = prove(prover, batch.to_vec(), &limbs, request);
        assert_eq!(unpack(&output, 1, ROWS), answers(prover, batch), "the integer network's answers");
        proveCall { contest, entry, input: limbs, answers: output, proof: proof.bytes.into() }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_best_private_model_takes_the_prize() {
    let (float, samples, architecture) = architecture();
    let [training, held_out] = rows();
    let folder = tempdir();
    let provers = tokio::task::block_in_place(|| {
        [("weak", 11, 0), ("strong", 12, 12)].map(|(name, seed, epochs)| {
            let compiled = architecture.fit(&with(&float, &train(&training, seed, epochs)), &samples).expect(name);
            owned(compiled, &folder.join(name))
        })
    });
    let [weak, strong] = &provers;
    let source = |p: &NetProver| p.solidity_of_architecture("ContestVerifier").expect("source");
    assert_eq!(source(weak), source(strong), "the verifier knows neither's weights");
    // The organiser draws the test set from rows that nobody trains on.
    let (batch, labels) = (held_out.features[FIRST..][..ROWS].concat(), &held_out.labels[FIRST..][..ROWS]);
    let expected = [weak, strong].map(|p| right(&answers(p, &batch), labels));

    let steps = Steps::new().await;
    let chain = &steps.chain;
    let (organiser, alice, bob, copier) =
        (chain.wallet(1).await, chain.wallet(2).await, chain.wallet(3).await, chain.wallet(4).await);
    println!("\nAn organiser opens a contest; Alice has a weak model and Bob a strong one.");
    let (contest, salt) = Contest::open(&organiser, steps, weak, &batch, labels).await;
    let commitments = provers.each_ref().map(|p| p.registered().expect("commitments").bytes());
    // The copier sees Bob's commitments on their way, and is faster.
    contest.enter(&alice, "Alice enters", &commitments[0]).await;
    contest.enter(&copier, "a copier enters Bob's commitments", &commitments[1]).await;
    contest.enter(&bob, "Bob enters", &commitments[1]).await;
    let (steps, contests) = (&contest.steps, contest.contests);
    let one = U256::from(1);
    let reveal = revealCall { contest: one, salt, input: contest.input.clone(), labels: contest.labels.clone() };
    steps
        .refused::<ModelContest::WrongPhase>("a reveal before the entries are in", &organiser, contests, reveal.clone())
        .await;
    steps.later(HOUR + 1).await;
    let mut other = reveal.clone();
    other.labels[0] ^= one;
    steps.refused::<ModelContest::WrongTestSet>("other labels", &organiser, contests, other).await;
    steps.send(&organiser, "the organiser reveals the test set", contests, reveal).await;
    let late = enterCall { contest: one, commitments: commitments[0].clone().into() };
    steps.refused::<ModelContest::WrongPhase>("an entry that has seen it", &copier, contests, late).await;

    println!("\nContestants prove what their models answer.");
    use InferenceOracle::ProofRejected;
    let call = contest.asked(&bob, 2, strong, &batch).await;
    let mut lie = call.clone();
    lie.answers[0] ^= one;
    steps.refused::<ProofRejected>("an answer that the model doesn't give", &bob, contests, lie).await;
    let theirs = contest.asked(&alice, 0, weak, &batch).await;
    let mut lie = theirs.clone();
    (lie.answers, lie.proof) = (call.answers.clone(), call.proof.clone());
    steps.refused::<ProofRejected>("Bob's proof for Alice's model", &alice, contests, lie).await;
    // The copier's entry has Bob's commitments, and so the same verifier; but Bob's proof is for Bob's request, and a proof
    // with other weights isn't one of this model.
    let copied = contest.asked(&copier, 1, weak, &batch).await;
    steps
        .refused::<ProofRejected>("another model's proof under Bob's commitments", &copier, contests, copied.clone())
        .await;
    let mut lie = copied;
    (lie.answers, lie.proof) = (call.answers.clone(), call.proof.clone());
    steps.refused::<ProofRejected>("Bob's proof from the mempool", &copier, contests, lie).await;
    steps.refused::<ModelContest::NotYourEntry>("Bob's call from the mempool", &copier, contests, call.clone()).await;
    steps.send(&bob, "Bob hands his proof in", contests, call.clone()).await;
    steps.refused::<ModelContest::HasScore>("the same once more", &bob, contests, call).await;
    steps.send(&alice, "Alice hands hers in", contests, theirs).await;

    let entries = steps.view(contests, ModelContest::entriesOfCall { contest: one }).await;
    let scores: Vec<usize> = entries.iter().map(|e| e.score as usize).collect();
    assert_eq!(scores, [1 + expected[0], 0, 1 + expected[1]], "what the contract counted");
    println!("\nAlice has {} of {ROWS} right, Bob {}.", expected[0], expected[1]);
    assert!(expected[1] > expected[0], "training helps");
    let places = steps.view(contests, ModelContest::rankingCall { contest: one }).await;
    assert_eq!(places, [U256::from(2), U256::ZERO]);
    let settle = ModelContest::settleCall { contest: one };
    steps.refused::<ModelContest::WrongPhase>("the prize before the end", &bob, contests, settle.clone()).await;
    steps.later(HOUR + 1).await;
    steps.send(&alice, "the contest is settled", contests, settle).await;
    let prize = steps.view(contests, ModelContest::balanceOfCall { account: bob.address() }).await;
    assert_eq!(prize, U256::from(10).pow(U256::from(18)));
    let withdraw = ModelContest::withdrawCall { to: bob.address(), amount: prize };
    steps.send(&bob, "Bob withdraws the prize", contests, withdraw).await;
    std::fs::remove_dir_all(&folder).expect("the secrets are gone");
}

/// A new folder for secrets.
fn tempdir() -> std::path::PathBuf {
    let folder = std::env::temp_dir().join(format!("zugzwang-contest-{:016x}", rand::random::<u64>()));
    std::fs::create_dir_all(&folder).expect("a folder");
    folder
}
