//! Markets that signed bulletins decide, with real proofs of the football model: by every way in, once, and not by what
//! shouldn't.

use std::{
    path::{Path, PathBuf},
    sync::Arc,
    time::Duration,
};

use alloy::sol_types::{SolCall, SolEvent, SolValue};
use zugzwang::{
    apps::market::{self, Terms},
    chain::{
        Client, Key, Wallet,
        types::{Address, B256, U256, keccak256},
    },
    config::{ModelConfig, raw::RawFeed},
    feed::{Bulletin, Text, file},
    prover::{self, Models, Prove, Source, verifier},
    store::State,
};
use zugzwang_contracts::{
    BulletinBoard, ConditionalTokensAdapter,
    PredictionMarket::{Resolved, Undecided},
    testing::FakeConditionalTokens,
};

use crate::stage::{Daemon, Stage};

const HOME_WINS: &str = "Full time: Spain 3-0 Georgia. Friendly match in Badajoz, 15 November 2026.";
const DRAW: &str = "Full time: Japan 1-1 Norway. Friendly match in Oslo, 16 November 2026.";
const CLASSES: u8 = 4;

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../models/football")
}

fn football() -> Arc<dyn Prove> {
    let cache = Path::new(env!("CARGO_TARGET_TMPDIR")).join("cache");
    let config = ModelConfig { dir: folder(), shape: String::new(), cache, srs: Source::BuiltIn };
    prover::load(&config, &|_| ()).expect("models/football")
}

fn feed() -> B256 {
    keccak256("results")
}

/// Contracts of both kinds of markets, a board, a publisher with a folder.
struct Fair {
    stage: Stage,
    verifier: Address,
    markets: Address,
    adapter: Address,
    tokens: Address,
    board: Address,
    publisher: Key,
    bulletins: tempfile::TempDir,
    models: Models,
    model_id: B256,
    someone: Wallet,
}

impl Fair {
    async fn new() -> Self {
        let prover = football();
        let code = verifier::get(&folder(), prover.as_ref()).await.expect("npm ci in contracts/").bytecode;
        let publisher = Key::from_bytes(B256::repeat_byte(0x77)).expect("key");
        let bulletins = tempfile::tempdir().expect("folder");
        let deploy = async |_: &Client, npc: &Wallet| {
            let verifier = npc.deploy("verifier", code).await.expect("verifier").contract;
            let markets = npc.deploy("markets", market::creation_code()).await.expect("markets").contract;
            let tokens = npc.deploy("tokens", FakeConditionalTokens::BYTECODE.clone()).await.expect("tokens").contract;
            let code = [ConditionalTokensAdapter::BYTECODE.to_vec(), tokens.abi_encode()].concat();
            let adapter = npc.deploy("adapter", code.into()).await.expect("adapter").contract;
            let board = npc.deploy("board", BulletinBoard::BYTECODE.clone()).await.expect("board").contract;
            (verifier, markets, adapter, tokens, board)
        };
        let (stage, (verifier, markets, adapter, tokens, board)) =
            Stage::new(deploy, |(_, markets, adapter, _, board), raw| {
                raw.market.contracts = vec![markets.to_string(), adapter.to_string()];
                raw.market.board = board.to_string();
                raw.market.models = vec![folder().display().to_string()];
                raw.market.feeds = vec![RawFeed {
                    publisher: publisher.address().to_string(),
                    feed: feed().to_string(),
                    http: vec![],
                    sse: vec![],
                    dir: vec![bulletins.path().display().to_string()],
                    poll_ms: 50,
                }];
            })
            .await;
        let someone = stage.account(0x33).await.speaking(market::words);
        let model_id = prover.model_id().into();
        let models = Models::of([prover]);
        Self { stage, verifier, markets, adapter, tokens, board, publisher, bulletins, models, model_id, someone }
    }

    async fn start(&self) -> Daemon {
        self.stage.start_with(&self.models).await
    }

    /// A market that closes a minute after the newest block.
    async fn terms(&self, sequence: u64) -> Terms {
        let now = self.stage.now().await;
        Terms {
            publisher: self.publisher.address(),
            feed_id: feed(),
            sequence,
            close: now + 60,
            deadline: now + 3600,
            verifier: self.verifier,
            model_id: self.model_id,
            min_margin: 1,
            classes: CLASSES,
            no_result: 3,
            question: format!("bulletin {sequence}"),
        }
    }

    async fn open(&self, contract: Address, terms: &Terms) -> U256 {
        self.someone.open_market(contract, terms).await.expect("opened").0
    }

    fn signed(&self, sequence: u64, timestamp: u64, text: &str) -> Bulletin {
        let text = Text::new(text.as_bytes()).expect("text");
        Bulletin::sign(&self.publisher, feed(), sequence, timestamp, text).expect("signature")
    }

    fn publish(&self, bulletin: &Bulletin) {
        file::write_new(bulletin, self.bulletins.path()).expect("a file");
    }

    async fn post(&self, bulletin: &Bulletin) {
        let call = BulletinBoard::postCall {
            feedId: bulletin.feed_id,
            sequence: bulletin.sequence,
            timestamp: bulletin.timestamp,
            text: bulletin.text.as_str().as_bytes().to_vec().into(),
            signature: bulletin.signature.to_vec().into(),
        };
        self.someone.call("post", self.board, call.abi_encode().into(), U256::ZERO).await.expect("posted");
    }

    /// Events of one kind that a contract has emitted.
    async fn events<E: SolEvent>(&self, contract: Address) -> Vec<E> {
        let head = self.stage.client.head().await.expect("head").block.number;
        let logs = self.stage.client.logs_between(&[contract], 0, head).await.expect("logs");
        logs.iter().filter_map(|log| E::decode_log(&log.inner).ok()).map(|log| log.data).collect()
    }

    /// The class that decided a market, once one has.
    async fn decided(&self, contract: Address, market: U256) -> u8 {
        let mut class = None;
        self.stage
            .until(&format!("market {market} is decided"), async || {
                let resolved = self.events::<Resolved>(contract).await;
                class = resolved.iter().find(|event| event.market == market).map(|event| event.class);
                class.is_some()
            })
            .await;
        class.expect("a class")
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_signed_bulletin_decides_a_market_and_pays_its_winners() {
    let fair = Fair::new().await;
    let daemon = fair.start().await;
    let first = fair.terms(1).await;
    let market = fair.open(fair.markets, &first).await;
    let on_tokens = fair.open(fair.adapter, &first).await;
    let (right, wrong) = (fair.stage.account(0x44).await, fair.stage.account(0x55).await);
    for (wallet, outcome) in [(&right, 0), (&wrong, 1)] {
        wallet.bet(fair.markets, market, outcome, U256::from(1000)).await.expect("bet");
    }
    // It is there before the market closes, and waits.
    fair.publish(&fair.signed(1, first.close, HOME_WINS));
    tokio::time::sleep(Duration::from_millis(400)).await;
    assert!(fair.stage.now().await < first.close && fair.events::<Resolved>(fair.markets).await.is_empty());
    daemon.kill().await;
    // What was read is stored: the folder isn't needed any more.
    for entry in std::fs::read_dir(fair.bulletins.path()).expect("folder") {
        std::fs::remove_file(entry.expect("entry").path()).expect("removed");
    }
    fair.stage.later(61).await;
    let daemon = fair.start().await;
    assert_eq!(fair.decided(fair.markets, market).await, 0);
    assert_eq!(fair.decided(fair.adapter, on_tokens).await, 0);
    assert_eq!(right.claim_bets(fair.markets, market).await.expect("won").0, U256::from(2000));
    assert!(wrong.claim_bets(fair.markets, market).await.is_err());
    let payouts = fair.events::<FakeConditionalTokens::ConditionResolution>(fair.tokens).await;
    assert_eq!(payouts.len(), 1);
    let home_alone: Vec<U256> = payouts[0].payoutNumerators.clone();
    assert!(home_alone[0] > U256::ZERO && home_alone[1..].iter().all(U256::is_zero), "{home_alone:?}");

    // Another way in: a bulletin that somebody posts on the chain, for a market that opens after it.
    let mut second = fair.terms(2).await;
    second.close += 60;
    fair.post(&fair.signed(2, second.close, DRAW)).await;
    let market = fair.open(fair.markets, &second).await;
    fair.stage.later(180).await;
    assert_eq!(fair.decided(fair.markets, market).await, 1);
    fair.stage.mine(3).await;
    tokio::time::sleep(Duration::from_millis(300)).await;
    daemon.stop().await.expect("clean stop");
    let jobs = fair.stage.jobs().await;
    assert!(jobs.len() == 3 && jobs.iter().all(|job| job.state == State::Final), "{jobs:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_decides_nothing_expires() {
    let fair = Fair::new().await;
    let daemon = fair.start().await;
    let early = fair.terms(1).await;
    let unsure = Terms { min_margin: u32::MAX, ..fair.terms(2).await };
    let silent = fair.terms(3).await;
    let forged = fair.terms(4).await;
    let mut markets = Vec::new();
    for terms in [&early, &unsure, &silent, &forged] {
        markets.push(fair.open(fair.markets, terms).await);
    }
    fair.publish(&fair.signed(1, early.close - 1, HOME_WINS));
    fair.publish(&fair.signed(2, unsure.close, HOME_WINS));
    let stranger = Key::from_bytes(B256::repeat_byte(0x78)).expect("key");
    let text = Text::new(HOME_WINS.as_bytes()).expect("text");
    fair.publish(&Bulletin::sign(&stranger, feed(), 4, forged.close, text).expect("signature"));
    fair.stage.later(61).await;
    // The one job there is ends without an answer, and is told.
    fair.stage.until("an unsure answer is given up", async || !daemon.ends().is_empty()).await;
    let ends = daemon.ends();
    assert!(ends.len() == 1 && ends[0].0 == State::Forfeited && ends[0].1.contains("margin"), "{ends:?}");
    fair.stage.later(3600).await;
    fair.stage.until("all expire", async || fair.events::<Undecided>(fair.markets).await.len() == markets.len()).await;
    assert!(fair.events::<Resolved>(fair.markets).await.is_empty());
    let notices = format!("{:?}", daemon.notices.lock().expect("notices"));
    assert!(notices.contains(&stranger.address().to_string()), "the forged bulletin is reported");
    daemon.stop().await.expect("clean stop");
    assert_eq!(fair.stage.jobs().await.len(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn markets_with_too_little_at_stake_are_left_to_others() {
    let mut fair = Fair::new().await;
    fair.stage.config.market.as_mut().expect("market").min_pool = U256::from(1000);
    let daemon = fair.start().await;
    let terms = fair.terms(1).await;
    let [poor, rich] = [fair.open(fair.markets, &terms).await, fair.open(fair.markets, &terms).await];
    // The adapter keeps no bets: what is at stake there is others' to know.
    let on_tokens = fair.open(fair.adapter, &terms).await;
    for (market, wei) in [(poor, 999), (rich, 1000)] {
        fair.someone.bet(fair.markets, market, 0, U256::from(wei)).await.expect("bet");
    }
    fair.publish(&fair.signed(1, terms.close, HOME_WINS));
    fair.stage.later(61).await;
    assert_eq!(fair.decided(fair.markets, rich).await, 0);
    assert_eq!(fair.decided(fair.adapter, on_tokens).await, 0);
    // Nor is it ended.
    fair.stage.later(3600).await;
    tokio::time::sleep(Duration::from_millis(500)).await;
    assert_eq!(fair.events::<Resolved>(fair.markets).await.len(), 1);
    assert!(fair.events::<Undecided>(fair.markets).await.is_empty());
    daemon.stop().await.expect("clean stop");
    assert_eq!(fair.stage.jobs().await.len(), 2);
}

#[tokio::test(flavor = "multi_thread")]
async fn two_texts_under_one_number_are_reported_and_the_first_counts() {
    let fair = Fair::new().await;
    let daemon = fair.start().await;
    let terms = fair.terms(1).await;
    let market = fair.open(fair.markets, &terms).await;
    fair.publish(&fair.signed(1, terms.close, HOME_WINS));
    let store_has_it = async || {
        let said = format!("{:?}", daemon.notices.lock().expect("notices"));
        said.contains("two bulletins numbered 1")
    };
    tokio::time::sleep(Duration::from_millis(300)).await;
    file::write_new(&fair.signed(1, terms.close, DRAW), &fair.bulletins.path().join("other.json")).expect("a file");
    fair.stage.until("the contradiction is told", store_has_it).await;
    fair.stage.later(61).await;
    assert_eq!(fair.decided(fair.markets, market).await, 0);
    daemon.stop().await.expect("clean stop");
}

#[test]
fn what_the_contract_reads_is_what_the_model_reads() {
    // The proof's text limbs are the bulletin's own packing.
    let prover = football();
    let text = Text::new(HOME_WINS.as_bytes()).expect("text");
    let limbs: Vec<[u8; 32]> = text.packed().iter().map(|limb| limb.to_be_bytes()).collect();
    let input = prover.unpack(&limbs).expect("eight limbs of 31 bytes");
    let bytes: Vec<i64> = text.padded().iter().map(|byte| i64::from(*byte)).collect();
    assert_eq!(input.values, bytes);
}
