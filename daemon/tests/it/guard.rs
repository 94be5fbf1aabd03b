//! Withdrawals that a guarded vault delays, with real proofs of the fraud model: judged once, released or held, and left to their
//! time where the score decides nothing. The vaults' thresholds choose the outcome, so that no test hangs on the model's taste.

use std::{
    path::{Path, PathBuf},
    sync::Arc,
    time::Duration,
};

use alloy::sol_types::{SolCall, SolEvent};
use zugzwang::{
    apps::guard::{self, Terms, coin_code, vault_code},
    chain::{
        Client, Wallet,
        types::{Address, B256, U256},
    },
    config::ModelConfig,
    prover::{self, Models, Prove, Source, verifier},
    store::State,
};
use zugzwang_contracts::FraudGuard::{self, Judged};

use crate::stage::{Daemon, Stage};

const DELAY: u32 = 3600;
/// More than any score.
const ABOVE: u32 = 1 << 20;

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../models/fraud")
}

fn fraud() -> Arc<dyn Prove> {
    let cache = Path::new(env!("CARGO_TARGET_TMPDIR")).join("cache");
    let config = ModelConfig { dir: folder(), shape: String::new(), cache, srs: Source::BuiltIn };
    prover::load(&config, &|_| ()).expect("models/fraud")
}

fn coins(n: u64) -> U256 {
    U256::from(n) * U256::from(10u64).pow(U256::from(18u64))
}

/// A vault that flags what is above 10 %, with somebody's savings in it.
struct Bank {
    stage: Stage,
    vault: Address,
    token: Address,
    models: Models,
}

impl Bank {
    /// Scores below `release_below` release, those from `pause_at` pause.
    async fn new(release_below: u32, pause_at: u32) -> Self {
        let prover = fraud();
        let code = verifier::get(&folder(), prover.as_ref()).await.expect("npm ci in contracts/").bytecode;
        let model_id: B256 = prover.model_id().into();
        let deploy = async |_: &Client, npc: &Wallet| {
            let verifier = npc.deploy("verifier", code).await.expect("verifier").contract;
            let token = npc.deploy("token", coin_code()).await.expect("token").contract;
            let terms = Terms {
                verifier,
                model_id,
                governance: Address::ZERO,
                delay: DELAY,
                pause: 2 * DELAY,
                grace: DELAY,
                window: DELAY,
                single_bps: 1000,
                window_bps: 5000,
                release_below,
                pause_at,
            };
            (npc.deploy("vault", vault_code(token, &terms)).await.expect("vault").contract, token)
        };
        let (stage, (vault, token)) = Stage::new(deploy, |(vault, _), raw| {
            raw.guard.contracts = vec![vault.to_string()];
            raw.guard.models = vec![folder().display().to_string()];
        })
        .await;
        let bank = Self { stage, vault, token, models: Models::of([prover]) };
        bank.saver(0x33, 80).await;
        bank
    }

    /// Somebody who puts so many coins in.
    async fn saver(&self, seed: u8, assets: u64) -> Wallet {
        let wallet = self.stage.account(seed).await.speaking(guard::words);
        wallet.wrap(self.token, self.vault, coins(assets)).await.expect("tokens");
        wallet.put_in(self.vault, coins(assets)).await.expect("deposit");
        wallet
    }

    async fn start(&self) -> Daemon {
        self.stage.start_with(&self.models).await
    }

    /// A withdrawal that is flagged.
    async fn flagged(&self, wallet: &Wallet, assets: u64) -> U256 {
        let (incident, _) = wallet.take_out(self.vault, coins(assets), wallet.address()).await.expect("withdrawal");
        incident.expect("flagged")
    }

    async fn judgements(&self) -> Vec<Judged> {
        let head = self.stage.client.head().await.expect("head").block.number;
        let logs = self.stage.client.logs_between(&[self.vault], 0, head).await.expect("logs");
        logs.iter().filter_map(|log| Judged::decode_log(&log.inner).ok()).map(|log| log.data).collect()
    }

    async fn judged(&self, how_many: usize) -> Vec<Judged> {
        self.stage.until("a judgement", async || self.judgements().await.len() >= how_many).await;
        self.judgements().await
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_low_score_releases_at_once() {
    let bank = Bank::new(ABOVE, ABOVE).await;
    let daemon = bank.start().await;
    let wallet = bank.saver(0x44, 20).await;
    let incident = bank.flagged(&wallet, 15).await;
    let judged = bank.judged(1).await;
    assert!(judged[0].incident == incident && !judged[0].paused);
    wallet.claim_incident(bank.vault, incident).await.expect("released");
    // A small one isn't flagged, and asks nothing.
    let (none, _) = wallet.take_out(bank.vault, coins(1), wallet.address()).await.expect("withdrawal");
    assert_eq!(none, None);
    bank.stage.mine(3).await;
    tokio::time::sleep(Duration::from_millis(300)).await;
    daemon.stop().await.expect("clean stop");
    let jobs = bank.stage.jobs().await;
    assert!(jobs.len() == 1 && jobs[0].state == State::Final, "{jobs:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_high_score_pauses_once_however_often_the_daemon_is_killed() {
    let bank = Bank::new(0, 0).await;
    let wallet = bank.saver(0x44, 20).await;
    let honest = bank.saver(0x55, 5).await;
    let before = bank.stage.client.nonce(bank.stage.npc.address()).await.expect("nonce");
    let incident = bank.flagged(&wallet, 20).await;
    let mut kills = 0u64;
    while bank.judgements().await.is_empty() {
        let daemon = bank.start().await;
        tokio::time::sleep(Duration::from_millis(5 + kills * 40)).await;
        daemon.kill().await;
        kills += 1;
        assert!(kills < 200, "it never answers");
    }
    let daemon = bank.start().await;
    bank.stage.mine(4).await;
    tokio::time::sleep(Duration::from_millis(400)).await;
    let judged = bank.judgements().await;
    assert!(judged.len() == 1 && judged[0].paused, "{judged:?}");
    assert_eq!(bank.stage.client.nonce(bank.stage.npc.address()).await.expect("nonce"), before + 1);
    let refused =
        |result: Result<_, zugzwang::chain::ChainError>| result.err().map(|e| e.to_string()).unwrap_or_default();
    assert!(refused(wallet.claim_incident(bank.vault, incident).await.map(|_| ())).contains("Paused"));
    assert!(refused(honest.take_out(bank.vault, coins(1), honest.address()).await.map(|_| ())).contains("Paused"));
    // The pause ends by itself, and the others leave before the one who is held.
    bank.stage.later(u64::from(2 * DELAY) + 1).await;
    honest.take_out(bank.vault, coins(1), honest.address()).await.expect("the pause is over");
    assert!(refused(wallet.claim_incident(bank.vault, incident).await.map(|_| ())).contains("TooEarly"));

    // It asks again on its later record: a new round, which a high score doesn't decide.
    let appeal = FraudGuard::appealCall { incident }.abi_encode();
    wallet.call("appeal", bank.vault, appeal.into(), U256::ZERO).await.expect("a new round");
    bank.stage.until("the second round is given up", async || !daemon.ends().is_empty()).await;
    assert!(daemon.ends()[0].1.contains("neither releases"), "{:?}", daemon.ends());
    daemon.stop().await.expect("clean stop");
    let jobs = bank.stage.jobs().await;
    assert_eq!(
        jobs.iter().map(|job| (job.key.round, job.state)).collect::<Vec<_>>(),
        [(0, State::Final), (1, State::Forfeited)]
    );
    // What is held is its owner's in the end.
    bank.stage.later(u64::from(2 * DELAY)).await;
    wallet.claim_incident(bank.vault, incident).await.expect("its time has come");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_score_in_between_leaves_it_to_its_time() {
    let bank = Bank::new(0, ABOVE).await;
    let daemon = bank.start().await;
    let wallet = bank.saver(0x44, 20).await;
    let incident = bank.flagged(&wallet, 15).await;
    bank.stage.until("the score decides nothing", async || !daemon.ends().is_empty()).await;
    assert!(daemon.ends()[0].0 == State::Forfeited && daemon.ends()[0].1.contains("stays delayed"));
    assert!(wallet.claim_incident(bank.vault, incident).await.is_err());
    bank.stage.later(u64::from(DELAY)).await;
    wallet.claim_incident(bank.vault, incident).await.expect("its time has come");
    daemon.stop().await.expect("clean stop");
    assert!(bank.judgements().await.is_empty());
}
