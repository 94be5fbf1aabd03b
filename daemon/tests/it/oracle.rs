//! Requests of any contract to a registered model, with real proofs of a small network: answered once, for the bounty.

use std::{path::Path, sync::Arc, time::Duration};

use alloy::sol_types::{SolCall, SolEvent};
use zugzwang::{
    apps::oracle,
    chain::{
        Client, Wallet,
        types::{Address, Bytes, U256},
        wallet::Receipt,
    },
    config::ModelConfig,
    prover::{self, Models, Prove, Source, verifier},
    store::State,
};
use zugzwang_circuits::net::package::Package;
use zugzwang_contracts::InferenceOracle::{self, Callback, Tensor};

use crate::stage::{Daemon, Stage};

/// More than an answer costs at a local chain's price of gas.
const BOUNTY: u64 = 10_000_000_000_000_000;
const PIXELS: usize = 28 * 28;

fn folder() -> std::path::PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../models/mnist")
}

/// The network that reads digits, with its keys.
fn digits() -> Arc<dyn Prove> {
    let cache = Path::new(env!("CARGO_TARGET_TMPDIR")).join("cache");
    let config = ModelConfig { dir: folder(), shape: String::new(), cache, srs: Source::BuiltIn };
    prover::load(&config, &|_| ()).expect("models/mnist")
}

/// A digit that was held out, as limbs of 31 bytes, with its label.
fn digit(which: usize) -> (Vec<U256>, usize) {
    let bytes = std::fs::read(folder().join("evaluation.bin")).expect("digits");
    let record = &bytes[which * (1 + PIXELS)..][..1 + PIXELS];
    let limb = |bytes: &[u8]| bytes.iter().rev().fold(U256::ZERO, |limb, byte| (limb << 8) | U256::from(*byte));
    (record[1..].chunks(31).map(limb).collect(), record[0].into())
}

/// The digit with the greatest of the ten scores in the output's limb.
fn answer_of(output: &[U256]) -> usize {
    let score = |i: usize| (output[0] >> (10 * i)) & U256::from(1023);
    (0..10).fold(0, |best, i| if score(i) > score(best) { i } else { best })
}

/// An oracle with the digits' model, and somebody who asks.
struct Door {
    stage: Stage,
    oracle: Address,
    models: Models,
    asker: Wallet,
}

impl Door {
    async fn new() -> Self {
        let prover = digits();
        let model_id = prover.model_id();
        let code = verifier::get(&folder(), prover.as_ref()).await.expect("npm ci in contracts/").bytecode;
        let deploy = async |_: &Client, npc: &Wallet| {
            let verifier = npc.deploy("verifier", code).await.expect("verifier").contract;
            let oracle = npc.deploy("oracle", InferenceOracle::BYTECODE.clone()).await.expect("oracle").contract;
            let register = InferenceOracle::registerCall {
                verifier,
                modelId: model_id.into(),
                inputs: vec![Tensor { count: PIXELS as u32, bits: 8 }],
                outputs: vec![Tensor { count: 10, bits: 10 }],
                uri: "models/mnist".into(),
            };
            npc.call("register", oracle, register.abi_encode().into(), U256::ZERO).await.expect("registered");
            oracle
        };
        let (stage, oracle) = Stage::new(deploy, |oracle, raw| {
            raw.oracle.contract = oracle.to_string();
            raw.oracle.models = vec![folder().display().to_string()];
        })
        .await;
        let asker = stage.account(0x33).await.speaking(oracle::words);
        Self { stage, oracle, models: Models::of([prover]), asker }
    }

    async fn start(&self) -> Daemon {
        self.stage.start_with(&self.models).await
    }

    async fn call(&self, call: impl SolCall, value: u64) -> Receipt {
        self.asker.call("the oracle", self.oracle, call.abi_encode().into(), U256::from(value)).await.expect("taken")
    }

    /// Asks about a digit; gives the request's number.
    async fn ask(&self, which: usize, bounty: u64, seconds: u64) -> U256 {
        let callback = Callback { target: Address::ZERO, gasLimit: 0 };
        let deadline = self.stage.now().await + seconds;
        let receipt = self.call(
            InferenceOracle::requestCall { model: U256::from(1), input: digit(which).0, callback, deadline },
            bounty,
        );
        id_of(&receipt.await)
    }

    /// The answer that the chain tells of, once there is one.
    async fn answer(&self, id: U256) -> InferenceOracle::Answered {
        for _ in 0..600 {
            let head = self.stage.client.head().await.expect("head").block.number;
            let logs = self.stage.client.logs_between(&[self.oracle], 0, head).await.expect("logs");
            let mut answers = logs.iter().filter_map(|log| InferenceOracle::Answered::decode_log(&log.inner).ok());
            if let Some(found) = answers.find(|answer| answer.id == id) {
                return found.data;
            }
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
        panic!("request {id} is never answered");
    }

    async fn credit(&self, account: Address) -> U256 {
        let call = InferenceOracle::balanceOfCall { account }.abi_encode();
        let answer = self.stage.client.call(None, self.oracle, call.into(), None).await.expect("balance");
        U256::from_be_slice(&answer)
    }
}

fn id_of(receipt: &Receipt) -> U256 {
    let asked = receipt.logs.iter().find_map(|log| InferenceOracle::Requested::decode_log(&log.inner).ok());
    asked.expect("a request").id
}

/// A contract that answers every call with this list of words.
fn source_of(words: &[U256]) -> Bytes {
    let data: Vec<u8> =
        [U256::from(32), U256::from(words.len())].iter().chain(words).flat_map(|w| w.to_be_bytes::<32>()).collect();
    let size = (data.len() as u16).to_be_bytes();
    // codecopy(0, 13, size); return(0, size)
    let mut code = vec![0x61, size[0], size[1], 0x60, 13, 0x5f, 0x39, 0x61, size[0], size[1], 0x5f, 0xf3, 0x00];
    code.extend(data);
    let length = (code.len() as u16).to_be_bytes();
    let mut init = vec![0x61, length[0], length[1], 0x80, 0x60, 0x0a, 0x5f, 0x39, 0x5f, 0xf3];
    init.extend(code);
    init.into()
}

#[tokio::test(flavor = "multi_thread")]
async fn requests_are_answered_by_the_network_for_their_bounty() {
    let door = Door::new().await;
    let before = door.ask(0, BOUNTY, 3600).await;
    let daemon = door.start().await;
    let after = door.ask(1, BOUNTY, 3600).await;
    let package = Package::load(&folder()).expect("models/mnist");
    for (which, id) in [(0, before), (1, after)] {
        let (limbs, label) = digit(which);
        let words: Vec<[u8; 32]> = limbs.iter().map(|limb| limb.to_be_bytes()).collect();
        let trace = zugzwang_circuits::net::interpret::run(&package.net, &package.net.unpack(&words).expect("limbs"));
        let scores = &trace.expect("784 pixels").tensors[package.net.outputs[0].tensor];
        let largest = (0..10).fold(0, |best, i| if scores[i] > scores[best] { i } else { best });
        let answer = door.answer(id).await;
        assert_eq!((answer_of(&answer.output), answer.prover), (largest, door.stage.npc.address()), "digit {label}");
    }
    assert_eq!(door.credit(door.stage.npc.address()).await, U256::from(2 * BOUNTY));

    // A view is read by the contract itself, once its block is over.
    let source = door.asker.deploy("source", source_of(&digit(2).0)).await.expect("source").contract;
    let blocks = door.stage.client.head().await.expect("head").block.number;
    let view = InferenceOracle::requestViewCall {
        model: U256::from(1),
        source,
        data: Bytes::new(),
        blockNumber: U256::from(blocks + 6),
        callback: Callback { target: Address::ZERO, gasLimit: 0 },
        deadline: door.stage.now().await + 3600,
    };
    let id = id_of(&door.call(view, BOUNTY).await);
    for _ in 0..6 {
        door.stage.later(3).await;
    }
    door.answer(id).await;
    door.stage.mine(3).await;
    tokio::time::sleep(Duration::from_millis(300)).await;
    daemon.stop().await.expect("clean stop");
    let jobs = door.stage.jobs().await;
    assert!(jobs.len() == 3 && jobs.iter().all(|job| job.state == State::Final), "{jobs:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_contract_that_is_configured_later_is_read_from_the_start() {
    let mut door = Door::new().await;
    // The store follows another oracle first, past the block of the request.
    let other = door.asker.deploy("oracle", InferenceOracle::BYTECODE.clone()).await.expect("oracle").contract;
    let id = door.ask(0, BOUNTY, 3600).await;
    door.stage.mine(80).await;
    door.stage.config.oracle.as_mut().expect("oracle").contract = other;
    let daemon = door.start().await;
    tokio::time::sleep(Duration::from_millis(300)).await;
    daemon.stop().await.expect("clean stop");
    assert!(door.stage.jobs().await.is_empty());
    door.stage.config.oracle.as_mut().expect("oracle").contract = door.oracle;
    let daemon = door.start().await;
    door.answer(id).await;
    daemon.stop().await.expect("clean stop");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_strangers_model_with_strange_words_stops_nothing() {
    let door = Door::new().await;
    // A verifier that says whatever model id it is asked for, and a URI that is no UTF-8.
    let says_32 = [0x60, 0x20, 0x5f, 0x52, 0x60, 0x20, 0x5f, 0xf3];
    let init = [&[0x60, 0x08, 0x80, 0x60, 0x09, 0x5f, 0x39, 0x5f, 0xf3][..], &says_32].concat();
    let verifier = door.asker.deploy("verifier", init.into()).await.expect("a contract").contract;
    let word = |n: u64| U256::from(n).to_be_bytes::<32>().to_vec();
    let mut register = InferenceOracle::registerCall::SELECTOR.to_vec();
    let model_id = U256::from(0x20).to_be_bytes::<32>().to_vec();
    let head = [verifier.into_word().to_vec(), model_id, word(0xa0), word(0x100), word(0x160)].concat();
    let tensors = [word(1), word(784), word(8)].concat();
    let uri = [word(3), [vec![0xff; 3], vec![0; 29]].concat()].concat();
    register.extend([head, tensors.clone(), tensors, uri].concat());
    door.asker.call("register", door.oracle, register.into(), U256::ZERO).await.expect("registered");
    let daemon = door.start().await;
    let callback = Callback { target: Address::ZERO, gasLimit: 0 };
    let deadline = door.stage.now().await + 3600;
    let call = InferenceOracle::requestCall { model: U256::from(2), input: digit(0).0, callback, deadline };
    door.call(call, BOUNTY).await;
    let id = door.ask(0, BOUNTY, 3600).await;
    door.answer(id).await;
    daemon.stop().await.expect("clean stop");
}

#[tokio::test(flavor = "multi_thread")]
async fn requests_that_are_not_worth_it_or_too_late_are_left_alone() {
    let mut door = Door::new().await;
    door.stage.config.oracle.as_mut().expect("oracle").min_bounty = U256::from(BOUNTY);
    let poor = door.ask(0, BOUNTY - 1, 3600).await;
    let late = door.ask(1, BOUNTY, 60).await;
    door.stage.later(61).await;
    let refunded = door.ask(2, BOUNTY, 30).await;
    door.stage.later(31).await;
    door.call(InferenceOracle::refundCall { id: refunded }, 0).await;
    let daemon = door.start().await;
    door.stage.until("all three are left", async || daemon.ends().len() == 3).await;
    daemon.stop().await.expect("clean stop");
    let jobs = door.stage.jobs().await;
    let of = |id: U256| jobs.iter().find(|job| job.key.subject == id).map(|job| (job.state, job.note.clone()));
    assert!(of(poor).is_some_and(|(state, why)| state == State::Moot && why.contains("min_bounty")), "{jobs:?}");
    assert!(of(late).is_some_and(|(state, why)| state == State::Moot && why.contains("deadline")), "{jobs:?}");
    assert_eq!(of(refunded), Some((State::Forfeited, "refunded".into())));
    assert_eq!(door.credit(door.asker.address()).await, U256::from(BOUNTY));
}

#[tokio::test(flavor = "multi_thread")]
async fn an_answer_that_costs_more_than_its_bounty_waits_for_cheaper_gas() {
    let door = Door::new().await;
    let dear = async || {
        let price = serde_json::json!([U256::from(100_000_000_000u64)]);
        door.stage.client.raw("anvil_setNextBlockBaseFeePerGas", price).await.expect("base fee");
        door.stage.mine(1).await;
    };
    dear().await;
    let (little, none) = (door.ask(0, BOUNTY, 36_000).await, door.ask(1, 0, 36_000).await);
    dear().await;
    let daemon = door.start().await;
    door.stage.until("both are left", async || daemon.ends().len() == 2).await;
    for (state, why) in daemon.ends() {
        assert_eq!(state, State::Moot, "{why}");
        for words in ["bounty of ", "gas for verification and callback", "oracle.at_a_loss"] {
            assert!(why.contains(words), "{words} in {why}");
        }
    }

    // Empty blocks make gas cheaper: the bounty is enough, and a bounty of nothing never is.
    door.stage.mine(60).await;
    door.stage.later(700).await;
    door.answer(little).await;
    door.stage.later(700).await;
    tokio::time::sleep(Duration::from_millis(500)).await;
    daemon.stop().await.expect("clean stop");
    let jobs = door.stage.jobs().await;
    let state = |id: U256| jobs.iter().find(|job| job.key.subject == id).map(|job| job.state);
    assert!(matches!(state(little), Some(State::Included | State::Final)), "{jobs:?}");
    assert_eq!(state(none), Some(State::Moot));
}

#[tokio::test(flavor = "multi_thread")]
async fn answers_at_a_loss_are_given_where_the_configuration_wants_them() {
    let mut door = Door::new().await;
    door.stage.config.oracle.as_mut().expect("oracle").at_a_loss = true;
    let id = door.ask(0, 0, 3600).await;
    let daemon = door.start().await;
    door.answer(id).await;
    daemon.stop().await.expect("clean stop");
}
